"""How far a sweep has come, as data and in words."""

import math
from dataclasses import dataclass

from kenyon.conditioning.sweeps.failures import Failure
from kenyon.words import clean


@dataclass(frozen=True)
class Status:
    """How far a sweep has come.

    Attributes:
        points: How many it has.
        done: How many of them are stored.
        diverged: How many of those have a larva that diverged.
        failures: Those that raised.
        new: Ids of points that the plan has and the one before it had not; only where a run has found that.
        orphaned: Ids of stored points that an earlier plan of the folder had, and this one has not.
        running: How many runs compute it now, as far as is known.
        rate_hz: Points per second that are computed now; nan if none is known.
        left_s: How long it takes from now on, s; nan if that is not known.

    Example:
        >>> print(Status(points=2000, done=12, diverged=3, running=1, rate_hz=4.0, left_s=497.0))
        12 of 2000 points done, 3 diverged; 4 a second, 8 min left
    """

    points: int
    done: int
    diverged: int = 0
    failures: tuple[Failure, ...] = ()
    new: tuple[str, ...] = ()
    orphaned: tuple[str, ...] = ()
    running: int = 0
    rate_hz: float = math.nan
    left_s: float = math.nan

    @property
    def failed(self) -> int:
        """How many points raised."""
        return len(self.failures)

    @property
    def left(self) -> int:
        """How many points are neither stored nor failed."""
        return self.points - self.done - self.failed

    @property
    def complete(self) -> bool:
        """Whether all points are stored."""
        return self.done == self.points

    def __str__(self) -> str:
        """Say it in a line."""
        counted = (("failed", self.failed), ("diverged", self.diverged), ("orphaned", len(self.orphaned)))
        said = [
            f"{self.done} of {self.points} points done",
            *(f"{number} {what}" for what, number in counted if number),
        ]
        pace = []
        if not math.isnan(self.rate_hz):
            pace.append(rate_words(self.rate_hz))
        if not math.isnan(self.left_s) and self.left:
            pace.append(f"{time_words(self.left_s)} left")
        return clean("; ".join(filter(None, [", ".join(said), ", ".join(pace)])))


def rate_words(rate_hz: float) -> str:
    """Return how fast points are computed, in the unit that gives a number one can read.

    Example:
        >>> rate_words(12.34), rate_words(0.05)
        ('12 a second', '3 a minute')
    """
    for unit, seconds in (("second", 1.0), ("minute", 60.0)):
        if rate_hz * seconds >= 1.0:
            return f"{rate_hz * seconds:.2g} a {unit}"
    return f"{rate_hz * 3600.0:.2g} an hour"


def time_words(seconds: float) -> str:
    """Return how long something takes, roughly.

    Example:
        >>> time_words(41.0), time_words(497.0), time_words(30_000.0)
        ('41 s', '8 min', '8.3 h')
    """
    if seconds < 90.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 5400.0 else f"{seconds / 3600.0:.1f} h"
