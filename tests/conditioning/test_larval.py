"""What `larval` does because of its rules: it must be gone where the rule is, or the labels mean nothing."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kenyon.conditioning import run
from kenyon.conditioning.statistics import interval
from kenyon.mushroom_body import LARVAL, Parameters

_SEED = 7


def _index(text: str, parameters: Parameters = LARVAL, *, larvae: int = 3) -> NDArray[np.float64]:
    """Return what larvae of a group answered: [B, tests, odors]."""
    told = run(text, larvae=larvae, seed=_SEED, parameters=parameters, show_progress=False).one
    return np.asarray(told.preference_index.values)


def test_another_odor_erases_only_where_recovery_is_not_gated() -> None:
    """Recovery of eligible synapses keeps a memory through another odor; homeostasis of all synapses does not."""
    text = 'B = "4,5-dimethylthiazole": A+ 30s, ?A 2s, B 60s, ?A 2s'
    gated, ungated = (_index(text, own)[..., 0] for own in (LARVAL, LARVAL.replace(recovery=0, homeostasis=1e-4)))
    assert (gated[:, 1] / gated[:, 0]).mean() > 0.85
    assert (ungated[:, 1] / ungated[:, 0]).mean() < 0.7


def test_unpaired_training_ends_below_zero_only_with_potentiation() -> None:
    """With either reinforcer, whose sign counts."""
    for us, sign in (("reward", 1.0), ("punishment", -1.0)):
        text = f"2x(A 30s, [{us} 1] 30s), ?A 2s"
        with_it, without = (sign * _index(text, own)[:, -1, 0] for own in (LARVAL, LARVAL.replace(potentiation=0)))
        assert interval(with_it)[1] < 0.0
        assert without.mean() > 0.0


def test_labels_that_are_permuted_over_larvae_show_no_learning() -> None:
    """The reciprocal index lies above 0, and around 0 where half of the larvae have the labels of the others."""
    trained = 'B = "4,5-dimethylthiazole": {}+ 30s, {} 30s, ?A 2s, ?B 2s'
    first, mirrored = (
        np.subtract(*_index(trained.format(*odors), larvae=6)[:, 0].T) for odors in (("A", "B"), ("B", "A"))
    )
    index = (first - mirrored) / 2.0
    assert interval(index)[0] > 0.1
    for exchanged in combinations(range(6), 3):
        signs = np.where(np.isin(range(6), exchanged), -1.0, 1.0)
        low, high = interval(signs * index)
        assert low < 0.0 < high
