"""How larvae lie in the file of a journal: its tables, its checksums, and what the disk says in our words.

Whatever would be missed without a trace is there twice, in pages of its own: whose a life is stands in `lives` and once
more in `names`; which inputs a life has stands in `inputs` and once more in `commits`, a row for all that come into the
file together. So what is missing is missed, and it is known whose it was.
"""

import json
import sqlite3
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from kenyon.errors import LockedError, StorageError
from kenyon.server.settings import MEMORY

FILE = "larvae.sqlite"
FORMAT = 2

TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE lives (
    id INTEGER PRIMARY KEY,
    since INTEGER,
    ids TEXT,
    seed TEXT,
    base_seed INTEGER,
    birth_checksum INTEGER,
    larva_step INTEGER,
    request TEXT,
    reply TEXT,
    at REAL,
    larva_checksum INTEGER,
    larva BLOB
);
CREATE TABLE names (id INTEGER PRIMARY KEY, ids TEXT);
CREATE TABLE inputs (
    id INTEGER PRIMARY KEY,
    life INTEGER,
    request TEXT,
    reply TEXT,
    at REAL,
    checksum INTEGER
);
CREATE TABLE commits (id INTEGER PRIMARY KEY, lives TEXT, checksum INTEGER);
"""
"""Of a life, `since` is the number of the first input that its circuit has not lived through; of a commit, `id` is the
number of its first input, and `lives` says whose that and those after it are."""

TABLES_1 = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE lives (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ids TEXT NOT NULL,
    replaced INTEGER NOT NULL,
    seed TEXT NOT NULL,
    base_seed INTEGER,
    larva BLOB,
    larva_step INTEGER NOT NULL,
    request TEXT,
    reply TEXT,
    at REAL NOT NULL,
    UNIQUE (ids, replaced)
);
CREATE TABLE inputs (
    id INTEGER PRIMARY KEY,
    life INTEGER NOT NULL,
    step INTEGER NOT NULL,
    request TEXT NOT NULL,
    reply TEXT NOT NULL,
    at REAL NOT NULL
);
"""
"""Format 1, which had no checksums."""

Inputs = dict[int, list[int]]
"""The numbers of the inputs of each life."""

_pack_numbers = struct.Struct("<qqqd").pack

_CHECKSUM = "checksum"
_BUSY_MS = 2000


def checksum(text: str, more: bytes = b"") -> int:
    """Return the CRC-32 of what a row says: it finds every flipped bit, every burst of up to 32.

    Example:
        >>> checksum("one row") == checksum("one rov")
        False
    """
    return zlib.crc32(more, zlib.crc32(text.encode()))


def birth_checksum(life: int, name: str, seed: str, base_seed: int | None) -> int:
    """Return the checksum of what a life has for good."""
    return checksum(f"{life} {seed} {base_seed} {name}")


def larva_checksum(
    life: int, since: int, step: int, request: str | None, reply: str | None, at: float, larva: bytes | None
) -> int:
    """Return the checksum of what of a life is renewed together with its circuit."""
    length = None if request is None else len(request)
    return checksum(f"{life} {since} {step} {at!r} {length} {request}{reply} {larva is None}", larva or b"")


def input_checksum(number: int, life: int, request: str, reply: str, at: float) -> int:
    """Return the checksum of an input; every step has one, so its numbers are not spelled, which takes twice as long.

    Raises:
        struct.error: a number is none.
    """
    return zlib.crc32(_pack_numbers(number, life, len(request), at) + request.encode() + reply.encode())


def claim(db: sqlite3.Connection, first: int, lives: Iterable[int]) -> None:
    """Write down once more whose inputs are, from a number on."""
    text = " ".join(map(str, lives))
    db.execute("INSERT INTO commits VALUES (?, ?, ?)", (first, text, checksum(f"{first} {text}")))


def claim_all(db: sqlite3.Connection, inputs: Inputs) -> None:
    """Write down once more whose inputs are, and forget what of that was written before."""
    db.execute("DELETE FROM commits")
    owners = sorted((number, life) for life, numbers in inputs.items() for number in numbers)
    for _, run in groupby(enumerate(owners), lambda place: place[1][0] - place[0]):
        (first, life), *others = (owner for _, owner in run)
        claim(db, first, (life, *(life for _, life in others)))


