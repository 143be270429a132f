"""Compiled code, kept between processes by numba, and looked at before it is used.

numba trusts the files of its cache: an empty one ends every program that meets it, another bit in one is machine code
that crashes. Here each file ends in its checksum, and code is handed over only if it was made for the very function,
types and processor that ask for it. What cannot be read is compiled anew and written again; what cannot be written is
compiled in each process. Either is said once, and says where the files lie.
"""

import hashlib
import io
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any

from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.runtime.nrt import rtsys

from kenyon.errors import CompiledCodeWarning

_ROOM_BYTES = 2**20
"""What there should be room for: a few times what the largest function takes."""


class CodeCache(FunctionCache):
    """What is kept of one function.

    Raises:
        RuntimeError: there is no folder to keep it in.
    """

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        # A function is compiled with all that it calls, some of which other files beside it have.
        stamp = self._impl.locator.get_source_stamp(), _stamps(Path(function.__code__.co_filename).parent)
        # Under a name of its own, for files that numba itself has kept end in no checksum.
        self._cache_file: _Files = _Files(self.cache_path, f"{self._impl.filename_base}.checked", stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return kept code for some types of arguments; None if there is none that can be used.

        numba first reads in all that it knows to compile, for a third of a second; code that is there needs its memory
        management alone.
        """
        try:
            rtsys.initialize(target_context)
            with self._guard_against_spurious_io_errors():
                return self._load_overload(sig, target_context)
        except Exception as reason:  # noqa: BLE001  # Whatever it is, the function can be compiled.
            _say(f"compiled code kept in {self.cache_path} cannot be used ({_word(reason)}), so it is compiled anew")
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep code, if that can be done."""
        try:
            super().save_overload(sig, data)
        except Exception as reason:  # noqa: BLE001  # as above
            _say(
                f"compiled code cannot be kept in {self.cache_path} ({_word(reason)}), so each process compiles for "
                f"itself; make room there, or set NUMBA_CACHE_DIR to a folder that can be written to"
            )

    def damaged(self) -> list[str]:
        """Return the names of the files that cannot be used."""
        return self._cache_file.damaged()


def hindrance(folder: str) -> str | None:
    """Return why nothing could be kept in a folder; None if something could.

    Example:
        >>> hindrance(tempfile.mkdtemp()) is None
        True
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_ROOM_BYTES))
    except OSError as reason:
        return _word(reason)
    return None


class _Files(IndexDataCacheFile):
    """The index and the code of one function; each file ends in its checksum, which numba does not read."""

    def load(self, key: Any) -> Any:
        found = super().load(key)
        if found is None:
            return None
        # An index can be newer than the code beside it, when a process was killed between writing the two.
        *made_for, code = found
        return code if made_for == [self._version, self._source_stamp, key] else None

    def save(self, key: Any, data: Any) -> None:
        super().save(key, (self._version, self._source_stamp, key, data))

    def damaged(self) -> list[str]:
        names = [Path(self._index_path).name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CompiledCodeWarning)
            names += self._load_index().values()
        return [name for name in names if Path(self._data_path(name)).exists() and not self._is_whole(name)]

    def _load_index(self) -> Any:
        name = Path(self._index_path).name
        if Path(self._index_path).exists() and not self._is_whole(name):
            self._say_damaged(name)
            return {}
        return super()._load_index()

    def _load_data(self, name: str) -> Any:
        if not self._is_whole(name):
            self._say_damaged(name)
            raise FileNotFoundError(name)
        return super()._load_data(name)

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[IO[bytes]]:
        stream = io.BytesIO()
        yield stream
        words = stream.getvalue()
        with super()._open_for_write(filepath) as file:
            file.write(words + hashlib.sha256(words).digest())

    def _is_whole(self, name: str) -> bool:
        try:
            words = Path(self._data_path(name)).read_bytes()
        except OSError:
            return False
        size = hashlib.sha256().digest_size
        return len(words) > size and hashlib.sha256(words[:-size]).digest() == words[-size:]

    def _say_damaged(self, name: str) -> None:
        if Path(self._data_path(name)).exists():
            _say(f"compiled code kept in {self._cache_path} is damaged or not readable, so it is compiled anew")


@cache
def _stamps(folder: Path) -> tuple[tuple[str, float, int], ...]:
    """Return what tells whether a source file of a folder has changed."""
    files = sorted(folder.glob("*.py"))
    return tuple((file.name, file.stat().st_mtime, file.stat().st_size) for file in files)


@cache  # Once: numba lets Python forget which warnings it has shown.
def _say(sentence: str) -> None:
    warnings.warn(sentence, CompiledCodeWarning, stacklevel=2)


def _word(reason: Exception) -> str:
    return str(getattr(reason, "strerror", None) or type(reason).__name__)
