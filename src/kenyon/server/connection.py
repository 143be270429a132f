"""One connection: bytes to frames, frames to messages, and one reply frame to each, in order.

A frame is answered before the next one of its connection is looked at, so what a client can pile up here is what one
read holds. A client that sends a frame slowly, or does not take its reply, is closed after a while; so is one that
is silent for very long.
"""

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import Any, Protocol

from kenyon.errors import LocalProtocolError, RefusedError, RemoteProtocolError
from kenyon.server.settings import Limits
from kenyon.wire import MAX_FRAME_BYTES, FrameReader, Message, decode, frame
from kenyon.wire.messages import encode_replies

_logger = logging.getLogger(__name__)

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
_ENOUGH_BYTES = 65_536
"""More than this of frames that have to wait is left with the system."""

_LARGE_BYTES = 32_768
"""A frame from this size on is read in another thread, so that it does not hold up the others."""

_FAREWELL_S = 1.0
"""How long a refused client may take to read why."""

NOBODY = (None, None, None)


class Backend(Protocol):
    """What a connection needs of its server."""

    limits: Limits

    def take(self, exchange: "Exchange") -> None:
        """Answer every message of an exchange, now or later."""

    def refuse(self, ids: tuple[Any, Any], refusal: RefusedError) -> str:
        """Return the kwargs of a refusal, as JSON says them."""

    def admit(self, connection: "Connection") -> RefusedError | None:
        """Take note of a connection; return why it cannot stay, if so."""

    def leave(self, connection: "Connection") -> None:
        """Take note that a connection has ended."""

    def answered(self, exchange: "Exchange") -> None:
        """Take note of an exchange that is over."""


class Exchange:
    """One frame of messages and the replies to it.

    Args:
        connection: Whose it is.
        messages: What was asked.
        began_at: When the frame was whole, s.
    """

    __slots__ = ("_missing", "_replies", "began_at", "connection", "messages")

    def __init__(self, connection: "Connection", messages: Sequence[Message], began_at: float) -> None:
        self.connection = connection
        self.messages = messages
        self.began_at = began_at
        self._replies: list[str | None] = [None] * len(messages)
        self._missing = len(messages)
        if not messages:
            connection.reply(self, [])

    def answer(self, place: int, reply: str | None) -> None:
        """Answer one message; the frame is sent with the last of them. None: nobody is there to be answered."""
        self._replies[place] = reply
        self._missing -= 1
        if self._missing == 0:
            self.connection.reply(self, [reply for reply in self._replies if reply is not None])


