"""One file format for what must be kept exactly: named arrays and a JSON header in an .npz file, never pickle."""

import io
import json
import lzma
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from kenyon.errors import FileFormatError, InputError
from kenyon.provenance import versions
from kenyon.words import shown

FORMAT_VERSION = 1
_HEADER = "header"

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

    Example:
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
    words = np.frombuffer(json.dumps(full, default=_plain).encode(), dtype=np.uint8)
    everything: dict[str, Any] = dict(**{_HEADER: words}, **arrays)
    stream = io.BytesIO()
    np.savez_compressed(stream, **everything)
    return stream.getvalue()


def load(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, Any], Arrays]:
    """Read a file that `save` wrote.

    Raises:
        FileFormatError: the file is truncated, foreign, of another kind or of a later format.
        FileNotFoundError: there is no such file.
    """
    return _with_header(path, read_npz(path), kind)


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


# What numpy and the archive beneath it raise on bytes that are no whole archive of arrays.
_UNREADABLE = (
    *(ValueError, TypeError, AttributeError, KeyError, OverflowError, MemoryError, RuntimeError, EOFError, OSError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)


def read_npz(path: str | os.PathLike[str]) -> Arrays:
    """Read every array of any .npz file, pickled objects refused.

    Raises:
        FileFormatError: the file is no .npz, truncated, or holds pickled objects.
        FileNotFoundError: there is no such file.
    """
    # Opened here, for numpy leaves a file open that turns out to be no archive.
    with Path(path).open("rb") as stream:
        return _read(path, stream, None)


def _read(path: str | os.PathLike[str], stream: IO[bytes], limit_bytes: int | None) -> Arrays:
    if not zipfile.is_zipfile(stream):
        raise FileFormatError(f"{path} must be a whole .npz archive, got something else or a part of one")
    try:
        if limit_bytes is not None:
            announced = sum(entry.file_size for entry in zipfile.ZipFile(stream).infolist())
            if announced > limit_bytes:
                raise ValueError(f"its arrays must be of at most {limit_bytes} bytes, got {announced}")
        stream.seek(0)
        file = np.load(stream, allow_pickle=False)
        return {name: file[name] for name in file.files}
    except _UNREADABLE as reason:
        words = "it holds pickled objects" if "pickle" in str(reason) else str(reason)
        raise FileFormatError(f"{path} must be a whole .npz archive of plain arrays: {words}") from None


def _plain(value: Any) -> Any:
    """Return a number of numpy as Python's own, which JSON can say."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is nothing that JSON can say")


@contextmanager
def replacing(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary file to write to, which takes the name `path` only once it is whole.

    Raises:
        InputError: `path` exists and `overwrite` is False, or its folder does not exist.

    Example:
        >>> target = Path(tempfile.mkdtemp()) / "a.txt"
        >>> with replacing(target) as temporary:
        ...     _ = temporary.write_text("whole")
        >>> target.read_text()
        'whole'
    """
    target = Path(path)
    refuse_existing(target, overwrite=overwrite)
    if not target.parent.is_dir():
        raise InputError(f"the folder of {target} must exist, got none; make it first")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
        temporary = Path(folder) / target.name
        yield temporary
        temporary.replace(target)


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Refuse to write over a file unless that was asked for.

    Raises:
        InputError: `path` exists and `overwrite` is False.
    """
    if path.is_dir():
        raise InputError(f"{path} must be a file, got a folder; choose another name")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already; choose another name or ask to overwrite it")
