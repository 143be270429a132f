"""Nonsense in any argument of any public callable: one sentence of ours with nothing changed, or a stated success."""

import random
import warnings
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kenyon.errors import KenyonError
from kenyon.memory import (
    Memory,
    MushroomBodyMemory,
    RemoteBrianModelMemory,
    RLmemory,
    RLOlfMemory,
    RLPopulation,
    RLTouchMemory,
    Timer,
    checkpoint,
    step_together,
)

from .interrupting import everything


class Hostile:
    """An object that raises whatever it likes when it is looked at."""

    def __repr__(self) -> str:
        """Raise."""
        raise RuntimeError

    def __float__(self) -> float:
        """Raise."""
        raise RuntimeError

    def __bool__(self) -> bool:
        """Raise."""
        raise RuntimeError


ODD: list[Any] = [
    *(None, True, 0, -1, 1.5, float("nan"), float("inf"), 10**400, -(2**70), 1j, "text", "", "\0", b"x"),
    *([], [1, [2]], ["a", 2], [[1.0, 2.0]], (), {}, {"a": 1}, {1: 2}, {1}, range(3), object(), Hostile(), Hostile, len),
    *({"Odor": odd} for odd in ("x", np.nan, [1, 2], None, 10**400, np.timedelta64(1, "s"), True, 1j, Hostile())),
    *({"Odor": np.array(["a", "b"])}, {"Odor": np.array([1.0, 2.0])}, {"x\ny": 0.1}, {"no odor": 1.0}),
    *(np.timedelta64(100, "ms"), np.datetime64("2020"), np.array(["a", "b"]), np.array([1.0, np.nan])),
    *(np.zeros((2, 2)), np.array(3.0), np.array([None, 1], dtype=object), np.float32(1.5), np.int8(3), np.bool_(True)),
    *(np.ma.masked, Path("/nowhere/x.npz")),
]

OPTIONS: dict[str, Any] = {"update_dt": 0.0, "model_id": 1}
BODY: dict[str, Any] = {"dt": 0.01, "model_id": 1, "shared": False}
MAKERS: dict[str, Callable[[], Any]] = {
    "plain": lambda: Memory(gain={"Odor": 0.0}),
    "joint": lambda: RLOlfMemory(gain={"Odor": 0.0}, **OPTIONS),
    "factored": lambda: RLOlfMemory(gain={"Odor": 0.0}, table="factored", **OPTIONS),
    "larvaworld": lambda: RLOlfMemory(gain={"Odor": 0.0}, rules="larvaworld", rng=random.Random(1), **OPTIONS),
    "touch": lambda: RLTouchMemory(gain={"Odor": 0.0}, model_id=1),
    "body": lambda: MushroomBodyMemory(gain={"Odor": 0.0}, **BODY),
    "probed": lambda: MushroomBodyMemory(gain={"Odor": 0.0}, readout="probe", probe_ms=1.0, **BODY),
    "remote": lambda: RemoteBrianModelMemory(server_port=1, sim_id=1, model_id=1, timeout_s=0.001, on_failure="zero"),
    "population": lambda: RLPopulation(2, ["Odor"], update_dt=0.0),
}
LEARNERS, BODIES = ("joint", "factored", "larvaworld", "touch"), ("body", "probed", "remote")


def then_step(name: str) -> Callable[[Any, Any], Any]:
    """Return a call that sets an attribute and then steps."""

    def call(memory: Any, odd: Any) -> None:
        setattr(memory, name, odd)
        memory.step(dx={"Odor": 0.1})

    return call


