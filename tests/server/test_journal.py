"""What is kept is kept whole, found again, and no more than it has to be."""

import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kenyon.errors import MismatchError
from kenyon.mushroom_body import BALANCED
from kenyon.mushroom_body.state import newborn, pack
from kenyon.server import journal as journals
from kenyon.server.journal import Journal
from kenyon.server.journal_reader import JournalReader
from kenyon.server.life import Ids
from kenyon.server.requests import Step
from kenyon.server.settings import Settings

RECORD = Settings().record()
LARVA = pack(newborn(BALANCED, [1]))[0]
IDS: list[Ids] = [("run", 0), ("run", "0"), (7, "süß"), (-(2**63), '"]')]


def reply(number: int) -> str:
    """Return a reply that differs from others."""
    return f'{{"MBONp": {number / 7}}}'


class Model(RuleBasedStateMachine):
    """The journal beside a dictionary, through steps, snapshots, restarts and transactions that fail."""

    def __init__(self) -> None:
        super().__init__()
        self.lives: dict[Any, dict[str, Any]] = {}

    @initialize(folder=st.just(None))
    def begin(self, folder: None) -> None:  # noqa: ARG002  # hypothesis passes it
        """Start with an empty folder."""
        self.folder = Path(tempfile.mkdtemp())
        self.journal = Journal(self.folder, RECORD)

    @rule(ids=st.sampled_from(IDS))
    def step(self, ids: Any) -> None:
        """Do a step, which begins a life where there is none."""
        life = self.lives.get(ids)
        with self.journal.transaction():
            if life is None:
                number = self.journal.begin(ids, 2**200 + 1, 5)
                life = self.lives[ids] = {"number": number, "next": 0, "larva": None, "replay": [], "last": None}
            asked = Step(life["next"], {"anisole": 1.5}, 100.0, probe=("anisole",))
            self.journal.add_step(life["number"], asked, reply(life["next"]))
        life["replay"].append(asked)
        life["last"] = (asked, reply(life["next"]))
        life["next"] += 1

    @rule(ids=st.sampled_from(IDS))
    def renew(self, ids: Any) -> None:
        """Keep a circuit."""
        life = self.lives.get(ids)
        if life is not None:
            with self.journal.transaction():
                self.journal.renew(life["number"], LARVA, *life["last"])
            life["larva"], life["replay"] = LARVA, []

    @rule(ids=st.sampled_from(IDS))
    def end(self, ids: Any) -> None:
        """Forget a life."""
        if ids in self.lives:
            with self.journal.transaction():
                self.journal.end(ids, self.lives.pop(ids)["number"])

    @rule(ids=st.sampled_from(IDS))
    def fail(self, ids: Any) -> None:
        """A transaction that fails at its end has kept nothing."""
        with suppress(ZeroDivisionError), self.journal.transaction():
            number = self.journal.begin(("other", 1), 1, None)
            self.journal.add_step(number, Step(0, {}, 1.0), "{}")
            if ids in self.lives:
                self.journal.end(ids, self.lives[ids]["number"])
            raise ZeroDivisionError

    @rule()
    def tidy(self) -> None:
        """Delete what nobody needs."""
        self.journal.tidy()

    @rule()
    def reopen(self) -> None:
        """Start again."""
        self.journal.close()
        self.journal = Journal(self.folder, RECORD)

    @precondition(lambda self: hasattr(self, "journal"))
    @invariant()
    def is_what_was_kept(self) -> None:
        """Every life, through the journal and through a reader beside it."""
        with closing(JournalReader(self.folder)) as reading:
            for ids in IDS:
                life = self.lives.get(ids)
                for source in (self.journal, reading):
                    kept, replaced = source.find(ids)
                    assert replaced is None
                    if life is None:
                        assert kept is None
                    else:
                        assert kept is not None
                        assert (kept.number, kept.seed, kept.base_seed) == (life["number"], 2**200 + 1, 5)
                        assert (kept.larva, kept.next_step) == (life["larva"], life["next"])
                        assert (list(kept.replay), kept.last) == (life["replay"], life["last"])
            listed = {(row.sim_id, row.model_id): row.steps for row in reading.rows()}
        assert listed == {ids: life["next"] for ids, life in self.lives.items()}
        assert len(self.journal) == len(self.lives)

    def teardown(self) -> None:
        """Close."""
        if hasattr(self, "journal"):
            self.journal.close()
            shutil.rmtree(self.folder)


TestModel = pytest.mark.usefixtures("eager")(Model.TestCase)
TestModel.settings = settings(max_examples=25, stateful_step_count=25)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let inputs be deleted as soon as they may."""
    monkeypatch.setattr(journals, "_TIDY_AFTER", 2)


def test_inputs_are_deleted_in_bulk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that a snapshot has made superfluous, and those of lives that have ended; none that are needed."""
    monkeypatch.setattr(journals, "_TIDY_AFTER", 10)
    with closing(Journal(tmp_path, RECORD)) as journal:
        for larva in range(3):
            with journal.transaction():
                life = journal.begin(("run", larva), 1, 1)
                for number in range(5):
                    journal.add_step(life, Step(number, {}, 1.0), reply(number))
            with journal.transaction():
                if larva == 0:
                    journal.renew(life, LARVA, Step(4, {}, 1.0), reply(4))
                if larva == 1:
                    journal.end(("run", larva), life)
        journal.tidy()
        with closing(sqlite3.connect(tmp_path / "larvae.sqlite")) as db:
            assert db.execute("SELECT count(*) FROM inputs").fetchone() == (5,)
        assert [journal.find(("run", larva))[0] is not None for larva in range(3)] == [True, False, True]
        kept, _ = journal.find(("run", 0))
        assert kept is not None
        assert (kept.next_step, kept.last) == (5, (Step(4, {}, 1.0), reply(4)))


def test_a_life_put_aside_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    """And found as such, also by those who start again."""
    with closing(Journal(tmp_path, RECORD)) as journal, journal.transaction():
        old = journal.begin(("run", 0), 1, 1)
        journal.add_step(old, Step(0, {}, 1.0), reply(0))
        journal.begin(("run", 0), 1, 1)
    with closing(Journal(tmp_path, RECORD)) as journal:
        present, replaced = journal.find(("run", 0))
        assert present is not None
        assert replaced is not None
        assert (present.next_step, replaced.next_step, replaced.number) == (0, 1, old)
        assert len(journal) == 1


def test_another_record_is_refused_with_every_difference(tmp_path: Path) -> None:
    """By name, with both values."""
    Journal(tmp_path, {"seed": 0, "odors": ["anisole"]}).close()
    with pytest.raises(
        MismatchError, match=r'seed = 0, odors = \["anisole"\], got 1, \["x"\]; start with --seed 0 --odors'
    ):
        Journal(tmp_path, {"seed": 1, "odors": ["x"]})
    Journal(tmp_path, {"seed": 0, "odors": ["anisole"]}).close()


def test_odd_paths_are_paths(tmp_path: Path) -> None:
    """Spaces, letters of other scripts, and what means something in an address."""
    for name in ("a b", "süß", "what?mode=rw", "50%", "a#b"):
        folder = tmp_path / name / "in it"
        with closing(Journal(folder, RECORD)) as journal, journal.transaction():
            journal.begin(("run", 0), 1, 1)
        with closing(JournalReader(folder)) as reading:
            assert len(reading.rows()) == 1
            assert reading.record() == {"format": 2, "kenyon": reading.record()["kenyon"], **RECORD}
