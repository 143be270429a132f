import numpy as np
import pytest
from scipy import stats

from kenyon.conditioning import interval
from kenyon.mushroom_body import preference_index


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


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    """95 % of the time, a little less for small samples, as is known of the percentile bootstrap."""
    rng = np.random.default_rng(0)
    bounds = interval(rng.normal(size=(30, 1000)))
    share = ((bounds[:, 0] < 0) & (bounds[:, 1] > 0)).mean()
    assert 0.91 < share < 0.96


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
