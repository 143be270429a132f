"""The reference engine: the circuit simulated by Brian2.

One network holds a fixed number of slots, and larvae are swapped into them and out again, so that Brian2 generates and
compiles its code once for larvae of any number, age and duration.

All times are whole steps since the start of a run, and every run starts at step 0: an old larva is as exact as a young.

Reference: Stimberg, Brette & Goodman 2019, eLife 8:e47314.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon.mushroom_body import inputs
from kenyon.mushroom_body.activity import SAMPLED
from kenyon.mushroom_body.arguments import FloatArray, IntArray
from kenyon.mushroom_body.brian_circuit import NEVER, build_circuit, constants, input_wires
from kenyon.mushroom_body.brian_setup import codegen_target, import_brian2, settings
from kenyon.mushroom_body.circuit import DAN_P, LN_P, N_PNS, Layout, per_neuron
from kenyon.mushroom_body.engine import Engine, Events
from kenyon.mushroom_body.kernel import Recording
from kenyon.mushroom_body.manipulated import weights_nS
from kenyon.mushroom_body.parameters import Parameters
from kenyon.mushroom_body.state import State
from kenyon.threads import OwnLock

_MEMBRANE = ("v_mV", "g_e_nS", "g_i_nS", "g_a_nS")
_WEIGHTS = ("w_kc_mbonp_nS", "w_kc_mbonn_nS")
_TRACES = ("fired_step", "trace")
_COUNTERS = ("release_step", "n_spikes")

# Conductances below the negligible are set to 0 before each run, which is too short for the others to end as
# subnormals, slow to compute with.
_NEGLIGIBLE = 1e-100
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
        self._parameters, self._layout, self._kc = parameters, cells, cells.groups["KC"]
        dans = slice(cells.outputs + DAN_P, cells.outputs + LN_P)
        self._traced = {("kc_silent_steps", "kc_eligibility"): self._kc, ("dan_silent_steps", "dan_trace"): dans}
        with settings("numpy"):  # Connecting pairs is quick anyway; to compile it would take half of all compile time.
            clock = brian2.Clock(parameters.dt_ms * brian2.ms, name="kenyon_clock")
            unwired = np.zeros((slots, cells.n_kcs, N_PNS))
            self._neurons, transmission, *plasticity = build_circuit(parameters, unwired, clock)
            self._each_step = brian2.NetworkOperation(lambda: None, clock=clock, when="end", name="kenyon_each_step")
            self._network = brian2.Network(self._neurons, transmission, plasticity, self._each_step)
        self._network.schedule = ["start", "groups", "thresholds", "synapses", "resets", "end"]
        names = (*_MEMBRANE, *_WEIGHTS, *_TRACES, *_COUNTERS)
        arrays = {name: self._neurons.variables[name].get_value() for name in names}
        self._x = {name: values.reshape(slots, cells.n_neurons) for name, values in arrays.items()}
        self._passed_nS = weights_nS(parameters, cells)["PN>KC"]
        excitation_nS = transmission.variables["excitation_nS"].get_value().reshape(slots, -1)
        self._pn_to_kc_nS = excitation_nS[:, : N_PNS * cells.n_kcs]

    def run(self, part: _Part, values: dict[str, Any]) -> None:
        """Swap larvae in, run them together, and swap each out at its own end."""
        steps, done = int(part.n_steps.max()), 0
        every = part.recording.sample_steps or steps + 1
        stops = {*part.n_steps.tolist(), *range(every - part.first_step % every, steps + 1, every)}
        fired: list[NDArray[np.int32]] | None = [] if part.recording.spikes.shape[1] > 0 else None
        deliver = self._delivery(part, steps)

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

    def _delivery(self, part: _Part, steps: int) -> Callable[[int], None]:
        """Return what delivers the input spikes of a step: exact at any step, and quicker than Brian2's own source."""
        target, input_nS = input_wires(self._parameters, self._layout)
        all_input_nS = np.zeros_like(self._x["g_e_nS"])
        all_input_nS[:, target] = input_nS
        all_input_nS, g_e_nS = all_input_nS.reshape(-1), self._x["g_e_nS"].reshape(-1)
        step = np.concatenate([own[:, 0] for own in part.events])
        neuron = np.concatenate(
            [target[own[:, 1]] + slot * self._layout.n_neurons for slot, own in enumerate(part.events)]
        )
        neuron = neuron[np.argsort(step.astype(np.uint16), kind="stable")]  # numpy sorts 16 bits in linear time.
        bounds = [0, *np.cumsum(np.bincount(step, minlength=steps)).tolist()]

        def deliver(step: int) -> None:
            due = neuron[bounds[step] : bounds[step + 1]]
            if due.size > 0:
                g_e_nS[due] += all_input_nS[due]

        return deliver

    def _swap_in(self, part: _Part) -> None:
        x, state, larvae, here = self._x, part.state, part.larvae, slice(len(part.larvae))
        for name in _MEMBRANE:
            x[name][:] = per_neuron(self._parameters, "rest_mV", self._layout) if name == "v_mV" else 0.0
            x[name][here] = getattr(state, name)[larvae]
            x[name][np.abs(x[name]) < _NEGLIGIBLE] = 0.0
        for name in _WEIGHTS:
            x[name][here, self._kc] = getattr(state, name)[larvae]
        x["release_step"][here] = state.refractory_steps[larvae]
        for (silent_steps, trace), cells in self._traced.items():
            x["fired_step"][here, cells] = -np.minimum(getattr(state, silent_steps)[larvae], NEVER)
            x["trace"][here, cells] = getattr(state, trace)[larvae]
        x["n_spikes"][:] = 0
        passed_nS = state.pn_to_kc[larvae].transpose(0, 2, 1) * self._passed_nS[:, None]
        self._pn_to_kc_nS[here] = passed_nS.reshape(len(larvae), -1)

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
        for name in _MEMBRANE:
            getattr(state, name)[larvae] = x[name][slots]
        for name in _WEIGHTS:
            getattr(state, name)[larvae] = x[name][slots, self._kc]
        for (silent_steps, trace), cells in self._traced.items():
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
