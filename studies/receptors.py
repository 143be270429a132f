"""What an unmodified `OSNOlfactor` of Larvaworld smells through `kenyon serve`, with and without `--receptor-range`.

python studies/receptors.py           # runs Larvaworld against a server for each arm, some minutes, and draws
python studies/receptors.py --figure  # draws what is there

Needs Larvaworld: `.venv-larvaworld/bin/python studies/receptors.py`.
"""

import argparse
import csv
import os
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon.mushroom_body import BALANCED
from kenyon.provenance import versions
from kenyon.server import Settings
from kenyon.server.serving import serving

TABLE = Path(__file__).with_suffix(".csv")
FIGURE = Path(__file__).parents[1] / "docs" / "images" / "receptors.png"

EXPERIMENT, MODEL, LARVAE, MINUTES, SEED = "chemorbit_OSN", "OSNnavigator", 3, 3, 1
TICKS_A_SECOND = 10
FIRST_S = 10.0
"""Left out of the figures: larvae are born into the odor, and their mean has to come about."""

BLUE, ORANGE, GRAY = "#0072B2", "#D55E00", "#777777"


class Arm(NamedTuple):
    """How a server is started.

    Attributes:
        name: In the table.
        settings: What it is told.
        words: The same as options of `kenyon serve`.
        color: In the figure.
    """

    name: str
    settings: Settings
    words: str
    color: str


ARMS = (
    Arm("no option", Settings(port=0, parameters=BALANCED), "no option: 0 from the first steps on", GRAY),
    Arm(
        "whole range",
        Settings(port=0, parameters=BALANCED, concentration_scale=0.01, receptor_range_hz=(1.0, 63.0)),
        "--concentration-scale 0.01 --receptor-range 1:63",
        ORANGE,
    ),
    Arm(
        "range of the arena",
        Settings(
            port=0,
            parameters=BALANCED,
            concentration_scale=0.01,
            receptor_range_hz=(22.7, 24.8),
            receptor_smoothing_s=4.0,
        ),
        "--concentration-scale 0.01 --receptor-range 22.7:24.8 --receptor-smoothing-s 4",
        BLUE,
    ),
)


def live(port: int) -> NDArray[np.float64]:
    """Return what the receptor class was given and made of it: [B, T, 2] concentration sensed and output."""
    from larvaworld.lib import reg
    from larvaworld.lib.model.modules.sensor import OSNOlfactor
    from larvaworld.lib.sim import ExpRun

    notes: dict[str, list[tuple[float, float]]] = {}
    update = OSNOlfactor.update

    def noting(self: Any) -> None:
        sensed = self.first_odor_concentration
        update(self)
        notes.setdefault(self.brain.agent.unique_id, []).append((sensed, float(self.output)))

    OSNOlfactor.update = noting
    try:
        with tempfile.TemporaryDirectory() as folder:
            run = ExpRun(
                experiment=EXPERIMENT, modelIDs=[MODEL], N=LARVAE, duration=MINUTES, id=EXPERIMENT,
                screen_kws={"vis_mode": None}, store_data=False, dir=folder,
            )  # fmt: skip
            model = reg.conf.Model.getID(MODEL).get_copy()
            model.brain.olfactor.update({"server_port": port})
            run.p.larva_groups[MODEL].model = model
            run.p.enrichment = None
            run.simulate(seed=SEED)
    finally:
        OSNOlfactor.update = update
    return np.array([notes[larva] for larva in sorted(notes)])


def rows(arm: Arm, lived: NDArray[np.float64]) -> Iterator[dict[str, Any]]:
    """Yield a row of the table for each second of each larva."""
    for larva, ticks in enumerate(lived):
        for second, (first, last) in enumerate(pairwise(range(0, len(ticks) + 1, TICKS_A_SECOND))):
            sensed, output = ticks[first:last].T
            yield {
                "arm": arm.name,
                "larva": larva,
                "s": second,
                "sensed (mean)": f"{sensed.mean():.4f}",
                "output (lowest)": f"{output.min():.4f}",
                "output (mean)": f"{output.mean():.4f}",
                "output (highest)": f"{output.max():.4f}",
            }


