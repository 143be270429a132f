"""The learning rules as they are told in words, applied to spikes that somebody has recorded.

Nothing here is shared with the package but the constants: neither engine's way to the weights is taken.
"""

import math
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from kenyon.mushroom_body import Parameters

FIRST_KC, MBONP, MBONN, DANP, DANN, AFTER_DANS = 63, 135, 136, 137, 138, 139

CORNERS = (
    *("the floor", "no floor", "above 150 nS", "all of the way at once", "recovery beside homeostasis"),
    "Kenyon cell, dopamine neuron and MBON in one step",
)
"""What is counted where it occurs."""


class Learner:
    """The plastic weights of one newborn larva, and the traces that they change by.

    Args:
        parameters: The set of constants.

    Attributes:
        weights_nS: [K] of MBONp and of MBONn, by the number of that neuron.
        eligibility: [K], of each Kenyon cell at its last spike.
        trace: Of each dopamine neuron at its last spike, by its number.
        corners: Which of `CORNERS` have occurred.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._p = parameters
        start = np.full(72, parameters.kc_mbon_nS)
        self.weights_nS = {MBONP: start.copy(), MBONN: start.copy()}
        self.eligibility, self._kc_spiked_ms = np.zeros(72), np.full(72, -math.inf)
        self.trace, self._dan_spiked_ms = {DANP: 0.0, DANN: 0.0}, {DANP: -math.inf, DANN: -math.inf}
        self.corners: set[str] = set()

    def live(self, spikes: NDArray[np.int64], first_step: int, *, plastic: bool = True) -> None:
        """Learn from spikes (step, neuron) of a call that began at a step of the larva's life."""
        relevant = spikes[(spikes[:, 1] >= FIRST_KC) & (spikes[:, 1] < AFTER_DANS)]
        for step, of_step in groupby(relevant.tolist(), key=lambda spike: spike[0]):
            fired = [neuron for _, neuron in of_step]
            self._step((first_step + step) * self._p.dt_ms, fired, plastic=plastic)

    def _step(self, now_ms: float, fired: list[int], *, plastic: bool) -> None:
        for neuron in fired:
            if neuron < MBONP:
                if plastic:
                    self._potentiate(neuron - FIRST_KC, now_ms)
                self._mark_kc(neuron - FIRST_KC, now_ms)
        for dan, mbon in ((DANP, MBONN), (DANN, MBONP)):
            if dan in fired:
                since_ms = now_ms - self._dan_spiked_ms[dan]
                self.trace[dan] = self.trace[dan] * math.exp(-since_ms / self._p.potentiation_tau_ms) + 1.0
                self._dan_spiked_ms[dan] = now_ms
                if plastic:
                    self._depress(self.weights_nS[mbon], now_ms)
        for mbon in (MBONP, MBONN):
            if mbon in fired and plastic:
                self._restore(self.weights_nS[mbon], now_ms)
        self._note(fired, plastic=plastic)

    def _mark_kc(self, kc: int, now_ms: float) -> None:
        left = self.eligibility[kc] * math.exp(-(now_ms - self._kc_spiked_ms[kc]) / self._p.eligibility_tau_ms)
        self.eligibility[kc] = left + self._p.eligibility_step * (1.0 - left)
        self._kc_spiked_ms[kc] = now_ms

    def _eligible(self, now_ms: float) -> NDArray[np.float64]:
        left: NDArray[np.float64] = np.exp(-(now_ms - self._kc_spiked_ms) / self._p.eligibility_tau_ms)
        return self.eligibility * left

    def _potentiate(self, kc: int, now_ms: float) -> None:
        p = self._p
        for dan, mbon in ((DANP, MBONN), (DANN, MBONP)):
            since_ms = now_ms - self._dan_spiked_ms[dan]
            share = p.potentiation * self.trace[dan] * math.exp(-since_ms / p.potentiation_tau_ms)
            share *= 1.0 - math.exp(-since_ms / p.potentiation_closing_ms)
            if share > 1.0:
                self.corners.add("all of the way at once")
            weights = self.weights_nS[mbon]
            weights[kc] += min(1.0, share) * (p.ceiling_nS - weights[kc])

    def _depress(self, weights: NDArray[np.float64], now_ms: float) -> None:
        weights -= self._p.learning_rate_nS * self._eligible(now_ms)
        floor = self._p.weight_floor_nS
        if floor is None:
            self.corners.add("no floor")
        else:
            if (weights < floor).any():
                self.corners.add("the floor")
            weights[:] = np.maximum(floor, weights)

    def _restore(self, weights: NDArray[np.float64], now_ms: float) -> None:
        if self._p.recovery > 0.0 and self._p.homeostasis > 0.0 and (weights != self._p.kc_mbon_nS).any():
            self.corners.add("recovery beside homeostasis")
        weights += self._p.homeostasis * (self._p.kc_mbon_nS - weights)
        weights += self._p.recovery * self._eligible(now_ms) * (self._p.kc_mbon_nS - weights)

    def _note(self, fired: list[int], *, plastic: bool) -> None:
        if max(weights.max() for weights in self.weights_nS.values()) > 150.0:
            self.corners.add("above 150 nS")
        kinds = {"KC" if i < MBONP else "MBON" if i < DANP else "DAN" for i in fired}
        if plastic and len(kinds) == 3:
            self.corners.add("Kenyon cell, dopamine neuron and MBON in one step")
