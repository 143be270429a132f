"""What clients send comes back, and into logs and terminals, as short lines that print; as data it stays what it is."""

import base64
import json
import logging
import re
import socket
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from kenyon import archive
from kenyon.cli.logs import set_up_logging
from kenyon.cli.sessions import _spelled
from kenyon.server.requests import _FIELDS
from kenyon.wire import Message
from kenyon.words import MOST_SAID
from tests.cli.running import run
from tests.cli.test_terminals import lines_of
from tests.server.running import Connection, Running, step

TEXTS = [
    "\x1b[2J\x1b]0;title\x07",
    "one\ntwo\r\u2028three\x85",
    "\u202eabc\u2066",
    "[red]x[/] [/]",
    "\x7f",
    "a" * 15_000,
]
LISTS: list[Any] = [[0] * 5000, ["\n"] * 1000, {"\x1b": "\u202e"}, [[[[]]]]]
VALUES: list[Any] = [*TEXTS, *LISTS, 10**600, -1, None, True, 1e300]
HUGE: list[Any] = [[0] * 300_000, "b" * 500_000]
"""Which take long to read: each field gets one of them."""
IDS: list[str | int] = [*(text[:100] for text in TEXTS), 7, "7"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that says a line for every request."""
    folder = tmp_path_factory.mktemp("words")
    with Running(folder / "larvae", "--log-level", "debug", "--metrics-port", "0") as running:
        yield running


def test_sentences_without_bound(server: Running) -> None:
    """Every field of every operation with hostile and huge values: short sentences that print, in replies and log."""
    began, huge = len(server.lines), cycle(HUGE)
    with Connection(server.address) as connection:
        for op, fields in _FIELDS.items():
            for name in (*fields, "op", "token", "\x1b]0;\n"):
                known = {"T": 10} if op == "step" else {"op": op}
                asked = [
                    Message(IDS[number % len(IDS)], number, 0, {**known, name: value})
                    for number, value in enumerate([*VALUES, next(huge)])
                ]
                for message in asked:  # one by one, for together they are larger than a frame
                    (reply,) = connection.ask(message)
                    assert reply.args in (message.args, (None, None, None))  # those where it is too long to be read
                    said = reply.kwargs.get("error", "")
                    assert said.isprintable()
                    assert len(said) <= MOST_SAID
    (refused,) = server.ask(step("run", 0, 0, probe=[0] * 349_000))
    assert refused["error"].isprintable()
    assert len(refused["error"]) <= MOST_SAID
    assert len(server.lines) > began + 100
    assert all(line.isprintable() and len(line) <= MOST_SAID for line in server.lines)


def test_the_header_of_a_snapshot_cannot_write_lines_into_the_log(server: Running) -> None:
    """Nor into the reply; whichever of its entries holds the text."""
    for text in TEXTS:
        for header in ({"parameters": text}, {"seeds": [text]}, {text: text}, {"kind": text}, {"format_version": text}):
            packed = base64.b64encode(archive.pack("snapshot", header, {})).decode()
            (refused,) = server.ask(Message("run", "loaded", 0, {"op": "load", "snapshot": packed}))
            assert refused["error_code"] == "snapshot"
            assert refused["error"].isprintable()
            assert len(refused["error"]) <= MOST_SAID
    assert all(line.isprintable() and len(line) <= MOST_SAID for line in server.lines)


def test_the_page_of_health_does_not_say_what_it_was_sent(server: Running) -> None:
    """Requests that are none are answered with the list of pages."""
    line = next(line for line in server.lines if line.startswith("Metrics"))
    port = int(re.findall(r":(\d+)/", line)[0])
    for path in ("/\x1b[31m", "/" + "a" * 10_000, "/\u202e", "nonsense \x1b[31m nonsense more", "\x1b[31m"):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
            sock.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            answer = b""
            while chunk := sock.recv(65_536):
                answer += chunk
        assert answer.endswith(b"this server has /metrics, /healthz and /readyz\n")
        assert b"\x1b" not in answer
        assert len(answer) < 1000


def test_sessions_print_ids_that_can_be_typed(tmp_path: Path) -> None:
    """Raw ids reach no terminal; as JSON they are the same values; `show` and `delete` take what `list` prints."""
    folder = tmp_path / "larvae"
    with Running(folder) as server:
        for sim_id in IDS:
            assert "error" not in server.ask(step(sim_id, IDS[0], 0))[0]
        server.stop()
    where = ("--state-dir", str(folder))
    lines_of(run(["sessions", "list", *where], tmp_path))
    listed = run(["sessions", "list", "--json", *where], tmp_path)
    lines_of(listed)
    ids = [row["sim_id"] for row in json.loads(listed.out)]
    assert sorted(ids, key=repr) == sorted(IDS, key=repr)
    for sim_id in ids:
        for command in (["show"], ["show", "--json"], ["export", "--out", str(tmp_path / "a.npz"), "--overwrite"]):
            done = run(["sessions", *command, *where, "--", _spelled(sim_id), _spelled(IDS[0])], tmp_path)
            assert done.status == 0, done.err
            lines_of(done)
        done = run(["sessions", "delete", "--yes", *where, "--", _spelled(sim_id)], tmp_path)
        assert (done.status, lines_of(done)[0]) == (0, "Forgot 1 larva")


@pytest.mark.parametrize("kind", ["lines", "json"])
def test_whoever_writes_a_record_it_is_a_line_that_prints(
    kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asyncio's and Python's warnings too; a traceback is set in, or within JSON, so that no line of it is a record."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(logging.getLogger("py.warnings"), "handlers", [])  # Brian2 has its own there
    monkeypatch.setattr(root, "level", root.level)
    set_up_logging("debug", kind)
    logging.captureWarnings(capture=False)
    capsys.readouterr()
    for text in TEXTS:
        for name in ("asyncio", "kenyon.server.connection", "py.warnings"):
            logging.getLogger(name).error("it broke: %s", text, exc_info=ValueError(text))
    for line in capsys.readouterr().err.splitlines():
        assert line.isprintable()
        if kind == "json":
            said = json.loads(line)
            assert said["message"].isprintable()
            assert len(said["message"]) <= MOST_SAID
            assert len(line) < 10 * MOST_SAID
        else:
            assert len(line) <= MOST_SAID + 4
            assert line.startswith("    ") or re.match(r"\d{4}-\d\d-\d\d .* ERROR it broke: ", line)
