"""One connection: bytes to frames, frames to messages, and one reply frame to each, in order.

A frame is answered before the next one of its connection is looked at, so what a client can pile up here is what one
read holds. A client that sends a frame slowly, or does not take its reply, is closed after a while; so is one that
is silent for very long, and sooner one of whom nothing was accepted yet.

What a frame needs of the event loop is done in turns of bounded length (`turns`): at once, up to one turn, for a
connection whose last frame was work for the worker; when its turn has come for one whose last frame was answered here.
"""

import asyncio
import logging
import socket
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from kenyon.errors import LocalProtocolError, RefusedError, RemoteProtocolError
from kenyon.server.connection_state import NEXT, ConnectionState
from kenyon.server.settings import Limits
from kenyon.server.turns import Turns
from kenyon.wire import MAX_FRAME_BYTES, FrameReader, Message, frame
from kenyon.wire.decoding import PIECE_CHARACTERS, decode_pieces
from kenyon.wire.messages import encode_replies, join_replies, spell_reply

_logger = logging.getLogger(__name__)

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
_ENOUGH_BYTES = 65_536
"""More than this of frames that have to wait is left with the system."""

_AT_ONCE_CHARACTERS = 16_384
"""As much of a frame is read in one go where nobody was kept waiting before: 64 larvae have 10,000."""

_FAREWELL_S = 1.0
"""How long a refused client may take to read why."""

_STRANGER_S = 1.0
"""How long a connection may take to say something, where others want its place."""

NOBODY = (None, None, None)


