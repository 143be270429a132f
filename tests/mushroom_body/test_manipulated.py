import random
from importlib.util import find_spec

import numpy as np
import pytest

from kenyon.errors import InputError, MismatchError
from kenyon.mushroom_body import BALANCED, LARVAL, PUBLISHED, Population, Record, drive
from kenyon.mushroom_body.activity import SAMPLED
from kenyon.mushroom_body.circuit import GROUPS
from kenyon.mushroom_body.inputs import draw_events, start_channels
from kenyon.mushroom_body.manipulated import under
from kenyon.mushroom_body.parameters import Parameters
from kenyon.mushroom_body.wiring import draw_pn_to_kc
from tests.mushroom_body.manipulating import mild, plainly
from tests.mushroom_body.reference import EAGER, simulate

EVERYTHING = Record(spikes=True, variables=tuple(SAMPLED), every_ms=7.0)
ODORS = ("pentyl acetate", "3-octanol", "benzaldehyde", None)


def long(first: int, count: int) -> list[object]:
    """Return seeds of which most are for `make long`."""
    return [seed if seed < first else pytest.param(seed, marks=pytest.mark.long) for seed in range(count)]


@pytest.mark.parametrize("born", [BALANCED, EAGER], ids=["balanced", "eager rules"])
@pytest.mark.parametrize("seed", long(2, 60))
def test_the_kernel_is_the_plain_description_of_a_manipulated_circuit(seed: int, born: Parameters) -> None:
    """Every spike, and weights to 1e-9 nS, under random manipulations, told to a circuit that is written by itself."""
    rng = random.Random(seed)
    wiring, (streams, ticks_left) = draw_pn_to_kc(born, seed), start_channels(born, [seed])
    rates = drive(born, "pentyl acetate", reward=2.0, punishment=1.5)
    events = draw_events(born, streams[0], ticks_left[0], rates, 3000)
    manipulations = mild(rng, born)
    larva = Population(born, [seed], pn_to_kc=wiring)
    larva.manipulate(*manipulations)
    activity = larva.advance_events([events], 300, record=Record(spikes=True))
    constants = born.replace({own.target: own.value for own in manipulations if own.kind == "set"})
    spikes, w_p, w_n = simulate(constants, wiring, events, 3000, born=born, **plainly(manipulations))
    assert activity.spikes is not None
    assert list(map(tuple, activity.spikes[0].tolist())) == spikes
    np.testing.assert_allclose(larva.state.w_kc_mbonp_nS[0], w_p, rtol=0, atol=1e-9)
    np.testing.assert_allclose(larva.state.w_kc_mbonn_nS[0], w_n, rtol=0, atol=1e-9)


@pytest.mark.skipif(find_spec("brian2") is None, reason="Brian2 is not installed")
@pytest.mark.parametrize("seed", long(1, 20))
def test_both_engines_agree_on_random_protocols(seed: int) -> None:
    """Every spike and sample: phases with other odors, reinforcement and manipulations, and tests in between."""
    both = [Population(BALANCED, [seed, seed + 1, seed + 2], engine=engine) for engine in ("kernel", "brian2")]
    rng = random.Random(seed)
    for _ in range(3):
        manipulations, meanwhile = mild(rng, BALANCED), mild(rng, BALANCED)
        odor, asked = rng.choice(ODORS), rng.choice(ODORS)
        reward, punishment = rng.choice([0.0, 1.0]), rng.choice([0.0, 1.5])
        duration_ms = [rng.randrange(1, 2000) / 10 for _ in range(3)]
        lived, answered = [], []
        for larvae in both:
            larvae.manipulate(*manipulations)
            larvae.stimulate(odor, reward=reward, punishment=punishment)
            lived.append(larvae.advance(duration_ms, record=EVERYTHING))
            answered.append(larvae.probe(asked, 100, reward=reward, manipulations=meanwhile, record=EVERYTHING))
        for ours, theirs in (lived, answered):
            for mine, other in zip(ours.spikes or (), theirs.spikes or (), strict=True):
                np.testing.assert_array_equal(mine, other)
            for name, samples in ours.samples.items():
                np.testing.assert_allclose(samples, theirs.samples[name], rtol=0, atol=1e-9, err_msg=name)


def trained(*manipulations: str, parameters: Parameters = BALANCED) -> Population:
    """Return larvae that have had a second of odor and reward, manipulated meanwhile."""
    larvae = Population(parameters, [1, 2])
    larvae.manipulate(*manipulations)
    larvae.stimulate("pentyl acetate", reward=1.0, punishment=1.0)
    larvae.advance(1000)
    return larvae


