"""Results of points in parts that many write at once: what comes back is what `run` gave, and nothing is half there."""

import json
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from kenyon.conditioning import load, paradigm, run, save
from kenyon.conditioning.sweeps import Store
from kenyon.errors import DamagedPartWarning, InputError, MismatchError, StorageError
from kenyon.mushroom_body import BALANCED, LARVAL, Record
from tests.conditioning.runs import TINY, tiny
from tests.disk import full_disk

Kept = dict[str, xarray.Dataset]


def by_id(*results: xarray.Dataset) -> Kept:
    """Return results by the ids of their runs."""
    return {result.run_id.item(): result for result in results}


def assert_same(one: xarray.Dataset, other: xarray.Dataset) -> None:
    """Two results are the same, to the last bit and the last type."""
    assert one.identical(other)
    for name, own in one.variables.items():
        assert (own.dtype, own.values.tobytes()) == (
            other.variables[name].dtype,
            other.variables[name].values.tobytes(),
        )


@pytest.fixture(scope="module")
def results() -> Kept:
    """Return runs that differ in what they hold: shapes, what was kept, orders drawn for each larva."""
    shuffled = run("B = anisole: shuffle(A+ 0.02s, B 0.01s) | ?A 0.01s", larvae=3, show_progress=False).one
    kept: list[dict[str, Any]] = [
        {"weights": True},
        {"codes": True},
        {"per_second": True},
        {"recordings": Record(spikes=True)},
    ]
    others: list[dict[str, Any]] = [{"larvae": 3}, {"wiring": "right"}, {"parameters": LARVAL}, {"seed": 2**70}]
    unlike = tiny({"test_odors": ("3-octanol", "anisole"), "trials": 2})
    return by_id(tiny(), *(tiny(**own) for own in (*kept, *others)), unlike, shuffled)


def parts(store: Store) -> list[Path]:
    """Return the parts of a store."""
    return sorted(store.folder.glob("points-*.npz"))


def test_each_result_comes_back_as_run_gave_it(results: Kept, tmp_path: Path) -> None:
    """Bit for bit, from one part with results of many shapes, and from a part for each."""
    together, alone = Store(tmp_path / "together"), Store(tmp_path / "alone")
    together.add(results)
    for run_id, result in results.items():
        alone.add({run_id: result})
    assert (len(parts(together)), len(parts(alone))) == (1, len(results))
    for store in (together, alone, Store(together.folder)):
        assert store.ids() == set(results)
        for run_id, back in store.read(results).items():
            assert_same(back, results[run_id])
        assert_same(store.get(next(iter(results))), next(iter(results.values())))


def test_a_result_that_came_back_is_saved_as_any_other(results: Kept, tmp_path: Path) -> None:
    """And read."""
    store = Store(tmp_path / "store")
    store.add(results)
    for run_id in results:
        assert load(save(store.get(run_id), tmp_path / f"{run_id}.nc")).identical(results[run_id])


def test_what_points_have_in_common_lies_there_once(tmp_path: Path) -> None:
    """Twelve points take little more room than one, beside their numbers."""
    runs = [tiny(seed=seed, larvae=1) for seed in range(12)]
    one, many = Store(tmp_path / "one"), Store(tmp_path / "many")
    one.add(by_id(runs[0]))
    many.add(by_id(*runs))
    sizes = [parts(store)[0].stat().st_size for store in (one, many)]
    assert sizes[1] < 2 * sizes[0]


def test_twice_the_same_is_once(results: Kept, tmp_path: Path) -> None:
    """And nothing at all is nothing, not even a folder."""
    store = Store(tmp_path / "deep" / "store")
    store.add({})
    assert (store.ids(), store.read([]), store.diverged([])) == (set(), {}, set())
    assert not store.folder.exists()
    for _ in range(2):
        store.add(results)
    assert len(list(store.folder.iterdir())) == 1


def test_what_another_one_writes_is_found(results: Kept, tmp_path: Path) -> None:
    """A store that has looked looks again, and opens no part twice."""
    ours, theirs = Store(tmp_path), Store(tmp_path)
    first, second = list(results)[:2]
    theirs.add({first: results[first]})
    assert ours.ids() == {first}
    (part,) = parts(ours)
    part.chmod(0)
    theirs.add({second: results[second]})
    assert ours.ids() == {first, second}
    part.chmod(0o600)
    assert set(ours.read([first, second, "unknown"])) == {first, second}


def test_points_of_which_a_larva_diverged_are_known(results: Kept, tmp_path: Path) -> None:
    """Without reading their numbers."""
    store = Store(tmp_path)
    first, second = list(results)[:2]
    bad = results[first].copy(deep=True)
    bad.diverged[1, 0] = True
    store.add({first: bad, second: results[second]})
    assert store.ids() == {first, second}
    assert store.diverged([first, second, "unknown"]) == {first}


