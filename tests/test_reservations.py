"""Names are reserved before the work begins; files take their names together; nothing is lost or left over."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from kenyon import archive, drawing
from kenyon.conditioning import paradigm, results, run
from kenyon.errors import InputError, LockedError, StorageError
from kenyon.memory import RLOlfMemory, checkpoint
from kenyon.mushroom_body import Population
from kenyon.reservations import reserved
from kenyon.server.ready import Ready, held, read
from kenyon.wire import Address
from tests.disk import full_disk

COUNTS = (6, pytest.param(200, marks=pytest.mark.long))


def _reserving(what: str, count: int, folder: Path) -> dict[str, Any]:
    """Run a program that forks."""
    command = [sys.executable, "-m", "tests.reserving", what, str(count), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _entries(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("count", COUNTS)
def test_of_two_writers_of_one_name_one_wins(count: int, tmp_path: Path) -> None:
    """The other is refused before it has worked; every second time the names are a killed process's."""
    assert _reserving("race", count, tmp_path) == {"faults": []}
    assert _entries(tmp_path) == []


@pytest.mark.parametrize("count", COUNTS)
def test_killed_at_random_nothing_is_lost_and_nothing_left(count: int, tmp_path: Path) -> None:
    """Two files that are replaced together are of one run, of the last that said it was done or of a later one."""
    assert _reserving("kill", count, tmp_path) == {"faults": []}
    assert _entries(tmp_path) == ["a.txt", "b.txt"]


def test_killed_before_each_act_on_the_file_system_a_run_has_happened_or_not(tmp_path: Path) -> None:
    """And whoever completes what a killed one has begun can be killed as well."""
    found = _reserving("steps", 0, tmp_path)
    assert found["faults"] == []
    assert min(found["acts"]) > 20
    assert _entries(tmp_path) == ["a.txt", "b.txt"]


def _result() -> Any:
    return run(
        paradigm("paired", trials=1, stimulus_s=0.1, pause_s=0.1, test_s=0.1), larvae=1, seed=1, show_progress=False
    ).one


class Unfetchable(RLOlfMemory):
    """A memory that is not to be looked at while the name of its file is somebody else's."""

    stands_for = RLOlfMemory

    def _plain(self) -> Any:
        pytest.fail("it was looked at")


