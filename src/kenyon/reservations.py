"""A name is reserved before the work for it begins, and what was made takes its name only when all of it is whole.

Whoever writes `a.nc` and `a.png` into a folder has in it, for as long as the work takes:

    .kenyon-HOST-BOOT-RANDOM/         a folder of its own
        owner                         the names it reserves; locked by the operating system while the process lives
        new/                          where the files are made
    .a.nc.reserved/ and .a.png.reserved/    its reservations, in each nothing but the name of that folder

One wins: a reservation is made in one's own folder and renamed to its place, which fails where another lies.

Together: when all files are whole, `new` is renamed `whole`. That is the moment at which the run has happened; then
each file takes its name, the reservations go, and the own folder goes.

The dead: a folder whose lock is free is nobody's. The next that reserves a name beside it takes the lock, which again
only one can, and ends it: files in `whole` take their names, all else is removed. So a killed run has happened, or it
has not. After a loss of power this holds as far as the file system keeps the order of renames.

Other machines: locks do not reach across every network. So what was begun on another machine (another host name, and
another boot, for containers of one machine share that), by another user, or where there are no locks, is never taken
for dead. Its names are refused, in a sentence that says which folder to delete if its run is no more.
"""

import errno
import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from kenyon.errors import InputError, KenyonError, LockedError, StorageError
from kenyon.words import shown

_PATIENCE_S = 0.3
"""How long a reserved name is looked at again: somebody may be just ending the dead run that reserved it."""


@contextmanager
def reserved(
    folder: str | os.PathLike[str], *names: str, overwrite: bool = False, make: bool = False
) -> Iterator[Path]:
    """Reserve names in a folder, and give an empty one to make files in, which take their names together at the end.

    If the work within fails, nothing has changed. A name for which no file was made stays as it was.

    Args:
        folder: Where the files will lie.
        names: What they will be called. Without any, this is an empty folder that goes again, whatever happens.
        overwrite: Replace files that are there.
        make: Make the folder if it is not there; it goes again if nothing comes to lie in it.

    Raises:
        InputError: a file exists and `overwrite` is False, or the folder does not exist or cannot be written to.
        LockedError: somebody else is writing one of them.
        StorageError: the disk is full.

    Example:
        >>> folder = Path(tempfile.mkdtemp())
        >>> with reserved(folder, "a.txt", "b.txt") as new:
        ...     _ = (new / "a.txt").write_text("one"), (new / "b.txt").write_text("two")
        ...     assert not (folder / "a.txt").exists()
        >>> sorted(path.name for path in folder.iterdir())
        ['a.txt', 'b.txt']
    """
    where = Path(folder)
    with _full_disk_in_words(where), ExitStack() as stack:
        with _folder_in_words(where):
            run = _begin(where, names, stack, make=make)
            for other in where.glob(".kenyon-*"):
                with suppress(OSError):
                    _end_if_dead(other)
            for name in sorted(names):  # In one order, so that of two runs with common names one gets all.
                _reserve(run, name)
        _refuse_existing(run, overwrite=overwrite)
        yield run.own / "new"
        _refuse_existing(run, overwrite=overwrite)
        for name in names:
            if _holder(where / name) != run.own.name:
                raise LockedError(
                    f"{where / name} must be reserved until it is written, but its reservation was removed"
                )
        (run.own / "new").rename(run.own / "whole")


class _Run(NamedTuple):
    where: Path
    names: tuple[str, ...]
    own: Path


def _begin(where: Path, names: tuple[str, ...], stack: ExitStack, *, make: bool) -> _Run:
    """Make a folder of one's own; the stack ends it, and takes away what was made on the way there."""
    if make:
        for folder in reversed([folder for folder in (where, *where.parents) if not folder.exists()]):
            stack.callback(_remove_if_empty, folder)
    elif not where.is_dir():
        raise InputError(f"the folder of {where / names[0]} must exist, got none; make it first")
    for _ in range(100):  # Whoever ends dead runs may take this one for dead before it is locked.
        if make:
            where.mkdir(parents=True, exist_ok=True)
        own = Path(tempfile.mkdtemp(dir=where, prefix=f".kenyon-{_HOST}-{_BOOT}-"))
        lock = _locked(own, even_without_locks=True)
        if lock is not None:
            break
    else:
        raise InputError(f"{where} must be a folder that can be worked in, but what is made there is removed at once")
    stack.callback(_end, own, lock)
    os.write(lock, json.dumps({"names": names, "process": os.getpid(), "host": platform.node()}).encode())
    (own / "new").mkdir()
    return _Run(where, names, own)


def _reserve(run: _Run, name: str) -> None:
    """Reserve a name, from the dead if need be."""
    making, place = run.own / "reservation", _reservation_of(run.where / name)
    until = time.monotonic() + _PATIENCE_S
    while True:
        (making / run.own.name).mkdir(parents=True, exist_ok=True)
        try:
            making.rename(place)
        except OSError as reason:
            if reason.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        else:
            return
        theirs = run.where / (_holder(run.where / name) or "nobody")
        if theirs.exists():
            if not _end_if_dead(theirs) and (time.monotonic() > until or not _is_ours(theirs)):
                raise LockedError(_who_has(run.where / name, theirs))
            time.sleep(_PATIENCE_S / 10)
        elif theirs.name.startswith(".kenyon-"):  # Somebody has deleted that folder, as the sentence says.
            with suppress(OSError):
                place.rename(run.own / "deleted")
                shutil.rmtree(run.own / "deleted")
        elif time.monotonic() > until:
            raise LockedError(f"{place} must be a reservation of Kenyon's, got something else; delete it")


