"""Which memory each larva of a run really has: the host says nothing when it builds none, or one of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kenyon import checks
from kenyon.errors import MismatchError
from kenyon.larvaworld_plugin import host
from kenyon.memory.base import Memory

NENGO = (
    "Larvaworld's NengoBrain gives its larva no sensor and steps no memory; it needs the package nengo, and with that "
    "(4.1.0 was tried) it sets a read-only attribute and cannot be built"
)
"""Why a larva with such a brain cannot learn."""


@dataclass(frozen=True)
class MemoryFinding:
    """What was found in one larva.

    Attributes:
        larva: Its id.
        group: The group it belongs to.
        configured: What its model asks for, such as "MB for olfaction"; None where it asks for no memory.
        memory: The class of the memory that is active; None where there is none.
        ours: Whether that is one of Kenyon's.
        reason: Why it cannot learn; empty where it can.
    """

    larva: str
    group: str
    configured: str | None
    memory: str | None
    ours: bool
    reason: str


def check(run: Any, *, require: bool = False) -> list[MemoryFinding]:
    """Return for every larva of a run which memory is really active.

    Args:
        run: A run of the host whose larvae have been built, that is, from its first tick on.
        require: Refuse a run in which a larva has no memory of ours, or one with nothing to sense.

    Raises:
        MismatchError: the run has no larvae yet, or, with `require`, one of them has no memory of ours.
    """
    found = findings(run)
    if not found:
        raise MismatchError(
            "a run of Larvaworld must have larvae to be looked at, got none; they are built when it starts"
        )
    lacking = [finding for finding in found if not finding.ours or finding.reason]
    if require and lacking:
        who = named([finding.larva for finding in lacking])
        raise MismatchError(
            f"every larva must have a memory of Kenyon's that can learn, got otherwise for {who}: {lacking[0].reason}"
        )
    return found


def findings(run: Any) -> list[MemoryFinding]:
    """Return for every larva that a run has by now which memory is really active."""
    return [_look_at(agent) for agent in getattr(run, "agents", ())]


def named(larvae: Sequence[str]) -> str:
    """Return how several larvae are named in a sentence.

    Example:
        >>> named(["Larva_0", "Larva_1", "Larva_2"])
        'Larva_0 and 2 more'
    """
    return larvae[0] if len(larvae) == 1 else f"{larvae[0]} and {len(larvae) - 1} more"


def memories(run: Any) -> list[Any]:
    """Return the memory of each larva of a run, in their order; None where there is none."""
    return [memory(agent) for agent in run.agents]


def memory(agent: Any) -> Any:
    """Return the memory of a larva, of whatever modality; None where it has none."""
    modalities = getattr(getattr(agent, "brain", None), "modalities", {})
    held = [place["mem"] for place in modalities.values()]
    return next((memory for memory in held if memory is not None), None)


def group_name(agent: Any) -> str:
    """Return the name of a larva's group; "" for one without, as in a genetic algorithm."""
    return str(getattr(agent, "group", ""))


def model_name(agent: Any) -> str | None:
    """Return the name of the stored model that a larva is of; None where its run has been given a model by value."""
    model = _model(agent)
    return model if isinstance(model, str) else None


def _look_at(agent: Any) -> MemoryFinding:
    configuration = _configuration(agent)
    asked = None if configuration is None else f"{configuration.get('mode')} for {configuration.get('modality')}"
    active = memory(agent)
    ours = isinstance(active, Memory)
    if asked is None:
        reason = "its model asks for no memory; choose one that does"
    elif ours and active.stimuli:
        reason = ""
    elif ours:
        what = {"olfaction": "the arena has no odor", "touch": "its model has no touch sensors"}
        reason = f"{asked} must have something to sense, but {what[active.modality]}; choose another"
    elif active is not None:
        reason = f"{asked} is one of the host's own; call kenyon.larvaworld_plugin.register() before the run starts"
    else:
        reason = _why_none(agent, configuration, asked)
    name = None if active is None else type(active).__name__
    return MemoryFinding(str(agent.unique_id), group_name(agent), asked, name, ours, reason)


def _why_none(agent: Any, configuration: Any, asked: str) -> str:
    """Return why the host has built no memory for a larva whose model asks for one."""
    mode, modality = configuration.get("mode"), configuration.get("modality")
    known: Any = host.memory_table()[0]
    if mode not in known:
        return f"the host knows no memory for {asked}, and passes over it; {checks.nearest(mode, known)}"
    if modality not in known[mode]:
        return f"the host knows no memory for {asked}, and passes over it; {checks.nearest(modality, known[mode])}"
    if getattr(agent.brain, "modalities", None) is None:
        return NENGO
    needed = {"olfaction": "an olfactor", "touch": "a toucher"}.get(modality, "a sensor")
    return f"{asked} needs {needed}, and its model has none"


def _configuration(agent: Any) -> Any:
    """Return what the model of a larva says of its memory; None where it asks for none."""
    model = _model(agent)
    if isinstance(model, str):
        from larvaworld.lib import reg

        model = reg.conf.Model.getID(model)
    return None if model is None else model.brain.get("memory")


def _model(agent: Any) -> Any:
    """Return the model that a larva was built from, by name or by value; None where nothing says it."""
    genome = getattr(agent, "genome", None)
    if genome is not None:
        return genome.mConf
    groups = agent.model.p.get("larva_groups") or {}
    name = group_name(agent)
    return next((group.model for key, group in groups.items() if name in _names(key, group)), None)


def _names(key: str, group: Any) -> tuple[str, ...]:
    """Return how the larvae of a group may call it: by its id, or, without one, by its model, whatever its key is."""
    own = group.get("group_id")
    if own is not None:
        return (str(own),)
    return (key, group.model if isinstance(group.model, str) else "LarvaGroup")