def test_a_writer_that_is_killed_leaves_all_or_nothing(results: Kept, tmp_path: Path) -> None:
    """Before each of its acts; and the next one writes, whatever was left."""
    found = _processes("steps", results, tmp_path)
    assert found["faults"] == []
    assert found["acts"] >= 5


@pytest.mark.parametrize("what", ["kill", "race"])
def test_writers_at_once_and_kills_at_any_moment(what: str, results: Kept, tmp_path: Path) -> None:
    """What a killed one had said was there is there; who writes the same at once writes one file."""
    assert _processes(what, results, tmp_path) == {"faults": []}


def _processes(what: str, results: Kept, folder: Path) -> dict[str, Any]:
    files = [save(own, folder / f"{run_id}.nc") for run_id, own in list(results.items())[:4]]
    command = [sys.executable, "-m", "tests.conditioning.sweeps.writing", what, str(folder), *map(str, files)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    said: dict[str, Any] = json.loads(told.stdout)
    return said


def test_a_full_disk_loses_nothing(results: Kept, tmp_path: Path) -> None:
    """It is said in one sentence, what was there stays, nothing half is left, and the same goes on with room."""
    store = Store(tmp_path)
    first, *others = results
    store.add({first: results[first]})
    rest = {own: results[own] for own in others}
    with full_disk(1000), pytest.raises(StorageError, match=r"could not be written to .*: File too large; nothing"):
        store.add(rest)
    assert [path.name for path in tmp_path.iterdir()] == [path.name for path in parts(store)]
    assert store.ids() == {first}
    store.add(rest)
    assert store.ids() == set(results)


def test_what_is_no_part_is_left_alone(results: Kept, tmp_path: Path) -> None:
    """Files of others, files that a killed writer has begun, and a folder of a part's name."""
    store = Store(tmp_path)
    store.add(results)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".points-0123456789abcdef.writing").write_bytes(parts(store)[0].read_bytes()[:1000])
    (tmp_path / "points-of-view.npz").write_text("theirs")
    assert Store(tmp_path).ids() == set(results)
    assert len(list(tmp_path.iterdir())) == 4


def test_what_killed_writers_have_left_goes_after_a_day(results: Kept, tmp_path: Path) -> None:
    """By the clock of the file system; what may still be written stays."""
    old, young = (tmp_path / f".points-{digit * 16}.writing" for digit in "01")
    for path, hours in ((old, 25), (young, 23)):
        path.write_text("begun")
        os.utime(path, times=(path.stat().st_atime, path.stat().st_mtime - hours * 3600))
    Store(tmp_path).add(results)
    assert (old.exists(), young.exists()) == (False, True)


@pytest.mark.parametrize("count", [30, pytest.param(3000, marks=pytest.mark.long)])
def test_no_bit_of_a_part_can_be_another_unnoticed(count: int, results: Kept, tmp_path: Path) -> None:
    """A part with a bit flipped gives the same, or is left out with a sentence; the other part is read."""
    store = Store(tmp_path)
    first, second = next(iter(results)), list(results)[-1]
    store.add({first: results[first]})
    (part,) = parts(store)
    store.add({second: results[second]})
    words, chance, left_out = part.read_bytes(), np.random.default_rng(1), 0
    for place, bit in zip(chance.integers(len(words), size=count), chance.integers(8, size=count), strict=True):
        flipped = bytearray(words)
        flipped[place] ^= 1 << bit
        part.write_bytes(flipped)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found = Store(tmp_path).read([first, second])
        assert_same(found[second], results[second])
        if first in found:
            assert_same(found[first], results[first])
        else:
            (sentence,) = said
            assert sentence.category is DamagedPartWarning
            assert str(sentence.message).startswith(f"{part} must ")
            assert str(sentence.message).endswith("its points count as not computed, so delete it and go on")
            left_out += 1
    assert left_out > count / 2


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, 0.99])
def test_a_truncated_part_is_left_out_once(keep: float, results: Kept, tmp_path: Path) -> None:
    """With one sentence; what it held is computed again, and written beside it."""
    store = Store(tmp_path)
    store.add(results)
    (part,) = parts(store)
    words = part.read_bytes()
    part.write_bytes(words[: int(keep if keep >= 1 else keep * len(words))])
    again = Store(tmp_path)
    with pytest.warns(DamagedPartWarning, match=rf"^{part} must .* delete it and go on$"):
        assert again.ids() == set()
    assert again.ids() == set()
    first = next(iter(results))
    again.add({first: results[first]})
    assert again.ids() == {first}
    part.unlink()
    assert set(again.read(results)) == {first}


