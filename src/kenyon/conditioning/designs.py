"""A design: which groups of larvae there are, and what each of them lives through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from string import ascii_uppercase
from typing import Any

from kenyon import checks
from kenyon.conditioning.phases import MOST_ITEMS, REINFORCERS, Group, Lived
from kenyon.errors import InputError
from kenyon.mushroom_body.odors import find
from kenyon.words import shown

MOST_LARVAE = 10**9
"""More than any machine holds."""


@dataclass(frozen=True)
class Design:
    """An experiment as immutable data, checked when it is made.

    Attributes:
        groups: One or more, each with a name of its own; kept as a tuple.
        bindings: Which odor each letter of its text stands for, at which concentration: given as a mapping of letters
            to odors, or to pairs of odor and concentration; kept as triples, by letter. Dealt out in order of
            appearance if not given. They change no number.
        reinforcer: What `+` stands for in its text: "reward" or "punishment" and its strength.

    Raises:
        InputError: there is no group, two have one name, they have more than `MOST_ITEMS` phases and tests, a letter is
            none, or its odor unknown.

    Example:
        >>> from kenyon.conditioning.phases import Phase, Probe, Stage
        >>> trained = Group("trained", [Stage([Phase(60, "anisole", reward=1), Phase(60), Probe("anisole")])])
        >>> design = Design([trained])
        >>> design.duration_s, design.larva_seconds(10), design.bindings
        (120.0, 1230.0, (('A', 'anisole', 1.0),))
    """

    groups: Sequence[Group]
    bindings: Any = None
    reinforcer: tuple[str, float] = ("reward", 1.0)

    def __post_init__(self) -> None:
        """Check groups, bindings and reinforcer."""
        fix = partial(object.__setattr__, self)
        fix("groups", _groups(self.groups))
        fix("bindings", _dealt(self.groups) if self.bindings is None else _bindings(self.bindings))
        fix("reinforcer", _reinforcer(self.reinforcer))

    @property
    def duration_s(self) -> float:
        """How long the larvae of the longest group live, without the tests on copies."""
        return max(group.duration_s for group in self.groups)

    def larva_seconds(self, larvae: int = 1) -> float:
        """Return how much time of larvae is simulated, tests on copies and all, with so many larvae in each group.

        Raises:
            InputError: `larvae` is no integer from 1 to `MOST_LARVAE`.
        """
        larvae = checks.integer("larvae", larvae, low=1, high=MOST_LARVAE)
        return larvae * sum(group.duration_s + group.probes_s for group in self.groups)

    def group(self, name: str) -> Group:
        """Return a group by its name.

        Raises:
            InputError: there is none; the message names those that are.
        """
        name = checks.one_of("group", name, [group.name for group in self.groups])
        return next(group for group in self.groups if group.name == name)


def _groups(groups: Any) -> tuple[Group, ...]:
    checked = tuple(checks.instance("each group", group, Group, "make Groups") for group in _several(groups))
    names = [group.name for group in checked]
    if len({name.casefold() for name in names}) < len(names):
        raise InputError(f"each group must have a name of its own, got {shown(names)}")
    items = sum(len(group.elements) for group in checked)
    if items > MOST_ITEMS:
        raise InputError(f"phases and tests of a design must be at most {MOST_ITEMS}, got {items}; repeat less often")
    return checked


def _several(groups: Any) -> list[Any]:
    several = checks.several("groups of a design", groups)
    if not several:
        raise InputError("a design must have at least one group, got none")
    return several


def _bindings(bindings: Any) -> tuple[tuple[str, str, float], ...]:
    """Return triples of letter, odor and concentration, by letter."""
    if isinstance(bindings, Mapping):
        bindings = [(letter, *(odor if isinstance(odor, tuple) else (odor,))) for letter, odor in bindings.items()]
    bound: dict[str, tuple[str, str, float]] = {}
    for binding in checks.several("bindings", bindings):
        if not isinstance(binding, (tuple, list)) or not 2 <= len(binding) <= 3:
            raise InputError(f"bindings must be odors by letter, got {shown(binding)}; pass {{'A': 'anisole'}}")
        letter, odor = binding[:2]
        if not (isinstance(letter, str) and letter in set(ascii_uppercase)) or letter in bound:
            raise InputError(f"letters must be single capitals, each bound once, got {shown(letter)}")
        known = find(odor).name
        dose = checks.positive(f"concentration of {known}", binding[2] if len(binding) > 2 else 1.0)
        bound[letter] = letter, known, dose
    return tuple(sorted(bound.values()))


def _dealt(groups: Sequence[Group]) -> tuple[tuple[str, str, float], ...]:
    """Return a letter for each odor, in order of appearance, as long as letters last."""
    elements = [element for group in groups for element in group.elements]
    mixtures = [[*element.odors, *(element.against if isinstance(element, Lived) else ())] for element in elements]
    names = dict.fromkeys(name for mixture in mixtures for name, _ in mixture)
    return tuple((letter, name, 1.0) for letter, name in zip(ascii_uppercase, names, strict=False))


def _reinforcer(reinforcer: Any) -> tuple[str, float]:
    if not isinstance(reinforcer, (tuple, list)) or len(reinforcer) != 2:
        raise InputError(f'reinforcer must be a pair such as ("reward", 1.0), got {shown(reinforcer)}')
    kind = checks.one_of("reinforcement", reinforcer[0], REINFORCERS)
    return kind, checks.positive(f"strength of {kind}", reinforcer[1])
