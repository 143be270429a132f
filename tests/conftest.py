"""What several tests share."""

import os
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

# Deadlines would time the machine, not the code; a derandomized run fails for everyone or for no one.
settings.register_profile("kenyon", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)
settings.load_profile("kenyon")


@pytest.fixture(scope="session", autouse=True)
def code_is_compiled() -> None:
    """Compile the circuit once for all workers, before a test waits for it: in a new clone that takes half a minute.

    For those of another run beside this one, too: what is compiled is kept beside the source.
    """
    from kenyon.mushroom_body import Population, population

    with FileLock(Path(population.__file__).parent / "__pycache__" / "compiling.lock"):
        Population(seeds=[1]).advance(0.1)


LONG_FILES = {
    "test_brian.py",
    "test_brian_engine.py",
    "test_notebook.py",
    "test_preference.py",
    "test_registration.py",
    "test_results.py",
    "test_server.py",
    "test_survival.py",
    "test_training.py",
}
"""Where tests take long, for they start processes or have Brian2 compile: first, or one worker is left with them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes long begin first."""
    items.sort(key=lambda item: Path(item.path).name not in LONG_FILES)
