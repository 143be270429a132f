"""What a server has kept of its larvae, for those who only look, whether the server runs or not.

Law of this file: a larva leaves it as it was kept, within the bounds of what compiled code may be given, or not at all.
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from platformdirs import user_state_path

from kenyon import checks
from kenyon.errors import DamagedError, KenyonError, StorageError
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.parameters import PUBLISHED, Parameters, constants
from kenyon.server.journal_file import (
    FILE,
    FORMAT,
    Inputs,
    birth_checksum,
    claimed,
    format_of,
    input_checksum,
    larva_checksum,
    open_file,
    read_about,
    storage,
)
from kenyon.server.journal_upgrade import upgraded_copy
from kenyon.server.life import Ids, Life, lived_ms
from kenyon.server.requests import Step, check_step
from kenyon.server.settings import MEMORY
from kenyon.wire.messages import Id, spelling
from kenyon.words import shown

# What comes of reading rows that are not as a server has written them.
_DAMAGED = (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError, MemoryError)

_MOST_NUMBER = 2**53
"""No journal gets so far; a number above is damaged."""

_LATEST_S = 1e11
"""Some three thousand years on."""


class Row(NamedTuple):
    """One line of the list of larvae.

    Attributes:
        sim_id: The simulation.
        model_id: The larva in it.
        steps: How many it has done; None where it is damaged.
        at: When it did the last, s since 1970; None where it is damaged.
        damage: What is wrong with it, in a sentence; None where nothing is.
    """

    sim_id: Id
    model_id: Id
    steps: int | None
    at: float | None
    damage: str | None = None


class Lives:
    """What can be read of lives, by a server or beside it.

    Attributes:
        where: The file.
    """

    where: str
    _db: sqlite3.Connection
    _parameters: Parameters | None

    def find(self, ids: Ids) -> tuple[Life | None, Life | None]:
        """Return the life of a larva, and the one it has replaced, where there are any.

        Raises:
            DamagedError: it is not as it was kept.
            StorageError: the file cannot be read.
        """
        with storage(self.where):
            try:
                lives = [self._life(number) for number in self._lives.get(name_of(ids), ())]
                if len(lives) > 2:
                    raise ValueError(f"it is there {len(lives)} times")
            except sqlite3.OperationalError:
                raise  # The disk, not what is on it.
            except (*_DAMAGED, sqlite3.Error) as reason:
                raise DamagedError(
                    f"larva {shown(ids[1])} of {shown(ids[0])} must be as it was kept in {self.where}, but is damaged: "
                    f"{reason}; begin it anew at step 0, delete it, or put back a copy of the folder"
                ) from None
        present = lives[-1] if lives else None
        return present, lives[0] if len(lives) > 1 else None

    def ids(self) -> list[Ids]:
        """Return what names each larva, whether it is damaged or not."""
        found = (_ids_of(name) for name in self._lives)
        return [ids for ids in found if ids is not None]

    def rows(self) -> list[Row]:
        """Return every larva, the damaged first, then the one stepped last."""
        return sorted(map(self._row, self.ids()), key=lambda row: float("-inf") if row.at is None else -row.at)

    def record(self) -> dict[str, Any]:
        """Return what the larvae live under, and what began it.

        Raises:
            StorageError: it is damaged.
        """
        with storage(self.where):
            return {name: json.loads(value) for name, value in read_about(self._db, FORMAT).items()}

    def _row(self, ids: Ids) -> Row:
        try:
            life, _ = self.find(ids)
        except DamagedError as reason:
            return Row(*ids, None, None, str(reason))
        return Row(*ids, None, None) if life is None else Row(*ids, life.next_step, life.at)

    def _life(self, number: int) -> Life:
        _, since, _, seed, base_seed, _, larva_step, request, reply, at, _, larva = self._record(number)
        if larva is not None:
            self._check_larva(larva)
        last = None if request is None or reply is None else (self._step(request), _whole(reply))
        inputs = self._inputs_of(number, since)
        replay = [self._step(asked) for asked, _, _ in inputs]
        if inputs:
            _, reply, at = inputs[-1]
            last = (replay[-1], _whole(reply))
        if [step.step for step in replay] != list(range(larva_step, larva_step + len(replay))):
            raise ValueError("a step is missing")
        next_step = larva_step + len(replay)
        checks.integer("the step of its record", larva_step, low=0, high=_MOST_NUMBER)
        checks.number("the time of its last step", at, low=0.0, high=_LATEST_S)
        checks.integer("its seed", int(seed), low=0, high=2**256 - 1)
        if base_seed is not None:
            checks.integer("its base seed", base_seed, low=0, high=2**63 - 1)
        unsaved_ms = sum(map(lived_ms, replay))
        return Life(
            number, int(seed), base_seed, larva, next_step, tuple(replay), last, unsaved_ms, len(replay), float(at)
        )

    def _record(self, number: int) -> tuple[Any, ...]:
        """Return the row of a life, which is as it was written."""
        row = self._db.execute("SELECT * FROM lives WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise LookupError("its record is missing")
        _, since, name, seed, base_seed, birth, step, request, reply, at, kept, larva = row
        if birth != birth_checksum(number, name, seed, base_seed) or kept != larva_checksum(
            number, since, step, request, reply, at, larva
        ):
            raise ValueError("its record has another checksum")
        return tuple(row)

    def _is_whole(self, number: int) -> bool:
        """Return whether the row of a life is as it was written."""
        try:
            self._record(number)
        except sqlite3.OperationalError:
            raise
        except (*_DAMAGED, sqlite3.Error):
            return False
        return True

    def _inputs_of(self, life: int, since: int) -> list[tuple[str, str, float]]:
        """Return request, reply and time of the steps of a life from a row on."""
        numbers = [number for number in self._inputs.get(life, ()) if number >= since]
        places = ", ".join("?" * len(numbers))
        rows = self._db.execute(
            f"SELECT * FROM inputs WHERE id IN ({places}) ORDER BY id",  # noqa: S608  # question marks alone
            numbers,
        ).fetchall()
        if [number for number, *_ in rows] != numbers:
            raise LookupError("a step is missing")
        for _, owner, *_ in rows:
            if owner != life:
                raise ValueError("a step is of another larva")
        if not all(own == input_checksum(*row) for *row, own in rows):
            raise ValueError("a step has another checksum")
        return [(request, reply, at) for _, _, request, reply, at, _ in rows]

    def _check_larva(self, larva: bytes) -> None:
        if len(larva) != states.PACKED.itemsize:
            raise ValueError(f"a larva must be of {states.PACKED.itemsize} bytes, got {len(larva)}")
        if self._parameters is not None:
            states.check(self._parameters, states.arrays(states.unpack([larva])))

    def _step(self, text: str) -> Step:
        step = Step.from_json(text)
        if self._parameters is not None:
            check_step(self._parameters, step)
        return step

    def _look_up(self) -> None:
        """Learn which larvae there are, and where their inputs lie; what one table has lost, its counterpart knows."""
        with storage(self.where):
            names = dict(self._scan("SELECT id, ids FROM names"))
            born = {life: (ids, since) for life, ids, since in self._scan("SELECT id, ids, since FROM lives")}
            said = dict(self._scan("SELECT id, life FROM inputs"))
            again = self._claims()
            self._lives = self._find_lives({life: ids for life, (ids, _) in born.items()}, names)
            self._inputs = self._find_inputs(said, again, {life: since for life, (_, since) in born.items()})
        self._next_life = _after(*names, *born, *said.values(), *again.values())
        self._next_input = _after(*said, *again)
        self._read = len(said)

    def _find_lives(self, own: Mapping[int, Any], names: Mapping[int, Any]) -> dict[str, list[int]]:
        """Return the lives of each name, the oldest first, from what they say themselves and what `names` says."""
        lives: dict[str, list[int]] = {}
        for life in sorted(own.keys() | names.keys()):
            name = own.get(life)
            if name is None or (name != names.get(life) and not self._is_whole(life)):
                name = names.get(life)
            if name is not None:
                lives.setdefault(name, []).append(life)
        return lives

    def _find_inputs(self, own: Mapping[int, Any], again: Mapping[int, int], since: Mapping[int, Any]) -> Inputs:
        """Return the needed inputs of each life, from what they say themselves and what `commits` says."""
        first = {life: 0 for lives in self._lives.values() for life in lives}
        first.update({life: since[life] for life in first.keys() & since.keys() if isinstance(since[life], int)})
        inputs: Inputs = {}
        for number in sorted(own.keys() | again.keys()):
            life = own.get(number)
            if life is None or (life != again.get(number) and not self._is_input(number)):
                life = again.get(number)
            if life in first and number >= first[life]:
                inputs.setdefault(life, []).append(number)
        return inputs

    def _scan(self, query: str) -> list[Any]:
        """Return as many rows as can be read; what is missing is known from elsewhere."""
        rows = []
        try:
            for row in self._db.execute(query):
                rows.append(row)  # noqa: PERF402  # or those before the damage would be lost with it
        except sqlite3.OperationalError:
            raise
        except (sqlite3.DatabaseError, MemoryError):
            pass
        return rows

    def _claims(self) -> dict[int, int]:
        """Return whose each input is that `commits` knows."""
        owners: dict[int, int] = {}
        for commit in self._scan("SELECT id, lives, checksum FROM commits"):
            with suppress(*_DAMAGED):  # Then the inputs themselves say whose they are.
                owners.update(claimed(*commit))
        return owners

    def _is_input(self, number: int) -> bool:
        """Return whether an input can be read that is whose it says."""
        try:
            row = self._db.execute("SELECT * FROM inputs WHERE id = ?", (number,)).fetchone()
            return row is not None and input_checksum(*row[:-1]) == row[-1]
        except (*_DAMAGED, sqlite3.DatabaseError):
            return False


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
            self._file = self._db = open_file(self.where, read_only=True)
        try:
            with storage(self.where):
                # Everything is then read as it was at one moment, whatever a server writes meanwhile.
                self._file.execute("BEGIN")
                self._db = _as_now(self._file)
            self._parameters = parameters_of(self.record())
            self._look_up()
        except BaseException:
            self.close()
            raise

    def problems(self) -> list[str]:
        """Return what SQLite finds wrong with the file as a whole, a line each."""
        with storage(self.where):
            try:
                lines = [str(line) for (line,) in self._file.execute("PRAGMA quick_check(10)")]
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as reason:
                lines = [str(reason)]
        return [line for whole in lines if whole != "ok" for line in whole.splitlines()]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
        self._file.close()


def default_state_dir() -> Path:
    """Return where a server keeps its larvae if nothing else is said: in the user's state folder."""
    return Path(user_state_path("kenyon"))


