import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kenyon.errors import InputError, MissingDependencyError
from kenyon.mushroom_body import brian, brian_setup, verification
from kenyon.mushroom_body.activity import SAMPLED, Activity, Record
from kenyon.mushroom_body.circuit import GROUPS, layout
from kenyon.mushroom_body.inputs import drive
from kenyon.mushroom_body.parameters import BALANCED, PUBLISHED, Parameters
from kenyon.mushroom_body.population import Population
from kenyon.mushroom_body.state import arrays
from tests.mushroom_body.same import assert_same_activity, assert_same_state

brian2 = pytest.importorskip("brian2")

EVERYTHING = Record(spikes=True, variables=tuple(SAMPLED), every_ms=7.0)


def both(act: Callable[[Population], Activity], larvae: Population) -> tuple[Population, Population]:
    """Let copies of larvae act under either engine, and fail unless they do the same."""
    engines = (
        Population.from_snapshot(larvae.snapshot(), engine="brian2"),
        Population.from_snapshot(larvae.snapshot()),
    )
    assert_same_activity(act(engines[0]), act(engines[1]))
    assert_same_state(engines[0].state, engines[1].state)
    return engines


@pytest.fixture(scope="module")
def trained() -> Population:
    """Five larvae, some of them old, in the middle of training, and reinforced differently."""
    larvae = Population(PUBLISHED, range(5))
    for place in range(5):
        larvae.stimulate("pentyl acetate", reward=0.3 * place, punishment=1.5 - 0.3 * place, larvae=[place])
    larvae.advance([0, 150, 300, 450, 600])
    return larvae


@pytest.mark.parametrize(
    ("names", "most_s"),
    [
        (("mixed", "punishment", "reward"), 1.0),
        (("balanced",), 1.0),
        (("larval",), 1.0),
        (("larval_bounds",), 1.0),
        (("left",), 1.0),
        pytest.param(("mixed", "punishment", "reward"), np.inf, marks=pytest.mark.long),
        pytest.param(("balanced",), np.inf, marks=pytest.mark.long),
        pytest.param(("larval",), np.inf, marks=pytest.mark.long),
        pytest.param(("larval_bounds",), np.inf, marks=pytest.mark.long),
        pytest.param(("left",), np.inf, marks=pytest.mark.long),
    ],
)
def test_golden_files(names: tuple[str, ...], most_s: float) -> None:
    """Every spike of the published network, and every weight to 1e-9 nS, also where it reaches the floor.

    Of the first second of each file; `make long` replays the whole. In mid-file the weights are held against the
    kernel's, which end at those of the file (tests/mushroom_body/test_kernel.py).
    """
    files = [verification.load(path) for path in verification.own_files() if path.stem in names]
    parameters, durations_ms = files[0].parameters, [min(own.duration_ms, most_s * 1e3) for own in files]
    ends = [parameters.steps("duration", own) for own in durations_ms]
    events = [own.input_events[own.input_events[:, 0] < end] for own, end in zip(files, ends, strict=True)]
    kernel, reference = (
        Population(parameters, range(len(files)), pn_to_kc=[own.pn_to_kc for own in files], engine=engine)
        for engine in ("kernel", "brian2")
    )
    spikes = reference.advance_events(events, durations_ms, record=Record(spikes=True)).spikes
    kernel.advance_events(events, durations_ms)
    assert_same_state(reference.state, kernel.state)
    assert spikes is not None
    for place, (own, end) in enumerate(zip(files, ends, strict=True)):
        np.testing.assert_array_equal(spikes[place], own.spikes[own.spikes[:, 0] < end])
        if durations_ms[place] == own.duration_ms:
            np.testing.assert_allclose(reference.state.w_kc_mbonp_nS[place], own.w_kc_mbonp_nS, rtol=0, atol=1e-9)
            np.testing.assert_allclose(reference.state.w_kc_mbonn_nS[place], own.w_kc_mbonn_nS, rtol=0, atol=1e-9)


