"""It learns, and only what it was taught."""

import numpy as np
import pytest
from scipy import stats

from kenyon.conditioning.balance import assess
from kenyon.mushroom_body import BALANCED, PUBLISHED, Parameters, Population
from kenyon.mushroom_body.odors import odors, similarity
from kenyon.seeds import larva_seeds

CS = "pentyl acetate"


@pytest.mark.long
@pytest.mark.parametrize("us", ["reward", "punishment"])
def test_balanced_meets_every_criterion(us: str) -> None:
    """With the whole 95 % interval of each figure, of thirty larvae; tests/test_search_plans.py looks at the means."""
    findings = assess(BALANCED, larvae=30, reinforcers=[us], show_progress=False)
    assert len(findings) == 10
    assert all(finding.met for finding in findings)


@pytest.mark.filterwarnings("ignore::kenyon.errors.DivergenceWarning")  # see tests/mushroom_body/test_divergence.py
def test_the_criteria_can_fail() -> None:
    """The published set learns more from reward alone than from pairing, and the criteria say so."""
    findings = assess(PUBLISHED, larvae=2, reinforcers=["reward"], show_progress=False)
    failed = {finding.criterion for finding in findings if not finding.met}
    assert "reinforcement-alone, as a share of training" in failed
    assert "unpaired, as a share of training" in failed


@pytest.mark.parametrize(("parameters", "trials"), [(PUBLISHED, 1), (BALANCED, 3)], ids=["published", "balanced"])
def test_odors_that_are_alike_are_learned_alike(parameters: Parameters, trials: int) -> None:
    """Over all 34 odors, learned MBONp - MBONn follows the similarity to the trained one: Spearman at least 0.9.

    The published set gets one trial: without a weight floor, its third drives the weights of all Kenyon cells far below
    zero, dissimilar odors are preferred as well, and the rank correlation falls to about 0.6.
    """
    larvae = Population(parameters, larva_seeds(0, 4))
    for _ in range(trials):
        larvae.stimulate(CS, reward=1.0)
        larvae.advance(60_000)
        larvae.stimulate()
        larvae.advance(60_000)
    learned = []
    for odor in odors():
        probe = larvae.probe(odor.number, 3000)
        learned.append((probe.rate_hz("MBONp") - probe.rate_hz("MBONn")).mean())
    alike = [similarity(CS, odor.number) for odor in odors()]
    assert stats.spearmanr(alike, learned).statistic >= 0.9
    assert np.argmax(learned) in {i for i, cosine in enumerate(alike) if cosine > 0.8}
