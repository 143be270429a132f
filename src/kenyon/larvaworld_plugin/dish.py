"""What of a design can be had in a dish of the host: what larvae are given there when; the rest is refused, and why.

A dish has room for two odors. In training each is on, on both sides alike, or off, and food is everywhere or nowhere;
in a test each is on a side of its own. Nothing here needs the host.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from kenyon.conditioning.designs import Design
from kenyon.conditioning.phases import (
    PROBE_S,
    REINFORCERS,
    Element,
    Group,
    Item,
    Lived,
    Phase,
    Probe,
    Shuffle,
    Smelled,
    Stage,
    name_of,
)
from kenyon.conditioning.spelling import Speller
from kenyon.errors import InputError
from kenyon.mushroom_body.odors import find
from kenyon.words import shown

ODORS = ("CS", "UCS")
"""Names of the host's two odors: in a test the first is on the left, the second on the right."""

TICK_S = 0.1
"""A tick of the host."""

_ROUNDING = 1e-6
"""Ticks by which a duration may be off, for 0.3 s is no whole multiple of 0.1 s to the last bit."""

_REMEDY = "`kenyon train` runs it in the circuit"


class Given(NamedTuple):
    """Larvae are given odors, on both sides alike, and food, everywhere or nowhere.

    Attributes:
        seconds: For how long.
        odors: Places, in the design, of the odors that are on.
        food: Whether there is food.
    """

    seconds: float
    odors: tuple[int, ...]
    food: bool


class Choice(NamedTuple):
    """Larvae are tested: an odor is on one side, another one or none on the other.

    Attributes:
        odors: Places, in the design, of the odor that the index is for, and of the other one, if there is one.
        food: Whether there is food meanwhile.
        seconds: For how long the larvae themselves are tested, learning meanwhile; None for copies, which do not learn.
    """

    odors: tuple[int, ...]
    food: bool
    seconds: float | None = None


Act: TypeAlias = Given | Choice


