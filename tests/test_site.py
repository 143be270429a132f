"""What the site needs of its sources: every public name listed, every page in its index. `make docs` builds it."""

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest

import kenyon

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
INNER = ("kenyon.cli", "kenyon.live.page")
"""Neither is imported by who uses Kenyon: the command has a page of its own, the page on which larvae learn is text."""

PAGES = sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts and "inventories" not in page.parts)
INDEXES = [page for page in PAGES if page.name == "index.md"]


def listed() -> dict[str, str]:
    """Return every name of the lists in reference/api, and by which directive it stands there."""
    names = {}
    for page in sorted((DOCS / "reference" / "api").glob("*.md")):
        module = ""
        for directive, argument in re.findall(r"^\.\. (\w+):: (\S+)$", page.read_text("utf-8"), flags=re.MULTILINE):
            if directive == "currentmodule":
                module = argument
            else:
                assert f"{module}.{argument}" not in names, f"{module}.{argument} stands there twice"
                names[f"{module}.{argument}"] = directive
    return names


def value(name: str) -> Any:
    """Return what has a name."""
    module, _, own = name.rpartition(".")
    return getattr(importlib.import_module(module), own)


def exported() -> set[str]:
    """Return every name that a module exports, modules aside."""
    names = set()
    for info in pkgutil.walk_packages(kenyon.__path__, "kenyon."):
        if not info.name.startswith(INNER):
            text = Path(importlib.import_module("kenyon").__path__[0], *info.name.split(".")[1:])
            source = text / "__init__.py" if info.ispkg else text.with_suffix(".py")
            if "__all__" in source.read_text("utf-8"):
                names |= {f"{info.name}.{own}" for own in importlib.import_module(info.name).__all__}
    return {name for name in names if not inspect.ismodule(value(name))}


def told_to_users() -> set[str]:
    """Return every name of ours that a Python example of a page imports."""
    names = set()
    for page in [ROOT / "README.md", *PAGES]:
        if page.parent.name == "explanation":  # how it is built, for who changes it
            continue
        for example in re.findall(
            r"```(?:python|\{code-cell\}.*?)\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL
        ):
            code = "\n".join(line for line in example.splitlines() if not line.startswith((":", "%", "!", "---")))
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kenyon"):
                    names |= {f"{node.module}.{own.name}" for own in node.names}
    return {name for name in names if not inspect.ismodule(value(name))}


def same(name: str, other: str) -> bool:
    """Return whether two names have the same thing, which then stands in the lists under one of them."""
    return name == other or (name.rpartition(".")[2] == other.rpartition(".")[2] and value(name) is value(other))


def test_every_public_name_stands_in_the_lists() -> None:
    """What a module exports, and what pages tell users to import."""
    names = listed()
    assert [name for name in sorted(exported() | told_to_users()) if not any(same(name, own) for own in names)] == []


@pytest.mark.parametrize("name", listed())
def test_what_is_listed_is_there_and_says_what_it_is(name: str) -> None:
    """By the directive of its kind, and with a docstring of its own, or a text below it where it is a value."""
    kind = listed()[name]
    own = value(name)
    if kind == "autodata":
        assert not callable(own)
        return
    assert inspect.isclass(own) == (kind in ("autoclass", "autoexception"))
    assert (kind == "autoexception") == (inspect.isclass(own) and issubclass(own, BaseException))
    assert own.__doc__
    assert not own.__doc__.startswith(f"{own.__name__}("), "that is what Python makes up for a class without one"


@pytest.mark.parametrize("index", INDEXES, ids=lambda page: page.parent.name)
def test_an_index_names_every_page_of_its_folder(index: Path) -> None:
    """To those who read it as a file, and to the site; and no other."""
    text = index.read_text("utf-8")
    shown = set(re.findall(r"\]\((?!\.\.)([^)#:]+\.md)\)", text))
    in_site = {
        f"{line}.md" for block in re.findall(r"```\{toctree\}(.*?)```", text, re.DOTALL) for line in block.split()
    }
    own = {page.name for page in index.parent.glob("*.md")} | {
        f"{page.parent.name}/index.md" for page in index.parent.glob("*/index.md")
    }
    assert own - {"index.md"} <= shown
    assert own - {"index.md"} <= in_site
