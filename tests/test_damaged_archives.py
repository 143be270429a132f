"""Every loader of archives, with files of which any part is another: the same content, or a refusal in words."""

import io
import json
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kenyon import archive
from kenyon.errors import FileFormatError
from kenyon.memory import Memory, MushroomBodyMemory, RLOlfMemory, RLPopulation, checkpoint
from kenyon.mushroom_body import Population, Snapshot, verification

Loader = Callable[[Path], object]


def _snapshot(file: Path) -> object:
    return Snapshot.load(file).to_bytes()


def _checkpoint(file: Path) -> object:
    header, arrays = archive.load(file, checkpoint.KIND)
    for memory in checkpoint.load(file):
        assert memory is not None
    assert checkpoint.names(file) == checkpoint.names(file)
    return json.dumps([header, checkpoint.about(file)]), {name: values.tobytes() for name, values in arrays.items()}


def _golden(file: Path) -> object:
    return {name: str(value) for name, value in vars(verification.load(file)).items()}


GAIN = {"A": 0.0, "B": 0.0, "C": 0.0}

LOADERS: dict[str, Loader] = {
    "a snapshot": _snapshot,
    "memories": _checkpoint,
    "a population": _checkpoint,
    "a golden file": _golden,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return a file of each kind."""
    folder = tmp_path_factory.mktemp("whole")
    files = {
        "a snapshot": Population(seeds=[1]).snapshot().save(folder / "a.npz"),
        "memories": checkpoint.save(folder / "b.npz", [RLOlfMemory(gain={"A": 0.0}, seed=1), Memory(gain={"A": 1.0}),
                                                       MushroomBodyMemory(gain={"A": 0.0})]),
        "a population": checkpoint.save(folder / "c.npz", RLPopulation(3, ["A"], seed=1)),
        "a golden file": verification.own_files()[0],
    }  # fmt: skip
    return {name: path.read_bytes() for name, path in files.items()}


def _same_or_refused(loader: Loader, file: Path, expected: object) -> bool:
    """Return whether a file was refused; it must have been, or hold the same."""
    try:
        found = loader(file)
    except FileFormatError as reason:
        refusal = str(reason)
    else:
        assert found == expected
        return False
    assert str(file) in refusal
    assert len(refusal.splitlines()) == 1
    return True


@pytest.mark.parametrize("count", [60, pytest.param(2000, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", LOADERS)
def test_flipped_and_cut_files_hold_the_same_or_are_refused(
    kind: str, count: int, whole: dict[str, bytes], tmp_path: Path
) -> None:
    """A bit flipped anywhere, bytes cut out anywhere, bytes written over."""
    chance, words, refused = np.random.default_rng(0), whole[kind], 0
    file = tmp_path / "a.npz"
    file.write_bytes(words)
    expected = LOADERS[kind](file)
    if kind == "a golden file":
        expected = {**expected, "name": file.name}  # type: ignore[dict-item]
    for turn in range(count):
        damaged = bytearray(words)
        # Every second time near the end, where the archive says what it holds.
        place = int(chance.integers(len(words))) if turn % 2 else len(words) - 1 - int(chance.integers(800))
        if turn % 3 == 0:
            damaged[place] ^= 1 << int(chance.integers(8))
        elif turn % 3 == 1:
            del damaged[place : place + int(chance.integers(1, 200))]
        else:
            damaged[place : place + 4] = chance.bytes(4)
        file.write_bytes(damaged)
        refused += _same_or_refused(LOADERS[kind], file, expected)
    assert refused > count // 2


def _npy(shape: str, descr: str = "'<f8'", data: bytes = b"") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


ENTRIES: dict[str, tuple[str, bytes]] = {
    "a header that is no array": ("header", b"{}"),
    "a note": ("note.txt", b"hello"),
    "an empty array file": ("x.npy", b""),
    "no array": ("x.npy", b"hello, this is no array"),
    "more numbers than are there": ("x.npy", _npy("(1000000000000,)")),
    "fewer numbers than are there": ("x.npy", _npy("(1,)", data=bytes(80))),
    "a negative shape": ("x.npy", _npy("(-1, -1)", data=bytes(8))),
    "a shape of truths": ("x.npy", _npy("(True,)", data=bytes(8))),
    "a shape that is no tuple": ("x.npy", _npy("'abc'")),
    "a header cut in two": ("x.npy", _npy("(3")),
    "no known type": ("x.npy", _npy("(1,)", "'zz'", bytes(8))),
    "pickled objects": ("x.npy", _npy("(1,)", "'|O'", b"cos\nsystem\n")),
    "a type of its own": ("x.npy", _npy("(1,)", "[('a', '<f8'), ('b', '|O')]", bytes(16))),
    "a later version of numpy's": ("x.npy", b"\x93NUMPY\x09\x00" + bytes(100)),
    "a header of megabytes": ("x.npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**24) + bytes(2**24)),
}


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("kind", LOADERS)
def test_an_entry_that_is_no_array_is_refused_by_every_loader(
    kind: str, name: str, whole: dict[str, bytes], tmp_path: Path
) -> None:
    """Beside the others, or in place of one: such as a zip entry `header` of `{}`."""
    entry, content = ENTRIES[name]
    with zipfile.ZipFile(io.BytesIO(whole[kind])) as good:
        entries = {one: good.read(one) for one in good.namelist()}
    for replaced in (None, next(iter(entries)), list(entries)[-1]):
        changed = {one: words for one, words in entries.items() if one != replaced}
        changed[entry if replaced is None or not entry.endswith(".npy") else replaced] = content
        file = tmp_path / "a.npz"
        with zipfile.ZipFile(file, "w") as bad:
            for one, words in changed.items():
                bad.writestr(one, words)
        with pytest.raises(FileFormatError, match=rf"^{file} must be a whole \.npz archive of plain arrays: "):
            LOADERS[kind](file)


@pytest.mark.parametrize(
    ("announced", "words"),
    [(None, "at most 1000000 bytes, got 80000"), (2**33, "at most 1000000 bytes, got 8589934592"), (1000, "Bad CRC")],
)
def test_8_mb_that_announce_8_gb_are_refused_unread(announced: int | None, words: str, tmp_path: Path) -> None:
    """Here 8 kB that announce 8 MB; nor does it help to lie in the directory of the archive."""
    file = tmp_path / "a.npz"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("x.npy", _npy("(1000000,)", data=bytes(8_000_000)))
        if announced is not None:
            bomb.infolist()[0].file_size = announced
    assert file.stat().st_size < 10_000
    tracemalloc.start()
    with pytest.raises(FileFormatError, match=words):
        archive.read_npz(file, limit_bytes=10**6)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2e6


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_numpy_never_writes_is_refused(method: int, tmp_path: Path) -> None:
    """Such entries could be unfolded to their end only."""
    file = tmp_path / "a.npz"
    with zipfile.ZipFile(file, "w", method) as other:
        other.writestr("x.npy", _npy("(1,)", data=bytes(8)))
    with pytest.raises(FileFormatError, match="compressed as numpy never does"):
        archive.read_npz(file)


@pytest.mark.parametrize("kind", LOADERS)
def test_no_loader_is_without_a_limit(kind: str, whole: dict[str, bytes], tmp_path: Path) -> None:
    """Of its own accord: a whole file in which one array announces 8 GB more."""
    file = tmp_path / "a.npz"
    file.write_bytes(whole[kind])
    with zipfile.ZipFile(file, "a") as bomb:
        bomb.writestr("more.npy", b"")
        bomb.infolist()[-1].file_size = 2**33
    with pytest.raises(FileFormatError, match=f"must be of at most {2**32} bytes, got 8"):
        LOADERS[kind](file)


@pytest.mark.parametrize("kind", LOADERS)
def test_what_is_no_file_is_refused(kind: str, tmp_path: Path) -> None:
    """A folder in words; what is missing as such."""
    with pytest.raises(FileFormatError, match="must be a file that can be read, got Is a directory"):
        LOADERS[kind](tmp_path)
    with pytest.raises(FileNotFoundError):
        LOADERS[kind](tmp_path / "none.npz")


def test_more_can_be_read_if_that_is_asked_for(tmp_path: Path) -> None:
    """By every loader of files that users make."""
    file = Population(seeds=[1]).snapshot().save(tmp_path / "a.npz")
    with pytest.raises(FileFormatError, match="raise limit_bytes to read it"):
        Snapshot.load(file, limit_bytes=1000)
    assert Snapshot.load(file, limit_bytes=10**6).seeds == (1,)
    memories = checkpoint.save(tmp_path / "b.npz", RLOlfMemory(gain={"A": 0.0}))
    readers: list[Callable[..., Any]] = [checkpoint.load, checkpoint.about, checkpoint.names]
    for read in readers:
        with pytest.raises(FileFormatError, match="raise limit_bytes to read it"):
            read(memories, limit_bytes=100)
        read(memories, limit_bytes=10**6)


@pytest.mark.parametrize("made", [lambda: RLOlfMemory(gain=GAIN, seed=1), lambda: RLPopulation(3, list(GAIN), seed=1)])
def test_options_that_ask_for_60_gb_of_tables_are_refused_unmade(made: Callable[[], Any], tmp_path: Path) -> None:
    """A file may ask for no larger tables than it holds, whatever limit it states itself."""
    whole = checkpoint.save(tmp_path / "a.npz", made())
    header, arrays = archive.load(whole, checkpoint.KIND)
    again = checkpoint.save(tmp_path / "b.npz", checkpoint.load(whole))
    assert archive.load(again, checkpoint.KIND)[0] == header
    for places, limit_mb in ((250, 1e6), (100, 1e4)):
        header["memories"][0]["options"] |= {"state_spacePerSide": places, "max_table_mb": limit_mb}
        file = archive.save(
            tmp_path / "c.npz", checkpoint.KIND, {"memories": header["memories"]}, arrays, overwrite=True
        )
        with pytest.raises(FileFormatError):
            checkpoint.load(file)
