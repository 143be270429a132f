"""`kenyon sweep` in this process: what it says, what it refuses, and with which status it ends."""

import json
import socket
from pathlib import Path

import pytest

from kenyon.conditioning import load
from tests.cli.running import Done, run

PLAN = """
design = "A@$dose+ 1s | ?A 1s"
larvae = 1

[grid]
dose = [0.1, 1]
seed = { from = 1, to = LAST }
"""


def told(folder: Path, *arguments: str, plan: str = PLAN.replace("LAST", "2")) -> Done:
    """Run `kenyon sweep` where there is a plan."""
    (folder / "plan.toml").write_text(plan, "utf-8")
    return run(["sweep", *arguments], folder)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_run_status_collect(tmp_path: Path) -> None:
    """Four points, by two calls of a half each; then all of them in one file."""
    half = told(tmp_path, "run", "plan.toml", "--out", "doses", "--jobs", "1", "--shard", "1/2", "--json")
    assert half.status == 0, half.err
    assert json.loads(half.out)["done"] == 2
    assert b"2 of 4 points done" in told(tmp_path, "status", "doses").out
    rest = told(tmp_path, "run", "plan.toml", "--out", "doses", "--jobs", "1")
    assert rest.out.splitlines() == [b"4 of 4 points done.", b"Collect what is there: kenyon sweep collect doses"]
    collected = told(tmp_path, "collect", "doses")
    assert collected.status == 0, collected.err
    result = load("doses.nc")
    assert dict(result.sizes) | {"dose": 2, "seed": 2, "larva": 1} == dict(result.sizes)
    assert result["done"].all()
    again = told(tmp_path, "collect", "doses")
    assert (again.status, b"doses.nc" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "plan", "sentence"),
    [
        (["--jobs", "1", "--scheduler", "tcp://node1:8786"], PLAN, "--jobs must be left out with --scheduler"),
        (["--jobs", "1", "--shard", "4/3"], PLAN, "shard must be"),
        (["--jobs", "1"], PLAN.replace("dose = ", "doze = "), "$dose in a design must be an axis"),
        (["--jobs", "1"], PLAN.replace("larvae = 1", "learning_rate = 1"), "learning_rate_nS"),
        (["--jobs", "1"], PLAN.replace("LAST", "1000000"), "--yes"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(arguments: list[str], plan: str, sentence: str, tmp_path: Path) -> None:
    """Before anything is written."""
    done = told(tmp_path, "run", "plan.toml", "--out", "doses", *arguments, plan=plan.replace("LAST", "2"))
    assert (done.status, done.out) == (2, b"")
    assert sentence in done.err.decode()
    assert len(done.err.decode().splitlines()) <= 5  # The last three are how the command is used.
    assert not Path("doses").exists()


@pytest.mark.long
def test_a_scheduler_that_is_not_there(tmp_path: Path) -> None:
    """Nobody listens on a port that was free a moment ago; that is sure after half a minute."""
    pytest.importorskip("distributed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done = told(tmp_path, "run", "plan.toml", "--out", "doses", "--scheduler", f"tcp://127.0.0.1:{port}")
    assert done.status == 1
    assert "a scheduler must answer" in done.err.decode()


def test_a_folder_without_a_sweep(tmp_path: Path) -> None:
    """Neither looked at nor collected."""
    for command in ("status", "collect"):
        done = told(tmp_path, command, ".")
        assert done.status == 2
        assert "must be the folder of a sweep, but has no sweep.json" in done.err.decode()
