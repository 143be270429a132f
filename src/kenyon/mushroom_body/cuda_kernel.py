"""The circuit on a GPU: a warp for each larva, its whole state in registers, spikes as masks of 32 bits.

A larva is fetched from memory once, advanced through all steps of a call, and put back.
"""

from typing import Any

import numpy as np
from numba import cuda, float64, int32, int64, uint32, uint64

from kenyon.mushroom_body import inputs, kernel, kernel_constants
from kenyon.mushroom_body.circuit import N_CHANNELS, N_DANS, N_KCS, N_PNS
from kenyon.mushroom_body.cuda_layout import (
    FIRST_SLOT,
    KC_LANE,
    KC_SLOTS,
    LEARNING,
    SLOTS,
)
from kenyon.mushroom_body.cuda_step import (
    AT_SPIKE,
    DAN_FIRED,
    DAN_TRACE,
    G_A,
    G_E,
    G_I,
    LEAK,
    LEAK_CURRENT,
    SCALE,
    THRESHOLD,
    V,
    integrate,
    learn,
    learn_from_kcs,
    transmit,
)
from kenyon.mushroom_body.cuda_step import eligibility as eligibility_of
from kenyon.mushroom_body.cuda_warp import LANES, as_on_processor, device, entry, product, sync

_WINDOW = 64
"""Steps whose input is drawn at once, a bit for each."""

_interval = as_on_processor(inputs.interval)


@device
def _load(state: Any, lane: int, k: Any, neurons: Any, x: Any, c: Any, release: Any) -> None:
    """Fetch a lane's neurons; where there is none, one that never fires."""
    for slot in range(SLOTS):
        i = neurons[slot, lane]
        if i >= 0:
            c[SCALE, slot] = k.cells[kernel_constants.SCALE, i]
            c[LEAK, slot] = k.cells[kernel_constants.LEAK, i]
            c[LEAK_CURRENT, slot] = product(k.cells[kernel_constants.LEAK, i], k.cells[kernel_constants.REST, i])
            c[THRESHOLD, slot] = k.cells[kernel_constants.THRESHOLD, i]
            x[V, slot] = state["v_mV"][i]
            x[G_E, slot] = state["g_e_nS"][i]
            x[G_I, slot] = state["g_i_nS"][i]
            x[G_A, slot] = state["g_a_nS"][i]
            release[slot] = state["refractory_steps"][i]
        else:
            for row in range(4):
                c[row, slot] = x[row, slot] = 0.0
            release[slot] = 0


@device
def _store(state: Any, lane: int, n_steps: int, neurons: Any, x: Any, release: Any) -> None:
    """Put a lane's neurons back."""
    for slot in range(SLOTS):
        i = neurons[slot, lane]
        if i >= 0:
            state["v_mV"][i] = x[V, slot]
            state["g_e_nS"][i] = x[G_E, slot]
            state["g_i_nS"][i] = x[G_I, slot]
            state["g_a_nS"][i] = x[G_A, slot]
            state["refractory_steps"][i] = max(0, release[slot] - n_steps)


@device
def _flush(x: Any) -> None:
    for row in range(G_E, G_A + 1):
        for slot in range(SLOTS):
            if abs(x[row, slot]) < kernel.NEGLIGIBLE_NS:
                x[row, slot] = 0.0


@device
def _draw(stream: Any, left: int, lost: int, steps_per_tick: float, shape: int, n_steps: int) -> Any:
    """Return in which of the next steps a channel fires, a bit for each, and the time left to it afterward.

    What `inputs.draw_stretch` draws, without a division of integers, for which a GPU has no instruction.
    """
    due, in_all = uint64(0), n_steps * lost
    if left <= in_all:
        rng = cuda.local.array(4, uint64)
        for word in range(4):
            rng[word] = stream[word]
        while left <= in_all:
            steps = np.int64(left * steps_per_tick)
            while steps * lost < left:
                steps += 1
            due |= uint64(1) << uint64(steps - 1)
            while left <= steps * lost:
                left += _interval(rng, shape)
        for word in range(4):
            stream[word] = rng[word]
    return due, left - in_all


@device
def _place(events: Any, next_event: int, end: int, channel: int, first_step: int, n_steps: int) -> Any:
    """Return the same of given events, and the first event after them."""
    due = uint64(0)
    while next_event < end and events[next_event, 0] < first_step + n_steps:
        if events[next_event, 1] == channel:
            due |= uint64(1) << uint64(events[next_event, 0] - first_step)
        next_event += 1
    return due, next_event


