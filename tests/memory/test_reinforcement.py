import random
from typing import Any

import numpy as np
import pytest

from kenyon.errors import InputError, MissingStimulusError
from kenyon.memory import RLmemory, RLOlfMemory, RLPopulation, RLTouchMemory
from kenyon.seeds import generator, larva_seed

ALWAYS: dict[str, Any] = {"update_dt": 0.0, "epsilon": 0.0}


def test_each_stimulus_has_its_own_level() -> None:
    """Up and down at once is a state of its own."""
    memory = RLOlfMemory(gain={"CS": 0.0, "UCS": 0.0}, state_spacePerSide=1)
    state = memory.state_collapse({"CS": 1.0, "UCS": -1.0})
    assert memory.state_space[state].tolist() == [2, 0]
    assert memory.state_collapse({"UCS": -1.0, "CS": 1.0}) == state


def test_a_stimulus_that_is_missing_counts_as_unchanged() -> None:
    """An odor that is not in the air does not change."""
    memory = RLOlfMemory(gain={"CS": 0.0, "UCS": 0.0}, state_spacePerSide=1)
    assert memory.state_collapse({"CS": 1.0}) == memory.state_collapse({"CS": 1.0, "UCS": 0.0})


@pytest.mark.parametrize("where", ["gain", "dx"])
def test_a_stimulus_that_appears_later_extends_the_table_and_what_was_learned_stays(where: str) -> None:
    """Every entry is repeated for each level and gain of the new one."""
    memory = RLOlfMemory(gain={"Odor": 0.0}, state_spacePerSide=1, gain_space=[-1.0, 1.0], **ALWAYS)
    memory.step(dx={"Odor": 0.0})
    before = memory.q_table = np.arange(6.0).reshape(3, 2)
    before = before.copy()
    if where == "gain":
        memory.gain["CS"] = 0.0
    memory.step(dx={"Odor": 0.0, **({"CS": 0.2} if where == "dx" else {})}, reward=True)
    assert memory.q_table.shape == (9, 4)
    assert list(memory.gain) == ["Odor", "CS"]
    for state, levels in enumerate(memory.state_space):
        for action, gains in enumerate(memory.actions):
            old = levels[0], [-1.0, 1.0].index(gains[0])
            if old != (1, 0):  # the one choice that was credited since
                assert memory.q_table[state, action] == before[old]


def test_the_choice_before_a_new_stimulus_is_credited_whatever_the_gain_of_the_new_one() -> None:
    """It chose no gain for it, so no one of its gains may win by it."""
    memory = RLOlfMemory(gain={"Odor": 0.0}, gain_space=[-1.0, 1.0], alpha=0.5, gamma=0.0, **ALWAYS)
    assert memory.step(dx={"Odor": 0.0}) == {"Odor": -1.0}
    memory.step(dx={"Odor": 0.0, "CS": 0.1}, reward=True)
    assert memory.q_table.tolist() == [[0.495, 0.495, 0.0, 0.0]]


def test_a_factored_table_grows_by_one_table_a_stimulus() -> None:
    """Each learns for itself from the common reward, from its first choice on."""
    memory = RLOlfMemory(gain={"A": 0.0}, table="factored", gain_space=[-1.0, 1.0], alpha=0.5, gamma=0.0, **ALWAYS)
    memory.step(dx={"A": 0.0})
    memory.step(dx={"A": 0.0, "B": 0.0}, reward=True)
    assert memory.q_table.tolist() == [[[0.495, 0.0]], [[0.0, 0.0]]]
    memory.step(dx={"A": 0.0, "B": 0.0}, reward=True)
    assert memory.q_table == pytest.approx(np.array([[[0.7425, 0.0]], [[0.495, 0.0]]]))
    assert (memory.lastAction.tolist(), memory.best_gain) == ([0, 0], {"A": -1.0, "B": -1.0})


