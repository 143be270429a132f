"""What an experiment of the library is: its question, who asked it, its groups, what the controls among them show."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from kenyon import checks
from kenyon.conditioning.designs import Design, bound
from kenyon.conditioning.phases import name_of
from kenyon.errors import InputError
from kenyon.mushroom_body import Odor, Parameters
from kenyon.words import shown

UNLIKE: Final = ("pentyl acetate", "4,5-dimethylthiazole", "ethyl acetate")
"""Odors that share next to no receptors (cosines of at most 0.07): what A, B and C stand for, as far as they
are not bound to others."""

_DURATION = re.compile(r"[0-9]+(\.[0-9]+)?(ms|s|min|h)")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_MOST_VALUES = 20


@dataclass(frozen=True)
class Entry:
    """An experiment of the library; checked when it is made.

    Attributes:
        id: Its name.
        question: What it answers.
        source: Who asked it: author, year, journal.
        text: Its groups, in the notation; `{us}` is the kind of reinforcement.
        controls: What each control group shows, by its name.
        varied: What is varied from group to group; "" if nothing is.
        values: Its values unless the id names others, such as "5s,30s".
        each: The group of one value, in the notation, with `{value}` where it stands; these groups come first.

    Raises:
        InputError: a value is no text that prints, a control is no group, or the design cannot be read.

    Example:
        >>> groups = "brief: A+ 1s | ?A; never: 1s | ?A"
        >>> own = Entry("brief", "Is a second enough?", "Nobody 2020", groups, {"never": "chance"})
        >>> [group.name for group in own.design().groups]
        ['brief', 'never']
    """

    id: str
    question: str
    source: str
    text: str
    controls: Mapping[str, str] = field(default_factory=dict, hash=False)
    varied: str = ""
    values: str = ""
    each: str = ""

    def __post_init__(self) -> None:
        """Check each value, and that the design can be read."""
        fix = partial(object.__setattr__, self)
        for name in ("id", "question", "source"):
            fix(name, checks.label(f"{name} of an entry", getattr(self, name)))
        if not re.fullmatch(r"[a-z][a-z-]+", self.id):
            raise InputError(f"id of an entry must be of small letters and hyphens, got {shown(self.id)}")
        checks.instance("text of an entry", self.text, str, "write its groups")
        varied = [checks.instance("what is varied", words, str, "write it") for words in self._varied]
        if any(varied) and not all(varied):
            raise InputError(f"what is varied, its values and the group of one must all be there, got {shown(varied)}")
        if any(varied):
            fix("varied", checks.label("what is varied", self.varied))
        if not isinstance(self.controls, Mapping):
            raise InputError(f"controls of an entry must be words by group, got {shown(self.controls)}; pass a dict")
        groups = [group.name for group in self.design().groups]
        for name, words in self.controls.items():
            checks.one_of("group", name, groups)
            checks.label("what a control shows", words)
        fix("controls", MappingProxyType(dict(self.controls)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Make copies anew, for a read-only mapping is none that can be pickled."""
        fields = (self.id, self.question, self.source, self.text, dict(self.controls))
        return type(self), (*fields, *self._varied)

    def written(self, values: str | None = None, us: str = "reward") -> str:
        """Return the text of the design.

        Args:
            values: What is varied, separated by commas; the entry's own values if not given.
            us: Kind of reinforcement.

        Raises:
            InputError: nothing is varied in it, or a value is no duration or no number, whichever it varies.
        """
        us = checks.one_of("reinforcement", us, ("reward", "punishment"))
        varied = [self.each.replace("{value}", value) for value in self._values(values)]
        return "; ".join(part for part in [*varied, self.text] if part).replace("{us}", us)

    def design(
        self,
        values: str | None = None,
        *,
        bindings: Any = None,
        reinforcer: tuple[str, float] | None = None,
        odors: Sequence[Odor] = (),
        parameters: Parameters | None = None,
    ) -> Design:
        """Return the design.

        Args:
            values: As for `written`.
            bindings: What letters stand for, as for `Design`; others of those that it needs are odors unlike these.
            reinforcer: What `+` stands for, as for `Design`.
            odors: As for `Design.read`.
            parameters: As for `Design.read`.

        Raises:
            InputError: an argument is unusable.
        """
        given = {letter: (odor, dose) for letter, odor, dose in bound({} if bindings is None else bindings)}
        spare = [odor for odor in UNLIKE if odor not in {name_of(odor) for odor, _ in given.values()}]
        own = {letter: (spare.pop(0), 1.0) for letter in "ABC" if letter not in given}
        design = Design.read(
            self.written(values, "reward" if reinforcer is None else reinforcer[0]),
            bindings={**own, **given},
            reinforcer=reinforcer,
            odors=odors,
            parameters=parameters,
        )
        needed = [binding for binding in design.bindings if binding[0] in given or binding[1] in design.odors]
        return replace(design, bindings=needed)

    @property
    def _varied(self) -> tuple[str, str, str]:
        return self.varied, self.values, self.each

    def _values(self, values: str | None) -> list[str]:
        if values is None:
            return self.values.split(",") if self.values else []
        if not self.values:
            raise InputError(f"{self.id} must be named alone, for nothing is varied in it, got /{values}")
        is_duration = _DURATION.fullmatch(self.values.split(",")[0])
        form, such = (_DURATION, "durations") if is_duration else (_NUMBER, "numbers of 0 or more")
        given = checks.instance("values", values, str, f"pass text such as {self.values!r}").split(",")
        if not all(form.fullmatch(value) for value in given) or not 1 <= len(set(given)) == len(given) <= _MOST_VALUES:
            raise InputError(
                f"values of {self.id} must be 1 to {_MOST_VALUES} different {such} such as {self.values}, got "
                f"{shown(values)}"
            )
        return given
