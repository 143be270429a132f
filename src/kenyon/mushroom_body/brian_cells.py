"""The neurons of a Brian2 network as arrays over larvae: larvae are put in, and input is delivered.

Reference: Stimberg, Brette & Goodman 2019, eLife 8:e47314.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kenyon.mushroom_body.arguments import IntArray
from kenyon.mushroom_body.brian_circuit import NEVER, input_wires
from kenyon.mushroom_body.circuit import DAN_P, LN_P, Layout, per_neuron
from kenyon.mushroom_body.parameters import Parameters
from kenyon.mushroom_body.state import State

MEMBRANE: Final = ("v_mV", "g_e_nS", "g_i_nS", "g_a_nS")
WEIGHTS: Final = ("w_kc_mbonp_nS", "w_kc_mbonn_nS")
_TRACES: Final = ("fired_step", "trace")
_COUNTERS: Final = ("release_step", "n_spikes")

# Conductances below the negligible are set to 0 before each run, which is too short for the others to end as
# subnormals, slow to compute with.
_NEGLIGIBLE: Final = 1e-100


class Cells:
    """The neurons of a network with a slot for each of some larvae.

    Args:
        parameters: The constants that they live under.
        cells: Which neuron is which.
        slots: How many larvae have room.
        neurons: The `NeuronGroup` of all of them.

    Attributes:
        x: Each variable of the neurons, [slots, N], which can be written to.
        kc: Where the Kenyon cells are.
        traced: Cells that leave a trace, by what a state calls the steps since their last spike and the trace.
    """

    def __init__(self, parameters: Parameters, cells: Layout, slots: int, neurons: Any) -> None:
        self._parameters, self._layout, self.kc = parameters, cells, cells.groups["KC"]
        dans = slice(cells.outputs + DAN_P, cells.outputs + LN_P)
        self.traced = {("kc_silent_steps", "kc_eligibility"): self.kc, ("dan_silent_steps", "dan_trace"): dans}
        names = (*MEMBRANE, *WEIGHTS, *_TRACES, *_COUNTERS)
        arrays = {name: neurons.variables[name].get_value() for name in names}
        self.x: dict[str, Any] = {name: own.reshape(slots, cells.n_neurons) for name, own in arrays.items()}

    def put(self, state: State, larvae: IntArray) -> None:
        """Put larvae into the first slots, as at the beginning of step 0; leave the others at rest."""
        x, here = self.x, slice(len(larvae))
        for name in MEMBRANE:
            x[name][:] = per_neuron(self._parameters, "rest_mV", self._layout) if name == "v_mV" else 0.0
            x[name][here] = getattr(state, name)[larvae]
            x[name][np.abs(x[name]) < _NEGLIGIBLE] = 0.0
        for name in WEIGHTS:
            x[name][here, self.kc] = getattr(state, name)[larvae]
        x["release_step"][here] = state.refractory_steps[larvae]
        for (silent_steps, trace), cells in self.traced.items():
            x["fired_step"][here, cells] = -np.minimum(getattr(state, silent_steps)[larvae], NEVER)
            x["trace"][here, cells] = getattr(state, trace)[larvae]
        x["n_spikes"][:] = 0

    def delivery(self, events: Sequence[NDArray[np.int32]], steps: int) -> Callable[[int], None]:
        """Return what delivers the input spikes of a step: exact at any step, and quicker than Brian2's own source.

        Args:
            events: Of the larva in each slot, [E, 2] (step, channel), sorted.
            steps: How many steps they are of.
        """
        target, input_nS = input_wires(self._parameters, self._layout)
        all_input_nS = np.zeros_like(self.x["g_e_nS"])
        all_input_nS[:, target] = input_nS
        all_input_nS, g_e_nS = all_input_nS.reshape(-1), self.x["g_e_nS"].reshape(-1)
        step = np.concatenate([own[:, 0] for own in events])
        neuron = np.concatenate([target[own[:, 1]] + slot * self._layout.n_neurons for slot, own in enumerate(events)])
        neuron = neuron[np.argsort(step.astype(np.uint16), kind="stable")]  # numpy sorts 16 bits in linear time.
        bounds = [0, *np.cumsum(np.bincount(step, minlength=steps)).tolist()]

        def deliver(step: int) -> None:
            due = neuron[bounds[step] : bounds[step + 1]]
            if due.size > 0:
                g_e_nS[due] += all_input_nS[due]

        return deliver
