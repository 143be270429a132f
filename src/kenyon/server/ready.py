"""The file by which a server tells other processes that it listens, and where: one line of JSON.

It is there from the moment the server listens until it stops, always whole, and its name is reserved as long. A killed
server leaves it behind; its `pid` then names no process.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from kenyon.reservations import reserved
from kenyon.wire import Address

_LOOK_EVERY_S = 0.02


class Ready(NamedTuple):
    """What the file says.

    Attributes:
        pid: The server's process.
        address: Where it listens.
        metrics_port: The port of its metrics, if it has one.
    """

    pid: int
    address: Address
    metrics_port: int | None


@contextmanager
def held(path: str | os.PathLike[str]) -> Iterator[Callable[[Ready], None]]:
    """Reserve the name of such a file; give a function that has it say that a server listens, until the statement ends.

    Raises:
        LockedError: another server has the name.
        InputError, StorageError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "ready"
        >>> with held(path) as announce:
        ...     announce(Ready(1234, Address(port=5800), None))
        ...     print(path.read_text(), read(path) == Ready(1234, Address(port=5800), None))
        {"pid": 1234, "host": "localhost", "port": 5800, "unix_path": null, "tls_ca": null, "metrics_port": null} True
        >>> read(path) is None
        True
    """
    target = Path(path)
    with reserved(target.parent, target.name, overwrite=True) as new:
        target.unlink(missing_ok=True)  # One that was killed may have left it.

        def announce(ready: Ready) -> None:
            words = json.dumps({"pid": ready.pid, **asdict(ready.address), "metrics_port": ready.metrics_port})
            (new / target.name).write_text(words, "utf-8")
            (new / target.name).replace(target)

        try:
            yield announce
        finally:
            target.unlink(missing_ok=True)


def wait_for(
    path: str | os.PathLike[str], *, is_alive: Callable[[], bool] = lambda: True, timeout_s: float = 120.0
) -> Ready | None:
    """Return what a server writes once it listens, or None if it ended before, or needs longer.

    Args:
        path: The file, which `kenyon serve --ready-file` was given.
        is_alive: Whether its process is there.
        timeout_s: Longest time to wait, s.

    Example:
        >>> wait_for("/no such file", timeout_s=0.1) is None
        True
    """
    until = time.monotonic() + timeout_s
    while (said := read(path)) is None and is_alive() and time.monotonic() < until:
        time.sleep(_LOOK_EVERY_S)
    return said


def read(path: str | os.PathLike[str]) -> Ready | None:
    """Return what a server has written, or None while none has."""
    try:
        said = json.loads(Path(path).read_text("utf-8"))
    except FileNotFoundError:
        return None
    pid, metrics_port = said.pop("pid"), said.pop("metrics_port")
    return Ready(pid, Address(**said), metrics_port)
