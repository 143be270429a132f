"""All that claims ask of larvae: every group of every claim, odor and reinforcer, lived through once, kept in files.

Larvae are taken in blocks, and what a block gave is kept before the next begins. So whoever is killed loses a block,
and goes on from there when asked the same again.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from numpy.typing import NDArray

from kenyon import archive
from kenyon.conditioning.claims.answers import Answers
from kenyon.conditioning.claims.claim import Claim
from kenyon.conditioning.dataset import dataset, made_of
from kenyon.conditioning.designs import Design
from kenyon.conditioning.living import Course
from kenyon.conditioning.phases import Group
from kenyon.conditioning.setup import Kept, Setup, prepared
from kenyon.conditioning.shared_lives import live_together, work_s
from kenyon.errors import FileFormatError, InputError
from kenyon.mushroom_body import Parameters
from kenyon.mushroom_body.engine import Engine
from kenyon.provenance import run_id

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

KIND: Final = "lives"
BLOCK_S: Final = 150_000.0
"""Larvae's time that a block takes at most, s: some 100 s on two cores."""

_LARVAE: Final = "larvae"


class Asked:
    """What claims ask of the larvae of one set of constants.

    Args:
        claims: The claims.
        odors: What A and B stand for in them, and C if there is a third; every claim is asked for each.
        reinforcers: "reward", "punishment" or both; every claim is asked for each.
        larvae: How many in each group.
        seed: Larva i has the seed `larva_seed(seed, i)`: the same larvae in every group.
        parameters: The constants of the circuit.
        wiring: How the larvae are wired, as for `Population`.
        pn_to_kc: A wiring of one's own instead, as for `Population`.
        engine: As for `Population`.
        threads: As for `Population`.

    Raises:
        InputError: an argument is unusable.
        MissingDependencyError: as for `Population`.
    """

    def __init__(
        self,
        claims: Sequence[Claim],
        *,
        odors: Sequence[Sequence[Any]],
        reinforcers: Sequence[str],
        larvae: int,
        seed: int,
        parameters: Parameters,
        wiring: str,
        pn_to_kc: Any,
        engine: str | Engine,
        threads: int | None,
    ) -> None:
        self._setup = prepared(
            [_LARVAE], larvae, seed=seed, parameters=parameters, wiring=wiring, pn_to_kc=pn_to_kc,
            engine=engine, threads=threads, kept=Kept(),
        )  # fmt: skip
        self._designs = {
            (claim.id, us, tuple(own)): claim.designs(us, own)
            for claim, us, own in itertools.product(claims, reinforcers, odors)
        }
        self._codes = {claim.id: claim.codes for claim in claims}
        self._groups = {
            (group.stages, self._codes[claim]): group
            for (claim, _, _), designs in self._designs.items()
            for design in designs.values()
            for group in design.groups
        }
        self._courses = self._made(self._setup)
        self._results: dict[Any, xarray.Dataset] = {}

    @property
    def setup(self) -> Setup:
        """What the larvae are made with."""
        return self._setup

    @property
    def work_s(self) -> float:
        """How much of larvae's time all of it takes, s."""
        return self._per_larva_s * self.larvae

    @cached_property
    def _per_larva_s(self) -> float:
        return work_s(self._courses)

    @property
    def run_id(self) -> str:
        """The id of all of it."""
        return self._id(self._setup, self._courses)

    def live(self, folder: Path | None, done: Callable[[float], None]) -> None:
        """Let all larvae live through all groups, as far as it is not kept yet.

        Args:
            folder: Where what they gave is kept; nowhere if not given.
            done: Is told how much of larvae's time is done, s.

        Raises:
            InputError: the folder cannot be made or written to.
            StorageError: the disk is full.
        """
        if not self._courses:
            return
        if folder is not None:
            _make(folder)
        for places in self._blocks():
            start = self._setup.population(self._setup.starts[_LARVAE]).snapshot(list(places))
            setup = replace(self._setup, starts={_LARVAE: start})
            courses = self._made(setup)
            file = None if folder is None else folder / f"{self._id(setup, courses)}.npz"
            if file is not None and _read(file, courses):
                done(self._per_larva_s * len(places))
            else:
                live_together(setup.population(start), courses, done)
                if file is not None:
                    archive.save(file, KIND, {}, dict(_arrays(courses)), overwrite=True)
            for whole, block in zip(self._courses, courses, strict=True):
                for name, values in whole.collector.arrays.items():
                    values[places.start : places.stop] = block.collector.arrays[name]

    def answers(self, claim: Claim, us: str, odors: Sequence[Any]) -> Answers:
        """Return what larvae answered in the groups of a claim."""
        designs = self._designs[claim.id, us, tuple(odors)]
        return Answers(designs, {name: self._result(design, claim.codes) for name, design in designs.items()}, us)

    def _result(self, design: Design, codes: bool) -> "xarray.Dataset":
        key = design.groups[0].stages, codes
        if key not in self._results:
            course = self._courses[list(self._groups).index(key)]
            self._results[key] = dataset(design, course, self._of_group(self._setup, course.group, codes=codes))
        return self._results[key]

    @property
    def larvae(self) -> int:
        """How many there are in each group."""
        return len(self._setup.seeds(_LARVAE))

    def _blocks(self) -> Iterator[range]:
        """Give the places of the larvae of each block; a GPU has all at once."""
        size = self.larvae if self._setup.engine.name == "cuda" else max(1, int(BLOCK_S / self._per_larva_s))
        yield from (range(begun, min(begun + size, self.larvae)) for begun in range(0, self.larvae, size))

    def _made(self, setup: Setup) -> list[Course]:
        return [Course(group, self._of_group(setup, group, codes=codes)) for (_, codes), group in self._groups.items()]

    def _of_group(self, setup: Setup, group: Group, *, codes: bool) -> Setup:
        return replace(
            setup,
            starts={group.name: setup.starts[_LARVAE]},
            began_as={group.name: setup.began_as[_LARVAE]},
            kept=Kept(codes=codes),
        )

    def _id(self, setup: Setup, courses: Sequence[Course]) -> str:
        """Return an id of all that decides the numbers of some larvae in all groups."""
        made = [
            made_of(course.group, self._of_group(setup, course.group, codes=codes))
            for course, (_, codes) in zip(courses, self._groups, strict=True)
        ]
        return run_id({"kind": KIND, "groups": made, "seeds": list(map(str, setup.seeds(_LARVAE)))})


def _arrays(courses: Sequence[Course]) -> Iterator[tuple[str, NDArray[Any]]]:
    for place, course in enumerate(courses):
        yield from ((f"{place} {name}", values) for name, values in course.collector.arrays.items())


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise InputError(
            f"{folder} must be a folder that can be written to, got {reason.strerror}; give another"
        ) from None


def _read(file: Path, courses: Sequence[Course]) -> bool:
    """Fill in what a file has kept; return whether it had all of it. What is damaged is made anew."""
    try:
        _, kept = archive.load(file, KIND)
    except (FileNotFoundError, FileFormatError):
        return False
    places = dict(_arrays(courses))
    if {name: (own.shape, own.dtype) for name, own in kept.items()} != {
        name: (own.shape, own.dtype) for name, own in places.items()
    }:
        return False
    for name, values in places.items():
        values[...] = kept[name]
    return True
