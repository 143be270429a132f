"""The circuit in compiled code: B larvae, each advanced by itself through forward Euler steps.

One step, in the order that makes two implementations agree spike for spike: integrate every neuron from the values of
the step before; threshold; every synaptic effect of this step's spikes, input included (conductances, then learning in
the order of `plasticity`); reset. Arithmetic is IEEE double; where it says `fused`, and nowhere else, a product and the
sum it goes into are rounded once.

A larva's neurons fit in a core's first-level cache, so each larva runs to its end before the next one starts, and
nothing it does depends on any other. Every function here releases the GIL.

This is the plain form, which takes any larva and which `layered` is held against.

Reference: Jürgensen et al. 2024, iScience 27:108640.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon.compiled import compiled, compiled_part, compiled_within, take_next
from kenyon.mushroom_body.circuit import (
    APL,
    DAN_N,
    DAN_P,
    KC,
    LN,
    LN_N,
    LN_P,
    MBON_N,
    MBON_P,
    MOST_KCS,
    MOST_NEURONS,
    N_CHANNELS,
    N_PNS,
    ORN,
    PN,
    REWARD,
)
from kenyon.mushroom_body.inputs import STRETCH, draw_stretch, place_stretch
from kenyon.mushroom_body.kernel_constants import (
    ADAPTATION,
    LEAK,
    RESET,
    REST,
    SCALE,
    THRESHOLD,
    Constants,
)
from kenyon.mushroom_body.larva import Larva, larva_of
from kenyon.mushroom_body.plasticity import (
    PUNISHED,
    REWARDED,
    Traces,
    eligibility,
    learn,
    load_traces,
    mark_kc,
    no_traces,
    potentiate,
    potentiation_share,
    store_traces,
)
from kenyon.mushroom_body.vectors import fused

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


# Rows of the array that holds the state of one larva's neurons.
_V, _G_E, _G_I, _G_A = range(4)

_BLOCK = 16
"""Loops over neurons go over whole blocks, for what is left over takes as long as several: with cells that never fire
behind the last neuron."""

_ROOM = -(-MOST_NEURONS // _BLOCK) * _BLOCK
FLUSH_STEPS = 128
NEGLIGIBLE_NS = 1e-100


class Recording(NamedTuple):
    """Where the kernel writes what it was asked to keep; an array of no capacity records nothing.

    Attributes:
        counts: [B, N] int64, spikes of each neuron, added to.
        spikes: [B, capacity, 2] int32, (step, neuron).
        n_spikes: [B] int64, how many of them are filled.
        sample_steps: state is sampled after every so many steps; 0 for never.
        v_mV: [B, samples, N] float64.
        w_kc_mbonp_nS: [B, samples, K] float64.
        w_kc_mbonn_nS: [B, samples, K] float64.
        eligibility: [B, samples, K] float64.
    """

    counts: NDArray[np.int64]
    spikes: NDArray[np.int32]
    n_spikes: NDArray[np.int64]
    sample_steps: int
    v_mV: FloatArray
    w_kc_mbonp_nS: FloatArray
    w_kc_mbonn_nS: FloatArray
    eligibility: FloatArray


@compiled
def _padded(k: Constants) -> int:
    """Return how many neurons there are, with the cells behind them."""
    return (k.n_neurons + _BLOCK - 1) // _BLOCK * _BLOCK


@compiled
def _integrate(x: FloatArray, c: FloatArray, k: Constants) -> bool:
    """Move every neuron one Euler step on; return whether any is now above its threshold.

    The sum of g * (reversal - v) is taken as the sum of g * reversal, less v times the sum of g: so v is needed last.

    Over all neurons in one loop, also where a conductance is always 0: that is what the compiler makes vectors of.
    """
    # Read before the loop, for the compiler cannot know that nothing written in it is a constant.
    reversal_e, reversal_i, reversal_a = k.excitatory_reversal_mV, k.inhibitory_reversal_mV, k.adaptation_reversal_mV
    decay_e, decay_i, decay_a = k.excitatory_decay, k.inhibitory_decay, k.adaptation_decay
    above = False
    for i in range(_padded(k)):
        total = c[LEAK, i] + x[_G_I, i] + x[_G_E, i] + x[_G_A, i]
        current = c[LEAK, i] * c[REST, i] + x[_G_I, i] * reversal_i
        current = fused(x[_G_E, i], reversal_e, current)
        current = fused(x[_G_A, i], reversal_a, current)
        v = fused(c[SCALE, i], fused(-total, x[_V, i], current), x[_V, i])
        x[_V, i] = v
        x[_G_E, i] *= decay_e
        x[_G_I, i] *= decay_i
        x[_G_A, i] *= decay_a
        above |= v > c[THRESHOLD, i]
    return above


@compiled
def _collect(x: FloatArray, c: FloatArray, fired: IntArray, k: Constants) -> int:
    """Write down which neurons are above threshold, in rising order; return how many.

    Block by block, for mostly one neuron alone has fired and comparing a block is a handful of vector instructions.
    """
    n = 0
    for first in range(0, _padded(k), _BLOCK):
        above = False
        for i in range(_BLOCK):
            above |= x[_V, first + i] > c[THRESHOLD, first + i]
        if above:
            for i in range(first, first + _BLOCK):
                if x[_V, i] > c[THRESHOLD, i]:
                    fired[n] = i
                    n += 1
    return n


@compiled
def _flush(x: FloatArray, k: Constants) -> None:
    """Set conductances that can no longer move any v to 0: left to decay, they end as subnormals, slow forever."""
    for row in range(_G_E, _G_A + 1):
        for i in range(_padded(k)):
            if abs(x[row, i]) < NEGLIGIBLE_NS:
                x[row, i] = 0.0


@compiled
def _receive(due: int, x: FloatArray, k: Constants) -> None:
    """Give the spikes of the input channels to what they excite."""
    for channel in range(N_CHANNELS):
        if (due >> channel) & 1:
            if channel < REWARD:
                x[_G_E, ORN + channel] += k.input_orn_nS
            elif channel == REWARD:
                x[_G_E, k.outputs + DAN_P] += k.reward_danp_nS
            else:
                x[_G_E, k.outputs + DAN_N] += k.punishment_dann_nS


@compiled
def _transmit(
    i: int,
    step: int,
    x: FloatArray,
    kc_of_pn: FloatArray,
    w_p: FloatArray,
    w_n: FloatArray,
    traces: Traces,
    k: Constants,
) -> None:
    """Give the spike of neuron i to every cell it is connected to."""
    if i < PN:
        x[_G_E, PN + i] += k.orn_pn_nS[i]
        x[_G_E, LN + i] += k.orn_ln_nS[i]
    elif i < LN:
        for kc in range(k.n_kcs):
            x[_G_E, KC + kc] += kc_of_pn[i - PN, kc]
    elif i < KC:
        for pn in range(N_PNS):
            x[_G_I, PN + pn] += k.ln_pn_nS[i - LN]
    elif i < k.outputs:
        x[_G_E, k.outputs + APL] += k.kc_apl_nS[i - KC]
        x[_G_E, k.outputs + MBON_P] += k.kc_mbonp[i - KC] * w_p[i - KC]
        x[_G_E, k.outputs + MBON_N] += k.kc_mbonn[i - KC] * w_n[i - KC]
        potentiate(w_p, i - KC, potentiation_share(PUNISHED, step, traces, k), k)
        potentiate(w_n, i - KC, potentiation_share(REWARDED, step, traces, k), k)
        mark_kc(i - KC, step, traces, k)
    elif i == k.outputs + MBON_P:
        x[_G_E, k.outputs + LN_P] += k.mbonp_lnp_nS
        x[_G_E, k.outputs + DAN_N] += k.mbonp_dann_nS
    elif i == k.outputs + MBON_N:
        x[_G_E, k.outputs + LN_N] += k.mbonn_lnn_nS
        x[_G_E, k.outputs + DAN_P] += k.mbonn_danp_nS
    elif i == k.outputs + LN_P:
        x[_G_I, k.outputs + DAN_P] += k.lnp_danp_nS
    elif i == k.outputs + LN_N:
        x[_G_I, k.outputs + DAN_N] += k.lnn_dann_nS
    elif i == k.outputs + APL:
        for kc in range(k.n_kcs):
            x[_G_I, KC + kc] += k.apl_kc_nS


@compiled
def _learn(
    fired: IntArray, n_fired: int, step: int, w_p: FloatArray, w_n: FloatArray, traces: Traces, k: Constants
) -> None:
    """Do what follows from the spikes of DANs and MBONs."""
    danp = dann = mbonp = mbonn = False
    for j in range(n_fired):
        danp |= fired[j] == k.outputs + DAN_P
        dann |= fired[j] == k.outputs + DAN_N
        mbonp |= fired[j] == k.outputs + MBON_P
        mbonn |= fired[j] == k.outputs + MBON_N
    learn(danp, dann, mbonp, mbonn, step, w_p, w_n, traces, k)


@compiled
def _held(refractory_steps: NDArray[np.int32], neurons: IntArray, release: IntArray) -> int:
    """Queue the neurons that are refractory, in the order of their release; return how many."""
    n = 0
    for left in range(1, refractory_steps.max() + 1):
        for i in range(refractory_steps.size):
            if refractory_steps[i] == left:
                neurons[n] = i
                release[n] = left
                n += 1
    return n


@compiled
def _load(state: Larva, k: Constants, x: FloatArray, c: FloatArray, kc_of_pn: FloatArray) -> None:
    """Copy a larva's neurons, their constants and its wiring to where they are worked on.

    Here and below element by element: whole-array assignments take numba several times as long to compile.
    """
    for i in range(k.n_neurons):
        x[_V, i] = state.v_mV[i]
        x[_G_E, i] = state.g_e_nS[i]
        x[_G_I, i] = state.g_i_nS[i]
        x[_G_A, i] = state.g_a_nS[i]
        for row in range(len(c)):
            c[row, i] = k.cells[row, i]
    for i in range(k.n_neurons, _padded(k)):
        for row in range(len(x)):
            x[row, i] = 0.0
        for row in range(len(c)):
            c[row, i] = 0.0
        c[THRESHOLD, i] = np.inf
    for pn in range(N_PNS):
        for kc in range(k.n_kcs):
            kc_of_pn[pn, kc] = state.pn_to_kc[kc, pn] * k.pn_kc_nS[pn]


@compiled
def _store(state: Larva, x: FloatArray) -> None:
    """Copy a larva's neurons back."""
    for i in range(state.v_mV.size):
        state.v_mV[i] = x[_V, i]
        state.g_e_nS[i] = x[_G_E, i]
        state.g_i_nS[i] = x[_G_I, i]
        state.g_a_nS[i] = x[_G_A, i]


