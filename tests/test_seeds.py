import hashlib

import numpy as np
import pytest

from kenyon import seeds
from kenyon.errors import InputError


def test_larva_seed_is_sha256_of_canonical_json() -> None:
    """The rule is one that any other program can follow."""
    assert seeds.larva_seed(7, "PItrain_1", 3) == int(hashlib.sha256(b'[7,"PItrain_1",3]').hexdigest(), 16)


def test_larva_seeds_of_a_smaller_run_are_those_of_a_larger() -> None:
    """Adding larvae to a run leaves the first ones as they were."""
    assert seeds.larva_seeds(3, 30)[:5] == seeds.larva_seeds(3, 5)
    assert len(set(seeds.larva_seeds(3, 30) + seeds.larva_seeds(4, 30))) == 60


def test_streams_of_a_larva_differ_by_purpose_and_part() -> None:
    """Drawing more for one purpose can never move another."""
    first = [seeds.generator(1, purpose).random() for purpose in ("wiring", "input", "bootstrap")]
    parts = [tuple(seeds.sfc64_state(1, "input", part)) for part in range(23)]
    assert len(set(first)) == 3
    assert len(set(parts)) == 23


def test_sfc64_state_is_that_of_numpy() -> None:
    """Compiled code starts where numpy's generator would."""
    bits = np.random.SFC64(np.random.SeedSequence(5, spawn_key=(1, 2))).state["state"]["state"]
    assert (seeds.sfc64_state(5, "input", 2) == bits).all()


@pytest.mark.parametrize("nonsense", [-1, 1.5, None, "1"])
def test_a_seed_that_is_no_whole_number_is_refused(nonsense: object) -> None:
    """An error, not a random or truncated seed."""
    with pytest.raises(InputError, match="seed must be an integer of at least 0"):
        seeds.larva_seeds(nonsense, 1)  # type: ignore[arg-type]  # the nonsense is what is tested
