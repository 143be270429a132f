"""Groups of larvae compared: which numbers of which results, held against each other how."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.conditioning import results, statistics
from kenyon.conditioning.comparison import Comparison, Difference, Mean
from kenyon.conditioning.outcome import Results
from kenyon.errors import InputError
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

FloatArray = NDArray[np.float64]
UNITS = ("larva", "group")
ZERO = "0"
"""What a single group is compared with."""

_MOST_GROUPS = 1000


def compare(
    groups: Any,
    *,
    control: str | None = None,
    of: str = "preference_index",
    test: int | str = -1,
    odor: str | None = None,
    unit: str = "larva",
    paired: bool | None = None,
    trained: str | None = None,
    margin: float | None = None,
    trend: bool = False,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare groups of larvae.

    Differences are of means, with percentile bootstrap intervals; p values by ranks (Wilcoxon's signed ranks of pairs,
    Mann and Whitney's U otherwise), corrected after Holm.

    Args:
        groups: By name: results of one group, as `run` and `load` give them; or numbers, one a larva, as arrays of
            numpy or xarray. With the group as the unit numbers may be [groups, larvae], of which the mean over larvae
            counts.
        control: The group that all others are held against; every pair if not given.
        of: Of results, the variable to compare.
        test: Of results, which test: its place among those of the odor, or what it came after, such as "training 2".
            The last if not given.
        odor: Of results, the odor tested; the first if not given.
        unit: What counts once: "larva", or "group", where larvae of one group share something, such as a dish or a
            seed. Of results, the larvae of one run are a group then.
        paired: Whether unit i is the same in all groups. Larvae of results are where they have the same seeds, unless
            told otherwise; numbers are only if told.
        trained: The group whose difference from the control (the first of the others, if there is none) is what
            training does; differences are given as shares of that.
        margin: The largest difference that counts as none, in the unit of the measure: differences are tested for lying
            within it on both sides of 0, for a large p alone does not say that there is no effect.
        trend: Whether to ask if groups rise or fall in the order they are given in, such as that of a dose.
        level: Of the intervals, and 1 less the p below which something is called an effect.
        seed: Of the resampling.

    Raises:
        InputError: a group, a test or an odor is unknown, numbers are none, or paired groups are not of the same units.
        MismatchError: larvae of a result are of other runs than it states; see `results.check`.

    Randomness:
        The stream "bootstrap" of `seed`.

    Example:
        >>> doses = {"low": [0.1, 0.2, 0.1, 0.3], "high": [0.5, 0.7, 0.6, 0.8]}
        >>> compared = compare(doses, paired=True)
        >>> round(compared.differences[0].difference, 3), compared.unit
        (-0.475, 'larva')
    """
    level = checks.number("level", level, low=0.5, high=0.9999)
    unit = checks.one_of("unit", unit, UNITS)
    if margin is not None:
        margin = checks.positive("margin", margin)
    groups = _groups(groups)
    values, same = _values(groups, of, test, odor, unit)
    as_pairs = bool(same) and unit == "larva" if paired is None else checks.boolean("paired", paired)
    if as_pairs and len({len(own) for own in values.values()}) > 1:
        counts = ", ".join(f"{name} has {len(own)}" for name, own in values.items())
        raise InputError(f"paired groups must have as many units each, got {counts}")
    training = _training(values, trained, control)
    pairs = _pairs(values, control)
    found = [_difference(values, *pair, as_pairs, training, margin, level, seed) for pair in pairs]
    corrected = zip(*(statistics.holm([own[key] for own in found]) for key in ("p", "equivalence_p")), strict=True)
    differences = [{**own, "p": p, "equivalence_p": e} for own, (p, e) in zip(found, corrected, strict=True)]
    return Comparison(
        measure=_measure(groups, of),
        unit=unit,
        paired=as_pairs,
        means=tuple(_mean(name, own, level, seed) for name, own in values.items()),
        differences=tuple(Difference(**{key: _one_nan(value) for key, value in own.items()}) for own in differences),
        trend=statistics.trend(_complete(list(values.values()), as_pairs), paired=as_pairs)
        if checks.boolean("trend", trend)
        else None,
        margin=math.nan if margin is None else margin,
        training=training,
        level=level,
        seed=seed,
    )


