"""All points of a sweep as one dataset: selected down to one point, it is what `run` gave of that point."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from kenyon.conditioning import load, save, summary
from kenyon.conditioning.sweeps import Store, Sweep, collect, run_sweep
from kenyon.errors import InputError

SHORT = "?A 0.01s, A+ $long, ?A 0.01s"

Results = dict[str, xarray.Dataset]


def computed(sweep: Sweep) -> Results:
    """Return the result of each point, by its id."""
    return {point.id: point.compute() for point in sweep}


def stored(folder: Path, results: Results, *, each: bool = False) -> Store:
    """Return a store with results, in one part or a part for each."""
    store = Store(folder)
    for part in [{run_id: own} for run_id, own in results.items()] if each else [results]:
        store.add(part)
    return store


def only_own(selected: xarray.Dataset, result: xarray.Dataset) -> xarray.Dataset:
    """Return a selected point without what only the sweep says of it."""
    beside = set(selected.variables) - set(result.variables)
    assert beside <= {"done", "dose", "long", "design_given"}
    return selected.drop_vars(list(beside))


def without_absent(selected: xarray.Dataset) -> xarray.Dataset:
    """Return a selected point without the larvae, tests, phases and test odors that others have."""
    larvae = [isinstance(own, str) and own != "" for own in selected.larva_seed.values.tolist()]
    numbers = {"test": selected.test_time_s, "phase": selected.phase_duration_s, "test_odor": selected.test_s}
    return selected.isel({"larva": larvae, **{dim: of.notnull().values for dim, of in numbers.items()}})


def assert_numbers_are_those_of(selected: xarray.Dataset, result: xarray.Dataset) -> None:
    """Every variable has the same bits, and says the same."""
    assert set(selected.variables) == set(result.variables)
    for name, own in result.variables.items():
        found = selected.variables[name]
        assert found.dims == own.dims, name
        if own.dtype.kind == "U":
            assert found.values.tolist() == own.values.tolist(), name
        else:
            assert (found.values.tobytes(), found.dtype) == (own.values.tobytes(), own.dtype), name


@pytest.fixture(scope="module")
def grid() -> tuple[Sweep, Results]:
    """Return a grid over a duration in the design, a constant of the circuit and seeds."""
    sweep = Sweep.grid(
        {"kc.threshold_mV": [-36, -35]}, design=SHORT, long=["0.01s", "0.02s"], seed=[3, 2**70], larvae=2
    )
    return sweep, computed(sweep)


@pytest.mark.parametrize("each", [False, True])
def test_each_point_is_what_run_gave_of_it(each: bool, grid: tuple[Sweep, Results], tmp_path: Path) -> None:
    """To the last bit, whether it lies in a part alone or with others."""
    sweep, results = grid
    collected = collect(stored(tmp_path, results, each=each), sweep)
    assert dict(collected.done.sizes) == {"kc.threshold_mV": 2, "long": 2, "seed": 2}
    assert collected.done.values.all()
    for point in sweep:
        at = {"kc.threshold_mV": point.varied["kc.threshold_mV"], "long": point.varied["long"], "seed": str(point.seed)}
        one = collected.sel(at)
        assert_numbers_are_those_of(only_own(one, results[point.id]), results[point.id])
        assert only_own(one, results[point.id]).identical(results[point.id])
    assert load(save(collected, tmp_path / "all.nc")).identical(collected)
    assert summary(one) == summary(results[point.id])
    assert load(save(one, tmp_path / "one.nc")).drop_vars(["done", "long"]).identical(results[point.id])


def test_what_differs_has_just_the_dimensions_along_which_it_differs(
    grid: tuple[Sweep, Results], tmp_path: Path
) -> None:
    """What is the same everywhere has none; what was measured has all."""
    sweep, results = grid
    collected = collect(stored(tmp_path, results), sweep)
    for name, dims in {
        "seed": ("seed",), "larva_seed": ("seed", "larva"), "kc.threshold_mV": ("kc.threshold_mV",), "long": ("long",),
        "parameters": ("kc.threshold_mV",), "design": ("long",), "phase_duration_s": ("long", "phase"),
        "versions": (), "learning_rate_nS": (), "test_odor": ("test_odor",), "phase_reward": ("phase",),
        "run_id": ("kc.threshold_mV", "long", "seed"),
        "preference_index": ("kc.threshold_mV", "long", "seed", "larva", "test", "test_odor"),
    }.items():  # fmt: skip
        assert collected[name].dims == dims, name


def test_points_that_are_not_done_are_absent(grid: tuple[Sweep, Results], tmp_path: Path) -> None:
    """They are nan, and said not to be done; the others are as they are, and come as soon as they are there."""
    sweep, results = grid
    store = stored(tmp_path, {point.id: results[point.id] for point in sweep[1:]})
    collected = collect(tmp_path, sweep)
    first = dict.fromkeys(collected.done.dims, 0)
    assert (int(collected.done.sum()), bool(collected.isel(first).done)) == (7, False)
    assert collected.isel(first).run_id.item() == sweep[0].id
    assert np.isnan(collected.isel(first).preference_index).all()
    last = collected.isel(dict.fromkeys(collected.done.dims, -1))
    assert_numbers_are_those_of(only_own(last, results[sweep[-1].id]), results[sweep[-1].id])
    store.add({sweep[0].id: results[sweep[0].id]})
    assert collect(store, sweep).identical(collect(stored(tmp_path / "whole", results), sweep))


def test_points_that_are_no_grid_lie_along_one_dimension(grid: tuple[Sweep, Results], tmp_path: Path) -> None:
    """Each with what it has on each axis."""
    sweep, results = grid
    some = sweep[:3] + sweep[5:]
    collected = collect(stored(tmp_path, results), some)
    assert dict(collected.done.sizes) == {"run": 6}
    assert collected.long.values.tolist() == [point.varied["long"] for point in some]
    for place, point in enumerate(some):
        assert_numbers_are_those_of(only_own(collected.isel(run=place), results[point.id]), results[point.id])


def test_designs_of_other_tests_phases_and_larvae_lie_beside_each_other(tmp_path: Path) -> None:
    """What the others have is absent; a point alone is summed up and saved as the result that it was."""
    designs = ["A+ 0.02s, ?A 0.01s", "?A 0.01s, 2x(A+ 0.02s, 0.01s), ?A 0.01s, ?A@0.5 0.01s, A 0.01s, ?A 0.01s"]
    sweep = Sweep.grid(design=designs, larvae=[2, 3], seed=1)
    results = computed(sweep)
    collected = collect(stored(tmp_path, results), sweep)
    assert collected.design_given.values.tolist() == designs
    for point in sweep:
        one = collected.sel(design_given=point.varied["design"], larvae=point.larvae)
        own = only_own(without_absent(one), results[point.id])
        assert own.equals(results[point.id])
        rows, expected = summary(one), summary(results[point.id])
        assert [{**row, "interval": None} for row in rows] == [{**row, "interval": None} for row in expected]
        back = load(save(one, tmp_path / f"{point.id}.nc"))
        assert summary(back) == rows
        assert only_own(without_absent(back), results[point.id]).equals(results[point.id])


@pytest.mark.parametrize("before", ["A+ 0.02s, ", ""])
def test_tests_that_are_called_otherwise_at_each_point_share_a_place(before: str, tmp_path: Path) -> None:
    """A dose that is varied in the test makes no column of its own; also where there is no phase before it."""
    sweep = Sweep.grid(design=f"{before}?A@$dose 0.01s", dose=[0.1, 0.3, 1], seed=[1, 2], larvae=2)
    collected = collect(stored(tmp_path, results := computed(sweep)), sweep)
    assert collected.sizes["test_odor"] == 1
    assert collected.test_odor.dims == ("dose", "test_odor")
    for point in sweep:
        one = collected.sel(dose=point.varied["dose"], seed=str(point.seed))
        assert_numbers_are_those_of(only_own(one, results[point.id]), results[point.id])
        assert summary(one)[0]["test_odor"] == results[point.id].test_odor.item()


def test_groups_of_a_design_are_a_dimension(tmp_path: Path) -> None:
    """As is anything else that is varied."""
    sweep = Sweep.grid(design="a: A+ 0.02s, ?A 0.01s; b: A- 0.02s, ?A 0.01s", seed=[1, 2], larvae=1)
    collected = collect(stored(tmp_path, results := computed(sweep)), sweep)
    assert set(collected.done.dims) == {"larva_group", "seed"}
    for point in sweep:
        one = collected.sel(larva_group=point.varied["larva_group"], seed=str(point.seed))
        assert only_own(one, results[point.id]).identical(results[point.id])


@pytest.mark.parametrize("nonsense", [3, "abc", []])
def test_nothing_is_collected_of_nothing(nonsense: Any, grid: tuple[Sweep, Results], tmp_path: Path) -> None:
    """What is no sweep, and a sweep of which no point is there, are refused in one sentence."""
    with pytest.raises(InputError, match="sweep must be a Sweep"):
        collect(tmp_path, nonsense)
    with pytest.raises(InputError, match="must hold a point of the sweep, got none; run the sweep first"):
        collect(tmp_path / "none", grid[0])
    with pytest.raises(InputError, match=r"must be the folder of a sweep, but has no sweep\.json"):
        collect(tmp_path)


def test_the_folder_of_a_sweep_says_what_there_is_to_collect(grid: tuple[Sweep, Results], tmp_path: Path) -> None:
    """Its plan, and where its results are."""
    sweep, results = grid
    store = stored(tmp_path / "shared", results)
    run_sweep(sweep, tmp_path / "own", store=store.folder, show_progress=False)
    assert collect(tmp_path / "own").identical(collect(store, sweep))
    run_sweep(sweep[:2], tmp_path / "new", jobs=1, show_progress=False)
    assert collect(tmp_path / "new").identical(collect(store, sweep[:2]))
