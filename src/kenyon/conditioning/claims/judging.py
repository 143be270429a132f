"""Claims held against a circuit: what was measured, with intervals over larvae, and what follows."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from kenyon import checks
from kenyon.conditioning.claims.answers import Answers
from kenyon.conditioning.claims.asking import Asked
from kenyon.conditioning.claims.claim import Claim, Criterion, checked_claims
from kenyon.conditioning.entry import UNLIKE
from kenyon.conditioning.phases import REINFORCERS, name_of, smelled
from kenyon.conditioning.statistics import FloatArray, interval
from kenyon.errors import InputError
from kenyon.mushroom_body import DEFAULT, Parameters
from kenyon.mushroom_body.engine import Engine
from kenyon.mushroom_body.wiring import RANDOM
from kenyon.progress import progress
from kenyon.provenance import versions

if TYPE_CHECKING:  # slow to import
    import pandas as pd

ODORS: Final = (UNLIKE[:2],)
"""Pairs of odors that claims are asked with, unless told otherwise: A and B."""

TRAINING: Final = Claim(
    "T0",
    "larva",
    "Three trials teach something.",
    "",
    {"trained": "3x(A+ 60s, 60s), ?A 4s"},
    (Criterion("index after three trials", lambda answers: answers.last("trained")),),
)
"""What is run beside all claims, for differences of indices to be given as a share of it."""

VERDICTS: Final = ("holds", "partly", "fails", "fitted", "unknown", "not testable")


@dataclass(frozen=True, eq=False)
class Measured:
    """A criterion, measured with one reinforcer.

    Attributes:
        criterion: What is asked.
        us: The reinforcer.
        values: [odors, B] float64, the figure of each larva with each pair of odors; nan where it has none.
        mean: Mean over larvae of the mean over odors.
        low: Lower bound of its 95 % interval over larvae.
        high: Upper bound.
    """

    criterion: Criterion
    us: str
    values: FloatArray
    mean: float
    low: float
    high: float

    @property
    def words(self) -> str:
        """The mean with its interval."""
        return said(self.mean, self.low, self.high, self.criterion.unit)

    @property
    def odor_means(self) -> tuple[float, ...]:
        """The mean over larvae with each pair of odors."""
        return tuple(_mean(own) for own in self.values)

    @property
    def n(self) -> int:
        """How many larvae have the figure."""
        return int((~np.isnan(self.values)).any(axis=0).sum())

    @property
    def met(self) -> bool:
        """Whether the whole interval lies where it must, and the mean, and that of every odor."""
        own = self.criterion
        means = (self.mean, *self.odor_means)
        return (
            own.at_least <= self.low
            and self.high <= own.at_most
            and all(own.mean_at_least <= mean <= own.mean_at_most for mean in means)
        )

    @property
    def has_the_sign(self) -> bool:
        """Whether the whole interval lies on that side of no effect on which the limits lie.

        Of limits on both sides it is asked whether the mean lies between them.
        """
        own = self.criterion
        if self.met:
            return True
        if not (math.isinf(own.mean_at_least) or math.isinf(own.mean_at_most)):
            return bool(own.mean_at_least <= self.mean <= own.mean_at_most)
        return self.low > own.null if math.isinf(own.mean_at_most) else self.high < own.null


class Effect(NamedTuple):
    """The figure that a claim is about before all: of its first criterion, over all odors and reinforcers.

    Attributes:
        mean: Mean over larvae; where it is an index, as a share of what three trials teach the same larvae.
        low: Lower bound of its 95 % interval over larvae, likewise.
        high: Upper bound.
        is_share: Whether it is a share, of training or of something else that the criterion says.
    """

    mean: float
    low: float
    high: float
    is_share: bool

    @property
    def words(self) -> str:
        """It as a table says it.

        Example:
            >>> Effect(0.561, 0.5, 0.608, True).words
            '56 % (50 to 61)'
        """
        return said(*self[:3], "share" if self.is_share else "")


def said(mean: float, low: float, high: float, unit: str) -> str:
    """Return a mean with its interval, in words.

    Args:
        mean: The mean; nan where there is none.
        low: Lower bound of its interval.
        high: Upper bound.
        unit: What it is, as a criterion says.

    Example:
        >>> said(0.057, 0.046, 0.0692, "index")
        '+0.057 (+0.046 to +0.069)'
    """
    if math.isnan(mean):
        return "none"
    form, scale, digits = {"share": (".0f", 100.0, 0), "index": ("+.3f", 1.0, 3), "": (".3g", 1.0, 9)}[unit]
    # Rounded before, for of what is next to 0 the sign is no matter.
    mean_words, low_words, high_words = (f"{round(scale * own, digits) + 0.0:{form}}" for own in (mean, low, high))
    return f"{mean_words}{' %' * (unit == 'share')} ({low_words} to {high_words})"


@dataclass(frozen=True, eq=False)
class Verdict:
    """What became of a claim with one set of constants.

    Attributes:
        claim: The claim.
        measured: Its criteria, with each reinforcer.
        fitted: Whether the claim was a target of the search for the set.
        effect: The figure that it is about before all; None where nothing was asked.
    """

    claim: Claim
    measured: tuple[Measured, ...]
    fitted: bool
    effect: Effect | None

    def __repr__(self) -> str:
        """Say which claim it is, and what became of it."""
        return f"<{self.claim.id}: {self.words}>"

    @property
    def found(self) -> str:
        """What was found, whatever it is worth: "holds", "partly", "fails"; "" where nothing was asked for."""
        decisive = [own for own in self.measured if own.criterion.decides]
        if not decisive:
            return ""
        if all(own.met for own in decisive):
            return "holds"
        return "partly" if all(own.has_the_sign for own in decisive) else "fails"

    @property
    def word(self) -> str:
        """One of `VERDICTS`."""
        if not self.claim.groups:
            return "not testable"
        if self.claim.unknown or not self.found:
            return "unknown"
        return "fitted" if self.fitted else self.found

    @property
    def words(self) -> str:
        """The same; of what was fitted, what was found as well."""
        return f"{self.word}: {self.found}" if self.word == "fitted" else self.word


@dataclass(frozen=True, eq=False)
class Judgement:
    """What became of claims with one set of constants, and all that it was made with.

    Attributes:
        verdicts: One for each claim, in their order.
        parameters: The constants.
        wiring: How the larvae were wired.
        odors: What A and B stood for, one tuple of names a pair.
        reinforcers: What they were taught with.
        larvae: How many in each group.
        seed: What their seeds were made of.
        training: [odors, B] float64, the index of each larva after three trials, mean over the reinforcers.
        run_id: The id of all that was run.
        versions: Of the code, and of what computes beneath it.
    """

    verdicts: tuple[Verdict, ...]
    parameters: Parameters
    wiring: str
    odors: tuple[tuple[str, ...], ...]
    reinforcers: tuple[str, ...]
    larvae: int
    seed: int
    training: FloatArray
    run_id: str
    versions: dict[str, str]

    def __repr__(self) -> str:
        """Count the verdicts."""
        words = [verdict.word for verdict in self.verdicts]
        counts = ", ".join(f"{words.count(word)} {word}" for word in VERDICTS if word in words)
        return f"<judgement of {self.parameters.description}, {self.larvae} larvae: {counts}>"

    def __getitem__(self, claim: str) -> Verdict:
        """Return the verdict on a claim, by its id.

        Raises:
            InputError: it was not judged.
        """
        claim = checks.one_of("claim", claim, [own.claim.id for own in self.verdicts])
        return next(own for own in self.verdicts if own.claim.id == claim)

    @property
    def set(self) -> str:
        """What the set of constants is called."""
        return self.parameters.description

    def to_dataframe(self) -> "pd.DataFrame":
        """Return every figure as a table of pandas: a row for each claim, criterion, reinforcer, and pair of odors.

        Where pairs of odors are several, a row of their mean comes first, its odors "all".
        """
        import pandas as pd

        return pd.DataFrame([row for verdict in self.verdicts for row in self._rows(verdict)])

    def _rows(self, verdict: Verdict) -> list[dict[str, Any]]:
        about = {"parameters": self.set, "claim": verdict.claim.id, "verdict": verdict.word, "found": verdict.found}
        if not verdict.measured:
            return [about]
        rows = []
        for own in verdict.measured:
            criterion = {**about, "criterion": own.criterion.statement, "asked": own.criterion.asks, "us": own.us}
            share = own.mean / (_mean(self.training) or math.nan) if own.criterion.unit == "index" else math.nan
            figures = {"mean": own.mean, "low": own.low, "high": own.high, "larvae": own.n, "share_of_training": share}
            met = own.met if own.criterion.decides else None
            rows.append({**criterion, "odors": "all", **figures, "met": met})
            if len(self.odors) > 1:
                rows += [
                    {**criterion, "odors": " and ".join(names), "mean": _mean(values), "larvae": _count(values)}
                    for names, values in zip(self.odors, own.values, strict=True)
                ]
        return rows


def judge(
    claims: Sequence[Claim],
    parameters: Parameters = DEFAULT,
    *,
    odors: Sequence[Sequence[Any]] = ODORS,
    reinforcers: Sequence[str] = REINFORCERS,
    larvae: int = 30,
    seed: int = 0,
    wiring: str = RANDOM,
    pn_to_kc: Any = None,
    engine: str | Engine = "kernel",
    threads: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    show_progress: bool = True,
) -> Judgement:
    """Hold claims against a circuit.

    All groups of all claims are the same larvae, and what several begin with is lived through once: so many claims cost
    little more than few.

    Args:
        claims: Such as `LARVAE`, some of them, or one's own.
        parameters: The constants of the circuit.
        odors: What A and B stand for, one pair or several; each claim is asked for each, and must hold for each.
        reinforcers: "reward", "punishment" or both; likewise.
        larvae: How many in each group, 2 or more.
        seed: Larva i has the seed `larva_seed(seed, i)`; of the bootstrap, too.
        wiring: How the larvae are wired, as for `Population`.
        pn_to_kc: A wiring of one's own instead, as for `Population`.
        engine: As for `Population`; the numbers are the same.
        threads: As for `Population`.
        folder: Where what larvae gave is kept, so that the same call goes on from there; nowhere if not given.
        show_progress: Show a progress bar on standard error.

    Returns:
        A verdict for each claim, with all that was measured. A claim holds if each of its criteria holds with each
        reinforcer: the whole interval of the mean over odors meets the bound, and the mean of each odor does. It holds
        in part if each is on the right side of no effect, with its whole interval.

    Raises:
        InputError: an argument is unusable; nothing has been simulated then.
        MissingDependencyError: as for `Population`.

    Randomness:
        Every larva's own streams, and the stream "bootstrap" of `seed`.

    Example:
        >>> from kenyon.conditioning.claims import Claim, Criterion
        >>> index = Criterion("index after 10 s", lambda answers: answers.last("trained"), at_least=0.01)
        >>> claim = Claim("X1", "larva", "Ten seconds are enough.", "Nobody 2020", {"trained": "A+ 10s | ?A 2s"},
        ...     [index], "None is learned.")
        >>> judge([claim], larvae=2, reinforcers=["reward"], show_progress=False).verdicts
        (<X1: holds>,)
    """
    claims = checked_claims(claims)
    reinforcers = [checks.one_of("reinforcer", us, REINFORCERS) for us in checks.several("reinforcers", reinforcers)]
    pairs = [tuple(map(smelled, checks.several("each pair of odors", own))) for own in checks.several("odors", odors)]
    if not reinforcers or not pairs:
        raise InputError("claims must be asked with a reinforcer and a pair of odors, got none; name one")
    checks.integer("larvae", larvae, low=2)
    checks.boolean("show_progress", show_progress)
    kept_in = None if folder is None else checks.path("folder", folder)
    asked = Asked(
        [*claims, TRAINING] if any(claim.groups for claim in claims) else claims,
        odors=pairs, reinforcers=reinforcers, larvae=larvae, seed=seed, parameters=parameters,
        wiring=wiring, pn_to_kc=pn_to_kc, engine=engine, threads=threads,
    )  # fmt: skip
    label = f"{parameters.description}, {len(claims)} claims, {larvae} larvae"
    with progress(label, asked.work_s, show=show_progress) as done:
        asked.live(kept_in, done)
    trained = [_figures(TRAINING, asked, us, pairs)[0] for us in reinforcers if asked.work_s]
    training = np.mean(trained, axis=0) if trained else np.full((len(pairs), larvae), np.nan)
    return Judgement(
        tuple(_verdict(claim, asked, pairs, reinforcers, seed, _mean(training)) for claim in claims),
        parameters,
        asked.setup.wiring,
        tuple(tuple(map(name_of, own)) for own in pairs),
        tuple(reinforcers),
        larvae,
        seed,
        training,
        asked.run_id,
        versions(),
    )


def _verdict(
    claim: Claim, asked: Asked, odors: Sequence[Any], reinforcers: Sequence[str], seed: int, training: float
) -> Verdict:
    fitted = asked.setup.parameters.description in claim.fitted_in
    if not claim.groups:
        return Verdict(claim, (), fitted, None)
    figures = {us: _figures(claim, asked, us, odors) for us in reinforcers}
    measured = tuple(
        _measured(criterion, us, own, seed)
        for us in reinforcers
        for criterion, own in zip(claim.criteria, figures[us], strict=True)
    )
    headline = claim.criteria[0] if claim.headline is None else claim.headline
    both = np.concatenate([figures[us][claim.criteria.index(headline)] for us in reinforcers])
    return Verdict(claim, measured, fitted, _effect(_measured(headline, "", both, seed), training))


def _figures(claim: Claim, asked: Asked, us: str, odors: Sequence[Any]) -> list[FloatArray]:
    """Return the figure of each larva with each pair of odors, [odors, B], for each criterion."""
    answers = [asked.answers(claim, us, own) for own in odors]
    return [np.array([_figure(claim, own, each, asked.larvae) for each in answers]) for own in claim.criteria]


def _figure(claim: Claim, criterion: Criterion, answers: Answers, larvae: int) -> FloatArray:
    """Return the figure of each larva, [B]; nan where it is none, as a share of nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values = checks.numbers(f"measure of {claim.id}", criterion.measure(answers)).astype(np.float64)
    if values.shape != (larvae,):
        raise InputError(f"measure of {claim.id} must be one number for each of {larvae} larvae, got {values.shape}")
    return np.where(np.isfinite(values), values, np.nan)


def _effect(found: Measured, training: float) -> Effect:
    unit = (training or math.nan) if found.criterion.unit == "index" else 1.0  # where nothing is learned, no share
    return Effect(found.mean / unit, found.low / unit, found.high / unit, found.criterion.unit != "")


def _measured(criterion: Criterion, us: str, values: FloatArray, seed: int) -> Measured:
    of_larvae = np.array([_mean(own) for own in values.T])
    low, high = interval(of_larvae, seed=seed)
    return Measured(criterion, us, values, _mean(of_larvae), float(low), float(high))


def _mean(values: FloatArray) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else math.nan


def _count(values: FloatArray) -> int:
    return int((~np.isnan(values)).sum())
