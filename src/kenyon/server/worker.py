"""The thread in which everything is computed and kept, so that the event loop never waits for either."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from kenyon.errors import KenyonError, LockedError, RefusedError, StorageError
from kenyon.server.batching import Batch, Finished
from kenyon.server.computing import Computer
from kenyon.server.sessions import Client
from kenyon.server.works import Desk, Work

_logger = logging.getLogger(__name__)

_LOCKED_PAUSE_S = 1.0


class Task(NamedTuple):
    """A work, and who waits for it; None if nobody does."""

    work: Work
    client: Client | None = None


Deliver = Callable[[list[Finished[Task]], list[int]], None]
"""Takes what is done, and how many circuits were computed in each round since."""


class Worker(threading.Thread):
    """Does tasks: those that wait together are computed together, and kept in one transaction.

    Args:
        desk: What works are done with.
        computer: What advances circuits.
        deliver: Called in this thread with what is done.

    Attributes:
        turning_since: When the round under way began, s; None where nothing is done.
    """

    def __init__(self, desk: Desk, computer: Computer, deliver: Deliver) -> None:
        super().__init__(name="kenyon-worker", daemon=True)
        self._desk = desk
        self._computer = computer
        self._deliver = deliver
        self.turning_since: float | None = None
        self._incoming: queue.SimpleQueue[list[Task] | None] = queue.SimpleQueue()

    def submit(self, tasks: list[Task]) -> None:
        """Put tasks in the line; their larvae belong to them until they are delivered."""
        self._incoming.put(tasks)

    def finish(self) -> None:
        """Do what is in the line, then end; returns at once."""
        self._incoming.put(None)

    def run(self) -> None:
        """Work until told to finish."""
        batch: Batch[Task] = Batch(self._computer, is_gone=lambda task: task.client is not None and task.client.closed)
        goes_on = True
        while goes_on or len(batch):
            if goes_on:
                self.turning_since = None if len(batch) == 0 else time.monotonic()
                goes_on = self._take_in(batch)
            self.turning_since = time.monotonic()
            done = batch.round()
            if done:
                self._keep(done)
                self._deliver(done, batch.take_sizes())
                with contextlib.suppress(StorageError):  # Those who write next will hear of it.
                    self._desk.journal.tidy()

    def _take_in(self, batch: Batch[Task]) -> bool:
        """Begin what waits; wait for it only where there is nothing else to do. Return whether more may come."""
        wait = len(batch) == 0
        while True:
            try:
                tasks = self._incoming.get(block=wait)
            except queue.Empty:
                return True
            if tasks is None:
                return False
            for task in tasks:
                batch.add(task, task.work.course(self._desk))
            wait = False

    def _keep(self, done: list[Finished[Task]]) -> None:
        """Write down what was done, all at once; what cannot be kept has not been done."""
        writing = [one for one in done if one.error is None and one.tag.work.writes]
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
        journal = self._desk.journal
        with journal.transaction():
            for one in writing:
                one.tag.work.keep(journal, one.result)
