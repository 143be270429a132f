"""What `kenyon doctor` says of the host that is really there, and of folders that were."""

import os
import shutil
from importlib import metadata
from pathlib import Path

import larvaworld
import pytest

from kenyon.larvaworld_plugin import host
from kenyon.larvaworld_plugin.installation import REGISTRY, installation, registry, screen


def test_what_is_there_is_whole() -> None:
    """Of a known version, with its registry and the packages it asks for."""
    found = installation()
    assert found["larvaworld"] == f"{metadata.version('larvaworld')}, one that Kenyon knows"
    assert found["packages beside it"] == "as Larvaworld asks for them"
    assert found["registry"] == "built"
    assert found["screen"] == screen(os.environ)


def test_a_package_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line that mends it; only its number, and that of the host, are not the real ones here."""
    known = metadata.version
    for package, number in (("numpy", "2.2.6"), ("larvaworld", "3.0.0")):
        monkeypatch.setattr(metadata, "version", lambda name, own={package: number}: own.get(name) or known(name))
        found = installation()
        if package == "numpy":
            words = "not as Larvaworld asks for them: numpy 2.2.6; pip install 'numpy<2.0,>=1.24'"
            assert found["packages beside it"] == words
        else:
            assert found["larvaworld"].startswith("3.0.0, which Kenyon does not know: it knows 2.4.0 and 2.5.1; pip")
    assert host.version() == "3.0.0"


def test_a_registry_that_is_not_whole_is_told_apart(tmp_path: Path) -> None:
    """Not built, built in part, or cut off by a process that was killed."""
    folder = tmp_path / "confDicts"
    assert registry(folder).startswith("not built yet; SDL_VIDEODRIVER=dummy python -c")
    shutil.copytree(Path(larvaworld.CONF_DIR), folder)
    assert registry(folder) == "built"
    stored = folder / "Model.txt"
    stored.write_bytes(stored.read_bytes()[:1000])
    assert registry(folder).startswith(f"spoilt; delete {stored}, and build it: SDL")
    for name in REGISTRY[1:]:
        (folder / f"{name}.txt").unlink()
    assert registry(folder).startswith("built in part, without Env.txt, Exp.txt, Ga.txt")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "none, and none needed"),
        ({"SDL_VIDEODRIVER": "dummy"}, "none, and none needed"),
        ({"SDL_VIDEODRIVER": "x11"}, "none, but SDL_VIDEODRIVER=x11 asks for one; unset it"),
        ({"DISPLAY": ":0"}, "there, but Kenyon keeps Larvaworld off it; to see its window set SDL_VIDEODRIVER"),
        ({"WAYLAND_DISPLAY": "wayland-0", "SDL_VIDEODRIVER": "wayland"}, "there, and Larvaworld may draw on it"),
    ],
)
@pytest.mark.skipif(os.name != "posix" or os.uname().sysname != "Linux", reason="elsewhere there is always a screen")
def test_a_screen_is_where_the_environment_names_one(environment: dict[str, str], words: str) -> None:
    """Kenyon lets Larvaworld draw only where its driver is named."""
    assert screen(environment).startswith(words)
