"""An experiment in the circuit, told to a page: larvae that are given odors, reward and punishment, and are asked.

All groups of all designs stand on one page, and live one after the other.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kenyon.conditioning import Experiment, Group, Lived, Probe
from kenyon.conditioning.events import Answered, Event, GroupBegan, GroupEnded, PhaseBegan, SliceLived
from kenyon.conditioning.moments import Moments, mixture_words, moments
from kenyon.conditioning.phases import Element, name_of
from kenyon.errors import MismatchError
from kenyon.live.aside import Aside
from kenyon.live.messages import VERSION, Numbers, cell_groups, rounded
from kenyon.live.relived import alone, relived, relived_cells
from kenyon.live.telling import Telling
from kenyon.mushroom_body import Activity, Snapshot, drive
from kenyon.mushroom_body.circuit import GROUPS
from kenyon.mushroom_body.manipulated import under
from kenyon.words import shown

_MOST_SHOWN: Final = 2000
"""Phases and tests of a timeline that a page has room for."""


class CircuitSource:
    """Listens to experiments, whose events come one experiment after the other, and tells what happens.

    Args:
        experiments: One or more.
        stream: Where it is told.

    Raises:
        MismatchError: an event is of a group that is in none of them, or was over before.
    """

    def __init__(self, experiments: Sequence[Experiment], stream: Telling) -> None:
        self._stream, self._aside = stream, Aside()
        self._courses = _courses(experiments)
        self._stimuli = list(dict.fromkeys(name for own in self._courses for name in own.moments.names))
        larvae = sum(own.larvae for own in self._courses)
        self._preference = {name: np.full(larvae, np.nan) for name in self._stimuli}
        self._at: int | None = None
        self._ended = False
        self._phases: dict[int, Element] = {}
        self._before: Snapshot | None = None

    def __call__(self, event: Event) -> None:
        """Hear of an event."""
        course = self._course(event)
        if isinstance(event, PhaseBegan):
            self._phases = {**self._phases, event.number: event.element}
        elif isinstance(event, SliceLived):
            self._lived(course, event)
        elif isinstance(event, Answered):
            self._answered(course, event)
        elif isinstance(event, GroupEnded) and course is self._courses[-1]:
            self.end(complete=True)
        self._before = None if isinstance(event, GroupEnded) else course.experiment.larvae(event.group)

    def end(self, *, complete: bool = False) -> None:
        """Say that no more will come, unless that was said."""
        self._aside.finish()
        if self._at is None or self._ended:
            return
        self._ended = True
        course = self._courses[self._at]
        learned = {name: rounded(values, 3) for name, values in self._preference.items()}
        self._stream.say({"kind": "ended", "t_s": _s(course.now_s), "complete": complete, "learned": learned})

    def _course(self, event: Event) -> "_Course":
        """Return the course of the group that an event is of; the first event begins the page."""
        at = self._at
        if at is None or isinstance(event, GroupBegan) or self._courses[at].group.name != event.group:
            first = 0 if at is None else at + 1
            names = [own.group.name for own in self._courses[first:]]
            if event.group not in names:
                raise MismatchError(
                    f"an event must be of a group that the page was told of and that is to come, got "
                    f"{shown(event.group)}; pass every experiment to watch, in the order in which they run"
                )
            self._at, self._phases, self._before = first + names.index(event.group), {}, None
            if at is None:
                self._stream.say(self._begun(self._courses[self._at].experiment.larvae(event.group)))
        return self._courses[self._at or 0]

    def _begun(self, larvae: Snapshot) -> Mapping[str, Any]:
        courses = self._courses
        everybody = [(own.label, i) for own in courses for i in range(own.larvae)]
        designs = list(dict.fromkeys(own.experiment.design.text for own in courses))
        made_of = courses[0].experiment.made_of(courses[0].group.name)
        return {
            "kind": "begun",
            "version": VERSION,
            "world": "circuit",
            "title": ", ".join(own.label for own in courses),
            "run": {
                "design": "; ".join(designs),
                "parameters": larvae.parameters.description,
                "larvae": str(made_of["larvae"]),
                "seed": str(made_of["seed"]),
                "wiring": str(made_of["wiring"])[:60],
            },
            "larvae": [f"{group} {i}" for group, i in everybody],
            "groups": [group for group, _ in everybody],
            "spans": {own.label: [_s(own.begins_s), _s(own.ends_s)] for own in courses},
            "stimuli": self._stimuli,
            "memory": "mushroom body",
            "colour": {"by": "preference index", "stimulus": next(iter(self._stimuli), None), "low": -1, "high": 1},
            "arena": None,
            "sources": [],
            "cells": cell_groups(larvae.state.layout),
            "no_cells": None,
            "timeline": [row for own in courses for row in own.timeline()][:_MOST_SHOWN],
            "duration_s": _s(courses[-1].ends_s),
            "dt_s": larvae.parameters.dt_ms * 1e-3,
        }

    def _lived(self, course: "_Course", event: SliceLived) -> None:
        began_s = course.now_of(event.larvae)
        course.live(event)
        self._stream.say(self._frame(course, event))
        before = self._before
        if before is None:  # It was resumed here, and nobody knows what the larvae were before.
            return
        after = course.experiment.larvae(event.group)
        for row, larva in enumerate(event.larvae.tolist()):
            if course.first + larva in self._stream.chosen:
                element = self._phases.get(int(event.numbers[row])) or course.group.elements[int(event.numbers[row])]
                ms, since_s = float(event.activity.duration_ms[row]), float(began_s[row])
                work = partial(
                    self._relive, course.first + larva, alone(before, larva), alone(after, larva), element,
                    against=bool(event.against[row]), duration_ms=ms, from_s=since_s,
                )  # fmt: skip
                self._aside.do(work)

    def _relive(
        self, place: int, before: Snapshot, after: Snapshot, element: Element, *, against: bool, duration_ms: float,
        from_s: float,
    ) -> None:  # fmt: skip
        odors = element.against if against and isinstance(element, Lived) else element.odors
        manipulations = element.manipulations
        drive_hz = drive(
            under(before.parameters, manipulations), dict(odors), reward=element.reward, punishment=element.punishment
        )
        activity, _ = relived(before, drive_hz, duration_ms, manipulations)
        self._stream.say(relived_cells(place, from_s, activity, after))

    def _frame(self, course: "_Course", event: SliceLived) -> Mapping[str, Any]:
        return {
            "kind": "frame",
            "t_s": _s(course.now_s),
            "x": None,
            "y": None,
            "heading": None,
            "on_food": None,
            "gain": {},
            "preference": {name: rounded(values, 3) for name, values in self._preference.items()},
            "rates": self._rates(course, event.larvae, event.activity),
            "given": self._given(event),
        }

    def _rates(self, course: "_Course", larvae: NDArray[np.int64], activity: Activity) -> dict[str, Numbers]:
        rates: dict[str, Numbers] = {}
        for name in GROUPS:
            everybody = np.full(len(self._courses[0].everybody), np.nan)
            everybody[course.first + larvae] = activity.rate_hz(name)
            rates[name] = rounded(everybody, 1)
        return rates

    def _given(self, event: SliceLived) -> Mapping[str, Any] | None:
        """Return what larvae were given in a slice; None where not all were given the same."""
        number = int(event.numbers[0])
        element = self._phases.get(number)
        if element is None or (event.numbers != number).any():
            return None
        against = bool(event.against[0]) and isinstance(element, Lived)
        return _given(element, against=against)

    def _answered(self, course: "_Course", event: Answered) -> None:
        moment, column = course.moments.cells[event.number]
        name = course.moments.names[column]
        everybody = np.full(len(course.everybody), np.nan)
        everybody[course.first + event.larvae] = event.preference_index
        self._preference[name][course.first + event.larvae] = event.preference_index
        self._stream.say(
            {
                "kind": "answer",
                "t_s": _s(course.now_s),
                "group": course.label,
                "label": event.element.label or course.moments.labels[moment],
                "odor": name,
                "preference": rounded(everybody, 3),
            }
        )


class _Course:
    """A group of an experiment, its place among all, and how far its larvae have come.

    Attributes:
        experiment: Whose group it is.
        group: The group.
        label: What it is called on the page: with the number of its experiment where others are called alike.
        moments: The grid of its tests.
        larvae: How many it has.
        first: The place of the first of them among all.
        everybody: Places of all larvae of all groups.
        begins_s: When it begins, after all groups before it.
    """

    def __init__(self, experiment: Experiment, group: Group, first: int, begins_s: float) -> None:
        self.experiment, self.group, self.first, self.begins_s = experiment, group, first, begins_s
        self.label = group.name
        self.moments: Moments = moments(group)
        self.larvae: int = experiment.made_of(group.name)["larvae"]
        self.everybody = range(0)
        self._lived_s = np.zeros(self.larvae)

    @property
    def ends_s(self) -> float:
        """When it ends."""
        return self.begins_s + self.group.duration_s

    @property
    def now_s(self) -> float:
        """How far the first of its larvae has come."""
        return self.begins_s + float(self._lived_s.max())

    def now_of(self, larvae: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how far larvae have come: [B] float64, s."""
        now_s: NDArray[np.float64] = self.begins_s + self._lived_s[larvae]
        return now_s

    def live(self, event: SliceLived) -> None:
        """Take note that larvae have come further."""
        self._lived_s[event.larvae] += event.activity.duration_ms * 1e-3

    def timeline(self) -> list[dict[str, Any]]:
        """Return its phases and tests in the order in which they are written."""
        rows, at_s = [], self.begins_s
        for number, element in enumerate(self.group.elements):
            ends_s = at_s if isinstance(element, Probe) else at_s + element.duration_s
            tested = number in self.moments.cells
            name = self.moments.names[self.moments.cells[number][1]] if tested else mixture_words(element.odors)
            rows.append(
                {
                    "start_s": _s(at_s),
                    "end_s": _s(ends_s),
                    **_given(element),
                    "kind": "test" if tested else "phase",
                    "label": element.label or name,
                    "group": self.label,
                }
            )
            at_s = ends_s
        return rows


def _courses(experiments: Sequence[Experiment]) -> list[_Course]:
    courses: list[_Course] = []
    first, begins_s = 0, 0.0
    for experiment in experiments:
        for group in experiment.design.groups:
            courses.append(_Course(experiment, group, first, begins_s))
            first, begins_s = first + courses[-1].larvae, courses[-1].ends_s
    labels = [own.label for own in courses]
    for course in courses:
        course.everybody = range(first)
        if labels.count(course.label) > 1:
            course.label = f"{course.label} ({1 + experiments.index(course.experiment)})"
    return courses


def _given(element: Element, *, against: bool = False) -> dict[str, Any]:
    """Return what an element gives to larvae."""
    odors = element.against if against and isinstance(element, Lived) else element.odors
    return {
        "odors": {name_of(odor): concentration for odor, concentration in odors},
        "reward": element.reward,
        "punishment": element.punishment,
    }


def _s(seconds: float) -> float:
    return round(seconds, 3)
