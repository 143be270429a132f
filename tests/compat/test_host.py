"""Our classes within the host: looked up, built and stepped by it."""

import inspect
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import param
import pytest
from larvaworld.lib.model.modules import memory as theirs
from larvaworld.lib.model.modules.module_modes import moduleDB
from larvaworld.lib.util import AttrDict

from kenyon import memory as ours
from tests.compat import host
from tests.compat.servers import Circuits, StockServer

PlugIn = Callable[[str, str, type], None]

# A gain update in every 3 s, and so more than one in a short run.
OFTEN = {"update_dt": 0.05}


class Case(NamedTuple):
    """One of our classes, and where the host uses it."""

    kind: Any
    mode: str
    modality: str
    experiment: str
    model: str


CASES = [
    Case(ours.RLOlfMemory, "RL", "olfaction", "chemotaxis_RL", "RLnavigator"),
    Case(ours.RLTouchMemory, "RL", "touch", "tactile_detection", "RLtoucher_2"),
    Case(ours.RemoteBrianModelMemory, "MB", "olfaction", "PItrain_mini", "max_forager_MB"),
    Case(ours.MushroomBodyMemory, "MB", "olfaction", "PItrain_mini", "max_forager_MB"),
]
each_class = pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind.__name__)


@each_class
def test_the_host_lists_every_option(plug_in: PlugIn, case: Case) -> None:
    """As it lists those of its own: all that are declared, and nothing that it gives itself."""
    plug_in(case.mode, case.modality, case.kind)
    listed = moduleDB.memory_kws(case.mode, case.modality, as_entry=False)
    declared = {name for name in case.kind.param if not case.kind.param[name].readonly} - {"name", "dt"}
    assert set(listed) == declared | {"mode", "modality"}
    assert not {"brain", "gain", "rng"} & set(listed)
    assert (listed.mode, listed.modality) == (case.mode, case.modality)
    # An option of the wheel's class has the name and default that it has there.
    stock = getattr(theirs, case.kind.__name__, theirs.Memory)
    for name in set(stock.param) & declared - {"modality"}:
        assert listed[name] == stock.param[name].default


@each_class
def test_the_host_builds_it_from_what_it_listed(plug_in: PlugIn, case: Case) -> None:
    """Every listed option is taken back, a changed one among them."""
    plug_in(case.mode, case.modality, case.kind)
    conf = moduleDB.memory_kws(case.mode, case.modality, as_entry=False, seed=7)
    gain = AttrDict({"Odor": 1.0})
    memory = moduleDB.build_memory_module(conf=conf, dt=0.2, brain=None, gain=gain)
    assert type(memory) is case.kind
    assert (memory.mode, memory.modality, memory.dt, memory.seed) == (case.mode, case.modality, 0.2, 7)
    assert isinstance(memory, param.Parameterized)
    assert memory.gain is gain
    for name in set(conf) - {"mode", "modality", "seed"}:
        assert getattr(memory, name) == conf[name]


@each_class
def test_the_hosts_brain_steps_it(plug_in: PlugIn, case: Case, stack: ExitStack, tmp_path: Path) -> None:
    """In a real run: gains are those of the sensor, the clock runs, and the mushroom bodies and odor tables learn."""
    plug_in(case.mode, case.modality, case.kind)
    options: dict[str, Any] = {"update_dt": 0.005} if case.mode == "RL" else {"G": 1.0, "smoothing_s": 5.0}
    server = stack.enter_context(StockServer(Circuits()))
    if case.kind is ours.RemoteBrianModelMemory:
        options |= {"server_host": "127.0.0.1", "server_port": server.address.port}
    finished = host.run(
        tmp_path, case.experiment, case.model, memory=options, seconds=10.0, larvae=4, on_food=case.modality == "touch"
    )
    larvae = list(host.memories(finished, case.modality))
    assert len(larvae) == 4
    for memory, sensor in larvae:
        assert type(memory) is case.kind
        assert memory.gain is sensor.gain
        assert memory.gain is sensor.gain_dict
        assert memory.total_ticks == 100
        assert memory.larva_id in {agent.unique_id for agent in finished.agents}
        if case.modality == "olfaction":
            assert memory.gain["Odor"] != 150.0  # As it was when the larva was born.
        else:
            assert set(memory.gain) == {"touch_sensor_0", "touch_sensor_2"}
        if case.kind is ours.RLOlfMemory:
            assert memory.gain["Odor"] in memory.gain_space
            assert memory.q_table.any()
        if case.mode == "MB":
            assert memory.sim_id == finished.id
            assert memory.step_id == 100
    if case.kind is ours.RLTouchMemory:
        assert any(set(memory.gain.values()) <= set(memory.gain_space) for memory, _ in larvae)
    if case.kind is ours.RemoteBrianModelMemory:
        assert (server.accepted, server.asked) == (1, 400)


