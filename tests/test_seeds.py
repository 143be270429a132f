import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kenyon import seeds
from kenyon.errors import InputError
from kenyon.seed_sequence import sfc64_states
from kenyon.sfc64 import up_to

EDGES = [0, 1, *(2**bits + more for bits in (32, 64, 128, 160, 224) for more in (-1, 0, 1)), 2**256 - 1]
"""Seeds at whose size their number of words changes."""


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


@given(st.lists(st.integers(0, 2**256 - 1) | st.sampled_from(EDGES), min_size=1, max_size=5), st.integers(0, 3))
def test_streams_of_many_seeds_are_those_of_numpy(many: list[int], parts: int) -> None:
    """Seeds of one word or of eight, alone or together, for a purpose or for parts of it."""
    states = sfc64_states(many, "input", parts)
    assert states.shape == (len(many), parts, 4)
    for place, seed in enumerate(many):
        assert (sfc64_states(many, "wiring")[place] == seeds.sfc64_state(seed, "wiring")).all()
        for part in range(parts):
            assert (states[place, part] == seeds.sfc64_state(seed, "input", part)).all()


@given(st.integers(0, 2**256 - 1), st.lists(st.integers(0, 2**32 - 2), min_size=1, max_size=40))
def test_whole_numbers_are_drawn_as_numpy_does(seed: int, most: list[int]) -> None:
    """One after the other from one stream, also where half of them must be drawn anew."""
    rng, spare, numpys = (
        seeds.sfc64_state(seed, "wiring"),
        np.zeros(2, dtype=np.uint64),
        seeds.generator(seed, "wiring"),
    )
    assert [up_to(rng, spare, own) for own in most] == [numpys.integers(0, own, endpoint=True) for own in most]
    assert (rng == numpys.bit_generator.state["state"]["state"]).all()


@pytest.mark.parametrize("nonsense", [-1, 1.5, None, "1"])
def test_a_seed_that_is_no_whole_number_is_refused(nonsense: object) -> None:
    """An error, not a random or truncated seed."""
    with pytest.raises(InputError, match="seed must be an integer of at least 0"):
        seeds.larva_seeds(nonsense, 1)  # type: ignore[arg-type]  # the nonsense is what is tested
