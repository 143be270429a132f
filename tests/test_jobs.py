"""Work over executors: nothing is lost or done twice, and no process is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from kenyon import jobs
from kenyon.errors import InputError

SLEEPING = """
import time
from kenyon import jobs

if __name__ == "__main__":
    with jobs.processes(2) as pool:
        for over in jobs.done(pool, time.sleep, [0.0, 0.0, 600.0, 600.0], at_once=lambda: 4):
            print("over" if over else "waits", flush=True)
"""


def _finished(executor: Executor, tasks: list[int], at_once: int) -> dict[int, int]:
    over = jobs.done(executor, abs, tasks, at_once=lambda: at_once)
    return {task: future.result() for task, future in filter(None, over)}


def test_every_executor_does_all_of_it() -> None:
    """Here, in threads and in processes; whether it is given one task at a time, or all."""
    tasks = [-3, 2, -1, 5]
    expected = {task: abs(task) for task in tasks}
    with ThreadPoolExecutor(2) as threads, jobs.processes(2) as pool:
        for executor in (jobs.Here(), threads, pool):
            assert _finished(executor, tasks, 1) == expected
            assert _finished(executor, tasks, 9) == expected


def test_tasks_are_taken_as_they_are_needed() -> None:
    """So later ones can be what earlier ones have taught."""
    taken = []

    def tasks() -> Iterator[int]:
        for task in range(6):
            taken.append(task)
            yield task

    over = jobs.done(jobs.Here(), abs, tasks(), at_once=lambda: 2)
    assert next(over) is not None
    assert taken == [0, 1]


def test_a_task_that_raises_says_so_by_its_future() -> None:
    """Others go on."""
    over = jobs.done(jobs.Here(), (1).__floordiv__, [0, 1], at_once=lambda: 1)
    futures = dict(filter(None, over))
    assert isinstance(futures[0].exception(), ZeroDivisionError)
    assert futures[1].result() == 1


def test_a_killed_process_is_told() -> None:
    """By what Python raises for it."""
    with pytest.raises(BrokenProcessPool), jobs.processes(1) as pool:  # noqa: PT012  # it is all one thing
        for over in jobs.done(pool, _end, [9], at_once=lambda: 1):
            if over is not None:
                over[1].result()


def _end(number: int) -> None:
    os.kill(os.getpid(), number)


def test_a_number_of_processes_that_is_none_is_refused() -> None:
    """As everywhere."""
    with pytest.raises(InputError, match="jobs must be an integer of at least 1"), jobs.processes(0):
        pass


def _workers(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in listed if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def _wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes where Linux shows them")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_outlives_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    """However that is ended, and although they sleep for ten minutes."""
    script = tmp_path / "sleeping.py"
    script.write_text(SLEEPING)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        while process.stdout.readline() != b"over\n":
            pass
        workers = _workers(process.pid)
        assert len(workers) == 2
        process.send_signal(number)
    _wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
