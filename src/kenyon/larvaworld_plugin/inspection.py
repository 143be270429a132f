"""Which memory each larva of a run really has: the host says nothing when it builds none, or one of its own."""

from dataclasses import dataclass
from typing import Any

from kenyon.errors import MismatchError
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
    agents = list(getattr(run, "agents", ()))
    if not agents:
        raise MismatchError(
            "a run of Larvaworld must have larvae to be looked at, got none; they are built when it starts"
        )
    findings = [_look_at(agent) for agent in agents]
    if require:
        lacking = [finding for finding in findings if not finding.ours or finding.reason]
        if lacking:
            first = lacking[0]
            who = first.larva if len(lacking) == 1 else f"{first.larva} and {len(lacking) - 1} more"
            raise MismatchError(
                f"every larva must have a memory of Kenyon's that can learn, got otherwise for {who}: {first.reason}"
            )
    return findings


def memories(run: Any) -> list[Any]:
    """Return the memory of each larva of a run, in their order; None where there is none."""
    return [_memory(agent) for agent in run.agents]


def _look_at(agent: Any) -> MemoryFinding:
    configuration = _configuration(agent)
    asked = None if configuration is None else f"{configuration['mode']} for {configuration['modality']}"
    memory = _memory(agent)
    name = None if memory is None else type(memory).__name__
    ours = isinstance(memory, Memory)
    if asked is None:
        reason = "its model asks for no memory; choose one that does"
    elif ours and memory.stimuli:
        reason = ""
    elif ours:
        what = {"olfaction": "the arena has no odor", "touch": "its model has no touch sensors"}
        reason = f"{asked} must have something to sense, but {what[memory.modality]}; choose another"
    elif memory is not None:
        reason = f"{asked} is one of the host's own; call kenyon.larvaworld_plugin.register() before the run starts"
    elif configuration is not None and agent.brain.modalities[configuration["modality"]]["sensor"] is None:
        needed = {"olfaction": "an olfactor", "touch": "a toucher"}.get(configuration["modality"], "a sensor")
        reason = f"{asked} needs {needed}, and its model has none"
    else:
        reason = f"the host knows no memory for {asked}"
    return MemoryFinding(str(agent.unique_id), str(agent.group), asked, name, ours, reason)


def _memory(agent: Any) -> Any:
    """Return the memory of a larva, of whatever modality; None where it has none."""
    held = [place["mem"] for place in agent.brain.modalities.values()]
    return next((memory for memory in held if memory is not None), None)


def _configuration(agent: Any) -> Any:
    """Return what the model of a larva says of its memory."""
    group = agent.model.p.larva_groups[agent.group]
    model = group.model
    if isinstance(model, str):
        from larvaworld.lib import reg

        model = reg.conf.Model.getID(model)
    return model.brain.memory
