"""Commands in processes of their own, each a fork of one that has imported all and loaded the compiled code.

A new interpreter takes a second of processor time until Kenyon is there, a fork a few milliseconds.
"""

import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection

from kenyon.cli import main

_PREPARED = get_context("forkserver")
_PREPARED.set_forkserver_preload(["tests.server.preparing"])


class Forked:
    """The command in a fork, with the methods of `subprocess.Popen` that its users call.

    Args:
        arguments: Its arguments.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        reading, writing = Pipe(duplex=False)
        self._process = _PREPARED.Process(target=_run, args=(writing, [*arguments]))
        self._process.start()
        writing.close()
        self.stdout = os.fdopen(os.dup(reading.fileno()), encoding="utf-8")
        reading.close()

    @property
    def pid(self) -> int:
        """Its process."""
        return int(self._process.pid or 0)

    @property
    def returncode(self) -> int | None:
        """Its exit status, or the negative number of the signal that ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return its exit status, None while it runs."""
        return self._process.exitcode

    def send_signal(self, word: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, word)

    def kill(self) -> None:
        """Kill it as it stands."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float) -> int:
        """Return its exit status when it has ended."""
        self._process.join(timeout)
        assert self.returncode is not None, f"still there after {timeout} s"
        return self.returncode


def _run(output: Connection, arguments: list[str]) -> None:
    for stream in (1, 2):
        os.dup2(output.fileno(), stream)
    output.close()
    # Those that there are know what the first process wrote to.
    sys.stdout, sys.stderr = os.fdopen(1, "w", encoding="utf-8"), os.fdopen(2, "w", encoding="utf-8")
    main(arguments, prog_name="kenyon")
