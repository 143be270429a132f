"""What larvae of the host do at a moment, as arrays over all of them: to look changes nothing."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon.memory import RLmemory, sensing
from kenyon.memory.mushroom_body import MBmemory

Numbers = NDArray[np.float64]

_FULL_HZ = 50.0


def positions(agents: Iterable[Any]) -> Numbers:
    """Return where larvae are, as the host's own table has it: [B, 2] float64, x and y in m."""
    return np.array([agent.pos for agent in agents], dtype=float).reshape(-1, 2)


def headings(agents: Iterable[Any]) -> Numbers:
    """Return where their heads point: [B] float64, rad, counterclockwise from the x axis, in [0, 2 pi)."""
    return np.array([agent.front_orientation for agent in agents], dtype=float)


def on_food(agents: Iterable[Any]) -> NDArray[np.bool_]:
    """Return whether larvae are on food, also those for which the host itself does not look: [B] bool."""
    return np.array([_finds_food(agent) for agent in agents], dtype=bool)


def stimuli_of(memories: Iterable[Any]) -> list[str]:
    """Return all stimuli that memories learn about, in the order of their first mention; None has none."""
    known = (memory.stimuli for memory in memories if memory is not None)
    return list(dict.fromkeys(name for stimuli in known for name in stimuli))


def gains(memories: Sequence[Any], stimuli: Sequence[str]) -> Numbers:
    """Return the gain of each stimulus that memories have set: [B, O] float64.

    0 where a memory knows a stimulus and has set nothing yet; nan where it does not know it, or there is no memory.
    """
    rows = []
    for memory in memories:
        known = set() if memory is None else set(memory.stimuli)
        rows.append([memory.gain.get(name, 0.0) if name in known else np.nan for name in stimuli])
    return np.array(rows, dtype=float).reshape(len(memories), len(stimuli))


def learned(memories: Sequence[Any], stimuli: Sequence[str], asked_ms: float = 3000.0) -> Numbers:
    """Return what each memory has learned of each stimulus: [B, O] float64.

    Of a mushroom body the preference index of its output neurons, asked now, on a copy and with plasticity off; of
    Q-learning the best gain on average over states; nan where nothing is known.

    Args:
        memories: One a larva, or None.
        stimuli: Their names.
        asked_ms: For how long a mushroom body is given each odor, ms.
    """
    rows = []
    for memory in memories:
        if memory is None:
            known = {}
        elif isinstance(memory, MBmemory):
            own = [name for name in stimuli if name in memory.stimuli]
            known = {name: answer["preference_index"] for name, answer in memory.probe(own, asked_ms).items()}
        elif isinstance(memory, RLmemory):
            known = memory.best_gain if memory.q_table.any() else {}  # Of equals the best would be the first.
        else:
            known = memory.gain
        rows.append([known.get(name, np.nan) for name in stimuli])
    return np.array(rows, dtype=float).reshape(len(memories), len(stimuli))


def full_gain(memories: Iterable[Any]) -> float:
    """Return the gain, above 0, at which the color of a larva is as strong as it gets, in one run the same for all.

    Of Q-learning the highest that it can choose; of a mushroom body the gain that its output neurons give when one
    fires 50 Hz more than the other, about what three trials with an odor come to.
    """
    return max((_full_gain(memory) for memory in memories if memory is not None), default=0.0) or 1.0


def _full_gain(memory: Any) -> float:
    if isinstance(memory, MBmemory):
        return abs(float(memory.innate_gain or 0.0)) + abs(float(memory.G)) * _FULL_HZ
    if isinstance(memory, RLmemory):
        return max(abs(float(gain)) for gain in memory.gain_space)
    return max((abs(float(gain)) for gain in memory.gain.values()), default=0.0)


def _finds_food(agent: Any) -> bool:
    return bool(agent.on_food or (not sensing.host_seeks_food(agent.brain) and sensing.touches_food(agent.brain)))
