"""What a memory costs in Larvaworld: the same experiment with larvae that have none, Q-learning, a mushroom body.

    make bench-plugin                          # all four in turns, in one run
    python benchmarks/host_ticks.py --rounds 7

Time is that of the ticks alone, per larva and tick; building the larvae is left out. A mushroom body is probed as it is
by default: each odor of the arena (two in PItrain) for 1 s of its time, every 2 s of the larva's.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from kenyon.larvaworld_plugin import host, register
from kenyon.server import ready

LARVAE = 15
WAYS: Mapping[str, str] = {
    "no memory": "forager_x2",
    "Q-learning": "forager_RL",
    "mushroom body in process": "forager_MB",
    "mushroom body on a server": "forager_MB",
}


def tick_us(model: str, larvae: int, minutes: float) -> float:
    """Return the time of a tick of one larva, µs."""
    from larvaworld.lib.sim import ExpRun

    class Timed(ExpRun):  # type: ignore[misc]  # untyped
        took_s = 0.0

        def sim_step(self) -> None:
            began = time.perf_counter()
            super().sim_step()
            self.took_s += time.perf_counter() - began

    with tempfile.TemporaryDirectory() as folder, host.quiet(), host.repeatable(0):
        run = Timed(
            experiment="PItrain", modelIDs=[model], N=larvae, duration=minutes, id=f"cost {time.time_ns()}",
            screen_kws={"vis_mode": None}, store_data=False, dir=f"{folder}/run",
        )  # fmt: skip
        run.p.enrichment = None
        run.simulate(seed=0)
    return float(run.took_s / (run.t * larvae) * 1e6)


@contextmanager
def served() -> Iterator[int]:
    """Run `kenyon serve` in a process of its own; yield its port."""
    with tempfile.TemporaryDirectory() as folder:
        kenyon = str(Path(sys.executable).with_name("kenyon"))
        command = [kenyon, "serve", "--port", "0", "--state-dir", f"{folder}/state", "--ready-file", f"{folder}/ready"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                found = ready.wait_for(f"{folder}/ready", is_alive=lambda: process.poll() is None)
                if found is None:
                    raise RuntimeError("kenyon serve must start, but did not; it has said why")
                yield found.address.port
            finally:
                process.terminate()


def measure(way: str, port: int, larvae: int, minutes: float) -> float:
    """Return the time of a tick of one larva with a kind of memory, µs."""
    where: dict[str, Any] = {"server_host": "127.0.0.1", "server_port": port}
    registration: Any = nullcontext()
    if way == "mushroom body on a server":
        registration = register(remote=True, options={"MB": where})
    elif way != "no memory":
        registration = register()
    with registration:
        return tick_us(WAYS[way], larvae, minutes)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--larvae", type=int, default=LARVAE)
    parser.add_argument("--minutes", type=float, default=0.4, help="time of the larvae in each run")
    asked = parser.parse_args()
    host.require()
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    with served() as port:
        for way in WAYS:
            measure(way, port, 2, 0.05)  # compiles
        for _ in range(asked.rounds):
            for way, own in taken.items():
                own.append(measure(way, port, asked.larvae, asked.minutes))
    print(
        f"PItrain, {asked.larvae} larvae, larvaworld {host.version()}; µs per larva and tick, median of {asked.rounds}"
    )
    for way, own in taken.items():
        ratios = [one / none - 1 for one, none in zip(own, taken["no memory"], strict=True)]
        print(f"{way:26} {statistics.median(own):7.0f}   {statistics.median(ratios):+.0%} (median over rounds; "
              f"{min(ratios):+.0%} to {max(ratios):+.0%})")  # fmt: skip


if __name__ == "__main__":
    main()
