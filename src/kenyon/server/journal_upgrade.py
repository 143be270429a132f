"""Larvae that lie as in format 1 are laid as in the present one, and get their checksums."""

import json
import sqlite3
import struct
from contextlib import suppress

from kenyon.server.journal_file import (
    FORMAT,
    TABLES,
    Inputs,
    birth_checksum,
    claim_all,
    input_checksum,
    larva_checksum,
    read_about,
    statements,
    write_about,
)

# What comes of values that no server has written; their larva is then known, and found to be damaged.
_DAMAGED = (ValueError, TypeError, LookupError, AttributeError, struct.error)


def upgrade(db: sqlite3.Connection) -> None:
    """Upgrade a file where it is, all at once or not at all."""
    db.execute("BEGIN IMMEDIATE")
    try:
        about = read_about(db, 1)
        for table in ("lives", "inputs"):
            db.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
        db.execute("DROP TABLE about")
        _fill(db, "old_", db, about)
        for table in ("lives", "inputs"):
            db.execute(f"DROP TABLE old_{table}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def upgraded_copy(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Fill an empty file with what an old one holds, which stays as it is."""
    _fill(old, "", new, read_about(old, 1))


def _fill(old: sqlite3.Connection, prefix: str, new: sqlite3.Connection, about: dict[str, str]) -> None:
    for statement in statements(TABLES):
        new.execute(statement)
    write_about(new, {**about, "format": str(FORMAT)})
    inputs = _fill_inputs(old, prefix, new)
    claim_all(new, inputs)
    (last,) = new.execute("SELECT coalesce(max(id), 0) FROM inputs").fetchone()
    rows = old.execute(f"SELECT id, larva_step, ids, seed, base_seed, request, reply, at, larva FROM {prefix}lives")  # noqa: S608  # of two
    for life, step, ids, seed, base_seed, request, reply, at, larva in rows:
        first = inputs.get(life, [last + 1])[0]
        with suppress(*_DAMAGED):
            new.execute("INSERT INTO names VALUES (?, ?)", (life, ids))
            born = birth_checksum(life, ids, seed, base_seed)
            kept = larva_checksum(life, first, step, request, reply, at, larva)
            new.execute(
                "INSERT INTO lives VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (life, first, ids, seed, base_seed, born, step, request, reply, at, kept, larva),
            )


def _fill_inputs(old: sqlite3.Connection, prefix: str, new: sqlite3.Connection) -> Inputs:
    """Copy the inputs that are needed."""
    steps = dict(old.execute(f"SELECT id, larva_step FROM {prefix}lives").fetchall())  # noqa: S608  # as above
    inputs: Inputs = {}
    for row in old.execute(f"SELECT id, life, step, request, reply, at FROM {prefix}inputs ORDER BY id"):  # noqa: S608  # as above
        number, life, step, request, reply, at = row
        with suppress(*_DAMAGED):
            if step < steps[life]:
                continue
            inputs.setdefault(life, []).append(number)
            if json.loads(request)[0] == step:
                checksum = input_checksum(number, life, request, reply, at)
                new.execute(
                    "INSERT INTO inputs VALUES (?, ?, ?, ?, ?, ?)", (number, life, request, reply, at, checksum)
                )
    return inputs