def spikes(larvae: Population, *manipulations: str) -> dict[str, int]:
    """Return how many spikes each group fires in a second of odor with both reinforcers."""
    activity = larvae.probe("pentyl acetate", 1000, reward=1.0, punishment=1.0, manipulations=manipulations)
    return {group: int(activity.spikes_of(group).sum()) for group in GROUPS}


def test_what_is_silenced_fires_no_spike_and_goes_on() -> None:
    """One of two dopamine neurons, one of two output neurons, one of many Kenyon cells; their potentials go on."""
    larvae = Population(BALANCED, [1, 2])
    assert min(spikes(larvae).values()) > 0
    for one, other in (("DANp", "DANn"), ("DANn", "DANp"), ("MBONn", "MBONp"), ("MBONp", "MBONn")):
        fired = spikes(larvae, f"silence {one}")
        assert fired[one] == 0 < fired[other]
    larvae.manipulate("silence KC[7]", "drive KC 100pA")
    activity = larvae.advance(500, record=Record(variables=("v_mV",), every_ms=1.0))
    of_kcs = activity.counts[:, GROUPS["KC"]]
    assert (of_kcs[:, 7] == 0).all()
    assert (np.delete(of_kcs, 7, axis=1) > 0).all()
    v_mV = activity.samples["v_mV"][:, :, GROUPS["KC"].start + 7]
    assert v_mV.max() > BALANCED.kc.threshold_mV
    assert len(np.unique(v_mV)) > 900


def test_a_current_moves_what_nothing_else_moves() -> None:
    """Without input a cell ends where leak and current are equal: rest + I / leak, exactly as in its equation."""
    larva = Population(BALANCED, [1])
    larva.manipulate("drive KC[7] 2pA", "drive MBONp -50pA")
    larva.advance(2000, np.zeros(23))
    v_mV = larva.state.v_mV[0]
    rest_mV = np.array(
        [BALANCED.kc.rest_mV + 2 / BALANCED.kc.leak_nS, BALANCED.mbon.rest_mV - 50 / BALANCED.mbon.leak_nS]
    )
    np.testing.assert_allclose(v_mV[[63 + 7, 135]], rest_mV, rtol=0, atol=1e-9)
    assert v_mV[63] == BALANCED.kc.rest_mV


def test_driven_dopamine_teaches_as_reward_does() -> None:
    """A current into DANp with an odor, in place of reward: the odor is then preferred."""
    larvae = Population(BALANCED, [1, 2])
    larvae.manipulate("drive DANp 300pA")
    larvae.stimulate("pentyl acetate")
    larvae.advance(20_000)
    larvae.manipulate()
    assert (larvae.probe("pentyl acetate").preference_index > 0.1).all()


def test_a_connection_that_is_cut_passes_nothing_and_is_learned_on() -> None:
    """MBONp hears no Kenyon cell, so it is silent; its weights are depressed as before, and it hears them again."""
    larvae = trained("cut KC>MBONp")
    assert spikes(larvae, "cut KC>MBONp")["MBONp"] == 0 < spikes(larvae)["MBONp"]
    assert (larvae.state.w_kc_mbonp_nS.min(axis=1) < BALANCED.kc_mbon_nS).all()
    halved, whole = spikes(larvae, "scale APL>KC 0"), spikes(larvae)
    assert halved["KC"] > whole["KC"]


def test_rules_may_be_set_for_a_phase_and_need_the_cells_that_they_are_of() -> None:
    """What is set is as if it had always been; without its dopamine neuron no weight is depressed or potentiated."""
    here, there = trained("set recovery 0.01"), trained(parameters=BALANCED.replace(recovery=0.01))
    assert (here.state.records == there.state.records).all()
    assert here.state.records.tobytes() != trained().state.records.tobytes()
    silent = trained("silence DANp", parameters=LARVAL)
    assert (silent.state.dan_trace[:, 0] == 0.0).all()
    assert np.isinf(silent.state.dan_silent_steps[:, 0]).all()
    assert (silent.state.w_kc_mbonn_nS == LARVAL.kc_mbon_nS).all()
    apart = Population(LARVAL, [1, 2])
    apart.manipulate("cut KC>MBONn")
    for odor, reward, duration_ms in ((None, 1.0, 5000), ("pentyl acetate", 0.0, 5000)):
        apart.stimulate(odor, reward=reward)
        apart.advance(duration_ms)
    assert (apart.state.w_kc_mbonn_nS.max(axis=1) > LARVAL.kc_mbon_nS).all()