def test_in_process_and_remote_are_one_memory_to_the_host(plug_in: PlugIn, stack: ExitStack, tmp_path: Path) -> None:
    """The same larvae in the same run end at the same places, with the same gains, which have learned."""
    server = stack.enter_context(StockServer(Circuits()))
    ends = []
    for kind in (ours.MushroomBodyMemory, ours.RemoteBrianModelMemory):
        plug_in("MB", "olfaction", kind)
        options: dict[str, Any] = {"G": 1.0, "smoothing_s": 5.0, "concentration_scale": 0.5}
        if kind is ours.RemoteBrianModelMemory:
            options |= {"server_host": "127.0.0.1", "server_port": server.address.port}
        finished = host.run(tmp_path, "PItrain_mini", "max_forager_MB", seconds=20.0, memory=options)
        gains = [dict(memory.gain) for memory, _ in host.memories(finished)]
        assert any(gain["CS"] > 0 for gain in gains)
        ends.append((gains, [agent.pos for agent in finished.agents]))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("experiment", ["PItrain_mini", "PItrain"])
def test_the_hosts_own_learning_experiment_runs(plug_in: PlugIn, tmp_path: Path, experiment: str) -> None:
    """The wheel's class ends it at its second gain update; with ours the larvae learn about all three odors."""
    with pytest.raises(IndexError, match="tuple index out of range"):
        host.run(tmp_path, experiment, "forager_RL", memory=OFTEN, seconds=10.0)
    plug_in("RL", "olfaction", ours.RLOlfMemory)
    finished = host.run(tmp_path, experiment, "forager_RL", memory=OFTEN, seconds=10.0)
    for memory, sensor in host.memories(finished):
        assert memory.total_ticks == 100
        assert memory.gain is sensor.gain
        assert set(memory.gain) == {"Odor", "CS", "UCS"}
        assert set(memory.gain.values()) <= set(memory.gain_space)
        assert memory.q_table.shape == (1, 4**3)
        assert memory.q_table.any()


def test_two_odor_models_with_a_mushroom_body_run(plug_in: PlugIn, tmp_path: Path) -> None:
    """The wheel's class ends a run of its own `_x2_MB` models with KeyError; ours follows both odors."""
    model = "RE_NEU_PHI_DEF_max_forager_x2_MB"
    with pytest.raises(KeyError, match="Odor"):
        host.run(tmp_path, "PItrain_mini", model, seconds=1.0)
    plug_in("MB", "olfaction", ours.MushroomBodyMemory)
    finished = host.run(tmp_path, "PItrain_mini", model, seconds=1.0)
    for memory, _ in host.memories(finished):
        assert set(memory.gain) == {"CS", "UCS"}
        assert memory.step_id == 10


