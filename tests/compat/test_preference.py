"""Groups of larvae trained and tested in the host; the figures in the guide come from runs a hundred times as long."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from xarray import load_dataset

from kenyon.cli import main
from kenyon.drawing import save_figure
from kenyon.errors import InputError
from kenyon.larvaworld_plugin import experiment, unregister
from kenyon.larvaworld_plugin.comparing import compare
from kenyon.larvaworld_plugin.conditions import CONDITIONS
from kenyon.larvaworld_plugin.figures import preference_figure
from kenyon.larvaworld_plugin.preference import preference
from kenyon.reservations import reserved
from tests.server.running import wait_until

TINY: dict[str, Any] = {"larvae": 2, "trials": 1, "phase_min": 0.2, "test_min": 0.1, "show_progress": False}


PATIENCE_S = 300.0
"""What comes is waited for so long, however busy the machine is."""


@pytest.fixture(autouse=True)
def nothing_stays_registered() -> Iterator[None]:
    """Every test begins and ends with the host's own classes."""
    unregister()
    yield
    unregister()


def test_a_group_s_numbers_do_not_depend_on_how_they_were_computed(tmp_path: Path) -> None:
    """In one process or two, at once or after an interruption; larvae have learned of the odor that came with food."""
    how = {"groups": 2, "memory": {"probe_every_s": 1.0}, "keep_in": tmp_path / "kept", **TINY}
    alone = preference(**how)
    kept = {path.name: path.read_bytes() for path in (tmp_path / "kept").iterdir()}
    assert len(kept) == 2 * len(CONDITIONS)
    gone = [name for name in kept if name.startswith("paired")]
    for name in gone:
        (tmp_path / "kept" / name).unlink()
    shared = preference(jobs=2, **how)
    assert alone.identical(shared)
    assert {path.name for path in (tmp_path / "kept").iterdir()} == set(kept)
    learned = alone.learned.sel(condition="paired")
    assert (learned.sel(role="trained") > 0.02).all()
    assert (learned.sel(role="trained") > 3 * np.abs(learned.sel(role="other"))).all()
    # In so short a training little time lies between odor and food of the unpaired.
    assert (learned.sel(role="trained") > alone.learned.sel(condition="unpaired", role="trained")).all()
    for condition in ("differential", "mirrored"):
        both = alone.learned.sel(condition=condition)
        assert (both.sel(role="trained") > 0.02).all()
        assert (both.sel(role="trained") > both.sel(role="other")).all()
    assert not alone.learned.sel(condition="naive").any()
    assert not alone.gain.sel(condition="naive").any()
    assert [row["condition"] for row in compare(alone)] == [*CONDITIONS, "reciprocal"]
    save_figure(preference_figure(alone), tmp_path / "preference.png")
    assert (tmp_path / "preference.png").stat().st_size > 10_000


# Whoever starts tests in the background of a shell has them ignore Ctrl-C, and what they start too.
HEEDING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from kenyon.cli import main; main()"


