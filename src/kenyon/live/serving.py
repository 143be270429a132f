"""A page and its messages over HTTP, on loopback, from threads of its own.

Whoever has the address with its token may look; nobody else, neither another user of this machine nor a page of another
site that a browser has open, learns even that there is one. Every browser has a thread, which alone waits for it.
"""

import hmac
import secrets
import socket
import threading
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from kenyon import checks
from kenyon.errors import InputError
from kenyon.live.stream import Stream

MOST_BROWSERS: Final = 32
"""Browsers that are told at the same time."""

PATIENCE_S: Final = 20.0
"""How long a browser may take to read what it was sent; then it is gone."""

_SIGN_EVERY_S: Final = 5.0
"""A browser is told every so often that there is nothing new, which finds out that it has left."""

_LONGEST_POST: Final = 1000
_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_POLICY: Final = "frame-ancestors 'none'"


class Serving:
    """Answers browsers until it is closed.

    Args:
        stream: What they are told.
        page: The page, as HTML.
        port: Port on loopback; 0 takes a free one.

    Attributes:
        address: Where the page is; whoever knows it may look.

    Raises:
        InputError: the port is none, or taken.
    """

    def __init__(self, stream: Stream, page: str, port: int = 0) -> None:
        port = checks.integer("port of a page", port, low=0, high=65_535)
        token = secrets.token_urlsafe(16)
        try:
            self._server = _Server(stream, page, token, port)
        except OSError as reason:
            raise InputError(
                f"port of a page must be free to listen on, got {port}: {reason.strerror}; choose another, or 0"
            ) from None
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/{token}/"
        self._stream = stream
        self._thread = threading.Thread(
            target=partial(self._server.serve_forever, poll_interval=0.05), name="kenyon-page", daemon=True
        )
        self._thread.start()

    @property
    def browsers(self) -> int:
        """How many browsers are being told."""
        return self._server.told

    def close(self) -> None:
        """Answer no more; a browser keeps what it was told."""
        self._stream.close()
        self._server.shutdown()
        self._server.close_all()
        self._server.server_close()
        self._thread.join(5.0)


class _Server(ThreadingHTTPServer):
    """The listening socket, and what its handlers share.

    Attributes:
        told: How many browsers are being told.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, stream: Stream, page: str, token: str, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.stream, self.page, self.token = stream, page.encode("utf-8"), token
        self.told = 0
        self._counting = threading.Lock()
        self._open: set[socket.socket] = set()

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a browser that has left in the middle of a sentence."""

    def enter(self, connection: socket.socket) -> bool:
        """Begin to tell a browser, if there are not too many."""
        with self._counting:
            if self.told >= MOST_BROWSERS:
                return False
            self.told += 1
            self._open.add(connection)
            return True

    def leave(self, connection: socket.socket) -> None:
        """Tell it no more."""
        with self._counting:
            self.told -= 1
            self._open.discard(connection)

    def close_all(self) -> None:
        """Hang up on browsers that do not read."""
        with self._counting:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Kenyon", ""
    timeout = PATIENCE_S

    def do_GET(self) -> None:  # the name that http.server calls
        """Give the page, or tell what happens."""
        path = self._path()
        if path == "":
            self._answer(HTTPStatus.OK, self.server.page, "text/html; charset=utf-8")
        elif path == "events":
            self._tell()
        elif path is not None:
            self._refuse()

    def do_POST(self) -> None:  # as above
        """Look at the larva whose place stands in the body."""
        if (path := self._path()) is None:
            return
        length = checks.spelled_integer(self.headers.get("Content-Length", ""))
        if path != "larva" or length is None or length > _LONGEST_POST:
            self._refuse()
            return
        place = checks.spelled_integer(self.rfile.read(length).decode("ascii", "replace").strip())
        if place is None or place >= 2**31:
            self._answer(HTTPStatus.BAD_REQUEST, b"the body must be the place of a larva, such as 3\n")
            return
        self.server.stream.choose(place)
        self._answer(HTTPStatus.NO_CONTENT, b"")

    def _path(self) -> str | None:
        """Return what is asked for, without the token; None where nobody may know, which is answered already."""
        host = self.headers.get("Host", "").rpartition(":")
        name = host[0] if host[1] and host[2].isdecimal() else host[0] + host[1] + host[2]
        _, token, *rest = self.path.partition("?")[0].split("/", 2) + [""] * 2
        known = hmac.compare_digest(token.encode("utf-8", "replace"), self.server.token.encode("ascii"))
        if name not in _NAMES or not known:
            self._refuse()
            return None
        return rest[0]

    def _tell(self) -> None:
        """Tell a browser everything so far, and then what comes, for as long as it listens."""
        if not self.server.enter(self.connection):
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, b"too many browsers look at this page; close one\n")
            return
        try:
            self.close_connection = True
            self._begin(HTTPStatus.OK, "text/event-stream; charset=utf-8")
            stream, number = self.server.stream, 0
            while not stream.ended(number):
                texts, number = stream.after(number, _SIGN_EVERY_S)
                self.wfile.write(b"".join(b"data: %b\n\n" % text for text in texts) or b": still here\n\n")
        except OSError:  # It has left, or does not read.
            pass
        finally:
            self.server.leave(self.connection)

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        with suppress(OSError):
            self._begin(status, kind, length=len(body))
            self.wfile.write(body)

    def _begin(self, status: HTTPStatus, kind: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("Referrer-Policy", "no-referrer")  # The token is in the address.
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Connection", "close")
        self.close_connection = True
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _refuse(self) -> None:
        self._answer(HTTPStatus.NOT_FOUND, b"nothing is here; open the address that was printed, all of it\n")

    def send_error(self, code: int, _message: str | None = None, _explain: str | None = None) -> None:
        """Answer what is no request, without the words of whoever sent it."""
        self._answer(HTTPStatus(code), b"this is no request that a page answers\n")

    def log_message(self, *_: object) -> None:
        """Say nothing: a browser asks all the time."""
