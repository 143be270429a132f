"""Pictures of what larvae did and learned in Larvaworld."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import drawing
from kenyon.conditioning import origin
from kenyon.conditioning.statistics import interval
from kenyon.larvaworld_plugin.comparing import RECIPROCAL, by_condition, compare
from kenyon.larvaworld_plugin.conditions import CONDITIONS
from kenyon.larvaworld_plugin.observation import called

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLORS = (drawing.BLUE, drawing.VERMILION, drawing.GREEN, drawing.PURPLE, drawing.ORANGE, drawing.SKY)
_CONDITION_COLORS = {
    "naive": drawing.GRAY,
    "paired": drawing.BLUE,
    "unpaired": drawing.VERMILION,
    "differential": drawing.GREEN,
    "mirrored": drawing.PURPLE,
    RECIPROCAL: drawing.ORANGE,
}


_RUN = ("model", "experiment", "memory", "odors", "versions", "seed", "memories", "memory.frozen", "run_id")
_GROUPS = ("model", "larvae", "trials", "phase_min", "test_min", "memory.reinforcement", "versions", "seed", "run_id")


def run_figure(result: "xarray.Dataset") -> "Figure":
    """Draw one run: gains over time, where the larvae went, what they preferred, and what they have learned.

    The host's preference index, which compares left and right, is drawn where an odor is on one side alone; in any
    other arena it would say nothing.

    Args:
        result: The dataset of `experiment.run`; of one run.

    Returns:
        A matplotlib figure.

    Raises:
        MismatchError: it is of several runs, or states another than its larvae are of.
    """
    origin.check(result, {"gain": ("larva", "time", "stimulus"), "learned": ("larva", "stimulus")})
    says = {name: origin.only(result, name) for name in _RUN}
    figure = drawing.new_figure(12, 7.6)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.5, 1))
    _draw_gains(figure.add_subplot(grid[0, 0]), result)
    _draw_index(figure.add_subplot(grid[1, 0]), result)
    _draw_tracks(figure.add_subplot(grid[0, 1]), result)
    _draw_learned(figure.add_subplot(grid[1, 1]), result)
    odors = json.loads(says["odors"])
    stand_for = f"Odors: {', '.join(f'{name} is {called(odor)}' for name, odor in odors.items())}." if odors else ""
    on_food, lived_min = float(result.on_food.mean()), float(result.time[-1]) / 60  # A run may end before its time.
    headline = f"{result.sizes['larva']} {says['model']} in {says['experiment']}, {lived_min:g} min"
    memory = drawing.plain(f"Memory: {says['memory']}{_begun(says)}. {stand_for}", 600)
    words = f"""How to read this. Bold: mean over larvae; faint: single larvae. A gain above 0 leads a larva up the
        gradient of an odor, below 0 down. {memory} {_made_by(says)}"""
    drawing.explain(figure, f"{drawing.plain(headline, 200)}: on food {on_food:.0%} of the time", words, 170)
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
    words = f"""How to read this. A dot is a group of {says["larvae"]} {says["model"]}, trained in Larvaworld with
        {says["trials"]} x 2 phases of {says["phase_min"]:g} min ({phases}), food being everywhere in the dish{meaning}.
        {both} Then {says["test_min"]:g} min without food, an odor on each side, memories frozen: above 0 more larvae
        are on the side of the trained odor, which came with food. {reciprocal} {bars} {compared} {_made_by(says)}"""
    drawing.explain(figure, _headline(rows), words, 155)
    return figure


def _made_by(says: dict[str, Any]) -> str:
    return f"Larvaworld {json.loads(says['versions'])['larvaworld']}, seed {says['seed']}, run {says['run_id']}."


def sides(result: "xarray.Dataset") -> dict[str, str]:
    """Return the odors that were on one side of the arena alone, with that side; empty where the index says nothing."""
    stated = zip(result.stimulus.values, result.stimulus_side.values, strict=True)
    return {str(name): str(side) for name, side in stated if side}


def _begun(says: dict[str, Any]) -> str:
    """Return in words what the memories began with, and whether they went on learning."""
    began = f", begun with {Path(says['memories']).name}" if says["memories"] else ""
    return began + (", frozen" if says["memory.frozen"] == "true" else "")


def _headline(rows: list[dict[str, Any]]) -> str:
    def said(row: dict[str, Any]) -> str:
        low, high = row["interval"]
        around = "" if np.isnan(low) else f" [{low:.2f}, {high:.2f}]"
        return f"{row['condition']} {row['preference']:+.2f}{around}"

    return "Preference for the trained odor:\n" + ", ".join(map(said, rows))


def _draw_gains(axes: "Axes", result: "xarray.Dataset") -> None:
    minutes = result.time.values / 60
    for number, stimulus in enumerate(result.stimulus.values):
        values = result.gain.sel(stimulus=stimulus).values
        dashes = "-" if number == 0 else (number * 4, (6, 3))  # Where they are equal, each is still seen.
        color, label = _COLORS[number % len(_COLORS)], drawing.plain(str(stimulus))
        drawing.mean_with_individuals(axes, minutes, values, color, label=label, style={"linestyle": dashes})
    axes.axhline(0.0, color="black", linewidth=0.8)
    drawing.finish(axes, "Gains that the memories set", x="time (min)", y="gain")
    drawing.legend_above(axes, columns=3, letters=30)


def _draw_index(axes: "Axes", result: "xarray.Dataset") -> None:
    minutes = result.time.values / 60
    axes.plot(minutes, result.on_food.mean("larva").values, color=drawing.ORANGE, linewidth=1.2, label="larvae on food")
    one_side = sides(result)
    if one_side:
        index = result.preference_index.values
        axes.plot(minutes, index, color=drawing.BLUE, linewidth=1.8, label="preference index")
        axes.axhline(0.0, color="black", linewidth=0.8)
        where = ", ".join(f"{drawing.plain(name)} is {side}" for name, side in one_side.items())
        title = f"Larvaworld's preference index, (left - right) / all: {where}"
        drawing.finish(axes, title, x="time (min)", y="index; share of larvae")
    else:
        drawing.finish(axes, "Larvae on food", x="time (min)", y="share of larvae")
    axes.set_ylim(-1.05 if one_side else -0.05, 1.05)
    drawing.legend_above(axes, columns=2, letters=40)


def _draw_tracks(axes: "Axes", result: "xarray.Dataset") -> None:
    x, y = result.x.values * 1e3, result.y.values * 1e3
    axes.plot(x.T, y.T, color=drawing.GRAY, alpha=max(0.08, 0.5 / np.sqrt(len(x))), linewidth=0.6)
    axes.plot(x[:, -1], y[:, -1], "o", color=drawing.BLUE, markersize=4)
    axes.set_aspect("equal", "datalim")
    drawing.finish(axes, "Tracks; dots: where the larvae are in the end", x="x (mm)", y="y (mm)")


def _learned_unit(result: "xarray.Dataset") -> str:
    """Return what is meant by what was learned, in a few words."""
    return "MBON preference index" if str(origin.only(result, "learned_is")).startswith("preference") else "best gain"


def _draw_learned(axes: "Axes", result: "xarray.Dataset") -> None:
    values, unit = result.learned.values, _learned_unit(result)
    _dots(axes, list(values.T), _COLORS)
    if np.isnan(values).all():
        axes.text(0.5, 0.5, "nothing yet", transform=axes.transAxes, ha="center")
        axes.set_yticks([])
    axes.set_xticks(range(values.shape[1]), [drawing.plain(str(name)) for name in result.stimulus.values])
    axes.axhline(0.0, color="black", linewidth=0.8)
    drawing.finish(axes, "What they have learned", y=unit)
    if unit != "best gain":
        axes.set_ylim(-1.05, 1.05)


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
    unit = _learned_unit(result)
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
