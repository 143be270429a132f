"""Groups of the same larvae that begin alike live through their beginning once, with the numbers of living it apart.

A larva's numbers depend on its seed, its wiring and its input alone. So groups of the same larvae are one and the same
until something else is done to one of them: they go on as one bundle, which splits where they part. All bundles go
through the engine together, slice by slice; tests on copies are asked together, too, and the same one once.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from kenyon.conditioning.living import NOTHING, Course, Done, rows, told
from kenyon.conditioning.schedule import Act, Ask, Live
from kenyon.mushroom_body import Activity, Manipulation, Population
from kenyon.mushroom_body.state import State

Key = TypeVar("Key", bound=Hashable)


class Stimulus(NamedTuple):
    """What decides what larvae do in a slice or a test.

    Attributes:
        drive_hz: The rate of each input channel, as bytes.
        lasts_ms: For how long.
        manipulations: What is done to the circuits.
    """

    drive_hz: bytes
    lasts_ms: float
    manipulations: tuple[Manipulation | str, ...]


@dataclass(frozen=True, eq=False)
class Bundle:
    """Groups that have lived through the same up to the end of a slice; each group by its place among all.

    Attributes:
        before: Place of the bundle that they were in before.
        slice: What they have just lived through; None at the beginning.
        slices: The same as each group's act.
        then: What each comes to until its next slice: tests on copies, and ends and beginnings of phases.
        asked: What those tests are about, each once.
    """

    before: int
    slice: Stimulus | None = None
    slices: dict[int, Live] = field(default_factory=dict)
    then: dict[int, list[Act]] = field(default_factory=dict)
    asked: dict[Stimulus, None] = field(default_factory=dict)


def rounds(courses: Sequence[Course]) -> Iterator[list[Bundle]]:
    """Give the bundles of groups, slice after slice, until all groups are through.

    Args:
        courses: The groups, of the same larvae, each in one order for all of them.
    """
    acts = [course.schedule.acts() for course in courses]
    bundles, groups = [Bundle(0)], [list(range(len(courses)))]
    while bundles:
        ahead: dict[tuple[int, Stimulus], Bundle] = {}
        for place, (bundle, own) in enumerate(zip(bundles, groups, strict=True)):
            for group in own:
                bundle.then[group], following = _until_slice(acts[group])
                tests = [stimulus(courses[group], act) for act in bundle.then[group] if isinstance(act, Ask)]
                bundle.asked.update(dict.fromkeys(tests))
                if following is not None:
                    slice_ = stimulus(courses[group], following)
                    ahead.setdefault((place, slice_), Bundle(place, slice_)).slices[group] = following
        yield bundles
        bundles = list(ahead.values())
        groups = [list(bundle.slices) for bundle in bundles]


def work_s(courses: Sequence[Course]) -> float:
    """Return how long one larva lives and is asked in all groups together, each shared slice and test once, s."""
    bundles = [bundle for own in rounds(courses) for bundle in own]
    slices = [bundle.slice for bundle in bundles if bundle.slice is not None]
    return sum(own.lasts_ms for own in (*slices, *(test for bundle in bundles for test in bundle.asked))) * 1e-3


def live_together(
    population: Population, courses: Sequence[Course], done: Callable[[float], None] = lambda _: None
) -> None:
    """Let larvae live through all groups; what is kept of it, their collectors keep.

    Args:
        population: The larvae as they are at the beginning of every group.
        courses: The groups, each in one order for all of them.
        done: Is told, as it comes, how much of larvae's time has been simulated, s.
    """
    larvae, now = len(population), [dict[int, Done]() for _ in courses]
    for bundles in rounds(courses):
        sources = [bundle.before for bundle in bundles]
        if sources != list(range(len(population) // larvae)):
            population = population.select(_places(sources, larvae))
        lived, asked = _live(population, bundles, larvae), _ask(population, bundles, larvae)
        for place, bundle in enumerate(bundles):
            state = State(population.state.records[place * larvae : (place + 1) * larvae])
            for group, acts in bundle.then.items():
                for act in (*([bundle.slices[group]] if bundle.slices else []), *acts):
                    did = (
                        asked[place, stimulus(courses[group], act)]
                        if isinstance(act, Ask)
                        else lived.get(place, NOTHING)
                    )
                    event, after = told(act, courses[group], now[group], did, state)
                    courses[group].collector(event)
                    now[group] = dict(after)
        done(sum(float(own.duration_ms.sum()) for own in (*lived.values(), *asked.values())) * 1e-3)


def stimulus(course: Course, act: Live | Ask) -> Stimulus:
    """Return what decides what larvae do in a slice or a test: equal ones make equal larvae of equal larvae."""
    schedule = course.schedule
    if isinstance(act, Live):
        drive_hz = schedule.drives[act.numbers[0], int(act.against[0])]
        return Stimulus(drive_hz.tobytes(), float(act.n_steps[0] * schedule.dt_ms), tuple(act.manipulations))
    element = schedule.elements[act.number]
    return Stimulus(schedule.drives[act.number, 0].tobytes(), element.duration_s * 1e3, tuple(element.manipulations))


def _until_slice(acts: Iterator[Act]) -> tuple[list[Act], Live | None]:
    """Return what comes before the next slice, and that slice, if there is one."""
    before: list[Act] = []
    for act in acts:
        if isinstance(act, Live):
            return before, act
        before.append(act)
    return before, None


def _live(population: Population, bundles: Sequence[Bundle], larvae: int) -> dict[int, Activity]:
    """Let each bundle live through its slice, at once where all is manipulated alike; return what each did."""
    slices = {place: bundle.slice for place, bundle in enumerate(bundles) if bundle.slice is not None}
    lived: dict[int, Activity] = {}
    for manipulations, own in _alike(slices).items():
        population.manipulate(*manipulations)
        everybody = None if len(own) == len(bundles) else _places(own, larvae)
        activity = population.advance(*_given([slices[place] for place in own], larvae), larvae=everybody)
        lived |= _apart(activity, own, larvae)
    return lived


def _ask(population: Population, bundles: Sequence[Bundle], larvae: int) -> dict[tuple[int, Stimulus], Activity]:
    """Ask copies of each bundle, at once where all is manipulated alike; return what each answered to what."""
    tests = {(place, test): test for place, bundle in enumerate(bundles) for test in bundle.asked}
    answers: dict[tuple[int, Stimulus], Activity] = {}
    for manipulations, own in _alike(tests).items():
        lasts_ms, drive_hz = _given([tests[test] for test in own], larvae)
        places = _places([place for place, _ in own], larvae)
        activity = population.probe(drive_hz=drive_hz, duration_ms=lasts_ms, larvae=places, manipulations=manipulations)
        answers |= _apart(activity, own, larvae)
    return answers


def _alike(stimuli: Mapping[Key, Stimulus]) -> dict[tuple[Manipulation | str, ...], list[Key]]:
    """Return what is under the same manipulations, by these."""
    alike: dict[tuple[Manipulation | str, ...], list[Key]] = {}
    for key, own in stimuli.items():
        alike.setdefault(own.manipulations, []).append(key)
    return alike


def _given(stimuli: Sequence[Stimulus], larvae: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how long each larva is given its stimulus, ms, and the rates of its input channels."""
    drives = [np.frombuffer(own.drive_hz) for own in stimuli]
    return np.repeat([own.lasts_ms for own in stimuli], larvae), np.repeat(drives, larvae, axis=0)


def _places(bundles: Sequence[int], larvae: int) -> list[int]:
    return [place * larvae + larva for place in bundles for larva in range(larvae)]


def _apart(activity: Activity, keys: Sequence[Key], larvae: int) -> dict[Key, Activity]:
    """Return what each of several times as many larvae did, by its key."""
    return {key: rows(activity, slice(place * larvae, (place + 1) * larvae)) for place, key in enumerate(keys)}
