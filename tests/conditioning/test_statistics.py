import itertools

import numpy as np
import pytest
from scipy import stats

from kenyon.conditioning.statistics import difference_p, equivalence_p, holm, interval, means, middle, trend
from kenyon.errors import InputError
from kenyon.mushroom_body import preference_index

SLEEP = (
    np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]),
    np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]),
)
"""Student 1908, Biometrika 6:1: hours of sleep that ten patients gained by each of two drugs."""

PIECES = [
    np.array([40.0, 35.0, 38.0, 43.0, 44.0, 41.0]),
    np.array([38.0, 40.0, 47.0, 44.0, 40.0, 42.0]),
    np.array([48.0, 40.0, 45.0, 43.0, 46.0, 44.0]),
]
"""Hundman 1951, in Hollander & Wolfe 1999, Nonparametric Statistical Methods, table 6.6: pieces done by 18 workers."""


def test_the_index_runs_from_avoidance_to_approach() -> None:
    """0 where both are silent, nan where a rate is absent."""
    given = preference_index([10, 0, 30, 0, np.nan], [0, 10, 10, 0, 1])
    assert np.array_equal(given, [1.0, -1.0, 0.5, 0.0, np.nan], equal_nan=True)


def test_the_interval_is_that_of_scipy() -> None:
    """The percentile bootstrap of the mean, against an implementation that is not ours."""
    values = np.random.default_rng(1).gamma(2.0, 1.0, size=(25, 2))
    expected = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=2).confidence_interval
    given = interval(values, seed=3)
    assert given.shape == (2, 2)
    assert given[:, 0] == pytest.approx(expected.low, abs=0.03)
    assert given[:, 1] == pytest.approx(expected.high, abs=0.03)


@pytest.mark.parametrize("paired", [True, False])
def test_the_interval_of_a_difference_is_that_of_scipy(paired: bool) -> None:
    """Of the same larvae, drawn together, and of others, each drawn for itself."""
    rng = np.random.default_rng(4)
    first = rng.normal(size=25)
    second = first + rng.normal(0.5, 0.3, size=25) if paired else rng.normal(0.5, 2.0, size=40)

    def difference(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:  # type: ignore[type-arg]  # SciPy's way
        of_means: np.ndarray = a.mean(axis) - b.mean(axis)  # type: ignore[type-arg]
        return of_means

    expected = stats.bootstrap(
        (first, second), difference, method="percentile", n_resamples=20_000, paired=paired, rng=2
    ).confidence_interval
    sampled = means([first, second], paired=paired, seed=1)
    assert middle(sampled[:, 0] - sampled[:, 1], 0.95) == pytest.approx([expected.low, expected.high], abs=0.04)


@pytest.mark.parametrize("repeats", [1000, pytest.param(20_000, marks=pytest.mark.long)])
def test_the_interval_covers_the_mean_as_often_as_it_says(repeats: int) -> None:
    """95 % of the time, a little less for small samples, as is known of the percentile bootstrap."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(repeats // 1000):
        bounds = interval(rng.normal(size=(30, 1000)))
        covered += int(((bounds[:, 0] < 0) & (bounds[:, 1] > 0)).sum())
    assert 0.91 < covered / repeats < 0.96


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("repeats", [30, pytest.param(2000, marks=pytest.mark.long)])
def test_the_interval_of_a_difference_covers_it_as_often_as_it_says(repeats: int, paired: bool) -> None:
    """Within what 30 or 2,000 draws tell; larvae differ far more than what was done to them."""
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(repeats):
        own = rng.normal(scale=3.0, size=25)
        first, second = (
            own + 1.0 + rng.normal(size=25),
            (own if paired else rng.normal(size=35)) + rng.normal(size=len(own) if paired else 35),
        )
        sampled = means([first, second], paired=paired, seed=0)
        low, high = middle(sampled[:, 0] - sampled[:, 1], 0.95)
        covered += low < 1.0 < high
    assert stats.binomtest(covered, repeats, 0.935).pvalue > 1e-3


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("repeats", [100, pytest.param(10_000, marks=pytest.mark.long)])
def test_tests_are_wrong_as_seldom_as_they_say(repeats: int, paired: bool) -> None:
    """In 5 % where there is no difference; and where it is as large as the margin, it is called none in 5 %."""
    rng = np.random.default_rng(3)
    effects = equal = 0
    for _ in range(repeats):
        first, second = rng.normal(size=20), rng.normal(scale=1.0, size=20)
        effects += difference_p(first, second, paired=paired) < 0.05
        equal += equivalence_p(first + 0.8, second, 0.8, paired=paired) < 0.05
    for wrong in (effects, equal):
        assert stats.binomtest(wrong, repeats, 0.05).pvalue > 1e-3


def test_ranks_of_a_published_example() -> None:
    """Student's sleep data: the values of R's wilcox.test; of pairs that of pingouin, for R has none where some tie."""
    assert difference_p(*SLEEP, paired=False) == pytest.approx(0.06933, abs=1e-5)
    assert difference_p(*SLEEP, paired=True) == pytest.approx(0.003906, abs=1e-6)
    often = np.tile(np.round(SLEEP[0] - SLEEP[1], 6), 2)  # 18 that differ, all downward and each there twice
    tied = [2, 2, 2, 4, 2, 2, 2, 2]  # How often each size comes; the normal distribution, as in any textbook.
    variance = 18 * 19 * 37 / 24 - sum(t**3 - t for t in tied) / 48
    expected = 2 * stats.norm.sf(18 * 19 / 4 / np.sqrt(variance))
    assert difference_p(often, np.zeros(20), paired=True) == pytest.approx(expected)


def test_signed_ranks_are_counted_out_where_there_are_few() -> None:
    """Against all 2**8 signs of eight differences, one by one."""
    given = np.array([0.3, -0.1, 0.5, 0.7, -0.2, 0.9, 1.1, 0.4])
    ranks = stats.rankdata(abs(given))
    lower = min(ranks[given > 0].sum(), ranks[given < 0].sum())
    sums = [np.dot(ranks, signs) for signs in itertools.product((0, 1), repeat=8)]
    assert difference_p(given, np.zeros(8), paired=True) == pytest.approx(2 * np.mean(np.array(sums) <= lower))


@pytest.mark.parametrize(
    ("first", "margin", "paired", "p"),
    [
        (SLEEP[0], 3.0, True, 0.002655570292658671),
        (SLEEP[0], 2.2, True, 0.07270018543329006),
        (SLEEP[0], 4.0, False, 0.005361624103159107),
        (SLEEP[0][:7], 3.0, False, 0.10537769415280172),
    ],
)
def test_equivalence_is_that_of_statsmodels(first: np.ndarray, margin: float, paired: bool, p: float) -> None:  # type: ignore[type-arg]
    """`ttost_paired` and `ttost_ind(usevar="unequal")` of statsmodels 0.15 on Student's sleep data."""
    assert equivalence_p(first, SLEEP[1], margin, paired=paired) == pytest.approx(p, rel=1e-9)


def test_holm_is_that_of_statsmodels() -> None:
    """`multipletests(method="holm")` of statsmodels 0.15; what is absent counts for nothing."""
    assert holm([0.01, 0.04, 0.03, 0.005, 0.2]) == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.2])
    given = holm([0.01, np.nan, 0.04])
    assert np.array_equal(given, [0.02, np.nan, 0.04], equal_nan=True)
    assert holm([0.7, 0.6]) == [1.0, 1.0]


