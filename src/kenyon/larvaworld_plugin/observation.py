"""What larvae of a run of the host did from their first tick to their last, as a dataset that says how it was made."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon.conditioning import origin
from kenyon.errors import MismatchError
from kenyon.larvaworld_plugin import host, registration, sampling
from kenyon.larvaworld_plugin.arena import SourceLog, all_sources
from kenyon.larvaworld_plugin.events import RunBegan, TickLived
from kenyon.larvaworld_plugin.memories import option_coordinates
from kenyon.larvaworld_plugin.memory_files import odor_contents, odors_of
from kenyon.memory.mushroom_body import MBmemory
from kenyon.provenance import run_id, versions

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

FORMAT = "kenyon larvaworld run"
FORMAT_VERSION = 2

CHANGES_NO_NUMBER = tuple(
    f"memory.{name}"
    for name in ("engine", "shared", "server_host", "server_port", "unix_path", "tls_ca", "timeout_s", "on_failure",
                 "odors")
)  # fmt: skip
"""Options that say where and how is computed, and names of odors, of which the contents count."""

_SAID = ("odors", "memories", "memory", "learned_is", "versions")
"""Coordinates that say what something is called of which the contents count."""


class Record:
    """What was seen of larvae from their first tick on.

    Args:
        began: The larvae.
        every_s: Time between two samples, s.
        script: What is done to them besides, by a name.
    """

    def __init__(self, began: RunBegan, every_s: float, script: str | None = None) -> None:
        self.began, self.every_s, self._script = began, every_s, script
        self.complete = False
        self._every = max(1, round(every_s / began.dt_s))
        self._configuration = host.written_of(began.run, _learners(began))
        self._sides = self._sides_in_the_end = _sides(began.run)
        self._width_m = float(began.run.space.dims[0])
        self._minutes = began.run.duration
        self._began_with = registration.beginning_of(began.run).said()
        self._sources = SourceLog()
        self._sources.look(began.run, 0.0)
        self._now = 0
        self._samples: list[_Sample] = []
        self._learned: tuple[int, NDArray[np.float64]] | None = None

    def look(self, event: TickLived) -> None:
        """Take a sample, if it is time."""
        self._now = event.tick
        if event.tick % self._every == 0:
            self._sample()

    def end(self, *, complete: bool) -> None:
        """Take the last sample, unless the last tick was not lived through by all."""
        self.complete = complete
        if complete and self._now and (not self._samples or self._samples[-1].tick != self._now):
            self._sample()
        self._sides_in_the_end = _sides(self.began.run)

    def dataset(self) -> "xarray.Dataset":
        """Return what was seen so far.

        Raises:
            MismatchError: nothing was.
        """
        import xarray
        from larvaworld.lib import util

        if not self._samples:
            raise MismatchError("larvae must have been seen for a while before there is a result, got none yet; run on")
        samples, memories, dt_s = self._samples, self.began.memories, self.began.dt_s
        stimuli = sampling.stimuli_of(memories)
        x, y = np.stack([sample.position for sample in samples], axis=1).transpose(2, 0, 1)
        index = [float(util.comp_PI(arena_xdim=self._width_m, xs=column)) for column in x.T]
        ticks = np.array([sample.tick for sample in samples])
        stated, own_run_id = self._stated(stimuli)
        return xarray.Dataset(
            {
                "gain": (
                    ("larva", "time", "stimulus"),
                    np.stack([sample.gains_of(stimuli) for sample in samples], axis=1),
                ),
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
                "learned": (("larva", "stimulus"), self._what_was_learned(stimuli)),
                **origin.run_variable("larva", own_run_id, len(memories)),
            },
            coords={
                "larva": list(self.began.larvae),
                "group": ("larva", list(self.began.groups)),
                "time": ("time", ticks * dt_s, {"units": "s"}),
                "step": ("time", ticks - 1, {"long_name": "Step of this sample in Larvaworld's own table"}),
                "stimulus": stimuli,
                "stimulus_side": ("stimulus", [self._side_of(name) for name in stimuli]),
                "run_id": own_run_id,
                **stated,
                **self._sources.coordinates(self.began.run),
            },
            attrs={"format": FORMAT, "format_version": FORMAT_VERSION},
        )

    def _sample(self) -> None:
        agents, memories = self.began.agents, self.began.memories
        self._sources.look(self.began.run, self._now * self.began.dt_s)
        stimuli = sampling.stimuli_of(memories)
        self._samples.append(
            _Sample(
                self._now,
                sampling.positions(agents),
                sampling.headings(agents),
                sampling.on_food(agents),
                stimuli,
                sampling.gains(memories, stimuli),
            )
        )

    def _what_was_learned(self, stimuli: Sequence[str]) -> NDArray[np.float64]:
        """Return what larvae have learned by now, [B, O]; they are asked once, for that takes a while."""
        if self._learned is None or self._learned[0] != self._now:
            self._learned = self._now, sampling.learned(self.began.memories, stimuli)
        return self._learned[1]

    def _side_of(self, stimulus: str) -> str:
        """Return the side of the arena on which an odor was all the time; "" if there is none."""
        side = self._sides.get(stimulus, "")
        return side if self._sides_in_the_end.get(stimulus) == side else ""

    def _stated(self, stimuli: Sequence[str]) -> tuple[dict[str, Any], str]:
        """Return all that made this run, and the id of all of it.

        What all larvae have alike is without dimensions, as in every result; what they differ in is along them, as if
        the results of each had been joined.
        """
        began = self.began
        memories, lived_min = began.memories, self._now * began.dt_s / 60
        files, files_sha256 = self._began_with
        odors = [odors_of([memory]) if memory is not None else {} for memory in memories]
        of_larvae = {
            "model": began.models,
            "memory": ["" if memory is None else type(memory).__name__ for memory in memories],
            "odors": [json.dumps(own) for own in odors],
            "learned_is": [_meaning(memory) for memory in memories],
            **_by_name([option_coordinates(memory) for memory in memories]),
        }
        stated = {
            "experiment": began.experiment,
            "larvae": len(memories),
            "minutes": lived_min if self._minutes is None else float(self._minutes),
            "every_s": self.every_s,
            "seed": "" if began.seed is None else str(began.seed),
            "complete": self.complete,
            "memories": files,
            "memories_sha256": files_sha256,
            "larvaworld": host.version(),
            "versions": json.dumps({**versions(), "larvaworld": host.version()}),
            **{name: _alike(values) for name, values in of_larvae.items()},
        }
        identity = {
            "kind": FORMAT,
            **{name: value for name, value in stated.items() if name not in (*CHANGES_NO_NUMBER, *_SAID)},
            "ticks": self._now,
            "generation": began.generation,
            "configuration": self._configuration,
            "odors": _alike([odor_contents(own) for own in odors]),
            "stimuli": stimuli,
            "script": self._script,
        }
        return stated, run_id(identity)


class _Sample(NamedTuple):
    """What B larvae did at a moment.

    Attributes:
        tick: How many ticks they had lived through.
        position: [B, 2] float64, m.
        heading: [B] float64, rad.
        on_food: [B] bool.
        stimuli: Those that memories knew of.
        gain: [B, O] float64, of these.
    """

    tick: int
    position: NDArray[np.float64]
    heading: NDArray[np.float64]
    on_food: NDArray[np.bool_]
    stimuli: list[str]
    gain: NDArray[np.float64]

    def gains_of(self, stimuli: Sequence[str]) -> NDArray[np.float64]:
        """Return the gain of each of some stimuli: [B, O] float64, nan of those that nobody knew of yet."""
        known = dict(zip(self.stimuli, self.gain.T, strict=True))
        unknown = np.full(len(self.gain), np.nan)
        return np.array([known.get(name, unknown) for name in stimuli]).reshape(len(stimuli), len(self.gain)).T


def _learners(began: RunBegan) -> set[str]:
    """Return the groups all of whose larvae have a memory of ours."""
    without = {group for group, memory in zip(began.groups, began.memories, strict=True) if memory is None}
    return set(began.groups) - without


def _sides(run: Any) -> dict[str, str]:
    """Return for each odor on which side of the arena all of its sources are, "left" or "right"; else it is not there.

    The host's preference index compares these sides, without what lies within a tenth of the width from the middle.
    """
    places: dict[str, set[str]] = {}
    middle = 0.1 * run.space.dims[0]
    for source in all_sources(run):
        x = float(source.get_position()[0])
        side = "left" if x <= -middle else "right" if x >= middle else ""
        places.setdefault(source.odor.id, set()).add(side)
    return {odor: side for odor, (side, *others) in places.items() if side and not others}


def _meaning(memory: Any) -> str:
    if memory is None:
        return ""
    if isinstance(memory, MBmemory):
        return "preference index of the output neurons, (MBONp - MBONn) / (MBONp + MBONn), asked in the end"
    return "best gain on average over states"


def _by_name(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return for each name the values that some mappings, all of the same names, have for it."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def _alike(values: Sequence[Any]) -> Any:
    """Return the value that all larvae have, or their values along the larvae."""
    first = values[0]
    both_absent = isinstance(first, float) and math.isnan(first)
    if all(value == first or (both_absent and value != value) for value in values):  # noqa: PLR0124  # nan
        return first
    return ("larva", list(values))