def claimed(first: int, lives: str, own: int) -> dict[int, int]:
    """Return whose the inputs of a commit are, by their numbers.

    Raises:
        ValueError: it has another checksum.
    """
    if own != checksum(f"{first} {lives}"):
        raise ValueError("another checksum")
    return {first + place: int(life) for place, life in enumerate(lives.split())}


def format_of(db: sqlite3.Connection) -> int | None:
    """Return the format of an open file; None where it holds nothing yet.

    Raises:
        sqlite3.DatabaseError: its tables are of no format that is known here.
    """
    found = _tables(db)
    for number, script in ((FORMAT, TABLES), (1, TABLES_1)):
        with sqlite3.connect(MEMORY) as like:
            like.executescript(script)
            known = _tables(like)
        like.close()
        if found == known:
            return number
    if found:
        raise sqlite3.DatabaseError("its tables are none that this version of Kenyon makes")
    return None


def problems(db: sqlite3.Connection) -> list[str]:
    """Return what SQLite finds wrong with a file as a whole, a line each; a second for 50,000 larvae."""
    try:
        lines = [str(line) for (line,) in db.execute("PRAGMA quick_check(10)")]
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as reason:
        lines = [str(reason)]
    found = [line for whole in lines if whole != "ok" for line in whole.splitlines()]
    return [line for line in found if not line.startswith("***")] or found


def read_about(db: sqlite3.Connection, number: int) -> dict[str, str]:
    """Return what the larvae live under, each value as JSON says it.

    Raises:
        sqlite3.DatabaseError: it has changed since it was written.
    """
    words = dict(db.execute("SELECT name, value FROM about").fetchall())
    try:
        if number > 1 and words.pop(_CHECKSUM) != _about_checksum(words):
            raise ValueError  # noqa: TRY301  # answered as anything else that no journal has written
        for value in words.values():
            json.loads(value)
    except (LookupError, TypeError, ValueError, RecursionError):
        raise sqlite3.DatabaseError("what its larvae were begun with is damaged") from None
    return words


def write_about(db: sqlite3.Connection, words: Mapping[str, str]) -> None:
    """Write what the larvae live under; within a transaction."""
    db.execute("DELETE FROM about")
    rows = {**words, _CHECKSUM: _about_checksum(words)}
    db.executemany("INSERT INTO about VALUES (?, ?)", rows.items())


def open_file(where: str, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the file of a journal."""
    timeout_s = _BUSY_MS / 1000
    if read_only:
        uri = f"{Path(where).absolute().as_uri()}?mode=ro"
        db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=timeout_s)
    else:
        if where != MEMORY:
            where = str(Path(where).absolute())  # Or a name that begins with "file:" would be read as an address.
        # One thread at a time uses it; Python would bind it to the one that opened it.
        db = sqlite3.connect(where, isolation_level=None, check_same_thread=False, timeout=timeout_s)
    # What is damaged is to be found by its checksum, not to be no text.
    db.text_factory = lambda words: words.decode("utf-8", "surrogateescape")
    db.execute("PRAGMA cell_size_check = ON")
    return db


@contextmanager
def storage(where: str | Path) -> Iterator[None]:
    """Turn what the disk or SQLite says into our words."""
    try:
        yield
    except (OSError, sqlite3.Error) as reason:
        words = reason.strerror or str(reason) if isinstance(reason, OSError) else str(reason)
        if "locked" in words:
            raise LockedError(
                f"{where} must be free to write to, but another program holds it; close that one"
            ) from None
        raise StorageError(
            f"{where} must be writable and whole, but: {words}; see to the disk, put back a copy, or give another "
            "--state-dir"
        ) from None


def statements(script: str) -> list[str]:
    """Return the statements of a script one by one, to be executed within a transaction."""
    return [statement for statement in script.split(";") if statement.strip()]


def _tables(db: sqlite3.Connection) -> dict[str, str]:
    return dict(db.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall())


def _about_checksum(words: Mapping[str, str]) -> str:
    return str(checksum(json.dumps(sorted(words.items()))))