class Backend(Protocol):
    """What a connection needs of its server."""

    limits: Limits
    turns: Turns

    def take(self, exchange: "Exchange") -> Iterator[None]:
        """Answer every message of an exchange, now or later; what is yielded ends a turn."""

    def refuse(self, ids: tuple[Any, Any], refusal: RefusedError) -> str:
        """Return the kwargs of a refusal, as JSON says them."""

    def admit(self, connection: "Connection") -> None:
        """Take note of a connection, or tell it to go."""

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

    Attributes:
        missing: How many messages have no reply yet.
        computed: How many were work for the worker that was done.
    """

    __slots__ = ("_replies", "began_at", "computed", "connection", "messages", "missing")

    def __init__(self, connection: "Connection", messages: Sequence[Message], began_at: float) -> None:
        self.connection = connection
        self.messages = messages
        self.began_at = began_at
        self.missing, self.computed = len(messages), 0
        self._replies: list[str | None] = [None] * len(messages)
        if not messages:
            connection.reply(self, [])

    def answer(self, place: int, reply: str | None, *, is_computed: bool = False) -> None:
        """Answer one message; the frame is sent with the last of them. None: nobody is there to be answered."""
        self._replies[place] = None if reply is None else spell_reply(self.messages[place], reply)
        self.missing -= 1
        self.computed += is_computed
        if self.missing == 0:
            self.connection.reply(self, [reply for reply in self._replies if reply is not None])


class Connection(asyncio.Protocol):
    """One connection to a client.

    Args:
        backend: The server behind it.
        loop: The event loop.

    Attributes:
        state: What it is doing.
        in_debt: Whether its last frame was answered by the event loop itself, so that the next waits for its turn.
        accepted: Whether anything that it asked for was accepted; None until it has asked.
        trusted: Whether anything that it asked for was computed, so that whole frames may be given to the worker.
    """

    def __init__(self, backend: Backend, loop: asyncio.AbstractEventLoop) -> None:
        self._backend = backend
        self._loop = loop
        self._reader = FrameReader(limit=backend.limits.max_frame_bytes)
        self._transport: Any = None
        self._socket: Any = None
        self._frame: Iterator[None] = iter(())
        self._fault: RefusedError | None = None
        # When it was made, last heard of, its frame begun, and its state entered.
        self._made_at = self._heard_at = self._frame_since = self._state_since = loop.time()
        self.state = ConnectionState.IDLE
        self.in_debt = False
        self.accepted: bool | None = None
        self.trusted = False

    @property
    def closed(self) -> bool:
        """Whether nobody is there any more."""
        return self.state is ConnectionState.LEAVING or self.state is ConnectionState.CLOSED

    def connection_made(self, transport: Any) -> None:
        """Begin: wait for nothing when sending, acknowledge half a frame at once."""
        self._transport = transport
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = sock
            self._acknowledge()
        self._backend.admit(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes; begin the next exchange if they complete a frame."""
        self._heard_at = self._loop.time()
        if self.closed or self._fault is not None:
            return
        if self._reader.pending == 0:
            self._frame_since = self._heard_at
        try:
            self._reader.feed(data)
        except RemoteProtocolError as reason:
            self._fault = RefusedError(str(reason), "frame")
            if self.state not in (ConnectionState.READING, ConnectionState.ANSWERING):
                self.bid_farewell(self._fault)
            return
        self._go_on()
        if self._reader.pending:
            self._acknowledge()

    def eof_received(self) -> bool:
        """The client has closed: what waits for it is dropped; half a frame is refused, in case it still listens."""
        if self._reader.pending and self.state in (ConnectionState.IDLE, ConnectionState.STUCK):
            self.bid_farewell(
                RefusedError(
                    f"a frame must be whole, got the end of the stream after {self._reader.pending} bytes of it; "
                    "send it again",
                    "frame",
                )
            )
        elif not self.closed:
            self._enter(ConnectionState.LEAVING)
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        """It is over."""
        self._enter(ConnectionState.CLOSED)
        self._backend.leave(self)
        # A larva may remember who stepped it last; what that one has sent is not worth remembering.
        self._reader = FrameReader(limit=self._backend.limits.max_frame_bytes)
        self._frame = iter(())

    def pause_writing(self) -> None:
        """The client does not take its reply."""
        if self.state is ConnectionState.IDLE:
            self._enter(ConnectionState.STUCK)

    def resume_writing(self) -> None:
        """It has."""
        if self.state is ConnectionState.STUCK:
            self._enter(ConnectionState.IDLE)
            self._go_on()

    def reply(self, exchange: Exchange, replies: Sequence[str]) -> None:
        """Send the replies of an exchange, spelled, in one write, and go on with the next frame."""
        if self.state is not ConnectionState.ANSWERING or len(replies) < len(exchange.messages):
            return
        self._enter(ConnectionState.IDLE)
        self._transport.write(self._framed(exchange, replies))
        self._backend.answered(exchange)
        self.in_debt = exchange.computed < len(replies) or not replies
        self.trusted = self.trusted or exchange.computed > 0
        self._frame_since = self._loop.time()
        if self._fault is not None:
            self.bid_farewell(self._fault)
        elif self._reader.pending or not self._transport.is_reading():
            # Not from within: whoever answers is not done yet, and thousands of frames may be waiting.
            self._loop.call_soon(self._go_on)

    def _framed(self, exchange: Exchange, replies: Sequence[str]) -> bytes:
        """Return replies as one frame; what would be too large for one is refused, message by message."""
        try:
            return frame(join_replies(replies), limit=MAX_FRAME_BYTES)
        except LocalProtocolError as reason:
            refusal = RefusedError(f"{reason}; what was asked has been done, only the replies do not fit", "limit")
            reply = self._backend.refuse((None, None), refusal)
            return frame(encode_replies(exchange.messages, [reply] * len(exchange.messages)))

    def can_give_way(self, now: float) -> bool:
        """Return whether another may have its place: nothing of it was accepted, though it had its chance."""
        return self.closed or self.accepted is False or (self.accepted is None and now - self._made_at > _STRANGER_S)

    def check_time(self, now: float) -> None:
        """Close what has taken too long; called every now and then."""
        limits = self._backend.limits
        patience_s = limits.read_timeout_s
        if self.state is ConnectionState.STUCK and now - self._state_since > patience_s:
            _logger.info("a client has not taken its reply for %g s; closed", patience_s)
            self._transport.abort()
        elif self.state is ConnectionState.LEAVING and now - self._state_since > patience_s:
            self._transport.abort()
        elif self.accepted is not True and now - self._made_at > min(patience_s, limits.idle_timeout_s):
            # Who never asked for anything that was accepted may not keep a place for long, however much he says.
            if self.state in (ConnectionState.IDLE, ConnectionState.STUCK) or self.in_debt:
                self.close()
        elif self.state is not ConnectionState.IDLE:
            return
        elif self._reader.pending and now - self._frame_since > patience_s:
            self.bid_farewell(
                RefusedError(
                    f"a frame must come within {patience_s:g} s, got {self._reader.pending} bytes; send it at once",
                    "frame",
                )
            )
        elif not self._reader.pending and now - self._heard_at > limits.idle_timeout_s:
            self.close()

    def close(self) -> None:
        """Close it, once what was written is sent."""
        if not self.closed:
            self._enter(ConnectionState.LEAVING)
        self._transport.close()

    def bid_farewell(self, refusal: RefusedError, *, at_once: bool = False) -> None:
        """Say why, and close, leaving the client time to read it unless that is wanted at once."""
        if self.closed:
            return
        self._enter(ConnectionState.LEAVING)
        reply = self._backend.refuse((None, None), refusal)
        self._transport.write(frame(encode_replies([Message(*NOBODY)], [reply])))
        # Closing now, with bytes unread, would make the system take back what was just written.
        if self._transport.can_write_eof() and not at_once:
            self._transport.write_eof()
            if not self._transport.is_reading():
                self._transport.resume_reading()
            self._loop.call_later(_FAREWELL_S, self._transport.abort)
        else:
            self._transport.close()

    def _enter(self, state: ConnectionState) -> None:
        if state not in NEXT[self.state]:
            raise RuntimeError(f"a connection must not go from {self.state.name} to {state.name}")
        self.state, self._state_since = state, self._loop.time()

    def _go_on(self) -> None:
        """Begin the next exchange, if the last one is over, its reply taken, and a whole frame there."""
        if self.state is ConnectionState.IDLE:
            try:
                body = self._reader.next_frame()
            except RemoteProtocolError as reason:
                self.bid_farewell(RefusedError(str(reason), "frame"))
                return
            if body is not None:
                self._enter(ConnectionState.READING)
                self._frame = self._answer(body)
                if self.in_debt:
                    self._backend.turns.wait(self._take_turn)
                else:
                    self._take_turn()
        if self.closed:
            return
        if self.state is not ConnectionState.IDLE and self._reader.pending > _ENOUGH_BYTES:
            if self._transport.is_reading():
                self._transport.pause_reading()
        elif not self._transport.is_reading():
            self._transport.resume_reading()

    def _take_turn(self) -> None:
        """Go on with the frame until its turn ends or it waits for the worker."""
        if self.closed:
            return
        for _ in self._frame:
            if self.in_debt:
                self._backend.turns.wait(self._take_turn)
            else:
                self._loop.call_soon(self._take_turn)
            return

    def _answer(self, body: bytes) -> Iterator[None]:
        """Read a frame and answer it; what is yielded ends a turn."""
        began_at, limits = self._loop.time(), self._backend.limits
        messages: list[Message] = []
        try:
            piece = _AT_ONCE_CHARACTERS if self.trusted and not self.in_debt else PIECE_CHARACTERS
            for some in decode_pieces(body, most=limits.max_message_bytes, piece=piece):
                if messages:
                    yield
                messages += some
                if len(messages) > limits.max_messages:
                    raise RefusedError(  # noqa: TRY301  # as a frame that cannot be read
                        f"a frame must hold at most {limits.max_messages} messages, got more; send several", "limit"
                    )
        except (RemoteProtocolError, RefusedError) as reason:
            # One message says so; the next frame may be better.
            code = reason.code or "message" if isinstance(reason, RefusedError) else "message"
            self.in_debt, self.accepted = True, self.accepted or False
            self._enter(ConnectionState.ANSWERING)
            reply = self._backend.refuse((None, None), RefusedError(str(reason), code))
            Exchange(self, [Message(*NOBODY)], began_at).answer(0, reply)
            return
        self.in_debt = False
        self._enter(ConnectionState.ANSWERING)
        exchange = Exchange(self, messages, began_at)
        yield from self._backend.take(exchange)

    def _acknowledge(self) -> None:
        """Tell a client that what it has sent is here, for it may wait for that before it sends the rest of a frame.

        A whole frame is acknowledged by the reply. Linux takes the wish back after every receive.
        """
        if self._socket is not None and _QUICKACK is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
