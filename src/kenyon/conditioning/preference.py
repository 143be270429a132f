"""How sure a mean over larvae is: a percentile bootstrap, the larva as the unit."""

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.seeds import generator
from kenyon.words import shown

RESAMPLES = 10_000


def interval(values: NDArray[np.float64], *, level: float = 0.95, seed: int = 0) -> NDArray[np.float64]:
    """Return the bootstrap interval of the mean over larvae.

    Larvae are drawn with replacement; the same draws serve every column.

    Args:
        values: [B, ...] float64, one row a larva; nan where a larva has no value, which leaves it out of that column.
        level: Share of the resampled means within the interval.
        seed: Seed of the resampling.

    Returns:
        [..., 2] float64, lower and upper bound, in the unit of the values; of less than two larvae nan, for they say
        nothing about the spread.

    Raises:
        InputError: `values` are no numbers, `level` lies outside 0 to 1, or the seed is unusable.

    Randomness:
        The stream "bootstrap" of `seed`.

    Reference:
        Efron & Tibshirani 1993, An Introduction to the Bootstrap.

    Example:
        >>> bounds = interval(np.arange(30.0))
        >>> bool(bounds[0] < 14.5 < bounds[1])
        True
    """
    values = checks.numbers("values", values).astype(np.float64)
    checks.number("level", level, low=0.0, high=1.0)
    if values.ndim == 0:
        raise InputError(f"values must be one row a larva, got {shown(values)}")
    absent = np.isnan(values)
    if absent.any():  # Each column is of larvae of its own.
        columns = values.reshape(len(values), -1).T
        bounds = [interval(column[~np.isnan(column)], level=level, seed=seed) for column in columns]
        return np.reshape(bounds, (*values.shape[1:], 2))
    larvae = len(values)
    if larvae < 2:
        return np.full((*values.shape[1:], 2), np.nan)
    draws = generator(seed, "bootstrap").multinomial(larvae, np.full(larvae, 1 / larvae), size=RESAMPLES)
    means = np.tensordot(draws / larvae, values, axes=1)
    bounds = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.moveaxis(bounds, 0, -1)
