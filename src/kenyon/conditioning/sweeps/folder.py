"""The folder of a sweep: its plan, what is stored of it, what failed, and who computes it now.

    sweep.json      the plan: every point as plain data, its id, and the ids that earlier plans had
    store/          the results, unless the plan names a store that sweeps share
    failed/         a file for each point that raised
    running/        a file for each run that computes it now, written anew every few seconds

Any number of runs may work in it at once, on any number of machines: a file is there whole or not, two that write the
same one write the same, and nothing is locked.
"""

import json
import math
import os
import platform
import secrets
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kenyon import checks
from kenyon.conditioning.sweeps import failures, plan
from kenyon.conditioning.sweeps.points import Point
from kenyon.conditioning.sweeps.status import Status
from kenyon.conditioning.sweeps.store import Store
from kenyon.conditioning.sweeps.writing import write
from kenyon.errors import ChangedPlanWarning, FileFormatError, InputError, StorageError
from kenyon.provenance import NUMBERS_VERSION, versions
from kenyon.words import shown

FORMAT, FORMAT_VERSION = "kenyon sweep", 1

BEAT_EVERY_S = 10.0
"""How often a run says that it lives."""

DEAD_AFTER_S = 180.0
"""When a run of another machine that says nothing is taken for dead: a task in its own process may take a minute."""


@dataclass(frozen=True)
class Planned:
    """What `sweep.json` says.

    Attributes:
        folder: Where it lies.
        ids: Of all points, in order.
        points: The points, as plain data.
        earlier: Ids that earlier plans of the folder had, and this one has not.
        elsewhere: The folder of a store that sweeps share; None for the folder's own.
    """

    folder: Path
    ids: tuple[str, ...]
    points: Any
    earlier: tuple[str, ...]
    elsewhere: str | None

    @property
    def store(self) -> Path:
        """The folder of its store."""
        return self.folder / "store" if self.elsewhere is None else Path(self.elsewhere)

    @property
    def failed(self) -> Path:
        """The folder of what failed."""
        return self.folder / "failed"


def opened(folder: Path, points: Sequence[Point], store: Path | None) -> tuple[Planned, tuple[str, ...]]:
    """Return the folder of a sweep, ready to be computed in, and which points are new to it.

    Raises:
        InputError: the folder is that of another store or of another version.
        FileFormatError: its plan cannot be read.
        StorageError: the disk is full, or the folder cannot be written to.

    Warns:
        ChangedPlanWarning: its plan was another one.
    """
    ids = tuple(point.id for point in points)
    elsewhere = None if store is None else str(store.absolute())
    before = planned(folder) if (folder / "sweep.json").exists() else None
    if before is None:
        now = Planned(folder.absolute(), ids, plan.to_plain(points), (), elsewhere)
        new: tuple[str, ...] = ()
    else:
        if elsewhere not in (None, before.elsewhere):
            raise InputError(
                f"{folder} must keep its results where it has them, in {before.store}, got {shown(elsewhere)}; leave "
                "the store out, or give another folder"
            )
        known, asked = set(before.ids), set(ids)
        new = tuple(own for own in ids if own not in known)
        gone = tuple(own for own in (*before.earlier, *before.ids) if own not in asked)
        now = Planned(folder.absolute(), ids, plan.to_plain(points), gone, before.elsewhere)
        if set(gone) != set(before.earlier) or new:
            _say_changed(folder, new, [own for own in gone if own not in before.earlier])
    if before != now:
        _write_plan(now)
    _made(now.store)
    return now, new


def planned(folder: Path) -> Planned:
    """Return what the plan of a folder says.

    Raises:
        InputError: there is none, or it is of another version.
        FileFormatError: it cannot be read.
    """
    path = folder / "sweep.json"
    try:
        said = json.loads(path.read_bytes())
        kind, version, numbers = said["format"], said["format_version"], said["numbers_version"]
        found = Planned(folder.absolute(), tuple(said["ids"]), said["points"], tuple(said["earlier"]), said["store"])
    except FileNotFoundError:
        raise InputError(f"{folder} must be the folder of a sweep, but has no sweep.json; give another one") from None
    except OSError as reason:
        raise StorageError(f"{path} must be readable, got {reason.strerror}; look who may read it") from reason
    except (ValueError, KeyError, TypeError, RecursionError) as reason:
        raise FileFormatError(
            f"{path} must be the plan of a sweep, got something else; give another folder"
        ) from reason
    for what, own, here in (
        ("format", (kind, version), (FORMAT, FORMAT_VERSION)),
        ("numbers", numbers, NUMBERS_VERSION),
    ):
        if own != here:
            raise InputError(
                f"{folder} must be of the {what} of this Kenyon, {shown(here)}, got {shown(own)}; give another folder, "
                "or go on with the version that made it"
            )
    return found


