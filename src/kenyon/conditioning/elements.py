"""Reads the elements of a design's text: phases and tests, what is smelled, how it is reinforced, for how long."""

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from kenyon.conditioning.cursor import Cursor
from kenyon.conditioning.phases import (
    LONGEST_S,
    PROBE_S,
    REINFORCERS,
    Item,
    Lived,
    Phase,
    Probe,
    Smelled,
    checked_label,
    name_of,
    smelled,
)
from kenyon.mushroom_body import Manipulation, Odor, Parameters
from kenyon.mushroom_body.odors import odors
from kenyon.words import shown

UNITS: Final[Mapping[str, Fraction]] = {
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "min": Fraction(60),
    "h": Fraction(3600),
}
"""Seconds of each unit of time."""
FIRST_ODOR: Final = "pentyl acetate"
"""What A stands for if nothing says otherwise."""
LABEL_WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""A label that needs no quotes."""
LETTER: Final = re.compile(r"[A-Z]")

_BLANK = re.compile(r"[ \t\r\n]")
_DIGIT = re.compile(r"[0-9]")
_LOOSE_REPEAT = re.compile(r"[0-9]+[ \t\r\n]*[x*]?[ \t\r\n]*\(")
_UNIT = re.compile(r"[A-Za-z0-9.]*")
_LIVE = re.compile(r"live(?![A-Za-z0-9_])")
_ALL = re.compile(r"all(?![A-Za-z0-9_])")
_ODOR = re.compile(r'[A-Z"]')
_TIME = re.compile(r" +[0-9]")

Bindings = Mapping[str, tuple[Smelled, float]]
Given = dict[str, float]
"""How much of each reinforcement, by its name."""
Around = tuple[Manipulation, ...]
"""What the braces do that stand around a place."""


class ElementReader:
    """Reads elements, one at a time, at the place of a cursor.

    Args:
        cursor: The text.
        own: Odors of one's own that may be named.
        parameters: Whose time step every duration must be a multiple of; none is looked at if not given.

    Attributes:
        bindings: What letters stand for; what reads the header sets it.
        reinforcer: What `+` stands for.
    """

    def __init__(self, cursor: Cursor, own: Sequence[Odor], parameters: Parameters | None) -> None:
        self._in = cursor
        self._own = {odor.name: odor for odor in own}
        self._parameters = parameters
        self.bindings: dict[str, tuple[Smelled, float]] = {}
        self.reinforcer = ("reward", 1.0)

    def element(self, around: Around) -> list[Item]:
        """Read a phase or a test; every odor at once is several."""
        start = self._in.at
        if self._in.take("?"):
            elements = self._probes(around, start)
        elif self._in.match(_LIVE):
            elements = [self._lived(around, start)]
        else:
            elements = [self._phase(around, start)]
        return elements

    def _phase(self, around: Around, start: int) -> Phase:
        odor: dict[Smelled, float] = {}
        given: Given = {}
        if self._in.sees(_LOOSE_REPEAT):
            self._in.fail("a repeat must be written with x and without blanks, as 3x(A+ 60s)")
        if not self._in.sees(_DIGIT):
            odor, given = self._stimulus(None)
            self._one_blank("a stimulus and its duration, and none within a stimulus")
        duration_s = self._duration()
        label = self._element_label()
        with self._in.refusing(start):
            return Phase(duration_s, odor, **given, manipulations=around, label=label)

    def _probes(self, around: Around, start: int) -> list[Item]:
        if self._in.match(_ALL):
            every, given = self.concentration(1.0), self._given()
            asked: list[dict[Smelled, float]] = [{measured.name: every} for measured in odors()]
        else:
            odor, given = self._stimulus(1.0)
            asked = [odor]
        duration_s = PROBE_S
        if self._in.sees(_TIME):
            self._one_blank("what is asked and the duration")
            duration_s = self._duration()
        label = self._element_label()
        with self._in.refusing(start):
            return [Probe(one, duration_s, **given, manipulations=around, label=label) for one in asked]

    def _lived(self, around: Around, start: int) -> Lived:
        self._one_blank("live and what is smelled")
        odor, given = self._stimulus(None)
        against: dict[Smelled, float] = {}
        place = self._in.at
        if self._in.take("/"):
            if given:
                self._in.fail("a reinforcement in a choice must stand at its end, as in live A/B+ 180s", place - 1)
            against, given = self._stimulus(None)
            if not against:
                self._in.fail("a choice must be between odors, got none after /; write live A 180s", place)
        self._one_blank("what is smelled and its duration")
        duration_s = self._duration()
        label = self._element_label()
        with self._in.refusing(start):
            return Lived(odor, duration_s, against, **given, manipulations=around, label=label)

    def _stimulus(self, otherwise: float | None) -> tuple[dict[Smelled, float], Given]:
        """Read odors and reinforcement, at a dose if none is written; None for the bound one."""
        start = self._in.at
        there: dict[Smelled, float] = {}
        while self._in.sees(_ODOR):
            place = self._in.at
            odor, bound = self._odor()
            if odor in there:
                self._in.fail(f"each odor must stand once in a stimulus, got {shown(name_of(odor))} again", place)
            there[odor] = self.concentration(bound if otherwise is None else otherwise)
        given = self._given()
        if self._in.at == start:
            self._in.fail(
                "an element must be a phase (A+ 60s), a pause (60s), a test (?A, live A 180s), a repeat (3x(...)) or a "
                f"shuffle, got {self._in.next_words()}"
            )
        if not there and self._in.text.startswith("-", start):
            self._in.fail("- must stand after what is smelled, got it alone; a pause is its duration alone", start)
        return there, given

    def _odor(self) -> tuple[Smelled, float]:
        start = self._in.at
        if letter := self._in.match(LETTER):
            return self.bound_to(letter, start)
        return self.named(self._in.quoted(), start), 1.0

    def bound_to(self, letter: str, start: int) -> tuple[Smelled, float]:
        """Return what a letter stands for that was read at a place."""
        if letter == "A":
            self.bindings.setdefault("A", (FIRST_ODOR, 1.0))
        if letter not in self.bindings:
            self._in.fail(
                f"letter {letter} must be bound to an odor, got none; begin with {letter} = NAME: or pass --odor "
                f"{letter}=NAME",
                start,
            )
        return self.bindings[letter]

    def concentration(self, otherwise: float) -> float:
        """Read a dose, if one is written."""
        return self._in.number("a dose") if self._in.take("@") else otherwise

    def _given(self) -> Given:
        """Read the reinforcement at the end of a stimulus."""
        if self._in.take("-"):
            return {}
        if self._in.take("+"):
            return dict([self.reinforcer])
        given: Given = {}
        if self._in.take("["):
            while not given or self._in.mark(","):
                self._in.blanks()
                start = self._in.at
                kind, strength = self.reinforcement()
                if kind in given:
                    self._in.fail(f"{kind} must stand once, got it again; add up the strengths", start)
                given[kind] = strength
            self._in.blanks()
            self._in.expect("]", "what reinforces must be closed by ]")
        return given

    def reinforcement(self, *, above_zero: bool = False) -> tuple[str, float]:
        """Read a kind of reinforcement and its strength."""
        kind = next((kind for kind in REINFORCERS if self._in.take(kind)), None)
        if kind is None:
            self._in.fail(f"a reinforcement must be reward or punishment and its strength, got {self._in.next_words()}")
        self._one_blank(f"{kind} and its strength")
        start = self._in.at
        strength = self._in.number(f"strength of {kind}")
        if above_zero and not strength:
            self._in.fail(f"strength of {kind} must be above 0, got 0; A without + is smelled alone", start)
        return kind, strength

    def _duration(self) -> float:
        start = self._in.at
        number = self._in.fraction("a duration")
        place = self._in.at
        unit = self._in.match(_UNIT) or ""
        if unit not in UNITS:
            self._in.fail(
                f"a duration must have a unit (ms, s, min, h) right after it, got {shown(unit) if unit else 'none'}",
                place,
            )
        seconds = number * UNITS[unit]
        if not 0 < seconds <= LONGEST_S:
            self._in.fail(
                f"a duration must be above 0 and at most {LONGEST_S:.0f} s, got {shown(float(number))}", start
            )
        if self._parameters is not None:
            with self._in.refusing(start):
                self._parameters.steps("a duration", float(seconds * 1000))
        return float(seconds)

    def _one_blank(self, between: str) -> None:
        start = self._in.at
        if not self._in.take(" ") or self._in.sees(_BLANK):
            self._in.at = start
            self._in.fail(f"one blank must stand between {between}, got {self._in.next_words()}")

    def _element_label(self) -> str:
        start = self._in.at
        self._in.blanks()
        if self._in.sees("#") and self._in.at > start:
            return self.label()
        self._in.at = start
        return ""

    def label(self) -> str:
        """Read a label, if one is written."""
        start = self._in.at
        if not self._in.take("#"):
            return ""
        label = self._in.quoted() if self._in.sees('"') else self._in.match(LABEL_WORD)
        if not label:
            self._in.fail("a label must be a word, or words in double quotes, as in #training", start)
        with self._in.refusing(start):
            return checked_label("label", label)

    def named(self, name: str, start: int) -> Smelled:
        """Return an odor of one's own, or a measured one."""
        with self._in.refusing(start):
            return self._own.get(name) or smelled(name)
