"""One server at a time has a state directory.

Two locks are held: a file's, which every system knows, and, where the system can lock folders, that of the folder
itself, for a file can be deleted by hand while it is held.
"""

import contextlib
import os
from pathlib import Path

from filelock import FileLock, Timeout

from kenyon.errors import StorageError

try:
    import fcntl
except ImportError:  # Windows, where nobody can delete a file that is open.
    fcntl = None  # type: ignore[assignment]

_LOCK = "server.lock"


def lock_folder(folder: Path) -> contextlib.ExitStack:
    """Return the locks of a folder, to be closed.

    Raises:
        StorageError: another has them.
        OSError: the file cannot be made.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder, lock_folder(Path(folder)):
        ...     lock_folder(Path(folder))
        Traceback (most recent call last):
        ...
        kenyon.errors.StorageError: ... must belong to one server at a time, but another has it; ...
    """
    with contextlib.ExitStack() as held:
        lock = FileLock(str(folder / _LOCK), mode=0o600, thread_local=False)
        try:
            lock.acquire(blocking=False)
            held.callback(lock.release)
            if fcntl is not None:
                place = os.open(folder, os.O_RDONLY)
                held.callback(os.close, place)
                _lock_place(place)
                held.callback(_unlock_place, place)
        except (Timeout, BlockingIOError):
            raise StorageError(
                f"{folder} must belong to one server at a time, but another has it; stop that one or give another "
                "--state-dir"
            ) from None
        return held.pop_all()


def _lock_place(place: int) -> None:
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # A file system that cannot lock folders; there the file must do.
        pass


def _unlock_place(place: int) -> None:
    """Let go of it for forked children as well, which have the same lock, and would keep it as long as they live."""
    with contextlib.suppress(OSError):
        fcntl.flock(place, fcntl.LOCK_UN)
