"""Circuits that wait together are computed together.

What one larva's circuit shall live through is a course: a generator that yields stretches of time and goes on when
they have been lived through. A batch advances any number of courses, a slice of time in each round, so that a long step
holds up a short one for a slice only. Cutting time into slices changes no number, nor does who else is in the batch.
"""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from operator import add
from typing import Any, Generic, TypeVar

import numpy as np

from kenyon.errors import KenyonError
from kenyon.mushroom_body.inputs import Stimulus, drives
from kenyon.server.computing import Computer

Tag = TypeVar("Tag")


@dataclass(slots=True)
class Stretch:
    """Some time of one circuit under one stimulus.

    Attributes:
        larva: The circuit as a record of bytes, moved on.
        stimulus: What it is given to smell and to feel.
        steps_left: Time steps to go.
        plastic: Whether it learns.
        spikes: How often each group of neurons has fired so far, in the order of `GROUPS`; empty before it began.
        diverged: Whether a membrane potential has left all bounds.
    """

    larva: bytes
    stimulus: Stimulus
    steps_left: int
    plastic: bool = True
    spikes: Sequence[int] = ()
    diverged: bool = False


Course = Generator[Sequence[Stretch], None, Any]


@dataclass(slots=True)
class Finished(Generic[Tag]):
    """A course that has come to its end: its result, or the error that ended it."""

    tag: Tag
    result: Any = None
    error: Exception | None = None


class DroppedError(KenyonError):
    """Whoever asked had gone before work began."""


class Round(Generic[Tag]):
    """Courses that are advanced together by a slice of time, in whatever thread.

    Args:
        courses: Whose turn it is; they belong to the round until `Batch.end` takes it over.
        computer: What advances circuits.
        rows: Most circuits in a call of it.

    Attributes:
        courses: As given.
        sizes: How many circuits were computed at once, each time.
    """

    def __init__(self, courses: "list[_Underway[Tag]]", computer: Computer, rows: int) -> None:
        self.courses = courses
        self.sizes: list[int] = []
        self._computer = computer
        self._rows = rows

    def __len__(self) -> int:
        """Return how many courses are in it."""
        return len(self.courses)

    def compute(self) -> None:
        """Do it; a course that could not be computed bears the error."""
        for plastic in (True, False):
            courses = [one for one in self.courses if one.stretches[0].plastic is plastic]
            stretches = [stretch for one in courses for stretch in one.stretches if stretch.steps_left]
            try:
                for first in range(0, len(stretches), self._rows):
                    self._slice(stretches[first : first + self._rows])
            except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must hear of it
                for one in courses:
                    one.error = error

    def _slice(self, stretches: list[Stretch]) -> None:
        n_steps = np.array([stretch.steps_left for stretch in stretches], dtype=np.int64)
        np.minimum(n_steps, self._computer.slice_steps, out=n_steps)
        drive_hz = drives(self._computer.parameters, [stretch.stimulus for stretch in stretches])
        larvae, spikes, diverged = self._computer.advance(
            [stretch.larva for stretch in stretches], n_steps, drive_hz, plastic=stretches[0].plastic
        )
        self.sizes.append(len(stretches))
        lived = zip(stretches, larvae, n_steps.tolist(), spikes.tolist(), diverged.tolist(), strict=True)
        for stretch, larva, steps, fired, has_diverged in lived:
            stretch.larva, stretch.diverged = larva, has_diverged
            stretch.steps_left -= steps
            stretch.spikes = list(map(add, stretch.spikes, fired)) if stretch.spikes else fired


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
        ...     return sum(stretch.spikes) > 0
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
        self._computing = 0
        self._sizes: list[int] = []

    def __len__(self) -> int:
        """Return how many courses are under way."""
        return self.waiting + self._computing + len(self._over)

    @property
    def waiting(self) -> int:
        """How many courses wait for their turn."""
        return len(self._newcomers) + len(self._courses)

    def add(self, tag: Tag, course: Course) -> None:
        """Begin a course; `tag` is what it is known by when it is finished."""
        self._newcomers.append(_Underway(tag, course, []))

    def take_sizes(self) -> list[int]:
        """Return how many circuits were computed at once, each time since this was last asked."""
        sizes, self._sizes = self._sizes, []
        return sizes

    def round(self) -> list[Finished[Tag]]:
        """Advance the courses that come first by a slice of time; return those that are over."""
        begun, over = self.begin()
        begun.compute()
        return over + self.end(begun)

    def begin(self) -> tuple[Round[Tag], list[Finished[Tag]]]:
        """Return a round of the courses that come first, to be computed and passed to `end`, and what is over already.

        However many newcomers there are, a quarter of a round is kept for those under way; and where other rounds are
        being computed, newcomers are not held up by more of those than that.
        """
        chosen: list[_Underway[Tag]] = []
        quarter = self._rows // 4
        rows, most = 0, self._rows - min(quarter, len(self._courses))
        while self._newcomers and rows < most:
            newcomer = self._newcomers.popleft()
            rows += 1  # Even one that asks for no time takes some.
            if self._is_gone(newcomer.tag):
                newcomer.course.close()
                self._over.append(Finished(newcomer.tag, error=DroppedError()))
            elif self._asks_for_time(newcomer):
                rows += len(newcomer.stretches) - 1
                chosen.append(newcomer)
        most = min(self._rows, rows + quarter) if chosen and self._computing else self._rows
        while self._courses and rows < most:
            rows += len(self._courses[0].stretches)
            chosen.append(self._courses.popleft())
        self._computing += len(chosen)
        return Round(chosen, self._computer, self._rows), self._take_over()

    def end(self, computed: Round[Tag]) -> list[Finished[Tag]]:
        """Take over a round that was computed; return the courses that are over."""
        self._computing -= len(computed)
        self._sizes += computed.sizes
        for one in computed.courses:
            if one.error is not None:
                one.course.close()
                self._over.append(Finished(one.tag, error=one.error))
                continue
            if [stretch for stretch in one.stretches if stretch.steps_left] or self._asks_for_time(one):
                self._courses.append(one)
        return self._take_over()

    def _take_over(self) -> list[Finished[Tag]]:
        over, self._over = self._over, []
        return over

    def _asks_for_time(self, one: "_Underway[Tag]") -> bool:
        """Let a course go on until it asks for time, or is over; return which."""
        try:
            while not (stretches := next(one.course)):
                pass
        except StopIteration as end:
            self._over.append(Finished(one.tag, result=end.value))
        except Exception as error:  # noqa: BLE001  # as above
            self._over.append(Finished(one.tag, error=error))
        else:
            one.stretches = stretches
            return True
        return False


@dataclass(slots=True)
class _Underway(Generic[Tag]):
    tag: Tag
    course: Course
    stretches: Sequence[Stretch]
    error: Exception | None = None