PHASES = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["pentyl acetate", "3-octanol", "benzaldehyde"]), st.floats(0, 10), max_size=2),
        st.floats(0, 3),
        st.floats(0, 3),
        st.lists(st.integers(0, 1500).map(lambda steps: steps / 10), min_size=3, max_size=3),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**64), phases=PHASES)
def test_agrees_with_the_kernel(
    seed: int, phases: list[tuple[dict[str | int, float], float, float, list[float]]]
) -> None:
    """On any protocol, every spike of larvae that differ in seed, age and duration is the kernel's."""

    def live(larvae: Population) -> Activity:
        for odors, reward, punishment, durations_ms in phases:
            larvae.stimulate(odors, reward=reward, punishment=punishment, larvae=[0, 2])
            activity = larvae.advance(durations_ms, record=EVERYTHING)
        return activity

    both(live, Population(BALANCED, [seed, seed + 1, seed + 2]))


@pytest.mark.parametrize(
    "parameters",
    [
        PUBLISHED.replace(dt_ms=0.05, refractory_ms=0.0, weight_floor_nS=79.5),
        BALANCED.replace(dt_ms=0.2, refractory_ms=0.2, eligibility_tau_ms=50.0, homeostasis=0.01),
        BALANCED.replace({"kc.threshold_mV": -45.0}, weight_floor_nS=None, learning_rate_nS=5.0, pn_kc_nS=2.0),
    ],
    ids=lambda parameters: parameters.description,
)
def test_any_parameters(parameters: Parameters) -> None:
    """Neurons may be refractory for no step or one, steps may be of any length, weights may have any floor or none."""

    def learn(larvae: Population) -> Activity:
        larvae.stimulate("pentyl acetate", reward=1.5, punishment=1.0)
        return larvae.advance([200, 300], record=EVERYTHING)

    ours, _ = both(learn, Population(parameters, [1, 2]))
    assert (ours.state.w_kc_mbonn_nS < parameters.kc_mbon_nS).any()