def test_every_transition_is_learned_from_also_an_exploring_one() -> None:
    """With epsilon 1 every choice is random, and every reward is still credited to the choice before it."""
    memory = RLOlfMemory(gain={"A": 0.0}, update_dt=0.0, epsilon=1.0, alpha=0.5, gamma=0.0, seed=5)
    memory.step(dx={"A": 0.0})
    for _ in range(50):
        expected, action = memory.q_table.copy(), memory.lastAction
        memory.step(dx={"A": 0.0}, reward=True)
        expected[0, action] = 0.5 * expected[0, action] + 0.5 * 0.99
        assert np.array_equal(memory.q_table, expected)


def test_nothing_is_learned_before_the_first_choice() -> None:
    """What was rewarded before no choice had led to."""
    memory = RLOlfMemory(gain={"A": 0.0}, **ALWAYS)
    memory.step(dx={"A": 0.0}, reward=True)
    assert not memory.q_table.any()


@pytest.mark.parametrize("specific", [True, False])
def test_after_training_the_table_stands_still_and_is_followed(specific: bool) -> None:
    """By the best action of the state, or by the best on average."""
    memory = RLOlfMemory(
        gain={"A": 0.0},
        train_dur=0.0,
        state_spacePerSide=1,
        gain_space=[-1.0, 0.0, 1.0],
        state_specific_best=specific,
        **ALWAYS,
    )
    memory.q_table = table = np.array([[5.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 2.0, 3.0]])
    gain = memory.gain
    followed = [memory.step(dx={"A": change}, reward=True)["A"] for change in (-1.0, 0.0, 1.0)]
    assert followed == ([-1.0, 1.0, 1.0] if specific else [-1.0, -1.0, -1.0])
    assert np.array_equal(memory.q_table, table)
    assert memory.gain is gain


def numpys_words() -> Any:
    """Return the state of numpy's global generator."""
    state: Any = np.random.get_state()  # noqa: NPY002  # that it stays untouched is tested
    return state[1]


def test_the_stream_of_a_larva_comes_from_the_seed_and_its_id() -> None:
    """It is numpy's SFC64; the same larva draws the same, another one otherwise, and nobody else's stream moves."""
    random.seed(1)
    before, numpys = random.getstate(), numpys_words()
    drawn = {}
    makers: dict[str, dict[str, Any]] = {
        "a": {"seed": 1, "model_id": "a"},
        "again": {"seed": 1, "model_id": "a"},
        "b": {"seed": 1, "model_id": "b"},
        "seed": {"seed": 2, "model_id": "a"},
        "rng": {"rng": generator(larva_seed(1, "a"), "choice")},
    }
    for name, options in makers.items():
        memory = RLOlfMemory(gain={"A": 0.0}, update_dt=0.0, epsilon=1.0, **options)
        drawn[name] = [memory.step(dx={"A": 0.0})["A"] for _ in range(30)]
    assert drawn["a"] == drawn["again"] == drawn["rng"]
    assert len({tuple(gains) for gains in drawn.values()}) == 3
    assert random.getstate() == before
    assert np.array_equal(numpys_words(), numpys)


def test_reward_may_be_of_any_strength() -> None:
    """Half a reward is half a reward."""
    memory = RLOlfMemory(gain={"A": 0.0})
    memory.iterator = -10
    memory.step(dx={"A": 0.0}, reward=0.5)
    assert memory.rewardSum == 0.5 - 0.01


def test_best_gains_by_position_say_what_is_missing() -> None:
    """An IndexError still, that names the odors there are."""
    memory = RLOlfMemory(gain={"CS": 0.0})
    assert memory.first_odor_best_gain == -300.0
    with pytest.raises(MissingStimulusError, match="a second odor, got 'CS'"):
        _ = memory.second_odor_best_gain
    with pytest.raises(IndexError, match="a first odor, got none"):
        _ = RLOlfMemory().first_odor_best_gain


