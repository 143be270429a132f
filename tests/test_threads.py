"""Threads that share work out by themselves: never more than needed, never one left behind."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from kenyon import threads
from kenyon.compiled import compiled, take_next
from kenyon.errors import InputError
from kenyon.mushroom_body import Population


@compiled
def _take_all(counter: NDArray[np.int64], taken: NDArray[np.int64]) -> None:
    while True:
        place = take_next(counter)
        if place >= taken.shape[0]:
            return
        taken[place] += 1


def test_each_is_taken_once() -> None:
    """By however many threads, and with several callers at once."""
    taken: NDArray[np.int64] = np.zeros(200_000, dtype=np.int64)

    def share() -> None:
        own: NDArray[np.int64] = np.zeros(len(taken), dtype=np.int64)
        counter: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
        threads.in_parallel(lambda: _take_all(counter, own), 4)
        with lock:
            taken[:] += own

    lock = threading.Lock()
    callers = [threading.Thread(target=share) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert (taken == len(callers)).all()


def test_the_pool_does_not_grow_with_the_calls() -> None:
    """However often it is asked, and for how many threads."""
    before = threading.active_count()
    for _ in range(500):
        threads.in_parallel(lambda: None, 64)
    assert threading.active_count() - before <= 4 * threads.available_cores()


def test_where_no_thread_can_be_started_the_caller_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that was begun is waited for."""
    ended: list[str] = []
    go_on = threading.Event()

    started: list[threading.Thread] = []
    start = threading.Thread.start

    def only_one(thread: threading.Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", only_one)
    caller = threading.current_thread()
    begun = threading.Event()

    def work() -> None:
        if threading.current_thread() is caller:
            assert begun.wait(10)
            go_on.set()
        else:
            begun.set()
            assert go_on.wait(10)
        ended.append(threading.current_thread().name)

    pool = threads._Pool(4)
    monkeypatch.setattr(threads, "_pool", lambda: pool)
    threads.in_parallel(work, 4)
    assert len(ended) == 2


def test_what_a_thread_raises_is_raised() -> None:
    """In whichever of them."""
    caller = threading.current_thread()
    begun = threading.Event()

    def work() -> None:
        if threading.current_thread() is caller:
            assert begun.wait(10)
            return
        begun.set()
        raise ArithmeticError("in a helper")

    with pytest.raises(ArithmeticError, match="in a helper"):
        threads.in_parallel(work, 2)


@pytest.mark.parametrize("times", [400, pytest.param(20_000, marks=pytest.mark.long)])
def test_the_pool_helps_on_whenever_ctrl_c_came(times: int) -> None:
    """By real signals at random moments, in a process that a lock left taken would hold up for good."""
    script = f"""
import random, signal
from kenyon.threads import in_parallel

def ring(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, ring)
chance, pressed = random.Random(1), 0
for _ in range({times}):
    try:
        signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, 300e-6))
        while True:
            in_parallel(lambda: None, 3)
    except KeyboardInterrupt:
        pressed += 1
taken = []
in_parallel(lambda: taken.append(None), 3)
print(pressed, len(taken) >= 1)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=200, check=False)
    assert (done.stdout, done.stderr) == (f"{times} True\n", "")


@pytest.mark.parametrize(("said", "given", "expected"), [("3", None, 3), ("3", 2, 2), ("", None, None)])
def test_the_environment_says_how_many_where_nobody_else_does(
    said: str, given: int | None, expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An argument goes before it; without either it is every core."""
    monkeypatch.setenv(threads.VARIABLE, said)
    assert threads.chosen(given) == (threads.available_cores() if expected is None else expected)
    assert Population(seeds=[1], threads=given).threads == threads.chosen(given)


@pytest.mark.parametrize("said", ["0", "-1", "two", "1.5", "99999"])
def test_an_unusable_number_in_the_environment_is_refused(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the variable, before a larva is made."""
    monkeypatch.setenv(threads.VARIABLE, said)
    with pytest.raises(InputError, match="KENYON_THREADS must be an integer"):
        Population(seeds=[1])
