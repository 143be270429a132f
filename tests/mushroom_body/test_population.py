import math
import multiprocessing
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kenyon.errors import InputError, KenyonError, MismatchError
from kenyon.mushroom_body import BALANCED, PUBLISHED, Activity, Population, Record, Snapshot
from kenyon.mushroom_body.state import State, arrays, select


def same(one: State, other: State) -> bool:
    """Whether two states are the same, bit for bit."""
    return all(np.array_equal(values, getattr(other, name)) for name, values in arrays(one).items())


def trained(larvae: int = 3) -> Population:
    """Return larvae that have learned a little."""
    population = Population(BALANCED, range(larvae))
    population.stimulate("pentyl acetate", reward=1.0)
    population.advance(500)
    return population


NONSENSE: dict[str, Callable[[Population], Any]] = {
    "seed must be": lambda p: p.add([1.5]),  # type: ignore[list-item]  # the nonsense is what is tested
    "seed of a larva must be": lambda p: p.add([-1]),
    "seeds must name at least one larva": lambda p: p.add([]),
    "pn_to_kc must have shape": lambda p: p.add([1], pn_to_kc=np.ones((72, 20))),
    "threads must be": lambda _: Population(threads=0),
    "unknown odor 'pental acetate'; did you mean": lambda p: p.stimulate("pental acetate"),
    "concentration of pentyl acetate must be": lambda p: p.stimulate({"pentyl acetate": math.nan}),
    "reward must be": lambda p: p.stimulate(reward=-1.0),
    "punishment must be": lambda p: p.stimulate(punishment=math.inf),
    "place of a larva must be": lambda p: p.stimulate(larvae=[3]),
    "larvae must name at least one place": lambda p: p.stimulate(larvae=[]),
    "drive must be numbers that fit shape": lambda p: p.set_drive(np.zeros(22)),
    "drive must be finite from 0 to 100000 Hz everywhere": lambda p: p.set_drive(np.full(23, -1.0)),
    "drive must be finite": lambda p: p.advance(100, np.full((3, 23), np.nan)),
    "duration must be a finite number": lambda p: p.advance(-1),
    "duration must be a finite number from 0": lambda p: p.advance(math.nan),
    "duration must be a whole number of 0.1 ms steps": lambda p: p.advance([1.0, 2.0, 0.05]),
    "duration must be numbers that fit shape": lambda p: p.advance([1.0, 2.0]),
    "every_ms must be a whole number": lambda p: p.advance(10, record=Record(variables=("v_mV",), every_ms=0.25)),
    "every_ms must be above 0 ms": lambda p: p.advance(10, record=Record(variables=("v_mV",), every_ms=0)),
    "variables and every_ms must come together": lambda p: p.advance(10, record=Record(variables=("v_mV",))),
    "unknown variable 'v'": lambda p: p.advance(10, record=Record(variables=("v",), every_ms=1)),
    "events must be one array for each of 3 larvae": lambda p: p.advance_events([], 10),
    "events of larva 1 must": lambda p: p.advance_events([np.zeros((0, 2), int), [[0, 99]], [[0, 0]]], 10),
    "a probe must have either": lambda p: p.probe("3-octanol", drive_hz=np.zeros(23)),
    "unknown odor 'x'": lambda p: p.probe("x"),
    "a snapshot must be of the same parameters": lambda p: p.restore(Population(PUBLISHED, [1]).snapshot()),
    "a snapshot must be of the same": lambda p: p.join(Population(PUBLISHED, [1])),
    "place of a larva must": lambda p: p.select([-1]),
    "unknown cell group 'KCs'": lambda p: p.probe().rate_hz("KCs"),
}


@pytest.mark.parametrize("sentence", NONSENSE)
def test_nonsense_is_refused_and_nothing_changes(sentence: str) -> None:
    """Replace each argument by nonsense: an error follows right there, and the larvae are as they were."""
    population = trained()
    state, drive, seeds = population.snapshot().state, population.drive_hz, population.seeds
    with pytest.raises(KenyonError, match="^" + sentence.replace("seed must", "seed of a larva must")):
        NONSENSE[sentence](population)
    assert same(population.state, state)
    assert (population.drive_hz == drive).all()
    assert population.seeds == seeds


