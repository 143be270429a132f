"""A larva as the layers work on it: its record spread out over rows of numbers and masks of spikes, and back.

`layers` says where in them each number lies.
"""

import math

import numpy as np
from numpy.typing import NDArray

from kenyon.compiled import compiled, compiled_part, compiled_within
from kenyon.mushroom_body import layers
from kenyon.mushroom_body.circuit import (
    DAN_N,
    DAN_P,
    KC,
    LN,
    N_OUTPUTS,
    N_PNS,
    ORN,
    PN,
)
from kenyon.mushroom_body.inputs import STRETCH
from kenyon.mushroom_body.kernel_constants import (
    ADAPTATION,
    LEAK,
    RESET,
    REST,
    SCALE,
    THRESHOLD,
    Constants,
)
from kenyon.mushroom_body.larva import Larva
from kenyon.mushroom_body.layers import (
    AFTER,
    FROM_PN,
    G_A,
    G_E,
    G_I,
    KC_BLOCK,
    KC_INHIBITION,
    KCS,
    LNS,
    ORNS,
    OUTPUTS,
    PN_INHIBITION,
    PNS,
    ROW,
    SPIKES,
    WEIGHT,
    V,
)
from kenyon.mushroom_body.plasticity import Traces, load_traces, store_traces
from kenyon.mushroom_body.vectors import lowest

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Masks = NDArray[np.uint32]

_HUGE = 1e100


@compiled_within
def spikes_of(group: int, period: int) -> int:
    """Return where the masks of a group begin: 0 ORN, 1 PN, 2 LN, 3 output neurons, from 4 Kenyon cells."""
    return SPIKES + group * (period + STRETCH)


@compiled_within
def blocks_of(k: Constants) -> int:
    """Return how many loops go through the Kenyon cells."""
    return (k.n_kcs + KC_BLOCK - 1) // KC_BLOCK


@compiled_part
def first_of(group: int, k: Constants) -> int:
    """Return the first neuron of a group, whose bit is the lowest."""
    if group < 3:
        return group * N_PNS
    return k.outputs if group == 3 else KC + (group - 4) * KC_BLOCK


@compiled_part
def size_of(group: int, k: Constants) -> int:
    """Return how many neurons a group has."""
    if group < 3:
        return N_PNS
    return N_OUTPUTS if group == 3 else min(KC_BLOCK, k.n_kcs - (group - 4) * KC_BLOCK)


@compiled_part
def cells_of(group: int) -> int:
    """Return the cell that the first neuron of a group is."""
    if group < 3:
        return group * ORNS.padded
    return OUTPUTS.place if group == 3 else KCS.place + (group - 4) * KC_BLOCK


@compiled_part
def prepare(x: FloatArray, k: Constants) -> None:
    """Write what is the same for all larvae, and cells that never fire where there are none."""
    for place in range(AFTER):
        x[place] = 0.0
    for place in range(layers.THRESHOLD * ROW, (layers.THRESHOLD + 1) * ROW):
        x[place] = math.inf
    for pn in range(N_PNS):
        for kc in range(k.n_kcs, blocks_of(k) * KC_BLOCK):
            x[FROM_PN + pn * KCS.padded + kc] = 0.0
    for group in range(4 + blocks_of(k)):
        for i in range(size_of(group, k)):
            cell, neuron = cells_of(group) + i, first_of(group, k) + i
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
def fits(state: Larva, period: int, k: Constants) -> bool:
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
def load(state: Larva, period: int, k: Constants, x: FloatArray, m: Masks, traces: Traces) -> None:
    """Copy a larva to where it is worked on."""
    for place in range(SPIKES, m.size):
        m[place] = 0
    for group in range(4 + blocks_of(k)):
        for i in range(size_of(group, k)):
            cell, neuron = cells_of(group) + i, first_of(group, k) + i
            left = state.refractory_steps[neuron]
            x[cell + V * ROW] = state.v_mV[neuron]
            if left > 0:
                x[cell + V * ROW] = math.nan
                m[spikes_of(group, period) + left] |= np.uint32(1 << i)
            x[cell + G_E * ROW] = state.g_e_nS[neuron]
            x[cell + G_I * ROW] = state.g_i_nS[neuron]
            x[cell + G_A * ROW] = state.g_a_nS[neuron]
    x[PN_INHIBITION], x[KC_INHIBITION] = state.g_i_nS[PN], state.g_i_nS[KC]
    for kc in range(k.n_kcs):
        for pn in range(N_PNS):
            x[FROM_PN + pn * KCS.padded + kc] = state.pn_to_kc[kc, pn] * k.pn_kc_nS[pn]
    load_traces(state, traces)


@compiled_part
def free(period: int, k: Constants, x: FloatArray, m: Masks, v_mV: FloatArray, held: IntArray) -> None:
    """Write between two stretches the potential of each neuron, and for how many steps more it is held."""
    for group in range(4 + blocks_of(k)):
        first = first_of(group, k)
        for i in range(size_of(group, k)):
            v_mV[first + i] = x[cells_of(group) + i + V * ROW]
            held[first + i] = 0
        for left in range(period):
            fired = np.int64(m[spikes_of(group, period) + left])
            while fired:
                i = first + lowest(fired)
                fired &= fired - 1
                v_mV[i] = k.cells[RESET, i]
                held[i] = left


@compiled_part
def store(
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
    free(period, k, x, m, v_mV, held)
    for i in range(k.n_neurons):
        state.v_mV[i] = v_mV[i]
        state.refractory_steps[i] = held[i]
    for group in range(4 + blocks_of(k)):
        for i in range(size_of(group, k)):
            cell, neuron = cells_of(group) + i, first_of(group, k) + i
            state.g_e_nS[neuron] = x[cell + G_E * ROW]
            state.g_i_nS[neuron] = x[cell + G_I * ROW]
            state.g_a_nS[neuron] = x[cell + G_A * ROW]
    for i in range(N_PNS):
        state.g_i_nS[PN + i] = x[PN_INHIBITION]
    for kc in range(k.n_kcs):
        state.g_i_nS[KC + kc] = x[KC_INHIBITION]
    store_traces(state, n_steps, traces)
    state.step[0] += n_steps
