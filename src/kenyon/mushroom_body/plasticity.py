"""The learning rules, each as what one spike does to the weights, with the traces that they read.

Within a step, after conductances have had the weights from before: each Kenyon cell that fired potentiates its weights
and raises its eligibility; then each dopamine neuron (DAN) raises its trace and depresses, DANp first; then each MBON
restores, then recovers its own, MBONp first. DANp teaches KC>MBONn, and DANn teaches KC>MBONp.

Traces are kept as their value at the last spike, and decay exactly from there. MBONs fire often, so what they recover
reads eligibilities another way: each referred to one common step, from which all decay by one factor.

Reference: Jürgensen et al. 2024, iScience 27:108640 (depression, homeostasis).
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon.compiled import compiled, compiled_part, compiled_within
from kenyon.mushroom_body.circuit import MOST_KCS, N_DANS
from kenyon.mushroom_body.exponential import exponential
from kenyon.mushroom_body.kernel_constants import Constants

FloatArray = NDArray[np.float64]

REWARDED: Final = 0
PUNISHED: Final = 1
"""Which dopamine neuron it is: DANp, DANn."""

_NONE = np.iinfo(np.int64).min


class Traces(NamedTuple):
    """What the rules read of a larva besides its weights, while it is worked on.

    Steps count from the start of the call: negative before it, -inf for never.

    Attributes:
        kc_fired: [K] float64, the step of each Kenyon cell's last spike.
        kc_eligibility: [K] float64, its eligibility at that spike.
        dan_fired: [D] float64, the step of each dopamine neuron's last spike.
        dan_trace: [D] float64, its trace at that spike.
        kc_referred: [K] float64, the eligibility of each Kenyon cell referred to a common step: times what decays from
            there to a later step, it is its eligibility at that. Only where there is recovery.
        reference: [2] int64, the larva's age at the start of the call, and the common step.
    """

    kc_fired: FloatArray
    kc_eligibility: FloatArray
    dan_fired: FloatArray
    dan_trace: FloatArray
    kc_referred: FloatArray
    reference: NDArray[np.int64]


@compiled_within
def no_traces() -> Traces:
    """Return room for the traces of one larva after the other."""
    of_dans = np.empty(N_DANS), np.empty(N_DANS)
    return Traces(np.empty(MOST_KCS), np.empty(MOST_KCS), *of_dans, np.empty(MOST_KCS), np.empty(2, dtype=np.int64))


@compiled_part
def load_traces(state: Any, t: Traces) -> None:
    """Copy a larva's traces to where they are worked on."""
    for kc in range(state.kc_silent_steps.size):
        t.kc_fired[kc] = -state.kc_silent_steps[kc]
        t.kc_eligibility[kc] = state.kc_eligibility[kc]
    for dan in range(N_DANS):
        t.dan_fired[dan] = -state.dan_silent_steps[dan]
        t.dan_trace[dan] = state.dan_trace[dan]
    t.reference[0], t.reference[1] = state.step[0], _NONE


@compiled_part
def store_traces(state: Any, n_steps: int, t: Traces) -> None:
    """Copy a larva's traces back, after so many steps."""
    for kc in range(state.kc_silent_steps.size):
        state.kc_silent_steps[kc] = n_steps - t.kc_fired[kc]
        state.kc_eligibility[kc] = t.kc_eligibility[kc]
    for dan in range(N_DANS):
        state.dan_silent_steps[dan] = n_steps - t.dan_fired[dan]
        state.dan_trace[dan] = t.dan_trace[dan]


@compiled
def eligibility(kc: int, step: int, t: Traces, k: Constants) -> Any:
    """Return what is left of a Kenyon cell's eligibility."""
    return t.kc_eligibility[kc] * exponential(-(step - t.kc_fired[kc]) / k.steps_per_eligibility_tau)


@compiled
def _refer(kc: int, t: Traces, k: Constants) -> None:
    """Refer a Kenyon cell's eligibility to the common step, be its last spike before or after that."""
    t.kc_referred[kc] = t.kc_eligibility[kc] * exponential(
        (t.kc_fired[kc] - t.reference[1]) / k.steps_per_eligibility_tau
    )


