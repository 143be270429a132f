"""Keeps what an engine writes down during one call, and makes an `Activity` of it."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon.mushroom_body.activity import SAMPLED, Activity, Record
from kenyon.mushroom_body.circuit import MOST_NEURONS, Layout
from kenyon.mushroom_body.kernel import Recording
from kenyon.mushroom_body.parameters import Parameters

_STEPS_WITH_SPIKES = 5000
_LARVA_STEPS_WITH_SPIKES = 5_000_000
"""Steps of each larva and of all in a slice while spikes are kept: bounds the buffer they are written to."""


_BOUND_mV = 1000.0
"""No potential between the reversal potentials comes near it."""


class Recorder:
    """Buffers for one call of B larvae.

    Args:
        parameters: The constants they live under.
        cells: Which neuron is which.
        n_steps: [B] int64, how far each larva goes.
        record: What to keep besides spike counts.
        steps: Steps of each larva in a slice of time, at most.
        larva_steps: Steps of all larvae together in one, at most; but 1,000 of each.

    Raises:
        InputError: the interval of the samples is no whole number of steps.
    """

    def __init__(
        self,
        parameters: Parameters,
        cells: Layout,
        n_steps: NDArray[np.int64],
        record: Record,
        steps: int,
        larva_steps: int,
    ) -> None:
        self._record, self._dt_ms, self._n_steps = record, parameters.dt_ms, n_steps
        larvae, self._longest = len(n_steps), max(n_steps.tolist())
        self._sample_steps = 0 if record.every_ms is None else parameters.steps("every_ms", record.every_ms)
        n_samples = self._longest // self._sample_steps if self._sample_steps else 0
        self._sample_ms = np.arange(1, n_samples + 1) * (self._sample_steps * self._dt_ms) if n_samples else np.empty(0)
        sampled = {name: np.full((larvae, n_samples, cells.sizes[SAMPLED[name]]), np.nan) for name in record.variables}
        self._samples = {**_no_samples(larvae, cells), **sampled}
        self._counts = np.zeros((larvae, cells.n_neurons), dtype=np.int64)
        self._spikes: list[list[NDArray[np.int64]]] = [[] for _ in range(larvae)]
        period = max(1, parameters.steps("refractory_ms", parameters.refractory_ms)) if record.spikes else 1
        if record.spikes:
            steps, larva_steps = min(steps, _STEPS_WITH_SPIKES), min(larva_steps, _LARVA_STEPS_WITH_SPIKES)
        self._per_slice = min(steps, max(1000, larva_steps // larvae))
        self._capacity = cells.n_neurons * (self._per_slice // period + 1) if record.spikes else 0

    def slices(self) -> Iterator[tuple[int, NDArray[np.int64], Recording]]:
        """Give one slice of time after the other: its first step, the steps of each larva, and where to write."""
        larvae = len(self._n_steps)
        for first in range(0, self._longest, self._per_slice):
            recording = Recording(
                self._counts,
                np.empty((larvae, self._capacity, 2), dtype=np.int32),
                np.zeros(larvae, dtype=np.int64),
                self._sample_steps,
                **self._samples,
            )
            yield first, self._n_steps_from(first), recording
            if self._record.spikes:
                for larva, n in enumerate(recording.n_spikes):
                    self._spikes[larva].append(_numbered(recording.spikes[larva, :n]))

    def _n_steps_from(self, first: int) -> NDArray[np.int64]:
        if self._longest <= self._per_slice:
            return self._n_steps
        left: NDArray[np.int64] = np.minimum(np.maximum(self._n_steps - first, 0), self._per_slice)
        return left

    def activity(self, v_mV: NDArray[np.float64]) -> Activity:
        """Return all that was kept; `v_mV` [B, N] is where the larvae ended."""
        # Not "above the bound": nan, which infinite terms leave when they cancel, is neither above nor below.
        return Activity(
            duration_ms=np.multiply(self._n_steps, self._dt_ms, dtype=np.float64),
            counts=self._counts,
            spikes=tuple(map(_sorted, self._spikes)) if self._record.spikes else None,
            samples={name: self._samples[name] for name in self._record.variables},
            sample_ms=self._sample_ms,
            diverged=beyond_bounds(v_mV),
            dt_ms=self._dt_ms,
        )


def counting(larvae: int, cells: Layout) -> Recording:
    """Return where to write spike counts, and nothing else."""
    return Recording(np.zeros((larvae, cells.n_neurons), dtype=np.int64), *_nothing(larvae, cells))


@lru_cache(maxsize=64)
def _nothing(larvae: int, cells: Layout) -> tuple[Any, ...]:
    """Return the fields of a `Recording` besides counts in which nothing is ever written."""
    no_spikes = np.empty((larvae, 0, 2), dtype=np.int32)
    return no_spikes, np.zeros(larvae, dtype=np.int64), 0, *_no_samples(larvae, cells).values()


@lru_cache(maxsize=64)
def _no_samples(larvae: int, cells: Layout) -> dict[str, NDArray[np.float64]]:
    return {name: np.empty((larvae, 0, cells.sizes[axis])) for name, axis in SAMPLED.items()}


def _numbered(spikes: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return (step, neuron) as one number each, of the same order."""
    return spikes[:, 0].astype(np.int64) << _NEURON_BITS | spikes[:, 1]


def _sorted(pieces: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return spikes in order; they come in long runs that are, which a stable sort merges."""
    numbers = np.concatenate(pieces or [np.empty(0, dtype=np.int64)])
    numbers.sort(kind="stable")
    return np.column_stack((numbers >> _NEURON_BITS, numbers & (1 << _NEURON_BITS) - 1))


_NEURON_BITS = MOST_NEURONS.bit_length()


def beyond_bounds(v_mV: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which larvae have a membrane potential beyond all bounds, or none that is a number: [B] bool."""
    beyond: NDArray[np.bool_] = ~(np.maximum.reduce(np.abs(v_mV), axis=1) <= _BOUND_mV)
    return beyond
