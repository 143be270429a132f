"""Result files: whole, or refused in words; damage never reaches HDF5."""

from collections.abc import Callable
from pathlib import Path

import h5netcdf
import h5py
import numpy as np
import pytest
import xarray

from kenyon import netcdf
from kenyon.conditioning import load, paradigm, results, run
from kenyon.errors import FileFormatError


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a small result."""
    result = run(
        paradigm("paired", trials=1, stimulus_s=0.1, pause_s=0.1, test_s=0.1), larvae=1, seed=1, show_progress=False
    ).one
    return results.save(result, tmp_path_factory.mktemp("netcdf") / "whole.nc")


def test_other_programs_read_the_file(whole: Path) -> None:
    """The checksum lies behind what HDF5 knows of."""
    with xarray.open_dataset(whole, engine="h5netcdf") as theirs:
        assert netcdf.read(whole).identical(theirs.load())


def test_a_file_that_another_program_has_written_to_is_read(whole: Path, tmp_path: Path) -> None:
    """It has no checksum any more, as files of before have none."""
    file = tmp_path / "noted.nc"
    file.write_bytes(whole.read_bytes())
    with h5netcdf.File(file, "a") as theirs:
        theirs.attrs["note"] = "a wet Monday"
    assert load(file).attrs["note"] == "a wet Monday"


@pytest.mark.parametrize("count", [200, pytest.param(20_000, marks=pytest.mark.long)])
def test_no_bit_can_be_another_unnoticed(count: int, whole: Path, tmp_path: Path) -> None:
    """A file with one bit flipped is refused, or holds the same."""
    words, expected, chance = whole.read_bytes(), load(whole), np.random.default_rng(0)
    file = tmp_path / "flipped.nc"
    for place, bit in zip(chance.integers(len(words), size=count), chance.integers(8, size=count), strict=True):
        flipped = bytearray(words)
        flipped[place] ^= 1 << bit
        file.write_bytes(flipped)
        try:
            assert load(file).identical(expected)
        except FileFormatError as refusal:
            assert str(refusal) == f"{file} must be a whole NetCDF file: it is damaged, for its checksum is another"  # noqa: PT017


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, 0.99, -1, -80, -81])
def test_a_truncated_file_is_refused(keep: float, whole: Path, tmp_path: Path) -> None:
    """Unless nothing but the checksum is missing."""
    words = whole.read_bytes()
    file = tmp_path / "cut.nc"
    file.write_bytes(words[: int(keep if abs(keep) >= 1 or keep == 0 else keep * len(words))])
    if keep in (-1, -80):
        assert load(file).identical(load(whole))
    else:
        with pytest.raises(FileFormatError):
            load(file)


def _huge(file: h5netcdf.File) -> None:
    file.dimensions["much"] = 10**13
    file.create_variable("x", ("much",), "f8", chunks=(1024,))


ODD: dict[str, Callable[[h5netcdf.File], None]] = {
    "an array": lambda file: file.attrs.update(format=np.arange(3)),
    "texts": lambda file: file.attrs.update(us=np.array(["a", "b"], dtype=object)),
    "bytes": lambda file: file.attrs.update(cs=np.void(b"\x00\xff")),
    "nothing": lambda file: file.attrs.update(seed=h5py.Empty("f8")),
    "an array of a variable": lambda file: file.variables["diverged"].attrs.update(long_name=np.arange(2)),
    "a number for words": lambda file: file.attrs.update(format=3),
    "words for a number": lambda file: file.attrs.update(format_version="one"),
    "a huge dimension": _huge,
}


@pytest.mark.parametrize("name", ODD)
def test_attributes_and_dimensions_that_nobody_expects_are_refused(name: str, whole: Path, tmp_path: Path) -> None:
    """Before anybody reads them as something else, or takes 80 TB for them."""
    file = tmp_path / "odd.nc"
    file.write_bytes(whole.read_bytes())
    with h5netcdf.File(file, "a") as odd:
        ODD[name](odd)
    with pytest.raises(FileFormatError, match=rf"^{file} must "):
        load(file)


def test_more_can_be_read_if_that_is_asked_for(whole: Path) -> None:
    """The limit is for files of which one knows nothing."""
    with pytest.raises(FileFormatError, match=r"at most 100 bytes, got \d+; raise limit_bytes to read it"):
        load(whole, limit_bytes=100)
    assert load(whole, limit_bytes=10**6).sizes["larva"] == 1


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    """And a folder is no file."""
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.nc")
    with pytest.raises(FileFormatError):
        load(tmp_path)
