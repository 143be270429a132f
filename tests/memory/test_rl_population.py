from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kenyon.errors import InputError
from kenyon.memory import RLmemory, RLOlfMemory, RLPopulation, RLTouchMemory


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from([RLOlfMemory, RLTouchMemory]))
def test_each_row_is_what_the_single_class_would_be(seed: int, kind: type[RLmemory]) -> None:
    """Any options, stimuli, table and end of training: gains and tables are equal, bit for bit, at every step."""
    rng = np.random.default_rng(seed)
    stimuli = [f"odor{i}" for i in range(rng.integers(1, 4))]
    options: dict[str, Any] = {
        "state_spacePerSide": int(rng.integers(0, 3)),
        "gain_space": [float(g) for g in rng.integers(-300, 300, rng.integers(1, 4))],
        "update_dt": float(rng.choice([0.0, 0.005, 0.01])),
        "train_dur": float(rng.choice([0.02, 0.05, 30.0])),
        "epsilon": float(rng.choice([0.0, 0.3, 1.0])),
        "alpha": float(rng.random()),
        "state_specific_best": bool(rng.random() < 0.5),
        "table": str(rng.choice(["joint", "factored"])),
        "seed": int(rng.integers(0, 100)),
    }
    population = RLPopulation(4, stimuli, kind, **options)
    singles = [kind(model_id=i, gain=dict.fromkeys(stimuli, 0.0), **options) for i in range(4)]
    for _ in range(40):
        dx = (
            rng.choice([-1.0, 0.0, 1.0], (4, len(stimuli)))
            if kind is RLTouchMemory
            else rng.normal(0, 0.3, (4, len(stimuli)))
        )
        reward = rng.choice([0.0, 1.0], 4)
        gains = population.step(dx, reward)
        for i, memory in enumerate(singles):
            own = memory.step(reward=reward[i], dx=dict(zip(stimuli, dx[i], strict=True)))
            assert gains[i].tolist() == list(own.values())
            assert np.array_equal(population.q_table[i], memory.q_table)
            assert population.reward_sum[i] == memory.rewardSum
    assert population.total_ticks == 40


def test_ids_name_the_streams() -> None:
    """A larva's numbers do not depend on its place or on its neighbors."""
    options: dict[str, Any] = {"epsilon": 1.0, "update_dt": 0.0, "seed": 3}
    many, few = RLPopulation(50, ["a"], **options), RLPopulation(2, ["a"], model_ids=[41, 7], **options)
    for _ in range(10):
        all_gains = many.step(np.zeros((50, 1)), 0.0)
        assert few.step(np.zeros((2, 1)), 0.0).tolist() == all_gains[[41, 7]].tolist()
    assert len(np.unique(many.gain)) == 4


def nonsense() -> dict[str, Any]:
    """Return calls that must be refused, by the beginning of the sentence."""
    larvae = RLPopulation(2, ["a"])
    return {
        "larvae must be": lambda: RLPopulation(0, ["a"]),
        "model_ids must be 2 different ids": lambda: RLPopulation(2, ["a"], model_ids=[1, 1]),
        "alpha must be": lambda: RLPopulation(2, ["a"], alpha=2),
        "rules must be 'standard'": lambda: RLPopulation(2, ["a"], rules="larvaworld"),
        "the table must be at most 64 MB": lambda: RLPopulation(2, list("abcdefghij"), state_spacePerSide=2),
        "dx must be numbers that fit shape": lambda: larvae.step(np.zeros((2, 2))),
        "dx must be finite": lambda: larvae.step([[0.0], [np.nan]]),
        "reward must be finite": lambda: larvae.step([[0.0], [0.0]], [0.0, np.inf]),
    }


@pytest.mark.parametrize("sentence", nonsense())
def test_nonsense_is_refused(sentence: str) -> None:
    """Each argument by nonsense: an error that names it."""
    with pytest.raises(InputError, match=f"^{sentence}"):
        nonsense()[sentence]()


def test_a_refused_step_changes_nothing() -> None:
    """Clock, reward and gains are as they were."""
    larvae = RLPopulation(2, ["a"], update_dt=0.0)
    with pytest.raises(InputError):
        larvae.step([[0.0], [np.nan]], 1.0)
    assert larvae.total_ticks == 0
    assert not larvae.reward_sum.any()
    assert not larvae.gain.any()
