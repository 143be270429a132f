"""Which larvae there are in a journal, where their rows lie, and which of these are as they were written.

Law of this file: it reads rows, and does not know what they mean. What one table has lost, its counterpart knows.
"""

import sqlite3
import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from kenyon.server.journal_file import Inputs, birth_checksum, claim_all, claimed, input_checksum, larva_checksum

DAMAGED = (
    *(ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError, MemoryError, struct.error),
)
"""What comes of rows that are not as a server has written them, beside what SQLite says."""

_MOST_NUMBER = 2**53
"""No journal gets so far; a number above is damaged."""


class Index(NamedTuple):
    """Which larvae there are, and where their inputs lie.

    Attributes:
        lives: The numbers of the lives of each larva by its name, the oldest first.
        inputs: The numbers of the inputs that each life needs; a damaged one may have more.
        next_life: The number of the next life.
        next_input: The number of the next input.
        written: How many inputs there are, needed or not.
        is_claimed: Whether `commits` knows whose the last of them is.
    """

    lives: dict[str, list[int]]
    inputs: Inputs
    next_life: int
    next_input: int
    written: int
    is_claimed: bool


def index(db: sqlite3.Connection) -> Index:
    """Return the index of a file."""
    names = dict(_scan(db, "SELECT id, ids FROM names"))
    born = {life: (ids, since) for life, ids, since in _scan(db, "SELECT id, ids, since FROM lives")}
    own = dict(_scan(db, "SELECT id, life FROM inputs"))
    again = _claims(db)
    lives = _lives(db, {life: ids for life, (ids, _) in born.items()}, names)
    first = {life: 0 for numbers in lives.values() for life in numbers}
    first.update({life: born[life][1] for life in first.keys() & born.keys() if isinstance(born[life][1], int)})
    next_life = _after(*names, *born, *own.values(), *again.values())
    next_input = _after(*own, *again)
    return Index(lives, _inputs(db, own, again, first), next_life, next_input, len(own), next_input == _after(*again))


def record(db: sqlite3.Connection, life: int) -> tuple[Any, ...]:
    """Return the row of a life, which is as it was written.

    Raises:
        LookupError, ValueError, sqlite3.Error: it is missing, or is not.
    """
    row = db.execute("SELECT * FROM lives WHERE id = ?", (life,)).fetchone()
    if row is None:
        raise LookupError("its record is missing")
    _, since, name, seed, base_seed, birth, step, request, reply, at, kept, larva = row
    if birth != birth_checksum(life, name, seed, base_seed) or kept != larva_checksum(
        life, since, step, request, reply, at, larva
    ):
        raise ValueError("its record has another checksum")
    return tuple(row)


def inputs(db: sqlite3.Connection, life: int, numbers: Sequence[int]) -> list[tuple[Any, ...]]:
    """Return the rows of some inputs of a life, each as it was written.

    Raises:
        LookupError, ValueError, sqlite3.Error: one is missing, or is not.
    """
    places = ", ".join("?" * len(numbers))
    rows = db.execute(
        f"SELECT * FROM inputs WHERE id IN ({places}) ORDER BY id",  # noqa: S608  # question marks alone
        numbers,
    ).fetchall()
    if [number for number, *_ in rows] != list(numbers):
        raise LookupError("a step is missing")
    for *row, own in rows:
        if row[1] != life or own != input_checksum(*row):
            raise ValueError("a step has another checksum")
    return rows


def copy_whole(db: sqlite3.Connection, found: Index, new: sqlite3.Connection) -> None:
    """Write every row that is whole into an empty file, in which all others are known to be missing."""
    for name, lives in found.lives.items():
        for life in lives:
            new.execute("INSERT INTO names VALUES (?, ?)", (life, name))
            with suppress(*DAMAGED, sqlite3.DatabaseError):
                new.execute("INSERT INTO lives VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", record(db, life))
    for life, numbers in found.inputs.items():
        for number in numbers:
            with suppress(*DAMAGED, sqlite3.DatabaseError):
                new.executemany("INSERT INTO inputs VALUES (?, ?, ?, ?, ?, ?)", inputs(db, life, [number]))
    claim_all(new, found.inputs)


def _lives(db: sqlite3.Connection, own: Mapping[int, Any], names: Mapping[int, Any]) -> dict[str, list[int]]:
    """Return the lives of each name, from what they say themselves and what `names` says."""
    lives: dict[str, list[int]] = {}
    for life in sorted(own.keys() | names.keys()):
        name = own.get(life)
        if name is None or (name != names.get(life) and not _is_whole(db, life)):
            name = names.get(life)
        if isinstance(name, str):
            lives.setdefault(name, []).append(life)
    return lives


def _inputs(
    db: sqlite3.Connection, own: Mapping[int, Any], again: Mapping[int, int], first: Mapping[int, int]
) -> Inputs:
    """Return the inputs of each life from the first it needs, from what they say themselves and what `commits` says."""
    found: Inputs = {}
    for number in sorted(own.keys() | again.keys()):
        life: Any = own.get(number)
        if life is None or (life != again.get(number) and not _is_input(db, life, number)):
            life = again.get(number)
        if life in first and number >= first[life]:
            found.setdefault(life, []).append(number)
    return found


def _scan(db: sqlite3.Connection, query: str) -> list[Any]:
    """Return as many rows as can be read: those before a damage, and those behind it."""
    before, is_whole = _read(db, query)
    return before if is_whole else before + _read(db, f"{query} ORDER BY id DESC")[0]


def _read(db: sqlite3.Connection, query: str) -> tuple[list[Any], bool]:
    """Return rows until the first that cannot be read, and whether there is none such."""
    rows = []
    try:
        for row in db.execute(query):
            rows.append(row)  # noqa: PERF402  # or those before the damage would be lost with it
    except sqlite3.OperationalError:
        raise  # The disk, not what is on it.
    except (sqlite3.DatabaseError, MemoryError):
        return rows, False
    return rows, True


def _claims(db: sqlite3.Connection) -> dict[int, int]:
    """Return whose each input is that `commits` knows."""
    owners: dict[int, int] = {}
    for commit in _scan(db, "SELECT id, lives, checksum FROM commits"):
        with suppress(*DAMAGED):  # Then the inputs themselves say whose they are.
            owners.update(claimed(*commit))
    return owners


def _is_whole(db: sqlite3.Connection, life: int) -> bool:
    with suppress(*DAMAGED, sqlite3.DatabaseError):
        record(db, life)
        return True
    return False


def _is_input(db: sqlite3.Connection, life: int, number: int) -> bool:
    with suppress(*DAMAGED, sqlite3.DatabaseError):
        inputs(db, life, [number])
        return True
    return False


def _after(*numbers: Any) -> int:
    """Return the number after all of these; what is none is damaged, and known as that."""
    return max((number for number in numbers if isinstance(number, int) and number < _MOST_NUMBER), default=0) + 1
