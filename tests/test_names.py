"""One name, one thing: the names of classes."""

import ast
from collections import Counter
from pathlib import Path

import pytest

import kenyon

_ROOT = Path(next(iter(kenyon.__path__)))
_FOLDERS = sorted({path.parent for path in _ROOT.rglob("*.py")})


@pytest.mark.parametrize("folder", _FOLDERS, ids=lambda folder: str(folder.relative_to(_ROOT.parent)))
def test_no_class_name_stands_twice_within_a_folder(folder: Path) -> None:
    """So that a reader who looks a name up finds one class."""
    trees = [ast.parse(path.read_text("utf-8")) for path in folder.glob("*.py")]
    names = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert [name for name, times in names.items() if times > 1] == []
