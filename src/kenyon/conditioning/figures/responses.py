"""Figures of a collected sweep: preference over one axis, over two, and over three as small multiples."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import checks, drawing
from kenyon.conditioning import origin
from kenyon.conditioning.figures import captions, marks
from kenyon.conditioning.statistics import interval
from kenyon.conditioning.variables import ANSWERS
from kenyon.errors import MismatchError
from kenyon.words import shown

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOG_FROM = 10.0
"""How many times the lowest value the highest is, from which on an axis is logarithmic."""
_MOST_PARTS = 12


def response_figure(result: Any, *, odor: str | None = None) -> "Figure":
    """Draw the preference index at the last test over what a sweep has varied.

    Over one axis: each larva a dot, the mean with its 95 % interval; a line for each value of an axis of texts. Over
    two axes of numbers: the mean as a surface with contours. A third axis makes small multiples. Larvae of all seeds
    are drawn together. What is not done, or was not tested, is left out.

    Args:
        result: What `collect` returned of a grid; select values of the axes of which there are too many.
        odor: Which of the things tested; the first if absent.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: `result` is none, or nothing of that name was tested.
        MismatchError: it is of no grid, or of other axes than can be drawn.
    """
    import xarray

    checks.instance("result", result, xarray.Dataset, "pass what collect returned")
    if not {"preference_index", "test_odor"} <= {*map(str, result.variables)}:
        raise MismatchError("a result must hold preferences to be drawn, got none; pass what collect returned")
    tested = [str(own) for own in result.test_odor.values]
    if not tested:
        raise MismatchError("a result must have at least one test to be drawn, got none; keep some when you select")
    name = tested[0] if odor is None else checks.one_of("odor", odor, tested)
    values = _at_the_end(result, tested.index(name))
    numbers = [str(dim) for dim in values.dims[:-1] if values[dim].dtype.kind in "iuf"]
    texts = [str(dim) for dim in values.dims[:-1] if str(dim) not in numbers]
    if (len(numbers), len(texts)) not in {(1, 0), (1, 1), (2, 0), (2, 1), (3, 0)}:
        raise MismatchError(
            "a sweep must vary one, two or three axes of numbers, one more of texts with one or two of them, to be "
            f"drawn, got {shown([*numbers, *texts])}; take one value of others by isel"
        )
    values = values.transpose(*numbers, *texts, "larva")
    figure = _curves(values, texts) if len(numbers) == 1 else _surfaces(values)
    larvae = np.isfinite(values.values).sum(axis=-1)
    few, many = (int(count) for count in (larvae.min(), larvae.max()))
    n = str(few) if few == many else f"{few} to {many}"
    how = "Bold: mean with its 95 % interval (bootstrap, 10,000 resamples, seed 0); dots: single larvae."
    how = how if len(numbers) == 1 else "Colors and contours: means over larvae; gray: not done."
    words = f"{how} n = {n} larvae at each point; the unit is the larva. {_made_with(result)}"
    width = figure.get_size_inches()[0]
    drawing.explain(figure, f"Preference for {drawing.plain(name, 50)} at the last test", words, int(width * 13))
    return figure


def _made_with(result: "xarray.Dataset") -> str:
    sets = [str(own).partition(" with ") for own in origin.distinct(result, "parameters") if isinstance(own, str)]
    changes = [own.split(", ") for _, _, own in sets if own]
    common = [own for own in changes[0] if all(own in each for each in changes)] if len(changes) == len(sets) else []
    if len({own for own, _, _ in sets}) < len(sets):  # One set, of which constants are varied.
        common.append("what is varied")
    names = ", ".join(dict.fromkeys(own for own, _, _ in sets))
    words = drawing.plain(f"{names} with {', '.join(common)}" if common else names, 100)
    circuit = f"Circuit: Jürgensen et al. 2024, parameters “{words}”."
    return f"{circuit} Seed {drawing.plain(captions.said(result, 'seed'), 100)}." if "seed" in result else circuit


def _at_the_end(result: "xarray.Dataset", place: int) -> Any:
    """Return the index at the last test of each larva, with the larvae of all seeds along one dimension."""
    index = result.preference_index.isel(test_odor=place)
    varied = [str(dim) for dim in index.dims if dim not in ANSWERS]
    if "run" in varied or not varied or any(dim not in index.coords for dim in varied):
        raise MismatchError("a result must be of a grid to be drawn, got none; collect a sweep made by Sweep.grid")
    places = index.notnull().cumsum("test").argmax("test")  # Where the count of tests stops rising.
    last = index.isel(test=places).reset_coords(drop=True)
    if "seed" not in varied:
        return last.transpose(..., "larva")
    together = last.stack(of_all=("seed", "larva"), create_index=False)  # xarray's, not pandas'
    return together.drop_vars(["seed", "larva"], errors="ignore").rename(of_all="larva")


def _curves(values: "xarray.DataArray", texts: list[str]) -> "Figure":
    figure = drawing.new_figure(7.5, 5.2)
    axes = figure.add_subplot()
    axis = str(values.dims[0])
    lines = (
        [("mean", values)]
        if not texts
        else [(str(own.item()), values.sel({texts[0]: own})) for own in values[texts[0]]]
    )
    for number, (label, line) in enumerate(lines):
        own = line.values.T
        drawing.mean_with_individuals(
            axes, values[axis].values, own, marks.color_of(number), label=drawing.plain(label), bounds=interval(own),
            style=drawing.line_style(number), dots=True,
        )  # fmt: skip
    _scale(axes, values[axis].values, "x")
    drawing.finish(axes, "", x=drawing.plain(axis), y=marks.INDEX)
    marks.preference_axis(axes)
    if texts:
        drawing.legend_above(axes, columns=1, letters=72)
    return figure


def _surfaces(values: "xarray.DataArray") -> "Figure":
    third = str(values.dims[2]) if values.ndim == 4 else None
    parts = [("", values)] if third is None else [
        (f"{third} = {own.item() if own.dtype.kind in 'OU' else f'{own.item():g}'}", values.sel({third: own}))
        for own in values[third]
    ]  # fmt: skip
    if len(parts) > _MOST_PARTS:
        raise MismatchError(f"the third axis must have at most {_MOST_PARTS} values to be drawn, got {len(parts)}")
    means = [(title, drawing.mean(np.moveaxis(part.values, -1, 0).reshape(part.shape[-1], -1)).reshape(part.shape[:2]))
             for title, part in parts]  # fmt: skip
    known = np.concatenate([mean.ravel() for _, mean in means])
    most = max(marks.LEAST_RANGE, float(np.nanmax(np.abs(known), initial=0.0)))
    columns = min(3, len(parts))
    rows = -(-len(parts) // columns)
    figure = drawing.new_figure(max(7.0, 3.8 * columns), 1.8 + 3.4 * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    x, y = (str(dim) for dim in values.dims[:2])
    for axes, (title, mean) in zip(panels, means, strict=False):
        _scale(axes, values[x].values, "x")
        _scale(axes, values[y].values, "y")
        mesh = _surface(axes, values[x].values, values[y].values, mean, most)
        drawing.finish(axes, drawing.plain(title), x=drawing.plain(x), y=drawing.plain(y))
    for axes in panels[len(parts) :]:
        axes.remove()
    figure.colorbar(mesh, ax=panels[: len(parts)].tolist(), label=marks.INDEX)
    return figure


def _surface(axes: "Axes", x: NDArray[Any], y: NDArray[Any], mean: NDArray[np.float64], most: float) -> Any:
    """Draw means [x, y], and contours where there are enough of them."""
    axes.set_facecolor("#DDDDDD")
    order, other = np.argsort(x), np.argsort(y)
    x, y, mean = x[order], y[other], mean[order][:, other].T
    mesh = axes.pcolormesh(_edges(x), _edges(y), mean, cmap=drawing.both_ways(), vmin=-most, vmax=most)
    if min(mean.shape) > 2 and np.nanmin(mean, initial=1) < np.nanmax(mean, initial=-1):
        axes.clabel(axes.contour(x, y, mean, colors="black", linewidths=0.8), fontsize=8)
    return mesh


def _edges(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return where the cells of rising values meet: half-way, as the axis is scaled.

    Example:
        >>> _edges(np.array([1.0, 2.0, 4.0])).tolist()
        [0.5, 1.5, 3.0, 5.0]
    """
    if len(values) < 2:
        return np.array([values[0] - 0.5, values[0] + 0.5])
    own = np.log(values) if _is_log(values) else values.astype(np.float64)
    inner = (own[1:] + own[:-1]) / 2
    edges = np.concatenate(([2 * own[0] - inner[0]], inner, [2 * own[-1] - inner[-1]]))
    return np.asarray(np.exp(edges) if _is_log(values) else edges, dtype=np.float64)


def _is_log(values: NDArray[Any]) -> bool:
    return bool(values.min() > 0 and values.max() / values.min() >= _LOG_FROM)


def _scale(axes: "Axes", values: NDArray[Any], which: str) -> None:
    """Make an axis logarithmic where its values are, and name the values."""
    if _is_log(values):
        axes.set(**{f"{which}scale": "log"})
    own = getattr(axes, f"{which}axis")
    if len(values) <= 8:
        own.set_ticks(values, [f"{value:g}" for value in values])
        own.set_ticks([], minor=True)
