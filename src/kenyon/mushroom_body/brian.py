"""The reference engine: the circuit as equations, simulated by Brian2.

One network holds a fixed number of slots, and larvae are swapped into them and out again, so that Brian2 generates and
compiles its code once for larvae of any number, age and duration. One step is Brian2's own: integrate; threshold;
synapses (conductances and Kenyon cell times, then depression, then homeostasis); reset. The weights of a Kenyon cell's
two plastic synapses are variables of the cell, where dopamine neurons and MBONs, connected to it, can reach them.

All times are whole steps since the start of a run, and every run starts at step 0: an old larva is as exact as a young.

Reference: Jürgensen et al. 2024, iScience 27:108640; Stimberg, Brette & Goodman 2019, eLife 8:e47314.
"""

import gc
import itertools
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon.errors import MissingDependencyError
from kenyon.mushroom_body import inputs
from kenyon.mushroom_body.activity import SAMPLED
from kenyon.mushroom_body.circuit import DAN_P, GROUPS, N_CHANNELS, N_KCS, N_NEURONS, N_PNS, PN, REWARD, per_neuron
from kenyon.mushroom_body.kernel import Recording
from kenyon.mushroom_body.parameters import BALANCED, Parameters
from kenyon.mushroom_body.population import Population
from kenyon.mushroom_body.state import State

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

NEURON = """
dv_mV/dt = int(t_in_timesteps >= release_step) * per_capacitance / ms * (
    leak_nS * (rest_mV - v_mV)
    + g_e_nS * (excitatory_reversal_mV - v_mV)
    + g_i_nS * (inhibitory_reversal_mV - v_mV)
    + g_a_nS * (adaptation_reversal_mV - v_mV)) : 1
dg_e_nS/dt = -g_e_nS / (excitatory_tau_ms * ms) : 1
dg_i_nS/dt = -g_i_nS / (inhibitory_tau_ms * ms) : 1
dg_a_nS/dt = -g_a_nS / (adaptation_tau_ms * ms) : 1
per_capacitance : 1 (constant)
leak_nS : 1 (constant)
rest_mV : 1 (constant)
threshold_mV : 1 (constant)
adaptation_nS : 1 (constant)
w_kc_mbonp_nS : 1
w_kc_mbonn_nS : 1
release_step : integer
fired_step : 1
n_spikes : integer
"""

RESET = """
v_mV = rest_mV
g_a_nS += adaptation_nS
release_step = t_in_timesteps + refractory_steps
n_spikes += 1
"""

TRANSMISSION = """
g_e_nS_post += excitation_nS + plastic_p * w_kc_mbonp_nS_pre + plastic_n * w_kc_mbonn_nS_pre
g_i_nS_post += inhibition_nS
fired_step_pre = t_in_timesteps
"""

DEPRESSION = """
depression_nS = learning_rate_nS * exp((fired_step_post - t_in_timesteps) * dt / (eligibility_tau_ms * ms))
w_kc_mbonp_nS_post = clip(w_kc_mbonp_nS_post - plastic_p * depression_nS, weight_floor_nS, inf)
w_kc_mbonn_nS_post = clip(w_kc_mbonn_nS_post - plastic_n * depression_nS, weight_floor_nS, inf)
"""

HOMEOSTASIS = """
w_kc_mbonp_nS_post += plastic_p * homeostasis * (kc_mbon_nS - w_kc_mbonp_nS_post)
w_kc_mbonn_nS_post += plastic_n * homeostasis * (kc_mbon_nS - w_kc_mbonn_nS_post)
"""

_MEMBRANE = ("v_mV", "g_e_nS", "g_i_nS", "g_a_nS")
_WEIGHTS = ("w_kc_mbonp_nS", "w_kc_mbonn_nS")
_COUNTERS = ("release_step", "fired_step", "n_spikes")
_CELLS = {group: np.arange(N_NEURONS)[where] for group, where in GROUPS.items()}
_KC = GROUPS["KC"]

