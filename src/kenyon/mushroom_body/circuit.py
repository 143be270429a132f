"""The layout of the circuit: which index is which cell.

Axes: B larvae, N neurons (142, one flat order), K Kenyon cells (72), C input channels (23), P projection neurons (21).
Reference: Jürgensen et al. 2024, iScience 27:108640.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kenyon.mushroom_body.parameters import Parameters

N_ORNS: Final = 21
N_PNS: Final = 21
N_LNS: Final = 21
N_KCS: Final = 72
ORN: Final = 0
PN: Final = ORN + N_ORNS
LN: Final = PN + N_PNS
KC: Final = LN + N_LNS
MBON_P: Final = KC + N_KCS
MBON_N: Final = MBON_P + 1
DAN_P: Final = MBON_N + 1
DAN_N: Final = DAN_P + 1
LN_P: Final = DAN_N + 1
LN_N: Final = LN_P + 1
APL: Final = LN_N + 1
N_NEURONS: Final = APL + 1

REWARD: Final = N_ORNS
PUNISHMENT: Final = REWARD + 1
N_CHANNELS: Final = PUNISHMENT + 1

N_DANS: Final = LN_P - DAN_P

GROUPS: Mapping[str, slice] = MappingProxyType(
    {
        "ORN": slice(ORN, PN),
        "PN": slice(PN, LN),
        "LN": slice(LN, KC),
        "KC": slice(KC, MBON_P),
        "MBONp": slice(MBON_P, MBON_N),
        "MBONn": slice(MBON_N, DAN_P),
        "DANp": slice(DAN_P, DAN_N),
        "DANn": slice(DAN_N, LN_P),
        "LNp": slice(LN_P, LN_N),
        "LNn": slice(LN_N, APL),
        "APL": slice(APL, N_NEURONS),
    }
)

CONNECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "ORN>PN": "orn_pn_nS",
        "ORN>LN": "orn_ln_nS",
        "PN>KC": "pn_kc_nS",
        "LN>PN": "ln_pn_nS",
        "KC>APL": "kc_apl_nS",
        "APL>KC": "apl_kc_nS",
        "KC>MBONp": "kc_mbon_nS",
        "KC>MBONn": "kc_mbon_nS",
        "MBONp>LNp": "mbon_feedback_ln_nS",
        "MBONn>LNn": "mbon_feedback_ln_nS",
        "MBONn>DANp": "mbon_dan_nS",
        "MBONp>DANn": "mbon_dan_nS",
        "LNp>DANp": "feedback_ln_dan_nS",
        "LNn>DANn": "feedback_ln_dan_nS",
    }
)
"""The constant that is the weight of each connection; of the two plastic ones, the weight they start with."""

PLASTIC: Final = ("KC>MBONp", "KC>MBONn")
"""Connections of which each synapse has a weight of its own, which is learned."""

_CELL_TYPE = {
    "MBONp": "mbon",
    "MBONn": "mbon",
    "DANp": "dan",
    "DANn": "dan",
    "LNp": "feedback_ln",
    "LNn": "feedback_ln",
}


def per_neuron(parameters: Parameters, constant: str) -> NDArray[np.float64]:
    """Return one constant of the cells for each neuron.

    Args:
        parameters: The set of constants.
        constant: An attribute of `Cell`, such as "threshold_mV".

    Returns:
        [N] float64, in the unit of the constant.

    Example:
        >>> from kenyon.mushroom_body.parameters import PUBLISHED
        >>> float(per_neuron(PUBLISHED, "capacitance_pF")[APL])
        200.0
    """
    values = np.empty(N_NEURONS)
    for group, where in GROUPS.items():
        values[where] = getattr(getattr(parameters, _CELL_TYPE.get(group, group.lower())), constant)
    return values
