"""What panels are given: results to draw, and axes to draw on.

Law of this room: whatever panels are called with is looked at here, so that they may trust it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kenyon import checks, drawing
from kenyon.conditioning import origin
from kenyon.conditioning.figures import captions
from kenyon.conditioning.results import check
from kenyon.errors import InputError, MismatchError

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes

_LETTERS_AN_INCH = 14


def results_of(given: Any, *, tested: bool = True) -> "list[xarray.Dataset]":
    """Return the results that shall be drawn, each of which tells a single story.

    Args:
        given: One dataset, several, or `Results`.
        tested: Whether there must be tests in each.

    Raises:
        InputError: there is none, or something that is none.
        MismatchError: in one of them larvae differ in what was done to them, or none was tested.
    """
    import xarray

    if isinstance(given, xarray.Dataset):  # which is a mapping, too: of its variables
        given = [given]
    several = list(given.values()) if isinstance(given, Mapping) else list(checks.several("results", given))
    if not several:
        raise InputError("results must hold at least one experiment, got none")
    for result in several:
        _check(checks.instance("each of the results", result, xarray.Dataset, "pass what run returned"), tested=tested)
    return several


def result_of(given: Any, *, tested: bool = True) -> "xarray.Dataset":
    """Return the one result that shall be drawn.

    Raises:
        InputError: there is none, or several.
        MismatchError: as for `results_of`.
    """
    several = results_of(given, tested=tested)
    if len(several) > 1:
        raise InputError(f"this panel must be of one result, got {len(several)}; pass each alone")
    return several[0]


def axes_of(ax: Any, words: str, width: float = 7.0, height: float = 5.0) -> "Axes":
    """Return the axes that were given, or those of a new figure with some words below.

    Raises:
        InputError: they are none.
    """
    drawing.import_matplotlib()
    from matplotlib.axes import Axes

    if ax is not None:
        return checks.instance("ax", ax, Axes, "pass axes of matplotlib, or none for a figure of its own")
    figure = drawing.new_figure(width, height)
    drawing.explain(figure, "", words, int(width * _LETTERS_AN_INCH))
    return figure.add_subplot()


def new_axes(
    ax: Any, results: "list[xarray.Dataset]", marks: str = "lines", width: float = 7.0, height: float = 5.0
) -> "Axes":
    """Return the axes that were given, or those of a new figure, with its caption below, for what is drawn how.

    Raises:
        InputError: they are none.
    """
    return axes_of(ax, "" if ax is not None else captions.caption(results, marks.split()), width, height)


def _check(result: "xarray.Dataset", *, tested: bool) -> None:
    check(result)
    origin.check_alike(result)
    if tested and not (result.sizes["test"] and result.sizes["test_odor"]):
        raise MismatchError("a result must have at least one test to be drawn, got none; keep some when you select")