# Finite stand-ins for infinity, for Brian2 compiles with -ffast-math; no eligibility lasts for this many steps.
_NEVER = 1e15
_NO_FLOOR = -1e300

# Conductances below the negligible are set to 0 before each run, which is too short for the others to end as
# subnormals, slow to compute with.
_NEGLIGIBLE = 1e-100
_MOST_STEPS = 20_000
_MOST_SLOTS = 128

GCC_VECTORS = "--param=vect-max-version-for-alias-checks=100"
"""Without, GCC makes no vectors of as many arrays as the equations have."""

_lock = threading.Lock()
"""Held while a network is built or run: two in two threads would abort the process."""


class BrianPopulation(Population):
    """B larvae with Brian2 as their engine: the calls and the spikes of `Population`, weights to 1e-9 nS, only slower.

    Args:
        parameters: As for `Population`.
        seeds: As for `Population`.
        pn_to_kc: As for `Population`.
        threads: Without effect here: one network runs at a time.

    Raises:
        InputError: as for `Population`.
        MissingDependencyError: Brian2 is not installed, or has yet to be imported in the main thread.

    Example:
        >>> larvae = BrianPopulation(seeds=[1])
        >>> larvae.stimulate("pentyl acetate", reward=1.0)
        >>> same = Population.from_snapshot(larvae.snapshot())
        >>> bool((larvae.advance(100).counts == same.advance(100).counts).all())
        True
    """

    engine: ClassVar[str] = "brian2"

    def __init__(
        self,
        parameters: Parameters = BALANCED,
        seeds: Iterable[int] = (),
        *,
        pn_to_kc: Any = None,
        threads: int | None = None,
    ) -> None:
        _import_brian2()
        super().__init__(parameters, seeds, pn_to_kc=pn_to_kc, threads=threads)

    def _simulate(
        self,
        state: State,
        n_steps: IntArray,
        rates_hz: FloatArray | None,
        events: list[NDArray[np.int32]] | None,
        first_step: int,
        recording: Recording,
        *,
        plastic: bool,
    ) -> None:
        """As for `Population`: in runs of some steps, of as many larvae as there are slots."""

        def input_of(larva: int, first: int, steps: int) -> NDArray[np.int32]:
            if events is None:
                rng, ticks_left = state.rng[larva], state.ticks_left[larva]
                return inputs.draw_events(self.parameters, rng, ticks_left, np.asarray(rates_hz)[larva], steps)
            begin, end = np.searchsorted(events[larva][:, 0], (first, first + steps))
            return events[larva][begin:end] - np.array([first, 0], dtype=np.int32)

        for first in range(0, int(n_steps.max()), _MOST_STEPS):
            left = np.clip(n_steps - first, 0, _MOST_STEPS)
            running = np.flatnonzero(left)
            for batch in np.split(running, range(_MOST_SLOTS, len(running), _MOST_SLOTS)):
                given = [input_of(larva, first, left[larva]) for larva in batch]
                part = _Part(state, batch, left[batch], given, first_step + first, recording)
                with _lock:
                    slots = _slots(self.parameters, 1 << (len(batch) - 1).bit_length())
                    slots.run(part, constants(self.parameters, plastic=plastic))


@cache
def codegen_target() -> str:
    """Return how Brian2 runs here: "cython", or the slower "numpy" if no C++ compiler works or a preference says so.

    Raises:
        MissingDependencyError: as for `BrianPopulation`.

    Example:
        >>> codegen_target() in ("cython", "numpy")
        True
    """
    wanted = _import_brian2().prefs["codegen.target"]
    from brian2.codegen.runtime.cython_rt import CythonCodeObject

    with _settings("numpy"):
        return "cython" if wanted != "numpy" and CythonCodeObject.is_available() else "numpy"