class Connection(asyncio.Protocol):
    """One connection to a client.

    Args:
        backend: The server behind it.
        loop: The event loop.

    Attributes:
        closed: Whether nobody is there any more.
    """

    def __init__(self, backend: Backend, loop: asyncio.AbstractEventLoop) -> None:
        self._backend = backend
        self._loop = loop
        self._reader = FrameReader(limit=backend.limits.max_frame_bytes)
        self._transport: Any = None
        self._socket: Any = None
        self._exchange: Exchange | None = None
        self._reading = self._paused = self._stuck = self._leaving = self._known = False
        self._fault: RefusedError | None = None
        self._heard_at = self._frame_since = self._stuck_since = loop.time()
        self.closed = False

    def connection_made(self, transport: Any) -> None:
        """Begin: wait for nothing when sending, acknowledge at once."""
        self._transport = transport
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = sock
            self._acknowledge()
        refusal = self._backend.admit(self)
        if refusal is not None:
            self._bid_farewell(refusal)

    def data_received(self, data: bytes) -> None:
        """Take bytes; begin the next exchange if they complete a frame."""
        self._heard_at = self._loop.time()
        if self._leaving or self._fault is not None:
            return
        if self._reader.pending == 0:
            self._frame_since = self._heard_at
        try:
            self._reader.feed(data)
        except RemoteProtocolError as reason:
            self._fault = RefusedError(str(reason), "frame")
            if self._exchange is None and not self._reading:
                self._bid_farewell(self._fault)
            return
        self._acknowledge()
        self._go_on()

    def eof_received(self) -> bool:
        """The client has closed: what waits for it is dropped; half a frame is refused, in case it still listens."""
        self.closed = True
        if self._reader.pending and not self._leaving and self._exchange is None and not self._reading:
            self._bid_farewell(
                RefusedError(
                    f"a frame must be whole, got the end of the stream after {self._reader.pending} bytes of it; "
                    "send it again",
                    "frame",
                )
            )
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        """It is over."""
        self.closed = True
        self._leaving = True
        self._backend.leave(self)
        # A larva may remember who stepped it last; what that one has sent is not worth remembering.
        self._reader = FrameReader(limit=self._backend.limits.max_frame_bytes)
        self._exchange = None

    def pause_writing(self) -> None:
        """The client does not take its reply."""
        self._stuck, self._stuck_since = True, self._loop.time()

    def resume_writing(self) -> None:
        """It has."""
        self._stuck = False
        self._go_on()

    def reply(self, exchange: Exchange, replies: Sequence[str]) -> None:
        """Send the replies of an exchange, in one write, and go on with the next frame."""
        self._exchange = None
        if not self.closed and not self._leaving and len(replies) == len(exchange.messages):
            self._known = True
            self._transport.write(self._framed(exchange, replies))
            self._backend.answered(exchange)
            self._frame_since = self._loop.time()
            if self._fault is not None:
                self._bid_farewell(self._fault)
            elif self._reader.pending or self._paused:
                # Not from within: whoever answers is not done yet, and thousands of frames may be waiting.
                self._loop.call_soon(self._go_on)

    def _framed(self, exchange: Exchange, replies: Sequence[str]) -> bytes:
        """Return replies as one frame; what would be too large for one is refused, message by message."""
        try:
            return frame(encode_replies(exchange.messages, replies), limit=MAX_FRAME_BYTES)
        except LocalProtocolError as reason:
            refusal = RefusedError(f"{reason}; what was asked has been done, only the replies do not fit", "limit")
            reply = self._backend.refuse((None, None), refusal)
            return frame(encode_replies(exchange.messages, [reply] * len(exchange.messages)))

    def check_time(self, now: float) -> None:
        """Close what has taken too long; called every now and then."""
        limits = self._backend.limits
        if self._leaving:
            return
        if self._stuck and now - self._stuck_since > limits.read_timeout_s:
            _logger.info("a client has not taken its reply for %g s; closed", limits.read_timeout_s)
            self._transport.abort()
        elif self._exchange is None and not self._reading and self._reader.pending:
            if not self._stuck and now - self._frame_since > limits.read_timeout_s:
                self._bid_farewell(
                    RefusedError(
                        f"a frame must come within {limits.read_timeout_s:g} s, got {self._reader.pending} bytes; "
                        "send it at once",
                        "frame",
                    )
                )
        elif self._exchange is None and not self._reading:
            # Who has never said anything that could be read may not keep a place for long.
            patience_s = limits.idle_timeout_s if self._known else min(limits.read_timeout_s, limits.idle_timeout_s)
            if now - self._heard_at > patience_s:
                self._transport.close()

    def close(self) -> None:
        """Close it, once what was written is sent."""
        self._leaving = True
        self._transport.close()

    def _go_on(self) -> None:
        """Begin the next exchange, if the last one is over, its reply taken, and a whole frame there."""
        if self._exchange is None and not self._reading and not self._stuck and not self._leaving:
            try:
                body = self._reader.next_frame()
            except RemoteProtocolError as reason:
                self._bid_farewell(RefusedError(str(reason), "frame"))
                return
            if body is not None:
                self._read(body)
        waiting = self._exchange is not None or self._reading or self._stuck
        if waiting and self._reader.pending > _ENOUGH_BYTES:
            if not self._paused:
                self._paused = True
                self._transport.pause_reading()
        elif self._paused and not self._leaving:
            self._paused = False
            self._transport.resume_reading()

    def _read(self, body: bytes) -> None:
        if len(body) < _LARGE_BYTES:
            try:
                messages = decode(body)
            except RemoteProtocolError as reason:
                self._refuse_frame(str(reason))
            else:
                self._begin(messages)
            return
        self._reading = True

        def over(future: "asyncio.Future[list[Message]]") -> None:
            self._reading = False
            error = future.exception()
            if error is not None:
                self._refuse_frame(str(error))
            else:
                self._begin(future.result())

        self._loop.run_in_executor(None, decode, body).add_done_callback(over)

    def _begin(self, messages: list[Message]) -> None:
        most = self._backend.limits.max_messages
        if len(messages) > most:
            self._refuse_frame(f"a frame must hold at most {most} messages, got {len(messages)}; send several", "limit")
            return
        exchange = Exchange(self, messages, self._loop.time())
        if messages:
            self._exchange = exchange
            self._backend.take(exchange)

    def _refuse_frame(self, sentence: str, code: str = "message") -> None:
        """Answer a frame whose messages cannot be read with one that says so; the next frame may be better."""
        exchange = Exchange(self, [Message(*NOBODY)], self._loop.time())
        self._exchange = exchange
        exchange.answer(0, self._backend.refuse((None, None), RefusedError(sentence, code)))

    def _bid_farewell(self, refusal: RefusedError) -> None:
        """Say why, and close, leaving the client time to read it."""
        self._leaving = self.closed = True
        reply = self._backend.refuse((None, None), refusal)
        self._transport.write(frame(encode_replies([Message(*NOBODY)], [reply])))
        # Closing now, with bytes unread, would make the system take back what was just written.
        if self._transport.can_write_eof():
            self._transport.write_eof()
            if self._paused:
                self._transport.resume_reading()
            self._loop.call_later(_FAREWELL_S, self._transport.abort)
        else:
            self._transport.close()

    def _acknowledge(self) -> None:
        # Linux takes the wish back after every receive.
        if self._socket is not None and _QUICKACK is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
