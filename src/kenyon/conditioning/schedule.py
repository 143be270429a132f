"""In which order the larvae of a group come to its phases and tests, and where the calls of the engine are cut.

A schedule is walked through without simulating anything: so an experiment can be stopped after any of its acts, and
goes on by leaving out those that are done.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kenyon.conditioning.phases import TURN_S, Element, Group, Lived, Probe, Shuffle
from kenyon.errors import InputError
from kenyon.mushroom_body import Manipulation, Parameters, Record, drive
from kenyon.mushroom_body.manipulated import under
from kenyon.seeds import sequence

IntArray: TypeAlias = NDArray[np.int64]
Manipulations: TypeAlias = Sequence[Manipulation | str]
"""Of a phase; they are in one order."""
Turn: TypeAlias = tuple[bool, int]
"""Whether the second odor of a choice is given, and for how many steps."""

SLICE_MS = 5000.0
"""Longest stretch between two signs of progress, to the nearest step."""

SECOND_MS = 1000.0
"""The same where rates are kept for each second."""


@dataclass(frozen=True, eq=False)
class Begin:
    """Larvae enter a phase."""

    number: int
    larvae: IntArray


@dataclass(frozen=True, eq=False)
class Live:
    """Larvae live through a slice of their phases: for each of them its phase, its turn of a choice, and how long."""

    larvae: IntArray
    numbers: IntArray
    place: int
    against: NDArray[np.bool_]
    n_steps: IntArray
    manipulations: Manipulations
    record: Record | None


@dataclass(frozen=True, eq=False)
class End:
    """Larvae are at the end of a phase; of one that is a test twice: it ends, then they have answered."""

    number: int
    larvae: IntArray
    answers: bool = False
    goes_on: bool = False


@dataclass(frozen=True, eq=False)
class Ask:
    """Copies of larvae are asked."""

    number: int
    larvae: IntArray


Act: TypeAlias = Begin | Live | End | Ask


class Schedule:
    """When which larva of a group comes to which element.

    Args:
        group: The group.
        seeds: One seed a larva.
        parameters: The constants they live under.
        records: What to record in each element, besides spike counts.
        slice_ms: Longest stretch between two events, to the nearest step; where samples are taken, whole intervals.

    Attributes:
        elements: All phases and tests, as they are written.
        order: [B, elements] int64, which element each larva comes to, one after the other.
        n_steps: [elements] int64, how long each lasts.
        dt_ms: Length of a time step.
        n_slices: [elements] int64, in how many slices larvae live through it; a test on a copy has none.
        drives: [elements, 2, C] float64, Hz: the rate of each input channel in each, and under the second odor of a
            choice.

    Raises:
        InputError: a duration is no whole number of steps, or a stimulus stronger than a channel can be.
    """

    def __init__(
        self,
        group: Group,
        seeds: Sequence[int],
        parameters: Parameters,
        *,
        records: Sequence[Record | None] | None = None,
        slice_ms: float = SLICE_MS,
    ) -> None:
        self.elements: tuple[Element, ...] = group.elements
        self.order = order(group, seeds)
        self.dt_ms = parameters.dt_ms
        steps = [parameters.steps("duration of a phase", own.duration_s * 1e3) for own in self.elements]
        self.n_steps: IntArray = np.array(steps, dtype=np.int64)
        self.drives = np.array([_drives(parameters, own) for own in self.elements])
        self.records = [None] * len(self.elements) if records is None else list(records)
        longest = parameters.steps("slice of a phase", parameters.nearest_ms(slice_ms))
        self._longest = [_longest(parameters, longest, record) for record in self.records]
        if slice_ms == SECOND_MS and any(own != longest for own in self._longest):
            raise InputError("every_ms must divide a second where the rates of each second are kept; choose another")
        choices = any(_turns_against(own) for own in self.elements)
        self._turn = parameters.steps("turn of a choice", TURN_S * 1e3) if choices else 0
        self.n_slices: IntArray = np.array([self._count_slices(number) for number in range(len(self.elements))])

    def starts_s(self) -> NDArray[np.float64]:
        """Return when each larva comes to each element: [B, elements] float64, s of its life in the experiment."""
        lasts = np.array([0.0 if isinstance(own, Probe) else own.duration_s for own in self.elements])
        ends = np.cumsum(lasts[self.order], axis=1)
        before = np.concatenate((np.zeros((len(ends), 1)), ends[:, :-1]), axis=1)
        starts: NDArray[np.float64] = np.empty_like(before)
        np.put_along_axis(starts, self.order, before, axis=1)
        return starts

    def slices(self) -> Iterator[tuple[int, float, float]]:
        """Give every slice of every phase, as they are written: the phase, and when it begins and ends in it, s."""
        for number in range(len(self.elements)):
            ends = np.cumsum([0, *(steps for _, steps in self._slices(number))]) * (self.dt_ms * 1e-3)
            if self.n_slices[number]:
                yield from ((number, float(a), float(b)) for a, b in itertools.pairwise(ends))

    def acts(self) -> Iterator[Act]:
        """Give what is done, one act after the other."""
        for column in self.order.T:
            there = {int(number): np.flatnonzero(column == number) for number in np.unique(column)}
            for number, larvae in there.items():
                if isinstance(self.elements[number], Probe):
                    yield Ask(number, larvae)
            alike: dict[tuple[Manipulations, Record | None], dict[int, IntArray]] = {}
            for number, larvae in there.items():
                if not isinstance(self.elements[number], Probe):
                    same = self.elements[number].manipulations, self.records[number]
                    alike.setdefault(same, {})[number] = larvae
            for (manipulations, record), lived in alike.items():
                yield from self._lived(lived, manipulations, record)

    def _lived(self, there: dict[int, IntArray], manipulations: Manipulations, record: Record | None) -> Iterator[Act]:
        """Let larvae live through one phase each, all of them at once, for what is manipulated is so in all."""
        for number, larvae in there.items():
            yield Begin(number, larvae)
        left = {number: self._slices(number) for number in there}
        for place in itertools.count():
            if not left:
                return
            now = {number: next(own) for number, own in left.items()}
            many = [len(there[number]) for number in now]
            yield Live(
                np.concatenate([there[number] for number in now]),
                np.repeat(list(now), many),
                place,
                np.repeat([against for against, _ in now.values()], many),
                np.repeat([steps for _, steps in now.values()], many),
                manipulations,
                record,
            )
            for number in [number for number in now if self.n_slices[number] == place + 1]:
                del left[number]
                tests = isinstance(self.elements[number], Lived)
                yield End(number, there[number], goes_on=tests)
                if tests:
                    yield End(number, there[number], answers=True)

    def _slices(self, number: int) -> Iterator[Turn]:
        for against, steps in self._turns(number):
            for begun in range(0, steps, self._longest[number]):
                yield against, min(steps - begun, self._longest[number])

    def _turns(self, number: int) -> Iterator[Turn]:
        n_steps = int(self.n_steps[number])
        if _turns_against(self.elements[number]):
            yield from ((bool(turn % 2), self._turn) for turn in range(n_steps // self._turn))
        else:
            yield False, n_steps

    def _count_slices(self, number: int) -> int:
        if isinstance(self.elements[number], Probe):
            return 0
        n_steps = int(self.n_steps[number])
        turns = n_steps // self._turn if _turns_against(self.elements[number]) else 1
        return turns * -(-(n_steps // turns) // self._longest[number])


def order(group: Group, seeds: Sequence[int]) -> IntArray:
    """Return which element each larva comes to, one after the other: [B, elements] int64.

    Randomness:
        The stream "order" of each larva, a part of it for each shuffle of the group.

    Example:
        >>> from kenyon.conditioning.phases import Phase, Stage
        >>> shuffled = Shuffle([Phase(60, "anisole"), Phase(60, "3-octanol"), Phase(60)])
        >>> order(Group("shuffled", [Stage([Phase(5), shuffled])]), [1, 2, 3])
        array([[0, 1, 2, 3],
               [0, 2, 1, 3],
               [0, 3, 1, 2]])
    """
    parts: list[IntArray] = []
    begun = shuffles = 0
    for item in (item for stage in group.stages for item in stage.items):
        if isinstance(item, Shuffle):
            blocks, begun = _numbered(item, begun)
            drawn = [_permutation(seed, shuffles, len(blocks)) for seed in seeds]
            parts.append(np.array([np.concatenate([blocks[block] for block in own]) for own in drawn]))
            shuffles += 1
        else:
            parts.append(np.full((len(seeds), 1), begun))
            begun += 1
    return np.concatenate(parts, axis=1).astype(np.int64)


def _numbered(shuffle: Shuffle, begun: int) -> tuple[list[IntArray], int]:
    """Return the numbers of the elements of each block, the first being `begun`, and the number after the last."""
    ends = np.cumsum([begun, *map(len, shuffle.blocks)])
    return [np.arange(a, b) for a, b in itertools.pairwise(ends)], int(ends[-1])


def _permutation(seed: int, number: int, length: int) -> IntArray:
    """Return an order by drawing a number for each block, which no version of numpy does differently."""
    chance = np.random.Generator(np.random.SFC64(sequence(seed, "order", number)))
    return np.argsort(chance.random(length), kind="stable")


def _longest(parameters: Parameters, longest: int, record: Record | None) -> int:
    """Return the most steps of a slice: whole intervals between samples, where there are some."""
    if record is None or record.every_ms is None:
        return longest
    every = parameters.steps("every_ms", record.every_ms)
    return max(1, longest // every) * every


def _turns_against(element: Element) -> bool:
    return isinstance(element, Lived) and bool(element.against)


def _drives(parameters: Parameters, element: Element) -> list[NDArray[np.float64]]:
    against = element.against if isinstance(element, Lived) else ()
    parameters = under(parameters, element.manipulations)
    return [
        drive(parameters, dict(odors), reward=element.reward, punishment=element.punishment)
        for odors in (element.odors, against)
    ]
