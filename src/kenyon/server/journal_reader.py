"""What a server has kept of its larvae, for those who only look, whether the server runs or not."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from platformdirs import user_state_path

from kenyon.errors import LockedError, StorageError
from kenyon.mushroom_body.parameters import PUBLISHED, Parameters, constants
from kenyon.mushroom_body.state import PACKED
from kenyon.server.life import Ids, Life, lived_ms
from kenyon.server.requests import Step
from kenyon.server.settings import MEMORY
from kenyon.wire.messages import Id, spelling
from kenyon.words import shown

FILE = "larvae.sqlite"
FORMAT = 1

TABLES = """
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
"""How larvae lie in the file: the schema of format 1."""

_BUSY_MS = 2000
# What comes of reading rows that somebody has changed by hand.
_DAMAGED = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


class Row(NamedTuple):
    """One line of the list of larvae."""

    sim_id: Id
    model_id: Id
    steps: int
    at: float


class Lives:
    """What can be read of lives, by a server or beside it.

    Attributes:
        where: The file.
    """

    where: str
    _db: sqlite3.Connection

    def find(self, ids: Ids) -> tuple[Life | None, Life | None]:
        """Return the life of a larva, and the one it has replaced, where there are any.

        Raises:
            StorageError: what was kept cannot be read.
        """
        with storage(self.where):
            found = self._db.execute(
                "SELECT replaced, id, seed, base_seed, larva, larva_step, request, reply, at FROM lives WHERE ids = ?",
                (name_of(ids),),
            )
            try:
                lives = {bool(replaced): self._kept(*life) for replaced, *life in found.fetchall()}
            except _DAMAGED as reason:
                raise sqlite3.DatabaseError(f"larva {shown(ids[1])} of {shown(ids[0])} is damaged: {reason}") from None
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
    ) -> Life:
        if larva is not None and len(larva) != PACKED.itemsize:
            raise sqlite3.DatabaseError(f"a larva must be of {PACKED.itemsize} bytes, got {len(larva)}")
        inputs = self._inputs_of(life, larva_step)
        replay = tuple(Step.from_json(own) for own, _, _ in inputs)
        if [step.step for step in replay] != list(range(larva_step, larva_step + len(replay))):
            raise ValueError("a step is missing")
        last = None if request is None or reply is None else (Step.from_json(request), _whole(reply))
        if inputs:
            _, reply, at = inputs[-1]
            last = (replay[-1], _whole(reply))
        next_step = replay[-1].step + 1 if replay else larva_step
        unsaved_ms = sum(map(lived_ms, replay))
        return Life(life, int(seed), base_seed, larva, next_step, replay, last, unsaved_ms, len(replay), at)

    def _inputs_of(self, life: int, first: int) -> list[tuple[str, str, float]]:
        """Return request, reply and time of the steps of a life from one on."""
        return self._db.execute(
            "SELECT request, reply, at FROM inputs WHERE life = ? AND step >= ? ORDER BY id", (life, first)
        ).fetchall()


class JournalReader(Lives):
    """The journal of a state directory for those who only look, whether a server has it or not.

    Args:
        state_dir: The folder.

    Raises:
        StorageError: there is no journal, or it cannot be read.
    """

    def __init__(self, state_dir: str | Path) -> None:
        self.where = str(Path(state_dir) / FILE)
        if not Path(self.where).is_file():
            raise StorageError(
                f"{state_dir} must be a state directory of a server, got no {FILE} in it; give the --state-dir that "
                "the server was started with"
            )
        with storage(self.where):
            self._db = open_file(self.where, read_only=True)
            try:
                # Everything is then read as it was at one moment, whatever a server writes meanwhile.
                self._db.execute("BEGIN")
            except BaseException:
                self._db.close()
                raise

    def record(self) -> dict[str, Any]:
        """Return what the larvae live under, and what began it."""
        with storage(self.where):
            about = self._db.execute("SELECT name, value FROM about").fetchall()
            try:
                return {name: json.loads(value) for name, value in about}
            except _DAMAGED as reason:
                raise sqlite3.DatabaseError(f"what it was begun with is damaged: {reason}") from None

    def rows(self) -> list[Row]:
        """Return every larva, the one stepped last first."""
        with storage(self.where):
            found = self._db.execute(
                "SELECT lives.ids, coalesce(max(inputs.step) + 1, larva_step), "
                "coalesce(max(inputs.at), lives.at) AS last "
                "FROM lives LEFT JOIN inputs ON inputs.life = lives.id AND inputs.step >= larva_step "
                "WHERE replaced = 0 "
                "GROUP BY lives.id ORDER BY last DESC"
            ).fetchall()
            try:
                rows = ((json.loads(ids), int(steps), float(at)) for ids, steps, at in found)
                return [Row(sim_id, model_id, steps, at) for (sim_id, model_id), steps, at in rows]
            except _DAMAGED as reason:
                raise sqlite3.DatabaseError(f"a larva is damaged: {reason}") from None

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


def name_of(ids: Ids) -> str:
    """Return what names a larva in the tables; `1` and `"1"` are two."""
    return json.dumps(ids)


def open_file(where: str, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the file of a journal."""
    # One thread at a time uses it; Python would bind it to the one that opened it.
    if read_only:
        uri = f"{Path(where).absolute().as_uri()}?mode=ro"
        return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_MS / 1000)
    if where != MEMORY:
        where = str(Path(where).absolute())  # Or a name that begins with "file:" would be read as an address.
    return sqlite3.connect(where, isolation_level=None, check_same_thread=False, timeout=_BUSY_MS / 1000)


def _whole(reply: str) -> str:
    """Return a reply as it was kept, spelled anew: what no server has written would break the frame it is sent in."""
    kwargs = json.loads(reply)
    if not isinstance(kwargs, dict):
        raise ValueError(f"a reply must be values by name, got {shown(reply)}")  # noqa: TRY004  # as of any damaged row
    return spelling(kwargs)


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
            f"{where} must be writable and whole, but: {words}; see to the disk, or give another --state-dir"
        ) from None
