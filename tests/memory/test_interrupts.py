"""A step of any memory is whole or not at all, also under Ctrl-C."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kenyon.memory import (
    Memory,
    MushroomBodyMemory,
    RemoteBrianModelMemory,
    RLmemory,
    RLOlfMemory,
    RLPopulation,
    RLTouchMemory,
    checkpoint,
    step_together,
)
from kenyon.wire import close_connections

from .interrupting import after_calls, alarm, at_every_place, at_random_moments, everything, interrupted
from .peer import Peer

BOTH = {"CS": 0.3, "UCS": -0.2}
OPTIONS: dict[str, Any] = {"update_dt": 0.0, "epsilon": 0.4, "seed": 3, "state_spacePerSide": 1, "alpha": 0.5}
ALWAYS = {**OPTIONS, "model_id": 1}


class Own(dict):  # type: ignore[type-arg]  # of gains
    """A host's dictionary that writes by a method of its own."""

    def __setitem__(self, key: str, value: float) -> None:
        """Write."""
        super().__setitem__(key, value)


class Counting(RLOlfMemory):
    """Overrides much of the reference page, and does as it does."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.calls = 0

    def update_q_table(self, state: Any, reward: float) -> None:
        """Count."""
        self.calls += 1
        super().update_q_table(state, reward)

    def condition(self, dx: Any) -> bool:
        """Count."""
        self.calls += 1
        return super().condition(dx)


def gains(*names: str) -> dict[str, float]:
    """Return gains of some stimuli."""
    return dict.fromkeys(names, 0.0)


LEARNERS: dict[str, Callable[[], Any]] = {
    "no learning": lambda: Memory(gain=gains("CS")),
    "between choices": lambda: RLmemory(gain=gains("CS", "UCS"), update_dt=1.0, model_id=1),
    "joint": lambda: RLOlfMemory(gain=gains("CS", "UCS"), **ALWAYS),
    "factored": lambda: RLOlfMemory(gain=gains("CS", "UCS"), table="factored", **ALWAYS),
    "a new stimulus": lambda: RLOlfMemory(gain=gains("CS"), **ALWAYS),
    "a new stimulus, factored": lambda: RLOlfMemory(gain=gains("CS"), table="factored", **ALWAYS),
    "trained": lambda: RLOlfMemory(gain=gains("CS", "UCS"), train_dur=0.0, **ALWAYS),
    "trained, on average": lambda: RLOlfMemory(
        gain=gains("CS", "UCS"), train_dur=0.0, state_specific_best=False, **ALWAYS
    ),
    "touch": lambda: RLTouchMemory(gain=gains("CS", "UCS"), **ALWAYS),
    "larvaworld": lambda: RLOlfMemory(gain=gains("CS"), rules="larvaworld", rng=random.Random(1), **ALWAYS),
    "a generator of one's own": lambda: RLOlfMemory(gain=gains("CS", "UCS"), rng=np.random.default_rng(1), **ALWAYS),
    "gains of the host's kind": lambda: RLOlfMemory(gain=Own(gains("CS", "UCS")), **ALWAYS),
    "overridden": lambda: Counting(gain=gains("CS"), table="factored", **ALWAYS),
    "population": lambda: RLPopulation(3, ["CS", "UCS"], **OPTIONS),
}


def made(name: str, steps: int) -> Any:
    """Return a learner that has lived for some steps."""
    learner = LEARNERS[name]()
    for number in range(steps):
        live(learner, number, early=True)
    return learner


def live(learner: Any, number: int, *, early: bool = False) -> None:
    """Let it live through one step."""
    reward = number % 3 == 0
    if isinstance(learner, RLPopulation):
        learner.step(np.full((3, 2), 0.1 * (number % 5)), reward)
    elif isinstance(learner, RLTouchMemory):
        learner.step(dx={"CS": (1, 0, -1)[number % 3], "UCS": 0}, reward=reward)
    elif early and len(learner.gain) == 1:
        learner.step(dx={"CS": 0.3}, reward=reward)
    else:
        learner.step(dx=BOTH if number % 2 else {"CS": 0.0, "UCS": 0.4}, reward=reward)


EVERY_PLACE = pytest.param(1, marks=pytest.mark.long)
HOW_MANY = [5, pytest.param(2000, marks=pytest.mark.long)]


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("every", [61, EVERY_PLACE])
def test_ctrl_c_at_any_place_of_a_step_finds_it_done_or_not(name: str, steps: int, every: int) -> None:
    """Before each instruction of ours in turn: clock, reward, table, choice, chance and gains belong together."""
    at_every_place(lambda: made(name, steps), lambda learner: live(learner, steps), everything, every=every)


@pytest.mark.parametrize("name", ["overridden", "larvaworld", "a generator of one's own"])
@pytest.mark.parametrize("again", [1, 4])
@pytest.mark.parametrize("every", [127, EVERY_PLACE])
def test_ctrl_c_pressed_twice_finds_a_step_done_or_not(name: str, again: int, every: int) -> None:
    """The second time while what the first one interrupted is being taken back."""
    at_every_place(lambda: made(name, 2), lambda learner: live(learner, 2), everything, again=again, every=every)


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("interrupts", HOW_MANY)
def test_real_interrupts_at_random_moments_find_a_step_done_or_not(name: str, interrupts: int) -> None:
    """By a signal, as Ctrl-C comes."""
    at_random_moments(lambda: made(name, 2), live, everything, interrupts=interrupts)


class Patient(MushroomBodyMemory):
    """Overrides a method that each of its steps calls."""

    def count_time(self) -> None:
        """Count."""
        super().count_time()


PROBING: dict[str, Any] = {"readout": "probe", "probe_ms": 20.0, "probe_every_s": 0.2}
BODIES: dict[str, tuple[type[MushroomBodyMemory], dict[str, Any]]] = {
    "read in each step": (MushroomBodyMemory, {}),
    "smoothed, with gains of the host's kind": (MushroomBodyMemory, {"smoothing_s": 1.0, "own_gains": True}),
    "probed": (MushroomBodyMemory, PROBING),
    "frozen": (MushroomBodyMemory, {**PROBING, "frozen": True}),
    "overridden": (Patient, PROBING),
}


def bodies(name: str, steps: int) -> list[MushroomBodyMemory]:
    """Return two larvae, with a population each, that have lived for some steps."""
    kind, options = BODIES[name]
    options = {"shared": False, "dt": 0.02, **options}
    own = options.pop("own_gains", False)
    both = [kind(gain=(Own if own else dict)(gains("CS", "UCS")), model_id=i, **options) for i in range(2)]
    for number in range(steps):
        live_together(both, number)
    return both


def live_together(both: list[MushroomBodyMemory], number: int) -> None:
    """Let larvae live through one step together."""
    step_together(both, [BOTH, {"CS": 0.0}], [number % 3 == 0, True], t_warmup=1.0)


def all_of(both: list[Any]) -> Any:
    """Return all there is to them."""
    return [everything(memory) for memory in both]


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("every", [397, pytest.param(7, marks=pytest.mark.long)])
def test_ctrl_c_at_any_place_finds_larvae_stepped_together_or_none_of_them(name: str, every: int) -> None:
    """Circuits, clocks and gains of all of them."""
    at_every_place(lambda: bodies(name, 1), lambda both: live_together(both, 1), all_of, every=every, where=after_calls)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("interrupts", HOW_MANY)
def test_real_interrupts_at_random_moments_find_a_circuit_and_its_gains_together(name: str, interrupts: int) -> None:
    """Also where ticks are put off, and lived through later."""
    at_random_moments(lambda: bodies(name, 1), live_together, all_of, interrupts=interrupts)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a socket that was just being opened
@pytest.mark.parametrize("interrupts", HOW_MANY)
def test_a_step_on_a_server_is_done_or_not(interrupts: int) -> None:
    """What the server did for a step that was interrupted is told apart by the next one's number."""
    with Peer() as server:

        def made_there() -> RemoteBrianModelMemory:
            where: dict[str, Any] = {"server_host": "127.0.0.1", "server_port": server.address.port, "timeout_s": 5.0}
            return RemoteBrianModelMemory(sim_id="run", model_id=0, gain=gains("CS"), **where)

        def own(memory: RemoteBrianModelMemory) -> Any:
            return memory.ticks, memory.total_ticks, memory.rewardSum, dict(memory.gain), memory.failures

        memory, chance = made_there(), random.Random(interrupts)
        memory.step({"CS": 1.0})
        hits = 0
        with alarm():
            while hits < interrupts:
                before, step_id = own(memory), memory.step_id
                hits += interrupted(lambda: memory.step({"CS": 1.0}, True), chance.uniform(1e-6, 4e-3))
                after = own(memory)
                done = (before[0] + 1, before[1] + 1, before[2] + 0.99)
                assert after == before or (after[:3] == done and memory.step_id > step_id)
        memory.step({"CS": 1.0})
        assert memory.step_id >= memory.total_ticks
    close_connections()


@pytest.mark.parametrize("kind", ["learners", "bodies"])
@pytest.mark.parametrize("every", [997, pytest.param(13, marks=pytest.mark.long)])
def test_ctrl_c_at_any_place_finds_a_group_restored_or_as_it_was(kind: str, every: int, tmp_path: Path) -> None:
    """All of its memories, from one file."""

    def group(steps: int) -> list[Any]:
        return bodies("probed", steps) if kind == "bodies" else [made("joint", steps), made("population", steps)]

    file = checkpoint.save(tmp_path / "group.npz", group(3))
    at_every_place(
        lambda: group(1), lambda there: checkpoint.restore(file, there), all_of, every=every, where=after_calls
    )
