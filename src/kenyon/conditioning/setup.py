"""What an experiment is made with, besides its design: larvae, constants, engine, and what is kept."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.conditioning.phases import Group, Probe
from kenyon.errors import InputError
from kenyon.mushroom_body import Parameters, Population, Record, Snapshot
from kenyon.mushroom_body.engine import Engine
from kenyon.mushroom_body.engines import engine as engine_of
from kenyon.mushroom_body.parameters import check_parameters
from kenyon.mushroom_body.wiring import RANDOM, WIRINGS, check_wiring, wirings
from kenyon.seeds import larva_seeds
from kenyon.threads import chosen
from kenyon.words import shown

SWITCHES: Final = ("weights", "codes", "per_second")
NEWBORN: Final = "newborn"
DRAWN: Final = "drawn by each larva's seed"


@dataclass(frozen=True)
class Kept:
    """What is kept besides preference and rates.

    Attributes:
        weights: The plastic weights of every larva at every test.
        codes: How often each Kenyon cell fired at every test.
        per_second: The rates of each second that was lived through.
        recordings: Spikes and samples of state: what to record in all phases ("phases"), in all tests ("tests"), or in
            those of a label or test odor; a `Record` alone is for all. Kept as pairs.

    Raises:
        InputError: one is neither True nor False, or recordings are no `Record`s by name.

    Example:
        >>> Kept(weights=True).names
        ('weights',)
    """

    weights: bool = False
    codes: bool = False
    per_second: bool = False
    recordings: Any = ()

    def __post_init__(self) -> None:
        """Check each value alone."""
        fix = partial(object.__setattr__, self)
        for name in SWITCHES:
            fix(name, checks.boolean(name, getattr(self, name)))
        fix("recordings", _recordings(self.recordings))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what is kept, besides recordings."""
        return tuple(name for name in SWITCHES if getattr(self, name))

    def records(self, group: Group, tested: Mapping[int, str]) -> list[Record | None]:
        """Return what to record in each element of a group; `tested` are the names of its tests, by number."""
        wanted = dict(self.recordings)
        return [next((wanted[name] for name in own if name in wanted), None) for own in names(group, tested)]


def names(group: Group, tested: Mapping[int, str]) -> list[tuple[str, ...]]:
    """Return by which names each element of a group can be recorded; `tested` are those of its tests, by number."""
    stages = [stage.label for stage in group.stages for _ in stage.elements]
    kinds = [() if isinstance(element, Probe) else ("phases",) for element in group.elements]
    return [
        (element.label, stage, *kind, *((tested[number], "tests") if number in tested else ()))
        for number, (element, stage, kind) in enumerate(zip(group.elements, stages, kinds, strict=True))
    ]


def _recordings(given: Any) -> tuple[tuple[str, Record], ...]:
    if isinstance(given, Record):
        return (("phases", given), ("tests", given))
    if not isinstance(given, Mapping) and (given is None or not isinstance(given, (tuple, list))):
        raise InputError(f"recordings must be a Record, or Records by name, got {shown(given)}")
    pairs = given.items() if isinstance(given, Mapping) else given
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise InputError(f"recordings must be Records by name, got {shown(pair)}")
    return tuple(
        (checks.label("name of what is recorded", name), checks.instance("recording", own, Record, "make a Record"))
        for name, own in pairs
    )


