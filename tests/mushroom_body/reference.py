"""The circuit and its input written down plainly, step by step from the published description, as slow as need be.

Nothing here is shared with the package but the constants: it is what the compiled kernel is held against.
"""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kenyon.mushroom_body.parameters import BALANCED, Parameters

TYPES = [("orn", 21), ("pn", 21), ("ln", 21), ("kc", 72), ("mbon", 2), ("dan", 2), ("feedback_ln", 2), ("apl", 1)]

EAGER = BALANCED.replace(
    eligibility_step=0.3,
    recovery=0.02,
    homeostasis=0.002,
    learning_rate_nS=6.0,
    potentiation=0.5,
    potentiation_tau_ms=400.0,
    potentiation_closing_ms=3.0,
    weight_floor_nS=70.0,
)
"""Every rule, so strong that weights reach floor and ceiling within tenths of a second."""


def simulate(
    p: Parameters,
    pn_to_kc: NDArray[np.uint8],
    events: NDArray[np.int32],
    n_steps: int,
    *,
    born: Parameters | None = None,
    silent: tuple[int, ...] = (),
    current_pA: Callable[[int], float] = lambda _neuron: 0.0,
    passes: Callable[[int, str], float] = lambda _source, _target: 1.0,
) -> tuple[list[tuple[int, int]], NDArray[np.float64], NDArray[np.float64]]:
    """Return spikes (step, neuron) and the weights onto MBONp and MBONn at the end.

    The circuit begins as a newborn one does under the constants `born`, if others than `p`. Neurons in `silent` fire
    no spike, each has a constant current, and of a spike of a neuron a group of cells gets a multiple of the weight,
    which `passes` says.
    """

    @cache
    def each(name: str, of: Parameters = p) -> NDArray[np.float64]:
        return np.concatenate([np.full(n, getattr(getattr(of, cell), name)) for cell, n in TYPES])

    orn, pn, ln, kc = (np.arange(first, last) for first, last in ((0, 21), (21, 42), (42, 63), (63, 135)))
    mbonp, mbonn, danp, dann, lnp, lnn, apl = range(135, 142)
    v = each("rest_mV", born or p).copy()
    g_e, g_i, g_a = (each("rest_mV") * 0.0 for _ in range(3))
    last_spike = np.full(142, -np.inf)
    w_p, w_n = (each("rest_mV")[:72] * 0.0 + (born or p).kc_mbon_nS for _ in range(2))
    eligible, dopamine = np.zeros(72), {danp: 0.0, dann: 0.0}
    ceiling = 2 * p.kc_mbon_nS if p.weight_ceiling_nS is None else p.weight_ceiling_nS
    floor = -math.inf if p.weight_floor_nS is None else p.weight_floor_nS
    refractory = round(p.refractory_ms / p.dt_ms)
    dt = p.dt_ms
    injected = np.array([current_pA(i) for i in range(142)])
    spikes: list[tuple[int, int]] = []
    inputs: dict[int, list[int]] = {}
    for step, channel in events:
        inputs.setdefault(int(step), []).append(int(channel))

    for step in range(n_steps):
        # 1. integrate, every right-hand side from the step before
        current = each("leak_nS") * (each("rest_mV") - v)
        current += g_e * (p.excitatory_reversal_mV - v)
        current += g_i * (p.inhibitory_reversal_mV - v)
        current += g_a * (p.adaptation_reversal_mV - v)
        current += injected
        free = step - last_spike >= refractory
        v = np.where(free, v + dt / each("capacitance_pF") * current, v)
        g_e = g_e - dt * g_e / p.excitatory_tau_ms
        g_i = g_i - dt * g_i / p.inhibitory_tau_ms
        g_a = g_a - dt * g_a / p.adaptation_tau_ms
        # 2. threshold
        fired = np.flatnonzero((v > each("threshold_mV")) & free)
        fired = np.array([i for i in fired if i not in silent], dtype=int)
        spikes += [(step, int(i)) for i in fired]
        # 3. synaptic effects: conductances and traces
        for channel in inputs.get(step, []):
            target, weight = (orn[channel], p.input_orn_nS) if channel < 21 else (danp, p.reinforcement_dan_nS)
            g_e[dann if channel == 22 else target] += weight
        last_kc = last_spike[kc]
        for i in fired:
            if i in orn:
                g_e[pn[i]] += p.orn_pn_nS * passes(i, "PN")
                g_e[ln[i]] += p.orn_ln_nS * passes(i, "LN")
            elif i in pn:
                g_e[kc] += p.pn_kc_nS * passes(i, "KC") * pn_to_kc[:, i - 21]
            elif i in ln:
                g_i[pn] += p.ln_pn_nS * passes(i, "PN")
            elif i in kc:
                g_e[apl] += p.kc_apl_nS * passes(i, "APL")
                g_e[mbonp] += w_p[i - 63] * passes(i, "MBONp")
                g_e[mbonn] += w_n[i - 63] * passes(i, "MBONn")
                decayed = eligible[i - 63] * math.exp(-(step - last_kc[i - 63]) * dt / p.eligibility_tau_ms)
                eligible[i - 63] = decayed + p.eligibility_step * (1 - decayed)
                last_kc[i - 63] = step
                for w, dan in ((w_p, dann), (w_n, danp)):
                    since_ms = (step - last_spike[dan]) * dt
                    share = p.potentiation * dopamine[dan] * math.exp(-since_ms / p.potentiation_tau_ms)
                    share *= 1 - math.exp(-since_ms / p.potentiation_closing_ms)
                    w[i - 63] += min(1, share) * (ceiling - w[i - 63])
            elif i == apl:
                g_i[kc] += p.apl_kc_nS * passes(i, "KC")
        for source, conductance, target, group, weight in (
            (mbonp, g_e, lnp, "LNp", p.mbon_feedback_ln_nS),
            (mbonn, g_e, lnn, "LNn", p.mbon_feedback_ln_nS),
            (mbonn, g_e, danp, "DANp", p.mbon_dan_nS),
            (mbonp, g_e, dann, "DANn", p.mbon_dan_nS),
            (lnp, g_i, danp, "DANp", p.feedback_ln_dan_nS),
            (lnn, g_i, dann, "DANn", p.feedback_ln_dan_nS),
        ):
            if source in fired:
                conductance[target] += weight * passes(source, group)
        # then depression, then homeostasis and recovery
        trace = eligible * np.exp(-(step - last_kc) * dt / p.eligibility_tau_ms)
        for dan in (danp, dann):
            if dan in fired:
                decay = math.exp(-(step - last_spike[dan]) * dt / p.potentiation_tau_ms)
                dopamine[dan] = dopamine[dan] * decay + 1
        if danp in fired:
            w_n = np.maximum(floor, w_n - p.learning_rate_nS * trace)
        if dann in fired:
            w_p = np.maximum(floor, w_p - p.learning_rate_nS * trace)
        if mbonp in fired:
            w_p = w_p + p.homeostasis * (p.kc_mbon_nS - w_p)
            w_p = w_p + p.recovery * trace * (p.kc_mbon_nS - w_p)
        if mbonn in fired:
            w_n = w_n + p.homeostasis * (p.kc_mbon_nS - w_n)
            w_n = w_n + p.recovery * trace * (p.kc_mbon_nS - w_n)
        # 4. reset
        v[fired] = each("rest_mV")[fired]
        g_a[fired] += each("adaptation_nS")[fired]
        last_spike[fired] = step
    return spikes, w_p, w_n


def input_steps(seed: int, channel: int, rate_hz: float, p: Parameters, n_steps: int) -> list[int]:
    """Return the steps in which an input channel of a larva fires, drawn with numpy's own generator."""
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(1, channel))))

    def interval() -> float:
        return -math.log(math.prod(1.0 - rng.random() for _ in range(p.input_shape))) / p.input_shape

    left, steps = interval(), []
    for step in range(n_steps):
        left -= rate_hz * p.dt_ms * 1e-3
        if left <= 0.0:
            steps.append(step)
        while left <= 0.0:
            left += interval()
    return steps
