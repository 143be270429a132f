"""Files that are there whole or not at all, on any file system, although the writer is killed or the disk is full."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from kenyon.errors import StorageError


def write(path: Path, content: bytes) -> None:
    """Write a file by another name, see it to the disk, and let it take its name; the folder is made if need be.

    Raises:
        StorageError: that could not be done; what lay there does so still.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "new" / "a.txt"
        >>> write(path, b"whole")
        >>> path.read_bytes()
        b'whole'
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_through(new, content)
            new.replace(path)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise
    except OSError as reason:
        raise StorageError(
            f"{path} must be written, but that could not be done: {reason.strerror or reason}; all that is stored "
            "stays, so make room and give the same call again"
        ) from reason


def write_through(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, and wait until it is on the disk."""
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