def _who_has(path: Path, theirs: Path) -> str:
    about = _about(theirs)
    who = f"process {about['process']} on {shown(about['host'])}" if about else "somebody else"
    remedy = f"wait for that or choose another name, or, if it runs no more, delete {theirs}"
    return f"{path} is being written by {who}; {remedy}"


def _refuse_existing(run: _Run, *, overwrite: bool) -> None:
    for path in (run.where / name for name in run.names):
        if path.is_dir():
            raise InputError(f"{path} must be a file, got a folder; choose another name")
        if path.exists() and not path.is_file():  # A pipe or a device, such as /dev/null, would be a file afterward.
            raise InputError(f"{path} must be a file, got a pipe or a device; choose another name")
        if os.path.lexists(path) and not overwrite:  # Also a link to what is not there.
            raise InputError(f"{path} exists already; give another name, or --overwrite (in Python overwrite=True)")


def _end_if_dead(own: Path) -> bool:
    """End a run whose process lives no more; return whether it is over."""
    if not _is_ours(own):
        return False
    lock = _locked(own)
    if lock is None:
        return not own.exists()
    _end(own, lock)
    return True


def _end(own: Path, lock: int) -> None:
    """Give the files of a run that has happened their names, remove all else of it, and let its lock go."""
    try:
        names = _about(own).get("names", [])
        for name in names:
            with suppress(FileNotFoundError):
                (own / "whole" / name).replace(own.parent / name)
        for name in names:
            with suppress(OSError):  # A name may be too long for a reservation; the folder goes nevertheless.
                if _holder(own.parent / name) == own.name:
                    _reservation_of(own.parent / name).rename(own / f"reservation of {name}")
        shutil.rmtree(own, ignore_errors=True)
    finally:
        os.close(lock)
    shutil.rmtree(own, ignore_errors=True)  # Once more, for not every system removes a file that is open.


def _about(own: Path) -> dict[str, Any]:
    """Return what a run says of itself; nothing if that cannot be read or makes no sense."""
    try:
        about = json.loads((own / "owner").read_text("utf-8"))
        if all(name == Path(name).name and b"\0" not in os.fsencode(name) for name in about["names"]):
            return {"names": about["names"], "process": about["process"], "host": about["host"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    return {}


def _reservation_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.reserved")


def _holder(path: Path) -> str | None:
    """Return the name of the folder of the run that has reserved a file; None if none has."""
    try:
        return next((entry.name for entry in _reservation_of(path).iterdir()), None)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _word(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _boot() -> str:
    """Return a word for this boot of the machine; where there is none, as many letters that are no such word."""
    try:
        return _word(Path("/proc/sys/kernel/random/boot_id").read_text("ascii"))
    except OSError:
        return "nowhere"


_HOST, _BOOT = _word(platform.node()), _boot()


def _is_ours(own: Path) -> bool:
    """Return whether a run was begun on this machine by this user, so that its lock says whether it lives."""
    _, host, boot, _ = (*own.name.split("-"), "", "", "")[:4]
    if host != _HOST and (boot != _BOOT or boot == "nowhere"):
        return False
    try:
        return not hasattr(os, "getuid") or own.stat().st_uid == os.getuid()
    except OSError:
        return False


def _locked(own: Path, *, even_without_locks: bool = False) -> int | None:
    """Return the open owner file of a run, locked; None if somebody else has it, or there is none, or no locks."""
    try:
        handle = os.open(own / "owner", os.O_RDWR | os.O_CREAT, 0o600)
    except (FileNotFoundError, PermissionError):
        return None
    try:
        _lock(handle)
        is_there = os.path.samestat(os.fstat(handle), (own / "owner").stat())
    except FileNotFoundError:
        is_there = False
    except OSError as reason:
        is_there = even_without_locks and reason.errno not in (errno.EACCES, errno.EAGAIN)
    if is_there:
        return handle
    os.close(handle)
    return None


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        os.lseek(handle, 2**20, os.SEEK_SET)  # Behind what is written there, for what is locked cannot be read.
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def _folder_in_words(folder: Path) -> Iterator[None]:
    try:
        yield
    except KenyonError:
        raise
    except OSError as reason:
        if reason.errno in _FULL:
            raise
        raise InputError(
            f"{folder} must be a folder that can be written to, got {reason.strerror}; give another"
        ) from reason


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)


@contextmanager
def _full_disk_in_words(folder: Path) -> Iterator[None]:
    try:
        yield
    except KenyonError:
        raise
    except OSError as reason:
        if reason.errno not in _FULL:
            raise
        for parent in folder.parents:
            if parent.name.startswith(".kenyon-"):  # The file was to become part of a run.
                folder = parent.parent
        raise StorageError(
            f"what belongs into {folder} could not be written: {reason.strerror}; nothing there has changed, "
            f"make room and try again"
        ) from reason