@entry
def advance_larvae(
    records: Any,
    k: Any,
    neurons: Any,
    channels_nS: Any,
    ticks_per_step: Any,
    events: Any,
    event_offsets: Any,
    first_step: int,
    n_steps: Any,
    counts: Any,
    spikes: Any,
    n_spikes: Any,
    sample_steps: int,
    v_mV: Any,
    w_kc_mbonp_nS: Any,
    w_kc_mbonn_nS: Any,
    eligibility: Any,
) -> None:
    """Advance larvae, each by a block of one warp, through its own number of steps.

    Args:
        records: [B], `State.records`, changed in place.
        k: `Constants`, its arrays on the device.
        neurons: [slots, lanes] int64, `NEURONS`.
        channels_nS: [lanes] float64, what a spike of the lane's channel adds to its first neuron.
        ticks_per_step: [B, C] int64, see `inputs`; [B, 0] where events are given instead.
        events: [E, 2] int32, given input events of all larvae, one larva after the other.
        event_offsets: [B + 1] int64, where each larva's events begin.
        first_step: Step of the recording at which this call begins.
        n_steps: [B] int64, below 2**31.
        counts: [B, N] int64, written.
        spikes: [capacity, B, 2] int32, (step, neuron), written; of no capacity where none are kept.
        n_spikes: [B] int64, written.
        sample_steps: State is sampled after every so many steps; 0 for never.
        v_mV: [B, samples, N] float64, from the first sample after first_step on; as the next three, [B, 0, _] for none.
        w_kc_mbonp_nS: [B, samples, K] float64.
        w_kc_mbonn_nS: [B, samples, K] float64.
        eligibility: [B, samples, K] float64.
    """
    larva, lane = cuda.blockIdx.x, cuda.threadIdx.x
    own = uint32(1 << lane)
    if larva >= n_steps.shape[0]:
        return
    state = records[larva]
    last_step = int32(n_steps[larva])

    x, c = cuda.local.array((4, SLOTS), float64), cuda.local.array((4, SLOTS), float64)
    at_spike = cuda.shared.array((2, SLOTS, LANES), float64)
    release, fired_often = cuda.local.array(SLOTS, int32), cuda.local.array(SLOTS, int32)
    masks = cuda.local.array(SLOTS, uint32)
    _load(state, lane, k, neurons, x, c, release)
    for slot in range(SLOTS):
        fired_often[slot] = 0
        i = max(0, neurons[slot, lane])
        at_spike[0, slot, lane] = k.cells[kernel_constants.RESET, i]
        at_spike[1, slot, lane] = k.cells[kernel_constants.ADAPTATION, i]

    # Of the lane's Kenyon cells: who they listen to, a bit for each PN; when they fired last, in steps of this call;
    # and their weights, which the lanes of the MBONs read. Traces: those of dopamine neurons all lanes read.
    wired, kc_fired = cuda.local.array(KC_SLOTS, uint32), cuda.local.array(KC_SLOTS, float64)
    weights = cuda.shared.array((2, N_KCS), float64)
    traces = cuda.shared.array((3, N_KCS), float64)
    for place in range(KC_SLOTS):
        kc = place * LANES + lane - KC_LANE
        wired[place] = 0
        if kc >= 0:
            kc_fired[place] = -state["kc_silent_steps"][kc]
            weights[0, kc] = state["w_kc_mbonp_nS"][kc]
            weights[1, kc] = state["w_kc_mbonn_nS"][kc]
            traces[AT_SPIKE, kc] = state["kc_eligibility"][kc]
            for pn in range(N_PNS):
                wired[place] |= uint32(uint32(state["pn_to_kc"][kc, pn]) << pn)
    if lane < N_DANS:
        traces[DAN_TRACE, lane] = state["dan_trace"][lane]
        traces[DAN_FIRED, lane] = -state["dan_silent_steps"][lane]
    sync()

    # A lane's input channel, which has the lane's number.
    input_nS = channels_nS[lane]
    has_channel, is_given = lane < N_CHANNELS, ticks_per_step.shape[1] == 0
    left, lost = int64(1), int64(0)
    if has_channel and not is_given:
        left, lost = state["ticks_left"][lane], ticks_per_step[larva, lane]
    steps_per_tick = 1.0 / lost if lost > 0 else 0.0
    next_event = event_offsets[larva]

    age = int32(state["step"] % kernel.FLUSH_STEPS)
    n_recorded = 0
    samples = max(v_mV.shape[1], w_kc_mbonp_nS.shape[1], w_kc_mbonn_nS.shape[1], eligibility.shape[1])
    sample, next_sample = 0, -1
    if samples > 0:
        next_sample = sample_steps - 1 - first_step % sample_steps

    step = int32(0)
    while step < last_step:
        window = min(_WINDOW - (age + step) % _WINDOW, last_step - step)
        if (age + step) % kernel.FLUSH_STEPS == 0:
            _flush(x)
        due = uint64(0)
        if is_given:
            due, next_event = _place(events, next_event, event_offsets[larva + 1], lane, step, window)
        elif has_channel:
            due, left = _draw(state["rng"][lane], left, lost, steps_per_tick, k.input_shape, window)

        for _ in range(window):
            integrate(step, x, c, release, masks, k)
            if due & uint64(1):
                x[G_E, FIRST_SLOT] += input_nS
            due >>= uint64(1)
            if (masks[0] | masks[1] | masks[2] | masks[3] | masks[4]) != 0:
                transmit(masks, lane, own, x, wired, weights, k)
                learn_from_kcs(masks, lane, own, step, weights, kc_fired, traces, k)
                if (masks[FIRST_SLOT] & LEARNING) != 0:
                    sync()
                    learn(masks[FIRST_SLOT], lane, step, state["step"], weights, kc_fired, traces, k)
                    sync()
                for slot in range(SLOTS):
                    if masks[slot] & own:
                        x[V, slot] = at_spike[0, slot, lane]
                        x[G_A, slot] += at_spike[1, slot, lane]
                        release[slot] = int32(step + k.refractory_steps)
                        fired_often[slot] += int32(1)
                if spikes.shape[0] > 0:
                    n_recorded = _note(larva, lane, first_step + step, masks, neurons, spikes, n_recorded)
            if step == next_sample:
                if v_mV.shape[1] > 0:
                    _sample_neurons(larva, sample, lane, neurons, x, v_mV)
                for place in range(KC_SLOTS):
                    kc = place * LANES + lane - KC_LANE
                    if kc >= 0:
                        if w_kc_mbonp_nS.shape[1] > 0:
                            w_kc_mbonp_nS[larva, sample, kc] = weights[0, kc]
                        if w_kc_mbonn_nS.shape[1] > 0:
                            w_kc_mbonn_nS[larva, sample, kc] = weights[1, kc]
                        if eligibility.shape[1] > 0:
                            eligibility[larva, sample, kc] = eligibility_of(kc, kc_fired[place], step, traces, k)
                sample += 1
                next_sample += sample_steps
            step = int32(step + 1)

    _store(state, lane, last_step, neurons, x, release)
    for slot in range(SLOTS):
        if neurons[slot, lane] >= 0:
            counts[larva, neurons[slot, lane]] = fired_often[slot]
    for place in range(KC_SLOTS):
        kc = place * LANES + lane - KC_LANE
        if kc >= 0:
            state["kc_silent_steps"][kc] = last_step - kc_fired[place]
            state["w_kc_mbonp_nS"][kc] = weights[0, kc]
            state["w_kc_mbonn_nS"][kc] = weights[1, kc]
            state["kc_eligibility"][kc] = traces[AT_SPIKE, kc]
    if lane < N_DANS:
        state["dan_trace"][lane] = traces[DAN_TRACE, lane]
        state["dan_silent_steps"][lane] = last_step - traces[DAN_FIRED, lane]
    if has_channel and not is_given:
        state["ticks_left"][lane] = left
    if lane == 0:
        state["step"] += last_step
        n_spikes[larva] = n_recorded


@device
def _note(larva: int, lane: int, step: int, masks: Any, neurons: Any, spikes: Any, n: int) -> int:
    """Write down who has fired, from place n on; return the place after them."""
    for slot in range(SLOTS):
        if (masks[slot] >> lane) & 1:
            place = n + cuda.popc(masks[slot] & ((1 << lane) - 1))
            spikes[place, larva, 0] = step
            spikes[place, larva, 1] = neurons[slot, lane]
        n += cuda.popc(masks[slot])
    return n


@device
def _sample_neurons(larva: int, sample: int, lane: int, neurons: Any, x: Any, v_mV: Any) -> None:
    for slot in range(SLOTS):
        if neurons[slot, lane] >= 0:
            v_mV[larva, sample, neurons[slot, lane]] = x[V, slot]
