"""A figure of a claim: every figure that was measured, with its interval, beside what was asked for."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from kenyon import drawing
from kenyon.conditioning.claims.claim import Claim, Criterion
from kenyon.conditioning.claims.judging import Judgement, Measured

if TYPE_CHECKING:  # matplotlib is slow to import
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AXES: Final = {"index": "preference index, turned so that learning is positive", "share": "share", "": ""}
_FILLED: Final = {"reward": True, "punishment": False}
_MEAN_IN: Final = 0.125
"""Room for one mean, in inches."""
_LETTERS: Final = 75
"""Of all columns of the legend together."""


def claim_figure(claim: Claim, judgements: Sequence[Judgement]) -> "Figure":
    """Return a figure of a claim: a row for each criterion, in it a mean for each set of constants and reinforcer.

    Args:
        claim: Of them all, one that has groups.
        judgements: What became of it with each set.
    """
    units = [unit for unit in _AXES if any(own.unit == unit for own in claim.criteria)]
    rows = [[own for own in claim.criteria if own.unit == unit] for unit in units]
    means = len(judgements) * len(judgements[0].reinforcers)
    heights = [0.7 + len(own) * (0.25 + _MEAN_IN * means) for own in rows]
    names = [f"{own.set}, {us}" for own in judgements for us in own.reinforcers]
    columns = max(1, min(len(judgements), _LETTERS // max(map(len, names))))
    figure = drawing.new_figure(7.2, 0.3 + 0.2 * -(-len(names) // columns) + sum(heights))
    panels = figure.subplots(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, unit, criteria in zip(panels, units, rows, strict=True):
        _panel(axes, criteria, claim, judgements)
        axes.set_xlabel(_AXES[unit], fontsize=9)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=columns, frameon=False, fontsize=8.5)
    return figure


def _panel(axes: "Axes", criteria: Sequence[Criterion], claim: Claim, judgements: Sequence[Judgement]) -> None:
    """Draw criteria of one unit, from above to below."""
    shown: set[str] = set()
    for row, criterion in enumerate(criteria):
        measured = [
            (number, judgement.set, own)
            for number, judgement in enumerate(judgements)
            for own in judgement[claim.id].measured
            if own.criterion is criterion
        ]
        for place, (number, name, own) in enumerate(measured):
            label = f"{name}, {own.us}"
            upright = row + (place - (len(measured) - 1) / 2) * 0.8 / max(len(measured), 1)
            _draw(axes, own, upright, drawing.SERIES[number % len(drawing.SERIES)], "" if label in shown else label)
            shown.add(label)
    axes.axvline(0.0, color="black", linewidth=0.6)
    low, high = _limits(axes, criteria)
    for row, criterion in enumerate(criteria):
        _allowed(axes, criterion, row, low, high)
    axes.set_xlim(low, high)
    axes.set_ylim(len(criteria) - 0.5, -0.5)
    axes.set_yticks(range(len(criteria)), [_row_words(own) for own in criteria], fontsize=8.5)
    drawing.finish(axes, "")


def _limits(axes: "Axes", criteria: Sequence[Criterion]) -> tuple[float, float]:
    """Return limits within which lie all that is drawn, and what is asked for."""
    asked = [limit for own in criteria for limit in (own.mean_at_least, own.mean_at_most) if not math.isinf(limit)]
    low, high = min(*axes.get_xlim(), *asked), max(*axes.get_xlim(), *asked)
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def _row_words(criterion: Criterion) -> str:
    asked = f"\n({criterion.asks})" if criterion.decides else ""
    return drawing.wrapped(drawing.plain(criterion.statement, 90), 34) + asked


def _draw(axes: "Axes", own: Measured, upright: float, color: str, label: str) -> None:
    if math.isnan(own.mean):
        return
    face = color if _FILLED[own.us] else "none"
    axes.errorbar(
        own.mean, upright, xerr=[[own.mean - own.low], [own.high - own.mean]], fmt="o", color=color, markersize=5,
        markerfacecolor=face, capsize=2.5, linewidth=1.6, label=label or "_again",
    )  # fmt: skip
    if len(own.odor_means) > 1:
        axes.plot(own.odor_means, [upright] * len(own.odor_means), "|", color=color, markersize=6)


def _allowed(axes: "Axes", criterion: Criterion, row: int, low: float, high: float) -> None:
    """Shade where the means must lie."""
    if criterion.decides:
        left, right = max(low, criterion.mean_at_least), min(high, criterion.mean_at_most)
        axes.barh(row, max(0.0, right - left), left=left, height=0.9, color=drawing.GREEN, alpha=0.18, linewidth=0)
