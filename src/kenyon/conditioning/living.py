"""An experiment as it goes on: act after act, each done by the engine, and what has come of it as one value."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np

from kenyon.conditioning.collecting import Collector, together
from kenyon.conditioning.events import Answered, Event, GroupBegan, GroupEnded, PhaseBegan, PhaseEnded, SliceLived
from kenyon.conditioning.moments import Moments, moments
from kenyon.conditioning.phases import Group
from kenyon.conditioning.schedule import SECOND_MS, SLICE_MS, Act, Ask, Begin, End, Live, Schedule
from kenyon.conditioning.setup import Setup, names
from kenyon.errors import InputError
from kenyon.mushroom_body import Activity, Population, Snapshot
from kenyon.mushroom_body.circuit import N_NEURONS
from kenyon.mushroom_body.manipulations import fitting
from kenyon.mushroom_body.state import State
from kenyon.words import shown

Done: TypeAlias = tuple[tuple[Activity, ...], tuple[Activity, ...]]
"""What larvae have done so far in a phase, and under the second odor of a choice: one activity, or none yet."""

NOTHING: Final = Activity(np.empty(0), np.empty((0, N_NEURONS), dtype=np.int64))
"""Of no larva."""


@dataclass(frozen=True, eq=False)
class Now:
    """What an experiment has come to.

    Attributes:
        acts: How many acts are done, those of all groups together.
        group: The group that is at it, by its place in the design.
        larvae: Its larvae, or None before it has begun.
        open: What they have done in the phases that they are in, by the number of the phase.
        ended: The larvae of each group that is through, by its name.
    """

    acts: int = 0
    group: int = 0
    larvae: Snapshot | None = None
    open: Mapping[int, Done] = field(default_factory=dict)
    ended: Mapping[str, Snapshot] = field(default_factory=dict)


class Course:
    """A group, what its larvae come to and when, and what is kept of it.

    Attributes:
        group: The group.
        names: By which its phases and tests can be recorded.
        schedule: When which larva comes to what.
        moments: The grid of its tests.
        n_kcs: How many Kenyon cells each of its larvae has.
        collector: What is kept.

    Raises:
        InputError: as for `Schedule`, or a Kenyon cell is manipulated that is not there.
    """

    def __init__(self, group: Group, setup: Setup) -> None:
        slice_ms = SECOND_MS if setup.kept.per_second else SLICE_MS
        self.group = group
        self.moments: Moments = moments(group)
        tested = {number: self.moments.names[column] for number, (_, column) in self.moments.cells.items()}
        self.names = {name for own in names(group, tested) for name in own}
        self.schedule = Schedule(
            group, setup.seeds(group.name), setup.parameters, records=setup.kept.records(group, tested),
            slice_ms=slice_ms,
        )  # fmt: skip
        cells = setup.starts[group.name].state.layout
        for element in group.elements:
            fitting(element.manipulations, cells)
        self.n_kcs = cells.n_kcs
        self.collector = Collector(self.schedule, self.moments, setup.kept, cells.n_kcs)


def courses(groups: Sequence[Group], setup: Setup) -> list[Course]:
    """Return the courses of groups.

    Raises:
        InputError: as for `Schedule`, or something is to be recorded that is in none of them.
    """
    made = [Course(group, setup) for group in groups]
    for name, _ in setup.kept.recordings:
        if not any(name in {*own.names, "phases", "tests"} for own in made):
            raise InputError(f"{shown(name)} must name a phase, a stage or a test, got none of these to record")
    return made


class Living:
    """The acts of an experiment from here on, and the larvae of the group that is at it.

    It is made of what an experiment has come to, and given up where an act was interrupted: so that is done again, from
    the same larvae.

    Args:
        now: What the experiment has come to.
        courses: Its groups.
        setup: What it is made with.

    Attributes:
        now: As given; to be replaced by what an act has led to.
    """

    def __init__(self, now: Now, courses: Sequence[Course], setup: Setup) -> None:
        self.now, self._courses, self._setup = now, courses, setup
        self._acts = itertools.islice(_acts(courses), now.acts, None)
        # Before a group begins there is nobody.
        self._population = Population(setup.parameters) if now.larvae is None else setup.population(now.larvae)

    def act(self) -> tuple[Event, Now] | None:
        """Do the next act; return what happened and what it has led to, or None where all is done."""
        act = next(self._acts, None)
        if act is None:
            return None
        course = self._courses[self.now.group]
        event, changed = self._edge(act, course) if isinstance(act, _Edge) else self._do(act, course)
        return event, replace(self.now, acts=self.now.acts + 1, **changed)

    def _edge(self, edge: "_Edge", course: Course) -> tuple[Event, dict[str, Any]]:
        name = course.group.name
        everybody = np.arange(len(course.schedule.order))
        if edge.begins:
            larvae = self._setup.starts[name]
            self._population = self._setup.population(larvae)
            work_s = course.group.duration_s + course.group.probes_s
            return GroupBegan(name, everybody, work_s), {"larvae": larvae}
        ended = {**self.now.ended, name: self.now.larvae}
        return GroupEnded(name, everybody), {"group": self.now.group + 1, "larvae": None, "ended": ended}

    def _do(self, act: Act, course: Course) -> tuple[Event, dict[str, Any]]:
        activity, changed = NOTHING, dict[str, Any]()
        if isinstance(act, Live):
            activity = live(self._population, act, course.schedule)
            changed["larvae"] = self._population.snapshot()
        elif isinstance(act, Ask):
            activity = ask(self._population, act, course.schedule)
        event, after = told(act, course, self.now.open, activity, self._population.state)
        return event, {**changed, "open": after}


def live(population: Population, act: Live, schedule: Schedule) -> Activity:
    """Let the larvae of a group live through a slice of their phases, and return what they did."""
    durations_ms = act.n_steps * population.parameters.dt_ms
    population.manipulate(*act.manipulations)
    same = bool((durations_ms == durations_ms[0]).all())
    everybody = len(act.larvae) == len(population) and bool((np.diff(act.larvae) > 0).all())
    return population.advance(
        float(durations_ms[0]) if same else durations_ms,
        schedule.drives[act.numbers, act.against.astype(int)],
        larvae=None if everybody else act.larvae.tolist(),
        record=act.record,
    )


def ask(population: Population, act: Ask, schedule: Schedule) -> Activity:
    """Ask copies of larvae of a group, and return what they answered."""
    element = schedule.elements[act.number]
    return population.probe(
        drive_hz=schedule.drives[act.number, 0],
        duration_ms=element.duration_s * 1e3,
        larvae=act.larvae.tolist(),
        manipulations=element.manipulations,
        record=schedule.records[act.number],
    )


def told(
    act: Act, course: Course, before: Mapping[int, Done], activity: Activity, state: State
) -> tuple[Event, Mapping[int, Done]]:
    """Return what happened by an act, and what larvae have then done in the phases that they are in.

    Args:
        act: The act.
        course: Whose act it is.
        before: What they had done.
        activity: What they did, or answered; `NOTHING` where the act does not have them do so.
        state: Of the larvae of the group, after it.
    """
    name, elements = course.group.name, course.schedule.elements
    if isinstance(act, Begin):
        return PhaseBegan(name, act.larvae, act.number, elements[act.number]), {**before, act.number: ((), ())}
    if isinstance(act, Live):
        event = SliceLived(name, act.larvae, act.numbers, act.place, act.against, activity)
        return event, {**before, **_more(act, before, activity)}
    if isinstance(act, Ask):
        return _answered(act, course, ((activity,), ()), state), before
    done = before[act.number]
    after = before if act.goes_on else {number: own for number, own in before.items() if number != act.number}
    if act.answers:
        return _answered(act, course, done, state), after
    return PhaseEnded(name, act.larvae, act.number, elements[act.number], *_both(done)), after


def _more(act: Live, before: Mapping[int, Done], activity: Activity) -> dict[int, Done]:
    """Return what larvae have done in each phase that a slice was of."""
    done: dict[int, Done] = {}
    for number in np.unique(act.numbers).tolist():
        here = act.numbers == number
        own, against = activity if here.all() else rows(activity, here), bool(act.against[here][0])
        first, second = before[number]
        done[number] = (first, (together(*second, own),)) if against else ((together(*first, own),), second)
    return done


def _answered(act: Ask | End, course: Course, done: Done, state: State) -> Answered:
    element = course.schedule.elements[act.number]
    weights = state.w_kc_mbonp_nS[act.larvae], state.w_kc_mbonn_nS[act.larvae]
    return Answered(course.group.name, act.larvae, act.number, element, *_both(done), *weights)


def _both(done: Done) -> tuple[Activity, Activity | None]:
    (activity,), against = done
    return activity, next(iter(against), None)


def rows(activity: Activity, which: Any) -> Activity:
    """Return what some of the larvae did, of an activity without samples."""
    return Activity(activity.duration_ms[which], activity.counts[which], diverged=activity.diverged[which])


@dataclass(frozen=True)
class _Edge:
    """A group begins or ends."""

    begins: bool


def _acts(courses: Sequence[Course]) -> Iterator[Act | _Edge]:
    for course in courses:
        yield _Edge(begins=True)
        yield from course.schedule.acts()
        yield _Edge(begins=False)
