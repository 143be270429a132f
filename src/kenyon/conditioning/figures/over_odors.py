"""The map of odors: what larvae prefer of all that they were tested with."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import drawing
from kenyon.conditioning.figures import captions, marks
from kenyon.conditioning.figures.given import new_axes, results_of

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes

_INCHES_A_ROW = 0.2
_LEAST_SCALE = 0.1
"""Preference that has the full color at least, so that noise is pale."""


def odor_map(results: Any, *, ax: "Axes | None" = None) -> "Axes":
    """Draw the mean preference index of each odor at the last test as a map: a row an odor, a column a group.

    Odors are in the order of what the group prefers in which they differ most; those that larvae of any group smelled
    in their phases are bold. Where a group was never tested with one, its cell is empty.

    Args:
        results: What `run` returned, or some of its datasets.
        ax: Where; axes of a figure of its own if not given.

    Returns:
        The axes.

    Raises:
        InputError: there is no result, or `ax` are no axes.
        MismatchError: in one of them larvae differ in what was done to them, or none was tested.
    """
    several = results_of(results)
    odors, means = _table(several)
    axes = new_axes(ax, several, "numbers", 4.6 + 1.1 * len(several), 2.2 + _INCHES_A_ROW * len(odors))
    most = max(_LEAST_SCALE, float(np.nanmax(np.abs(means), initial=0.0)))
    image = axes.imshow(means, cmap=drawing.both_ways(), vmin=-most, vmax=most, aspect="auto")
    for row, column in np.argwhere(~np.isnan(means)):
        value = means[row, column]
        axes.text(column, row, f"{value:+.2f}", ha="center", va="center", fontsize=7,
                  color="white" if abs(value) > 0.55 * most else "black")  # fmt: skip
    words = [
        captions.counted(result, label, "") for result, label in zip(several, captions.labels(several), strict=True)
    ]
    axes.set_xticks(range(len(several)), [drawing.wrapped(own, 18) for own in words], fontsize=8)
    axes.set_yticks(range(len(odors)), [drawing.plain(odor) for odor in odors], fontsize=7.5)
    trained = {odor for result in several for odor in captions.odors(result)}
    for text, odor in zip(axes.get_yticklabels(), odors, strict=True):
        text.set_fontweight("bold" if odor in trained else "normal")
    bold = "\n(bold: smelled in training)" if trained & set(odors) else ""
    drawing.finish(axes, f"Mean preference at the last test{bold}")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.figure.colorbar(image, ax=axes, label="above 0 it attracts, below 0 it repels", shrink=0.5)
    return axes


def _table(results: "list[xarray.Dataset]") -> tuple[list[str], NDArray[np.float64]]:
    """Return what any group was tested with, in the order of the map, and [odors, groups] means."""
    odors = list(dict.fromkeys(str(odor) for result in results for odor in result.test_odor.values))
    means = np.array([[_mean(result, odor) for result in results] for odor in odors])
    spread = [np.ptp(own[~np.isnan(own)]) if (~np.isnan(own)).any() else 0.0 for own in means.T]
    order = np.argsort(-np.nan_to_num(means[:, int(np.argmax(spread))], nan=-np.inf), kind="stable")
    return [odors[place] for place in order], means[order]


def _mean(result: "xarray.Dataset", odor: str) -> float:
    values = marks.last(result, odor) if odor in result.test_odor.values else np.array([np.nan])
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")