def _groups(given: Any) -> dict[Any, Any]:
    """Return what is compared by name; of an experiment of one group, its result."""
    if not isinstance(given, Mapping):
        raise InputError(f"groups must be results, or numbers, by name, got {shown(given)}; pass {{'paired': result}}")
    if not 1 <= len(given) <= _MOST_GROUPS:
        raise InputError(f"groups must be 1 to {_MOST_GROUPS}, got {len(given) or 'none'}")
    return {name: own.one if isinstance(own, Results) else own for name, own in given.items()}


def _values(
    groups: Mapping[Any, Any], of: str, test: int | str, odor: str | None, unit: str
) -> tuple[dict[str, FloatArray], bool | None]:
    """Return the numbers of each group, one a unit, and whether their larvae are the same; None where none say it."""
    values, seeds = {}, []
    for given, own in groups.items():
        name = checks.label("name of a group", given)
        numbers, of_larvae = _numbers(name, own, of, test, odor, unit)
        if np.isinf(numbers).any() or not (~np.isnan(numbers)).any():
            raise InputError(f"{name} must have finite numbers, got {shown(numbers.tolist())}")
        values[name] = numbers
        seeds.append(of_larvae)
    known = [own for own in seeds if own is not None]
    if len(known) < len(seeds):
        return values, None
    return values, all(own == known[0] and len(set(own)) == len(own) for own in known)


def _measure(groups: Mapping[str, Any], of: str) -> str:
    """Return what is compared, as far as that has a name."""
    import xarray

    named = (of if isinstance(own, xarray.Dataset) else getattr(own, "name", None) for own in groups.values())
    return ", ".join(sorted({str(name or "value") for name in named}))


def _numbers(
    name: str, given: Any, of: str, test: int | str, odor: str | None, unit: str
) -> tuple[FloatArray, list[Any] | None]:
    """Return one number a unit, and the seeds of larvae where they have such."""
    import xarray

    if isinstance(given, xarray.Dataset):
        array = _selected(name, given, of, test, odor)
        if unit == "larva":
            return array.values.astype(np.float64), array.larva_seed.values.tolist()
        if "larva_run_id" not in given:
            raise InputError(f"{name} must say of which run each larva is, got none; pass [groups, larvae] as an array")
        runs = array.assign_coords(larva_run_id=given.larva_run_id).groupby("larva_run_id")
        return runs.mean("larva").values.astype(np.float64), []
    numbers = checks.numbers(name, given.values if isinstance(given, xarray.DataArray) else given).astype(np.float64)
    if numbers.ndim == 2 and unit == "group":
        numbers = np.nanmean(numbers, axis=1)
    if numbers.ndim != 1:
        raise InputError(f"{name} must have one number a {unit}, got shape {numbers.shape}")
    seeds = None
    if isinstance(given, xarray.DataArray) and "larva_seed" in given.coords and unit == "larva":
        seeds = given.larva_seed.values.tolist()
    return numbers, seeds


def _selected(name: str, result: "xarray.Dataset", of: str, test: int | str, odor: str | None) -> "xarray.DataArray":
    """Return what larvae of a result answered at one test to one odor, [B], with their seeds."""
    results.check(result)
    measured = [own for own in map(str, result.data_vars) if "larva" in result[own].dims]
    array = result[checks.one_of("variable", of, measured)]
    if "test_odor" in array.dims:
        odors = [str(own) for own in array.test_odor.values]
        if not odors:
            raise InputError(f"{name} must have been tested to be compared, got no test; write one such as ?A")
        array = array.sel(test_odor=odors[0] if odor is None else checks.one_of(f"odor tested in {name}", odor, odors))
    if "test" in array.dims:
        array = array.isel(test=_place(name, result, array, test))
    if array.dims != ("larva",):
        found = ", ".join(map(str, array.dims))
        raise InputError(f"{of} of {name} must be one number a larva, got {found}; select, and pass arrays by name")
    return array


def _place(name: str, result: "xarray.Dataset", array: "xarray.DataArray", test: int | str) -> int:
    """Return the place of a test, of those at which there was an answer."""
    labels = results.test_labels(result)
    if isinstance(test, str):
        return labels.index(checks.one_of(f"test of {name}", test, labels))
    asked = np.flatnonzero(array.notnull().any([own for own in array.dims if own != "test"]).values)
    if not len(asked):
        raise InputError(f"{name} must have an answer at some test, got none; name another odor")
    return int(asked[checks.integer("place of a test", test, low=-len(asked), high=len(asked) - 1)])


