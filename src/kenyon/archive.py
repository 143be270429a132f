"""One file format for what must be kept exactly: named arrays and a JSON header in an .npz file, never pickle."""

import io
import json
import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import FileFormatError, InputError
from kenyon.provenance import versions
from kenyon.reservations import reserved
from kenyon.words import shown

FORMAT_VERSION = 1
_HEADER = "header"

LIMIT_BYTES = 2**32
"""Most bytes that a file on disk may unfold into, unless more is asked for: 450,000 larvae."""

Arrays = dict[str, NDArray[Any]]


def save(
    path: str | os.PathLike[str],
    kind: str,
    header: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    *,
    overwrite: bool = False,
) -> Path:
    """Write arrays and a header to one file, whole or not at all.

    Args:
        path: Where to; the folder must exist.
        kind: What the file holds, such as "snapshot"; `load` asks for the same word.
        header: Anything JSON can say. Format, kind and versions are added.
        arrays: Arrays of numbers by name.
        overwrite: Replace a file that is there.

    Raises:
        InputError: the file exists and `overwrite` is False, or an array holds objects.
        LockedError: somebody else is writing it.
        StorageError: the disk is full.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> file = save(folder / "a.npz", "example", {"seed": 1}, {"x": np.arange(3)})
        >>> header, arrays = load(file, "example")
        >>> header["seed"], arrays["x"].tolist()
        (1, [0, 1, 2])
    """
    words = pack(kind, header, arrays)
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(words)
    return Path(path)


