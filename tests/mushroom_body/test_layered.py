"""The layered form of the kernel against its plain form, whose loop is the description step by step."""

import random
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from kenyon.mushroom_body import Population, Record, kernel_constants, layered_larva
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.circuit import GROUPS, KC, N_CHANNELS, N_NEURONS, PN, per_neuron
from kenyon.mushroom_body.engines import Kernel
from kenyon.mushroom_body.larva import Larva
from kenyon.mushroom_body.manipulated import Manipulated, under
from kenyon.mushroom_body.parameters import BALANCED, LARVAL, PUBLISHED, Parameters
from kenyon.mushroom_body.state import State
from kenyon.mushroom_body.verification import load, own_files, replay
from tests.mushroom_body.manipulating import mild
from tests.mushroom_body.reference import EAGER

EVERYTHING = Record(spikes=True, variables=("v_mV", "w_kc_mbonp_nS", "w_kc_mbonn_nS", "eligibility"), every_ms=0.7)

SETS = {
    "published": PUBLISHED,
    "balanced": BALANCED,
    "larval": LARVAL,
    "every rule, eager": EAGER,
    "no refractoriness": PUBLISHED.replace(refractory_ms=0.0),
    "one step of it": PUBLISHED.replace(refractory_ms=0.1),
    "longer than a stretch": PUBLISHED.replace(refractory_ms=25.0),
    "fast learning without a floor": PUBLISHED.replace(learning_rate_nS=50.0, homeostasis=0.01),
    "every cell its own": BALANCED.replace(
        {"apl.adaptation_nS": 0.3, "dan.leak_nS": 4.0, "kc.threshold_mV": -45.0, "mbon.capacitance_pF": 70.0},
        inhibitory_tau_ms=3.0,
        adaptation_reversal_mV=-85.0,
    ),
    "manipulated": under(
        BALANCED,
        [
            "silence DANp",
            "silence KC[7]",
            "drive KC[3] 20pA",
            "drive MBONp 90pA",
            "cut MBONn>DANp",
            "scale APL>KC 0.5",
            "scale LN[4]>PN 3",
            "cut KC[9]>MBONp",
            "scale ORN[2]>PN 2",
            "cut PN[3]>KC",
        ],
    ),
    "excitable": BALANCED.replace(pn_kc_nS=6.0, apl_kc_nS=5.0, orn_pn_nS=40.0, orn_ln_nS=12.0),
}


@dataclass
class Life:
    """What larvae live through: constants, their state before, the drive, and how long each of some calls lasts."""

    parameters: Parameters
    state: State
    rates_hz: NDArray[np.float64]
    calls: list[NDArray[np.int64]]


def random_life(parameters: Parameters, larvae: int, rng: np.random.Generator) -> Life:
    """Draw larvae in any state that fits the layered form, and what happens to them."""
    if not isinstance(parameters, Manipulated) and rng.random() < 0.3:
        parameters = under(parameters, mild(random.Random(int(rng.integers(2**32))), parameters))
    state = states.newborn(parameters, [int(seed) for seed in rng.integers(0, 2**63, larvae)])
    for name, most in (("g_e_nS", 30.0), ("g_i_nS", 20.0), ("g_a_nS", 3.0)):
        values = getattr(state, name)
        values[:] = rng.uniform(0, most, values.shape) * 10.0 ** rng.choice(
            [0, -5, -90, -99, -102, -308, -320], values.shape
        )
        values[rng.random(values.shape) < 0.2] = 0.0
    state.v_mV[:] = rng.uniform(-90, -20, state.v_mV.shape)
    rest = np.broadcast_to(per_neuron(parameters, "rest_mV"), state.v_mV.shape)
    period = parameters.steps("refractory_ms", parameters.refractory_ms)
    if period > 1:
        held = rng.random(state.v_mV.shape) < 0.1
        state.refractory_steps[held] = rng.integers(1, period, held.sum())
        state.v_mV[held] = rest[held]
    diverged = rng.random(state.v_mV.shape) < 0.003
    diverged[0, rng.integers(N_NEURONS)] = True
    diverged &= state.refractory_steps == 0
    state.v_mV[diverged] = rng.choice([np.nan, np.inf, -np.inf, 1e308, -1e308], diverged.sum())
    for group in ("ORN", "LN"):
        state.g_i_nS[:, GROUPS[group]] = 0.0
    for group in ("PN", "LN"):
        state.g_a_nS[:, GROUPS[group]] = 0.0
    for group in ("PN", "KC"):
        state.g_i_nS[:, GROUPS[group]] = state.g_i_nS[:, GROUPS[group]][:, :1]
    state.w_kc_mbonp_nS[:] = rng.uniform(-20, 120, state.w_kc_mbonp_nS.shape)
    state.w_kc_mbonn_nS[:] = rng.uniform(-20, 120, state.w_kc_mbonn_nS.shape)
    for silent, trace, most in (("kc_silent_steps", "kc_eligibility", 1.0), ("dan_silent_steps", "dan_trace", 1e4)):
        shape = getattr(state, silent).shape
        getattr(state, silent)[:] = rng.choice([np.inf, 0.0, 17.0, 1e5, 1e12], shape)
        getattr(state, trace)[:] = rng.choice([0.0, 1e-6, 0.5, 1.0], shape) * most
    state.step[:] = rng.integers(0, 10**6, larvae)
    state.pn_to_kc[:] = rng.random(state.pn_to_kc.shape) < 0.2
    state.pn_to_kc[1::2] *= rng.uniform(0, 3, state.pn_to_kc[1::2].shape)  # as counts of synapses weigh
    rates_hz = rng.uniform(0, 1500, (larvae, N_CHANNELS)) * rng.choice(
        [0.0, 0.1, 1.0, 30.0], (larvae, N_CHANNELS), p=[0.2, 0.4, 0.3, 0.1]
    )
    rates_hz[rng.random(larvae) < 0.05] = 0.0
    lives = rng.random(larvae) < 0.95
    calls = [lives * rng.integers(0, most, larvae) for most in (700, 2500, 5)]
    return Life(parameters, state, rates_hz, calls)


