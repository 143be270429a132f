"""What an engine is: a value that advances larvae, given as a state, and says what they did meanwhile.

Every engine takes the same arguments and gives the same numbers; they differ in how a slice of time is computed.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.mushroom_body import arguments
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.activity import Activity, Record
from kenyon.mushroom_body.arguments import FloatArray, IntArray
from kenyon.mushroom_body.kernel import Recording
from kenyon.mushroom_body.manipulations import fitting
from kenyon.mushroom_body.parameters import Parameters, check_parameters
from kenyon.mushroom_body.recording import Recorder, counting
from kenyon.mushroom_body.state import State

Events = Sequence[NDArray[np.int32]]
"""Input spikes of each larva, [E, 2] (step, channel) in rising order, steps from the start of the call."""


class Engine(ABC):
    """Advances larvae; holds nothing of them, so that one serves all, also in several threads at once.

    Attributes:
        name: What it is called.
        slice_steps: Steps of each larva that `compute` is asked for at once, at most: it hears Ctrl-C only in between.
        slice_larva_steps: Steps of all larvae together, likewise; but 1,000 of each.
    """

    name: ClassVar[str]
    slice_steps: ClassVar[int] = 50_000
    slice_larva_steps: ClassVar[int] = 5_000_000

    def advance(
        self, parameters: Parameters, state: State, n_steps: Any, drive_hz: Any, *, plastic: bool = True
    ) -> Activity:
        """Advance larvae in place, on every core.

        Args:
            parameters: The constants they live under, or what `manipulated.under` makes of them.
            state: B rows, changed; after an interrupt they are worth nothing.
            n_steps: [B] whole time steps, for each larva.
            drive_hz: [C] or [B, C], the rate of each input channel, Hz; see `inputs.drive`.
            plastic: Whether they learn; without, it is a probe.

        Returns:
            What they did.

        Raises:
            InputError: the state is read-only or none that a larva could have had, or a number of steps or a drive is
                unusable; nothing has changed then.

        Randomness:
            Each input channel's own stream.

        Example:
            >>> from kenyon.mushroom_body import BALANCED, drive
            >>> from kenyon.mushroom_body.engines import engine
            >>> larva = states.newborn(BALANCED, [1])
            >>> activity = engine("kernel").advance(BALANCED, larva, [1000], drive(BALANCED, "pentyl acetate"))
            >>> int(larva.step[0]), activity.duration_ms
            (1000, array([100.]))
        """
        check_parameters(parameters)
        larvae = len(checks.instance("state", state, State, "make one with `newborn`, or copy that of a population"))
        fitting(getattr(parameters, "manipulations", ()), state.layout)
        steps = checks.integers("n_steps", n_steps, low=0, high=MOST_STEPS)
        if steps.shape != (larvae,) or larvae == 0:
            raise InputError(f"n_steps must be one for each of at least one larva, got {steps.shape} for {larvae}")
        rates_hz = arguments.rates(drive_hz, larvae)
        checks.boolean("plastic", plastic)
        states.check(parameters, states.arrays(state))
        return self.run(parameters, state, steps, rates_hz=rates_hz, plastic=plastic)

    def run(
        self,
        parameters: Parameters,
        state: State,
        n_steps: IntArray,
        *,
        rates_hz: FloatArray | None = None,
        events: Events | None = None,
        plastic: bool = True,
        record: Record | None = None,
        threads: int | None = None,
    ) -> Activity:
        """Advance larvae as `advance` does, all values being right, under rates [B, C] in Hz or under given events.

        Raises:
            InputError: the state is read-only, or the interval of the samples no whole number of steps; nothing has
                changed then.
        """
        checks.writable("state", state.records)
        recorder = Recorder(
            parameters, state.layout, n_steps, record or _NOTHING, self.slice_steps, self.slice_larva_steps
        )
        for first, now, recording in recorder.slices():
            part = None if events is None else [_cut(own, first, first + int(now.max())) for own in events]
            self.compute(parameters, state, now, rates_hz, part, first, recording, plastic=plastic, threads=threads)
        return recorder.activity(state.v_mV)

    def count(
        self, parameters: Parameters, state: State, n_steps: IntArray, rates_hz: FloatArray, *, plastic: bool
    ) -> IntArray:
        """Advance larvae as `run` does, at most `slice_steps` each, and return their spike counts alone: [B, N]."""
        recording = counting(len(n_steps), state.layout)
        self.compute(parameters, state, n_steps, rates_hz, None, 0, recording, plastic=plastic, threads=None)
        return recording.counts

    @abstractmethod
    def compute(
        self,
        parameters: Parameters,
        state: State,
        n_steps: IntArray,
        rates_hz: FloatArray | None,
        events: Events | None,
        first_step: int,
        recording: Recording,
        *,
        plastic: bool,
        threads: int | None,
    ) -> None:
        """Advance `state` in place, under rates or under given events, and write to `recording`.

        Args:
            parameters: The constants they live under.
            state: B rows.
            n_steps: [B], at most as many as `recording` has room for.
            rates_hz: [B, C], or None where events are given.
            events: Input spikes of each larva, or None.
            first_step: Step of the recording at which the slice begins.
            recording: Where to write what is kept.
            plastic: Whether they learn.
            threads: How many larvae at once; `threads.chosen` if None. Never changes a number.
        """


MOST_STEPS = 2**53
"""In a call: more than any life has, and exact as a double."""

_NOTHING = Record()


def _cut(events: NDArray[np.int32], first: int, last: int) -> NDArray[np.int32]:
    begin, end = np.searchsorted(events[:, 0], (first, last))
    part = events[begin:end].copy()
    part[:, 0] -= first
    return part
