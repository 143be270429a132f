"""What the circuits of larvae do, heard of as they do it, and asked for every now and then; no number changes by it."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kenyon.memory import MushroomBodyMemory
from kenyon.mushroom_body import Activity
from kenyon.mushroom_body.circuit import GROUPS, Layout

Counts: TypeAlias = NDArray[np.int64]


class Heard(NamedTuple):
    """What one circuit did for a while.

    Attributes:
        from_s: Since when, s.
        lived_s: For how long, s.
        counts: [N] int64, spikes of each neuron.
        spikes: [S, 2] int64, (time step since from_s, neuron), in order; None if only their number was heard of.
        dt_ms: Length of a time step.
        layout: Which neuron is which.
    """

    from_s: float
    lived_s: float
    counts: Counts
    spikes: Counts | None
    dt_ms: float
    layout: Layout


class Hearing:
    """Hears of one circuit, from now on.

    Args:
        memory: Whose it is; it learns, for a frozen one's stands still.
        begins_s: What time it is, s.
    """

    def __init__(self, memory: MushroomBodyMemory, begins_s: float = 0.0) -> None:
        self._memory, self._spelled = memory, False
        self.layout: Layout = memory.population.state.layout
        self._dt_ms = memory.population.parameters.dt_ms
        self._from_s = begins_s
        self._begin()
        memory.watch_circuit(self._hear)

    def look(self, *, spikes: bool) -> None:
        """Hear of every spike from now on, or only of how many there are."""
        if spikes is not self._spelled:
            self._spelled = spikes
            self._memory.watch_circuit(self._hear, spikes=spikes)

    def end(self) -> None:
        """Hear no more."""
        self._memory.leave_circuit(self._hear)

    def take(self) -> Heard:
        """Return what the circuit did since the last time; what it has put off it does first."""
        _ = self._memory.population
        spikes = None
        if self._spelled:
            spikes = np.concatenate(self._spikes) if self._spikes else np.empty((0, 2), dtype=np.int64)
        lived_s = round(self._lived_s, 7)  # A tenth of a second, ten times, is no whole one.
        heard = Heard(self._from_s, lived_s, self._counts, spikes, self._dt_ms, self.layout)
        self._from_s = round(heard.from_s + heard.lived_s, 7)
        self._begin()
        return heard

    def _begin(self) -> None:
        self._lived_s, self._spikes = 0.0, list[Counts]()
        self._counts: Counts = np.zeros(self.layout.n_neurons, dtype=np.int64)

    def _hear(self, activity: Activity) -> None:
        self._counts += activity.counts[0]
        if activity.spikes is not None:
            begun = round(self._lived_s * 1e3 / self._dt_ms)
            self._spikes.append(activity.spikes[0] + np.array([begun, 0]))
        self._lived_s += float(activity.duration_ms[0]) * 1e-3


def hearings(memories: Sequence[object], begins_s: float = 0.0) -> list[Hearing | None]:
    """Return a hearing of each memory whose circuit lives in this process and learns; None of any other."""
    return [
        Hearing(memory, begins_s) if isinstance(memory, MushroomBodyMemory) and not memory.frozen else None
        for memory in memories
    ]


def rates_hz(heard: Sequence[Heard | None]) -> NDArray[np.float64]:
    """Return the mean rate of a cell of each group: [B, groups] float64, Hz; nan of who lived no time, or is None."""
    rates = np.full((len(heard), len(GROUPS)), np.nan)
    for place, own in enumerate(heard):
        if own is not None and own.lived_s > 0.0:
            rates[place] = [own.counts[where].mean() / own.lived_s for where in own.layout.groups.values()]
    return rates
