"""Turns in the event loop: what is answered there at once goes slice by slice, and leaves time for those who compute.

A step is handed to the worker and costs the event loop little. A `ping`, a refusal, a retry, or a frame that cannot be
read is answered by the event loop itself, and a client can ask for any number of them. So a connection that was
answered at once is in debt: what it asks next waits here. Those who wait take turns of bounded length, one connection
after the other, and between two turns the event loop hears everybody else. While circuits are computed, the turns
together take a share of the time only, for the interpreter that they hold is needed by the worker's threads; where
nothing else is to be done they may have all of it (deficit scheduling).
"""

import asyncio
from collections import deque
from collections.abc import Callable

SHARE = 0.2
"""Of the time while circuits are computed: 10 ms of pings go with 50 ms of steps."""

_SAVED_S = 0.001
"""Time that may be saved up and used at once; the event loop's own timer is no finer."""


class Turns:
    """Those who wait for a turn in an event loop.

    Args:
        loop: The event loop.
        turn_s: Longest turn, s; a single act that takes longer is not cut.
        is_computing: Whether anybody waits for a circuit at this moment.

    Example:
        >>> async def run() -> list[str]:
        ...     loop, said = asyncio.get_running_loop(), []
        ...     turns = Turns(loop, 0.001, lambda: False)
        ...     turns.wait(lambda: said.append("first"))
        ...     turns.wait(lambda: said.append("second"))
        ...     said.append("others")
        ...     await asyncio.sleep(0.01)
        ...     return said
        >>> asyncio.run(run())
        ['others', 'first', 'second']
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, turn_s: float, is_computing: Callable[[], bool]) -> None:
        self.turn_s = turn_s
        self._loop = loop
        self._is_computing = is_computing
        self._waiting: deque[Callable[[], None]] = deque()
        self._free_at = loop.time()
        self._is_planned = False

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def wait(self, act: Callable[[], None]) -> None:
        """Let somebody act when it is his turn."""
        self._waiting.append(act)
        if not self._is_planned:
            self._is_planned = True
            self._loop.call_soon(self._go)

    def _go(self) -> None:
        """Let those act who are first, for the length of a turn."""
        began = now = self._loop.time()
        if now < self._free_at and self._is_computing():
            self._loop.call_later(self._free_at - now, self._go)
            return
        while self._waiting and now - began < self.turn_s:
            self._waiting.popleft()()
            now = self._loop.time()
        self._free_at = max(self._free_at, began - _SAVED_S) + (now - began) / SHARE
        self._is_planned = bool(self._waiting)
        if self._is_planned:
            self._loop.call_soon(self._go)