def write(table: list[dict[str, Any]]) -> None:
    """Write the table, with what made it in lines of comment before it."""
    from importlib.metadata import version

    made_by = {"larvaworld": version("larvaworld"), **versions()}
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# {EXPERIMENT}, {LARVAE} larvae of {MODEL}, {MINUTES} min, seed of the host {SEED}, ")
        file.write("of the server 0, parameters balanced\n")
        file.write(f"# {', '.join(f'{name} {number}' for name, number in made_by.items())}\n")
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


def read() -> list[dict[str, str]]:
    """Return the rows of the table."""
    with TABLE.open(encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def column(table: list[dict[str, str]], arm: Arm, name: str) -> NDArray[np.float64]:
    """Return one number of an arm: [B, seconds]."""
    values = [float(row[name]) for row in table if row["arm"] == arm.name]
    return np.array(values).reshape(LARVAE, -1)


def summary(table: list[dict[str, str]]) -> None:
    """Print, for each arm, how far the output moves, and how it goes with what is sensed."""
    for arm in ARMS:
        sensed, low, mean, high = (
            column(table, arm, name)[:, int(FIRST_S) :]
            for name in ("sensed (mean)", "output (lowest)", "output (mean)", "output (highest)")
        )
        with_odor = np.mean([np.corrcoef(s, m)[0, 1] for s, m in zip(sensed, mean, strict=True)])
        print(
            f"{arm.name:<24} sensed {sensed.min():.2f} to {sensed.max():.2f}; output {low.min():+.2f} to "
            f"{high.max():+.2f}, middle 90 % {np.quantile(mean, 0.05):+.2f} to {np.quantile(mean, 0.95):+.2f}, "
            f"correlation with what is sensed {with_odor:+.2f}"
        )


def draw(table: list[dict[str, str]]) -> None:
    """Draw one larva's odor and output over time, for each arm."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6), layout="constrained")
    panels = figure.subplots(3, 1, sharex=True)
    for axes, arm in zip(panels, ARMS, strict=True):
        low, mean, high = (column(table, arm, f"output ({name})")[0] for name in ("lowest", "mean", "highest"))
        seconds = np.arange(len(mean))
        axes.fill_between(seconds, low, high, color=arm.color, alpha=0.25, linewidth=0)
        axes.plot(seconds, mean, color=arm.color, linewidth=1.5)
        axes.set(ylim=(-0.1, 1.05), ylabel="output")
        axes.set_title(arm.words, loc="left", fontsize=10)
        beside = axes.twinx()
        beside.plot(seconds, column(table, arm, "sensed (mean)")[0], color="black", linewidth=0.8, linestyle=":")
        beside.set(ylim=(1.5, 2.1), ylabel="sensed (dotted)")
        axes.spines["top"].set_visible(False)
        beside.spines["top"].set_visible(False)
    panels[-1].set_xlabel("time, s")
    figure.suptitle(
        f"What the unmodified receptor class of Larvaworld makes of an odor ({EXPERIMENT}, one larva)",
        x=0.01, ha="left", fontsize=12, fontweight="bold",
    )  # fmt: skip
    figure.savefig(FIGURE, dpi=150)


def main() -> None:
    """Measure, or only draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figure", action="store_true", help="print and draw what is there")
    if not parser.parse_args().figure:
        # pygame, which the host imports, looks for a screen otherwise.
        os.environ["SDL_AUDIODRIVER"] = os.environ["SDL_VIDEODRIVER"] = "dummy"
        import larvaworld

        larvaworld.VERBOSE = 3  # Its progress is no result.
        table: list[dict[str, Any]] = []
        for arm in ARMS:
            with serving(arm.settings) as address:
                table += rows(arm, live(address.port))
            write(table)
            print(f"lived: {arm.name}", flush=True)
    summary(read())
    draw(read())


if __name__ == "__main__":
    main()
