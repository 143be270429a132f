"""Work on many units over any executor of `concurrent.futures`, and a pool of processes that ends with this one."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from kenyon import checks

Task = TypeVar("Task")
Result = TypeVar("Result")

MOST_JOBS = 1024
"""More processes than any machine has cores."""

SIGN_EVERY_S = 1.0
"""Whoever waits for work hears of it this often, so that it can say that work goes on."""


def done(
    executor: Executor, function: Callable[[Task], Result], tasks: Iterable[Task], *, at_once: Callable[[], int]
) -> Iterator[tuple[Task, "Future[Result]"] | None]:
    """Yield each task with the future of what a function makes of it, as soon as that is over.

    Yields None in between, so that whoever waits can say so. Tasks are taken from their iterable as they are needed, so
    what has become of earlier ones may decide what later ones are. What was begun by then is cancelled, as far as that
    can be done, when whoever waits goes away.

    Args:
        executor: What computes; it is not shut down.
        function: Called with a task, by the executor.
        tasks: In an order.
        at_once: How many the executor shall have at a time, those that wait with it among them; asked again and again.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> with ThreadPoolExecutor(2) as threads:
        ...     over = [one for one in done(threads, abs, [-3, 2, -1], at_once=lambda: 2) if one is not None]
        >>> sorted((task, future.result()) for task, future in over)
        [(-3, 3), (-1, 1), (2, 2)]
    """
    left = iter(tasks)
    waiting: dict[Future[Result], Task] = {}
    over: SimpleQueue[Future[Result]] = SimpleQueue()
    try:
        while True:
            for task in islice(left, max(0, at_once() - len(waiting))):
                future = executor.submit(function, task)
                waiting[future] = task
                future.add_done_callback(over.put)
            if not waiting:
                return
            try:
                future = over.get(timeout=SIGN_EVERY_S)
            except Empty:
                yield None
            else:
                yield waiting.pop(future), future
    finally:
        for future in waiting:
            future.cancel()


@contextmanager
def processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of new processes that ends with this one, however it ends; and at once, if what is within fails.

    They are spawned: a script that comes to this must do so beneath `if __name__ == "__main__":`. They take no notice
    of Ctrl-C, which a terminal sends to all; whoever started them ends them.

    Raises:
        InputError: the number is no integer from 1 to 1024.

    Example:
        >>> with processes(1) as pool:  # one that starts when it is given something
        ...     pass
    """
    context = multiprocessing.get_context("spawn")
    line_end, line = context.Pipe(duplex=False)
    count = checks.integer("jobs", count, low=1, high=MOST_JOBS)
    with line_end, line, ProcessPoolExecutor(count, context, _end_with, (line_end,)) as pool:
        try:
            yield pool
        except BaseException:
            line.close()  # What is under way is worth nothing any more, and would take minutes.
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class Here(Executor):
    """An executor that calls each function in this process at once, and knows no other way.

    Example:
        >>> Here().submit(max, 1, 2).result()
        2
    """

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Call a function, and return what it returned or raised as a future; Ctrl-C goes through."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as reason:  # noqa: BLE001  # whoever asks for the result raises it
            future.set_exception(reason)
        return future


def _end_with(line_end: Connection) -> None:
    """Let a worker process end when the other end of a line is closed: on purpose, or with the process that holds it.

    A line and not an event: to set one waits for everybody who waits for it, be it a process that is no more.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        with suppress(EOFError, OSError):
            line_end.recv_bytes()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
