"""How sure it is what groups of larvae prefer: means of conditions, their intervals, and what the controls leave."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from kenyon.conditioning import origin
from kenyon.conditioning.statistics import holm, interval

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

RECIPROCAL = "reciprocal"
"""The mean of the conditions differential and mirrored, of the same larvae: what they prefer before any training, a
side or an odor, cancels."""

_MEASURED = ("preference_mean", "preference_index", "learned", "gain")


def by_condition(result: "xarray.Dataset") -> "Mapping[str, xarray.Dataset]":
    """Return what each condition gave, and beside two that mirror each other their mean.

    Args:
        result: The dataset of `preference.preference`.

    Returns:
        By the condition's name, in order, a dataset with the dimensions group and role.
    """
    conditions = {str(name): result[list(_MEASURED)].sel(condition=name) for name in result.condition.values}
    if {"differential", "mirrored"} <= set(conditions):
        both = [conditions[name].drop_vars("condition") for name in ("differential", "mirrored")]
        conditions[RECIPROCAL] = (both[0] + both[1]) / 2
    return conditions


def compare(result: "xarray.Dataset") -> list[dict[str, Any]]:
    """Return one row for each condition: mean, interval, and how sure it is that others differ from it.

    The p value of a control, naive or unpaired, is against paired training, by the test of Mann and Whitney, two-sided,
    with groups as the unit, corrected after Holm. `above_naive` is the mean of what a group prefers more than the naive
    larvae of the same seed do, for the same odor. An interval is that of the groups that are there, 95 %, by a
    bootstrap of 10,000 resamples of the seed 0.

    Args:
        result: The dataset of `preference.preference`, or several joined along the groups.

    Returns:
        The conditions in their order, and last, where there are both, the mean of differential and mirrored, named
        "reciprocal".

    Raises:
        MismatchError: groups are of other runs than the result states, or it is joined along something else.
    """
    from scipy.stats import mannwhitneyu

    if "run_id" in result.coords:
        origin.check(result, dict.fromkeys(("preference_index", "preference_mean"), ("condition", "group")), "group")
    conditions = by_condition(result)
    indices = {name: own.preference_mean.values for name, own in conditions.items()}
    controls = [name for name in ("naive", "unpaired") if name in indices] if "paired" in indices else []
    p = [float(mannwhitneyu(indices["paired"], indices[name]).pvalue) for name in controls]
    corrected: dict[str, float] = dict(zip(controls, holm(p), strict=True))
    return [
        {
            "condition": name,
            "preference": float(indices[name].mean()),
            "interval": _bounds(indices[name]),
            **_above_naive(name, indices),
            "at_end": float(own.preference_index.mean()),
            "learned": [float(mean) for mean in own.learned.mean("group")],
            "gain": [float(mean) for mean in own.gain.mean("group")],
            "p": corrected.get(name),
        }
        for name, own in conditions.items()
    ]


def _above_naive(name: str, indices: Mapping[str, Any]) -> dict[str, Any]:
    """Return how much more than naive larvae of the same seed those of a condition prefer the trained odor."""
    if name == "naive" or "naive" not in indices:
        return {"above_naive": None, "above_naive_interval": None}
    # To the mirrored the trained odor is the other one; in the mean of both what naive larvae prefer cancels.
    sign = {"mirrored": -1.0, RECIPROCAL: 0.0}.get(name, 1.0)
    more = indices[name] - sign * indices["naive"]
    return {"above_naive": float(more.mean()), "above_naive_interval": _bounds(more)}


def _bounds(values: Any) -> list[float]:
    return [float(bound) for bound in interval(np.asarray(values, dtype=np.float64))]
