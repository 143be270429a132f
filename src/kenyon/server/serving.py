"""A server in a thread of this process, for as long as a `with` statement lasts."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

from kenyon.server.events import Listener
from kenyon.server.service import Service
from kenyon.server.settings import Settings
from kenyon.wire import Address


@contextmanager
def serving(settings: Settings, listeners: Sequence[Listener] = ()) -> Iterator[Address]:
    """Run a server in a thread of this process; give its address.

    For notebooks, tests and programs of one's own. At the end of the `with` statement it stops as `kenyon serve` does:
    what is under way is finished, and every larva is kept.

    Args:
        settings: What it is told; port 0 takes a free one.
        listeners: Functions that are told of every step that was answered; see `kenyon.server.events`.

    Raises:
        KenyonError: it cannot start, as for `Service.start`.

    Example:
        >>> from kenyon.wire import Message, exchange
        >>> with serving(Settings(port=0)) as address:
        ...     (reply,) = exchange(address, [Message("run", "larva", 0, {"op": "ping"})])
        >>> reply.kwargs["engine"]
        'kernel'
    """
    begun: Future[tuple[Address, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        over = asyncio.Event()
        async with Service(settings, listeners) as service:
            begun.set_result((service.address, asyncio.get_running_loop(), over))
            await over.wait()

    def end(started: "Future[tuple[Address, asyncio.AbstractEventLoop, asyncio.Event]]") -> None:
        _, loop, over = started.result()
        loop.call_soon_threadsafe(over.set)

    with ThreadPoolExecutor(1, "kenyon-server") as thread:
        served = thread.submit(asyncio.run, serve())
        either: list[Future[Any]] = [begun, served]
        try:
            wait(either, return_when=FIRST_COMPLETED)
            if served.done():
                served.result()
            yield begun.result()[0]
        finally:
            begun.add_done_callback(end)  # At once, or, where its start is interrupted, as soon as it has started.
        served.result()
