"""What there is of Larvaworld on this machine, told without importing it, which takes seconds and changes files."""

import os
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata, util
from pathlib import Path

from kenyon.larvaworld_plugin import host

REGISTRY = ("Batch", "Env", "Exp", "Ga", "LabFormat", "Model", "Ref", "Trial")
"""Files that Larvaworld makes in its own folder when it is first used: what it has stored."""

_BUILD = (
    "SDL_VIDEODRIVER=dummy python -c 'from larvaworld.lib import reg; from larvaworld.lib.sim import ExpRun' (two "
    "minutes, once, and alone, for two processes at once would spoil it)"
)


def installation() -> dict[str, str]:
    """Return what was found, by what was looked at, and what to do where something is amiss."""
    found = {"larvaworld": _version(), "screen": screen(os.environ)}
    folder = _folder()
    if folder is not None:
        found |= {"packages beside it": _packages(), "registry": registry(folder / "lib" / "reg" / "confDicts")}
    return found


def _version() -> str:
    try:
        version = metadata.version("larvaworld")
    except metadata.PackageNotFoundError:
        line = "pip install 'FOLDER[larvaworld]', where FOLDER is the clone of Kenyon, or in the clone: make larvaworld"
        fitting = "" if sys.version_info < (3, 13) else f" (not on {sys.version_info.major}.{sys.version_info.minor})"
        return f"not installed; {line}; on Python 3.10 to 3.12{fitting}"
    known = " and ".join(host.VERSIONS)
    if version in host.VERSIONS:
        return f"{version}, one that Kenyon knows"
    return (
        f"{version}, which Kenyon does not know: it knows {known}; pip install larvaworld=={host.VERSIONS[-1]}, or try "
        f"register(other_versions='warn')"
    )


def _folder() -> Path | None:
    """Return the folder that Larvaworld is installed in; None where it is not."""
    there = util.find_spec("larvaworld")
    places = None if there is None else there.submodule_search_locations
    return None if not places else Path(next(iter(places)))


def _packages() -> str:
    amiss = list(_unfitting())
    if not amiss:
        return "as Larvaworld asks for them"
    wanted = " ".join(f"'{requirement}'" for requirement, _ in amiss)
    got = ", ".join(got for _, got in amiss)
    return f"not as Larvaworld asks for them: {got}; pip install {wanted}"


def _unfitting() -> Iterator[tuple[str, str]]:
    """Yield what Larvaworld needs and has not: the requirement, and what there is in its place."""
    from packaging.requirements import Requirement

    try:
        needed = metadata.requires("larvaworld") or []
    except metadata.PackageNotFoundError:  # a folder on the path, and no package
        return
    for requirement in map(Requirement, needed):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        plain = f"{requirement.name}{requirement.specifier}"
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield plain, f"no {requirement.name}"
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            yield plain, f"{requirement.name} {version}"


def registry(folder: Path) -> str:
    """Return whether Larvaworld has made the files in which it keeps what is stored.

    Args:
        folder: Where they belong.
    """
    files = [folder / f"{name}.txt" for name in REGISTRY]
    missing = [file.name for file in files if not file.exists()]
    cut_off = [str(file) for file in files if file.exists() and not _is_whole(file)]
    if len(missing) == len(files):
        found = f"not built yet; {_BUILD}"
    elif cut_off:
        found = f"spoilt; delete {', '.join(cut_off)}, and build it: {_BUILD}"
    elif missing:
        found = f"built in part, without {', '.join(missing)}; {_BUILD}"
    else:
        found = "built"
    held = next(place for place in (folder, *folder.parents) if place.exists())
    if not os.access(held, os.W_OK):
        found += f"; Larvaworld counts its runs in {held}, which cannot be written to: see to its rights"
    return found


def _is_whole(file: Path) -> bool:
    """Return whether a pickle, or, as the host writes where it cannot pickle, JSON, has its end; it is not read."""
    return file.read_bytes().rstrip()[-1:] in (b".", b"}")


def screen(environment: Mapping[str, str]) -> str:
    """Return whether there is a screen, and whether Larvaworld draws on it.

    Args:
        environment: The variables of the environment.

    Example:
        >>> screen({"DISPLAY": ":0", "SDL_VIDEODRIVER": "x11"})
        'there, and Larvaworld may draw on it (SDL_VIDEODRIVER=x11)'
    """
    driver = environment.get("SDL_VIDEODRIVER", "dummy")
    there = sys.platform in ("darwin", "win32") or any(environment.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))
    if there and driver == "dummy":
        return "there, but Kenyon keeps Larvaworld off it; to see its window set SDL_VIDEODRIVER, such as to x11"
    if there:
        return f"there, and Larvaworld may draw on it (SDL_VIDEODRIVER={driver})"
    if driver == "dummy":
        return "none, and none needed: Larvaworld runs without, and draws films into files"
    return f"none, but SDL_VIDEODRIVER={driver} asks for one; unset it, or set it to dummy"
