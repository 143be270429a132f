"""A point: one group of larvae that lives through one thing, whose result has an id before it is computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from kenyon import checks
from kenyon.conditioning.dataset import done_to, made_by
from kenyon.conditioning.designs import Design
from kenyon.conditioning.running import run
from kenyon.conditioning.setup import NEWBORN, Kept, wiring_words
from kenyon.errors import InputError
from kenyon.mushroom_body import DEFAULT, Parameters
from kenyon.mushroom_body.parameters import check_parameters
from kenyon.mushroom_body.wiring import RANDOM, check_wiring
from kenyon.provenance import Spelled, run_id, spelled, spelled_numbers
from kenyon.seeds import MOST_LARVAE, checked_seed

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

Value: TypeAlias = str | int | float | bool
"""What a point has on an axis, as a table or a coordinate says it."""


@dataclass(frozen=True)
class Point:
    """One run, as data: it is checked when it is made, and nothing is computed before `compute`.

    Attributes:
        design: What is done, to one group.
        larvae: How many.
        seed: As for `run`: larva i has the seed `larva_seed(seed, i)`, the same larvae at all points of this seed.
        parameters: The constants of the circuit.
        wiring: The name of a wiring, as for `run`.
        kept: What is kept besides preference and rates; spikes cannot be.
        varied: What it has on each axis of its sweep, by name. It makes no other point of it.

    Raises:
        InputError: the design is of several groups, or another value is unusable.

    Example:
        >>> point = Point(Design.read("A+ 2s, ?A 1s"), larvae=2, seed=5)
        >>> point.larva_seconds
        6.0
        >>> result = point.compute()
        >>> result.run_id.item() == point.id
        True
    """

    design: Design
    larvae: int = 30
    seed: int = 0
    parameters: Parameters = DEFAULT
    wiring: str = RANDOM
    kept: Kept = field(default_factory=Kept)
    varied: Mapping[str, Value] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        """Check each value."""
        fix = partial(object.__setattr__, self)
        design = checks.instance("design of a point", self.design, Design, "pass a Design of one group")
        if len(design.groups) != 1:
            raise InputError(
                f"design of a point must have one group, got {len(design.groups)}; a Sweep makes a point of each"
            )
        fix("larvae", checks.integer("larvae", self.larvae, low=1, high=MOST_LARVAE))
        fix("seed", checked_seed("seed", self.seed))
        check_parameters(self.parameters)
        check_wiring(self.wiring)
        kept = checks.instance("what is kept of a point", self.kept, Kept, "pass Kept(weights=True)")
        if kept.recordings:
            raise InputError("a point must keep no recordings, got some; run it alone with `run(..., recordings=...)`")
        varied = checks.instance("varied", self.varied, Mapping, "pass a dictionary of values by axis")  # type: ignore[type-abstract]  # mypy wants a concrete class
        fix("varied", MappingProxyType(dict(varied)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Make copies anew, for a read-only mapping is none that can be pickled."""
        values = self.design, self.larvae, self.seed, self.parameters, self.wiring, self.kept, dict(self.varied)
        return type(self), values

    @cached_property
    def id(self) -> str:
        """The id of its run, which the result says, too: the same for the same numbers, in whatever sweep."""
        return run_id(
            made_by(
                _spelled_design(self.design), _spelled_constants(self.parameters), began_as=NEWBORN,
                wiring=wiring_words(self.wiring), seed=str(self.seed), larvae=self.larvae, kept=self.kept.names,
            )
        )  # fmt: skip

    @property
    def larva_seconds(self) -> float:
        """How much time of larvae it simulates, tests and all, s."""
        return self.design.larva_seconds(self.larvae)

    def compute(self, threads: int = 1) -> "xarray.Dataset":
        """Return its result, as `kenyon.conditioning.run` gives it.

        Args:
            threads: How many larvae are advanced at once; it changes no number.

        Raises:
            InputError: the number of threads is unusable.
        """
        return run(
            self.design, larvae=self.larvae, seed=self.seed, parameters=self.parameters, wiring=self.wiring,
            threads=threads, weights=self.kept.weights, codes=self.kept.codes, per_second=self.kept.per_second,
            show_progress=False,
        ).one  # fmt: skip


@lru_cache(maxsize=256)  # Of the points of a sweep most have a design, or constants, in common.
def _spelled_design(design: Design) -> Spelled:
    return spelled(done_to(design.groups[0]))


@lru_cache(maxsize=256)
def _spelled_constants(parameters: Parameters) -> Spelled:
    return spelled_numbers(parameters.stated())
