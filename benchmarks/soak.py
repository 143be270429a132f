"""Many steps over many larvae, and how the server's memory and disk grow meanwhile.

    python benchmarks/soak.py [--steps 200000] [--larvae 500]

The clients are eight, each with a connection of its own, in frames of larvae that change from step to step. Warm-up is
the first tenth: by then every larva has been born.
"""

import argparse
import threading
import time
from pathlib import Path

import numpy as np
from server import ask, connected, kenyon_server, step

from kenyon.progress import progress
from kenyon.wire import Address, encode, frame

CLIENTS = 8
FRAME = 25


def live(address: Address, client: int, larvae: int, steps: int, done: list[int]) -> None:
    """Let the larvae of one client do their steps, in frames of some of them, picked anew each time."""
    chance = np.random.default_rng(client)
    next_step = np.zeros(larvae, dtype=int)
    with connected(address) as sock:
        while done[client] < steps:
            # Those behind first, so that all get as far.
            picked = np.lexsort((chance.random(larvae), next_step))[: min(FRAME, larvae)]
            messages = [step(f"soak {client}", int(larva), int(next_step[larva])) for larva in picked]
            ask(sock, frame(encode(messages)))
            next_step[picked] += 1
            done[client] += len(picked)


def resident_mib(pid: int) -> float:
    """Return how much memory a process holds."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    """Run, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--larvae", type=int, default=500)
    arguments = parser.parse_args()
    with kenyon_server() as address:
        done = [0] * CLIENTS
        share = (address, arguments.larvae // CLIENTS, arguments.steps // CLIENTS)
        threads = [
            threading.Thread(target=live, args=(address, client, share[1], share[2], done)) for client in range(CLIENTS)
        ]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        seen: list[tuple[int, float, float]] = []
        before = 0
        with progress("soaking", arguments.steps) as more:
            while any(thread.is_alive() for thread in threads):
                time.sleep(1.0)
                total = sum(done)
                more(total - before)
                before = total
                disk = sum(path.stat().st_size for path in Path(address.folder).iterdir()) / 2**20
                seen.append((total, resident_mib(address.pid), disk))
        took = time.perf_counter() - began
    warm = [(memory, disk) for total, memory, disk in seen if total >= arguments.steps / 10]
    first, last = warm[0][0], warm[-1][0]
    print(f"{sum(done):,} steps over {arguments.larvae} larvae in {took:.0f} s, {sum(done) / took:,.0f} a second")
    print(f"memory {first:.1f} MiB after warm-up, {last:.1f} MiB at the end: {last / first - 1:+.1%}")
    print(f"disk {warm[0][1]:.1f} MiB after warm-up, at most {max(disk for _, disk in warm):.1f} MiB")


if __name__ == "__main__":
    main()
