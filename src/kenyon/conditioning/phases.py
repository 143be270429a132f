"""What larvae live through and are asked, as data: phases and tests, in stages, in groups.

Everything here is immutable, equal by value, and checked when it is made. Odors are given as anything that
`Population.stimulate` takes, and kept as pairs of odor and concentration, by name: so one mixture has one spelling.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from typing import Any, Final, TypeAlias

from kenyon import checks
from kenyon.errors import InputError
from kenyon.mushroom_body import Odor, manipulations
from kenyon.mushroom_body.odors import MeasuredOdor, find
from kenyon.words import shown

REINFORCERS: Final = ("reward", "punishment")
LONGEST_S: Final = 1e9
"""Longest phase: as long as `Parameters.steps` counts."""
MOST_ITEMS: Final = 100_000
"""Phases and tests of a design."""
TURN_S: Final = 10.0
"""How long each of two odors is smelled before they change places, in a lived test of both."""
PROBE_S: Final = 3.0
"""How long a test on a copy lasts unless it says otherwise."""

Smelled: TypeAlias = str | Odor
"""A measured odor by its name, or one of one's own as it is."""
Mixture: TypeAlias = tuple[tuple[Smelled, float], ...]
"""Odors that are there, in the order of their names: each with its concentration, which is above 0."""


@dataclass(frozen=True)
class Phase:
    """A stretch of time under one stimulus; without odor and reinforcement it is a pause.

    Attributes:
        duration_s: For how long.
        odors: What is smelled, as for `Population.stimulate`; kept as pairs of odor and concentration.
        reward: Strength of reward.
        punishment: Strength of punishment.
        manipulations: What is done to the circuit meanwhile, each as a `Manipulation` or as its text; kept as a tuple
            in one order.
        label: What it is for; it changes no number.

    Raises:
        InputError: the duration is not above 0, an odor unknown or named twice, a number negative, two manipulations of
            one kind are of one cell, or the label is no text that prints.

    Example:
        >>> Phase(60, "pentyl acetate", reward=1)
        Phase(duration_s=60.0, odors=(('pentyl acetate', 1.0),), reward=1.0, punishment=0.0,
              manipulations=(), label='')
    """

    duration_s: float
    odors: Any = ()
    reward: float = 0.0
    punishment: float = 0.0
    manipulations: Any = ()
    label: str = ""

    def __post_init__(self) -> None:
        """Check each value alone."""
        _check(self, "a phase")


@dataclass(frozen=True)
class Probe:
    """A test on a copy of the moment, with plasticity off: the larvae are as if it had not been.

    Attributes:
        odors: What is smelled, as for a phase.
        duration_s: For how long.
        reward: Strength of reward that is there.
        punishment: Strength of punishment that is there.
        manipulations: What is done to the circuit meanwhile, as for a phase.
        label: What it is for; it changes no number.

    Raises:
        InputError: as for a phase, or neither an odor nor a reinforcement is there.

    Example:
        >>> Probe("pentyl acetate").duration_s
        3.0
    """

    odors: Any
    duration_s: float = PROBE_S
    reward: float = 0.0
    punishment: float = 0.0
    manipulations: Any = ()
    label: str = ""

    def __post_init__(self) -> None:
        """Check each value, and that something is tested."""
        _check(self, "a test")
        _check_tests_something(self)


@dataclass(frozen=True)
class Lived:
    """A test that the larvae live through, learning as they do; or a choice, two odors in turn.

    Attributes:
        odors: What is smelled, as for a phase.
        duration_s: For how long; with `against` a multiple of twice `TURN_S`.
        against: What is smelled in turn with it, every `TURN_S`; the index is then the first's minus this one's.
        reward: Strength of reward that is there all the time.
        punishment: Strength of punishment that is there all the time.
        manipulations: What is done to the circuit meanwhile, as for a phase.
        label: What it is for; it changes no number.

    Raises:
        InputError: as for a probe, or two odors do not get the same time.

    Example:
        >>> Lived("pentyl acetate", 180, against="3-octanol").against
        (('3-octanol', 1.0),)
    """

    odors: Any
    duration_s: float
    against: Any = ()
    reward: float = 0.0
    punishment: float = 0.0
    manipulations: Any = ()
    label: str = ""

    def __post_init__(self) -> None:
        """Check each value, that something is tested, and that both get the same time."""
        _check(self, "a lived test")
        object.__setattr__(self, "against", mixture("odors of a lived test", self.against))
        _check_tests_something(self)
        if self.against and not self.odors:
            raise InputError(f"a lived test of two must have an odor first, got only {shown(self.against)}; name both")
        if self.against and self.duration_s % (2 * TURN_S):
            raise InputError(
                f"duration of a lived test of two odors must be a multiple of {2 * TURN_S:g} s, got "
                f"{self.duration_s:g} s; each is smelled for {TURN_S:g} s in turn"
            )


