"""Kenyon cells and output neurons, window by window: the part of the circuit that is not feed-forward.

The Kenyon cells go through a window as if APL kept silent, then the output neurons do. Where APL fires, the window
ends, and the Kenyon cells go through it once more, to that step. What follows from a spike is ordinary compiled code.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon.compiled import compiled_part, compiled_within
from kenyon.mushroom_body import layers
from kenyon.mushroom_body.circuit import (
    APL,
    DAN_N,
    DAN_P,
    KC,
    LN_N,
    LN_P,
    MBON_N,
    MBON_P,
)
from kenyon.mushroom_body.inputs import STRETCH
from kenyon.mushroom_body.kernel import Recording, write_spike
from kenyon.mushroom_body.kernel_constants import ADAPTATION, LEAK, RESET, Constants
from kenyon.mushroom_body.layered_larva import blocks_of, spikes_of
from kenyon.mushroom_body.layers import (
    AFTER,
    FROM_PN,
    G_A,
    G_E,
    G_I,
    KC_BLOCK,
    KC_INHIBITION,
    KC_SPIKES,
    KCS,
    OUTPUTS,
    ROW,
    TIMES_REVERSAL,
    WITH_LEAK,
    V,
)
from kenyon.mushroom_body.plasticity import (
    PUNISHED,
    REWARDED,
    Traces,
    learn,
    mark_kc,
    potentiate,
    potentiation_share,
)
from kenyon.mushroom_body.vectors import lowest

FloatArray = NDArray[np.float64]
Masks = NDArray[np.uint32]

# Of the type that they keep: with a plain 0, what they are given to would be compiled for two.
_ZERO: Any = np.int64(0)
_AFTER: Any = np.int64(AFTER)

WINDOW = 32
"""Steps of a window while Kenyon cells fire, and so APL may; where none has fired, the next one is twice as long."""

_APL_BIT = 1 << APL


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
    for block in range(blocks_of(k)):
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
    masks, own = spikes_of(4, period), spikes_of(3, period)
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
            for block in range(blocks_of(k)):
                fired = np.int64(m[masks + block * (period + STRETCH) + period + at])
                while fired:
                    kc = block * KC_BLOCK + lowest(fired)
                    fired &= fired - 1
                    _transmit_kc(kc, w_p, w_n, x, k)
                    potentiate(w_p, kc, to_mbonp, k)
                    potentiate(w_n, kc, to_mbonn, k)
                    mark_kc(kc, since + at, traces, k)
                    write_spike(KC + kc, larva, first_step + since + at, record)
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
            write_spike(k.outputs + output, larva, first_step + since + at, record)
        _learn(fired_outputs, since + at, w_p, w_n, traces, k)
        if fired_outputs & _APL_BIT:
            return step
    return step


@compiled_within
def advance_windows(
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
    pns, kcs, outputs = spikes_of(1, period) + period, spikes_of(4, period), spikes_of(3, period) + period
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
        window = WINDOW if _advance_kcs(x, m, kcs, source, other, period, first, last, k) else min(2 * window, STRETCH)
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
