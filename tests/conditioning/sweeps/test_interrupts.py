"""A sweep that is stopped, by Ctrl-C or for good, and begun again: the same results, and none computed twice."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
import xarray

from kenyon.conditioning.sweeps import Store, run_sweep, status
from kenyon.conditioning.sweeps.parts import contents
from tests.conditioning.sweeps.asked import asked, assert_same, plain_loop

SCRIPT = """
import sys
from kenyon.conditioning.sweeps import run_sweep
from tests.conditioning.sweeps.asked import asked

if __name__ == "__main__":
    run_sweep(asked(), sys.argv[1], jobs=int(sys.argv[2]), show_progress=False)
"""

ROOT = str(Path(__file__).parents[3])
"""Where the script finds the tests."""

COUNTS = [(1, 1), pytest.param((10, 2), marks=pytest.mark.long)]
"""How many sweeps, and how often each is stopped at most before it may end."""


@pytest.fixture(scope="module")
def expected() -> Mapping[str, xarray.Dataset]:
    """What a plain loop gives."""
    return plain_loop()


@pytest.mark.parametrize("count", COUNTS, ids=str)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stopped_and_begun_again(
    number: signal.Signals, count: tuple[int, int], expected: Mapping[str, xarray.Dataset], tmp_path: Path
) -> None:
    """However often, at moments drawn by a seed: after some parts, or before the first; here or in processes."""
    times, most = count
    script, draws = tmp_path / "script.py", random.Random(times)
    script.write_text(SCRIPT)
    for time_ in range(times):
        folder, jobs = tmp_path / str(time_), 1 + time_ % 2
        for _ in range(most):
            if status_is_complete(folder):
                break
            stop(script, folder, jobs, number, after_parts=draws.randint(1, 3), wait_s=draws.uniform(0.0, 0.05))
        assert run_sweep(asked(), folder, jobs=1, show_progress=False).complete
        assert_same(folder / "store", expected)
        assert set(computed(folder / "store").values()) == {1}


def stop(script: Path, folder: Path, jobs: int, number: signal.Signals, *, after_parts: int, wait_s: float) -> None:
    """Run a sweep in a process of its own, and stop it soon after it has stored some parts more, or let it end.

    What has ended is not taken for running.
    """
    before = len(list(folder.glob("store/points-*")))
    command = [sys.executable, str(script), str(folder), str(jobs)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": ROOT}) as process:
        while process.poll() is None and len(list(folder.glob("store/points-*"))) < before + after_parts:
            time.sleep(0.002)
        time.sleep(wait_s)
        process.send_signal(number)
    ended = (0, 128 + number, -number)  # By itself, or by the signal; Python ends by Ctrl-C in either way.
    assert process.returncode in ended
    assert not (folder / "sweep.json").exists() or status(folder).running == 0


def status_is_complete(folder: Path) -> bool:
    """Return whether all is stored."""
    return (folder / "sweep.json").exists() and status(folder).complete


def computed(store: Path) -> Counter[str]:
    """Return how often each point was computed and stored: each part says what is in it."""
    return Counter(own for part in store.glob("points-*.npz") for own in contents(part).numbers)


def test_a_point_in_two_parts_would_be_counted(expected: Mapping[str, xarray.Dataset], tmp_path: Path) -> None:
    """So the count above can fail."""
    first, second, *_ = expected
    for some in ([first], [first, second]):
        Store(tmp_path).add({own: expected[own] for own in some})
    assert computed(tmp_path) == {first: 2, second: 1}
