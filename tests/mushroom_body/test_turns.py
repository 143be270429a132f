"""One population, several threads: calls follow one another, and none is lost."""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from kenyon.mushroom_body import Population

THREADS = 4


@pytest.fixture(autouse=True)
def _threads_change_often() -> Iterator[None]:
    """Let the interpreter change threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(*work: Callable[[], None]) -> None:
    """Do all of it at once, and fail where one fails."""
    failures: list[BaseException] = []

    def careful(own: Callable[[], None]) -> None:
        try:
            own()
        except BaseException as failure:  # noqa: BLE001  # whatever it is, the test fails with it
            failures.append(failure)

    threads = [threading.Thread(target=careful, args=(own,)) for own in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def test_a_population_in_two_threads_loses_no_time() -> None:
    """Four threads with 50 calls of 10 ms each live 20,000 steps, and what one larva would alone."""
    larvae, alone = Population(seeds=[1, 2], threads=1), Population(seeds=[1, 2])
    larvae.stimulate("anisole", reward=1.0)
    alone.stimulate("anisole", reward=1.0)

    def live() -> None:
        for _ in range(50):
            larvae.advance(10)

    in_threads(*[live] * THREADS)
    assert larvae.state.step.tolist() == [20_000, 20_000]
    alone.advance(2000)
    assert larvae.snapshot() == alone.snapshot()


def test_whatever_threads_do_to_a_population_is_done_whole() -> None:
    """Add, advance some or all, stimulate, probe, take and put back snapshots, join: at every moment it is one thing.

    Every larva is born, restored and stimulated in pairs, so that the two of a pair are alike whenever one looks.
    """
    larvae = Population(seeds=[1, 1], threads=1)
    twins = Population(seeds=[7, 7]).snapshot()
    rounds = 25

    def look() -> None:
        for _ in range(rounds):
            for seen in (
                larvae.snapshot(),
                pickle.loads(pickle.dumps(larvae)).snapshot(),
                larvae.join(larvae).snapshot(),
            ):
                assert len(seen.seeds) == len(seen.state) == len(seen.drive_hz)
                records = seen.state.records
                assert records[0::2].tobytes() == records[1::2].tobytes()
                assert seen.seeds[0::2] == seen.seeds[1::2]
                assert (seen.drive_hz[0::2] == seen.drive_hz[1::2]).all()

    def add() -> None:
        for seed in range(2, 2 + rounds):
            first, second = larvae.add([seed, seed])
            assert second == first + 1

    def advance() -> None:
        for _ in range(rounds):
            larvae.advance(1)
            larvae.advance(1, larvae=[0, 1])
            larvae.probe("anisole", 1)

    def restore() -> None:
        for strength in range(rounds):
            larvae.restore(twins, [0, 1])
            larvae.stimulate("anisole", reward=float(strength), larvae=[1, 0])

    in_threads(look, add, advance, restore)
    assert len(larvae) == 2 + 2 * rounds


FORK_WITHIN_A_CALL = """
import os, threading, warnings
from kenyon.mushroom_body import Population

warnings.simplefilter("ignore")  # of a fork beside threads, which is what this is about
larvae = Population(seeds=[1], threads=1)
larvae.advance(1)
thread = threading.Thread(target=larvae.advance, args=(60_000,))
thread.start()
while larvae._own.lock.acquire(blocking=False):  # until the other thread has it
    larvae._own.lock.release()
child = os.fork()
if child == 0:
    larvae.advance(10)
    os._exit(0 if larvae.state.step[0] == 110 else 1)
thread.join()
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_within_a_call_leaves_the_child_a_population_that_goes_on() -> None:
    """The thread that held it is no more there, and its call has not happened."""
    done = subprocess.run([sys.executable, "-c", FORK_WITHIN_A_CALL], timeout=60, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
