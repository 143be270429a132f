"""What a page costs a run of Larvaworld: PItrain with ten larvae, in turns with a page that is read and without.

A client reads all events and draws nothing, as the network part of a browser would; it may look at a larva too, so
that its spikes are recorded and told. It is a process of its own.
"""

import argparse
import statistics
import subprocess
import sys
import time

from kenyon.larvaworld_plugin.experiment import carry_out
from kenyon.larvaworld_plugin.plan import Plan
from kenyon.live import Page, watch

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


def main() -> None:
    """Print how long runs take, with and without a page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--larvae", type=int, default=10)
    options.add_argument("--minutes", type=float, default=2.0)
    options.add_argument("--turns", type=int, default=5)
    asked = options.parse_args()
    plan = Plan("PItrain", "forager_MB", asked.larvae, asked.minutes)
    carry_out(Plan("PItrain", "forager_MB", asked.larvae, 0.1), show_progress=False)  # all code is compiled then
    ways = {"without": None, "watched": "none", "watched, a larva chosen": "0"}
    took_s: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(asked.turns):
        for name in [*ways] if turn % 2 == 0 else [*reversed(ways)]:
            took_s[name].append(_seconds(plan, ways[name]))
        said = ", ".join(f"{name} {own[-1][0]:.1f} s ({own[-1][1]:.1f} s)" for name, own in took_s.items())
        print(f"turn {turn + 1}, and of the processor: {said}", flush=True)
    for name in [*ways][1:]:
        for place, clock in enumerate(("on the wall", "of the processor")):
            ratios = [own[place] / alone[place] for own, alone in zip(took_s[name], took_s["without"], strict=True)]
            shown = ", ".join(f"{ratio - 1:+.1%}" for ratio in sorted(ratios))
            print(f"{name}, time {clock}: {statistics.median(ratios) - 1:+.1%} (median of {shown})")


def _seconds(plan: Plan, chosen: str | None) -> tuple[float, float]:
    """Return how long a run takes on the wall, and of the processor in this process, that of the page included, s.

    Args:
        plan: The run.
        chosen: The larva that a client looks at, "none", or None for a run without a page.
    """
    if chosen is None:
        return _timed(plan)
    with watch() as page:
        client = subprocess.Popen(
            [sys.executable, "-c", _CLIENT, page.address, chosen], stdout=subprocess.PIPE, text=True
        )
        while page.browsers == 0:
            time.sleep(0.01)
        took_s = _timed(plan, page)
    client.communicate()
    return took_s


def _timed(plan: Plan, *listeners: Page) -> tuple[float, float]:
    began = time.perf_counter(), time.process_time()
    carry_out(plan, listeners=listeners, show_progress=False)
    return time.perf_counter() - began[0], time.process_time() - began[1]


if __name__ == "__main__":
    main()