def pack(kind: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the bytes of such a file.

    Raises:
        InputError: an array holds objects.

    Example:
        >>> header, arrays = unpack("it", pack("example", {"seed": 1}, {"x": np.arange(3)}), "example")
        >>> header["seed"]
        1
    """
    full = {"format": "kenyon", "format_version": FORMAT_VERSION, "kind": kind, "versions": versions(), **header}
    for name, values in arrays.items():
        # numpy 1 has no argument that forbids pickling here; it would keep one as an array of that name.
        if np.asarray(values).dtype.hasobject:
            raise InputError(f"array {shown(name)} must hold plain numbers to be saved, got objects")
    try:
        words = np.frombuffer(json.dumps(full, default=_plain).encode(), dtype=np.uint8)
    except (TypeError, ValueError, RecursionError) as reason:
        raise InputError(f"what a file says about itself must be what JSON can say: {reason}") from None
    everything: dict[str, Any] = dict(**{_HEADER: words}, **arrays)
    stream = io.BytesIO()
    np.savez_compressed(stream, **everything)
    return stream.getvalue()


def load(path: str | os.PathLike[str], kind: str, *, limit_bytes: int = LIMIT_BYTES) -> tuple[dict[str, Any], Arrays]:
    """Read a file that `save` wrote.

    Args:
        path: The file.
        kind: What it must hold.
        limit_bytes: Most bytes that its arrays may have, for a small file can announce many.

    Raises:
        FileFormatError: the file is truncated, foreign, of another kind, of a later format or too much.
        FileNotFoundError: there is no such file.
    """
    return _with_header(path, read_npz(path, limit_bytes=limit_bytes), kind)


def unpack(source: str, words: bytes, kind: str, *, limit_bytes: int = 2**24) -> tuple[dict[str, Any], Arrays]:
    """Read the bytes that `pack` gave.

    Args:
        source: Where they come from, for the message.
        words: The bytes.
        kind: What they must hold.
        limit_bytes: Most bytes that the arrays may have, for few bytes can announce many.

    Raises:
        FileFormatError: they are truncated, foreign, of another kind, of a later format or too much.
    """
    return _with_header(source, _read(source, io.BytesIO(words), limit_bytes), kind)


def load_header(path: str | os.PathLike[str], kind: str, *, limit_bytes: int = LIMIT_BYTES) -> dict[str, Any]:
    """Read what a file that `save` wrote says about itself, and none of its arrays.

    Raises:
        FileFormatError: as for `load`; what is wrong with the arrays alone is not found out.
        FileNotFoundError: there is no such file.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> load_header(save(folder / "a.npz", "example", {"seed": 1}, {"x": np.arange(3)}), "example")["seed"]
        1
    """
    with _opened(path) as stream:
        return _with_header(path, _read(path, stream, limit_bytes, f"{_HEADER}.npy"), kind)[0]


def _with_header(path: str | os.PathLike[str], arrays: Arrays, kind: str) -> tuple[dict[str, Any], Arrays]:
    try:
        header = json.loads(arrays.pop(_HEADER).tobytes())
        found = header["format"], header["kind"], header["format_version"]
        written_by = str(header["versions"]["kenyon"])
    except (KeyError, ValueError, TypeError, RecursionError):
        raise FileFormatError(f"{path} must be a file that Kenyon saved, but it has no readable header") from None
    if found[:2] != ("kenyon", kind):
        raise FileFormatError(f"{path} must hold a {kind}, got a {shown(found[1])} of {shown(found[0])}")
    if found[2] is True or found[2] != FORMAT_VERSION:
        raise FileFormatError(
            f"{path} must be of format version {FORMAT_VERSION}, got {shown(found[2])}; read it with kenyon "
            f"{written_by}"
        )
    return header, arrays


def read_npz(path: str | os.PathLike[str], *, limit_bytes: int = LIMIT_BYTES) -> Arrays:
    """Read every array of any .npz file, pickled objects refused.

    Raises:
        FileFormatError: the file is no .npz, cannot be read, is truncated, holds pickled objects, or too much.
        FileNotFoundError: there is no such file.
    """
    with _opened(path) as stream:
        return _read(path, stream, limit_bytes)


def _opened(path: str | os.PathLike[str]) -> IO[bytes]:
    try:
        return checks.path("file", path).open("rb")
    except FileNotFoundError:
        raise
    except OSError as reason:
        raise FileFormatError(f"{path} must be a file that can be read, got {reason.strerror}") from None


def _read(path: str | os.PathLike[str], stream: IO[bytes], limit_bytes: int, only: str | None = None) -> Arrays:
    """Return the arrays of a stream, or the one of an entry."""
    checks.integer("limit_bytes", limit_bytes, low=0)
    if not zipfile.is_zipfile(stream):
        raise FileFormatError(f"{path} must be a whole .npz archive, got something else or a part of one")
    try:
        with zipfile.ZipFile(stream) as file:
            entries = file.infolist()
            _refuse_too_much(entries, limit_bytes)
            return {
                entry.filename.removesuffix(".npy"): _array(entry.filename, _content(file, entry))
                for entry in entries
                if only in (None, entry.filename)
            }
    except Exception as reason:  # noqa: BLE001  # zipfile and numpy raise of every kind on bytes that are no archive
        raise FileFormatError(f"{path} must be a whole .npz archive of plain arrays: {reason}") from None


def _refuse_too_much(entries: list[zipfile.ZipInfo], limit_bytes: int) -> None:
    """Refuse what announces more than is asked for."""
    announced = sum(entry.file_size for entry in entries)
    if announced > limit_bytes:
        raise ValueError(
            f"its arrays must be of at most {limit_bytes} bytes, got {announced}; raise limit_bytes to read it"
        )


def _content(file: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return the bytes of an entry, unfolded no further than it announces."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # Others unfold as far as they like.
        raise ValueError(f"{shown(entry.filename)} is compressed as numpy never does")
    with file.open(entry) as stream:
        return stream.read(entry.file_size)


_NPY_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def _array(name: str, words: bytes) -> NDArray[Any]:
    """Return the array of an entry, if it is one that is as large as it says."""
    if not name.endswith(".npy"):
        raise ValueError(f"{shown(name)} is no array")
    stream = io.BytesIO(words)
    shape, fortran, dtype = _NPY_HEADERS[np.lib.format.read_magic(stream)](stream)
    if dtype.hasobject:
        raise ValueError(f"{shown(name)} holds pickled objects")
    begin = stream.tell()
    if math.prod(shape) * dtype.itemsize != len(words) - begin:
        raise ValueError(f"{shown(name)} does not hold as many numbers as it says")
    array: NDArray[Any] = np.ndarray(shape, dtype, words, begin, order="F" if fortran else "C")
    return array.copy(order="K")  # One that can be written to.


def _plain(value: Any) -> Any:
    """Return a number of numpy as Python's own, which JSON can say."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is nothing that JSON can say")


@contextmanager
def replacing(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary file to write to, which takes the name `path` only once it is whole.

    The name is reserved first, so the work that makes the file belongs into the `with` statement; see
    `kenyon.reservations`.

    Raises:
        InputError: `path` exists and `overwrite` is False, or its folder does not exist.
        LockedError: somebody else is writing it.
        StorageError: the disk is full.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "a.txt"
        >>> with replacing(target) as temporary:
        ...     _ = temporary.write_text("whole")
        >>> target.read_text()
        'whole'
    """
    target = checks.path("file", path)
    checks.boolean("overwrite", overwrite)
    with reserved(target.parent, target.name, overwrite=overwrite) as new:
        yield new / target.name
