"""A run of Larvaworld, told to a page: larvae that move among odors and food, and what they make of them."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from kenyon.larvaworld_plugin import sampling
from kenyon.larvaworld_plugin.arena import arena_of, sources_of
from kenyon.larvaworld_plugin.events import Event, RunBegan, RunEnded, TickLived
from kenyon.larvaworld_plugin.hearing import Heard, Hearing, hearings, rates_hz
from kenyon.live.messages import (
    NO_CELLS_OF_TABLES,
    VERSION,
    Numbers,
    cell_groups,
    cells,
    given,
    rounded,
    source_row,
)
from kenyon.live.telling import Telling
from kenyon.memory import MushroomBodyMemory, RLmemory
from kenyon.memory.mushroom_body import MBmemory
from kenyon.mushroom_body.circuit import GROUPS

_LEAST_BETWEEN_S: Final = 0.04
"""Of the clock on the wall: a screen shows no more frames."""


class ArenaSource:
    """Listens to a run of the host, and tells what happens.

    Args:
        stream: Where it is told.
        every_s: Time between two frames, in the larvae's own time, s.
    """

    def __init__(self, stream: Telling, every_s: float = 1.0) -> None:
        self._stream, self._every_s = stream, every_s
        self._began: RunBegan | None = None
        self._hearings: list[Hearing | None] = []
        self._stimuli: list[str] = []
        self._sources: list[dict[str, Any]] = []
        self._tables: dict[int, bytes] = {}
        self._time_s, self._every, self._not_before_s, self._looked_s = 0.0, 1, 0.0, -1.0

    def __call__(self, event: Event) -> None:
        """Hear of an event."""
        if isinstance(event, RunBegan):
            self._begin(event)
        elif isinstance(event, TickLived):
            self._time_s = event.time_s
            if event.tick % self._every == 0 and time.monotonic() >= self._not_before_s:
                self._not_before_s = time.monotonic() + _LEAST_BETWEEN_S
                self._look()
        elif isinstance(event, RunEnded):
            self.end(complete=event.complete)

    def end(self, *, complete: bool = False) -> None:
        """Say that no more will come, unless that was said."""
        if self._began is None:
            return
        if complete and self._looked_s != self._time_s:
            self._look()
        for hearing in self._hearings:
            if hearing is not None:
                hearing.end()
        self._began = None
        self._stream.say({"kind": "ended", "t_s": round(self._time_s, 3), "complete": complete, "learned": None})

    def _begin(self, event: RunBegan) -> None:
        self._began, self._time_s, self._tables = event, 0.0, {}
        self._every = max(1, round(self._every_s / event.dt_s))
        self._not_before_s = 0.0
        self._hearings = hearings(event.memories)
        self._stimuli, self._sources = sampling.stimuli_of(event.memories), sources(event.run)
        self._stream.say(self._begun(event))
        self._look()

    def _begun(self, event: RunBegan) -> Mapping[str, Any]:
        arena = arena_of(event.run)
        shown = {
            "experiment": event.experiment,
            "model": ", ".join(dict.fromkeys(event.models)),
            "larvae": str(len(event.larvae)),
            "seed": "not said" if event.seed is None else str(event.seed),
        }
        first = next((memory for memory in event.memories if memory is not None), None)
        if isinstance(first, MushroomBodyMemory):
            shown |= {"parameters": first.parameters, "wiring": first.wiring}
        hearing = next((hearing for hearing in self._hearings if hearing is not None), None)
        return {
            "kind": "begun",
            "version": VERSION,
            "world": "arena",
            "title": f"{event.experiment}, {len(event.larvae)} {shown['model']}",
            "run": shown,
            "larvae": list(event.larvae),
            "groups": list(event.groups),
            "spans": {},
            "stimuli": self._stimuli,
            "memory": memory_words(first),
            "colour": _colour(event.memories, self._stimuli),
            "arena": {
                "shape": arena.shape,
                "width_m": round(arena.width_m, 4),
                "height_m": round(arena.height_m, 4),
            },
            "sources": self._sources,
            "cells": None if hearing is None else cell_groups(hearing.layout),
            "no_cells": no_cells(first) if hearing is None else None,
            "timeline": [],
            "duration_s": event.duration_s,
            "dt_s": event.dt_s,
        }

    def _look(self) -> None:
        event = self._began
        if event is None:
            return
        self._looked_s = self._time_s
        chosen = self._stream.chosen
        heard: list[Heard | None] = []
        for place, hearing in enumerate(self._hearings):
            heard.append(None if hearing is None else hearing.take())
            if hearing is not None:
                self._tell_cells(place, event.memories[place], heard[-1])
                hearing.look(spikes=place in chosen)
        self._stream.say(self._frame(event, heard))
        for place in chosen:
            if place < len(event.memories) and isinstance(event.memories[place], RLmemory):
                self._tell_table(place, event.memories[place])

    def _frame(self, event: RunBegan, heard: Sequence[Heard | None]) -> Mapping[str, Any]:
        position = sampling.positions(event.agents)
        stimuli = sampling.stimuli_of(event.memories)
        gains = sampling.gains(event.memories, stimuli)
        now = sources(event.run)
        frame = {
            "kind": "frame",
            "t_s": round(self._time_s, 3),
            "x": rounded(position[:, 0], 5),
            "y": rounded(position[:, 1], 5),
            "heading": rounded(sampling.headings(event.agents), 2),
            "on_food": sampling.on_food(event.agents).astype(int).tolist(),
            "gain": {name: rounded(gains[:, i], 2) for i, name in enumerate(stimuli)},
            "preference": None,
            "rates": _rates(heard),
            "given": given(now),
        }
        if now != self._sources:
            self._sources = now
            frame["sources"] = now
        return frame

    def _tell_cells(self, place: int, memory: MushroomBodyMemory, heard: Heard | None) -> None:
        if heard is not None and heard.spikes is not None and heard.lived_s > 0.0:
            state, here = memory.population.state, memory.place
            weights = state.w_kc_mbonp_nS[here], state.w_kc_mbonn_nS[here]
            told = cells(place, heard.from_s, heard.lived_s, heard.counts, heard.spikes, heard.dt_ms, weights)
            self._stream.say(told)

    def _tell_table(self, place: int, memory: RLmemory) -> None:
        held = memory.q_table.tobytes()
        if self._tables.get(place) != held:
            self._tables[place] = held
            self._stream.say(table(place, self._time_s, memory))


def _rates(heard: Sequence[Heard | None]) -> dict[str, Numbers] | None:
    if all(own is None for own in heard):
        return None
    return {name: rounded(rates, 1) for name, rates in zip(GROUPS, rates_hz(heard).T, strict=True)}


def sources(run: Any) -> list[dict[str, Any]]:
    """Return what can be smelled or eaten in a run now, as `messages.Frame` has it."""
    return [source_row(source._asdict()) for source in sources_of(run)]


def table(place: int, time_s: float, memory: RLmemory) -> dict[str, Any]:
    """Return what a Q-learner thinks of each gain of each stimulus, the mean over all that it has for the others.

    Args:
        place: Of the larva, among all.
        time_s: When.
        memory: What it learns with.

    Example:
        >>> table(0, 0.0, RLmemory(gain={"Odor": 0.0}))["actions"]
        ['-300', '-50', '50', '300']
    """
    q = memory.q_table if memory.q_table.ndim == 3 else memory.q_table[None]
    levels, actions = memory.state_space, np.array(memory.actions)
    names, rows = [], []
    for number, stimulus in enumerate(memory.stimuli):
        own, column = (q[number], 0) if len(q) > 1 else (q[0], number)
        for level in range(int(levels.max(initial=0)) + 1):
            here = own[levels[:, column] == level]
            rows.append([here[:, actions[:, column] == gain].mean() for gain in memory.gain_space])
            names.append(f"{stimulus}{_change(level, memory.state_spacePerSide)}")
    return {
        "kind": "table",
        "larva": place,
        "t_s": round(time_s, 3),
        "states": names,
        "actions": [f"{gain:g}" for gain in memory.gain_space],
        "q": [rounded(row, 4) for row in rows],
    }


def _change(level: int, per_side: int) -> str:
    """Return in words how a stimulus changes, at a level."""
    change = level - per_side
    if per_side == 0:
        return ""
    words = "steady" if change == 0 else "rises" if change > 0 else "falls"
    return f" {words}{f' {abs(change)}' if change and per_side > 1 else ''}"


def memory_words(memory: Any) -> str:
    """Return what larvae learn with, in words."""
    if isinstance(memory, MBmemory):
        return "mushroom body"
    if isinstance(memory, RLmemory):
        return "Q-learning"
    return "none" if memory is None else type(memory).__name__


def no_cells(memory: Any) -> str:
    """Return why there are no cells to see."""
    if isinstance(memory, MushroomBodyMemory):
        return "These larvae learn no more: their circuits stand still."
    if isinstance(memory, MBmemory):
        return "The circuits of these larvae live on a server; `kenyon serve --watch` shows them there."
    if isinstance(memory, RLmemory):
        return NO_CELLS_OF_TABLES
    return "These larvae have no memory."


def _colour(memories: Sequence[Any], stimuli: Sequence[str]) -> dict[str, Any]:
    """Return what larvae are coloured by: the gain of the first stimulus, from full repulsion to full attraction."""
    full = round(sampling.full_gain(memories), 3)
    return {"by": "gain", "stimulus": next(iter(stimuli), None), "low": -full, "high": full}
