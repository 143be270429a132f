"""What a run of the host is to be, checked before anything is built."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from kenyon import checks
from kenyon.errors import InputError
from kenyon.words import shown

MOST_LARVAE = 100_000
MOST_MINUTES = 1e5


@dataclass(frozen=True)
class Plan:
    """What a run is to be; checked when it is made, as far as that needs no host.

    Attributes:
        experiment: Name of a stored experiment of the host.
        model: Name of a stored model.
        larvae: How many.
        minutes: How long; None for as long as the experiment is.
        seed: Of the host's chance and of the memories'.
        memory: Options of the memory, which go before the model's; a copy of what is given.
        memories: File of memories to begin with; None for naive larvae.
        every_s: Time between two samples, s.
        script: Called with the run before its first tick; may return what is called after each.

    Raises:
        InputError: a value is of the wrong kind or out of range.

    Example:
        >>> Plan("PItrain", "forager_MB", 30, minutes=8).minutes
        8.0
    """

    experiment: str
    model: str
    larvae: int
    minutes: float | None = None
    seed: int = 0
    memory: Mapping[str, Any] = field(default_factory=dict)
    memories: Path | None = None
    every_s: float = 1.0
    script: Callable[[Any], Callable[[], None] | None] | None = None

    def __post_init__(self) -> None:
        """Check each value alone."""
        fix = partial(object.__setattr__, self)
        fix("experiment", checks.label("experiment", self.experiment))
        fix("model", checks.label("model", self.model))
        fix("larvae", checks.integer("larvae", self.larvae, low=1, high=MOST_LARVAE))
        if self.minutes is not None:
            fix("minutes", checks.positive("minutes", self.minutes, high=MOST_MINUTES, unit="min"))
        fix("seed", checks.integer("seed", self.seed, low=0, high=2**63 - 1))
        fix("memory", by_name("memory", self.memory))
        if self.memories is not None:
            fix("memories", checks.path("memories", self.memories))
        fix("every_s", checks.number("every_s", self.every_s, low=0.1, high=3600.0, unit="s"))
        if self.script is not None and not callable(self.script):
            raise InputError(f"script must be called with a run, got {shown(self.script)}; pass a function or None")


def by_name(name: str, given: Any) -> dict[str, Any]:
    """Return a copy of a mapping by names.

    Raises:
        InputError: it is no mapping, or its keys are no names.
    """
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise InputError(f"{name} must be a mapping by name, got {shown(given)}; pass a dictionary")
    return dict(given)
