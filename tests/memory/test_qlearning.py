import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kenyon.errors import InputError
from kenyon.memory import RLOlfMemory, RLPopulation, qlearning
from kenyon.memory import qlearning_kernel as kernel


def plain(function: Any) -> Any:
    """Return a compiled function as Python runs it."""
    return function.py_func


def test_level_counts_the_widths_that_a_change_spans() -> None:
    """Levels on both sides of 0; a change of exactly one width does not reach the next level."""
    changes = [-0.5, -0.21, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.11, 0.3]
    assert qlearning.level(changes, delta=0.1, k=2).tolist() == [0, 0, 1, 2, 2, 2, 2, 2, 3, 4]
    assert qlearning.level(changes, delta=0.1, k=0).tolist() == [0] * 10


@given(st.floats(-10, 10), st.floats(0, 2), st.integers(0, 6))
def test_level_is_the_published_formula(change: float, delta: float, k: int) -> None:
    """K + sign(dx) * #{i in 1..k : |dx| > i * delta}, compiled and plain."""
    expected = k + int(np.sign(change)) * sum(abs(change) > i * delta for i in range(1, k + 1))
    assert kernel.level(change, delta, k) == plain(kernel.level)(change, delta, k) == expected


@pytest.mark.parametrize(("k", "stimuli"), [*itertools.product([0, 1, 2], [1, 2, 3])])
def test_state_index_is_the_order_of_the_product(k: int, stimuli: int) -> None:
    """As Larvaworld lays its states out."""
    space = list(itertools.product(range(2 * k + 1), repeat=stimuli))
    assert qlearning.state_index(space, k).tolist() == list(range(len(space)))


def test_update_by_hand() -> None:
    """(1 - 0.25) * 2 + 0.25 * (1 + 0.5 * 4) = 2.25, and no other entry moves."""
    before = np.array([[1.0, 2.0], [4.0, 3.0]])
    after = qlearning.update(before, 0, 1, 1.0, 1, alpha=0.25, gamma=0.5)
    assert after.tolist() == [[1.0, 2.25], [4.0, 3.0]]
    assert before.tolist() == [[1.0, 2.0], [4.0, 3.0]]


def test_a_batch_is_what_its_larvae_are_alone() -> None:
    """Every function, on [B, ...] and row by row, gives the same bits."""
    rng = np.random.default_rng(0)
    q, r = rng.normal(size=(5, 4, 3)), rng.normal(size=5)
    s, a, s_t = rng.integers(0, 4, 5), rng.integers(0, 3, 5), rng.integers(0, 4, 5)
    together = qlearning.update(q, s, a, r, s_t, alpha=0.1, gamma=0.9)
    alone = [qlearning.update(*each, alpha=0.1, gamma=0.9) for each in zip(q, s, a, r, s_t, strict=True)]
    assert np.array_equal(together, alone)
    assert qlearning.greedy(q).tolist() == [qlearning.greedy(each).tolist() for each in q]
    streams = [np.random.default_rng(i) for i in range(20)]
    chosen = qlearning.epsilon_greedy(q.reshape(20, 3), 0.5, streams)
    single = [qlearning.epsilon_greedy(row, 0.5, np.random.default_rng(i)) for i, row in enumerate(q.reshape(20, 3))]
    assert chosen.tolist() == [int(each) for each in single]
    assert chosen.tolist() != qlearning.greedy(q.reshape(20, 3)).tolist()


@given(st.integers(0, 2**32))
def test_the_compiled_step_is_the_pure_functions(seed: int) -> None:
    """The kernel learns and chooses as `update` and `greedy` do, compiled and plain, bit for bit."""
    rng = np.random.default_rng(seed)
    q: Any = rng.integers(-3, 3, size=(3, 4)) * 0.5  # Few values, so that the best is often not the only one.
    s_tm1, a_tm1, s_t = (int(n) for n in rng.integers(0, 3, 3))
    r_t, alpha, gamma = rng.normal(), rng.random(), rng.random()
    expected = qlearning.update(q, s_tm1, a_tm1, r_t, s_t, alpha=alpha, gamma=gamma)
    for act in (kernel.act, plain(kernel.act)):
        table = q.copy()
        action = act(table, s_tm1, a_tm1, r_t, s_t, alpha, gamma, True)
        assert np.array_equal(table, expected)
        assert action == qlearning.greedy(expected[s_t]) == expected[s_t].argmax()


@given(st.integers(0, 2**32))
def test_best_on_average_is_that_of_numpy(seed: int) -> None:
    """The same order of summing, and so the same choice among near equals."""
    rng = np.random.default_rng(seed)
    q = rng.choice([0.1, 0.2, 0.3, -0.1], size=(rng.integers(1, 40), rng.integers(1, 5)))
    assert kernel.best_on_average(q) == np.argmax(np.mean(q, axis=0))