def fits(parameters: Parameters, larva: np.void) -> bool:
    """Return whether the layered form takes a larva."""
    k = kernel_constants.constants(parameters)
    own = Larva(**{name: np.array(larva[name], ndmin=1) for name in states.VARIABLES})
    return bool(layered_larva.fits(own, max(1, k.refractory_steps), k))


def lived(life: Life, engine: Kernel, record: Record, *, plastic: bool) -> tuple[State, list[object]]:
    """Return the larvae afterward, and everything that was recorded."""
    state = states.copy(life.state)
    seen: list[object] = []
    for n_steps in life.calls:
        activity = engine.run(
            life.parameters, state, n_steps, rates_hz=life.rates_hz, plastic=plastic, record=record, threads=1
        )
        spikes = [own.tobytes() for own in activity.spikes or ()]
        seen += [activity.counts.tobytes(), spikes, {name: own.tobytes() for name, own in activity.samples.items()}]
    return state, seen


def kinds(life: Life, after: State, *, plastic: bool) -> Counter[str]:
    """Count larvae of every kind that an error would hide in."""
    before, p = life.state, life.parameters
    done = {own.kind for own in p.manipulations} if isinstance(p, Manipulated) else set()
    g = np.concatenate([before.g_e_nS, before.g_i_nS, before.g_a_nS], axis=1)
    lowest_nS = np.minimum(before.w_kc_mbonp_nS, before.w_kc_mbonn_nS).min(axis=1)
    steps = np.sum(life.calls, axis=0)
    of = {
        "subnormal": ((g != 0) & (np.abs(g) < np.finfo(np.float64).tiny)).any(axis=1),
        "diverged": ~np.isfinite(before.v_mV).all(axis=1),
        "diverged since": (np.isfinite(before.v_mV) & ~np.isfinite(after.v_mV)).any(axis=1),
        "refractory": before.refractory_steps.any(axis=1),
        "refractory at the end": after.refractory_steps.any(axis=1) & (steps > 0),
        "negative weights": lowest_nS < 0,
        "without input": ~life.rates_hz.any(axis=1),
        "left as it is": steps == 0,
        "not learning": np.full(len(before), not plastic),
        "silenced": np.full(len(before), "silence" in done),
        "driven": np.full(len(before), "drive" in done),
        "cut": np.full(len(before), "cut" in done),
        "scaled": np.full(len(before), "scale" in done),
    }
    return Counter({name: int(which.sum()) for name, which in of.items()}) + Counter(steps=int(steps.sum()))