def _pairs(values: Mapping[str, FloatArray], control: str | None) -> list[tuple[str, str]]:
    names = list(values)
    if control is not None:
        checks.one_of("control", control, names)
        return [(name, control) for name in names if name != control] or [(control, ZERO)]
    return list(combinations(names, 2)) or [(names[0], ZERO)]


def _training(values: Mapping[str, FloatArray], trained: str | None, control: str | None) -> tuple[str, str] | None:
    if trained is None:
        return None
    checks.one_of("trained", trained, list(values))
    others = [name for name in values if name != trained] if control is None else [control]
    if not others or others[0] == trained:
        raise InputError(f"trained must be another group than the control, got {shown(trained)} alone")
    return trained, checks.one_of("control", others[0], list(values))


def _mean(name: str, values: FloatArray, level: float, seed: int) -> Mean:
    there = values[~np.isnan(values)]
    bounds = statistics.interval(there, level=level, seed=seed).tolist()
    return Mean(name, len(there), float(there.mean()), _one_nan(tuple(bounds)))


def _one_nan(value: Any) -> Any:
    """Return a value whose nan is always the same one, so that what is equal is equal."""
    if isinstance(value, tuple):
        return tuple(map(_one_nan, value))
    return math.nan if isinstance(value, float) and math.isnan(value) else value


def _complete(groups: Sequence[FloatArray], paired: bool) -> list[FloatArray]:
    """Return groups without absent values; of pairs those that are complete."""
    if paired:
        whole = ~np.isnan(np.column_stack(groups)).any(axis=1)
        return [own[whole] for own in groups]
    return [own[~np.isnan(own)] for own in groups]


def _difference(
    values: Mapping[str, FloatArray],
    first: str,
    second: str,
    paired: bool,
    training: tuple[str, str] | None,
    margin: float | None,
    level: float,
    seed: int,
) -> dict[str, Any]:
    """Return what `Difference` has, p values as they are before correction."""
    against = np.zeros_like(values[first]) if second == ZERO and second not in values else values[second]
    alone = against is not values.get(second)
    as_pairs = paired or alone
    a, b = _complete([values[first], against], as_pairs)
    low, high = share_low, share_high = np.nan, np.nan
    share = np.nan
    if min(len(a), len(b)) >= 2:
        sampled = statistics.means([a, b], paired=as_pairs, seed=seed)
        low, high = statistics.middle(sampled[:, 0] - sampled[:, 1], level).tolist()
    if training is not None:
        share, share_low, share_high = _share(values, (first, second), training, paired, level, seed)
    return {
        "first": first,
        "second": second,
        "n": (len(a),) if as_pairs else (len(a), len(b)),
        "difference": float(a.mean() - b.mean()) if min(len(a), len(b)) else np.nan,
        "interval": (low, high),
        "p": statistics.difference_p(a, b, paired=as_pairs),
        "equivalence_p": np.nan if margin is None else statistics.equivalence_p(a, b, margin, paired=as_pairs),
        "share": share,
        "share_interval": (share_low, share_high),
    }


def _share(
    values: Mapping[str, FloatArray],
    pair: tuple[str, str],
    training: tuple[str, str],
    paired: bool,
    level: float,
    seed: int,
) -> tuple[float, float, float]:
    """Return a difference as a share of that of training, with bounds, all groups resampled together."""
    names = list(dict.fromkeys((*training, *pair)))
    groups = _complete([values[name] for name in names], paired)
    if min(map(len, groups)) < 2:
        return np.nan, np.nan, np.nan
    sampled = np.vstack([[group.mean() for group in groups], statistics.means(groups, paired=paired, seed=seed)])
    of = {name: sampled[:, place] for place, name in enumerate(names)}
    whole, part = of[training[0]] - of[training[1]], of[pair[0]] - of[pair[1]]
    low, high = statistics.middle(whole[1:], level)
    if low <= 0.0 <= high:  # Nothing that anything could be a share of.
        return np.nan, np.nan, np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = part / whole
    below, above = statistics.middle(shares[1:], level).tolist()
    return float(shares[0]), below, above
