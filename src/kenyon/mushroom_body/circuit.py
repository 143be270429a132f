"""The layout of the circuit: which index is which cell, for any number of Kenyon cells.

Axes: B larvae, N neurons (70 and the Kenyon cells, one flat order), K Kenyon cells (1 to 128; 72 in the published
circuit), C input channels (23), P projection neurons (21).
Reference: Jürgensen et al. 2024, iScience 27:108640.
"""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.mushroom_body.parameters import Parameters

N_ORNS: Final = 21
N_PNS: Final = 21
N_LNS: Final = 21
N_KCS: Final = 72
"""Kenyon cells of the published circuit, and of every circuit that is told no other number."""

MOST_KCS: Final = 128

ORN: Final = 0
PN: Final = ORN + N_ORNS
LN: Final = PN + N_PNS
KC: Final = LN + N_LNS

OUTPUTS: Final = ("MBONp", "MBONn", "DANp", "DANn", "LNp", "LNn", "APL")
"""The output neurons, which stand behind the last Kenyon cell."""

MBON_P, MBON_N, DAN_P, DAN_N, LN_P, LN_N, APL = range(len(OUTPUTS))
"""Their places among the output neurons."""

N_OUTPUTS: Final = len(OUTPUTS)
N_DANS: Final = LN_P - DAN_P
MOST_NEURONS: Final = KC + MOST_KCS + N_OUTPUTS

REWARD: Final = N_ORNS
PUNISHMENT: Final = REWARD + 1
N_CHANNELS: Final = PUNISHMENT + 1


class Layout:
    """Which neuron is which, in a circuit of so many Kenyon cells; `layout` gives one.

    Attributes:
        n_kcs: How many Kenyon cells there are.
        outputs: The first of the output neurons.
        n_neurons: How many neurons there are.
        groups: Where each group of cells is, by its name.

    Raises:
        InputError: `n_kcs` is no integer from 1 to 128.

    Example:
        >>> layout(73).groups["MBONp"], layout(73).n_neurons
        (slice(136, 137, None), 143)
    """

    def __init__(self, n_kcs: int) -> None:
        self.n_kcs = checks.integer("the number of Kenyon cells", n_kcs, low=1, high=MOST_KCS)
        self.outputs = KC + self.n_kcs
        self.n_neurons = self.outputs + N_OUTPUTS

    @cached_property
    def groups(self) -> Mapping[str, slice]:
        """Where each group of cells is, by its name."""
        several = {"ORN": slice(ORN, PN), "PN": slice(PN, LN), "LN": slice(LN, KC), "KC": slice(KC, self.outputs)}
        one = {name: slice(self.outputs + i, self.outputs + i + 1) for i, name in enumerate(OUTPUTS)}
        return MappingProxyType(several | one)

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """How long each axis is, by its letter."""
        return {"N": self.n_neurons, "K": self.n_kcs, "C": N_CHANNELS, "P": N_PNS, "D": N_DANS}

    def __repr__(self) -> str:
        """Say what this is."""
        return f"<layout of {self.n_kcs} Kenyon cells>"


@lru_cache(maxsize=MOST_KCS)
def layout(n_kcs: int = N_KCS) -> Layout:
    """Return the layout of a circuit of so many Kenyon cells: always the same value.

    Raises:
        InputError: `n_kcs` is no integer from 1 to 128.
    """
    return Layout(n_kcs)


def layout_of(n_neurons: int) -> Layout:
    """Return the layout of a circuit of so many neurons.

    Example:
        >>> layout_of(142).n_kcs
        72
    """
    return layout(n_neurons - KC - N_OUTPUTS)


N_NEURONS: Final = layout().n_neurons
GROUPS: Mapping[str, slice] = layout().groups
"""Of the published circuit. All circuits have these groups, in this order."""

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


def per_neuron(parameters: Parameters, constant: str, cells: Layout | None = None) -> NDArray[np.float64]:
    """Return one constant of the cells for each neuron.

    Args:
        parameters: The set of constants.
        constant: An attribute of `Cell`, such as "threshold_mV".
        cells: Which neuron is which; of the published circuit if not given.

    Returns:
        [N] float64, in the unit of the constant.

    Example:
        >>> from kenyon.mushroom_body.parameters import PUBLISHED
        >>> float(per_neuron(PUBLISHED, "capacitance_pF")[GROUPS["APL"]][0])
        200.0
    """
    cells = layout() if cells is None else cells
    values = np.empty(cells.n_neurons)
    for group, where in cells.groups.items():
        values[where] = getattr(getattr(parameters, _CELL_TYPE.get(group, group.lower())), constant)
    return values
