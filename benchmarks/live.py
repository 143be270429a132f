"""What a page costs a run of Larvaworld: PItrain with ten larvae, with a page that is read and without, in turns.

A client reads all events and draws nothing, as the network part of a browser would; it may look at a larva too, so
that its spikes are recorded and told. It is a process of its own.
"""

import argparse
import subprocess
import sys
import time
from functools import partial

from in_turns import Turns, ratios, side_by_side, words

from kenyon.larvaworld_plugin.experiment import carry_out
from kenyon.larvaworld_plugin.plan import Plan
from kenyon.live import watch

_CLIENT = """
import sys, urllib.request
if sys.argv[2] != "none":
    urllib.request.urlopen(urllib.request.Request(sys.argv[1] + "larva", data=sys.argv[2].encode(), method="POST"))
size = 0
with urllib.request.urlopen(sys.argv[1] + "events") as events:
    while piece := events.read1(65536):
        size += len(piece)
print(size)
"""
WAYS = {"without": None, "watched": "none", "watched, a larva chosen": "0"}
SLICE_TICKS = 20
"""Two seconds of larvae: two frames of a page, and one question of each memory to its circuit."""


def main() -> None:
    """Print how much longer runs take with a page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--larvae", type=int, default=10)
    options.add_argument("--minutes", type=float, default=5.0)
    asked = options.parse_args()
    ways = {name: partial(lived, asked.larvae, asked.minutes, chosen) for name, chosen in WAYS.items()}
    took = side_by_side(ways, SLICE_TICKS)
    alone = took["without"]
    print(f"PItrain, {asked.larvae} larvae, {len(alone)} slices of {SLICE_TICKS} ticks in turns; without a page "
          f"{sum(own.wall_s for own in alone):.1f} s, of the processor "
          f"{sum(own.cpu_s for own in alone):.1f} s")  # fmt: skip
    for name in [*WAYS][1:]:
        wall, cpu = ratios(took[name], alone)
        print(f"{name}: by the clock {words(wall)}, of the processor {words(cpu)}; median, least and most of tenths")


def lived(larvae: int, minutes: float, chosen: str | None, turns: Turns) -> None:
    """Carry a run out.

    Args:
        larvae: How many.
        minutes: How long they live.
        chosen: The larva that a client looks at, "none", or None for a run without a page.
        turns: A listener.
    """
    carry_out(Plan("PItrain", "forager_MB", 2, 0.1), show_progress=False)  # all code is compiled then
    plan = Plan("PItrain", "forager_MB", larvae, minutes)
    if chosen is None:
        carry_out(plan, listeners=[turns], show_progress=False)
        return
    with watch() as page:
        client = subprocess.Popen(
            [sys.executable, "-c", _CLIENT, page.address, chosen], stdout=subprocess.PIPE, text=True
        )
        while page.browsers == 0:
            time.sleep(0.01)
        carry_out(plan, listeners=[page, turns], show_progress=False)
    client.communicate()


if __name__ == "__main__":
    main()