@compiled
def _renew_reference(step: int, t: Traces, k: Constants) -> None:
    """Let the common step be no longer past than factors can bridge; by age, so that it is the same in any call."""
    first = step - (t.reference[0] + step) % k.steps_per_reference
    if t.reference[1] != first:
        t.reference[1] = first
        for kc in range(k.n_kcs):
            _refer(kc, t, k)


@compiled
def dopamine_trace(dan: int, step: int, t: Traces, k: Constants) -> Any:
    """Return what is left of a dopamine neuron's trace."""
    return t.dan_trace[dan] * exponential(-(step - t.dan_fired[dan]) / k.steps_per_potentiation_tau)


@compiled
def potentiation_share(dan: int, step: int, t: Traces, k: Constants) -> Any:
    """Return how much of its way to the ceiling a Kenyon cell's spike now takes a weight that a DAN teaches.

    The same for all cells of a step. It is 0 while dopamine is released, and largest a while after that.
    """
    if k.potentiation == 0.0 or t.dan_trace[dan] == 0.0:
        return 0.0
    ended = 1.0 - exponential(-(step - t.dan_fired[dan]) / k.steps_per_closing_tau)
    return min(1.0, k.potentiation * dopamine_trace(dan, step, t, k) * ended)


@compiled
def potentiate(w: FloatArray, kc: int, share: float, k: Constants) -> None:
    """One spike of a Kenyon cell: move a weight of its a share of the way to the ceiling."""
    w[kc] += share * (k.weight_ceiling_nS - w[kc])


@compiled
def mark_kc(kc: int, step: int, t: Traces, k: Constants) -> None:
    """One spike of a Kenyon cell: raise its eligibility a share of the way to 1."""
    if k.eligibility_step == 1.0:
        t.kc_eligibility[kc] = 1.0
    else:
        left = eligibility(kc, step, t, k)
        t.kc_eligibility[kc] = left + k.eligibility_step * (1.0 - left)
    t.kc_fired[kc] = step
    if k.recovery > 0.0:
        _renew_reference(step, t, k)
        _refer(kc, t, k)


@compiled
def mark_dan(dan: int, step: int, t: Traces, k: Constants) -> None:
    """One spike of a dopamine neuron: raise its trace by 1."""
    t.dan_trace[dan] = dopamine_trace(dan, step, t, k) + 1.0
    t.dan_fired[dan] = step


@compiled
def depress(w: FloatArray, step: int, t: Traces, k: Constants) -> None:
    """One spike of a dopamine neuron: take the learning rate times its eligibility off each weight, to the floor."""
    for kc in range(w.size):
        w[kc] = max(k.weight_floor_nS, w[kc] - k.learning_rate_nS * eligibility(kc, step, t, k))


@compiled
def restore(w: FloatArray, k: Constants) -> None:
    """One spike of an MBON: move each of its weights a share of the way back to where they start."""
    for kc in range(w.size):
        w[kc] += k.homeostasis * (k.kc_mbon_nS - w[kc])


@compiled_part
def recover(w: FloatArray, step: int, t: Traces, k: Constants) -> None:
    """One spike of an MBON: move each of its weights toward where they start, as far as its cell is eligible."""
    _renew_reference(step, t, k)
    share = k.recovery * exponential(-(step - t.reference[1]) / k.steps_per_eligibility_tau)
    for kc in range(w.size):
        w[kc] += share * t.kc_referred[kc] * (k.kc_mbon_nS - w[kc])


@compiled_part
def learn(
    danp: bool,
    dann: bool,
    mbonp: bool,
    mbonn: bool,
    step: int,
    w_p: FloatArray,
    w_n: FloatArray,
    t: Traces,
    k: Constants,
) -> None:
    """Do what follows from the spikes of dopamine neurons and MBONs in a step: which of them fired is given."""
    if danp:
        mark_dan(REWARDED, step, t, k)
        depress(w_n, step, t, k)
    if dann:
        mark_dan(PUNISHED, step, t, k)
        depress(w_p, step, t, k)
    if mbonp:
        restore(w_p, k)
    if mbonn:
        restore(w_n, k)
    if k.recovery > 0.0 and mbonp:
        recover(w_p, step, t, k)
    if k.recovery > 0.0 and mbonn:
        recover(w_n, step, t, k)
