"""How sure a mean, a difference or a trend over larvae is: intervals by the bootstrap, tests by SciPy.

Law of this file: arrays in, numbers out; what they are of, and what is said about them, is `comparison`'s.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.seeds import generator, sequence
from kenyon.words import shown

FloatArray = NDArray[np.float64]

RESAMPLES = 10_000
_MOST_COUNTED, _MOST_EXACT = 13, 25
"""Pairs up to which the p of signed ranks is exact: with ties among them, and without."""


def interval(values: FloatArray, *, level: float = 0.95, seed: int = 0) -> FloatArray:
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
    if len(values) < 2:
        return np.full((*values.shape[1:], 2), np.nan)
    return middle(_means(values, generator(seed, "bootstrap")), level)


def means(groups: Sequence[FloatArray], *, paired: bool, seed: int) -> FloatArray:
    """Return resampled means of groups, whose larvae are drawn together where they are the same ones.

    Args:
        groups: [B] of each, without nan; of paired ones equally many.
        paired: Whether larva i is the same in every group.
        seed: Seed of the resampling.

    Returns:
        [RESAMPLES, groups] float64.

    Randomness:
        The stream "bootstrap" of `seed`; of groups that are not paired each has a part of it.
    """
    if paired:
        return _means(np.column_stack(groups), generator(seed, "bootstrap"))
    streams = [np.random.Generator(np.random.SFC64(sequence(seed, "bootstrap", place))) for place in range(len(groups))]
    return np.column_stack([_means(values, own) for values, own in zip(groups, streams, strict=True)])


def middle(samples: FloatArray, level: float) -> FloatArray:
    """Return the bounds of the middle share of samples along the first axis: [..., 2]."""
    bounds: FloatArray = np.moveaxis(np.quantile(samples, [(1 - level) / 2, (1 + level) / 2], axis=0), 0, -1)
    return bounds


def difference_p(first: FloatArray, second: FloatArray, *, paired: bool) -> float:
    """Return the two-sided p of a difference, by ranks.

    Pairs: Wilcoxon's signed ranks, pairs that do not differ left out; else Mann and Whitney's U.

    Args:
        first: [B] without nan.
        second: [B] without nan; of pairs equally many.
        paired: Whether larva i is the same in both.

    Returns:
        p; nan of less than two larvae in a group.

    Example:
        >>> round(difference_p(np.arange(6.0), np.arange(6.0) + 10, paired=False), 4)  # 2 of the 924 orders
        0.0022
    """
    from scipy import stats

    if min(len(first), len(second)) < 2:
        return np.nan
    if not paired:
        both = np.concatenate((first, second))
        return 1.0 if np.ptp(both) == 0.0 else float(stats.mannwhitneyu(first, second).pvalue)
    differences = (first - second)[first != second]
    if len(differences) < 2:
        return 1.0
    ranks = stats.rankdata(np.abs(differences))
    if len(differences) <= _MOST_COUNTED:  # All signs are tried, so that ties are no matter.
        signed = np.sign(differences) * ranks
        found = stats.permutation_test(
            (signed,), np.sum, permutation_type="samples", vectorized=True, n_resamples=np.inf
        )
        return float(found.pvalue)
    is_exact = len(ranks) <= _MOST_EXACT and len(np.unique(ranks)) == len(ranks)
    return float(stats.wilcoxon(differences, method="exact" if is_exact else "approx").pvalue)


def equivalence_p(first: FloatArray, second: FloatArray, margin: float, *, paired: bool) -> float:
    """Return the p of two one-sided t tests that a difference of means lies within a margin on both sides of 0.

    Pairs: tests of their differences; else Welch's, which need no equal variances.

    Args:
        first: [B] without nan.
        second: [B] without nan; of pairs equally many.
        margin: The largest difference that counts as none.
        paired: Whether larva i is the same in both.

    Returns:
        The larger p of the two; nan of less than two larvae in a group.

    Reference:
        Schuirmann 1987, J Pharmacokinet Biopharm 15:657; Lakens 2017, Soc Psychol Personal Sci 8:355.
    """
    from scipy import stats

    if min(len(first), len(second)) < 2:
        return np.nan
    samples = [first - second] if paired else [first, second]
    if not any(np.ptp(sample) > 0.0 for sample in samples):  # No spread: it is known.
        return float(abs(first.mean() - second.mean()) >= margin)
    if paired:
        above = stats.ttest_1samp(samples[0], -margin, alternative="greater")
        below = stats.ttest_1samp(samples[0], margin, alternative="less")
    else:
        above = stats.ttest_ind(first + margin, second, equal_var=False, alternative="greater")
        below = stats.ttest_ind(first - margin, second, equal_var=False, alternative="less")
    return float(max(above.pvalue, below.pvalue))


class Trend(NamedTuple):
    """Whether groups rise or fall in their order.

    Attributes:
        test: What was computed, "Page's L" or "Kendall's tau".
        statistic: Its value.
        p: Two-sided.
        rises: Whether it is upward.
    """

    test: str
    statistic: float
    p: float
    rises: bool


def trend(groups: Sequence[FloatArray], *, paired: bool) -> Trend:
    """Return whether groups rise or fall in the order they are given in.

    The same larvae in all: Page's test. Else Kendall's tau-b between a larva's value and the place of its group, which
    is Jonckheere and Terpstra's test with ties taken into account.

    Args:
        groups: [B] of each, without nan; of paired ones equally many. Three or more.
        paired: Whether larva i is the same in every group.

    Raises:
        InputError: there are fewer than three groups, or two larvae.

    Reference:
        Page 1963, J Am Stat Assoc 58:216; Jonckheere 1954, Biometrika 41:133; Kendall 1945, Biometrika 33:239.

    Example:
        >>> found = trend([np.arange(5.0), np.arange(5.0) + 3, np.arange(5.0) + 6], paired=False)
        >>> found.test, found.rises, found.p < 0.01
        ("Kendall's tau", True, True)
    """
    from scipy import stats

    if len(groups) < 3 or min(map(len, groups)) < 2:
        counts = ", ".join(str(len(group)) for group in groups)
        raise InputError(f"a trend must be over three or more groups of two or more larvae, got {counts}")
    places = np.arange(len(groups))
    if paired:
        table = np.column_stack(groups)
        up = stats.page_trend_test(table, predicted_ranks=places + 1)
        down = stats.page_trend_test(table, predicted_ranks=places[::-1] + 1)
        p = min(1.0, 2.0 * min(float(up.pvalue), float(down.pvalue)))
        return Trend("Page's L", float(up.statistic), p, bool(up.statistic >= down.statistic))
    values, order = np.concatenate(groups), np.repeat(places, [len(group) for group in groups])
    if np.ptp(values) == 0.0:
        return Trend("Kendall's tau", 0.0, 1.0, rises=False)
    tau, p = map(float, stats.kendalltau(order, values))
    return Trend("Kendall's tau", tau, p, rises=tau > 0.0)


def holm(p: Sequence[float]) -> list[float]:
    """Return p values corrected for how many there are, after Holm; nan is none and stays.

    Reference:
        Holm 1979, Scand J Stat 6:65.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    known = sorted((own, place) for place, own in enumerate(p) if not np.isnan(own))
    corrected, highest = [float("nan")] * len(p), 0.0
    for rank, (own, place) in enumerate(known):
        highest = max(highest, min(1.0, own * (len(known) - rank)))
        corrected[place] = highest
    return corrected


def _means(values: Any, stream: np.random.Generator) -> FloatArray:
    """Return resampled means over the first axis: [RESAMPLES, ...]."""
    draws = stream.multinomial(len(values), np.full(len(values), 1 / len(values)), size=RESAMPLES)
    resampled: FloatArray = np.tensordot(draws / len(values), values, axes=1)
    return resampled
