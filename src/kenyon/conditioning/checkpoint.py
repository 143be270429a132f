"""An experiment in a file, wherever it was stopped: going on from it gives what never stopping would have given."""

import os
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon import archive, checks
from kenyon.conditioning.designs import Design
from kenyon.conditioning.living import Course, Done, Now
from kenyon.conditioning.setup import Kept, Setup
from kenyon.errors import FileFormatError, KenyonError
from kenyon.mushroom_body import Activity, Odor, Record, Snapshot
from kenyon.mushroom_body.engine import Engine
from kenyon.mushroom_body.engines import engine as engine_of
from kenyon.threads import chosen

KIND: Final = "experiment"


class Stopped(NamedTuple):
    """An experiment that was stopped somewhere.

    Attributes:
        design: What is done.
        setup: What it is made with.
        now: What it has come to.
        courses: Its groups, with what was kept of each.
    """

    design: Design
    setup: Setup
    now: Now
    courses: list[Course]


def save(path: str | os.PathLike[str], stopped: Stopped, *, overwrite: bool = False) -> None:
    """Write an experiment to a file, whole or not at all.

    Raises:
        InputError: the file exists and `overwrite` is False, or its folder does not.
        LockedError: somebody else is writing it.
        StorageError: the disk is full.
    """
    design, setup, now, courses = stopped
    arrays: archive.Arrays = {}
    places: dict[int, int] = {}

    def kept(larvae: Snapshot) -> int:
        """Put larvae into the file, once; return their number there."""
        if id(larvae) not in places:
            place = places[id(larvae)] = len(places)
            arrays.update({f"larvae {place} {name}": own for name, own in larvae.plain()[1].items()})
        return places[id(larvae)]

    header: dict[str, Any] = {
        "design": design.text,
        "odors": {name: [odor.concentrations, odor.responses] for name, odor in design.own_odors.items()},
        "parameters": setup.parameters.stated(),
        "seed": setup.seed,
        "seeds": [str(seed) for seed in setup.seeds(design.groups[0].name)],
        "wiring": setup.wiring,
        "began_as": dict(setup.began_as),
        "kept": list(setup.kept.names),
        "recordings": [[name, vars(record)] for name, record in setup.kept.recordings],
        "engine": setup.engine.name,
        "starts": {name: kept(larvae) for name, larvae in setup.starts.items()},
        "ended": {name: kept(larvae) for name, larvae in now.ended.items()},
        "larvae": None if now.larvae is None else kept(now.larvae),
        "acts": now.acts,
        "group": now.group,
        "open": {str(number): [len(own) for own in done] for number, done in now.open.items()},
    }
    for number, done in now.open.items():
        for side, own in enumerate(done):
            for activity in own:
                for name in ("duration_ms", "counts", "diverged"):
                    arrays[f"open {number} {side} {name}"] = getattr(activity, name)
    for place, course in enumerate(courses):
        arrays.update({f"kept {place} {name}": own for name, own in course.collector.arrays.items()})
        arrays.update({f"recorded {place} {name}": own for name, own in course.collector.recorded.items()})
    archive.save(path, KIND, header, arrays, overwrite=overwrite)


def load(path: str | os.PathLike[str], engine: str | Engine | None, threads: int | None, limit_bytes: int) -> Stopped:
    """Read what `save` wrote.

    Raises:
        FileFormatError: the file is truncated, foreign, inconsistent or too much.
        FileNotFoundError: there is no such file.
    """
    header, arrays = archive.load(checks.path("file", path), KIND, limit_bytes=limit_bytes)
    try:
        odors = [Odor(name, *reversed(own)) for name, own in header["odors"].items()]
        design = Design.read(header["design"], odors=odors)
        larvae = [_larvae(str(path), header, arrays, place) for place in range(_count(arrays))]
        starts = {group.name: larvae[header["starts"][group.name]] for group in design.groups}
        setup = Setup(
            larvae[0].parameters,
            str(header["seed"]),
            starts,
            {group.name: str(header["began_as"][group.name]) for group in design.groups},
            str(header["wiring"]),
            engine_of(header["engine"] if engine is None else engine),
            chosen(threads),
            Kept(
                **dict.fromkeys(header["kept"], True),
                recordings=[(str(name), Record(**own)) for name, own in header["recordings"]],
            ),
        )
        courses = [Course(group, setup) for group in design.groups]
        for place, course in enumerate(courses):
            _fill(course.collector.arrays, arrays, f"kept {place} ")
            start = f"recorded {place} "
            there = {name.removeprefix(start): own for name, own in arrays.items() if name.startswith(start)}
            course.collector.recorded.update(there)
        now = Now(
            checks.integer("acts", header["acts"], low=0),
            checks.integer("group", header["group"], low=0, high=len(courses)),
            None if header["larvae"] is None else larvae[header["larvae"]],
            {int(number): _done(arrays, number, own) for number, own in header["open"].items()},
            {group.name: larvae[header["ended"][group.name]] for group in design.groups[: header["group"]]},
        )
    except (KenyonError, AttributeError, IndexError, KeyError, TypeError, ValueError) as reason:
        raise FileFormatError(f"{path} must be a whole experiment of this version of Kenyon: {reason}") from None
    return Stopped(design, setup, now, courses)


def _count(arrays: Mapping[str, NDArray[Any]]) -> int:
    return len({name.split(" ")[1] for name in arrays if name.startswith("larvae ")})


def _larvae(source: str, header: Mapping[str, Any], arrays: archive.Arrays, place: int) -> Snapshot:
    start = f"larvae {place} "
    own = {name.removeprefix(start): values for name, values in arrays.items() if name.startswith(start)}
    return Snapshot.from_plain(source, {"parameters": header["parameters"], "seeds": header["seeds"]}, own)


def _fill(places: archive.Arrays, arrays: archive.Arrays, start: str) -> None:
    """Write what was kept into the places made for it."""
    for name, place in places.items():
        own = arrays[start + name]
        if own.shape != place.shape or own.dtype != place.dtype:
            raise ValueError(f"{name} must be {checks.got(place)}, got {checks.got(own)}")
        place[...] = own


def _done(arrays: archive.Arrays, number: str, sides: list[int]) -> Done:
    first, second = (
        tuple(_activity(arrays, f"open {number} {side} ") for _ in range(many)) for side, many in enumerate(sides)
    )
    return first, second


def _activity(arrays: archive.Arrays, start: str) -> Activity:
    durations_ms, counts, diverged = (arrays[start + name] for name in ("duration_ms", "counts", "diverged"))
    larvae = len(durations_ms)
    if (durations_ms.shape, counts.shape, diverged.shape) != ((larvae,), (larvae, *counts.shape[1:2]), (larvae,)):
        raise ValueError("what larvae have done must be of each of them")
    return Activity(durations_ms, counts.astype(np.int64), diverged=diverged.astype(np.bool_))