def assert_equal_lives(
    parameters: Parameters, larvae: int, rng: np.random.Generator, *, everything: bool
) -> Counter[str]:
    """Let random larvae live in both forms, and count what they were."""
    life = random_life(parameters, larvae, rng)
    assert all(fits(life.parameters, larva) for larva in life.state.records)
    plastic = bool(rng.random() < 0.8)
    for record in (EVERYTHING, Record()) if everything else (Record(),):
        ours, seen = lived(life, Kernel(), record, plastic=plastic)
        plain, seen_plainly = lived(life, Kernel(layered=False), record, plastic=plastic)
        for name in states.VARIABLES:
            assert ours.records[name].tobytes() == plain.records[name].tobytes(), name
        assert seen == seen_plainly
    return kinds(life, ours, plastic=plastic)


@pytest.mark.parametrize("parameters", SETS.values(), ids=SETS.keys())
def test_the_forms_are_equal_bit_for_bit(parameters: Parameters) -> None:
    """From any state, however calls are cut: every variable, spike and sample, learning or not."""
    assert_equal_lives(parameters, 6, np.random.default_rng(1), everything=True)


@pytest.mark.long
def test_the_forms_are_equal_over_10_000_larva_seconds() -> None:
    """Bit for bit, with larvae of every kind among them, hundreds of each."""
    rng, count = np.random.default_rng(10_000), Counter[str]()
    for turn in range(400):
        for parameters in SETS.values():
            count += assert_equal_lives(parameters, 16, rng, everything=turn % 10 == 0)
    print(count)
    assert count.pop("steps") >= 10_000 / 1e-4
    assert len(count) == 13
    assert min(count.values()) >= 300, count


UNFIT = {
    "an ORN that is inhibited": ("g_i_nS", 3, 1.0),
    "an LN that adapts": ("g_a_nS", GROUPS["LN"].start, 1e-9),
    "PNs that are inhibited each its own way": ("g_i_nS", PN + 1, 2.0),
    "Kenyon cells likewise": ("g_i_nS", KC + 71, 2.0),
    "a conductance beyond all bounds": ("g_e_nS", N_NEURONS - 1, 1e200),
    "0 with a minus, where the others have none": ("g_i_nS", KC + 3, -0.0),
}


@pytest.mark.parametrize(("name", "neuron", "value"), UNFIT.values(), ids=UNFIT.keys())
def test_what_does_not_fit_goes_through_the_plain_form(name: str, neuron: int, value: float) -> None:
    """One larva among others, which go through the layered form; the numbers are the same."""
    life = random_life(BALANCED, 3, np.random.default_rng(1))
    getattr(life.state, name)[1, neuron] = value
    assert [fits(life.parameters, larva) for larva in life.state.records] == [True, False, True]
    ours, seen = lived(life, Kernel(), EVERYTHING, plastic=True)
    plain, seen_plainly = lived(life, Kernel(layered=False), EVERYTHING, plastic=True)
    assert ours.records.tobytes() == plain.records.tobytes()
    assert seen == seen_plainly


def test_a_held_cell_at_another_potential_than_its_reset_fits_the_plain_form_alone() -> None:
    """As after its parameters were changed: it is held where it is."""
    larva = states.newborn(BALANCED, [1])
    larva.refractory_steps[0, KC] = 5
    assert fits(BALANCED, larva.records[0])
    larva.v_mV[0, KC] += 1.0
    assert not fits(BALANCED, larva.records[0])


def test_excitation_that_pulls_elsewhere_than_to_0_is_for_the_plain_form() -> None:
    """In the layered form excitation is no current, but a leak."""
    larva = states.newborn(BALANCED, [1])
    assert fits(BALANCED, larva.records[0])
    assert not fits(BALANCED.replace(excitatory_reversal_mV=5.0), larva.records[0])


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.long] * (path.stem not in ("mixed", "larval_bounds")))
        for path in own_files()
    ],
)
def test_every_golden_spike_in_the_plain_form(path: object) -> None:
    """As `kenyon verify --plain` finds; the layered form is what all other tests go through."""
    verdict = replay(load(str(path)), Kernel(layered=False))
    assert verdict.identical, verdict


def test_given_input_goes_through_both_forms() -> None:
    """Events in the first and last step, on every channel at once, and none for long."""
    n_steps = 3000
    everything = [[step, channel] for step in (0, 1, 127, 128, 2000, n_steps - 1) for channel in range(N_CHANNELS)]
    larvae = [Population(BALANCED, [1, 2], engine=Kernel(layered=which)) for which in (True, False)]
    for one in larvae:
        one.advance_events([np.array(everything), np.empty((0, 2), dtype=np.int64)], n_steps / 10)
    assert larvae[0].state.records.tobytes() == larvae[1].state.records.tobytes()
