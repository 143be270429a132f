"""A picture of what groups of larvae did in the tests of a design in a dish of the host."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from kenyon import drawing
from kenyon.conditioning import origin
from kenyon.conditioning.statistics import interval
from kenyon.larvaworld_plugin.comparing import compare_tests, conditions_of, when, words_of
from kenyon.larvaworld_plugin.head_casts import rate_modulation

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SAYS = ("design", "model", "larvae", "versions", "seed", "run_id", "learned_is")


def training_figure(result: "xarray.Dataset") -> "Figure":
    """Draw what groups of larvae preferred in each test, what they had learned, and how they cast their heads.

    Args:
        result: The dataset of `training.train`; of one run.

    Returns:
        A matplotlib figure.

    Raises:
        MismatchError: it is of several runs, or states another than its groups are of.
    """
    rows = compare_tests(result)
    says = {name: origin.only(result, name) for name in _SAYS}
    values = [_values(conditions_of(result)[row["condition"]].sel(test=row["test"])) for row in rows]
    figure = drawing.new_figure(max(9.0, 2.5 + 1.4 * len(rows)), 9.5)
    grid = figure.add_gridspec(2, 2)
    panels: list[tuple[str, str, list[str]]] = [
        ("What they did: second half of the test", "preference index in Larvaworld", ["preference"]),
        ("What they had learned: first odor, the other", "preference index of the circuit", ["learned", "other"]),
        ("Head casts fewer toward the first odor than away", "rate modulation", ["rate_modulation"]),
        ("Whereto head casts go: toward it above 0", "reorientation (degrees)", ["reorientation"]),
    ]
    if not str(says["learned_is"]).startswith("preference"):
        panels[1] = (panels[1][0], "best gain", panels[1][2])
    for place, (title, unit, names) in enumerate(panels):
        axes = figure.add_subplot(grid[place // 2, place % 2])
        _draw(axes, [[own[name] for name in names] for own in values], rows, bounded=place != 3 and "gain" not in unit)
        labels = _labels(rows) if place > 1 else [""] * len(rows)  # Panels above have the same columns.
        axes.set_xticks(range(len(rows)), labels, fontsize=8, rotation=35, ha="right")
        drawing.finish(axes, title, y=unit)
    larvaworld = json.loads(says["versions"])["larvaworld"]
    words = f"""How to read this. A dot is a group of {says["larvae"]} {says["model"]} in a dish of Larvaworld; beside
        the dots their mean with its 95 % bootstrap interval (10,000 resamples, seed 0). Above 0 in the first panel
        larvae are on the side of the first odor. Rate modulation: (away - toward) / (away + toward), of head casts per
        second.
        {drawing.plain(f"Design: {says['design']}.", 400)} Larvaworld {larvaworld}, seed {says["seed"]}, run
        {says["run_id"]}."""
    drawing.explain(figure, _headline(rows), words, 130)
    return figure


def _values(here: "xarray.Dataset") -> dict[str, Any]:
    """Return what is drawn of a test, by group of larvae."""
    toward, away = here.head_casts_hz.sel(heading=["toward", "away"]).transpose("heading", "group").values
    first, other = here.learned.sel(role=["first", "other"]).transpose("role", "group").values
    return {
        "preference": here.preference_mean.values,
        "learned": first,
        "other": other,
        "rate_modulation": rate_modulation(toward, away),
        "reorientation": here.reorientation_deg.values,
    }


def _draw(axes: "Axes", values: list[list[Any]], rows: list[dict[str, Any]], *, bounded: bool) -> None:
    """Draw the groups of each test, in a column of its own."""
    names = list(dict.fromkeys(row["condition"] for row in rows))
    for place, (columns, row) in enumerate(zip(values, rows, strict=True)):
        color = drawing.SERIES[names.index(row["condition"]) % len(drawing.SERIES)]
        for beside, column in zip((-0.2, 0.2) if len(columns) > 1 else (0.0,), columns, strict=True):
            there = column[~np.isnan(column)]
            drawing.dots(axes, place + beside, there, color, interval(there))
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set_xlim(-0.5, len(rows) - 0.3)
    if bounded:
        axes.set_ylim(-1.1, 1.2)


def _labels(rows: list[dict[str, Any]]) -> list[str]:
    """Return what each test is called: its condition, its odors where a condition has tests of several, and when."""
    asked: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        asked.setdefault(row["condition"], set()).add((row["odor"], row["other"]))
    several = {name for name, odors in asked.items() if len(odors) > 1}
    return [
        drawing.plain(f"{row['condition']}, {words_of(row) if row['condition'] in several else when(row)}")
        for row in rows
    ]


def _headline(rows: list[dict[str, Any]]) -> str:
    def said(row: dict[str, Any]) -> str:
        low, high = row["preference_interval"]
        around = "" if np.isnan(low) else f" [{low:.2f}, {high:.2f}]"
        return f"{row['condition']} {row['preference']:+.2f}{around}"

    last = {row["condition"]: row for row in rows}
    return drawing.plain("Preference in the last test: " + ", ".join(map(said, last.values())), 300)
