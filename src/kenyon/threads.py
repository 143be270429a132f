"""Larvae shared out over a pool of threads, for compiled code that releases the GIL.

A pool of Python's own: numba's threading layers abort under concurrent callers or after a fork.
"""

import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import cache
from typing import Final

from kenyon import checks

VARIABLE: Final = "KENYON_THREADS"
"""Variable of the environment that says how many threads there shall be where nobody says otherwise."""

MOST_THREADS = 10_000
"""More than any machine has cores."""


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def chosen(threads: int | None = None) -> int:
    """Return how many larvae are advanced at once: as many as given, else as KENYON_THREADS says, else every core.

    Raises:
        InputError: the number, or what the variable says, is no integer from 1 to 10,000.

    Example:
        >>> chosen(2)
        2
    """
    if threads is not None:
        return checks.integer("threads", threads, low=1, high=MOST_THREADS)
    said = os.environ.get(VARIABLE, "")
    if not said:
        return available_cores()
    number = checks.spelled_integer(said)
    return checks.integer(VARIABLE, said if number is None else number, low=1, high=MOST_THREADS)


def in_parallel(work: Callable[[], None], threads: int) -> None:
    """Call work in so many threads at once, the calling one among them; return when all have.

    Args:
        work: What each thread does: take the next of what nobody has taken yet, until nothing is left.
        threads: How many at most; 1 is the calling thread alone.

    Example:
        >>> left, done = list(range(10)), []
        >>> def work() -> None:
        ...     while left:
        ...         done.append(left.pop())
        >>> in_parallel(work, 1)
        >>> sorted(done) == list(range(10))
        True
    """
    if threads == 1:
        work()
        return
    helpers: list[Future[None]] = []
    try:
        with suppress(RuntimeError):  # Where no thread can be started, those that are there do the work.
            helpers += (_pool().submit(work) for _ in range(threads - 1))
        work()
    finally:  # Nothing is left to take now; and after Ctrl-C nothing may go on by itself.
        begun = [helper for helper in helpers if not helper.cancel()]
        wait(begun)
    for helper in begun:
        helper.result()


class OwnLock:
    """A lock that belongs to one object and lets its threads take turns; a thread that has it may take it again.

    A copy of the object, or one that was pickled, has a fresh one; so has a forked child, in which the thread that held
    it is no more.

    Attributes:
        lock: To be held with `with`; the lock itself, not this object, so that Ctrl-C cannot come between taking and
            holding it.

    Example:
        >>> own = OwnLock()
        >>> with own.lock, own.lock:
        ...     pass
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        _own_locks.add(self)

    def __reduce__(self) -> tuple[type, tuple[()]]:
        """Let copies have one of their own."""
        return OwnLock, ()


_own_locks: "weakref.WeakSet[OwnLock]" = weakref.WeakSet()


def _take_fresh_locks() -> None:
    for own in list(_own_locks):
        own.lock = threading.RLock()


@cache
def _pool() -> ThreadPoolExecutor:
    # Enough for several callers at once; whoever finds no thread free does the work alone.
    return ThreadPoolExecutor(4 * available_cores(), thread_name_prefix="kenyon")


if hasattr(os, "register_at_fork"):
    # A forked child inherits the pool without its threads, and would wait for them forever.
    os.register_at_fork(after_in_child=_pool.cache_clear)
    os.register_at_fork(after_in_child=_take_fresh_locks)
