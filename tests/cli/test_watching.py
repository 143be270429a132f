"""`--watch` on commands, each in a process of its own, with a browser that reads and draws nothing."""

import os
import pty
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.cli.running import run
from tests.live.reading import Browser
from tests.server.forked import Forked
from tests.server.running import Running

KENYON = [sys.executable, "-c", "from kenyon.cli import main; main()"]
TRAIN = ["train", "A+ 2s, ?A", "A 2s, ?A", "--larvae", "2", "--watch"]


def _address(line: str) -> str:
    found = re.match(r"Watch it: (http://127\.0\.0\.1:\d+/[\w-]{20,}/)\s*$", line)
    assert found is not None, line
    return found[1]


def test_an_experiment_is_watched_and_its_results_are_what_they_are(tmp_path: Path) -> None:
    """The address is the first thing that is said; the command ends by itself where nobody sits at a terminal."""
    running = Forked([*TRAIN, "--out", str(tmp_path / "out")])
    browser = Browser(_address(running.stdout.readline()))
    printed = running.stdout.read()
    assert running.wait(60) == 0
    messages = browser.end()
    running.stdout.close()
    assert "Above 0 the odor attracts" in printed
    assert messages[0]["kind"] == "begun"
    assert messages[-1] == {**messages[-1], "kind": "ended", "complete": True}
    assert messages[0]["groups"] == ["larvae (1)", "larvae (1)", "larvae (2)", "larvae (2)"]
    assert len(list((tmp_path / "out").glob("*.nc"))) == 2


def test_at_a_terminal_the_page_is_there_until_ctrl_c(tmp_path: Path) -> None:
    """For whoever has yet to open it; the results are there before."""
    main, terminal = pty.openpty()
    command = [*KENYON, *TRAIN, "--no-browser", "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=terminal, cwd=tmp_path) as running:
        os.close(terminal)
        said = ""
        with os.fdopen(main, encoding="utf-8", errors="replace") as lines, suppress(OSError):
            for line in lines:
                said += line
                if "until Ctrl-C" in line:
                    browser = Browser(_address(re.findall(r"Watch it: \S+", said)[0]))
                    assert browser.wait_for("ended")["complete"]
                    running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0
    browser.end()
    assert len(list((tmp_path / "out").glob("*.nc"))) == 2


def test_a_port_in_use_is_one_sentence_before_anything_is_run(tmp_path: Path) -> None:
    """Status 2, and no results."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run([*TRAIN, "--watch-port", port, "--out", str(tmp_path / "results")], tmp_path)
    assert done.status == 2
    assert re.fullmatch(
        rf"Error: port of a page must be free to listen on, got {port}: .*; choose .*\n", done.err.decode()
    )
    assert not (tmp_path / "results").exists()


def test_a_server_shows_the_larvae_that_it_serves() -> None:
    """From the moment it listens; when it stops, the page says so."""
    from kenyon.wire import Message

    with Running(":memory:", "--watch") as server:
        browser = Browser(_address(next(line for line in server.lines if line.startswith("Watch it"))))
        for step in range(3):
            server.ask(Message("run", "Anna", step, {"odors": {"anisole": 1.0}, "T": 100}))
        assert browser.wait_for("joined")["larvae"] == ["Anna"]
        assert server.stop() == 0
    messages = browser.end()
    assert [message["kind"] for message in messages][:3] == ["begun", "joined", "frame"]
    assert messages[-1]["kind"] == "ended"