@pytest.mark.parametrize(
    "call",
    [lambda p: p.advance(1), lambda p: p.probe(), lambda p: p.snapshot(), lambda p: p.stimulate()],
    ids=["advance", "probe", "snapshot", "stimulate"],
)
def test_without_larvae_there_is_nothing_to_do(call: Callable[[Population], Any]) -> None:
    """Zero larvae is a mistake that is named."""
    with pytest.raises(InputError, match="must have at least one larva, got none; add larvae"):
        call(Population())


def test_state_cannot_be_written_from_outside() -> None:
    """What is shown is a view, not a handle."""
    with pytest.raises(ValueError, match="read-only"):
        trained().state.v_mV[0] = 0.0


def test_a_larva_of_duration_zero_stays_as_it_is() -> None:
    """Durations are per larva; rates over no time are nan, not 0."""
    population = trained()
    before = population.snapshot().state
    activity = population.advance([0.0, 100.0, 0.0])
    after = population.snapshot().state
    assert same(select(before, [0, 2]), select(after, [0, 2]))
    assert (after.step - before.step).tolist() == [0, 1000, 0]
    assert np.isnan(activity.rate_hz("KC")).tolist() == [True, False, True]
    assert np.isnan(activity.preference_index).tolist() == [True, False, True]


def test_probe_leaves_the_larvae_untouched() -> None:
    """On a copy, with plasticity off: asking twice gives the same answer, and asking changes nothing."""
    population = trained()
    before = population.snapshot()
    first, second = population.probe("pentyl acetate", 500), population.probe("pentyl acetate", 500)
    assert (first.counts == second.counts).all()
    assert same(population.state, before.state)
    assert (population.drive_hz == before.drive_hz).all()


def test_probe_answers_from_weights_that_stand_still() -> None:
    """Even under reward a probe teaches nothing: the answer equals that of a larva whose constants forbid learning."""
    population = trained()
    drive = population.drive_hz[0]
    still = Population(BALANCED.replace(learning_rate_nS=0.0, homeostasis=0.0, weight_floor_nS=None), population.seeds)
    snapshot = population.snapshot()
    still.restore(Snapshot(still.parameters, snapshot.seeds, snapshot.drive_hz, snapshot.state))
    expected = still.advance(500, drive)
    assert (population.probe(drive_hz=drive, duration_ms=500).counts == expected.counts).all()
    assert (still.state.w_kc_mbonn_nS == snapshot.state.w_kc_mbonn_nS).all()


def test_what_is_passed_holds_for_one_call_what_is_set_until_set_anew() -> None:
    """Two ways to give a drive, one result."""
    passed, stimulated = Population(seeds=[1, 2]), Population(seeds=[1, 2])
    stimulated.stimulate("anisole", reward=1.0, larvae=[1])
    drive = stimulated.drive_hz
    assert (passed.advance(200, drive).counts == stimulated.advance(200).counts).all()
    assert (passed.drive_hz == Population(seeds=[1, 2]).drive_hz).all()
    assert (stimulated.drive_hz == drive).all()


def test_recordings_agree_with_counts_and_state() -> None:
    """Every spike is counted once and lies in its step; the last sample is the state at the end."""
    population = trained()
    record = Record(spikes=True, variables=("v_mV", "w_kc_mbonp_nS", "w_kc_mbonn_nS"), every_ms=50)
    activity = population.advance([300.0, 300.0, 120.0], record=record)
    assert activity.spikes is not None
    for larva, spikes in enumerate(activity.spikes):
        assert (np.bincount(spikes[:, 1], minlength=142) == activity.counts[larva]).all()
        assert (np.diff(spikes[:, 0]) >= 0).all()
        assert spikes[:, 0].max() < activity.duration_ms[larva] * 10
    assert activity.sample_ms.tolist() == [50, 100, 150, 200, 250, 300]
    for name, samples in activity.samples.items():
        assert (samples[:2, -1] == getattr(population.state, name)[:2]).all()
        assert np.isnan(samples[2, 2:]).all()
        assert np.isfinite(samples[2, :2]).all()


