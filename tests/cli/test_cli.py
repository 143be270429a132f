import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from kenyon.conditioning import load
from kenyon.mushroom_body.verification import own_files
from kenyon.reservations import reserved

from .running import run

QUICK = ("--larvae", "3", "--trials", "1", "--stimulus", "2", "--pause", "1")


def kenyon(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, in a process of its own, its output not a terminal."""
    environment = {**os.environ, "COLUMNS": "80"}
    command = [sys.executable, "-c", "from kenyon.cli import main; main()", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=environment, encoding="utf-8"
    )


def here(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, which saves its start: where nothing but what it says and writes is asked."""
    with tempfile.TemporaryDirectory() as streams, pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        if cwd is not None:
            patch.chdir(cwd)
        done = run([*map(str, arguments)], Path(streams))
    return subprocess.CompletedProcess(arguments, done.status, done.out.decode("utf-8"), done.err.decode("utf-8"))


def test_train_gives_a_table_a_figure_and_a_result(tmp_path: Path) -> None:
    """With nothing but plain lines where the output is no terminal."""
    out = tmp_path / "out"
    done = kenyon("train", *QUICK, "--wiring", "left", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "parameters larval, wiring left, seed 0" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert re.search("paired +pentyl acetate +after training", done.stdout)
    assert "4,5-dimethylthiazole" in done.stdout
    assert {path.name for path in out.iterdir()} == {"paired.nc", "learning.png"}
    result = load(out / "paired.nc")
    assert result.sizes["larva"] == 3
    assert f"Runs: paired {result.run_id.item()}" in done.stdout


def test_train_never_overwrites_silently(tmp_path: Path) -> None:
    """It refuses before it simulates, and replaces if told to."""
    assert here("train", *QUICK, "--out", tmp_path).returncode == 0
    before = (tmp_path / "paired.nc").read_bytes()
    refused = here("train", *QUICK, "--seed", "1", "--out", tmp_path)
    assert refused.returncode == 2
    assert "paired.nc exists already" in refused.stderr
    assert (tmp_path / "paired.nc").read_bytes() == before
    assert here("train", *QUICK, "--seed", "1", "--out", tmp_path, "--overwrite").returncode == 0
    assert load(tmp_path / "paired.nc").seed.item() == "1"


def test_train_takes_its_options(tmp_path: Path) -> None:
    """Each reaches the result."""
    done = here(
        "train", "odor-alone", "unpaired", *QUICK, "--odor", "anisole", "--us", "punishment", "--us-rate", "700",
        "--parameters", "published", "--set", "weight_floor_nS=5", "--set", "kc_claws_max=5", "--test-odor",
        "3-octanol", "--concentration", "0.5", "--out", tmp_path, "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    result = load(tmp_path / "unpaired.nc")
    assert result.design.item() == (
        "A = anisole@0.5, B = 3-octanol, + = punishment 1: unpaired: #training ?A, ?B, A 2s, + 2s, ?A, ?B"
    )
    assert result.parameters.item() == (
        "published with kc_claws_max=5, weight_floor_nS=5.0, reinforcement_rate_hz=700.0"
    )
    assert result.test_odor.values.tolist() == ["anisole", "3-octanol"]
    assert {row["group"] for row in printed["results"]} == {"odor-alone", "unpaired"}
    assert printed["diverged"] == {"odor-alone": 0, "unpaired": 0}
    assert len(printed["files"]) == 3
    assert printed["runs"] == {name: load(tmp_path / f"{name}.nc").run_id.item() for name in ("odor-alone", "unpaired")}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pairde"], "Error: unknown experiment 'pairde'; did you mean 'paired'"),
        (["paired", "paired"], "Error: each experiment must be named once"),
        (["--odor", "banana"], "Error: unknown odor 'banana'"),
        (["--odor", "99"], "Error: odor number must be an integer"),
        (["--larvae", "0"], "Error: larvae must be an integer of at least 1 and at most 1000000, got 0"),
        (["--us-rate", "nan"], "Error: reinforcement_rate_hz must be a finite number"),
        (["--us-rate", "-1"], "Error: reinforcement_rate_hz must be a finite number from 0 to 10000 Hz, got -1.0"),
        (["--concentration", "nan"], "Error: concentration must be a finite number"),
        (["--set", "foo=1"], "Error: unknown parameter 'foo'"),
        (["--set", "dt_ms"], "Error: --set must be NAME=VALUE"),
        (["--seed", "-1"], "Error: seed must be an integer of at least 0, got -1"),
        (["--stimulus", "0"], "Error: stimulus duration must be above 0 s, got 0"),
        (["--parameters", "blanced"], "Error: Invalid value for '--parameters'"),
    ],
)
def test_train_refuses_nonsense(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    """In one sentence, with exit status 2, leaving nothing behind."""
    refused = here("train", *arguments, "--out", tmp_path / "out")
    assert refused.returncode == 2
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "out").exists()


def test_verify_replays_its_own_files() -> None:
    """All four, identical."""
    done = here("verify", "--json")
    assert done.returncode == 0, done.stderr
    files = json.loads(done.stdout)["files"]
    assert [file["name"] for file in files] == [path.name for path in own_files()]
    assert all(file["identical"] and file["first_difference"] is None for file in files)


def test_verify_finds_one_moved_spike_and_one_changed_weight(tmp_path: Path) -> None:
    """The first difference is named, and the exit status is 1."""
    arrays = dict(np.load(next(path for path in own_files() if path.stem == "reward")))
    spikes = arrays["spikes"].copy()
    moved = tuple(int(value) for value in spikes[700])
    spikes[700, 0] += 1
    np.savez(tmp_path / "moved.npz", **{**arrays, "spikes": spikes})
    weights = arrays["w_kc_mbonn_nS"] + np.eye(72)[3] * 1e-8
    np.savez(tmp_path / "weight.npz", **{**arrays, "w_kc_mbonn_nS": weights})
    done = here("verify", tmp_path / "moved.npz", tmp_path / "weight.npz", "--json")
    assert done.returncode == 1
    first, second = json.loads(done.stdout)["files"]
    assert (first["identical"], first["missing"], first["surplus"]) == (False, 1, 1)
    assert tuple(first["first_difference"]) == moved
    assert (second["identical"], second["missing"]) == (False, 0)
    assert second["weight_error_nS"] == pytest.approx(1e-8, rel=0.01)


def test_verify_refuses_what_is_no_golden_file(tmp_path: Path) -> None:
    """Truncated, foreign, missing: one sentence."""
    whole = own_files()[1].read_bytes()
    (tmp_path / "truncated.npz").write_bytes(whole[: len(whole) // 2])
    np.savez(tmp_path / "foreign.npz", x=1)
    for name, status, sentence in (
        ("truncated.npz", 1, "must be a whole .npz archive"),
        ("foreign.npz", 1, "must be a golden file, but it has no array"),
        ("missing.npz", 2, "No such file"),
    ):
        refused = here("verify", tmp_path / name)
        assert refused.returncode == status
        assert sentence in refused.stderr
        assert "Traceback" not in refused.stderr


def test_odors_lists_all_and_sorts_by_similarity() -> None:
    """34 of them; the most alike to an odor is itself."""
    assert len(json.loads(here("odors", "--json").stdout)["odors"]) == 34
    rows = json.loads(here("odors", "pentyl acetate", "--json").stdout)["odors"]
    assert rows[0]["name"] == "pentyl acetate"
    assert [row["similarity"] for row in rows] == sorted((row["similarity"] for row in rows), reverse=True)
    assert "2,5-dimethylpyrazine" in here("odors").stdout
    assert here("odors", "banana").returncode == 2


def test_paradigms_and_doctor_answer() -> None:
    """For people and for programs."""
    assert "Is an odor remembered until the reinforcer comes?" in here("paradigms").stdout
    assert json.loads(here("paradigms", "--json").stdout)[0]["id"] == "paired"
    shown = here("paradigms", "trace/5s").stdout
    assert "Galili et al. 2011" in shown
    assert "Control no gap: the reinforcer right after the odor." in shown
    assert json.loads(here("paradigms", "trace/5s", "--json").stdout)["groups"][0] == "gap 5s"
    findings = json.loads(here("doctor", "--json").stdout)
    assert findings["cores"] >= 1
    assert findings["engines"]["kernel"] == "ready"
    assert "numba" in findings["versions"]
    beside = findings["larvaworld"]["larvaworld"]
    if importlib.util.find_spec("larvaworld") is None:
        assert beside.startswith("not installed; pip install 'FOLDER[larvaworld]', where FOLDER is the clone of Kenyon")
    else:
        assert beside.endswith(", one that Kenyon knows")
    table = here("doctor").stdout
    assert "compiled code is kept in" in table
    assert "larvaworld: screen" in table


def test_help_teaches() -> None:
    """Each subcommand has examples or says what it lists; the group says where to begin."""
    assert "Begin with `kenyon train`" in here("--help").stdout
    for command in ("train", "verify", "odors"):
        assert "Examples:" in here(command, "--help").stdout


@pytest.mark.skipif(importlib.util.find_spec("larvaworld") is not None, reason="says what is so without Larvaworld")
@pytest.mark.parametrize("arguments", [["run"], ["preference"], ["models"]])
def test_without_larvaworld_one_sentence_says_what_to_install(arguments: list[str], tmp_path: Path) -> None:
    """And nothing is left where results would have been."""
    out = [] if arguments == ["models"] else ["--out", str(tmp_path / "results")]
    done = here("larvaworld", *arguments, *out)
    assert done.returncode == 1
    assert done.stderr == (
        "Error: larvaworld must be installed, 2.4.0 or 2.5.1, got none; in the clone: make larvaworld, on Python "
        "3.10 to 3.12\n"
    )
    assert not (tmp_path / "results").exists()


def test_train_out_a_b_c_with_a_nonsense_test_odor_leaves_nothing(tmp_path: Path) -> None:
    """Every folder that was made for the results goes again."""
    refused = here("train", "--out", "a/b/c", "--test-odor", "nonsense", cwd=tmp_path)
    assert refused.returncode == 2
    assert "unknown odor 'nonsense'" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_of_two_commands_with_one_out_one_is_refused_at_once(tmp_path: Path) -> None:
    """Two `kenyon train --out d` both ended well once, and one result was gone; also where they may overwrite."""
    out = tmp_path / "d"
    with reserved(out, "learning.png", make=True):  # as a run has that is under way
        refused = here("train", *QUICK, "--out", out, "--overwrite")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: {out}/learning.png is being written by process {os.getpid()} on ")
    assert not out.exists()


def test_a_killed_command_leaves_what_was_there_and_the_next_removes_what_it_left(tmp_path: Path) -> None:
    """A run with --overwrite replaces its files together, or none of them."""
    before = {"paired.nc": b"of before", "learning.png": b"of before"}
    for name, words in before.items():
        (tmp_path / name).write_bytes(words)
    command = [sys.executable, "-c", "from kenyon.cli import main; main()", "train", "paired", "naive",
               "--larvae", "300", "--trials", "9", "--out", str(tmp_path), "--overwrite"]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not (tmp_path / ".naive.nc.reserved").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
    assert here("train", "unpaired", *QUICK, "--out", tmp_path, "--overwrite").returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"paired.nc", "unpaired.nc", "learning.png"}


def test_train_that_may_not_write_says_so_in_words() -> None:
    """A folder that cannot be made, before anything is simulated."""
    refused = here("train", "--out", "/proc/nowhere")
    assert refused.returncode == 2
    assert "must be a folder that can be written to" in refused.stderr
