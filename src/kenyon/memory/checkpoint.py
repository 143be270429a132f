"""What larvae have learned, kept in one file: going on after loading equals never having stopped.

A file holds memories of any classes: their options, gains, tables or circuits, clocks and random streams. It is an .npz
with a JSON header, as all of Kenyon's; nothing in it is ever executed. Whatever reads one takes `limit_bytes`: the most
bytes that its arrays may have, for a small file can announce many.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from kenyon import archive, checks
from kenyon.errors import (
    FileFormatError,
    InputError,
    KenyonError,
    MismatchError,
    MissingDependencyError,
    NoAnswerError,
    RefusedError,
)
from kenyon.memory.base import Memory
from kenyon.memory.embedded import MushroomBodyMemory, holding
from kenyon.memory.modalities import RLOlfMemory, RLTouchMemory
from kenyon.memory.options import plain_value
from kenyon.memory.reinforcement import RLmemory
from kenyon.memory.remote import RemoteBrianModelMemory
from kenyon.memory.rl_population import RLPopulation
from kenyon.mushroom_body.wiring import RANDOM
from kenyon.whole import Change, at_once
from kenyon.words import shown

KIND = "memory checkpoint"

Learner = Memory | RLPopulation

_CLASSES: Mapping[str, type[Learner]] = {
    kind.__name__: kind
    for kind in (
        Memory,
        RLmemory,
        RLOlfMemory,
        RLTouchMemory,
        MushroomBodyMemory,
        RemoteBrianModelMemory,
        RLPopulation,
    )
}


def save(
    path: str | os.PathLike[str],
    memories: Learner | Sequence[Learner],
    *,
    about: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write one memory, or a group, to a file.

    Args:
        path: Where to, by custom ending in .npz; the folder must exist.
        memories: Of any classes of this package. The circuit of a remote one is fetched from its server.
        about: What else is to be known about them, as JSON can say it; `about` returns it.
        overwrite: Replace a file that is there.

    Returns:
        The path.

    Raises:
        InputError: the file exists, there is no memory, one draws from Python's global `random`, or `about` is nothing
            that JSON can say.
        LockedError: somebody else is writing the file.
        StorageError: the disk is full.
        NoAnswerError: the server of a remote memory did not answer.

    Example:
        >>> import tempfile
        >>> from kenyon.memory import RLOlfMemory
        >>> memory = RLOlfMemory(gain={"Odor": 0.0}, seed=4, update_dt=0.1)
        >>> file = save(Path(tempfile.mkdtemp()) / "larva.npz", memory)
        >>> load(file)[0].step(dx={"Odor": 0.1}) == memory.step(dx={"Odor": 0.1})
        True
    """
    with archive.replacing(path, overwrite=overwrite) as temporary:  # first, for a remote circuit takes time to fetch
        entries: list[dict[str, Any]] = []
        arrays: archive.Arrays = {}
        for i, memory in enumerate(_group(memories)):
            header, own = memory._plain()
            entries.append({"class": _kind(memory).__name__, **_making(memory), "state": header})
            arrays |= {f"{i}.{name}": values for name, values in own.items()}
        archive.save(temporary, KIND, {"memories": entries, "about": _said(about)}, arrays)
    return Path(path)


def about(path: str | os.PathLike[str], *, limit_bytes: int = archive.LIMIT_BYTES) -> dict[str, Any]:
    """Return what was said about the memories of a file when they were saved.

    Raises:
        FileFormatError: the file is truncated, foreign or of another version.
        FileNotFoundError: there is no such file.

    Example:
        >>> import tempfile
        >>> from kenyon.memory import Memory
        >>> about(save(Path(tempfile.mkdtemp()) / "larva.npz", Memory(), about={"trained": "yes"}))
        {'trained': 'yes'}
    """
    header, _ = archive.load(path, KIND, limit_bytes=limit_bytes)
    said = header.get("about", {})
    return said if isinstance(said, dict) else {}


