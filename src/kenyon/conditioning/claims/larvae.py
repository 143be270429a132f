"""What is claimed of larvae."""

from typing import Final

import numpy as np

from kenyon.conditioning.claims.answers import Answers, FloatArray
from kenyon.conditioning.claims.claim import Claim, Criterion


def _third_gain(answers: Answers) -> FloatArray:
    gains = np.diff(answers.index("trained")[:, :4], axis=1)
    share: FloatArray = gains[:, 2] / gains.max(axis=1)
    return share


LARVAE: Final = (
    Claim(
        id="L1",
        species="larva",
        statement="Larvae reach their asymptote after about three trials.",
        source="Neuser et al. 2005, Behav. Brain Res. 156:65",
        groups={"trained": "?A 4s | 3x(A+ 60s, 60s, ?A 4s)"},
        criteria=[Criterion("third gain, as a share of the largest", _third_gain, at_most=0.5, null=1.0)],
        contradicted_by="The third trial adds as much as the one that added most.",
        fitted_in=["balanced"],
    ),
    Claim(
        id="L6",
        species="larva",
        statement="Unpaired training ends below the baseline.",
        source="Schleyer et al. 2018, Front. Psychol. 9:1494",
        groups={"odor first": "3x(A 60s, + 60s) | ?A 4s", "reinforcer first": "3x(+ 60s, A 60s) | ?A 4s"},
        criteria=[
            Criterion("odor first", lambda answers: answers.last("odor first"), at_most=-0.02),
            Criterion("reinforcer first", lambda answers: answers.last("reinforcer first"), at_most=-0.02),
        ],
        contradicted_by="An index of zero or above.",
    ),
)
