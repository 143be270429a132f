import importlib.metadata

import pytest

from tests.compat.needs import NEEDS


def test_larvaworld_is_the_release_that_the_numbers_are_of() -> None:
    """What this folder says of Larvaworld was seen on 2.5.1; where there is none, that is said and not passed over."""
    try:
        version = importlib.metadata.version("larvaworld")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(NEEDS)
    assert version == "2.5.1"
