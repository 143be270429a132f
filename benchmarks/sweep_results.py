"""How long it takes to open what a sweep has given: `make bench-sweeps`.

Results are those of one real run of thirty larvae, told as of other seeds and thresholds: what is opened is as large
and as various as that of a sweep that took hours. Time is that of the processor, for machines are shared.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import xarray

from kenyon.conditioning.sweeps import Point, Store, Sweep, collect

DESIGN = "?A 0.3s, ?B 0.3s, 3x(A+ 0.3s, 0.1s, ?A 0.3s, ?B 0.3s)"


def main() -> None:
    """Write parts, and open them again and again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--in-a-part", type=int, default=100)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    seeds = 20
    thresholds = np.linspace(-40, -30, given.points // seeds).tolist()
    sweep = Sweep.grid(
        {"kc.threshold_mV": thresholds}, design=DESIGN, bindings={"A": "pentyl acetate", "B": "anisole"},
        seed=range(seeds), larvae=30,
    )  # fmt: skip
    base = sweep[0].compute(threads=2)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        wrote = []
        for first in range(0, len(sweep), given.in_a_part):
            some = {point.id: told(base, point) for point in sweep[first : first + given.in_a_part]}
            wrote.append(timed(partial(store.add, some)))
        print(f"kept: {1e3 * sum(wrote) / len(sweep):.2f} ms a point, {len(wrote)} parts")
        ids = [timed(lambda: Store(folder).ids()) for _ in range(given.times)]
        print(f"ids of {len(sweep)} points: {statistics.median(ids):.2f} s")
        opened = [timed(lambda: collect(Store(folder), sweep)) for _ in range(given.times)]
        size = collect(Store(folder), sweep).nbytes / 1e6
        print(f"collected: {statistics.median(opened):.2f} s, {size:.0f} MB")


def told(base: xarray.Dataset, point: Point) -> xarray.Dataset:
    """Return a result as if it were that of another point: all its numbers in another order among larvae."""
    rng = np.random.default_rng(int(point.id, 16))
    result = base.copy()
    for name, own in base.data_vars.items():
        result[name] = own.dims, rng.permuted(own.values, axis=0)
    larvae = base.sizes["larva"]
    result["larva_run_id"] = "larva", [point.id] * larvae
    result["larva_seed"] = "larva", [str(10**77 + 100 * point.seed + own) for own in range(larvae)]
    threshold = float(point.varied["kc.threshold_mV"])
    return result.assign_coords({"run_id": point.id, "seed": str(point.seed), "kc.threshold_mV": threshold})


def timed(work: Callable[[], Any]) -> float:
    """Return how much of the processor something takes, s."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