def test_runs_and_batches_of_any_size(trained: Population, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a call is cut into runs of the network, and larvae into batches, leaves no trace in any number."""
    monkeypatch.setattr(brian, "_MOST_STEPS", 333)
    monkeypatch.setattr(brian, "_MOST_SLOTS", 2)
    both(lambda larvae: larvae.advance([0, 33.3, 66.6, 70, 120], record=EVERYTHING), trained)


def test_given_events(trained: Population) -> None:
    """Given input spikes act in their own steps, the first and the last included, and leave the input streams alone."""
    rng = np.random.default_rng(1)
    n_steps = np.array([1, 500, 1000, 1500, 0])
    events = [np.argwhere(rng.random((steps, 23)) < 0.05) for steps in n_steps]
    events[0] = np.array([[0, channel] for channel in range(23)])
    events[1] = np.concatenate([events[1][events[1][:, 0] < 499], [[499, 3], [499, 22]]])
    ours, _ = both(lambda larvae: larvae.advance_events(events, n_steps / 10, record=EVERYTHING), trained)
    np.testing.assert_array_equal(ours.state.rng, trained.state.rng)


@pytest.mark.parametrize(("place", "larvae"), [(0, 5), (4, 5), (7, 8)])
def test_neighbors_and_the_age_of_the_network_do_not_matter(place: int, larvae: int) -> None:
    """In the first or last slot of a network that ran for a million steps, beside idle slots, as in one of its own."""
    durations_ms = np.full(larvae, 100.0)
    durations_ms[1] = 30.0
    crowd, alone = (Population(PUBLISHED, seeds, engine="brian2") for seeds in (range(larvae), [place]))
    for population in (crowd, alone):
        population.stimulate("pentyl acetate", reward=2.0)
    brian._slots(PUBLISHED, layout(), 8)._network.t_ = 1_234_567.5 * PUBLISHED.dt_ms * 1e-3
    together = crowd.advance(durations_ms, record=Record(spikes=True))
    by_itself = alone.advance(100, record=Record(spikes=True))
    assert together.spikes is not None
    assert by_itself.spikes is not None
    assert len(by_itself.spikes[0]) > 100
    np.testing.assert_array_equal(together.spikes[place], by_itself.spikes[0])
    for name in ("v_mV", "w_kc_mbonp_nS", "w_kc_mbonn_nS", "kc_silent_steps"):
        ours, theirs = getattr(crowd.state, name)[place], getattr(alone.state, name)[0]
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9, err_msg=name)


def test_an_old_larva_is_as_exact_as_a_young_one(trained: Population) -> None:
    """After 10 billion steps, with Kenyon cells silent for just as long or forever, spikes are still the kernel's."""
    snapshot = trained.snapshot()
    silent_steps = snapshot.state.kc_silent_steps.copy()
    silent_steps[:, ::2] += 10**10
    old = snapshot.state.replace(step=snapshot.state.step + 10**10, kc_silent_steps=silent_steps)
    larvae = Population.from_snapshot(replace(snapshot, state=old))
    both(lambda population: population.advance(100, record=EVERYTHING), larvae)


def test_a_probe_changes_nothing(trained: Population) -> None:
    """It answers as the kernel does, nothing learned, leaves every number alone, and needs no other network."""
    reinforced = drive(PUBLISHED, "pentyl acetate", reward=3.0)
    larvae = Population.from_snapshot(trained.snapshot(), engine="brian2")
    larvae.advance(10)
    before, networks = larvae.snapshot(), brian._slots.cache_info().misses
    answer = larvae.probe(drive_hz=reinforced, duration_ms=200)
    assert_same_activity(answer, Population.from_snapshot(before).probe(drive_hz=reinforced, duration_ms=200))
    for name, values in arrays(larvae.state).items():
        np.testing.assert_array_equal(values, arrays(before.state)[name])
    assert brian._slots.cache_info().misses == networks
    assert (larvae.advance(200, reinforced).counts != answer.counts).any()


def test_a_snapshot_goes_on_in_the_other_engine(trained: Population) -> None:
    """From the kernel to Brian2 and back: spikes as if the kernel had gone on by itself."""
    there = Population.from_snapshot(trained.snapshot(), engine="brian2")
    there.advance(55.5)
    back = Population.from_snapshot(there.snapshot())
    stayed = Population.from_snapshot(trained.snapshot())
    stayed.advance(55.5)
    assert_same_activity(back.advance(200, record=EVERYTHING), stayed.advance(200, record=EVERYTHING))
    assert_same_state(back.state, stayed.state)


def test_a_call_that_fails_leaves_the_larvae_as_they_were(trained: Population, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused or broken off in the middle of a step, it can be made again, with the kernel's spikes."""
    larvae = Population.from_snapshot(trained.snapshot(), engine="brian2")
    with pytest.raises(InputError, match="duration must be a whole number of"):
        larvae.advance(0.25)

    def fail(*_: object) -> None:
        message = "the disk is full"
        raise OSError(message)

    with monkeypatch.context() as patch:
        patch.setattr(brian._Slots, "_swap_out", fail)
        with pytest.raises(OSError, match="the disk is full"):
            larvae.advance([10, 20, 30, 40, 50])
    assert brian._slots.cache_info().currsize == 0, "a network stopped within a step must not be used again"
    assert_same_state(larvae.state, trained.state)
    both(lambda population: population.advance(50, record=EVERYTHING), larvae)


def test_an_interrupted_call_leaves_the_larvae_as_they_were(trained: Population) -> None:
    """Ctrl-C is a KeyboardInterrupt, whatever Brian2 makes of it."""
    larvae = Population.from_snapshot(trained.snapshot(), engine="brian2")
    larvae.advance(0)
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        larvae.advance(600_000)
    assert_same_state(larvae.state, trained.state)


def test_threads_take_turns(trained: Population) -> None:
    """Populations advanced from several threads at once do as they do one after the other."""
    populations = [
        Population.from_snapshot(trained.select([place, 4]).snapshot(), engine="brian2") for place in range(3)
    ]
    answers: dict[int, Activity] = {}

    def live(place: int) -> None:
        answers[place] = populations[place].advance(50, record=EVERYTHING)

    threads = [threading.Thread(target=live, args=(place,)) for place in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for place in range(3):
        assert_same_activity(answers[place], trained.select([place, 4]).advance(50, record=EVERYTHING))


def test_the_users_brian2_stays_as_it_is(trained: Population) -> None:
    """Preferences, the default clock and a network of the user's go on as if Kenyon were not there."""
    before = {name: brian2.prefs[name] for name in brian2.prefs}
    clock = brian2.defaultclock.dt
    with brian_setup.settings("numpy"):
        cell = brian2.NeuronGroup(1, "dx/dt = 1/second : 1", method="euler")
        network = brian2.Network(cell)
    for _ in range(2):
        Population.from_snapshot(trained.snapshot(), engine="brian2").advance(1)
        with brian_setup.settings("numpy"):
            network.run(5 * brian2.ms)
    assert float(cell.x[0]) == pytest.approx(0.01)
    assert brian2.defaultclock.dt == clock
    assert {name: brian2.prefs[name] for name in brian2.prefs} == before


WITHOUT_COMPILER = """
from kenyon.mushroom_body import Population
from kenyon.mushroom_body.brian_setup import codegen_target
print(codegen_target())
for engine in ("brian2", "kernel"):
    larvae = Population(seeds=[1, 2], engine=engine)
    larvae.stimulate("pentyl acetate", reward=1.0, punishment=1.0)
    activity = larvae.advance([50, 80])
    print(activity.counts.tolist())
"""


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_without_a_compiler() -> None:
    """Brian2's numpy target stands in, quietly, with the same spikes."""
    done = run_python(WITHOUT_COMPILER, CC="/nonexistent/cc", CXX="/nonexistent/c++")
    assert (done.returncode, done.stderr) == (0, "")
    target, ours, theirs = done.stdout.splitlines()
    assert target == "numpy"
    assert ours == theirs


def test_without_brian2(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module can be imported; the engine says how to install what is missing."""
    done = run_python("import sys, kenyon.mushroom_body.brian; sys.exit('brian2' in sys.modules)")
    assert done.returncode == 0
    monkeypatch.setitem(sys.modules, "brian2", None)
    brian_setup.import_brian2.cache_clear()
    with pytest.raises(MissingDependencyError, match=r"pip install .*\[brian\]"):
        Population(seeds=[1], engine="brian2")


def test_first_import_in_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brian2 can only be imported in the main thread, and Kenyon says so instead of breaking it."""
    monkeypatch.delitem(sys.modules, "brian2")
    refused: list[str] = []

    def construct() -> None:
        brian_setup.import_brian2.cache_clear()
        try:
            Population(seeds=[1], engine="brian2")
        except MissingDependencyError as reason:
            refused.append(str(reason))

    thread = threading.Thread(target=construct)
    thread.start()
    thread.join()
    assert refused == ["Brian2 must first be imported in the main thread; import brian2 at the start"]


def test_kenyon_leaves_the_exception_hook_alone() -> None:
    """Brian2 blames itself for every uncaught exception of the process; not where Kenyon imported it."""
    code = "from kenyon.mushroom_body.brian import Brian2; Brian2(); raise SystemError"
    done = run_python(code)
    assert "Brian 2 encountered" not in done.stderr
    assert done.stderr.endswith("SystemError\n")


def test_kenyon_cells_learn_only_by_dopamine(trained: Population) -> None:
    """A sanity check without the kernel: reward takes MBONn weights away and leaves those of MBONp."""
    larvae = Population(trained.parameters, [1], engine="brian2")
    larvae.stimulate("pentyl acetate", reward=2.0)
    activity = larvae.advance(300)
    assert activity.spikes_of("DANp")[0] > activity.spikes_of("DANn")[0] == 0
    fired = activity.counts[0, GROUPS["KC"]] > 0
    assert (larvae.state.w_kc_mbonn_nS[0, fired] < 80.0).all()
    assert (larvae.state.w_kc_mbonp_nS[0] == 80.0).all()
