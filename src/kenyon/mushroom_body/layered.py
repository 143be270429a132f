"""The circuit layer by layer: the numbers of `kernel`, bit for bit, in a fraction of its time.

The circuit is feed-forward but for two small knots: KC and APL; MBON, feedback LN and DAN. So a stretch of steps goes
through ORNs, then LNs, then PNs; then, window by window, through the Kenyon cells and the output neurons
(`layered_windows`). See `docs/explanation/vectors.md`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon.compiled import compiled, compiled_part, compiled_within, take_next
from kenyon.mushroom_body import layers
from kenyon.mushroom_body.circuit import LN, MOST_NEURONS, ORN, PN
from kenyon.mushroom_body.inputs import DRAWN, STRETCH, draw_stretch, place_stretch
from kenyon.mushroom_body.kernel import NEGLIGIBLE_NS, Recording, write_sample, write_spike
from kenyon.mushroom_body.kernel_constants import LEAK, Constants
from kenyon.mushroom_body.larva import Larva, larva_of
from kenyon.mushroom_body.layered_larva import blocks_of, fits, free, load, prepare, spikes_of, store
from kenyon.mushroom_body.layered_windows import WINDOW, advance_windows
from kenyon.mushroom_body.layers import (
    EXCITED_FROM,
    FROM_PN,
    G_A,
    G_E,
    INPUT,
    KC_INHIBITION,
    KC_SPIKES,
    KCS,
    NUMBERS,
    PN_INHIBITION,
    ROW,
    SPIKES,
    TIMES_REVERSAL,
    WITH_LEAK,
)
from kenyon.mushroom_body.plasticity import Traces, no_traces
from kenyon.mushroom_body.vectors import lowest

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Masks = NDArray[np.uint32]

# Of the type that it keeps: with a plain 0, what it is given to would be compiled for two.
_ZERO: Any = np.int64(0)


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
def _count_layer(neuron: int, larva: int, step: int, mask: np.uint32, record: Recording) -> None:
    """Count the spikes of a layer in a step."""
    fired = np.int64(mask)
    while fired:
        write_spike(neuron + lowest(fired), larva, step, record)
        fired &= fired - 1


@compiled_part
def _pass_on(larva: int, step: int, period: int, steps: int, m: Masks, record: Recording) -> None:
    """Count the spikes of a stretch, and write from where one PN that fires in a step excites Kenyon cells."""
    orns, pns, lns = spikes_of(0, period) + period, spikes_of(1, period) + period, spikes_of(2, period) + period
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
    load(state, period, k, x, m, traces)
    step = next_event = drawn_from = drawn_to = _ZERO
    window = WINDOW
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
        orns, pns, lns = spikes_of(0, period), spikes_of(1, period), spikes_of(2, period)
        layers.advance_orns(x, m, given, orns, period, 0, steps)
        layers.advance_lns(x, m, orns + period, lns, period, 0, steps)
        _inhibit_pns(x, m, lns + period, steps, k)
        layers.advance_pns(x, m, orns + period, pns, period, 0, steps)
        _pass_on(larva, first_step + step, period, steps, m, record)
        window = advance_windows(
            larva, w_p, w_n, x, m, traces, period, given, step, steps, window, first_step, k, record
        )

        for group in range(4 + blocks_of(k)):
            masks = spikes_of(group, period)
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
    store(state, period, n_steps, k, x, m, traces, held, v_mV)


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
        free(period, k, x, m, v_mV, held)
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
    x, m = room[start : start + NUMBERS], np.empty(SPIKES + (4 + blocks_of(k)) * (period + STRETCH), dtype=np.uint32)
    traces, v_mV, held = no_traces(), np.empty(MOST_NEURONS), np.empty(MOST_NEURONS, dtype=np.int64)
    prepare(x, k)
    while True:
        larva = take_next(next_larva)
        if larva >= n_steps.shape[0]:
            return
        own = events[event_offsets[larva] : event_offsets[larva + 1]]
        state = larva_of(records[larva], at, k)
        if fits(state, period, k):
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
