import gc
import multiprocessing
import sys
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kenyon.errors import InputError
from kenyon.memory import MushroomBodyMemory, RLOlfMemory, step_together
from kenyon.mushroom_body import DEFAULT, Population, Record, drive
from kenyon.mushroom_body.state import pack
from kenyon.seeds import larva_seed

from .together import in_threads

PROBING: dict[str, Any] = {"readout": "probe", "probe_ms": 200.0, "probe_every_s": 0.3}


def test_a_gain_is_read_from_the_rates_of_the_step() -> None:
    """G * (MBONp - MBONn) of the circuit itself, above the innate gain, for whatever odor."""
    memory = MushroomBodyMemory(
        sim_id="a", model_id=3, seed=2, G=2.0, innate_gain=5.0, gain={"CS": 0.0, "UCS": 0.0}, dt=0.5
    )
    larva = Population(DEFAULT, [larva_seed(2, "a", 3)])
    seen = set()
    for step in range(40):
        gain = memory.step({"CS": 0.5, "UCS": 0.0}, reward=0.5)
        activity = larva.advance(500, drive(DEFAULT, {"pentyl acetate": 0.5}, reward=0.5))
        expected = 5.0 + 2.0 * float((activity.rate_hz("MBONp") - activity.rate_hz("MBONn"))[0])
        assert gain == {"CS": expected, "UCS": expected}
        assert memory.total_ticks == memory.step_id == step + 1
        seen.add(expected)
    assert len(seen) > 1


def test_a_gain_is_read_by_probing_each_odor_alone() -> None:
    """On a copy, with plasticity off, every so often; held in between."""
    options: dict[str, Any] = {"model_id": 0, "parameters": "balanced"}  # whose indices differ within a second
    gains = {"CS": 0.0, "UCS": 0.0}
    memory = MushroomBodyMemory(gain=dict(gains), probe_concentration=0.5, G=1.0, **options, **PROBING)
    plain = MushroomBodyMemory(gain=dict(gains), **options)
    for step in range(31):
        before = dict(memory.gain)
        gain = memory.step({"CS": 1.0, "UCS": 0.0}, reward=True)
        plain.step({"CS": 1.0, "UCS": 0.0}, reward=True)
        if step % 3:
            assert gain == before
        for stimulus, odor in {"CS": "pentyl acetate", "UCS": "4,5-dimethylthiazole"}.items():
            if step % 3 == 0:
                probe = plain.population.select([plain.place]).probe({odor: 0.5}, 200.0)
                assert gain[stimulus] == float((probe.rate_hz("MBONp") - probe.rate_hz("MBONn"))[0])
    assert gain["CS"] != gain["UCS"]


@pytest.mark.parametrize("shared", [True, False])
def test_stepping_together_is_stepping_one_by_one(shared: bool) -> None:
    """Larvae of other durations, odors and readouts, of one population or of several."""
    options: list[dict[str, Any]] = [
        {"gain": {"Odor": 0.0}},
        {"gain": {"CS": 0.0, "UCS": 0.0}, **PROBING},
        {"gain": {"Odor": 0.0}, "dt": 0.25, "smoothing_s": 1.0},
        {"gain": {"Odor": 0.0}, "changes": {"learning_rate_nS": 0.2}},
    ]

    def made() -> list[MushroomBodyMemory]:
        return [
            MushroomBodyMemory(shared=shared, model_id=i, **{**o, "gain": dict(o["gain"])})
            for i, o in enumerate(options)
        ]

    together, alone = made(), made()
    for step in range(10):
        dx = [dict.fromkeys(memory.gain, 1.0) for memory in alone]
        reward, punishment = [step > 2, True, False, 0.5], [False, False, step > 4, False]
        gains = step_together(together, dx, reward, punishment, t_warmup=20)
        one_by_one = zip(alone, dx, reward, punishment, strict=True)
        assert gains == [memory.step(d, r, 20, punishment=p) for memory, d, r, p in one_by_one]


def test_larvae_of_a_simulation_share_a_population_which_ends_with_them() -> None:
    """So that they can be advanced together; those of another simulation or circuit live elsewhere."""
    memories = [MushroomBodyMemory(sim_id="x", model_id=i) for i in range(3)]
    assert len({id(memory.population) for memory in memories}) == 1
    assert [memory.place for memory in memories] == [0, 1, 2]
    for other in ({"sim_id": "y"}, {"sim_id": "x", "parameters": "published"}, {"sim_id": "x", "shared": False}):
        assert MushroomBodyMemory(**other).population is not memories[0].population
    population = weakref.ref(memories[0].population)
    del memories, other
    gc.collect()
    assert population() is None


