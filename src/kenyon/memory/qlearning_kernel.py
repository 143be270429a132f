"""The rules of Q-learning in compiled code: each written once, for one table, and looped over for many larvae.

A table q is [S, A] float64. Nothing here checks its arguments: `qlearning`, `reinforcement` and `rl_population` do.

Reference: Watkins & Dayan 1992, Machine Learning 8:279.
"""

import numpy as np
from numpy.typing import NDArray

from kenyon.compiled import compiled
from kenyon.sfc64 import uniform

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@compiled
def level(dx: float, delta: float, k: int) -> int:
    """Return k + sign(dx) * #{i in 1..k : |dx| > i * delta}."""
    steps = 0
    while steps < k and abs(dx) > (steps + 1) * delta:
        steps += 1
    return k + steps if dx > 0.0 else k - steps


@compiled
def greedy(q: FloatArray, state: int) -> int:
    """Return the first of the best actions in a state."""
    best, highest = 0, q[state, 0]
    for action in range(1, q.shape[1]):
        value = q[state, action]
        if value > highest:
            best, highest = action, value
    return best


@compiled
def best_on_average(q: FloatArray) -> int:
    """Return the first of the actions with the highest value averaged over states."""
    best, highest = 0, -np.inf
    for action in range(q.shape[1]):
        total = 0.0
        for state in range(q.shape[0]):
            total += q[state, action]
        mean = total / q.shape[0]
        if mean > highest:
            best, highest = action, mean
    return best


@compiled
def updated(q_tm1: float, r_t: float, best_t: float, alpha: float, gamma: float) -> float:
    """Return (1 - alpha) * q_tm1 + alpha * (r_t + gamma * best_t)."""
    return (1.0 - alpha) * q_tm1 + alpha * (r_t + gamma * best_t)


@compiled
def random_action(u: float, actions: int) -> int:
    """Return the action that a uniform draw from [0, 1) stands for."""
    return min(int(u * actions), actions - 1)


@compiled
def act(q: FloatArray, s_tm1: int, a_tm1: int, r_t: float, s_t: int, alpha: float, gamma: float, learn: bool) -> int:
    """Learn from the transition (s_tm1, a_tm1) -> (r_t, s_t) where asked to; return the greedy action in s_t."""
    best = greedy(q, s_t)
    if learn:
        q[s_tm1, a_tm1] = updated(q[s_tm1, a_tm1], r_t, q[s_t, best], alpha, gamma)
        if s_tm1 == s_t:
            best = greedy(q, s_t)
    return best


@compiled
def learned(q: FloatArray, s_tm1: int, a_tm1: int, r_t: float, s_t: int, alpha: float, gamma: float) -> float:
    """Return what the value of the transition (s_tm1, a_tm1) -> (r_t, s_t) becomes; q stays as it is."""
    return updated(q[s_tm1, a_tm1], r_t, q[s_t, greedy(q, s_t)], alpha, gamma)


@compiled
def weigh(
    q: FloatArray,
    s_tm1: int,
    a_tm1: int,
    r_t: float,
    s_t: int,
    alpha: float,
    gamma: float,
    learn: bool,
    epsilon: float,
    rng: NDArray[np.uint64],
) -> tuple[int, float]:
    """Return the action in s_t, any with probability epsilon, and the value that is learned; q stays as it is.

    The action is chosen as if the value had been written to q[s_tm1, a_tm1] before. rng [4] moves on.
    """
    before = q[s_tm1, a_tm1]
    action = act(q, s_tm1, a_tm1, r_t, s_t, alpha, gamma, learn)
    value = q[s_tm1, a_tm1]
    q[s_tm1, a_tm1] = before
    if uniform(rng) < epsilon:
        action = random_action(uniform(rng), q.shape[1])
    return action, value


@compiled
def best(q: FloatArray, state: int) -> int:
    """Return the first of the best actions in a state."""
    return greedy(q, state)


