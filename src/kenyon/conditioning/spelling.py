"""Spells a design as text: of the many ways that docs/reference/notation.md allows, the one for all equal designs.

What comes several times is folded, `3x(A+ 60s, 60s)`; a letter stands where one is bound to the odor; braces are around
as many neighbors as share what is done to the circuit; the bindings come first, always.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, NamedTuple

from kenyon.conditioning.elements import LABEL_WORD, UNITS, Bindings
from kenyon.conditioning.folding import folds
from kenyon.conditioning.notation import BARE_NAME, GROUP_WORD, ONLY_GROUP
from kenyon.conditioning.phases import (
    PROBE_S,
    REINFORCERS,
    Element,
    Group,
    Item,
    Lived,
    Mixture,
    Phase,
    Probe,
    Shuffle,
    Smelled,
    name_of,
)
from kenyon.mushroom_body import Manipulation
from kenyon.mushroom_body.odors import odors


class _All(NamedTuple):
    """A test of every measured odor, one after the other.

    Attributes:
        first: That of the first odor.
    """

    first: Probe


class _Piece(NamedTuple):
    """An item, or several folded.

    Attributes:
        text: Without the braces around it.
        around: What they do; nothing, too, where what is within differs in it, and has braces of its own.
    """

    text: str
    around: tuple[Manipulation, ...]


class Speller:
    """Spells with some letters.

    Args:
        bindings: Odor and concentration that each letter stands for.
        reinforcer: What `+` stands for: its kind and strength.
    """

    def __init__(self, bindings: Bindings, reinforcer: tuple[str, float]) -> None:
        self._bindings = bindings
        self._reinforcer = reinforcer
        self._leaf = cache(self._element)

    def design(self, groups: Sequence[Group]) -> str:
        """Return a whole text."""
        only = len(groups) == 1 and groups[0].name == ONLY_GROUP
        bodies = [self.group(group) if only else f"{_group_name(group)}: {self.group(group)}" for group in groups]
        return f"{self.header()}: {'; '.join(bodies)}"

    def header(self) -> str:
        """Return what letters and `+` stand for."""
        bound = [f"{letter} = {_odor(odor)}{_dose(dose, 1.0)}" for letter, (odor, dose) in self._bindings.items()]
        kind, strength = self._reinforcer
        return ", ".join([*bound, f"+ = {kind} {number(strength)}"])

    def group(self, group: Group) -> str:
        """Return what a group lives through; braces span stages."""
        parts: list[str] = []
        around: tuple[Manipulation, ...] = ()
        for stage in group.stages:
            for place, piece in enumerate(self._pieces(stage.items)):
                separator = ", " if place else (" | " if parts else "") + _stage_label(stage.label)
                if piece.around == around:
                    parts.append(f"{separator}{piece.text}")
                else:
                    parts.append(f"{'}' if around else ''}{separator}{_opening(piece.around)}{piece.text}")
                around = piece.around
        return "".join([*parts, "}" if around else ""])

    def stimulus(self, element: Phase | Probe | Lived) -> str:
        """Return what is smelled and how it is reinforced, such as `A+`."""
        tested = isinstance(element, Probe)
        smelled = self._mixture(element.odors, tested=tested)
        if isinstance(element, Lived) and element.against:
            smelled += f"/{self._mixture(element.against, tested=tested)}"
        return smelled + self._given(element)

    def _pieces(self, items: Sequence[Item]) -> list[_Piece]:
        return self._folded(list(_with_all(items)))

    def _folded(self, entries: Sequence[Item | _All]) -> list[_Piece]:
        pieces = []
        for start, period, times in folds(entries, [isinstance(entry, (Probe, _All)) for entry in entries]):
            if times == 1:
                pieces.append(self._piece(entries[start]))
            else:
                text, around = _row(self._folded(entries[start : start + period]))
                pieces.append(_Piece(f"{times}x({text})", around))
        return pieces

    def _piece(self, entry: Item | _All) -> _Piece:
        if isinstance(entry, _All):
            return _Piece(self._leaf(entry.first, every=True), tuple(entry.first.manipulations))
        if not isinstance(entry, Shuffle):
            return _Piece(self._leaf(entry), tuple(entry.manipulations))
        pieces = []
        for start, period, times in folds(entry.blocks, [False] * len(entry.blocks)):
            for block in (
                [entry.blocks[start]] if times == 1 or period == 1 else entry.blocks[start : start + period * times]
            ):
                text, around = _row(self._pieces(block))
                many = times if period == 1 else 1
                text = f"{many}x({text})" if many > 1 else f"({text})" if len(block) > 1 else text
                pieces.append(_Piece(text, around))
        text, around = _row(pieces)
        return _Piece(f"shuffle({text})", around)

    def _element(self, element: Element, *, every: bool = False) -> str:
        label = f" #{_quoted_unless(LABEL_WORD, element.label)}" if element.label else ""
        if isinstance(element, Probe):
            asked = f"all{_dose(element.odors[0][1], 1.0)}{self._given(element)}" if every else self.stimulus(element)
            lasting = "" if element.duration_s == PROBE_S else f" {duration(element.duration_s)}"
            return f"?{asked}{lasting}{label}"
        live = "live " if isinstance(element, Lived) else ""
        stimulus = self.stimulus(element)
        return f"{live}{stimulus}{' ' if stimulus else ''}{duration(element.duration_s)}{label}"

    def _mixture(self, mixture: Mixture, *, tested: bool) -> str:
        atoms = []
        for odor, concentration in mixture:
            letters = [letter for letter, (bound, _) in self._bindings.items() if bound == odor]
            exact = [letter for letter in letters if self._bindings[letter][1] == concentration]
            letter = ((not tested and exact) or letters or [""])[0]
            dose = 1.0 if tested or not letter else self._bindings[letter][1]
            atoms.append((not letter, letter or f'"{name_of(odor)}"', _dose(concentration, dose)))
        return "".join(name + dose for _, name, dose in sorted(atoms))

    def _given(self, element: Element) -> str:
        given = {kind: getattr(element, kind) for kind in sorted(REINFORCERS) if getattr(element, kind)}
        if given == dict([self._reinforcer]):
            return "+"
        return f"[{', '.join(f'{kind} {number(given[kind])}' for kind in given)}]" if given else ""


def number(value: float) -> str:
    """Return a number of 0 or more as decimal digits that give it back, without exponent.

    Example:
        >>> number(60.0), number(1e-05)
        ('60', '0.00001')
    """
    return _digits(Decimal(repr(value)))


def duration(seconds: float) -> str:
    """Return a duration in the unit that reads best, exactly.

    Example:
        >>> [duration(seconds) for seconds in (0.0, 0.0005, 60.0, 90.5, 1800.0, 86400.0)]
        ['0s', '0.5ms', '60s', '90.5s', '30min', '24h']
    """
    if 0.0 < seconds < 1.0:
        return f"{_digits(Decimal(repr(seconds)).scaleb(3))}ms"
    unit = "h" if seconds >= 3600 and seconds % 3600 == 0 else "min" if seconds >= 600 and seconds % 60 == 0 else "s"
    return f"{number(seconds / float(UNITS[unit]))}{unit}"


def _digits(value: Decimal) -> str:
    digits = f"{value:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _with_all(items: Sequence[Item]) -> Iterator[Item | _All]:
    """Give the items; tests of all measured odors in their order as one."""
    at, many = 0, len(odors())
    while at < len(items):
        first = items[at]
        if isinstance(first, Probe) and tuple(items[at : at + many]) == _of_all(first):
            yield _All(first)
            at += many
        else:
            yield first
            at += 1


@lru_cache(maxsize=16)
def _of_all(first: Probe) -> tuple[Probe, ...] | None:
    """Return the same test of every measured odor, if it is of the first one alone."""
    names = [odor.name for odor in odors()]
    if len(first.odors) != 1 or first.odors[0][0] != names[0]:
        return None
    return tuple(replace(first, odors=((name, first.odors[0][1]),)) for name in names)


def _row(pieces: Sequence[_Piece]) -> tuple[str, tuple[Manipulation, ...]]:
    """Return neighbors in one line, and the braces around all of them."""
    if len({piece.around for piece in pieces}) == 1:
        return ", ".join(piece.text for piece in pieces), pieces[0].around
    texts: list[str] = []
    around: tuple[Manipulation, ...] = ()
    for piece in pieces:
        if piece.around == around:
            texts.append(f"{', ' if texts else ''}{piece.text}")
        else:
            texts.append(f"{'}' if around else ''}{', ' if texts else ''}{_opening(piece.around)}{piece.text}")
        around = piece.around
    return "".join([*texts, "}" if around else ""]), ()


def _opening(around: tuple[Manipulation, ...]) -> str:
    return f"{{{', '.join(own.text for own in around)}: " if around else ""


def _stage_label(label: str) -> str:
    return f"#{_quoted_unless(LABEL_WORD, label)} " if label else ""


def _group_name(group: Group) -> str:
    return _quoted_unless(GROUP_WORD, group.name)


def _odor(odor: Smelled) -> str:
    return _quoted_unless(BARE_NAME, name_of(odor))


def _quoted_unless(word: Any, text: str) -> str:
    return text if word.fullmatch(text) else f'"{text}"'


def _dose(concentration: float, otherwise: float) -> str:
    return "" if concentration == otherwise else f"@{number(concentration)}"
