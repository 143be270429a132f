"""The parameters as compiled code wants them: per neuron, per connection, per step.

What is done to the circuit while it is manipulated is in them, so no step costs more with a manipulation than without.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon.mushroom_body.circuit import MOST_KCS, MOST_NEURONS, OUTPUTS, PLASTIC, Layout, layout, per_neuron
from kenyon.mushroom_body.manipulated import resting_mV, thresholds_mV, weights_nS
from kenyon.mushroom_body.parameters import Parameters

FloatArray = NDArray[np.float64]

SCALE, LEAK, REST, THRESHOLD, ADAPTATION, RESET = range(6)
"""Rows of `Constants.cells`."""


_BRIDGED_TAUS = 32
"""Over so many time constants an eligibility is referred to a step: the factors are then far from all bounds."""


class Constants(NamedTuple):
    """The parameters as the kernel wants them, with what is done to the circuit: per neuron, per connection, per step.

    Each neuron has numbers of its own, and so has each connection between groups, whichever parameter they come from.

    `n_kcs`, `n_neurons` and `outputs` are those of the `Layout`.

    What is of each neuron or Kenyon cell has room for the most there may be, and 0 behind the last.

    `cells` is [6, N] float64, of each neuron: dt over capacitance, leak, where leak and current move it, threshold
    (inf where it is silenced), adaptation and reset value.

    A connection from a group of several cells has a weight for each of them: [ORNs], [PNs], [LNs] or [K] float64.
    `kc_mbonp` and `kc_mbonn` are shares, for those weights are of each larva.
    """

    n_kcs: int
    n_neurons: int
    outputs: int
    cells: FloatArray
    excitatory_reversal_mV: float
    inhibitory_reversal_mV: float
    adaptation_reversal_mV: float
    excitatory_decay: float
    inhibitory_decay: float
    adaptation_decay: float
    refractory_steps: int
    input_orn_nS: float
    orn_pn_nS: FloatArray
    orn_ln_nS: FloatArray
    ln_pn_nS: FloatArray
    pn_kc_nS: FloatArray
    kc_apl_nS: FloatArray
    kc_mbonp: FloatArray
    kc_mbonn: FloatArray
    apl_kc_nS: float
    kc_mbon_nS: float
    mbonp_lnp_nS: float
    mbonn_lnn_nS: float
    mbonp_dann_nS: float
    mbonn_danp_nS: float
    lnp_danp_nS: float
    lnn_dann_nS: float
    reward_danp_nS: float
    punishment_dann_nS: float
    learning_rate_nS: float
    steps_per_eligibility_tau: float
    steps_per_reference: int
    homeostasis: float
    weight_floor_nS: float
    eligibility_step: float
    recovery: float
    potentiation: float
    steps_per_potentiation_tau: float
    steps_per_closing_tau: float
    weight_ceiling_nS: float
    input_shape: int


def constants(parameters: Parameters, which: Layout | None = None, *, plastic: bool = True) -> Constants:
    """Return the constants of a set, manipulated or not; without plasticity the weights stay as they are.

    Of the published circuit where no layout is given.
    """
    p, which = parameters, layout() if which is None else which
    cells = np.array(
        [
            p.dt_ms / per_neuron(p, "capacitance_pF", which),
            per_neuron(p, "leak_nS", which),
            resting_mV(p, which),
            thresholds_mV(p, which),
            per_neuron(p, "adaptation_nS", which),
            per_neuron(p, "rest_mV", which),
        ]
    )
    same_name = {name: getattr(p, name) for name in Constants._fields if hasattr(p, name)}
    return Constants(
        **{
            **same_name,
            "n_kcs": which.n_kcs,
            "n_neurons": which.n_neurons,
            "outputs": which.outputs,
            "cells": _with_room(cells, MOST_NEURONS),
            **_connections(p, which),
            "reward_danp_nS": p.reinforcement_dan_nS,
            "punishment_dann_nS": p.reinforcement_dan_nS,
            "excitatory_decay": 1.0 - p.dt_ms / p.excitatory_tau_ms,
            "inhibitory_decay": 1.0 - p.dt_ms / p.inhibitory_tau_ms,
            "adaptation_decay": 1.0 - p.dt_ms / p.adaptation_tau_ms,
            "refractory_steps": p.steps("refractory_ms", p.refractory_ms),
            "learning_rate_nS": p.learning_rate_nS if plastic else 0.0,
            "steps_per_eligibility_tau": p.eligibility_tau_ms / p.dt_ms,
            "steps_per_reference": max(1, int(_BRIDGED_TAUS * p.eligibility_tau_ms / p.dt_ms)),
            "homeostasis": p.homeostasis if plastic else 0.0,
            "weight_floor_nS": -math.inf if p.weight_floor_nS is None or not plastic else p.weight_floor_nS,
            "recovery": p.recovery if plastic else 0.0,
            "potentiation": p.potentiation if plastic else 0.0,
            "steps_per_potentiation_tau": p.potentiation_tau_ms / p.dt_ms,
            "steps_per_closing_tau": p.potentiation_closing_ms / p.dt_ms,
            "weight_ceiling_nS": p.ceiling_nS,
        }
    )


def _connections(parameters: Parameters, which: Layout) -> dict[str, FloatArray | float]:
    """Return the weights of all connections under the names of `Constants`."""
    weights: dict[str, FloatArray | float] = {}
    for name, own in weights_nS(parameters, which).items():
        source = name.partition(">")[0]
        several = _with_room(own, MOST_KCS) if source == "KC" else own
        called = name.lower().replace(">", "_") + ("" if name in PLASTIC else "_nS")
        weights[called] = float(own[0]) if source in OUTPUTS else several
    return weights


def _with_room(values: FloatArray, most: int) -> FloatArray:
    """Return values with 0 behind the last, so that code is compiled once for all circuits."""
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, most - values.shape[-1])])
