import pickle
from typing import Any

import numpy as np
import pytest
import xarray

from kenyon import conditioning
from kenyon.conditioning import Comparison, Results, compare, interval, paradigm, run, summary
from kenyon.errors import InputError
from tests.conditioning.runs import tiny

NAIVE = np.array([0.05, -0.1, 0.0, 0.1, -0.05, 0.02, -0.02, 0.08, -0.04, 0.06])
TRAINED = NAIVE + np.array([0.5, 0.6, 0.4, 0.55, 0.45, 0.7, 0.51, 0.52, 0.61, 0.44])
HALF = NAIVE + 0.25 + 0.01 * np.arange(10)
GROUPS = {"trained": TRAINED, "half": HALF, "naive": NAIVE}


def of(comparison: Comparison, first: str, second: str) -> Any:
    """Return the difference of two groups."""
    return next(own for own in comparison.differences if (own.first, own.second) == (first, second))


def test_differences_of_the_same_larvae_are_known_better() -> None:
    """Larvae differ more than the groups: pairs say so, and the unit and what was done stand in the result."""
    pairs, others = compare(GROUPS, control="naive", paired=True), compare(GROUPS, control="naive")
    for compared in (pairs, others):
        assert [(own.first, own.second) for own in compared.differences] == [("trained", "naive"), ("half", "naive")]
        assert of(compared, "trained", "naive").difference == pytest.approx(0.528)
        assert [own.n for own in compared.means] == [10] * 3
        assert compared.means[0].interval == pytest.approx(tuple(interval(TRAINED)))
    assert (pairs.paired, others.paired, pairs.unit) == (True, False, "larva")
    assert (of(pairs, "half", "naive").n, of(others, "half", "naive").n) == ((10,), (10, 10))
    width = [np.diff(of(own, "half", "naive").interval)[0] for own in (pairs, others)]
    assert width[0] < width[1] / 2
    assert of(pairs, "trained", "naive").interval == pytest.approx(tuple(interval(TRAINED - NAIVE)))
    assert of(pairs, "trained", "naive").p == 2 * 2 / 2**10  # of all signs two are as extreme; the other is as small


def test_effects_are_shares_of_training() -> None:
    """With bounds; absent where training does nothing that there could be a share of."""
    compared = compare(GROUPS, control="naive", trained="trained", paired=True)
    half = of(compared, "half", "naive")
    assert half.share == pytest.approx((HALF - NAIVE).mean() / (TRAINED - NAIVE).mean())
    assert half.share_interval[0] < half.share < half.share_interval[1]
    assert of(compared, "trained", "naive").share_interval == (1.0, 1.0)
    assert compared.training == ("trained", "naive")
    nothing = compare({"trained": NAIVE, "half": HALF, "naive": NAIVE}, control="naive", trained="trained", paired=True)
    assert np.isnan(of(nothing, "half", "naive").share)


def test_no_effect_is_said_only_where_it_was_tested() -> None:
    """A large p is no proof; two one-sided tests are."""
    alike = {"a": NAIVE, "b": NAIVE + 0.01 * np.resize([1, -1], 10)}
    assert "does not clearly differ" in str(compare(alike, paired=True))
    assert "lies within" not in str(compare(alike, paired=True))
    tested = compare(alike, paired=True, margin=0.1)
    assert tested.differences[0].equivalence_p < 0.001
    assert "it lies within 0.1 of 0 (two one-sided t tests, p < 0.0001)" in str(tested)
    assert "cannot be said to lie within 0.005 of 0" in str(compare(alike, paired=True, margin=0.005))


def test_a_group_alone_is_held_against_none() -> None:
    """Has it learned at all."""
    compared = compare({"trained": TRAINED}, margin=0.1)
    assert (compared.differences[0].second, compared.differences[0].n) == ("0", (10,))
    assert compared.differences[0].interval == pytest.approx(tuple(interval(TRAINED)))
    assert compared.differences[0].p < 0.01