Element: TypeAlias = Phase | Probe | Lived


@dataclass(frozen=True)
class Shuffle:
    """Blocks that each larva meets in an order of its own, drawn from its seed.

    Attributes:
        blocks: One or more, each an element or several that stay together; kept as tuples.

    Raises:
        InputError: there is no block, one is empty, or holds something else than elements.

    Example:
        >>> len(Shuffle([Phase(60, "anisole"), [Phase(60, "3-octanol"), Phase(30)]]).blocks)
        2
    """

    blocks: Any

    def __post_init__(self) -> None:
        """Check every block."""
        given = _filled("blocks to shuffle", self.blocks)
        blocks = [_block(block) for block in given]
        object.__setattr__(self, "blocks", tuple(blocks))

    @property
    def elements(self) -> tuple[Element, ...]:
        """All elements, in the order they are written."""
        return tuple(element for block in self.blocks for element in block)


Item: TypeAlias = Phase | Probe | Lived | Shuffle


@dataclass(frozen=True)
class Stage:
    """Items in a row, such as a training or an extinction.

    Attributes:
        items: In order, one or more; kept as a tuple.
        label: What it is for; it changes no number.

    Raises:
        InputError: there is no item or something that is none, or the label is no text that prints.

    Example:
        >>> Stage([Phase(60, "anisole"), Probe("anisole")], "exposure").duration_s
        60.0
    """

    items: Sequence[Item]
    label: str = ""

    def __post_init__(self) -> None:
        """Check label and items."""
        items = _filled("items of a stage", self.items)
        for item in items:
            _check_kind("each item of a stage", item, (Phase, Probe, Lived, Shuffle))
        object.__setattr__(self, "items", items)
        object.__setattr__(self, "label", checked_label("label of a stage", self.label))

    @property
    def elements(self) -> tuple[Element, ...]:
        """All phases and tests, in the order they are written."""
        return tuple(_elements(self.items))

    @property
    def duration_s(self) -> float:
        """How long the larvae live through it: phases and lived tests, without the tests on copies."""
        return _lived_s(self.elements)


@dataclass(frozen=True)
class Group:
    """Larvae to which the same is done.

    Attributes:
        name: Of the group: of its results, of their file, in figures.
        stages: In order, one or more; kept as a tuple.

    Raises:
        InputError: the name can name no file, there is no stage, or something that is none.

    Example:
        >>> Group("exposed", [Stage([Phase(60, "anisole")])]).duration_s
        60.0
    """

    name: str
    stages: Sequence[Stage]

    def __post_init__(self) -> None:
        """Check name and stages."""
        stages = _filled("stages of a group", self.stages)
        for stage in stages:
            _check_kind("each stage of a group", stage, (Stage,))
        object.__setattr__(self, "name", _group_name(self.name))
        object.__setattr__(self, "stages", stages)

    @property
    def elements(self) -> tuple[Element, ...]:
        """All phases and tests of all stages, in the order they are written."""
        return tuple(element for stage in self.stages for element in stage.elements)

    @property
    def duration_s(self) -> float:
        """How long its larvae live, without the tests on copies."""
        return _lived_s(self.elements)

    @property
    def probes_s(self) -> float:
        """How long all tests on copies last together."""
        return sum((element.duration_s for element in self.elements if isinstance(element, Probe)), 0.0)

    def unmanipulated(self) -> "Group":
        """Return the same group with nothing done to its circuits."""
        return replace(
            self,
            stages=tuple(
                replace(stage, items=tuple(_unmanipulated(item) for item in stage.items)) for stage in self.stages
            ),
        )


def _lived_s(elements: tuple[Element, ...]) -> float:
    """Return how long larvae live through elements: a test on a copy takes none of their time."""
    return sum((element.duration_s for element in elements if not isinstance(element, Probe)), 0.0)


def mixture(name: str, odors: Any) -> Mixture:
    """Return what is smelled, one spelling for each mixture; a concentration of 0 is no odor.

    Args:
        name: What they are, as the message shall call them.
        odors: As for `Population.stimulate`, or pairs of odor and concentration.

    Raises:
        InputError: an odor is unknown or named twice, or a concentration negative or one of which nothing is known.

    Example:
        >>> mixture("odors", {"3-octanol": 0.1, "anisole": 1})
        (('3-octanol', 0.1), ('anisole', 1.0))
        >>> mixture("odors", None)
        ()
    """
    there: dict[str, tuple[Smelled, float]] = {}
    for given, concentration in _pairs(name, odors):
        odor = smelled(given)
        if name_of(odor) in there:
            raise InputError(f"{name} must name each odor once, got {shown(name_of(odor))} twice; add up what is there")
        there[name_of(odor)] = odor, dose(odor, concentration)
    return tuple(there[known] for known in sorted(there) if there[known][1] > 0.0)


