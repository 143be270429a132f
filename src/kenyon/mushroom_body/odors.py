"""The 34 measured odors: how strongly each of the 21 larval receptors answers at a concentration.

Source: Si et al. 2019, Neuron 101:950 (published data, MIT licence), averaged over animals;
the table lies beside this file as `data/orn_responses.csv`.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.compiled import compiled
from kenyon.errors import InputError
from kenyon.mushroom_body.circuit import N_ORNS
from kenyon.words import shown

CITATION = "Si et al. 2019, Neuron 101:950"
REFERENCE_DILUTION = 1e-4
"""The dilution (v/v) that a concentration of 1.0 stands for."""

FloatArray = NDArray[np.float64]
Odors = Mapping[str | int, float] | str | int | None
Mixture = Sequence[tuple[int, float]]
"""Odors that are there: number and concentration, which is above 0, of each."""


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
        if (known := table.get(odor)) is not None:  # Spelled as it is written there, as most are.
            return known
        key = odor.strip().lower()
        if key in table:
            return table[key]
        number = checks.spelled_integer(key)
        if number is None:
            raise InputError(f"unknown odor {shown(odor)}; {checks.nearest(odor, (o.name for o in odors()))}")
        odor = number
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
    answers: FloatArray = mixture_responses([_mixture([(odor, concentration)])])[0]
    return answers


def mixture_response(odors: Odors) -> FloatArray:
    """Return how strongly each receptor answers to an odor, to several at once (they add), or to none.

    Args:
        odors: A name or number at concentration 1.0, or concentrations by name or number, or None.

    Returns:
        [21] float64, as `response`.

    Raises:
        InputError: an odor is unknown or named twice, or a concentration is not finite.

    Example:
        >>> both = mixture_response({"pentyl acetate": 1.0, "3-octanol": 0.1})
        >>> bool(np.allclose(both, response("pentyl acetate") + response("3-octanol", 0.1)))
        True
    """
    answers: FloatArray = mixture_responses([mixture(odors)])[0]
    return answers


def mixture(odors: Odors) -> Mixture:
    """Return which odors are there, and how much of each.

    Args:
        odors: As for `mixture_response`.

    Raises:
        InputError: as for `mixture_response`.

    Example:
        >>> mixture({"pentyl acetate": 0.5, "3-octanol": 0.0})
        [(31, 0.5)]
    """
    if odors is None:
        return []
    # A dictionary is asked for first: Mapping alone takes longer to tell than all the rest.
    return _mixture(odors.items() if isinstance(odors, (dict, Mapping)) else [(odors, 1.0)])


def _mixture(odors: Iterable[tuple[str | int, float]]) -> Mixture:
    there: dict[int, float] = {}
    for odor, given in odors:
        known = find(odor)
        if known.number in there:
            raise InputError(f"odors must name each odor once, got {shown(known.name)} twice")
        there[known.number] = checks.number(f"concentration of {known.name}", given)
    return [(number, concentration) for number, concentration in there.items() if concentration > 0.0]


def mixture_responses(mixtures: Sequence[Mixture]) -> FloatArray:
    """Return how strongly each receptor answers to each of several mixtures: [mixtures, 21] float64.

    Example:
        >>> bool((mixture_responses([[(31, 0.5)], []])[0] == response(31, 0.5)).all())
        True
    """
    answers = np.zeros((len(mixtures), N_ORNS))
    odors = [(place, *odor) for place, mixture in enumerate(mixtures) for odor in mixture]
    if odors:
        places, numbers, given = zip(*odors, strict=True)
        c = np.array(given)
        _add_responses(np.array(places), np.array(numbers), c, np.log10(c), *_curves(), answers)
    return answers


@cache
def _curves() -> tuple[NDArray[np.int64], FloatArray]:
    """Return the curves of all odors: points measured [34, 21], and up to that many of each [34, 3, 21, points].

    The three are, from the left, concentrations, their log10, and responses of which negative ones are 0.
    """
    known = odors()
    most = max(len(odor.concentrations) for odor in known)
    points, curves = np.empty((len(known), N_ORNS), dtype=np.int64), np.zeros((len(known), 3, N_ORNS, most))
    for odor in known:
        at, heights = np.array(odor.concentrations), np.maximum(np.array(odor.responses), 0.0)
        for receptor in range(N_ORNS):
            measured = ~np.isnan(heights[:, receptor])
            points[odor.number, receptor] = n = int(measured.sum())
            curves[odor.number, :, receptor, :n] = [at[measured], np.log10(at[measured]), heights[measured, receptor]]
    return points, curves


@compiled
def _add_responses(
    places: NDArray[np.int64],
    numbers: NDArray[np.int64],
    c: FloatArray,
    log_c: FloatArray,
    points: NDArray[np.int64],
    curves: FloatArray,
    answers: FloatArray,
) -> None:
    """Add the response to each odor to those of the mixture it belongs to, in the order given."""
    for odor in range(len(numbers)):
        at, log_at, heights = curves[numbers[odor]]
        x = log_c[odor]
        for receptor in range(N_ORNS):
            last = points[numbers[odor], receptor] - 1
            if c[odor] < at[receptor, 0]:
                answer = heights[receptor, 0] * c[odor] / at[receptor, 0]
            elif x >= log_at[receptor, last]:
                answer = heights[receptor, last]
            else:  # As np.interp, to the last bit, which takes three times as long for one number.
                left = 0
                while log_at[receptor, left + 1] <= x:
                    left += 1
                rise = heights[receptor, left + 1] - heights[receptor, left]
                slope = rise / (log_at[receptor, left + 1] - log_at[receptor, left])
                answer = slope * (x - log_at[receptor, left]) + heights[receptor, left]
            answers[places[odor], receptor] += answer


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
