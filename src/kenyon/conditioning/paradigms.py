"""Conditioning paradigms as data: what a larva smells and meets, for how long, in which order.

A paradigm is a sequence of trials, a trial a sequence of phases; after each trial the larvae are tested. The names are
those of the field: CS is the conditioned stimulus (the odor), US the unconditioned one (reward or punishment).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeVar

from kenyon import checks
from kenyon.conditioning.phases import LONGEST_S, REINFORCERS
from kenyon.errors import InputError
from kenyon.mushroom_body.odors import find

MOST_TRIALS: Final = 10_000
MOST_PARTS: Final = 3 * MOST_TRIALS

Part = TypeVar("Part")


@dataclass(frozen=True)
class TrialPhase:
    """A stretch of time under one stimulus; checked when it is made.

    Attributes:
        cs: The odor is there.
        us: The reinforcement is there.
        duration_s: For how long.

    Raises:
        InputError: `cs` or `us` is not True or False, or the duration is not above 0.

    Example:
        >>> TrialPhase(cs=True, us=False, duration_s=60)
        TrialPhase(cs=True, us=False, duration_s=60.0)
    """

    cs: bool
    us: bool
    duration_s: float

    def __post_init__(self) -> None:
        """Check each value alone."""
        fix = partial(object.__setattr__, self)
        fix("cs", checks.boolean("cs of a phase", self.cs))
        fix("us", checks.boolean("us of a phase", self.us))
        fix("duration_s", checks.positive("duration of a phase", self.duration_s, high=LONGEST_S, unit="s"))


@dataclass(frozen=True)
class Trial:
    """Phases after which the larvae are tested; checked when it is made.

    Attributes:
        label: What it is for, such as "training", "extinction", "retraining" or a word of your own.
        phases: In order, one or more.

    Raises:
        InputError: the label is no text that prints, or there is no phase, or something that is none.
    """

    label: str
    phases: tuple[TrialPhase, ...]

    def __post_init__(self) -> None:
        """Check label and phases."""
        fix = partial(object.__setattr__, self)
        fix("label", checks.label("label of a trial", self.label))
        fix("phases", _parts("phases of a trial", self.phases, TrialPhase))

    @property
    def duration_s(self) -> float:
        """Length of the trial."""
        return sum(phase.duration_s for phase in self.phases)


@dataclass(frozen=True)
class Paradigm:
    """A conditioning experiment as immutable data, checked when it is made; `paradigm` makes the usual ones.

    Attributes:
        name: Which one, a key of `DESCRIPTIONS` or a name of your own; it changes no number.
        cs: The odor, by name or number; its name afterward.
        concentration: Of the odor, above 0; 1.0 is the dilution 1e-04.
        us: "reward" or "punishment".
        strength: Of the reinforcement; 1.0 is the reinforcement_rate_hz of the parameters.
        trials: In order, one or more.

    Raises:
        InputError: a value is unknown, out of range or of the wrong kind.

    Example:
        >>> odor, both = TrialPhase(cs=True, us=False, duration_s=30), TrialPhase(cs=True, us=True, duration_s=30)
        >>> own = Paradigm("odor before both", "anisole", 0.5, "reward", 1.0, [Trial("training", [odor, both])])
        >>> own.duration_s
        60.0
    """

    name: str
    cs: str
    concentration: float
    us: str
    strength: float
    trials: tuple[Trial, ...]

    def __post_init__(self) -> None:
        """Check each value alone."""
        fix = partial(object.__setattr__, self)
        fix("name", checks.label("name of a paradigm", self.name))
        fix("cs", find(self.cs).name)
        fix("concentration", checks.positive("concentration", self.concentration))
        fix("us", checks.one_of("reinforcement", self.us, REINFORCERS))
        fix("strength", checks.number("strength", self.strength, low=0.0))
        fix("trials", _parts("trials of a paradigm", self.trials, Trial))

    @property
    def id(self) -> str:
        """The same words for the same experiment, always.

        Example:
            >>> paradigm("paired", trials=2).id
            'paired/pentyl acetate@1/reward@1/training:CS+US 60s,pause 60s/training:CS+US 60s,pause 60s'
        """
        trials = (f"{trial.label}:" + ",".join(map(_phase_words, trial.phases)) for trial in self.trials)
        stimuli = f"{self.cs}@{_exact(self.concentration)}/{self.us}@{_exact(self.strength)}"
        return "/".join((self.name, stimuli, *trials))

    @property
    def phases(self) -> tuple[TrialPhase, ...]:
        """The phases of all trials, in order."""
        return tuple(phase for trial in self.trials for phase in trial.phases)

    @property
    def duration_s(self) -> float:
        """Length of all trials, without the tests."""
        return sum(trial.duration_s for trial in self.trials)


DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "paired": "odor and reinforcement together, then a pause",
        "unpaired": "odor first, then reinforcement without it",
        "unpaired-reversed": "reinforcement first, then the odor without it",
        "reinforcement-alone": "reinforcement without any odor, then a pause",
        "odor-alone": "odor without reinforcement, then a pause",
        "extinction": "paired training, then as long with odor alone, then paired training again",
        "naive": "neither odor nor reinforcement, for as long",
    }
)


def paradigm(
    name: str = "paired",
    *,
    cs: str | int = "pentyl acetate",
    concentration: float = 1.0,
    us: str = "reward",
    strength: float = 1.0,
    trials: int = 3,
    stimulus_s: float = 60.0,
    pause_s: float = 60.0,
) -> Paradigm:
    """Return a paradigm.

    Args:
        name: One of `DESCRIPTIONS`.
        cs: Odor, by name or number.
        concentration: Of the odor, above 0; 1.0 is the dilution 1e-04.
        us: "reward" or "punishment".
        strength: Of the reinforcement; 1.0 is the reinforcement_rate_hz of the parameters.
        trials: How many training trials.
        stimulus_s: How long odor or reinforcement lasts in each.
        pause_s: How long the pause after them lasts; in the unpaired forms the second stimulus takes its place.

    Raises:
        InputError: a name is unknown or a number out of range.

    Reference:
        Absolute conditioning of larvae: Jürgensen et al. 2024, iScience 27:108640; Neuser et al. 2005.

    Example:
        >>> [phase.us for phase in paradigm("unpaired").trials[0].phases]
        [False, True]
    """
    name = checks.one_of("paradigm", name, list(DESCRIPTIONS))
    us = checks.one_of("reinforcement", us, REINFORCERS)
    trials = checks.integer("trials", trials, low=1, high=MOST_TRIALS)
    stimulus_s = checks.positive("stimulus duration", stimulus_s, unit="s")
    pause_s = checks.number("pause", pause_s, low=0.0, unit="s")
    pause = (TrialPhase(cs=False, us=False, duration_s=pause_s),) if pause_s > 0.0 else ()
    paired = (TrialPhase(cs=True, us=True, duration_s=stimulus_s), *pause)
    odor = TrialPhase(cs=True, us=False, duration_s=stimulus_s)
    reinforcement = TrialPhase(cs=False, us=True, duration_s=stimulus_s)
    phases = {
        "paired": paired,
        "unpaired": (odor, reinforcement),
        "unpaired-reversed": (reinforcement, odor),
        "reinforcement-alone": (reinforcement, *pause),
        "odor-alone": (odor, *pause),
        "extinction": paired,
        "naive": (TrialPhase(cs=False, us=False, duration_s=stimulus_s), *pause),
    }[name]
    sequence = [Trial("training", phases)] * trials
    if name == "extinction":
        sequence += [Trial("extinction", (TrialPhase(cs=True, us=False, duration_s=trials * stimulus_s),))]
        sequence += [Trial("retraining", phases)] * trials
    return Paradigm(
        name=name,
        cs=find(cs).name,
        concentration=concentration,
        us=us,
        strength=strength,
        trials=tuple(sequence),
    )


def _parts(name: str, values: Any, kind: type[Part]) -> tuple[Part, ...]:
    parts = tuple(checks.several(name, values))
    if not 1 <= len(parts) <= MOST_PARTS:
        raise InputError(f"{name} must be 1 to {MOST_PARTS}, got {len(parts) or 'none'}")
    return tuple(checks.instance(f"each of the {name}", part, kind, f"make {kind.__name__}s") for part in parts)


def _phase_words(phase: TrialPhase) -> str:
    stimuli = "+".join(word for word, on in (("CS", phase.cs), ("US", phase.us)) if on)
    return f"{stimuli or 'pause'} {_exact(phase.duration_s)}s"


def _exact(value: float) -> str:
    return repr(value).removesuffix(".0")
