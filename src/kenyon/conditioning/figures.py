"""The picture of what larvae learned, for someone who has never seen a mushroom body."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import checks, drawing
from kenyon.conditioning import origin
from kenyon.conditioning.results import check, diverged_at_tests, numbered, tested_after
from kenyon.conditioning.statistics import interval
from kenyon.errors import InputError, MismatchError
from kenyon.words import shown

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_APPROACH, _AVOIDANCE = drawing.BLUE, drawing.VERMILION
_US = {"reward": drawing.ORANGE, "punishment": drawing.PURPLE}
_ODORS = (drawing.GREEN, drawing.SKY, drawing.GRAY, drawing.BLUE, drawing.VERMILION)

_HOW_TO_READ = (
    "How to read this. An odor makes a few of a larva's 72 Kenyon cells fire. They drive two output neurons: MBONp "
    "says “approach”, MBONn says “avoid”, and in a naive larva the two balance."
)
_CROSSES = (
    "Crosses: larvae whose equations have left all bounds, so that a neuron of theirs is silent; what they show is no "
    "memory."
)
_MEANING = {
    "reward": "Reward excites a dopamine neuron (DANp), and that weakens the synapses of just active Kenyon cells onto "
    "MBONn: avoidance fades and the odor attracts, but only for odors that share these cells.",
    "punishment": "Punishment excites a dopamine neuron (DANn), and that weakens the synapses of just active Kenyon "
    "cells onto MBONp: approach fades and the odor repels, but only for odors that share these cells.",
}


def learning_figure(results: Sequence["xarray.Dataset"]) -> "Figure":
    """Draw what larvae learned, the first result in full and the others beside it.

    Panels: what each group was given and when; the preference index at each test, every larva faint behind the mean
    with its 95 % bootstrap interval; for the first group the rates of the two output neurons and the weights that
    learning moves. Each result is labeled by what it says of itself, and results that differ have different labels.
    Larvae whose equations diverged are counted in the labels, and crossed out from then on.

    Args:
        results: One dataset a group, as `experiment.run` returns them; of one paradigm each.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: there is no result.
        MismatchError: one is of several paradigms, or was not tested with the odor of its paradigm.
    """
    import xarray

    given: Any = results
    if isinstance(given, xarray.Dataset):  # which can be gone through too, by the names of its variables
        raise InputError("results must be a sequence of datasets, got one; pass [result]")
    results = checks.several("results", given)
    if not results:
        raise InputError("results must hold at least one experiment, got none")
    for result in results:
        _check(checks.instance("each of the results", result, xarray.Dataset, "pass what experiment.run returned"))
    labels = _labels(results)
    strip = 0.75 + 0.3 * len(results)
    figure = drawing.new_figure(12, 8.4 + strip)
    halves: Any = figure.subfigures(2, 1, height_ratios=(strip, 6.2))
    upper, lower = halves
    _draw_protocols(upper.add_subplot(), results, labels)
    grid = lower.add_gridspec(2, 2, width_ratios=(1.3, 1))
    _draw_preference(lower.add_subplot(grid[:, 0]), results, labels)
    _draw_rates(lower.add_subplot(grid[0, 1]), results[0], labels[0])
    _draw_weights(lower.add_subplot(grid[1, 1]), results[0], labels[0])
    drawing.explain(figure, _headline(results[0]), " ".join(_sentences(results)), 170)
    return figure


def _check(result: "xarray.Dataset") -> None:
    """Refuse a result that has no single story to tell."""
    check(result)
    for name in ("paradigm_id", "cs", "us"):
        origin.only(result, name)
    if result.sizes["test"] == 0:
        raise MismatchError("a result must have at least one test to be drawn, got none; keep some when you select")
    cs = _said(result, "cs")
    if cs not in result.test_odor.values:
        raise MismatchError(
            f"a result must be tested with the odor of its paradigm to be drawn, {shown(cs)}, got tests with "
            f"{shown(result.test_odor.values.tolist())}"
        )


def _said(result: "xarray.Dataset", name: str) -> str:
    """Return in words what a result says by a coordinate; several where it was joined from several runs."""
    values = [_word(value) for value in origin.distinct(result, name)]
    return ", ".join(values[:4]) + (", ..." if len(values) > 4 else "")


def _word(value: Any) -> str:
    if isinstance(value, float):
        return "not stated" if np.isnan(value) else f"{value:g}"
    return str(value) or "not stated"


def _given(result: "xarray.Dataset") -> list[str]:
    """Return what larvae really were given at some time: the odor, the reinforcement, both, or nothing."""
    there = {"cs": bool(result.phase_cs.any()), "us": bool(result.phase_us.any())}
    return [_dose(result, name) for name, given in there.items() if given]


def _dose(result: "xarray.Dataset", name: str) -> str:
    """Return a stimulus in words, with its dose where that is not 1."""
    dose = _said(result, {"cs": "concentration", "us": "strength"}[name])
    return _said(result, name) + ("" if dose == "1" else f" at {dose}")


_LAST_RESORTS = {"seed": "seed {}", "larvae": "of {} larvae", "test_s": "tests of {} s", "run_id": "run {}"}
_TITLES = {"unpaired-reversed": "unpaired, reversed", "odor-alone": "odor alone"}


def _title(result: "xarray.Dataset") -> str:
    name = _said(result, "paradigm")
    if name == "reinforcement-alone":
        return f"{_said(result, 'us')} alone"
    return _TITLES.get(name, name)


def _labels(results: Sequence["xarray.Dataset"]) -> list[str]:
    """Return a label for each result: what was done, and what sets it apart from the others."""
    parts = [[_title(result)] for result in results]

    def tell_apart(values: Sequence[str], form: str = "{}") -> None:
        if len(set(values)) > 1:
            for own, value in zip(parts, values, strict=True):
                own += [form.format(value)] if value else []

    if len({(_dose(result, "cs"), _dose(result, "us")) for result in results}) > 1:
        tell_apart([" and ".join(_given(result)) for result in results])
    tell_apart([_said(result, "parameters") for result in results])
    for name, form in _LAST_RESORTS.items():
        if len({*map(tuple, parts)}) < len(results):
            tell_apart([_said(result, name) for result in results], form)
    labels = [drawing.plain(", ".join(own), 110) for own in parts]
    return [label if labels.count(label) == 1 else f"{label} [{i + 1}]" for i, label in enumerate(labels)]


def _headline(result: "xarray.Dataset") -> str:
    cs, larvae = _said(result, "cs"), result.sizes["larva"]
    index = result.preference_index.sel(test_odor=cs).isel(test=-1).values
    who = f"{larvae} virtual larvae" if larvae > 1 else "One virtual larva"
    low, high = interval(index)
    # No line of the headline ends between a mean and its interval, or within that.
    bounds = f"\u00a0[{low:.2f},\u00a0{high:.2f}]" if np.isfinite(low) else ""
    given = " and ".join(_given(result))
    diverged = int(diverged_at_tests(result).any(axis=1).sum())
    warning = f"; {diverged} of {larvae} diverged" if diverged else ""
    words = f"{who}, {_title(result)}{f' ({given})' if given else ''}: preference for {cs} ends at"
    return f"{drawing.plain(words, 280)} {np.nanmean(index):+.2f}{bounds}{warning}"


def _draw_tests(
    axes: "Axes", result: "xarray.Dataset", values: NDArray[np.float64], color: str, *, label: str, shift: float = 0.0,
    style: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Draw [B, tests]: each larva faint, the mean, its interval, and crosses on larvae that have diverged."""
    tests = np.arange(values.shape[1]) + shift
    diverged = diverged_at_tests(result)
    drawing.mean_with_individuals(
        axes, tests, values, color, label=label, bounds=interval(values),
        style=style or drawing.line_style(0),
    )  # fmt: skip
    larva, test = np.nonzero(diverged)
    axes.plot(tests[test], values[larva, test], "x", color=color, markersize=7, markeredgewidth=1.8)


