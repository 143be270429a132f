"""What dask's scheduler takes for each task of a sweep, with a thousand workers that compute nothing.

    python benchmarks/many_workers.py [--workers 1000] [--seconds 60]

The scheduler is dask's own, as `dask scheduler` starts it, and so are the workers, their connections, heartbeats and
messages; but they lie by the hundred in a few processes, and a task is to sleep as long as it took to compute. How
long that is, is recorded first: some points are computed here, and a task is as many of them as fill half a minute, as
in a sweep. Then all is made faster, until the scheduler does not follow any more. Each task goes the way that tasks of
a sweep go, and is as large.
"""

import argparse
import asyncio
import json
import logging
import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import dask
import numpy as np
import psutil
from distributed import Client, Worker

from kenyon import jobs
from kenyon.conditioning import run

TASK_S = 30.0
POINT_BYTES = 1000
"""How much of a task says what a point is."""

HOSTS = 4
"""Processes among which the workers are divided."""

FASTER = (1, 10, 100)

QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "600s",
    "distributed.comm.timeouts.connect": "300s",
}
"""What a worker does for its own dashboard would take this machine's time a thousand times."""


CLIENT: Any = Client
"""It has no types of its own."""


class Task(NamedTuple):
    """A task that computes nothing.

    Attributes:
        ids: Of its points; they are what it returns.
        what: As many bytes as say what the points are.
        seconds: How long it takes.
    """

    ids: tuple[str, ...]
    what: bytes
    seconds: float


class Seen(NamedTuple):
    """What was seen while tasks were done.

    Attributes:
        tasks: How many.
        wall_s: How long that took.
        scheduler_s: Time of the processor that the scheduler took.
        client_s: Time of the processor that whoever gives the tasks took.
        busy: Which part of the time a worker had a task, on average.
    """

    tasks: int
    wall_s: float
    scheduler_s: float
    client_s: float
    busy: float


async def sleep(task: Task) -> tuple[str, ...]:
    """Do as if a task were computed."""
    await asyncio.sleep(task.seconds)
    return task.ids


SLEEP: Any = sleep
"""To a worker of dask a coroutine is a function."""


def host(address: str, workers: int) -> None:
    """Be some of the workers, until the scheduler is no more."""

    async def lives() -> None:
        own: dict[str, Any] = {"nthreads": 1, "host": "127.0.0.1", "dashboard": False, "memory_limit": 0}
        there = [await Worker(address, **own) for _ in range(workers)]  # One by one: a machine is not a cluster.
        await asyncio.gather(*(worker.finished() for worker in there))

    logging.disable(logging.ERROR)
    dask.config.set(QUIET)
    asyncio.run(lives())


@contextmanager
def cluster(workers: int) -> Iterator[tuple[Any, psutil.Process]]:
    """Give a client of a scheduler with workers, and the scheduler's process."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scheduler.json"
        command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
        scheduler = subprocess.Popen(
            [*command, "--scheduler-file", str(file), "--no-dashboard"], stderr=subprocess.DEVNULL
        )
        while not file.exists():
            time.sleep(0.1)
        address = json.loads(file.read_text("utf-8"))["address"]
        context = multiprocessing.get_context("spawn")
        hosts = [context.Process(target=host, args=(address, workers // HOSTS), daemon=True) for _ in range(HOSTS)]
        for one in hosts:
            one.start()
        try:
            with CLIENT(address, set_as_default=False) as client:
                client.wait_for_workers(workers // HOSTS * HOSTS, timeout=1800)
                yield client, psutil.Process(scheduler.pid)
        finally:
            for one in hosts:
                one.kill()
            scheduler.kill()
            scheduler.wait()


def recorded(points: int) -> list[float]:
    """Return how long points take that are computed here: each ten larvae that learn, s."""
    run("A+ 1s | ?A 1s", larvae=1, seed=0, show_progress=False)  # All code is compiled then.
    took = []
    for seed in range(points):
        begun = time.perf_counter()
        run("A+ 20s, 20s | ?A", larvae=10, seed=seed, show_progress=False)
        took.append(time.perf_counter() - begun)
    return took


def tasks(took: Sequence[float], faster: float, deadline: float) -> Iterator[Task]:
    """Give tasks of points that take as long as some that were recorded, until a time has come."""
    chance = np.random.default_rng(1)
    while time.monotonic() < deadline:
        lasts: list[float] = []
        while sum(lasts) < TASK_S:
            lasts.append(float(chance.choice(took)))
        ids = tuple(chance.bytes(8).hex() for _ in lasts)
        yield Task(ids, chance.bytes(POINT_BYTES * len(lasts)), sum(lasts) / faster)


def seen(client: Any, scheduler: psutil.Process, given: Iterator[Task], workers: int) -> Seen:
    """Return what is seen while tasks are done that are given one after the other."""
    before, own, begun = used_s(scheduler), time.process_time(), time.monotonic()
    count, busy_s = 0, 0.0
    with client.get_executor(pure=False) as executor:
        for over in jobs.done(executor, SLEEP, given, at_once=lambda: 2 * workers):
            if over is not None:
                task, future = over
                count += future.result() == task.ids
                busy_s += task.seconds
    wall_s = time.monotonic() - begun
    return Seen(count, wall_s, used_s(scheduler) - before, time.process_time() - own, busy_s / wall_s / workers)


def main() -> None:
    """Print what was seen at each pace."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--workers", type=int, default=1000)
    options.add_argument("--seconds", type=float, default=60.0, help="how long tasks are given at each pace")
    options.add_argument("--points", type=int, default=20, help="how many are computed to record their times")
    asked = options.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # A file shows it, too, as it comes.
    workers = asked.workers // HOSTS * HOSTS
    took = recorded(asked.points)
    print(f"a point takes {np.median(took):.3g} s ({min(took):.3g} to {max(took):.3g}), a task {TASK_S:g} s of them")
    with cluster(workers) as (client, scheduler):
        before, begun = used_s(scheduler), time.monotonic()
        time.sleep(10.0)
        idle = (used_s(scheduler) - before) / (time.monotonic() - begun)
        print(f"{workers} workers without work take {idle:.1%} of a core, {held_mib(scheduler):.0f} MiB")
        for faster in FASTER:
            given = tasks(took, faster, time.monotonic() + asked.seconds)
            one = seen(client, scheduler, given, workers)
            print(f"tasks of {TASK_S / faster:.3g} s: {said(one)}; the scheduler holds {held_mib(scheduler):.0f} MiB")


def said(one: Seen) -> str:
    """Return what was seen as a sentence."""
    return (
        f"{one.tasks} in {one.wall_s:.0f} s, {one.tasks / one.wall_s:.0f} a second, workers busy {one.busy:.0%}; each "
        f"takes {one.scheduler_s / one.tasks * 1e3:.2f} ms of the scheduler ({one.scheduler_s / one.wall_s:.0%} of a "
        f"core), {one.client_s / one.tasks * 1e3:.2f} ms of who gives it ({one.client_s / one.wall_s:.0%})"
    )


def held_mib(process: psutil.Process) -> float:
    """Return how much memory a process holds, MiB."""
    return float(process.memory_info().rss / 2**20)


def used_s(process: psutil.Process) -> float:
    """Return how much time of the processor a process has used, s."""
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
