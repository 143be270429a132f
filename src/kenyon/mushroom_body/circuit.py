"""The layout of the circuit: which index is which cell, and how PNs are wired to Kenyon cells.

Axes: B larvae, N neurons (142, one flat order), K Kenyon cells (72), C input channels (23), P projection neurons (21).
Reference: Jürgensen et al. 2024, iScience 27:108640.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.compiled import compiled
from kenyon.errors import InputError
from kenyon.mushroom_body.parameters import Parameters, check_parameters
from kenyon.seed_sequence import sfc64_states
from kenyon.seeds import checked_seed
from kenyon.sfc64 import up_to

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


def draw_pn_to_kc(parameters: Parameters, seed: int) -> NDArray[np.uint8]:
    """Draw which PNs each Kenyon cell of a larva listens to, as `draw_wirings` does for many.

    Each Kenyon cell draws its number of PNs uniformly from kc_claws_min to kc_claws_max, then that many distinct PNs.

    Returns:
        [K, P] uint8, 1 where wired.

    Raises:
        InputError: `parameters` are none, or the seed is no whole number of at most 256 bits.

    Randomness:
        The larva's own "wiring" stream.

    Example:
        >>> from kenyon.mushroom_body.parameters import PUBLISHED
        >>> wiring = draw_pn_to_kc(PUBLISHED, seed=1)
        >>> wiring.shape, int(wiring.sum(axis=1).min()), int(wiring.sum(axis=1).max())
        ((72, 21), 2, 6)
    """
    check_parameters(parameters)
    wiring: NDArray[np.uint8] = draw_wirings(parameters, [checked_seed("seed", seed)])[0]
    return wiring


def draw_wirings(parameters: Parameters, seeds: Sequence[int]) -> NDArray[np.uint8]:
    """Draw which PNs the Kenyon cells of many larvae listen to; the seeds were checked: [B, K, P] uint8."""
    wiring = np.zeros((len(seeds), N_KCS, N_PNS), dtype=np.uint8)
    _draw(sfc64_states(seeds, "wiring"), parameters.kc_claws_min, parameters.kc_claws_max, wiring)
    return wiring


@compiled
def _draw(rng: NDArray[np.uint64], fewest: int, most: int, wiring: NDArray[np.uint8]) -> None:
    """Draw as numpy's Generator.integers and Generator.choice without replacement do, number by number.

    Reference:
        Floyd's algorithm: Bentley & Floyd 1987, Commun. ACM 30:754.
    """
    spare = np.empty(2, dtype=np.uint64)
    for larva in range(len(rng)):
        spare[1] = 0
        for kc in range(N_KCS):
            claws = fewest + up_to(rng[larva], spare, most - fewest)
            for last in range(N_PNS - claws, N_PNS):
                pn = up_to(rng[larva], spare, last)
                wiring[larva, kc, last if wiring[larva, kc, pn] else pn] = 1
            for last in range(claws - 1, 0, -1):  # numpy shuffles what it has chosen, which here has no order.
                up_to(rng[larva], spare, last)


def check_pn_to_kc(wiring: Any, larvae: int) -> NDArray[np.uint8]:
    """Return a given wiring as [B, K, P] uint8; one [K, P] serves every larva.

    Raises:
        InputError: the shape is another, or an entry is neither 0 nor 1, nor False nor True.
    """
    given = checks.numbers("pn_to_kc", wiring, booleans=True)
    shape = (larvae, N_KCS, N_PNS)
    if given.shape not in (shape[1:], shape):
        raise InputError(f"pn_to_kc must have shape {shape[1:]} or {shape}, got {given.shape}")
    if not np.isin(given, (0, 1)).all():
        raise InputError("pn_to_kc must hold only 0 and 1, got other values")
    return np.array(np.broadcast_to(given, shape), dtype=np.uint8)
