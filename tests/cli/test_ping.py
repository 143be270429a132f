"""What any server may answer to `kenyon ping`: lines that print, or one sentence."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kenyon.wire import FrameReader, Message, close_connections, decode, encode, frame
from tests.cli.running import run
from tests.cli.test_terminals import HOSTILE, lines_of

TRUE = {"kenyon": "1", "engine": "kernel", "parameters": "p", "larvae": 1, "odors": ["a"], "concentration_scale": 1.0}


@contextmanager
def answering(kwargs: dict[str, Any]) -> Iterator[int]:
    """Answer every message with the same kwargs; give the port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            reader = FrameReader()
            while data := self.request.recv(65_536):
                reader.feed(data)
                while (body := reader.next_frame()) is not None:
                    self.request.sendall(frame(encode([Message(*one.args, kwargs) for one in decode(body)])))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        close_connections()
        server.shutdown()


@pytest.mark.parametrize("name", [*TRUE, "error", "\x1b[31m"])
def test_what_a_server_answers_cannot_write_to_the_terminal(name: str, tmp_path: Path) -> None:
    """Each field in turn, of any text or type; refusals and names of fields too."""
    texts = [text for key, text in HOSTILE.items() if key != "no text"]  # which JSON cannot say
    values: list[Any] = [*texts, None, 5, [1, 2], {"a": []}, True]
    for value in values:
        with answering({**TRUE, name: value}) as port:
            for form in ([], ["--json"]):
                done = run(["ping", "--host", "127.0.0.1", "--port", str(port), "--count", "1", *form], tmp_path)
                assert done.status in (0, 1)
                if not form or done.status == 1:
                    lines_of(done)


def test_another_server_is_told_from_one_of_kenyon(tmp_path: Path) -> None:
    """By what it answers, in a sentence."""
    for kwargs in ({"MBONp": 60.0}, {**TRUE, "odors": 5}, {**TRUE, "concentration_scale": "x"}):
        with answering(kwargs) as port:
            done = run(["ping", "--host", "127.0.0.1", "--port", str(port), "--count", "1"], tmp_path)
        assert done.status == 1
        assert b"must be a server of Kenyon, got another" in done.err
