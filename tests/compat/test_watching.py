"""Runs of the host that others build, watched: the same run, and what ours gives besides."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import larvaworld
import numpy as np
import pytest
from larvaworld.lib import reg
from larvaworld.lib.sim import Exec

from kenyon.errors import InputError, MismatchError
from kenyon.larvaworld_plugin import host, register, run, save_memories, unregister, watch, watching
from kenyon.larvaworld_plugin.events import RunBegan, RunEnded, TickLived
from kenyon.larvaworld_plugin.figures import run_figure
from kenyon.larvaworld_plugin.host_table import host_table
from kenyon.larvaworld_plugin.sampling import gains, headings, on_food, positions, stimuli_of
from kenyon.memory import checkpoint
from tests.compat.host import SEED, begun, simulate
from tests.compat.test_registration import _content

EXPERIMENT = "PItrain_mini"


@pytest.fixture(autouse=True)
def nothing_stays_registered() -> Iterator[None]:
    """Every test begins and ends with the host's own classes."""
    unregister()
    yield
    unregister()


def built(folder: Path, model: str = "forager_RL", *, minutes: float = 0.05) -> Any:
    """Return a run of one's own that has not begun, and is called as one of ours would be."""
    name = f"{EXPERIMENT}-{model}-{SEED}"
    return begun(folder, model, experiment=EXPERIMENT, minutes=minutes, name=name)


def curious(event: Any) -> None:
    """Look at everything, as a listener may."""
    if isinstance(event, TickLived):
        agents = list(event.run.agents)
        memories = [agent.brain.modalities["olfaction"]["mem"] for agent in agents]
        assert len(positions(agents)) == len(headings(agents)) == len(on_food(agents)) == 2
        gains(memories, stimuli_of(memories))


@pytest.mark.parametrize("model", ["forager", "forager_RL", "forager_MB", "RLnavigator", "Levy_navigator_x2_brute_MB"])
def test_tracks_are_the_same_watched_or_not(model: str, tmp_path: Path) -> None:
    """To the last bit, of larvae with each kind of memory and without, looked at in every tick."""
    register(options={"MB": {"probe_every_s": 0.5, "probe_ms": 100.0}})
    alone = simulate(built(tmp_path / "alone", model))
    seen = built(tmp_path / "seen", model)
    watch(seen, every_s=0.1, listeners=[curious])
    simulate(seen)
    assert len(alone.agents) == 2
    for mine, its in zip(alone.agents, seen.agents, strict=True):
        assert mine.trajectory == its.trajectory
        assert mine.orientation_trajectory == its.orientation_trajectory
        assert mine.brain.locomotor.turner.output == its.brain.locomotor.turner.output


def test_a_watch_gives_what_run_gives(tmp_path: Path) -> None:
    """Of one's own run, built and configured alike: the same numbers under the same id, and the same memories."""
    ours = run(EXPERIMENT, model="forager_RL", larvae=2, minutes=0.05, seed=SEED, show_progress=False)
    with register():
        mine = built(tmp_path)
        model = host.stored("Model", "forager_RL")
        model.brain.memory.seed = SEED
        mine.p.larva_groups["forager_RL"].model = model
        seen = watch(mine)
        simulate(mine)
    outcome = seen.outcome()
    assert outcome.dataset.drop_vars(["seed", "complete"]).identical(ours.dataset.drop_vars(["seed", "complete"]))
    assert outcome.dataset.run_id.item() == ours.dataset.run_id.item()
    assert outcome.host is mine
    assert [memory.q_table.tolist() for memory in outcome.memories] == [m.q_table.tolist() for m in ours.memories]
    files = [save_memories(tmp_path / f"{number}.npz", of) for number, of in enumerate([ours, outcome, seen, mine])]
    assert len({json.dumps(checkpoint.about(file)) for file in files}) == 1
    assert [checkpoint.names(file) for file in files] == [["forager_RL_0", "forager_RL_1"]] * 4


def test_the_host_s_own_table_joins_ours_by_larva_and_step(tmp_path: Path) -> None:
    """Where and whither, in every sample to the last bit."""
    mine = built(tmp_path)
    dataset = watch(mine, every_s=0.3)
    simulate(mine)
    ours = dataset.outcome().dataset
    theirs = host_table(mine)
    assert dict(theirs.sizes) == {"larva": 2, "step": 31}  # The last holds what it notes of larvae in the end.
    there = theirs.sel(larva=ours.larva, step=ours.step)
    assert ours.sizes["time"] == 10
    for own, its in (("x", "x"), ("y", "y"), ("heading", "front_orientation")):
        assert np.array_equal(ours[own].values, there[its].values)
    joined = theirs.assign(heading=ours.swap_dims(time="step").heading)
    assert int(joined.heading.notnull().sum()) == 20


