"""Larvae on a model server, told to a page: they come when somebody asks for them, and only their circuits are here.

The server is told nothing and waits for nothing: what is heard of it goes into a queue of bounded length, and a thread
of the page's own makes messages of it. Time is that of the larvae; it stands still while nobody asks for a step.
"""

import json
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from kenyon.live.messages import VERSION, cell_groups, rounded
from kenyon.live.relived import relived, relived_cells
from kenyon.live.telling import Telling
from kenyon.mushroom_body import Snapshot, drive
from kenyon.mushroom_body.odors import Odor
from kenyon.mushroom_body.state import layout_of_packed
from kenyon.server.events import StepDone
from kenyon.server.life import Ids
from kenyon.server.requests import name_of
from kenyon.server.settings import Settings
from kenyon.server.timelines import READOUTS, as_snapshot
from kenyon.words import clean

MOST_LARVAE: Final = 500
"""That a page has room for; further ones are not shown."""

_EVERY_S: Final = 0.25
_MOST_HEARD: Final = 20_000
_MOST_RELIVED: Final = 40
"""Steps of a larva that are lived through once more for one frame."""


class ServedSource:
    """Listens to a server, and tells what happens.

    Args:
        settings: Of the server.
        stream: Where it is told.
    """

    def __init__(self, settings: Settings, stream: Telling) -> None:
        self._settings, self._stream = settings, stream
        self._heard: deque[StepDone] = deque(maxlen=_MOST_HEARD)
        self._over = threading.Event()
        self._places: dict[Ids, int] = {}
        self._preference: dict[str, list[float | None]] = {}
        self._now_s = 0.0
        self._began = False
        self._thread = threading.Thread(target=self._work, name="kenyon-page-server", daemon=True)
        self._thread.start()

    def __call__(self, event: StepDone) -> None:
        """Hear of a step, at once; circuits are kept only of larvae that somebody looks at, for they are large."""
        looked_at = not self._began or self._places.get(event.ids) in self._stream.chosen
        self._heard.append(event if looked_at else replace(event, before=None, after=b""))

    def end(self, *, complete: bool = True) -> None:
        """Say that no more will come, unless that was said."""
        if self._over.is_set():
            return
        self._over.set()
        self._thread.join()
        self._tell()
        if not self._began:
            return
        learned = {name: self._padded(values) for name, values in self._preference.items()}
        self._stream.say({"kind": "ended", "t_s": round(self._now_s, 3), "complete": complete, "learned": learned})

    def _work(self) -> None:
        while not self._over.wait(_EVERY_S):
            self._tell()

    def _tell(self) -> None:
        """Make messages of what was heard since the last time."""
        heard = [self._heard.popleft() for _ in range(len(self._heard))]
        if not heard:
            return
        if not self._began:
            self._began = True
            self._stream.say(self._begun(heard[0]))
        by_place: dict[int, list[StepDone]] = {}
        for event in self._welcomed(heard):
            by_place.setdefault(self._places[event.ids], []).append(event)
        lived_s = {place: sum(event.asked.duration_ms for event in own) * 1e-3 for place, own in by_place.items()}
        self._now_s += max(lived_s.values(), default=0.0)
        for place, own in by_place.items():
            self._take_answers(place, own)
            if place in self._stream.chosen:
                self._relive(place, own[-_MOST_RELIVED:])
        self._stream.say(self._frame({place: own[-1] for place, own in by_place.items()}))

    def _welcomed(self, heard: Sequence[StepDone]) -> list[StepDone]:
        """Return the steps of larvae that are shown, after those who are new were introduced."""
        known = len(self._places)
        for event in heard:
            if event.ids not in self._places and len(self._places) < MOST_LARVAE:
                self._places[event.ids] = len(self._places)
        new = list(self._places)[known:]
        if new:
            names = [(f"{clean(str(larva), 40)}", clean(str(simulation), 40)) for simulation, larva in new]
            larvae, groups = (list(own) for own in zip(*names, strict=True))
            self._stream.say({"kind": "joined", "larvae": larvae, "groups": groups})
        return [event for event in heard if event.ids in self._places]

    def _take_answers(self, place: int, events: Sequence[StepDone]) -> None:
        """Take note of what a larva answered to an odor alone."""
        for event in events:
            said = json.loads(event.reply) if event.asked.probe or event is events[-1] else {}
            alone = [odor for odor, concentration in event.asked.odors.items() if concentration > 0.0]
            answers = {name: own["preference_index"] for name, own in said.get("probes", {}).items()}
            if said and not answers and len(alone) == 1:
                answers = {name_of(alone[0]): said["preference_index"]}
            for name, index in answers.items():
                values = self._preference.setdefault(name, [])
                values += [None] * (len(self._places) - len(values))
                values[place] = round(float(index), 3)

    def _relive(self, place: int, events: Sequence[StepDone]) -> None:
        """Tell what the cells of a larva did in some steps, one after the other, the last of which has just ended."""
        from_s = self._now_s - sum(event.asked.duration_ms for event in events) * 1e-3
        for event in events:
            asked = event.asked
            if event.before is not None:  # Of another nobody knows what it was before.
                before = self._snapshot(event.seed, event.before)
                given = drive(before.parameters, dict(asked.odors), reward=asked.reward, punishment=asked.punishment)
                activity, _ = relived(before, given, asked.duration_ms)
                self._stream.say(relived_cells(place, from_s, activity, self._snapshot(event.seed, event.after)))
            from_s += asked.duration_ms * 1e-3

    def _snapshot(self, seed: int, larva: bytes) -> Snapshot:
        return as_snapshot(self._settings.parameters, seed, larva)

    def _begun(self, event: StepDone) -> dict[str, Any]:
        settings = self._settings
        return {
            "kind": "begun",
            "version": VERSION,
            "world": "server",
            "title": "larvae on a model server",
            "run": {
                "parameters": settings.parameters.description,
                "engine": settings.engine,
                "seed": str(settings.seed),
                "wiring": settings.wiring,
            },
            "larvae": [],
            "groups": [],
            "spans": {},
            "stimuli": [odor.name if isinstance(odor, Odor) else str(odor) for odor in settings.odors],
            "memory": "mushroom body",
            "colour": {"by": "preference index", "stimulus": None, "low": -1, "high": 1},
            "arena": None,
            "sources": [],
            "cells": cell_groups(layout_of_packed(event.after)),
            "no_cells": None,
            "timeline": [],
            "duration_s": None,
            "dt_s": None,
        }

    def _frame(self, last: dict[int, StepDone]) -> dict[str, Any]:
        rates = {group: np.full(len(self._places), np.nan) for group in READOUTS.values()}
        for place, event in last.items():
            said = json.loads(event.reply)
            for name, group in READOUTS.items():
                own = said.get("ORN_rate", said.get(name)) if group == "ORN" else said.get(name)
                rates[group][place] = np.nan if own is None else own
        return {
            "kind": "frame",
            "t_s": round(self._now_s, 3),
            "x": None,
            "y": None,
            "heading": None,
            "on_food": None,
            "gain": {},
            "preference": {name: self._padded(values) for name, values in self._preference.items()},
            "rates": {group: rounded(values, 1) for group, values in rates.items()},
            "given": None,
        }

    def _padded(self, values: Sequence[float | None]) -> list[float | None]:
        return [*values, *[None] * (len(self._places) - len(values))]
