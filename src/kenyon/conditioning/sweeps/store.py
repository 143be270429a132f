"""A folder with the results of many points, for any number of sweeps and of processes that write at once.

Results come in parts: files `points-HASH.npz` that are never changed. A part is written under a name of its own
(`.points-RANDOM.writing`), and takes the name that its contents give it once it is whole and on the disk. So there is
nothing to lock, which network file systems do badly: who writes the same twice writes one file, who is killed leaves a
file that nobody reads, and what cannot be read concerns the points in it alone. Two parts may hold the same point.
"""

import hashlib
import os
import re
import secrets
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kenyon import checks
from kenyon.conditioning.sweeps import parts
from kenyon.conditioning.sweeps.parts import Batch, Contents
from kenyon.conditioning.sweeps.writing import write_through
from kenyon.errors import DamagedPartWarning, FileFormatError, InputError, MismatchError, StorageError
from kenyon.words import clean, shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

_PART: Final = re.compile(r"points-[0-9a-f]{32}\.npz")
_DEAD_AFTER_S: Final = 24 * 3600
"""Nobody writes a part for so long."""

Read = TypeVar("Read")


class Store:
    """A folder with the results of points, by the ids of their runs.

    Args:
        folder: Where; it is made with the first results.

    Raises:
        InputError: `folder` is no path.

    Example:
        >>> import tempfile
        >>> from kenyon.conditioning import paradigm, run
        >>> short = paradigm("naive", trials=1, stimulus_s=1, pause_s=0, test_s=0.5)
        >>> result = run(short, larvae=2, show_progress=False).one
        >>> store = Store(tempfile.mkdtemp())
        >>> store.add({result.run_id.item(): result})
        >>> store.get(result.run_id.item()).identical(result)
        True
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder: Final = checks.path("folder", folder)
        self._known: dict[str, Contents] = {}
        self._unreadable: set[str] = set()
        self._part_of: dict[str, str] = {}
        self._differing: dict[str, tuple[str, str]] = {}
        self._tidy = False

    def __repr__(self) -> str:
        """Say where it is."""
        return f"<store {shown(str(self.folder))}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Say of what a copy is made: it looks for itself."""
        return type(self), (self.folder,)

    def ids(self) -> set[str]:
        """Return which points are there by now; parts that were seen before are not opened again.

        Warns:
            DamagedPartWarning: a part cannot be read; its points are not among them.

        Raises:
            StorageError: the folder cannot be read.
        """
        self._look()
        return set(self._part_of)

    def diverged(self, ids: Iterable[str]) -> set[str]:
        """Return the points of which a larva diverged, among those that are asked for and were there when last looked.

        Raises:
            InputError: `ids` are no ids.
        """
        return {own for own in _ids(ids) if own in self._part_of and own in self._known[self._part_of[own]].diverged}

    def add(self, results: Mapping[str, "xarray.Dataset"]) -> None:
        """Keep the results of some points in one part, whole or not at all; who looks after this returns finds them.

        Args:
            results: What `run` returned of each, by the `run_id` that it states.

        Raises:
            InputError: something is no result of a whole run, or that of another one, or the folder cannot be made.
            StorageError: the disk is full, or the folder cannot be written to; nothing has changed.
        """
        if not isinstance(results, Mapping):
            raise InputError(f"results must be datasets by the ids of their runs, got {shown(results)}")
        if results:
            self._write(parts.pack(results))

    def get(self, run_id: str) -> "xarray.Dataset":
        """Return the result of one point, as `run` gave it.

        Raises:
            InputError: it is not there.
            MismatchError: two parts hold other numbers of it.
            StorageError: the folder cannot be read.
        """
        found = self.read([checks.label("run id", run_id)])
        if not found:
            raise InputError(f"run {shown(run_id)} must be in {self.folder}, but it is not; ids() says which are")
        return found[run_id]

    def read(self, ids: Iterable[str]) -> dict[str, "xarray.Dataset"]:
        """Return the results of points by their ids, each as `run` gave it; those that are not there are left out.

        Warns:
            DamagedPartWarning: a part cannot be read; its points are left out, unless another part holds them.

        Raises:
            InputError: `ids` are no ids.
            MismatchError: two parts hold other numbers of one point.
            StorageError: the folder cannot be read.
        """
        return {own: batch.result(own) for batch, wanted in self.batches(ids) for own in wanted}

    def batches(self, ids: Iterable[str]) -> Iterator[tuple[Batch, list[str]]]:
        """Give the batches that hold some points, each with those of them that are to be taken from it.

        Raises:
            InputError: `ids` are no ids.
            MismatchError: two parts hold other numbers of one point.
            StorageError: the folder cannot be read.
        """
        return self._batches_of(set(_ids(ids)))

    def _batches_of(self, left: set[str]) -> Iterator[tuple[Batch, list[str]]]:
        while True:
            self._look()
            self._check_alike(left)
            wanted: dict[str, set[str]] = defaultdict(set)
            for own in left & self._part_of.keys():
                wanted[self._part_of[own]].add(own)
            if not wanted:
                return
            for name, own_ids in sorted(wanted.items()):  # What has vanished meanwhile may be in another part.
                for batch in self._batches(name):
                    yield batch, [own for own in batch.ids if own in own_ids]
                    left -= set(batch.ids)

    def _look(self) -> None:
        """Learn of parts that have come, and forget those that have gone."""
        there = self._listed()
        self._unreadable &= there
        self._forget(self._known.keys() - there)
        for name in sorted(there - self._known.keys() - self._unreadable):
            found = self._readable(name, parts.contents)
            if found is not None:
                self._learn(name, found)

    def _listed(self) -> set[str]:
        try:
            with os.scandir(self.folder) as entries:
                return {entry.name for entry in entries if _PART.fullmatch(entry.name)}
        except FileNotFoundError:
            return set()
        except OSError as reason:
            raise StorageError(f"{self.folder} must be a folder that can be read, got {reason.strerror}") from None

    def _learn(self, name: str, found: Contents) -> None:
        self._known[name] = found
        for own, digits in found.numbers.items():
            first = self._part_of.setdefault(own, name)
            if self._known[first].numbers[own] != digits:
                self._differing[own] = first, name

    def _forget(self, names: Iterable[str]) -> None:
        gone = set(names)
        if gone:
            known = self._known
            self._known, self._part_of, self._differing = {}, {}, {}
            for name in known.keys() - gone:
                self._learn(name, known[name])

    def _batches(self, name: str) -> list[Batch]:
        found = self._readable(name, lambda path: parts.unpack(str(path), path.read_bytes()))
        if found is None:
            self._forget([name])
        return found or []

    def _readable(self, name: str, read: Callable[[Path], Read]) -> Read | None:
        """Return what a part gives; None, with a warning unless it has just gone, where it cannot be read."""
        path = self.folder / name
        try:
            return read(path)
        except (FileFormatError, OSError) as reason:
            self._unreadable.add(name)
            if path.exists():
                warnings.warn(
                    f"{clean(str(reason))}; its points count as not computed, so delete it and go on",
                    DamagedPartWarning,
                    stacklevel=2,
                )
        return None

    def _check_alike(self, ids: set[str]) -> None:
        """Refuse points of which two parts have other numbers."""
        for own in sorted(self._differing.keys() & ids):
            both = " and ".join(str(self.folder / name) for name in sorted(self._differing[own]))
            raise MismatchError(
                f"{both} must hold the same numbers of run {own}, got others; delete the wrong one, and what is then "
                f"missing is computed again"
            )

    def _write(self, words: bytes) -> None:
        begun = self.folder / f".points-{secrets.token_hex(8)}.writing"
        with _in_words(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                write_through(begun, words)
                self._remove_dead(begun.stat().st_mtime)
                begun.replace(self.folder / f"points-{hashlib.sha256(words).hexdigest()[:32]}.npz")
            finally:
                begun.unlink(missing_ok=True)
            _sync_folder(self.folder)

    def _remove_dead(self, now_s: float) -> None:
        """Remove, once, what killed processes have left; `now_s` is the file system's, which may have another clock."""
        if not self._tidy:
            self._tidy = True
            for path in self.folder.glob(".points-*.writing"):
                with suppress(OSError):
                    if path.stat().st_mtime < now_s - _DEAD_AFTER_S:
                        path.unlink()


def _ids(ids: Iterable[str]) -> list[str]:
    """Return ids, be they a sequence, a set or the keys of a mapping."""
    known = list(ids) if isinstance(ids, (AbstractSet, Mapping)) else checks.several("ids", ids)
    for own in known:
        checks.label("run id", own)
    return known


def _sync_folder(folder: Path) -> None:
    """Wait until a name is on the disk, where the system can say."""
    with suppress(OSError):  # Windows opens no folder, and not every file system waits for one.
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _in_words(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as reason:
        raise StorageError(
            f"results could not be written to {folder}: {reason.strerror}; nothing there has changed, make room or "
            f"give another folder, and try again"
        ) from reason
