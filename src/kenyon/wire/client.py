"""The client: one kept connection per process and address, and whole exchanges upon it.

Law of this file: the only one of the wire that has sockets and a clock. A connection belongs to one exchange at a time
and to one process; after anything but a whole reply it is closed, so that a late reply is never taken for another.
"""

import atexit
import errno
import os
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from typing import Any

from kenyon.checks import instance, number
from kenyon.errors import InputError, NoAnswerError, RemoteProtocolError
from kenyon.wire.address import Address
from kenyon.wire.decoding import decode
from kenyon.wire.framing import MAX_FRAME_BYTES, FrameReader, frame
from kenyon.wire.messages import Message, encode, refuse_foreign
from kenyon.words import shown

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 1.0
_CHUNK_BYTES = 65536
# Acknowledging at once spares a peer that sends a frame in two writes a wait of 40 ms; only Linux can be asked to.
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


def exchange(
    address: Address, messages: Sequence[Message], *, timeout_s: float = 10.0, limit: int = MAX_FRAME_BYTES
) -> list[Message]:
    """Send messages in one frame and return the replies to them, in the same order.

    All threads of a process share one kept connection to an address and take turns. A connection that fails is replaced
    and the same frame sent again, until the deadline.

    Args:
        address: Where the server listens.
        messages: Any number of messages.
        timeout_s: Seconds from now within which the replies must be here; looking up the host's name comes on top.
        limit: Most bytes that either frame may have.

    Raises:
        NoAnswerError: nobody answered in time, or the server's certificate is not vouched for.
        RemoteProtocolError: what came back is no reply to these messages.
        LocalProtocolError: the wire cannot carry the messages; nothing was sent.
        InputError: the address names a file of certificates that cannot be read, or a number is out of range.

    Example:
        >>> exchange(Address(port=1), [Message("a", 0, 0)], timeout_s=0.1)
        Traceback (most recent call last):
        ...
        kenyon.errors.NoAnswerError: the server at localhost:1 must answer within 0.1 s, got no reply in ...
    """
    started = time.monotonic()
    timeout_s = number("timeout_s", timeout_s, low=0.001, high=1e6, unit="s")
    request = frame(encode(messages), limit=limit)
    connection = _registry.connection(instance("address", address, Address, "pass such as Address('localhost', 5795)"))
    turn = connection.turn
    try:  # Begun before the turn is taken, for Ctrl-C can come right after it.
        if not turn.acquire(timeout=timeout_s):
            raise NoAnswerError(
                f"the server at {address} must answer within {timeout_s:g} s, got no turn on the connection in that "
                "time from the other threads; allow more time"
            )
        return connection.exchange(messages, request, limit, started, timeout_s)
    finally:
        try:  # noqa: SIM105  # `suppress` is a call, within which Ctrl-C could come before it was given back
            turn.release()
        except RuntimeError:  # It never was our turn.
            pass


def close_connections() -> None:
    """Close every connection of this process; the next exchange opens its own.

    An exchange under way in another thread is first let finish.

    Example:
        >>> close_connections()
    """
    _registry.close(wait=True)


