"""Sweeps computed by whatever is there: the numbers of a plain loop, nothing lost, nothing computed twice."""

import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from kenyon.conditioning.sweeps import Sweep, run_sweep, status
from kenyon.conditioning.sweeps import tasks as tasks_module
from kenyon.conditioning.sweeps.folder import mark_of
from kenyon.conditioning.sweeps.store import Store
from kenyon.conditioning.sweeps.tasks import Task, compute, numbers
from kenyon.errors import ChangedPlanWarning, FileFormatError, InputError, MismatchError, StorageError
from tests.conditioning.sweeps.asked import Deadly, Raising, asked, assert_same, made, plain_loop
from tests.disk import full_disk


@pytest.fixture(scope="module")
def expected() -> Any:
    """What a plain loop gives."""
    return plain_loop()


def test_processes_give_the_numbers_of_a_plain_loop(tmp_path: Path, expected: Any) -> None:
    """Bit by bit."""
    found = run_sweep(asked(), tmp_path, jobs=2, show_progress=False)
    assert (found.done, found.left, found.complete) == (9, 0, True)
    assert_same(tmp_path / "store", expected)


def test_shards_and_any_executor_give_them_too(tmp_path: Path, expected: Any) -> None:
    """Three shards: one in this process, one by threads of one's own, and one that is written as text."""
    sweep = asked()
    assert run_sweep(sweep, tmp_path, jobs=1, shard=(1, 3), show_progress=False).done == 3
    with ThreadPoolExecutor(2) as threads:
        assert run_sweep(sweep, tmp_path, threads, shard=(2, 3), show_progress=False).left == 3
    assert run_sweep(sweep, tmp_path, jobs=1, shard="3/3", show_progress=False).complete
    assert_same(tmp_path / "store", expected)


def test_what_is_stored_is_not_computed_again(tmp_path: Path) -> None:
    """Also not by another sweep that shares the store, or by a task that was given before it was stored."""
    sweep, own = asked(), tmp_path / "shared"
    run_sweep(sweep[:4], tmp_path / "a", jobs=1, store=own, show_progress=False)
    parts = _parts(own)
    assert run_sweep(sweep[:4], tmp_path / "b", jobs=1, store=own, show_progress=False).done == 4
    assert _parts(own) == parts
    task = Task(tuple(sweep[2:6]), str(own), mark_of(own), str(tmp_path / "failed"), 1, numbers())
    outcome = compute(task)
    assert outcome.done == tuple(point.id for point in sweep[2:6])
    assert outcome.larva_seconds == sum(point.larva_seconds for point in sweep[4:6])


def test_a_point_that_raises_is_kept_and_the_rest_goes_on(tmp_path: Path) -> None:
    """Its sentence and its traceback; `retry` takes it again, and what can be computed then is no failure any more."""
    sweep = asked()
    raising = [*sweep[:2], made(Raising, "A+ 0.3s, ?A 0.1s"), *sweep[2:4]]
    whole = Sweep(raising)
    found = run_sweep(whole, tmp_path, jobs=1, show_progress=False)
    assert (found.done, found.failed, found.left) == (4, 1, 0)
    (failure,) = found.failures
    assert failure.id == whole[2].id
    assert failure.sentence == "ArithmeticError: a point that raises"
    assert "in compute" in failure.traceback
    assert run_sweep(whole, tmp_path, jobs=1, show_progress=False) == found == status(tmp_path)
    mended = Sweep([*raising[:2], *Sweep.grid(design="A+ 0.3s, ?A 0.1s", larvae=2, seed=9), *raising[3:]])
    assert run_sweep(mended, tmp_path, jobs=1, show_progress=False).failed == 1
    assert run_sweep(mended, tmp_path, jobs=1, retry=True, show_progress=False).complete
    assert not list((tmp_path / "failed").iterdir())


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes where Linux shows them")
def test_a_killed_worker_loses_nothing(tmp_path: Path, expected: Any) -> None:
    """Other processes take its place."""
    killer = threading.Thread(target=_kill_a_child, args=[tmp_path / "store"])
    killer.start()
    assert run_sweep(asked(), tmp_path, jobs=2, show_progress=False).complete
    killer.join()
    assert_same(tmp_path / "store", expected)


@pytest.mark.long
def test_a_point_that_kills_its_process_fails_alone(tmp_path: Path, expected: Any) -> None:
    """It is taken for the reason only after it has done so while nothing else was computed."""
    sweep = asked()
    deadly = Sweep([*sweep, made(Deadly, "A+ 0.3s, ?A 0.1s")])
    found = run_sweep(deadly, tmp_path, jobs=2, show_progress=False)
    assert (found.done, found.failed, found.left) == (9, 1, 0)
    assert "killed again and again" in found.failures[0].sentence
    assert_same(tmp_path / "store", expected)


def test_a_full_disk_is_said_and_the_same_call_goes_on(tmp_path: Path, expected: Any) -> None:
    """What is stored stays."""
    sweep = asked()
    run_sweep(sweep, tmp_path, jobs=1, shard="1/3", show_progress=False)
    stored = Store(tmp_path / "store").ids()
    with full_disk(1000), pytest.raises(StorageError, match=r"stays|has changed"):
        run_sweep(sweep, tmp_path, jobs=1, show_progress=False)
    assert Store(tmp_path / "store").ids() == stored
    assert run_sweep(sweep, tmp_path, jobs=1, show_progress=False).complete
    assert_same(tmp_path / "store", expected)


