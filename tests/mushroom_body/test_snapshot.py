import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kenyon import archive
from kenyon.errors import FileFormatError, InputError
from kenyon.mushroom_body import BALANCED, Population, Snapshot, drive
from kenyon.mushroom_body.circuit import layout
from kenyon.mushroom_body.engines import engine
from kenyon.mushroom_body.state import VARIABLES, State, arrays, newborn, pack, packed, unpack


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return the file of two larvae."""
    larvae = Population(BALANCED, [1, 2**255])
    larvae.advance(10)
    return larvae.snapshot().save(tmp_path / "larvae.npz")


def test_a_snapshot_survives_its_file(saved: Path) -> None:
    """Seeds of 256 bits, parameters and every array."""
    snapshot = Snapshot.load(saved)
    assert snapshot.seeds == (1, 2**255)
    assert snapshot.parameters == BALANCED
    again = Snapshot.load(snapshot.save(saved.with_name("again.npz")))
    for name, values in arrays(snapshot.state).items():
        assert values.tobytes() == getattr(again.state, name).tobytes()


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("v_mV", None, "missing"),
        ("v_mV", np.zeros((2, 141)), r"v_mV must be float64 of shape \(2, 142\), got float64 of shape \(2, 141\)"),
        ("v_mV", np.zeros((2, 142), np.float32), "v_mV must be float64"),
        ("w_kc_mbonp_nS", np.full((2, 72), np.nan), "w_kc_mbonp_nS must lie from .* got nan"),
        ("drive_hz", np.zeros((1, 23)), "drive_hz must be"),
        ("drive_hz", np.full((2, 23), -1.0), "drive_hz must"),
        ("pn_to_kc", np.full((2, 72, 21), -1.0), "pn_to_kc must"),
        ("pn_to_kc", np.zeros((2, 72, 21), np.int64), "pn_to_kc must"),
        ("ticks_left", np.zeros((2, 23), np.int64), "ticks_left must"),
        ("refractory_steps", np.full((2, 142), 20, np.int32), "refractory_steps must"),
        ("refractory_steps", np.full((2, 142), -1, np.int32), "refractory_steps must"),
        ("kc_silent_steps", np.full((2, 72), -1.0), "kc_silent_steps must"),
        ("g_e_nS", np.full((2, 142), np.inf), "g_e_nS must"),
        ("surplus", np.zeros(1), "surplus"),
    ],
)
def test_a_file_whose_arrays_do_not_fit_is_refused(saved: Path, name: str, values: Any, sentence: str) -> None:
    """Before anything computes with it."""
    header, arrays = archive.load(saved, "snapshot")
    if values is None:
        del arrays[name]
    else:
        arrays[name] = values
    archive.save(saved, "snapshot", header, arrays, overwrite=True)
    with pytest.raises(FileFormatError, match=sentence):
        Snapshot.load(saved)


@pytest.mark.parametrize(
    "change", [{"parameters": {"dt_ms": -1}}, {"seeds": ["x", "y"]}, {"seeds": None}, {"parameters": {"new": 1}}]
)
def test_a_file_whose_header_does_not_fit_is_refused(saved: Path, change: dict[str, Any]) -> None:
    """In one sentence that names the file."""
    header, arrays = archive.load(saved, "snapshot")
    archive.save(saved, "snapshot", header | change, arrays, overwrite=True)
    with pytest.raises(FileFormatError, match=r"larvae\.npz must be a snapshot of this version"):
        Snapshot.load(saved)


def test_it_can_be_sent_as_bytes() -> None:
    """The bytes of the file, read back as it is."""
    larvae = Population(seeds=[3, 4])
    larvae.advance(20, drive(larvae.parameters, "anisole"))
    back = Snapshot.from_bytes("it", larvae.snapshot().to_bytes())
    assert back.seeds == (3, 4)
    assert all(np.array_equal(mine, getattr(larvae.state, name)) for name, mine in arrays(back.state).items())
    with pytest.raises(FileFormatError, match="it must be a whole"):
        Snapshot.from_bytes("it", b"nothing")


def test_a_larva_is_a_record_of_fixed_size() -> None:
    """Packed and unpacked it is the same, bit for bit, and can be advanced without the others."""
    larvae = Population(seeds=[3, 4, 5])
    larvae.advance(20, drive(larvae.parameters, "anisole"))
    rows = pack(larvae.state)
    assert {len(larva) for larva in rows} == {packed(layout()).itemsize}
    assert all(np.array_equal(mine, getattr(larvae.state, name)) for name, mine in arrays(unpack(rows)).items())
    middle = unpack(rows[1:2])
    rates = drive(larvae.parameters, "anisole", reward=1.0)
    alone = engine("kernel").advance(larvae.parameters, middle, [300], rates)
    together = larvae.advance(30, rates)
    assert np.array_equal(alone.counts[0], together.counts[1])
    assert pack(middle) == pack(larvae.state)[1:2]
    with pytest.raises(InputError, match="n_steps must be one for each of at least one larva, got"):
        engine("kernel").advance(larvae.parameters, middle, [1, 2], rates)
    for steps in ([-1], [1.5], ["1"], 1, [2**63], [[1], 1]):
        with pytest.raises(InputError, match="n_steps must be "):
            engine("kernel").advance(larvae.parameters, middle, steps, rates)


def pickled(protocol: int) -> Callable[[Any], Any]:
    """Return what pickles a thing and reads it again."""
    return lambda value: pickle.loads(pickle.dumps(value, protocol))


COPIES: dict[str, Callable[[Any], Any]] = {
    **{f"pickled, {protocol}": pickled(protocol) for protocol in range(2, 6)},
    "copied": copy.copy,
    "copied deeply": copy.deepcopy,
}


@pytest.mark.parametrize("how", [*COPIES, "as bytes", "replaced"])
def test_copies_of_a_snapshot_do_not_come_apart(how: str) -> None:
    """What one sees is what is restored and saved, for no copy can be changed in any of its arrays."""
    larvae = Population(seeds=[3, 4])
    larvae.advance(20, drive(BALANCED, "anisole"))
    snapshot = larvae.snapshot()
    ways: dict[str, Callable[[Any], Any]] = {
        **COPIES,
        "as bytes": lambda it: Snapshot.from_bytes("it", it.to_bytes()),
        "replaced": replace,
    }
    twin = ways[how](snapshot)
    assert twin == snapshot
    assert hash(twin) == hash(snapshot)
    for name in VARIABLES:
        with pytest.raises(ValueError, match="read-only"):
            getattr(twin.state, name)[:] = 0
        with pytest.raises(AttributeError, match=f"{name} is a view"):
            setattr(twin.state, name, 0)
    with pytest.raises(ValueError, match="read-only"):
        twin.drive_hz[:] = 0
    assert Population.from_snapshot(twin).snapshot() == snapshot == Snapshot.from_bytes("it", twin.to_bytes())


@pytest.mark.parametrize("how", COPIES)
def test_copies_of_a_state_do_not_come_apart(how: str) -> None:
    """What is written into any variable of a copy is in its records, from which all else is made."""
    for name in VARIABLES:
        twin: State = COPIES[how](newborn(BALANCED, [3, 4]))
        getattr(twin, name)[:] = 1
        assert (twin.records[name] == 1).all()
        assert (unpack(pack(twin)).records[name] == 1).all()


def test_a_snapshot_does_not_follow_what_it_was_made_of() -> None:
    """Neither the population nor arrays that a caller keeps."""
    larvae, drive_hz = Population(seeds=[3]), np.zeros((1, 23))
    before = Snapshot(BALANCED, (3,), drive_hz, larvae.state)
    seen = before.state.records.tobytes()
    drive_hz[:] = 7.0
    larvae.advance(10, larvae=[0])
    assert before.drive_hz.sum() == 0.0
    assert before.state.records.tobytes() == seen


def test_a_changed_snapshot_is_made_anew_and_checked() -> None:
    """`replace` is the way to another one; values that no larva could have had are refused."""
    snapshot = Population(seeds=[3, 4]).snapshot()
    blank = replace(snapshot, state=snapshot.state.replace(w_kc_mbonp_nS=np.zeros(72)))
    assert (Population.from_snapshot(blank).state.w_kc_mbonp_nS == 0.0).all()
    assert (snapshot.state.w_kc_mbonp_nS == BALANCED.kc_mbon_nS).all()
    for nonsense, sentence in (
        ({"w_kc_mbonp_nS": np.full(72, np.nan)}, "w_kc_mbonp_nS must lie from"),
        ({"ticks_left": np.zeros(23, int)}, "ticks_left must lie from 1"),
        ({"w": np.zeros(72)}, "unknown variable 'w'"),
        ({"step": [1.5, 2.5]}, "step must be int64 of shape"),
        ({"step": [1, 2, 3]}, "step must be int64 of shape"),
        ({"step": np.array([1, 2], dtype="m8[ns]")}, "step must be numbers"),
    ):
        with pytest.raises(InputError, match=sentence):
            replace(snapshot, state=snapshot.state.replace(**nonsense))
    for changes in ({"seeds": (3,)}, {"seeds": ()}, {"drive_hz": np.zeros((1, 22))}, {"state": None}):
        with pytest.raises(InputError):
            replace(snapshot, **changes)


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_of_a_population_is_one_of_its_own(how: str) -> None:
    """It goes on as the other does, and neither moves the other."""
    larvae = Population(seeds=[3, 4])
    larvae.stimulate("anisole", reward=1.0)
    twin = COPIES[how](larvae)
    before = larvae.snapshot()
    twin.stimulate("3-octanol", larvae=[0])
    twin.advance(10, larvae=[1])
    assert larvae.snapshot() == before
    twin = COPIES[how](larvae)
    assert (twin.advance(50).counts == larvae.advance(50).counts).all()
    assert twin.snapshot() == larvae.snapshot()