# A task of two states and two actions: what each action gives, and where it leads.
REWARD = {(0, 0): 0.0, (0, 1): 0.2, (1, 0): 1.0, (1, 1): -0.5}
NEXT = {(0, 0): 1, (0, 1): 0, (1, 0): 0, (1, 1): 1}
OPTIONS: dict[str, Any] = {
    "state_spacePerSide": 1,
    "gain_space": [-1.0, 1.0],
    "update_dt": 0.0,
    "train_dur": 1e6,
    "alpha": 0.1,
    "gamma": 0.6,
    "epsilon": 0.3,
    "seed": 7,
}
CHANGE = (-0.5, 0.5)


def analytic() -> np.ndarray[Any, np.dtype[np.float64]]:
    """Solve the Bellman equation of the task for each policy; the best is the optimum. A tick costs 0.01."""
    best = np.full((2, 2), -np.inf)
    for policy in itertools.product((0, 1), repeat=2):
        moves = np.array([[NEXT[s, policy[s]] == t for t in (0, 1)] for s in (0, 1)], dtype=float)
        value = np.linalg.solve(np.eye(2) - 0.6 * moves, [REWARD[s, policy[s]] - 0.01 for s in (0, 1)])
        q = np.array([[REWARD[s, a] - 0.01 + 0.6 * value[NEXT[s, a]] for a in (0, 1)] for s in (0, 1)])
        best = np.maximum(best, q)
    return best


def test_the_table_converges_to_the_analytic_optimum() -> None:
    """Two states, two actions, known rewards: within 2 % of the exact values."""
    memory = RLOlfMemory(gain={"Odor": 0.0}, **OPTIONS)
    state, reward = 0, 0.0
    for _ in range(4000):
        action = 0 if memory.step(reward=reward, dx={"Odor": CHANGE[state]})["Odor"] < 0 else 1
        reward, state = REWARD[state, action], NEXT[state, action]
    assert memory.q_table[[0, 2]] == pytest.approx(analytic(), rel=0.02)
    assert not memory.q_table[1].any()


def test_a_batch_of_learners_converges_as_the_single_one_does_exactly() -> None:
    """The same task, six larvae at once and one by one: the same tables, to the last bit."""
    population = RLPopulation(6, ["Odor"], **OPTIONS)
    singles = [RLOlfMemory(gain={"Odor": 0.0}, model_id=i, **OPTIONS) for i in range(6)]
    states, rewards = [0] * 6, [0.0] * 6
    for _ in range(4000):
        dx = [CHANGE[state] for state in states]
        gains = population.step(np.reshape(dx, (6, 1)), rewards)[:, 0].tolist()
        assert gains == [m.step(reward=r, dx={"Odor": x})["Odor"] for m, r, x in zip(singles, rewards, dx, strict=True)]
        actions = [int(gain > 0) for gain in gains]
        rewards = [REWARD[pair] for pair in zip(states, actions, strict=True)]
        states = [NEXT[pair] for pair in zip(states, actions, strict=True)]
    assert np.array_equal(population.q_table, [memory.q_table for memory in singles])
    assert population.q_table[:, [0, 2]] == pytest.approx(np.tile(analytic(), (6, 1, 1)), rel=0.02)


NONSENSE: dict[str, Any] = {
    "dx must be finite": lambda: qlearning.level([np.nan], 0.1, 1),
    "dx must be numbers": lambda: qlearning.level(["a"], 0.1, 1),
    "delta must be": lambda: qlearning.level([0.1], -1, 1),
    "k must be": lambda: qlearning.level([0.1], 0.1, 1.5),  # type: ignore[arg-type]  # the nonsense is what is tested
    "levels must be integers from 0 to 2": lambda: qlearning.state_index([[3]], 1),
    "s_tm1 must be integers from 0 to 1": lambda: qlearning.update(np.zeros((2, 2)), 2, 0, 0, 0, alpha=1, gamma=1),
    "alpha must be": lambda: qlearning.update(np.zeros((2, 2)), 0, 0, 0, 0, alpha=5, gamma=1),
    "r_t must be finite": lambda: qlearning.update(np.zeros((2, 2)), 0, 0, np.inf, 0, alpha=1, gamma=1),
    "q_t must have at least 1 axes": lambda: qlearning.greedy([]),
    "epsilon must be": lambda: qlearning.epsilon_greedy([1.0], 2, np.random.default_rng(1)),
    "rng must be one generator for each of 2": lambda: qlearning.epsilon_greedy(np.ones((2, 3)), 0.1, []),
}


@pytest.mark.parametrize("sentence", NONSENSE)
def test_nonsense_is_refused(sentence: str) -> None:
    """Each argument by nonsense: an error that names it."""
    with pytest.raises(InputError, match=f"^{sentence}"):
        NONSENSE[sentence]()
