"""What a server keeps of its larvae: for each, its circuit at some step, and the steps it has done since.

SQLite in write-ahead mode: what is committed outlives a killed process at any moment, and, with `durable`, a loss of
power. A larva is kept as a snapshot and the inputs after it; the snapshot is renewed when the inputs would take long to
live through again, and the last step is kept with it, whose reply a client may still ask for. So what a larva takes on
disk is bounded. A life that a new step 0 replaces is kept beside the new one until that goes on.

Inputs are written one after the other, whichever larva they belong to, and looked up through a table in memory: an
index on disk would make every step of many larvae touch a page of its own. What snapshots have made superfluous is
deleted in bulk, once it is as much as what is needed.

What is new lies in SQLite's log, which has checksums of its own. Before it is merged into the file, it is written down
once more whose the inputs are (`commits`), for all of them at once: so a step writes one page, not two.
"""

import json
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from kenyon.errors import MismatchError, StorageError
from kenyon.mushroom_body.parameters import constants
from kenyon.provenance import versions
from kenyon.server.folder_lock import lock_folder
from kenyon.server.journal_file import (
    FILE,
    FORMAT,
    TABLES,
    birth_checksum,
    claim,
    claim_all,
    format_of,
    input_checksum,
    larva_checksum,
    open_file,
    problems,
    read_about,
    statements,
    storage,
    write_about,
)
from kenyon.server.journal_index import copy_whole, index
from kenyon.server.journal_reader import Lives, name_of, own_odors_of, parameters_of
from kenyon.server.journal_upgrade import upgrade
from kenyon.server.life import Ids
from kenyon.server.requests import Step
from kenyon.server.settings import MEMORY

_OPTIONS = {
    name: f"--{name.replace('_', '-')}"
    for name in (
        "parameters",
        "wiring",
        "odors",
        "concentration_scale",
        "seed",
        "receptor_range",
        "receptor_smoothing_s",
    )
} | {"own_odors": "--odors-file with"}
"""What is to be told anew at each start, by its name in the record."""

_logger = logging.getLogger(__name__)

_CACHE_KIB = 8192
_TIDY_AFTER = 10_000
"""Inputs written before it is worth looking for those that can go."""

_MERGE_AFTER_BYTES = 4 * 2**20
"""About as much in SQLite's log as it would merge by itself: what is read there must be looked for."""

