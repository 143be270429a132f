"""Spikes and samples as variables of a result: each in its phase or test, in time since that began."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kenyon.conditioning.living import Course
from kenyon.conditioning.phases import Probe
from kenyon.mushroom_body.activity import SAMPLED
from kenyon.mushroom_body.circuit import layout

Variables: TypeAlias = dict[str, NDArray[Any]]

PLACES = ("phase", "test", "test_odor")


def recorded(course: Course, dt_ms: float) -> Variables:
    """Return what was recorded of a group, by the names that it has in a result; nothing where nothing was."""
    pieces: dict[tuple[int, int, int], dict[str, NDArray[Any]]] = {}
    for key, values in course.collector.recorded.items():
        number, place, first, name = key.split(" ")
        pieces.setdefault((int(number), int(place), int(first)), {})[name] = values
    if not pieces:
        return {}
    begins_ms = _begins_ms(course)
    ordered = sorted(pieces.items())
    return _spikes(course, ordered, begins_ms, dt_ms) | _samples(course, ordered, begins_ms)


def _begins_ms(course: Course) -> dict[tuple[int, int], float]:
    """Return when each slice of each phase begins in it."""
    begins: dict[tuple[int, int], float] = {}
    slices: dict[int, int] = {}
    for number, begin_s, _ in course.schedule.slices():
        place = slices[number] = slices.get(number, -1) + 1
        begins[number, place] = begin_s * 1e3
    return begins


def _spikes(course: Course, ordered: list[Any], begins_ms: dict[tuple[int, int], float], dt_ms: float) -> Variables:
    there = [(number, place, own["spikes"]) for (number, place, _), own in ordered if "spikes" in own]
    if not there:
        return {}
    times = [begins_ms.get((number, place), 0.0) + spikes[:, 1] * dt_ms for number, place, spikes in there]
    numbers = np.repeat([number for number, _, _ in there], [len(spikes) for _, _, spikes in there])
    larva, _, neuron = np.concatenate([spikes for _, _, spikes in there]).T
    places = {f"spike_{name}": own for name, own in zip(PLACES, _places(course, numbers), strict=True)}
    return {
        "spike_larva": larva.astype(np.int32),
        "spike_neuron": neuron.astype(np.int32),
        "spike_time_ms": np.concatenate(times),
        **places,
    }


def _samples(course: Course, ordered: list[Any], begins_ms: dict[tuple[int, int], float]) -> Variables:
    there = [((number, place), own) for (number, place, _), own in ordered if "time_ms" in own]
    if not there:
        return {}
    spots: dict[tuple[int, int], slice] = {}
    times: list[NDArray[np.float64]] = []
    for (number, place), own in there:
        if (number, place) not in spots:  # Larvae in orders of their own come to it one after the other.
            begun = sum(map(len, times))
            spots[number, place] = slice(begun, begun + len(own["time_ms"]))
            times.append(begins_ms.get((number, place), 0.0) + own["time_ms"])
    numbers = np.repeat([number for number, _ in spots], list(map(len, times)))
    variables: Variables = {"sample_time_ms": np.concatenate(times)}
    variables |= {f"sample_{name}": own for name, own in zip(PLACES, _places(course, numbers), strict=True)}
    for name, axis in SAMPLED.items():
        if any(name in own for _, own in there):
            values = np.full((len(course.schedule.order), len(numbers), layout(course.n_kcs).sizes[axis]), np.nan)
            for at, own in there:
                if name in own:
                    values[own["larvae"], spots[at]] = own[name]
            variables[f"recorded_{name}"] = values
    return variables


def _places(course: Course, numbers: NDArray[np.int64]) -> list[NDArray[np.int32]]:
    """Return the phase, the test and the test odor that elements are of; -1 where they are none."""
    elements = course.schedule.elements
    phases = np.cumsum([not isinstance(element, Probe) for element in elements]) - 1
    phases[[isinstance(element, Probe) for element in elements]] = -1
    tests = [course.moments.cells.get(number, (-1, -1)) for number in range(len(elements))]
    return [own[numbers].astype(np.int32) for own in (phases, *np.array(tests).T)]