def constants(parameters: Parameters, *, plastic: bool = True) -> dict[str, Any]:
    """Return what the equations need from a set of constants, by name; without plasticity weights stay as they are."""
    floor = parameters.weight_floor_nS
    return {name: value for name, value in parameters.values().items() if "." not in name} | {
        "refractory_steps": parameters.steps("refractory_ms", parameters.refractory_ms),
        "learning_rate_nS": parameters.learning_rate_nS if plastic else 0.0,
        "homeostasis": parameters.homeostasis if plastic else 0.0,
        "weight_floor_nS": _NO_FLOOR if floor is None or not plastic else floor,
    }


def build_circuit(parameters: Parameters, pn_to_kc: NDArray[np.uint8], clock: Any) -> tuple[Any, ...]:
    """Describe circuits side by side to Brian2, newborn and without input, one for each wiring.

    Args:
        parameters: The set of constants.
        pn_to_kc: [slots, K, P] uint8, 1 where wired; a synapse not wired is made as well, at 0 nS.
        clock: Brian2 `Clock`.

    Returns:
        `NeuronGroup` of slots * N neurons; `Synapses` of transmission, of depression, of homeostasis. In each slot,
        transmission begins with the P * K synapses from PNs to KCs.
    """
    brian2 = _import_brian2()
    slots = len(pn_to_kc)
    # Names are part of the generated code: these, always the same, let it be compiled once for any number of slots.
    neurons = brian2.NeuronGroup(
        slots * N_NEURONS,
        NEURON,
        threshold="v_mV > threshold_mV",
        reset=RESET,
        method="euler",
        clock=clock,
        name="kenyon_neurons",
    )
    of_cell = {name: per_neuron(parameters, name) for name in ("leak_nS", "rest_mV", "threshold_mV", "adaptation_nS")}
    of_cell |= {"per_capacitance": 1.0 / per_neuron(parameters, "capacitance_pF"), "v_mV": of_cell["rest_mV"]}
    for name, values in of_cell.items():
        setattr(neurons, name, np.tile(values, slots))
    neurons.fired_step = -_NEVER
    neurons.w_kc_mbonp_nS = neurons.w_kc_mbonn_nS = parameters.kc_mbon_nS

    def connect(name: str, order: int, on_pre: str, strengths: list[str], wires: list[tuple[Any, ...]]) -> Any:
        each_slot = np.arange(slots)[:, None, None]
        tables = [np.reshape(np.broadcast_arrays(*wire, each_slot), (len(wire) + 1, slots, -1)) for wire in wires]
        source, target, *values, slot = np.concatenate(tables, axis=2).reshape(len(strengths) + 3, -1)
        model = "\n".join(f"{strength} : 1 (constant)" for strength in strengths)
        synapses = brian2.Synapses(neurons, neurons, model, on_pre=on_pre, clock=clock, name=f"kenyon_{name}")
        source, target = (np.array([source, target]) + slot * N_NEURONS).astype(int)
        synapses.connect(i=source, j=target)
        synapses.pre.order = order
        for strength, of_wires in zip(strengths, values, strict=True):
            setattr(synapses, strength, of_wires)
        return synapses

    plastic, c = ["plastic_p", "plastic_n"], _CELLS
    strengths = ["excitation_nS", "inhibition_nS", *plastic]
    depressing = [(c["DANn"], c["KC"], 1, 0), (c["DANp"], c["KC"], 0, 1)]
    restoring = [(c["MBONp"], c["KC"], 1, 0), (c["MBONn"], c["KC"], 0, 1)]
    return (
        neurons,
        connect("transmission", 0, TRANSMISSION, strengths, _wires(parameters, pn_to_kc)),
        connect("depression", 1, DEPRESSION, plastic, depressing),
        connect("homeostasis", 2, HOMEOSTASIS, plastic, restoring),
    )