def test_a_run_tells_what_happens_in_it(tmp_path: Path) -> None:
    """Its larvae are there, each tick, and its end, in this order; larvae without a memory are there, too."""
    events: list[Any] = []
    mine = built(tmp_path, "forager", minutes=0.01)
    seen = watch(mine, listeners=[events.append])
    assert not events
    simulate(mine)
    began, *ticks, ended = events
    assert isinstance(began, RunBegan)
    assert (began.larvae, began.groups, began.models) == (
        ("forager_0", "forager_1"),
        ("forager",) * 2,
        ("forager",) * 2,
    )
    assert (began.memories, began.dt_s, began.experiment, began.generation) == ((None, None), 0.1, EXPERIMENT, None)
    assert began.duration_s == pytest.approx(0.1 * len(ticks))
    assert began.seed == (SEED if host.seeds_itself() else None)
    assert [(tick.tick, round(tick.time_s, 9)) for tick in ticks] == [(t, round(0.1 * t, 9)) for t in range(1, 6)]
    assert (ended.run, ended.complete) == (mine, True)
    outcome = seen.outcome()
    assert dict(outcome.dataset.sizes) == {"larva": 2, "time": 1, "stimulus": 0}
    assert outcome.memories == [None, None]
    assert outcome.dataset.memory.item() == ""
    assert run_figure(outcome.dataset).axes
    with pytest.raises(InputError, match="memories must be at least one, got none"):
        save_memories(tmp_path / "none.npz", outcome)


def test_runs_that_others_build_are_watched(tmp_path: Path) -> None:
    """One that an Exec starts here; not one that is watched by itself, nor one that begins afterward."""
    conf = built(tmp_path / "configured", "forager", minutes=0.01).p
    conf.update(store_data=False, dir=str(tmp_path / "executed"), enrichment={})
    heard: list[Any] = []
    with watching(every_s=0.1, listeners=[heard.append]) as runs:
        execution = Exec("sim", conf, EXPERIMENT, run_externally=False)
        execution.run()
        own = built(tmp_path / "own", "forager", minutes=0.01)
        watch(own)
        simulate(own)
    simulate(built(tmp_path / "after", "forager", minutes=0.01))
    (seen,) = runs
    assert seen.run is execution.process
    assert {event.run for event in heard} == {seen.run}
    assert seen.outcome().dataset.sizes["time"] == len(heard) - 2


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_what_was_seen_before_an_error_stays(failure: type[BaseException], tmp_path: Path) -> None:
    """The end is told, and the result is of whole ticks, and says that the run was not complete."""
    ended: list[Any] = []

    def fail(event: Any) -> None:
        if isinstance(event, TickLived) and event.tick == 12:
            raise failure

    mine = built(tmp_path, "forager")
    seen = watch(mine, every_s=0.5, listeners=[fail, ended.append])
    with pytest.raises(failure):
        simulate(mine)
    assert isinstance(ended[-1], RunEnded)
    assert not ended[-1].complete
    dataset = seen.outcome().dataset
    assert dataset.time.values.tolist() == [0.5, 1.0]
    assert not dataset.complete.item()


def test_groups_of_several_models_are_one_run(tmp_path: Path) -> None:
    """Q-learning, a mushroom body and none: what larvae differ in is along them, and each goes on from its own file."""
    groups = {"RL": ("forager_RL", 1), "MB": "forager_MB", "naive": ("forager", 1)}
    options = {"RL": {"update_dt": 0.01}, "MB": {"probe_every_s": 1.0}}
    trained = run(EXPERIMENT, model=groups, larvae=2, minutes=0.1, memory=options, show_progress=False)
    dataset = trained.dataset
    assert dataset.group.values.tolist() == ["RL", "MB", "MB", "naive"]
    assert dataset.larva.values.tolist() == ["RL_0", "MB_0", "MB_1", "naive_0"]
    assert dataset.model.values.tolist() == ["forager_RL", "forager_MB", "forager_MB", "forager"]
    assert dataset.memory.values.tolist() == ["RLOlfMemory", "MushroomBodyMemory", "MushroomBodyMemory", ""]
    assert np.isnan(dataset["memory.update_dt"].values).tolist() == [False, True, True, True]
    assert dataset.experiment.item() == EXPERIMENT
    assert np.isnan(dataset.gain.values).any(axis=(1, 2)).tolist() == [False, False, False, True]
    assert np.isfinite(dataset.learned.sel(larva=["MB_0", "MB_1"])).all()
    assert len(run_figure(dataset).axes) == 5  # Two gains, tracks, and what was learned in its two units.
    every = save_memories(tmp_path / "every.npz", trained)
    of_bodies: dict[str, Any] = {"model": {"MB": "forager_MB"}, "memory": {"MB": options["MB"]}}
    short: dict[str, Any] = {"larvae": 2, "minutes": 0.05, "show_progress": False}
    bodies = save_memories(tmp_path / "bodies.npz", run(EXPERIMENT, **of_bodies, **short))
    for memories, rows in ((every, dataset.learned), ({"MB": bodies}, None)):
        frozen = {**options, "MB": {"frozen": True}}
        tested = run("PItest_off", model=groups, memories=memories, memory=frozen, **short).dataset
        learned = tested.learned.sel(larva=["MB_0", "MB_1"])
        assert learned.any()
        if rows is not None:
            assert np.array_equal(learned.values, rows.sel(larva=learned.larva, stimulus=learned.stimulus).values)


