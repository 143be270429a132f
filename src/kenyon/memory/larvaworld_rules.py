"""The rules of Larvaworld 2.5.1, number for number, to reproduce published runs.

The state of every stimulus is that of the last one, an exploring step is not learned from, learning goes on after the
training, gains are written by position, and chance comes from Python's global `random`. Every method is called where
Larvaworld calls it, and as often.
"""

import random
from collections.abc import Mapping
from functools import partial
from typing import Any

from kenyon.memory import qlearning_kernel as kernel
from kenyon.memory.base import Gains

_Words: Any = random.Random.__base__
"""Python's generator, as far as it is written in C."""


def update_gain(memory: Any, dx: Mapping[str, float]) -> None:
    """Choose gains when their time has come, and, after training, in every tick."""
    if memory.learning_on:
        memory.iterator += 1
        if memory.condition(dx):
            memory.gain = memory.update_ext_gain(memory.gain, dx=dx, randomize=True)
            memory.rewardSum = 0.0
            memory.iterator = 0
    elif memory._state_specific:
        memory.gain = memory.update_ext_gain(memory.gain, dx=dx, randomize=False)
    else:
        memory.gain = memory.best_gain


def update_ext_gain(memory: Any, gain: Gains, dx: Mapping[str, float], *, randomize: bool) -> Gains:
    """Choose gains: any, without learning, or, after learning, the best."""
    new = [stimulus for stimulus in gain if stimulus not in memory._tables.stimuli]
    if new:
        memory._tables, memory._last = memory._tables.extended(new, memory._last, memory._max_mb)
    chance = _chance(memory) if randomize else None
    if chance is not None and chance.uniform(0, 1) < memory._option("epsilon"):
        action = chance.randrange(len(memory.actions) if "actions" in memory._overridden else memory._tables.q.shape[2])
    else:
        state = memory.state_collapse(dx)
        if memory._frozen:
            memory.lastState = state
        else:
            memory.update_q_table(state, memory.rewardSum)
        action = int(kernel.best(memory.q_table, state))
    memory.lastAction = action
    for stimulus, value in zip(list(gain), memory._gains_of((action,)), strict=False):
        gain[stimulus] = value
    return gain


def state_collapse(memory: Any, dx: Mapping[str, float]) -> int:
    """Return the state: the last stimulus speaks for all."""
    last = list(dx.values())[-1:]
    levels = memory._tables.levels_of(last, memory._option("Delta")) * len(memory._tables.stimuli)
    return int(memory._place_of(levels))


def _chance(memory: Any) -> Any:
    """Return what a choice is drawn from, and note its state, for the step may not be completed."""
    chance: Any = random if memory.rng is None else memory.rng
    if not isinstance(memory.rng, random.SystemRandom):  # which has no state
        memory._note(partial(_Words.setstate, chance.random.__self__, chance.getstate()[1]))
    return chance
