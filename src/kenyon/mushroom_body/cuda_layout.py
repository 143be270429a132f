"""Where in a warp each neuron of a larva is.

A lane holds up to five neurons, one in each of its slots, laid out so that almost nothing has to pass between lanes: an
ORN has its input channel, its PN and its LN in the lane it is in itself.
"""

import numpy as np
from numpy.typing import NDArray

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
    N_CHANNELS,
    N_KCS,
    N_LNS,
    N_ORNS,
    N_PNS,
    ORN,
    PN,
    REWARD,
    layout,
)
from kenyon.mushroom_body.cuda_warp import LANES
from kenyon.mushroom_body.kernel_constants import Constants

SLOTS = 5
FIRST_SLOT, LN_SLOT, KC_SLOT = 0, 1, 2
"""Slots: ORNs and behind them the output neurons; LNs; from here on Kenyon cells, in the first such behind the PNs."""

KC_SLOTS = SLOTS - KC_SLOT
KC_LANE = KC_SLOTS * LANES - N_KCS
"""Lane of the first Kenyon cell: the last one is in the last lane of the last slot."""

_OUTPUT = (DAN_P, DAN_N, MBON_P, MBON_N, LN_P, LN_N, APL)
_OUTPUTS = layout().outputs
IN_DAN_P, IN_DAN_N, IN_MBON_P, IN_MBON_N, IN_LN_P, IN_LN_N, IN_APL = range(REWARD, REWARD + len(_OUTPUT))
"""Their lanes: a DAN is in that of the input channel which excites it."""

OUTPUT_LANES = (1 << N_ORNS + len(_OUTPUT)) - (1 << N_ORNS)
LEARNING = 1 << IN_DAN_P | 1 << IN_DAN_N | 1 << IN_MBON_P | 1 << IN_MBON_N
ORN_LANES = PN_LANES = (1 << N_ORNS) - 1
KC_LANES = (1 << LANES) - (1 << KC_LANE)
"""Of the first slot with Kenyon cells, whose they are."""


def _layout() -> NDArray[np.int64]:
    neurons = np.full((SLOTS, LANES), -1)
    neurons[FIRST_SLOT, :N_ORNS] = range(ORN, PN)
    neurons[FIRST_SLOT, N_ORNS : N_ORNS + len(_OUTPUT)] = [_OUTPUTS + output for output in _OUTPUT]
    neurons[LN_SLOT, :N_LNS] = range(LN, KC)
    neurons[KC_SLOT, :N_PNS] = range(PN, LN)
    neurons[KC_SLOT:].reshape(-1)[KC_LANE:] = range(KC, _OUTPUTS)
    return neurons


NEURONS = _layout()
"""[slot, lane] the neuron that is there, -1 for none."""


def inputs_nS(k: Constants) -> NDArray[np.float64]:
    """Return [lanes] what a spike of the input channel in a lane adds to its first neuron, nS."""
    given = np.zeros(LANES)
    given[:N_CHANNELS] = [k.input_orn_nS] * N_ORNS + [k.reward_danp_nS, k.punishment_dann_nS]
    return given
