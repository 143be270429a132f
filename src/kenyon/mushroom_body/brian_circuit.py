"""The circuit as equations and connections, as Brian2 takes them.

One step is Brian2's own: integrate; threshold; synapses (conductances, potentiation, traces, depression, and what MBONs
restore); reset. The weights of a Kenyon cell's two plastic synapses are variables of the cell, where dopamine neurons
and MBONs, connected to it, can reach them. Each cell that leaves a trace is connected to itself, by one synapse, so
that a spike of it is marked once.

Reference: Jürgensen et al. 2024, iScience 27:108640; Stimberg, Brette & Goodman 2019, eLife 8:e47314.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kenyon.mushroom_body.brian_setup import import_brian2
from kenyon.mushroom_body.circuit import DAN_P, N_CHANNELS, PN, REWARD, Layout, layout, per_neuron
from kenyon.mushroom_body.manipulated import resting_mV, thresholds_mV, weights_nS
from kenyon.mushroom_body.parameters import Parameters

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

NEURON = """
dv_mV/dt = int(t_in_timesteps >= release_step) * per_capacitance / ms * (
    leak_nS * (resting_mV - v_mV)
    + g_e_nS * (excitatory_reversal_mV - v_mV)
    + g_i_nS * (inhibitory_reversal_mV - v_mV)
    + g_a_nS * (adaptation_reversal_mV - v_mV)) : 1
