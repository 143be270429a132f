"""Pictures of what larvae did and learned in Larvaworld."""

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon.conditioning.preference import interval
from kenyon.larvaworld_plugin.preference import CONDITIONS, compare

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito's palette, safe for color-blind readers.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_CONDITION_COLORS = {"naive": "#555555", "paired": "#0072B2", "unpaired": "#D55E00"}


def run_figure(result: "xarray.Dataset") -> "Figure":
    """Draw one run: gains over time, where the larvae went, what they preferred, and what they have learned.

    Args:
        result: The dataset of `experiment.run`.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7.6), layout="constrained")
    grid = figure.add_gridspec(3, 2, height_ratios=(1.0, 1.0, 0.16), width_ratios=(1.5, 1))
    _draw_gains(figure.add_subplot(grid[0, 0]), result)
    _draw_index(figure.add_subplot(grid[1, 0]), result)
    _draw_tracks(figure.add_subplot(grid[0, 1]), result)
    _draw_learned(figure.add_subplot(grid[1, 1]), result)
    figure.add_subplot(grid[2, :]).set_axis_off()
    attributes = result.attrs
    figure.suptitle(
        f"{result.sizes['larva']} {attributes['model']} in {attributes['experiment']}, "
        f"{attributes['minutes']:g} min: on food {float(result.on_food.mean()):.0%} of the time",
        x=0.012, ha="left", fontsize=15, fontweight="bold",
    )  # fmt: skip
    odors = json.loads(attributes["odors"])
    stand_for = f" Odors: {', '.join(f'{name} is {odor}' for name, odor in odors.items())}." if odors else ""
    words = (
        "How to read this. Bold: mean over larvae; faint: single larvae. A gain above 0 leads a larva up the gradient "
        f"of an odor, below 0 down. Memory: {attributes['memory']}{_begun(attributes)}.{stand_for} Larvaworld "
        f"{json.loads(attributes['versions'])['larvaworld']}, seed {attributes['seed']}."
    )
    figure.text(0.012, 0.012, "\n".join(textwrap.wrap(words, 175)), fontsize=9.2, va="bottom")
    return figure


def preference_figure(result: "xarray.Dataset") -> "Figure":
    """Draw what groups of larvae preferred, and what had been learned.

    Args:
        result: The dataset of `preference.preference`.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6.2), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(1.0, 0.2), width_ratios=(1.25, 1))
    _draw_groups(figure.add_subplot(grid[0, 0]), result)
    _draw_roles(figure.add_subplot(grid[0, 1]), result)
    figure.add_subplot(grid[1, :]).set_axis_off()
    own = result.attrs
    punished = json.loads(own["options"]).get("reinforcement") == "punishment"
    meaning = ", which means punishment here" if punished else ""
    figure.suptitle(_headline(result), x=0.012, ha="left", fontsize=14, fontweight="bold")
    phases = "; ".join(f"{name}: {meant}" for name, meant in CONDITIONS.items())
    words = (
        f"How to read this. A dot is a group of {own['larvae']} {own['model']}, trained in Larvaworld with "
        f"{own['trials']} x 2 phases of {own['phase_min']:g} min ({phases}), food being everywhere in the "
        f"dish{meaning}. Every second group is trained with the other odor. Then {own['test_min']:g} min without food, "
        "an odor on each side, memories frozen: above 0 more larvae are on the side of the trained odor. Bars: mean "
        "over groups with its 95 % bootstrap interval; p: Mann and Whitney, against paired, corrected after Holm. "
        f"Larvaworld {json.loads(own['versions'])['larvaworld']}, seed {own['seed']}."
    )
    figure.text(0.012, 0.012, "\n".join(textwrap.wrap(words, 165)), fontsize=9.2, va="bottom")
    return figure


def _begun(attributes: dict[str, Any]) -> str:
    """Return in words what the memories began with, and whether they went on learning."""
    began = f", begun with {Path(attributes['memories']).name}" if attributes["memories"] else ""
    return began + (", frozen" if json.loads(attributes["options"])["frozen"] else "")


def _headline(result: "xarray.Dataset") -> str:
    def said(row: dict[str, Any]) -> str:
        low, high = row["interval"]
        around = "" if np.isnan(low) else f" [{low:.2f}, {high:.2f}]"
        return f"{row['condition']} {row['preference']:+.2f}{around}"

    return "Preference for the trained odor:\n" + ", ".join(map(said, compare(result)))


def _mean_and_each(
    axes: "Axes", time: NDArray[Any], values: NDArray[np.float64], color: str, label: str, dashes: Any
) -> None:
    """Draw [B, T]: every larva faint, the mean bold."""
    axes.plot(time, values.T, color=color, alpha=max(0.06, 0.3 / np.sqrt(len(values))), linewidth=0.8)
    axes.plot(time, np.nanmean(values, axis=0), color=color, linewidth=2.2, label=label, linestyle=dashes)


