"""Which of the things varied matters: Sobol indices, by SALib (extra `sweep`).

The first-order index of an axis is the share of the variance of a measure that this axis explains alone; its total
index adds all that it explains together with others.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.conditioning.sweeps.samples import Integers, LogUniform, Uniform
from kenyon.conditioning.sweeps.sweep import MOST_POINTS, Sweep
from kenyon.errors import InputError, MissingDependencyError, installed_by
from kenyon.seeds import checked_seed, generator
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

_RANGES: Final = (Uniform, LogUniform, Integers)


def sobol_sample(
    base: int, axes: Mapping[str, Any], /, *, sample_seed: int = 0, yes: bool = False, **more: Any
) -> Sweep:
    """Return the points that Sobol indices are computed from: `base` times the number of ranges and two.

    Args:
        base: A power of two. Some hundreds give indices to about a tenth, thousands to about a hundredth.
        axes: As for `Sweep`, two of them or more a range: `Uniform`, `LogUniform` or `Integers`.
        sample_seed: The same gives the same points.
        yes: More than a million points are meant.
        **more: As for `Sweep`, the same at each point. Fix the seed, so that all points have the same larvae.

    Randomness:
        The stream "sample" under `sample_seed`.

    Raises:
        NotationError: a design cannot be read.
        InputError: an axis or an option is unusable, the design is of several groups, or there are too many points.
        MissingDependencyError: SALib is not installed.

    Reference:
        Saltelli et al. 2010, Comput Phys Commun 181:259.

    Example:
        >>> ranges = {"dose": Uniform(0.1, 1), "learning_rate_nS": LogUniform(0.01, 1)}
        >>> sobol_sample(8, ranges, design="A@$dose+ 60s, ?A", larvae=4)
        <sweep of 32 points over dose, learning_rate_nS>
    """
    checks.integer("base", base, low=2, high=2**30)
    if base & (base - 1):
        raise InputError(f"base must be a power of two, got {base}; take {2 ** base.bit_length()}")
    checks.instance("axes", axes, Mapping, "pass a dictionary of ranges by name")  # type: ignore[type-abstract]  # mypy wants a concrete class
    ranges = {name: own for name, own in axes.items() if isinstance(own, _RANGES)}
    if len(ranges) < 2:
        raise InputError(f"axes of a Sobol sample must have two ranges or more, got {len(ranges)}; add Uniform(0, 1)")
    seed = checked_seed("sample_seed", sample_seed)
    points = base * (len(ranges) + 2)
    if points > MOST_POINTS and not checks.boolean("yes", yes):
        raise InputError(f"a sweep must have at most {MOST_POINTS:,} points, got {points:,}; pass yes=True")
    fixed = {name: own for name, own in axes.items() if name not in ranges}
    rows = [
        {name: own.at(share) for (name, own), share in zip(ranges.items(), row, strict=True)}
        for row in _shares(base, list(ranges), seed).tolist()
    ]
    sweep = Sweep.table(rows, yes=yes, **fixed, **more)
    if sweep.axes != tuple(ranges):
        raise InputError(f"a Sobol sample must be of a design of one group, got {shown(list(sweep.axes))} varied")
    return sweep


def sobol_indices(sample: Sweep, values: Any, *, level: float = 0.95, seed: int = 0) -> "xarray.Dataset":
    """Return the Sobol indices of a measure, with intervals.

    Args:
        sample: What `sobol_sample` returned.
        values: [points] a number for each point, in the order of the sample, such as
            `result.preference_index.isel(test=-1, test_odor=0).mean("larva")` of its collected result.
        level: Of the intervals.
        seed: Of the resampling.

    Returns:
        `first_order` and `total` along `axis`, and their intervals, `first_order_interval` and `total_interval`, along
        `axis` and `bound`: the normal approximation by the standard deviation of 1,000 bootstrap resamples. An estimate
        from few points may lie somewhat below 0 or above 1.

    Randomness:
        The stream "bootstrap" under `seed`.

    Raises:
        InputError: the sweep is no Sobol sample, a value is absent, all are the same, or another argument is unusable.
        MissingDependencyError: SALib is not installed.

    Reference:
        Sobol' 2001, Math Comput Simul 55:271; Saltelli et al. 2010, Comput Phys Commun 181:259.

    Example:
        >>> ranges = {"dose": Uniform(0, 1), "learning_rate_nS": Uniform(0, 1)}
        >>> sample = sobol_sample(64, ranges, design="A@$dose+ 60s, ?A")
        >>> indices = sobol_indices(sample, [4 * own.varied["dose"] for own in sample])
        >>> [round(share, 1) + 0.0 for share in indices.total.values.tolist()]
        [1.0, 0.0]
    """
    import xarray

    checks.instance("sample", sample, Sweep, "pass what sobol_sample returned")
    _check_sample(sample)
    measured = _values(values, len(sample))
    checks.number("level", level, low=0.5, high=0.999)
    stream = int(generator(checked_seed("seed", seed), "bootstrap").integers(2**31))
    analyze = _salib().analyze.sobol.analyze
    found = analyze(
        _problem(sample.axes), measured, calc_second_order=False, num_resamples=1000, conf_level=level, seed=stream
    )
    shares = {"first_order": ("S1", "S1_conf"), "total": ("ST", "ST_conf")}
    variables: dict[str, Any] = {}
    for name, (middle, half) in shares.items():
        variables[name] = ("axis", found[middle])
        ends = np.stack([found[middle] - found[half], found[middle] + found[half]], axis=-1)
        variables[f"{name}_interval"] = (("axis", "bound"), ends)
    return xarray.Dataset(
        variables, coords={"axis": list(sample.axes), "bound": ["low", "high"]}, attrs={"level": level}
    )


def _shares(base: int, names: Sequence[str], seed: int) -> NDArray[np.float64]:
    stream = int(generator(seed, "sample").integers(2**31))
    sample = _salib().sample.sobol.sample
    shares: NDArray[np.float64] = sample(_problem(names), base, calc_second_order=False, seed=stream)
    return shares


def _problem(names: Sequence[str]) -> dict[str, Any]:
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def _salib() -> Any:
    try:
        import SALib.analyze.sobol
        import SALib.sample.sobol
    except ModuleNotFoundError as reason:
        raise MissingDependencyError(f"Sobol indices need SALib; {installed_by('sweep')}") from reason
    return SALib


def _check_sample(sample: Sweep) -> None:
    """Refuse points that do not lie as in a Sobol sample: each block has rows A, A with one column of B, and B."""
    names = sample.axes
    rows, rest = divmod(len(sample), len(names) + 2)
    alike = bool(names) and rest == 0 and all(tuple(point.varied) == names for point in sample)
    if alike:
        table = np.array([[point.varied[name] for name in names] for point in sample], dtype=object)
        blocks = table.reshape(rows, len(names) + 2, len(names))
        first, last = blocks[:, 0], blocks[:, -1]
        for place in range(len(names)):
            mixed = first.copy()
            mixed[:, place] = last[:, place]
            alike = alike and bool((blocks[:, place + 1] == mixed).all())
    if not alike:
        raise InputError(f"sample must be as sobol_sample made it, got {shown(repr(sample))}")


def _values(values: Any, points: int) -> NDArray[np.float64]:
    measured = checks.numbers("values", values).astype(np.float64)
    if measured.shape != (points,):
        raise InputError(f"values must be one for each of {points} points, got the shape {measured.shape}")
    absent = int((~np.isfinite(measured)).sum())
    if absent:
        raise InputError(
            f"values must be there for each point, got {absent} of {points} absent; run the sweep to its end"
        )
    if np.ptp(measured) == 0.0:
        raise InputError(f"values must differ among points, got {shown(float(measured[0]))} for all")
    return measured