@compiled
def levels_of_rows(dx: FloatArray, delta: float, k: int, out: IntArray) -> None:
    """Write the level of each of [R] changes."""
    for row in range(dx.shape[0]):
        out[row] = level(dx[row], delta, k)


@compiled
def greedy_of_rows(q: FloatArray, out: IntArray) -> None:
    """Write the greedy action of each of [R, A] rows of values."""
    for row in range(q.shape[0]):
        out[row] = greedy(q, row)


@compiled
def step_rows(
    dx: FloatArray,
    reward: FloatArray,
    clock: IntArray,
    gain: FloatArray,
    q: FloatArray,
    last_state: IntArray,
    last_action: IntArray,
    acted: NDArray[np.bool_],
    reward_sum: FloatArray,
    iterator: IntArray,
    rng: NDArray[np.uint64],
    values: FloatArray,
    k: int,
    delta: float,
    alpha: float,
    gamma: float,
    epsilon: float,
    n_iters: int,
    learning: bool,
    state_specific: bool,
    touch: bool,
) -> None:
    """Step B larvae by one tick, each with tables [M, S, A]: M is 1 for a joint table, O for one a stimulus.

    Args:
        dx: [B, O] change of each stimulus.
        reward: [B] reward of this tick, less the cost of a tick.
        clock: [1] ticks so far, one more afterward.
        gain: [B, O], changed.
        q: [B, M, S, A], changed.
        last_state: [B, M], changed.
        last_action: [B, M], changed.
        acted: [B] whether the larva has acted before, changed.
        reward_sum: [B], changed.
        iterator: [B] ticks since the larva acted, changed.
        rng: [B, 4], moved on.
        values: [G] gains to choose from.
        k: Levels on either side of 0.
        delta: Width of a level.
        alpha: Learning rate.
        gamma: Discount.
        epsilon: Share of random choices.
        n_iters: Ticks between two choices.
        learning: Whether the training still lasts.
        state_specific: After training, act on the state, not on the average over states.
        touch: Choose when a contact is gained or lost, not every n_iters ticks.
    """
    clock[0] += 1
    stimuli, (tables, states, actions) = dx.shape[1], q.shape[1:]
    rows = q.reshape(-1, actions)  # One table over everyone's states: no view is made for each larva.
    for larva in range(dx.shape[0]):
        reward_sum[larva] += reward[larva]
        if learning:
            iterator[larva] += 1
            if touch:
                gained = lost = False
                for stimulus in range(stimuli):
                    gained = gained or dx[larva, stimulus] == 1.0
                    lost = lost or dx[larva, stimulus] == -1.0
                if not (gained or lost):
                    continue
                reward_sum[larva] = 1.0 / max(iterator[larva], 1) if gained else float(iterator[larva])
            elif iterator[larva] < n_iters:
                continue
        for table in range(tables):
            if learning or state_specific:
                state = 0
                if tables == stimuli:
                    state = level(dx[larva, table], delta, k)
                else:
                    for stimulus in range(stimuli):
                        state = state * (2 * k + 1) + level(dx[larva, stimulus], delta, k)
                first = (larva * tables + table) * states
                s_tm1, a_tm1, r_t = first + last_state[larva, table], last_action[larva, table], reward_sum[larva]
                action = act(rows, s_tm1, a_tm1, r_t, first + state, alpha, gamma, learning and acted[larva])
                if learning and uniform(rng[larva]) < epsilon:
                    action = random_action(uniform(rng[larva]), actions)
                last_state[larva, table] = state
                last_action[larva, table] = action
            else:
                action = best_on_average(q[larva, table])
            if tables == stimuli:
                gain[larva, table] = values[action]
            else:
                for stimulus in range(stimuli - 1, -1, -1):
                    gain[larva, stimulus] = values[action % values.shape[0]]
                    action //= values.shape[0]
        if learning:
            acted[larva] = True
            reward_sum[larva] = 0.0
            iterator[larva] = 0
