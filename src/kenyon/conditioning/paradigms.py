"""The usual paradigms of one odor and one reinforcement, as designs, and the ids that they have had from the beginning.

The names are those of the field: CS is the conditioned stimulus (the odor), US the unconditioned one (reward or
punishment).
"""

import re
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from kenyon import checks
from kenyon.conditioning.designs import Design
from kenyon.conditioning.phases import LONGEST_S, PROBE_S, REINFORCERS, Group, Phase, Probe, Stage
from kenyon.errors import InputError
from kenyon.mushroom_body.odors import find
from kenyon.words import shown

MOST_TRIALS: Final = 10_000

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

_TRIALS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "paired": ("CS+US", "pause"),
        "unpaired": ("CS", "US"),
        "unpaired-reversed": ("US", "CS"),
        "reinforcement-alone": ("US", "pause"),
        "odor-alone": ("CS", "pause"),
        "extinction": ("CS+US", "pause"),
        "naive": ("pause", "pause"),
    }
)
"""What there is in the first and in the second part of a trial."""

_PHASE: Final = r"(CS\+US|CS|US|pause) ([0-9.e+-]+)s"
_ODOR: Final = r"(.+)@([0-9.e+-]+)"
_US: Final = r"(reward|punishment)@([0-9.e+-]+)"
_TRIAL: Final = rf"([^:]+):((?:{_PHASE.replace('(', '(?:')})(?:,(?:{_PHASE.replace('(', '(?:')}))*)"


class _Stimuli(NamedTuple):
    """What is trained with."""

    cs: Any
    concentration: float
    us: str
    strength: float

    def phase(self, given: str, duration_s: float) -> Phase:
        """Return a phase of odor, reinforcement, both or none."""
        odors = {self.cs: self.concentration} if "CS" in given else None
        return Phase(duration_s, odors, **({self.us: self.strength} if "US" in given else {}))  # type: ignore[arg-type]  # by name


class _Trial(NamedTuple):
    """A label, and what there is for how long, one phase after the other."""

    label: str
    phases: list[tuple[str, float]]


def paradigm(
    name: str = "paired",
    *,
    cs: Any = "pentyl acetate",
    concentration: float = 1.0,
    us: str = "reward",
    strength: float = 1.0,
    trials: int = 3,
    stimulus_s: float = 60.0,
    pause_s: float = 60.0,
    test_odors: Sequence[Any] = (),
    test_s: float = PROBE_S,
) -> Design:
    """Return a paradigm of one odor: a design of one group, called like it, tested before and after each trial.

    Args:
        name: One of `DESCRIPTIONS`.
        cs: Odor, by name or number, or one of one's own.
        concentration: Of the odor, above 0; 1.0 is the dilution 1e-04.
        us: "reward" or "punishment".
        strength: Of the reinforcement; 1.0 is the reinforcement_rate_hz of the parameters.
        trials: How many training trials.
        stimulus_s: How long odor or reinforcement lasts in each.
        pause_s: How long the pause after them lasts; in the unpaired forms the second stimulus takes its place.
        test_odors: Odors to test besides the trained one, each at concentration 1, as that.
        test_s: How long each test lasts.

    Raises:
        InputError: a name is unknown or a number out of range.

    Reference:
        Absolute conditioning of larvae: Jürgensen et al. 2024, iScience 27:108640; Neuser et al. 2005.

    Example:
        >>> [phase.reward for phase in paradigm("unpaired", trials=1).groups[0].elements[1:3]]
        [0.0, 1.0]
    """
    stimuli, sequence = _checked(name, cs, concentration, us, strength, trials, stimulus_s, pause_s)
    test_s = checks.positive("test duration", test_s, unit="s")
    return _design(name, stimuli, sequence, [cs, *checks.several("test_odors", test_odors)], test_s)


def paradigm_id(
    name: str = "paired",
    *,
    cs: Any = "pentyl acetate",
    concentration: float = 1.0,
    us: str = "reward",
    strength: float = 1.0,
    trials: int = 3,
    stimulus_s: float = 60.0,
    pause_s: float = 60.0,
) -> str:
    """Return the id of a paradigm: the same words for the same training, always; `of_id` reads it.

    Args:
        name: As for `paradigm`.
        cs: As for `paradigm`.
        concentration: As for `paradigm`.
        us: As for `paradigm`.
        strength: As for `paradigm`.
        trials: As for `paradigm`.
        stimulus_s: As for `paradigm`.
        pause_s: As for `paradigm`.

    Raises:
        InputError: as for `paradigm`.

    Example:
        >>> paradigm_id("paired", trials=2)
        'paired/pentyl acetate@1/reward@1/training:CS+US 60s,pause 60s/training:CS+US 60s,pause 60s'
    """
    stimuli, sequence = _checked(name, cs, concentration, us, strength, trials, stimulus_s, pause_s)
    trained = f"{find(stimuli.cs).name}@{_exact(stimuli.concentration)}/{stimuli.us}@{_exact(stimuli.strength)}"
    spelled = (f"{own.label}:" + ",".join(f"{given} {_exact(s)}s" for given, s in own.phases) for own in sequence)
    return "/".join((name, trained, *spelled))


