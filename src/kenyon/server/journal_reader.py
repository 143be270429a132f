"""What a server has kept of its larvae, for those who only look, whether the server runs or not.

Law of this file: a larva leaves it as it was kept, within the bounds of what compiled code may be given, or not at all.
"""

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from platformdirs import user_state_path

from kenyon import checks
from kenyon.errors import DamagedError, KenyonError, StorageError
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.odors import Odor, from_plain
from kenyon.mushroom_body.parameters import Parameters, constants, restated
from kenyon.mushroom_body.wiring import RANDOM, check_wiring
from kenyon.server.journal_file import FILE, FORMAT, format_of, open_file, problems, read_about, storage
from kenyon.server.journal_index import DAMAGED, Index, index, inputs, record
from kenyon.server.journal_upgrade import upgraded_copy
from kenyon.server.life import Ids, Life, lived_ms
from kenyon.server.requests import Step, check_step
from kenyon.server.settings import MEMORY
from kenyon.wire.messages import Id, spelling
from kenyon.words import shown

_MOST_STEPS = 2**53 + 1
"""What a larva waits for that has done as many as it may."""

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
    _own_odors: Mapping[str, Odor]
    _index: Index

    def find(self, ids: Ids) -> tuple[Life | None, Life | None]:
        """Return the life of a larva, and the one it has replaced, where there are any.

        Raises:
            DamagedError: it is not as it was kept.
            StorageError: the file cannot be read.
        """
        with storage(self.where):
            try:
                lives = [self._life(number) for number in self._index.lives.get(name_of(ids), ())]
                if len(lives) > 2:
                    raise ValueError(f"it is there {len(lives)} times")
            except sqlite3.OperationalError:
                raise  # The disk, not what is on it.
            except (*DAMAGED, sqlite3.Error) as reason:
                raise DamagedError(
                    f"larva {shown(ids[1])} of {shown(ids[0])} must be as it was kept in {self.where}, but is damaged: "
                    f"{reason}; begin it anew at step 0, delete it, or put back a copy of the folder"
                ) from None
        present = lives[-1] if lives else None
        return present, lives[0] if len(lives) > 1 else None

    def ids(self) -> list[Ids]:
        """Return what names each larva, whether it is damaged or not."""
        found = (_ids_of(name) for name in self._index.lives)
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
        _, since, _, seed, base_seed, _, larva_step, request, reply, at, _, larva = record(self._db, number)
        larva = None if larva is None else states.as_now(larva)
        last = None if request is None or reply is None else (self._step(request), _whole(reply))
        numbers = [own for own in self._index.inputs.get(number, ()) if own >= since]
        rows = inputs(self._db, number, numbers)
        replay = [self._step(asked) for _, _, asked, *_ in rows]
        if rows:
            *_, reply, at, _ = rows[-1]
            last = (replay[-1], _whole(reply))
        next_step = larva_step + len(replay)
        if [step.step for step in replay] != list(range(larva_step, next_step)):
            raise ValueError("a step is missing")
        unsaved_ms = sum(map(lived_ms, replay))
        life = Life(number, int(seed), base_seed, larva, next_step, tuple(replay), last, unsaved_ms, len(replay), at)
        self._check_bounds(life)
        return life

    def _check_bounds(self, life: Life) -> None:
        """Refuse what no server can have written, though its checksum is right: somebody else has."""
        checks.integer("the step it waits for", life.next_step, low=0, high=_MOST_STEPS)
        checks.number("the time of its last step", life.at, low=0.0, high=_LATEST_S)
        checks.integer("its seed", life.seed, low=0, high=2**256 - 1)
        if life.base_seed is not None:
            checks.integer("its base seed", life.base_seed, low=0, high=2**63 - 1)
        if life.larva is not None:
            self._check_larva(life.larva)

    def _check_larva(self, larva: bytes) -> None:
        states.layout_of_packed(larva)
        if self._parameters is not None:
            states.check(self._parameters, states.arrays(states.unpack([larva])))

    def _step(self, text: str) -> Step:
        step = Step.from_json(text, self._own_odors)
        if self._parameters is not None:
            check_step(self._parameters, step)
        return step


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
            about = self.record()
            self._parameters, self._own_odors = parameters_of(about), own_odors_of(about)
            with storage(self.where):
                self._index = index(self._db)
        except BaseException:
            self.close()
            raise

    def problems(self) -> list[str]:
        """Return what SQLite finds wrong with the file as a whole, a line each."""
        with storage(self.where):
            return problems(self._file)

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
    return restated({name: record[name] for name in constants() if name in record})


def stored_wiring(record: Mapping[str, Any]) -> str:
    """Return how the newborn larvae of a record are wired.

    Raises:
        InputError: it is no wiring of this version.
    """
    return check_wiring(record.get("wiring", RANDOM))


def parameters_of(record: Mapping[str, Any]) -> Parameters | None:
    """Return the constants that a record names; None where they are those of another version."""
    try:
        return stored_parameters(record)
    except (KenyonError, LookupError):
        return None


def own_odors_of(record: Mapping[str, Any]) -> dict[str, Odor]:
    """Return the odors, besides the measured ones, that a record names, by name; none where they are no odors here."""
    try:
        odors = [from_plain(said) for said in record.get("own_odors", [])]
    except (KenyonError, TypeError):
        return {}
    return {odor.name: odor for odor in odors}


def name_of(ids: Ids) -> str:
    """Return what names a larva in the tables; `1` and `"1"` are two."""
    return json.dumps(ids)


def _ids_of(name: str) -> Ids | None:
    """Return the ids that a name is of; None where it is of none."""
    try:
        sim_id, model_id = json.loads(name)
    except DAMAGED:
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


def _whole(reply: str) -> str:
    """Return a reply as it was kept, spelled anew: what no server has written would break the frame it is sent in."""
    kwargs = json.loads(reply)
    if not isinstance(kwargs, dict):
        raise ValueError(f"a reply must be values by name, got {shown(reply)}")  # noqa: TRY004  # as of any damaged row
    return spelling(kwargs)
