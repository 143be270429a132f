"""The engine on a GPU beside the kernel on this machine's processor, in one run.

    python benchmarks/gpu.py [--larvae 1 32 1024 4096 16384 65536]

First what must be the same is compared: the golden files, then 512 larvae through training, extinction and a probe,
spike for spike. Then speed, in larva-seconds per second through the calls that users make, so that sending larvae to
the device and fetching them counts: training (pentyl acetate with reward, after half a second of it), naive larvae
without odor, and a tick of 100 ms. More than 1,024 larvae are copies of so many.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from kenyon.mushroom_body import BALANCED, Population, drive, verification
from kenyon.mushroom_body.activity import Record
from kenyon.mushroom_body.cuda import import_cuda
from kenyon.mushroom_body.state import arrays
from kenyon.seeds import larva_seeds
from kenyon.threads import available_cores

ODOR = "pentyl acetate"
REWARDED, NOTHING = drive(BALANCED, ODOR, reward=1.0), drive(BALANCED)
LARVA_SECONDS = {"cuda": 400_000, "kernel": 4_000}
"""In a measurement, about."""


def golden() -> None:
    """Replay every golden file on the device."""
    for path in verification.own_files():
        verdict = verification.replay(verification.load(path), "cuda")
        word = "identical" if verdict.identical else f"DIFFERENT {verdict}"
        print(f"golden {verdict.name}: {word}, {verdict.spikes} spikes, weights to {verdict.weight_error_nS:.1e} nS")


def sameness(larvae: int) -> None:
    """Let both engines train as many larvae for 10 s, let them forget for 5 s, and probe them."""
    populations = {name: Population(BALANCED, larva_seeds(1, larvae), engine=name) for name in ("cuda", "kernel")}
    answers: dict[str, list[Any]] = {name: [] for name in populations}
    for name, population in populations.items():
        rewarded = np.tile(REWARDED, (larvae, 1))
        rewarded[::2] = drive(BALANCED, ODOR, punishment=1.5)
        answers[name].append(population.advance(10_000, rewarded, record=Record(spikes=True)))
        answers[name].append(population.advance(5_000, NOTHING, record=Record(spikes=True)))
        answers[name].append(population.probe(ODOR, 3_000))
    spikes = differing = 0
    for ours, theirs in zip(*answers.values(), strict=True):
        spikes += int(theirs.counts.sum())
        pairs = zip(ours.spikes or (), theirs.spikes or (), strict=True)
        differing += sum(not np.array_equal(one, other) for one, other in pairs)
        differing += int((ours.counts != theirs.counts).any(axis=1).sum())
    print(f"{larvae} larvae, {larvae * 18:,} larva-seconds, {spikes:,} spikes: {differing} larvae with another spike")
    for name, values in arrays(populations["cuda"].state).items():
        others = arrays(populations["kernel"].state)[name]
        other = values != others
        if other.any():
            most = np.abs(values[other].astype(np.float64) - others[other].astype(np.float64)).max()
            print(f"  {name}: {other.sum():,} of {other.size:,} differ, by at most {most:.1e}")
        else:
            print(f"  {name}: every bit the same")


def speed(trained: Population, newborn: Population, engine: str, larvae: int) -> None:
    """Print a row: the speed of one engine."""
    seconds = min(60.0, max(0.2, round(LARVA_SECONDS[engine] / larvae, 1)))
    population = crowd(trained, engine, larvae)
    population.advance(10)  # compiles
    tick_s = min(timed(lambda: population.advance(100, REWARDED)) for _ in range(3))
    training_s = timed(lambda: population.advance(seconds * 1000, REWARDED))
    population = crowd(newborn, engine, larvae)
    naive_s = timed(lambda: population.advance(seconds * 1000, NOTHING))
    speeds = [f"{larvae * seconds / own:>16,.0f}" for own in (training_s, naive_s)]
    print(f"{larvae:>7}  {engine:<7} {' '.join(speeds)} {tick_s * 1e3:>14,.2f}", flush=True)


def crowd(larvae: Population, engine: str, size: int) -> Population:
    """Return so many larvae, copies of some."""
    return Population.from_snapshot(larvae.snapshot((np.arange(size) % len(larvae)).tolist()), engine=engine)


def timed(act: Callable[[], object]) -> float:
    """Return how long something takes, in s."""
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def main() -> None:
    """Compare and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--larvae", type=int, nargs="+", default=[1, 32, 1024, 4096, 16384, 65536])
    parser.add_argument("--compared", type=int, default=512, help="larvae compared spike for spike")
    arguments = parser.parse_args()
    device = import_cuda().get_current_device()
    name = device.name.decode() if isinstance(device.name, bytes) else device.name
    print(f"{name}; {available_cores()} cores; parameters balanced")
    print(f"compiled and warm after {timed(lambda: Population(seeds=[1], engine='cuda').advance(1)):.1f} s")
    golden()
    sameness(arguments.compared)
    print(f"{'larvae':>7}  {'engine':<7} {'training, l-s/s':>16} {'naive, l-s/s':>16} {'100 ms, ms':>14}")
    newborn = Population(BALANCED, larva_seeds(0, min(1024, max(arguments.larvae))))
    trained = newborn.select(range(len(newborn)))
    trained.advance(500, REWARDED)
    for larvae in arguments.larvae:
        for engine in ("cuda", "kernel"):
            speed(trained, newborn, engine, larvae)


if __name__ == "__main__":
    main()
