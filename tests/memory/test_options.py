"""Every option of every memory class: declared, documented, and refused outside its range, made or assigned."""

import math
from collections.abc import Callable
from typing import Any

import param
import pytest

from kenyon.errors import InputError
from kenyon.memory import Memory, MushroomBodyMemory, RemoteBrianModelMemory, RLOlfMemory, RLTouchMemory
from kenyon.memory.options import Choice, Identity, Integer, Number, Numbers, Secret, Switch, Table, Text, Wiring

CLASSES = [Memory, RLOlfMemory, RLTouchMemory, MushroomBodyMemory, RemoteBrianModelMemory]
OPTIONS = [(kind, name) for kind in CLASSES for name in kind.param if name != "name" and not kind.param[name].readonly]


def nonsense(option: Any) -> list[Any]:
    """Return values that an option must refuse."""
    if isinstance(option, (Number, Integer)):
        outside = [bound + sign for bound, sign in zip(option.bounds, (-1, 1), strict=True) if bound is not None]
        return [math.nan, math.inf, "1", True, *outside, *([] if isinstance(option, Number) else [1.5])]
    if isinstance(option, Switch):
        return ["yes", 1, None]
    if isinstance(option, Choice):
        return ["other", 1]
    if isinstance(option, Numbers):
        return [[], "1", [math.nan], ["a"], [True], None]
    if isinstance(option, Table):
        return [[], {1: 2}, "a"]
    if isinstance(option, Wiring):
        return [1, "a", [[1] * 72] * 21, [[-1] * 21] * 72, [[math.nan] * 21] * 72]
    if isinstance(option, Identity):
        return [True, 1.5, "", "x" * 201, 2**63, []]
    assert isinstance(option, (Text, Secret))
    return [1, b"a"]


@pytest.mark.parametrize(("kind", "name"), OPTIONS, ids=lambda each: getattr(each, "__name__", each))
def test_an_option_refuses_what_is_out_of_range(kind: type[Any], name: str) -> None:
    """At construction and at assignment, in a sentence that names it; the value stays as it was."""
    option, memory = kind.param[name], kind()
    before = getattr(memory, name)
    for value in nonsense(option):
        with pytest.raises(InputError, match=name):
            kind(**{name: value})
        with pytest.raises((InputError, TypeError), match=name):  # TypeError where it is fixed at construction
            setattr(memory, name, value)
        assert getattr(memory, name) == before


@pytest.mark.parametrize(("kind", "name"), OPTIONS, ids=lambda each: getattr(each, "__name__", each))
def test_an_option_is_documented_with_its_range(kind: type[Any], name: str) -> None:
    """An inspector of the host shows it."""
    option = kind.param[name]
    assert option.doc
    assert len(option.doc) > 10
    if isinstance(option, Number):
        low, high = option.bounds
        assert f"From {low:g} to {high:g}" in option.doc


def test_what_is_no_option_is_a_plain_attribute() -> None:
    """A declared brain would make the host pass it twice."""
    for kind in CLASSES:
        assert not {"brain", "gain", "rng"} & set(kind.param)


def test_an_unknown_option_is_refused() -> None:
    """By param itself, naming it."""
    with pytest.raises(TypeError, match="alhpa"):
        RLOlfMemory(alhpa=0.1)


@pytest.mark.parametrize(
    ("name", "value"),
    [("gain_space", [1.0]), ("state_spacePerSide", 1), ("rules", "larvaworld"), ("table", "factored")],
)
def test_what_gives_the_table_its_form_is_fixed(name: str, value: Any) -> None:
    """Changing it later would leave a table of another shape behind."""
    with pytest.raises(TypeError, match=name):
        setattr(RLOlfMemory(), name, value)


def test_options_that_matter_in_every_step_take_effect_at_once() -> None:
    """They are kept aside for speed, and kept current."""
    memory = RLOlfMemory(gain={"Odor": 0.0}, update_dt=0.1)
    memory.param.update(dt=0.2, train_dur=0.0, update_dt=0.5)
    assert (memory.Niters, memory.learning_on) == (150, True)
    memory.step(dx={"Odor": 0.0})
    assert not memory.learning_on


@pytest.mark.parametrize("dx", [{"a": math.nan}, {"a": math.inf}, {"a": "1"}, {"a": None}, [0.1], 0.1, "a"])
def test_a_change_that_is_no_number_is_refused(dx: Any) -> None:
    """Whatever the class; nothing has been counted then."""
    for kind in (Memory, RLOlfMemory, RLTouchMemory, MushroomBodyMemory):
        memory = kind(gain={"a": 0.0}, **({"odors": {"a": "3-octanol"}} if kind is MushroomBodyMemory else {}))
        with pytest.raises(InputError, match=r"^dx must be"):
            memory.step(dx=dx)
        assert (memory.total_ticks, memory.rewardSum) == (0, 0)


@pytest.mark.parametrize("reward", [math.nan, "yes", None, []])
def test_a_reward_that_is_no_number_is_refused(reward: Any) -> None:
    """Absent is not zero."""
    for kind in (Memory, RLOlfMemory, MushroomBodyMemory):
        memory = kind()
        with pytest.raises(InputError, match=r"^reward must be"):
            memory.step(reward=reward)
        assert (memory.total_ticks, memory.rewardSum) == (0, 0)


@pytest.mark.parametrize("gain", [[], {"a": math.nan}, {1: 0.0}, {"a": "x"}, "a"])
def test_gains_that_are_none_are_refused(gain: Any) -> None:
    """Finite numbers by stimulus."""
    with pytest.raises(InputError, match=r"^gain "):
        Memory(gain=gain)


def test_the_newest_and_the_oldest_param_know_these_types() -> None:
    """An inspector looks at the class of an option: ours are param's own, refined."""
    bases = {Number: param.Number, Integer: param.Integer, Choice: param.Selector, Switch: param.Boolean}
    assert all(issubclass(own, base) for own, base in bases.items())


SWAPPED: Any = {"Odor": 0.1}


@pytest.mark.parametrize(
    "step",
    [
        lambda: RLOlfMemory(gain={"Odor": 0.0}).step(SWAPPED, True),
        lambda: MushroomBodyMemory(gain={"Odor": 0.0}).step(True, SWAPPED),
        lambda: MushroomBodyMemory(gain={"Odor": 0.0}).step({"Odor": 0.1}, punishment=SWAPPED),
    ],
)
def test_whoever_swaps_dx_and_reward_is_told_to_name_them(step: Callable[[], object]) -> None:
    """The two kinds take them in different orders, as Larvaworld's do."""
    with pytest.raises(InputError, match=r"name them, as in step\(dx=\.\.\., reward=\.\.\.\)"):
        step()
