"""Throughput of a sweep beside the plain loop that uses all cores, in turns: the bar is 90 % of the loop.

python benchmarks/sweeps.py [--points 40] [--turns 3]

A point of 0.05 s and one of 5 s: how many larvae that are is measured first, with the plain loop. Processes start
within what is measured, so give enough points that a turn takes minutes.
"""

import statistics
import tempfile
import time
from pathlib import Path

import click

from kenyon.conditioning import run
from kenyon.conditioning.sweeps import Sweep, run_sweep
from kenyon.threads import available_cores

DESIGN = "A+ 2s, ?A 1s"


def plain(sweep: Sweep) -> float:
    """Return how long a loop takes that advances larvae on all cores and keeps nothing, s."""
    begun = time.perf_counter()
    for point in sweep:
        run(DESIGN, larvae=point.larvae, seed=point.seed, show_progress=False)
    return time.perf_counter() - begun


def swept(sweep: Sweep) -> float:
    """Return how long the sweep takes, all of it: plan, processes, results on the disk, s."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        found = run_sweep(sweep, Path(folder), show_progress=False)
        lasted = time.perf_counter() - begun
    if not found.complete:
        raise SystemExit(str(found))
    return lasted


def larvae_for(seconds: float) -> int:
    """Return how many larvae the plain loop takes so long for."""
    few, many = (plain(Sweep.grid(design=DESIGN, larvae=larvae, seed=range(3))) / 3 for larvae in (1, 21))
    return max(1, round((seconds - few) / (max(many - few, 1e-6) / 20)))


@click.command()
@click.option("--seconds", multiple=True, type=float, default=(0.05, 5.0), show_default=True, help="Of a point.")
@click.option("--points", type=int, default=None, help="How many; as many as take a minute if not given.")
@click.option("--turns", default=3, show_default=True, help="How often each is measured.")
def main(seconds: tuple[float, ...], points: int | None, turns: int) -> None:
    """Measure both in turns, and print the medians."""
    plain(Sweep.grid(design=DESIGN, larvae=1, seed=0))  # Compiled code is there from now on.
    print(f"{available_cores()} cores")
    for point_s in seconds:
        larvae = larvae_for(point_s)
        count = points or max(2 * available_cores(), round(60.0 / point_s))
        sweep = Sweep.grid(design=DESIGN, larvae=larvae, seed=range(count))
        times = [(plain(sweep), swept(sweep)) for _ in range(turns)]
        loop_s, sweep_s = (statistics.median(own) for own in zip(*times, strict=True))
        ratio = statistics.median(a / b for a, b in times)
        print(
            f"{count} points of {larvae} larvae: loop {loop_s:.1f} s ({loop_s / count:.3f} s a point), "
            f"sweep {sweep_s:.1f} s: {ratio:.0%} of the loop's throughput"
        )


if __name__ == "__main__":
    main()