def test_a_trend_over_other_larvae_is_that_of_a_published_example() -> None:
    """Jonckheere's test, ties taken into account: one-sided p of 0.0207 in Hollander & Wolfe 1999, section 6.2."""
    found = trend(PIECES, paired=False)
    assert found.rises
    assert found.p / 2 == pytest.approx(0.0207, abs=1e-4)
    assert trend(PIECES[::-1], paired=False) == found._replace(statistic=-found.statistic, rises=False)


def test_a_trend_over_the_same_larvae_is_page_s() -> None:
    """Against its definition and every order of the places within each larva, counted one by one."""
    table = np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 3.0], [1.0, 3.0, 2.0], [1.0, 2.0, 3.0]])
    weights = np.array([1, 2, 3])
    found = trend(list(table.T), paired=True)
    assert found.statistic == np.dot(table, weights).sum() == 54
    sums = [0]
    for _ in table:
        sums = [before + np.dot(order, weights) for before in sums for order in itertools.permutations((1, 2, 3))]
    assert found.p == pytest.approx(2 * np.mean(np.array(sums) >= 54))
    assert found.rises
    assert not trend(list(table.T)[::-1], paired=True).rises


def test_one_pair_that_differs_says_nothing() -> None:
    """Either sign of it is as extreme."""
    assert difference_p(np.array([1.0, 1.0, 2.0]), np.ones(3), paired=True) == 1.0


def test_what_has_no_spread_is_known() -> None:
    """No difference is none, without a warning; one larva says nothing."""
    ones = np.ones(5)
    for paired in (True, False):
        assert difference_p(ones, ones, paired=paired) == 1.0
        assert equivalence_p(ones, ones, 0.1, paired=paired) == 0.0
        assert equivalence_p(ones, ones + 1, 0.1, paired=paired) == 1.0
        assert np.isnan(difference_p(ones[:1], ones[:1], paired=paired))
        assert np.isnan(equivalence_p(ones[:1], ones[:1], 0.1, paired=paired))
    assert trend([ones] * 3, paired=False).p == 1.0
    assert trend([ones] * 3, paired=True).p == 1.0
    with pytest.raises(InputError, match="a trend must be over three or more groups of two or more larvae, got 5, 5"):
        trend([ones] * 2, paired=False)


def test_the_interval_depends_on_its_seed_alone() -> None:
    """The global generator is neither read nor moved."""
    values = np.arange(10, dtype=np.float64)
    before = repr(np.random.get_state())  # noqa: NPY002  # the global generator is what is watched
    assert (interval(values, seed=1) == interval(values, seed=1)).all()
    assert (interval(values, seed=1) != interval(values, seed=2)).any()
    assert repr(np.random.get_state()) == before  # noqa: NPY002  # as above


def test_one_larva_has_no_interval() -> None:
    """Absent, not zero."""
    assert np.isnan(interval(np.ones((1, 3)))).all()