class _Connection:
    """The kept connection to one address. Whoever holds `turn` may use it."""

    def __init__(self, address: Address) -> None:
        self.turn = threading.RLock()  # which knows whose turn it is
        self._address = address
        self._socket: socket.socket | None = None
        # Whether the last exchange on the socket came to its end; False the moment one begins, whatever stops it.
        self._whole = False
        self._tls = None if address.tls_ca is None else _tls_context(address.tls_ca)
        self._quickack = _QUICKACK if address.unix_path is None else None

    def exchange(
        self, messages: Sequence[Message], request: bytes, limit: int, started: float, timeout_s: float
    ) -> list[Message]:
        """Try until the deadline; an attempt that fails takes its socket with it."""
        deadline = started + timeout_s
        attempts, pause = 0, 0.0
        reason: OSError | None = None
        while True:
            attempts += 1
            kept = False
            try:
                sock, kept = self._ready(deadline)
                replies = decode(self._ask(sock, request, limit, deadline))
                refuse_foreign(messages, replies)
                self._whole = True
            except ssl.SSLCertVerificationError as refusal:
                self.close()
                raise NoAnswerError(
                    f"the server at {self._address} must show a certificate that {self._address.tls_ca} vouches for, "
                    f"got one refused ({refusal.verify_message.rstrip('.')}); give the file of its certificate"
                ) from None
            except OSError as failure:
                self.close()
                # An attempt that found no time left says nothing of the server; the one before it does.
                reason = failure if reason is None or not isinstance(failure, _NoTimeLeftError) else reason
                left = deadline - time.monotonic()
                if left < _FIRST_PAUSE_S:
                    tried = f"{time.monotonic() - started:.2f} s and {attempts} attempt{'s' if attempts > 1 else ''}"
                    words = reason.strerror if reason.strerror is not None else str(reason)
                    raise NoAnswerError(
                        f"the server at {self._address} must answer within {timeout_s:g} s, got no reply in {tried} "
                        f"({words}); start the server there or give its right address"
                    ) from None
                # A kept connection may have been closed for its age alone, so its replacement need not wait.
                if not kept:
                    pause = min(max(2 * pause, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
                    time.sleep(min(pause, left / 2))  # Half, so that time for another attempt is left.
            except BaseException:
                self.close()
                raise
            else:
                return replies

    def close(self) -> None:
        """Give the socket back to the system; nothing is said to the peer."""
        sock, self._socket = self._socket, None
        if sock is not None:
            sock.close()

    def _ready(self, deadline: float) -> tuple[socket.socket, bool]:
        """Return a socket with nothing left on it from before, and whether it is the kept one."""
        sock = self._socket
        if sock is not None and self._whole and _is_quiet(sock):
            self._whole = False
            return sock, True
        self.close()
        self._whole = False
        self._socket = sock = self._open(deadline)
        return sock, False

    def _open(self, deadline: float) -> socket.socket:
        if self._address.unix_path is not None:
            return _connected(socket.AF_UNIX, self._address.unix_path, _left(deadline))
        host, port = self._address.host, self._address.port
        # A name such as localhost stands for several addresses; a silent one must not use up the time of the others.
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for index, (family, _, _, _, target) in enumerate(found, start=1):
            try:
                sock = _connected(family, target, _left(deadline) / (len(found) - index + 1))
                break
            except OSError:
                if index == len(found):
                    raise
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                sock.settimeout(_left(deadline))
                sock = self._tls.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
                sock.do_handshake()
        except BaseException:
            sock.close()
            raise
        return sock

    def _ask(self, sock: socket.socket, request: bytes, limit: int, deadline: float) -> bytes:
        """Send one frame and return the body of the one that comes back."""
        sock.settimeout(_left(deadline))
        sock.sendall(request)
        reader = FrameReader(limit=limit)
        while (body := reader.next_frame()) is None:
            # Of half a frame; Linux takes the wish back after every receive.
            if reader.pending and self._quickack is not None:
                sock.setsockopt(socket.IPPROTO_TCP, self._quickack, 1)
            sock.settimeout(_left(deadline))
            data = sock.recv(_CHUNK_BYTES)
            if not data:
                raise ConnectionResetError("the server closed the connection")
            reader.feed(data)
        if reader.pending:
            raise RemoteProtocolError(
                f"a request must get one frame in reply, got {reader.pending} bytes more; check what the server sends"
            )
        return body


def _connected(family: int, target: tuple[Any, ...] | str, timeout_s: float) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.connect(target)
        # A port without a server may be given to the very socket that asks for it, which would then answer itself.
        if not isinstance(target, str) and sock.getsockname() == sock.getpeername():
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")  # noqa: TRY301  # closed below
    except BaseException:
        sock.close()
        raise
    return sock


def _left(deadline: float) -> float:
    """Return the seconds left, never 0, which a socket would take for "do not wait"."""
    left = deadline - time.monotonic()
    if left <= 0.0:
        raise _NoTimeLeftError("timed out")
    return left


class _NoTimeLeftError(TimeoutError):
    """The deadline is over."""


def _is_quiet(sock: socket.socket) -> bool:
    """Return whether a kept connection is open and nothing has come on it unasked."""
    sock.settimeout(0.0)
    try:
        sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    return False


def _tls_context(path: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as reason:
        raise InputError(
            f"tls_ca must be a readable file of certificates (PEM), got {shown(path, 500)}: {reason}"
        ) from None


class _Registry:
    """The connections of this process by address."""

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        self._lock = threading.Lock()
        self._connections: dict[Address, _Connection] = {}

    def connection(self, address: Address) -> _Connection:
        with self._lock:
            if address not in self._connections:
                self._connections[address] = _Connection(address)
            return self._connections[address]

    def close(self, *, wait: bool) -> None:
        with self._lock:
            connections = list(self._connections.values())
        for connection in connections:
            if connection.turn.acquire(blocking=wait):
                try:
                    connection.close()
                finally:
                    connection.turn.release()

    def leave_to_parent(self) -> None:
        """In a forked child: forget the parent's connections and locks, which another thread of it may hold.

        Closing a copy of a socket shuts nothing down, and lets the server see when the parent closes its own.
        """
        for connection in self._connections.values():
            connection.close()
        self.start_anew()


_registry = _Registry()
# What a thread still uses at the end of the process is left to the system.
atexit.register(_registry.close, wait=False)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_registry.leave_to_parent)
