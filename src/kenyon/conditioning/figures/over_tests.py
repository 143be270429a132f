"""Panels over the moments at which larvae were tested: what they preferred, how neurons answered, how weights moved."""

from typing import TYPE_CHECKING, Any

from kenyon import drawing
from kenyon.conditioning.figures import captions, marks
from kenyon.conditioning.figures.given import new_axes, result_of, results_of
from kenyon.errors import MismatchError

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes

_MOST_LINES = 4
"""Lines of several results up to which all that each was tested with is drawn."""
_MOST_OF_ONE = 7
"""Things that one result was tested with that are drawn; more are for the map of odors."""


def learning_curves(results: Any, *, ax: "Axes | None" = None) -> "Axes":
    """Draw the preference index at each test, every larva faint behind the mean with its 95 % bootstrap interval.

    A color is a group, dashes and markers are what it was tested with. If that would be more than four lines, of each
    group but the first only what it was tested with first is drawn.

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
    axes = new_axes(ax, several)
    things = sum(result.sizes["test_odor"] for result in several)
    many, drawn = things > _MOST_LINES, 0
    for number, (result, label) in enumerate(zip(several, captions.labels(several), strict=True)):
        most = 1 if number and many else _MOST_OF_ONE
        for place, odor in enumerate(map(str, result.test_odor.values[:most])):
            style = drawing.line_style(place, number + place)  # No line differs from another by its color alone.
            marks.at_tests(
                axes, result, result.preference_index.sel(test_odor=odor).values, marks.color_of(number),
                label=f"{captions.counted(result, label)}: {drawing.plain(odor)}",
                shift=0.04 * (number % len(drawing.SERIES)) - 0.05 * place,
                style=style | ({"markerfacecolor": "white"} if place else {}),
            )  # fmt: skip
            drawn += 1
    drawing.finish(axes, "What they learned: above 0 the odor attracts, below 0 it repels", y=marks.INDEX)
    marks.name_tests(axes, several, most=13)
    if drawn < things:
        axes.set_xlabel(f"{axes.get_xlabel()}; {things - drawn} more lines are not drawn")
    marks.preference_axis(axes)
    drawing.legend_above(axes, columns=1, letters=72)
    return axes


def outputs(result: Any, *, label: str | None = None, ax: "Axes | None" = None) -> "Axes":
    """Draw the rates of the two output neurons at each test with the first thing that larvae were tested with.

    Args:
        result: What `run` returned for a group.
        label: What the group is called; as it calls itself if not given.
        ax: Where; axes of a figure of its own if not given.

    Returns:
        The axes.

    Raises:
        InputError: there is no result or several, or `ax` are no axes.
        MismatchError: larvae differ in what was done to them, or none was tested.
    """
    one = result_of(result)
    axes = new_axes(ax, [one], "lines", 6, 4.2)
    tested = str(one.test_odor.values[0])
    for place, (name, meaning) in enumerate((("MBONp", "approach"), ("MBONn", "avoid"))):
        rates = one.test_rate_hz.sel(test_odor=tested, group=name).transpose("larva", "test").values
        marks.at_tests(
            axes, one, rates, marks.CELL_COLORS[name], label=f"{name}, “{meaning}”", shift=0.04 * place,
            style=drawing.line_style(place),
        )  # fmt: skip
    _finish(axes, one, label, "rate (Hz)", f"Output neurons, tested with {drawing.plain(tested)}")
    return axes


def weights(result: Any, *, label: str | None = None, ax: "Axes | None" = None) -> "Axes":
    """Draw the mean weights of Kenyon cells onto the two output neurons at each test.

    Args:
        result: What `run` returned for a group, with weights=True.
        label: What the group is called; as it calls itself if not given.
        ax: Where; axes of a figure of its own if not given.

    Returns:
        The axes.

    Raises:
        InputError: there is no result or several, or `ax` are no axes.
        MismatchError: weights were not kept, or as for `outputs`.
    """
    one = result_of(result)
    if not has_weights(one):
        raise MismatchError("a result must have kept its weights for them to be drawn, got none; run with weights=True")
    axes = new_axes(ax, [one], "lines", 6, 4.2)
    for place, (name, variable) in enumerate((("MBONp", "w_kc_mbonp_nS"), ("MBONn", "w_kc_mbonn_nS"))):
        mean = one[variable].mean("kc").transpose("larva", "test").values.astype("float64")
        marks.at_tests(
            axes, one, mean, marks.CELL_COLORS[name], label=f"onto {name}", shift=0.04 * place,
            style=drawing.line_style(place),
        )  # fmt: skip
    _finish(axes, one, label, "weight (nS)", "Kenyon cell synapses onto them, mean")
    return axes


def has_weights(result: "xarray.Dataset") -> bool:
    """Return whether a result has kept weights."""
    return all(name in result for name in ("w_kc_mbonp_nS", "w_kc_mbonn_nS"))


def _finish(axes: "Axes", result: "xarray.Dataset", label: str | None, unit: str, title: str) -> None:
    drawing.finish(axes, f"{title}\n({captions.called(result, label)})", y=unit)
    axes.set_ylim(min(0.0, axes.get_ylim()[0]))
    drawing.legend_above(axes, columns=2, letters=40)
    marks.name_tests(axes, [result], most=8)