def _write_plan(now: Planned) -> None:
    said = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "numbers_version": NUMBERS_VERSION,
        "versions": versions(),
        "store": now.elsewhere,
        "ids": now.ids,
        "earlier": now.earlier,
        "points": now.points,
    }
    write(now.folder / "sweep.json", json.dumps(said, allow_nan=False).encode())


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise StorageError(
            f"{folder} must be a folder that can be written to, got {reason.strerror}; give another"
        ) from reason


def mark_of(store: Path) -> str:
    """Return the name of a file in a store by which a worker knows it again; it is made if there is none.

    Raises:
        StorageError: the disk is full, or the folder cannot be written to.
    """
    for known in sorted(store.glob(".store-*")):
        return known.name
    new = store / f".store-{secrets.token_hex(8)}"
    write(new, b"The store of a sweep: a worker that does not find this file has another folder of this name.\n")
    return new.name


def _say_changed(folder: Path, new: Sequence[str], gone: Sequence[str]) -> None:
    warnings.warn(
        f"the plan of {folder} has changed: {_some('new', new)}, {_some('orphaned', gone)}; what is new is computed, "
        "and what is orphaned stays in the store",
        ChangedPlanWarning,
        stacklevel=4,
    )


def _some(what: str, ids: Sequence[str]) -> str:
    named = f" ({', '.join(ids[:3])}{', ...' if len(ids) > 3 else ''})" if ids else ""
    return f"{len(ids)} point{'' if len(ids) == 1 else 's'} {what}{named}"


def status(folder: str | os.PathLike[str]) -> Status:
    """Return how far the sweep of a folder has come, also while it is computed.

    Args:
        folder: Where `run_sweep` keeps it.

    Raises:
        InputError: there is no sweep in it, or one of another version.
        FileFormatError: its plan cannot be read.
    """
    return status_of(planned(checks.path("folder", folder)))


def status_of(found: Planned, new: tuple[str, ...] = ()) -> Status:
    """Return how far a sweep has come."""
    store = Store(found.store)
    stored = store.ids()
    done = [own for own in found.ids if own in stored]
    failed = failures.kept(found.failed)
    beats = list(_beats(found.folder))
    rates = [own["rate_hz"] for own in beats if own["rate_hz"]]
    return Status(
        points=len(found.ids),
        done=len(done),
        diverged=len(store.diverged(done)),
        failures=tuple(failed[own] for own in found.ids if own in failed and own not in stored),
        new=new,
        orphaned=tuple(own for own in found.earlier if own in stored),
        running=len(beats),
        rate_hz=sum(rates) if rates else math.nan,
        left_s=max((own["left_s"] for own in beats if own["left_s"]), default=math.nan),
    )


class Heart:
    """Says every few seconds in a sweep's folder that a run lives, and how fast it is.

    Args:
        path: The file in which it says so.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = 0.0

    def beat(self, rate_hz: float, left_s: float) -> None:
        """Say it, if that was not just done; a full disk is not the reason to end."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + BEAT_EVERY_S
        own = {"machine": platform.node(), "pid": os.getpid()}
        said = {**own, "at": time.time(), "rate_hz": _known(rate_hz), "left_s": _known(left_s)}
        with suppress(StorageError):
            write(self._path, json.dumps(said).encode())


@contextmanager
def beating(folder: Path) -> Iterator[Heart]:
    """Give what says that a run lives; it is silent afterward."""
    path = folder / "running" / f"{platform.node()}-{os.getpid()}-{secrets.token_hex(4)}.json"
    try:
        yield Heart(path)
    finally:
        with suppress(OSError):
            path.unlink()


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _beats(folder: Path) -> Iterator[dict[str, Any]]:
    """Give what each run says that lives now; what dead ones have left is removed."""
    for path in (folder / "running").glob("*.json"):
        with suppress(OSError, ValueError, KeyError, TypeError, OverflowError):
            said = json.loads(path.read_bytes())
            if abs(time.time() - said["at"]) < DEAD_AFTER_S and not _has_ended(said["machine"], said["pid"]):
                yield {"rate_hz": said["rate_hz"], "left_s": said["left_s"]}
            else:
                path.unlink()


def _has_ended(machine: str, pid: int) -> bool:
    """Return whether a process is no more, as far as this machine can know."""
    if machine != platform.node() or os.name != "posix":  # Elsewhere that question would end the process.
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # It is somebody else's.
        pass
    return False
