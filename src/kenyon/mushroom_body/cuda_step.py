"""One step of a larva on a GPU, as each lane of its warp does it, in the order and arithmetic of `kernel`.

Every sum has its terms in the same order, and products are fused with sums where they are there. What passes between
lanes is who has fired, by a vote over the warp, and the weights of Kenyon cells that have, which lie in shared memory.
"""

from typing import Any

from numba import boolean, cuda, float64, uint32

from kenyon.mushroom_body.circuit import N_PNS
from kenyon.mushroom_body.cuda_layout import (
    FIRST_SLOT,
    IN_APL,
    IN_DAN_N,
    IN_DAN_P,
    IN_LN_N,
    IN_LN_P,
    IN_MBON_N,
    IN_MBON_P,
    KC_LANE,
    KC_LANES,
    KC_SLOT,
    KC_SLOTS,
    LN_SLOT,
    ORN_LANES,
    OUTPUT_LANES,
    PN_LANES,
    SLOTS,
)
from kenyon.mushroom_body.cuda_warp import ALL_LANES, LANES, as_on_processor, ballot, device, fused, product, sync
from kenyon.mushroom_body.exponential import exponential
from kenyon.mushroom_body.plasticity import PUNISHED, REWARDED

V, G_E, G_I, G_A = range(4)
SCALE, LEAK, LEAK_CURRENT, THRESHOLD = range(4)
"""Rows of what a lane holds of each of its neurons: its state, and what of its constants each step needs."""

AT_SPIKE, DAN_TRACE, DAN_FIRED = range(3)
"""Rows of the traces of a larva: of each Kenyon cell its eligibility at its last spike; of each dopamine neuron its
trace at its last spike, and the step of it."""

_exponential = as_on_processor(exponential)


@device
def integrate(step: int, x: Any, c: Any, release: Any, masks: Any, k: Any) -> None:
    """Move a lane's neurons one Euler step on, and have the warp say in which lanes each slot is above its threshold.

    Term by term over all slots, not slot by slot: while one waits for a result, the others are computed.
    """
    total, current = cuda.local.array(SLOTS, float64), cuda.local.array(SLOTS, float64)
    above = cuda.local.array(SLOTS, boolean)
    for slot in range(SLOTS):
        total[slot] = c[LEAK, slot] + x[G_I, slot] + x[G_E, slot] + x[G_A, slot]
    for slot in range(SLOTS):
        current[slot] = c[LEAK_CURRENT, slot] + product(x[G_I, slot], k.inhibitory_reversal_mV)
        x[G_I, slot] = product(x[G_I, slot], k.inhibitory_decay)
    for slot in range(SLOTS):
        current[slot] = fused(x[G_E, slot], k.excitatory_reversal_mV, current[slot])
        x[G_E, slot] = product(x[G_E, slot], k.excitatory_decay)
    for slot in range(SLOTS):
        current[slot] = fused(x[G_A, slot], k.adaptation_reversal_mV, current[slot])
        x[G_A, slot] = product(x[G_A, slot], k.adaptation_decay)
    for slot in range(SLOTS):
        current[slot] = fused(-total[slot], x[V, slot], current[slot])
    for slot in range(SLOTS):
        x[V, slot] = fused(0.0 if release[slot] > step else c[SCALE, slot], current[slot], x[V, slot])
    for slot in range(SLOTS):
        above[slot] = x[V, slot] > c[THRESHOLD, slot]
    for slot in range(SLOTS):
        masks[slot] = ballot(above[slot])


@device
def transmit(masks: Any, lane: int, own: int, x: Any, wired: Any, weights: Any, k: Any) -> None:
    """Let a lane's neurons have what those that fired, in whichever lane, give to them; `own` is the lane's bit."""
    if masks[FIRST_SLOT] & own & ORN_LANES:
        x[G_E, KC_SLOT] += k.orn_pn_nS[lane]
        x[G_E, LN_SLOT] += k.orn_ln_nS[lane]
    pns = uint32(masks[KC_SLOT] & PN_LANES)
    while pns != 0:
        pn = cuda.ffs(pns) - 1
        pns = uint32(pns & (pns - 1))
        for place in range(KC_SLOTS):
            x[G_E, KC_SLOT + place] += k.pn_kc_nS[pn] if wired[place] & uint32(1 << pn) else 0.0
    lns = masks[LN_SLOT]
    while lns != 0:
        ln = cuda.ffs(lns) - 1
        lns = uint32(lns & (lns - 1))
        if lane < N_PNS:
            x[G_I, KC_SLOT] += k.ln_pn_nS[ln]
    for place in range(KC_SLOTS):
        kcs = uint32(masks[KC_SLOT + place] & (KC_LANES if place == 0 else ALL_LANES))
        while kcs != 0:
            kc = place * LANES + cuda.ffs(kcs) - 1 - KC_LANE
            kcs = uint32(kcs & (kcs - 1))
            if lane == IN_APL:
                x[G_E, FIRST_SLOT] += k.kc_apl_nS[kc]
            elif lane == IN_MBON_P:
                x[G_E, FIRST_SLOT] += product(k.kc_mbonp[kc], weights[0, kc])
            elif lane == IN_MBON_N:
                x[G_E, FIRST_SLOT] += product(k.kc_mbonn[kc], weights[1, kc])
    if masks[FIRST_SLOT] & OUTPUT_LANES:
        _feed_back(masks[FIRST_SLOT], lane, x, k)