@compiled_part
def write_spike(i: int, larva: int, step: int, record: Recording) -> None:
    """Write down a spike."""
    record.counts[larva, i] += 1
    if record.spikes.shape[1] > 0:
        record.spikes[larva, record.n_spikes[larva], 0] = step
        record.spikes[larva, record.n_spikes[larva], 1] = i
        record.n_spikes[larva] += 1


@compiled
def write_sample(
    larva: int,
    sample: int,
    step: int,
    v_mV: FloatArray,
    w_p: FloatArray,
    w_n: FloatArray,
    traces: Traces,
    k: Constants,
    record: Recording,
) -> None:
    """Write down the state that was asked for."""
    if record.v_mV.shape[1] > 0:
        for i in range(k.n_neurons):
            record.v_mV[larva, sample, i] = v_mV[i]
    if record.w_kc_mbonp_nS.shape[1] > 0:
        for kc in range(k.n_kcs):
            record.w_kc_mbonp_nS[larva, sample, kc] = w_p[kc]
    if record.w_kc_mbonn_nS.shape[1] > 0:
        for kc in range(k.n_kcs):
            record.w_kc_mbonn_nS[larva, sample, kc] = w_n[kc]
    if record.eligibility.shape[1] > 0:
        for kc in range(k.n_kcs):
            record.eligibility[larva, sample, kc] = eligibility(kc, step, traces, k)