def test_p_is_corrected_for_how_many_there_are() -> None:
    """After Holm, over all pairs where there is no control."""
    every = compare(GROUPS, paired=True)
    assert len(every.differences) == 3
    assert of(every, "trained", "half").p == pytest.approx(3 * 2 / 2**10)
    alone = compare({"trained": TRAINED, "half": HALF}, paired=True)
    assert alone.differences[0].p == pytest.approx(2 / 2**10)


def test_too_few_to_tell_are_said_to_be() -> None:
    """Five pairs have a least p of 0.0625, four and four of 0.029; two comparisons at once need more."""
    few = {name: values[:5] for name, values in GROUPS.items()}
    assert "trained is of too few larvae to be told from naive" in str(compare(few, control="naive", paired=True))
    assert "trained differs from naive" in str(compare({name: few[name][:4] for name in ("trained", "naive")}))
    assert "does not clearly differ" in str(compare({"a": NAIVE, "b": NAIVE[::-1]}))


def test_a_trend_goes_by_the_order_given() -> None:
    """Of a dose, say."""
    doses = {"0.01": NAIVE, "0.1": HALF, "1": TRAINED}
    for paired, test in ((True, "Page's L"), (False, "Kendall's tau")):
        found = compare(doses, trend=True, paired=paired).trend
        assert found is not None
        assert (found.test, found.rises) == (test, True)
        assert found.p < 0.001
    falls = str(compare(dict(reversed(doses.items())), trend=True, paired=True))
    assert "In the order given it falls (Page's L" in falls
    assert compare(doses).trend is None


def test_the_group_is_the_unit_where_it_is_said() -> None:
    """Of [groups, larvae], the mean over larvae counts once."""
    dishes = {"a": np.arange(12.0).reshape(4, 3), "b": np.arange(15.0).reshape(5, 3) + 30}
    compared = compare(dishes, unit="group")
    assert [own.n for own in compared.means] == [4, 5]
    assert compared.differences[0].difference == pytest.approx(5.5 - 37.0)
    assert "the group as the unit" in str(compared)
    with pytest.raises(InputError, match=r"a must have one number a larva, got shape \(4, 3\)"):
        compare(dishes)


def test_absent_values_are_left_out() -> None:
    """Of pairs the whole pair."""
    absent = np.where(np.arange(10) == 3, np.nan, TRAINED)
    compared = compare({"a": absent, "b": NAIVE}, paired=True)
    assert compared.differences[0].n == (9,)
    assert compared.differences[0].difference == pytest.approx(np.delete(TRAINED - NAIVE, 3).mean())
    assert [own.n for own in compared.means] == [9, 10]


def test_it_is_data_and_says_the_same_every_time() -> None:
    """Frozen, equal, picklable; another seed moves the bounds alone."""
    compared = compare(GROUPS, paired=True)
    assert repr(compared) == repr(compare(GROUPS, paired=True)) == repr(pickle.loads(pickle.dumps(compared)))
    other = compare(GROUPS, paired=True, seed=1)
    assert other.means[0].interval != compared.means[0].interval
    assert [own.p for own in other.differences] == [own.p for own in compared.differences]
    with pytest.raises(AttributeError):
        compared.unit = "group"  # type: ignore[misc]


def test_it_reads_as_sentences_and_a_table() -> None:
    """Of two groups: what is compared, the unit, the difference; each group by itself."""
    words = str(compare({"trained": TRAINED, "naive": NAIVE}, paired=True)).splitlines()
    assert words[0] == (
        "value, the larva as the unit, the same larvae in all; 95% intervals by 10,000 resamples, "
        "Wilcoxon signed-rank test."
    )
    assert words[1].startswith("trained differs from naive: +0.528 (+0.4")
    assert words[1].endswith("p = 0.002).")
    assert words[3].split() == ["group", "n", "(larva)", "mean", "95%", "interval"]
    assert words[4].split()[:3] == ["trained", "10", "+0.538"]
    assert "<table" in compare(GROUPS)._repr_html_()