def smelled(odor: Any) -> Smelled:
    """Return how an odor is kept: a measured one by its name, one of one's own as it is.

    Raises:
        InputError: it is unknown.

    Example:
        >>> smelled(31)
        'pentyl acetate'
    """
    known = find(odor)
    return known.name if isinstance(known, MeasuredOdor) else known


def name_of(odor: Smelled) -> str:
    """Return the name of an odor.

    Raises:
        InputError: it is none.

    Example:
        >>> name_of("anisole")
        'anisole'
    """
    return find(odor).name


def dose(odor: Smelled, concentration: Any) -> float:
    """Return a concentration at which an odor can be smelled, 0 or more.

    Raises:
        InputError: it is none, negative, or one of which nothing is known.

    Example:
        >>> dose("anisole", 1)
        1.0
    """
    known = find(odor)
    return known.at(checks.number(f"concentration of {known.name}", concentration, low=0.0))


def checked_label(name: str, label: Any) -> str:
    """Return a label, which may be empty; with quotes around it a text must be able to hold it.

    Raises:
        InputError: it is no text that prints, too long, or holds a double quote.
    """
    if isinstance(label, str) and not label:
        return ""
    checked = checks.label(name, label)
    if '"' in checked or checked != checked.strip():
        raise InputError(f"{name} must be without double quotes and blanks around it, got {shown(label)}")
    return checked


def _pairs(name: str, odors: Any) -> Iterator[tuple[Any, Any]]:
    if odors is None:
        return
    if isinstance(odors, Mapping):
        yield from odors.items()
    elif isinstance(odors, (str, Integral, Odor)):
        yield odors, 1.0
    else:
        for pair in checks.several(name, odors):
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise InputError(
                    f"{name} must be a name, or concentrations by name, got {shown(odors)}; pass {{name: 1.0}}"
                )
            yield pair[0], pair[1]


def _check(element: Any, what: str) -> None:
    """Check what every phase and test has."""
    fix = partial(object.__setattr__, element)
    fix("duration_s", checks.positive(f"duration of {what}", element.duration_s, high=LONGEST_S, unit="s"))
    fix("odors", mixture(f"odors of {what}", element.odors))
    for name in REINFORCERS:
        fix(name, checks.number(f"{name} of {what}", getattr(element, name), low=0.0))
    fix("manipulations", manipulations.checked(element.manipulations))
    fix("label", checked_label(f"label of {what}", element.label))


def _check_tests_something(test: Probe | Lived) -> None:
    if not (test.odors or test.reward or test.punishment):
        raise InputError("a test must be of an odor or a reinforcement, got one of nothing; name an odor")


def _filled(name: str, values: Any) -> tuple[Any, ...]:
    several = tuple(checks.several(name, values))
    if not 1 <= len(several) <= MOST_ITEMS:
        raise InputError(f"{name} must be 1 to {MOST_ITEMS}, got {len(several) or 'none'}")
    return several


def _check_kind(name: str, value: Any, kinds: tuple[type[Any], ...]) -> None:
    if not isinstance(value, kinds):
        words = " or ".join(kind.__name__ for kind in kinds)
        raise InputError(f"{name} must be a {words}, got {shown(value)}; make one")


def _block(block: Any) -> tuple[Element, ...]:
    elements = (block,) if isinstance(block, (Phase, Probe, Lived)) else _filled("a block to shuffle", block)
    for element in elements:
        _check_kind("each element of a block to shuffle", element, (Phase, Probe, Lived))
    return elements


def _unmanipulated(item: Item) -> Item:
    if isinstance(item, Shuffle):
        return Shuffle([[replace(element, manipulations=()) for element in block] for block in item.blocks])
    return replace(item, manipulations=())


def _elements(items: Sequence[Item]) -> Iterator[Element]:
    for item in items:
        if isinstance(item, Shuffle):
            yield from item.elements
        else:
            yield item


def _group_name(name: Any) -> str:
    checked = checks.label("name of a group", name)
    if (
        checked != checked.strip()
        or checked.startswith(".")
        or any(sign in checked for sign in '/\\"')
        or len(checked) > 100
    ):
        raise InputError(
            "name of a group must be of at most 100 characters without quotes and slashes, and begin with neither dot "
            f"nor blank, got {shown(name)}; its result file is called so"
        )
    return checked
