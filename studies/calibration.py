"""How strongly larvae of Larvaworld follow their gains, and so which G makes them do what they have learned.

A test of preference, the host's PItest_off, three minutes: odor CS on the left, UCS on the right. Larvae have no memory
but fixed gains: the innate one for both odors, and so much more for CS. What they do, the host's preference index over
the second half of the test, is held against what output neurons say that differ by MBONp - MBONn.

    python studies/calibration.py        # writes calibration.csv and docs/images/calibration.png; twenty minutes
    python studies/calibration.py --draw # draws the figure from calibration.csv again
"""

import argparse
import csv
import multiprocessing
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kenyon.conditioning.statistics import interval
from kenyon.drawing import BLUE, GRAY, VERMILION, finish, new_figure, save_figure
from kenyon.larvaworld_plugin import host
from kenyon.seeds import larva_seed

TABLE = Path(__file__).with_suffix(".csv")
FIGURE = Path(__file__).parent.parent / "docs" / "images" / "calibration.png"

MORE = (-150.0, -100.0, -50.0, -25.0, 25.0, 50.0, 100.0, 150.0)
INNATE = (0.0, 150.0)
GROUPS, LARVAE, MINUTES = 3, 15, 3.0

LEARNED = {"balanced": (0.54, 74.0), "larval": (0.75, 58.0)}
"""What larvae have learned after three trials of paired training, by the constants of their circuit: the index of the
output neurons for the trained odor, and by how much MBONp - MBONn of it is above that of the other odor, Hz. With
`balanced` in the dish of `kenyon larvaworld preference`; with `larval` in the circuit alone, phases of 40 s, mean of
both odors."""


class Case(NamedTuple):
    """One group of larvae with fixed gains."""

    innate: float
    more: float
    group: int


def preference(case: Case) -> float:
    """Return the host's index of a group, averaged over the second half of its test."""
    host.require()
    from larvaworld.lib import util
    from larvaworld.lib.sim import ExpRun

    seed = larva_seed(0, "calibration", case.group) % 2**31
    samples = []

    class Watched(ExpRun):  # type: ignore[misc]  # untyped
        def sim_step(self) -> None:
            super().sim_step()
            if self.t % 10 == 0 and self.t * self.dt > MINUTES * 30:
                samples.append(util.comp_PI(arena_xdim=self.space.dims[0], xs=[agent.pos[0] for agent in self.agents]))

    with tempfile.TemporaryDirectory() as folder, host.quiet(), host.repeatable(seed):
        run = Watched(experiment="PItest_off", modelIDs=["forager_x2"], N=LARVAE, duration=MINUTES, id="calibration",
                      screen_kws={"vis_mode": None}, store_data=False, dir=f"{folder}/run")  # fmt: skip
        run.p.enrichment = None
        model = host.stored("Model", "forager_x2")
        model.brain.olfactor.gain_dict.update({"CS": case.innate + case.more, "UCS": case.innate})
        run.p.larva_groups["forager_x2"].model = model
        run.simulate(seed=seed)
    return float(np.mean(samples))


def measure() -> None:
    """Measure all cases, and write the table."""
    cases = [Case(innate, more, group) for innate in INNATE for more in MORE for group in range(GROUPS)]
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool, TABLE.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["innate_gain", "gain_above_it", "group", "preference_index"])
        for case, index in zip(cases, pool.map(preference, cases), strict=True):
            rows.writerow([*case, f"{index:.4f}"])
            file.flush()
            print(*case, f"{index:+.2f}", flush=True)


def read() -> dict[float, dict[float, list[float]]]:
    """Return the indices of the groups, by innate gain and by what was added to it."""
    found: dict[float, dict[float, list[float]]] = {}
    with TABLE.open() as file:
        for row in csv.DictReader(file):
            by_more = found.setdefault(float(row["innate_gain"]), {})
            by_more.setdefault(float(row["gain_above_it"]), []).append(float(row["preference_index"]))
    return found


def gain_for(by_more: dict[float, list[float]], index: float) -> float:
    """Return the gain above the innate one at which larvae behave with an index, by linear interpolation."""
    # What is learned is added or taken away alike: half the difference between the two sides leaves out chance.
    both = sorted(more for more in by_more if more > 0 and -more in by_more)
    means = [float(np.mean(by_more[more]) - np.mean(by_more[-more])) / 2 for more in both]
    return float(np.interp(index, [0.0, *means], [0.0, *both]))


def draw(found: dict[float, dict[float, list[float]]]) -> None:
    """Draw what larvae do against what is added to their gain."""
    figure = new_figure(8, 5)
    axes = figure.add_subplot()
    for color, (innate, by_more) in zip((BLUE, VERMILION), found.items(), strict=True):
        more = np.array(sorted(by_more))
        values = np.array([by_more[one] for one in more]).T
        mean = values.mean(axis=0)
        below, above = np.abs(interval(values) - mean[:, None]).T
        axes.errorbar(more, mean, yerr=(below, above), color=color, marker="o", capsize=3, label=f"innate {innate:g}")
    axes.axhline(0, color="black", linewidth=0.8)
    for name, (index, _) in LEARNED.items():
        for sign in (1, -1):
            axes.axhline(sign * index, color=GRAY, linestyle=":")
        words = f" what output neurons say after three trials, {name}"
        axes.text(axes.get_xlim()[0], index, words, va="bottom", fontsize=9)
    finish(
        axes, f"What larvae with fixed gains do: {GROUPS} groups of {LARVAE}, mean and 95 % interval",
        x="gain of CS above that of UCS", y="preference index in Larvaworld's PItest_off",
    )  # fmt: skip
    axes.legend(frameon=False)
    save_figure(figure, FIGURE, overwrite=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, draw, and print the G that follows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draw", action="store_true", help="draw from the table that is there")
    if not parser.parse_args(arguments).draw:
        measure()
    found = read()
    draw(found)
    for innate, by_more in found.items():
        print(f"innate {innate:g}:", {more: round(float(np.mean(own)), 2) for more, own in by_more.items()})
        for name, (index, difference_hz) in LEARNED.items():
            with suppress(ValueError):
                gain = gain_for(by_more, index)
                print(f"  {name}: index {index} at a gain of {gain:.0f}, so G = {gain / difference_hz:.2f} per Hz")


if __name__ == "__main__":
    main()
