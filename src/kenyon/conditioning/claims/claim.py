"""What science says of larvae, as data: what is claimed, by whom, how a circuit is asked, what would contradict it."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.conditioning.claims.answers import Answers, spelled
from kenyon.conditioning.designs import Design
from kenyon.conditioning.entry import UNLIKE
from kenyon.conditioning.phases import REINFORCERS, Shuffle
from kenyon.errors import InputError
from kenyon.words import shown

Measure: TypeAlias = Callable[[Answers], NDArray[np.float64]]
"""One number a larva, [B] float64, of what it answered; nan where it has none."""

SPECIES: Final = ("larva", "adult", "model")
UNITS: Final = ("index", "share", "")
"""What a figure is: a preference index, or a difference of some; a share; another number."""
_ID: Final = re.compile(r"[A-Z][A-Za-z]*[0-9]+[a-z]?")
_LIMITS: Final = {"at_least": -math.inf, "at_most": math.inf}


@dataclass(frozen=True)
class Criterion:
    """A figure of a claim, and where it must lie; checked when it is made.

    Attributes:
        statement: What the figure is, such as "third gain, as a share of the largest".
        measure: The figure of each larva, made of what the groups of the claim answered.
        at_least: The whole interval of the mean must lie at or above this, and the mean of each odor.
        at_most: The whole interval must lie at or below this, and the mean of each odor.
        mean_at_least: A stricter limit of the means, where the interval has a looser one; as `at_least` if not given.
        mean_at_most: As `mean_at_least`, below.
        null: What the figure would be if there were no effect: between it and the limit a claim holds in part.
        unit: One of `UNITS`; an index is also given as a share of what three trials teach.

    A criterion without limits is reported, and decides nothing. One with both is an equivalence bound.

    Raises:
        InputError: the statement is no text that prints, the measure no function, or a limit no number.

    Example:
        >>> Criterion("index after one trial", lambda answers: answers.last("one"), at_least=0.05).decides
        True
    """

    statement: str
    measure: Measure
    at_least: float = -math.inf
    at_most: float = math.inf
    mean_at_least: Any = None
    mean_at_most: Any = None
    null: float = 0.0
    unit: str = "index"

    def __post_init__(self) -> None:
        """Check each value alone, and that the limits leave room."""
        fix = partial(object.__setattr__, self)
        fix("statement", checks.label("statement of a criterion", self.statement))
        if not callable(self.measure):
            raise InputError(f"measure of a criterion must be a function of Answers, got {shown(self.measure)}")
        for name, none in _LIMITS.items():
            fix(name, _limit(name, getattr(self, name), none, none))
            mean = f"mean_{name}"
            fix(mean, _limit(mean, getattr(self, mean), none, getattr(self, name)))
        fix("null", checks.number("null", self.null))
        fix("unit", checks.one_of("unit", self.unit, UNITS))
        for low, high in ((self.at_least, self.at_most), (self.mean_at_least, self.mean_at_most)):
            if low > high:
                raise InputError(f"at_least of a criterion must not be above at_most, got {low:g} and {high:g}")

    @property
    def decides(self) -> bool:
        """Whether it has a limit."""
        return not (math.isinf(self.mean_at_least) and math.isinf(self.mean_at_most))

    @property
    def asks(self) -> str:
        """What is asked for, in words.

        Example:
            >>> Criterion("loss", len, at_most=0.15, mean_at_most=0.1).asks
            'at most 0.1, the interval at most 0.15'
        """
        means = self._words("mean_")
        interval = self._words("")
        return means if means == interval else f"{means}, the interval {interval}"

    def _words(self, of: str) -> str:
        low, high = getattr(self, f"{of}at_least"), getattr(self, f"{of}at_most")
        if not (math.isinf(low) or math.isinf(high)):
            return f"between {low:g} and {high:g}"
        if math.isinf(low):
            return "reported only" if math.isinf(high) else f"at most {high:g}"
        return f"at least {low:g}"


@dataclass(frozen=True)
class Claim:
    """What is claimed of larvae or flies, and how a circuit is asked whether it holds there; checked when it is made.

    Attributes:
        id: Its name, such as "L6".
        species: "larva", "adult" or "model", of which it was claimed.
        statement: What is claimed, in one sentence.
        source: Who found it: author, year, journal; "" where nobody is known.
        groups: What each group of larvae lives through, in the notation, by its name; controls, too. A is the trained
            odor, B one unlike it; a text may bind letters itself. For {us} and its like see `answers.spelled`.
        criteria: What must be so. The claim holds if every one that has a limit is met.
        contradicted_by: What would contradict it.
        controls: What each control group shows, by its name.
        fitted_in: Named sets of constants in whose search it was a target, so that its holding there is no evidence.
        codes: Whether the measures look at how often each Kenyon cell fired.
        not_testable: Why no circuit of this kind can be asked, where there are no groups.
        unknown: Why there is nothing to hold it against; it is measured all the same.

    Raises:
        InputError: a value is no text that prints, a group cannot be read, a control is no group, larvae of a group
            would have orders of their own.

    Example:
        >>> claim = Claim("X1", "larva", "One trial is enough.", "Nobody 2020, J. None 1:1", {"one": "A+ 60s | ?A 4s"},
        ...     (Criterion("index after one trial", lambda answers: answers.last("one"), at_least=0.05),),
        ...     "No index above zero.")
        >>> claim.designs("punishment")["one"].duration_s
        60.0
    """

    id: str
    species: str
    statement: str
    source: str
    groups: Mapping[str, str] = field(default_factory=dict, hash=False)
    criteria: Sequence[Criterion] = ()
    contradicted_by: str = ""
    controls: Mapping[str, str] = field(default_factory=dict, hash=False)
    fitted_in: Sequence[str] = ()
    codes: bool = False
    not_testable: str = ""
    unknown: str = ""

    def __post_init__(self) -> None:
        """Check each value alone, and that every group can be read."""
        fix = partial(object.__setattr__, self)
        if not isinstance(self.id, str) or not _ID.fullmatch(self.id):
            raise InputError(f"id of a claim must be a capital letter and a number such as L6, got {shown(self.id)}")
        fix("species", checks.one_of("species", self.species, SPECIES))
        fix("statement", _sentence("statement", self.statement))
        for name in ("source", "contradicted_by", "not_testable", "unknown"):
            text = getattr(self, name)
            fix(name, "" if isinstance(text, str) and not text else _sentence(name, text))
        for name in ("groups", "controls"):
            fix(name, MappingProxyType(_texts(f"{name} of {self.id}", getattr(self, name))))
        criteria = tuple(checks.several("criteria", self.criteria))
        fix("criteria", tuple(checks.instance("criterion", own, Criterion, "make one") for own in criteria))
        fitted = checks.several("fitted_in", self.fitted_in)
        fix("fitted_in", tuple(checks.label("parameter set", name) for name in fitted))
        fix("codes", checks.boolean("codes", self.codes))
        self._check_whole()

    def _check_whole(self) -> None:
        if bool(self.groups) != bool(self.criteria):
            raise InputError(f"claim {self.id} must have groups and criteria, or neither, got one of them; give both")
        if self.groups and self.not_testable:
            raise InputError(f"claim {self.id} must have no groups if it is not testable; leave one out")
        for name in self.controls:
            checks.one_of(f"control of {self.id}", name, list(self.groups))
        for us in REINFORCERS:
            self.designs(us)

    def __reduce__(self) -> tuple[Any, ...]:
        """Make copies anew, for a read-only mapping is none that can be pickled."""
        return type(self), (
            self.id, self.species, self.statement, self.source, dict(self.groups), self.criteria, self.contradicted_by,
            dict(self.controls), self.fitted_in, self.codes, self.not_testable, self.unknown,
        )  # fmt: skip

    @property
    def headline(self) -> Criterion | None:
        """The criterion that it is about before all: the first with a limit, or the first; None if there is none."""
        decisive = [own for own in self.criteria if own.decides]
        return next(iter([*decisive, *self.criteria]), None)

    def designs(self, us: str, odors: Sequence[Any] = UNLIKE[:2]) -> dict[str, Design]:
        """Return the design of each group, by its name.

        Args:
            us: The reinforcer, "reward" or "punishment".
            odors: What A and B stand for, and C if there is a third.

        Raises:
            InputError: the reinforcer or an odor is unknown, or a group cannot be read.
        """
        bindings = dict(zip("ABC", checks.several("odors", odors), strict=False))
        return {
            name: _of_one_group(name, Design.read(spelled(text, us), bindings=bindings, reinforcer=(us, 1.0)))
            for name, text in self.groups.items()
        }


def _limit(name: str, value: Any, none: float, otherwise: float) -> float:
    """Return a limit, or what stands for one that is not given."""
    if value is None:
        return otherwise
    return none if isinstance(value, float) and value == none else checks.number(name, value)


def checked_claims(claims: Any) -> tuple[Claim, ...]:
    """Return claims, one or more, each with an id of its own.

    Raises:
        InputError: they are something else.
    """
    several = [checks.instance("each claim", own, Claim, "make one") for own in checks.several("claims", claims)]
    ids = [claim.id for claim in several]
    if not ids or len(set(ids)) < len(ids):
        raise InputError(f"claims must be one or more, each with an id of its own, got {shown(ids)}")
    return tuple(several)


def _of_one_group(name: str, design: Design) -> Design:
    if len(design.groups) != 1:
        raise InputError(f"text of {shown(name)} must be of one group, got {len(design.groups)}; write each by itself")
    (group,) = design.groups
    if any(isinstance(item, Shuffle) for stage in group.stages for item in stage.items):
        raise InputError(f"group {shown(name)} must be in one order for all larvae, got a shuffle; write it out")
    return replace(design, groups=[replace(group, name=name)])


def _sentence(name: str, text: Any) -> str:
    checked = checks.instance(f"{name} of a claim", text, str, "write it")
    if not checked.strip() or not checked.isprintable():
        raise InputError(f"{name} of a claim must be text that prints, on one line, got {shown(text)}")
    return checked


def _texts(name: str, given: Any) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise InputError(f"{name} must be texts by the names of groups, got {shown(given)}; pass a dict")
    return {checks.label("name of a group", own): _sentence(name, text) for own, text in given.items()}
