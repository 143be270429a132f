"""Whoever overrides a method or property of the reference page is obeyed, in a class or in one memory."""

import random
from collections import Counter
from functools import partial
from typing import Any

import numpy as np
import pytest

from kenyon.memory import (
    Memory,
    MushroomBodyMemory,
    RemoteBrianModelMemory,
    RLmemory,
    RLOlfMemory,
    RLTouchMemory,
    step_together,
)

from .interrupting import everything
from .test_reference_page import METHODS, PAGE

UNUSED = frozenset(("t", "reset", "start_effector", "stop_effector"))
"""What no step of the host calls."""


def names_of(kind: type[Any]) -> list[str]:
    """Return the methods and properties on the page that a class has, its own and those it inherits."""
    named = {name for base in PAGE if issubclass(kind, base) for name in (*PAGE[base], *METHODS.get(base, ()))}
    own = {name: next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None) for name in named}
    return sorted(name for name, meaning in own.items() if isinstance(meaning, property) or callable(meaning))


def counting(kind: type[Any], names: list[str], counts: Counter[str]) -> type[Any]:
    """Return a subclass that counts how often each of some methods and properties is asked, and does as its base."""

    def method(name: str) -> Any:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            counts[name] += 1
            return getattr(kind, name)(self, *args, **kwargs)

        return call

    def own(name: str) -> Any:
        inherited: property = next(vars(base)[name] for base in kind.__mro__ if name in vars(base))

        def get(self: Any) -> Any:
            counts[name] += 1
            assert inherited.fget is not None
            return inherited.fget(self)

        return property(get, inherited.fset)

    return type(kind.__name__, (kind,), {n: method(n) if callable(getattr(kind, n, None)) else own(n) for n in names})


def without_a_server(kind: type[Any]) -> type[Any]:
    """Return a class of remote memories that need no server."""

    class Alone(kind):  # type: ignore[misc]  # of any class
        def runRemoteModel(self, *_: Any, **given: Any) -> Any:
            return 10.0 * given["concentration"] + given["reward"]

    return Alone


MODES: dict[str, dict[str, Any]] = {
    "learning": {"update_dt": 0.0, "epsilon": 0.4, "state_spacePerSide": 1, "alpha": 0.5},
    "trained": {"update_dt": 0.0, "train_dur": 0.0, "state_spacePerSide": 1},
    "trained, on average": {"update_dt": 0.0, "train_dur": 0.0, "state_specific_best": False},
}
KINDS = [Memory, RLmemory, RLOlfMemory, RLTouchMemory, RemoteBrianModelMemory]


def live(kind: type[Any], mode: str, rules: str = "standard") -> Any:
    """Return a memory that has lived for some steps."""
    options: dict[str, Any] = {"model_id": 1, "gain": {"Odor": 0.0}}
    if issubclass(kind, RLmemory):
        options |= {"rules": rules, **MODES[mode]} | ({"rng": random.Random(1)} if rules == "larvaworld" else {})
    if issubclass(kind, RemoteBrianModelMemory):
        options |= {"sim_id": 1}
    memory = kind(**options)
    for number in range(12):
        memory.step(dx={"Odor": (1, 0, -1, 0)[number % 4]}, reward=number % 3 == 0)
    return memory


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_method_and_property_of_the_page_that_the_host_calls_is_called(kind: type[Any]) -> None:
    """Overridden methods are called: a walk over the page, for each class that is on it."""
    names, called = names_of(kind), Counter[str]()
    assert len(names) > 5
    for name in names:
        base = without_a_server(kind) if issubclass(kind, RemoteBrianModelMemory) else kind
        for mode in MODES if issubclass(kind, RLmemory) else ["learning"]:
            counts = Counter[str]()
            other = live(counting(base, [name], counts), mode)
            assert {**other.gain} == live(base, mode).gain, name
            called.update(counts)
    expected = {name for name in names if name not in UNUSED and not name.endswith("_odor_best_gain")}
    if not issubclass(kind, RLmemory):
        expected -= {"total_t"}  # Only those whose training ends look at the clock.
    if issubclass(kind, RemoteBrianModelMemory):
        expected -= {"update_gain"}
    unset = {"lastState", "lastAction"}  # Attributes there; here looked at by nothing but the old rules' steps.
    assert expected - unset <= set(called)


def constant(value: Any) -> Any:
    """Return a property of one value."""
    return property(lambda _: value, lambda *_: None)


CHANGED: dict[str, tuple[str, Any]] = {
    "count_time": ("learning", lambda _: None),
    "total_t": ("learning", constant(1e9)),
    "update_gain": ("learning", lambda _, **__: None),
    "learning_on": ("trained", constant(True)),
    "condition": ("learning", lambda *_: False),
    "update_ext_gain": ("learning", lambda _, gain, **__: {**gain, "Odor": 7.0}),
    "state_collapse": ("learning", lambda *_: 2),
    "update_q_table": ("learning", lambda *_: None),
    "best_gain": ("trained, on average", constant({"Odor": 9.0})),
    "best_actions": ("trained, on average", constant((9.0,))),
    "actions": ("learning", constant([(1.0,), (2.0,), (3.0,), (4.0,)])),
    "state_space": ("learning", constant(np.array([[2], [1], [0]]))),
    "q_table": ("trained", constant(np.arange(12.0).reshape(3, 4))),
    "epsilon": ("learning", constant(0.0)),
    "alpha": ("learning", constant(0.0)),
    "gamma": ("learning", constant(1.0)),
    "step": ("learning", lambda self, **_: self.gain),
}


