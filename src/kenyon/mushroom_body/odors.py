"""The 34 measured odors, and how strongly each of the 21 larval receptors answers to these and to odors of one's own.

Source: Si et al. 2019, Neuron 101:950 (published data, MIT licence), averaged over animals;
the table lies beside this file as `data/orn_responses.csv`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.compiled import compiled
from kenyon.errors import InputError
from kenyon.mushroom_body.circuit import N_ORNS
from kenyon.mushroom_body.odor import MeasuredOdor, Odor, read_odors
from kenyon.mushroom_body.odor_table import published, receptors
from kenyon.words import shown

__all__ = [
    "CITATION",
    "MeasuredOdor",
    "Mixture",
    "Odor",
    "Odors",
    "find",
    "from_plain",
    "mixture",
    "mixture_response",
    "mixture_responses",
    "odors",
    "plain",
    "read_odors",
    "receptors",
    "response",
    "similarity",
]

CITATION = "Si et al. 2019, Neuron 101:950"

FloatArray = NDArray[np.float64]
Named = str | int | Odor
"""What names an odor: a measured one by name or number, or one of one's own itself."""
Odors = Mapping[Any, float] | Named | None  # Any is Named: of a mapping the type of keys must be just that
Mixture = Sequence[tuple[Odor, float]]
"""Odors that are there: each, and its concentration, which is above 0."""


def odors() -> tuple[MeasuredOdor, ...]:
    """Return every measured odor, by number.

    Example:
        >>> len(odors()), odors()[0].name
        (34, '1-pentanol')
    """
    return tuple(_table().values())


def find(odor: Named) -> Odor:
    """Return an odor by its name (in any case) or its number; one of one's own is itself.

    Raises:
        InputError: there is no such odor; the message names the nearest ones.

    Example:
        >>> find("Pentyl acetate") is find(31)
        True
        >>> find("pentil acetate")
        Traceback (most recent call last):
        ...
        kenyon.errors.InputError: unknown odor 'pentil acetate'; did you mean 'pentyl acetate' or ...
    """
    table = _table()
    if isinstance(odor, Odor):
        return odor
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


def plain(odor: Named) -> Any:
    """Return an odor as JSON says it: the name of a measured one, all that one of one's own is; see `from_plain`.

    Raises:
        InputError: there is no such odor.

    Example:
        >>> plain("Anisole"), plain(Odor("mine", [0.5] * 21))["concentrations"]
        ('anisole', [1.0])
    """
    known = find(odor)
    if isinstance(known, MeasuredOdor):
        return known.name
    responses = [[None if math.isnan(own) else own for own in row] for row in known.responses]
    return {"name": known.name, "concentrations": list(known.concentrations), "responses": responses}


def from_plain(said: Any) -> Odor:
    """Return the odor that `plain` has put into words.

    Raises:
        InputError: there is no such odor, or its responses are none.

    Example:
        >>> mine = Odor("mine", [0.5] * 21)
        >>> from_plain(plain(mine)) == mine
        True
    """
    if not isinstance(said, Mapping):
        return find(said)
    if set(said) != {"name", "concentrations", "responses"}:
        raise InputError(f"an odor must have a name, concentrations and responses, got {shown(said)}")
    rows = [
        checks.several("responses of an odor", row) for row in checks.several("responses of an odor", said["responses"])
    ]
    responses = [[math.nan if own is None else own for own in row] for row in rows]
    return Odor(said["name"], responses, said["concentrations"])


