"""Does Q-learning pay in Larvaworld? Larvae that learn, beside the same larvae with the memory frozen.

single_odor_patch: one patch of food that smells, in an arena of 10 cm. The larvae, forager0_RL, at first follow no
odor; every minute, as stored, they choose the gain with which they do, from -300, -50, 50 and 300.

    python studies/q_learning.py   # prints both; writes q_learning.csv; ten minutes on two cores
"""

import csv
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from kenyon.conditioning.preference import interval
from kenyon.larvaworld_plugin import run

TABLE = Path(__file__).with_suffix(".csv")
LARVAE, MINUTES, SEEDS = 10, 30.0, (0, 1)


def live(frozen: bool, seed: int) -> list[dict[str, Any]]:
    """Return what became of each larva of one run."""
    memory = {"frozen": frozen}
    result = run("single_odor_patch", model="forager0_RL", larvae=LARVAE, minutes=MINUTES, seed=seed, memory=memory,
                 show_progress=False).dataset  # fmt: skip
    third = result.sizes["time"] // 3
    gain = result.gain.sel(stimulus="Odor")
    return [
        {
            "memory": "frozen" if frozen else "learning",
            "seed": seed,
            "larva": str(larva),
            "on_food": float(result.on_food.sel(larva=larva).mean()),
            "on_food_last_third": float(result.on_food.sel(larva=larva)[-third:].mean()),
            "best_gain": float(gain.sel(larva=larva)[-1] if frozen else result.learned.sel(larva=larva)[0]),
            "mean_gain_last_third": float(gain.sel(larva=larva)[-third:].mean()),
        }
        for larva in result.larva.values
    ]


def main() -> None:
    """Run, write and print."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        runs = [pool.submit(live, frozen, seed) for seed in SEEDS for frozen in (False, True)]
        rows = [row for future in runs for row in future.result()]
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for kind in ("learning", "frozen"):
        print(kind)
        for name in ("on_food", "on_food_last_third", "best_gain", "mean_gain_last_third"):
            values = np.array([row[name] for row in rows if row["memory"] == kind])
            low, high = interval(values)
            print(
                f"  {name:22} {values.mean():8.3f} [{low:.3f}, {high:.3f}]  above 0: {(values > 0).sum()}/{len(values)}"
            )
    difference = np.array([a["on_food"] - b["on_food"] for a, b in zip(
        [row for row in rows if row["memory"] == "learning"], [row for row in rows if row["memory"] == "frozen"],
        strict=True)])  # fmt: skip
    low, high = interval(difference)
    print(f"on food, learning less frozen, larva by larva: {difference.mean():+.3f} [{low:+.3f}, {high:+.3f}]")


if __name__ == "__main__":
    main()