def _wires(p: Parameters, pn_to_kc: NDArray[np.uint8]) -> list[tuple[Any, ...]]:
    """Return the connections of a circuit: from, to, excitation, inhibition, by the weight to MBONp, to MBONn."""
    c = _CELLS
    return [
        (c["PN"][:, None], c["KC"], pn_to_kc.transpose(0, 2, 1) * p.pn_kc_nS, 0, 0, 0),
        (c["ORN"], c["PN"], p.orn_pn_nS, 0, 0, 0),
        (c["ORN"], c["LN"], p.orn_ln_nS, 0, 0, 0),
        (c["LN"][:, None], c["PN"], 0, p.ln_pn_nS, 0, 0),
        (c["KC"], c["APL"], p.kc_apl_nS, 0, 0, 0),
        (c["APL"], c["KC"], 0, p.apl_kc_nS, 0, 0),
        (c["KC"], c["MBONp"], 0, 0, 1, 0),
        (c["KC"], c["MBONn"], 0, 0, 0, 1),
        (c["MBONp"], c["LNp"], p.mbon_feedback_ln_nS, 0, 0, 0),
        (c["MBONn"], c["LNn"], p.mbon_feedback_ln_nS, 0, 0, 0),
        (c["MBONn"], c["DANp"], p.mbon_dan_nS, 0, 0, 0),
        (c["MBONp"], c["DANn"], p.mbon_dan_nS, 0, 0, 0),
        (c["LNp"], c["DANp"], 0, p.feedback_ln_dan_nS, 0, 0),
        (c["LNn"], c["DANn"], 0, p.feedback_ln_dan_nS, 0, 0),
    ]


