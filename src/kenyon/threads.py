"""Larvae shared out over a pool of threads, for compiled code that releases the GIL.

A pool of Python's own: numba's threading layers abort under concurrent callers or after a fork.
"""

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from itertools import pairwise


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_parallel(work: Callable[[int, int], None], larvae: int, threads: int, *, alike: bool = False) -> None:
    """Share larvae out over threads, the calling one among them.

    Args:
        work: Called with the first larva of a block and the one after its last, in any order and thread.
        larvae: How many there are.
        threads: How many blocks are worked on at once; 1 is the calling thread alone.
        alike: Whether all take equally long: then a block for each thread is enough, and none has to ask for more,
            for which it would need the interpreter, which another thread may hold.

    Example:
        >>> seen = [0] * 10
        >>> def count(first: int, last: int) -> None:
        ...     for larva in range(first, last):
        ...         seen[larva] += 1
        >>> in_parallel(count, 10, threads=2)
        >>> seen == [1] * 10
        True
    """
    blocks = min(larvae, threads if alike else 4 * threads)
    if threads == 1 or blocks == 1:
        work(0, larvae)
        return
    bounds = [larvae * block // blocks for block in range(blocks + 1)]
    left = deque(pairwise(bounds))

    def share() -> None:
        while left:
            try:
                block = left.popleft()
            except IndexError:  # Another thread has taken the last one.
                return
            work(*block)

    futures = [_pool(threads).submit(share) for _ in range(min(threads, blocks) - 1)]
    try:
        share()
        for future in futures:
            future.result()
    finally:  # After Ctrl-C nothing may go on by itself.
        left.clear()
        for future in futures:
            future.cancel()
        wait(futures)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="kenyon")


if hasattr(os, "register_at_fork"):
    # A forked child inherits the pool without its threads, and would wait for them forever.
    os.register_at_fork(after_in_child=_pool.cache_clear)