def test_configurations_by_value_stay_the_caller_s() -> None:
    """They do what they say, and are what they were, as is everything that the host has stored, and its files."""
    files = _content(Path(larvaworld.__file__).parent)
    stored = json.dumps([reg.conf.Model.dict, reg.conf.Exp.dict], default=str, sort_keys=True)
    model, experiment = host.stored("Model", "forager_RL"), host.stored("Exp", EXPERIMENT)
    model.brain.memory.gain_space = [-7.0, 7.0]
    experiment.env_params.arena.dims = (0.2, 0.2)
    given = json.dumps([model, experiment], default=str, sort_keys=True)
    short: dict[str, Any] = {"larvae": 2, "minutes": 0.05, "show_progress": False}
    changed = run(experiment, model=model, **short).dataset
    plain = run(EXPERIMENT, model=dict(host.stored("Model", "forager_RL")), **short).dataset
    assert set(np.abs(changed.gain.values.ravel()).tolist()) == {7.0}
    assert (changed.arena_width_m.item(), plain.arena_width_m.item()) == (0.2, 0.1)
    assert changed.run_id.item() != plain.run_id.item()
    assert changed.model.item() == changed.group.values[0] == "own"
    assert json.dumps([model, experiment], default=str, sort_keys=True) == given
    assert json.dumps([reg.conf.Model.dict, reg.conf.Exp.dict], default=str, sort_keys=True) == stored
    assert _content(Path(larvaworld.__file__).parent) == files


def _ended(folder: Path) -> Any:
    return simulate(built(folder, "forager", minutes=0.01))


def _watched(folder: Path) -> Any:
    mine = built(folder, "forager")
    watch(mine)
    return mine


@pytest.mark.parametrize(
    ("make", "arguments", "error", "sentence"),
    [
        (_ended, {}, MismatchError, "must be watched before it begins, got '.*', which has ended; make a new one"),
        (
            _watched,
            {},
            MismatchError,
            "must be watched once, got '.*', which is watched already; give all listeners to",
        ),
        (lambda _: "PItrain", {}, InputError, "run must be one of Larvaworld's, ExpRun or GAlauncher, got 'PItrain'; "),
        (built, {"every_s": 0.0}, InputError, "every_s must be"),
        (built, {"listeners": [1]}, InputError, "each listener must be a function of an event, got 1"),
        (built, {"listeners": 1}, InputError, "listeners must be"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(
    make: Callable[[Path], Any],
    arguments: dict[str, Any],
    error: type[Exception],
    sentence: str,
    tmp_path: Path,
) -> None:
    """And the run stays as it is."""
    with pytest.raises(error, match=sentence):
        watch(make(tmp_path), **arguments)


def test_another_version_of_the_host_is_not_watched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Unless it was registered with; only the number is not the real one here."""
    mine = built(tmp_path)
    monkeypatch.setattr(host, "version", lambda: "3.0.0")
    with pytest.raises(MismatchError, match=r"must be 2\.4\.0 or 2\.5\.1, got 3\.0\.0"):
        watch(mine)
    with pytest.raises(MismatchError, match=r"got 3\.0\.0"), watching():
        pass


def test_there_is_no_outcome_before_the_run_has_begun(tmp_path: Path) -> None:
    """Nor anything to save, nor a table."""
    mine = built(tmp_path)
    seen = watch(mine)
    with pytest.raises(MismatchError, match=r"must have begun before it has an outcome, got '.*', which has not; call"):
        seen.outcome()
    for of in (seen, mine):
        with pytest.raises(MismatchError, match="must have"):
            save_memories(tmp_path / "a.npz", of)
    with pytest.raises(InputError, match="run must be one of Larvaworld's"):
        save_memories(tmp_path / "a.npz", 5)
    with pytest.raises(MismatchError, match="a run must have ended before it has a table"):
        host_table(mine)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"model": {}}, r"model must be the name of a stored model, .* got {}; pass one"),
        ({"model": {"a": {"body": {}}}}, "the model of group 'a' must have a brain"),
        ({"model": {"a": ("forager_MB", 0)}}, "larvae of group 'a' must be"),
        (
            {"model": {"a": "forager_MP"}},
            "model must be one that Larvaworld has stored, got 'forager_MP'; did you mean",
        ),
        ({"model": {"a": "forager", "b": "explorer"}}, "one with a memory, got none in a, b"),
        ({"model": {"a": "forager_MB"}, "memories": {"b": "a.npz"}}, "unknown group of memories 'b'"),
        ({"experiment": {"duration": 1.0}}, "must name the stored one whose schedule it follows, got experiment=None"),
        ({"model": {"a": "forager_MB"}, "memory": {"a": {"probe_mss": 1}}}, "must be one it has, got 'probe_mss'"),
        ({"listeners": ["a"]}, "each listener must be a function of an event, got 'a'"),
    ],
)
def test_nonsense_of_groups_and_values_is_refused(arguments: dict[str, Any], sentence: str) -> None:
    """Before anything is simulated."""
    with pytest.raises(InputError, match=sentence):
        run(**{"experiment": "PItest_off", "show_progress": False, "larvae": 1, "minutes": 0.1, **arguments})
