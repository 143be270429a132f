"""What a set of constants must show before it may be called balanced: the controls of a conditioning experiment.

Larvae must learn what they were taught, only that, and lose and regain it: preference after three trials of 0.4 to
0.9, growing and leveling off (larvae reach their asymptote within about three trials: Neuser et al. 2005); every
control under a quarter of it; at least a third of it taken away by as long of odor alone; regained by retraining; and
the mirror image for punishment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.conditioning.paradigms import paradigm
from kenyon.conditioning.phases import REINFORCERS
from kenyon.conditioning.results import check
from kenyon.conditioning.running import run
from kenyon.conditioning.statistics import interval
from kenyon.errors import InputError, MismatchError
from kenyon.mushroom_body import Parameters
from kenyon.seeds import checked_seed
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

CS = "pentyl acetate"
DISSIMILAR = "4,5-dimethylthiazole"
CONTROLS = ("unpaired", "unpaired-reversed", "reinforcement-alone")
GROUPS = ("extinction", *CONTROLS)
"""The paradigms that are judged together."""

TRIALS = 3

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Finding:
    """One criterion and what was found; checked when it is made.

    Attributes:
        us: The reinforcement, "reward" or "punishment".
        criterion: What is asked for.
        mean: Mean over larvae of the figure it is about; signs are such that learning is positive.
        low: Lower bound of its 95 % interval.
        high: Upper bound.
        at_least: The interval must lie above this.
        at_most: The interval must lie below this.

    Raises:
        InputError: the reinforcement is unknown, the criterion no text that prints, or a figure no number.

    Example:
        >>> Finding("reward", "preference after three trials", 0.6, 0.5, 0.7, at_least=0.4).met
        True
    """

    us: str
    criterion: str
    mean: float
    low: float
    high: float
    at_least: float = -np.inf
    at_most: float = np.inf

    def __post_init__(self) -> None:
        """Check each value alone; nan is absent, and a limit that is not there is infinite."""
        fix = partial(object.__setattr__, self)
        fix("us", checks.one_of("reinforcement", self.us, REINFORCERS))
        fix("criterion", checks.label("criterion", self.criterion))
        for name in ("mean", "low", "high", "at_least", "at_most"):
            value = getattr(self, name)
            fix(name, value if isinstance(value, float) and not np.isfinite(value) else checks.number(name, value))

    @property
    def met(self) -> bool:
        """Whether the whole interval lies where it must."""
        return self.at_least <= self.low and self.high <= self.at_most


def assess(
    parameters: Parameters,
    *,
    larvae: int = 30,
    seed: int = 0,
    reinforcers: Sequence[str] = REINFORCERS,
    show_progress: bool = True,
) -> list[Finding]:
    """Hold a set of constants against every criterion.

    Args:
        parameters: The set.
        larvae: How many, in each of the experiments.
        seed: Seed of the larvae and of the bootstrap.
        reinforcers: Which reinforcements to try.
        show_progress: Show a progress bar for each experiment.

    Returns:
        One finding for each criterion and reinforcement.

    Raises:
        InputError: an argument is unusable.

    Reference:
        Neuser et al. 2005 for the asymptote; the other criteria are the usual controls of absolute conditioning.
    """
    findings = []
    for us in [checks.one_of("reinforcement", us, REINFORCERS) for us in checks.several("reinforcers", reinforcers)]:
        groups = {}
        for name in GROUPS:
            design = paradigm(name, cs=CS, us=us, trials=TRIALS, test_odors=[DISSIMILAR])
            result = run(design, larvae=larvae, seed=seed, parameters=parameters, show_progress=show_progress)
            groups[name] = result.one
        findings += judged(groups, seed=seed)
    return findings


def judged(groups: "Mapping[str, xarray.Dataset]", *, seed: int = 0) -> list[Finding]:
    """Hold what larvae did against every criterion.

    Args:
        groups: The results of a set of constants, one for each of `GROUPS`: of the paradigms of these names, with
            three trials, asked about `CS` and `DISSIMILAR`. They may be points of a collected sweep.
        seed: Seed of the bootstrap.

    Returns:
        One finding for each criterion.

    Raises:
        InputError: a group is not there.
        MismatchError: the result of one is of something else.
    """
    import xarray

    checks.instance("groups", groups, Mapping, "pass a dictionary of results by name")  # type: ignore[type-abstract]  # mypy wants a concrete class
    checked_seed("seed", seed)
    for name in GROUPS:
        if name not in groups:
            raise InputError(f"groups must be {', '.join(GROUPS)}, got {shown(list(groups))}; add {name}")
    answers = {}
    for name in GROUPS:
        result = check(checks.instance(f"result of {name}", groups[name], xarray.Dataset, "pass what run returned"))
        answers[name] = _answers(name, result)
    us = "reward" if float(groups["extinction"].phase_reward.max()) > 0.0 else "punishment"
    sign = 1.0 if us == "reward" else -1.0
    trained, dissimilar = (sign * own for own in answers["extinction"])
    controls = {name: answers[name][0][:, TRIALS] for name in CONTROLS}
    controls["dissimilar odor"] = dissimilar[:, TRIALS]
    return _findings(us, trained, controls, seed)


def _answers(group: str, result: "xarray.Dataset") -> list[FloatArray]:
    """Return the index of each larva at each test [B, tests], of the trained odor and of the other."""
    tests = 1 + TRIALS * (1 if group in CONTROLS else 2) + (group not in CONTROLS)
    odors = result.test_odor.values.tolist()
    if not {CS, DISSIMILAR} <= set(odors) or result.sizes["test"] < tests:
        raise MismatchError(
            f"{group} must be tested {tests} times with {CS} and with {DISSIMILAR} to be judged, got "
            f"{result.sizes['test']} tests with {shown(odors)}"
        )
    index = result.preference_index.transpose("test_odor", "larva", "test").values[..., :tests]
    return [index[odors.index(odor)] for odor in (CS, DISSIMILAR)]


def _findings(us: str, trained: FloatArray, controls: dict[str, FloatArray], seed: int) -> list[Finding]:
    """Judge the index of each larva at each test [B, tests]: before, three trainings, extinction, three retrainings."""
    after_training = trained[:, TRIALS]
    gains = np.diff(trained[:, : TRIALS + 1], axis=1)

    def finding(criterion: str, values: FloatArray, **limits: float) -> Finding:
        low, high = interval(values, seed=seed)
        return Finding(us, criterion, float(values.mean()), float(low), float(high), **limits)

    return [
        finding("preference after three trials", after_training, at_least=0.4, at_most=0.9),
        finding("gain in the first trial", gains[:, 0], at_least=0.0),
        finding("gain in the second trial", gains[:, 1], at_least=0.0),
        finding(
            "gain in the third trial, as a share of the largest",
            _share(gains[:, 2], gains.max(axis=1)),
            at_least=0.0,
            at_most=0.5,
        ),
        *(
            finding(f"{name}, as a share of training", _share(np.abs(values), after_training), at_most=0.25)
            for name, values in controls.items()
        ),
        finding(
            "share that odor alone takes away", 1.0 - _share(trained[:, TRIALS + 1], after_training), at_least=1 / 3
        ),
        finding("share that retraining brings back", _share(trained[:, -1], after_training), at_least=0.8),
    ]


def _share(values: FloatArray, of: FloatArray) -> FloatArray:
    """Return values as a share of others; nan where these are 0, for there is no share of nothing."""
    shares = np.full(values.shape, np.nan)
    np.divide(values, of, out=shares, where=of != 0.0)
    return shares
