"""Larvae shared out over a pool of threads, for compiled code that releases the GIL.

A pool of our own: numba's threading layers abort under concurrent callers or after a fork, and an executor of Python's
has locks written in Python, which Ctrl-C can leave taken for good.
"""

import atexit
import os
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from queue import SimpleQueue
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
    shared = _Shared(work, threads - 1)
    try:
        _pool().give(shared)
        work()
    finally:  # Nothing is left to take now; and after Ctrl-C nothing may go on by itself.
        raised = shared.end()
    for reason in raised:
        raise reason


class _Shared:
    """Work that helpers may join until its caller has ended it.

    Lists and queues are those of C: nothing comes between a look at them and what is taken, and no lock is left taken.
    """

    def __init__(self, work: Callable[[], None], helpers: int) -> None:
        self._work, self.helpers = work, helpers
        self._places = [None] * helpers
        self._ended: SimpleQueue[BaseException | None] = SimpleQueue()

    def join(self) -> None:
        """Do the work as a helper, if there is a place."""
        try:
            self._places.pop()
        except IndexError:
            return
        try:
            self._work()
        except BaseException as reason:  # noqa: BLE001  # The caller raises it.
            self._ended.put(reason)
        else:
            self._ended.put(None)

    def end(self) -> list[BaseException]:
        """Let nobody join any more, and wait for those who have; return what they have raised."""
        free = 0
        with suppress(IndexError):
            while True:
                self._places.pop()
                free += 1
        ended = [self._ended.get() for _ in range(self.helpers - free)]
        return [reason for reason in ended if reason is not None]


class _Pool:
    """Threads that wait for work to join: enough for the largest call; of several callers each works, too."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._threads: list[threading.Thread] = []
        self._given: SimpleQueue[_Shared] = SimpleQueue()
        self._at_work: list[None] = []
        atexit.register(self._end)

    def give(self, shared: _Shared) -> None:
        """Ask for helpers, but for no more than there are threads: what nobody takes would be held for good."""
        helpers = min(shared.helpers, self._most)
        with suppress(RuntimeError):  # Where no thread can be started, those that are there do the work.
            for _ in range(helpers - len(self._threads)):
                thread = threading.Thread(target=self._help, name="kenyon", daemon=True)
                thread.start()
                self._threads.append(thread)
        for _ in range(min(helpers, len(self._threads))):
            self._given.put(shared)

    def _help(self) -> None:
        while True:
            shared = self._given.get()
            self._at_work.append(None)
            shared.join()
            self._at_work.pop()
            del shared  # What it holds may be large.

    def _end(self) -> None:
        """Wait for those whose callers were interrupted: compiled code must not outlive what it writes to."""
        while self._at_work and any(thread.is_alive() for thread in self._threads):  # None is in a forked child.
            time.sleep(0.001)


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
def _pool() -> _Pool:
    # Enough for several callers at once; whoever finds no thread free does the work alone.
    return _Pool(4 * available_cores())


if hasattr(os, "register_at_fork"):
    # A forked child inherits the pool without its threads, and would wait for them forever.
    os.register_at_fork(after_in_child=_pool.cache_clear)
    os.register_at_fork(after_in_child=_take_fresh_locks)