def stored_parameters(record: Mapping[str, Any]) -> Parameters:
    """Return the constants that a record names.

    Raises:
        InputError: they are not those of this version.
    """
    return PUBLISHED.replace({name: record[name] for name in constants()})


def parameters_of(record: Mapping[str, Any]) -> Parameters | None:
    """Return the constants that a record names; None where they are those of another version."""
    try:
        return stored_parameters(record)
    except (KenyonError, LookupError):
        return None


def name_of(ids: Ids) -> str:
    """Return what names a larva in the tables; `1` and `"1"` are two."""
    return json.dumps(ids)


def _ids_of(name: str) -> Ids | None:
    """Return the ids that a name is of; None where it is of none."""
    try:
        sim_id, model_id = json.loads(name)
    except _DAMAGED:
        return None
    return (sim_id, model_id) if all(type(own) in (int, str) for own in (sim_id, model_id)) else None


def _as_now(db: sqlite3.Connection) -> sqlite3.Connection:
    """Return an open file as one of the present format: itself, or a copy in memory."""
    number = format_of(db)
    if number is None:
        raise sqlite3.DatabaseError("it holds no larvae")
    if number == FORMAT:
        return db
    copy = open_file(MEMORY)
    upgraded_copy(db, copy)
    return copy


def _after(*numbers: Any) -> int:
    """Return the number after all of these; what is none is damaged, and known as that."""
    return max((number for number in numbers if isinstance(number, int) and number < _MOST_NUMBER), default=0) + 1


def _whole(reply: str) -> str:
    """Return a reply as it was kept, spelled anew: what no server has written would break the frame it is sent in."""
    kwargs = json.loads(reply)
    if not isinstance(kwargs, dict):
        raise ValueError(f"a reply must be values by name, got {shown(reply)}")  # noqa: TRY004  # as of any damaged row
    return spelling(kwargs)
