"""Circuits that wait together are computed together.

What one larva's circuit shall live through is a course: a generator that yields stretches of time and goes on when
they have been lived through. A batch advances any number of courses, a slice of time in each round, so that a long step
holds up a short one for a slice only. Cutting time into slices changes no number, nor does who else is in the batch.
"""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from kenyon.errors import KenyonError
from kenyon.mushroom_body.circuit import N_NEURONS
from kenyon.mushroom_body.inputs import Stimulus, drives
from kenyon.server.computing import Computer

Tag = TypeVar("Tag")


@dataclass
class Stretch:
    """Some time of one circuit under one stimulus.

    Attributes:
        larva: The circuit as a record of bytes, moved on.
        stimulus: What it is given to smell and to feel.
        steps_left: Time steps to go.
        plastic: Whether it learns.
        counts: [N] int64, spikes of each neuron.
        diverged: Whether a membrane potential has left all bounds.
    """

    larva: bytes
    stimulus: Stimulus
    steps_left: int
    plastic: bool = True
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(N_NEURONS, dtype=np.int64))
    diverged: bool = False


Course = Generator[Sequence[Stretch], None, Any]


@dataclass
class Finished(Generic[Tag]):
    """A course that has come to its end: its result, or the error that ended it."""

    tag: Tag
    result: Any = None
    error: Exception | None = None


class DroppedError(KenyonError):
    """Whoever asked had gone before work began."""


class Batch(Generic[Tag]):
    """Courses under way: newcomers first, so that a short one waits no longer than a round; the others take turns.

    Args:
        computer: What advances circuits.
        rows: Most circuits in a round.
        is_gone: Whether nobody waits any more for what has a tag; asked before its first slice.

    Example:
        >>> from kenyon.mushroom_body import BALANCED
        >>> from kenyon.mushroom_body.inputs import stimulus
        >>> from kenyon.mushroom_body.state import newborn, pack
        >>> from kenyon.server.computing import KernelComputer
        >>> def course(larva):
        ...     stretch = Stretch(larva, stimulus(BALANCED, "pentyl acetate"), 2500)
        ...     yield [stretch]
        ...     return int(stretch.counts.sum()) > 0
        >>> batch = Batch(KernelComputer(BALANCED))
        >>> batch.add("a larva", course(pack(newborn(BALANCED, [1]))[0]))
        >>> while not (finished := batch.round()):
        ...     pass
        >>> finished
        [Finished(tag='a larva', result=True, error=None)]
    """

    def __init__(self, computer: Computer, rows: int = 64, is_gone: Callable[[Tag], bool] = lambda _: False) -> None:
        self._computer = computer
        self._rows = rows
        self._is_gone = is_gone
        self._newcomers: deque[_Underway[Tag]] = deque()
        self._courses: deque[_Underway[Tag]] = deque()
        self._over: list[Finished[Tag]] = []
        self._sizes: list[int] = []

    def __len__(self) -> int:
        """Return how many courses are under way."""
        return len(self._newcomers) + len(self._courses) + len(self._over)

    def add(self, tag: Tag, course: Course) -> None:
        """Begin a course; `tag` is what it is known by when it is finished."""
        self._newcomers.append(_Underway(tag, course, []))

    def take_sizes(self) -> list[int]:
        """Return how many circuits were computed at once, each time since this was last asked."""
        sizes, self._sizes = self._sizes, []
        return sizes

    def round(self) -> list[Finished[Tag]]:
        """Advance the courses that come first by a slice of time; return those that are over."""
        chosen: list[_Underway[Tag]] = []
        rows = 0
        while self._newcomers and rows < self._rows:
            newcomer = self._newcomers.popleft()
            if self._is_gone(newcomer.tag):
                newcomer.course.close()
                self._over.append(Finished(newcomer.tag, error=DroppedError()))
            elif self._asks_for_time(newcomer):
                rows += len(newcomer.stretches)
                chosen.append(newcomer)
        while self._courses and rows < self._rows:
            rows += len(self._courses[0].stretches)
            chosen.append(self._courses.popleft())
        learning = [one for one in chosen if one.stretches[0].plastic]
        asked = [one for one in chosen if not one.stretches[0].plastic]
        self._advance(learning, plastic=True)
        self._advance(asked, plastic=False)
        over, self._over = self._over, []
        return over

    def _advance(self, courses: list["_Underway[Tag]"], *, plastic: bool) -> None:
        stretches = [stretch for one in courses for stretch in one.stretches if stretch.steps_left]
        try:
            for first in range(0, len(stretches), self._rows):
                self._slice(stretches[first : first + self._rows], plastic=plastic)
        except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must hear of it
            for one in courses:
                one.course.close()
                self._over.append(Finished(one.tag, error=error))
            return
        for one in courses:
            one.stretches = [stretch for stretch in one.stretches if stretch.steps_left]
            if one.stretches or self._asks_for_time(one):
                self._courses.append(one)

    def _slice(self, stretches: list[Stretch], *, plastic: bool) -> None:
        n_steps = np.array([stretch.steps_left for stretch in stretches], dtype=np.int64)
        np.minimum(n_steps, self._computer.slice_steps, out=n_steps)
        drive_hz = drives(self._computer.parameters, [stretch.stimulus for stretch in stretches])
        larvae, counts, diverged = self._computer.advance(
            [stretch.larva for stretch in stretches], n_steps, drive_hz, plastic=plastic
        )
        self._sizes.append(len(stretches))
        for i, stretch in enumerate(stretches):
            stretch.larva = larvae[i]
            stretch.steps_left -= int(n_steps[i])
            stretch.counts += counts[i]
            stretch.diverged = bool(diverged[i])

    def _asks_for_time(self, one: "_Underway[Tag]") -> bool:
        """Let a course go on until it asks for time, or is over; return which."""
        try:
            while not one.stretches:
                one.stretches = [stretch for stretch in next(one.course) if stretch.steps_left]
        except StopIteration as end:
            self._over.append(Finished(one.tag, result=end.value))
        except Exception as error:  # noqa: BLE001  # as above
            self._over.append(Finished(one.tag, error=error))
        else:
            return True
        return False


@dataclass
class _Underway(Generic[Tag]):
    tag: Tag
    course: Course
    stretches: list[Stretch]