def test_touch_chooses_when_a_contact_changes() -> None:
    """Gained: 1 / ticks since the last choice; lost: ticks since the last choice."""
    memory = RLTouchMemory(gain={"head": 0.0}, alpha=1.0, gamma=0.0, epsilon=0.0, gain_space=[-1.0, 1.0])
    memory.step(dx={"head": 1})
    assert (memory.iterator, memory.gain["head"]) == (0, -1.0)
    for _ in range(3):
        memory.step(dx={"head": 0})
    memory.step(dx={"head": -1})
    assert memory.q_table.tolist() == [[4.0, 0.0]]
    memory.step(dx={"head": 0})
    memory.step(dx={"head": 1})
    assert memory.q_table.tolist() == [[0.5, 0.0]]


@pytest.mark.parametrize(("stimuli", "table"), [(6, "joint"), (0, "joint"), (1, "joint"), (40, "factored")])
def test_a_table_over_the_limit_is_refused_in_a_sentence(stimuli: int, table: str) -> None:
    """Before it is made, at construction and when a stimulus appears; what there was stays."""
    limit = {6: 64.0, 0: 1e-5, 1: 2e-4, 40: 0.005}[stimuli]
    options: dict[str, Any] = {"state_spacePerSide": 2, "table": table, "max_table_mb": limit, **ALWAYS}
    if stimuli in (6, 40):
        with pytest.raises(InputError, match=f"^the table must be at most {limit:g} MB, got .* max_table_mb$"):
            RLmemory(gain={f"odor{i}": 0.0 for i in range(stimuli)}, **options)
        return
    memory = RLmemory(gain={f"odor{i}": 0.0 for i in range(stimuli)}, **options)
    memory.step(dx={})
    before = memory.q_table.copy()
    with pytest.raises(InputError, match=f"^the table must be at most {limit:g} MB"):
        memory.step(dx={"new": 0.1})
    assert np.array_equal(memory.q_table, before)


def test_many_stimuli_fit_into_a_factored_table() -> None:
    """Forty, where a joint table would have more entries than atoms can hold."""
    memory = RLOlfMemory(gain={f"odor{i}": 0.0 for i in range(40)}, table="factored", state_spacePerSide=2, **ALWAYS)
    memory.step(dx=dict.fromkeys(memory.gain, 0.3))
    assert memory.q_table.shape == (40, 5, 4)
    assert memory.state_collapse(dict.fromkeys(memory.gain, 0.15)).tolist() == [3] * 40


NONSENSE: dict[str, Any] = {
    "table must be 'joint' under": lambda: RLmemory(rules="larvaworld", table="factored"),
    "rng must be a random.Random": lambda: RLmemory(rules="larvaworld", rng=np.random.default_rng(1)),
    "rng must be a numpy.random": lambda: RLmemory(rng=random.Random(1)),  # the nonsense
    "q_table must be finite numbers of shape": lambda: setattr(RLmemory(), "q_table", [[1.0, 2.0]]),
    "state must be": lambda: RLmemory().update_q_table(1, 0.0),
    "lastAction must be": lambda: setattr(RLmemory(), "lastAction", 1),
    "lastState must be one number for each": lambda: setattr(RLmemory(table="factored"), "lastState", [1]),
}


@pytest.mark.parametrize("sentence", NONSENSE)
def test_nonsense_is_refused(sentence: str) -> None:
    """Each in one sentence that begins with what it is about."""
    with pytest.raises(InputError, match=f"^{sentence}"):
        NONSENSE[sentence]()


def test_the_old_rules_draw_from_a_generator_of_ones_own() -> None:
    """With one, the global generator stays untouched, and the numbers are those it would have given."""
    random.seed(3)
    by_global = RLmemory(gain={"A": 0.0}, rules="larvaworld", update_dt=0.0, epsilon=0.5)
    expected = [dict(by_global.step(dx={"A": 0.1}, reward=True)) for _ in range(50)]
    state = random.getstate()
    own = RLmemory(gain={"A": 0.0}, rules="larvaworld", update_dt=0.0, epsilon=0.5, rng=random.Random(3))
    assert [dict(own.step(dx={"A": 0.1}, reward=True)) for _ in range(50)] == expected
    assert random.getstate() == state