dg_e_nS/dt = -g_e_nS / (excitatory_tau_ms * ms) : 1
dg_i_nS/dt = -g_i_nS / (inhibitory_tau_ms * ms) : 1
dg_a_nS/dt = -g_a_nS / (adaptation_tau_ms * ms) : 1
per_capacitance : 1 (constant)
leak_nS : 1 (constant)
resting_mV : 1 (constant)
reset_mV : 1 (constant)
threshold_mV : 1 (constant)
adaptation_nS : 1 (constant)
w_kc_mbonp_nS : 1
w_kc_mbonn_nS : 1
release_step : integer
fired_step : 1
trace : 1
n_spikes : integer
"""

RESET = """
v_mV = reset_mV
g_a_nS += adaptation_nS
release_step = t_in_timesteps + refractory_steps
n_spikes += 1
"""

TRANSMISSION = """
g_e_nS_post += excitation_nS + plastic_p * w_kc_mbonp_nS_pre + plastic_n * w_kc_mbonn_nS_pre
g_i_nS_post += inhibition_nS
"""

# Of a dopamine neuron's synapse, when the Kenyon cell fires.
POTENTIATION = """
silent_ms = (t_in_timesteps - fired_step_pre) * dt / ms
open = (1 - exp(-silent_ms / potentiation_closing_ms)) * exp(-silent_ms / potentiation_tau_ms)
share = clip(potentiation * trace_pre * open, 0, 1)
w_kc_mbonp_nS_post += plastic_p * share * (weight_ceiling_nS - w_kc_mbonp_nS_post)
w_kc_mbonn_nS_post += plastic_n * share * (weight_ceiling_nS - w_kc_mbonn_nS_post)
"""

# The eligibility of a Kenyon cell rises toward 1, the trace of a dopamine neuron without a bound.
MARKING = """
left = trace_pre * exp((fired_step_pre - t_in_timesteps) * dt / (tau_ms * ms))
trace_pre = left + rise * (1 - bounded * left)
fired_step_pre = t_in_timesteps
"""

DEPRESSION = """
depression_nS = learning_rate_nS * trace_post * exp((fired_step_post - t_in_timesteps) * dt / (eligibility_tau_ms * ms))
w_kc_mbonp_nS_post = clip(w_kc_mbonp_nS_post - plastic_p * depression_nS, weight_floor_nS, inf)
w_kc_mbonn_nS_post = clip(w_kc_mbonn_nS_post - plastic_n * depression_nS, weight_floor_nS, inf)
"""

RESTORATION = """
recovered = recovery * trace_post * exp((fired_step_post - t_in_timesteps) * dt / (eligibility_tau_ms * ms))
w_kc_mbonp_nS_post += plastic_p * homeostasis * (kc_mbon_nS - w_kc_mbonp_nS_post)
w_kc_mbonn_nS_post += plastic_n * homeostasis * (kc_mbon_nS - w_kc_mbonn_nS_post)
w_kc_mbonp_nS_post += plastic_p * recovered * (kc_mbon_nS - w_kc_mbonp_nS_post)
w_kc_mbonn_nS_post += plastic_n * recovered * (kc_mbon_nS - w_kc_mbonn_nS_post)
"""


# Finite stand-ins for infinity, for Brian2 compiles with -ffast-math; no eligibility lasts for this many steps.
NEVER = 1e15
_NO_FLOOR = -1e300
_NO_THRESHOLD = 1e300


def constants(parameters: Parameters, *, plastic: bool = True) -> dict[str, Any]:
    """Return what the equations need from a set of constants, by name; without plasticity weights stay as they are."""
    floor = parameters.weight_floor_nS
    return {name: value for name, value in parameters.values().items() if "." not in name} | {
        "refractory_steps": parameters.steps("refractory_ms", parameters.refractory_ms),
        "learning_rate_nS": parameters.learning_rate_nS if plastic else 0.0,
        "homeostasis": parameters.homeostasis if plastic else 0.0,
        "weight_floor_nS": _NO_FLOOR if floor is None or not plastic else floor,
        "recovery": parameters.recovery if plastic else 0.0,
        "potentiation": parameters.potentiation if plastic else 0.0,
        "weight_ceiling_nS": parameters.ceiling_nS,
    }


class Rule(NamedTuple):
    """What synapses do.

    Attributes:
        order: When within a time step, among all synapses.
        on_pre: What a spike of their source does.
        strengths: Names of the numbers that each synapse has.
        on_post: What a spike of their target does.
        post_order: When that is.
    """

    order: int
    on_pre: str
    strengths: tuple[str, ...]
    on_post: str | None = None
    post_order: int = 0


_PLASTIC = ("plastic_p", "plastic_n")

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "transmission": Rule(0, TRANSMISSION, ("excitation_nS", "inhibition_nS", *_PLASTIC)),
        "marking": Rule(2, MARKING, ("rise", "bounded", "tau_ms")),
        "teaching": Rule(3, DEPRESSION, _PLASTIC, POTENTIATION, 1),
        "restoration": Rule(4, RESTORATION, _PLASTIC),
    }
)
"""All kinds of synapses, by name."""

Wires: TypeAlias = tuple[Any, ...]
"""Connections: numbers of neurons from, of neurons to, and a value for each strength of their rule."""


def build_circuit(parameters: Parameters, pn_to_kc: FloatArray, clock: Any) -> tuple[Any, ...]:
    """Describe circuits side by side to Brian2, newborn and without input, one for each wiring.

    Args:
        parameters: The set of constants, manipulated or not.
        pn_to_kc: [slots, K, P] float64, strengths; a synapse not wired is made as well, at 0 nS.
        clock: Brian2 `Clock`.

    Returns:
        `NeuronGroup` of slots * N neurons; `Synapses` of each rule. In each slot, transmission begins with the P * K
        synapses from PNs to KCs.
    """
    slots, cells = len(pn_to_kc), layout(pn_to_kc.shape[1])
    neurons = build_neurons(parameters, cells, slots, clock)
    wires = {"transmission": list(transmitting(parameters, pn_to_kc).values()), **plastic(parameters, cells)}
    return neurons, *(
        connect((neurons, neurons), f"kenyon_{name}", RULES[name], spread(own, slots, cells.n_neurons), clock)
        for name, own in wires.items()
    )


def build_neurons(
    parameters: Parameters, cells: Layout, slots: int, clock: Any, namespace: Mapping[str, Any] | None = None
) -> Any:
    """Return a `NeuronGroup` of slots * N neurons, newborn, which may know the constants of their equations."""
    # Names are part of the generated code: these, always the same, let it be compiled once for any number of slots.
    neurons = import_brian2().NeuronGroup(
        slots * cells.n_neurons,
        NEURON,
        threshold="v_mV > threshold_mV",
        reset=RESET,
        method="euler",
        clock=clock,
        name="kenyon_neurons",
        namespace=namespace,
    )
    of_cell = {
        "per_capacitance": 1.0 / per_neuron(parameters, "capacitance_pF", cells),
        "leak_nS": per_neuron(parameters, "leak_nS", cells),
        "resting_mV": resting_mV(parameters, cells),
        "reset_mV": per_neuron(parameters, "rest_mV", cells),
        "threshold_mV": np.minimum(thresholds_mV(parameters, cells), _NO_THRESHOLD),
        "adaptation_nS": per_neuron(parameters, "adaptation_nS", cells),
        "v_mV": per_neuron(parameters, "rest_mV", cells),
    }
    for name, values in of_cell.items():
        setattr(neurons, name, np.tile(values, slots))
    neurons.fired_step = -NEVER
    neurons.w_kc_mbonp_nS = neurons.w_kc_mbonn_nS = parameters.kc_mbon_nS
    return neurons


def spread(wires: Sequence[Wires], slots: int, n_neurons: int) -> FloatArray:
    """Return a row for each synapse in each slot: from, to, and its strengths."""
    each_slot = np.arange(slots)[:, None, None]
    tables = [np.reshape(np.broadcast_arrays(*wire, each_slot), (len(wire) + 1, slots, -1)) for wire in wires]
    *columns, slot = np.concatenate(tables, axis=2).reshape(len(tables[0]), -1)
    table: FloatArray = np.array(columns)
    table[:2] += slot * n_neurons
    return table


def connect(
    ends: tuple[Any, Any], name: str, rule: Rule, table: FloatArray, clock: Any,
    namespace: Mapping[str, Any] | None = None,
) -> Any:  # fmt: skip
    """Return `Synapses` from one group to another, those of a table as `spread` gives it."""
    model = "\n".join(f"{strength} : 1 (constant)" for strength in rule.strengths)
    synapses = import_brian2().Synapses(
        *ends, model, on_pre=rule.on_pre, on_post=rule.on_post, clock=clock, name=name, namespace=namespace
    )
    source, target = table[:2].astype(int)
    synapses.connect(i=source, j=target)
    synapses.pre.order = rule.order
    if rule.on_post is not None:
        synapses.post.order = rule.post_order
    for strength, values in zip(rule.strengths, table[2:], strict=True):
        setattr(synapses, strength, values)
    return synapses


def plastic(p: Parameters, cells: Layout) -> dict[str, list[Wires]]:
    """Return the connections by which circuits learn, by their rules."""
    c = _numbers(cells)
    dans = np.concatenate((c["DANp"], c["DANn"]))
    return {
        "marking": [
            (c["KC"], c["KC"], p.eligibility_step, 1, p.eligibility_tau_ms),
            (dans, dans, 1, 0, p.potentiation_tau_ms),
        ],
        "teaching": [(c["DANn"], c["KC"], 1, 0), (c["DANp"], c["KC"], 0, 1)],
        "restoration": [(c["MBONp"], c["KC"], 1, 0), (c["MBONn"], c["KC"], 0, 1)],
    }


def _numbers(cells: Layout) -> dict[str, IntArray]:
    """Return the numbers of the neurons of each group."""
    return {group: np.arange(cells.n_neurons)[where] for group, where in cells.groups.items()}


def transmitting(p: Parameters, pn_to_kc: FloatArray) -> dict[str, Wires]:
    """Return the connections of circuits by name, those from PNs to KCs first."""
    cells = layout(pn_to_kc.shape[1])
    c, by = _numbers(cells), weights_nS(p, cells)
    return {
        "PN>KC": (c["PN"][:, None], c["KC"], pn_to_kc.transpose(0, 2, 1) * by["PN>KC"][:, None], 0, 0, 0),
        "ORN>PN": (c["ORN"], c["PN"], by["ORN>PN"], 0, 0, 0),
        "ORN>LN": (c["ORN"], c["LN"], by["ORN>LN"], 0, 0, 0),
        "LN>PN": (c["LN"][:, None], c["PN"], 0, by["LN>PN"][:, None], 0, 0),
        "KC>APL": (c["KC"], c["APL"], by["KC>APL"], 0, 0, 0),
        "APL>KC": (c["APL"], c["KC"], 0, by["APL>KC"], 0, 0),
        "KC>MBONp": (c["KC"], c["MBONp"], 0, 0, by["KC>MBONp"], 0),
        "KC>MBONn": (c["KC"], c["MBONn"], 0, 0, 0, by["KC>MBONn"]),
        "MBONp>LNp": (c["MBONp"], c["LNp"], by["MBONp>LNp"], 0, 0, 0),
        "MBONn>LNn": (c["MBONn"], c["LNn"], by["MBONn>LNn"], 0, 0, 0),
        "MBONn>DANp": (c["MBONn"], c["DANp"], by["MBONn>DANp"], 0, 0, 0),
        "MBONp>DANn": (c["MBONp"], c["DANn"], by["MBONp>DANn"], 0, 0, 0),
        "LNp>DANp": (c["LNp"], c["DANp"], 0, by["LNp>DANp"], 0, 0),
        "LNn>DANn": (c["LNn"], c["DANn"], 0, by["LNn>DANn"], 0, 0),
    }


def input_wires(parameters: Parameters, cells: Layout | None = None) -> tuple[IntArray, FloatArray]:
    """Return which neuron each input channel excites, [C] int64, and by how much, [C] float64, nS."""
    outputs = (layout() if cells is None else cells).outputs
    target = np.arange(N_CHANNELS) + np.where(np.arange(N_CHANNELS) < REWARD, 0, outputs + DAN_P - REWARD)
    return target, np.where(target < PN, parameters.input_orn_nS, parameters.reinforcement_dan_nS)
