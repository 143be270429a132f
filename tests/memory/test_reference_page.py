"""Every name on Larvaworld's reference page of its memory module, with its default, exists and works here."""

import inspect
from typing import Any

import param
import pytest

from kenyon import memory as room
from kenyon.memory import (
    Memory,
    MushroomBodyMemory,
    RemoteBrianModelMemory,
    RLmemory,
    RLOlfMemory,
    RLTouchMemory,
    Timer,
)

PAGE: dict[type[Any], dict[str, Any]] = {
    Timer: {
        "dt": 0.1,
        "ticks": 0,
        "total_ticks": 0,
        "active": True,
        "complete_iteration": False,
        "t": 0.0,
        "total_t": 0.0,
    },
    Memory: {"brain": None, "gain": {}, "rewardSum": 0},
    RLmemory: {
        "mode": "RL",
        "update_dt": 1.0,
        "train_dur": 30.0,
        "Delta": 0.1,
        "alpha": 0.05,
        "gamma": 0.6,
        "epsilon": 0.15,
        "state_spacePerSide": 0,
        "state_specific_best": True,
        "gain_space": [-300.0, -50.0, 50.0, 300.0],
        "Niters": 600,
        "iterator": 600,
        "lastAction": 0,
        "lastState": 0,
        "actions": [()],
        "best_actions": (),
        "best_gain": {},
        "learning_on": True,
    },
    RLOlfMemory: {"mode": "RL", "modality": "olfaction"},
    RLTouchMemory: {"mode": "RL", "modality": "touch"},
    RemoteBrianModelMemory: {
        "mode": "MB",
        "server_host": "localhost",
        "server_port": 5795,
        "sim_id": None,
        "G": 0.001,
        "t_sim": 100,
        "step_id": 0,
    },
}
METHODS = {
    Timer: ["count_time", "reset", "start_effector", "stop_effector"],
    Memory: ["step", "update_gain"],
    RLmemory: ["update_q_table", "state_collapse", "update_ext_gain", "update_gain", "condition"],
    RemoteBrianModelMemory: ["runRemoteModel", "step"],
}


@pytest.mark.parametrize("kind", PAGE, ids=lambda kind: kind.__name__)
def test_every_attribute_has_its_default(kind: type[Any]) -> None:
    """Made without arguments, as the host does to read defaults."""
    instance = kind()
    assert isinstance(instance, param.Parameterized)
    assert {name: getattr(instance, name) for name in PAGE[kind]} == PAGE[kind]


@pytest.mark.parametrize("kind", METHODS, ids=lambda kind: kind.__name__)
def test_every_method_is_there(kind: type[Any]) -> None:
    """By its name, documented."""
    for method in METHODS[kind]:
        assert inspect.getdoc(getattr(kind, method))


def test_tables_of_a_memory_without_stimuli_have_one_entry() -> None:
    """As there; the first stimulus extends them."""
    memory = RLmemory()
    assert (memory.q_table.shape, memory.state_space.shape) == ((1, 1), (1, 0))


def test_arguments_come_in_the_order_of_the_page() -> None:
    """Positional calls mean the same."""
    gain = {"Odor": 1.0}
    assert Memory(None, gain).gain is gain
    remote = RemoteBrianModelMemory(0.5, "example", 1234)
    assert (remote.G, remote.server_host, remote.server_port) == (0.5, "example", 1234)
    names: dict[Any, list[str]] = {
        Memory.step: ["self", "reward"],
        RLmemory.update_q_table: ["self", "state", "reward"],
        RLmemory.update_ext_gain: ["self", "gain", "dx", "randomize"],
        RemoteBrianModelMemory.step: ["self", "dx", "reward", "t_warmup"],
        RemoteBrianModelMemory.runRemoteModel: [
            *("self", "model_instance_id", "odor_id", "t_sim", "t_warmup", "concentration")
        ],
    }
    for method, expected in names.items():
        assert list(inspect.signature(method).parameters)[: len(expected)] == expected


def test_the_timer_counts_ticks_and_seconds() -> None:
    """Stopping forgets the time since the start; resetting forgets all."""
    timer = Timer(dt=0.5)
    timer.count_time()
    timer.count_time()
    assert (timer.t, timer.total_t) == (1.0, 1.0)
    timer.stop_effector()
    assert (timer.active, timer.t, timer.total_t) == (False, 0.0, 1.0)
    timer.start_effector()
    timer.reset()
    assert (timer.active, timer.total_t) == (True, 0.0)


def test_the_step_of_the_circuit_is_rounded_not_cut() -> None:
    """int(0.57 * 1000) is 569; the circuit steps by 0.1 ms."""
    assert [MushroomBodyMemory(dt=dt).t_sim for dt in (0.57, 0.1, 0.0123)] == [570, 100, 12.3]


def test_every_class_of_the_room_is_exported() -> None:
    """The package's front door has all of the page."""
    assert {kind.__name__ for kind in PAGE} <= set(room.__all__)
