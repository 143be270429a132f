"""A state directory of many larvae, made without a server, and what it holds."""

import random
import shutil
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from kenyon.mushroom_body import BALANCED
from kenyon.seeds import larva_seed
from kenyon.server.batching import Batch
from kenyon.server.computing import KernelComputer
from kenyon.server.journal import Journal
from kenyon.server.life import Ids, Life
from kenyon.server.requests import Step
from kenyon.server.settings import Settings
from kenyon.server.timelines import StepResult, step

RECORD = Settings().record()
LARVAE = 20
FILE = "larvae.sqlite"


def ids_of(larva: int) -> Ids:
    """Return the ids of a larva; some are texts."""
    return ("run", larva if larva % 3 else f"Larva_{larva}")


def asked(number: int) -> Step:
    """Return a step, which differs from the one before."""
    return Step(
        number,
        {"anisole": 1.0 + number / 7},
        2.0,
        reward=number % 2,
        probe=("anisole",) if number == 4 else (),
        probe_ms=1.0,
    )


def keep_larvae(folder: Path) -> None:
    """Keep larvae of every kind: newborn or with a circuit, with many steps since or none, some with another put aside.

    As after a server that was stopped in the middle, all in one file.
    """
    computer = KernelComputer(BALANCED)
    with closing(Journal(folder, RECORD)) as journal:
        for larva in range(LARVAE):
            ids = ids_of(larva)
            for renewed_at, steps in (
                ((3, 5), (larva, larva % 7 + larva)) if larva % 5 == 0 else ((larva // 2, larva + 1),)
            ):
                seed = larva_seed(larva, *ids)
                with journal.transaction():
                    life = journal.begin(ids, seed, larva)
                circuit = None
                for number in range(steps):
                    result = lived(computer, circuit, seed, number)
                    circuit = result.larva
                    with journal.transaction():
                        if number == renewed_at and larva % 4:
                            journal.renew(life, circuit, asked(number), result.reply)
                        else:
                            journal.add_step(life, asked(number), result.reply)


def lived(computer: KernelComputer, circuit: bytes | None, seed: int, number: int) -> StepResult:
    """Return what comes of a step."""
    batch: Batch[None] = Batch(computer)
    batch.add(None, step(BALANCED, "random", circuit, seed, (), asked(number)))
    while not (over := batch.round()):
        pass
    assert over[0].error is None, over[0].error
    result: StepResult = over[0].result
    return result


def all_lives(journal: Any) -> dict[Ids, tuple[Life | None, Life | None]]:
    """Return everything that can be known of every larva."""
    return {ids_of(larva): journal.find(ids_of(larva)) for larva in range(LARVAE)}


@contextmanager
def altered(folder: Path, copy: Path) -> Iterator[sqlite3.Connection]:
    """Give a copy of a directory, to be altered as somebody would who has SQLite."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    with closing(sqlite3.connect(copy / FILE)) as db:
        with db:
            yield db
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def flip_value(db: sqlite3.Connection, table: str, chance: random.Random) -> tuple[int, str] | None:
    """Flip one bit of one value of one row; return the row's number and the column, None where there is nothing."""
    numbers = [number for (number,) in db.execute(f"SELECT id FROM {table}")]
    columns = [name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")]
    # A record is mostly its circuit: else every second flip would be there.
    number, column = chance.choice(numbers), chance.choice(columns)
    ((kind, value),) = db.execute(f"SELECT typeof({column}), {column} FROM {table} WHERE id = ?", (number,))
    place = "?"
    changed: Any
    if kind == "null":
        return None
    if kind == "integer":
        (changed,) = struct.unpack("<q", _flipped(struct.pack("<q", value), chance))
    elif kind == "real":
        (changed,) = struct.unpack("<d", _flipped(struct.pack("<d", value), chance))
    elif kind == "text":
        changed, place = _flipped(value.encode(), chance), "CAST(? AS TEXT)"
    else:
        changed = _flipped(value, chance)
    try:
        db.execute(f"UPDATE {table} SET {column} = {place} WHERE id = ?", (changed, number))
    except sqlite3.IntegrityError:  # another row has that number
        return None
    return number, column


def _flipped(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)
