"""What the larvae of a run begin with, whoever starts it: looked at as soon as the host has built them.

The host has one way by which runs of every kind build larvae, `place_agents`; there, before the first tick, memories
are filled from files, frozen, and missed where a model asks for one that is not there.
"""

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kenyon.errors import MismatchError, MissingMemoryWarning
from kenyon.larvaworld_plugin import inspection, memory_files
from kenyon.memory.base import Memory
from kenyon.words import shown

Files = Path | Mapping[str, Path]


@dataclass(frozen=True)
class Beginning:
    """What larvae begin with.

    Attributes:
        memories: File of what all larvae of a run have learned before, in their order, or one for each of some groups;
            None for naive larvae.
        frozen: Whether they follow what was learned, and learn no more; if not, their models say it.
        require: Whether a run is refused in which a larva cannot learn although its model asks for a memory; if not,
            such larvae are named in a warning.
    """

    memories: Files | None = None
    frozen: bool = False
    require: bool = False

    def give(self, run: Any) -> None:
        """Give it to larvae that have just been built.

        Raises:
            MismatchError: the memories are of another model, of other odors, or not as many; or a larva cannot learn,
                with `require`.
            InputError, FileFormatError: a file is not there any more, or damaged.
        """
        _miss(run, require=self.require)
        by_group = self.memories if isinstance(self.memories, Mapping) else {None: self.memories}
        filling = [(path, _learners(run, group), group) for group, path in by_group.items() if path is not None]
        for path, agents, group in filling:
            where = "" if group is None else f" in group {shown(group)}"
            memory_files.refuse_foreign(path, [inspection.model_name(agent) for agent in agents], where)
        for path, agents, _ in filling:
            memory_files.fill(path, [inspection.memory(agent) for agent in agents])
        if self.frozen:
            for agent in _learners(run, None):
                inspection.memory(agent).frozen = True

    def said(self) -> tuple[str, str]:
        """Return which files these are, and one SHA-256 of what they hold; both empty where there is none."""
        if self.memories is None:
            return "", ""
        if not isinstance(self.memories, Mapping):
            return str(self.memories), _sha256(self.memories.read_bytes())
        held = {group: _sha256(path.read_bytes()) for group, path in self.memories.items()}
        named = {group: str(path) for group, path in self.memories.items()}
        return json.dumps(named), _sha256(json.dumps(held, sort_keys=True).encode())


def attend(usual: Beginning) -> Callable[[], None]:
    """Let larvae of every run begin so, unless the run has a `begins_with` of its own; return what takes it back."""
    from larvaworld.lib.sim.base_run import BaseRun

    place = BaseRun.place_agents

    def place_agents(run: Any, confs: Any) -> None:
        place(run, confs)
        getattr(run, "begins_with", usual).give(run)

    def undo() -> None:
        BaseRun.place_agents = place

    BaseRun.place_agents = place_agents
    return undo


def _learners(run: Any, group: str | None) -> list[Any]:
    """Return the larvae with a memory of ours, of a group or of all, in their order.

    Raises:
        MismatchError: the run has no such group.
    """
    named = list(dict.fromkeys(inspection.group_name(agent) for agent in run.agents))
    if group is not None and group not in named:
        raise MismatchError(
            f"memories must be for groups of the run, {', '.join(map(shown, named))}, got {shown(group)}; name one of "
            f"these, or register with memories=FILE"
        )
    return [
        agent
        for agent in run.agents
        if group in (None, inspection.group_name(agent)) and isinstance(inspection.memory(agent), Memory)
    ]


def _miss(run: Any, *, require: bool) -> None:
    """Name the larvae that cannot learn although their model asks for a memory: in one warning, or in a refusal."""
    if getattr(run, "generation_num", 1) > 1:  # of a genetic algorithm, which has been told
        return
    by_reason: dict[str, list[str]] = {}
    for finding in inspection.findings(run):
        if finding.configured is not None and finding.reason:
            by_reason.setdefault(finding.reason, []).append(finding.larva)
    if not by_reason:
        return
    lacking = "; ".join(f"{inspection.named(larvae)}: {reason}" for reason, larvae in by_reason.items())
    words = f"every larva whose model asks for a memory must have one that can learn, got otherwise for {lacking}"
    if require:
        raise MismatchError(words)
    with warnings.catch_warnings():
        if _SILENCE in warnings.filters:
            warnings.filters.remove(_SILENCE)  # type: ignore[attr-defined]  # a list, whatever its type says
        warnings.warn(words, MissingMemoryWarning, stacklevel=2)


_SILENCE = ("ignore", None, Warning, None, 0)
"""The filter by which the host, when it is imported, silences every warning of the whole program."""


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