@dataclass(frozen=True)
class Schedule:
    """What the larvae of a group live through, and when they are tested.

    Attributes:
        name: Of the group.
        acts: In order.
    """

    name: str
    acts: tuple[Act, ...]

    @property
    def seconds(self) -> float:
        """How long larvae live through it, without the tests of copies."""
        return sum(act.seconds or 0.0 for act in self.acts)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The tests, in order."""
        return tuple(act for act in self.acts if isinstance(act, Choice))

    def mirrors(self, other: "Schedule") -> bool:
        """Return whether it is another schedule with both odors exchanged."""
        return self.acts != other.acts and self.acts == tuple(map(_mirrored, other.acts))


class InDish(NamedTuple):
    """A design as a dish of the host can have it.

    Attributes:
        schedules: What each group lives through.
        odors: The odors, whose places acts name: one, two or none.
        reinforcer: What food is, "reward" or "punishment", and how strong.
    """

    schedules: tuple[Schedule, ...]
    odors: tuple[Smelled, ...]
    reinforcer: tuple[str, float]


def in_dish(design: Design) -> InDish:
    """Return a design as a dish of the host can have it.

    Tests on copies that stand side by side are one, `?A, ?B`: A on one side, B on the other. `?A` alone is A on one
    side and nothing on the other. `live A/B 180s` and `live A 180s` are the same for the larvae themselves.

    Raises:
        InputError: the dish cannot have it; the sentence says which phase or test it is, and why.

    Example:
        >>> made = in_dish(Design.read("B = 3-octanol: 2x(A+ 60s, B 60s) | ?A, ?B"))
        >>> made.odors, made.schedules[0].seconds, made.schedules[0].choices
        (('pentyl acetate', '3-octanol'), 240.0, (Choice(odors=(0, 1), food=False, seconds=None),))
        >>> in_dish(Design.read("{silence DANp: A+ 60s} | ?A"))
        Traceback (most recent call last):
        ...
        kenyon.errors.InputError: a phase in the dish must be one in which nothing is done to single cells, got
        '{silence DANp: A+ 60s}' in larvae; `kenyon train` runs it in the circuit
    """
    names = [name_of(odor) for odor in design.odors]
    if len(names) > len(ODORS):
        raise InputError(
            f"a design in the dish must have two odors at most, one for each side, got {len(names)}, "
            f"{shown(', '.join(names))}; {_REMEDY}"
        )
    for odor in map(find, design.odors):
        if len(odor.concentrations) == 1:
            raise InputError(
                f"an odor in the dish must be measured at several concentrations, for larvae meet all, got {odor.name} "
                f"at {odor.concentrations[0]:g} alone; give more"
            )
    reinforcer: tuple[str, float] | None = None
    for group in design.groups:
        for item in (item for stage in group.stages for item in stage.items):
            expected = _expected(item, reinforcer)
            if expected:
                raise InputError(_refusal(design, group, item, expected))
            reinforcer = reinforcer or next(iter(_given(item)), None)
    return InDish(
        tuple(Schedule(group.name, tuple(_acts(group.elements, design.odors))) for group in design.groups),
        design.odors,
        reinforcer or ("reward", 1.0),
    )


def _refusal(design: Design, group: Group, item: Item, expected: str) -> str:
    """Return the sentence about an item that the dish cannot have."""
    speller = Speller({letter: (odor, dose) for letter, odor, dose in design.bindings}, design.reinforcer)
    text = speller.group(Group("larvae", [Stage([item])]))
    what = "a phase" if isinstance(item, (Phase, Shuffle)) else "a test"
    return f"{what} in the dish must be {expected}, got {shown(text)} in {group.name}; {_REMEDY}"


def _given(item: Item) -> list[tuple[str, float]]:
    """Return the reinforcement of an item: what, and how strong."""
    return [(kind, getattr(item, kind)) for kind in REINFORCERS if getattr(item, kind, 0.0)]


def _expected(item: Item, reinforcer: tuple[str, float] | None) -> str:
    """Return what the dish wants that an item does not have; empty where it has all.

    Args:
        item: The item.
        reinforcer: What food is in the design so far.
    """
    if isinstance(item, Shuffle):
        return "in one order for all, for larvae of a dish live through the same"
    against = item.against if isinstance(item, Lived) else ()
    lasting = item.duration_s / TICK_S
    on_one_side = len(item.odors) == 1 and len(against) <= 1 and against != item.odors
    given = dict.fromkeys([*([reinforcer] if reinforcer else []), *_given(item)])
    copies = isinstance(item, Probe)
    wanted = {
        "one in which nothing is done to single cells": not item.manipulations,
        "at dose 1, for in a dish larvae meet all doses, the less the farther the source": all(
            dose == 1.0 for _, dose in (*item.odors, *against)
        ),
        "without a duration, for all tests on copies last as long as --test (test_min) says": (
            not copies or item.duration_s == PROBE_S
        ),
        f"of whole ticks of Larvaworld, {TICK_S:g} s": copies or abs(lasting - round(lasting)) < _ROUNDING,
        "of one odor on a side: ?A; ?A, ?B; live A 180s; or live A/B 180s": isinstance(item, Phase) or on_one_side,
        "reinforced as the rest of the design, for food is one thing in a dish": len(given) <= 1,
        "reinforced by a strength of at most 1, as memories take it": all(strength <= 1.0 for _, strength in given),
    }
    return next((words for words, holds in wanted.items() if not holds), "")


def _acts(elements: Sequence[Element], odors: Sequence[Smelled]) -> Iterator[Act]:
    """Yield what larvae are given, and tests; those on copies that stand side by side in pairs."""
    waiting: Choice | None = None
    for element in elements:
        smelled = tuple(odors.index(odor) for odor, _ in element.odors)
        food = any(getattr(element, kind) for kind in REINFORCERS)
        if isinstance(element, Probe):
            asked = Choice(smelled, food)
            if waiting is not None and waiting.food == food and not set(waiting.odors) & set(smelled):
                yield waiting._replace(odors=waiting.odors + smelled)
                waiting = None
                continue
            if waiting is not None:
                yield waiting
            waiting = asked
            continue
        if waiting is not None:
            yield waiting
            waiting = None
        if isinstance(element, Lived):
            against = tuple(odors.index(odor) for odor, _ in element.against)
            yield Choice(smelled + against, food, element.duration_s)
        else:
            yield Given(element.duration_s, tuple(sorted(smelled)), food)
    if waiting is not None:
        yield waiting


def _mirrored(act: Act) -> Act:
    exchanged = tuple(1 - place for place in act.odors)
    if isinstance(act, Given):
        return act._replace(odors=tuple(sorted(exchanged)))
    return act._replace(odors=exchanged)
