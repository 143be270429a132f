"""Experiments of the host with memories of ours: real runs of the wheel."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from larvaworld.lib import reg
from larvaworld.lib.util import sense_food

from kenyon.errors import InputError, MismatchError
from kenyon.larvaworld_plugin import register, registered, run, unregister
from kenyon.larvaworld_plugin.experiment import carry_out, save_memories
from kenyon.larvaworld_plugin.plan import Plan
from kenyon.memory import checkpoint, embedded, sensing
from kenyon.mushroom_body.parameters import DEFAULT_NAME
from tests.server.running import Running

SHORT: dict[str, Any] = {"larvae": 2, "minutes": 0.2, "show_progress": False}

PROBED: dict[str, Any] = {"probe_every_s": 1.0}
GREEDY: dict[str, Any] = {"update_dt": 0.05, "epsilon": 0.0}


@pytest.fixture(autouse=True)
def nothing_stays_registered() -> Iterator[None]:
    """Every test begins and ends with the host's own classes."""
    unregister()
    yield
    unregister()


@pytest.fixture(scope="module")
def trained() -> Any:
    """Return a short training of mushroom bodies."""
    return run("PItrain_mini", memory=PROBED, **SHORT)


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    """Return PItrain_mini, all of it, with each kind of memory, by the name of the model."""
    options = {"forager_RL": GREEDY, "forager_MB": {}}
    how: dict[str, Any] = {**SHORT, "minutes": 1.0}
    return {model: run("PItrain_mini", model=model, memory=own, **how) for model, own in options.items()}


def numbers(dataset: Any) -> list[Any]:
    """Return all that was measured, as plain lists."""
    return [
        np.nan_to_num(dataset[name].values.astype(float)).tolist()
        for name in sorted(dataset.data_vars)
        if name != "larva_run_id"
    ]


@pytest.mark.parametrize("model", ["forager_RL", "forager_MB"])
def test_the_host_s_training_runs_to_its_end(model: str, whole: dict[str, Any]) -> None:
    """PItrain_mini, all eight epochs of it, and the larvae have learned about both odors."""
    dataset = whole[model].dataset
    assert dict(dataset.sizes) == {"larva": 2, "time": 60, "stimulus": 2}
    assert set(dataset.stimulus.values) == {"CS", "UCS"}
    assert float(dataset.time[-1]) == 60.0
    assert 0.2 < float(dataset.on_food.mean()) < 0.8
    assert dataset.memory.item() == ("RLOlfMemory" if model == "forager_RL" else "MushroomBodyMemory")
    assert json.loads(dataset.versions.item())["larvaworld"] == dataset.larvaworld.item()
    assert (dataset.gain.isel(time=-1).sel(stimulus="CS") != 0).all()
    if model == "forager_MB":
        assert (dataset.learned.sel(stimulus="CS") > 0).all()
    assert registered() is None  # only for the time of the run


def test_a_run_leaves_the_stored_experiment_as_it_was() -> None:
    """Its length, its larvae and all else, also in releases whose runs work on the stored one itself."""
    before = json.dumps(reg.conf.Exp.dict["PItrain_mini"], default=str, sort_keys=True)
    run("PItrain_mini", **SHORT)
    assert json.dumps(reg.conf.Exp.dict["PItrain_mini"], default=str, sort_keys=True) == before


def test_a_seed_gives_the_same_run_and_another_one_another() -> None:
    """Whatever was drawn before in this process; test_results holds two processes against each other."""
    other = run("PItrain_mini", larvae=2, minutes=0.1, seed=6, show_progress=False).dataset
    same = run("PItrain_mini", larvae=2, minutes=0.1, seed=6, show_progress=False).dataset
    third = run("PItrain_mini", larvae=2, minutes=0.1, seed=7, show_progress=False).dataset
    assert numbers(other) == numbers(same) != numbers(third)


