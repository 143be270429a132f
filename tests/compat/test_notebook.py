"""The notebooks that users would copy, run from their first cells to their last."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "examples"

SHORT = {
    "circuit": {"larvae=8": "larvae=2", "20s": "1s", "59_000": "500"},
    "larvaworld": {
        "larvae=6": "larvae=2",
        "larvae=5": "larvae=2",
        "duration=0.6": "duration=0.1",
        "minutes=1.0": "minutes=0.2",
        "_min=0.5": "_min=0.1",
    },
}
"""What is written in its place for a run of fewer larvae and shorter times, by notebook."""


def images(notebook: Any) -> int:
    """Return how many figures a notebook shows."""
    shown = [output for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    return sum("image/png" in output["data"] for output in shown)


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)], ids=["short", "whole"])
@pytest.mark.parametrize("name", [path.stem for path in sorted(EXAMPLES.glob("*.ipynb"))])
def test_a_notebook_runs(name: str, whole: bool, tmp_path: Path) -> None:
    """Every cell, in a process of its own, without an error; it shows as many figures as are stored in it."""
    text = (EXAMPLES / f"{name}.ipynb").read_text("utf-8")
    stored = nbformat.reads(text, as_version=4)
    notebook = nbformat.reads(text, as_version=4)
    for words, others in {} if whole else SHORT[name].items():
        assert any(words in cell.source for cell in notebook.cells)
        for cell in notebook.cells:
            cell.source = cell.source.replace(words, others)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert images(notebook) == images(stored) > 1
