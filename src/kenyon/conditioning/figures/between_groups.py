"""Panels that hold groups against one another: larva by larva, and over doses."""

from typing import TYPE_CHECKING, Any

import numpy as np

from kenyon import drawing
from kenyon.conditioning.figures import captions, marks
from kenyon.conditioning.figures.doses import dose_series
from kenyon.conditioning.figures.given import new_axes, results_of
from kenyon.conditioning.results import diverged_at_tests
from kenyon.conditioning.statistics import interval
from kenyon.errors import MismatchError

if TYPE_CHECKING:  # matplotlib is slow to import
    from matplotlib.axes import Axes

_INCHES_A_ROW = 0.42


def groups(results: Any, *, ax: "Axes | None" = None) -> "Axes":
    """Draw each larva's preference index at the last test, and the mean of each group with its 95 % interval.

    A row is a group and what it was tested with; the moment is the last at which it was tested with that.

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
    rows = [
        (number, result, label, str(odor))
        for number, (result, label) in enumerate(zip(several, captions.labels(several), strict=True))
        for odor in result.test_odor.values
    ]
    axes = new_axes(ax, several, "dots", 7.5, 1.6 + _INCHES_A_ROW * len(rows))
    for row, (number, result, _, odor) in enumerate(rows):
        values = marks.last(result, odor)
        there = values[~np.isnan(values)]
        drawing.dots(axes, row, there, marks.color_of(number), interval(there), sideways=True)
        diverged = diverged_at_tests(result)[:, -1]
        axes.plot(values[diverged], np.full(diverged.sum(), row), "x", color=marks.color_of(number), markersize=7)
    words = [f"{captions.counted(result, label)}: {drawing.plain(odor)}" for _, result, label, odor in rows]
    axes.set_yticks(range(len(rows)), [drawing.wrapped(own, 44) for own in words], fontsize=9)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.set_xlim(marks.preference_limits(*axes.get_xlim()))
    drawing.finish(axes, "Preference at the last test", x=f"{marks.INDEX}; right of 0 it attracts")
    axes.tick_params(left=False)
    return axes


def dose_response(results: Any, *, ax: "Axes | None" = None) -> "Axes":
    """Draw the preference index at the last test over doses, each larva as a dot, the mean with its 95 % interval.

    Where an odor was tested at several concentrations these are the doses, a line for each group; otherwise those in
    which the phases of the groups differ: the concentration of an odor, or the strength of a reinforcement.

    Args:
        results: What `run` returned, or some of its datasets.
        ax: Where; axes of a figure of its own if not given.

    Returns:
        The axes.

    Raises:
        InputError: there is no result, or `ax` are no axes.
        MismatchError: there are no doses to compare, larvae differ in what was done to them, or none was tested.
    """
    several = results_of(results)
    series = dose_series(several)
    if not series:
        raise MismatchError(
            "results must differ in one dose to be drawn over it, got no odor that was tested at several "
            "concentrations, and no groups that differ in one dose alone; draw their groups"
        )
    axes = new_axes(ax, several, "dotted")
    for number, own in enumerate(series):
        drawing.mean_with_individuals(
            axes, own.doses, own.values, marks.color_of(number), label=own.label, bounds=interval(own.values),
            style=drawing.line_style(number), dots=True,
        )  # fmt: skip
        larva, dose = np.nonzero(own.diverged)
        axes.plot(own.doses[dose], own.values[larva, dose], "x", color=marks.color_of(number), markersize=7)
    axes.set_xscale("log")
    doses = np.unique(np.concatenate([own.doses for own in series]))
    axes.set_xticks(doses, [f"{dose:g}" for dose in doses])
    axes.set_xticks([], minor=True)
    drawing.finish(axes, "Preference over doses", x=series[0].what, y=marks.INDEX)
    marks.preference_axis(axes)
    drawing.legend_above(axes, columns=1, letters=72)
    return axes