@device
def _feed_back(fired: int, lane: int, x: Any, k: Any) -> None:
    """Let a lane's neurons have what MBONs, their feedback LNs and APL give to them."""
    if (fired >> IN_MBON_P) & 1:
        if lane == IN_LN_P:
            x[G_E, FIRST_SLOT] += k.mbonp_lnp_nS
        elif lane == IN_DAN_N:
            x[G_E, FIRST_SLOT] += k.mbonp_dann_nS
    if (fired >> IN_MBON_N) & 1:
        if lane == IN_LN_N:
            x[G_E, FIRST_SLOT] += k.mbonn_lnn_nS
        elif lane == IN_DAN_P:
            x[G_E, FIRST_SLOT] += k.mbonn_danp_nS
    if lane == IN_DAN_P and (fired >> IN_LN_P) & 1:
        x[G_I, FIRST_SLOT] += k.lnp_danp_nS
    elif lane == IN_DAN_N and (fired >> IN_LN_N) & 1:
        x[G_I, FIRST_SLOT] += k.lnn_dann_nS
    if (fired >> IN_APL) & 1:
        for place in range(KC_SLOTS):
            if place > 0 or lane >= KC_LANE:
                x[G_I, KC_SLOT + place] += k.apl_kc_nS


@device
def eligibility(kc: int, fired: float, step: int, traces: Any, k: Any) -> Any:
    """Return what is left of a Kenyon cell's eligibility."""
    return product(traces[AT_SPIKE, kc], _exponential(-(step - fired) / k.steps_per_eligibility_tau))


@device
def _dopamine_trace(dan: int, step: int, traces: Any, k: Any) -> Any:
    """Return what is left of a dopamine neuron's trace."""
    silent = step - traces[DAN_FIRED, dan]
    return product(traces[DAN_TRACE, dan], _exponential(-silent / k.steps_per_potentiation_tau))


@device
def _potentiation_share(dan: int, step: int, traces: Any, k: Any) -> Any:
    """Return how much of its way to the ceiling a Kenyon cell's spike now takes a weight that a DAN teaches."""
    if k.potentiation == 0.0 or traces[DAN_TRACE, dan] == 0.0:
        return 0.0
    ended = 1.0 - _exponential(-(step - traces[DAN_FIRED, dan]) / k.steps_per_closing_tau)
    return min(1.0, product(product(k.potentiation, _dopamine_trace(dan, step, traces, k)), ended))


@device
def learn_from_kcs(
    masks: Any, lane: int, own: int, step: int, weights: Any, kc_fired: Any, traces: Any, k: Any
) -> None:
    """Potentiation by each Kenyon cell of a lane that fired, then its eligibility."""
    if (masks[KC_SLOT] & KC_LANES) == 0 and (masks[KC_SLOT + 1] | masks[KC_SLOT + 2]) == 0:
        return
    to_mbonp = _potentiation_share(PUNISHED, step, traces, k)
    to_mbonn = _potentiation_share(REWARDED, step, traces, k)
    potentiated = to_mbonp != 0.0 or to_mbonn != 0.0
    if potentiated:
        sync()  # MBONs have had the weights from before.
    for place in range(KC_SLOTS):
        kc = place * LANES + lane - KC_LANE
        if kc >= 0 and masks[KC_SLOT + place] & own:
            if potentiated:
                weights[0, kc] += product(to_mbonp, k.weight_ceiling_nS - weights[0, kc])
                weights[1, kc] += product(to_mbonn, k.weight_ceiling_nS - weights[1, kc])
            if k.eligibility_step == 1.0:
                traces[AT_SPIKE, kc] = 1.0
            else:
                left = eligibility(kc, kc_fired[place], step, traces, k)
                traces[AT_SPIKE, kc] = left + product(k.eligibility_step, 1.0 - left)
            kc_fired[place] = step
    if potentiated:
        sync()


@device
def learn(fired: int, lane: int, step: int, age: int, weights: Any, kc_fired: Any, traces: Any, k: Any) -> None:
    """Depression for each DAN that fired, then what each MBON restores, of the weights of a lane's Kenyon cells."""
    for dan in range(2):
        if lane == IN_DAN_P + dan and (fired >> lane) & 1:
            traces[DAN_TRACE, dan] = _dopamine_trace(dan, step, traces, k) + 1.0
            traces[DAN_FIRED, dan] = step
    restoring = k.recovery > 0.0 and fired & (1 << IN_MBON_P | 1 << IN_MBON_N)
    reference = step - (age + step) % k.steps_per_reference  # As in `plasticity`.
    share = product(k.recovery, _exponential(-(step - reference) / k.steps_per_eligibility_tau)) if restoring else 0.0
    for place in range(KC_SLOTS):
        kc = place * LANES + lane - KC_LANE
        if kc >= 0:
            depression = recovered = 0.0
            if fired & (1 << IN_DAN_P | 1 << IN_DAN_N):
                depression = product(k.learning_rate_nS, eligibility(kc, kc_fired[place], step, traces, k))
            if restoring:
                since = _exponential((kc_fired[place] - reference) / k.steps_per_eligibility_tau)
                recovered = product(share, product(traces[AT_SPIKE, kc], since))
            if (fired >> IN_DAN_P) & 1:
                weights[1, kc] = max(k.weight_floor_nS, weights[1, kc] - depression)
            if (fired >> IN_DAN_N) & 1:
                weights[0, kc] = max(k.weight_floor_nS, weights[0, kc] - depression)
            for side in range(2):
                if (fired >> (IN_MBON_P + side)) & 1:
                    weights[side, kc] += product(k.homeostasis, k.kc_mbon_nS - weights[side, kc])
                    if restoring:
                        weights[side, kc] += product(recovered, k.kc_mbon_nS - weights[side, kc])
