"""Codes and prediction errors, held against sums over single larvae and against what learning must do to them."""

import numpy as np
import pytest
import xarray
from scipy.spatial.distance import cosine

from kenyon.conditioning import run
from kenyon.conditioning.measures import overlap, prediction_error, sparseness
from kenyon.errors import InputError
from kenyon.mushroom_body import DEFAULT, Population
from kenyon.mushroom_body.circuit import GROUPS
from kenyon.seeds import larva_seeds


@pytest.fixture(scope="module")
def result() -> xarray.Dataset:
    """Return larvae that were tested with two odors, of which the second once alone."""
    return run("B = 3-octanol: ?A 1s, ?B 1s, A 1s, ?B 1s", larvae=4, seed=2, codes=True, show_progress=False).one


def test_codes_are_those_of_the_population(result: xarray.Dataset) -> None:
    """Spikes of every Kenyon cell; from them the share that fires, Treves' and Rolls' measure, and SciPy's cosine."""
    larvae = Population(DEFAULT, larva_seeds(2, 4))
    a, b = (larvae.probe(odor, 1000).counts[:, GROUPS["KC"]] for odor in ("pentyl acetate", "3-octanol"))
    assert (result.test_kc_spikes.values[:, 0, 0] == a).all()
    assert (result.test_kc_spikes.values[:, 1, 0] == -1).all()
    assert np.allclose(sparseness(result).values[:, 0, 0], (a > 0).mean(axis=1))
    treves_rolls = 1 - a.mean(axis=1) ** 2 / (a**2).mean(axis=1)
    assert np.allclose(sparseness(result, treves_rolls=True).values[:, 0, 0], treves_rolls)
    expected = [1 - cosine(one, other) for one, other in zip(a, b, strict=True)]
    found = overlap(result, "pentyl acetate", "3-octanol").values
    assert np.allclose(found[:, 0], expected)
    for absent in (
        sparseness(result).values[:, 1, 0],
        sparseness(result, treves_rolls=True).values[:, 1, 0],
        found[:, 1],
    ):
        assert np.isnan(absent).all()


def test_what_was_learned_takes_the_dopamine_neuron_its_surprise() -> None:
    """Less with the odor than alone, less after training than before: through the feedback of the output neurons."""
    text = "?A+ 3s, ?+ 3s, ?A 3s, 3x(A+ 60s), ?A+ 3s, ?+ 3s, ?A 3s"
    result = run(text, larvae=4, show_progress=False).one
    tests = prediction_error(result, at="test")
    assert tests.kind.values.tolist() == ["cue and reinforcement", "reinforcement alone", "reinforcement omitted"]
    phases = prediction_error(result)
    assert phases.kind.values.tolist() == ["cue and reinforcement"] * 3
    assert (phases.values == result.phase_rate_hz.sel(group="DANp").values).all()
    assert (tests.values == result.test_rate_hz.sel(group="DANp").values).all()
    with_cue, alone, _ = np.moveaxis(tests.values, 2, 0)
    assert (with_cue[:, 1] < with_cue[:, 0]).all()
    assert (with_cue[:, 1] / alone[:, 1]).mean() < 0.8 * (with_cue[:, 0] / alone[:, 0]).mean()


def test_what_cannot_be_measured_is_refused(result: xarray.Dataset) -> None:
    """In a sentence."""
    with pytest.raises(InputError, match="kept the codes of its tests, got none; run with codes=True"):
        sparseness(run("?A 10ms", larvae=1, show_progress=False).one)
    with pytest.raises(InputError, match="unknown test odor 'anisole'"):
        overlap(result, "anisole", "3-octanol")
    shuffled = run("shuffle(A+ 10ms, 10ms), ?A 10ms", larvae=2, show_progress=False).one
    with pytest.raises(InputError, match="must have met all in one order"):
        prediction_error(shuffled)
