"""Memories made without an id would be clones of one another, and say so."""

import copy
import gc
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kenyon.errors import CloneWarning
from kenyon.memory import MushroomBodyMemory, RLOlfMemory, RLPopulation, RLTouchMemory, checkpoint

MAKERS: dict[str, Callable[..., Any]] = {
    "odor": lambda **own: RLOlfMemory(gain={"Odor": 0.0}, update_dt=0.0, **own),
    "touch": lambda **own: RLTouchMemory(gain={"Odor": 0.0}, **own),
    "overridden": lambda **own: type("Own", (RLOlfMemory,), {"condition": lambda *_: True})(gain={"Odor": 0.0}, **own),
    "body": lambda **own: MushroomBodyMemory(gain={"Odor": 0.0}, dt=0.01, **own),
}


def step(memory: Any) -> None:
    """Let it draw."""
    memory.step(dx={"Odor": 1.0}, reward=True)


@pytest.mark.parametrize("name", MAKERS)
def test_memories_without_an_id_that_would_be_clones_warn(name: str) -> None:
    """Five made alike follow one sequence: the second one that draws says so, in one line, and what to do."""
    gc.collect()
    memories = [MAKERS[name](seed=20) for _ in range(5)]
    step(memories[0])
    for memory in memories[1:]:
        with pytest.warns(CloneWarning, match=r"^several memories without an id .* pass model_id= to each"):
            step(memory)
    assert len({str(memory.gain) for memory in memories}) == 1


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("ids", [("a", "b"), ("a", "a")])
def test_memories_with_ids_say_nothing(name: str, ids: tuple[str, str]) -> None:
    """Whether other ones or, where that is meant, the same."""
    for memory in [MAKERS[name](seed=21, model_id=own) for own in ids]:
        step(memory)


@pytest.mark.parametrize("name", MAKERS)
def test_other_seeds_are_other_larvae(name: str) -> None:
    """And need no id."""
    for memory in [MAKERS[name](seed=seed) for seed in (22, 23)]:
        step(memory)


@pytest.mark.parametrize("name", ["odor", "body"])
@pytest.mark.parametrize("steps", [0, 2])
def test_a_copy_is_the_same_larva_and_says_nothing(name: str, steps: int, tmp_path: Path) -> None:
    """Copied, pickled, or kept in a file and made anew."""
    memory = MAKERS[name](seed=24)
    for _ in range(steps):
        step(memory)
    file = checkpoint.save(tmp_path / "one.npz", memory)
    copies: list[Callable[[Any], Any]] = [
        copy.deepcopy,
        lambda one: pickle.loads(pickle.dumps(one)),
        lambda _: checkpoint.load(file)[0],
    ]
    for again in [copied(memory) for copied in copies]:
        step(again)
    step(memory)


def test_those_that_are_gone_and_populations_are_no_clones() -> None:
    """A cell of a notebook that is run again makes the same larva, rightly; larvae of a population have ids."""
    for _ in range(3):
        memory = MAKERS["odor"](seed=25)
        step(memory)
        del memory
        gc.collect()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RLPopulation(3, ["Odor"], update_dt=0.0, seed=25).step([[0.1]] * 3)
