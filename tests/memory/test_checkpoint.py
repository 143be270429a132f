import copy
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kenyon import archive
from kenyon.errors import FileFormatError, InputError, KenyonError, MismatchError
from kenyon.memory import (
    Memory,
    MushroomBodyMemory,
    RemoteBrianModelMemory,
    RLOlfMemory,
    RLPopulation,
    RLTouchMemory,
    checkpoint,
)
from kenyon.mushroom_body import Population
from kenyon.wire import close_connections

from .peer import Peer

LEARNING: dict[str, Any] = {"update_dt": 0.005, "epsilon": 0.4, "state_spacePerSide": 1}
MAKERS: dict[str, Callable[[], Memory]] = {
    "Memory": lambda: Memory(gain={"A": 3.0}, model_id="x"),
    "RLOlfMemory": lambda: RLOlfMemory(gain={"A": 0.0, "B": 0.0}, seed=3, model_id="x", **LEARNING),
    "factored": lambda: RLOlfMemory(gain={"A": 0.0, "B": 0.0}, table="factored", model_id=4, **LEARNING),
    "RLTouchMemory": lambda: RLTouchMemory(gain={"A": 0.0}, seed=3, **LEARNING),
    "own numpy generator": lambda: RLOlfMemory(gain={"A": 0.0}, rng=np.random.default_rng(3), **LEARNING),
    "own old generator": lambda: RLOlfMemory(
        gain={"A": 0.0}, rng=np.random.Generator(np.random.MT19937(3)), **LEARNING
    ),
    "old rules": lambda: RLOlfMemory(gain={"A": 0.0}, rules="larvaworld", rng=random.Random(3), **LEARNING),
    "before its first draw": lambda: RLOlfMemory(gain={"A": 0.0}, seed=9, model_id=1),
    "MushroomBodyMemory": lambda: MushroomBodyMemory(
        gain={"A": 0.0, "B": 0.0},
        odors={"A": "pentyl acetate", "B": "3-octanol"},
        model_id=5,
        readout="probe",
        probe_ms=100.0,
        probe_every_s=0.3,
        smoothing_s=0.7,
        approaches_unless_rewarded=True,
    ),
}


def live(memory: Any, steps: int, first: int = 0) -> list[dict[str, float]]:
    """Step a memory through changes and rewards that depend on the step alone; return the gains."""
    gains = []
    for step in range(first, first + steps):
        dx = {stimulus: ((step + i) % 3 - 1) * 1.0 for i, stimulus in enumerate(memory.gain)}
        gains.append(dict(memory.step(reward=step % 4 == 0, dx=dx)))
    return gains


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("into", ["new", "there"])
def test_going_on_after_loading_equals_never_having_stopped(name: str, into: str, tmp_path: Path) -> None:
    """In a memory made anew from the file, and in one that is there."""
    memory = MAKERS[name]()
    live(memory, 17)
    file = checkpoint.save(tmp_path / "larva.npz", memory)
    if into == "new":
        (again,) = checkpoint.load(file)
    else:
        again = MAKERS[name]()
        gain = again.gain
        checkpoint.restore(file, again)
        assert again.gain is gain
    assert type(again) is type(memory)
    assert (again.total_ticks, again.rewardSum, again.gain) == (memory.total_ticks, memory.rewardSum, memory.gain)
    assert live(again, 40, 17) == live(memory, 40, 17)


def test_a_group_goes_into_one_file(tmp_path: Path) -> None:
    """Of any classes, each with what is its own."""
    group = [make() for make in MAKERS.values()]
    for memory in group:
        live(memory, 9)
    again = checkpoint.load(checkpoint.save(tmp_path / "group.npz", group))
    assert [live(memory, 20, 9) for memory in again] == [live(memory, 20, 9) for memory in group]


def test_stimuli_that_appeared_later_and_a_choice_under_way_are_kept(tmp_path: Path) -> None:
    """Saved between a new odor and the choice after it."""
    memory = RLOlfMemory(gain={"A": 0.0}, seed=1, **LEARNING)
    live(memory, 4)
    memory.step(dx={"A": 0.1, "new": 1.0})
    (again,) = checkpoint.load(checkpoint.save(tmp_path / "larva.npz", memory))
    assert live(again, 20) == live(memory, 20)
    assert np.array_equal(again.q_table, memory.q_table)


def test_a_population_is_kept_as_a_whole(tmp_path: Path) -> None:
    """Thousands of learners in a few arrays."""
    larvae = RLPopulation(
        1000, ["A", "B"], RLOlfMemory, seed=3, model_ids=[f"larva {i}" for i in range(1000)], **LEARNING
    )
    rng = np.random.default_rng(1)
    changes = rng.normal(size=(30, 1000, 2))
    for dx in changes[:15]:
        larvae.step(dx, 1.0)
    (again,) = checkpoint.load(checkpoint.save(tmp_path / "larvae.npz", larvae))
    for dx in changes[15:]:
        assert np.array_equal(larvae.step(dx, 0.5), again.step(dx, 0.5))
    assert again.model_ids == larvae.model_ids


