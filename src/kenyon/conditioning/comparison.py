"""What a comparison of groups says: differences, shares of training, "no effect", trends; in sentences and a table."""

import math
from dataclasses import asdict, dataclass

import numpy as np

from kenyon.conditioning import statistics
from kenyon.conditioning.statistics import Trend
from kenyon.notebook import words_and_table

_LEAST_P = 1e-4
_SEVERAL = {"larva": "larvae", "group": "groups"}


@dataclass(frozen=True)
class Mean:
    """A group by itself.

    Attributes:
        group: Its name.
        n: How many units have a value.
        mean: Their mean.
        interval: Bootstrap bounds of the mean; nan of one unit.
    """

    group: str
    n: int
    mean: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Difference:
    """A group against another.

    Attributes:
        first: Name of the group.
        second: Name of the other, "0" where a single group is held against none.
        n: Units of each; pairs once.
        difference: Mean of the first less that of the second.
        interval: Bootstrap bounds of the difference.
        p: Of the test by ranks, two-sided, corrected after Holm for how many differences there are.
        equivalence_p: Of two one-sided t tests for a difference within the margin, corrected alike; nan without one.
        share: The difference as a share of what training does; nan without training, or where that is not clearly
            other than 0.
        share_interval: Bootstrap bounds of the share.
    """

    first: str
    second: str
    n: tuple[int, ...]
    difference: float
    interval: tuple[float, float]
    p: float
    equivalence_p: float
    share: float
    share_interval: tuple[float, float]


@dataclass(frozen=True, repr=False)
class Comparison:
    """What a comparison of groups says; printed, a sentence for each difference, and a table.

    Attributes:
        measure: What was compared.
        unit: What counts once, "larva" or "group".
        paired: Whether the same units are in all groups, and their differences were compared.
        means: Each group by itself.
        differences: Pairs of groups.
        trend: Whether groups rise or fall in their order; None where that was not asked.
        margin: The largest difference that counts as none; nan where none was given.
        training: What shares are of: the trained group, and the one it is held against; None where that was not asked.
        level: Of the intervals; a p below 1 less this is called an effect.
        seed: Of the bootstrap.
    """

    measure: str
    unit: str
    paired: bool
    means: tuple[Mean, ...]
    differences: tuple[Difference, ...]
    trend: Trend | None
    margin: float
    training: tuple[str, str] | None
    level: float
    seed: int

    @property
    def test(self) -> str:
        """Name of the test by ranks."""
        return "Wilcoxon signed-rank test" if self.paired else "Mann-Whitney U test"

    def __str__(self) -> str:
        """Say it in sentences, and in a table."""
        return "\n".join([*self._sentences(), "", *_table(self)])

    def __repr__(self) -> str:
        """Say it."""
        return str(self)

    def _repr_html_(self) -> str:
        """Say it in a notebook."""
        words = " ".join(self._sentences())
        return words_and_table(words, [{**asdict(own), "interval": _bounds(own.interval)} for own in self.means])

    def _sentences(self) -> list[str]:
        same = f"the same {_SEVERAL[self.unit]} in all" if self.paired else "other ones in each"
        opening = f"{self.measure}, the {self.unit} as the unit"
        if len(self.means) > 1:
            opening += f", {same}"
        opening += f"; {self.level:.0%} intervals by {statistics.RESAMPLES:,} resamples, {self.test}"
        sentences = [f"{opening}{', p after Holm' if len(self.differences) > 1 else ''}."]
        sentences += [_sentence(self, own) for own in self.differences]
        if self.trend is not None:
            clear = self.trend.p < 1.0 - self.level
            way = ("rises" if self.trend.rises else "falls") if clear else "neither rises nor falls clearly"
            sentences.append(f"In the order given it {way} ({self.trend.test} = {self.trend.statistic:.3g}, "
                             f"{_p(self.trend.p)}).")  # fmt: skip
        return sentences


def _sentence(comparison: Comparison, own: Difference) -> str:
    """Return what is said of a difference; of no effect only where that was tested."""
    low, high = own.interval
    clear = own.p < 1.0 - comparison.level
    verb = "differs from" if clear else "does not clearly differ from"
    if not clear and not _could_tell(comparison, own):
        verb = f"is of too few {_SEVERAL[comparison.unit]} to be told from"
    said = f"{own.first} {verb} {own.second}: {own.difference:+.3g}"
    said += f" ({low:+.3g} to {high:+.3g}; {_p(own.p)})" if not np.isnan(low) else " (one unit, no interval)"
    if not np.isnan(own.share):
        share_low, share_high = own.share_interval
        said += f", {own.share:.0%} ({share_low:.0%} to {share_high:.0%}) of what training does"
    if not np.isnan(own.equivalence_p):
        within = "lies" if own.equivalence_p < 1.0 - comparison.level else "cannot be said to lie"
        said += f"; it {within} within {comparison.margin:g} of 0 (two one-sided t tests, {_p(own.equivalence_p)})"
    return f"{said}."


def _could_tell(comparison: Comparison, own: Difference) -> bool:
    """Return whether the test by ranks could have told the groups apart, had all units differed the same way."""
    orders = 2.0 ** own.n[0] if len(own.n) == 1 else math.comb(sum(own.n), own.n[0])
    return len(comparison.differences) * 2.0 / orders < 1.0 - comparison.level


def _p(p: float) -> str:
    return "p < 0.0001" if p < _LEAST_P else f"p = {p:.2g}"


def _table(comparison: Comparison) -> list[str]:
    header = ["group", f"n ({comparison.unit})", "mean", f"{comparison.level:.0%} interval"]
    rows = [[own.group, str(own.n), f"{own.mean:+.3g}", _bounds(own.interval)] for own in comparison.means]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (header, *rows)]  # fmt: skip


def _bounds(interval: tuple[float, float]) -> str:
    return "none" if np.isnan(interval[0]) else f"{interval[0]:+.3g} to {interval[1]:+.3g}"
