"""Under rules="larvaworld", a subclass's methods are called as often as those of the wheel's classes, and as early."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from larvaworld.lib.model.modules import memory as theirs

from kenyon import memory as ours

from .test_same_numbers import change, configuration

METHODS = ["count_time", "update_gain", "update_q_table", "state_collapse", "update_ext_gain", "condition", "step"]
PROPERTIES = ["t", "total_t", "best_actions", "best_gain", "learning_on"]


def noting(kind: type[Any], calls: list[str]) -> type[Any]:
    """Return a subclass that notes every call, in order."""

    def method(name: str) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            calls.append(name)
            return getattr(kind, name)(self, *args, **kwargs)

        return call

    def own(name: str) -> property:
        inherited = next(vars(base)[name] for base in kind.__mro__ if name in vars(base))

        def get(self: Any) -> Any:
            calls.append(name)
            return inherited.fget(self)

        return property(get)

    return type(kind.__name__, (kind,), {**{n: method(n) for n in METHODS}, **{n: own(n) for n in PROPERTIES}})


@pytest.mark.parametrize("name", ["RLmemory", "RLOlfMemory", "RLTouchMemory"])
@pytest.mark.parametrize("n_stimuli", [1, 2])
def test_every_method_is_called_as_often_and_in_the_same_order(name: str, n_stimuli: int) -> None:
    """Random options, changes and rewards, during the training and after it."""
    seen: set[str] = set()
    for sequence in range(12):
        chance = random.Random(f"{name} {n_stimuli} {sequence}")
        options, stimuli = configuration(chance), [f"odor{i}" for i in range(n_stimuli)]
        calls: dict[str, list[str]] = {"theirs": [], "ours": []}
        random.seed(sequence)
        wheel = noting(getattr(theirs, name), calls["theirs"])(gain=dict.fromkeys(stimuli, 0.0), **options)
        mine = noting(getattr(ours, name), calls["ours"])(
            gain=dict.fromkeys(stimuli, 0.0), rules="larvaworld", **options
        )
        for step in range(60):
            dx, reward = change(chance, stimuli, touch=name == "RLTouchMemory"), chance.random() < 0.2
            if step % 20 == 10:
                wheel.stop_effector()
                mine.stop_effector()
            if step % 20 == 15:
                wheel.start_effector()
                mine.start_effector()
            for memory in (wheel, mine):
                random.seed(f"{sequence} {step}")
                memory.step(reward=reward, dx=dict(dx))
            assert calls["ours"] == calls["theirs"]
        seen.update(calls["ours"])
    assert seen >= {*METHODS, *PROPERTIES} - {"t"}


def test_a_remote_model_is_run_once_in_each_step() -> None:
    """With the arguments that the host gives, by the names that it gives them."""
    from types import SimpleNamespace

    agent = SimpleNamespace(unique_id="Larva_1", model=SimpleNamespace(id="run"))
    given: dict[str, list[Any]] = {"theirs": [], "ours": []}
    for who, room in (("theirs", theirs), ("ours", ours)):

        class Own(room.RemoteBrianModelMemory):  # type: ignore[name-defined,misc]  # of either
            def runRemoteModel(self, *args: Any, who: str = who, **kwargs: Any) -> float:
                given[who].append((args, kwargs))
                return 3.0

        memory = Own(G=0.5, brain=SimpleNamespace(agent=agent), gain={"Odor": 0.0})
        for step in range(5):
            assert memory.step(dx={"Odor": 0.1 * step}, reward=step > 2)["Odor"] == 1.5
    assert given["ours"] == given["theirs"]
