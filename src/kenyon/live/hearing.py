"""What the circuits of memories do, heard of as they do it, and asked for every now and then."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kenyon.live.messages import Cells, Numbers, rates_of, rounded, spike_rows
from kenyon.memory import MushroomBodyMemory
from kenyon.mushroom_body import Activity
from kenyon.mushroom_body.circuit import GROUPS, Layout

Counts: TypeAlias = NDArray[np.int64]


class Hearing:
    """Hears of one circuit.

    Args:
        memory: Whose it is.
        begins_s: When the hearing begins, s.
    """

    def __init__(self, memory: MushroomBodyMemory, begins_s: float) -> None:
        self._memory, self._spelled = memory, False
        self.layout: Layout = memory.population.state.layout
        self._from_s, self._lived_s = begins_s, 0.0
        self._counts: Counts = np.zeros(self.layout.n_neurons, dtype=np.int64)
        self._spikes: list[Counts] = []
        self._dt_ms = memory.population.parameters.dt_ms
        memory.watch_circuit(self._hear)

    def look(self, *, spikes: bool) -> None:
        """Hear of every spike from now on, or only of how many there are."""
        if spikes is not self._spelled:
            self._spelled = spikes
            self._memory.watch_circuit(self._hear, spikes=spikes)

    def end(self) -> None:
        """Hear no more."""
        self._memory.watch_circuit(None)

    def take(self, place: int) -> tuple[Counts, float, Cells | None]:
        """Return what the circuit did since the last time: its spikes by neuron, within how long, s, and all of it.

        Args:
            place: Of the larva, among all.

        Returns:
            [N] int64, s, and the message; None where it was not heard of every spike.
        """
        state = self._memory.population.state  # What was put off has been lived through now.
        counts, lived_s, from_s, spikes = self._counts, self._lived_s, self._from_s, self._spikes
        self._counts, self._lived_s, self._from_s, self._spikes = np.zeros_like(counts), 0.0, from_s + lived_s, []
        if not self._spelled or lived_s == 0.0:
            return counts, lived_s, None
        here = self._memory.place
        return (
            counts,
            lived_s,
            {
                "kind": "cells",
                "larva": place,
                "from_s": round(from_s, 3),
                "t_s": round(from_s + lived_s, 3),
                "spikes": spike_rows(np.concatenate(spikes), self._dt_ms) if spikes else [],
                "rates": rates_of(counts, lived_s, self.layout),
                "w_kc_mbonp_nS": rounded(state.w_kc_mbonp_nS[here], 3),
                "w_kc_mbonn_nS": rounded(state.w_kc_mbonn_nS[here], 3),
            },
        )

    def _hear(self, activity: Activity) -> None:
        self._counts += activity.counts[0]
        if activity.spikes is not None:
            steps = round(self._lived_s * 1e3 / self._dt_ms)
            self._spikes.append(activity.spikes[0] + np.array([steps, 0]))
        self._lived_s += float(activity.duration_ms[0]) * 1e-3


def mean_rates(larvae: Sequence[tuple[Counts, float, Layout] | None]) -> dict[str, Numbers]:
    """Return the mean rate of a cell of each group, Hz, over larvae; None for one of which nothing was heard.

    Args:
        larvae: Of each its spikes by neuron, within how long, s, and which neuron is which; or None.
    """
    rates: dict[str, Any] = {name: np.full(len(larvae), np.nan) for name in GROUPS}
    for place, heard in enumerate(larvae):
        if heard is not None and heard[1] > 0.0:
            counts, lived_s, layout = heard
            for name, where in layout.groups.items():
                rates[name][place] = counts[where].sum() / ((where.stop - where.start) * lived_s)
    return {name: rounded(values, 1) for name, values in rates.items()}