def of_id(text: str, *, test_odors: Sequence[Any] = (), test_s: float = PROBE_S) -> Design:
    """Return the paradigm of an id.

    Args:
        text: As `paradigm_id` gives it.
        test_odors: As for `paradigm`.
        test_s: As for `paradigm`.

    Raises:
        InputError: it is no such id.

    Example:
        >>> of_id(paradigm_id("unpaired", cs="anisole")) == paradigm("unpaired", cs="anisole")
        True
    """
    checks.instance("id of a paradigm", text, str, "pass what paradigm_id gave")
    name, *parts = text.split("/")
    spelled = [
        re.fullmatch(form, part) for form, part in zip((_ODOR, _US, *[_TRIAL] * len(parts)), parts, strict=False)
    ]
    if len(parts) < 3 or not all(spelled):
        raise InputError(f"id of a paradigm must read as {shown(paradigm_id(trials=1))}, got {shown(text)}")
    (cs, dose), (us, strength), *trials = (own.groups() for own in spelled if own)
    stimuli = _stimuli(cs, _number(dose), us, _number(strength))
    sequence = [_Trial(label, [(g, _number(s)) for g, s in re.findall(_PHASE, phases)]) for label, phases in trials]
    return _design(name, stimuli, sequence, [cs, *checks.several("test_odors", test_odors)], test_s)


def _checked(
    name: str, cs: Any, concentration: float, us: str, strength: float, trials: int, stimulus_s: float, pause_s: float
) -> tuple[_Stimuli, list[_Trial]]:
    """Return what is trained with, and how."""
    name, stimuli = checks.one_of("paradigm", name, list(DESCRIPTIONS)), _stimuli(cs, concentration, us, strength)
    trials = checks.integer("trials", trials, low=1, high=MOST_TRIALS)
    stimulus_s = checks.positive("stimulus duration", stimulus_s, high=LONGEST_S, unit="s")
    pause_s = checks.number("pause", pause_s, low=0.0, high=LONGEST_S, unit="s")
    first, second = _TRIALS[name]
    # Where the second part is a stimulus, it lasts as long as the first, whatever the pause.
    then_s = pause_s if second == "pause" else stimulus_s
    phases = [(given, lasts_s) for given, lasts_s in ((first, stimulus_s), (second, then_s)) if lasts_s > 0.0]
    sequence = [_Trial("training", phases)] * trials
    if name == "extinction":
        sequence += [_Trial("extinction", [("CS", trials * stimulus_s)]), *[_Trial("retraining", phases)] * trials]
    return stimuli, sequence


def _stimuli(cs: Any, concentration: float, us: str, strength: float) -> _Stimuli:
    return _Stimuli(
        find(cs),
        checks.positive("concentration", concentration),
        checks.one_of("reinforcement", us, REINFORCERS),
        checks.number("strength", strength, low=0.0),
    )


def _design(name: str, stimuli: _Stimuli, trials: list[_Trial], tested: list[Any], test_s: float) -> Design:
    """Return a design of one group: its trials in stages, one for each label in a row, and tests after each of them."""
    test_s = checks.positive("test duration", test_s, unit="s")
    probes = [Probe({odor: 1.0}, test_s) for odor in dict.fromkeys(map(find, tested))]
    stages: list[tuple[str, list[Phase | Probe]]] = [(trials[0].label, [*probes])]
    for trial in trials:
        if trial.label != stages[-1][0]:
            stages.append((trial.label, []))
        stages[-1][1].extend([*(stimuli.phase(given, lasts_s) for given, lasts_s in trial.phases), *probes])
    group = Group(name, tuple(Stage(tuple(items), label) for label, items in stages))
    letters = dict(
        zip(ascii_uppercase, [stimuli.cs, *(odor for odor in map(find, tested) if odor != stimuli.cs)], strict=False)
    )
    bindings = {
        letter: (odor, stimuli.concentration if odor == stimuli.cs else 1.0) for letter, odor in letters.items()
    }
    return Design((group,), bindings, (stimuli.us, stimuli.strength or 1.0))


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise InputError(f"a number in the id of a paradigm must be one, got {shown(word)}") from None


def _exact(value: float) -> str:
    return repr(value).removesuffix(".0")
