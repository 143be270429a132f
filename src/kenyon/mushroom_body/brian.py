"""The reference engine: the circuit simulated by Brian2.

One network holds a fixed number of slots, and larvae are swapped into them and out again, so that Brian2 generates and
compiles its code once for larvae of any number, age and duration.

All times are whole steps since the start of a run, and every run starts at step 0: an old larva is as exact as a young.

Reference: Stimberg, Brette & Goodman 2019, eLife 8:e47314.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon.mushroom_body import inputs
from kenyon.mushroom_body.activity import SAMPLED
from kenyon.mushroom_body.arguments import FloatArray, IntArray
from kenyon.mushroom_body.brian_cells import MEMBRANE, WEIGHTS, Cells
from kenyon.mushroom_body.brian_circuit import NEVER, build_circuit, constants
from kenyon.mushroom_body.brian_setup import codegen_target, import_brian2, settings
from kenyon.mushroom_body.circuit import N_PNS, Layout
from kenyon.mushroom_body.engine import Engine, Events
from kenyon.mushroom_body.kernel import Recording
from kenyon.mushroom_body.manipulated import weights_nS
from kenyon.mushroom_body.parameters import Parameters
from kenyon.mushroom_body.state import State
from kenyon.threads import OwnLock

_MOST_STEPS = 20_000
_MOST_SLOTS = 128

_one_network = OwnLock()
"""Held while a network is built or run: two in two threads would abort the process."""


@dataclass(frozen=True)
class Brian2(Engine):
    """Brian2: the spikes of the kernel, weights to 1e-9 nS, only slower; one network runs at a time.

    Raises:
        MissingDependencyError: Brian2 is not installed, or has yet to be imported in the main thread.

    Example:
        >>> from kenyon.mushroom_body import BALANCED, drive
        >>> from kenyon.mushroom_body.engines import Kernel
        >>> from kenyon.mushroom_body.state import newborn
        >>> rates = drive(BALANCED, "pentyl acetate", reward=1.0)
        >>> ours = Brian2().advance(BALANCED, newborn(BALANCED, [1]), [1000], rates)
        >>> theirs = Kernel().advance(BALANCED, newborn(BALANCED, [1]), [1000], rates)
        >>> bool((ours.counts == theirs.counts).all())
        True
    """

    name: ClassVar[str] = "brian2"

    def __post_init__(self) -> None:
        """Find out now whether it can be used."""
        import_brian2()

    def compute(
        self,
        parameters: Parameters,
        state: State,
        n_steps: IntArray,
        rates_hz: FloatArray | None,
        events: Events | None,
        first_step: int,
        recording: Recording,
        *,
        plastic: bool,
        threads: int | None,  # noqa: ARG002  # one network runs at a time
    ) -> None:
        """As for `Engine`: in runs of some steps, of as many larvae as there are slots."""

        def input_of(larva: int, first: int, steps: int) -> NDArray[np.int32]:
            if events is None:
                rng, ticks_left = state.rng[larva], state.ticks_left[larva]
                return inputs.draw_events(parameters, rng, ticks_left, np.asarray(rates_hz)[larva], steps)
            begin, end = np.searchsorted(events[larva][:, 0], (first, first + steps))
            return events[larva][begin:end] - np.array([first, 0], dtype=np.int32)

        for first in range(0, int(n_steps.max()), _MOST_STEPS):
            left = np.clip(n_steps - first, 0, _MOST_STEPS)
            running = np.flatnonzero(left)
            for batch in np.split(running, range(_MOST_SLOTS, len(running), _MOST_SLOTS)):
                given = [input_of(larva, first, left[larva]) for larva in batch]
                part = _Part(state, batch, left[batch], given, first_step + first, recording)
                with _one_network.lock:
                    slots = _slots(parameters, state.layout, 1 << (len(batch) - 1).bit_length())
                    slots.run(part, constants(parameters, plastic=plastic))


class _Part(NamedTuple):
    """Some steps of some larvae: their rows of the state, how far each goes, its input, and where to record."""

    state: State
    larvae: IntArray
    n_steps: IntArray
    events: list[NDArray[np.int32]]
    first_step: int
    recording: Recording


class _Slots:
    """A network with a fixed number of slots for larvae; idle slots are at rest, without input."""

    def __init__(self, parameters: Parameters, cells: Layout, slots: int) -> None:
        brian2 = import_brian2()
        self._parameters = parameters
        with settings("numpy"):  # Connecting pairs is quick anyway; to compile it would take half of all compile time.
            clock = brian2.Clock(parameters.dt_ms * brian2.ms, name="kenyon_clock")
            unwired = np.zeros((slots, cells.n_kcs, N_PNS))
            self._neurons, transmission, *plasticity = build_circuit(parameters, unwired, clock)
            self._each_step = brian2.NetworkOperation(lambda: None, clock=clock, when="end", name="kenyon_each_step")
            self._network = brian2.Network(self._neurons, transmission, plasticity, self._each_step)
        self._network.schedule = ["start", "groups", "thresholds", "synapses", "resets", "end"]
        self._cells = Cells(parameters, cells, slots, self._neurons)
        self._x, self._kc = self._cells.x, self._cells.kc
        self._passed_nS = weights_nS(parameters, cells)["PN>KC"]
        excitation_nS = transmission.variables["excitation_nS"].get_value().reshape(slots, -1)
        self._pn_to_kc_nS = excitation_nS[:, : N_PNS * cells.n_kcs]

    def run(self, part: _Part, values: dict[str, Any]) -> None:
        """Swap larvae in, run them together, and swap each out at its own end."""
        steps, done = int(part.n_steps.max()), 0
        every = part.recording.sample_steps or steps + 1
        stops = {*part.n_steps.tolist(), *range(every - part.first_step % every, steps + 1, every)}
        fired: list[NDArray[np.int32]] | None = [] if part.recording.spikes.shape[1] > 0 else None
        deliver = self._cells.delivery(part.events, steps)

        def each_step() -> None:
            nonlocal done
            deliver(done)
            done += 1
            if fired is not None:
                fired.append(self._neurons.spikes.copy())
            if done in stops:
                self._sample(part, done)
                self._swap_out(part, done)

        self._swap_in(part)
        self._each_step.function = each_step
        self._network.t_ = 0.0
        try:
            with settings(codegen_target()):
                self._network.run(steps * self._each_step.clock.dt, namespace=values)
        finally:
            self._each_step.function = lambda: None  # Lets go of the input and of the state.
            if done < steps:  # Stopped within a step, a network still holds what it was about to deliver.
                _slots.cache_clear()
        if done < steps:
            raise KeyboardInterrupt  # Brian2 has made it a silent early end.
        if fired is not None:
            _record(part, fired)

    def _swap_in(self, part: _Part) -> None:
        self._cells.put(part.state, part.larvae)
        passed_nS = part.state.pn_to_kc[part.larvae].transpose(0, 2, 1) * self._passed_nS[:, None]
        self._pn_to_kc_nS[: len(part.larvae)] = passed_nS.reshape(len(part.larvae), -1)

    def _sample(self, part: _Part, done: int) -> None:
        every, step = part.recording.sample_steps, part.first_step + done
        if every == 0 or step % every != 0:
            return
        slots = np.flatnonzero(part.n_steps >= done)
        for name, axis in SAMPLED.items():
            samples, cells = getattr(part.recording, name), self._kc if axis == "K" else slice(None)
            if samples.shape[1] > 0:
                values = self._eligibility(done) if name == "eligibility" else self._x[name]
                samples[part.larvae[slots], step // every - 1] = values[slots, cells]

    def _eligibility(self, done: int) -> FloatArray:
        silent_ms = (done - 1 - self._x["fired_step"]) * self._parameters.dt_ms
        eligibility: FloatArray = self._x["trace"] * np.exp(-silent_ms / self._parameters.eligibility_tau_ms)
        return eligibility

    def _swap_out(self, part: _Part, done: int) -> None:
        x, state, slots = self._x, part.state, np.flatnonzero(part.n_steps == done)
        larvae = part.larvae[slots]
        for name in MEMBRANE:
            getattr(state, name)[larvae] = x[name][slots]
        for name in WEIGHTS:
            getattr(state, name)[larvae] = x[name][slots, self._kc]
        for (silent_steps, trace), cells in self._cells.traced.items():
            silent = done - x["fired_step"][slots, cells]
            getattr(state, silent_steps)[larvae] = np.where(silent < NEVER, silent, np.inf)
            getattr(state, trace)[larvae] = x["trace"][slots, cells]
        state.refractory_steps[larvae] = np.maximum(0, x["release_step"][slots] - done)
        state.step[larvae] += done
        part.recording.counts[larvae] += x["n_spikes"][slots]


_slots = lru_cache(maxsize=8)(_Slots)


def _record(part: _Part, fired: list[NDArray[np.int32]]) -> None:
    step = np.repeat(np.arange(len(fired)), [len(neurons) for neurons in fired])
    slot, neuron = np.divmod(np.concatenate(fired), part.state.layout.n_neurons)
    recording = part.recording
    for i, larva in enumerate(part.larvae):
        own = (slot == i) & (step < part.n_steps[i])
        first = recording.n_spikes[larva]
        last = recording.n_spikes[larva] = first + own.sum()
        recording.spikes[larva, first:last] = np.column_stack((part.first_step + step[own], neuron[own]))
