"""Compiled code between processes: whatever lies where it is kept, functions compute the same and say so."""

import os
import random
import resource
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from numba import config
from numba.core.caching import _CacheLocator

from kenyon import code_cache
from kenyon import compiled as compiling
from kenyon.compiled import compiled
from kenyon.errors import CompiledCodeWarning
from kenyon.mushroom_body import Population, drive, inputs, kernel, layered


def twice(x: float) -> float:
    """Return twice a number."""
    return x + x


def thrice(x: float) -> float:
    """Return three times a number."""
    return x + x + x


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which code of this file is kept, with that of `twice`."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(compiling, "_CACHES", [])  # what is damaged here is none of what is looked at elsewhere
    assert _call() == (False, [])
    assert _call() == (True, [])
    (found,) = (tmp_path / "cache").iterdir()
    return found


def _call(function: Callable[[float], float] = twice) -> tuple[bool, list[str]]:
    """Call a function as in a new process; return whether its code was there, and what was said."""
    code_cache._say.cache_clear()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        new: Any = compiled(function)
        assert new(21.0) == function(21.0)
    assert {one.category for one in said} <= {CompiledCodeWarning}
    return bool(new.stats.cache_hits), [str(one.message) for one in said]


def _file(folder: Path, suffix: str, name: str = "twice") -> Path:
    (found,) = folder.glob(f"*.{name}-*{suffix}")
    return found


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda _: b"",
    "cut": lambda words: words[: len(words) // 2],
    "another program's": lambda _: b"\x80\x04}\x94." * 20,
    "longer": lambda words: words + b"\0",
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_a_damaged_file_is_compiled_anew_and_mended(damage: str, suffix: str, folder: Path) -> None:
    """One sentence says where it lies; the next process finds it whole."""
    file = _file(folder, suffix)
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    assert _call() == (
        False,
        [f"compiled code kept in {folder} is damaged or not readable, so it is compiled anew"],
    )
    assert _call() == (True, [])


@pytest.mark.parametrize("count", [10, pytest.param(300, marks=pytest.mark.long)])
def test_no_bit_of_a_kept_file_can_be_another_unnoticed(count: int, folder: Path) -> None:
    """Machine code with one bit flipped would crash."""
    chance = random.Random(0)
    for _ in range(count):
        file = _file(folder, chance.choice(["nbi", "nbc"]))
        words = bytearray(file.read_bytes())
        words[chance.randrange(len(words))] ^= 1 << chance.randrange(8)
        file.write_bytes(words)
        hit, said = _call()
        assert (hit, len(said)) == (False, 1)


def test_whole_code_of_another_function_is_not_run(folder: Path) -> None:
    """As lies there when a process was killed between index and code, after the source had changed."""
    assert _call(thrice) == (False, [])
    shutil.copy(_file(folder, "nbc", "thrice"), _file(folder, "nbc"))
    assert _call() == (False, [])
    assert _call() == (True, [])


def test_what_is_missing_is_compiled(folder: Path) -> None:
    """Without a word: a cache may be cleared, in part or whole, at any time."""
    _file(folder, "nbc").unlink()
    assert _call() == (False, [])
    shutil.rmtree(folder)
    assert _call() == (False, [])
    assert _call() == (True, [])


@contextmanager
def _full_disk() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_cannot_be_kept_is_computed_all_the_same(folder: Path) -> None:
    """On a full disk, and where the folder has become something else meanwhile."""
    shutil.rmtree(folder)
    with _full_disk():
        hit, (sentence,) = _call()
    assert not hit
    assert sentence.startswith(f"compiled code cannot be kept in {folder} (File too large), so each process compiles")
    assert not list(folder.iterdir())
    assert _call() == (False, [])
    index = _file(folder, "nbi")
    index.unlink()
    index.mkdir()
    hit, sentences = _call()
    assert not hit
    assert len(sentences) == 2  # It can neither be read nor written.


def test_two_processes_that_keep_code_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Both compute, and what they leave is whole."""
    (tmp_path / "both.py").write_text(
        "import sys\n"
        "from kenyon.compiled import cache_state, compiled\n"
        "@compiled\n"
        "def twice(x):\n    return x + x\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "print(twice(21), twice(1.5), cache_state())\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-W", "error", str(tmp_path / "both.py")]
    streams: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both: list[Any] = [subprocess.Popen(command, env=environment, **streams) for _ in range(2)]
    for one in both:
        assert one.stdout.readline() == "ready\n"
    for one in both:
        one.stdin.write("\n")
        one.stdin.flush()
    assert [one.communicate()[0] for one in both] == ["42 3.0 whole\n"] * 2


@pytest.mark.parametrize("name", ["inputs._start", pytest.param("layered.advance_larvae", marks=pytest.mark.long)])
def test_an_emptied_cache_file_stops_no_command(name: str, tmp_path: Path) -> None:
    """`kenyon train` said "Aborted!" for ever. Now `kenyon doctor` names the file, and the next command mends it."""
    place = tmp_path / "cache" / str(_CacheLocator.get_suitable_cache_subpath(kernel.__file__))  # type: ignore[no-untyped-call]  # numba's
    function: Any = {"inputs._start": inputs._start, "layered.advance_larvae": layered.advance_larvae}[name]
    larvae = Population(seeds=[1])
    larvae.advance(10.0, drive(larvae.parameters, "anisole"))  # so that there is something to take along
    place.mkdir(parents=True)
    for kept in Path(function.stats.cache_path).glob("*.nb[ci]"):  # and nothing that others write there meanwhile
        shutil.copy(kept, place)
    (index,) = place.glob(f"{name}-{function.py_func.__code__.co_firstlineno}.*.checked.nbi")
    index.write_bytes(b"")

    def kenyon(*arguments: str, program: str = "from kenyon.cli import main; main()") -> Any:
        command = [sys.executable, "-c", program, *arguments]
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment)

    assert f"{index.name} damaged; compiled anew when needed" in kenyon("doctor").stdout
    short = ("train", "--larvae", "1", "--trials", "1", "--stimulus", "0.1", "--pause", "0.1")
    done = kenyon(*short, "--out", str(tmp_path / "d"))
    said = [line for line in done.stderr.splitlines() if line.startswith("Careful")]
    assert said == [f"Careful: compiled code kept in {place} is damaged or not readable, so it is compiled anew"]
    state = "import kenyon.mushroom_body; from kenyon.compiled import cache_state; print(cache_state())"
    assert kenyon(program=state).stdout == "whole\n"
