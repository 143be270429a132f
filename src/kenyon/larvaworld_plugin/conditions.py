"""What groups of larvae are trained with in the host, and which odor is then the trained one.

The host's own training experiment, PItrain, has no unpaired form, does not count its first trial, and so never comes to
separate its odors for a test. So training here is a schedule of its own, in that experiment's arena: a dish with both
odors on both sides, of which one, the other or none is on, with food everywhere or nowhere.
"""

from collections.abc import Mapping

from kenyon import checks
from kenyon.conditioning.phases import Phase
from kenyon.memory.mushroom_body import HOST_ODORS

CONDITIONS: Mapping[str, str] = {
    "naive": "no training",
    "paired": "odor and food together, then neither",
    "unpaired": "odor without food, then food without odor",
    "differential": "odor and food together, then the other odor without food",
    "mirrored": "the same, but the first odor without food and the other with it",
}

ODORS = ("CS", "UCS")
"""Names of the host's two odors: in the test the first is on the left, the second on the right."""


def phases(condition: str, odor: str, trials: int, phase_min: float = 1.0) -> list[Phase]:
    """Return what larvae are given, phase by phase; odor and food last equally long in every training.

    An odor of the host is here what it stands for where nothing else is said, `HOST_ODORS`. Food is a reward; what it
    is to a memory, its own options say.

    Args:
        condition: One of `CONDITIONS`.
        odor: The odor that larvae are given, where they are given two the first; one of `ODORS`.
        trials: Trials of two phases each.
        phase_min: Duration of a phase, min.

    Raises:
        InputError: condition or odor is unknown.

    Example:
        >>> for phase in phases("mirrored", "CS", 1):
        ...     print(dict(phase.odors), phase.reward, phase.duration_s)
        {'pentyl acetate': 1.0} 0.0 60.0
        {'4,5-dimethylthiazole': 1.0} 1.0 60.0
    """
    first, second = HOST_ODORS[checks.one_of("odor", odor, ODORS)], HOST_ODORS[other(odor)]
    seconds = phase_min * 60
    trial = {
        "naive": [],
        "paired": [Phase(seconds, first, reward=1.0), Phase(seconds)],
        "unpaired": [Phase(seconds, first), Phase(seconds, reward=1.0)],
        "differential": [Phase(seconds, first, reward=1.0), Phase(seconds, second)],
        "mirrored": [Phase(seconds, first), Phase(seconds, second, reward=1.0)],
    }
    return trial[checks.one_of("condition", condition, list(CONDITIONS))] * trials


def other(odor: str) -> str:
    """Return the other one of the host's two odors.

    Raises:
        InputError: there is no such odor.

    Example:
        >>> other("CS")
        'UCS'
    """
    return ODORS[1 - ODORS.index(checks.one_of("odor", odor, ODORS))]


def trained(condition: str, odor: str) -> str:
    """Return the odor that a preference is for: the one that came with food, or, if none did, the one that was given.

    Args:
        condition: One of `CONDITIONS`.
        odor: As for `phases`.

    Raises:
        InputError: condition or odor is unknown.

    Example:
        >>> trained("differential", "CS"), trained("mirrored", "CS")
        ('CS', 'UCS')
    """
    mirrored = checks.one_of("condition", condition, list(CONDITIONS)) == "mirrored"
    return other(odor) if mirrored else checks.one_of("odor", odor, ODORS)
