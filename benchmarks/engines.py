"""The engines side by side in one run: Brian2, Brian2's C++ standalone mode, the kernel, and the floor under it.

Standalone mode runs on one core, so the kernel is measured on all of them and on one.

    python benchmarks/engines.py [--rounds 3] [--larvae 1 2 32 256] [--scaling 1 32 256 2048 16384] [--peers-to 256]

What is timed is conditioning, in larva-seconds per second: half of the time pentyl acetate with reward, half nothing,
parameters `balanced`. Machines are noisy, so the engines take turns, round after round, and the ratios are those of one
round; the median over rounds is printed. The floor (`floor.py`) is what the integration of all cells takes alone.

Then how cost grows with the number of larvae: milliseconds of a core for a larva-second, beside that with 32 larvae,
and the memory that a process grows by for each, Brian2 beside it as far as it goes in reasonable time. Then the time
from `import kenyon` to the first result in a new process, with nothing compiled before (cold) and again (warm), also of
the processor; and what it costs to have every spike recorded.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from brian_standalone import larva_seconds_per_second as standalone
from floor import larva_seconds_per_second as floor

from kenyon.mushroom_body import BALANCED, Population, Record, drive
from kenyon.seeds import larva_seeds
from kenyon.threads import available_cores

ODOR = "pentyl acetate"
BUDGET = {"kernel": 600.0, "one core": 600.0, "brian2": 8.0, "standalone": 8.0, "floor": 600.0}
"""Larva-seconds in a round, at least; more larvae get at least half a second each."""


def conditioning(engine: str, threads: int | None = None) -> Callable[[int, float], float]:
    """Return a function that times an engine of ours."""
    populations: dict[int, Population] = {}

    def measure(larvae: int, seconds: float) -> float:
        if larvae not in populations:
            populations[larvae] = Population(BALANCED, larva_seeds(0, larvae), engine=engine, threads=threads)
            populations[larvae].advance(1)  # compiles
        population, half_ms = populations[larvae], round(seconds * 500)
        begin = time.perf_counter()
        population.advance(half_ms, drive(BALANCED, ODOR, reward=1.0))
        population.advance(half_ms, drive(BALANCED))
        return larvae * 2 * half_ms / 1000 / (time.perf_counter() - begin)

    return measure


def speeds(larvae: int, rounds: int) -> None:
    """Print a row for each engine: its speed, and the kernel's over it."""
    engines: dict[str, Callable[[int, float], float | str]] = {
        "brian2": conditioning("brian2"),
        "standalone": standalone,
        "kernel": conditioning("kernel"),
        "one core": conditioning("kernel", threads=1),
        "floor": floor,
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


def scaling(counts: list[int], rounds: int, peers_to: int) -> None:
    """Print what a larva-second costs, and what a larva takes of memory, for more and more larvae of each engine."""
    print(f"{'larvae':>7}  {'engine':<12} {'core-ms a larva-s':>18} {'over 32 larvae':>16} {'KiB a larva':>12}")
    measured: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for larvae in counts:
            for engine in ("kernel", "brian2") if larvae <= peers_to else ("kernel",):
                command = [sys.executable, __file__, "--one", engine, str(larvae)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                cost_ms, kib = map(float, done.stdout.split())
                measured.setdefault((engine, larvae), []).append((cost_ms, kib))
    for (engine, larvae), values in sorted(measured.items(), key=lambda own: own[0][::-1]):
        cost_ms, kib = np.median(values, axis=0)
        among_32 = measured.get((engine, 32))
        over = f"{cost_ms / np.median(among_32, axis=0)[0]:.2f}" if among_32 else ""
        print(f"{larvae:>7}  {engine:<12} {cost_ms:>18.3f} {over:>16} {kib:>12.1f}", flush=True)


def cost_of(engine: str, larvae: int) -> None:
    """Print what a larva-second costs in this process, and what memory a larva takes, which is why it is a new one."""
    measure = conditioning(engine)
    measure(1, 0.01)
    before = _resident_bytes()
    seconds = max(0.2, BUDGET[engine] / larvae)
    speed = measure(larvae, seconds)
    cores = min(larvae, available_cores()) if engine == "kernel" else 1
    print(1000 * cores / speed, (_resident_bytes() - before) / 1024 / larvae)


def _resident_bytes() -> int:
    """Return how much memory this process has now, or has had at most where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def recording(rounds: int) -> None:
    """Print what a step costs more if every spike of a larva is kept."""
    larva, odor = Population(BALANCED, [1], threads=1), drive(BALANCED, ODOR)
    more_ns = []
    for _ in range(20 * rounds):
        took_s = []
        for record in (Record(), Record(spikes=True)):
            begin = time.perf_counter()
            activity = larva.advance(500, odor, record=record)
            took_s.append(time.perf_counter() - begin)
        more_ns.append((took_s[1] - took_s[0]) / 5000 * 1e9)
    spikes = int(activity.counts.sum()) / 5000
    print(f"recording spikes: {np.median(more_ns):.1f} ns more a step, of {spikes:.2f} spikes, under odor")


def first_result() -> None:
    """Print how long a new process takes from import to the first result."""
    script = (
        "from kenyon.mushroom_body import Population\n"
        "p = Population(seeds=[1]); p.stimulate('pentyl acetate', reward=1.0)\n"
        "print(p.advance(100).rate_hz('MBONp'))\n"
    )
    with tempfile.TemporaryDirectory() as cache:
        for state in ("cold", "warm"):
            begin, before = time.perf_counter(), _children_s()
            environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
            subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, env=environment)
            took_s, processor_s = time.perf_counter() - begin, _children_s() - before
            print(f"import to first result, {state} cache: {took_s:.1f} s, {processor_s:.1f} s of the processor")


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure and print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--larvae", type=int, nargs="+", default=[1, 2, 32, 256])
    parser.add_argument("--scaling", type=int, nargs="*", default=[1, 32, 256, 2048, 16384])
    parser.add_argument("--peers-to", type=int, default=256, help="most larvae that Brian2 is given")
    parser.add_argument("--one", nargs=2, metavar=("ENGINE", "LARVAE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        cost_of(arguments.one[0], int(arguments.one[1]))
        return
    print(f"cores: {available_cores()}; larva-seconds per second during conditioning, median of {arguments.rounds}")
    print(f"{'larvae':>7}  {'engine':<12} {'larva-s per s':>16} {'kernel is x':>16}")
    for larvae in arguments.larvae:
        speeds(larvae, arguments.rounds)
    scaling(arguments.scaling, arguments.rounds, arguments.peers_to)
    recording(arguments.rounds)
    first_result()


if __name__ == "__main__":
    main()
