"""A state directory of format 1, which had no checksums, is read, and goes on where it was.

`format1` was made with the commit before there were checksums: what a server kept that was killed, and what it would
have answered next. One larva has a circuit and inputs, one is newborn and has probes, and the life of one was put aside
by a step 0 and comes back.
"""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kenyon.errors import DamagedError, MismatchError
from kenyon.mushroom_body import BALANCED
from kenyon.server.journal import Journal
from kenyon.server.journal_file import FORMAT
from kenyon.server.journal_reader import JournalReader, Lives
from kenyon.server.settings import Settings
from tests.server.kept import FILE
from tests.server.running import Running, step

OLD = Path(__file__).parent / "format1"
RECORD = Settings(parameters=BALANCED).record()  # what was the default then
LARVAE: list[tuple[Any, Any]] = [("run", 0), ("run", "0"), (7, "süß")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of it."""
    folder = tmp_path / "old"
    folder.mkdir()
    shutil.copy(OLD / FILE, folder)
    return folder


def lives(journal: Lives) -> list[Any]:
    """Return everything that is known of the larvae."""
    assert set(journal.ids()) == set(LARVAE)
    return [journal.find(ids) for ids in LARVAE]


def test_an_old_directory_is_looked_at_without_being_changed(folder: Path) -> None:
    """By those who only look; they find what a server finds afterward."""
    before = (folder / FILE).read_bytes()
    with closing(JournalReader(folder)) as reading:
        looked_at = lives(reading)
        assert reading.problems() == []
        rows = {(row.sim_id, row.model_id): row.steps for row in reading.rows()}
    assert (folder / FILE).read_bytes() == before
    assert rows == {("run", 0): 60, ("run", "0"): 3, (7, "süß"): 1}
    assert [replaced and replaced.next_step for _, replaced in looked_at] == [None, None, 5]
    for opens in (lambda: Journal(folder, RECORD, adopt=True), lambda: JournalReader(folder)):
        with closing(opens()) as journal:
            assert lives(journal) == looked_at
            assert journal.record()["format"] == FORMAT


def test_an_old_directory_goes_on_as_if_nothing_had_been(folder: Path) -> None:
    """The same replies as from a server of its own time, retries and a life that comes back among them."""
    want = json.loads((OLD / "replies.json").read_text("utf-8"))
    with Running(folder, "--adopt", "--parameters", "balanced") as server:
        for sim_id, model_id, number, changes, reply in want:
            assert server.ask(step(sim_id, model_id, number, **changes)) == [reply]
            if number in (60, 5):  # of a larva upgraded as it was, and of a life that comes back
                server.kill()
                server.start()
            assert server.ask(step(sim_id, model_id, number, **changes)) == [reply]


def test_an_old_directory_that_is_refused_stays_as_it_is(folder: Path) -> None:
    """Whoever started a server with other settings may still start the old one."""
    with pytest.raises(MismatchError):
        Journal(folder, {**RECORD, "seed": 5}, adopt=True)
    with closing(sqlite3.connect(folder / FILE)) as db:
        assert db.execute("SELECT value FROM about WHERE name = 'format'").fetchone() == ("1",)
        assert db.execute("SELECT count(*) FROM lives").fetchone() == (4,)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE lives SET larva = x'00' WHERE id = 1",
        "UPDATE lives SET larva = zeroblob(9280) WHERE id = 1",
        "UPDATE lives SET request = CAST(x'ff' AS TEXT) WHERE id = 1",
        "UPDATE lives SET larva_step = 'x' WHERE id = 1",
        "UPDATE lives SET larva_step = 49 WHERE id = 1",
        "UPDATE lives SET seed = 'x' WHERE id = 1",
        "UPDATE inputs SET at = 1e300 WHERE life = 1",
        "UPDATE inputs SET request = '[]' WHERE life = 1",
        "UPDATE inputs SET request = replace(request, '20.0', '1e9') WHERE life = 1",
        "UPDATE inputs SET reply = CAST(x'ff' AS TEXT) WHERE life = 1",
        "UPDATE inputs SET step = step + 1 WHERE life = 1",
        "UPDATE inputs SET step = 'x' WHERE life = 1 AND step = 52",
        "DELETE FROM inputs WHERE life = 1 AND step = 52",
    ],
)
def test_what_is_damaged_in_an_old_directory_is_refused_alone(folder: Path, change: str) -> None:
    """What its values show, for there were no checksums; the others get theirs."""
    with closing(JournalReader(folder)) as reading:
        _, *others = lives(reading)
    with closing(sqlite3.connect(folder / FILE)) as db, db:
        db.execute(change)
    openers: list[Callable[[], Journal | JournalReader]] = [
        lambda: JournalReader(folder),
        lambda: Journal(folder, RECORD, adopt=True),
        lambda: JournalReader(folder),
    ]
    for opens in openers:
        with closing(opens()) as journal:
            with pytest.raises(DamagedError, match="larva 0 of 'run' must be as it was kept"):
                journal.find(LARVAE[0])
            assert [journal.find(ids) for ids in LARVAE[1:]] == others
