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
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout
from platformdirs import user_state_path

from kenyon.errors import MismatchError, StorageError
from kenyon.mushroom_body.parameters import PUBLISHED, Parameters, constants
from kenyon.mushroom_body.state import PACKED
from kenyon.provenance import versions
from kenyon.server.requests import Step, to_json
from kenyon.server.settings import MEMORY
from kenyon.wire.messages import Id

FORMAT = 1
Ids = tuple[Id, Id]

_FILE, _LOCK = "larvae.sqlite", "server.lock"
_BUSY_MS = 5000
_CACHE_KIB = 32_768
_TIDY_AFTER = 10_000
"""Inputs written before it is worth looking for those that can go."""

_TABLES = """
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


class Kept(NamedTuple):
    """One life of a larva as it is kept.

    Attributes:
        life: Its number in the journal.
        seed: The larva's own seed.
        base_seed: The seed it was made from together with its ids; None if it was loaded.
        larva: Its circuit as a record of bytes; None if newborn.
        next_step: The step it waits for.
        replay: Steps done since that circuit.
        last: The last step, and the reply to it; None where there was none.
        at: When that was, s since 1970.
    """

    life: int
    seed: int
    base_seed: int | None
    larva: bytes | None
    next_step: int
    replay: tuple[Step, ...]
    last: tuple[Step, dict[str, Any]] | None
    at: float


class Row(NamedTuple):
    """One line of the list of larvae."""

    sim_id: Id
    model_id: Id
    steps: int
    at: float


class _Lives:
    """What can be read of lives, by a server or beside it.

    Attributes:
        where: The file.
    """

    where: str
    _db: sqlite3.Connection

    def find(self, ids: Ids) -> tuple[Kept | None, Kept | None]:
        """Return the life of a larva, and the one it has replaced, where there are any.

        Raises:
            StorageError: what was kept cannot be read.
        """
        with _storage(self.where):
            found = self._db.execute(
                "SELECT replaced, id, seed, base_seed, larva, larva_step, request, reply, at FROM lives WHERE ids = ?",
                (_name(ids),),
            )
            lives = {bool(replaced): self._kept(*life) for replaced, *life in found.fetchall()}
        return lives.get(False), lives.get(True)

    def _kept(
        self,
        life: int,
        seed: str,
        base_seed: int | None,
        larva: bytes | None,
        larva_step: int,
        request: str | None,
        reply: str | None,
        at: float,
    ) -> Kept:
        if larva is not None and len(larva) != PACKED.itemsize:
            raise sqlite3.DatabaseError(f"a larva must be of {PACKED.itemsize} bytes, got {len(larva)}")
        inputs = self._inputs_of(life, larva_step)
        replay = tuple(Step.from_json(own) for own, _, _ in inputs)
        last = None if request is None or reply is None else (Step.from_json(request), json.loads(reply))
        if inputs:
            _, reply, at = inputs[-1]
            last = (replay[-1], json.loads(reply))
        next_step = replay[-1].step + 1 if replay else larva_step
        return Kept(life, int(seed), base_seed, larva, next_step, replay, last, at)

    def _inputs_of(self, life: int, first: int) -> list[tuple[str, str, float]]:
        """Return request, reply and time of the steps of a life from one on."""
        return self._db.execute(
            "SELECT request, reply, at FROM inputs WHERE life = ? AND step >= ? ORDER BY id", (life, first)
        ).fetchall()


class Journal(_Lives):
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
        ...     journal.add_step(life, Step(0, {"anisole": 1.0}, 100.0), {"MBONp": 60.0})
        >>> present, replaced = journal.find(("run", 0))
        >>> present.next_step, present.last[1], replaced
        (1, {'MBONp': 60.0}, None)
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
            with _storage(folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._lock = _locked(folder)
                _touch_private(folder / _FILE)
            self.where = str(folder / _FILE)
        try:
            with _storage(self.where):
                self._db = _open(self.where)
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            if record is not None:
                self._begin_or_compare(record, adopt=adopt)
            self._look_up()
        except BaseException:
            self._release()
            raise

    def close(self) -> None:
        """Put everything into one file, and let others have the folder."""
        self._db.close()
        self._release()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written within is kept together, or not at all.

        Raises:
            StorageError: it cannot be kept.
        """
        with _storage(self.where):
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
            (_name(ids), str(seed), base_seed, larva, step, time.time()),
        )
        return int(row.lastrowid or 0)

    def add_step(self, life: int, step: Step, reply: Mapping[str, Any]) -> None:
        """Keep a step that was done."""
        number = self._next_row + len(self._new)
        self._new.append((number, life, step.step, step.to_json(), to_json(reply), time.time()))

    def renew(self, life: int, larva: bytes, step: Step, reply: Mapping[str, Any]) -> None:
        """Keep a circuit, with the step that led to it; what went before is no longer needed."""
        self._db.execute(
            "UPDATE lives SET larva = ?, larva_step = ?, request = ?, reply = ?, at = ? WHERE id = ?",
            (larva, step.step + 1, step.to_json(), to_json(reply), time.time(), life),
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
        with _storage(self.where):
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
        with _storage(self.where):
            known = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'about'").fetchone()
            if not known:
                script = "".join(_insert("about", name, value) for name, value in words.items())
                self._db.executescript(f"BEGIN;{_TABLES}{script}COMMIT;")
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
            remedy = "start with those, or give another --state-dir"
            if named == ["kenyon"]:
                remedy = "start that version, or give --adopt to go on with this one, or another --state-dir"
            raise MismatchError(
                f"the larvae in {self.where} must go on under what they began with, {began}, got {came}; {remedy}"
            )

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()


class Reading(_Lives):
    """The journal of a state directory for those who only look, whether a server has it or not.

    Args:
        state_dir: The folder.

    Raises:
        StorageError: there is no journal, or it cannot be read.
    """

    def __init__(self, state_dir: str | Path) -> None:
        self.where = str(Path(state_dir) / _FILE)
        if not Path(self.where).is_file():
            raise StorageError(
                f"{state_dir} must be a state directory of a server, got no {_FILE} in it; give --state-dir"
            )
        with _storage(self.where):
            self._db = _open(self.where, read_only=True)

    def record(self) -> dict[str, Any]:
        """Return what the larvae live under, and what began it."""
        with _storage(self.where):
            about = self._db.execute("SELECT name, value FROM about").fetchall()
        return {name: json.loads(value) for name, value in about}

    def rows(self) -> list[Row]:
        """Return every larva, the one stepped last first."""
        with _storage(self.where):
            found = self._db.execute(
                "SELECT lives.ids, coalesce(max(inputs.step) + 1, larva_step), "
                "coalesce(max(inputs.at), lives.at) AS last "
                "FROM lives LEFT JOIN inputs ON inputs.life = lives.id AND inputs.step >= larva_step "
                "WHERE replaced = 0 "
                "GROUP BY lives.id ORDER BY last DESC"
            ).fetchall()
        rows = ((json.loads(ids), steps, at) for ids, steps, at in found)
        return [Row(sim_id, model_id, steps, at) for (sim_id, model_id), steps, at in rows]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def default_state_dir() -> Path:
    """Return where a server keeps its larvae if nothing else is said: in the user's state folder."""
    return Path(user_state_path("kenyon"))


def stored_parameters(record: Mapping[str, Any]) -> Parameters:
    """Return the constants that a record names.

    Raises:
        InputError: they are not those of this version.
    """
    return PUBLISHED.replace({name: record[name] for name in constants()})


def _name(ids: Ids) -> str:
    """Return what names a larva in the tables; `1` and `"1"` are two."""
    return json.dumps(ids)


def _insert(table: str, name: str, value: str) -> str:
    quoted = (text.replace("'", "''") for text in (name, value))
    return f"INSERT INTO {table} VALUES ('{next(quoted)}', '{next(quoted)}');"  # noqa: S608  # quoted just now


def _open(where: str, *, read_only: bool = False) -> sqlite3.Connection:
    # One thread at a time uses it; Python would bind it to the one that opened it.
    if read_only:
        uri = f"{Path(where).absolute().as_uri()}?mode=ro"
        return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_MS / 1000)
    return sqlite3.connect(where, isolation_level=None, check_same_thread=False, timeout=_BUSY_MS / 1000)


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


@contextmanager
def _storage(where: str | Path) -> Iterator[None]:
    """Turn what the disk or SQLite says into our words."""
    try:
        yield
    except (OSError, sqlite3.Error) as reason:
        words = reason.strerror or str(reason) if isinstance(reason, OSError) else str(reason)
        raise StorageError(
            f"{where} must be writable and whole, but: {words}; see to the disk, or give another --state-dir"
        ) from None
