"""Axes of a sweep: what can be varied, and how one value on each becomes points.

An axis is an argument of a run, a constant of the circuit by its dotted name, or a name of one's own that stands in
the design's text with `$` before it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from string import Template
from typing import Any, Final

import numpy as np

from kenyon import checks
from kenyon.conditioning.designs import Design
from kenyon.conditioning.library import as_design
from kenyon.conditioning.origin import LARVA_RUN_ID
from kenyon.conditioning.setup import Kept
from kenyon.conditioning.sweeps.points import Point, Value
from kenyon.conditioning.variables import MEASURED, SECONDS, STATED
from kenyon.errors import InputError
from kenyon.mushroom_body import DEFAULT, Parameters
from kenyon.mushroom_body.parameters import constants, named
from kenyon.words import shown

ARGUMENTS: Final = ("design", "larvae", "seed", "parameters", "wiring")
"""Arguments of a run that can be varied."""

GROUP: Final = "larva_group"
"""The axis that tells groups of one design apart."""

_DIMENSIONS = {dim for own in (*MEASURED.values(), *STATED.values(), *SECONDS.values()) for dim in own.dims}
RESERVED: Final = frozenset({*MEASURED, *STATED, *SECONDS, *_DIMENSIONS, LARVA_RUN_ID, "run", "done"})
"""Names that a collected result needs itself."""

_VALUES = (str, int, float, np.number, Design, Parameters, type(None))
_MANY = 256


class Axes:
    """Makes points of values on axes.

    Args:
        names: Of all axes, fixed ones too.
        varied: Of those that differ from point to point.
        options: As for `Design.read`: odors, bindings, reinforcer.
        kept: What is kept of each point.

    Raises:
        InputError: a name is of no axis, or there is no design.
    """

    def __init__(self, names: Sequence[str], varied: Sequence[str], options: Mapping[str, Any], kept: Kept) -> None:
        if "design" not in names:
            raise InputError('a sweep must have a design, got none; pass design="3x(A+ 60s, 60s) | ?A"')
        self._own = [name for name in names if name not in ARGUMENTS and name not in constants()]
        for name in self._own:
            _check_own_name(name)
        self._varied, self._options, self._kept = tuple(varied), dict(options), kept
        self._in_some_design: set[str] = set()
        self._designs: dict[Any, Design] = {}
        self._parameters = lru_cache(_MANY)(_parameters)

    def points(self, values: Mapping[str, Any]) -> Iterator[Point]:
        """Give a point for each group of the design that values on all axes make.

        Raises:
            NotationError: the design cannot be read.
            InputError: a value is unusable.
        """
        circuit = tuple((name, _of_constant(name, values[name])) for name in values if name in constants())
        parameters = self._parameters(values.get("parameters", DEFAULT), circuit)
        words = tuple((name, _in_text(values[name])) for name in self._own if name in values)
        key = values["design"], words, parameters.dt_ms  # No other constant matters to a design.
        if key not in self._designs:
            self._designs[key] = self._read(values["design"], words, parameters)
        design = self._designs[key]
        varied = {name: _said(values[name]) for name in self._varied if name in values}
        given = {name: values[name] for name in ("larvae", "seed", "wiring") if name in values}
        for group in design.groups:
            yield Point(
                _alone(design, group.name),
                parameters=parameters,
                kept=self._kept,
                varied=varied if len(design.groups) == 1 else {**varied, GROUP: group.name},
                **given,
            )

    def check_all_used(self) -> None:
        """Refuse an axis that stands in no design.

        Raises:
            InputError: there is one.
        """
        for name in self._own:
            if name not in self._in_some_design:
                known = [*ARGUMENTS, *constants(), *(f"${own}" for own in sorted(self._in_some_design))]
                raise InputError(
                    f"an axis must be one of {', '.join(ARGUMENTS)}, a constant of the circuit, or stand in the design "
                    f"as ${name}, got {shown(name)}; {checks.nearest(name, known)}"
                )

    def _read(self, given: Any, words: tuple[tuple[str, str], ...], parameters: Parameters) -> Design:
        """Return a design, with words in the places that its text leaves open."""
        if isinstance(given, Design):
            return given
        text = checks.instance("design", given, str, "pass a Design, an id of the library, or text in the notation")
        open_places = _open_places(text)
        self._in_some_design.update(open_places)
        known = dict(words)
        for name in open_places:
            if name not in known:
                raise InputError(f"${name} in a design must be an axis, got {_names(self._own)}; pass {name}=[...]")
        filled = Template(text).substitute(known)
        return as_design(filled, parameters=parameters, **self._options)


def check_value(name: str, value: Any) -> None:
    """Refuse what is no value on any axis; each of them is looked at more closely where it is used.

    Raises:
        InputError: it is none.

    Example:
        >>> check_value("seed", [1])
        Traceback (most recent call last):
        ...
        kenyon.errors.InputError: values of axis 'seed' must be numbers or texts, got [1]
    """
    if isinstance(value, bool) or not isinstance(value, _VALUES):  # True would be taken for 1.
        raise InputError(f"values of axis {shown(name)} must be numbers or texts, got {shown(value)}")


def _names(axes: Sequence[str]) -> str:
    return shown(list(axes)) if axes else "none"


def _check_own_name(name: Any) -> None:
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii():
        raise InputError(
            f"an axis must have a name of letters, digits and underscores, or be a constant of the circuit, got "
            f"{shown(name)}; {checks.nearest(name, [*ARGUMENTS, *constants()])}"
        )
    if name in RESERVED:
        raise InputError(f"an axis must have a name that no result has for something else, got {shown(name)}")


def _open_places(text: str) -> list[str]:
    """Return the names that stand in a text with $ before them.

    Raises:
        InputError: a $ stands before nothing.
    """
    found: dict[str, None] = {}
    for match in Template.pattern.finditer(text):
        name = match.group("named") or match.group("braced")
        if name is None:
            raise InputError(f"$ in a design must stand before the name of an axis, got {shown(text)}")
        found[name] = None
    return list(found)


def _in_text(value: Any) -> str:
    """Return a value as it is written in a design: numbers without exponent, which the notation does not know.

    Example:
        >>> _in_text(1e-05), _in_text(2.0), _in_text("anisole")
        ('0.00001', '2', 'anisole')
    """
    if isinstance(value, str):
        return value
    number = checks.number("a value in a design that is no text", value)
    return str(int(number)) if number.is_integer() else np.format_float_positional(number, trim="-")


def _of_constant(name: str, value: Any) -> Any:
    """Return the value of a constant: None, which is absent, where a table or a plan can only say nan.

    Example:
        >>> _of_constant("weight_floor_nS", float("nan")), _of_constant("weight_floor_nS", 12.0)
        (None, 12.0)
    """
    is_absent = constants()[name].optional and isinstance(value, float) and math.isnan(value)
    return None if is_absent else value


def _parameters(given: Any, changes: tuple[tuple[str, Any], ...]) -> Parameters:
    base = named(given) if isinstance(given, str) else given
    base = checks.instance("parameters", base, Parameters, "pass the name of a set, or a set")
    return base.replace(dict(changes)) if changes else base


@lru_cache(_MANY)
def _alone(design: Design, name: str) -> Design:
    """Return a design of one of its groups.

    Raises:
        InputError: the group has no test, and would be given some when it is alone.
    """
    if len(design.groups) == 1:
        return design
    group = design.group(name)
    alone = replace(design, groups=[group])
    if alone.groups != (group,):
        raise InputError(f"each group of a design that is swept must have a test, got none in {shown(name)}; add ?A")
    return alone


def _said(value: Any) -> Value:
    """Return a value as a table or a coordinate says it."""
    if isinstance(value, Design):
        return value.text
    if isinstance(value, Parameters):
        return value.description
    if value is None:
        return float("nan")  # No floor of weights: absent, as in every result.
    plain: Value = value.item() if hasattr(value, "item") else value
    return plain