@pytest.mark.parametrize(
    ("experiment", "model", "modality", "options"),
    [
        ("chemotaxis_RL", "RLnavigator", "olfaction", {"update_dt": 0.01}),
        ("chemotaxis_RL", "RLnavigator", "olfaction", {"update_dt": 0.01, "train_dur": 0.1, "state_spacePerSide": 1}),
        ("chemotaxis_RL", "RLnavigator", "olfaction", {"train_dur": 0.1, "state_specific_best": False}),
        ("chemotaxis", "Levy_navigator_brute_RL", "olfaction", {"update_dt": 0.01, "state_spacePerSide": 1}),
        ("MB_patch_grid", "forager_RL", "olfaction", {"update_dt": 0.01, "epsilon": 0.5}),
        ("tactile_detection", "RLtoucher_2", "touch", {"epsilon": 0.5}),
    ],
)
def test_under_the_old_rules_a_run_is_the_same(
    plug_in: PlugIn, tmp_path: Path, experiment: str, model: str, modality: str, options: dict[str, Any]
) -> None:
    """With `rules="larvaworld"`, under the same seed, larvae are at the same places with the same gains and tables."""
    ends = []
    for kind in (None, getattr(ours, {"olfaction": "RLOlfMemory", "touch": "RLTouchMemory"}[modality])):
        own = options
        if kind is not None:
            plug_in("RL", modality, kind)
            own = {**options, "rules": "larvaworld"}
        finished = host.run(
            tmp_path, experiment, model, memory=own, seconds=10.0, larvae=2, seed=3, on_food=modality == "touch"
        )
        larvae = list(host.memories(finished, modality))
        assert any(memory.q_table.any() for memory, _ in larvae)
        assert all(type(memory) is kind for memory, _ in larvae) is (kind is not None)
        ends.append(
            {
                "gains": [dict(sensor.gain) for _, sensor in larvae],
                "tables": [np.array(memory.q_table).tolist() for memory, _ in larvae],
                "positions": [tuple(agent.pos) for agent in finished.agents],
                "orientations": [agent.get_orientation() for agent in finished.agents],
            }
        )
    assert ends[0] == ends[1]


def their_methods() -> list[tuple[str, str]]:
    """Return class and name of each public method of the wheel's memories, and of their making."""
    found = []
    for name in theirs.__all__:
        for word, value in vars(getattr(theirs, name)).items():
            if inspect.isfunction(value) and (word == "__init__" or not word.startswith("_")):
                found.append((name, word))
    return found


def test_the_wheel_has_the_methods_of_its_page() -> None:
    """So that the next test does not pass for want of any."""
    assert {("Memory", "step"), ("RLmemory", "update_ext_gain"), ("RemoteBrianModelMemory", "runRemoteModel")} <= set(
        their_methods()
    )


@pytest.mark.parametrize(("name", "method"), their_methods())
def test_positional_arguments_are_the_wheels(name: str, method: str) -> None:
    """In name, order and default; a default that was a shared dict is None."""
    wheel = inspect.signature(getattr(getattr(theirs, name), method)).parameters
    mine = inspect.signature(getattr(getattr(ours, name), method)).parameters
    positional = [p for p in wheel.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    same = list(mine.values())[: len(positional)]
    assert [p.name for p in same] == [p.name for p in positional]
    assert all(p.kind is p.POSITIONAL_OR_KEYWORD for p in same)
    assert [p.default for p in same] == [None if p.default == {} else p.default for p in positional]
    if any(p.kind is p.VAR_KEYWORD for p in wheel.values()):
        assert any(p.kind is p.VAR_KEYWORD for p in mine.values())


@pytest.mark.parametrize("name", ["Memory", "RLmemory", "RLOlfMemory", "RLTouchMemory"])
def test_attributes_are_the_wheels(name: str) -> None:
    """Whatever public name an instance of the wheel has, ours has, with the same value to begin with."""
    gain = {"CS": 1.0, "UCS": 2.0}
    wheel, mine = (getattr(source, name)(gain=dict(gain)) for source in (theirs, ours))
    names = [word for word in (*vars(wheel), *dir(type(wheel))) if not word.startswith("_")]
    compared = 0
    for word in set(names) - set(dir(param.Parameterized)) - {"name"}:
        value, own = getattr(wheel, word), getattr(mine, word)
        if not callable(value):
            assert np.array_equal(own, value) if isinstance(value, np.ndarray) else own == value, word
            compared += 1
    assert compared >= 10
