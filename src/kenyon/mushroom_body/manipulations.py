"""What is done to a circuit for a while: cells silenced or driven, connections cut or scaled, a constant set.

A manipulation is data, checked when it is made.

Cells are named by their group, "KC", which is all of it, or one by its place in it, "KC[7]", counted from 0. A
connection is named "MBONn>DANp"; from one cell alone, "KC[7]>MBONp".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from kenyon import checks
from kenyon.errors import InputError
from kenyon.mushroom_body.circuit import CONNECTIONS, GROUPS, MOST_KCS, MOST_NEURONS, Layout, layout
from kenyon.mushroom_body.parameters import constants
from kenyon.words import shown

KINDS: Final = ("silence", "drive", "cut", "scale", "set")
"""The kinds, in the order in which several are kept."""

_FIXED: Final = ("dt_ms", "refractory_ms", "kc_claws_min", "kc_claws_max")
"""What a larva's state is counted in, or was drawn with: these belong to the larva and cannot be set for a while."""

_MOST_PA = 1e4
_MOST_FACTOR = 100.0

_CELL = re.compile(r"([A-Za-z]+)(?:\[([0-9]{1,3})\])?")
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,400})?")
_FORMS = "'silence DANp', 'drive KC 20pA', 'cut MBONn>DANp', 'scale APL>KC 0.5' or 'set kc.threshold_mV -34'"


@dataclass(frozen=True)
class Manipulation:
    """One thing that is done to a circuit; `silence`, `drive_current`, `cut`, `scale` and `set_constant` make it.

    Attributes:
        kind: "silence", "drive", "cut", "scale" or "set".
        target: Cells ("KC", "KC[7]"), a connection ("APL>KC", "KC[7]>MBONp") or the dotted name of a constant.
        value: Current in pA, factor, or the constant's new value; None for what is silenced or cut.

    Raises:
        InputError: the kind is unknown, there is no such target, or the value is out of range.

    Example:
        >>> Manipulation("drive", "KC", 20)
        Manipulation(kind='drive', target='KC', value=20.0)
        >>> Manipulation.parse("cut MBONn>DANp").text
        'cut MBONn>DANp'
    """

    kind: str
    target: str
    value: float | int | None = None

    def __post_init__(self) -> None:
        """Check that it can be done, and spell the target in the one way that equal ones have."""
        checks.one_of("kind of manipulation", self.kind, KINDS)
        target, value = _CHECKS[self.kind](self.target, self.value)
        object.__setattr__(self, "target", target)
        object.__setattr__(self, "value", value)

    @classmethod
    def parse(cls, text: str) -> "Manipulation":
        """Read what `text` gives.

        Raises:
            InputError: it cannot be read, or what it says cannot be done.

        Example:
            >>> Manipulation.parse("set weight_floor_nS none") == set_constant("weight_floor_nS", None)
            True
            >>> Manipulation.parse("cut MBONp>DANp")
            Traceback (most recent call last):
            ...
            kenyon.errors.InputError: unknown connection 'MBONp>DANp'; there are ORN>PN, ORN>LN, PN>KC, LN>PN, KC>APL,
            APL>KC, KC>MBONp, KC>MBONn, MBONp>LNp, MBONn>LNn, MBONn>DANp, MBONp>DANn, LNp>DANp, LNn>DANn
        """
        words = checks.instance("manipulation", text, str, f"write {_FORMS}").split()
        kind = checks.one_of("kind of manipulation", words[0] if words else "", KINDS)
        if len(words) != (2 if kind in ("silence", "cut") else 3):
            raise InputError(f"a manipulation must read as {_FORMS}, got {shown(text)}")
        return cls(kind, words[1], _number(kind, words[2]) if len(words) == 3 else None)

    @property
    def text(self) -> str:
        """How it is written in a design."""
        if self.kind in ("silence", "cut"):
            return f"{self.kind} {self.target}"
        number = "none" if self.value is None else np.format_float_positional(self.value, trim="-")
        return f"{self.kind} {self.target} {number}{'pA' if self.kind == 'drive' else ''}"

    @property
    def group(self) -> str:
        """The group of the cells that are silenced or driven, or from which the connection comes; "" for a constant."""
        return "" if self.kind == "set" else self.target.partition(">")[0].partition("[")[0]

    @property
    def place(self) -> int | None:
        """The place of the one cell in its group; None for all of it."""
        named = None if self.kind == "set" else _CELL.fullmatch(self.target.partition(">")[0])
        return None if named is None or named[2] is None else int(named[2])

    @property
    def connection(self) -> str:
        """The connection that is cut or scaled, between whole groups."""
        source, _, target = self.target.partition(">")
        return f"{source.partition('[')[0]}>{target}"


