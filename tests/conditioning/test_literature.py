"""The claims of the literature as they are written down: each can be asked, and each figure is what it says."""

import re
from dataclasses import replace

import numpy as np
import pytest

from kenyon.conditioning import Design, run
from kenyon.conditioning.claims import ADULTS, JURGENSEN_2024, LARVAE, Answers, Claim, judge
from kenyon.conditioning.claims.measures import reciprocal
from kenyon.mushroom_body import BALANCED

_S = re.compile(r"\b([0-9]+)(s|min)\b")


def _brief(claim: Claim) -> Claim:
    """Return a claim all of whose durations are a hundredth of what they are."""
    ms = {"s": 10, "min": 600}
    groups = {
        name: _S.sub(lambda found: f"{int(found[1]) * ms[found[2]]}ms", text) for name, text in claim.groups.items()
    }
    return replace(claim, groups=groups)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # Shares of nothing, for next to nothing was taught.
@pytest.mark.parametrize("claims", [LARVAE, ADULTS, JURGENSEN_2024], ids=["larvae", "adults", "jurgensen2024"])
def test_every_figure_of_every_claim_is_a_number_a_larva(claims: tuple[Claim, ...]) -> None:
    """Whatever becomes of the claim."""
    brief = [_brief(claim) for claim in claims]
    judged = judge(brief, BALANCED, reinforcers=["punishment"], larvae=2, show_progress=False)
    for verdict in judged.verdicts:
        assert len(verdict.measured) == len(verdict.claim.criteria)
        for measured in verdict.measured:
            assert measured.values.shape == (1, 2)
        assert verdict.claim.criteria or verdict.word == "not testable"


def test_a_reciprocal_index_is_half_of_what_two_groups_prefer_apart() -> None:
    """Of the rates of the output neurons, by hand."""
    texts = {"first": "A+ 4s, B 4s, ?A 1s, ?B 1s", "mirrored": "B+ 4s, A 4s, ?A 1s, ?B 1s"}
    designs = {name: Design.read(f"B = anisole: {text}") for name, text in texts.items()}
    results = {name: run(own, larvae=3, show_progress=False).one for name, own in designs.items()}
    rates = {name: own.test_rate_hz.sel(group=["MBONp", "MBONn"]).values[:, 0] for name, own in results.items()}
    index = {name: (own[..., 0] - own[..., 1]) / own.sum(axis=-1) for name, own in rates.items()}
    by_hand = ((index["first"] - index["mirrored"]) @ [1, -1]) / 2
    for us, sign in (("reward", 1), ("punishment", -1)):
        found = reciprocal(Answers(designs, results, us), "first", "mirrored")
        np.testing.assert_allclose(found, sign * by_hand)