@contextmanager
def asking(out: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run the command with two worker processes, for minutes if nothing ends it; afterward all of them are gone.

    The naive groups are soon over; those that are trained are not.
    """
    command = [sys.executable, "-c", HEEDING, "larvaworld", "preference", "--jobs", "2", "--groups", "2"]
    command += ["--condition", "naive", "--condition", "paired", "--larvae", "2", "--phase", "30", "--test", "0.01"]
    command += ["--keep-in", str(out.with_name("kept")), "--out", str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def workers(parent: int) -> list[int]:
    """Return the processes that a process computes with."""
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in listed if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def has_begun(worker: int) -> bool:
    """Return whether a worker was told what to do, and imports what that takes."""
    return b"numpy" in Path(f"/proc/{worker}/maps").read_bytes()


def at_work(folder: Path) -> bool:
    """Return whether the first group has been kept, while another one is trained."""
    return any(folder.glob("kept/naive-*.npz"))


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes where Linux shows them")
def test_a_killed_run_leaves_no_process_behind(tmp_path: Path) -> None:
    """Its workers end with it, although nobody tells them."""
    with asking(tmp_path / "out") as process:
        wait_until(lambda: sum(map(has_begun, workers(process.pid))) == 2, PATIENCE_S)
        left = workers(process.pid)
        process.kill()
        process.wait()
        wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in left), PATIENCE_S)


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes where Linux shows them")
def test_a_run_whose_worker_is_killed_ends_with_a_sentence(tmp_path: Path) -> None:
    """And takes the other one with it; a lock that the dead one held must hold up nobody."""
    with asking(tmp_path / "out") as process:
        wait_until(lambda: at_work(tmp_path), PATIENCE_S)
        killed, other = workers(process.pid)
        os.kill(killed, signal.SIGKILL)
        _, said = process.communicate(timeout=60)
        wait_until(lambda: not Path(f"/proc/{other}").exists(), PATIENCE_S)
    assert "Traceback" not in said
    assert "one was killed" in said
    assert not (tmp_path / "out").exists()


def test_punishment_teaches_the_opposite() -> None:
    """Food everywhere, which punishes."""
    result = preference(groups=1, conditions=["paired"], memory={"reinforcement": "punishment"}, **TINY)
    assert (result.learned.sel(role="trained") < -0.02).all()
    assert (result.gain.sel(role="trained") < 0).all()


def test_the_larger_the_difference_the_surer_it_is() -> None:
    """Against the smallest p that eight groups against eight can have: 2 / 12870, times two after Holm."""
    import xarray

    index = np.array([[0.0, 0.1, -0.1, 0.2, -0.2, 0.05, 0.15, -0.05], np.linspace(0.5, 0.9, 8), np.linspace(0, 0.9, 8)])
    names = ["naive", "paired", "unpaired"]
    across = ("condition", "group")
    result = xarray.Dataset(
        {
            "preference_index": (across, index),
            "preference_mean": (across, index),
            "learned": ((*across, "role"), np.zeros((3, 8, 2))),
            "gain": ((*across, "role"), np.zeros((3, 8, 2))),
        },
        coords={"condition": names},
    )
    p = {row["condition"]: row["p"] for row in compare(result)}
    assert p["naive"] == pytest.approx(2 * 2 / 12870)
    assert p["paired"] is None
    assert p["naive"] < p["unpaired"] < 1.0


def test_what_naive_larvae_prefer_is_taken_off_and_cancels_in_the_mean_of_two_trainings() -> None:
    """Two groups that prefer one side by 0.4 and 0.2 whatever they learned, and what was trained by 0.3 more."""
    import xarray

    bias, learned = np.array([0.4, -0.2]), 0.3
    indices = {"naive": bias, "unpaired": bias, "differential": bias + learned, "mirrored": learned - bias}
    across, values = ("condition", "group"), np.array(list(indices.values()))
    roles = ((*across, "role"), np.zeros((4, 2, 2)))
    result = xarray.Dataset(
        {"preference_index": (across, values), "preference_mean": (across, values), "learned": roles, "gain": roles},
        coords={"condition": list(indices)},
    )
    rows = {row["condition"]: row for row in compare(result)}
    assert list(rows) == [*indices, "reciprocal"]
    assert rows["naive"]["above_naive"] is None
    assert rows["unpaired"]["above_naive"] == 0.0
    for name in ("differential", "mirrored", "reciprocal"):
        assert rows[name]["above_naive"] == pytest.approx(learned)
        assert rows[name]["above_naive_interval"] == pytest.approx([learned, learned])
    assert rows["reciprocal"]["interval"] == pytest.approx([learned, learned])
    assert rows["mirrored"]["interval"][0] < learned < rows["mirrored"]["interval"][1]
    assert "reciprocal" not in {row["condition"] for row in compare(result.drop_sel(condition="mirrored"))}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"conditions": ["pared"]}, "unknown condition 'pared'; did you mean 'paired'"),
        ({"conditions": ["paired", "paired"]}, "conditions must be one or more, each named once"),
        ({"groups": 0}, "groups must be"),
        ({"phase_min": 0.0}, "phase_min must be above 0"),
        ({"jobs": 0}, "jobs must be"),
        ({"keep_in": 7}, "keep_in must be"),
        ({"model": "forager"}, "model must be one with a memory"),
    ],
)
def test_nonsense_is_refused(arguments: dict[str, Any], sentence: str) -> None:
    """Before anything is simulated."""
    with pytest.raises(InputError, match=sentence):
        preference(**{**TINY, "groups": 1, **arguments})


def test_the_command_writes_what_it_says(tmp_path: Path) -> None:
    """A run, its memories into a test, and a preference, each with its files; nothing is overwritten unasked."""
    runner = CliRunner()
    first = ["larvaworld", "run", "PItest_off", "--larvae", "2", "--minutes", "0.05", "--out", str(tmp_path / "a")]
    assert runner.invoke(main, [*first, "--json", "--store"], catch_exceptions=False).exit_code == 0
    names = {"run.nc", "memories.npz", "run.png", "larvaworld.nc"}
    assert {path.name for path in (tmp_path / "a").iterdir()} == names
    ours, theirs = (load_dataset(tmp_path / "a" / name) for name in ("run.nc", "larvaworld.nc"))
    assert (theirs.x.sel(larva=ours.larva, step=ours.step).values == ours.x.values).all()
    again = runner.invoke(main, first)
    assert again.exit_code == 2
    assert "run.nc" in again.output
    test = [*first[:-1], str(tmp_path / "b"), "--memories", str(tmp_path / "a" / "memories.npz"), "--frozen"]
    done = runner.invoke(main, test, catch_exceptions=False)
    assert "Larvaworld's preference index in the end" in done.output
    asked = ["larvaworld", "preference", "--groups", "2", "--larvae", "1", "--trials", "1", "--phase", "0.02", "--test"]
    asked += ["0.05", "--condition", "paired", "--gain", "published", "--set", "probe_ms=200"]
    asked += ["--keep-in", str(tmp_path / "kept"), "--out", str(tmp_path / "c")]
    done = runner.invoke(main, [*asked, "--json"], catch_exceptions=False)
    (row,) = json.loads(done.stdout)["conditions"]
    assert row["condition"] == "paired"
    assert abs(row["gain"][0]) < 1.0
    table = runner.invoke(main, [*asked, "--overwrite"], catch_exceptions=False).stdout
    assert f"{row['preference']:+.2f}" in table
    assert "Too few groups for p" in table
    listed = json.loads(runner.invoke(main, ["larvaworld", "models", "forager_x2_MB", "--json"]).stdout)
    assert all(model["mode"] == "MB" and model["stimuli"] == ["CS", "UCS"] for model in listed)
    refused = runner.invoke(main, [*first[:2], "PItrian", "--out", str(tmp_path / "d")])
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1)
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "PItest_off", "--larvae", "0"], "larvae must be"),
        (
            ["run", "PItest_off", "--model", "forager_RL", "--gain", "published"],
            "--gain must be given for a model",
        ),
        (["run", "PItest_off", "--model", "forager_RL", "--server", "here"], "--server must be given for a model"),
        (["run", "PItest_off", "--model", "forager_RL", "--odor", "CS=anisole"], "--odor must be given for a model"),
        (["run", "PItest_off", "--odor", "CS"], "--odor must be NAME=ODOR, got 'CS'"),
        (["run", "PItest_off", "--odor", "CS=sweat"], "stimulus 'CS' must stand for a measured odor"),
        (
            ["run", "PItest_off", "--out", "/proc/nowhere"],
            "/proc/nowhere must be a folder that can be written to, got No such file or directory",
        ),
        (["preference", "--model", "nosuch"], "`kenyon larvaworld models` lists"),
        (["models", "nosuch"], "must have 'nosuch' in its name, got none"),
        (["experiments", "nosuch"], "must have 'nosuch' in its name, got none"),
    ],
)
def test_a_mistake_is_named_before_anything_is_done(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    """Also where results of an earlier run are in the way."""
    out = [] if "--out" in arguments or arguments[0] in ("models", "experiments") else ["--out", str(tmp_path)]
    for name in ("run.nc", "preference.nc"):
        (tmp_path / name).touch()
    refused = CliRunner().invoke(main, ["larvaworld", *arguments, *out])
    assert refused.exit_code == 2
    assert sentence in refused.output


def test_a_run_that_fails_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is made beforehand, for that may fail, and taken away again."""

    def fail(*_: object, **__: object) -> None:
        raise InputError("in the middle")

    monkeypatch.setattr(experiment, "carry_out", fail)
    out = tmp_path / "deep" / "down"
    refused = CliRunner().invoke(main, ["larvaworld", "run", "PItest_off", "--out", str(out)])
    assert "in the middle" in refused.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("command", "name"), [("run", "memories.npz"), ("preference", "preference.png")])
def test_a_run_is_refused_before_it_works_while_another_has_one_of_its_names(
    command: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that may overwrite."""

    def begun(*_: object, **__: object) -> None:
        pytest.fail("it began")

    monkeypatch.setattr(experiment, "carry_out", begun)
    with reserved(tmp_path, name):
        refused = CliRunner().invoke(main, ["larvaworld", command, "--out", str(tmp_path), "--overwrite"])
    assert refused.exit_code == 1
    assert f"Error: {tmp_path / name} is being written by process" in refused.output
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_ends_at_once(tmp_path: Path) -> None:
    """Its worker processes too, although their groups would take minutes; and nothing is left."""
    with asking(tmp_path / "out") as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        assert first.startswith("4 groups of 2 forager_MB: 0%")
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) != 0
    assert not (tmp_path / "out").exists()
