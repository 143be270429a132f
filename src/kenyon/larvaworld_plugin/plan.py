"""What a run of the host is to be, checked before anything is built."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from kenyon import checks
from kenyon.errors import InputError
from kenyon.words import shown

MOST_LARVAE = 100_000
MOST_MINUTES = 1e5

OWN = "own"
"""What larvae of a model are called that was given by value, and not as a group with a name."""

Configuration = Mapping[str, Any]
"""An experiment or a model of the host, given by value; what a plan holds is a copy."""

Model = str | Configuration


class PlannedGroup(NamedTuple):
    """Larvae of one model.

    Attributes:
        name: What they are called.
        model: Name of a stored model, or a model by value.
        larvae: How many.
        memory: Options of their memory, which go before the model's.
    """

    name: str
    model: Model
    larvae: int
    memory: Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """What a run is to be; checked when it is made, as far as that needs no host.

    Attributes:
        experiment: Name of a stored experiment of the host, or an experiment by value.
        model: Name of a stored model, or a model by value; or for each of several groups, by its name, a model, or a
            model and a number of larvae.
        larvae: How many; of several groups, in each for which no number is given.
        minutes: How long; None for as long as the experiment is.
        seed: Of the host's chance and of the memories'.
        memory: Options of the memory, which go before the model's; or, by its name, those of each group.
        memories: File of memories to begin with, or one for each of some groups; None for naive larvae.
        every_s: Time between two samples, s.
        script: Called with the run before its first tick; may return what is called after each.

    Raises:
        InputError: a value is of the wrong kind or out of range.

    Example:
        >>> plan = Plan("PItrain", {"learning": ("forager_MB", 3), "naive": "forager"}, 5, minutes=8)
        >>> [(group.name, group.larvae) for group in plan.groups]
        [('learning', 3), ('naive', 5)]
    """

    experiment: str | Configuration
    model: Model | Mapping[str, Model | tuple[Model, int]]
    larvae: int
    minutes: float | None = None
    seed: int = 0
    memory: Mapping[str, Any] = field(default_factory=dict)
    memories: Path | Mapping[str, Path] | None = None
    every_s: float = 1.0
    script: Callable[[Any], Callable[[], None] | None] | None = None

    def __post_init__(self) -> None:
        """Check each value alone, and groups with what is said of each."""
        fix = partial(object.__setattr__, self)
        fix("experiment", _experiment(self.experiment))
        fix("larvae", _number_of("larvae", self.larvae))
        fix("model", _models(self.model, self.larvae))
        if self.minutes is not None:
            fix("minutes", checks.positive("minutes", self.minutes, high=MOST_MINUTES, unit="min"))
        fix("seed", checks.integer("seed", self.seed, low=0, high=2**63 - 1))
        fix("memory", by_name("memory", self.memory))
        if isinstance(self.memories, Mapping):
            files = by_name("memories", self.memories).items()
            fix("memories", {group: checks.path(f"memories of {shown(group)}", file) for group, file in files})
            self._refuse_other_groups()
        elif self.memories is not None:
            fix("memories", checks.path("memories", self.memories))
        fix("every_s", checks.number("every_s", self.every_s, low=0.1, high=3600.0, unit="s"))
        if self.script is not None and not callable(self.script):
            raise InputError(f"script must be called with a run, got {shown(self.script)}; pass a function or None")

    @property
    def groups(self) -> tuple[PlannedGroup, ...]:
        """The groups of larvae, in their order; of one model, there is one."""
        given: Any = self.model
        if isinstance(given, str):
            return (PlannedGroup(given, given, self.larvae, self.memory),)
        if _is_configuration(given):
            return (PlannedGroup(OWN, given, self.larvae, self.memory),)
        by_group = set(self.memory) <= set(given) and all(isinstance(o, Mapping) for o in self.memory.values())
        return tuple(
            PlannedGroup(name, model, larvae, self.memory.get(name, {}) if by_group else self.memory)
            for name, (model, larvae) in given.items()
        )

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        groups = self.groups
        return f"{self.experiment_name}, " + ", ".join(f"{group.larvae} {group.name}" for group in groups)

    @property
    def experiment_name(self) -> str:
        """Name of the stored experiment, or of the one that an experiment by value was made of."""
        if isinstance(self.experiment, str):
            return self.experiment
        return str(self.experiment["experiment"])

    def _refuse_other_groups(self) -> None:
        """Refuse files that are for no group, or for one that there is not."""
        known, files = [group.name for group in self.groups], self.memories
        if not files:
            raise InputError(f"memories must be for at least one group, got {shown(files)}; pass a file, or None")
        for group in files if isinstance(files, Mapping) else ():
            checks.one_of("group of memories", group, known)


def by_name(name: str, given: Any) -> dict[str, Any]:
    """Return a copy of a mapping by names.

    Raises:
        InputError: it is no mapping, or its keys are no names.
    """
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise InputError(f"{name} must be a mapping by name, got {shown(given)}; pass a dictionary")
    return dict(given)


def _experiment(given: Any) -> Any:
    """Return an experiment, by name or by value; one by value says which stored one it was made of."""
    if isinstance(given, Mapping) and not isinstance(given.get("experiment"), str):
        raise InputError(
            f"an experiment by value must name the stored one whose schedule it follows, got experiment="
            f"{shown(given.get('experiment'))}; add it, such as 'PItrain'"
        )
    return _named_or_own("experiment", given)


def _models(given: Any, larvae: int) -> Any:
    """Return a model, or for each of some groups its model and how many larvae are of it."""
    if not isinstance(given, Mapping) or _is_configuration(given):
        return _named_or_own("model", given)
    groups = by_name("model", given)
    if not groups:
        raise InputError(
            "model must be the name of a stored model, a model by value, which has a brain, or groups with a model "
            "each, got {}; pass one"
        )
    return {checks.label("group", name): _model_and_number(name, own, larvae) for name, own in groups.items()}


def _model_and_number(name: str, given: Any, larvae: int) -> tuple[Any, int]:
    """Return the model of a group, and how many larvae are of it."""
    model, number = given if isinstance(given, (tuple, list)) and len(given) == 2 else (given, larvae)
    if isinstance(model, Mapping) and not _is_configuration(model):
        raise InputError(f"the model of group {shown(name)} must have a brain, got {shown(model)}; pass a whole model")
    return _named_or_own(f"model of group {shown(name)}", model), _number_of(f"larvae of group {shown(name)}", number)


def _named_or_own(name: str, given: Any) -> Any:
    """Return a name, or a copy of a configuration: the one given stays the caller's."""
    return deepcopy(given) if isinstance(given, Mapping) else checks.label(name, given)


def _is_configuration(model: Any) -> bool:
    """Return whether this is a model of the host by value, and not models by the names of groups."""
    return isinstance(model, Mapping) and isinstance(model.get("brain"), Mapping)


def _number_of(name: str, larvae: Any) -> int:
    return checks.integer(name, larvae, low=1, high=MOST_LARVAE)
