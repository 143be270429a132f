"""What adult flies do, as claims: kept apart from those about larvae, for a circuit of larvae owes them nothing.

Bounds are ours except where a data file is named. A is the odor that is trained, B one unlike it.
"""

from functools import partial
from typing import Final

from kenyon.conditioning.claims.answers import Answers, FloatArray
from kenyon.conditioning.claims.claim import Claim, Criterion
from kenyon.conditioning.claims.measures import last, left, less

_THREE: Final = "3x(A+ 60s, 60s), ?A 4s"


def _regained(answers: Answers) -> FloatArray:
    """Return what a rest brings back of what exposure took, as a share of training: [B]."""
    trained, exposed, rested = answers.index("rested").T
    share: FloatArray = (rested - exposed) / trained
    return share


ADULTS: Final = (
    Claim(
        id="A1",
        species="adult",
        statement="Meeting the trained odor again extinguishes what was learned, meeting another does not.",
        source="Felsenberg et al. 2017, Nature 544:240, and 2018, Cell 175:709; data in "
        "BrainsOnBoard/paper_RPEs_in_drosophila_mb, source_data_2.xlsx",
        groups={
            "trained odor": f"{_THREE} | A 180s, ?A 4s",
            "other odor": f"{_THREE} | B 180s, ?A 4s",
            "rest": f"{_THREE} | 180s, ?A 4s",
        },
        controls={"rest": "what time does"},
        criteria=(
            Criterion(
                "share that 180 s of the trained odor take",
                lambda told: 1.0 - left(told, "trained odor"),
                at_least=1 / 3,
                unit="share",
            ),
            Criterion(
                "share that 180 s of another odor take",
                lambda told: 1.0 - left(told, "other odor"),
                at_most=0.15,
                mean_at_most=0.1,
                null=1.0,
                unit="share",
            ),
        ),
        contradicted_by="Another odor would take the memory away, too.",
        fitted_in=("larval",),
    ),
    Claim(
        id="A2",
        species="adult",
        statement="Odor before dopamine depresses synapses of Kenyon cells, odor after it potentiates them.",
        source="Handler et al. 2019, Cell 178:60; data in InsectRobotics/IncentiveCircuit",
        groups={
            "dopamine 6 s before": "20x({drive {dan} 250pA: 1s}, 5s, A 1s, 20s) | ?A 4s",
            "dopamine 1.2 s before": "20x({drive {dan} 250pA: 1s}, 200ms, A 1s, 20s) | ?A 4s",
            "at once": "20x({drive {dan} 250pA: A 1s}, 20s) | ?A 4s",
            "dopamine right after": "20x(A 1s, {drive {dan} 250pA: 1s}, 20s) | ?A 4s",
        },
        controls={"at once": "no order"},
        criteria=(
            Criterion("dopamine 1.2 s before", partial(last, group="dopamine 1.2 s before"), at_most=0.0),
            Criterion("at once", partial(last, group="at once"), at_least=0.0),
            Criterion("dopamine right after", partial(last, group="dopamine right after"), at_least=0.0),
            Criterion(
                "1.2 s less 6 s before",
                partial(less, first="dopamine 1.2 s before", second="dopamine 6 s before"),
                at_most=0.0,
            ),
        ),
        contradicted_by="Both orders would give memories of one sign.",
    ),
    Claim(
        id="A3",
        species="adult",
        statement="What was extinguished comes back by itself, as the opposite memory that extinction wrote decays.",
        source="Felsenberg et al. 2018, Cell 175:709",
        groups={"rested": f"{_THREE} | 3x(A 60s, 60s), ?A 4s | 30min | ?A 4s"},
        criteria=(
            Criterion("share of training that half an hour brings back", _regained, at_least=0.05, unit="share"),
        ),
        contradicted_by="Nothing would come back.",
    ),
    Claim(
        id="A4",
        species="adult",
        statement="A familiar odor is learned less.",
        source="",
        groups={"familiar": "6x(A 60s, 60s) | 3x(A+ 60s, 60s) | ?A 4s", "unknown": "12min | 3x(A+ 60s, 60s) | ?A 4s"},
        controls={"unknown": "nothing met before"},
        criteria=(
            Criterion("familiar less unknown", partial(less, first="familiar", second="unknown"), at_most=-0.02),
        ),
        contradicted_by="A familiar odor would be learned as well.",
    ),
    Claim(
        id="A5",
        species="adult",
        statement="An odor gains value from another that has it.",
        source="Tabone & de Belle 2011, Learn. Mem. 18:250 (shock); Yamada et al. 2023 (reward)",
        groups={
            "in order": "3x(A+ 60s, 60s) | 3x(B 30s, A 30s, 60s) | ?B 4s",
            "apart": "3x(A+ 60s, 60s) | 3x(B 30s, 60s, A 30s) | ?B 4s",
        },
        controls={"apart": "the odors not one right after the other"},
        criteria=(
            Criterion(
                "B in order less apart", partial(less, first="in order", second="apart", test="B"), at_least=0.02
            ),
        ),
        contradicted_by="The odor would gain nothing.",
    ),
    Claim(
        id="A6",
        species="adult",
        statement="Visual learning shows no blocking.",
        source="Brembs & Heisenberg 2001, J. Exp. Biol. 204:2849",
        groups={},
        criteria=(),
        contradicted_by="A cue would be learned less beside one that is known.",
        not_testable="The circuit sees nothing; blocking by odors is measured as L17.",
    ),
)
"""The claims."""
