import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kenyon.cli import completion, main

from .running import run

SLOW = ("numpy", "numba", "xarray", "kenyon.conditioning", "kenyon.mushroom_body")


def offered(line: str, folder: Path) -> list[str]:
    """Return what bash is offered at the end of a line, as the command answers it."""
    words = line.split(" ")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(completion.VARIABLE, "bash_complete")
        patch.setenv("COMP_WORDS", line)
        patch.setenv("COMP_CWORD", str(len(words) - 1))
        done = run([], folder)
    assert done.err == b""
    return [answer.split(",", 1)[1] for answer in done.out.decode().splitlines() if answer]


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("kenyon tr", ["train"]),
        ("kenyon sweep st", ["status"]),
        ("kenyon train --lar", ["--larvae"]),
        ("kenyon train --odor pent", [r"pentyl\\ acetate"]),
        ("kenyon train --odor ANISO", ["anisole"]),
        ("kenyon train --odor B=aniso", ["B=anisole"]),
        ('kenyon train --odor "pent', ["pentyl acetate"]),
        ("kenyon train paired spon", ["spontaneous-recovery"]),
        ("kenyon paradigms tra", ["trace"]),
        ("kenyon train --parameters ", ["published", "balanced", "larval"]),
        ("kenyon serve --parameters=bal", ["balanced"]),
        ("kenyon reproduce --odors anisole 3-oct", ["3-octanol"]),
        ("kenyon larvaworld run --reinforcement p", ["punishment"]),
        ("kenyon train --odor nothing-like-it", []),
    ],
)
def test_a_shell_is_offered_what_there_is(line: str, answers: list[str], tmp_path: Path) -> None:
    """Subcommands, options, choices, odors, experiments; nothing where nothing is known."""
    found = offered(line, tmp_path)
    assert sorted(found) == sorted(answers)


def test_results_are_offered_from_here_and_from_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And any file where there is no result."""
    for name in ("demo/paired.nc", "demo/learning.png", "dose.nc", "larva.npz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert offered("kenyon plot d", tmp_path) == ["dose.nc", "demo/paired.nc"]
    assert offered("kenyon verify l", tmp_path) == ["larva.npz"]
    assert offered("kenyon table x", tmp_path) == ["x"]


def test_what_is_offered_is_what_the_commands_take() -> None:
    """`completion.json` is written from them by `make docs`, and says the same still."""
    assert json.loads(completion.FILE.read_text("utf-8"))["command"] == completion.outline(main)


def test_an_answer_imports_nothing_that_is_slow() -> None:
    """So that no TAB waits for what computes."""
    asked = {completion.VARIABLE: "bash_complete", "COMP_WORDS": "kenyon train --odor a", "COMP_CWORD": "3"}
    program = f"""
import sys
from kenyon.cli import main
try:
    main(prog_name="kenyon")
finally:
    print([name for name in {SLOW} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **asked}, capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1] == "[]"
    assert "plain,anisole" in done.stdout.splitlines()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash on this machine")
def test_bash_takes_an_odor_as_one_word(tmp_path: Path) -> None:
    """With the script that `kenyon completion bash` prints."""
    kenyon = tmp_path / "kenyon"
    kenyon.write_text(f"#!{sys.executable}\nfrom kenyon.cli import main\nmain(prog_name='kenyon')\n")
    kenyon.chmod(0o755)
    script = run(["completion", "bash"], tmp_path).out.decode()
    asked = (
        "COMP_WORDS=(kenyon train --odor pent) COMP_CWORD=3; _kenyon_completion kenyon; printf '<%s>' ${COMPREPLY[@]@Q}"
    )
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{script}\nIFS=; {asked}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == r"<'pentyl\ acetate'>"
