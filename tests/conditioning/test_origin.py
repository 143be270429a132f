"""A result states everything that made it, also after selecting, joining and merging."""

import inspect
import itertools
import random
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import xarray

from kenyon.conditioning import interval, load, paradigm, run, save, summary
from kenyon.conditioning.figures import learning_figure
from kenyon.conditioning.origin import LARVA_RUN_ID, distinct, only, parameters_of
from kenyon.conditioning.results import check
from kenyon.conditioning.variables import SECONDS
from kenyon.errors import MismatchError
from kenyon.mushroom_body import PUBLISHED
from kenyon.mushroom_body.parameters import constants
from tests.conditioning.runs import ARGUMENTS, DESIGNS, other_parameters, same, stated, tiny, varied

Join = Callable[[list[xarray.Dataset]], xarray.Dataset]

FUTURE = "use_new_combine_kwarg_defaults"
"""xarray's announcement that concat and merge will take coordinates from the first, `compat="override"`."""


@pytest.fixture(scope="module")
def runs() -> list[tuple[str, xarray.Dataset]]:
    """Return a run and all those that differ from it in one thing."""
    return list(varied())


@pytest.fixture(autouse=True)
def xarray_may_warn() -> Iterator[None]:
    """Let xarray announce other defaults, as it does at every join; they are tried, too."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)
        yield


def moved(results: list[xarray.Dataset]) -> list[xarray.Dataset]:
    """Return results whose larvae have labels of their own."""
    return [result.assign_coords(larva=result.larva + 1000 * i) for i, result in enumerate(results)]


JOINS: dict[str, Join] = {
    "concat along larva": lambda results: xarray.concat(results, dim="larva"),
    "concat of other larvae": lambda results: xarray.concat(moved(results), dim="larva"),
    "concat of all coordinates": lambda results: xarray.concat(results, dim="larva", coords="all"),
    "concat along a new dimension": lambda results: xarray.concat(results, dim="run"),
    "combine_nested": lambda results: xarray.combine_nested(results, concat_dim="larva"),
    "combine_nested along a new dimension": lambda results: xarray.combine_nested(results, concat_dim="run"),
    "combine_by_coords": lambda results: xarray.merge([xarray.combine_by_coords(moved(results))]),
    "merge": xarray.merge,
    "merge of other larvae": lambda results: xarray.merge(moved(results)),
    "concat and drop what differs in attributes": lambda results: xarray.concat(
        results, dim="larva", combine_attrs="drop_conflicts"
    ),
}


def assert_each_says_its_own(joined: xarray.Dataset, results: list[xarray.Dataset]) -> None:
    """Read what each larva says of its run back, wherever the join has put it."""
    ends = list(itertools.accumulate(result.sizes["larva"] for result in results))
    for number, (end, result) in enumerate(zip(ends, results, strict=True)):
        along_run = "run" in joined.dims
        where = {"run": number, "larva": result.sizes["larva"] - 1 if along_run else end - 1}
        expected = {**stated(result), LARVA_RUN_ID: result.run_id.item(), "larva_seed": result.larva_seed.values[-1]}
        for name, value in expected.items():
            variable = joined[name].variable
            found = variable.values[tuple(where[str(dim)] for dim in variable.dims)]
            assert same(found, value), name


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.long)])
def test_merged_results_claim_a_wrong_origin(every: int, runs: list[tuple[str, xarray.Dataset]]) -> None:
    """Finding 8: seed, parameters, concentration, strength and test duration of each run, all joined in one."""
    fits = [result for _, result in runs if result.sizes["phase"] == runs[0][1].sizes["phase"]]
    assert len(fits) > 70
    fits = fits[:12] + fits[12::every]
    joined = xarray.concat(fits, dim="larva")
    assert_each_says_its_own(joined, fits)
    check(joined)


def test_every_result_says_the_same_things(runs: list[tuple[str, xarray.Dataset]]) -> None:
    """The same coordinates, of the same dimensions and kinds, in every result; and what was varied is among them."""
    design = set(inspect.signature(paradigm).parameters)
    without_number = {"design", "odors", "parameters", "engine", "threads", "listeners", "show_progress"}
    arguments = set(inspect.signature(run).parameters) - without_number
    assert (set(DESIGNS), set(ARGUMENTS)) == (design, arguments)  # A new argument is to be varied here, too.
    base = runs[0][1]
    for name, result in runs:
        seconds = set(SECONDS) if name == "per_second" else set()
        assert set(map(str, result.coords)) - seconds == set(map(str, base.coords)), name
        for coordinate in set(result.coords) - seconds:
            here, there = result.variables[coordinate], base.variables[coordinate]
            assert (here.dims, here.dtype.kind) == (there.dims, there.dtype.kind), (name, coordinate)
        says, said = stated(result), stated(base)
        differs = {own for own in says if not same(says[own], said[own])}
        spelled = {"name": "larva_group", "pn_to_kc": "wiring"}.get(name, name)
        kept = {"weights", "codes", "per_second", "recordings"}
        assert not name or spelled in differs or (name in DESIGNS and "design" in differs) or name in kept, name


def test_whatever_is_varied_changes_the_id(runs: list[tuple[str, xarray.Dataset]]) -> None:
    """Each of them its own."""
    ids = [result.run_id.item() for _, result in runs]
    assert len(set(ids)) == len(ids)
    assert {len(own) for own in ids} == {16}


@pytest.mark.parametrize("future", [False, True], ids=["xarray today", "xarray as announced"])
@pytest.mark.parametrize("how", JOINS)
@pytest.mark.parametrize("pairs", [2, pytest.param(60, marks=pytest.mark.long)])
def test_a_join_keeps_each_run_s_numbers_or_raises(
    how: str, future: bool, pairs: int, runs: list[tuple[str, xarray.Dataset]]
) -> None:
    """Random pairs of runs: each larva's own numbers can be read back, or xarray raises, or the join is refused."""
    known = FUTURE in xarray.get_options()  # type: ignore[no-untyped-call]
    chance = np.random.default_rng(3)
    kept = 0
    for i, j in chance.choice(len(runs), size=(pairs, 2)):
        pair = [runs[i][1], runs[j][1]]
        with xarray.set_options(**{FUTURE: True}) if future and known else nullcontext():  # type: ignore[no-untyped-call]
            try:
                joined = JOINS[how](pair)
            except ValueError:  # which a MergeError is
                continue
        try:
            assert_each_says_its_own(joined, pair)
            kept += 1
        except (AssertionError, KeyError, IndexError):
            if joined.equals(pair[0]):
                continue  # The second was left out whole, which claims nothing.
            with pytest.raises(MismatchError):
                check(joined)
    assert kept > 0 or "merge" in how or (future and known)


