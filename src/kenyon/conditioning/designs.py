"""A design: which groups of larvae there are, and what each of them lives through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from string import ascii_uppercase
from typing import Any, TypeAlias

from kenyon import checks
from kenyon.conditioning.cursor import Cursor
from kenyon.conditioning.notation import Reader
from kenyon.conditioning.phases import (
    MOST_ITEMS,
    REINFORCERS,
    Group,
    Lived,
    Probe,
    Smelled,
    Stage,
    dose,
    name_of,
    smelled,
)
from kenyon.conditioning.spelling import Speller
from kenyon.errors import InputError
from kenyon.mushroom_body import Odor
from kenyon.mushroom_body.parameters import Parameters, check_parameters
from kenyon.notebook import words_and_table
from kenyon.words import shown

Binding: TypeAlias = tuple[str, Smelled, float]
"""A letter, the odor that it stands for, and at which concentration."""

MOST_LARVAE = 10**9
"""More than any machine holds."""


@dataclass(frozen=True, repr=False)
class Design:
    """An experiment as immutable data, checked when it is made.

    A design without any test is given some: every group is asked about every odor that any group smells, before its
    first stage and after each.

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
        fix("bindings", _dealt(self.groups) if self.bindings is None else bound(self.bindings))
        fix("reinforcer", _reinforcer(self.reinforcer))
        fix("groups", _tested(self.groups, self.bindings))
        _check_odors([*_smelled(self.groups), *(odor for _, odor, _ in self.bindings)])

    def __repr__(self) -> str:
        """Return what gives it back, as far as its odors are measured ones.

        Example:
            >>> Design.read("A+ 60s, ?A")
            Design.read('A = pentyl acetate, + = reward 1: A+ 60s, ?A')
        """
        return f"Design.read({self.text!r})"

    def _repr_html_(self) -> str:
        """Show each group, in a notebook."""
        speller = self._speller
        rows = [
            {"group": group.name, "lives (s)": group.duration_s, "lives through": speller.group(group)}
            for group in self.groups
        ]
        return words_and_table(speller.header(), rows)

    @classmethod
    def read(
        cls,
        text: str,
        *,
        bindings: Any = None,
        reinforcer: tuple[str, float] | None = None,
        odors: Sequence[Odor] = (),
        parameters: Parameters | None = None,
    ) -> "Design":
        """Read what is written in the notation of docs/reference/notation.md.

        Args:
            text: Such as "3x(A+ 60s, 60s) | B 180s | ?A, ?B".
            bindings: What letters stand for, as for the class, whatever the text binds them to.
            reinforcer: What `+` stands for, whatever the text says.
            odors: Odors of one's own that it may name.
            parameters: Whose time step every duration must be a multiple of; `run` looks at it if this does not.

        Raises:
            NotationError: the text cannot be read, or says what cannot be done; the sentence shows the place.
            InputError: another argument is unusable.

        Example:
            >>> Design.read('B = 3-octanol: 2x(A+ 60s, 60s, B 60s, 60s)').larva_seconds()
            492.0
            >>> Design.read("3x(A+ 60, 60s)")
            Traceback (most recent call last):
            ...
            kenyon.errors.NotationError: a duration must have a unit (ms, s, min, h) right after it, got none, here:
            3x(A+ 60^, 60s)
        """
        text = checks.instance("text of a design", text, str, 'write one such as "3x(A+ 60s, 60s) | ?A"')
        before = {letter: (odor, dose) for letter, odor, dose in bound({} if bindings is None else bindings)}
        plus = None if reinforcer is None else _reinforcer(reinforcer)
        own = [checks.instance("each odor", odor, Odor, "make Odors") for odor in checks.several("odors", odors)]
        _check_odors([*own, *(odor for odor, _ in before.values() if isinstance(odor, Odor))])
        if parameters is not None:
            check_parameters(parameters)
        written = Reader(text, before, plus, own, parameters).written()
        with Cursor(text).refusing(0):  # what no single place is to blame for, such as too many tests in all
            return cls(written.groups, written.bindings, written.reinforcer)

    @property
    def text(self) -> str:
        """The design in the notation, written the one way in which equal designs are, its bindings first.

        Example:
            >>> Design.read("A+ 60s, 60s, A+ 1min, 60s").text
            'A = pentyl acetate, + = reward 1: ?A, 2x(A+ 60s, 60s), ?A'
        """
        return self._speller.design(self.groups)

    @property
    def _speller(self) -> Speller:
        return Speller({letter: (odor, dose) for letter, odor, dose in self.bindings}, self.reinforcer)

    @property
    def id(self) -> str:
        """The same words for the same experiment, always: its text with letters dealt in order of appearance.

        Example:
            >>> Design.read("X = anisole: X+ 60s, ?X").id == Design.read('"anisole"[reward 1] 60s, ?"anisole"').id
            True
        """
        return Design(self.groups).text

    @property
    def duration_s(self) -> float:
        """How long the larvae of the longest group live, without the tests on copies."""
        return max(group.duration_s for group in self.groups)

    @property
    def odors(self) -> tuple[Smelled, ...]:
        """Every odor that is smelled, once, in order of appearance."""
        return tuple(_smelled(self.groups))

    @property
    def own_odors(self) -> dict[str, Odor]:
        """Odors of one's own that its text names, by name; with them it can be read again."""
        named = [*_smelled(self.groups), *(odor for _, odor, _ in self.bindings)]
        return {odor.name: odor for odor in named if isinstance(odor, Odor)}

    def with_twins(self) -> "Design":
        """Return the same design with an unmanipulated group beside each group that is manipulated.

        A twin is called like its group, with `-twin` behind.

        Example:
            >>> design = Design.read("silent: {silence DANp: A+ 60s} | ?A").with_twins()
            >>> design.text
            'A = pentyl acetate, + = reward 1: silent: {silence DANp: A+ 60s} | ?A; silent-twin: A+ 60s | ?A'
        """
        twins = [(group, group.unmanipulated()) for group in self.groups]
        groups = [
            each
            for group, twin in twins
            for each in ((group,) if twin == group else (group, Group(f"{group.name}-twin", twin.stages)))
        ]
        return Design(groups, self.bindings, self.reinforcer)

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


