"""What happens in a run of the host, as data: whoever wants to know of it is told, one event after the other.

A run that builds its larvae anew, as a genetic algorithm does for each generation, begins and ends once with each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, eq=False)
class RunBegan:
    """The larvae of a run are there, and nothing has moved yet.

    Larvae are told apart by their places in all of these, from 0.

    Attributes:
        run: The host's run.
        agents: The host's larvae.
        larvae: Their ids.
        groups: The group that each belongs to.
        models: The model of each: the name under which the host has stored it, or else that of its group.
        memories: The memory of each; None for one without, or with one of the host's own.
        dt_s: A tick, s.
        duration_s: How long the run is to last, s; None if nothing says so.
        seed: Of the host's chance; None where the host does not say.
        experiment: Name of the experiment.
        generation: Which generation of a genetic algorithm this is, from 1; None in any other run.
    """

    run: Any
    agents: tuple[Any, ...]
    larvae: tuple[str, ...]
    groups: tuple[str, ...]
    models: tuple[str, ...]
    memories: tuple[Any, ...]
    dt_s: float
    duration_s: float | None
    seed: int | None
    experiment: str
    generation: int | None


@dataclass(frozen=True, eq=False)
class TickLived:
    """All larvae have lived through a tick.

    Attributes:
        run: The host's run.
        tick: How many ticks they have lived through.
        time_s: How long they have lived, s.
    """

    run: Any
    tick: int
    time_s: float


@dataclass(frozen=True, eq=False)
class RunEnded:
    """The larvae have come to the end of their run.

    Attributes:
        run: The host's run.
        complete: Whether it came to its own end; not if an error, Ctrl-C or a closed screen ended it.
    """

    run: Any
    complete: bool


Event: TypeAlias = RunBegan | TickLived | RunEnded
Listener: TypeAlias = Callable[[Event], object]
"""Is told of every event; what it returns is not looked at, and what it raises ends the run. It draws nothing from the
host's random generators and changes nothing: tracks are the same to the last bit, watched or not."""