def test_a_plan_that_has_changed_is_said(tmp_path: Path) -> None:
    """Which points are new, and which orphaned; new ones are computed, and orphans stay where they are."""
    sweep = asked()
    run_sweep(sweep[:3], tmp_path, jobs=1, show_progress=False)
    with pytest.warns(ChangedPlanWarning, match="1 point new .*, 1 point orphaned"):
        found = run_sweep(sweep[1:4], tmp_path, jobs=1, show_progress=False)
    assert (found.done, found.new, found.orphaned) == (3, (sweep[3].id,), (sweep[0].id,))
    assert status(tmp_path).orphaned == (sweep[0].id,)
    with pytest.warns(ChangedPlanWarning, match="1 point new"):
        assert run_sweep(sweep[:4], tmp_path, jobs=1, show_progress=False).orphaned == ()


def test_a_folder_of_another_version_is_refused(tmp_path: Path) -> None:
    """Whether of the file or of the numbers; and one whose plan is none."""
    sweep, plan = asked(), tmp_path / "sweep.json"
    run_sweep(sweep[:1], tmp_path, jobs=1, show_progress=False)
    said = json.loads(plan.read_text())
    for name in ("format_version", "numbers_version"):
        plan.write_text(json.dumps({**said, name: 99}))
        with pytest.raises(InputError, match=r"must be of the .* of this Kenyon"):
            run_sweep(sweep[:1], tmp_path, jobs=1, show_progress=False)
    plan.write_text("[1, 2")
    with pytest.raises(FileFormatError, match="must be the plan of a sweep"):
        status(tmp_path)
    with pytest.raises(InputError, match=r"has no sweep\.json"):
        status(tmp_path / "nowhere")


def test_other_versions_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the worker that has them, which says which."""
    task = Task(tuple(asked()[:1]), str(tmp_path), mark_of(tmp_path), str(tmp_path), 1, numbers())
    monkeypatch.setattr(tasks_module, "NUMBERS_VERSION", 99)
    with pytest.raises(MismatchError, match="but this worker has numbers 99 instead of"):
        compute(task)


def test_a_store_that_a_worker_does_not_see_is_said(tmp_path: Path) -> None:
    """It is not made there, where nobody would find it; nor is another folder of its name taken for it."""
    (tmp_path / "store").mkdir()
    task = Task(tuple(asked()[:1]), str(tmp_path / "store"), mark_of(tmp_path / "store"), str(tmp_path), 1, numbers())
    assert mark_of(tmp_path / "store") == task.mark
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="every machine of a sweep sees"):
        compute(task)
    assert not (tmp_path / "store").exists()
    (tmp_path / "store").mkdir()
    with pytest.raises(StorageError, match="or another one of that name"):
        compute(task)
    assert not list((tmp_path / "store").iterdir())


def test_a_run_says_that_it_lives(tmp_path: Path) -> None:
    """So `status` tells rate and time left meanwhile; afterward nothing is left of that."""
    seen = []
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(run_sweep, asked(), tmp_path, jobs=1, show_progress=False)
        while not running.done():
            with suppress(InputError, FileFormatError):
                seen.append(status(tmp_path).running)
            time.sleep(0.01)
    assert max(seen) == 1
    assert status(tmp_path).running == 0
    assert not list((tmp_path / "running").iterdir())


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"jobs": 0}, "jobs must be an integer of at least 1"),
        ({"executor": "tcp://nowhere"}, "executor must be one of concurrent.futures or a Client"),
        ({"shard": "0/3"}, "shard must be an integer of at least 1 and at most 3, got 0"),
        ({"shard": "3"}, "shard must be such as 3/16"),
        ({"shard": (1, 2, 3)}, "shard must be such as 3/16"),
        ({"retry": 1}, "retry must be True or False"),
        ({"folder": ""}, "folder must be the path"),
        ({"sweep": []}, "sweep must be a Sweep"),
    ],
)
def test_nonsense_is_refused(more: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    """Before anything is written."""
    with pytest.raises(InputError, match=sentence):
        run_sweep(**{"sweep": asked()[:1], "folder": tmp_path / "new", "show_progress": False, **more})
    assert not (tmp_path / "new").exists()


def test_an_executor_that_was_shut_down_is_refused(tmp_path: Path) -> None:
    """In a sentence."""
    threads = ThreadPoolExecutor(1)
    threads.shutdown()
    with pytest.raises(InputError, match="executor must be one that takes work"):
        run_sweep(asked()[:1], tmp_path, threads, show_progress=False)


def _parts(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*") if path.is_file()}


def _kill_a_child(store: Path) -> None:
    """Kill a process that this one has started, once one of them has stored something."""
    until = time.monotonic() + 300
    while time.monotonic() < until and not Store(store).ids():
        time.sleep(0.01)
    for child in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split():
        with suppress(OSError):
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)
                return