WRITERS: dict[str, Callable[[Path, bool], object]] = {
    "archive.save": lambda path, over: archive.save(path, "thing", {}, {"x": np.random.default_rng(0).random(9999)},
                                                    overwrite=over),
    "Snapshot.save": lambda path, over: Population(seeds=range(20)).snapshot().save(path, overwrite=over),
    "checkpoint.save": lambda path, over: checkpoint.save(
        path, [RLOlfMemory(gain={f"{i}": 0.0 for i in range(500)}, table="factored", seed=i) for i in range(3)],
        overwrite=over),
    "results.save": lambda path, over: results.save(_result(), path, overwrite=over),
    "save_figure": lambda path, over: drawing.save_figure(Figure(), path.with_suffix(".png"), overwrite=over),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_is_refused_while_another_has_the_name(name: str, tmp_path: Path) -> None:
    """Also one that may overwrite; and writes once the name is free."""
    target = tmp_path / ("a.png" if name == "save_figure" else "a.npz")
    with reserved(tmp_path, target.name), pytest.raises(LockedError, match=rf"^{target} is being written by process"):
        WRITERS[name](target, True)
    WRITERS[name](target, False)
    assert _entries(tmp_path) == [target.name]
    with pytest.raises(InputError, match=rf"^{target} exists already"):
        WRITERS[name](target, False)


@pytest.mark.parametrize("name", WRITERS)
def test_where_the_disk_is_full_every_writer_says_so(name: str, tmp_path: Path) -> None:
    """In our words; what lay there stays, and nothing else does."""
    target = tmp_path / ("a.png" if name == "save_figure" else "a.npz")
    target.write_text("old")
    with full_disk(1000), pytest.raises(StorageError, match=r"could not be written: .*; nothing there has changed"):
        WRITERS[name](target, True)
    assert target.read_text() == "old"
    assert _entries(tmp_path) == [target.name]


def test_a_full_disk_is_said_of_the_folder_that_was_asked_for(tmp_path: Path) -> None:
    """Not of the hidden one in which the file was made."""
    with (
        full_disk(1000),
        pytest.raises(StorageError, match=rf"^what belongs into {tmp_path}/x could not be written: File too large"),
        reserved(tmp_path / "x", "a.npz", "b.npz", make=True) as new,
    ):
        WRITERS["archive.save"](new / "a.npz", False)
    assert _entries(tmp_path) == []


def test_work_is_not_begun_for_a_name_that_is_taken(tmp_path: Path) -> None:
    """Nor are the circuits of remote memories fetched."""
    with reserved(tmp_path, "a.npz"), pytest.raises(LockedError):
        checkpoint.save(tmp_path / "a.npz", Unfetchable(gain={"A": 0.0}))


def test_of_two_servers_with_one_ready_file_the_second_is_refused(tmp_path: Path) -> None:
    """And does not take the first one's file away; that of one that was killed goes."""
    path, ready = tmp_path / "ready", Ready(1, Address(port=5800), None)
    path.write_text("of one that was killed")
    with held(path) as announce:
        assert not path.exists()
        announce(ready)
        with pytest.raises(LockedError, match="ready is being written by process"), held(path):
            pytest.fail("it began")
        assert read(path) == ready
    assert _entries(tmp_path) == []


def test_runs_with_some_names_in_common_cannot_both_have_them(tmp_path: Path) -> None:
    """The one that is refused leaves no reservation on the others."""
    with reserved(tmp_path, "a", "c"):
        with pytest.raises(LockedError, match="c is being written"), reserved(tmp_path, "b", "c"):
            pytest.fail("it began")
        with reserved(tmp_path, "b"):
            assert ".b.reserved" in _entries(tmp_path)
    assert _entries(tmp_path) == []


def _killed(folder: Path, before: str = "") -> None:
    """Reserve "a" in a process that is killed at its work."""
    program = f"""
import os
from pathlib import Path
from kenyon import reservations
{before}
with reservations.reserved({str(folder)!r}, "a") as new:
    (new / "a").write_text("half")
    os.kill(os.getpid(), {int(signal.SIGKILL)})
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize("before", ["", "reservations._HOST = 'x'", "reservations._BOOT = 'x'"])
def test_a_reservation_of_the_dead_is_taken_over(before: str, tmp_path: Path) -> None:
    """Of this machine: before or after it was started anew, or of a container on it that had another host name."""
    _killed(tmp_path, before)
    assert len(_entries(tmp_path)) == 2
    with reserved(tmp_path, "a") as new:
        assert _entries(new) == []
        (new / "a").write_text("whole")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "whole"}


def test_kill_9_leaves_temporary_folders_only_until_somebody_reserves_beside(tmp_path: Path) -> None:
    """Whatever the name; also one that is no file of results, as a run of the host has."""
    _killed(tmp_path)
    archive.save(tmp_path / "other.npz", "thing", {}, {})
    assert _entries(tmp_path) == ["other.npz"]


def test_a_reservation_of_another_machine_stands_until_its_folder_is_deleted(tmp_path: Path) -> None:
    """The sentence says which; and what it has left is left alone."""
    _killed(tmp_path, "reservations._HOST = reservations._BOOT = 'x'; reservations.platform.node = lambda: 'elsewhere'")
    (theirs,) = tmp_path.glob(".kenyon-*")
    with (
        pytest.raises(
            LockedError, match=rf"by process \d+ on 'elsewhere'; wait .* if it runs no more, delete {theirs}$"
        ),
        reserved(tmp_path, "a", overwrite=True),
    ):
        pytest.fail("it began")
    assert theirs.is_dir()
    for path in sorted(theirs.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    theirs.rmdir()
    with reserved(tmp_path, "a") as new:
        (new / "a").write_text("whole")
    assert _entries(tmp_path) == ["a"]


def test_a_reservation_that_is_removed_meanwhile_is_noticed_before_anything_is_replaced(tmp_path: Path) -> None:
    """Somebody else may have it by then."""
    with pytest.raises(LockedError, match="its reservation was removed"), reserved(tmp_path, "a") as new:  # noqa: PT012
        (new / "a").write_text("mine")
        (tmp_path / ".a.reserved").rename(tmp_path / "gone")
    assert _entries(tmp_path) == ["gone"]


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """By a program that knows nothing of reservations."""
    with pytest.raises(InputError, match="a exists already"), reserved(tmp_path, "a") as new:  # noqa: PT012
        (new / "a").write_text("mine")
        (tmp_path / "a").write_text("theirs")
    assert (tmp_path / "a").read_text() == "theirs"
    assert _entries(tmp_path) == ["a"]


@pytest.mark.parametrize("kind", ["a pipe", "a link to nowhere", "a device"])
def test_what_is_no_file_is_not_replaced_by_one(kind: str, tmp_path: Path) -> None:
    """A pipe or a device not even when overwriting is asked for, a link to nothing only then."""
    path = tmp_path / "a"
    if kind == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / "nowhere" if kind == "a link to nowhere" else os.devnull)
    before = path.lstat()
    with (
        pytest.raises(InputError, match=r"a exists already|a must be a file, got a pipe or a device"),
        reserved(tmp_path, "a", overwrite=kind != "a link to nowhere"),
    ):
        pytest.fail("it began")
    assert os.path.samestat(before, path.lstat())
    assert _entries(tmp_path) == ["a"]


@pytest.mark.parametrize("name", ["\ud800", "a\0b", "..", "x" * 300, "x" * 250, "", 3])
def test_a_damaged_word_of_whose_a_folder_was_stops_nobody(name: object, tmp_path: Path) -> None:
    """It is a dead run's, whatever it says it has reserved, and goes."""
    _killed(tmp_path)
    (theirs,) = tmp_path.glob(".kenyon-*")
    (theirs / "owner").write_text(json.dumps({"names": [name], "process": 1, "host": "x"}), "utf-8")
    with reserved(tmp_path, "b") as new:
        (new / "b").write_text("whole")
    assert [entry for entry in _entries(tmp_path) if entry != ".a.reserved"] == ["b"]
    with reserved(tmp_path, "a") as new:
        (new / "a").write_text("whole")
    assert _entries(tmp_path) == ["a", "b"]


def test_a_name_too_long_for_a_reservation_is_refused_in_words_and_leaves_nothing(tmp_path: Path) -> None:
    """A file could have it, its reservation, which is longer, could not."""
    with pytest.raises(InputError, match="File name too long"):
        Population(seeds=[1]).snapshot().save(tmp_path / ("x" * 250))
    assert _entries(tmp_path) == []


@pytest.mark.parametrize("where", ["file/a", "/proc/nowhere"])
def test_a_folder_that_cannot_be_made_is_refused_in_words(where: str, tmp_path: Path) -> None:
    """Not by the number of an error."""
    (tmp_path / "file").write_text("")
    folder = tmp_path / where
    with (
        pytest.raises(InputError, match=f"^{folder} must be a folder that can be written to, got .*; give another$"),
        reserved(folder, "a", make=True),
    ):
        pytest.fail("it began")


def test_folders_that_were_made_go_again_if_nothing_comes_to_lie_in_them(tmp_path: Path) -> None:
    """All of them, and none that was there."""
    (tmp_path / "a").mkdir()
    with pytest.raises(ZeroDivisionError), reserved(tmp_path / "a" / "b" / "c", "x", make=True):
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.rglob("*")] == ["a"]
    with reserved(tmp_path / "a" / "b" / "c", "x", make=True) as new:
        (new / "x").write_text("")
    assert (tmp_path / "a" / "b" / "c" / "x").exists()
