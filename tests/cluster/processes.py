"""Commands as processes of their own, in a folder, as a user types them there."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


class Typed:
    """A command that runs, with all the processes that it starts.

    Args:
        command: As it is typed.
        folder: Where.

    Attributes:
        log: The file of what it says.
    """

    _number = 0

    def __init__(self, command: str, folder: Path) -> None:
        Typed._number += 1
        self.log = folder / f"said-{Typed._number}.txt"
        beside = Path(sys.executable).parent
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(
                shlex.split(command),
                cwd=folder,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env={**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"},
            )

    def __enter__(self) -> "Typed":  # noqa: PYI034  # Self is not in typing before Python 3.11
        """Run already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind."""
        self.kill()

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.log.read_text("utf-8", "replace")

    @property
    def runs(self) -> bool:
        """Whether it is not over."""
        return self._process.poll() is None

    def kill(self, word: int = signal.SIGKILL) -> None:
        """Kill it with all the processes that it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, word)
        self._process.wait(60)

    def status(self, timeout_s: float = 600.0) -> int:
        """Return its exit status, when it is over."""
        return self._process.wait(timeout_s)


def typed(command: str, folder: Path) -> tuple[int, str]:
    """Return the exit status of a command, and what it said."""
    with Typed(command, folder) as one:
        return one.status(), one.said


def wait_until(is_so: Callable[[], bool], timeout_s: float = 300.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.05)