def names(path: str | os.PathLike[str], *, limit_bytes: int = archive.LIMIT_BYTES) -> list[str | int | None]:
    """Return what names the larva of each memory of a file, in their order; None where nothing does.

    Raises:
        FileFormatError: the file is truncated, foreign, of another version or inconsistent.
        FileNotFoundError: there is no such file.
    """
    return [entry["options"].get("model_id") for entry, _ in _entries(path, limit_bytes)]


def load(path: str | os.PathLike[str], *, limit_bytes: int = archive.LIMIT_BYTES) -> list[Any]:
    """Return the memories of a file, made anew with the options they had, and without a brain.

    The circuit of a remote memory is handed to its server again: the one that the file names.

    Raises:
        FileFormatError: the file is truncated, foreign, of another version or inconsistent.
        FileNotFoundError: there is no such file.
        NoAnswerError: the server of a remote memory did not answer.
    """
    return [_made(path, entry, arrays) for entry, arrays in _entries(path, limit_bytes)]


def restore(
    path: str | os.PathLike[str], memories: Learner | Sequence[Learner], *, limit_bytes: int = archive.LIMIT_BYTES
) -> None:
    """Put what the memories of a file have learned into memories that are there, in the same order.

    Their brains, their gains' dictionaries and options such as `alpha` or `G` stay their own.

    Raises:
        FileFormatError: the file is truncated, foreign, of another version or inconsistent.
        FileNotFoundError: there is no such file.
        MismatchError: there are more or fewer, or one is of another class or has other tables or another circuit.
        NoAnswerError: the server of a remote memory did not answer.
    """
    group, entries = _group(memories), _entries(path, limit_bytes)
    if len(group) != len(entries):
        raise MismatchError(f"{path} must hold {len(group)} memories, as are there, got {len(entries)}")
    for i, (memory, (entry, arrays)) in enumerate(zip(group, entries, strict=True)):
        if entry["class"] != _kind(memory).__name__:
            raise MismatchError(f"memory {i} of {path} must be a {_kind(memory).__name__}, got a {entry['class']}")
        mine, theirs = _making(memory)["options"], {**_absent(memory), **entry["options"]}
        for name in _fixed(memory):
            if mine[name] != theirs.get(name):
                raise MismatchError(
                    f"memory {i} of {path} must have {name}={shown(mine[name])}, got {shown(theirs.get(name))}"
                )
        if (
            isinstance(memory, RLmemory)
            and sum(values.nbytes for values in arrays.values()) > memory.max_table_mb * 1e6
        ):
            raise MismatchError(
                f"memory {i} of {path} must fit into max_table_mb={memory.max_table_mb:g}, got a larger one"
            )
    # What is here is changed at once, when nothing can fail any more: neither the file nor, coming last, a server.
    pairs = sorted(zip(group, entries, strict=True), key=lambda pair: isinstance(pair[0], RemoteBrianModelMemory))
    homes = {memory._settle() for memory in group if isinstance(memory, MushroomBodyMemory)}
    holding(homes, lambda: at_once([change for memory, entry in pairs for change in _changes(path, memory, *entry)]))


_OWN = ("name", "engine", "shared", "seed", "model_id", "sim_id")
"""Options fixed at construction that say nothing about the form of what was learned."""


def _group(memories: Learner | Sequence[Learner]) -> list[Learner]:
    group = [memories] if isinstance(memories, (Memory, RLPopulation)) else checks.several("memories", memories)
    for memory in group:
        if _kind(memory) is not _CLASSES.get(_kind(memory).__name__):
            raise InputError(f"memories must be of Kenyon's own classes, got a {type(memory).__name__}")
    if len({id(memory) for memory in group}) < len(group):
        raise InputError("memories must each be named once, got one twice")
    if not group:
        raise InputError("memories must be at least one, got none")
    return group


def _kind(memory: Learner) -> type:
    """Return the class that a memory is kept as: its own, or the one that this changes nothing but defaults of."""
    kind: type = type(memory).__dict__.get("stands_for", type(memory))
    return kind


