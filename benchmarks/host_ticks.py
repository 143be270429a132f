"""What a memory costs in Larvaworld: the same experiment with larvae that have none, Q-learning, a mushroom body.

    make bench-plugin                          # all four, a slice of one after a slice of another
    python benchmarks/host_ticks.py --minutes 3

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
from functools import partial
from pathlib import Path
from typing import Any

from in_turns import Turns, ratios, side_by_side, words

from kenyon.larvaworld_plugin import host, register
from kenyon.larvaworld_plugin.attaching import attach
from kenyon.server import ready

LARVAE = 15
WAYS: Mapping[str, tuple[str, str]] = {
    "no memory": ("forager_x2", "none"),
    "Q-learning": ("forager_RL", "ours"),
    "mushroom body in process": ("forager_MB", "ours"),
    "mushroom body on a server": ("forager_MB", "remote"),
}
"""The model of each, and where its memory is."""

SLICE_TICKS = 20
"""As often as a mushroom body is asked."""


def lived(model: str, memory: str, port: int, larvae: int, minutes: float, turns: Turns) -> None:
    """Run the experiment.

    Args:
        model: Name of a stored model.
        memory: "ours", "remote", or "none".
        port: Of the server of remote ones.
        larvae: How many.
        minutes: How long they live.
        turns: A listener.
    """
    from larvaworld.lib.sim import ExpRun

    where: dict[str, Any] = {"server_host": "127.0.0.1", "server_port": port}
    registration: Any = nullcontext()
    if memory != "none":
        registration = register(remote=True, options={"MB": where}) if memory == "remote" else register()
    for number, duration, listeners in ((2, 0.05, []), (larvae, minutes, [turns])):  # the first compiles
        with registration, tempfile.TemporaryDirectory() as folder, host.quiet(), host.repeatable(0):
            run = ExpRun(
                experiment="PItrain", modelIDs=[model], N=number, duration=duration, id=f"cost {time.time_ns()}",
                screen_kws={"vis_mode": None}, store_data=False, dir=f"{folder}/run",
            )  # fmt: skip
            run.p.enrichment = None
            attach(run, listeners)
            run.simulate(seed=0)


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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--larvae", type=int, default=LARVAE)
    parser.add_argument("--minutes", type=float, default=1.0, help="time of the larvae")
    asked = parser.parse_args()
    host.require()
    with served() as port:
        ways = {name: partial(lived, *way, port, asked.larvae, asked.minutes) for name, way in WAYS.items()}
        took = side_by_side(ways, SLICE_TICKS)
    alone = took["no memory"]
    print(f"PItrain, {asked.larvae} larvae, larvaworld {host.version()}; µs per larva and tick, the median of "
          f"{len(alone)} slices, and over no memory (median, least and most of tenths of the run)")  # fmt: skip
    for name, own in took.items():
        wall, cpu = ratios(own, alone)
        tick_us = statistics.median(one.wall_s for one in own) / SLICE_TICKS / asked.larvae * 1e6
        print(f"{name:26} {tick_us:7.0f}   by the clock {words(wall)}, of the processor here {words(cpu)}")


if __name__ == "__main__":
    main()
