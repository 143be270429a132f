"""Points that raised: each kept with its error in a file of its own, until it is computed after all."""

import json
import platform
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kenyon.conditioning.sweeps.writing import write
from kenyon.words import clean

if TYPE_CHECKING:
    from kenyon.conditioning.sweeps.points import Point


@dataclass(frozen=True)
class Failure:
    """A point that raised instead of giving a result.

    Attributes:
        id: Of the point.
        varied: What it has on each axis of its sweep.
        sentence: What it raised: for an error of Kenyon its sentence, for another its kind as well.
        traceback: Where, as Python says it.
        machine: On which machine.

    Example:
        >>> failure = Failure("9f3c", {"dose": 2.0}, "dose must be at most 1, got 2", "", "node7")
        >>> str(failure)
        '9f3c (dose 2.0): dose must be at most 1, got 2'
    """

    id: str
    varied: Mapping[str, Any]
    sentence: str
    traceback: str
    machine: str

    def __str__(self) -> str:
        """Say which point it is, and why."""
        return clean(f"{self.id}{f' ({self.where})' if self.varied else ''}: {self.sentence}")

    @property
    def where(self) -> str:
        """Where it lies on each axis, in words."""
        return ", ".join(f"{name} {value}" for name, value in self.varied.items())


def failure_of(point: "Point", reason: BaseException) -> Failure:
    """Return what is kept of a point that raised."""
    from kenyon.errors import KenyonError

    sentence = str(reason) if isinstance(reason, KenyonError) else f"{type(reason).__name__}: {reason}"
    trace = "".join(traceback.format_exception(type(reason), reason, reason.__traceback__))
    return Failure(point.id, dict(point.varied), clean(sentence), trace, platform.node())


def keep(folder: Path, failure: Failure) -> None:
    """Keep a failure; one that is there of the same point is replaced.

    Raises:
        StorageError: the disk is full, or the folder cannot be written to.
    """
    write(folder / f"{failure.id}.json", json.dumps(asdict(failure), default=str, indent=1).encode())


def forget(folder: Path, point_id: str) -> None:
    """Remove what is kept of a point, if anything is."""
    with suppress(OSError):
        (folder / f"{point_id}.json").unlink()


def kept(folder: Path) -> dict[str, Failure]:
    """Return all that are kept, by the id of their point; files that are none are passed over."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        with suppress(OSError, ValueError, TypeError):
            failure = Failure(**json.loads(path.read_bytes()))
            found[failure.id] = failure
    return found
