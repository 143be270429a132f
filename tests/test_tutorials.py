"""Tutorials are whole notebooks whose cells run, here in seconds; `make docs` runs them as they stand."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from tests.tutorials import FOLDER, SHORT, python, tutorial

HOSTED = "learning_in_larvaworld"
"""The one that runs beside Larvaworld: tests/compat/test_tutorial.py."""


def test_these_are_all_tutorials() -> None:
    """Every page of the folder is tested, but for its list of contents."""
    assert {page.stem for page in FOLDER.glob("*.md")} - {"index"} == set(SHORT)


@pytest.mark.parametrize("name", SHORT)
def test_a_tutorial_is_a_notebook(name: str) -> None:
    """Jupyter knows its format and kernel; no slip in a fence hides a cell; it ends with where to go on."""
    head, body = tutorial(name)
    assert "format_name: myst" in head
    assert f"name: {'larvaworld' if name == HOSTED else 'python3'}" in head
    assert body.count("{code-cell}") == len(tutorial(name).cells) > 5
    assert re.findall(r"^## (.*)$", body, flags=re.MULTILINE)[-1] == "Where to go on"


@pytest.mark.parametrize("name", SHORT)
def test_what_its_cells_import_is_there(name: str) -> None:
    """Each cell is Python, and all that it asks of Kenyon exists."""
    for cell in tutorial(name).cells:
        for node in ast.walk(ast.parse(python(cell))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("kenyon."):
                module = importlib.import_module(str(node.module))
                for own in node.names:
                    if not hasattr(module, own.name):
                        importlib.import_module(f"{node.module}.{own.name}")


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)], ids=["short", "whole"])
@pytest.mark.parametrize("name", [name for name in SHORT if name != HOSTED])
def test_its_cells_run(name: str, whole: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, as a reader runs them; warnings are errors here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names: dict[str, object] = {"__name__": "tutorial"}
    for cell in (tutorial(name) if whole else tutorial(name).shortened(name)).cells:
        exec(compile(python(cell), name, "exec"), names)