def test_larvae_may_be_stepped_from_several_threads() -> None:
    """Births and steps of one population take turns."""
    memories = [MushroomBodyMemory(sim_id="threads", model_id=i, gain={"Odor": 0.0}) for i in range(12)]

    def live(memory: MushroomBodyMemory) -> None:
        for _ in range(12):
            memory.step({"Odor": 1.0}, True)

    in_threads(live, memories)
    for i, memory in enumerate(memories):
        alone = MushroomBodyMemory(sim_id="threads", model_id=i, gain={"Odor": 0.0}, shared=False)
        live(alone)
        assert memory.gain == alone.gain


def _step_in_child(memory: MushroomBodyMemory, results: Any) -> None:
    results.put(dict(memory.step({"Odor": 1.0}, True)))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_goes_on_by_itself() -> None:
    """Even if a thread of the parent held the population at that moment."""
    memory = MushroomBodyMemory(sim_id="fork", gain={"Odor": 0.0})
    memory.step({"Odor": 1.0}, True)
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    home = memory._home
    assert home is not None
    with home.turn.lock:
        child = context.Process(target=_step_in_child, args=(memory, results))
        child.start()
        assert results.get(timeout=60) is not None
        child.join()
    assert memory.step_id == 1


def sensing_brain(**levels: float) -> Any:
    """Return a stand-in for a host's brain with a sensor; the real one is used in the tests beside Larvaworld."""
    sensor = SimpleNamespace(X=levels, brute_force=False, perception="log")
    return SimpleNamespace(modalities={"olfaction": {"sensor": sensor}})


@pytest.mark.parametrize(
    ("brain", "option", "expected"),
    [
        (None, "auto", 0.25),
        (None, "change", 0.25),
        (sensing_brain(CS=2.0), "auto", 2.0),
        (sensing_brain(CS=2.0), "concentration", 2.0),
        (sensing_brain(CS=2.0), "change", 0.25),
    ],
)
def test_what_drives_the_receptors(brain: Any, option: str, expected: float) -> None:
    """The sensed concentration where a sensor is there, else the change; each times the scale."""
    memory = MushroomBodyMemory(brain=brain, drive=option, concentration_scale=0.5, model_id=1)
    assert memory._request({"CS": 0.25}, False, False, 0).concentrations == {"CS": expected * 0.5}


def test_a_concentration_without_a_sensor_is_refused() -> None:
    """Rather than taken to be the change."""
    with pytest.raises(InputError, match=r"^drive must be 'change' where the brain has no sensor"):
        MushroomBodyMemory(drive="concentration").step({"Odor": 1.0})


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: MushroomBodyMemory().step({"food": 1.0}),
            "stimulus 'food' must stand for a measured odor or one of one's own: unknown odor",
        ),
        (
            lambda: MushroomBodyMemory(odors={"CS": "pental acetate"}),
            "stimulus 'CS' must .* did you mean 'pentyl acetate'",
        ),
        (lambda: MushroomBodyMemory(changes={"learning_rate": 1}), "unknown parameter 'learning_rate'"),
        (lambda: MushroomBodyMemory(changes={"learning_rate_nS": -1}), "learning_rate_nS must be"),
        (lambda: MushroomBodyMemory().step({"Odor": 1.0}, reward=2.0), "reward must be .* from 0 to 1, got 2.0"),
        (lambda: MushroomBodyMemory().step({"Odor": 1.0}, punishment=-1.0), "punishment must be"),
        (lambda: MushroomBodyMemory().step({"Odor": 1.0}, t_warmup=-1.0), "t_warmup must be"),
        (
            lambda: step_together([MushroomBodyMemory()], [], []),
            "dx, reward and punishment must have one entry for each",
        ),
        (
            lambda: step_together([RLOlfMemory(), MushroomBodyMemory()], [{}] * 2, [0.0] * 2),
            "memories must be different ones of one class",
        ),
    ],
)
def test_nonsense_is_refused(call: Any, sentence: str) -> None:
    """In one sentence each."""
    with pytest.raises(InputError, match=f"^{sentence}"):
        call()