@pytest.mark.parametrize("name", CHANGED)
@pytest.mark.parametrize("rules", ["standard", "larvaworld"])
def test_an_overridden_method_changes_the_result(name: str, rules: str) -> None:
    """Under either rules."""
    mode, other = CHANGED[name]
    own = live(type("Own", (RLOlfMemory,), {name: other}), mode, rules)
    plain = live(RLOlfMemory, mode, rules)
    assert everything(own) != everything(plain)
    if name in ("update_ext_gain", "best_gain", "best_actions"):
        assert own.gain["Odor"] in (7.0, 9.0)
    if name == "actions":
        assert own.gain["Odor"] in (1.0, 2.0, 3.0, 4.0)


@pytest.mark.parametrize("name", ["count_time", "condition", "update_ext_gain", "state_collapse", "update_q_table"])
def test_a_method_that_is_replaced_in_one_memory_is_called(name: str) -> None:
    """As tests and notebooks do; the other memories of its class stay as they are."""
    _, other = CHANGED[name]
    memory, plain = (RLOlfMemory(gain={"Odor": 0.0}, model_id=1, **MODES["learning"]) for _ in range(2))
    setattr(memory, name, partial(other, memory))
    for number in range(12):
        for each in (memory, plain):
            each.step(dx={"Odor": (1, 0, -1, 0)[number % 4]}, reward=number % 3 == 0)
    assert everything(memory) != everything(plain)


def test_what_is_mixed_in_is_called_as_well() -> None:
    """A class that comes before ours and is none of them."""

    class Never:
        def condition(self, _dx: Any) -> bool:
            return False

    class Mixed(Never, RLOlfMemory):
        pass

    assert live(Mixed, "learning").gain == {"Odor": 0.0}


def test_a_remote_model_of_ones_own_answers_every_step() -> None:
    """Without a server: its number times G, also of memories that are stepped together."""
    kind = without_a_server(RemoteBrianModelMemory)
    memories = [kind(G=0.5, sim_id=1, model_id=i, gain={"Odor": 0.0}) for i in range(2)]
    assert memories[0].step({"Odor": 0.2}, True) == {"Odor": 1.5}
    assert step_together(memories, [{"Odor": 0.4}, {"Odor": 0.6}], [False, False]) == [{"Odor": 2.0}, {"Odor": 3.0}]
    assert [memory.step_id for memory in memories] == [2, 1]
    with pytest.raises(ValueError, match="what runRemoteModel returns must be a finite number"):
        type("Own", (RemoteBrianModelMemory,), {"runRemoteModel": lambda *_, **__: "x"})(
            sim_id=1, model_id=1, gain={"Odor": 0.0}
        ).step({"Odor": 1.0})


def test_a_step_of_ones_own_is_taken_by_those_who_step_together() -> None:
    """One by one, then."""
    stepped: list[Any] = []

    class Own(MushroomBodyMemory):
        def step(self, dx: Any = None, reward: Any = False, t_warmup: float = 0, **more: Any) -> Any:  # type: ignore[override]  # as the host's
            stepped.append(self.model_id)
            return super().step(dx, reward, t_warmup, **more)

    larvae = [Own(model_id=i, gain={"Odor": 0.0}) for i in range(2)]
    step_together(larvae, [{"Odor": 1.0}] * 2, [True] * 2)
    assert (stepped, [larva.step_id for larva in larvae]) == ([0, 1], [1, 1])


@pytest.mark.parametrize("kind", [RLmemory, RLOlfMemory, RLTouchMemory], ids=lambda kind: kind.__name__)
def test_the_fast_way_and_the_methods_one_after_the_other_give_the_same(kind: type[Any]) -> None:
    """Random options, changes and rewards, new stimuli among them: everything, to the last bit, in every step."""
    chosen = 0
    for number in range(40):
        chance = random.Random(number)
        odors = ["a", "b", "c"][: chance.randint(1, 3)]
        options = {
            "seed": number,
            "model_id": 1,
            "update_dt": chance.choice([0.0, 0.002, 0.01]),
            "train_dur": chance.choice([0.01, 30.0]),
            "state_spacePerSide": chance.choice([0, 1, 2]),
            "state_specific_best": chance.random() < 0.7,
            "epsilon": chance.choice([0.0, 0.3, 1.0]),
            "alpha": chance.random(),
            "table": chance.choice(["joint", "factored"]),
            "gain_space": [-1.0, 0.0, 2.0][: chance.randint(1, 3)],
        }
        one, other = (
            each(gain=dict.fromkeys(odors[:1], 0.0), **options)
            for each in (kind, counting(kind, names_of(kind), Counter()))
        )
        for step in range(30):
            met = odors[: 1 + step // 8]
            dx = {odor: chance.choice([0, 1, -1, 0.1, chance.gauss(0, 0.3)]) for odor in met}
            reward = chance.choice([True, False, 0.3])
            assert dict(one.step(dx=dx, reward=reward)) == dict(other.step(dx=dx, reward=reward))
            assert everything(one) == everything(other)
        chosen += bool(one.q_table.any())
    assert chosen > 10
