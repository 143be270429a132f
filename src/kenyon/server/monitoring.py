"""Health over HTTP, on loopback: /metrics, /healthz and /readyz, from a thread of its own."""

import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec

from kenyon.errors import InputError, MissingDependencyError, installed_by
from kenyon.server.metrics import Gauges, Metrics, prometheus_text

_PATIENCE_S = 2.0
_PAGES = "this server has /metrics, /healthz and /readyz\n"


class Monitor:
    r"""Answers until it is closed.

    Args:
        port: Port on loopback; 0 takes a free one.
        metrics: What the server counts.
        gauges: Gives what is so at this moment.
        is_ready: Whether the server takes steps, asked with how long to wait, s.

    Attributes:
        port: The port it has.

    Raises:
        MissingDependencyError: prometheus-client is not installed.
        InputError: the port is taken.

    Example:
        >>> from urllib.request import urlopen
        >>> monitor = Monitor(0, Metrics(), dict, lambda _: True)
        >>> urlopen(f"http://127.0.0.1:{monitor.port}/readyz").read()
        b'ready\n'
        >>> monitor.close()
    """

    def __init__(self, port: int, metrics: Metrics, gauges: Gauges, is_ready: Callable[[float], bool]) -> None:
        if find_spec("prometheus_client") is None:
            raise MissingDependencyError(f"metrics need prometheus-client, got none; {installed_by('metrics')}")

        class Handler(BaseHTTPRequestHandler):
            timeout = 10.0

            def do_GET(self) -> None:  # the name that http.server calls
                if self.path == "/metrics":
                    self._answer(HTTPStatus.OK, *prometheus_text(metrics, gauges))
                elif self.path == "/healthz":
                    self._answer(HTTPStatus.OK, b"alive\n")
                elif self.path == "/readyz":
                    ready = is_ready(_PATIENCE_S)
                    status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
                    self._answer(status, b"ready\n" if ready else b"not ready\n")
                else:
                    self._answer(HTTPStatus.NOT_FOUND, _PAGES.encode())

            def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def send_error(self, code: int, _message: str | None = None, _explain: str | None = None) -> None:
                """Answer what is no request, without the words of whoever sent it."""
                self._answer(HTTPStatus(code), _PAGES.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing: a monitoring system asks all the time."""

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as reason:
            raise InputError(
                f"metrics_port must be free to listen on, got {port}: {reason.strerror}; choose another"
            ) from None
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="kenyon-monitor", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5.0)
