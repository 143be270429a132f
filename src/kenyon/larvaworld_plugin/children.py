"""Work that the host sends to other processes, which know nothing of what was registered in this one.

A batch run that travels to a worker process takes the registration along: it arrives as a batch run that registers
around each simulation. A run in a process of its own is started through `kenyon.larvaworld_plugin.external`, which
registers first. Where Kenyon is not installed on the other side, neither can begin: it ends with an error.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

Enter = Callable[[dict[str, Any]], AbstractContextManager[Any]]
"""Registers what is given as plain data, for the time of a `with` statement; it must be a function of a module."""


def take_along(settings: Any, enter: Enter) -> list[Callable[[], None]]:
    """Let work that leaves this process register elsewhere as it did here; return what takes this back.

    Args:
        settings: A dataclass that JSON can say.
        enter: What registers them there.
    """
    from larvaworld.lib.sim.batch_run import BatchRun
    from larvaworld.lib.sim.subprocess_run import Exec

    plain = asdict(settings)

    def depart(batch: Any, _protocol: int) -> tuple[Any, ...]:
        # Protocol 2 makes an object anew by its class, and then fills it.
        _, arguments, *rest = tuple(object.__reduce_ex__(batch, 2))
        return (_arrive, (enter, plain, *arguments), *rest)

    stay = Exec.run

    def run(execution: Any, **kwargs: Any) -> None:
        if execution.run_externally:
            execution.process = _start(plain, execution, **kwargs)
        else:
            stay(execution, **kwargs)

    BatchRun.__reduce_ex__ = depart
    Exec.run = run

    def undo() -> None:
        del BatchRun.__reduce_ex__
        Exec.run = stay

    return [undo]


def _arrive(enter: Enter, plain: dict[str, Any], kind: type, *arguments: Any) -> Any:
    """Return an empty batch run, in another process, that registers around each of its simulations."""

    class Registering(kind):  # type: ignore[misc]  # whatever class of batch runs it was
        def _single_sim(self, run_id: Any) -> Any:
            with enter(plain):
                return super()._single_sim(run_id)

    return Registering.__new__(Registering, *arguments)


def _start(plain: dict[str, Any], execution: Any, **kwargs: Any) -> "subprocess.Popen[Any]":
    """Start a run in a process of its own; the file that tells it what to do is deleted there."""
    from larvaworld.lib import util

    handle, path = tempfile.mkstemp(prefix="kenyon-", suffix=".txt")
    os.close(handle)
    util.save_dict(execution.conf, path)
    command = [sys.executable, "-m", "kenyon.larvaworld_plugin.external", json.dumps(plain), execution.mode, path]
    return subprocess.Popen(command, **kwargs)  # noqa: S603  # our own module