def test_a_step_refused_for_the_size_of_the_table_changes_nothing() -> None:
    """Of two new stimuli neither is taken in; clock and reward are as before."""
    memory = RLOlfMemory(gain={"A": 0.0}, max_table_mb=0.002, state_spacePerSide=1, **ALWAYS)
    memory.step(dx={"A": 0.1})
    before = memory.total_ticks, memory.rewardSum, memory.q_table.shape, dict(memory.gain)
    with pytest.raises(InputError, match=r"the table must be at most 0.002 MB"):
        memory.step(dx={"A": 0.1, "B": 0.1, "C": 0.1}, reward=True)
    assert (memory.total_ticks, memory.rewardSum, memory.q_table.shape, dict(memory.gain)) == before
    with pytest.raises(InputError, match="the table must be at most 64 MB"):
        RLOlfMemory(gain={f"odor{i}": 0.0 for i in range(600)})


def test_numbers_too_large_for_any_sensor_are_refused() -> None:
    """In the same sentence as the infinite ones."""
    memory = RLOlfMemory(gain={"A": 0.0})
    with pytest.raises(InputError, match="dx must be"):
        memory.step(dx={"A": 10**400})
    with pytest.raises(InputError, match="reward must be"):
        memory.step(reward=10**400)
    with pytest.raises(InputError, match="stimulus must be a str"):
        memory.step(dx={1: 0.1})
    assert memory.total_ticks == 0


def test_a_frozen_memory_follows_what_it_has_learned_and_learns_no_more() -> None:
    """Neither table nor chance; a naive one leaves the gains as they are."""
    naive = RLOlfMemory(gain={"Odor": 42.0}, frozen=True, **ALWAYS)
    assert naive.step(dx={"Odor": 0.1}, reward=True) == {"Odor": 42.0}
    memory = RLOlfMemory(gain={"Odor": 0.0}, gain_space=[-1.0, 1.0], alpha=0.5, **ALWAYS)
    for _ in range(20):
        memory.step(dx={"Odor": 0.1}, reward=memory.gain["Odor"] > 0)
    memory.param.update(frozen=True)
    before = memory.q_table.copy()
    for _ in range(20):
        assert memory.step(dx={"Odor": 0.1}, reward=-5.0) == {"Odor": 1.0}
    assert (memory.q_table == before).all()


def test_a_gain_that_the_host_has_reset_is_set_again() -> None:
    """A sensor that meets an odor for the first time sets its gain to 0, after the first choice has been made."""
    memory = RLOlfMemory(gain={"Odor": 0.0}, gain_space=[-1.0], update_dt=1.0)
    memory.step(dx={"Odor": 0.0})
    memory.gain["Odor"] = 0.0
    assert memory.step(dx={"Odor": 0.0}) == {"Odor": -1.0}


def test_a_frozen_memory_learns_no_more_under_the_old_rules_either() -> None:
    """Which otherwise learn after the training too."""
    memory = RLOlfMemory(gain={"Odor": 0.0}, rules="larvaworld", rng=random.Random(1), **ALWAYS)
    for _ in range(5):
        memory.step(dx={"Odor": 0.1}, reward=True)
    memory.param.update(frozen=True)
    before = memory.q_table.copy()
    assert before.any()
    for _ in range(5):
        memory.step(dx={"Odor": 0.1}, reward=True)
    assert (memory.q_table == before).all()


def test_a_population_cannot_be_frozen() -> None:
    """Rather than ignore it in silence."""
    with pytest.raises(InputError, match="frozen must be False for a population, got True; step single"):
        RLPopulation(2, ["Odor"], frozen=True)
