"""Work that must never hold up a run: done in a thread of its own, or left out where that has no time."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_MOST_WAITING = 8

_logger = logging.getLogger(__name__)


class Aside:
    """Does one thing after the other, in the order in which it is asked.

    Example:
        >>> aside, done = Aside(), []
        >>> aside.do(lambda: done.append("this"))
        True
        >>> aside.finish()
        >>> done
        ['this']
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "kenyon-aside")
        self._room = threading.Semaphore(_MOST_WAITING)

    def do(self, work: Callable[[], object]) -> bool:
        """Have something done soon; return whether there was room for it."""
        if not self._room.acquire(blocking=False):
            return False

        def done() -> None:
            try:
                work()
            except Exception:  # whatever it is, the run goes on, and so does what is asked next
                _logger.exception("something that a page was to show failed by a fault of Kenyon's")
            finally:
                self._room.release()

        try:
            self._thread.submit(done)
        except RuntimeError:  # It is finished, or the process ends.
            self._room.release()
            return False
        return True

    def finish(self) -> None:
        """Do what is waiting, and nothing more."""
        self._thread.shutdown(wait=True)