def silence(cells: str) -> Manipulation:
    """Return that cells fire no spike; their potentials and conductances go on, and nothing resets them.

    Raises:
        InputError: there are no such cells.

    Example:
        >>> silence("DANp").text
        'silence DANp'
    """
    return Manipulation("silence", cells)


def drive_current(cells: str, pA: float) -> Manipulation:
    """Return that a constant current flows into each of some cells; a negative one holds them down.

    Raises:
        InputError: there are no such cells, or the current is not finite or beyond 10 nA.

    Example:
        >>> drive_current("KC[7]", pA=20).text
        'drive KC[7] 20pA'
    """
    return Manipulation("drive", cells, pA)


def cut(connection: str) -> Manipulation:
    """Return that spikes do not pass a connection; plastic weights of it are kept, and learned on.

    Raises:
        InputError: there is no such connection.

    Example:
        >>> cut("KC[7]>MBONp").text
        'cut KC[7]>MBONp'
    """
    return Manipulation("cut", connection)


def scale(connection: str, factor: float) -> Manipulation:
    """Return that spikes pass a connection with a multiple of its weight; plastic weights are kept, and learned on.

    Raises:
        InputError: there is no such connection, or the factor is not from 0 to 100.

    Example:
        >>> scale("APL>KC", 0.5).text
        'scale APL>KC 0.5'
    """
    return Manipulation("scale", connection, factor)


def set_constant(name: str, value: float | None) -> Manipulation:
    """Return that a constant has another value.

    Args:
        name: A (dotted) name of `parameters`, such as "kc.threshold_mV". Not the time step, the refractory period or
            the numbers of claws, which belong to a larva and its state.
        value: As for `Parameters.replace`.

    Raises:
        InputError: there is no such constant, it cannot be set for a while, or its value is out of range.

    Example:
        >>> set_constant("kc.threshold_mV", -34).text
        'set kc.threshold_mV -34'
    """
    return Manipulation("set", name, value)


def checked(manipulations: Iterable[Manipulation | str]) -> tuple[Manipulation, ...]:
    """Return manipulations in their one order, so that equal ones are equal however they were listed.

    Args:
        manipulations: Each as it is, or as text.

    Raises:
        InputError: one is none or cannot be read, or two of one kind are of one cell, one connection of a cell, or one
            constant.

    Example:
        >>> checked([scale("APL>KC", 0.5), "silence DANp"])
        (Manipulation(kind='silence', target='DANp', value=None),
         Manipulation(kind='scale', target='APL>KC', value=0.5))
        >>> checked([silence("KC"), silence("KC[7]")])
        Traceback (most recent call last):
        ...
        kenyon.errors.InputError: manipulations must be at most one of a kind for each cell, got 'silence KC' and
        'silence KC[7]' for KC[7]
    """
    given = [_manipulation(own) for own in checks.several("manipulations", manipulations)]
    ordered = sorted(given, key=_order)
    taken: dict[tuple[str, str], Manipulation] = {}
    for own in ordered:
        for place in _places(own):
            other = taken.setdefault((own.kind, place), own)
            if other is not own:
                raise InputError(
                    f"manipulations must be at most one of a kind for each cell, got {shown(other.text)} and "
                    f"{shown(own.text)} for {place}"
                )
    return tuple(ordered)


