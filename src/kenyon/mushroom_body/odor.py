"""One odor as data: how strongly each of the 21 receptors answers to it, at one concentration or at several."""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import FileFormatError, InputError
from kenyon.mushroom_body import odor_table
from kenyon.mushroom_body.circuit import N_ORNS
from kenyon.mushroom_body.odor_table import REFERENCE_DILUTION, Row
from kenyon.words import shown

FloatArray = NDArray[np.float64]
AnyOdor = TypeVar("AnyOdor", bound="Odor")

MOST_RESPONSE = 1000.0
"""A hundred times the strongest that was ever measured."""

_MOST_CONCENTRATION = 1e9
_MOST_CONCENTRATIONS = 100


@dataclass(frozen=True, init=False)
class Odor:
    """An odor of one's own, or a measured one; it stands wherever an odor is named.

    Between concentrations responses are linear in log10 of the concentration, above the highest they stay, below the
    lowest they fall linearly to 0 with concentration; negative ones count as 0. An odor of one concentration says
    nothing about others, and serves at that one alone.

    Args:
        name: What results, tables and figures call it; no number depends on it.
        responses: 21 numbers, by channel as `receptors()` names them, in fluorescence change over baseline as Si et
            al. 2019 measured it (up to 8); or such rows by concentration, {0.01: [...], 1.0: [...]}.
        concentrations: Where each row was measured, if the rows are given as such; 1.0 is the dilution 1e-04.

    Attributes:
        name: As given.
        responses: [concentrations, 21] responses of the receptors; nan where not measured.
        concentrations: Where it was measured, rising.

    Raises:
        InputError: the name is one of a measured odor, or no name; or a response or concentration is unusable.

    Example:
        >>> banana = Odor("banana", [0.0] * 18 + [2.5, 0.0, 1.0])
        >>> banana.concentrations
        (1.0,)
        >>> Odor("banana", {0.01: [0.1] * 21, 1.0: [2.0] * 21}).dilutions
        (1e-06, 0.0001)
    """

    name: str
    responses: tuple[tuple[float, ...], ...]
    concentrations: tuple[float, ...] = (1.0,)

    def __init__(self, name: str, responses: Any, concentrations: Any = (1.0,)) -> None:
        name = _checked_name(name)
        if isinstance(responses, Mapping):
            concentrations, responses = list(responses), list(responses.values())
        at, rows = _checked_rows(name, concentrations, responses)
        _fix(self, name=name, responses=rows, concentrations=at)

    @classmethod
    def read(cls: type[AnyOdor], path: str | os.PathLike[str], name: str | None = None) -> AnyOdor:
        """Return the odor of a CSV file.

        The file is a line of 21 numbers; or a line of names and one of numbers for each concentration: `concentration`
        (or `dilution`), `odor` and the 21 receptors, in any order.

        Args:
            path: The file.
            name: Of the odor; that in the file if not given, or the file's own name.

        Raises:
            FileFormatError: it holds something else; the message names line and column.
            FileNotFoundError: there is no such file.
            InputError: it holds several odors, or the name is unusable.
        """
        odors = _by_name(path)
        if len(odors) > 1:
            raise InputError(f"{path} must hold one odor, got {len(odors)}; read them with read_odors")
        ((own, rows),) = odors.items()
        return _made(cls, own if name is None else name, rows)

    @property
    def dilutions(self) -> tuple[float, ...]:
        """Dilutions (v/v) at which it was measured, rising."""
        return tuple(float(f"{c * REFERENCE_DILUTION:.6g}") for c in self.concentrations)

    @property
    def contents(self) -> list[Any]:
        """All of it that decides numbers, for ids of runs: its name is not among them."""
        return [self.concentrations, self.responses]

    @cached_property
    def id(self) -> str:
        """What two odors of equal contents have in common, whatever they are called: 16 hex digits of a SHA-256.

        Example:
            >>> Odor("mine", [0.5] * 21).id == Odor("yours", [0.5] * 21).id
            True
        """
        absent_is_null = [[None if math.isnan(own) else own for own in row] for row in self.responses]
        words = json.dumps([self.concentrations, absent_is_null], separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    @cached_property
    def strongest(self) -> float:
        """The strongest response of any receptor at any concentration."""
        return max(0.0, float(np.nanmax(self.responses)))

    def at(self, concentration: Any) -> float:
        """Return a concentration at which it can be smelled; 0 or less is no odor.

        Raises:
            InputError: it is no finite number, or responses are known at another concentration alone.

        Example:
            >>> Odor("banana", [0.5] * 21).at(0.1)
            Traceback (most recent call last):
            ...
            kenyon.errors.InputError: concentration of banana must be 1, where alone it was measured, got 0.1; ...
        """
        there = checks.number(f"concentration of {self.name}", concentration)
        if len(self.concentrations) == 1 and there > 0.0 and there != self.concentrations[0]:
            raise InputError(
                f"concentration of {self.name} must be {self.concentrations[0]:g}, where alone it was measured, got "
                f"{there:g}; give its responses at more concentrations"
            )
        return there

    def __hash__(self) -> int:
        """Hash the name, which is quick."""
        return hash(self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        """Make copies anew, checked, so that what is absent in them equals what is absent here."""
        return type(self), (self.name, self.responses, self.concentrations)


class MeasuredOdor(Odor):
    """One of the 34 odors as Si et al. 2019 measured them; `odors()` and `find` have them.

    Attributes:
        number: Its place in the table, from 0.
        animals: How many animals were measured at each concentration.
    """

    number: int
    animals: tuple[int, ...]

    def __init__(self, number: int) -> None:
        name = list(odor_table.published())[number]
        rows = sorted(odor_table.published()[name], key=lambda row: row.concentration)
        at, responses = _checked_rows(name, [row.concentration for row in rows], [row.responses for row in rows])
        _fix(self, name=name, responses=responses, concentrations=at)
        _fix(self, number=number, animals=tuple(row.animals for row in rows))

    def __reduce__(self) -> tuple[Any, ...]:
        """Make copies from the table."""
        return type(self), (self.number,)


def read_odors(path: str | os.PathLike[str]) -> tuple[Odor, ...]:
    """Return the odors of a CSV file, in the order in which it names them first; see `Odor.read`.

    Raises:
        FileFormatError: it holds something else; the message names line and column.
        FileNotFoundError: there is no such file.
        InputError: a name is unusable.
    """
    return tuple(_made(Odor, name, rows) for name, rows in _by_name(path).items())


def _by_name(path: str | os.PathLike[str]) -> dict[str, list[Row]]:
    odors: dict[str, list[Row]] = {}
    text = odor_table.text_of(path)
    for row in odor_table.read(str(path), text):
        odors.setdefault(row.odor or Path(path).stem, []).append(row)
    return odors


def _made(kind: type[AnyOdor], name: str, rows: list[Row]) -> AnyOdor:
    """Return the odor of some rows; what is wrong with it is said with its first line."""
    concentrations = [1.0 if len(rows) == 1 and math.isnan(row.concentration) else row.concentration for row in rows]
    unsaid = [row.place for row, concentration in zip(rows, concentrations, strict=True) if math.isnan(concentration)]
    if unsaid:
        raise FileFormatError(
            f"{unsaid[0]}, must say its concentration, as {name} has several lines, got none; add that column"
        )
    try:
        return kind(name, [row.responses for row in rows], concentrations)
    except InputError as reason:
        raise FileFormatError(f"{rows[0].place}: {reason}") from None


def _fix(odor: Odor, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(odor, name, value)


def _checked_name(given: Any) -> str:
    name = checks.label("name of an odor", given)
    if name.lower() in odor_table.published_names():
        raise InputError(f"name of an odor must be none of the 34 measured ones, got {shown(name)}; add a word to it")
    if name != name.strip() or '"' in name or checks.spelled_integer(name) is not None:
        raise InputError(
            f"name of an odor must be no number, with no blank at its ends and no double quote, got {shown(name)}"
        )
    return name


def _checked_rows(
    name: str, concentrations: Any, responses: Any
) -> tuple[tuple[float, ...], tuple[tuple[float, ...], ...]]:
    """Return concentrations, rising, and the responses at each."""
    at = [
        checks.positive(f"each concentration of {name}", own, high=_MOST_CONCENTRATION)
        for own in checks.several(f"concentrations of {name}", concentrations)
    ]
    with np.errstate(over="ignore"):  # Longer floats than ours become inf, and are refused.
        rows = np.atleast_2d(checks.numbers(f"responses to {name}", responses)).astype(np.float64)
    if not 1 <= len(at) <= _MOST_CONCENTRATIONS or rows.shape != (len(at), N_ORNS):
        raise InputError(
            f"responses to {name} must be {N_ORNS} numbers for each of 1 to {_MOST_CONCENTRATIONS} concentrations, got "
            f"shape {rows.shape} for {len(at)}"
        )
    if len(set(at)) < len(at):
        raise InputError(f"concentrations of {name} must differ, got {shown(at)}")
    if not (np.isnan(rows) | (np.abs(rows) <= MOST_RESPONSE)).all():
        raise InputError(f"responses to {name} must be within {MOST_RESPONSE:g} of 0, got {shown(float(_worst(rows)))}")
    unmeasured = np.isnan(rows).all(axis=0)
    if unmeasured.any():
        receptor = odor_table.receptors()[int(unmeasured.argmax())]
        raise InputError(
            f"responses to {name} must have at least one number for each receptor, got none for {receptor}"
        )
    # One and the same nan, which equals itself within tuples.
    lines = [tuple(math.nan if math.isnan(own) else own + 0.0 for own in row) for row in rows.tolist()]
    order = sorted(range(len(at)), key=at.__getitem__)
    return tuple(at[i] for i in order), tuple(lines[i] for i in order)


def _worst(rows: FloatArray) -> Any:
    return rows.flat[int(np.nanargmax(np.abs(rows)))]
