"""Circuits that wait together are computed together.

What one larva's circuit shall live through is a timeline: a generator that yields segments of time and goes on when
they have been lived through (a coroutine). A batch advances any number of timelines, a slice of time in each round, so
that a long step holds up a short one for a slice only. Cutting time into slices changes no number, nor does who else is
in the batch.
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

ROWS = 64
"""Circuits computed together: enough for all cores, and back soon."""


@dataclass(slots=True)
class Segment:
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


Timeline = Generator[Sequence[Segment], None, Any]


@dataclass(slots=True)
class Finished(Generic[Tag]):
    """A timeline that has come to its end: its result, or the error that ended it."""

    tag: Tag
    result: Any = None
    error: Exception | None = None


class DroppedError(KenyonError):
    """Whoever asked had gone before work began."""


class Round(Generic[Tag]):
    """Timelines that are advanced together by a slice of time, in whatever thread.

    Args:
        timelines: Whose turn it is; they belong to the round until `Batch.end` takes it over.
        computer: What advances circuits.
        rows: Most circuits in a call of it.

    Attributes:
        timelines: As given.
        sizes: How many circuits were computed at once, each time.
    """

    def __init__(self, timelines: "list[_Underway[Tag]]", computer: Computer, rows: int) -> None:
        self.timelines = timelines
        self.sizes: list[int] = []
        self._computer = computer
        self._rows = rows

    def __len__(self) -> int:
        """Return how many timelines are in it."""
        return len(self.timelines)

    def compute(self) -> None:
        """Do it; a timeline that could not be computed bears the error."""
        for plastic in (True, False):
            timelines = [one for one in self.timelines if one.segments[0].plastic is plastic]
            segments = [segment for one in timelines for segment in one.segments if segment.steps_left]
            try:
                for first in range(0, len(segments), self._rows):
                    self._slice(segments[first : first + self._rows])
            except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must hear of it
                for one in timelines:
                    one.error = error

    def _slice(self, segments: list[Segment]) -> None:
        n_steps = [min(segment.steps_left, self._computer.slice_steps) for segment in segments]
        drive_hz = drives(self._computer.parameters, [segment.stimulus for segment in segments])
        larvae, spikes, diverged = self._computer.advance(
            [segment.larva for segment in segments],
            np.array(n_steps, dtype=np.int64),
            drive_hz,
            plastic=segments[0].plastic,
        )
        self.sizes.append(len(segments))
        lived = zip(segments, larvae, n_steps, spikes.tolist(), diverged.tolist(), strict=True)
        for segment, larva, steps, fired, has_diverged in lived:
            segment.larva, segment.diverged = larva, has_diverged
            segment.steps_left -= steps
            segment.spikes = list(map(add, segment.spikes, fired)) if segment.spikes else fired


class Batch(Generic[Tag]):
    """Timelines under way: newcomers first, so that a short one waits no longer than a round; the others take turns.

    Args:
        computer: What advances circuits.
        rows: Most circuits in a round.
        is_gone: Whether nobody waits any more for what has a tag; asked before its first slice.

    Example:
        >>> from kenyon.mushroom_body import BALANCED
        >>> from kenyon.mushroom_body.inputs import stimulus
        >>> from kenyon.mushroom_body.state import newborn, pack
        >>> from kenyon.server.computing import KernelComputer
        >>> def timeline(larva):
        ...     segment = Segment(larva, stimulus(BALANCED, "pentyl acetate"), 2500)
        ...     yield [segment]
        ...     return sum(segment.spikes) > 0
        >>> batch = Batch(KernelComputer(BALANCED))
        >>> batch.add("a larva", timeline(pack(newborn(BALANCED, [1]))[0]))
        >>> while not (finished := batch.round()):
        ...     pass
        >>> finished
        [Finished(tag='a larva', result=True, error=None)]
    """

    def __init__(self, computer: Computer, rows: int = ROWS, is_gone: Callable[[Tag], bool] = lambda _: False) -> None:
        self._computer = computer
        self._rows = rows
        self._is_gone = is_gone
        self._newcomers: deque[_Underway[Tag]] = deque()
        self._late: deque[_Underway[Tag]] = deque()
        self._timelines: deque[_Underway[Tag]] = deque()
        self._over: list[Finished[Tag]] = []
        self._computing = 0
        self._sizes: list[int] = []

    def __len__(self) -> int:
        """Return how many timelines are under way."""
        return self.waiting + self._computing + len(self._over)

    @property
    def waiting(self) -> int:
        """How many timelines wait for their turn."""
        return len(self._newcomers) + len(self._late) + len(self._timelines)

    def add(self, tag: Tag, timeline: Timeline, *, is_late: bool = False) -> None:
        """Begin a timeline; `tag` is what it is known by when it is finished, `is_late` whether others come first."""
        (self._late if is_late else self._newcomers).append(_Underway(tag, timeline, []))

    def take_sizes(self) -> list[int]:
        """Return how many circuits were computed at once, each time since this was last asked."""
        sizes, self._sizes = self._sizes, []
        return sizes

    def round(self) -> list[Finished[Tag]]:
        """Advance the timelines that come first by a slice of time; return those that are over."""
        begun, over = self.begin()
        begun.compute()
        return over + self.end(begun)

    def begin(self) -> tuple[Round[Tag], list[Finished[Tag]]]:
        """Return a round of the timelines that come first, to be computed and passed to `end`, and those over already.

        However many newcomers there are, a quarter of a round is kept for those under way; and where other rounds are
        being computed, newcomers are not held up by more of those than that. Those who are late have an eighth of a
        round, with newcomers or without: one who comes meanwhile waits for no more of them.
        """
        chosen: list[_Underway[Tag]] = []
        quarter, eighth = self._rows // 4, -(-self._rows // 8)
        most = self._rows - min(quarter, len(self._timelines))
        rows = self._begin_with(self._newcomers, 0, most - min(eighth, len(self._late)), chosen)
        rows = self._begin_with(self._late, rows, rows + eighth, chosen)
        most = min(self._rows, rows + quarter) if chosen and self._computing else self._rows
        while self._timelines and rows < most:
            rows += len(self._timelines[0].segments)
            chosen.append(self._timelines.popleft())
        self._computing += len(chosen)
        return Round(chosen, self._computer, self._rows), self._take_over()

    def _begin_with(
        self, newcomers: "deque[_Underway[Tag]]", rows: int, most: int, chosen: "list[_Underway[Tag]]"
    ) -> int:
        """Choose newcomers until a round has `most` rows; return how many it has."""
        while newcomers and rows < most:
            newcomer = newcomers.popleft()
            rows += 1  # Even one that asks for no time takes some.
            if self._is_gone(newcomer.tag):
                newcomer.timeline.close()
                self._over.append(Finished(newcomer.tag, error=DroppedError()))
            elif self._asks_for_time(newcomer):
                rows += len(newcomer.segments) - 1
                chosen.append(newcomer)
        return rows

    def end(self, computed: Round[Tag]) -> list[Finished[Tag]]:
        """Take over a round that was computed; return the timelines that are over."""
        self._computing -= len(computed)
        self._sizes += computed.sizes
        for one in computed.timelines:
            if one.error is not None:
                one.timeline.close()
                self._over.append(Finished(one.tag, error=one.error))
                continue
            if [segment for segment in one.segments if segment.steps_left] or self._asks_for_time(one):
                self._timelines.append(one)
        return self._take_over()

    def _take_over(self) -> list[Finished[Tag]]:
        over, self._over = self._over, []
        return over

    def _asks_for_time(self, one: "_Underway[Tag]") -> bool:
        """Let a timeline go on until it asks for time, or is over; return which."""
        try:
            while not (segments := next(one.timeline)):
                pass
        except StopIteration as end:
            self._over.append(Finished(one.tag, result=end.value))
        except Exception as error:  # noqa: BLE001  # as above
            self._over.append(Finished(one.tag, error=error))
        else:
            one.segments = segments
            return True
        return False


@dataclass(slots=True)
class _Underway(Generic[Tag]):
    tag: Tag
    timeline: Timeline
    segments: Sequence[Segment]
    error: Exception | None = None