def _draw_protocols(axes: "Axes", results: Sequence["xarray.Dataset"], labels: Sequence[str]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    odors = list(dict.fromkeys(_said(result, "cs") for result in results))
    colors = {odor: _ODORS[number % len(_ODORS)] for number, odor in enumerate(odors)}
    hatches = {odor: ("", "///", "...")[number // len(_ODORS) % 3] for number, odor in enumerate(odors)}
    shown_stimuli: dict[str, Patch] = {}
    for row, result in enumerate(results):
        cs, us = _said(result, "cs"), _said(result, "us")
        looks: dict[str, dict[str, Any]] = {
            "phase_cs": {"facecolor": colors[cs], "edgecolor": "white", "hatch": hatches[cs]},
            "phase_us": {"facecolor": _US[us]},
        }
        for name, top, stimulus in (("phase_cs", -0.36, cs), ("phase_us", 0.02, us)):
            for start, length in _times(result, name):
                axes.broken_barh([(start, length)], (row + top, 0.34), **looks[name])
                shown_stimuli.setdefault(stimulus, Patch(label=drawing.plain(stimulus), **looks[name]))
        axes.plot(result.test_time_s.values, np.full(result.sizes["test"], row), "v", color="black", markersize=5)
    tested = Line2D(
        [], [], color="black", marker="v", linestyle="", markersize=5, label="test: on a copy, takes no time"
    )
    handles = [*shown_stimuli.values(), tested]
    axes.set_yticks(range(len(results)), [drawing.wrapped(label, 60) for label in labels])
    axes.set_ylim(len(results) - 0.5, -0.55)
    drawing.finish(axes, "What they were given", x="time (s)")
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)
    columns = 5
    rows = -(-len(handles) // columns)
    axes.set_title(axes.get_title(loc="left"), loc="left", fontsize=11, pad=6 if rows == 1 else 10 + 15 * rows)
    legend = axes.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=columns, frameon=False, fontsize=9
    )
    legend.set_in_layout(False)


def _times(result: "xarray.Dataset", name: str) -> list[tuple[float, float]]:
    """Return start and length of the phases in which a stimulus is there."""
    there = result[name].values.astype(bool)
    starts, lengths = result.phase_start_s.values[there], result.phase_duration_s.values[there]
    return list(zip(starts.tolist(), lengths.tolist(), strict=True))


def _draw_preference(axes: "Axes", results: Sequence["xarray.Dataset"], labels: Sequence[str]) -> None:
    first = results[0]
    for number, (result, label) in enumerate(zip(results, labels, strict=True)):
        cs = _said(result, "cs")
        color, shift = drawing.SERIES[number % len(drawing.SERIES)], 0.04 * (number % len(drawing.SERIES))
        index = result.preference_index
        style = drawing.line_style(0) | {"linestyle": "-"}
        if number >= len(drawing.SERIES):  # Colors come again, so lines must differ.
            style = drawing.line_style(number)
        own = index.sel(test_odor=cs).values
        larvae = int(diverged_at_tests(result).any(axis=1).sum())
        counted = f" ({larvae} of {len(own)} diverged, see crosses)" if larvae else ""
        words = f"{label}: {drawing.plain(cs)}{counted}"
        _draw_tests(axes, result, own, color, label=words, shift=shift, style=style)
        if result is first:
            others = [str(odor) for odor in result.test_odor.values if odor != cs]
            for place, odor in enumerate(others):
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


def _draw_rates(axes: "Axes", result: "xarray.Dataset", label: str) -> None:
    cs = _said(result, "cs")
    at = result.sel(test_odor=cs)
    _draw_tests(axes, result, at.test_mbonp_hz.values, _APPROACH, label="MBONp, “approach”")
    _draw_tests(axes, result, at.test_mbonn_hz.values, _AVOIDANCE, label="MBONn, “avoid”", shift=0.04)
    _output_panel(axes, result, "rate (Hz)", f"Output neurons smelling {drawing.plain(cs)}", label)


def _draw_weights(axes: "Axes", result: "xarray.Dataset", label: str) -> None:
    mean_p, mean_n = (result[name].mean("kc").values for name in ("w_kc_mbonp_nS", "w_kc_mbonn_nS"))
    _draw_tests(axes, result, mean_p, _APPROACH, label="onto MBONp")
    _draw_tests(axes, result, mean_n, _AVOIDANCE, label="onto MBONn", shift=0.04)
    _output_panel(axes, result, "weight (nS)", "Kenyon cell synapses onto them, mean", label)


def _output_panel(axes: "Axes", result: "xarray.Dataset", unit: str, title: str, label: str) -> None:
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


def _sentences(results: Sequence["xarray.Dataset"]) -> list[str]:
    """Return what is to be read below the figure."""
    larvae = "/".join(dict.fromkeys(str(result.sizes["larva"]) for result in results))
    parameters = list(dict.fromkeys(_said(result, "parameters") for result in results))
    given = dict.fromkeys(_said(result, "us") for result in results if result.phase_us.any())
    seeds = list(dict.fromkeys(str(seed) for result in results for seed in origin.distinct(result, "seed")))
    runs = list(dict.fromkeys(str(run) for result in results for run in origin.distinct(result, "run_id") if run))
    diverged = any(diverged_at_tests(result).any() for result in results)
    circuit = "” and “".join(parameters)
    sentences = [_HOW_TO_READ, *(_MEANING[us] for us in given)]
    if larvae == "1":
        sentences += ["There is one larva, so there is no interval."]
    else:
        bold = f"Bold: mean of {larvae} with its 95 % bootstrap interval (10,000 resamples, seed 0)"
        sentences += [f"{bold}; faint: single larvae."]
    if diverged:
        sentences += [_CROSSES]
    sentences += [
        f"Circuit: Jürgensen et al. 2024, parameters “{drawing.plain(circuit, 200)}”.",
        "Odor responses: Si et al. 2019.",
        f"Seed{'s' * (len(seeds) > 1)} {', '.join(seeds[:6])}.",
    ]
    return [*sentences, f"Run{'s' * (len(runs) > 1)} {', '.join(runs[:6])}."] if runs else sentences
