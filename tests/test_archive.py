from pathlib import Path

import numpy as np
import pytest

from kenyon import archive
from kenyon.errors import FileFormatError, InputError


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    """Arrays bit for bit, the header as it was, with the versions of what wrote it."""
    arrays = {"x": np.array([1.5, np.inf, -0.0]), "n": np.arange(3, dtype=np.uint64)}
    file = archive.save(tmp_path / "a.npz", "thing", {"seed": 2**200}, arrays)
    header, back = archive.load(file, "thing")
    assert header["seed"] == 2**200
    assert {"kenyon", "numpy", "python"} <= set(header["versions"])
    assert all(back[name].tobytes() == values.tobytes() for name, values in arrays.items())


def test_a_file_is_never_overwritten_silently(tmp_path: Path) -> None:
    """An existing file is refused, and replaced only if asked for."""
    file = archive.save(tmp_path / "a.npz", "thing", {"n": 1}, {})
    with pytest.raises(InputError, match="exists already"):
        archive.save(file, "thing", {"n": 2}, {})
    assert archive.load(file, "thing")[0]["n"] == 1
    archive.save(file, "thing", {"n": 2}, {}, overwrite=True)
    assert archive.load(file, "thing")[0]["n"] == 2


def test_a_failed_write_leaves_the_old_file_and_no_scraps(tmp_path: Path) -> None:
    """Writing is whole or not at all."""
    file = archive.save(tmp_path / "a.npz", "thing", {"n": 1}, {})
    with pytest.raises(TypeError, match="file"):  # which is numpy's own argument, and so fails once the file is open
        archive.save(file, "thing", {"n": 2}, {"file": np.zeros(1)}, overwrite=True)
    assert archive.load(file, "thing")[0]["n"] == 1
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("keep", [0, 1, 30, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, keep: float) -> None:
    """At whatever byte it ends."""
    file = archive.save(tmp_path / "a.npz", "thing", {}, {"x": np.arange(1000.0)})
    whole = file.read_bytes()
    file.write_bytes(whole[: int(keep if keep >= 1 else keep * len(whole))])
    with pytest.raises(FileFormatError, match=r"a\.npz must be"):
        archive.load(file, "thing")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """A flipped byte within an array does not go unnoticed."""
    file = archive.save(tmp_path / "a.npz", "thing", {}, {"x": np.random.default_rng(0).random(1000)})
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    file.write_bytes(damaged)
    with pytest.raises(FileFormatError, match=r"a\.npz must be"):
        archive.load(file, "thing")


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    """Another program's arrays, pickled objects, a single array, another kind, another version."""
    foreign, pickled, single = (tmp_path / name for name in ("foreign.npz", "pickled.npz", "single.npz"))
    np.savez(foreign, x=np.arange(3))
    np.savez(pickled, header=np.array([{"format": "kenyon"}], dtype=object))
    with single.open("wb") as stream:
        np.save(stream, np.arange(3))
    for file in (foreign, pickled, single):
        with pytest.raises(FileFormatError, match="must be"):
            archive.load(file, "thing")
    other = archive.save(tmp_path / "other.npz", "other", {}, {})
    with pytest.raises(FileFormatError, match="must hold a thing, got a 'other'"):
        archive.load(other, "thing")
    later = archive.save(tmp_path / "later.npz", "thing", {"format_version": 99}, {})
    with pytest.raises(FileFormatError, match="must be of format version 1, got 99"):
        archive.load(later, "thing")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The error says what to do."""
    with pytest.raises(InputError, match="make it first"):
        archive.save(tmp_path / "none" / "a.npz", "thing", {}, {})


def test_objects_are_never_written(tmp_path: Path) -> None:
    """For they could be read by executing them only."""
    with pytest.raises(InputError, match="array 'x' must hold plain numbers to be saved, got objects"):
        archive.save(tmp_path / "a.npz", "example", {}, {"x": np.array([{}])})
    assert not list(tmp_path.iterdir())


def test_bytes_are_read_like_a_file_and_may_not_announce_too_much() -> None:
    """A few bytes that would unfold into many are refused before they do."""
    words = archive.pack("thing", {"n": 1}, {"x": np.zeros(10**6)})
    assert len(words) < 10_000
    with pytest.raises(FileFormatError, match=r"it must be .* at most 1000000 bytes, got 8000"):
        archive.unpack("it", words, "thing", limit_bytes=10**6)
    header, arrays = archive.unpack("it", words, "thing")
    assert (header["n"], arrays["x"].shape) == (1, (10**6,))
    with pytest.raises(FileFormatError, match="it must be a whole"):
        archive.unpack("it", words[:-30], "thing")
