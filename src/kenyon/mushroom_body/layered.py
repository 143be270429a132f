"""The circuit layer by layer: the numbers of `kernel`, bit for bit, in a fraction of its time.

The circuit is feed-forward but for two small knots: KC and APL; MBON, feedback LN and DAN. So a stretch of steps goes
through ORNs, then LNs, then PNs; then, window by window, through the Kenyon cells as if APL kept silent, and through
the output neurons. Where APL fires, the window ends, and the Kenyon cells go through it once more, to that step.

What follows from a spike of a Kenyon cell or output neuron, learning among it, is ordinary compiled code: it is rare.
See `docs/vectors.md`.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon.compiled import compiled, compiled_part, compiled_within, take_next
from kenyon.mushroom_body import layers
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
    MOST_NEURONS,
    N_OUTPUTS,
    N_PNS,
    ORN,
    PN,
)
from kenyon.mushroom_body.inputs import DRAWN, STRETCH, draw_stretch, place_stretch
from kenyon.mushroom_body.kernel import NEGLIGIBLE_NS, Recording, write_sample
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
from kenyon.mushroom_body.layers import (
    AFTER,
    EXCITED_FROM,
    FROM_PN,
    G_A,
    G_E,
    G_I,
    INPUT,
    KC_BLOCK,
    KC_INHIBITION,
    KC_SPIKES,
    KCS,
    LNS,
    NUMBERS,
    ORNS,
    OUTPUTS,
    PN_INHIBITION,
    PNS,
    ROW,
    SPIKES,
    TIMES_REVERSAL,
    WEIGHT,
    WITH_LEAK,
    V,
)
from kenyon.mushroom_body.plasticity import (
    PUNISHED,
    REWARDED,
    Traces,
    learn,
    load_traces,
    mark_kc,
    no_traces,
    potentiate,
    potentiation_share,
    store_traces,
)
from kenyon.mushroom_body.vectors import lowest

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Masks = NDArray[np.uint32]

# Of the type that they keep: with a plain 0, what they are given to would be compiled for two.
_ZERO: Any = np.int64(0)
_AFTER: Any = np.int64(AFTER)

_WINDOW = 32
"""Steps of a window while Kenyon cells fire, and so APL may; where none has fired, the next one is twice as long."""

_HUGE = 1e100
_APL_BIT = 1 << APL


@compiled_within
def _spikes_of(group: int, period: int) -> int:
    """Return where the masks of a group begin: 0 ORN, 1 PN, 2 LN, 3 output neurons, from 4 Kenyon cells."""
    return SPIKES + group * (period + STRETCH)


@compiled_within
def _blocks_of(k: Constants) -> int:
    """Return how many loops go through the Kenyon cells."""
    return (k.n_kcs + KC_BLOCK - 1) // KC_BLOCK


@compiled_part
def _first_of(group: int, k: Constants) -> int:
    """Return the first neuron of a group, whose bit is the lowest."""
    if group < 3:
        return group * N_PNS
    return k.outputs if group == 3 else KC + (group - 4) * KC_BLOCK


@compiled_part
def _size_of(group: int, k: Constants) -> int:
    """Return how many neurons a group has."""
    if group < 3:
        return N_PNS
    return N_OUTPUTS if group == 3 else min(KC_BLOCK, k.n_kcs - (group - 4) * KC_BLOCK)


@compiled_part
def _cells_of(group: int) -> int:
    """Return the cell that the first neuron of a group is."""
    if group < 3:
        return group * ORNS.padded
    return OUTPUTS.place if group == 3 else KCS.place + (group - 4) * KC_BLOCK


@compiled_part
def _prepare(x: FloatArray, k: Constants) -> None:
    """Write what is the same for all larvae, and cells that never fire where there are none."""
    for place in range(AFTER):
        x[place] = 0.0
    for place in range(layers.THRESHOLD * ROW, (layers.THRESHOLD + 1) * ROW):
        x[place] = math.inf
    for pn in range(N_PNS):
        for kc in range(k.n_kcs, _blocks_of(k) * KC_BLOCK):
            x[FROM_PN + pn * KCS.padded + kc] = 0.0
    for group in range(4 + _blocks_of(k)):
        for i in range(_size_of(group, k)):
            cell, neuron = _cells_of(group) + i, _first_of(group, k) + i
            x[cell + layers.SCALE * ROW] = k.cells[SCALE, neuron]
            x[cell + layers.LEAK * ROW] = k.cells[LEAK, neuron]
            x[cell + layers.PULL * ROW] = k.cells[LEAK, neuron] * k.cells[REST, neuron]
            x[cell + layers.THRESHOLD * ROW] = k.cells[THRESHOLD, neuron]
            x[cell + layers.RESET * ROW] = k.cells[RESET, neuron]
            x[cell + layers.ADAPTATION * ROW] = k.cells[ADAPTATION, neuron]
    for i in range(N_PNS):
        x[ORNS.place + i + WEIGHT * ROW] = k.input_orn_nS
        x[PNS.place + i + WEIGHT * ROW] = k.orn_pn_nS[i]
        x[LNS.place + i + WEIGHT * ROW] = k.orn_ln_nS[i]
    x[OUTPUTS.place + DAN_P + WEIGHT * ROW] = k.reward_danp_nS
    x[OUTPUTS.place + DAN_N + WEIGHT * ROW] = k.punishment_dann_nS
    x[layers.REVERSAL_E] = k.excitatory_reversal_mV
    x[layers.REVERSAL_I] = k.inhibitory_reversal_mV
    x[layers.REVERSAL_A] = k.adaptation_reversal_mV
    x[layers.DECAY_E] = k.excitatory_decay
    x[layers.DECAY_I] = k.inhibitory_decay
    x[layers.DECAY_A] = k.adaptation_decay


@compiled_part
def _differ(one: float, other: float) -> bool:
    return one != other or math.copysign(1.0, one) != math.copysign(1.0, other)


@compiled
def _fits(state: Larva, period: int, k: Constants) -> bool:
    """Return whether all that this form leaves out of a larva is 0, and what it takes for one number is one."""
    if k.excitatory_reversal_mV != 0.0:
        return False
    for i in range(k.n_neurons):
        most = max(abs(state.g_e_nS[i]), abs(state.g_i_nS[i]), abs(state.g_a_nS[i]))
        left = state.refractory_steps[i]
        if not most < _HUGE or (left > 0 and (left >= period or state.v_mV[i] != k.cells[RESET, i])):
            return False
    for i in range(N_PNS):
        never = abs(state.g_i_nS[ORN + i]) + abs(state.g_i_nS[LN + i])
        never += abs(state.g_a_nS[PN + i]) + abs(state.g_a_nS[LN + i])
        never += k.cells[ADAPTATION, PN + i] + k.cells[ADAPTATION, LN + i]
        if never != 0.0 or _differ(state.g_i_nS[PN + i], state.g_i_nS[PN]):
            return False
    for kc in range(k.n_kcs):
        most = max(abs(state.w_kc_mbonp_nS[kc]), abs(state.w_kc_mbonn_nS[kc]))
        if not most < _HUGE or _differ(state.g_i_nS[KC + kc], state.g_i_nS[KC]):
            return False
    return True


@compiled_part
def _load(state: Larva, period: int, k: Constants, x: FloatArray, m: Masks, traces: Traces) -> None:
    """Copy a larva to where it is worked on."""
    for place in range(SPIKES, m.size):
        m[place] = 0
    for group in range(4 + _blocks_of(k)):
        for i in range(_size_of(group, k)):
            cell, neuron = _cells_of(group) + i, _first_of(group, k) + i
            left = state.refractory_steps[neuron]
            x[cell + V * ROW] = state.v_mV[neuron]
            if left > 0:
                x[cell + V * ROW] = math.nan
                m[_spikes_of(group, period) + left] |= np.uint32(1 << i)
            x[cell + G_E * ROW] = state.g_e_nS[neuron]
            x[cell + G_I * ROW] = state.g_i_nS[neuron]
            x[cell + G_A * ROW] = state.g_a_nS[neuron]
    x[PN_INHIBITION], x[KC_INHIBITION] = state.g_i_nS[PN], state.g_i_nS[KC]
    for kc in range(k.n_kcs):
        for pn in range(N_PNS):
            x[FROM_PN + pn * KCS.padded + kc] = state.pn_to_kc[kc, pn] * k.pn_kc_nS[pn]
    load_traces(state, traces)


@compiled_part
def _free(period: int, k: Constants, x: FloatArray, m: Masks, v_mV: FloatArray, held: IntArray) -> None:
    """Write between two stretches the potential of each neuron, and for how many steps more it is held."""
    for group in range(4 + _blocks_of(k)):
        first = _first_of(group, k)
        for i in range(_size_of(group, k)):
            v_mV[first + i] = x[_cells_of(group) + i + V * ROW]
            held[first + i] = 0
        for left in range(period):
            fired = np.int64(m[_spikes_of(group, period) + left])
            while fired:
                i = first + lowest(fired)
                fired &= fired - 1
                v_mV[i] = k.cells[RESET, i]
                held[i] = left


@compiled_part
def _store(
    state: Larva,
    period: int,
    n_steps: int,
    k: Constants,
    x: FloatArray,
    m: Masks,
    traces: Traces,
    held: IntArray,
    v_mV: FloatArray,
) -> None:
    """Copy a larva back."""
    _free(period, k, x, m, v_mV, held)
    for i in range(k.n_neurons):
        state.v_mV[i] = v_mV[i]
        state.refractory_steps[i] = held[i]
    for group in range(4 + _blocks_of(k)):
        for i in range(_size_of(group, k)):
            cell, neuron = _cells_of(group) + i, _first_of(group, k) + i
            state.g_e_nS[neuron] = x[cell + G_E * ROW]
            state.g_i_nS[neuron] = x[cell + G_I * ROW]
            state.g_a_nS[neuron] = x[cell + G_A * ROW]
    for i in range(N_PNS):
        state.g_i_nS[PN + i] = x[PN_INHIBITION]
    for kc in range(k.n_kcs):
        state.g_i_nS[KC + kc] = x[KC_INHIBITION]
    store_traces(state, n_steps, traces)
    state.step[0] += n_steps


@compiled_part
def _flush(x: FloatArray) -> None:
    """As in `kernel`: conductances that can no longer move any v become 0."""
    for place in range(G_E * ROW, (G_A + 1) * ROW):
        g = x[place]
        # The sum changes nothing; without it compilers write only where it is 0, and that is slow in vectors.
        x[place] = (0.0 if abs(g) < NEGLIGIBLE_NS else g) + 0.0
    for place in (PN_INHIBITION, KC_INHIBITION):
        if abs(x[place]) < NEGLIGIBLE_NS:
            x[place] = 0.0


@compiled_part
def _inhibit_pns(x: FloatArray, m: Masks, lns: int, steps: int, k: Constants) -> None:
    """Write the inhibition of PNs in each step: every spike of an LN reaches all of them."""
    g_i, leak = x[PN_INHIBITION], k.cells[LEAK, PN]
    for step in range(steps):
        x[PN_INHIBITION + WITH_LEAK + step] = leak + g_i
        x[PN_INHIBITION + TIMES_REVERSAL + step] = g_i * k.inhibitory_reversal_mV
        g_i *= k.inhibitory_decay
        fired = np.int64(m[lns + step])
        while fired:
            g_i += k.ln_pn_nS[lowest(fired)]
            fired &= fired - 1
        x[PN_INHIBITION + step + 1] = g_i


@compiled_part
def _inhibit_kcs(x: FloatArray, first: int, last: int, k: Constants) -> None:
    """Write the inhibition of Kenyon cells in each step of a window in which APL keeps silent."""
    g_i, leak = x[KC_INHIBITION + first], k.cells[LEAK, KC]
    for step in range(first, last):
        x[KC_INHIBITION + WITH_LEAK + step] = leak + g_i
        x[KC_INHIBITION + TIMES_REVERSAL + step] = g_i * k.inhibitory_reversal_mV
        g_i *= k.inhibitory_decay
        x[KC_INHIBITION + step + 1] = g_i


@compiled_part
def _excite_by_many(fired: np.int64, x: FloatArray, kcs: int, k: Constants) -> None:
    """Give the spikes of several PNs of one step to the Kenyon cells, one after the other."""
    while fired:
        pn = lowest(fired)
        fired &= fired - 1
        for kc in range(k.n_kcs):
            x[kcs + kc] += x[FROM_PN + pn * KCS.padded + kc]


@compiled_part
def _advance_kcs(
    x: FloatArray, m: Masks, masks: int, source: int, target: int, period: int, first: int, last: int, k: Constants
) -> bool:
    """Advance all Kenyon cells through a window, from their state at `source` to `target`, both as distances.

    Returns:
        Whether any has fired.
    """
    any_fired = False
    for block in range(_blocks_of(k)):
        own, kc = masks + block * (period + STRETCH), block * KC_BLOCK
        step, place = first, source
        while step < last:
            released = np.int64(m[own + step])
            while released:
                cell = KCS.place + kc + lowest(released)
                released &= released - 1
                x[cell + place + V * ROW] = x[cell + layers.RESET * ROW]
            step = layers.advance_kcs(x, m, kc, place, target, own, period, step, last)
            place = target
            fired = np.int64(m[own + period + step - 1])
            if fired:
                any_fired = True
                m[KC_SPIKES + step - 1] |= np.uint32(fired)
            while fired:
                cell = KCS.place + kc + lowest(fired)
                fired &= fired - 1
                x[cell + place + V * ROW] = math.nan
                x[cell + place + G_A * ROW] += x[cell + layers.ADAPTATION * ROW]
    return any_fired


@compiled_part
def _count(i: int, larva: int, step: int, record: Recording) -> None:
    """Write down a spike."""
    record.counts[larva, i] += 1
    if record.spikes.shape[1] > 0:
        record.spikes[larva, record.n_spikes[larva], 0] = step
        record.spikes[larva, record.n_spikes[larva], 1] = i
        record.n_spikes[larva] += 1


@compiled_part
def _transmit_kc(kc: int, w_p: FloatArray, w_n: FloatArray, x: FloatArray, k: Constants) -> None:
    """Give the spike of a Kenyon cell to APL and both MBONs."""
    x[OUTPUTS.place + APL + G_E * ROW] += k.kc_apl_nS[kc]
    x[OUTPUTS.place + MBON_P + G_E * ROW] += k.kc_mbonp[kc] * w_p[kc]
    x[OUTPUTS.place + MBON_N + G_E * ROW] += k.kc_mbonn[kc] * w_n[kc]


@compiled_part
def _transmit_output(output: int, x: FloatArray, k: Constants) -> None:
    """Give the spike of an output neuron to the others; APL inhibits Kenyon cells elsewhere."""
    if output == MBON_P:
        x[OUTPUTS.place + LN_P + G_E * ROW] += k.mbonp_lnp_nS
        x[OUTPUTS.place + DAN_N + G_E * ROW] += k.mbonp_dann_nS
    elif output == MBON_N:
        x[OUTPUTS.place + LN_N + G_E * ROW] += k.mbonn_lnn_nS
        x[OUTPUTS.place + DAN_P + G_E * ROW] += k.mbonn_danp_nS
    elif output == LN_P:
        x[OUTPUTS.place + DAN_P + G_I * ROW] += k.lnp_danp_nS
    elif output == LN_N:
        x[OUTPUTS.place + DAN_N + G_I * ROW] += k.lnn_dann_nS


@compiled_part
def _learn(fired: np.int64, step: int, w_p: FloatArray, w_n: FloatArray, traces: Traces, k: Constants) -> None:
    """Do what follows from the spikes of DANs and MBONs."""
    danp, dann = fired & (1 << DAN_P) != 0, fired & (1 << DAN_N) != 0
    mbonp, mbonn = fired & 1 != 0, fired & (1 << MBON_N) != 0
    learn(danp, dann, mbonp, mbonn, step, w_p, w_n, traces, k)


@compiled_part
def _advance_outputs(
    larva: int,
    w_p: FloatArray,
    w_n: FloatArray,
    x: FloatArray,
    m: Masks,
    traces: Traces,
    period: int,
    given: int,
    since: int,
    first: int,
    last: int,
    first_step: int,
    k: Constants,
    record: Recording,
) -> int:
    """Advance the output neurons through a window, up to a spike of APL; return the step before which they are.

    `given` is the place of the masks of the input, `since` the step of the call at which the stretch began.
    """
    masks, own = _spikes_of(4, period), _spikes_of(3, period)
    step = first
    while step < last:
        released = np.int64(m[own + step])
        while released:
            output = lowest(released)
            released &= released - 1
            x[OUTPUTS.place + output + V * ROW] = k.cells[RESET, k.outputs + output]
        step = int(layers.advance_outputs(x, m, given, own, period, step, last))
        at = step - 1
        if m[KC_SPIKES + at] != 0:
            to_mbonp = potentiation_share(PUNISHED, since + at, traces, k)
            to_mbonn = potentiation_share(REWARDED, since + at, traces, k)
            for block in range(_blocks_of(k)):
                fired = np.int64(m[masks + block * (period + STRETCH) + period + at])
                while fired:
                    kc = block * KC_BLOCK + lowest(fired)
                    fired &= fired - 1
                    _transmit_kc(kc, w_p, w_n, x, k)
                    potentiate(w_p, kc, to_mbonp, k)
                    potentiate(w_n, kc, to_mbonn, k)
                    mark_kc(kc, since + at, traces, k)
                    _count(KC + kc, larva, first_step + since + at, record)
        fired_outputs = np.int64(m[own + period + at])
        if fired_outputs == 0:
            continue
        fired = fired_outputs
        while fired:
            output = lowest(fired)
            fired &= fired - 1
            _transmit_output(output, x, k)
            x[OUTPUTS.place + output + V * ROW] = math.nan
            x[OUTPUTS.place + output + G_A * ROW] += k.cells[ADAPTATION, k.outputs + output]
            _count(k.outputs + output, larva, first_step + since + at, record)
        _learn(fired_outputs, since + at, w_p, w_n, traces, k)
        if fired_outputs & _APL_BIT:
            return step
    return step


@compiled_within
def _advance_stretch_of_kcs(
    larva: int,
    w_p: FloatArray,
    w_n: FloatArray,
    x: FloatArray,
    m: Masks,
    traces: Traces,
    period: int,
    given: int,
    since: int,
    steps: int,
    window: int,
    first_step: int,
    k: Constants,
    record: Recording,
) -> int:
    """Advance Kenyon cells and output neurons through a stretch, window by window; return the length of the next."""
    pns, kcs, outputs = _spikes_of(1, period) + period, _spikes_of(4, period), _spikes_of(3, period) + period
    source, other = _ZERO, _AFTER
    first = _ZERO
    while first < steps:
        last = first + 1
        end = min(steps, first + window)
        many = np.int64(m[pns + first])
        while last < end and many & (many - 1) == 0:
            many = np.int64(m[pns + last])
            last += 1
        _inhibit_kcs(x, first, last, k)
        window = _WINDOW if _advance_kcs(x, m, kcs, source, other, period, first, last, k) else min(2 * window, STRETCH)
        end = _advance_outputs(larva, w_p, w_n, x, m, traces, period, given, since, first, last, first_step, k, record)
        if end < last:
            _advance_kcs(x, m, kcs, source, other, period, first, end, k)
        if m[outputs + end - 1] & _APL_BIT:
            x[KC_INHIBITION + end] += k.apl_kc_nS
        source, other = other, source
        many = np.int64(m[pns + end - 1])
        if many & (many - 1) != 0:
            _excite_by_many(many, x, KCS.place + source + G_E * ROW, k)
        first = end
    if source != 0:
        for row in (V, G_E, G_A):
            for kc in range(k.n_kcs):
                x[KCS.place + row * ROW + kc] = x[KCS.place + AFTER + row * ROW + kc]
    return window


@compiled_part
def _count_layer(neuron: int, larva: int, step: int, mask: np.uint32, record: Recording) -> None:
    """Count the spikes of a layer in a step."""
    fired = np.int64(mask)
    while fired:
        _count(neuron + lowest(fired), larva, step, record)
        fired &= fired - 1


@compiled_part
def _pass_on(larva: int, step: int, period: int, steps: int, m: Masks, record: Recording) -> None:
    """Count the spikes of a stretch, and write from where one PN that fires in a step excites Kenyon cells."""
    orns, pns, lns = _spikes_of(0, period) + period, _spikes_of(1, period) + period, _spikes_of(2, period) + period
    for at in range(steps):
        m[EXCITED_FROM + at] = m[KC_SPIKES + at] = 0
        orn, pn, ln = m[orns + at], m[pns + at], m[lns + at]
        if orn | pn | ln != 0:
            _count_layer(ORN, larva, step + at, orn, record)
            _count_layer(PN, larva, step + at, pn, record)
            _count_layer(LN, larva, step + at, ln, record)
            fired = np.int64(pn)
            if fired != 0 and fired & (fired - 1) == 0:
                m[EXCITED_FROM + at] = FROM_PN + lowest(fired) * KCS.padded


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
    period: int,
    x: FloatArray,
    m: Masks,
    traces: Traces,
    held: IntArray,
    v_mV: FloatArray,
) -> None:
    """Advance one larva, as `kernel` does."""
    w_p, w_n = state.w_kc_mbonp_nS, state.w_kc_mbonn_nS
    _load(state, period, k, x, m, traces)
    step = next_event = drawn_from = drawn_to = _ZERO
    window = _WINDOW
    while step < n_steps:
        if step == drawn_to:
            drawn_from, drawn_to = step, min(step + DRAWN, n_steps)
            if ticks_per_step.size > 0:
                draw_stretch(state.rng, state.ticks_left, ticks_per_step, k.input_shape, drawn_to - step, m)
            else:
                next_event = place_stretch(events, next_event, step, drawn_to - step, m)
        age, given = (state.step[0] + step) % STRETCH, INPUT + step - drawn_from
        steps = min(STRETCH - age, drawn_to - step)
        if record.sample_steps > 0:
            steps = min(steps, record.sample_steps - (first_step + step) % record.sample_steps)
        if age == 0:
            _flush(x)
        orns, pns, lns = _spikes_of(0, period), _spikes_of(1, period), _spikes_of(2, period)
        layers.advance_orns(x, m, given, orns, period, 0, steps)
        layers.advance_lns(x, m, orns + period, lns, period, 0, steps)
        _inhibit_pns(x, m, lns + period, steps, k)
        layers.advance_pns(x, m, orns + period, pns, period, 0, steps)
        _pass_on(larva, first_step + step, period, steps, m, record)
        window = _advance_stretch_of_kcs(
            larva, w_p, w_n, x, m, traces, period, given, step, steps, window, first_step, k, record
        )

        for group in range(4 + _blocks_of(k)):
            masks = _spikes_of(group, period)
            for at in range(period):
                m[masks + at] = m[masks + at + steps]
        x[PN_INHIBITION], x[KC_INHIBITION] = x[PN_INHIBITION + steps], x[KC_INHIBITION + steps]
        step += steps
        if record.sample_steps > 0 and (first_step + step) % record.sample_steps == 0:
            sample = (first_step + step) // record.sample_steps - 1
            _sample(
                larva,
                sample,
                step - 1,
                period,
                w_p,
                w_n,
                k,
                x,
                m,
                traces,
                held,
                v_mV,
                record,
            )
    _store(state, period, n_steps, k, x, m, traces, held, v_mV)


@compiled_part
def _sample(
    larva: int,
    sample: int,
    step: int,
    period: int,
    w_p: FloatArray,
    w_n: FloatArray,
    k: Constants,
    x: FloatArray,
    m: Masks,
    traces: Traces,
    held: IntArray,
    v_mV: FloatArray,
    record: Recording,
) -> None:
    """Write down the state that was asked for."""
    if record.v_mV.shape[1] > 0:
        _free(period, k, x, m, v_mV, held)
    write_sample(larva, sample, step, v_mV, w_p, w_n, traces, k, record)


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
    left_out: NDArray[np.bool_],
) -> None:
    """Advance larvae as `kernel.advance_larvae` does, but those that do not fit this form.

    Args:
        next_larva: As there.
        records: As there.
        at: As there.
        ticks_per_step: As there.
        events: As there.
        event_offsets: As there.
        first_step: As there.
        n_steps: As there.
        constants: As there.
        record: As there.
        left_out: [B] bool, set where a larva was left as it was.
    """
    k = constants[0]
    period = max(1, k.refractory_steps)
    room = np.empty(NUMBERS + 8)
    start = (-(room.ctypes.data // 8)) % 8  # Vectors within one line of the cache are read at once.
    x, m = room[start : start + NUMBERS], np.empty(SPIKES + (4 + _blocks_of(k)) * (period + STRETCH), dtype=np.uint32)
    traces, v_mV, held = no_traces(), np.empty(MOST_NEURONS), np.empty(MOST_NEURONS, dtype=np.int64)
    _prepare(x, k)
    while True:
        larva = take_next(next_larva)
        if larva >= n_steps.shape[0]:
            return
        own = events[event_offsets[larva] : event_offsets[larva + 1]]
        state = larva_of(records[larva], at, k)
        if _fits(state, period, k):
            _advance(
                larva,
                state,
                ticks_per_step[larva],
                own,
                first_step,
                n_steps[larva],
                k,
                record,
                period,
                x,
                m,
                traces,
                held,
                v_mV,
            )
        else:
            left_out[larva] = True
