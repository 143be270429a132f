"""A server within a program, and one that says in a file that it listens."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kenyon.errors import InputError, NoAnswerError
from kenyon.server import Settings, ready
from kenyon.server.service import Service
from kenyon.server.serving import serving
from kenyon.wire import exchange
from tests.server.running import Connection, Running, kenyon, step


@pytest.mark.parametrize("nonsense", [5795, "localhost", None, {"port": 0}])
def test_what_are_no_settings_and_no_address_is_refused_in_a_sentence(nonsense: Any) -> None:
    """As a beginner would give them."""
    with pytest.raises(InputError, match=r"settings must be a Settings, got .*; pass such as"), serving(nonsense):
        pass
    with pytest.raises(InputError, match=r"address must be a Address, got .*; pass such as"):
        exchange(nonsense, [step("run", 0, 0)])


def test_a_server_within_a_program_lasts_as_long_as_the_with_statement(tmp_path: Path) -> None:
    """It keeps its larvae as any does; whatever ends the statement ends it, and the next one goes on."""
    settings = Settings(port=0, state_dir=tmp_path)

    def fail() -> None:
        with serving(settings) as address:
            raise LookupError(address, exchange(address, [step("run", 0, 0)]))

    with pytest.raises(LookupError) as caught:
        fail()
    address, (first,) = caught.value.args
    assert "MBONp" in first.kwargs
    with pytest.raises(NoAnswerError):
        exchange(address, [step("run", 0, 1)], timeout_s=0.1)
    with serving(settings) as address:
        assert "MBONp" in exchange(address, [step("run", 0, 1)])[0].kwargs


def test_two_servers_within_a_program_are_two() -> None:
    """Each with larvae of its own, and the same numbers for the same seeds."""
    with serving(Settings(port=0)) as one, serving(Settings(port=0)) as other:
        assert exchange(one, [step("run", 0, 0)]) == exchange(other, [step("run", 0, 0)])
        assert exchange(one, [step("run", 0, 1)])[0].kwargs.keys() >= {"MBONp"}
        assert exchange(other, [step("run", 0, 2)])[0].kwargs["expected_step"] == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
def test_a_fork_that_outlives_its_server_does_not_keep_the_folder(tmp_path: Path) -> None:
    """Such as the pool of a program that starts a server, stops it, and starts the next."""
    program = f"""
import os, signal
from kenyon.server import Settings
from kenyon.server.serving import serving
settings = Settings(port=0, state_dir={str(tmp_path)!r})
with serving(settings):
    child = os.fork()
    if child == 0:
        signal.pause()
try:
    with serving(settings):
        print("again")
finally:
    os.kill(child, signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "again\n", done.stderr


def test_a_server_that_cannot_start_says_so_where_it_was_asked_for(tmp_path: Path) -> None:
    """In the thread of whoever wrote the with statement, and in the event loop likewise."""
    (tmp_path / "file").write_text("precious")
    settings = Settings(unix_path=str(tmp_path / "file"))
    with pytest.raises(InputError, match="got the file"), serving(settings):
        pass

    async def start() -> None:
        async with Service(settings):
            pass

    with pytest.raises(InputError, match="got the file"):
        asyncio.run(start())


def test_the_ready_file_is_there_while_the_server_listens(tmp_path: Path) -> None:
    """Whole, with where it listens, as a user starts it; a killed server leaves it, and the next one replaces it."""
    with Running(tmp_path, "--metrics-port", "0", prefix=["env"]) as server:
        said = ready.read(server.ready_file)
        assert said is not None
        assert json.loads(server.ready_file.read_text())["port"] == server.address.port
        assert (said.pid, said.address.port) == (server.process.pid, server.address.port)
        assert said.metrics_port == server.metrics_port
        server.kill()
        assert ready.read(server.ready_file) == said
        with pytest.raises(ConnectionRefusedError):
            Connection(server.address)
        server.start()
        assert ready.read(server.ready_file) == said._replace(pid=server.process.pid, metrics_port=server.metrics_port)
        assert server.stop() == 0
        assert ready.read(server.ready_file) is None


def test_a_ready_file_that_cannot_be_written_ends_the_server_in_one_sentence(tmp_path: Path) -> None:
    """It could not say that it listens."""
    refused = kenyon("serve", "--port", "0", "--state-dir", ":memory:", "--ready-file", str(tmp_path / "none" / "file"))
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "must exist, got none" in refused.stderr
