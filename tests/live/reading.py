"""What tests read messages with: a list that a source tells, and a browser that draws nothing."""

import json
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from kenyon.live.messages import spelled


class Tape:
    """Keeps what a source tells, and looks at some larvae."""

    def __init__(self, *chosen: int) -> None:
        self.messages: list[dict[str, Any]] = []
        self.chosen = frozenset(chosen)

    def say(self, message: Mapping[str, Any]) -> None:
        """Keep a message as a browser gets it."""
        self.messages.append(json.loads(spelled(message)))

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of a kind."""
        return [message for message in self.messages if message["kind"] == kind]


class Browser:
    """Reads all events of a page, from a thread of its own, over a socket of the system's.

    Args:
        address: Of the page.
    """

    def __init__(self, address: str) -> None:
        self.messages: list[dict[str, Any]] = []
        self._more = threading.Condition()
        self._socket = asked(address, "GET", "events")
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with suppress(OSError, ValueError), self._socket.makefile("rb") as lines:
            for line in lines:
                if line.startswith(b"data: "):
                    with self._more:
                        self.messages.append(json.loads(line[6:]))
                        self._more.notify_all()

    def wait_for(self, kind: str, timeout_s: float = 30.0) -> dict[str, Any]:
        """Return the first message of a kind."""
        with self._more:
            found = self._more.wait_for(lambda: next((m for m in self.messages if m["kind"] == kind), None), timeout_s)
        assert found is not None, f"no {kind} among {len(self.messages)} messages"
        return found

    def leave(self) -> None:
        """Close the window."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def end(self) -> list[dict[str, Any]]:
        """Return all messages, once the page has said goodbye."""
        self._thread.join(30)
        assert not self._thread.is_alive()
        self._socket.close()
        return self.messages


def asked(
    address: str, method: str, path: str, body: bytes = b"", host: str | None = None, room: int | None = None
) -> socket.socket:
    """Return a connection on which a page was asked for something.

    Args:
        address: Of the page, with its token.
        method: Such as "GET".
        path: Behind the token, or, with a slash in front, instead of it.
        body: To send.
        host: What the header says, if not the truth.
        room: How much the system takes in for who does not read, bytes.
    """
    url = urlsplit(address)
    line = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if room is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    line.settimeout(30.0)
    try:
        line.connect((str(url.hostname), int(url.port or 0)))
    except OSError:
        line.close()
        raise
    target = path if path.startswith("/") else url.path + path
    head = f"{method} {target} HTTP/1.1\r\nHost: {host or url.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
    line.sendall(head.encode("latin-1") + body)
    return line


def answered(address: str, method: str, path: str, body: bytes = b"", host: str | None = None) -> tuple[int, bytes]:
    """Return the status and the body of an answer."""
    with asked(address, method, path, body, host) as line, line.makefile("rb") as answer:
        whole = answer.read()
    head, _, content = whole.partition(b"\r\n\r\n")
    return int(head.split()[1]), content
