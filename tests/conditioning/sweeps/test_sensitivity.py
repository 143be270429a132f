"""Sobol indices: of a function of which they are known, and of larvae."""

from collections.abc import Callable
from math import pi
from typing import Any

import numpy as np
import pytest

from kenyon.conditioning.sweeps import Sweep, Uniform, sobol_indices, sobol_sample
from kenyon.errors import InputError

pytest.importorskip("SALib", reason="needs SALib, which comes with the extra sweep")

RANGES = {"kc.threshold_mV": Uniform(-36, -35), "learning_rate_nS": Uniform(0, 1), "dose": Uniform(0, 1)}


def test_indices_of_ishigamis_function() -> None:
    """As Ishigami and Homma 1990 have them in closed form, for a = 7 and b = 0.1; intervals hold them."""
    sample = sobol_sample(512, RANGES, design="A@$dose+ 1s, ?A 1s", sample_seed=1)
    at = np.array([list(point.varied.values()) for point in sample])
    x, y, z = (2 * pi * (at - [-36, 0, 0]) - pi).T
    a, b = 7, 0.1
    found = sobol_indices(sample, np.sin(x) + a * np.sin(y) ** 2 + b * z**4 * np.sin(x))
    variance = a**2 / 8 + b * pi**4 / 5 + b**2 * pi**8 / 18 + 1 / 2
    first = np.array([(1 + b * pi**4 / 5) ** 2 / 2, a**2 / 8, 0]) / variance
    both = 8 * b**2 * pi**8 / 225 / variance
    known = {"first_order": first, "total": first + np.array([both, 0, both])}
    assert found.axis.values.tolist() == list(RANGES)
    for name, shares in known.items():
        assert found[name].values == pytest.approx(shares, abs=0.04)
        low, high = found[f"{name}_interval"].values.T
        assert ((low <= shares) & (shares <= high)).all()


def test_what_matters_to_larvae() -> None:
    """Preference after a training depends on the learning rate, and not on what is smelled after the test."""
    axes = {"learning_rate_nS": Uniform(0.05, 1), "later": Uniform(0, 1)}
    sample = sobol_sample(8, axes, design="A+ 3s, ?A 1s, A@$later 1s", larvae=2)
    found = sobol_indices(sample, [float(point.compute().preference_index.mean()) for point in sample])
    rate, later = found.total.values
    assert rate > 0.5
    assert later == 0.0


def test_the_same_seed_is_the_same_sample() -> None:
    """And another another; the seeds of intervals move nothing else."""
    first, again, other = (sobol_sample(4, RANGES, design="?A@$dose", sample_seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    values = [point.varied["dose"] for point in first]
    one, two = (sobol_indices(first, values, seed=seed) for seed in (1, 2))
    assert one.total.equals(two.total)
    assert not one.total_interval.equals(two.total_interval)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda sample: sobol_indices(sample[1:], [0.0] * 19), "sample must be as sobol_sample made it"),
        (lambda sample: sobol_indices(Sweep([*sample][::-1]), range(20)), "sample must be as sobol_sample made it"),
        (lambda _: sobol_indices(Sweep.grid(design="?A"), [1.0]), "sample must be as sobol_sample made it"),
        (lambda sample: sobol_indices(sample, [*range(19), np.nan]), "1 of 20 absent; run the sweep"),
        (lambda sample: sobol_indices(sample, [1.0] * 20), "values must differ among points"),
        (lambda sample: sobol_indices(sample, [1.0]), "one for each of 20 points"),
        (lambda _: sobol_sample(3, RANGES, design="?A@$dose"), "base must be a power of two, got 3; take 4"),
        (lambda _: sobol_sample(2**20, RANGES, design="?A@$dose"), "at most 1,000,000 points, got 5,242,880"),
        (lambda _: sobol_sample(4, {"dose": Uniform(0, 1)}, design="?A@$dose"), "two ranges or more, got 1"),
        (lambda _: sobol_sample(4, RANGES, design="a: ?A@$dose; b: ?A"), "design of one group"),
    ],
)  # fmt: skip
def test_nonsense_is_refused(call: Callable[[Sweep], Any], sentence: str) -> None:
    """In a sentence."""
    sample = sobol_sample(4, RANGES, design="?A@$dose")
    with pytest.raises(InputError, match=sentence):
        call(sample)