@pytest.mark.parametrize("dim", ["larva", "run"])
def test_a_join_that_takes_coordinates_from_the_first_is_found_out(dim: str) -> None:
    """`compat="override"` asks for what would be a lie; the larvae themselves say which run they are of."""
    lie = xarray.concat([tiny(seed=1), tiny(seed=2)], dim=dim, coords="minimal", compat="override")
    assert lie.seed.item() == "1"
    alone = lie if dim == "larva" else lie.isel(run=1)
    for reader in (check, summary, lambda result: learning_figure([result])):
        with pytest.raises(MismatchError, match="every larva must be of the run that the result states"):
            reader(alone)


def test_a_join_in_which_none_gave_way_to_a_number_is_found_out() -> None:
    """Joined by "no_conflicts", larvae of a circuit with weights down to any value would be said to have a floor."""
    floorless, floored = tiny(parameters=PUBLISHED), tiny(parameters=PUBLISHED.replace(weight_floor_nS=5.0))
    lie = xarray.combine_nested([floorless, floored], concat_dim="larva")
    assert lie.weight_floor_nS.item() == 5.0
    with pytest.raises(MismatchError, match="weight_floor_nS of larvae with 'published' must be what these words say"):
        check(lie)
    told = xarray.concat([floorless, floored], dim="larva", coords="different", compat="equals")
    assert check(told) is told


def test_arithmetic_never_claims_the_number_of_one_of_both() -> None:
    """The difference of two runs says what they have in common, and nothing where they differ."""
    one, other = tiny(), tiny(parameters=other_parameters("learning_rate_nS"))
    difference = other.preference_index - one.preference_index
    assert "learning_rate_nS" not in difference.coords
    assert "run_id" not in difference.coords
    assert difference.seed.item() == "0"


def test_an_interval_is_of_the_larvae_that_are_there() -> None:
    """Finding 8: computed when asked, so that the mean lies within it after selecting and joining."""
    long = {"stimulus_s": 2.0, "pause_s": 0.5, "test_s": 0.5}
    one, other = (tiny(long, larvae=6, seed=seed) for seed in (1, 2))
    assert not any("interval" in str(name) for name in [*one.variables])
    for result in (one, one.isel(larva=[1, 4]), xarray.concat([one, other], dim="larva")):
        last = summary(result)[-1]
        values = result.preference_index.values[:, -1, 0]
        assert last["preference_index"] == pytest.approx(values.mean())
        assert last["interval"] == interval(values).tolist()
        assert last["interval"][0] <= last["preference_index"] <= last["interval"][1]
    assert np.isnan(summary(one.isel(larva=[1]))[-1]["interval"]).all()