def _making(memory: Learner) -> dict[str, Any]:
    """Return what makes a memory anew: its options, and for a population its class, larvae and stimuli."""
    one = memory._one if isinstance(memory, RLPopulation) else memory
    options = {
        name: plain_value(value)
        for name, value in one.param.values().items()
        if name not in ("name", "token") and not one.param[name].readonly
    }
    if isinstance(one, RLmemory):
        options["gain_space"] = list(one._tables.values)  # The list given may have been changed since.
    if isinstance(memory, RLPopulation):
        del options["model_id"]
        return {"options": options, "kind": type(one).__name__}
    return {"options": options | {"model_id": memory.larva_id}}


def _absent(memory: Learner) -> dict[str, Any]:
    """Return what options were where a file of before does not know them yet."""
    return {"wiring": RANDOM} if isinstance(memory, MushroomBodyMemory) else {}


def _fixed(memory: Learner) -> list[str]:
    """Return the options that give what was learned its form; the engine computes the same numbers as any other."""
    one = memory._one if isinstance(memory, RLPopulation) else memory
    return [
        name for name in one.param if one.param[name].constant and not one.param[name].readonly and name not in _OWN
    ]


def _entries(path: str | os.PathLike[str], limit_bytes: int) -> list[tuple[dict[str, Any], archive.Arrays]]:
    header, arrays = archive.load(path, KIND, limit_bytes=limit_bytes)
    entries = header.get("memories")
    if not isinstance(entries, list) or not all(
        isinstance(e, dict)
        and isinstance(e.get("options"), dict)
        and isinstance(e.get("class"), str)
        and e["class"] in _CLASSES
        and not {"brain", "gain", "rng"} & set(e["options"])
        for e in entries
    ):
        raise FileFormatError(f"{path} must hold memories of this version of Kenyon, got others")
    own: list[archive.Arrays] = [{} for _ in entries]
    for name, values in arrays.items():
        digits, _, rest = name.partition(".")
        place = checks.spelled_integer(digits)
        if place is None or place >= len(own):
            raise FileFormatError(f"{path} must hold arrays of {len(own)} memories, got {shown(name)}")
        own[place][rest] = values
    return list(zip(entries, own, strict=True))


def _made(path: str | os.PathLike[str], entry: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Learner:
    """Return a new memory, filled."""
    kind, options = _CLASSES[entry["class"]], entry["options"]
    try:
        if kind is RLPopulation:
            memory: Learner = _population(entry, arrays)
        else:
            memory = kind(**options)
            vars(memory)["_copied"] = True
    except MissingDependencyError:
        raise
    except (KenyonError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as reason:
        raise FileFormatError(f"{path} must hold memories that can be made anew: {reason}") from None
    at_once(_changes(path, memory, entry, arrays))
    return memory


def _population(entry: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> RLPopulation:
    """Return a new population, whose tables are made at once: so they may be no larger than those that are held."""
    state, options = entry["state"], entry["options"]
    held_mb = sum(values.nbytes for values in arrays.values()) / 1e6
    limited = {**options, "max_table_mb": min(options["max_table_mb"], held_mb)}
    own = {"kind": _CLASSES[entry["kind"]], "model_ids": state["model_ids"]}
    larvae = RLPopulation(len(state["model_ids"]), state["stimuli"], **own, **limited)
    larvae._one.max_table_mb = options["max_table_mb"]
    return larvae


def _changes(
    path: str | os.PathLike[str], memory: Learner, entry: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> list[Change]:
    """Return what fills a memory with what was kept; where a server has its circuit, that is there already."""
    try:
        return memory._from_plain(entry["state"], arrays)
    except (NoAnswerError, RefusedError, MissingDependencyError):
        raise
    except (KenyonError, KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as reason:
        raise FileFormatError(f"{path} must hold a whole {type(memory).__name__}: {reason}") from None


def _said(about: Any) -> dict[str, Any]:
    return {} if about is None else dict(checks.instance("about", about, dict, "pass a dictionary that JSON can say"))
