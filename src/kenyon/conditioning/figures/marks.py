"""How values at tests are drawn, in every panel alike: larvae faint, their mean with its interval, crosses."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import drawing
from kenyon.conditioning.results import diverged_at_tests, numbered, tested_after
from kenyon.conditioning.statistics import interval

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes

INDEX = "preference index (p - n) / (p + n)"
"""What is on the axis of preference: of the rates of MBONp and MBONn."""

CELL_COLORS = {
    "MBONp": drawing.BLUE,
    "MBONn": drawing.VERMILION,
    "DANp": drawing.ORANGE,
    "DANn": drawing.PURPLE,
    "KC": drawing.GREEN,
    "APL": drawing.SKY,
}
"""Colors of groups of neurons, the same in every panel; of others gray."""

LEAST_RANGE = 0.25
"""How long an axis of preference is at least, so that small noise looks small."""


def at_tests(
    axes: "Axes",
    result: "xarray.Dataset",
    values: NDArray[np.float64],
    color: str,
    *,
    label: str,
    shift: float = 0.0,
    style: dict[str, Any] | None = None,
) -> None:
    """Draw [B, tests]: each larva faint, the mean, its interval, and crosses on larvae that have diverged."""
    asked = ~np.isnan(values).all(axis=0)  # A line goes over the moments at which there was no such test.
    tests = np.arange(values.shape[1])[asked] + shift
    own, diverged = values[:, asked], diverged_at_tests(result)[:, asked]
    drawing.mean_with_individuals(
        axes, tests, own, color, label=label, bounds=interval(own), style=style or drawing.line_style(0)
    )
    larva, test = np.nonzero(diverged)
    axes.plot(tests[test], own[larva, test], "x", color=color, markersize=7, markeredgewidth=1.8)


def name_tests(axes: "Axes", results: Sequence["xarray.Dataset"], most: int) -> None:
    """Name the tests, or so many of them; where results were tested after different things, by their number alone."""
    named = [tested_after(result) for result in results]
    longest = max(named, key=len)
    alike = all(own == longest[: len(own)] for own in named)
    labels = numbered(longest) if alike else [f"test {test + 1}" for test in range(len(longest))]
    labels = [drawing.wrapped(drawing.plain(label, 30), 12) for label in labels]
    every = -(-len(labels) // most)
    axes.set_xticks(range(0, len(labels), every), labels[::every], fontsize=9 if len(labels) <= 5 else 7)
    axes.set_xlabel("when they were tested", fontsize=9)
    axes.set_xlim(-0.3, len(labels) - 0.7)


def preference_axis(axes: "Axes") -> None:
    """Give an upright axis of preference its zero line and room to both sides."""
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set_ylim(preference_limits(*axes.get_ylim()))


def preference_limits(low: float, high: float) -> tuple[float, float]:
    """Return limits of an axis of preference that hold 0 and more than noise."""
    missing = max(0.0, LEAST_RANGE - (max(high, 0.0) - min(low, 0.0))) / 2
    return min(low, 0.0) - missing, max(high, 0.0) + missing


def last(result: "xarray.Dataset", odor: str) -> NDArray[np.float64]:
    """Return the preference index at the last moment at which larvae were tested with something: [B]; nan if never."""
    index = result.preference_index.sel(test_odor=odor).dropna("test", how="all")
    return index.values[:, -1] if index.sizes["test"] else np.full(result.sizes["larva"], np.nan)


def color_of(number: int) -> str:
    """Return the color of one of several results."""
    return drawing.SERIES[number % len(drawing.SERIES)]