def test_a_larva_without_a_value_is_left_out_of_the_interval() -> None:
    """Where runs of other tests were joined, some have none."""
    values = np.random.default_rng(0).normal(size=(20, 3))
    some = values.copy()
    some[10:, 1] = np.nan
    some[1:, 2] = np.nan
    assert interval(some)[0] == pytest.approx(interval(values)[0])
    assert interval(some)[1] == pytest.approx(interval(values[:10, 1]))
    assert np.isnan(interval(some)[2]).all()


@pytest.mark.parametrize("dim", ["larva", "test", "test_odor"])
def test_whoever_selects_an_axis_away_reads_how_to_keep_it(dim: str) -> None:
    """The very selection that the sentence names is then taken."""
    with pytest.raises(MismatchError) as refusal:
        summary(tiny().isel({dim: 0}))
    (kept,) = re.findall(r"isel\((\w+)=\[0\]\)", str(refusal.value))
    assert kept == dim
    assert summary(tiny().isel({kept: [0]}))


def test_a_summary_of_several_paradigms_is_refused() -> None:
    """In one sentence that says what to do; so are results joined along something else, or cut to a number."""
    joined = xarray.concat([tiny(), tiny({"name": "naive"})], dim="larva")
    with pytest.raises(
        MismatchError, match="one larva_group each, got one with \\['paired', 'naive'\\]; select the larvae"
    ):
        summary(joined)
    rows = [summary(own)[0]["group"] for _, own in joined.groupby("larva_group")]
    assert sorted(rows) == ["naive", "paired"]
    for wrong in (xarray.concat([tiny(), tiny(seed=1)], dim="run"), tiny().isel(larva=0), tiny().mean("larva")):
        with pytest.raises(MismatchError, match="must have the dimensions"):
            summary(wrong)


@pytest.mark.parametrize(
    "design", [{"us": "punishment"}, {"concentration": 0.1}, {"strength": 0.5}, {"stimulus_s": 0.6}]
)
def test_no_mean_is_taken_over_larvae_that_were_given_different_things(design: dict[str, Any]) -> None:
    """Reward and punishment are both "paired"; their mean would be of neither."""
    joined = xarray.concat([tiny(), tiny(design)], dim="larva")
    with pytest.raises(MismatchError, match="one design each"):
        summary(joined)
    assert len([summary(own) for _, own in joined.groupby("design")]) == 2


@pytest.mark.parametrize("name", [None, *random.Random(8).sample(sorted(constants()), 6)])
def test_no_mean_is_taken_over_larvae_of_different_circuits_or_tests(name: str | None) -> None:
    """One constant is enough, and so is a longer test."""
    other = tiny({"test_s": 0.02}) if name is None else tiny(parameters=other_parameters(name))
    with pytest.raises(MismatchError, match=f"one {name or 'design'} each"):
        summary(xarray.concat([tiny(), other], dim="larva", coords="different", compat="equals"))
    assert summary(xarray.concat([tiny(), tiny(seed=1)], dim="larva", coords="different", compat="equals"))


@pytest.mark.parametrize("reader", [check, summary, lambda result: learning_figure([result])])
def test_a_result_without_larvae_is_refused_in_words(reader: Any) -> None:
    """As is one without tests that is to be drawn."""
    with pytest.raises(MismatchError, match="at least one larva, got none"):
        reader(tiny().isel(larva=[]))
    with pytest.raises(MismatchError, match="at least one test"):
        learning_figure([tiny().isel(test=[])])


def test_the_sum_of_two_results_is_no_result() -> None:
    """Of whatever differs it says nothing."""
    total = tiny() + tiny({"us": "punishment"})
    for reader in (summary, lambda result: learning_figure([result])):
        with pytest.raises(MismatchError, match="must state its design, got none"):
            reader(total)


def test_the_constants_can_be_read_back() -> None:
    """All of them, "none" included; not where they differ."""
    for parameters in (
        other_parameters("kc_claws_max"),
        other_parameters("weight_floor_nS").replace(weight_floor_nS=None),
    ):
        assert parameters_of(tiny(parameters=parameters)) == parameters
    joined = xarray.concat([tiny(), tiny(parameters=other_parameters("homeostasis"))], dim="larva")
    assert distinct(joined, "homeostasis") == [1e-4, 5e-5] or len(distinct(joined, "homeostasis")) == 2
    with pytest.raises(MismatchError, match="one homeostasis each"):
        only(joined, "homeostasis")


def test_joined_results_survive_their_file(tmp_path: Any) -> None:
    """With what differs along the larvae, and what does not packed together."""
    parts = [tiny(), tiny({"concentration": 0.2}, seed=4, parameters=other_parameters("kc.rest_mV"))]
    joined = xarray.concat(parts, dim="larva")
    again = load(save(joined, tmp_path / "joined.nc"))
    assert_each_says_its_own(again, parts)
    assert again.equals(joined)
