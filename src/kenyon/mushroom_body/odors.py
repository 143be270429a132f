"""The 34 measured odors: how strongly each of the 21 larval receptors answers at a concentration.

Source: Si et al. 2019, Neuron 101:950 (published data, MIT licence), averaged over animals;
the table lies beside this file as `data/orn_responses.csv`.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.compiled import compiled
from kenyon.errors import InputError
from kenyon.mushroom_body.circuit import N_ORNS

CITATION = "Si et al. 2019, Neuron 101:950"
REFERENCE_DILUTION = 1e-4
"""The dilution (v/v) that a concentration of 1.0 stands for."""

FloatArray = NDArray[np.float64]
Odors = Mapping[str | int, float] | str | int | None


@dataclass(frozen=True)
class Odor:
    """One odor as it was measured.

    Attributes:
        number: Its place in the table, from 0.
        name: Its chemical name.
        concentrations: Where it was measured, rising; 1.0 is the dilution 1e-04.
        responses: [concentrations, 21] mean responses of the receptors; nan where not measured.
        animals: How many animals were measured at each concentration.
    """

    number: int
    name: str
    concentrations: tuple[float, ...]
    responses: tuple[tuple[float, ...], ...]
    animals: tuple[int, ...]

    @property
    def dilutions(self) -> tuple[float, ...]:
        """Dilutions (v/v) at which it was measured, rising."""
        return tuple(float(f"{c * REFERENCE_DILUTION:.6g}") for c in self.concentrations)


def odors() -> tuple[Odor, ...]:
    """Return every measured odor, by number.

    Example:
        >>> len(odors()), odors()[0].name
        (34, '1-pentanol')
    """
    return tuple(_table().values())


def receptors() -> tuple[str, ...]:
    """Return the names of the 21 receptors, by channel."""
    return _header()[3:]


def find(odor: str | int) -> Odor:
    """Return an odor by its name (in any case) or its number.

    Raises:
        InputError: there is no such odor; the message names the nearest ones.

    Example:
        >>> find("Pentyl acetate").number == find(find("pentyl acetate").number).number
        True
        >>> find("pentil acetate")
        Traceback (most recent call last):
        ...
        kenyon.errors.InputError: unknown odor 'pentil acetate'; did you mean 'pentyl acetate' or ...
    """
    table = _table()
    if isinstance(odor, str):
        key = odor.strip().lower()
        if key in table:
            return table[key]
        if key.isdecimal():
            odor = int(key)
        else:
            raise InputError(f"unknown odor {odor!r}; {checks.nearest(odor, (o.name for o in odors()))}")
    return odors()[checks.integer("odor number", odor, low=0, high=len(table) - 1)]


def response(odor: str | int, concentration: float = 1.0) -> FloatArray:
    """Return how strongly each receptor answers to an odor.

    Per receptor, over the concentrations at which it was measured, negative responses taken as 0: linear in log10 of
    the concentration between them, held above the highest, falling linearly to 0 with concentration below the lowest.

    Args:
        odor: Name or number.
        concentration: 1.0 is the dilution 1e-04; 0 or less is no odor.

    Returns:
        [21] float64, response as measured (fluorescence change over baseline).

    Raises:
        InputError: the odor is unknown or the concentration is not finite.

    Reference:
        Si et al. 2019, Neuron 101:950.

    Example:
        >>> response("pentyl acetate", 0.0).sum()
        np.float64(0.0)
    """
    return _response(find(odor), concentration)


def _response(known: Odor, concentration: float) -> FloatArray:
    concentration = checks.number(f"concentration of {known.name}", concentration)
    if concentration <= 0.0:
        return np.zeros(N_ORNS)
    answers = np.empty(N_ORNS)
    _read_curves(*_curves(known.number), concentration, np.log10(concentration), answers)
    return answers


@cache
def _curves(number: int) -> tuple[NDArray[np.int64], FloatArray, FloatArray, FloatArray]:
    """Return the curves of one odor: points measured [21], and up to that many of each [21, points] from the left.

    They are concentrations, their log10, and responses of which negative ones are 0.
    """
    known = odors()[number]
    at, heights = np.array(known.concentrations), np.maximum(np.array(known.responses), 0.0)
    curves = np.zeros((3, N_ORNS, len(at)))
    points = np.empty(N_ORNS, dtype=np.int64)
    for receptor in range(N_ORNS):
        measured = ~np.isnan(heights[:, receptor])
        points[receptor] = measured.sum()
        curves[:, receptor, : points[receptor]] = [at[measured], np.log10(at[measured]), heights[measured, receptor]]
    return points, curves[0], curves[1], curves[2]


@compiled
def _read_curves(
    points: NDArray[np.int64],
    at: FloatArray,
    log_at: FloatArray,
    heights: FloatArray,
    c: float,
    log_c: float,
    out: FloatArray,
) -> None:
    for receptor in range(out.shape[0]):
        n = points[receptor]
        if c < at[receptor, 0]:
            out[receptor] = heights[receptor, 0] * c / at[receptor, 0]
        else:
            out[receptor] = np.interp(log_c, log_at[receptor, :n], heights[receptor, :n])


def mixture_response(mixture: Odors) -> FloatArray:
    """Return how strongly each receptor answers to an odor, to several at once (they add), or to none.

    Args:
        mixture: A name or number at concentration 1.0, or concentrations by name or number, or None.

    Returns:
        [21] float64, as `response`.

    Raises:
        InputError: an odor is unknown or named twice, or a concentration is not finite.

    Example:
        >>> both = mixture_response({"pentyl acetate": 1.0, "3-octanol": 0.1})
        >>> bool(np.allclose(both, response("pentyl acetate") + response("3-octanol", 0.1)))
        True
    """
    if mixture is None:
        return np.zeros(N_ORNS)
    if not isinstance(mixture, Mapping):
        return response(mixture)
    if len(mixture) == 1:
        return response(*next(iter(mixture.items())))
    total = np.zeros(N_ORNS)
    seen: set[int] = set()
    for odor, concentration in mixture.items():
        known = find(odor)
        if known.number in seen:
            raise InputError(f"odors must name each odor once, got {known.name!r} twice")
        seen.add(known.number)
        total += _response(known, concentration)
    return total


def similarity(first: str | int, second: str | int, concentration: float = 1.0) -> float:
    """Return the cosine between the receptor responses to two odors; nan if one evokes none.

    Example:
        >>> round(similarity("pentyl acetate", "3-octanol"), 2)
        0.84
    """
    a, b = response(first, concentration), response(second, concentration)
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norms if norms > 0.0 else float("nan")


def _rows() -> list[list[str]]:
    table = resources.files("kenyon.mushroom_body") / "data" / "orn_responses.csv"
    return list(csv.reader(table.read_text(encoding="utf-8").splitlines()))


@cache
def _header() -> tuple[str, ...]:
    return tuple(_rows()[0])


@cache
def _table() -> dict[str, Odor]:
    measurements: dict[str, list[list[str]]] = {}
    for row in _rows()[1:]:
        measurements.setdefault(row[0], []).append(row)
    table = {}
    for number, (name, rows) in enumerate(measurements.items()):
        rows.sort(key=lambda row: float(row[1]))
        table[name.lower()] = Odor(
            number=number,
            name=name,
            concentrations=tuple(float(f"{float(row[1]) / REFERENCE_DILUTION:.6g}") for row in rows),
            responses=tuple(tuple(float(cell) if cell else float("nan") for cell in row[3:]) for row in rows),
            animals=tuple(int(row[2]) for row in rows),
        )
    return table
