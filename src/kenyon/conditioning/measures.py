"""What is read out of a result besides preference: codes of odors, and what dopamine neurons make of reinforcers."""

from typing import TYPE_CHECKING, Final

import numpy as np

from kenyon import checks
from kenyon.conditioning import results
from kenyon.conditioning.phases import REINFORCERS
from kenyon.errors import InputError

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

WITH_CUE, ALONE, OMITTED = "cue and reinforcement", "reinforcement alone", "reinforcement omitted"
KINDS: Final = (WITH_CUE, ALONE, OMITTED)
"""What dopamine neurons are compared in: a reinforcer with an odor, alone, or left out where that odor came with it."""

_DANS: Final = {"reward": "DANp", "punishment": "DANn"}


def sparseness(result: "xarray.Dataset", *, treves_rolls: bool = False) -> "xarray.DataArray":
    """Return how sparse the code of the Kenyon cells was in each test.

    The share of the Kenyon cells that fired at all; or, if asked for, 1 - (mean r)² / mean(r²) of their spike counts r.

    Args:
        result: As `run(..., codes=True)` gives it.
        treves_rolls: Whether to give the second one, near 1 where few cells fire.

    Returns:
        [larva, test, test_odor] float64 from 0 to 1; nan where not tested, the second also where no cell fired.

    Raises:
        InputError: the result has not kept the codes.

    Reference:
        Treves & Rolls 1991, Network 2:371.

    Example:
        >>> from kenyon.conditioning import run
        >>> result = run("?A", larvae=2, codes=True, show_progress=False).one
        >>> bool((sparseness(result) < 0.5).all())
        True
    """
    spikes = _codes(result)
    if checks.boolean("treves_rolls", treves_rolls):
        mean_of_squares = (spikes**2).mean("kc", skipna=False)
        measured: xarray.DataArray = 1.0 - spikes.mean("kc", skipna=False) ** 2 / mean_of_squares.where(
            mean_of_squares > 0
        )
    else:
        measured = (spikes > 0).mean("kc").where(spikes.notnull().all("kc"))
    return measured.rename("sparseness")


def overlap(result: "xarray.Dataset", first: str, second: str) -> "xarray.DataArray":
    """Return how alike two tests are coded: the cosine between the spike counts of the Kenyon cells.

    Args:
        result: As `run(..., codes=True)` gives it.
        first: One of its test odors.
        second: Another.

    Returns:
        [larva, test] float64 from 0 to 1; nan where one was not tested or made no cell fire.

    Raises:
        InputError: the result has not kept the codes, or was not tested with one of the two.

    Example:
        >>> from kenyon.conditioning import run
        >>> result = run("B = 3-octanol: ?A, ?B", larvae=2, codes=True, show_progress=False).one
        >>> bool((overlap(result, "pentyl acetate", "3-octanol") < overlap(result, "3-octanol", "3-octanol")).all())
        True
    """
    spikes, known = _codes(result), result.test_odor.values.tolist()
    one, other = (spikes.sel(test_odor=checks.one_of("test odor", odor, known), drop=True) for odor in (first, second))
    lengths = ((one**2).sum("kc", skipna=False) * (other**2).sum("kc", skipna=False)) ** 0.5
    cosine: xarray.DataArray = (one * other).sum("kc", skipna=False) / lengths.where(lengths > 0)
    return cosine.rename("overlap")


def prediction_error(result: "xarray.Dataset", reinforcer: str = "reward", *, at: str = "phase") -> "xarray.DataArray":
    """Return what the dopamine neuron of a reinforcer did where it came with an odor, alone, or was left out.

    A neuron that tells by how much a reinforcer is unexpected fires less with the odor the more was learned, and less
    than before where the reinforcer is left out.

    Args:
        result: Of a group of larvae, to which all was done in one order.
        reinforcer: "reward" (DANp) or "punishment" (DANn).
        at: "phase", or "test" for what was tested.

    Returns:
        [larva, phase] or [larva, test, test_odor] float64, Hz, with the coordinate kind, one of `KINDS`. What is none
        of these is left out; an odor alone is one where it had come with the reinforcer before.

    Raises:
        InputError: an argument is unknown, or larvae have orders of their own.

    Reference:
        Schultz, Dayan & Montague 1997, Science 275:1593.

    Example:
        >>> from kenyon.conditioning import run
        >>> result = run("+ 1s, A+ 1s, A 1s, ?A", larvae=2, show_progress=False).one
        >>> prediction_error(result).kind.values.tolist()
        ['reinforcement alone', 'cue and reinforcement', 'reinforcement omitted']
    """
    results.check(result)
    dan = _DANS[checks.one_of("reinforcement", reinforcer, REINFORCERS)]
    if checks.one_of("place", at, ["phase", "test"]) == "phase":
        rates, dim, odors = result.phase_rate_hz, "phase", result.phase_odors
    else:
        rates, dim, odors = result.test_rate_hz, "test_odor", result.test_smelled
    doses = result[f"{at}_{reinforcer}"]
    if odors.ndim > 1 or doses.ndim > 1 or (at == "phase" and result.phase_start_s.ndim > 1):
        raise InputError("larvae must have met all in one order, got several; select the larvae of each, or of one run")
    trained = _trained(result, reinforcer)
    kinds = [
        _kind(odor, dose, before)
        for odor, dose, before in zip(
            odors.values.tolist(),
            doses.values.tolist(),
            trained[:-1] if at == "phase" else trained[-1:] * odors.size,
            strict=True,
        )
    ]
    there = [place for place, kind in enumerate(kinds) if kind]
    measured: xarray.DataArray = rates.sel(group=dan, drop=True).isel({dim: there})
    return measured.assign_coords(kind=(dim, np.array(kinds, dtype=str)[there])).rename("dan_rate_hz")


def _codes(result: "xarray.Dataset") -> "xarray.DataArray":
    """Return the spikes of each Kenyon cell in the tests, nan where there was none."""
    results.check(result)
    if "test_kc_spikes" not in result:
        raise InputError("a result must have kept the codes of its tests, got none; run with codes=True")
    spikes: xarray.DataArray = result.test_kc_spikes
    return spikes.where(spikes >= 0).astype(np.float64)


def _trained(result: "xarray.Dataset", reinforcer: str) -> list[set[str]]:
    """Return which odors had come with a reinforcer before each phase, and after the last one."""
    trained: list[set[str]] = [set()]
    doses = result[f"phase_{reinforcer}"].values.tolist()
    for odor, dose in zip(result.phase_odors.values.tolist(), doses, strict=True):
        trained.append(trained[-1] | ({odor} if dose > 0 and odor else set()))
    return trained


def _kind(odor: str, dose: float, trained: set[str]) -> str:
    if dose > 0:
        return WITH_CUE if odor else ALONE
    return OMITTED if odor in trained else ""
