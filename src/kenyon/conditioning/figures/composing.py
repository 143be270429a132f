"""Whole figures: panels side by side, with a headline above and what one needs to know below."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kenyon import checks, drawing
from kenyon.conditioning.figures import captions
from kenyon.conditioning.figures.between_groups import dose_response, groups
from kenyon.conditioning.figures.doses import dose_series
from kenyon.conditioning.figures.given import results_of
from kenyon.conditioning.figures.over_odors import odor_map
from kenyon.conditioning.figures.over_tests import has_weights, learning_curves, outputs, weights
from kenyon.conditioning.figures.over_time import rates, timeline, timelines_of
from kenyon.conditioning.figures.spikes import phase_raster
from kenyon.conditioning.figures.surprise import prediction_error
from kenyon.conditioning.timeline import inches
from kenyon.errors import InputError

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Draw = Callable[["Axes"], object]

_MANY_ODORS = 8
"""Things tested with from which on they are a map."""


class Panel(NamedTuple):
    """A panel that figures are made of, by the name of the function that draws it.

    Attributes:
        draw: Draws it.
        of_one: Whether it is of one result; then it is drawn for each.
        marks: How values are drawn in it, for `captions.caption`.
        shows: What it shows.
    """

    draw: Callable[..., Any]
    of_one: bool
    marks: str
    shows: str


PANELS: Final[Mapping[str, Panel]] = MappingProxyType(
    {
        "timeline": Panel(timeline, of_one=False, marks="", shows="what each group was given, and when it was tested"),
        "learning_curves": Panel(learning_curves, of_one=False, marks="lines", shows="preference at each test"),
        "groups": Panel(groups, of_one=False, marks="dots", shows="preference at the last test, larva by larva"),
        "dose_response": Panel(
            dose_response, of_one=False, marks="dotted", shows="preference over concentration or dose"
        ),
        "odor_map": Panel(
            odor_map, of_one=False, marks="numbers", shows="preference for all odors that were tested, as a map"
        ),
        "prediction_error": Panel(
            prediction_error, of_one=False, marks="lines", shows="dopamine neurons with cue, reinforcement, both"
        ),
        "rates": Panel(rates, of_one=True, marks="bands", shows="rates of neurons over the time of the larvae"),
        "outputs": Panel(outputs, of_one=True, marks="lines", shows="rates of the two output neurons at each test"),
        "phase_raster": Panel(
            phase_raster, of_one=True, marks="", shows="spikes of the first larva in its first phase, if recorded"
        ),
        "weights": Panel(
            weights, of_one=True, marks="lines", shows="weights of Kenyon cells at each test, if they were kept"
        ),
    }
)


def learning_figure(results: Any) -> "Figure":
    """Draw what larvae learned, the first result in full and the others beside it.

    Panels: what each group was given and when; what it preferred at each test, or where it was tested at one moment
    alone each larva's preference, over doses or odors where there are several; for the first group the rates of the two
    output neurons and, where they were kept, the weights that learning moves, or the rates of neurons over its life.
    Each result is labeled by what it says of itself, and results that differ have different labels. Larvae whose
    equations diverged are counted in the labels, and crossed out from then on.

    Args:
        results: What `run` returned, or some of its datasets.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: there is no result.
        MismatchError: in one of them larvae differ in what was done to them, or none was tested.
    """
    several = results_of(results)
    first, label, main = several[0], captions.labels(several)[0], _main(several)
    beside = ["outputs"] if main == "learning_curves" else ["rates"] * bool(first.sizes["phase"])
    beside += ["weights"] if main == "learning_curves" and has_weights(first) else []
    panels = [partial(PANELS[main].draw, several), *(partial(PANELS[own].draw, first, label=label) for own in beside)]
    words = [*captions.meanings(several), captions.caption(several, _marks([main, *beside]))]
    return _composed(several, _draws(panels), " ".join(words), rows=_rows([main], several), with_timeline=True)


def compose(results: Any, panels: Sequence[str]) -> "Figure":
    """Draw a figure of some panels; those that are of one group are drawn for each.

    Args:
        results: What `run` returned, or some of its datasets.
        panels: Names of panels, see `PANELS`.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: there is no result, no panel, or none of that name.
        MismatchError: a panel cannot be drawn of these results.
    """
    several = results_of(results, tested=False)  # Panels that need tests look for them.
    names = [checks.one_of("panel", name, list(PANELS)) for name in checks.several("panels", panels)]
    if not names:
        raise InputError(f"panels must be at least one of {', '.join(PANELS)}, got none")
    draws = _draws(_of_names([name for name in names if name != "timeline"], several))
    return _composed(several, draws, captions.caption(several, _marks(names)), rows=_rows(names, several),
                     with_timeline="timeline" in names)  # fmt: skip


def _marks(names: Sequence[str]) -> list[str]:
    return [PANELS[name].marks for name in names if PANELS[name].marks]


def _rows(names: Sequence[str], results: "Sequence[xarray.Dataset]") -> float:
    """Return how high panels with a row for each thing must be, in inches, so that no label lies on another."""
    columns = [result.sizes["test_odor"] for result in results]
    needed = {"odor_map": 1.4 + 0.19 * max(columns), "groups": 1.2 + 0.4 * sum(columns)}
    return max((needed.get(name, 0.0) for name in names), default=0.0)


def _main(results: "Sequence[xarray.Dataset]") -> str:
    """Return the panel that says most about what was learned."""
    if max(result.sizes["test_odor"] for result in results) >= _MANY_ODORS:
        return "odor_map"
    asked = [(~result.preference_index.isnull().all("larva")).sum("test").max().item() for result in results]
    if max(asked) > 1:
        return "learning_curves"
    return "dose_response" if dose_series(results) else "groups"


def _of_names(names: Sequence[str], results: "Sequence[xarray.Dataset]") -> Iterator[Callable[..., Any]]:
    for name in names:
        if PANELS[name].of_one:
            for result, label in zip(results, captions.labels(results), strict=True):
                yield partial(PANELS[name].draw, result, label=label)
        else:
            yield partial(PANELS[name].draw, results)


def _draws(panels: "Iterable[Callable[..., Any]]") -> list[Draw]:
    def on(panel: Callable[..., Any]) -> Draw:
        return lambda axes: panel(ax=axes)

    return list(map(on, panels))


def _composed(
    results: "Sequence[xarray.Dataset]", draws: Sequence[Draw], words: str, *, rows: float, with_timeline: bool
) -> "Figure":
    """Return a figure: a timeline above, a large panel on the left, the others beside it or in further rows."""
    strip = 0.8 + inches(timelines_of(results)) if with_timeline else 0.0
    deep = max(1, -(-(len(draws) - 1) // (1 if len(draws) <= 3 else 2)))
    below = max(rows, 2.9 * deep if deep > 1 else 4.6) * bool(draws)
    figure = drawing.new_figure(12 if len(draws) > 1 else 9, 1.6 + strip + below)
    heights = [height for height in (strip, below) if height]
    parts: Any = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)
    if with_timeline:
        timeline(results, ax=parts[0, 0].add_subplot())
    if draws:
        for axes, draw in zip(_places(parts[-1, 0], len(draws), deep), draws, strict=True):
            draw(axes)
    drawing.explain(figure, captions.headline(results), words, 170 if len(draws) > 1 else 126)
    return figure


def _places(figure: Any, count: int, rows: int) -> "Iterator[Axes]":
    """Give axes: one over the whole height, and the others beside it, in as many columns as they need."""
    if count == 1:
        yield figure.add_subplot()
        return
    columns = -(-(count - 1) // rows)
    grid = figure.add_gridspec(rows, columns + 1, width_ratios=(1.3 if columns == 1 else 1.15, *[1] * columns))
    yield figure.add_subplot(grid[:, 0])
    for place in range(count - 1):
        yield figure.add_subplot(grid[place % rows, 1 + place // rows])
