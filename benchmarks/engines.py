"""The engines side by side in one run: Brian2, Brian2's C++ standalone mode, the kernel, and its limit.

    python benchmarks/engines.py [--rounds 3] [--larvae 1 2 32 256]

What is timed is conditioning, in larva-seconds per second: half of the time pentyl acetate with reward, half nothing,
parameters `balanced`. Machines are noisy, so the engines take turns, round after round, and the ratios are those of one
round; the median over rounds is printed. The limit is the Euler integration of the same neurons alone, in the kernel's
own loop, on every core: no input, no spikes, no synapses. Then memory per larva, and the time from `import kenyon` to
the first result in a new process, with nothing compiled before (cold) and again (warm).
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from brian_standalone import larva_seconds_per_second as standalone
from numba import njit

from kenyon.mushroom_body import BALANCED, Population, drive, kernel
from kenyon.mushroom_body.circuit import N_NEURONS
from kenyon.seeds import larva_seeds
from kenyon.threads import available_cores

ODOR = "pentyl acetate"
BUDGET = {"kernel": 600.0, "brian2": 8.0, "standalone": 8.0, "limit": 600.0}
"""Larva-seconds in a round, at least; more larvae get at least half a second each."""


def conditioning(engine: str) -> Callable[[int, float], float]:
    """Return a function that times an engine of ours."""
    populations: dict[int, Population] = {}

    def measure(larvae: int, seconds: float) -> float:
        if larvae not in populations:
            populations[larvae] = Population(BALANCED, larva_seeds(0, larvae), engine=engine)
            populations[larvae].advance(1)  # compiles
        population, half_ms = populations[larvae], round(seconds * 500)
        begin = time.perf_counter()
        population.advance(half_ms, drive(BALANCED, ODOR, reward=1.0))
        population.advance(half_ms, drive(BALANCED))
        return larvae * 2 * half_ms / 1000 / (time.perf_counter() - begin)

    return measure


@njit(nogil=True)
def _integrate_alone(k: kernel.Constants, n_steps: int) -> int:
    x, c = np.zeros((4, N_NEURONS)), np.empty((6, N_NEURONS))
    c[:] = k.cells
    x[0] = c[kernel.REST]
    above = 0
    for _ in range(n_steps):
        above += kernel._integrate(x, c, k)  # noqa: SLF001  # the loop itself is what is timed
    return above


def limit(larvae: int, seconds: float) -> float:
    """Time the integration of as many larvae for as long."""
    k, n_steps = kernel.constants(BALANCED), round(seconds * 10_000)
    _integrate_alone(k, 1)
    with ThreadPoolExecutor(available_cores()) as pool:
        begin = time.perf_counter()
        list(pool.map(lambda _: _integrate_alone(k, n_steps), range(larvae)))
        return larvae * seconds / (time.perf_counter() - begin)


def speeds(larvae: int, rounds: int) -> None:
    """Print a row for each engine: its speed, and the kernel's over it."""
    engines: dict[str, Callable[[int, float], float | str]] = {
        "brian2": conditioning("brian2"),
        "standalone": standalone,
        "kernel": conditioning("kernel"),
        "limit": limit,
    }
    measured: dict[str, list[float | str]] = {name: [] for name in engines}
    for _ in range(rounds):
        for name, measure in engines.items():
            measured[name].append(measure(larvae, max(0.5, BUDGET[name] / larvae)))
    for name, values in measured.items():
        if isinstance(values[0], str):
            print(f"{larvae:>7}  {name:<12} left out: {values[0]}", flush=True)
            continue
        ratios = [float(ours) / float(theirs) for ours, theirs in zip(measured["kernel"], values, strict=True)]
        middle = np.median([float(value) for value in values])
        print(f"{larvae:>7}  {name:<12} {middle:>16,.1f} {np.median(ratios):>16,.2f}", flush=True)


def memory() -> None:
    """Print what a larva takes, by its arrays and by the process."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    population = Population(BALANCED, larva_seeds(0, 4096))
    population.advance(10)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 4096
    arrays = population.state.records.nbytes / 4096 / 1024
    print(f"memory per larva: {arrays:.1f} KiB of state; the process grew by {grown:.1f} KiB for each of 4,096 larvae")


def first_result() -> None:
    """Print how long a new process takes from import to the first result."""
    script = (
        "from kenyon.mushroom_body import Population\n"
        "p = Population(seeds=[1]); p.stimulate('pentyl acetate', reward=1.0)\n"
        "print(p.advance(100).rate_hz('MBONp'))\n"
    )
    with tempfile.TemporaryDirectory() as cache:
        for state in ("cold", "warm"):
            begin = time.perf_counter()
            environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
            subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, env=environment)
            print(f"import to first result, {state} cache: {time.perf_counter() - begin:.1f} s")


def main() -> None:
    """Measure and print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--larvae", type=int, nargs="+", default=[1, 2, 32, 256])
    arguments = parser.parse_args()
    print(f"cores: {available_cores()}; larva-seconds per second during conditioning, median of {arguments.rounds}")
    print(f"{'larvae':>7}  {'engine':<12} {'larva-s per s':>16} {'kernel is x':>16}")
    for larvae in arguments.larvae:
        speeds(larvae, arguments.rounds)
    memory()
    first_result()


if __name__ == "__main__":
    main()
