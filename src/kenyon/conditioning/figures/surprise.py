"""The panel of prediction error: how dopamine neurons answer to what was expected, and to what was not."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import drawing
from kenyon.conditioning import measures
from kenyon.conditioning.figures import captions, marks
from kenyon.conditioning.figures.given import new_axes, results_of
from kenyon.conditioning.phases import REINFORCERS
from kenyon.errors import MismatchError

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes

_DANS = {"reward": "DANp", "punishment": "DANn"}


def prediction_error(results: Any, *, ax: "Axes | None" = None) -> "Axes":
    """Draw the rates of dopamine neurons in tests with cue and reinforcement, reinforcement alone, and cue alone.

    Prediction error is what a dopamine neuron fires to cue and reinforcement less what it fires to reinforcement alone;
    where a cue that has come with reinforcement comes alone, that is omitted; see `measures.prediction_error`. A color
    is a group, dashes and markers are its tests.

    Args:
        results: What `run` returned, or some of its datasets; tested with a reinforcement, as by `?A+`.
        ax: Where; axes of a figure of its own if not given.

    Returns:
        The axes.

    Raises:
        InputError: there is no result, or `ax` are no axes.
        MismatchError: no test was with a reinforcement, larvae differ in what was done to them, or none was tested.
    """
    several = results_of(results)
    if not any(reinforced(result) for result in several):
        raise MismatchError(
            "results must have tests with a reinforcement for prediction error, got none; test with ?A+, "
            "?[reward 1] and ?A, say"
        )
    axes = new_axes(ax, several)
    dans: dict[str, None] = {}
    for number, (result, label) in enumerate(zip(several, captions.labels(several), strict=True)):
        for place, (dan, odor, meaning, values) in enumerate(_answers(result)):
            dans[dan] = None
            which = f", {dan}" * (len(reinforced(result)) > 1)
            words = f"{captions.counted(result, label)}: {meaning}{which} ({drawing.plain(odor)})"
            marks.at_tests(
                axes, result, values, marks.color_of(number), label=words, style=drawing.line_style(place),
                shift=0.05 * place - 0.03 * number,
            )  # fmt: skip
    drawing.finish(
        axes,
        "Prediction error: dopamine neurons when reinforcement is expected",
        y=f"rate of {' and '.join(dans)} (Hz)",
    )
    axes.set_ylim(min(0.0, axes.get_ylim()[0]))
    marks.name_tests(axes, several, most=10)
    drawing.legend_above(axes, columns=1, letters=80)
    return axes


def reinforced(result: "xarray.Dataset") -> list[str]:
    """Return reward and punishment, as far as larvae were tested with them."""
    return [name for name in REINFORCERS if np.nanmax(result[f"test_{name}"].values, initial=0.0) > 0]


def _answers(result: "xarray.Dataset") -> Iterator[tuple[str, str, str, NDArray[np.float64]]]:
    """Give each dopamine neuron in each test that says something of it: what the test was, and [B, tests] rates."""
    for name in reinforced(result):
        rates = measures.prediction_error(result, name, at="test")
        for place, (odor, kind) in enumerate(zip(rates.test_odor.values, rates.kind.values, strict=True)):
            meaning = str(kind).replace("reinforcement", name)
            yield _DANS[name], str(odor), meaning, rates.isel(test_odor=place).transpose("larva", "test").values