def test_recording_changes_nothing() -> None:
    """Looked at or not, larvae do the same."""
    one, other = trained(), trained()
    a = one.advance(2500, record=Record(spikes=True, variables=("v_mV",), every_ms=0.1))
    b = other.advance(2500)
    assert (a.counts == b.counts).all()
    assert same(one.state, other.state)


def test_select_and_join_make_copies() -> None:
    """Larvae can be taken out, repeated and put together; the originals stay."""
    population = trained()
    before = population.snapshot().state
    twins = population.select([2, 0, 0]).join(population.select([1]))
    assert twins.seeds == tuple(population.seeds[i] for i in (2, 0, 0, 1))
    alone, together = population.select([1]).advance(300), twins.advance(300)
    assert (together.counts[1] == together.counts[2]).all()
    assert (together.counts[3] == alone.counts[0]).all()
    assert same(population.state, before)


def test_snapshot_restore_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    """Through a file and in a new process: the same spikes and the same state, to the last bit."""
    population = trained()
    file = population.snapshot().save(tmp_path / "larvae.npz")
    ahead = population.advance(400)
    script = (
        "import sys, numpy as np\n"
        "from kenyon.mushroom_body import Population, Snapshot\n"
        "larvae = Population.from_snapshot(Snapshot.load(sys.argv[1]), threads=1)\n"
        "np.save(sys.argv[2], larvae.advance(400).counts)\n"
        "larvae.snapshot().save(sys.argv[3])\n"
    )
    counts, after = tmp_path / "counts.npy", tmp_path / "after.npz"
    subprocess.run([sys.executable, "-c", script, file, counts, after], check=True)
    assert (np.load(counts) == ahead.counts).all()
    assert same(Snapshot.load(after).state, population.state)
    restored = Population(BALANCED, [99])
    restored.restore(Snapshot.load(file))
    assert restored.seeds == population.seeds
    assert (restored.advance(400).counts == ahead.counts).all()


def test_a_snapshot_of_other_parameters_is_refused_by_name(tmp_path: Path) -> None:
    """The message names the first difference; `from_snapshot` takes the parameters over."""
    file = trained().snapshot().save(tmp_path / "larvae.npz")
    with pytest.raises(MismatchError, match=r"got learning_rate_nS=0\.08 instead of 0\.3"):
        Population(BALANCED.replace(learning_rate_nS=0.3), [1]).restore(Snapshot.load(file))
    assert Population.from_snapshot(Snapshot.load(file)).parameters == BALANCED


def test_the_gil_is_released() -> None:
    """Another Python thread goes on while larvae are advanced."""
    population = Population(seeds=range(2), threads=1)
    population.advance(1)
    ticks: list[float] = []
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(0.001):
            ticks.append(time.monotonic())

    ticker = threading.Thread(target=tick)
    ticker.start()
    begin = time.monotonic()
    population.advance(60_000)
    end = time.monotonic()
    stop.set()
    ticker.join()
    assert len([t for t in ticks if begin < t < end]) > 10


def _advance_in_child(queue: Any, population: Population) -> None:
    queue.put(population.advance(100).counts)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")  # forking with threads is the point
def test_a_forked_child_can_advance_larvae() -> None:
    """The pool of threads, which a fork does not copy, is made anew in the child."""
    population = Population(seeds=range(8), threads=2)
    population.advance(10)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_advance_in_child, args=(queue, population))
    child.start()
    counts = queue.get(timeout=60)
    child.join()
    assert (counts == population.advance(100).counts).all()


def test_populations_in_several_threads_do_not_disturb_each_other() -> None:
    """As a server uses them."""
    expected = [Population(seeds=range(n, n + 4)).advance(300).counts for n in range(4)]
    given: dict[int, Activity] = {}

    def work(n: int) -> None:
        given[n] = Population(seeds=range(n, n + 4), threads=2).advance(300)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((given[n].counts == expected[n]).all() for n in range(4))