def test_results_are_paired_where_their_larvae_are_the_same() -> None:
    """By their seeds; the last test and the first odor, unless something else is said."""
    groups = {name: tiny({"name": name}) for name in ("paired", "unpaired")}
    compared = compare(groups)
    assert compared.paired
    assert compared.measure == "preference_index"
    for mean, result in zip(compared.means, groups.values(), strict=True):
        last = [row for row in summary(result) if row["test_odor"] == result.test_odor.values[0]][-1]
        assert mean.mean == pytest.approx(last["preference_index"])
        assert mean.interval == pytest.approx(tuple(last["interval"]), nan_ok=True)
    before = compare(groups, test="before", of="preference_index")
    naive = groups["paired"].preference_index.isel(test=0, test_odor=0)
    assert before.means[0].mean == pytest.approx(float(naive.mean()))
    arrays = {name: own.preference_index.isel(test=-1, test_odor=0) for name, own in groups.items()}
    assert compare(arrays).differences == compared.differences
    assert compare({name: Results({name: own}) for name, own in groups.items()}).differences == compared.differences
    assert not compare({**groups, "unpaired": groups["unpaired"].isel(larva=slice(None, None, -1))}).paired


def test_runs_are_groups_where_the_group_is_the_unit() -> None:
    """Larvae of one run, with one seed of all, count once."""
    short = paradigm("paired", trials=1, stimulus_s=0.5, pause_s=0.0, test_s=0.5)
    runs = [run(short, larvae=2, seed=seed, show_progress=False).one for seed in range(3)]
    joined = xarray.concat(runs, "larva", coords="different", compat="equals")
    compared = compare({"paired": joined}, unit="group")
    assert compared.means[0].n == 3
    with pytest.raises(InputError, match="paired must say of which run each larva is"):
        compare({"paired": joined.drop_vars("larva_run_id")}, unit="group")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"groups": [NAIVE]}, "groups must be results, or numbers, by name"),
        ({"groups": {}}, "groups must be 1 to 1000, got none"),
        ({"groups": {"a": [np.nan]}}, "a must have finite numbers"),
        ({"groups": {"a": ["x"]}}, "a must be numbers"),
        ({"control": "other"}, "unknown control 'other'"),
        ({"unit": "dish"}, "unknown unit 'dish'"),
        ({"margin": -1}, "margin must be a finite number of at least 0, got -1"),
        ({"trained": "naive", "control": "naive"}, "trained must be another group than the control"),
        ({"groups": {"a": NAIVE, "b": NAIVE[1:]}, "paired": True}, "paired groups must have as many units each, got a"),
        ({"groups": {"a": NAIVE, "b": NAIVE}, "trend": True}, "a trend must be over three or more groups"),
    ],
)  # fmt: skip
def test_nonsense_is_refused(changes: dict[str, Any], sentence: str) -> None:
    """In one sentence."""
    with pytest.raises(InputError) as refused:
        compare(**{"groups": GROUPS, **changes})
    assert str(refused.value).startswith(sentence)


def test_what_results_have_not_is_named() -> None:
    """Another variable, test or odor."""
    result = {"a": tiny({"name": "paired"})}
    for changes, sentence in (
        ({"of": "preference"}, "unknown variable 'preference'; did you mean 'preference_index'"),
        ({"test": "afterward"}, "unknown test of a 'afterward'"),
        ({"test": 9}, "place of a test must be an integer"),
        ({"odor": "anisol"}, "unknown odor tested in a 'anisol'"),
        ({"of": "phase_rate_hz"}, "phase_rate_hz of a must be one number a larva, got larva, phase, group"),
    ):
        with pytest.raises(InputError, match=sentence):
            compare(result, **changes)
    assert conditioning.compare is compare