def test_a_refused_larva_leaves_the_others_as_they_were() -> None:
    """All requests are looked at before any circuit moves."""
    memories = [MushroomBodyMemory(sim_id="refused", model_id=i, gain={"Odor": 0.0}) for i in range(2)]
    with pytest.raises(InputError):
        step_together(memories, [{"Odor": 1.0}, {"Odor": np.nan}], [True, True])
    assert [memory.step_id for memory in memories] == [0, 0]
    assert [memory.place for memory in memories] == [0, 1]
    assert memories[0].population.state.step.tolist() == [0, 0]


def test_the_place_of_a_larva_that_is_gone_is_given_to_the_next() -> None:
    """A long session does not gather dead larvae; the newborn has nothing of the one before."""
    stays = MushroomBodyMemory(sim_id="places", model_id="stays")
    first = stays.place
    gone = MushroomBodyMemory(sim_id="places", model_id="gone", gain={"Odor": 0.0}, dt=5.0)
    place = gone.place
    gone.step({"Odor": 1.0}, True)
    del gone
    gc.collect()
    born = MushroomBodyMemory(sim_id="places", model_id="born", gain={"Odor": 0.0}, dt=5.0)
    alone = MushroomBodyMemory(sim_id="places", model_id="born", gain={"Odor": 0.0}, dt=5.0, shared=False)
    assert (born.place, len(born.population)) == (place, 2)
    assert place != first
    assert born.step({"Odor": 1.0}, True) == alone.step({"Odor": 1.0}, True)
    assert np.array_equal(born.population.state.v_mV[place], alone.population.state.v_mV[0])


@pytest.mark.parametrize(
    ("options", "call", "name"),
    [
        ({"readout": "probe", "probe_ms": 50.05}, {}, "probe_ms"),
        ({}, {"t_warmup": 0.05}, "t_warmup"),
    ],
)
def test_a_duration_that_is_no_whole_number_of_steps_is_refused_before_the_circuit_moves(
    options: dict[str, Any], call: dict[str, Any], name: str
) -> None:
    """By its own name."""
    memory = MushroomBodyMemory(sim_id="durations", gain={"Odor": 0.0}, **options)
    with pytest.raises(InputError, match=f"^{name} must be a whole number of 0.1 ms steps"):
        memory.step({"Odor": 1.0}, True, **call)
    assert memory.population.state.step[memory.place] == 0


def test_a_refused_larva_of_another_population_leaves_the_others_as_they_were() -> None:
    """Every request is made before any population moves."""
    memories = [MushroomBodyMemory(sim_id=sim_id, gain={"Odor": 0.0}) for sim_id in ("one", "two")]
    with pytest.raises(InputError, match="'nonsense' must stand for a measured odor"):
        step_together(memories, [{"Odor": 1.0}, {"nonsense": 1.0}], [True, True])
    assert memories[0].population.state.step[memories[0].place] == 0


def places_seen(trial: int) -> list[int]:
    """Return the place that each of four threads is told of a larva that none has asked for before."""
    neighbor = MushroomBodyMemory(sim_id=f"born {trial}", model_id="neighbor")
    assert neighbor.place == 0
    memory = MushroomBodyMemory(sim_id=f"born {trial}", model_id="asked for")
    places: list[int] = []
    in_threads(lambda asked: places.append(asked.place), [memory] * 4)
    return places


def test_a_larva_that_several_threads_ask_for_first_is_born_once() -> None:
    """And nobody takes another's place for its own."""
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        assert [places_seen(trial) for trial in range(20)] == [[1] * 4] * 20
    finally:
        sys.setswitchinterval(interval_s)


def test_what_is_put_off_is_lived_through_as_if_it_had_not_been() -> None:
    """Larvae that are probed live through most ticks later and together; whenever one looks, they are up to date.

    So what is done to their circuits from some tick on is done to none before it.
    """
    probed, prompt = (
        [MushroomBodyMemory(sim_id=readout, model_id=i, gain={"CS": 0.0}, readout=readout) for i in range(3)]
        for readout in ("probe", "step")
    )
    for memory in (*probed, *prompt):  # the same larvae, in simulations of their own
        larva = Population(DEFAULT, [larva_seed(0, "both", memory.model_id)])
        memory.population.restore(larva.snapshot(), [memory.place])
    chance = np.random.default_rng(1)
    for tick in range(27):
        if tick == 13:
            for memories in (probed, prompt):
                memories[0].population.manipulate("silence DANn", "scale APL>KC 0.5", "set odor_rate_hz 250")
        for i, (late, early) in enumerate(zip(probed, prompt, strict=True)):
            dx, reward = {"CS": float(chance.random())}, bool(chance.random() < 0.5)
            if (tick + i) % 5:  # some miss a tick
                late.step(dx, reward)
                early.step(dx, reward)
        if tick % 9 == 8:
            for late, early in zip(probed, prompt, strict=True):
                own, other = (m.population.snapshot([m.place]).state for m in (late, early))
                assert pack(own) == pack(other)


