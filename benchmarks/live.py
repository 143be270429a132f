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
    took_s: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(asked.turns):
        for name in [*ways] if turn % 2 == 0 else [*reversed(ways)]:
            took_s[name].append(_seconds(plan, ways[name]))
        print(f"turn {turn + 1}: " + ", ".join(f"{name} {own[-1]:.1f} s" for name, own in took_s.items()), flush=True)
    for name in [*ways][1:]:
        ratios = [own / alone for own, alone in zip(took_s[name], took_s["without"], strict=True)]
        shown = ", ".join(f"{ratio - 1:+.1%}" for ratio in sorted(ratios))
        print(f"{name}: {statistics.median(ratios) - 1:+.1%} (median of {shown})")


def _seconds(plan: Plan, chosen: str | None) -> float:
    """Return how long a run takes, s; with a client that looks at a larva, at none, or without a page."""
    if chosen is None:
        began = time.perf_counter()
        carry_out(plan, show_progress=False)
        return time.perf_counter() - began
    with watch() as page:
        client = subprocess.Popen(
            [sys.executable, "-c", _CLIENT, page.address, chosen], stdout=subprocess.PIPE, text=True
        )
        while page.browsers == 0:
            time.sleep(0.01)
        began = time.perf_counter()
        carry_out(plan, listeners=[page], show_progress=False)
        took_s = time.perf_counter() - began
    client.communicate()
    return took_s


if __name__ == "__main__":
    main()
