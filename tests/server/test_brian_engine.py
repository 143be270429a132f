"""The reference engine behind the server: the numbers of the kernel, whoever computes them, and whatever befalls it."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.server.running import Running, ended, step, wait_until


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(number) for number in listed.stdout.split()]


def live(server: Running, steps: range, larvae: int = 3) -> list[list[dict[str, Any]]]:
    """Return the replies to steps of several larvae of different age and duration."""
    return [
        server.ask(*(step("run", larva, number, T=10 + 5 * larva, probe=[1], probe_ms=10) for larva in range(larvae)))
        for number in steps
    ]


@pytest.fixture(scope="module")
def want(tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, Any]]]:
    """What the kernel answers."""
    with Running(tmp_path_factory.mktemp("kernel")) as kernel:
        return live(kernel, range(4))


def test_both_engines_return_the_same_numbers_and_may_take_over_from_each_other(
    tmp_path: Path, want: list[list[dict[str, Any]]]
) -> None:
    """The same state directory under one, then, after a kill, under the other, and back.

    The process of Brian2 can be killed, too: a new one takes its place and nothing is lost; when the server is gone, so
    is it.
    """
    with Running(tmp_path) as kernel:
        assert live(kernel, range(1)) == want[:1]
        kernel.kill()
    with Running(tmp_path, "--engine", "brian2") as reference:
        assert live(reference, range(2)) == want[:2]
        killed = children(reference.process.pid)
        assert killed
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        assert live(reference, range(2, 3)) == want[2:3]
        computing = children(reference.process.pid)
        reference.kill()
        wait_until(lambda: all(ended(pid) for pid in computing))
    with Running(tmp_path) as kernel:
        assert live(kernel, range(2, 4)) == want[2:4]
