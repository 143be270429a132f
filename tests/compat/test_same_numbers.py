"""Under rules="larvaworld", our Q-learning is that of the wheel, number for number."""

import random
from typing import Any

import numpy as np
import pytest
from larvaworld.lib.model.modules import memory as theirs

from kenyon import memory as ours

STEPS = 60


def configuration(chance: random.Random) -> dict[str, Any]:
    """Return random options; training ends within most of the sequences."""
    return {
        "dt": chance.choice([0.1, 0.05, 0.57, 1.0]),
        "update_dt": chance.choice([0.0, 0.002, 0.01, 0.07]),
        "train_dur": chance.choice([0.01, 0.05, 30.0]),
        "Delta": chance.choice([0.0, 0.1, 0.5, 2.0]),
        "alpha": chance.uniform(0, 1),
        "gamma": chance.uniform(0, 1),
        "epsilon": chance.choice([0.0, 0.15, 0.5, 1.0]),
        "state_spacePerSide": chance.choice([0, 1, 2]),
        "state_specific_best": chance.random() < 0.7,
        "gain_space": [chance.uniform(-300, 300) for _ in range(chance.randint(1, 5))],
    }


def change(chance: random.Random, stimuli: list[str], *, touch: bool) -> dict[str, Any]:
    """Return a random change of stimuli."""
    if touch:
        return {stimulus: chance.choice([0, 0, 1, -1]) for stimulus in stimuli}
    return {stimulus: chance.choice([0.0, chance.gauss(0, 0.3), 0.1, -0.1]) for stimulus in stimuli}


@pytest.mark.parametrize("name", ["RLmemory", "RLOlfMemory", "RLTouchMemory"])
@pytest.mark.parametrize("n_stimuli", [1, 2])
@pytest.mark.parametrize("sequences", [40, pytest.param(1000, marks=pytest.mark.long)])
def test_gains_tables_and_states_are_identical_at_every_step(name: str, n_stimuli: int, sequences: int) -> None:
    """Random options, changes and rewards; both draw from the global random under the same seed."""
    learned = 0
    for sequence in range(sequences // 4 if name == "RLmemory" else sequences):
        chance = random.Random(f"{name} {n_stimuli} {sequence}")
        options, stimuli = configuration(chance), [f"odor{i}" for i in range(n_stimuli)]
        random.seed(sequence)
        wheel = getattr(theirs, name)(gain=dict.fromkeys(stimuli, 0.0), **options)
        state = random.getstate()
        mine = getattr(ours, name)(gain=dict.fromkeys(stimuli, 0.0), rules="larvaworld", **options)
        their_state = state
        for _ in range(STEPS):
            dx, reward = change(chance, stimuli, touch=name == "RLTouchMemory"), chance.random() < 0.2
            random.setstate(their_state)
            their_gain = dict(wheel.step(reward=reward, dx=dict(dx)))
            their_state = random.getstate()
            random.setstate(state)
            my_gain = dict(mine.step(reward=reward, dx=dict(dx)))
            state = random.getstate()
            assert my_gain == their_gain
            assert np.array_equal(mine.q_table, wheel.q_table)
            assert (mine.lastState, mine.lastAction) == (wheel.lastState, wheel.lastAction)
            assert (mine.rewardSum, mine.iterator, mine.Niters) == (wheel.rewardSum, wheel.iterator, wheel.Niters)
            assert (mine.best_gain, mine.learning_on) == (wheel.best_gain, wheel.learning_on)
            assert state == their_state
        assert np.array_equal(mine.state_space, wheel.state_space)
        assert mine.actions == wheel.actions
        learned += bool(mine.q_table.any())
    assert learned > sequences // 8
