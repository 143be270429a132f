"""A larva as compiled code sees it: its record of bytes taken apart into arrays, whatever their length.

So code is compiled once for circuits of all sizes, and a record has no room for cells that are not there.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon.compiled import compiled_within
from kenyon.mushroom_body.circuit import N_CHANNELS, N_DANS, N_PNS
from kenyon.mushroom_body.kernel_constants import Constants

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Larva(NamedTuple):
    """The variables of one larva, as `State` has them, in place; `step` is [1]."""

    v_mV: FloatArray
    g_e_nS: FloatArray
    g_i_nS: FloatArray
    g_a_nS: FloatArray
    refractory_steps: NDArray[np.int32]
    w_kc_mbonp_nS: FloatArray
    w_kc_mbonn_nS: FloatArray
    kc_silent_steps: FloatArray
    ticks_left: IntArray
    rng: NDArray[np.uint64]
    step: IntArray
    pn_to_kc: FloatArray
    kc_eligibility: FloatArray
    dan_trace: FloatArray
    dan_silent_steps: FloatArray


@compiled_within
def _floats(own: NDArray[np.uint8], at: int, size: int) -> Any:
    return own[at : at + 8 * size].view(np.float64)


@compiled_within
def larva_of(own: NDArray[np.uint8], at: IntArray, k: Constants) -> Any:
    """Return the larva whose bytes are given.

    Args:
        own: The bytes of a record.
        at: Where each variable begins, as `state.offsets` gives it.
        k: `Constants`, of its layout.
    """
    return Larva(
        _floats(own, at[0], k.n_neurons),
        _floats(own, at[1], k.n_neurons),
        _floats(own, at[2], k.n_neurons),
        _floats(own, at[3], k.n_neurons),
        own[at[4] : at[4] + 4 * k.n_neurons].view(np.int32),
        _floats(own, at[5], k.n_kcs),
        _floats(own, at[6], k.n_kcs),
        _floats(own, at[7], k.n_kcs),
        own[at[8] : at[8] + 8 * N_CHANNELS].view(np.int64),
        own[at[9] : at[9] + 8 * 4 * N_CHANNELS].view(np.uint64).reshape(N_CHANNELS, 4),
        own[at[10] : at[10] + 8].view(np.int64),
        _floats(own, at[11], k.n_kcs * N_PNS).reshape(k.n_kcs, N_PNS),
        _floats(own, at[12], k.n_kcs),
        _floats(own, at[13], N_DANS),
        _floats(own, at[14], N_DANS),
    )
