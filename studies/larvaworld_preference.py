"""Do larvae of Larvaworld prefer what they were trained with, with the default set of constants? Writes it into docs.

Eight groups of fifteen larvae in each condition of `kenyon larvaworld preference`; three trials of two phases of 40 s,
three minutes of test. What was computed is kept, so the same command goes on after an interruption.

    python studies/larvaworld_preference.py         # nc file, figure and table; some 25 minutes on two free cores
    python studies/larvaworld_preference.py --draw  # figure and table from the nc file that is there
"""

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xarray

from kenyon import netcdf
from kenyon.conditioning.results import save
from kenyon.drawing import save_figure
from kenyon.larvaworld_plugin.comparing import RECIPROCAL, compare
from kenyon.larvaworld_plugin.figures import preference_figure
from kenyon.larvaworld_plugin.preference import preference

RESULT = Path(__file__).with_suffix(".nc")
DOCS = Path(__file__).parent.parent / "docs"
FIGURE, TABLE = DOCS / "images" / "larvaworld_preference.png", DOCS / "reference" / "larvaworld_preference.md"

PHASE_MIN = 40 / 60
MOST_ABOVE_NAIVE = 0.1
"""By how much unpaired larvae may prefer an odor more than naive ones, at the upper end of the interval."""


def asked(rows: Sequence[dict[str, Any]]) -> list[tuple[str, str, bool]]:
    """Return what is asked of the larvae, what they did, and whether that is it; as far as the conditions were run."""
    low, high = ({row["condition"]: row["interval"][end] for row in rows} for end in (0, 1))
    above_naive = {row["condition"]: row["above_naive_interval"] for row in rows}
    found = []
    if {"paired", "unpaired", "naive"} <= set(low):
        controls = max(high["unpaired"], high["naive"])
        apart = f"from {low['paired']:.2f} on, against up to {controls:.2f}"
        found.append(("paired above unpaired and naive, whole intervals apart", apart, low["paired"] > controls))
        most = above_naive["unpaired"][1]
        wanted = f"unpaired less naive of the same seed: at most {MOST_ABOVE_NAIVE}"
        found.append((wanted, f"up to {most:.2f}", most <= MOST_ABOVE_NAIVE))
    if {RECIPROCAL, "naive"} <= set(low):
        apart = f"from {low[RECIPROCAL]:.2f} on, against up to {high['naive']:.2f}"
        wanted = "differential with its mirror above naive, whole intervals apart"
        found.append((wanted, apart, low[RECIPROCAL] > high["naive"]))
    return found


def written(result: xarray.Dataset) -> str:
    """Return the page: what was done, what larvae did, and whether it is what is asked of them."""
    says = {str(name): value.item() for name, value in result.coords.items() if not value.dims}
    rows = compare(result)
    larvaworld = json.loads(says["versions"])["larvaworld"]
    made = (
        f"{says['groups']} groups of {says['larvae']} `{says['model']}` in each condition, seed {says['seed']}; "
        f"constants `{says['memory.parameters']}`, G {says['memory.G']:g} per Hz; {says['trials']} trials of two "
        f"phases of {says['phase_min'] * 60:g} s, a test of {says['test_min']:g} min; Larvaworld {larvaworld}, run "
        f"{says['run_id']}."
    )
    lines = [
        "<!-- Written by studies/larvaworld_preference.py; run `make preference`. -->",
        "",
        "# What larvae of Larvaworld prefer after training",
        "",
        made,
        "Mean over groups with its 95 % interval. *Above naive*: less what naive larvae of the same seed prefer.",
        "*Reciprocal*: the mean of differential and mirrored. [What each is](../how_to/larvaworld.md).",
        "",
        "| | preference | above naive | learned: trained odor, other | gain: trained odor, other | p against paired |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        above = "" if row["above_naive"] is None else _around(row["above_naive"], row["above_naive_interval"])
        cells = [
            row["condition"],
            _around(row["preference"], row["interval"]),
            above,
            ", ".join(f"{value:.2f}" for value in row["learned"]),
            ", ".join(f"{value:.1f}" for value in row["gain"]),
            "" if row["p"] is None else f"{row['p']:.2g}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| asked | found | |", "|---|---|---|"]
    lines += [f"| {wanted} | {found} | {'yes' if holds else 'no'} |" for wanted, found, holds in asked(rows)]
    return re.sub(r"-(?=\d)", "\N{MINUS SIGN}", "\n".join(lines)) + "\n"


def _around(mean: float, interval: Sequence[float]) -> str:
    return f"{mean:.2f} [{interval[0]:.2f}, {interval[1]:.2f}]"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draw", action="store_true", help="draw from the result that is there")
    parser.add_argument("--keep-in", type=Path, default=RESULT.with_suffix(""), help="folder for what is computed")
    parser.add_argument("--jobs", type=int, default=2, help="processes to use")
    given = parser.parse_args(arguments)
    if not given.draw:
        save(preference(phase_min=PHASE_MIN, keep_in=given.keep_in, jobs=given.jobs), RESULT, overwrite=True)
    result = netcdf.read(RESULT)
    save_figure(preference_figure(result), FIGURE, overwrite=True)
    TABLE.write_text(written(result))
    print(TABLE.read_text())


if __name__ == "__main__":
    main()