@dataclass(frozen=True, eq=False)
class Setup:
    """What an experiment is made with; `prepared` makes it.

    Attributes:
        parameters: The constants of the circuit.
        seed: What the seeds of the larvae were made of; "" where larvae were given.
        starts: The larvae of each group at its beginning, by its name.
        began_as: What they were then: "newborn", or larvae that are told apart by all that they were.
        wiring: How their Kenyon cells are wired: drawn, the name of what was measured, or all of it as hexadecimal
            digits, where it was given.
        engine: What advances them.
        threads: How many larvae at once.
        kept: What is kept.
    """

    parameters: Parameters
    seed: str
    starts: Mapping[str, Snapshot]
    began_as: Mapping[str, str]
    wiring: str
    engine: Engine
    threads: int
    kept: Kept

    def seeds(self, group: str) -> tuple[int, ...]:
        """Return the seeds of the larvae of a group."""
        return self.starts[group].seeds

    def branched(
        self,
        before: Mapping[str, tuple[Snapshot, str]],
        engine: str | Engine | None,
        threads: int | None,
        kept: Kept,
    ) -> "Setup":
        """Return the setup of an experiment that goes on with larvae, each group with those of a run of this one."""
        return replace(
            self,
            starts={name: larvae for name, (larvae, _) in before.items()},
            began_as={name: f"{digest(larvae)} of run {run}" for name, (larvae, run) in before.items()},
            engine=self.engine if engine is None else engine_of(engine),
            threads=self.threads if threads is None else chosen(threads),
            kept=kept,
        )

    def population(self, larvae: Snapshot) -> Population:
        """Return the population that goes on from such larvae."""
        return Population.from_snapshot(larvae, engine=self.engine, threads=self.threads)


def prepared(
    groups: Sequence[str],
    larvae: int | Snapshot,
    *,
    seed: int,
    parameters: Parameters,
    wiring: str = RANDOM,
    pn_to_kc: Any = None,
    engine: str | Engine,
    threads: int | None,
    kept: Kept,
) -> Setup:
    """Return the setup of an experiment of some groups; see `Experiment` for the arguments.

    Raises:
        InputError: an argument is unusable.
        MissingDependencyError: the engine is brian2, and Brian2 is not installed.
    """
    own_engine, own_threads = engine_of(engine), chosen(threads)
    if isinstance(larvae, Snapshot):
        if pn_to_kc is not None or check_wiring(wiring) != RANDOM:
            raise InputError("larvae that are given have their wiring, got another as well; leave it out")
        start, seed_words, began_as = larvae, "", digest(larvae)
        words = _words_of(larvae)
    else:
        seeds = larva_seeds(seed, larvae)
        start = Population(check_parameters(parameters), seeds, wiring=wiring, pn_to_kc=pn_to_kc).snapshot()
        seed_words, began_as = str(seed), NEWBORN
        words = wiring_words(wiring) if pn_to_kc is None else _given_words(start.state.pn_to_kc)
    everybody = dict.fromkeys(groups, start)
    return Setup(
        start.parameters, seed_words, everybody, dict.fromkeys(groups, began_as), words, own_engine, own_threads, kept
    )


def digest(larvae: Snapshot) -> str:
    """Return words that are the same for the same larvae at the same moment, and for no others.

    Example:
        >>> digest(Population(seeds=[1]).snapshot()) == digest(Population(seeds=[1]).snapshot())
        True
    """
    return f"larvae {hashlib.sha256(larvae.state.records.tobytes()).hexdigest()[:16]}"


def wiring_words(wiring: str) -> str:
    """Return what a result says of a wiring that has a name."""
    return DRAWN if wiring == RANDOM else wiring


def _words_of(larvae: Snapshot) -> str:
    """Return what a result says of the wiring of larvae that were given: its name, if by that they are wired so."""
    has = larvae.state.pn_to_kc
    for name in WIRINGS:
        if np.array_equal(wirings(larvae.parameters, larvae.seeds, name), has):
            return wiring_words(name)
    return _given_words(has)


def _given_words(given: NDArray[np.float64]) -> str:
    """Return all of a wiring that was given as hexadecimal digits, once where all larvae have it."""
    words = [_digits(own) for own in given]
    return " ".join(words[:1] if len(set(words)) == 1 else words)


def _digits(wired: NDArray[np.float64]) -> str:
    """Return a bit for each connection, or else its strength as a double, the first byte the lowest."""
    if np.isin(wired, (0.0, 1.0)).all():
        return np.packbits(wired.astype(np.uint8)).tobytes().hex()
    return wired.astype("<f8").tobytes().hex()
