"""The server: it listens, lets larvae answer, and stops without losing anything."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any

from kenyon import __version__
from kenyon.checks import instance
from kenyon.checks import listeners as checked_listeners
from kenyon.errors import RefusedError
from kenyon.mushroom_body.wiring import RANDOM
from kenyon.server.batching import ROWS, Finished
from kenyon.server.computing import Computer, computer
from kenyon.server.connection import Connection, Exchange
from kenyon.server.dispatch import Dispatcher
from kenyon.server.events import Listener
from kenyon.server.journal import Journal
from kenyon.server.listening import allow_files, listen, remover, tls_context
from kenyon.server.metrics import Metrics
from kenyon.server.monitoring import Monitor
from kenyon.server.places import Places
from kenyon.server.receptors import Receptors
from kenyon.server.refusing import Refusals
from kenyon.server.requests import Operation, Reader
from kenyon.server.settings import Settings
from kenyon.server.tasks import Context, Task
from kenyon.server.turns import Turns
from kenyon.server.worker import Worker
from kenyon.wire import Address, Message
from kenyon.wire.messages import spelling
from kenyon.words import clean, shown

_logger = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104  # what is looked for, not listened on
_LONGEST_STOP_S = 60.0
_FIRST_MESSAGES = 16
"""Messages of a new connection that the worker does as anybody's; more must wait until one of them was computed."""

_LONGEST_ROUND_S = 60.0
"""A round takes milliseconds with the kernel, a second with Brian2, and half a minute while that compiles."""


