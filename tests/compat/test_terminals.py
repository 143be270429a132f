"""Commands that run Larvaworld obey what every command does: printable lines, one sentence, whatever they are told."""

import json
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest

from tests.cli import test_terminals as everywhere
from tests.cli.running import ENOUGH, run
from tests.server.running import KENYON

_TWICE = ("larvaworld", "preference"), "out"
"""A folder for results is that of `run` too, which is sooner over."""


def _here(parameters: list[tuple[tuple[str, ...], click.Parameter]]) -> list[tuple[tuple[str, ...], click.Parameter]]:
    return [one for one in parameters if one[0][0] == "larvaworld" and (one[0], one[1].name) != _TWICE]


def _name(value: Any) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value.name)


@pytest.mark.parametrize(("words", "parameter"), _here(everywhere.PARAMETERS), ids=_name)
def test_no_option_lets_what_a_terminal_obeys_come_back(
    words: tuple[str, ...], parameter: click.Parameter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names of models and experiments, options of memories, addresses, folders."""
    everywhere.test_no_option_lets_what_a_terminal_obeys_come_back(words, parameter, tmp_path, monkeypatch)


@pytest.mark.parametrize(("words", "parameter"), _here(everywhere.FILE_PARAMETERS), ids=_name)
def test_a_file_that_an_option_names_may_be_anything(
    words: tuple[str, ...], parameter: click.Parameter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens (finding 25), memories, folders for results."""
    everywhere.test_a_file_that_an_option_names_may_be_anything(words, parameter, tmp_path, monkeypatch)


@pytest.mark.parametrize("encoding", ["latin-1", "koi8-r"])
def test_lists_print_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    """Of models and experiments."""
    for words in (("larvaworld", "models"), ("larvaworld", "experiments")):
        done = run([*words, *ENOUGH[words]], tmp_path, encoding=encoding)
        assert done.status == 0
        everywhere.lines_of(done, encoding)


def test_experiments_are_listed_and_a_word_for_a_backend_that_there_is_none_of_hinders_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With length, odors and food; Larvaworld asks matplotlib for its backend where it is imported, and needs none."""
    monkeypatch.setenv("MPLBACKEND", "module://no.such.backend")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    # In a process of its own, for a run of the host itself may have set the length in this one.
    done = subprocess.run(
        [*KENYON, "larvaworld", "experiments", "PI", "--json"], capture_output=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    found = {one["name"]: one for one in json.loads(done.stdout)}
    assert found["PItrain"] == {"name": "PItrain", "minutes": 41.0, "odors": ["CS", "UCS"], "food": "everywhere"}
    assert found["PItest_off"]["food"] == "nowhere"
    assert "dish" not in found
