"""What Jürgensen et al. (2024) say of their circuit, as claims; from the abstract, for no figure of the text is known.

Bounds are ours. The published set is the very circuit that they are about; for other sets they are a question.
"""

from functools import partial
from typing import Final

from kenyon.conditioning.claims.answers import Answers, FloatArray
from kenyon.conditioning.claims.claim import Claim, Criterion
from kenyon.conditioning.claims.measures import dopamine_kept, left, less

_SOURCE: Final = "Jürgensen et al. 2024, iScience 27:108640 (abstract)"
_ASKED: Final = "?A+ 4s, 3x(A+ 60s, 60s), ?A+ 4s, ?+ 4s"


def _saved_by_feedback(answers: Answers, group: str) -> FloatArray:
    """Return how much more of the first answer of the dopamine neuron is kept with a feedback cut: [B]."""
    return dopamine_kept(answers, group) - dopamine_kept(answers, "whole")


JURGENSEN_2024: Final = (
    Claim(
        id="J1",
        species="model",
        statement="Dopamine neurons signal reinforcement minus what is expected.",
        source=_SOURCE,
        groups={"whole": _ASKED, "unpaired": "?A+ 4s, 3x(A 60s, + 60s), ?A+ 4s"},
        controls={"unpaired": "odor and reinforcer as often, never together"},
        criteria=(
            Criterion(
                "what they fire to odor and reinforcer after training, as a share of before",
                partial(dopamine_kept, group="whole"),
                at_most=0.9,
                null=1.0,
                unit="share",
            ),
            Criterion("the same after unpaired training", partial(dopamine_kept, group="unpaired"), unit="share"),
        ),
        contradicted_by="An expected reinforcer would be answered as an unexpected one is.",
    ),
    Claim(
        id="J2",
        species="model",
        statement="They do so by feedback of both signs from the output neurons.",
        source=_SOURCE,
        groups={
            "whole": _ASKED,
            "without excitation": f"{{cut {{mbon}}>{{dan}}: {_ASKED}}}",
            "without inhibition": f"{{cut {{ln}}>{{dan}}: {_ASKED}}}",
        },
        controls={"whole": "nothing cut"},
        criteria=(
            Criterion(
                "share kept without excitatory feedback, less that of the whole",
                partial(_saved_by_feedback, group="without excitation"),
                at_least=0.0,
                unit="share",
            ),
            Criterion(
                "share kept without inhibitory feedback, less that of the whole",
                partial(_saved_by_feedback, group="without inhibition"),
                at_least=0.0,
                unit="share",
            ),
        ),
        contradicted_by="Without one of the feedbacks an expected reinforcer would be answered no more than with both.",
    ),
    Claim(
        id="J3",
        species="model",
        statement="Acquisition depends on the intensity of reinforcement.",
        source=_SOURCE,
        groups={
            f"strength {strength}": f"3x(A[{{us}} {strength}] 60s, 60s), ?A 4s" for strength in ("0.5", "1", "1.5")
        },
        criteria=(
            Criterion("1 less 0.5", partial(less, first="strength 1", second="strength 0.5"), at_least=0.0),
            Criterion("1.5 less 1", partial(less, first="strength 1.5", second="strength 1"), at_least=0.0),
        ),
        contradicted_by="A stronger reinforcer would teach no more.",
    ),
    Claim(
        id="J4",
        species="model",
        statement="Acquisition depends on how near in time reinforcement is to the cue.",
        source=_SOURCE,
        groups={
            "at once": "3x(A+ 30s, 90s), ?A 4s",
            "right after": "3x(A 30s, + 30s, 60s), ?A 4s",
            "5 s after": "3x(A 30s, 5s, + 30s, 60s), ?A 4s",
            "30 s after": "3x(A 30s, 30s, + 30s, 60s), ?A 4s",
        },
        controls={"at once": "no time between"},
        criteria=(
            Criterion("at once less right after", partial(less, first="at once", second="right after"), at_least=0.0),
            Criterion(
                "right after less 5 s after", partial(less, first="right after", second="5 s after"), at_least=0.0
            ),
            Criterion("5 s less 30 s after", partial(less, first="5 s after", second="30 s after"), at_least=0.0),
        ),
        contradicted_by="A late reinforcer would teach as much.",
    ),
    Claim(
        id="J5",
        species="model",
        statement="With homeostasis, or what stands in its place, what was learned is lost again.",
        source=_SOURCE,
        groups={
            "with": "3x(A+ 60s, 60s), ?A 4s | A 180s, ?A 4s",
            "without": "{set homeostasis 0, set recovery 0: 3x(A+ 60s, 60s), ?A 4s | A 180s, ?A 4s}",
        },
        controls={"without": "neither homeostasis nor recovery"},
        criteria=(
            Criterion(
                "share that 180 s of the odor take", lambda told: 1.0 - left(told, "with"), at_least=0.1, unit="share"
            ),
            Criterion(
                "the same, less without homeostasis",
                lambda told: left(told, "without") - left(told, "with"),
                at_least=0.1,
                unit="share",
            ),
        ),
        contradicted_by="Nothing would take the memory away, or it would go without homeostasis, too.",
    ),
    Claim(
        id="J6",
        species="model",
        statement="Larvae with the trained circuit show the learned preference in behavior.",
        source=_SOURCE,
        groups={},
        criteria=(),
        contradicted_by="Trained larvae would move as naive ones.",
        not_testable="A circuit alone does not move; a test of preference puts it into larvae of Larvaworld.",
    ),
)
"""The claims."""