def test_a_remote_memory_carries_its_circuit(tmp_path: Path) -> None:
    """Fetched from its server, and handed to it again; the server's own larva may be gone by then."""
    with Peer() as first:
        made: dict[str, Any] = {
            "sim_id": "run",
            "model_id": 1,
            "gain": {"Odor": 0.0},
            "server_host": "127.0.0.1",
            "token": "secret",
        }
        memory = RemoteBrianModelMemory(server_port=first.address.port, **made)
        live(memory, 12)
        file = checkpoint.save(tmp_path / "larva.npz", memory)
        expected = live(memory, 12, 12)
    assert b"secret" not in file.read_bytes()
    with Peer(port=first.address.port):
        (again,) = checkpoint.load(file)
        assert again.step_id == 12
        assert live(again, 12, 12) == expected
    close_connections()


def test_what_python_s_global_random_drives_cannot_be_saved(tmp_path: Path) -> None:
    """Its state is everyone's; the sentence says what to do."""
    with pytest.raises(InputError, match=r"^rng must be the memory's own to be saved.*pass rng=random.Random\(1\)"):
        checkpoint.save(tmp_path / "larva.npz", RLOlfMemory(rules="larvaworld"))
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    """As everywhere."""
    file = checkpoint.save(tmp_path / "larva.npz", Memory())
    with pytest.raises(InputError, match="exists already"):
        checkpoint.save(file, Memory())
    checkpoint.save(file, [Memory(), Memory()], overwrite=True)
    assert len(checkpoint.load(file)) == 2


@pytest.mark.parametrize(
    ("saved", "there", "sentence"),
    [
        (RLOlfMemory, RLTouchMemory, "memory 0 of .* must be a RLTouchMemory, got a RLOlfMemory"),
        (lambda: RLOlfMemory(gain_space=[1, 2]), RLOlfMemory, "must have gain_space=.*, got"),
        (RLOlfMemory, lambda: RLOlfMemory(table="factored"), "must have table='factored', got 'joint'"),
        (MushroomBodyMemory, lambda: MushroomBodyMemory(parameters="published"), "must have parameters="),
        (
            lambda: MushroomBodyMemory(changes={"learning_rate_nS": 1.0}),
            MushroomBodyMemory,
            "must have changes=",
        ),
        (lambda: [Memory(), Memory()], Memory, "must hold 1 memories, as are there, got 2"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused(
    saved: Callable[[], Any], there: Callable[[], Any], sentence: str, tmp_path: Path
) -> None:
    """Before anything is changed."""
    file = checkpoint.save(tmp_path / "larva.npz", saved())
    with pytest.raises(MismatchError, match=sentence):
        checkpoint.restore(file, there())


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    """Foreign, truncated, of another kind, version or class, or inconsistent: a sentence, never half a memory."""
    whole = checkpoint.save(tmp_path / "whole.npz", RLOlfMemory(gain={"A": 0.0}, **LEARNING))
    header, arrays = archive.load(whole, checkpoint.KIND)
    files = {
        "text": b"no archive",
        "truncated": whole.read_bytes()[:-40],
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FileFormatError):
            checkpoint.load(tmp_path / name)
    snapshot = Population(seeds=[1]).snapshot().save(tmp_path / "snapshot.npz")
    with pytest.raises(FileFormatError, match="must hold a memory checkpoint, got a 'snapshot'"):
        checkpoint.load(snapshot)
    (entry,) = header["memories"]
    spoiled: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "class": ({**entry, "class": "Path"}, arrays),
        "option": ({**entry, "options": {**entry["options"], "alpha": 7}}, arrays),
        "unknown option": ({**entry, "options": {**entry["options"], "beta": 7}}, arrays),
        "no state": ({**entry, "state": {}}, arrays),
        "gain": ({**entry, "state": {**entry["state"], "gain": {"A": "x"}}}, arrays),
        "state": (
            {**entry, "state": {**entry["state"], "tables": {**entry["state"]["tables"], "state": [99]}}},
            arrays,
        ),
        "shape": (entry, {**arrays, "0.q": np.zeros((1, 2, 2))}),
        "nan": (entry, {**arrays, "0.q": np.full_like(arrays["0.q"], np.nan)}),
        "missing": (entry, {}),
        "foreign array": (entry, {**arrays, "7.q": np.zeros(1)}),
    }
    for name, (bad, own) in spoiled.items():
        file = archive.save(tmp_path / f"{name}.npz", checkpoint.KIND, {"memories": [bad]}, own)
        with pytest.raises(FileFormatError):
            checkpoint.load(file)
    later = archive.save(tmp_path / "later.npz", checkpoint.KIND, {"memories": [entry], "format_version": 2}, arrays)
    with pytest.raises(FileFormatError, match="must be of format version 1, got 2"):
        checkpoint.load(later)


def test_a_spoiled_file_leaves_every_memory_as_it_was(tmp_path: Path) -> None:
    """Even the first of two, whose own part of the file is whole."""
    file = checkpoint.save(tmp_path / "two.npz", [RLOlfMemory(gain={"A": 5.0}), RLOlfMemory(gain={"A": 6.0})])
    header, arrays = archive.load(file, checkpoint.KIND)
    header["memories"][1]["state"]["iterator"] = "x"
    bad = archive.save(tmp_path / "bad.npz", checkpoint.KIND, {"memories": header["memories"]}, arrays)
    there = [RLOlfMemory(gain={"A": 0.0}), RLOlfMemory(gain={"A": 0.0})]
    with pytest.raises(KenyonError):
        checkpoint.restore(bad, there)
    assert [memory.gain for memory in there] == [{"A": 0.0}] * 2


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda memory: pickle.loads(pickle.dumps(memory))])
def test_a_copy_goes_its_own_way(name: str, copied: Callable[[Memory], Memory]) -> None:
    """As a host's worker processes make them: the same numbers, and nothing in common."""
    memory = MAKERS[name]()
    live(memory, 17)
    again = copied(memory)
    expected = live(memory, 20, 17)
    assert live(again, 20, 17) == expected
    assert again.gain is not memory.gain
    if isinstance(again, RLOlfMemory) and isinstance(memory, RLOlfMemory):
        assert np.array_equal(again.q_table, memory.q_table)
        again.param.update(alpha=0.9)
        assert (again._alpha, memory._alpha) == (0.9, 0.05)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("last_action", 5000),
        ("last_action", -1),
        ("last_state", 10**11),
        ("iterator", 2**62),
        ("q", np.nan),
        ("gain", np.inf),
    ],
)
def test_a_population_whose_places_lie_outside_its_tables_is_refused(name: str, value: float, tmp_path: Path) -> None:
    """Compiled code trusts them."""
    larvae = RLPopulation(3, ["A"], **LEARNING)
    header, arrays = archive.load(checkpoint.save(tmp_path / "a.npz", larvae), checkpoint.KIND)
    arrays[f"0.{name}"][...] = value
    bad = archive.save(tmp_path / "b.npz", checkpoint.KIND, {"memories": header["memories"]}, arrays)
    with pytest.raises(FileFormatError, match=f"must hold a whole RLPopulation: {name} must"):
        checkpoint.load(bad)


