from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kenyon import archive
from kenyon.errors import FileFormatError, InputError
from kenyon.mushroom_body import BALANCED, Population, Snapshot, drive
from kenyon.mushroom_body.engines import engine
from kenyon.mushroom_body.state import PACKED, arrays, pack, unpack


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
        ("pn_to_kc", np.full((2, 72, 21), 3, np.uint8), "pn_to_kc must"),
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
    packed = pack(larvae.state)
    assert {len(larva) for larva in packed} == {PACKED.itemsize}
    assert all(np.array_equal(mine, getattr(larvae.state, name)) for name, mine in arrays(unpack(packed)).items())
    middle = unpack(packed[1:2])
    rates = drive(larvae.parameters, "anisole", reward=1.0)
    alone = engine("kernel").advance(BALANCED, middle, [300], rates)
    together = larvae.advance(30, rates)
    assert np.array_equal(alone.counts[0], together.counts[1])
    assert pack(middle) == pack(larvae.state)[1:2]
    with pytest.raises(InputError, match="n_steps must be one for each of at least one larva, got"):
        engine("kernel").advance(BALANCED, middle, [1, 2], rates)
    for steps in ([-1], [1.5], ["1"], 1, [2**63], [[1], 1]):
        with pytest.raises(InputError, match="n_steps must be "):
            engine("kernel").advance(BALANCED, middle, steps, rates)