_PAGE_BYTES = 4096


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
        # What the open transaction changes in memory, once it is kept.
        self._new: list[tuple[int, int, str, str, float, int]] = []
        self._begun: list[tuple[str, int]] = []
        self._renewed: list[int] = []
        self._ended: list[tuple[str, int]] = []
        # Whose the inputs are that stand in the log alone, from which number on, and about how long that is.
        self._unclaimed: list[int] = []
        self._log_bytes = 0
        self._closing = ExitStack()
        try:
            if state_dir == MEMORY:
                self.where = MEMORY
            else:
                folder = Path(state_dir)
                with storage(folder):
                    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                    self._closing.enter_context(lock_folder(folder))
                    _touch_private(folder / FILE)
                self.where = str(folder / FILE)
            with storage(self.where):
                self._db = self._open(durable=durable)
                self._closing.callback(lambda: self._db.close())  # noqa: PLW0108  # by then it may be another
            self._begin_or_go_on(record, adopt=adopt)
            about = self.record()
            self._parameters, self._own_odors = parameters_of(about), own_odors_of(about)
            with storage(self.where):
                self._index = index(self._db)
                if found := problems(self._db):
                    self._write_anew(found[0], durable=durable)
            self._next_life, self._next_input = self._index.next_life, self._index.next_input
            if not self._index.is_claimed:  # The server before was killed.
                with storage(self.where), self._whole_transaction():
                    claim_all(self._db, self._index.inputs)
            # Inputs that had to stay when it was last looked for those that can go, and those written since.
            self._left = sum(map(len, self._index.inputs.values()))
            self._written = self._index.written - self._left
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Put everything into one file, and let others have the folder."""
        with self._closing, suppress(StorageError):  # What cannot be written now is written at the next start.
            self._claim()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written within is kept together, or not at all.

        Raises:
            StorageError: it cannot be kept.
        """
        with storage(self.where):
            self._db.execute("BEGIN IMMEDIATE")
            self._new, self._begun, self._renewed, self._ended = [], [], [], []
            try:
                yield
                if self._new:
                    self._db.executemany("INSERT INTO inputs VALUES (?, ?, ?, ?, ?, ?)", self._new)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite itself has rolled back after some errors.
                    self._db.execute("ROLLBACK")
                raise
        for name, life in self._begun:
            self._index.lives.setdefault(name, []).append(life)
        for life in self._renewed:
            self._index.inputs.pop(life, None)
        for number, life, *_ in self._new:
            self._index.inputs.setdefault(life, []).append(number)
        for name, life in self._ended:
            self._index.inputs.pop(life, None)
            left = [own for own in self._index.lives.pop(name, ()) if own != life]
            if left:
                self._index.lives[name] = left
        self._next_input += len(self._new)
        self._written += len(self._new)
        self._unclaimed += [life for _, life, *_ in self._new]
        self._log_bytes += _PAGE_BYTES * (1 + 4 * len(self._begun) + 4 * len(self._renewed))
        self._log_bytes += sum([len(request) + len(reply) for _, _, request, reply, *_ in self._new])

    def begin(self, ids: Ids, seed: int, base_seed: int | None, larva: bytes | None = None, step: int = 0) -> int:
        """Begin a life, newborn or from a circuit, beside the one there is; return its number."""
        life, name, at = self._next_life, name_of(ids), time.time()
        self._next_life += 1
        since = self._next_input + len(self._new)
        birth = birth_checksum(life, name, str(seed), base_seed)
        kept = larva_checksum(life, since, step, None, None, at, larva)
        row = (life, since, name, str(seed), base_seed, birth, step, None, None, at, kept, larva)
        self._db.execute("INSERT INTO lives VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        self._db.execute("INSERT INTO names VALUES (?, ?)", (life, name))
        self._begun.append((name, life))
        return life

    def add_step(self, life: int, step: Step, reply: str) -> None:
        """Keep a step that was done."""
        number = self._next_input + len(self._new)
        row = number, life, step.to_json(), reply, time.time()
        self._new.append((*row, input_checksum(*row)))

    def renew(self, life: int, larva: bytes, step: Step, reply: str) -> None:
        """Keep a circuit, with the step that led to it; what went before is no longer needed."""
        since, request, at = self._next_input + len(self._new), step.to_json(), time.time()
        kept = larva_checksum(life, since, step.step + 1, request, reply, at, larva)
        written = self._db.execute(
            "UPDATE lives SET since = ?, larva_step = ?, request = ?, reply = ?, at = ?, larva_checksum = ?, larva = ? "
            "WHERE id = ?",
            (since, step.step + 1, request, reply, at, kept, larva, life),
        )
        if written.rowcount != 1:
            raise sqlite3.DatabaseError("the record of a larva is missing")
        self._renewed.append(life)

    def end(self, ids: Ids, life: int) -> None:
        """Forget a life of a larva."""
        self._db.execute("DELETE FROM lives WHERE id = ?", (life,))
        self._db.execute("DELETE FROM names WHERE id = ?", (life,))
        self._ended.append((name_of(ids), life))

    def forget(self, ids: Ids) -> None:
        """Forget a larva, damaged or not."""
        for life in self._index.lives.get(name_of(ids), ()):
            self.end(ids, life)

    def tidy(self) -> None:
        """Merge the log into the file if it is long, and delete the inputs that nobody needs any more if they are many.

        To be called between two transactions.

        Raises:
            StorageError: that cannot be written; nothing is lost.
        """
        if self._written > max(_TIDY_AFTER, self._left):
            self._delete_superfluous()
            self._merge()
        elif self._log_bytes > _MERGE_AFTER_BYTES:
            self._merge()

    def _delete_superfluous(self) -> None:
        self._written = 0
        with self.transaction():
            self._db.execute(
                "DELETE FROM inputs WHERE NOT EXISTS "
                "(SELECT 1 FROM lives WHERE lives.id = inputs.life AND inputs.id >= lives.since)"
            )
            claim_all(self._db, self._index.inputs)
        self._unclaimed = []
        self._left = sum(map(len, self._index.inputs.values()))

    def _merge(self) -> None:
        """Let SQLite put its log into the file."""
        self._log_bytes = 0
        self._claim()
        with storage(self.where):
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _claim(self) -> None:
        """Write down once more whose the inputs are that stand in the log alone."""
        if self._unclaimed:
            with storage(self.where):
                claim(self._db, self._next_input - len(self._unclaimed), self._unclaimed)
            self._unclaimed = []

    def __len__(self) -> int:
        """Return how many larvae are kept, damaged or not."""
        return len(self._index.lives)

    def _open(self, *, durable: bool) -> sqlite3.Connection:
        db = open_file(self.where)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            db.execute("PRAGMA wal_autocheckpoint = 0")  # `_merge` does it.
        except BaseException:
            db.close()
            raise
        return db

    def _write_anew(self, problem: str, *, durable: bool) -> None:
        """Go on with a file of what is whole: in a damaged one, what is written may fall on other larvae."""
        path = Path(self.where)
        new_path, damaged = path.with_suffix(".new"), _free(path.with_suffix(".damaged"))
        new_path.unlink(missing_ok=True)
        for own in (new_path, damaged):
            _touch_private(own)
        try:
            with closing(open_file(str(new_path))) as new:
                new.execute("PRAGMA synchronous = FULL")
                new.execute("BEGIN")
                for statement in statements(TABLES):
                    new.execute(statement)
                write_about(new, read_about(self._db, FORMAT))
                copy_whole(self._db, self._index, new)
                new.execute("COMMIT")
            (busy, *_) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise sqlite3.OperationalError("database is locked")
            self._db.close()
            shutil.copyfile(path, damaged)
            for end in ("-wal", "-shm"):  # Empty by now, and of the old file, which someone may still be reading.
                Path(f"{path}{end}").unlink(missing_ok=True)
            new_path.replace(path)
        finally:
            new_path.unlink(missing_ok=True)
        self._db = self._open(durable=durable)
        self._index = index(self._db)
        _logger.warning("%s was damaged (%s) and is written anew; as it was, it lies in %s", path, problem, damaged)

    def _begin_or_go_on(self, record: Mapping[str, Any] | None, *, adopt: bool) -> None:
        about = {"format": FORMAT, "kenyon": versions()["kenyon"], **(record or {})}
        words = {name: json.dumps(value) for name, value in about.items()}
        with storage(self.where):
            number = format_of(self._db)
            if number is None:
                with self._whole_transaction():
                    for statement in statements(TABLES):
                        self._db.execute(statement)
                    write_about(self._db, words)
                return
            kept = read_about(self._db, number)
        if record is not None:
            self._compare({**kept, "format": str(FORMAT)}, words, adopt=adopt)
        with storage(self.where):
            if number != FORMAT:
                upgrade(self._db)
            if record is not None and kept.get("kenyon") != words["kenyon"]:
                with self._whole_transaction():
                    write_about(self._db, words)

    @contextmanager
    def _whole_transaction(self) -> Iterator[None]:
        """What concerns the file, not larvae."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _compare(self, kept: Mapping[str, str], words: Mapping[str, str], *, adopt: bool) -> None:
        """Refuse to go on with larvae that live under something else."""
        differences = [name for name in {**kept, **words} if kept.get(name) != words.get(name)]
        if not differences or (adopt and differences == ["kenyon"]):
            return
        # One name stands for all constants of a set.
        named = [name for name in differences if "parameters" not in differences or name not in constants()]
        began = ", ".join(f"{name} = {_in_words(name, kept)}" for name in named)
        came = ", ".join(_in_words(name, words) for name in named)
        options = " ".join(
            f"{_OPTIONS[name]} {_as_option(name, kept[name])}" if name in kept else f"no {_OPTIONS[name].split()[0]}"
            for name in named
            if name in _OPTIONS
        )
        remedy = f"start with {options or 'those'}, or give another --state-dir"
        if named == ["kenyon"]:
            remedy = "start that version, or give --adopt to go on with this one, or another --state-dir"
        raise MismatchError(
            f"the larvae in {self.where} must go on under what they began with, {began}, got {came}; {remedy}"
        )


def _in_words(name: str, values: Mapping[str, str]) -> str:
    """Return a value of the record as a sentence has room for it: odors of one's own by names and ids."""
    words = values.get(name)
    if name != "own_odors" or words is None:
        return f"{words}"
    return ", ".join(f"{own} ({odor.id})" for own, odor in own_odors_of({name: json.loads(words)}).items())


def _as_option(name: str, words: str) -> str:
    """Return a value of the record as it is typed after its option."""
    if name == "own_odors":
        return _in_words(name, {name: words})
    value = json.loads(words)
    return f"'{';'.join(value)}'" if isinstance(value, list) else str(value)


def _free(path: Path) -> Path:
    """Return a path, or, where something lies there, one with a number: what an earlier damage left is not replaced."""
    return next(own for number in count(1) if not (own := path if number == 1 else Path(f"{path}-{number}")).exists())


def _touch_private(path: Path) -> None:
    """Make a file that its owner alone can read; SQLite's other files then are like it."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)