@compiled_within
def _advance(
    larva: int,
    state: Larva,
    ticks_per_step: IntArray,
    events: NDArray[np.int32],
    first_step: int,
    n_steps: int,
    k: Constants,
    record: Recording,
) -> None:
    """Advance one larva, a record of `State`.

    Its input is drawn at ticks_per_step [C], or given as events [E, 2] where that is empty.
    """
    w_p, w_n = state.w_kc_mbonp_nS, state.w_kc_mbonn_nS

    # Local arrays, of a shape the compiler knows: it then needs no check at run time that they do not overlap.
    x, c, kc_of_pn = np.empty((4, _ROOM)), np.empty((6, _ROOM)), np.empty((N_PNS, MOST_KCS))
    _load(state, k, x, c, kc_of_pn)

    traces = no_traces()
    load_traces(state, traces)

    # Refractory neurons wait in a ring in the order of their release, for the period is one and the same for all;
    # meanwhile their v is held by a dt over capacitance of 0.
    held, release = np.empty(MOST_NEURONS, dtype=np.int64), np.empty(MOST_NEURONS, dtype=np.int64)
    head, n_held = 0, _held(state.refractory_steps, held, release)
    for place in range(n_held):
        c[SCALE, held[place]] = 0.0

    due = np.empty(STRETCH, dtype=np.uint32)
    next_event = 0
    fired = np.empty(MOST_NEURONS, dtype=np.int64)
    for step in range(n_steps):
        in_stretch = step % STRETCH
        if in_stretch == 0:
            stretch = min(STRETCH, n_steps - step)
            if ticks_per_step.size > 0:
                draw_stretch(state.rng, state.ticks_left, ticks_per_step, k.input_shape, stretch, due)
            else:
                next_event = place_stretch(events, next_event, step, stretch, due)

        # By the larva's age, not by the step of this call, so that it does not matter where a call ends.
        if (state.step[0] + step) % FLUSH_STEPS == 0:
            _flush(x, k)
        while n_held > 0 and release[head] <= step:
            c[SCALE, held[head]] = k.cells[SCALE, held[head]]
            head = (head + 1) % MOST_NEURONS
            n_held -= 1
        above = _integrate(x, c, k)
        n_fired = _collect(x, c, fired, k) if above else 0

        if due[in_stretch] != 0:
            _receive(due[in_stretch], x, k)
        for j in range(n_fired):
            _transmit(fired[j], step, x, kc_of_pn, w_p, w_n, traces, k)
        if n_fired > 0 and fired[n_fired - 1] >= k.outputs:
            _learn(fired, n_fired, step, w_p, w_n, traces, k)

        for j in range(n_fired):
            i = fired[j]
            x[_V, i] = c[RESET, i]
            x[_G_A, i] += c[ADAPTATION, i]
            write_spike(i, larva, first_step + step, record)
            if k.refractory_steps > 1:
                place = (head + n_held) % MOST_NEURONS
                held[place] = i
                release[place] = step + k.refractory_steps
                n_held += 1
                c[SCALE, i] = 0.0

        if record.sample_steps > 0 and (first_step + step + 1) % record.sample_steps == 0:
            sample = (first_step + step + 1) // record.sample_steps - 1
            write_sample(larva, sample, step, x[_V], w_p, w_n, traces, k, record)

    _store(state, x)
    store_traces(state, n_steps, traces)
    for i in range(k.n_neurons):
        state.refractory_steps[i] = 0
    for place in range(head, head + n_held):
        # A neuron released at step n may integrate in step n: it is held for release - n_steps steps more.
        state.refractory_steps[held[place % MOST_NEURONS]] = max(0, release[place % MOST_NEURONS] - n_steps)
    state.step[0] += n_steps