def input_wires(parameters: Parameters) -> tuple[IntArray, FloatArray]:
    """Return which neuron each input channel excites, [C] int64, and by how much, [C] float64, nS."""
    target = np.arange(N_CHANNELS) + np.where(np.arange(N_CHANNELS) < REWARD, 0, DAN_P - REWARD)
    return target, np.where(target < PN, parameters.input_orn_nS, parameters.reinforcement_dan_nS)


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

    def __init__(self, parameters: Parameters, slots: int) -> None:
        brian2 = _import_brian2()
        self._parameters = parameters
        with _settings("numpy"):  # Connecting pairs is quick anyway; to compile it would take half of all compile time.
            clock = brian2.Clock(parameters.dt_ms * brian2.ms, name="kenyon_clock")
            unwired = np.zeros((slots, N_KCS, N_PNS), dtype=np.uint8)
            self._neurons, transmission, *plasticity = build_circuit(parameters, unwired, clock)
            self._each_step = brian2.NetworkOperation(lambda: None, clock=clock, when="end", name="kenyon_each_step")
            self._network = brian2.Network(self._neurons, transmission, plasticity, self._each_step)
        self._network.schedule = ["start", "groups", "thresholds", "synapses", "resets", "end"]
        arrays = {name: self._neurons.variables[name].get_value() for name in (*_MEMBRANE, *_WEIGHTS, *_COUNTERS)}
        self._x = {name: values.reshape(slots, N_NEURONS) for name, values in arrays.items()}
        self._pn_to_kc_nS = transmission.variables["excitation_nS"].get_value().reshape(slots, -1)[:, : N_PNS * N_KCS]

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
            with _settings(codegen_target()):
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
        target, input_nS = input_wires(self._parameters)
        all_input_nS = np.zeros_like(self._x["g_e_nS"])
        all_input_nS[:, target] = input_nS
        all_input_nS, g_e_nS = all_input_nS.reshape(-1), self._x["g_e_nS"].reshape(-1)
        step = np.concatenate([own[:, 0] for own in part.events])
        neuron = np.concatenate([target[own[:, 1]] + slot * N_NEURONS for slot, own in enumerate(part.events)])
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
            x[name][:] = per_neuron(self._parameters, "rest_mV") if name == "v_mV" else 0.0
            x[name][here] = getattr(state, name)[larvae]
            x[name][np.abs(x[name]) < _NEGLIGIBLE] = 0.0
        for name in _WEIGHTS:
            x[name][here, _KC] = getattr(state, name)[larvae]
        x["release_step"][here] = state.refractory_steps[larvae]
        x["fired_step"][here, _KC] = -np.minimum(state.kc_silent_steps[larvae], _NEVER)
        x["n_spikes"][:] = 0
        wired = state.pn_to_kc[larvae].transpose(0, 2, 1).reshape(len(larvae), -1)
        self._pn_to_kc_nS[here] = wired * self._parameters.pn_kc_nS

    def _sample(self, part: _Part, done: int) -> None:
        every, step = part.recording.sample_steps, part.first_step + done
        if every == 0 or step % every != 0:
            return
        slots = np.flatnonzero(part.n_steps >= done)
        for name in SAMPLED:
            samples, cells = getattr(part.recording, name), _KC if name in _WEIGHTS else slice(None)
            if samples.shape[1] > 0:
                samples[part.larvae[slots], step // every - 1] = self._x[name][slots, cells]

    def _swap_out(self, part: _Part, done: int) -> None:
        x, state, slots = self._x, part.state, np.flatnonzero(part.n_steps == done)
        larvae = part.larvae[slots]
        for name in _MEMBRANE:
            getattr(state, name)[larvae] = x[name][slots]
        for name in _WEIGHTS:
            getattr(state, name)[larvae] = x[name][slots, _KC]
        silent = done - x["fired_step"][slots, _KC]
        state.kc_silent_steps[larvae] = np.where(silent < _NEVER, silent, np.inf)
        state.refractory_steps[larvae] = np.maximum(0, x["release_step"][slots] - done)
        state.step[larvae] += done
        part.recording.counts[larvae] += x["n_spikes"][slots]


_slots = lru_cache(maxsize=8)(_Slots)


def _record(part: _Part, fired: list[NDArray[np.int32]]) -> None:
    step = np.repeat(np.arange(len(fired)), [len(neurons) for neurons in fired])
    slot, neuron = np.divmod(np.concatenate(fired), N_NEURONS)
    recording = part.recording
    for i, larva in enumerate(part.larvae):
        own = (slot == i) & (step < part.n_steps[i])
        first = recording.n_spikes[larva]
        last = recording.n_spikes[larva] = first + own.sum()
        recording.spikes[larva, first:last] = np.column_stack((part.first_step + step[own], neuron[own]))


@cache
def _import_brian2() -> Any:
    """Import Brian2, without its warnings and without its hook that blames it for every uncaught exception."""
    if "brian2" not in sys.modules and threading.current_thread() is not threading.main_thread():
        raise MissingDependencyError("Brian2 must first be imported in the main thread; import brian2 at the start")
    hook = sys.excepthook
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import brian2
    except (ImportError, AttributeError) as reason:  # The latter: Brian2 before 2.10 beside a NumPy it cannot use.
        message = f"Brian2 must be installed and fit NumPy, got {reason}; pip install 'kenyon[brian]'"
        raise MissingDependencyError(message) from None
    finally:
        sys.excepthook = hook
    return brian2


_runs = itertools.count()


@contextmanager
def _settings(target: str) -> Iterator[None]:
    """Set what a network of ours is built or run under, without Brian2's remarks, and put back what was there."""
    prefs = _import_brian2().prefs
    from brian2.utils.logger import catch_logs

    ours = {
        "codegen.target": target,
        "core.default_float_dtype": np.float64,
        "codegen.cpp.extra_compile_args_gcc": [*prefs["codegen.cpp.extra_compile_args_gcc"], GCC_VECTORS],
    }
    before = {name: prefs[name] for name in ours}
    # Brian2 begins each run with a search of everything in the process for garbage, three times as long as the rest
    # of its preparations: once in a while is enough. Whoever has frozen much has done this already.
    freeze = next(_runs) % 64 > 0 and gc.get_freeze_count() < 10_000
    with catch_logs(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Brian2 calls what later versions of its dependencies deprecate.
        try:
            prefs.update(ours)
            if freeze:
                gc.freeze()
            yield
        finally:
            prefs.update(before)
            if freeze:
                gc.unfreeze()