def test_a_constant_may_be_set_for_a_phase() -> None:
    """What was set is as if the larvae lived under other parameters; afterward under their own."""
    faster = BALANCED.replace(learning_rate_nS=1.0, odor_rate_hz=100.0)
    here, there = trained("set learning_rate_nS 1", "set odor_rate_hz 100"), trained(parameters=faster)
    assert (here.state.records == there.state.records).all()
    assert here.parameters == BALANCED
    with pytest.raises(InputError, match=r"kc.threshold_mV must lie above kc.rest_mV"):
        here.manipulate("set kc.threshold_mV -60")
    assert len(here.manipulations) == 2


def test_without_manipulations_nothing_is_different() -> None:
    """Bit for bit, once they are gone, and where they do nothing; a test under them leaves the larvae as they were."""
    plain, other = trained(), trained("scale KC>MBONp 1", "drive KC 0pA", "scale PN>KC 1")
    assert plain.snapshot() == other.snapshot()
    plain.probe("anisole", manipulations=["silence KC"])
    other.manipulate()
    plain.advance(100)
    other.advance(100)
    assert plain.snapshot() == other.snapshot()
    assert spikes(other, "silence KC")["KC"] == 0 < spikes(other)["KC"]


def test_manipulations_are_of_the_population() -> None:
    """Snapshots hold larvae without them; what is restored goes on under them, and so do larvae selected or joined."""
    silenced = trained("silence KC")
    assert repr(silenced).endswith("larvae, balanced, silence KC>")
    free = Population.from_snapshot(silenced.snapshot())
    assert free.manipulations == ()
    assert free.advance(500).spikes_of("KC").min() > 0
    for one in (silenced.select([1]), silenced.join(silenced)):
        assert one.manipulations == silenced.manipulations
    silenced.restore(free.snapshot())
    assert silenced.advance(500).spikes_of("KC").max() == 0
    with pytest.raises(MismatchError, match="must be manipulated alike, got silence KC and nothing"):
        silenced.join(free)
    with pytest.raises(InputError, match="those of a circuit as it is, got manipulated ones"):
        Population(under(BALANCED, ["silence KC"]))


def test_a_current_out_of_all_bounds_is_refused() -> None:
    """In the words of the cell it would flow into, whose leak decides; nothing has changed then."""
    larvae = Population(BALANCED, [1])
    with pytest.raises(InputError, match=r"the current into KC must be from -222.5 to 277.5 pA, got 300 pA"):
        larvae.manipulate("drive KC 300pA")
    assert larvae.manipulations == ()


def test_a_snapshot_goes_on_under_other_parameters() -> None:
    """All that has come to be stays; what follows is as under these constants, also where neurons were held longer."""
    larvae = trained(parameters=PUBLISHED)
    others = PUBLISHED.replace(refractory_ms=0.5, kc_mbon_nS=90.0, learning_rate_nS=0.0)
    before, after = larvae.snapshot(), larvae.snapshot().under(others)
    assert before.state.refractory_steps.max() > 4 == after.state.refractory_steps.max()
    assert (after.state.w_kc_mbonp_nS == before.state.w_kc_mbonp_nS).all()
    assert (after.drive_hz == before.drive_hz).all()
    going_on = Population.from_snapshot(after)
    going_on.advance(500)
    assert (going_on.state.w_kc_mbonp_nS >= before.state.w_kc_mbonp_nS).all()
    with pytest.raises(MismatchError, match=r"time steps of 0.1 ms, got 0.2 ms"):
        before.under(PUBLISHED.replace(dt_ms=0.2))


def test_eligibility_is_what_a_dopamine_spike_would_find() -> None:
    """Worked out from the recorded spikes: exp(-time since the last spike / tau), 0 of what never fired."""
    larva = Population(BALANCED, [1])
    larva.stimulate("pentyl acetate")
    activity = larva.advance(300, record=Record(spikes=True, variables=("eligibility",), every_ms=50.0))
    assert activity.spikes is not None
    steps, neurons = activity.spikes[0].T
    for sample, end_ms in enumerate(activity.sample_ms):
        for kc in range(72):
            own = steps[(neurons == 63 + kc) & (steps < end_ms / BALANCED.dt_ms - 1e-6)]
            since_ms = end_ms - BALANCED.dt_ms * (own.max() + 1) if own.size else np.inf
            expected = np.exp(-since_ms / BALANCED.eligibility_tau_ms)
            assert abs(activity.samples["eligibility"][0, sample, kc] - expected) < 1e-9