def _draw_gains(axes: "Axes", result: "xarray.Dataset") -> None:
    minutes = result.time.values / 60
    for number, stimulus in enumerate(result.stimulus.values):
        values = result.gain.sel(stimulus=stimulus).values
        dashes = "-" if number == 0 else (number * 4, (6, 3))  # Where they are equal, each is still seen.
        _mean_and_each(axes, minutes, values, _COLORS[number % len(_COLORS)], str(stimulus), dashes)
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set_ylabel("gain")
    axes.legend(framealpha=0.85, edgecolor="none", fontsize=9, ncols=3, loc="best")
    _finish(axes, "Gains that the memories set", "time (min)")


def _draw_index(axes: "Axes", result: "xarray.Dataset") -> None:
    minutes = result.time.values / 60
    axes.plot(minutes, result.preference_index.values, color="#0072B2", linewidth=1.8, label="preference index")
    axes.plot(minutes, result.on_food.mean("larva").values, color="#E69F00", linewidth=1.2, label="larvae on food")
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set_ylim(-1.05, 1.05)
    axes.set_ylabel("index; share of larvae")
    axes.legend(frameon=False, fontsize=9, ncols=2, loc="lower left")
    _finish(axes, "Larvaworld's preference index: (left - right) / all", "time (min)")


def _draw_tracks(axes: "Axes", result: "xarray.Dataset") -> None:
    x, y = result.x.values * 1e3, result.y.values * 1e3
    axes.plot(x.T, y.T, color="#555555", alpha=max(0.08, 0.5 / np.sqrt(len(x))), linewidth=0.6)
    axes.plot(x[:, -1], y[:, -1], "o", color="#0072B2", markersize=4)
    axes.set_aspect("equal", "datalim")
    axes.set_ylabel("y (mm)")
    _finish(axes, "Tracks; dots: where the larvae are in the end", "x (mm)")


def _draw_learned(axes: "Axes", result: "xarray.Dataset") -> None:
    values = result.learned.values
    _dots(axes, [own[~np.isnan(own)] for own in values.T], _COLORS)
    axes.set_xticks(range(values.shape[1]), [str(name) for name in result.stimulus.values])
    axes.axhline(0.0, color="black", linewidth=0.8)
    is_index = result.learned.attrs["long_name"].startswith("preference")
    axes.set_ylabel("MBON preference index" if is_index else "best gain")
    if is_index:
        axes.set_ylim(-1.05, 1.05)
    _finish(axes, "What they have learned", "")


def _draw_groups(axes: "Axes", result: "xarray.Dataset") -> None:
    names = [str(name) for name in result.condition.values]
    columns = [result.preference_mean.sel(condition=name).values for name in names]
    _dots(axes, columns, [_CONDITION_COLORS[name] for name in names])
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set_ylim(-1.1, 1.2)
    p = {row["condition"]: row["p"] for row in compare(result)}
    axes.set_xticks(range(len(names)), [f"{n}\np = {p[n]:.2g}" if p[n] is not None else f"{n}\n" for n in names])
    axes.set_ylabel("preference index in Larvaworld")
    _finish(axes, "What they did: second half of the test", "")


def _draw_roles(axes: "Axes", result: "xarray.Dataset") -> None:
    names = [str(name) for name in result.condition.values]
    columns, colors = [], []
    for name in names:
        for role in ("trained", "other"):
            columns.append(result.learned.sel(condition=name, role=role).values)
            colors.append(_CONDITION_COLORS[name])
    _dots(axes, columns, colors)
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set_xticks(
        range(len(columns)), [f"{name}\n{role}" for name in names for role in ("trained", "other")], fontsize=8
    )
    axes.set_ylabel("learned, mean over larvae")
    if np.abs(result.learned.values).max() <= 1.0:  # an index, that of the output neurons
        axes.set_ylim(-1.1, 1.2)
    _finish(axes, "What they had learned: of the trained odor, the other", "")


def _dots(axes: "Axes", columns: list[NDArray[np.float64]], colors: Any) -> None:
    """Draw each column of numbers as dots, with their mean and its interval."""
    for place, values in enumerate(columns):
        color = colors[place % len(colors)]
        spread = (np.arange(len(values)) % 5 - 2) * 0.05
        axes.plot(place + spread, values, "o", color=color, alpha=0.45, markersize=5, markeredgewidth=0)
        if len(values) == 0:
            continue
        mean = float(np.mean(values))
        low, high = interval(values) if len(values) > 1 else (mean, mean)
        axes.errorbar(
            place + 0.27, mean, yerr=([mean - low], [high - mean]), color=color, marker="s", capsize=4, linewidth=2
        )
    axes.set_xlim(-0.5, len(columns) - 0.3)


def _finish(axes: "Axes", title: str, x_label: str) -> None:
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(x_label)
    axes.spines[["top", "right"]].set_visible(False)