def test_a_larva_that_is_never_looked_at_does_not_pile_up_ticks() -> None:
    """What is kept for later has a limit."""
    memory = MushroomBodyMemory(gain={"CS": 0.0}, readout="probe", probe_every_s=86_400.0, dt=0.001)
    longest = 0
    for _ in range(600):
        memory.step({"CS": 1.0})
        home = memory._home
        assert home is not None
        longest = max(longest, sum(map(len, home._put_off.values())))
    assert 200 < longest < 300


def test_a_probe_tells_what_was_learned_and_changes_nothing() -> None:
    """Rates and index of each odor alone, as the population itself answers."""
    memory = MushroomBodyMemory(gain={"CS": 0.0, "UCS": 0.0}, shared=False)
    for _ in range(300):
        memory.step({"CS": 1.0, "UCS": 0.0}, reward=True)
    before = memory.population.snapshot().to_bytes()
    answers = memory.probe(probe_ms=2000.0)
    assert memory.population.snapshot().to_bytes() == before
    own = memory.population.probe("pentyl acetate", 2000.0, larvae=[memory.place])
    assert answers["CS"]["MBONp"] == own.rate_hz("MBONp")[0]
    assert answers["CS"]["preference_index"] == own.preference_index[0] > 3 * abs(answers["UCS"]["preference_index"])
    with pytest.raises(InputError, match="must stand for a measured odor"):
        memory.probe(["sweat"])


def test_a_frozen_larva_follows_what_it_has_learned_and_learns_no_more() -> None:
    """Its circuit stands still, whatever it is given; its gains are asked for once."""
    memory = MushroomBodyMemory(gain={"CS": 0.0}, readout="probe", G=1.0, shared=False)
    for _ in range(300):
        memory.step({"CS": 1.0}, reward=True)
    memory.param.update(frozen=True)
    before = memory.population.snapshot().to_bytes()
    asked = memory.probe()["CS"]
    for _ in range(50):
        assert memory.step({"CS": 1.0}, reward=True) == {"CS": asked["MBONp"] - asked["MBONn"]}
        memory.gain["CS"] = 0.0  # as a sensor does that meets the odor for the first time
    assert memory.population.snapshot().to_bytes() == before
    assert memory.step_id == 300


WINNING: dict[str, bool] = {"approaches_unless_rewarded": True, "avoids_only_if_punished": True}


@pytest.mark.parametrize("readout", [{}, {**PROBING, "probe_ms": 1000.0}], ids=["step", "probe"])
@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize(("taught", "sign"), [("reward", 1.0), ("punishment", -1.0)])
def test_what_was_learned_shows_where_the_larva_wins_by_it(
    taught: str, sign: float, frozen: bool, readout: dict[str, Any]
) -> None:
    """Approach as far as reward is absent, avoidance as far as punishment is there; learning is what it would be."""
    given: dict[str, Any] = {"innate_gain": 7.0, "G": 1.0, "model_id": 1, "dt": 1.0, "smoothing_s": 3.0}
    given |= {"punishment_strength": 0.8, "shared": False, **readout}
    always = MushroomBodyMemory(gain={"CS": 0.0}, **given)
    winning = MushroomBodyMemory(gain={"CS": 0.0}, **given, **WINNING)
    for memory in (always, winning):
        for _ in range(25):
            memory.step({"CS": 1.0}, **{taught: True})
        memory.param.update(frozen=frozen)
    assert always.probe(probe_ms=2000.0)["CS"]["preference_index"] * sign > 0.02
    shares = set()
    for reward, punishment in [(0.0, 0.0), (True, 0.0), (0.3, 0.0), (0.0, 0.4), (0.0, True), (0.6, 0.8)]:
        learned = always.step({"CS": 1.0}, reward, punishment=punishment)["CS"] - 7.0
        share = 1.0 - reward if learned > 0.0 else 0.8 * punishment
        assert winning.step({"CS": 1.0}, reward, punishment=punishment)["CS"] == pytest.approx(7.0 + learned * share)
        if learned * sign > 0.0:
            shares.add(share)
    assert len(shares) >= 3
    assert winning.probe() == always.probe()
    assert winning.population.snapshot().to_bytes() == always.population.snapshot().to_bytes()


