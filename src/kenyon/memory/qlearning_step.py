"""A step of a Q-learner, worked out first and then written at once: the usual one, where nothing is overridden.

It does what the methods of the reference page do one after the other (`reinforcement`), several times as fast, and the
tests hold the two against each other. What is rare is left to the methods: a stimulus that is new, the first choice
after it, and every choice under the rules of Larvaworld.
"""

from functools import partial
from operator import setitem
from typing import Any

from kenyon.memory import qlearning_kernel as kernel
from kenyon.memory.base import Levels
from kenyon.memory.tables import last_choice
from kenyon.whole import at_once


def live(memory: Any, collected: float, dx: Levels, levels: Levels) -> None:
    """Live through one tick.

    Args:
        memory: Whose tick it is.
        collected: The reward of the tick, less its cost.
        dx: The change of each stimulus.
        levels: How strong each is, where the memory senses that itself.
    """
    tables, gain, old_rules = memory._tables, memory.gain, memory._old_rules
    known, left_out = tables.stimuli, memory._left_out
    for stimuli in (gain, dx):
        for stimulus in stimuli:
            if stimulus not in known and stimulus not in left_out and not old_rules:
                memory._call(collected, dx, levels, {})
                return
    active = memory.active
    tick = 1 if active else 0
    total_ticks, reward = memory.total_ticks + tick, memory.rewardSum + collected
    after = {"ticks": memory.ticks + tick, "total_ticks": total_ticks, "_levels_before": levels, "rewardSum": reward}
    if active and total_ticks * memory._dt <= memory._train_s:
        iterator = after["iterator"] = memory.iterator + 1
        due = memory._due(dx, iterator, reward)
        if due is None:
            if iterator == 1 and not old_rules:
                # A sensor of the host sets the gain of a stimulus that it meets for the first time to 0.
                _write(memory, after, {s: value for s, value in memory._chosen.items() if gain.get(s) is not value})
            else:
                memory.__dict__.update(after)
        elif old_rules or memory._last.block is not None:
            memory._call(collected, dx, levels, {})
        else:
            _choose(memory, dx, due, after)
    elif old_rules:
        memory._call(collected, dx, levels, {})
    elif memory._frozen and not any(memory._last.acted):
        memory.__dict__.update(after)
    else:
        _follow(memory, dx, after)


def _choose(memory: Any, dx: Levels, reward: float, after: dict[str, Any]) -> None:
    """Learn from the last choice, and make the next."""
    tables, last, gain = memory._tables, memory._last, memory.gain
    alpha, gamma, epsilon = memory._alpha, memory._gamma, memory._epsilon
    states, words = tables.states(dx, memory._delta), memory._stream()
    actions, learned = [], []
    for q, s_tm1, a_tm1, learn, state in zip(tables.each, last.state, last.action, last.acted, states):  # noqa: B905  # of one length
        action, value = kernel.weigh(q, s_tm1, a_tm1, reward, state, alpha, gamma, learn, epsilon, words)
        actions.append(action)
        if learn:
            learned.append(partial(setitem, q, (s_tm1, a_tm1), value))
    chosen = dict(zip(tables.stimuli, tables.gains(actions)))  # noqa: B905  # as above
    after["iterator"], after["rewardSum"] = 0, 0.0
    after["_words"], after["_chosen"], after["_last"] = words, chosen, last_choice(states, actions)
    _write(memory, after, {s: value for s, value in chosen.items() if s in gain and gain[s] is not value}, *learned)


def _follow(memory: Any, dx: Levels, after: dict[str, Any]) -> None:
    """Follow what was learned."""
    tables, last, gain = memory._tables, memory._last, memory.gain
    if memory._state_specific:
        states = tables.states(dx, memory._delta)
        actions = [kernel.best(q, state) for q, state in zip(tables.each, states)]  # noqa: B905  # of one length
        if last.state != states or last.action != tuple(actions) or last.block is not None:
            after["_last"] = last_choice(states, actions)
    else:
        actions = [kernel.best_on_average(q) for q in tables.each]
    best = zip(tables.stimuli, tables.gains(actions))  # noqa: B905  # as above
    _write(memory, after, {s: value for s, value in best if s in gain and gain[s] is not value})


def _write(memory: Any, after: dict[str, Any], gains: dict[str, float], *learned: Any) -> None:
    own = memory.__dict__
    if gains:
        at_once((partial(own.update, after), partial(memory.gain.update, gains), *learned))
    elif learned:
        at_once((partial(own.update, after), *learned))
    else:
        own.update(after)