class Service:
    """A server with its larvae, from `start` to `stop`, within one event loop.

    Args:
        settings: What it is told.
        listeners: Functions that are told of every step that was answered; see `kenyon.server.events`.

    Attributes:
        metrics: What it has counted.
        where: Where it listens, as people write it; known once it has started.
        port: The TCP port it listens on; None on a Unix socket.
        limits: How much it takes.
        failed: Set if it cannot go on.

    Example:
        >>> async def run() -> str:
        ...     async with Service(Settings(port=0)) as service:
        ...         return service.where
        >>> asyncio.run(run())
        'localhost:...'
    """

    def __init__(self, settings: Settings, listeners: Sequence[Listener] = ()) -> None:
        self.settings = instance("settings", settings, Settings, "pass such as Settings(port=0)")
        self._listeners = checked_listeners(listeners)
        self.limits = settings.limits
        self.metrics = Metrics()
        self.where = ""
        self.port: int | None = None
        self.monitor: Monitor | None = None
        self.failed = asyncio.Event()
        self._places = Places(self.limits.max_connections)
        self._refusals = Refusals(self.metrics)
        self._stopping = False
        self._about = lru_cache(maxsize=1)(self._spell_about)

    @property
    def address(self) -> Address:
        """Where a client of this machine finds it; with TLS, its own certificate vouches for it."""
        settings = self.settings
        if self.port is None:
            return Address(unix_path=settings.unix_path)
        host = "localhost" if settings.host in _EVERYWHERE else settings.host
        return Address(host, self.port, tls_ca=None if settings.tls_cert is None else str(settings.tls_cert))

    async def __aenter__(self) -> "Service":  # noqa: PYI034  # Self is not in typing before Python 3.11
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Open the journal, make the engine ready, and listen.

        Raises:
            StorageError: the state directory cannot be used.
            MismatchError: it was begun under other settings.
            MissingDependencyError: the engine, or what shows metrics, is not installed.
            InputError: nothing can listen there, or a certificate cannot be read.
        """
        settings, loop = self.settings, asyncio.get_running_loop()
        self._loop = loop
        tls = tls_context(settings)
        if settings.is_open:
            _logger.warning(
                "listening on %s without a token or TLS, as told: whoever reaches this port may step, read and delete "
                "every larva",
                shown(settings.host),
            )
        allow_files(self.limits.max_connections)
        journal = Journal(settings.state_dir, settings.record(), durable=settings.durable, adopt=settings.adopt)
        self._closing = contextlib.ExitStack()
        self._closing.callback(journal.close)
        try:
            engine: Computer = await loop.run_in_executor(None, computer, settings.engine, settings.parameters)
            self._closing.callback(engine.close)
            self._worker = Worker(
                Context(settings.parameters, settings.wiring, journal, _receptors(settings)), engine, self._hand_over
            )
            self.dispatcher = Dispatcher(
                settings, len(journal), self._worker.submit, loop.time, self.metrics, self.refuse,
                self._listeners,
            )  # fmt: skip
            self._reader = Reader(settings)
            self.turns = Turns(loop, self.limits.max_turn_ms / 1000, lambda: self.dispatcher.waiting > 0)
            if settings.metrics_port is not None:
                self.monitor = Monitor(settings.metrics_port, self.metrics, self._gauges, self._is_ready)
                self._closing.callback(self.monitor.close)
            self._servers, self.where, self.port = await listen(settings, tls, partial(Connection, self, loop))
            if settings.unix_path is not None:
                self._closing.callback(remover(settings.unix_path))
        except BaseException:
            self._closing.close()
            raise
        self._worker.start()
        self._looking = loop.create_task(self._look_around())

    async def stop(self) -> None:
        """Take no more, finish what is under way, answer it, and keep every larva as it is."""
        self._stopping = True
        self.dispatcher.stopping = True
        for server in self._servers:
            server.close()
        self._looking.cancel()
        with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
            await asyncio.wait_for(
                self._until(lambda: self.dispatcher.waiting == 0 and not self.dispatcher.at_work), _LONGEST_STOP_S
            )
            self.dispatcher.send_idle_to_sleep(after_s=float("-inf"))
            await asyncio.wait_for(self._until(lambda: not self.dispatcher.at_work), _LONGEST_STOP_S)
        self._worker.finish()
        await self._loop.run_in_executor(None, partial(self._worker.join, _LONGEST_STOP_S))
        for connection in self._places.everybody():
            connection.close()
        with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
            await asyncio.wait_for(self._until(lambda: not self._places.everybody()), _LOOK_EVERY_S)
        self._closing.close()

    def take(self, exchange: Exchange) -> Iterator[None]:
        """Answer every message of an exchange, now or later; what is yielded ends a turn.

        A turn ends with as many messages for the worker as it computes together, or when those that were answered at
        once have taken their time. One of whom nothing was computed yet has a short turn, and then is in debt.
        """
        connection, clock = exchange.connection, self._loop.time
        together = ROWS if connection.trusted else _FIRST_MESSAGES
        handed_over, turn_ends = 0, clock() + self.turns.turn_s
        for place, message in enumerate(exchange.messages):
            if handed_over >= together or (connection.in_debt and clock() > turn_ends):
                connection.in_debt = connection.in_debt or not connection.trusted
                self.dispatcher.send_off()
                yield
                if connection.closed:
                    return
                handed_over, turn_ends = 0, clock() + self.turns.turn_s
            missing = exchange.missing
            self._ask(exchange, place, message)
            if exchange.missing == missing:
                handed_over += 1
            else:
                connection.in_debt = True
        self.dispatcher.send_off()

    def _ask(self, exchange: Exchange, place: int, message: Message) -> None:
        """Answer one message, or hand it over."""
        answer = partial(exchange.answer, place)
        connection = exchange.connection
        try:
            request = self._reader.read(message)
        except RefusedError as refusal:
            connection.accepted = connection.accepted or False
            answer(self.refuse((message.sim_id, message.model_id), refusal))
            return
        if connection.accepted is not True:
            connection.accepted = True
            self._places.know(connection)
        if isinstance(request, Operation) and request.op == "ping":
            answer(self._about(self.dispatcher.kept))
        elif message.sim_id is not None and message.model_id is not None:
            self.dispatcher.ask(message.sim_id, message.model_id, request, connection, answer)

    def refuse(self, ids: tuple[Any, Any], refusal: RefusedError) -> str:
        """Return the kwargs of a refusal, as JSON says them."""
        return self._refusals.refuse(ids, refusal)

    def admit(self, connection: Connection) -> None:
        """Take note of a connection, or tell it to go."""
        self._places.admit(connection, self._loop.time())

    def leave(self, connection: Connection) -> None:
        """Take note that a connection has ended."""
        self._places.leave(connection)

    def answered(self, exchange: Exchange) -> None:
        """Take note of an exchange that is over."""
        self.metrics.frames += 1
        took_s = self._loop.time() - exchange.began_at
        self.metrics.latency_s.add(took_s)
        if _logger.isEnabledFor(logging.DEBUG):
            for message in exchange.messages:
                op = clean(str(message.kwargs.get("op", "step")))
                _logger.debug(
                    "%s of larva %r of %r at step %s, %.2f ms",
                    *(op, message.model_id, message.sim_id, message.step, took_s * 1e3),
                )

    def _spell_about(self, larvae: int) -> str:
        """Return the kwargs of the reply to a ping, as JSON says them."""
        settings = self.settings
        about = {
            "kenyon": __version__,
            "engine": settings.engine,
            "parameters": settings.parameters.description,
            "odors": list(settings.odors),
            "concentration_scale": settings.concentration_scale,
            "seed": settings.seed,
            "larvae": larvae,
        }
        if settings.wiring != RANDOM:
            about["wiring"] = settings.wiring
        if settings.own_odors:
            about["own_odors"] = {odor.name: odor.id for odor in settings.own_odors}
        return spelling(about)

    def _gauges(self) -> dict[str, float]:
        return {
            "larvae_awake": self.dispatcher.awake,
            "larvae": self.dispatcher.kept,
            "connections": len(self._places),
            "queue": self.dispatcher.waiting,
        }

    def _is_ready(self, timeout_s: float) -> bool:
        """Return whether steps are taken: the loop turns, the worker lives, nothing stops. Called in any thread."""
        turned = threading.Event()
        with contextlib.suppress(RuntimeError):  # The loop has ended.
            self._loop.call_soon_threadsafe(turned.set)
        since = self._worker.turning_since
        computes = self._worker.is_alive() and (since is None or time.monotonic() - since < _LONGEST_ROUND_S)
        return turned.wait(timeout_s) and computes and not self._stopping

    def _hand_over(self, done: list[Finished[Task]], sizes: list[int]) -> None:
        """From the worker's thread to the loop's."""
        with contextlib.suppress(RuntimeError):  # The loop has ended; what was done has been kept.
            self._loop.call_soon_threadsafe(self.dispatcher.deliver, done, sizes)

    async def _look_around(self) -> None:
        """Every now and then: close what takes too long, let idle larvae sleep."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            now = self._loop.time()
            for connection in self._places.everybody():
                connection.check_time(now)
            self.dispatcher.send_idle_to_sleep()
            self._refusals.summarize()
            if not self._worker.is_alive():
                _logger.critical("the thread that computes has ended; the server cannot go on")
                self.failed.set()
                return

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():  # noqa: ASYNC110  # Only while it stops; an event would have to be set on every step.
            await asyncio.sleep(0.005)


def _receptors(settings: Settings) -> Receptors | None:
    if settings.receptor_range_hz is None:
        return None
    return Receptors(*settings.receptor_range_hz, settings.receptor_smoothing_s * 1000.0)