def test_a_punishment_that_the_host_calls_reward_is_one_to_escape_from() -> None:
    """`reinforcement` says what contact with food is, to what shows as well."""
    memory = MushroomBodyMemory(gain={"CS": 0.0}, G=1.0, dt=1.0, reinforcement="punishment", **WINNING, **PROBING)
    for _ in range(25):
        memory.step({"CS": 1.0}, reward=True)
    assert memory.gain["CS"] < 0.0
    memory.param.update(frozen=True)
    assert memory.step({"CS": 1.0}, reward=False) == {"CS": 0.0}
    assert memory.step({"CS": 1.0}, reward=0.5)["CS"] < 0.0
    with pytest.raises(InputError, match="reward must be"):
        memory.step({"CS": 1.0}, reward=2.0)


def test_the_innate_gain_may_be_the_one_that_was_given() -> None:
    """What is learned is added to each stimulus's own."""
    memory = MushroomBodyMemory(gain={"CS": 150.0, "UCS": -20.0}, innate_gain=None, readout="probe")
    assert memory.step({"CS": 0.0, "UCS": 0.0}) == {"CS": 150.0, "UCS": -20.0}


@pytest.mark.parametrize("dt_ms", [0.07, 0.1, 0.3, 0.7])
def test_a_tick_is_whole_steps_of_whatever_circuit(dt_ms: float) -> None:
    """Of a time step that 100 ms are no multiple of, as many as are nearest."""
    memory = MushroomBodyMemory(
        gain={"Odor": 0.0},
        changes={"dt_ms": dt_ms, "refractory_ms": 6 * dt_ms},
        shared=False,
        sim_id="steps",
        model_id=1,
    )
    for _ in range(3):
        memory.step(dx={"Odor": 1.0}, reward=True)
    assert memory.population.state.step.tolist() == [3 * round(100 / dt_ms)]


@pytest.mark.parametrize("options", [{}, PROBING], ids=["step", "probe"])
def test_a_circuit_that_is_watched_does_what_it_does(options: dict[str, Any]) -> None:
    """Who hears every spike hears those of the larva, in order; no gain and no bit of a circuit is another for it."""
    watched, plain = (
        [MushroomBodyMemory(sim_id=name, model_id=i, gain={"CS": 0.0}, **options) for i in range(3)]
        for name in ("same", "same other")
    )
    for mine, theirs in zip(watched, plain, strict=True):
        theirs.population.restore(mine.population.snapshot([mine.place]), [theirs.place])
    twin = Population.from_snapshot(watched[1].population.snapshot([watched[1].place]))
    heard: list[Any] = []
    counted: list[Any] = []
    watched[1].watch_circuit(heard.append, spikes=True)
    for spikes in (True, False):  # Named again, it is told otherwise, and not twice.
        watched[2].watch_circuit(counted.append, spikes=spikes)
    for step in range(8):
        dx, reward = [{"CS": 0.5}] * 3, [step % 2 == 0] * 3
        assert step_together(watched, dx, reward) == step_together(plain, dx, reward)
    one, other = (own[0].population.snapshot([memory.place for memory in own]) for own in (watched, plain))
    assert one.state.records.tobytes() == other.state.records.tobytes()
    for step, activity in enumerate(heard):
        given = drive(DEFAULT, {"pentyl acetate": 0.5}, reward=float(step % 2 == 0))
        expected = twin.advance(100, given, record=Record(spikes=True))
        assert activity.spikes[0].tolist() == expected.spikes[0].tolist()  # type: ignore[index]
        assert activity.counts.tolist() == expected.counts.tolist()
    assert len(heard) == len(counted) == 8
    assert all(activity.spikes is None for activity in counted)
    watched[1].leave_circuit(counted.append)
    watched[1].leave_circuit(heard.append)
    watched[1].step({"CS": 0.5})
    assert len(heard) == 8