def _tested(groups: Sequence[Group], bindings: Sequence[Binding]) -> Sequence[Group]:
    """Return the groups, with tests where none has any: of each odor, by letter."""
    if any(isinstance(element, (Probe, Lived)) for group in groups for element in group.elements):
        return groups
    letters = {odor: letter for letter, odor, _ in reversed(bindings)}
    odors = sorted(_smelled(groups), key=lambda odor: letters.get(odor, "none"))
    tests = [Probe({odor: _test_dose(odor)}) for odor in odors]

    def tested(place: int, stage: Stage) -> Stage:
        return Stage([*(() if place else tests), *stage.items, *tests], stage.label)

    return _groups([Group(group.name, [tested(*placed) for placed in enumerate(group.stages)]) for group in groups])


def _test_dose(odor: Smelled) -> float:
    """Return 1, or the only concentration at which anything is known of an odor of one's own."""
    only = isinstance(odor, Odor) and len(odor.concentrations) == 1
    return odor.concentrations[0] if isinstance(odor, Odor) and only else 1.0


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


def bound(bindings: Any) -> tuple[Binding, ...]:
    """Return triples of letter, odor and concentration, by letter.

    Args:
        bindings: As for `Design`.

    Raises:
        InputError: a letter is none, or its odor unknown.

    Example:
        >>> bound({"B": "anisole", "A": (31, 0.1)})
        (('A', 'pentyl acetate', 0.1), ('B', 'anisole', 1.0))
    """
    if isinstance(bindings, Mapping):
        bindings = [(letter, *(odor if isinstance(odor, tuple) else (odor,))) for letter, odor in bindings.items()]
    triples: dict[str, Binding] = {}
    for binding in checks.several("bindings", bindings):
        if not isinstance(binding, (tuple, list)) or not 2 <= len(binding) <= 3:
            raise InputError(f"bindings must be odors by letter, got {shown(binding)}; pass {{'A': 'anisole'}}")
        letter, odor = binding[:2]
        if not (isinstance(letter, str) and letter in set(ascii_uppercase)) or letter in triples:
            raise InputError(f"letters must be single capitals, each bound once, got {shown(letter)}")
        known = smelled(odor)
        given = checks.positive(f"concentration of {name_of(known)}", binding[2] if len(binding) > 2 else 1.0)
        triples[letter] = letter, known, dose(known, given)
    return tuple(triples[letter] for letter in sorted(triples))


def _dealt(groups: Sequence[Group]) -> tuple[Binding, ...]:
    """Return a letter for each odor, in order of appearance, as long as letters last."""
    return tuple((letter, odor, 1.0) for letter, odor in zip(ascii_uppercase, _smelled(groups), strict=False))


def _smelled(groups: Sequence[Group]) -> dict[Smelled, None]:
    """Return every odor, once, in order of appearance."""
    elements = [element for group in groups for element in group.elements]
    mixtures = [[*element.odors, *(element.against if isinstance(element, Lived) else ())] for element in elements]
    return dict.fromkeys(odor for mixture in mixtures for odor, _ in mixture)


def _check_odors(odors: Sequence[Smelled]) -> None:
    """Refuse two odors of one name: no text, table or figure could tell them apart."""
    known: dict[str, Smelled] = {}
    for odor in odors:
        if known.setdefault(name_of(odor), odor) != odor:
            raise InputError(f"odors of a design must have names of their own, got two called {shown(name_of(odor))}")


def _reinforcer(reinforcer: Any) -> tuple[str, float]:
    if not isinstance(reinforcer, (tuple, list)) or len(reinforcer) != 2:
        raise InputError(f'reinforcer must be a pair such as ("reward", 1.0), got {shown(reinforcer)}')
    kind = checks.one_of("reinforcement", reinforcer[0], REINFORCERS)
    return kind, checks.positive(f"strength of {kind}", reinforcer[1])
