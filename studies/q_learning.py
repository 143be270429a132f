"""Does Q-learning pay in Larvaworld? Larvae that learn, the same with the memory frozen, and what each gain pays.

single_odor_patch: one patch of food that smells, in an arena of 10 cm. The larvae, forager0_RL, at first follow no
odor. Those that learn choose every two minutes, for an hour, the gain with which they do, from -300, -50, 50 and 300;
the rest is as their model is stored. What can be learned is shown by larvae that have one gain all the time.

    python studies/q_learning.py          # writes q_learning.csv and prints what it says; half an hour on two cores
    python studies/q_learning.py --show   # prints and draws docs/images/q_learning.png from the file that is there
"""

import csv
import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon.conditioning.statistics import interval
from kenyon.drawing import BLUE, GRAY, finish, new_figure, save_figure
from kenyon.progress import progress

if TYPE_CHECKING:  # matplotlib is slow to import
    from matplotlib.figure import Figure

TABLE = Path(__file__).with_suffix(".csv")
FIGURE = Path(__file__).parents[1] / "docs" / "images" / "q_learning.png"
LARVAE, MINUTES, PART_MIN = 10, 60.0, 10
SEEDS = (0, 1, 2)
GAINS = (-300.0, -50.0, 50.0, 300.0)
LEARNING = {"update_dt": 2.0, "train_dur": MINUTES}

Job = tuple[str, int, dict[str, Any]]
Row = dict[str, Any]


def jobs() -> list[Job]:
    """Return every run: what it is called, its seed, and the options of its memories."""
    learners: list[Job] = [
        (name, seed, {**LEARNING, "frozen": frozen})
        for seed in SEEDS
        for name, frozen in (("learning", False), ("frozen", True))
    ]
    return learners + [(f"{gain:g}", SEEDS[0], {**LEARNING, "gain_space": [gain]}) for gain in GAINS]


def live(job: Job) -> list[Row]:
    """Return what became of each larva of one run, ten minutes by ten minutes."""
    from kenyon.larvaworld_plugin import run

    memory, seed, options = job
    result = run("single_odor_patch", model="forager0_RL", larvae=LARVAE, minutes=MINUTES, seed=seed, memory=options,
                 show_progress=False).dataset  # fmt: skip
    parts = int(MINUTES / PART_MIN)
    return [
        {
            "memory": memory,
            "seed": seed,
            "larva": str(larva),
            "from_min": part * PART_MIN,
            "on_food": round(float(on_food.mean()), 6),
            "gain": round(float(gain.mean()), 3),
            "best_gain": float(result.learned.sel(larva=larva, stimulus="Odor")),
        }
        for larva in result.larva.values
        for part, (on_food, gain) in enumerate(
            zip(
                np.array_split(result.on_food.sel(larva=larva).values, parts),
                np.array_split(result.gain.sel(larva=larva, stimulus="Odor").values, parts),
                strict=True,
            )
        )
    ]


def measure() -> None:
    """Run everything, and write it down."""
    rows: list[Row] = []
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool, progress("runs", len(jobs())) as done:
        for own in pool.map(live, jobs()):
            rows += own
            done(1)
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def of_larvae(rows: list[Row], memory: str, value: Callable[[list[Row]], float]) -> NDArray[np.float64]:
    """Return one value of each larva that had a memory, always in the same order."""
    larvae: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["memory"] == memory:
            larvae.setdefault((row["seed"], row["larva"]), []).append(row)
    return np.array([value(larvae[larva]) for larva in sorted(larvae)])


def all_the_time(name: str) -> Callable[[list[Row]], float]:
    """Return what gives the mean over the whole hour."""
    return lambda own: float(np.mean([float(row[name]) for row in own]))


def in_part(name: str, part: int = -1) -> Callable[[list[Row]], float]:
    """Return what gives the mean over ten minutes, the last ones if not said otherwise."""
    return lambda own: float(own[part][name])


def show(rows: list[Row]) -> None:
    """Print what the table says."""

    def line(words: str, values: NDArray[np.float64], unit: float = 1.0) -> None:
        low, high = interval(values * unit)
        above = f"above 0: {(values > 0).sum()}/{len(values)}"
        print(f"  {words:34} {values.mean() * unit:7.2f} [{low:.2f}, {high:.2f}]  {above}")

    for memory in ("learning", "frozen"):
        print(f"memory {memory}")
        line("on food, %", of_larvae(rows, memory, all_the_time("on_food")), 100.0)
        line("on food in the last ten minutes, %", of_larvae(rows, memory, in_part("on_food")), 100.0)
        line("gain in the last ten minutes", of_larvae(rows, memory, in_part("gain")))
    line("best gain of those that learn", of_larvae(rows, "learning", in_part("best_gain")))
    print("learning less frozen, larva by larva")
    for words, value in (("on food, %", all_the_time("on_food")), ("in the last ten minutes, %", in_part("on_food"))):
        line(words, of_larvae(rows, "learning", value) - of_larvae(rows, "frozen", value), 100.0)
    for gain in GAINS:
        print(f"gain {gain:g} all the time")
        line("on food, %", of_larvae(rows, f"{gain:g}", all_the_time("on_food")), 100.0)


def draw(rows: list[Row]) -> "Figure":
    """Draw what each gain pays, and how larvae that learn come to the one that pays most."""
    figure = new_figure(9.0, 3.2)
    pays, gains, food = figure.subplots(1, 3)
    kinds = {"-300": -300.0, "-50": -50.0, "frozen": 0.0, "50": 50.0, "300": 300.0}
    for place, memory in enumerate(kinds):
        values = 100.0 * of_larvae(rows, memory, all_the_time("on_food"))
        low, high = interval(values)
        pays.bar(place, values.mean(), color="#bbbbbb", width=0.7)
        pays.plot([place, place], [low, high], color="black", linewidth=1.2)
    pays.set_xticks(range(len(kinds)), [f"{gain:g}".replace("-", "\N{MINUS SIGN}") for gain in kinds.values()])
    finish(pays, "What a gain pays", x="gain, the same all the time", y="time on food (%)")
    starts = sorted({int(row["from_min"]) for row in rows})
    middle = np.array(starts) + PART_MIN / 2
    for axes, name, unit, title, words in (
        (gains, "gain", 1.0, "What they choose", "gain"),
        (food, "on_food", 100.0, "What they get", "time on food (%)"),
    ):
        for memory, color in (("learning", BLUE), ("frozen", GRAY)):
            over_time = np.array([of_larvae(rows, memory, in_part(name, part)) for part in range(len(starts))])
            bounds = np.array([interval(values * unit) for values in over_time])
            axes.plot(middle, over_time.mean(axis=1) * unit, color=color, marker="o", markersize=3, label=memory)
            axes.fill_between(middle, bounds[:, 0], bounds[:, 1], color=color, alpha=0.2, linewidth=0)
        finish(axes, title, x="time (min)", y=words)
    gains.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def main() -> None:
    """Measure, unless only asked to show; print and draw."""
    if "--show" not in sys.argv:
        measure()
    with TABLE.open(newline="") as file:
        rows: list[Row] = list(csv.DictReader(file))
    show(rows)
    save_figure(draw(rows), FIGURE, overwrite=True)


if __name__ == "__main__":
    main()