@compiled
def advance_larvae(
    next_larva: IntArray,
    records: NDArray[np.uint8],
    at: IntArray,
    ticks_per_step: IntArray,
    events: NDArray[np.int32],
    event_offsets: IntArray,
    first_step: int,
    n_steps: IntArray,
    constants: NDArray[np.void],
    record: Recording,
) -> None:
    """Advance larvae that no other thread has taken, each through its own number of steps, until none is left.

    Args:
        next_larva: [1] int64, the first larva that nobody has taken yet; shared by all threads, moved on.
        records: [B, bytes] uint8, the records of all larvae, changed in place.
        at: Where in a record each variable begins.
        ticks_per_step: [B, C] int64, see `inputs`; [B, 0] where events are given instead.
        events: [E, 2] int32, given input events of all larvae, one larva after the other.
        event_offsets: [B + 1] int64, where each larva's events begin.
        first_step: Step of the recording at which this call begins.
        n_steps: [B] int64.
        constants: [1] `Constants`.
        record: `Recording`, written to.
    """
    k = constants[0]
    while True:
        larva = take_next(next_larva)
        if larva >= n_steps.shape[0]:
            return
        own = events[event_offsets[larva] : event_offsets[larva + 1]]
        _advance(
            larva, larva_of(records[larva], at, k), ticks_per_step[larva], own, first_step, n_steps[larva], k, record
        )