def test_larvae_computed_together_are_larvae_one_by_one(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks put off and lived through together, each at once, or each in a population of its own."""
    alone = run("PItrain_mini", memory={**PROBED, "shared": False}, **SHORT).dataset
    monkeypatch.setattr(embedded, "_MOST_PUT_OFF", 1)
    at_once = run("PItrain_mini", memory=PROBED, **SHORT).dataset
    assert numbers(trained.dataset) == numbers(alone) == numbers(at_once)


def test_a_mushroom_body_on_a_server_gives_the_same_run(trained: Any, tmp_path: Path) -> None:
    """Gains, tracks and what was learned are those of the mushroom body in process."""
    with Running(tmp_path / "state") as server:
        where = {"server_host": server.address.host, "server_port": server.address.port}
        with register(remote=True, options={"MB": where}):
            there = run("PItrain_mini", memory=PROBED, **SHORT)
            assert numbers(there.dataset) == numbers(trained.dataset)
            file = save_memories(tmp_path / "memories.npz", there)
            frozen = run("PItest_off", memory={"frozen": True}, memories=file, **SHORT).dataset
    again = save_memories(tmp_path / "here.npz", trained)
    assert numbers(run("PItest_off", memory={"frozen": True}, memories=again, **SHORT).dataset) == numbers(frozen)
    assert there.dataset.memory.item() == "RemoteBrianModelMemory"


def test_larvae_on_food_need_not_approach_what_promises_food(whole: dict[str, Any], tmp_path: Path) -> None:
    """In PItest_on, where all is food; off it they do, and what they have learned is the same."""
    file = save_memories(tmp_path / "memories.npz", whole["forager_MB"])
    for experiment in ("PItest_on", "PItest_off"):
        plain, content = (
            run(experiment, larvae=2, minutes=0.05, memories=file, show_progress=False,
                memory={"frozen": True, "approaches_unless_rewarded": own}).dataset
            for own in (False, True)
        )  # fmt: skip
        assert plain.gain.max() > 0.0
        expected = np.minimum(plain.gain.values, 0.0) if experiment == "PItest_on" else plain.gain.values
        assert (content.gain.values == expected).all()
        assert (content.learned.values == plain.learned.values).all()
        assert (plain.on_food == (experiment == "PItest_on")).all()


@pytest.mark.parametrize("model", ["forager_RL", "forager_MB"])
def test_what_was_learned_goes_into_the_test(model: str, whole: dict[str, Any], tmp_path: Path) -> None:
    """Frozen, larvae follow it and learn no more; learning, they go on; without it they begin naive."""
    quick = GREEDY if model == "forager_RL" else {}
    file = save_memories(tmp_path / "memories.npz", whole[model])
    frozen = run("PItest_off", model=model, memories=file, memory={**quick, "frozen": True}, **SHORT)
    learned, kept = (dataset.sortby("stimulus").learned for dataset in (whole[model].dataset, frozen.dataset))
    assert np.array_equal(learned.values, kept.values)
    assert (frozen.dataset.gain.isel(time=5) == frozen.dataset.gain.isel(time=-1)).all()
    if model == "forager_MB":
        naive = run("PItest_off", model=model, **SHORT).dataset
        assert not naive.learned.any()
        assert not naive.gain.isel(time=-1).any()
        assert frozen.dataset.gain.isel(time=-1).sel(stimulus="CS").min() > 0.0
    else:
        tables = [memory.q_table for memory in frozen.memories]
        assert all(np.array_equal(a.q_table, b) for a, b in zip(whole[model].memories, tables, strict=True))
        going_on = run("PItest_off", model=model, memories=file, memory=quick, **SHORT)
        assert not any(np.array_equal(m.q_table, b) for m, b in zip(going_on.memories, tables, strict=True))


def test_contact_with_food_may_mean_punishment() -> None:
    """The same larvae on the same food, with the opposite sign."""
    signs = []
    for meaning in ("reward", "punishment"):
        memory = {"reinforcement": meaning}
        outcome = run("PItrain", memory=memory, **SHORT)
        signs.append(np.sign(outcome.dataset.learned.mean("larva").values).tolist())
    assert signs == [[1, 1], [-1, -1]]


def test_a_navigator_finds_food_although_the_host_does_not_look() -> None:
    """RLnavigator never gets a reward in Larvaworld; here it does, where a larva that can eat would have found food."""
    seen: list[tuple[bool, bool]] = []

    def script(host_run: Any) -> Any:
        def look() -> None:
            for agent in host_run.agents:
                assert not agent.on_food
                there = sense_food(agent.olfactor_pos, sources=host_run.sources, grid=None, radius=agent.radius)
                seen.append((there is not None, sensing.touches_food(agent.brain)))

        return look

    outcome = carry_out(Plan("single_odor_patch_x4", "RLnavigator", 4, 0.3, script=script), show_progress=False)
    assert all(theirs == ours for theirs, ours in seen)
    assert {ours for _, ours in seen} == {True, False}
    assert any(memory.rewardSum > 0 for memory in outcome.memories)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"experiment": "PItrian"}, InputError, "experiment must be one .* got 'PItrian'; did you mean 'PItrain'"),
        ({"model": "forager_MP"}, InputError, "model must be one .* got 'forager_MP'; did you mean 'forager_MB'"),
        ({"model": "forager"}, InputError, "model must be one with a memory, got 'forager'"),
        ({"larvae": 0}, InputError, "larvae must be"),
        ({"minutes": -1.0}, InputError, "minutes must be"),
        ({"minutes": 0.0}, InputError, "minutes must be above 0"),
        ({"every_s": 0.0}, InputError, "every_s must be"),
        ({"memory": {"probe_mss": 1}}, InputError, "must be one it has, got 'probe_mss'; did you mean 'probe_ms'"),
        ({"memory": {"probe_ms": -1}}, InputError, "probe_ms must be"),
        ({"memory": {"odors": {"CS": "sweat"}}}, InputError, "stimulus 'CS' must stand for a measured odor"),
        ({"minutes": 1e-4}, InputError, "minutes must be at least a tick of Larvaworld, 0.1 s, got 0.0001 min"),
        ({"model": "nengo_forager_MB"}, InputError, "got 'nengo_forager_MB': Larvaworld's NengoBrain"),
        ({"memories": "none.npz"}, InputError, "memories must be a file that is there, got none.npz"),
        (
            {"model": "RLtoucher", "experiment": "PItest_off"},
            MismatchError,
            "have something to sense, but its model has no touch",
        ),
    ],
)
def test_nonsense_is_refused_in_a_sentence(arguments: dict[str, Any], error: type[Exception], sentence: str) -> None:
    """Before anything is simulated."""
    with pytest.raises(error, match=sentence):
        run(**{"experiment": "PItest_off", "show_progress": False, "larvae": 1, "minutes": 0.1, **arguments})
    assert registered() is None


def test_memories_of_another_kind_are_refused(trained: Any, tmp_path: Path) -> None:
    """Of another model, as many as there are not, of other odors, of another circuit, or no memories at all."""
    file = save_memories(tmp_path / "memories.npz", trained)
    with pytest.raises(MismatchError, match="of the model forager0_MB, got those of forager_MB; run with that model"):
        run("PItest_off", model="forager0_MB", memories=file, **SHORT)
    with pytest.raises(MismatchError, match="must be of as many larvae as are run with one, 3, but are of 2; run 2"):
        run("PItest_off", memories=file, **{**SHORT, "larvae": 3})
    with pytest.raises(MismatchError, match=r"CS must stand for what the memories of .* learned, pentyl acetate, got"):
        run("PItest_off", memories=file, memory={"odors": {"CS": "3-octanol"}}, **SHORT)
    with pytest.raises(MismatchError, match="must know a stimulus of this experiment, Odor, got CS, UCS; run an"):
        run("patch_grid", memories=file, **SHORT)
    with pytest.raises(MismatchError, match=f"must have parameters='published', got '{DEFAULT_NAME}'"):
        run("PItest_off", memories=file, memory={"parameters": "published"}, **SHORT)


def test_memories_saved_without_a_run_are_taken_too(trained: Any, tmp_path: Path) -> None:
    """A file of `checkpoint.save` says less, but the memories are the same."""
    plain = checkpoint.save(tmp_path / "plain.npz", trained.memories)
    said = save_memories(tmp_path / "said.npz", trained)
    tested = [run("PItest_off", memories=file, memory={"frozen": True}, **SHORT).dataset for file in (plain, said)]
    assert numbers(tested[0]) == numbers(tested[1])
    assert [dataset.memories.item() for dataset in tested] == [str(plain), str(said)]


def test_what_a_q_learner_has_learned_is_followed_at_once(whole: dict[str, Any], tmp_path: Path) -> None:
    """In a test it does not wait for its next choice; and before any reward was credited it has learned nothing."""
    file = save_memories(tmp_path / "memories.npz", whole["forager_RL"])
    learned = whole["forager_RL"].dataset.learned.values
    assert np.isin(learned, [-300.0, -50.0, 50.0, 300.0]).all()
    for more in ({}, {"frozen": True}):
        tested = run("PItest_off", model="forager_RL", memories=file, memory={**GREEDY, **more}, **SHORT).dataset
        assert np.isin(tested.gain.isel(time=0).values, [-300.0, -50.0, 50.0, 300.0]).all()
    assert (tested.gain.isel(time=0).values == learned).all()
    naive = run("PItest_off", model="forager_RL", memory={"frozen": True}, **SHORT).dataset
    assert np.isnan(naive.learned.values).all()
