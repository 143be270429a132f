"""What the tests against Larvaworld share; without it, only the one that says so is collected."""

import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kenyon.wire import close_connections
from tests.compat.needs import NEEDS

# pygame, which the host imports, looks for a screen otherwise.
os.environ["SDL_AUDIODRIVER"] = os.environ["SDL_VIDEODRIVER"] = "dummy"

INSTALLED = importlib.util.find_spec("larvaworld") is not None
ALWAYS = {"__init__.py", "conftest.py", "needs.py", "test_installed.py"}

if INSTALLED:
    import larvaworld

    larvaworld.VERBOSE = 3  # Its progress is no test's result.
    collect_ignore: list[str] = []
else:
    collect_ignore = [path.name for path in Path(__file__).parent.glob("*.py") if path.name not in ALWAYS]


def pytest_report_header() -> str | None:
    """Say what is left out."""
    return None if INSTALLED else f"tests/compat is left out: {NEEDS}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the host warn, as it does of much; a warning of ours is still an error."""
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.filterwarnings("ignore"))
            item.add_marker(pytest.mark.filterwarnings("error::kenyon.errors.DivergenceWarning"))


@pytest.fixture(autouse=True)
def no_connection_stays() -> Iterator[None]:
    """Every test begins and ends without a kept connection."""
    close_connections()
    yield
    close_connections()


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, type], None]:
    """Return what makes the host build a class for a mode and a modality, until the test is over."""
    from larvaworld.lib.model.modules.module_modes import moduleDB

    def put(mode: str, modality: str, kind: type) -> None:
        monkeypatch.setitem(moduleDB.brainDB["memory"].dict[mode], modality, kind)

    return put


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Return what closes at the end of the test what is entered into it."""
    with ExitStack() as entered:
        yield entered
