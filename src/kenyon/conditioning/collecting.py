"""What an experiment keeps of what happens: a listener that writes numbers into arrays, each at a place of its own.

So being told of something twice, as after an interrupted call, changes nothing.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kenyon.archive import Arrays
from kenyon.conditioning.events import Answered, Event, PhaseEnded, Places, SliceLived
from kenyon.conditioning.moments import Moments
from kenyon.conditioning.phases import Probe
from kenyon.conditioning.schedule import Schedule
from kenyon.conditioning.setup import Kept
from kenyon.mushroom_body import Activity
from kenyon.mushroom_body.circuit import GROUPS

FloatArray: TypeAlias = NDArray[np.float64]


class Collector:
    """Keeps what happens to the larvae of a group.

    Args:
        schedule: When which larva comes to what.
        moments: The grid of the tests.
        kept: What to keep.
        n_kcs: How many Kenyon cells each larva has.

    Attributes:
        arrays: Numbers by name; absent is nan, or -1 of what was counted.
        recorded: Spikes (larva, step, neuron) and samples, with the larvae they are of, by the element, the slice of it
            and the first of the larvae.
    """

    def __init__(self, schedule: Schedule, moments: Moments, kept: Kept, n_kcs: int) -> None:
        self._moments = moments
        self.recorded: Arrays = {}
        larvae, elements = schedule.order.shape
        tests = (larvae, len(moments.labels), len(moments.columns))
        self.arrays: Arrays = {
            "phase_rate_hz": np.full((larvae, elements, len(GROUPS)), np.nan),
            "diverged": np.zeros((larvae, elements), dtype=np.bool_),
            "preference_index": np.full(tests, np.nan),
            "test_rate_hz": np.full((*tests, len(GROUPS)), np.nan),
        }
        if kept.weights:
            for name in ("w_kc_mbonp_nS", "w_kc_mbonn_nS"):
                self.arrays[name] = np.full((*tests[:2], n_kcs), np.nan, dtype=np.float32)
        if kept.codes:
            self.arrays["test_kc_spikes"] = np.full((*tests, n_kcs), -1, dtype=np.int32)
        if kept.per_second:
            self._first: NDArray[np.int64] = np.cumsum(schedule.n_slices) - schedule.n_slices
            self.arrays["rate_hz"] = np.full((larvae, int(schedule.n_slices.sum()), len(GROUPS)), np.nan)

    def __call__(self, event: Event) -> None:
        """Write down what happened."""
        if isinstance(event, PhaseEnded):
            everything = _all_of(event)
            self.arrays["phase_rate_hz"][event.larvae, event.number] = _rates(everything)
            self.arrays["diverged"][event.larvae, event.number] = everything.diverged
        elif isinstance(event, Answered):
            self._answered(event)
        elif isinstance(event, SliceLived):
            for number in np.unique(event.numbers).tolist():
                self._record(number, event.place, event.larvae, event.activity, event.numbers == number)
        if isinstance(event, SliceLived) and "rate_hz" in self.arrays:
            self.arrays["rate_hz"][event.larvae, self._first[event.numbers] + event.place] = _rates(event.activity)

    def _record(self, number: int, place: int, larvae: Places, activity: Activity, which: NDArray[np.bool_]) -> None:
        """Keep the spikes and samples of some of the larvae, if there are some."""
        own = larvae[which]
        key = f"{number} {place} {own[0]}"
        if activity.spikes is not None:
            spikes = [activity.spikes[row] for row in np.flatnonzero(which)]
            of = np.repeat(own, [len(each) for each in spikes])
            self.recorded[f"{key} spikes"] = np.column_stack((of, np.concatenate(spikes)))
        if activity.samples:  # Others in the same call may have gone on for longer.
            taken = activity.sample_ms <= activity.duration_ms[which][0] + 1e-9
            self.recorded[f"{key} larvae"] = own
            self.recorded[f"{key} time_ms"] = activity.sample_ms[taken]
            for name, values in activity.samples.items():
                self.recorded[f"{key} {name}"] = values[which][:, taken]

    def _answered(self, event: Answered) -> None:
        if isinstance(event.element, Probe):
            everybody = np.ones(len(event.larvae), dtype=np.bool_)
            self._record(event.number, 0, event.larvae, event.activity, everybody)
        moment, column = self._moments.cells[event.number]
        at = event.larvae, moment, column
        everything = _all_of(event)
        self.arrays["preference_index"][at] = event.preference_index
        self.arrays["test_rate_hz"][at] = _rates(everything)
        if "test_kc_spikes" in self.arrays:
            self.arrays["test_kc_spikes"][at] = everything.counts[:, everything.layout.groups["KC"]]
        for name in ("w_kc_mbonp_nS", "w_kc_mbonn_nS"):
            if name in self.arrays:
                self.arrays[name][at[:2]] = getattr(event, name)


def together(first: Activity, *then: Activity) -> Activity:
    """Return what larvae did over stretches of time, one after the other, as one, without what was recorded."""
    first = Activity(first.duration_ms, first.counts, diverged=first.diverged)
    for part in then:
        first = Activity(first.duration_ms + part.duration_ms, first.counts + part.counts, diverged=part.diverged)
    return first


def _all_of(event: PhaseEnded | Answered) -> Activity:
    """Return what larvae did, of a choice under both odors."""
    return event.activity if event.against is None else together(event.activity, event.against)


def _rates(activity: Activity) -> FloatArray:
    return np.column_stack(list(activity.rates_hz().values()))
