"""A real server, in a process of its own to be killed and started again, or in this one where that will do."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

from kenyon.server import Limits, Settings, ready
from kenyon.server.serving import serving
from kenyon.wire import Address, FrameReader, Message, close_connections, decode, encode, exchange, frame
from tests.server.forked import Forked


class Running:
    """`kenyon serve`, from its first line on.

    Args:
        folder: Its state directory.
        *options: What else to tell it.
        port: TCP port; 0 takes a free one.
        prefix: A command to run it under; without, it is forked off a process that has imported all.

    Attributes:
        address: Where it listens.
        metrics_port: Where it shows health, if it does.
        lines: What it has printed.
        start_s: How long its last start took, s.
        ready_file: What it says that it listens in.
    """

    def __init__(self, folder: Path | str, *options: str, port: int = 0, prefix: Sequence[str] = ()) -> None:
        self._options = options
        self._folder = folder
        self._prefix = prefix
        self._port = port
        self.ready_file = Path(tempfile.gettempdir()) / f"kenyon-{uuid4().hex}.ready"
        self.start()

    def start(self) -> None:
        """Start it, on the port it has had before, and wait until it listens."""
        command = ["serve", "--state-dir", str(self._folder), *self._options]
        if "--unix" not in self._options:
            command += ["--port", str(self._port)]
        self.ready_file.unlink(missing_ok=True)  # It was perhaps killed.
        command += ["--ready-file", str(self.ready_file)]
        self.lines: list[str] = []
        began = time.monotonic()
        self.process: Forked | subprocess.Popen[str]
        if self._prefix:
            command = [*self._prefix, *KENYON, *command]
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
            )
        else:
            self.process = Forked(command)
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        found = ready.wait_for(self.ready_file, is_alive=lambda: self.process.poll() is None)
        if found is None:
            self.process.kill()
            self.process.wait(30)
            self._reading.join(10)
            raise NotStartedError(self.process.returncode or 0, self.lines)
        # What it has printed before it listened is here, too, as soon as the thread that reads it has its turn.
        wait_until(lambda: any("Try it: " in line for line in self.lines))
        self.start_s = time.monotonic() - began
        self._port, self.metrics_port = found.address.port, found.metrics_port
        # The number rather than the name, for "localhost" may stand for two addresses.
        self.address = found.address if found.address.unix_path is not None else Address("127.0.0.1", self._port)

    def _read(self) -> None:
        lines = self.lines
        assert self.process.stdout is not None
        with self.process.stdout as printed:
            for line in printed:
                lines.append(line.rstrip("\n"))

    def __enter__(self) -> "Running":  # noqa: PYI034  # Self is not in typing before Python 3.11
        """Be there already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind."""
        close_connections()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        self._reading.join(10)
        self.ready_file.unlink(missing_ok=True)

    def stop(self, word: int = signal.SIGTERM) -> int:
        """Tell it to stop; return its exit status."""
        self.process.send_signal(word)
        status = self.process.wait(90)
        self._reading.join(10)
        return status

    def kill(self) -> None:
        """Kill it as it stands."""
        self.process.kill()
        self.process.wait(30)
        self._reading.join(10)

    def ask(self, *messages: Message, timeout_s: float = 300.0) -> list[dict[str, Any]]:
        """Return the kwargs of the replies to messages, through our client; Brian2 may first have all to compile."""
        return [reply.kwargs for reply in exchange(self.address, messages, timeout_s=timeout_s)]

    @property
    def resident_kib(self) -> int:
        """How much memory it holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(status.split("VmRSS:")[1].split()[0])


class Here:
    """A server in this process, for what is no claim about processes.

    Args:
        folder: Its state directory.
        limits: How much it takes.
        **settings: What else to tell it.

    Attributes:
        address: Where it listens.
    """

    def __init__(self, folder: Path | str = ":memory:", limits: Limits | None = None, **settings: Any) -> None:
        self._told = Settings(
            state_dir=folder, limits=limits or Limits(), **{"port": 0, "host": "127.0.0.1", **settings}
        )
        self._serving = ExitStack()

    def __enter__(self) -> "Here":  # noqa: PYI034  # as above
        """Start it."""
        self.address = self._serving.enter_context(serving(self._told))
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        close_connections()
        self._serving.close()

    def ask(self, *messages: Message, timeout_s: float = 60.0) -> list[dict[str, Any]]:
        """Return the kwargs of the replies to messages, through our client."""
        return [reply.kwargs for reply in exchange(self.address, messages, timeout_s=timeout_s)]


class Connection:
    """A bare connection: frames out, frames in."""

    def __init__(self, address: Address) -> None:
        if address.unix_path is not None:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(address.unix_path)
        else:
            self.socket = socket.create_connection((address.host, address.port))
        self.socket.settimeout(60)
        self._reader = FrameReader()

    def send(self, *messages: Message) -> None:
        """Send one frame."""
        self.socket.sendall(frame(encode(messages)))

    def receive(self) -> list[Message]:
        """Return the next frame."""
        while (body := self._reader.next_frame()) is None:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionResetError
            self._reader.feed(data)
        return decode(body)

    def ask(self, *messages: Message) -> list[Message]:
        """Send one frame and return the next."""
        self.send(*messages)
        return self.receive()

    def __enter__(self) -> "Connection":  # noqa: PYI034  # as above
        """Be open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.socket.close()


KENYON = [sys.executable, "-c", "from kenyon.cli import main; main()"]
"""The command, wherever it is installed."""


class NotStartedError(Exception):
    """A server that ended before it listened: its exit status and what it printed."""

    def __init__(self, status: int, lines: list[str]) -> None:
        super().__init__(f"exit status {status}: " + "\n".join(lines))
        self.status = status
        self.lines = lines


def kenyon(*arguments: str, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, its output not a terminal."""
    return subprocess.run(
        [*KENYON, *arguments], capture_output=True, text=True, check=False, encoding="utf-8", timeout=timeout_s
    )


def step(sim_id: Any, model_id: Any, number: int, **changes: Any) -> Message:
    """Return a step as a client sends it: 20 ms of some odor, which differs from step to step."""
    odor = {"odor_id": number % 3, "odor_concentration": 0.1 + number % 7 / 5}
    if changes.keys() & {"odors", "odor_id", "concentration_mmol"}:
        odor = {}
    kwargs = {**odor, "T": 20, "warmup": 10, "step_id": number, "reward": number % 2, **changes}
    return Message(sim_id, model_id, number, kwargs)


def wait_until(is_so: Any, timeout_s: float = 30.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.02)


def ended(pid: int) -> bool:
    """Whether a process is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return False
    return True
