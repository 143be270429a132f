import numpy as np
import pytest

from kenyon.mushroom_body import Population, Record
from kenyon.mushroom_body.inputs import draw_events, drive, start_channels
from kenyon.mushroom_body.parameters import BALANCED, LARVAL, PUBLISHED, Parameters
from kenyon.mushroom_body.verification import load, own_files, replay
from kenyon.mushroom_body.wiring import draw_pn_to_kc
from tests.mushroom_body.reference import EAGER, simulate

SETS = {
    "published": PUBLISHED,
    "balanced": BALANCED,
    "larval": LARVAL,
    "every rule, eager": EAGER,
    "graded eligibility": PUBLISHED.replace(eligibility_step=0.3, eligibility_tau_ms=40.0, learning_rate_nS=2.0),
    "recovery beside homeostasis": PUBLISHED.replace(recovery=0.1, homeostasis=0.01, learning_rate_nS=3.0),
    "potentiation": PUBLISHED.replace(
        potentiation=0.05, potentiation_tau_ms=90.0, potentiation_closing_ms=4.0, weight_ceiling_nS=80.5
    ),
    "floor": PUBLISHED.replace(weight_floor_nS=79.9, learning_rate_nS=5.0),
    "finer steps": PUBLISHED.replace(dt_ms=0.05),
    "no refractoriness": PUBLISHED.replace(refractory_ms=0.0),
    "one step of refractoriness": PUBLISHED.replace(refractory_ms=0.1),
    "long refractoriness": PUBLISHED.replace(refractory_ms=25.0),
    "adapting PNs, other reversals": PUBLISHED.replace(
        {"pn.adaptation_nS": 0.5, "excitatory_reversal_mV": 5.0, "inhibitory_reversal_mV": -80.0, "homeostasis": 0.01}
    ),
}


@pytest.mark.parametrize("parameters", SETS.values(), ids=SETS.keys())
def test_the_kernel_is_the_plain_description(parameters: Parameters) -> None:
    """Every spike, and weights to 1e-9 nS, under both reinforcements, for sets near and far from the published one."""
    rng, ticks_left = start_channels(parameters, [3])
    rates = drive(parameters, "pentyl acetate", reward=2.0, punishment=1.5)
    n_steps = parameters.steps("duration", 400)
    events = draw_events(parameters, rng[0], ticks_left[0], rates, n_steps)
    wiring = draw_pn_to_kc(parameters, 3)

    larva = Population(parameters, [3], pn_to_kc=wiring)
    activity = larva.advance_events([events], 400, record=Record(spikes=True))
    spikes, w_p, w_n = simulate(parameters, wiring, events, n_steps)

    assert activity.spikes is not None
    assert len(spikes) > 400
    assert list(map(tuple, activity.spikes[0].tolist())) == spikes
    assert np.abs(larva.state.w_kc_mbonp_nS[0] - w_p).max() < 1e-9
    assert np.abs(larva.state.w_kc_mbonn_nS[0] - w_n).max() < 1e-9
    assert np.abs(w_p - parameters.kc_mbon_nS).max() > 0.01


@pytest.mark.parametrize("path", own_files(), ids=lambda path: path.stem)
def test_every_golden_spike(path: object) -> None:
    """The published network's spikes, every one, and its weights to 1e-9 nS."""
    verdict = replay(load(str(path)))
    assert verdict.identical, verdict
    assert verdict.spikes > 10_000


def test_golden_spikes_in_a_batch_whose_other_rows_differ() -> None:
    """The three published files together, among larvae with other input, on two threads, are what they are alone."""
    golden = [one for one in map(load, own_files()) if one.parameters == PUBLISHED]
    rng, ticks_left = start_channels(PUBLISHED, [8])
    noise = draw_events(PUBLISHED, rng[0], ticks_left[0], drive(PUBLISHED, "anisole", punishment=1.0), 50_000)
    wiring = np.array([one.pn_to_kc for one in golden] + [draw_pn_to_kc(PUBLISHED, 8)] * 2)
    larvae = Population(PUBLISHED, range(5), pn_to_kc=wiring, threads=2)
    activity = larvae.advance_events(
        [*(one.input_events for one in golden), noise, noise[:0]],
        [*(one.duration_ms for one in golden), 5000, 100],
        record=Record(spikes=True),
    )
    assert activity.spikes is not None
    for row, one in enumerate(golden):
        assert (activity.spikes[row] == one.spikes).all()
        assert np.abs(larvae.state.w_kc_mbonn_nS[row] - one.w_kc_mbonn_nS).max() < 1e-9


def test_drawn_and_given_input_are_one_path() -> None:
    """The events that a larva's streams give, handed over as given events, give the same spikes and state."""
    drawn, given = Population(BALANCED, [4]), Population(BALANCED, [4])
    drawn.stimulate("3-octanol", reward=1.0)
    rng, ticks_left = start_channels(BALANCED, [4])
    events = draw_events(BALANCED, rng[0], ticks_left[0], drawn.drive_hz[0], 20_000)
    one = drawn.advance(2000, record=Record(spikes=True))
    other = given.advance_events([events], 2000, record=Record(spikes=True))
    assert one.spikes is not None
    assert other.spikes is not None
    assert (one.spikes[0] == other.spikes[0]).all()
    assert (drawn.state.w_kc_mbonn_nS == given.state.w_kc_mbonn_nS).all()
    assert (drawn.state.ticks_left[0] == ticks_left[0]).all()


def test_conductances_do_not_end_as_subnormal_numbers() -> None:
    """Long after an odor is gone, what it left has become 0, not a number that slows every step."""
    larva = Population(BALANCED, [1])
    larva.stimulate("pentyl acetate")
    larva.advance(2000)
    larva.set_drive(np.zeros(23))
    larva.advance(20_000)
    for g in (larva.state.g_e_nS, larva.state.g_i_nS):
        assert (g == 0.0).all()


@pytest.mark.parametrize("parameters", [LARVAL, EAGER.replace(eligibility_tau_ms=3.0)], ids=["larval", "fleeting"])
def test_where_a_call_ends_changes_no_rule(parameters: Parameters) -> None:
    """Bit for bit, also where eligibility is referred to another step within the time that is cut."""
    whole, cut = (Population(parameters, [1, 2]) for _ in range(2))
    for larvae, durations_ms in ((whole, [1500]), (cut, [1, 17.3, 500.1, 981.6])):
        larvae.stimulate("pentyl acetate", reward=2.0, punishment=1.0)
        for duration_ms in durations_ms:
            larvae.advance(duration_ms)
    assert whole.state.records.tobytes() == cut.state.records.tobytes()