def test_what_could_not_be_loaded_is_not_saved(tmp_path: Path) -> None:
    """Better an error now than what was learned lost."""
    spoiled = RLOlfMemory(gain={"A": 0.0})
    spoiled.q_table[...] = np.nan
    lost = Memory(gain={"A": 0.0})
    lost.gain["A"] = np.nan
    population = RLPopulation(2, ["A"])
    population.q_table[...] = np.inf
    for memory, words in (
        (spoiled, "q_table must be finite"),
        (lost, "gain of 'A' must be"),
        (population, "q must be"),
    ):
        with pytest.raises(InputError, match=words):
            checkpoint.save(tmp_path / "a.npz", memory)
    assert not list(tmp_path.iterdir())


def test_numbers_of_numpy_are_kept_as_numbers(tmp_path: Path) -> None:
    """Options, ids and gains may come from an array."""
    memory = RLOlfMemory(gain={"A": np.float32(0.5)}, model_id=np.int64(3), seed=np.int64(4), alpha=np.float64(0.2))
    (again,) = checkpoint.load(checkpoint.save(tmp_path / "a.npz", memory))
    assert (again.gain, again.larva_id, again.seed, again.alpha) == ({"A": 0.5}, 3, 4, 0.2)
    assert live(again, 20) == live(RLOlfMemory(gain={"A": 0.5}, model_id=3, seed=4, alpha=0.2), 20)


def test_a_list_that_is_changed_later_does_not_change_what_is_saved(tmp_path: Path) -> None:
    """The gains to choose from are those the memory was made with."""
    choices = [-1.0, 1.0]
    memory = RLOlfMemory(gain={"A": 0.0}, gain_space=choices, **LEARNING)
    choices[0] = 99.0
    (again,) = checkpoint.load(checkpoint.save(tmp_path / "a.npz", memory))
    assert live(again, 30) == live(memory, 30)


def test_a_memory_is_named_once(tmp_path: Path) -> None:
    """Twice would be a mistake."""
    memory = Memory()
    with pytest.raises(InputError, match="memories must each be named once"):
        checkpoint.save(tmp_path / "a.npz", [memory, memory])
