"""How sure it is what groups of larvae prefer: means of conditions, their intervals, and what the controls leave."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from kenyon.conditioning import origin
from kenyon.conditioning.spelling import duration
from kenyon.conditioning.statistics import holm, interval
from kenyon.larvaworld_plugin.dish_results import LONG_NAMES
from kenyon.larvaworld_plugin.head_casts import rate_modulation

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


def compare_tests(result: "xarray.Dataset") -> list[dict[str, Any]]:
    """Return one row for each test of each condition: what larvae preferred, how they cast their heads, how sure it is.

    Means over groups, and beside them intervals, those of the groups that are there, 95 %, by a bootstrap of 10,000
    resamples of the seed 0. `since_before` is by how much the preference of a group is above what it was in the first
    test of the same odors, if that came before any training.

    Args:
        result: The dataset of `training.train`, or several joined along the groups.

    Returns:
        Conditions in their order, each with its tests; behind two that mirror each other their mean, named
        "FIRST and SECOND", in which what larvae prefer before any training cancels.

    Raises:
        MismatchError: groups are of other runs than the result states, or it is joined along something else.
    """
    across = ("condition", "group", "test")
    origin.check(result, dict.fromkeys(("preference_index", "preference_mean"), across), "group")
    rows = []
    for name, own in conditions_of(result).items():
        for test in own.test.values:
            here = own.sel(test=test)
            if here.preference_mean.isnull().all():
                continue
            rows.append({"condition": name, "test": int(test), **_asked(here), **_row(here), **_since(own, here)})
    return rows


def conditions_of(result: "xarray.Dataset") -> "Mapping[str, xarray.Dataset]":
    """Return what each condition of a design gave, and behind two that mirror each other their mean.

    Args:
        result: The dataset of `training.train`.

    Returns:
        By the condition's name, in order, a dataset with the dimensions group, test, role and heading.
    """
    measured = result[[name for name in LONG_NAMES if name in result]]
    conditions: dict[str, xarray.Dataset] = {}
    for name, mirrored in zip(result.condition.values.tolist(), result.mirrors.values.tolist(), strict=True):
        conditions[name] = measured.sel(condition=name)
        if mirrored:
            mean = (conditions[mirrored] + conditions[name]) / 2  # Coordinates that differ are left out.
            conditions[f"{mirrored} and {name}"] = mean.assign_coords(test_odor=conditions[mirrored].test_odor)
    return conditions


def _asked(here: "xarray.Dataset") -> dict[str, Any]:
    """Return what a test was of, and when."""
    first, other = here.test_odor.values.tolist()
    return {"odor": first, "other": other, "after_s": float(here.after_s), "lived": bool(here.lived)}


def _row(here: "xarray.Dataset") -> dict[str, Any]:
    """Return what groups did in a test: means, and how sure they are."""
    toward, away = here.head_casts_hz.sel(heading=["toward", "away"]).transpose("heading", "group").values
    measured = {
        "preference": here.preference_mean.values,
        "rate_modulation": rate_modulation(toward, away),
        "reorientation_deg": here.reorientation_deg.values,
    }
    return {
        **{name: _mean(values) for name, values in measured.items()},
        **{f"{name}_interval": _bounds(values) for name, values in measured.items()},
        "at_end": float(here.preference_index.mean()),
        "learned": [float(mean) for mean in here.learned.mean("group")],
        "gain": [float(mean) for mean in here.gain.mean("group")],
        "head_casts_hz": [_mean(toward), _mean(away)],
        "distance_m": float(here.distance_m.mean()),
    }


def _since(own: "xarray.Dataset", here: "xarray.Dataset") -> dict[str, Any]:
    """Return how much more larvae prefer an odor than before any training, where they were tested then."""
    before = own.sel(test=0)
    same = before.test_odor.values.tolist() == here.test_odor.values.tolist()
    if int(here.test) == 0 or float(before.after_s) > 0 or not same:
        return {"since_before": None, "since_before_interval": None}
    more = (here.preference_mean - before.preference_mean).values
    return {"since_before": _mean(more), "since_before_interval": _bounds(more)}


def _mean(values: Any) -> float:
    """Return the mean of the groups that have a value; nan of none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def words_of(row: Mapping[str, Any]) -> str:
    """Return what a test was of, and when, in a few words.

    Args:
        row: Of `compare_tests`.

    Example:
        >>> words_of({"odor": "anisole", "other": "", "after_s": 120.0, "lived": True})
        'anisole after 120s, lived'
    """
    return f"{row['odor']} or {row['other']} {when(row)}" if row["other"] else f"{row['odor']} {when(row)}"


def when(row: Mapping[str, Any]) -> str:
    """Return when a test was, and whether larvae went on learning in it.

    Example:
        >>> when({"after_s": 0.0, "lived": False})
        'before'
    """
    after = f"after {duration(row['after_s'])}" if row["after_s"] else "before"
    return f"{after}{', lived' if row['lived'] else ''}"
