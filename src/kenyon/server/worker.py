"""The threads in which everything is computed and kept, so that the event loop never waits for either."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable

from kenyon.errors import KenyonError, LockedError, RefusedError, StorageError
from kenyon.server.batching import Batch, Finished
from kenyon.server.computing import Computer
from kenyon.server.tasks import Context, Task

_logger = logging.getLogger(__name__)

_LOCKED_PAUSE_S = 1.0


Deliver = Callable[[list[Finished[Task]], list[int]], None]
"""Takes what is done, and how many circuits were computed in each round since."""


class Worker:
    """Does tasks: those that wait together are computed together, and kept in one transaction.

    Several threads do the same thing: while one computes, another keeps and delivers what it has computed, or begins
    what comes next. Whatever is no computing they do one at a time.

    Args:
        context: What tasks are done with.
        computer: What advances circuits.
        deliver: Called in any of its threads with what is done.
    """

    def __init__(self, context: Context, computer: Computer, deliver: Deliver) -> None:
        self._context = context
        self._deliver = deliver
        self._incoming: queue.SimpleQueue[list[Task] | None] = queue.SimpleQueue()
        self._batch: Batch[Task] = Batch(computer, is_gone=lambda task: task.client is not None and task.client.closed)
        self._one_at_a_time = threading.Lock()
        self._threads = [_Thread(self._work) for _ in range(computer.at_once)]

    @property
    def turning_since(self) -> float | None:
        """When the oldest round under way began, s; None where nothing is done."""
        return min((since for thread in self._threads if (since := thread.turning_since) is not None), default=None)

    def start(self) -> None:
        """Begin to take tasks."""
        for thread in self._threads:
            thread.start()

    def is_alive(self) -> bool:
        """Return whether every thread is there."""
        return all(thread.is_alive() for thread in self._threads)

    def submit(self, tasks: list[Task]) -> None:
        """Put tasks in the queue; their larvae belong to them until they are delivered."""
        self._incoming.put(tasks)

    def finish(self) -> None:
        """Do what is in the queue, then end; returns at once."""
        for _ in self._threads:
            self._incoming.put(None)

    def join(self, timeout_s: float) -> None:
        """Wait until every thread has ended, all together no longer than that."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self, thread: "_Thread") -> None:
        """Work until told to finish."""
        goes_on = True
        while goes_on or self._batch.waiting:
            if goes_on:
                goes_on = self._take_in(thread)
            thread.turning_since = time.monotonic()
            with self._one_at_a_time:
                begun, done = self._batch.begin()
                self._hand_over(done)
                if self._batch.waiting:
                    self._incoming.put([])  # More than a round: another thread may begin at once.
            begun.compute()
            with self._one_at_a_time:
                self._hand_over(self._batch.end(begun))

    def _hand_over(self, done: list[Finished[Task]]) -> None:
        """Keep what is done, and deliver it."""
        if done:
            self._keep(done)
            self._deliver(done, self._batch.take_sizes())
            with contextlib.suppress(StorageError):  # Those who write next will hear of it.
                self._context.journal.tidy()

    def _take_in(self, thread: "_Thread") -> bool:
        """Begin what waits; wait for it only where there is nothing else to do. Return whether more may come."""
        wait = not self._batch.waiting
        while True:
            if wait:
                thread.turning_since = None
            try:
                tasks = self._incoming.get(block=wait)
            except queue.Empty:
                return True
            thread.turning_since = time.monotonic()
            if tasks is None:
                return False
            with self._one_at_a_time:
                for task in tasks:
                    self._batch.add(task, task.timeline(self._context), is_late=task.is_late)
            wait = False

    def _keep(self, done: list[Finished[Task]]) -> None:
        """Write down what was done, all at once; what cannot be kept has not been done."""
        writing = [one for one in done if one.error is None and one.tag.writes]
        try:
            if writing:
                self._write(writing)
        except LockedError as reason:
            for one in writing:
                one.error = RefusedError(f"{reason}; nothing was done", "busy", None, _LOCKED_PAUSE_S)
        except Exception:  # noqa: BLE001  # said below, of those whose fault it is
            # What one of them cannot keep shall not be the loss of the others.
            for one in writing:
                try:
                    self._write([one])
                except StorageError as reason:  # noqa: PERF203  # each by itself is the point
                    one.error = RefusedError(f"{reason}; nothing was done", "storage")
                except Exception as fault:  # noqa: BLE001  # whatever it is, the others go on
                    one.error = fault
        for one in done:
            if one.error is not None and not isinstance(one.error, KenyonError):
                _logger.error("a request failed by a fault of the server", exc_info=one.error)
                one.error = RefusedError("the server must do what is asked, but failed; see its log", "internal")

    def _write(self, writing: list[Finished[Task]]) -> None:
        journal = self._context.journal
        with journal.transaction():
            for one in writing:
                one.tag.keep(journal, one.result)


class _Thread(threading.Thread):
    """One thread of a worker.

    Args:
        work: What it does.

    Attributes:
        turning_since: When the round under way began, s; None where it waits.
    """

    def __init__(self, work: "Callable[[_Thread], None]") -> None:
        super().__init__(name="kenyon-worker", daemon=True)
        self._work = work
        self.turning_since: float | None = None

    def run(self) -> None:
        """Work."""
        self._work(self)
