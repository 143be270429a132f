"""The notebook that a user of Larvaworld would copy, run from its first cell to its last."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "examples").glob("*.ipynb"))

SHORT = {"larvae=6": "larvae=2", "larvae=5": "larvae=2", "minutes=1.0": "minutes=0.2", "_min=0.5": "_min=0.1"}
"""What is written in its place for a run of fewer larvae and shorter times."""


@pytest.mark.parametrize("instead", [SHORT, pytest.param({}, marks=pytest.mark.long)], ids=["short", "whole"])
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs(path: Path, instead: dict[str, str], tmp_path: Path) -> None:
    """Every cell, in a process of its own, without an error; it shows two figures."""
    text = path.read_text("utf-8")
    for words, others in instead.items():
        assert words in text
        text = text.replace(words, others)
    notebook = nbformat.reads(text, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert sum("image/png" in output["data"] for output in shown) == 2