def test_numbers_that_are_damaged_are_those_of_another_part(results: Kept, tmp_path: Path) -> None:
    """Where there is one; the damage is found when they are read, and their points count as missing from then on."""
    store = Store(tmp_path)
    first, second = list(results)[:2]
    store.add({first: results[first], second: results[second]})
    (part,) = parts(store)
    words = bytearray(part.read_bytes())
    words[words.index(b"0 test_rate_hz.npy") + 60] ^= 0xFF
    part.write_bytes(words)
    store.add({first: results[first]})
    again = Store(tmp_path)
    assert again.ids() == {first, second}
    with pytest.warns(DamagedPartWarning, match=rf"^{part} must "):
        found = {**again.read([second]), **again.read([first])}
    assert_same(found[first], results[first])
    assert (set(found), again.ids()) == ({first}, {first})


def test_one_point_in_two_parts_is_one(results: Kept, tmp_path: Path) -> None:
    """Also where it was told in other words, of which the id of a run knows nothing."""
    store = Store(tmp_path)
    first, second = list(results)[:2]
    design = paradigm("paired", **TINY)
    group = replace(design.groups[0], name="otherwise", stages=(replace(design.groups[0].stages[0], label="x"),))
    renamed = run(replace(design, groups=(group,)), larvae=2, parameters=BALANCED, show_progress=False).one
    assert renamed.run_id.item() == first
    store.add({first: results[first], second: results[second]})
    store.add({first: renamed})
    assert set(store.read([first, second])) == {first, second}


def test_two_parts_with_other_numbers_of_one_point_are_both_named(results: Kept, tmp_path: Path) -> None:
    """Other points are read."""
    store = Store(tmp_path)
    first, second = list(results)[:2]
    other = results[first].copy(deep=True)
    other.phase_rate_hz[0, 0, 0] += 1e-12
    store.add({first: results[first], second: results[second]})
    store.add({first: other})
    one, two = parts(store)
    assert store.ids() == {first, second}
    with pytest.raises(MismatchError, match=rf"^{one} and {two} must hold the same numbers of run {first}, got others"):
        store.get(first)
    assert_same(store.get(second), results[second])
    min(one, two, key=lambda part: part.stat().st_size).unlink()
    assert_same(store.get(first), results[first])


def test_parts_that_vanish_are_looked_for_in_others(results: Kept, tmp_path: Path) -> None:
    """As where somebody joins parts; what is nowhere is missing, and nothing more is said."""
    store = Store(tmp_path)
    first, second = list(results)[:2]
    for own in (first, second):
        store.add({own: results[own]})
    assert store.ids() == {first, second}
    reading = store.batches([first, second])
    _, (one,) = next(reading)
    for part in parts(store):
        part.unlink()
    other = {first: second, second: first}[one]
    Store(tmp_path).add({other: results[other]})
    assert [wanted for _, wanted in reading] == [[other]]
    for part in parts(store):
        part.unlink()
    assert (store.read([first]), store.ids()) == ({}, set())
    with pytest.raises(InputError, match=f"run '{first}' must be in {tmp_path}, but it is not"):
        store.get(first)


def test_only_whole_runs_are_kept_and_by_their_own_id(results: Kept, tmp_path: Path) -> None:
    """Neither selections nor joins, nor what is no result; nothing is written then."""
    store = Store(tmp_path / "store")
    first, second = list(results)[:2]
    one = results[first]
    joined = xarray.concat([one, tiny(seed=9)], "larva", coords="different", compat="equals")
    for run_id, wrong, sentence in (
        (second, one, "must be kept by the run_id that it states"),
        (first, one.isel(larva=[0]), "must be of all its larvae"),
        (first, joined, "must be kept by the run_id"),
        (first, one.drop_vars("run_id"), "must be kept by the run_id"),
    ):
        with pytest.raises(InputError, match=sentence):
            store.add({second: results[second], run_id: wrong} if run_id == first else {run_id: wrong})
    for nonsense in (None, 3, "abc", [one], {first: 3}):
        with pytest.raises(InputError):
            store.add(nonsense)  # type: ignore[arg-type]
    assert not store.folder.exists()


def test_a_folder_that_cannot_be_one_is_refused(results: Kept, tmp_path: Path) -> None:
    """In one sentence, when it is read and when it is written to."""
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(StorageError, match="must be a folder that can be read, got Not a directory"):
        Store(file).ids()
    with pytest.raises(StorageError, match="results could not be written to"):
        Store(file).add(results)
    with pytest.raises(InputError):
        Store(3)  # type: ignore[arg-type]
    for nonsense in ("abc", 3, None, [3]):
        with pytest.raises(InputError):
            Store(tmp_path).read(nonsense)  # type: ignore[arg-type]
    assert file.read_text() == "mine"