def calls_of(name: str) -> dict[str, Callable[[Any, Any], Any]]:
    """Return what can be called of a memory, with one argument that is nonsense."""
    if name == "population":
        return {"dx": lambda m, v: m.step(v), "reward": lambda m, v: m.step([[0.0], [0.0]], v)}
    calls: dict[str, Callable[[Any, Any], Any]] = {
        "step(dx)": lambda m, v: m.step(dx=v),
        "step(reward)": lambda m, v: m.step(dx={"Odor": 0.1}, reward=v),
        **{f"{attribute} =": then_step(attribute) for attribute in ("gain", "rewardSum", "ticks", "total_ticks")},
    }
    if name in LEARNERS:
        calls |= {
            "update_gain": lambda m, v: m.update_gain(dx=v),
            "update_ext_gain(gain)": lambda m, v: m.update_ext_gain(v, {"Odor": 0.1}),
            "update_ext_gain(dx)": lambda m, v: m.update_ext_gain({"Odor": 0.1}, v),
            "update_ext_gain(randomize)": lambda m, v: m.update_ext_gain({"Odor": 0.1}, {"Odor": 0.1}, v),
            "update_q_table(state)": lambda m, v: m.update_q_table(v, 0.0),
            "update_q_table(reward)": lambda m, v: m.update_q_table(m.lastState, v),
            "state_collapse": lambda m, v: m.state_collapse(v),
            "condition": lambda m, v: m.condition(v),
            **{
                f"{attribute} =": then_step(attribute)
                for attribute in ("q_table", "lastState", "lastAction", "rng", "iterator")
            },
        }
    if name in BODIES:
        calls |= {
            "step(punishment)": lambda m, v: m.step({"Odor": 1.0}, punishment=v),
            "step(t_warmup)": lambda m, v: m.step({"Odor": 1.0}, t_warmup=v),
            "measured_odor": lambda m, v: m.measured_odor(v),
            "measured_mixture": lambda m, v: m.measured_mixture(v),
            "together(dx)": lambda m, v: step_together([m], [v], [0.0]),
            "together(all dx)": lambda m, v: step_together([m], v, [0.0]),
            "together(memories)": lambda _, v: step_together(v, [{}], [0.0]),
            "together(memory)": lambda _, v: step_together([v], [{}], [0.0]),
            "together(reward)": lambda m, v: step_together([m], [{}], v),
            "together(punishment)": lambda m, v: step_together([m], [{}], [0.0], v),
        }
    if name == "remote":
        given: dict[str, Any] = {"model_instance_id": 1, "odor_id": 0}
        names = ("model_instance_id", "odor_id", "t_sim", "t_warmup", "concentration", "reward", "odors", "T", "sim_id")
        calls |= {
            f"runRemoteModel({own})": lambda m, v, own=own: m.runRemoteModel(**{**given, own: v})  # type: ignore[misc]  # a default holds it
            for own in names
        }
        calls |= {"load(snapshot)": lambda m, v: m.load(v, 0), "load(step_id)": lambda m, v: m.load("x", v)}
    elif name in BODIES:
        calls |= {"probe(stimuli)": lambda m, v: m.probe(v, 1.0), "probe(probe_ms)": lambda m, v: m.probe(["Odor"], v)}
    return calls


def refused_or_right(call: Callable[[], Any]) -> bool:
    """Call; return whether it was refused, in one line; whatever else is raised goes on."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call()
    except KenyonError as reason:
        refusal = str(reason)
    else:
        return False
    assert refusal.isprintable()
    return True


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.long)])
def test_nonsense_in_any_argument_of_a_memory_is_refused_in_a_line_and_changes_nothing(name: str, every: int) -> None:
    """No raw exception from any method, whatever is in any argument."""
    refused = 0
    for number, (label, call) in enumerate(calls_of(name).items()):
        for odd in ODD[number % every :: every]:
            memory = MAKERS[name]()
            before = None if name == "remote" else everything(memory)
            try:
                if refused_or_right(lambda: call(memory, odd)):  # noqa: B023  # called at once
                    refused += 1
                    assert before is None or label.endswith("=") or everything(memory) == before
            except Exception as raw:
                raise AssertionError(f"{label} of {name}, given {type(odd).__name__}") from raw
    assert refused > 5


@pytest.mark.parametrize(
    "kind", [Timer, Memory, RLmemory, RLOlfMemory, MushroomBodyMemory, RemoteBrianModelMemory, RLPopulation]
)
@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.long)])
def test_nonsense_in_any_option_is_refused_in_a_line(kind: Any, every: int) -> None:
    """Every option of every class; `brain` is the host's, and anything."""
    population = kind is RLPopulation
    names = ["larvae", "stimuli", "kind", "model_ids", "seed", "alpha"] if population else list(kind.param)
    names += ["gain"] if issubclass(kind, Memory) else []
    names += ["rng"] if issubclass(kind, RLmemory) else []
    for number, name in enumerate(names):
        for odd in ODD[number % every :: every]:
            given = {"larvae": 2, "stimuli": ["a"], name: odd} if population else {name: odd}
            refused_or_right(lambda: kind(**given))  # noqa: B023  # called at once


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.long)])
def test_nonsense_for_checkpoints_is_refused_in_a_line(every: int, tmp_path: Path, monkeypatch: Any) -> None:
    """Paths, memories, what is said about them, limits; a file that is not there is a FileNotFoundError."""
    monkeypatch.chdir(tmp_path)
    file = checkpoint.save(tmp_path / "a.npz", RLOlfMemory(gain={"Odor": 0.0}, model_id=1))
    calls: list[Callable[[Any], Any]] = [
        lambda v: checkpoint.save(v, Memory()),
        lambda v: checkpoint.save("b.npz", v),
        lambda v: checkpoint.save("c.npz", Memory(), about=v),
        lambda v: checkpoint.save("d.npz", Memory(), overwrite=v),
        checkpoint.load,
        checkpoint.about,
        checkpoint.names,
        lambda v: checkpoint.load(file, limit_bytes=v),
        lambda v: checkpoint.restore(v, Memory()),
        lambda v: checkpoint.restore(file, v),
    ]
    for number, call in enumerate(calls):
        for odd in ODD[number % every :: every]:
            with suppress(FileNotFoundError) if isinstance(odd, (str, Path)) else nullcontext():
                refused_or_right(lambda: call(odd))  # noqa: B023  # called at once
