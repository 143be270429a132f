"""What a server keeps of its larvae: for each, its circuit at some step, and the steps it has done since.

SQLite in write-ahead mode: what is committed outlives a killed process at any moment, and, with `durable`, a loss of
power. A larva is kept as a snapshot and the inputs after it; the snapshot is renewed when the inputs would take long to
live through again, and the last step is kept with it, whose reply a client may still ask for. So what a larva takes on
disk is bounded. A life that a new step 0 replaces is kept beside the new one until that goes on.

Inputs are written one after the other, whichever larva they belong to, and looked up through a table in memory: an
index on disk would make every step of many larvae touch a page of its own. What snapshots have made superfluous is
deleted in bulk, once it is as much as what is needed.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from kenyon.errors import MismatchError, StorageError
from kenyon.mushroom_body.parameters import constants
from kenyon.provenance import versions
from kenyon.server.journal_reader import FILE, FORMAT, TABLES, Lives, name_of, open_file, storage
from kenyon.server.life import Ids
from kenyon.server.requests import Step
from kenyon.server.settings import MEMORY

_LOCK = "server.lock"
_OPTIONS = {
    name: f"--{name.replace('_', '-')}"
    for name in ("parameters", "odors", "concentration_scale", "seed", "receptor_range", "receptor_smoothing_s")
}
"""What is to be told anew at each start, by its name in the record."""

_CACHE_KIB = 8192
_TIDY_AFTER = 10_000
"""Inputs written before it is worth looking for those that can go."""


class Journal(Lives):
    """The journal of one state directory, or of none (":memory:").

    Args:
        state_dir: The folder; made if it is not there.
        record: What decides the larvae's numbers; must be what the folder was begun with. None: whatever that was.
        durable: Whether a commit waits until the disk has it.
        adopt: Whether another version of Kenyon may have begun it.

    Raises:
        StorageError: the folder cannot be written to, is damaged, or another server has it.
        MismatchError: it was begun with another record or by another version.

    Example:
        >>> journal = Journal(":memory:", {"seed": 0})
        >>> with journal.transaction():
        ...     life = journal.begin(("run", 0), seed=7, base_seed=0)
        ...     journal.add_step(life, Step(0, {"anisole": 1.0}, 100.0), '{"MBONp": 60.0}')
        >>> present, replaced = journal.find(("run", 0))
        >>> present.next_step, present.last[1], replaced
        (1, '{"MBONp": 60.0}', None)
        >>> journal.close()
    """

    def __init__(
        self, state_dir: str | Path, record: Mapping[str, Any] | None, *, durable: bool = False, adopt: bool = False
    ) -> None:
        self._lock: FileLock | None = None
        # Where the inputs of each life are, the next one's number, and what the open transaction changes about that.
        self._rows: dict[int, list[int]] = {}
        self._next_row = 1
        self._new: list[tuple[int, int, int, str, str, float]] = []
        self._gone: list[int] = []
        # Inputs written since it was last looked for those that can go, and those that had to stay.
        self._written = self._left = 0
        if state_dir == MEMORY:
            self.where = MEMORY
        else:
            folder = Path(state_dir)
            with storage(folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._lock = _locked(folder)
                _touch_private(folder / FILE)
            self.where = str(folder / FILE)
        self._closing = ExitStack()
        if self._lock is not None:
            self._closing.callback(self._lock.release)
        try:
            with storage(self.where):
                self._db = open_file(self.where)
                self._closing.callback(self._db.close)
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            if record is not None:
                self._begin_or_compare(record, adopt=adopt)
            self._look_up()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Put everything into one file, and let others have the folder."""
        self._closing.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written within is kept together, or not at all.

        Raises:
            StorageError: it cannot be kept.
        """
        with storage(self.where):
            self._db.execute("BEGIN IMMEDIATE")
            self._new, self._gone = [], []
            try:
                yield
                self._db.executemany("INSERT INTO inputs VALUES (?, ?, ?, ?, ?, ?)", self._new)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite itself has rolled back after some errors.
                    self._db.execute("ROLLBACK")
                raise
        for life in self._gone:
            self._rows.pop(life, None)
        for number, life, *_ in self._new:
            self._rows.setdefault(life, []).append(number)
        self._next_row += len(self._new)
        self._written += len(self._new)

    def begin(self, ids: Ids, seed: int, base_seed: int | None, larva: bytes | None = None, step: int = 0) -> int:
        """Begin a life, newborn or from a circuit; return its number."""
        row = self._db.execute(
            "INSERT INTO lives (ids, replaced, seed, base_seed, larva, larva_step, at) VALUES (?, 0, ?, ?, ?, ?, ?)",
            (name_of(ids), str(seed), base_seed, larva, step, time.time()),
        )
        return int(row.lastrowid or 0)

    def add_step(self, life: int, step: Step, reply: str) -> None:
        """Keep a step that was done."""
        number = self._next_row + len(self._new)
        self._new.append((number, life, step.step, step.to_json(), reply, time.time()))

    def renew(self, life: int, larva: bytes, step: Step, reply: str) -> None:
        """Keep a circuit, with the step that led to it; what went before is no longer needed."""
        self._db.execute(
            "UPDATE lives SET larva = ?, larva_step = ?, request = ?, reply = ?, at = ? WHERE id = ?",
            (larva, step.step + 1, step.to_json(), reply, time.time(), life),
        )
        self._gone.append(life)

    def set_replaced(self, life: int, *, replaced: bool) -> None:
        """Put a life beside the one that replaces it, or back in its place."""
        self._db.execute("UPDATE lives SET replaced = ? WHERE id = ?", (int(replaced), life))

    def end(self, life: int) -> None:
        """Forget a life."""
        self._db.execute("DELETE FROM lives WHERE id = ?", (life,))
        self._gone.append(life)

    def tidy(self) -> None:
        """Delete the inputs that nobody needs any more, if they are many; between two transactions.

        Raises:
            StorageError: that cannot be written; nothing is lost.
        """
        if self._written <= max(_TIDY_AFTER, self._left):
            return
        self._written = 0
        with self.transaction():
            self._db.execute(
                "DELETE FROM inputs WHERE NOT EXISTS "
                "(SELECT 1 FROM lives WHERE lives.id = inputs.life AND inputs.step >= lives.larva_step)"
            )
        self._left = sum(map(len, self._rows.values()))

    def __len__(self) -> int:
        """Return how many larvae are kept."""
        (count,) = self._db.execute("SELECT count(*) FROM lives WHERE replaced = 0").fetchone()
        return int(count)

    def _inputs_of(self, life: int, first: int) -> list[tuple[str, str, float]]:
        numbers = self._rows.get(life, [])
        places = ", ".join("?" * len(numbers))
        return self._db.execute(
            f"SELECT request, reply, at FROM inputs WHERE id IN ({places}) AND step >= ? ORDER BY id",  # noqa: S608  # question marks alone
            (*numbers, first),
        ).fetchall()

    def _look_up(self) -> None:
        """Learn where the inputs of each life are."""
        with storage(self.where):
            needed = self._db.execute(
                "SELECT inputs.id, life FROM inputs JOIN lives ON lives.id = life WHERE step >= larva_step "
                "ORDER BY inputs.id"
            )
            for number, life in needed:
                self._rows.setdefault(life, []).append(number)
            (last, count) = self._db.execute("SELECT coalesce(max(id), 0), count(*) FROM inputs").fetchone()
        self._next_row = int(last) + 1
        self._left = sum(map(len, self._rows.values()))
        self._written = int(count) - self._left

    def _begin_or_compare(self, record: Mapping[str, Any], *, adopt: bool) -> None:
        about = {"format": FORMAT, "kenyon": versions()["kenyon"], **record}
        words = {name: json.dumps(value) for name, value in about.items()}
        with storage(self.where):
            known = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'about'").fetchone()
            if not known:
                script = "".join(_insert("about", name, value) for name, value in words.items())
                self._db.executescript(f"BEGIN;{TABLES}{script}COMMIT;")
                return
            kept = dict(self._db.execute("SELECT name, value FROM about").fetchall())
        differences = [name for name in {**kept, **words} if kept.get(name) != words.get(name)]
        if adopt and differences == ["kenyon"]:
            with self.transaction():
                self._db.execute("UPDATE about SET value = ? WHERE name = 'kenyon'", (words["kenyon"],))
            return
        if differences:
            # One name stands for all constants of a set.
            named = [name for name in differences if "parameters" not in differences or name not in constants()]
            began = ", ".join(f"{name} = {kept.get(name)}" for name in named)
            came = ", ".join(f"{words.get(name)}" for name in named)
            options = " ".join(
                f"{_OPTIONS[name]} {_as_option(kept[name])}" if name in kept else f"no {_OPTIONS[name]}"
                for name in named
                if name in _OPTIONS
            )
            remedy = f"start with {options or 'those'}, or give another --state-dir"
            if named == ["kenyon"]:
                remedy = "start that version, or give --adopt to go on with this one, or another --state-dir"
            raise MismatchError(
                f"the larvae in {self.where} must go on under what they began with, {began}, got {came}; {remedy}"
            )


def _as_option(words: str | None) -> str:
    """Return a value of the record as it is typed after its option."""
    value = json.loads(words or "null")
    return f"'{';'.join(value)}'" if isinstance(value, list) else str(value)


def _insert(table: str, name: str, value: str) -> str:
    quoted = (text.replace("'", "''") for text in (name, value))
    return f"INSERT INTO {table} VALUES ('{next(quoted)}', '{next(quoted)}');"  # noqa: S608  # quoted just now


def _locked(folder: Path) -> FileLock:
    lock = FileLock(str(folder / _LOCK), mode=0o600, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise StorageError(
            f"{folder} must belong to one server at a time, but another has it; stop that one or give another "
            "--state-dir"
        ) from None
    return lock


def _touch_private(path: Path) -> None:
    """Make a file that its owner alone can read; SQLite's other files then are like it."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)