def response(odor: Named, concentration: float = 1.0) -> FloatArray:
    """Return how strongly each receptor answers to an odor.

    Per receptor, over the concentrations at which it was measured, negative responses taken as 0: linear in log10 of
    the concentration between them, held above the highest, falling linearly to 0 with concentration below the lowest.

    Args:
        odor: Name, number or odor of one's own.
        concentration: 1.0 is the dilution 1e-04; 0 or less is no odor.

    Returns:
        [21] float64, response as measured (fluorescence change over baseline).

    Raises:
        InputError: the odor is unknown, or the concentration is not finite or one of which nothing is known.

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
        odors: A name, number or odor of one's own, at concentration 1.0; or concentrations by such; or None.

    Returns:
        [21] float64, as `response`.

    Raises:
        InputError: an odor is unknown or named twice, or a concentration not finite, or one of which nothing is known.

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
        >>> [(odor.name, there) for odor, there in mixture({"pentyl acetate": 0.5, "3-octanol": 0.0})]
        [('pentyl acetate', 0.5)]
    """
    if odors is None:
        return []
    # A dictionary is asked for first: Mapping alone takes longer to tell than all the rest.
    return _mixture(odors.items() if isinstance(odors, (dict, Mapping)) else [(odors, 1.0)])


def _mixture(odors: Iterable[tuple[Any, float]]) -> Mixture:
    there: dict[str, tuple[Odor, float]] = {}
    for odor, given in odors:
        known = find(odor)
        if known.name in there:
            raise InputError(f"odors must name each odor once, got {shown(known.name)} twice")
        there[known.name] = known, known.at(given)
    present = [(odor, concentration) for odor, concentration in there.values() if concentration > 0.0]
    if len(present) > 2:  # Sums of three depend on their order, in the last bit: so that is one of contents, not names.
        present.sort(key=lambda own: (own[0].id, own[1]))
    return present


def mixture_responses(mixtures: Sequence[Mixture]) -> FloatArray:
    """Return how strongly each receptor answers to each of several mixtures: [mixtures, 21] float64.

    Example:
        >>> bool((mixture_responses([[(find(31), 0.5)], []])[0] == response(31, 0.5)).all())
        True
    """
    answers = np.zeros((len(mixtures), N_ORNS))
    present = [(place, *odor) for place, mixture in enumerate(mixtures) for odor in mixture]
    if present:
        places, odors, given = zip(*present, strict=True)
        numbers, points, curves = _curves()
        known = [numbers.get(odor, -1) for odor in odors]
        if -1 in known:
            numbers, points, curves = _curves(tuple(dict.fromkeys(odor for odor in odors if odor not in numbers)))
            known = [numbers[odor] for odor in odors]
        c = np.array(given)
        _add_responses(np.array(places), np.array(known), c, np.log10(c), points, curves, answers)
    return answers


@lru_cache(maxsize=64)
def _curves(own: tuple[Odor, ...] = ()) -> tuple[dict[Odor, int], NDArray[np.int64], FloatArray]:
    """Return the curves of the measured odors and of those of one's own.

    Returns:
        The place of each odor in the others: points measured [odors, 21], and up to that many of each
        [odors, 3, 21, points]; the three are, from the left, concentrations, their log10, and responses of which
        negative ones are 0.
    """
    known: list[Odor] = [*odors(), *own]
    most = max(len(odor.concentrations) for odor in known)
    points, curves = np.empty((len(known), N_ORNS), dtype=np.int64), np.zeros((len(known), 3, N_ORNS, most))
    for number, odor in enumerate(known):
        at, heights = np.array(odor.concentrations), np.maximum(np.array(odor.responses), 0.0)
        for receptor in range(N_ORNS):
            measured = ~np.isnan(heights[:, receptor])
            points[number, receptor] = n = int(measured.sum())
            curves[number, :, receptor, :n] = [at[measured], np.log10(at[measured]), heights[measured, receptor]]
    return {odor: number for number, odor in enumerate(known)}, points, curves


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


def similarity(first: Named, second: Named, concentration: float = 1.0) -> float:
    """Return the cosine between the receptor responses to two odors; nan if one evokes none.

    Example:
        >>> round(similarity("pentyl acetate", "3-octanol"), 2)
        0.84
    """
    a, b = response(first, concentration), response(second, concentration)
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norms if norms > 0.0 else float("nan")


@cache
def _table() -> dict[str, MeasuredOdor]:
    return {name.lower(): MeasuredOdor(number) for number, name in enumerate(published())}
