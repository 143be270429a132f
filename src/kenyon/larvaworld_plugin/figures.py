"""Pictures of what larvae did and learned in Larvaworld."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kenyon import drawing
from kenyon.conditioning import origin
from kenyon.conditioning.statistics import interval
from kenyon.larvaworld_plugin import panels
from kenyon.larvaworld_plugin.comparing import RECIPROCAL, by_condition, compare
from kenyon.larvaworld_plugin.conditions import CONDITIONS
from kenyon.larvaworld_plugin.memory_files import called

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Panel: TypeAlias = "Callable[[Axes], None]"

_MOST_STIMULI = 6
"""How many gains are drawn."""

_CONDITION_COLORS = {
    "naive": drawing.GRAY,
    "paired": drawing.BLUE,
    "unpaired": drawing.VERMILION,
    "differential": drawing.GREEN,
    "mirrored": drawing.PURPLE,
    RECIPROCAL: drawing.ORANGE,
}


_RUN = ("experiment", "versions", "seed", "run_id")
_GROUPS = ("model", "larvae", "trials", "phase_min", "test_min", "memory.reinforcement", "versions", "seed", "run_id")


def run_figure(result: "xarray.Dataset") -> "Figure":
    """Draw one run: gains over time, where larvae went, and what each of them has learned; a larva has one color.

    What means nothing in its arena is left out: sides, and the host's preference index, which compares them, where no
    odor is on one side alone; when larvae were on food, where it is everywhere or nobody found it; gains that never
    change. Larvae of several groups have the color of their group, and what was learned in another unit, axes of its
    own.

    Args:
        result: The dataset of `experiment.run`; of one run.

    Returns:
        A matplotlib figure.

    Raises:
        MismatchError: it is of several runs, or states another than its larvae are of.
    """
    origin.check(result, {"gain": ("larva", "time", "stimulus"), "learned": ("larva", "stimulus")})
    says = {name: origin.only(result, name) for name in _RUN}
    stimuli, who = [str(name) for name in result.stimulus.values[:_MOST_STIMULI]], panels.cast(result)
    odors = {name: called(odor) for own in origin.distinct(result, "odors") for name, odor in json.loads(own).items()}
    gains: list[_Panel] = [
        partial(panels.gains, result=result, stimulus=name, who=who, called=odors.get(name, "")) for name in stimuli
    ]
    others: list[_Panel] = []
    if panels.found_patches(result) or not stimuli:
        others.append(partial(panels.on_food, result=result, who=who))
    if panels.sides(result):
        others += [partial(panels.across, result=result, who=who), partial(panels.index, result=result)]
    if others and panels.stay(result):
        gains = []
    draw = gains + others
    figure = drawing.new_figure(12.5, max(7.4, 1.6 + 2.0 * len(draw)))
    grid = figure.add_gridspec(1, 2, width_ratios=(1.35, 1))
    over_time = grid[0, 0].subgridspec(len(draw), 1).subplots(sharex=True, squeeze=False)[:, 0].tolist()
    for axes, panel in zip(over_time, draw, strict=True):
        panel(axes)
    _scale_alike(over_time[: len(gains)])
    over_time[-1].set_xlabel("time (min)")
    if len(who.means) > 1:
        drawing.legend_above(over_time[0], columns=3, letters=30)
    units = panels.units(result)
    where, *what = (
        grid[0, 1]
        .subgridspec(1 + len(units), 1, height_ratios=(1.5, *[1.0] * len(units)))
        .subplots(squeeze=False)[:, 0]
    )
    panels.tracks(where, result, who)
    for axes, (unit, members) in zip(what, units.items(), strict=True):
        panels.learned(axes, result, who, unit, members)
    drawing.explain(figure, _run_headline(result, says), _run_words(result, says, who), 178)
    return figure


def preference_figure(result: "xarray.Dataset") -> "Figure":
    """Draw what groups of larvae preferred, and what had been learned.

    Args:
        result: The dataset of `preference.preference`; of one run.

    Returns:
        A matplotlib figure.

    Raises:
        MismatchError: it is of several runs, or states another than its groups are of.
    """
    rows, several = compare(result), result.sizes["group"] > 1
    says = {name: origin.only(result, name) for name in _GROUPS}
    figure = drawing.new_figure(12, 6.6)
    grid = figure.add_gridspec(1, 2, width_ratios=(1.25, 1))
    _draw_groups(figure.add_subplot(grid[0, 0]), result, rows)
    _draw_roles(figure.add_subplot(grid[0, 1]), result)
    meaning = ", which means punishment here" if says["memory.reinforcement"] == "punishment" else ""
    phases = "; ".join(f"{name}: {CONDITIONS[name]}" for name in result.condition.values)
    compared = "p: Mann and Whitney, against paired, corrected after Holm." if any(row["p"] for row in rows) else ""
    reciprocal = "Reciprocal: the mean of differential and mirrored." if rows[-1]["condition"] == RECIPROCAL else ""
    both = "Every second group is trained with the other odor." if several else ""
    bars = "Bars: mean over groups with its 95 % bootstrap interval (10,000 resamples, seed 0)." if several else ""
    phase_s = round(says["phase_min"] * 60, 3)
    words = f"""How to read this. A dot is a group of {says["larvae"]} {says["model"]}, trained in Larvaworld with
        {says["trials"]} x 2 phases of {phase_s:g} s ({phases}), food being everywhere in the dish{meaning}.
        {both} Then {says["test_min"]:g} min without food, an odor on each side, memories frozen: above 0 more larvae
        are on the side of the trained odor, which came with food. {reciprocal} {bars} {compared} {_made_by(says)}"""
    drawing.explain(figure, _headline(rows), words, 155)
    return figure


def _made_by(says: dict[str, Any]) -> str:
    return f"Larvaworld {json.loads(says['versions'])['larvaworld']}, seed {says['seed']}, run {says['run_id']}."


def _memories(result: "xarray.Dataset") -> str:
    """Return in words what kinds of memory there were, what they began with, and whether they went on learning."""
    began = [Path(name).name for name in origin.distinct(result, "memories") if name]
    frozen = ", frozen" if origin.distinct(result, "memory.frozen") == ["true"] else ""
    begun = f", begun with {', '.join(began)}" if began else ""
    return (", ".join(filter(None, origin.distinct(result, "memory"))) or "none") + begun + frozen


def _scale_alike(over_time: Sequence["Axes"]) -> None:
    """Give panels one scale, so that they can be compared."""
    limits = [axes.get_ylim() for axes in over_time]
    for axes in over_time:
        axes.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))


def _run_headline(result: "xarray.Dataset", says: dict[str, Any]) -> str:
    lived_min = float(result.time[-1]) / 60  # A run may end before its time.
    models = ", ".join(origin.distinct(result, "model"))
    headline = f"{result.sizes['larva']} {models} in {says['experiment']}, {lived_min:g} min"
    fed = f": on food {float(result.on_food.mean()):.0%} of the time" if result.on_food.any() else ""
    return f"{drawing.plain(headline, 200)}{fed}"


def _run_words(result: "xarray.Dataset", says: dict[str, Any], who: panels.Cast) -> str:
    colors = (
        "its group's" if len(who.means) > 1 else "dark if it has learned little of the first stimulus, light if much"
    )
    numbered = "; its number is its place in the result" if who.numbered else ""
    bold = "Bold: means of groups" if len(who.means) > 1 else "Black: the mean over larvae"
    known = panels.spans(result)
    shaded = "Shaded: food everywhere. " if any(span["radius_m"] is None for span in known) else ""
    bars = "Bar above a gain: its odor is on. " if any(span["from_s"] > 0.0 for span in known) else ""
    more = result.sizes["stimulus"] - _MOST_STIMULI
    gain = result.gain.isel(time=-1).mean("larva")
    means = ", ".join(
        f"{drawing.plain(str(name))} {float(gain.sel(stimulus=name)):+.1f}" for name in result.stimulus.values
    )
    stay = f"Gains stay as they are, in the mean {means}. " if panels.stay(result) and result.sizes["stimulus"] else ""
    rest = f"Gains of {more} stimuli more are in the result. " if more > 0 else ""
    memory = drawing.plain(f"Memory: {_memories(result)}.", 400)
    return f"""How to read this. A larva has one color in all panels: {colors}{numbered}. {bold}, on the right with its
        95 % bootstrap interval. A gain above 0 leads a larva up the gradient of an odor, below 0 down. {shaded}{bars}
        {rest}{stay}
        {memory} {_made_by(says)}"""


def _headline(rows: list[dict[str, Any]]) -> str:
    def said(row: dict[str, Any]) -> str:
        low, high = row["interval"]
        around = "" if np.isnan(low) else f" [{low:.2f}, {high:.2f}]"
        return f"{row['condition']} {row['preference']:+.2f}{around}"

    return "Preference for the trained odor:\n" + ", ".join(map(said, rows))


def _draw_groups(axes: "Axes", result: "xarray.Dataset", rows: list[dict[str, Any]]) -> None:
    conditions = by_condition(result)
    names, columns = list(conditions), [own.preference_mean.values for own in conditions.values()]
    _dots(axes, columns, [_CONDITION_COLORS[name] for name in names])
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set_ylim(-1.1, 1.2)
    p = {row["condition"]: row["p"] for row in rows}
    axes.set_xticks(range(len(names)), [f"{n}\np = {p[n]:.2g}" if p[n] is not None else f"{n}\n" for n in names])
    drawing.finish(axes, "What they did: second half of the test", y="preference index in Larvaworld")


def _draw_roles(axes: "Axes", result: "xarray.Dataset") -> None:
    conditions = by_condition(result)
    for place, (name, own) in enumerate(conditions.items()):
        for beside, role in ((-0.2, "trained"), (0.2, "other")):
            values = own.learned.sel(role=role).values
            there = values[~np.isnan(values)]
            drawing.dots(axes, place + beside, there, _CONDITION_COLORS[name], interval(there))
    axes.set_xlim(-0.5, len(conditions) - 0.3)
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set_xticks(range(len(conditions)), list(conditions), fontsize=8)
    unit = panels.unit_of(str(origin.only(result, "learned_is")))
    title = "What they had learned: trained odor, the other"
    drawing.finish(axes, title, y=f"{unit}, mean over larvae")
    if unit != "best gain":
        axes.set_ylim(-1.1, 1.2)


def _dots(axes: "Axes", columns: list[NDArray[np.float64]], colors: Any) -> None:
    """Draw each column of numbers as dots, with their mean and its interval; nan are those that there are not."""
    for place, column in enumerate(columns):
        values = column[~np.isnan(column)]
        drawing.dots(axes, place, values, colors[place % len(colors)], interval(values))
    axes.set_xlim(-0.5, len(columns) - 0.3)
