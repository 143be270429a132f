"""What several tests share."""

import os

import pytest
from filelock import FileLock
from hypothesis import settings

# Deadlines would time the machine, not the code; a derandomized run fails for everyone or for no one.
settings.register_profile("kenyon", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)
settings.load_profile("kenyon")


@pytest.fixture(scope="session", autouse=True)
def code_is_compiled(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compile the circuit once for all workers, before a test waits for it: in a new clone that takes half a minute."""
    from kenyon.mushroom_body import Population

    with FileLock(tmp_path_factory.getbasetemp().parent / "compiling.lock"):
        Population(seeds=[1]).advance(0.1)
