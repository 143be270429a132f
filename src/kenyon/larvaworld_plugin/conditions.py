"""What groups of larvae are trained with in the host, and its controls: five designs, in which A is the trained odor.

The host's own training experiment, PItrain, has no unpaired form, does not count its first trial, and so never comes to
separate its odors for a test. So training here is a schedule of its own, in that experiment's arena: a dish with both
odors on both sides, of which one, the other or none is on, with food everywhere or nowhere.
"""

from collections.abc import Mapping

from kenyon import checks
from kenyon.conditioning.designs import Design
from kenyon.conditioning.spelling import duration
from kenyon.larvaworld_plugin.dish import TICK_S
from kenyon.memory.mushroom_body import HOST_ODORS

CONDITIONS: Mapping[str, str] = {
    "naive": "no training",
    "paired": "odor and food together, then neither",
    "unpaired": "odor without food, then food without odor",
    "differential": "odor and food together, then the other odor without food",
    "mirrored": "the same, but the first odor without food and the other with it",
}

_TRIALS: Mapping[str, str] = {
    "paired": "A+ {phase}, {phase}",
    "unpaired": "A {phase}, + {phase}",
    "differential": "A+ {phase}, B {phase}",
    "mirrored": "A {phase}, B+ {phase}",
}
"""The two phases of a trial of each, odor and food lasting equally long in all of them."""


def design(condition: str, trials: int, phase_min: float = 1.0) -> Design:
    """Return a condition as a design of one group, whose test asks first about the odor that a preference is for.

    That is the odor that came with food, or, if none did, the one that was given.

    Args:
        condition: One of `CONDITIONS`.
        trials: Trials of two phases each.
        phase_min: Duration of a phase, min; in whole ticks of the host.

    Raises:
        InputError: the condition is unknown, or a number unusable.

    Example:
        >>> design("mirrored", 3).text
        'A = pentyl acetate, B = "4,5-dimethylthiazole", + = reward 1: mirrored: 3x(A 60s, B+ 60s) | ?B, ?A'
    """
    condition = checks.one_of("condition", condition, list(CONDITIONS))
    trials = checks.integer("trials", trials, low=1, high=1000)
    phase_min = checks.positive("phase_min", phase_min, high=1e4, unit="min")
    seconds = max(1, round(phase_min * 60 / TICK_S)) / round(1 / TICK_S)
    training = "" if condition == "naive" else f"{trials}x({_TRIALS[condition].format(phase=duration(seconds))}) | "
    test = "?B, ?A" if condition == "mirrored" else "?A, ?B"
    return Design.read(f"{condition}: {training}{test}", bindings={"A": HOST_ODORS["CS"], "B": HOST_ODORS["UCS"]})
