"""The tutorial on Larvaworld, run from its first cell to its last."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.tutorials import tutorial

NAME = "learning_in_larvaworld"


def shown(notebook: Any, kind: str) -> int:
    """Return how many outputs of a kind a notebook shows."""
    return sum(kind in output.get("data", ()) for cell in notebook.cells for output in cell.outputs)


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)], ids=["short", "whole"])
def test_the_tutorial_runs(whole: bool, tmp_path: Path) -> None:
    """Every cell, in a process of its own, without an error; it shows three figures and a film."""
    page = tutorial(NAME) if whole else tutorial(NAME).shortened(NAME)
    cells = [nbformat.v4.new_code_cell(cell) for cell in page.cells]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert shown(notebook, "image/png") == 3
    assert "<video" in "".join(output.get("data", {}).get("text/html", "") for cell in cells for output in cell.outputs)
