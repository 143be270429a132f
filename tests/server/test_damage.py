"""What is damaged is refused, for the larva whose it is, and nothing of it reaches compiled code; all others go on."""

import json
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kenyon.errors import DamagedError, StorageError
from kenyon.mushroom_body import BALANCED
from kenyon.mushroom_body.state import arrays, newborn, pack
from kenyon.server import journal as journals
from kenyon.server.journal import Journal
from kenyon.server.journal_file import input_checksum
from kenyon.server.journal_reader import JournalReader, Lives
from kenyon.server.life import Ids, Life
from kenyon.server.requests import Step
from kenyon.server.settings import MEMORY
from tests.server import kept
from tests.server.kept import FILE, LARVAE, RECORD, altered, flip_value, ids_of

Found = tuple[Life | None, Life | None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory of twenty larvae."""
    folder = tmp_path_factory.mktemp("kept") / "whole"
    kept.keep_larvae(folder)
    assert [path.name for path in sorted(folder.iterdir())] == [FILE, "server.lock"]
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> dict[Ids, Found]:
    """Everything that is kept in it."""
    with closing(JournalReader(folder)) as reading:
        return {ids_of(larva): reading.find(ids_of(larva)) for larva in range(LARVAE)}


def damaged(journal: Lives, whole: dict[Ids, Found]) -> set[Ids]:
    """Return the larvae that are refused; all others are as they were."""
    refused = set()
    for ids, lives in whole.items():
        found = find(journal, ids)
        if isinstance(found, str):
            assert "must be as it was kept" in found
            refused.add(ids)
        else:
            assert found == lives
    return refused


def owners_of(whole: dict[Ids, Found]) -> dict[int, Ids]:
    """Return whose each life is, by its number."""
    lives = [(life, ids) for ids, found in whole.items() for life in found]
    return {life.number: ids for life, ids in lives if life is not None and life.number is not None}


def find(journal: Lives, ids: Ids) -> Found | str:
    """Return the lives of a larva, or why it is refused."""
    try:
        return journal.find(ids)
    except DamagedError as reason:
        return str(reason)


def opened(copy: Path) -> list[Callable[[], Journal | JournalReader]]:
    """Return the two ways to read a directory: beside a server, and as one."""
    return [lambda: JournalReader(copy), lambda: Journal(copy, RECORD)]


@pytest.mark.parametrize("flips", [pytest.param(40, id="some"), pytest.param(2000, id="many", marks=pytest.mark.long)])
def test_a_flipped_bit_of_a_row_damages_its_larva_alone_or_nothing(
    folder: Path, whole: dict[Ids, Found], tmp_path: Path, flips: int
) -> None:
    """Any bit of any value of a kept larva or input: that larva is refused, or is as it was; all others are."""
    chance = random.Random(14)
    lives = owners_of(whole)
    done = refused = 0
    while done < flips:
        table = chance.choice(["lives", "inputs"])
        with altered(folder, tmp_path / "copy") as db:
            owners = dict(
                db.execute("SELECT id, life FROM inputs" if table == "inputs" else "SELECT id, id FROM lives")
            )
            flipped = flip_value(db, table, chance)
        if flipped is None:
            continue
        done += 1
        with closing(opened(tmp_path / "copy")[done % 2]()) as journal:
            found = damaged(journal, whole)
        assert found <= {lives[owners[flipped[0]]]}, flipped
        refused += len(found)
    print(f"{flips} flips, {refused} refused")
    assert refused > flips / 3


@pytest.mark.parametrize("flips", [pytest.param(12, id="some"), pytest.param(500, id="many", marks=pytest.mark.long)])
def test_a_flipped_bit_anywhere_in_the_file_refuses_larvae_or_the_start_and_nothing_else(
    folder: Path, whole: dict[Ids, Found], tmp_path: Path, flips: int
) -> None:
    """No crash, no hang, no other number, also after what was damaged has been written to and read again."""
    steps = {larva: found[0].next_step for larva in range(LARVAE) if (found := whole[ids_of(larva)])[0] is not None}
    command = [sys.executable, "-m", "tests.server.flipped_files", str(folder), str(tmp_path), "15", str(flips)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            said, _ = child.communicate(json.dumps(steps), timeout=120 + 10 * flips)
        finally:
            child.kill()
    assert child.returncode == 0
    (_, want), *lines = map(json.loads, said.splitlines())
    assert not any("error" in reply for replies in want for reply in replies)
    assert len(lines) == flips
    outcomes = {"no effect": 0, "larvae refused": 0, "start refused": 0}
    for place, rounds in lines:
        outcomes[outcome(place, rounds, want)] += 1
    print(outcomes)


def outcome(place: Any, rounds: list[Any], want: list[list[dict[str, Any]]]) -> str:
    """Return what became of the larvae of one file; a larva that was refused has not gone on, so it is not compared."""
    refused: set[int] = set()
    for replies, right in zip(rounds, want, strict=False):
        if isinstance(replies, str):
            assert "\n" not in replies
            return "start refused"
        for larva, (reply, expected) in enumerate(zip(replies, right, strict=True)):
            if "error" in reply:
                assert reply["error_code"] == "storage", (place, larva, reply)
                refused.add(larva)
            elif larva not in refused:
                assert reply == expected, (place, larva)
    return "larvae refused" if refused else "no effect"


def test_a_row_that_is_missing_is_missed(folder: Path, whole: dict[Ids, Found], tmp_path: Path) -> None:
    """Whichever row of whichever table, or a page of them: its larvae are refused, never taken a step back."""
    lives = owners_of(whole)
    owners: dict[str, dict[int, Ids]] = {
        "lives": lives,
        "inputs": needed_inputs(folder, lives),
        "names": {},
        "commits": {},
    }
    chance = random.Random(16)
    for table, owned in owners.items():
        with altered(folder, tmp_path / "copy") as db:
            numbers = sorted(number for (number,) in db.execute(f"SELECT id FROM {table}"))
        for place, length in [(0, 1), (-1, 1), (-9, 9), *((chance.randrange(len(numbers)), 4) for _ in range(6))]:
            gone = numbers[place:][:length]
            with altered(folder, tmp_path / "copy") as db:
                db.executemany(f"DELETE FROM {table} WHERE id = ?", [(number,) for number in gone])
            with closing(opened(tmp_path / "copy")[length % 2]()) as journal:
                assert damaged(journal, whole) == {owned[number] for number in gone if number in owned}, (table, gone)
                assert len(journal.ids()) == LARVAE


def needed_inputs(folder: Path, lives: dict[int, Ids]) -> dict[int, Ids]:
    """Return whose each input is that is still needed."""
    with closing(sqlite3.connect(folder / FILE)) as db:
        rows = db.execute("SELECT inputs.id, life FROM inputs JOIN lives ON lives.id = life WHERE inputs.id >= since")
        return {number: lives[life] for number, life in rows}


def test_rows_in_each_others_place_are_damaged(folder: Path, whole: dict[Ids, Found], tmp_path: Path) -> None:
    """Each with a checksum that is right for what it says, but that is not what stood there."""
    with altered(folder, tmp_path / "copy") as db:
        columns = {
            "lives": "since, seed, base_seed, birth_checksum, larva_step, request, reply, at, larva_checksum, larva",
            "inputs": "request, reply, at, checksum",
        }
        for table, names in columns.items():
            first, second = db.execute(f"SELECT id, {names} FROM {table} ORDER BY id DESC LIMIT 2")
            for (number, *_), (_, *values) in ((first, second), (second, first)):
                places = ", ".join("?" * len(values))
                db.execute(f"UPDATE {table} SET ({names}) = ({places}) WHERE id = ?", (*values, number))
    with closing(Journal(tmp_path / "copy", RECORD)) as journal:
        assert damaged(journal, whole) == {ids_of(LARVAE - 1), ids_of(LARVAE - 2)}


LARVA = newborn(BALANCED, [1])


@pytest.mark.parametrize("variable", [name for name in arrays(LARVA) if name not in ("v_mV", "rng")])
def test_a_circuit_that_no_larva_could_have_is_refused_though_its_checksum_is_right(
    variable: str, tmp_path: Path
) -> None:
    """Finding 1: every variable that has bounds, beyond them; potentials and streams have none."""
    state = newborn(BALANCED, [1])
    values = arrays(state)[variable]
    beyond = [np.nan, np.inf] if values.dtype.kind == "f" else [np.iinfo(values.dtype).max, np.iinfo(values.dtype).min]
    beyond = beyond[:1] if variable in ("kc_silent_steps", "dan_silent_steps") else beyond
    for number, value in enumerate(beyond):
        arrays(state)[variable].flat[-1] = value
        with closing(Journal(tmp_path / f"{number}", RECORD)) as journal:
            with journal.transaction():
                journal.begin(("run", 0), 1, None, pack(state)[0], 3)
                journal.begin(("run", 1), 1, None, pack(LARVA)[0], 3)
            with pytest.raises(DamagedError, match=rf"damaged: {variable} must lie from"):
                journal.find(("run", 0))
            assert journal.find(("run", 1))[0] is not None


STEP = Step(0, {"anisole": 1.0}, 2.0, 1.0, 1.0, 0.0, 7, ("anisole",), 1.0, 1.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"step": -1},
        {"step": 2**60},
        {"step": 1},
        {"step": 0.0},
        {"odors": {"anisole": 1e300}},
        {"odors": {"nonsense": 1.0}},
        {"odors": {"anisole": "1"}},
        {"odors": ["anisole"]},
        {"odors": {"anisole": float("nan")}},
        {"duration_ms": 1e9},
        {"duration_ms": -1.0},
        {"duration_ms": 0.0},
        {"duration_ms": 0.15},
        {"duration_ms": float("inf")},
        {"duration_ms": True},
        {"warmup_ms": 1e9},
        {"warmup_ms": -1.0},
        {"reward": 1.5},
        {"reward": -0.5},
        {"punishment": 1e300},
        {"punishment": None},
        {"seed": -1},
        {"seed": 2**64},
        {"seed": 0.5},
        {"probe": ["nonsense"]},
        {"probe": ["anisole", "anisole"]},
        {"probe": 5},
        {"probe_ms": 1e9},
        {"probe_ms": 0.0},
        {"probe_concentration": 1e300},
    ],
    ids=str,
)
def test_an_input_that_no_server_would_take_is_refused_though_its_checksum_is_right(changes: dict[str, Any]) -> None:
    """Finding 1: a duration of 1e9 ms is not lived through again; nor is anything else that cannot be asked."""
    text = json.dumps([*STEP._replace(**changes)])
    with closing(Journal(MEMORY, RECORD)) as journal:
        for larva, request in enumerate([STEP.to_json(), text]):
            with journal.transaction():
                life = journal.begin(("run", larva), 1, 1)
                row = larva + 1, life, request, "{}", 1.0
                journal._new.append((*row, input_checksum(*row)))
        assert journal.find(("run", 0))[0] is not None
        with pytest.raises(DamagedError, match="must be as it was kept"):
            journal.find(("run", 1))


@pytest.mark.parametrize("reply", ["{", "[]", '{"MBONp": NaN}', "[" * 5000, "", '"text"'])
def test_a_reply_that_is_none_is_refused_though_its_checksum_is_right(reply: str) -> None:
    """What no server has written would break the frame that it is sent in."""
    with closing(Journal(MEMORY, RECORD)) as journal:
        with journal.transaction():
            journal.add_step(journal.begin(("run", 0), 1, 1), STEP, reply)
        with pytest.raises(DamagedError, match="must be as it was kept"):
            journal.find(("run", 0))


def test_every_flipped_bit_of_what_larvae_were_begun_with_refuses_the_start(tmp_path: Path) -> None:
    """In one sentence, also for those who only look: finding 1, bad JSON in `about`."""
    whole = tmp_path / "whole"
    Journal(whole, RECORD).close()
    chance = random.Random(17)
    with closing(sqlite3.connect(whole / FILE)) as db:
        numbers = [number for (number,) in db.execute("SELECT rowid FROM about")]
    for number in numbers:
        with altered(whole, tmp_path / "copy") as db:
            column = chance.choice(["name", "value"])
            ((value,),) = db.execute(f"SELECT {column} FROM about WHERE rowid = ?", (number,))
            changed = bytearray(value.encode())
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
            db.execute(f"UPDATE about SET {column} = CAST(? AS TEXT) WHERE rowid = ?", (bytes(changed), number))
        for opens in opened(tmp_path / "copy"):
            with pytest.raises(StorageError, match="what its larvae were begun with is damaged"):
                opens()


def test_tables_that_are_not_ours_refuse_the_start(tmp_path: Path) -> None:
    """A column more, one fewer, a table that is missing or has another type."""
    whole = tmp_path / "whole"
    Journal(whole, RECORD).close()
    for change in (
        "ALTER TABLE lives ADD COLUMN more",
        "ALTER TABLE inputs DROP COLUMN reply",
        "DROP TABLE names",
        "CREATE TABLE more (id)",
        "CREATE TRIGGER more AFTER INSERT ON inputs BEGIN DELETE FROM inputs; END",
    ):
        with altered(whole, tmp_path / "copy") as db:
            db.execute(change)
        for opens in opened(tmp_path / "copy"):
            with pytest.raises(StorageError, match="its tables are none that this version of Kenyon makes"):
                opens()


def test_damage_is_known_until_the_larva_is_forgotten(folder: Path, whole: dict[Ids, Found], tmp_path: Path) -> None:
    """Through restarts and tidying up; and afterward it is gone for good, whatever of it was damaged."""
    gone = {"lives": ids_of(3), "inputs": ids_of(8), "larva": ids_of(17)}
    with altered(folder, tmp_path / "copy") as db:
        numbers = {
            ids: name for name, ids in db.execute("SELECT id, ids FROM lives") for ids in [tuple(json.loads(ids))]
        }
        db.execute("DELETE FROM lives WHERE id = ?", (numbers[gone["lives"]],))
        db.execute(
            "DELETE FROM inputs WHERE id = (SELECT max(id) FROM inputs WHERE life = ?)", (numbers[gone["inputs"]],)
        )
        db.execute("UPDATE lives SET larva_checksum = 0 WHERE id = ?", (numbers[gone["larva"]],))
    for _ in range(2):
        with closing(Journal(tmp_path / "copy", RECORD)) as journal:
            assert damaged(journal, whole) == set(gone.values())
            journal._written = journals._TIDY_AFTER * 10
            journal.tidy()
            assert damaged(journal, whole) == set(gone.values())
    for ids in gone.values():
        with closing(Journal(tmp_path / "copy", None)) as journal, journal.transaction():
            journal.forget(ids)
        for opens in opened(tmp_path / "copy"):
            with closing(opens()) as again:
                assert again.find(ids) == (None, None)
                assert ids not in again.ids()


def test_a_file_whose_pages_are_damaged_is_written_anew(
    folder: Path, whole: dict[Ids, Found], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """At the start, for what is written to such pages may fall on others; what is whole stays so, the rest is known."""
    with altered(folder, tmp_path / "freed") as db:
        db.executescript("CREATE TABLE much (id); INSERT INTO much VALUES (zeroblob(100000)); DROP TABLE much;")
    freed = (tmp_path / "freed" / FILE).read_bytes()
    first_free, pages = int.from_bytes(freed[32:36], "big"), len(freed) // 4096
    chance, seen = random.Random(18), set[int]()
    # A page that is free and in use; then pages of every kind, where their rows begin.
    places = [
        (first_free - 1) * 4096 + 11,
        *(chance.randrange(1, pages) * 4096 + chance.randrange(3, 8) for _ in range(9)),
    ]
    for place in places:
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(tmp_path / "freed", copy)
        data = bytearray(freed)
        data[place] ^= 2
        (copy / FILE).write_bytes(data)
        caplog.clear()
        with closing(JournalReader(copy)) as reading:
            refused, problems = damaged(reading, whole), reading.problems()
            with closing(Journal(copy, RECORD)) as journal:  # while somebody looks
                assert damaged(journal, whole) == refused
        assert ("is written anew" in caplog.text) == bool(problems)
        assert (copy / "larvae.damaged").exists() == bool(problems)
        if problems:
            assert (copy / "larvae.damaged").read_bytes()[place] == data[place]
        assert {path.name for path in copy.iterdir()} <= {
            FILE,
            f"{FILE}-wal",
            f"{FILE}-shm",
            "larvae.damaged",
            "server.lock",
        }
        with closing(JournalReader(copy)) as reading:
            assert damaged(reading, whole) == refused
            assert reading.problems() == []
        seen.add(len(refused))
    assert len(seen) > 1


def test_what_an_earlier_damage_left_is_not_replaced_by_the_next(folder: Path, tmp_path: Path) -> None:
    """It may hold the only whole part of a larva; so each file that is put aside has a name of its own."""
    copy = tmp_path / "copy"
    with altered(folder, copy):
        pass
    left = []
    for _ in range(3):
        data = bytearray((copy / FILE).read_bytes())
        data[-4096 + 3] ^= 2  # The last page, where it begins.
        left.append(bytes(data[-4096:]))
        (copy / FILE).write_bytes(data)
        with closing(Journal(copy, RECORD)):
            pass
    names = ["larvae.damaged", "larvae.damaged-2", "larvae.damaged-3"]
    assert [(copy / name).read_bytes()[-4096:] for name in names] == left


def test_what_a_killed_server_has_left_is_there_twice_after_the_next_start(tmp_path: Path) -> None:
    """Its last inputs are in the log alone; after the next start any of them that is missing is missed."""
    with closing(Journal(tmp_path / "whole", RECORD)) as journal:
        for larva in range(2):
            with journal.transaction():
                life = journal.begin(("run", larva), 1, 1)
            for number in range(4):
                with journal.transaction():
                    journal.add_step(life, Step(number, {}, 1.0), f'{{"MBONp": {number}}}')
        shutil.copytree(tmp_path / "whole", tmp_path / "killed")
        left: dict[Ids, Found] = {ids: journal.find(ids) for ids in (("run", 0), ("run", 1))}
    for numbers in ("(1)", "(4)", "(1, 2, 3, 4)"):
        shutil.rmtree(tmp_path / "next", ignore_errors=True)
        shutil.copytree(tmp_path / "killed", tmp_path / "next")
        Journal(tmp_path / "next", RECORD).close()
        with altered(tmp_path / "next", tmp_path / "copy") as db:
            db.execute(f"DELETE FROM inputs WHERE id IN {numbers}")
        for opens in opened(tmp_path / "copy"):
            with closing(opens()) as again:
                assert damaged(again, left) == {("run", 0)}


def test_inputs_behind_a_damaged_page_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a server that was killed, whose last inputs nothing else speaks of."""
    monkeypatch.setattr(journals, "_MERGE_AFTER_BYTES", 0)
    with closing(Journal(tmp_path / "whole", RECORD)) as journal:
        with journal.transaction():
            lives = [journal.begin(("run", larva), 1, 1) for larva in range(2)]
            for number in range(400):
                journal.add_step(lives[0], Step(number, {}, 1.0), f'{{"MBONp": {number + 0.5}}}')
        journal.tidy()
        with journal.transaction():
            for number in range(3):
                journal.add_step(lives[1], Step(number, {}, 1.0), "{}")
        shutil.copytree(tmp_path / "whole", tmp_path / "killed")
        left: dict[Ids, Found] = {ids: journal.find(ids) for ids in (("run", 0), ("run", 1))}
    data = bytearray((tmp_path / "killed" / FILE).read_bytes())
    data[data.index(b'{"MBONp": 200.5}') // 4096 * 4096] ^= 0xFF
    (tmp_path / "killed" / FILE).write_bytes(data)
    for opens in opened(tmp_path / "killed"):
        with closing(opens()) as again:
            assert damaged(again, left) == {("run", 0)}


def test_a_log_that_has_become_long_is_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no longer than it has to be, however much is written, and whose the inputs are has gone before."""
    monkeypatch.setattr(journals, "_MERGE_AFTER_BYTES", 100_000)
    with closing(Journal(tmp_path, RECORD)) as journal:
        with journal.transaction():
            life = journal.begin(("run", 0), 1, 1)
        for number in range(300):
            with journal.transaction():
                journal.add_step(life, Step(number, {}, 1.0), "{}")
            journal.tidy()
        assert (tmp_path / f"{FILE}-wal").stat().st_size < 300_000
        with closing(sqlite3.connect(tmp_path / FILE)) as db:
            assert 5 < db.execute("SELECT count(*) FROM commits").fetchone()[0] < 30
