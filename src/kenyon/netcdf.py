"""Results in NetCDF files, with a checksum behind the last byte that NetCDF knows of.

HDF5, which lies beneath, answers damaged bytes and a full disk with a crash of the whole process. So it is let near
memory only: a file is made there and written as plain bytes, and read as plain bytes whose checksum is looked at first.
Other programs read such a file as any other; where one writes to it, the checksum goes, and the file is read without.
"""

import hashlib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kenyon import checks
from kenyon.archive import LIMIT_BYTES
from kenyon.errors import FileFormatError
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

_SIGN = b"\nkenyon sha256 "


def write(result: "xarray.Dataset", path: str | os.PathLike[str]) -> None:
    """Write a dataset to a file; see `archive.replacing` for a file that is there.

    Example:
        >>> import tempfile, xarray
        >>> file = Path(tempfile.mkdtemp()) / "a.nc"
        >>> write(xarray.Dataset({"x": ("n", [1.0, 2.0])}), file)
        >>> read(file).x.values.tolist()
        [1.0, 2.0]
    """
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    stream = io.BytesIO()
    with h5netcdf.File(stream, "w") as file:
        result.dump_to_store(H5NetCDFStore(file))
    words = stream.getvalue()
    Path(path).write_bytes(words + _checksum(words))


def read(path: str | os.PathLike[str], *, limit_bytes: int = LIMIT_BYTES) -> "xarray.Dataset":
    """Read any NetCDF file that HDF5 reads, into memory.

    Args:
        path: The file.
        limit_bytes: Most bytes that it or its variables may have, for a small file can announce many.

    Raises:
        FileFormatError: the file is truncated, damaged, foreign or too much.
        FileNotFoundError: there is no such file.
    """
    import xarray

    file_path = checks.path("file", path)
    checks.integer("limit_bytes", limit_bytes, low=0)
    try:
        words = _checked(file_path.read_bytes())
        _refuse_too_much(words, limit_bytes)
        with xarray.open_dataset(io.BytesIO(words), engine="h5netcdf") as file:
            result = file.load()
        _refuse_odd_attributes(result)
    except FileNotFoundError:
        raise
    except Exception as reason:  # noqa: BLE001  # xarray and HDF5 raise of every kind on bytes that are no such file
        raise FileFormatError(f"{path} must be a whole NetCDF file: {reason}") from None
    return result


def _checksum(words: bytes) -> bytes:
    return _SIGN + hashlib.sha256(words).hexdigest().encode() + b"\n"


def _checked(words: bytes) -> bytes:
    """Return bytes without their checksum, if they have one and it is right."""
    end = len(words) - len(_checksum(b""))
    if words[end : end + len(_SIGN)] != _SIGN:
        return words
    if _checksum(words[:end]) != words[end:]:
        raise ValueError("it is damaged, for its checksum is another")
    return words[:end]


def _refuse_too_much(words: bytes, limit_bytes: int) -> None:
    import h5py

    sizes = [len(words)]

    def look(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            sizes.append(item.size * item.dtype.itemsize)

    with h5py.File(io.BytesIO(words), "r") as file:
        file.visititems(look)
    announced = max(sizes[0], sum(sizes[1:]))
    if announced > limit_bytes:
        raise ValueError(
            f"its variables must be of at most {limit_bytes} bytes, got {announced}; raise limit_bytes to read it"
        )


def _refuse_odd_attributes(result: "xarray.Dataset") -> None:
    """Refuse attributes that are neither words nor a number, which nobody who reads one expects."""
    for of, attributes in {
        "the file": result.attrs,
        **{name: of.attrs for name, of in result.variables.items()},
    }.items():
        for name, value in attributes.items():
            if not isinstance(value, (str, int, float, np.number)):
                raise TypeError(f"attribute {shown(name)} of {shown(of)} must be words or a number, got {shown(value)}")
