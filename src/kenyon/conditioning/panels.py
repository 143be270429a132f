"""The panels of figures, each drawn from results alone, on axes of whoever asks."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import drawing
from kenyon.conditioning import captions
from kenyon.conditioning.phases import TURN_S
from kenyon.conditioning.results import diverged_at_tests, numbered, tested_after
from kenyon.conditioning.statistics import interval

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes

_APPROACH, _AVOIDANCE = drawing.BLUE, drawing.VERMILION
_REINFORCERS = {"reward": drawing.ORANGE, "punishment": drawing.PURPLE}
_ODORS = (drawing.GREEN, drawing.SKY, drawing.GRAY, drawing.BLUE, drawing.VERMILION)


def draw_timeline(axes: "Axes", results: Sequence["xarray.Dataset"], labels: Sequence[str]) -> None:
    """Draw what each group was given and when, and when it was tested; where larvae differ in it, that of the first.

    Args:
        axes: Where.
        results: One dataset a group.
        labels: What each is called.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    looks = _looks(results)
    shown: dict[str, Patch] = {}
    for row, result in enumerate(results):
        first = result.isel(larva=0)
        for words, top, start_s, lasts_s in _bars(first):
            axes.broken_barh([(start_s, lasts_s)], (row + top, _HEIGHTS[top]), **looks[words])
            shown.setdefault(words, Patch(label=drawing.plain(words), **looks[words]))
        axes.plot(first.test_time_s.values, np.full(result.sizes["test"], row), "v", color="black", markersize=5)
    tested = Line2D(
        [], [], color="black", marker="v", linestyle="", markersize=5, label="test: on a copy, takes no time"
    )
    if any(result.test_lived.any() for result in results):
        tested.set_label("test")
    axes.set_yticks(range(len(results)), [drawing.wrapped(label, 60) for label in labels])
    axes.set_ylim(len(results) - 0.5, -0.55)
    drawing.finish(axes, "What they were given", x="time (s)")
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)
    handles, columns = [*shown.values(), tested], 5
    rows = -(-len(handles) // columns)
    axes.set_title(axes.get_title(loc="left"), loc="left", fontsize=11, pad=6 if rows == 1 else 10 + 15 * rows)
    legend = axes.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=columns, frameon=False, fontsize=9
    )
    legend.set_in_layout(False)


_HEIGHTS = {-0.36: 0.34, 0.02: 0.34, 0.37: 0.08}
"""Where a bar lies in its row, from the top (odors, reinforcers, manipulations), and how high it is."""


def _bars(first: "xarray.Dataset") -> Iterator[tuple[str, float, float, float]]:
    """Give every bar of one larva: what it shows, where in its row, when it begins and how long it lasts."""
    stated = zip(
        *(
            first[name].values.tolist()
            for name in (
                "phase_start_s", "phase_duration_s", "phase_odors", "phase_against", "phase_reward", "phase_punishment",
                "phase_manipulations",
            )
        ),
        strict=True,
    )  # fmt: skip
    for start_s, lasts_s, odors, against, reward, punishment, manipulations in stated:
        if odors:
            yield odors, -0.36, start_s, lasts_s
        if against:  # The other odor, which takes its turns.
            for begun_s in np.arange(TURN_S, lasts_s, 2 * TURN_S):
                yield against, -0.36, start_s + float(begun_s), TURN_S
        yield from (
            (name, 0.02, start_s, lasts_s) for name, dose in (("reward", reward), ("punishment", punishment)) if dose
        )
        if manipulations:
            yield manipulations, 0.37, start_s, lasts_s


