"""Q-learning as pure functions: arrays in, new arrays out, for one larva or for a batch of any shape.

Axes: B larvae (any leading axes, or none), S states, A actions. Time is in the names: `q_tm1` is before a step, `q_t`
after it. The rules themselves are compiled in `qlearning_kernel`, which the memory classes use directly.

Reference: Watkins & Dayan 1992, Machine Learning 8:279.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.memory import qlearning_kernel as kernel
from kenyon.words import shown

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MOST_LEVELS = 2**30
"""On either side of 0: so many that their number is one of 32 bits."""


def level(dx: Any, delta: float, k: int) -> IntArray:
    """Return which of 2k + 1 levels each change belongs to.

    level = k + sign(dx) * #{i in 1..k : abs(dx) > i * delta}

    Args:
        dx: [B] changes.
        delta: Width of a level, of the unit of dx.
        k: Levels on either side of 0.

    Returns:
        [B] int64, 0 to 2k.

    Raises:
        InputError: a change is not finite, delta is negative, or k is no whole number of 0 or more.

    Example:
        >>> level([-0.25, 0.05, 0.15], delta=0.1, k=1)
        array([0, 1, 2])
    """
    changes = _finite("dx", dx)
    levels = np.empty(changes.size, dtype=np.int64)
    delta, k = checks.number("delta", delta, low=0.0), checks.integer("k", k, low=0, high=MOST_LEVELS)
    kernel.levels_of_rows(changes.ravel(), delta, k, levels)
    return levels.reshape(changes.shape)


def state_index(levels: Any, k: int) -> IntArray:
    """Return the place of a joint state, in the order of `itertools.product` over stimuli.

    Args:
        levels: [B, O] levels, 0 to 2k, of O stimuli.
        k: Levels on either side of 0.

    Returns:
        [B] int64, 0 to (2k + 1)^O - 1.

    Raises:
        InputError: a level lies outside.

    Example:
        >>> state_index([[0, 0], [0, 2], [2, 2]], k=1)
        array([0, 2, 8])
    """
    width = 2 * checks.integer("k", k, low=0, high=MOST_LEVELS) + 1
    each = checks.integers("levels", levels, low=0, high=width - 1)
    if each.ndim == 0:
        raise InputError(f"levels must be one for each stimulus, got {shown(levels)}")
    if width ** each.shape[-1] >= 2**63:
        raise InputError(f"levels must be of few enough stimuli for a place within 64 bits, got {each.shape[-1]}")
    index = np.zeros(each.shape[:-1], dtype=np.int64)
    for stimulus in range(each.shape[-1]):
        index = index * width + each[..., stimulus]
    return index


def update(q_tm1: Any, s_tm1: Any, a_tm1: Any, r_t: Any, s_t: Any, *, alpha: float, gamma: float) -> FloatArray:
    """Return the table after one transition.

    q[s_tm1, a_tm1] = (1 - alpha) * q[s_tm1, a_tm1] + alpha * (r_t + gamma * max_a q[s_t, a])

    Args:
        q_tm1: [B, S, A] float64, the value of each action in each state.
        s_tm1: [B] states the actions were taken in.
        a_tm1: [B] actions taken.
        r_t: [B] reward that followed.
        s_t: [B] states that followed.
        alpha: Learning rate, 0 to 1.
        gamma: Discount, 0 to 1.

    Returns:
        [B, S, A] float64; `q_tm1` is left as it was.

    Raises:
        InputError: a value is not finite or a place outside the table.

    Reference:
        Watkins & Dayan 1992, Machine Learning 8:279.

    Example:
        >>> update([[0.0, 0.0], [2.0, 1.0]], 0, 1, 1.0, 1, alpha=0.5, gamma=0.5)
        array([[0., 1.],
               [2., 1.]])
    """
    q = _table("q_tm1", q_tm1, 2).copy()
    lead, (states, actions) = q.shape[:-2], q.shape[-2:]
    rows = q.reshape(-1, states, actions)
    place = np.arange(len(rows))
    before, chosen = _places("s_tm1", s_tm1, lead, states), _places("a_tm1", a_tm1, lead, actions)
    after, reward = _places("s_t", s_t, lead, states), _spread("r_t", _finite("r_t", r_t), lead)
    alpha, gamma = (checks.number(n, v, low=0.0, high=1.0) for n, v in (("alpha", alpha), ("gamma", gamma)))
    best = rows[place, after].max(axis=-1)
    rows[place, before, chosen] = (1.0 - alpha) * rows[place, before, chosen] + alpha * (reward + gamma * best)
    return q


def greedy(q_t: Any) -> IntArray:
    """Return the action of highest value, the first of equals.

    Args:
        q_t: [B, A] float64, the value of each action.

    Returns:
        [B] int64.

    Raises:
        InputError: a value is not finite.

    Example:
        >>> greedy([[1.0, 3.0, 3.0], [2.0, 1.0, 0.0]])
        array([1, 0])
    """
    q = _table("q_t", q_t, 1)
    chosen = np.empty(q.size // q.shape[-1], dtype=np.int64)
    kernel.greedy_of_rows(q.reshape(-1, q.shape[-1]), chosen)
    return chosen.reshape(q.shape[:-1])


def epsilon_greedy(q_t: Any, epsilon: float, rng: np.random.Generator | Sequence[np.random.Generator]) -> IntArray:
    """Return the greedy action, or, with probability epsilon, any action.

    Args:
        q_t: [B, A] float64, the value of each action.
        epsilon: Share of random choices, 0 to 1.
        rng: A generator for one larva; for a batch, one for each larva.

    Returns:
        [B] int64.

    Raises:
        InputError: a value is not finite, epsilon out of range, or there is not one generator for each larva.

    Randomness:
        One draw u from each larva's own generator; where u < epsilon a second one, which picks the action.

    Example:
        >>> int(epsilon_greedy([0.0, 1.0], 0.0, np.random.default_rng(1)))
        1
    """
    chosen = greedy(q_t)
    epsilon, actions = checks.number("epsilon", epsilon, low=0.0, high=1.0), np.shape(q_t)[-1]
    streams = [rng] if isinstance(rng, np.random.Generator) else checks.several("rng", rng)
    for stream in streams:
        checks.instance("each rng", stream, np.random.Generator, "make one with numpy.random.default_rng(seed)")
    if len(streams) != chosen.size:
        raise InputError(f"rng must be one generator for each of {chosen.size} larvae, got {len(streams)}")
    rows = chosen.reshape(-1)
    for row, stream in enumerate(streams):
        if stream.random() < epsilon:
            rows[row] = kernel.random_action(stream.random(), actions)
    return rows.reshape(chosen.shape)


def _finite(name: str, values: Any) -> FloatArray:
    given = checks.numbers(name, values)
    numbers: FloatArray = np.ascontiguousarray(given, dtype=np.float64).reshape(given.shape)
    if not np.isfinite(numbers).all():
        raise InputError(f"{name} must be finite everywhere, got {numbers[~np.isfinite(numbers)].flat[0]}")
    return numbers


def _table(name: str, values: Any, axes: int) -> FloatArray:
    table = _finite(name, values)
    if table.ndim < axes or 0 in table.shape[-axes:]:
        raise InputError(f"{name} must have at least {axes} axes and one entry along each, got shape {table.shape}")
    return table


def _places(name: str, values: Any, lead: tuple[int, ...], end: int) -> IntArray:
    given = checks.integers(name, values, low=0, high=end - 1)
    return np.asarray(_spread(name, given, lead), dtype=np.int64)


def _spread(name: str, values: NDArray[Any], lead: tuple[int, ...]) -> NDArray[Any]:
    """Return one value for each larva, flat."""
    try:
        return np.broadcast_to(values, lead).ravel()
    except ValueError:
        raise InputError(f"{name} must be one value for each larva, of shape {lead}, got {values.shape}") from None
