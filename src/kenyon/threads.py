"""Larvae shared out over a pool of threads, for compiled code that releases the GIL.

A pool of Python's own: numba's threading layers abort under concurrent callers or after a fork.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache

_MOST_THREADS = 1024


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_parallel(work: Callable[[], None], threads: int) -> None:
    """Call work in so many threads at once, the calling one among them; return when all have.

    Args:
        work: What each thread does: take the next of what nobody has taken yet, until nothing is left.
        threads: How many; 1 is the calling thread alone.

    Example:
        >>> left, done = list(range(10)), []
        >>> def work() -> None:
        ...     while left:
        ...         done.append(left.pop())
        >>> in_parallel(work, 1)
        >>> sorted(done) == list(range(10))
        True
    """
    futures = [_pool().submit(work) for _ in range(threads - 1)]
    try:
        work()
    finally:  # Nothing is left to take now; and after Ctrl-C nothing may go on by itself.
        begun = [future for future in futures if not future.cancel()]
        wait(begun)
    for future in begun:
        future.result()


@cache
def _pool() -> ThreadPoolExecutor:
    # It has no more threads than were ever needed at once.
    return ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="kenyon")


if hasattr(os, "register_at_fork"):
    # A forked child inherits the pool without its threads, and would wait for them forever.
    os.register_at_fork(after_in_child=_pool.cache_clear)