def _looks(results: Sequence["xarray.Dataset"]) -> dict[str, dict[str, Any]]:
    """Return how the bars of each odor, reinforcer and manipulation look; no two odors alike."""
    odors = dict.fromkeys(odor for result in results for odor in captions.odors(result))
    looks: dict[str, dict[str, Any]] = {
        odor: {
            "facecolor": _ODORS[number % len(_ODORS)],
            "edgecolor": "white",
            "hatch": ("", "///", "...", "xxx", "++", "\\\\")[number // len(_ODORS) % 6],
        }
        for number, odor in enumerate(odors)
    }
    done = dict.fromkeys(own for result in results for own in captions.manipulations(result))
    return (
        looks
        | {name: {"facecolor": color} for name, color in _REINFORCERS.items()}
        | {
            own: {"facecolor": "black", "hatch": ("", "///", "...")[number % 3], "edgecolor": "white"}
            for number, own in enumerate(done)
        }
    )


def draw_preference(axes: "Axes", results: Sequence["xarray.Dataset"], labels: Sequence[str]) -> None:
    """Draw the preference index at each test, every larva faint behind the mean with its 95 % bootstrap interval.

    Of the first result all that it was tested with is drawn, of each other the first thing alone.

    Args:
        axes: Where.
        results: One dataset a group.
        labels: What each is called.
    """
    for number, (result, label) in enumerate(zip(results, labels, strict=True)):
        tests = [str(odor) for odor in result.test_odor.values]
        color, shift = drawing.SERIES[number % len(drawing.SERIES)], 0.04 * (number % len(drawing.SERIES))
        index = result.preference_index
        style = drawing.line_style(0) | {"linestyle": "-"}
        if number >= len(drawing.SERIES):  # Colors come again, so lines must differ.
            style = drawing.line_style(number)
        own = index.sel(test_odor=tests[0]).values
        larvae = int(diverged_at_tests(result).any(axis=1).sum())
        counted = f" ({larvae} of {len(own)} diverged, see crosses)" if larvae else ""
        words = f"{label}: {drawing.plain(tests[0])}{counted}"
        _draw_tests(axes, result, own, color, label=words, shift=shift, style=style)
        for place, odor in enumerate(tests[1:] if result is results[0] else []):
            style = drawing.line_style(place + 1) | {"markerfacecolor": "white"}
            _draw_tests(
                axes, result, index.sel(test_odor=odor).values, color, shift=-0.05 * (place + 1), style=style,
                label=f"{label}, tested with {drawing.plain(odor)}",
            )  # fmt: skip
    axes.axhline(0.0, color="black", linewidth=0.8)
    drawing.finish(axes, "What they learned: above 0 the odor attracts, below 0 it repels",
                   y="MBON preference index (p - n) / (p + n)")  # fmt: skip
    _test_axis(axes, results, most=13)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -0.15), max(high, 0.15))
    drawing.legend_above(axes, columns=1, letters=72)


def draw_outputs(axes: "Axes", result: "xarray.Dataset", label: str) -> None:
    """Draw the rates of the two output neurons at each test with the first thing that larvae were tested with."""
    tested = str(result.test_odor.values[0])
    rates = result.test_rate_hz.sel(test_odor=tested)
    _draw_tests(axes, result, rates.sel(group="MBONp").values, _APPROACH, label="MBONp, “approach”")
    _draw_tests(axes, result, rates.sel(group="MBONn").values, _AVOIDANCE, label="MBONn, “avoid”", shift=0.04)
    _finish_outputs(axes, result, "rate (Hz)", f"Output neurons smelling {drawing.plain(tested)}", label)


def draw_weights(axes: "Axes", result: "xarray.Dataset", label: str) -> None:
    """Draw the mean weights onto the two output neurons at each test, of a result that has kept them."""
    mean_p, mean_n = (result[name].mean("kc").values for name in ("w_kc_mbonp_nS", "w_kc_mbonn_nS"))
    _draw_tests(axes, result, mean_p, _APPROACH, label="onto MBONp")
    _draw_tests(axes, result, mean_n, _AVOIDANCE, label="onto MBONn", shift=0.04)
    _finish_outputs(axes, result, "weight (nS)", "Kenyon cell synapses onto them, mean", label)


def _draw_tests(
    axes: "Axes", result: "xarray.Dataset", values: NDArray[np.float64], color: str, *, label: str, shift: float = 0.0,
    style: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Draw [B, tests]: each larva faint, the mean, its interval, and crosses on larvae that have diverged."""
    asked = ~np.isnan(values).all(axis=0)  # A line goes over the moments at which there was no such test.
    tests = np.arange(values.shape[1])[asked] + shift
    own, diverged = values[:, asked], diverged_at_tests(result)[:, asked]
    drawing.mean_with_individuals(
        axes, tests, own, color, label=label, bounds=interval(own), style=style or drawing.line_style(0)
    )
    larva, test = np.nonzero(diverged)
    axes.plot(tests[test], own[larva, test], "x", color=color, markersize=7, markeredgewidth=1.8)


def _finish_outputs(axes: "Axes", result: "xarray.Dataset", unit: str, title: str, label: str) -> None:
    drawing.finish(axes, f"{title}\n({label})", y=unit)
    axes.set_ylim(min(0.0, axes.get_ylim()[0]))
    drawing.legend_above(axes, columns=2, letters=40)
    _test_axis(axes, [result], most=8)


def _test_axis(axes: "Axes", results: Sequence["xarray.Dataset"], most: int) -> None:
    """Name the tests, or so many of them; where results were tested after different things, by their number alone."""
    named = [tested_after(result) for result in results]
    longest = max(named, key=len)
    alike = all(own == longest[: len(own)] for own in named)
    labels = numbered(longest) if alike else [f"test {test + 1}" for test in range(len(longest))]
    labels = [drawing.plain(label, 30).replace(" ", "\n") for label in labels]
    every = -(-len(labels) // most)
    axes.set_xticks(range(0, len(labels), every), labels[::every], fontsize=9 if len(labels) <= 5 else 7)
    axes.set_xlabel("tested before and after each trial", fontsize=9)
    axes.set_xlim(-0.3, len(labels) - 0.7)