def fitting(manipulations: Iterable[Manipulation], cells: Layout) -> None:
    """Refuse a manipulation of a Kenyon cell that a circuit does not have.

    Raises:
        InputError: there is one.

    Example:
        >>> fitting([silence("KC[72]")], layout(73))
        >>> fitting([silence("KC[72]")], layout(72))
        Traceback (most recent call last):
        ...
        kenyon.errors.InputError: a Kenyon cell of this circuit must be from KC[0] to KC[71], got 'silence KC[72]'
    """
    for own in manipulations:
        if own.place is not None and own.place >= cells.n_kcs and own.group == "KC":
            raise InputError(
                f"a Kenyon cell of this circuit must be from KC[0] to KC[{cells.n_kcs - 1}], got {shown(own.text)}"
            )


def _order(own: Manipulation) -> tuple[int, int, int, str]:
    group = list(GROUPS).index(own.group) if own.group else 0
    return KINDS.index(own.kind), group, own.place or 0, own.target


def _manipulation(given: object) -> Manipulation:
    if isinstance(given, str):
        return Manipulation.parse(given)
    return checks.instance("manipulation", given, Manipulation, f"pass one, or text such as {_FORMS}")


def _places(own: Manipulation) -> list[str]:
    """Return what two of one kind must not share: each cell, each cell's connection, or the constant."""
    if own.kind == "set":
        return [own.target]
    _, arrow, target = own.target.partition(">")
    places = range(_most(own.group)) if own.place is None else [own.place]
    return [_name(own.group, place) + arrow + target for place in places]


def _most(group: str) -> int:
    """Return how many cells a group has at most."""
    return len(range(MOST_NEURONS)[layout(MOST_KCS).groups[group]])


def _number(kind: str, word: str) -> float | int | None:
    if kind == "set" and word == "none":
        return None
    digits = word.removesuffix("pA") if kind == "drive" else word
    if not _NUMBER.fullmatch(digits) or (kind == "drive" and digits == word):
        expected = "a decimal number with its unit, such as 20pA" if kind == "drive" else "a decimal number"
        raise InputError(f"the value to {kind} must be {expected}, got {shown(word)}")
    return float(digits) if "." in digits else int(digits)


def _cells(text: object) -> str:
    """Return the name of cells as it is spelled."""
    named = _CELL.fullmatch(text) if isinstance(text, str) else None
    if named is None:
        raise InputError(f"cells must be named as a group or one of it, such as KC or KC[7], got {shown(text)}")
    group, place = named.groups()
    most = _most(checks.one_of("cell group", group, list(GROUPS)))
    if place is None:
        return str(group)
    if int(place) >= most:
        raise InputError(f"a cell of {group} must be from 0 to {most - 1}, got {shown(text)}")
    return _name(group, int(place))


def _name(group: str, place: int) -> str:
    return f"{group}[{place}]" if _most(group) > 1 else group


def _connection(text: object) -> str:
    source, _, target = text.partition(">") if isinstance(text, str) else ("", "", "")
    if _CELL.fullmatch(source):
        name = _cells(source)
        if f"{name.partition('[')[0]}>{target}" in CONNECTIONS:
            return f"{name}>{target}"
    raise InputError(f"unknown connection {shown(text)}; there are {', '.join(CONNECTIONS)}")


def _check_silence(target: object, value: object) -> tuple[str, None]:
    _check_absent("silence", value)
    return _cells(target), None


def _check_drive(target: object, value: object) -> tuple[str, float]:
    return _cells(target), checks.number("current", value, low=-_MOST_PA, high=_MOST_PA, unit="pA") + 0.0


def _check_cut(target: object, value: object) -> tuple[str, None]:
    _check_absent("cut", value)
    return _connection(target), None


def _check_scale(target: object, value: object) -> tuple[str, float]:
    return _connection(target), checks.number("factor", value, low=0.0, high=_MOST_FACTOR) + 0.0


def _check_set(target: Any, value: object) -> tuple[str, float | int | None]:
    name = checks.one_of("parameter", target, list(constants()))
    if name in _FIXED:
        raise InputError(f"a constant to set for a while must not be one of {', '.join(_FIXED)}, got {name}")
    return name, constants()[name].check(name, value)


def _check_absent(kind: str, value: object) -> None:
    if value is not None:
        raise InputError(f"the value of a manipulation must be None to {kind}, got {shown(value)}")


_CHECKS = {
    "silence": _check_silence,
    "drive": _check_drive,
    "cut": _check_cut,
    "scale": _check_scale,
    "set": _check_set,
}
