"""One run of the host, watched from its first tick to its last, as a dataset that says how it was made."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon.conditioning import origin
from kenyon.larvaworld_plugin import host, inspection, sampling
from kenyon.larvaworld_plugin.arena import SourceLog
from kenyon.larvaworld_plugin.beginning import Beginning
from kenyon.larvaworld_plugin.memories import option_coordinates
from kenyon.larvaworld_plugin.memory_files import odor_contents, odors_of
from kenyon.larvaworld_plugin.plan import Plan
from kenyon.memory.mushroom_body import MBmemory
from kenyon.provenance import run_id, versions

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

FORMAT = "kenyon larvaworld run"
FORMAT_VERSION = 2

_SIGN_EVERY = 10
"""Ticks between two signs of progress."""


class _Sample(NamedTuple):
    """What B larvae did at a moment.

    Attributes:
        time_s: When, s.
        position: [B, 2] float64, m.
        heading: [B] float64, rad.
        on_food: [B] bool.
        stimuli: Those that memories knew of.
        gain: [B, O] float64, of these.
    """

    time_s: float
    position: NDArray[np.float64]
    heading: NDArray[np.float64]
    on_food: NDArray[np.bool_]
    stimuli: list[str]
    gain: NDArray[np.float64]

    def gains_of(self, stimuli: list[str]) -> NDArray[np.float64]:
        """Return the gain of each of some stimuli: [B, O] float64, nan of those that nobody knew of yet."""
        known = dict(zip(self.stimuli, self.gain.T, strict=True))
        unknown = np.full(len(self.gain), np.nan)
        return np.array([known.get(name, unknown) for name in stimuli]).reshape(len(stimuli), -1).T


class Observer:
    """Sees a run from its first tick to its last.

    Args:
        plan: What it is to be.
        every: Ticks between two samples.
        done: Called with how many ticks more have been done.
        contents: What the host has stored under the names of experiment and model.
    """

    def __init__(self, plan: Plan, every: int, done: Callable[[float], None], contents: list[str]) -> None:
        self._plan, self._every, self._done, self._contents = plan, every, done, contents
        self._after_tick: Callable[[], None] | None = None
        self._samples: list[_Sample] = []
        self._sides: dict[str, str] = {}
        self._sources = SourceLog()
        self.memories: list[Any] = []

    def begin(self, run: Any) -> None:
        """Look at larvae that have just been built."""
        self.memories = inspection.memories(run)
        self._sides = _sides(run)
        if self._plan.script is not None:
            self._after_tick = self._plan.script(run)
        self._sources.look(run, 0.0)

    def look(self, run: Any) -> None:
        """Take a sample, if it is time."""
        if self._after_tick is not None:
            self._after_tick()
        if run.t % self._every == 0 or not run.running:
            self._samples.append(_sample(run.t * run.dt, run.agents, self.memories))
            self._sources.look(run, run.t * run.dt)
        if run.t % _SIGN_EVERY == 0:
            self._done(_SIGN_EVERY)

    def dataset(self, run: Any, minutes: float) -> "xarray.Dataset":
        """Return what was seen."""
        import xarray
        from larvaworld.lib import util

        samples, stimuli = self._samples, self._samples[-1].stimuli
        gain = np.stack([sample.gains_of(stimuli) for sample in samples], axis=1)
        x, y = np.stack([sample.position for sample in samples], axis=1).transpose(2, 0, 1)
        width_m = run.space.dims[0]
        index = [float(util.comp_PI(arena_xdim=width_m, xs=column)) for column in x.T]
        kind, plan = self.memories[0], self._plan
        in_the_end = _sides(run)
        sides = {name: side for name, side in self._sides.items() if in_the_end.get(name) == side}
        stated = self._stated(minutes, run.begins_with)
        return xarray.Dataset(
            {
                "gain": (("larva", "time", "stimulus"), gain),
                "x": (("larva", "time"), x, {"units": "m"}),
                "y": (("larva", "time"), y, {"units": "m"}),
                "heading": (
                    ("larva", "time"),
                    np.stack([sample.heading for sample in samples], axis=1),
                    {"units": "rad", "long_name": "where the head points, counterclockwise from the x axis"},
                ),
                "on_food": (("larva", "time"), np.stack([sample.on_food for sample in samples], axis=1)),
                "preference_index": (
                    "time",
                    index,
                    {"long_name": "(larvae in the left part - in the right part) / all, Larvaworld's own"},
                ),
                "learned": (("larva", "stimulus"), sampling.learned(self.memories, stimuli)),
                **origin.run_variable("larva", stated["run_id"], plan.larvae),
            },
            coords={
                "larva": [str(agent.unique_id) for agent in run.agents],
                "time": ("time", np.array([sample.time_s for sample in samples]), {"units": "s"}),
                "stimulus": stimuli,
                "stimulus_side": ("stimulus", [sides.get(name, "") for name in stimuli]),
                **stated,
                **self._sources.coordinates(run),
                "learned_is": _meaning(kind),
            },
            attrs={"format": FORMAT, "format_version": FORMAT_VERSION},
        )

    def _stated(self, minutes: float, begins_with: Beginning) -> dict[str, Any]:
        """Return all that made this run, each without dimensions, and first the id of all of it."""
        plan, kind = self._plan, self.memories[0]
        odors = odors_of(self.memories)
        files, files_sha256 = begins_with.said()
        numbers = {
            "experiment": plan.experiment,
            "model": plan.model,
            "larvae": plan.larvae,
            "minutes": minutes,
            "every_s": plan.every_s,
            "seed": str(plan.seed),
            "memories_sha256": files_sha256,
            **option_coordinates(kind),
            "larvaworld": host.version(),
        }
        identity = {
            "kind": FORMAT,
            **{name: value for name, value in numbers.items() if name not in CHANGES_NO_NUMBER},
            "stored": self._contents,
            "odors": odor_contents(odors),
            "script": None if plan.script is None else getattr(plan.script, "__qualname__", type(plan.script).__name__),
        }
        return {
            "run_id": run_id(identity),
            **numbers,
            "memories": files,
            "memory": type(kind).__name__,
            "odors": json.dumps(odors),
            "versions": json.dumps({**versions(), "larvaworld": host.version()}),
        }


CHANGES_NO_NUMBER = tuple(
    f"memory.{name}"
    for name in ("engine", "shared", "server_host", "server_port", "unix_path", "tls_ca", "timeout_s", "on_failure",
                 "odors")
)  # fmt: skip
"""Options that say where and how is computed, and names of odors, of which the contents count."""


def _sides(run: Any) -> dict[str, str]:
    """Return for each odor on which side of the arena all of its sources are, "left" or "right"; else it is not there.

    The host's preference index compares these sides, without what lies within a tenth of the width from the middle.
    """
    places: dict[str, set[str]] = {}
    middle = 0.1 * run.space.dims[0]
    for source in run.sources:
        x = float(source.get_position()[0])
        side = "left" if x <= -middle else "right" if x >= middle else ""
        places.setdefault(source.odor.id, set()).add(side)
    return {odor: side for odor, (side, *others) in places.items() if side and not others}


def _sample(time_s: float, agents: Any, memories: list[Any]) -> _Sample:
    stimuli = sampling.stimuli_of(memories)
    where, heading = sampling.positions(agents), sampling.headings(agents)
    return _Sample(time_s, where, heading, sampling.on_food(agents), stimuli, sampling.gains(memories, stimuli))


def _meaning(memory: Any) -> str:
    if isinstance(memory, MBmemory):
        return "preference index of the output neurons, (MBONp - MBONn) / (MBONp + MBONn), asked in the end"
    return "best gain on average over states"
