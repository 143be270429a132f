"""The picture of what larvae learned, for someone who has never seen a mushroom body."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kenyon import checks, drawing
from kenyon.conditioning import captions, origin, panels
from kenyon.conditioning.results import check
from kenyon.errors import InputError, MismatchError

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.figure import Figure


def learning_figure(results: Sequence["xarray.Dataset"]) -> "Figure":
    """Draw what larvae learned, the first result in full and the others beside it.

    Panels: what each group was given and when; the preference index at each test, every larva faint behind the mean
    with its 95 % bootstrap interval; for the first group the rates of the two output neurons and, where they were kept,
    the weights that learning moves. Each result is labeled by what it says of itself, and results that differ have
    different labels. Larvae whose equations diverged are counted in the labels, and crossed out from then on.

    Args:
        results: One dataset a group, as `Results` holds them: `list(run(...).values())`.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: there is no result.
        MismatchError: in one of them larvae differ in what was done to them, or none was tested.
    """
    import xarray

    given: Any = results
    if isinstance(given, xarray.Dataset):  # which can be gone through too, by the names of its variables
        raise InputError("results must be a sequence of datasets, got one; pass [result]")
    results = checks.several("results", given)
    if not results:
        raise InputError("results must hold at least one experiment, got none")
    for result in results:
        _check(checks.instance("each of the results", result, xarray.Dataset, "pass what run returned for each group"))
    labels = captions.labels(results)
    strip = 0.75 + 0.3 * len(results)
    figure = drawing.new_figure(12, 8.4 + strip)
    halves: Any = figure.subfigures(2, 1, height_ratios=(strip, 6.2))
    upper, lower = halves
    panels.draw_timeline(upper.add_subplot(), results, labels)
    weights = "w_kc_mbonn_nS" in results[0]
    grid = lower.add_gridspec(2, 2, width_ratios=(1.3, 1))
    panels.draw_preference(lower.add_subplot(grid[:, 0]), results, labels)
    panels.draw_outputs(lower.add_subplot(grid[0, 1] if weights else grid[:, 1]), results[0], labels[0])
    if weights:
        panels.draw_weights(lower.add_subplot(grid[1, 1]), results[0], labels[0])
    drawing.explain(figure, captions.headline(results[0]), " ".join(captions.sentences(results)), 170)
    return figure


def _check(result: "xarray.Dataset") -> None:
    """Refuse a result that has no single story to tell."""
    check(result)
    origin.check_alike(result)
    if not (result.sizes["test"] and result.sizes["test_odor"]):
        raise MismatchError("a result must have at least one test to be drawn, got none; keep some when you select")
