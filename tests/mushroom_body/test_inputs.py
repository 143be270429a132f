import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from kenyon.errors import InputError
from kenyon.mushroom_body import inputs
from kenyon.mushroom_body.circuit import N_CHANNELS, PUNISHMENT, REWARD
from kenyon.mushroom_body.odors import response
from kenyon.mushroom_body.parameters import BALANCED, PUBLISHED
from tests.mushroom_body.reference import input_steps

STEPS_PER_S = 10_000


def draw(rates_hz: NDArray[np.float64], seconds: float, calls: int = 1, seed: int = 1) -> NDArray[np.int32]:
    """Draw events of one larva, in some calls of equal length whose rates are the rows of rates_hz."""
    rng, ticks_left = inputs.start_channels(PUBLISHED, [seed])
    n_steps = round(seconds * STEPS_PER_S / calls)
    parts = []
    for call in range(calls):
        part = inputs.draw_events(PUBLISHED, rng[0], ticks_left[0], rates_hz[call % len(rates_hz)], n_steps)
        parts.append(part + np.array([call * n_steps, 0]))
    events: NDArray[np.int32] = np.concatenate(parts).astype(np.int32)
    return events


def test_rate_and_variation_at_the_spontaneous_rate() -> None:
    """At 185 Hz the mean rate is right within 1 %, the CV of intervals is 1/sqrt(3) within 3 %."""
    events = draw(np.full((1, N_CHANNELS), 185.0), 60)
    assert len(events) / N_CHANNELS / 60 == pytest.approx(185, rel=0.01)
    intervals = np.concatenate([np.diff(events[events[:, 1] == c, 0]) for c in range(N_CHANNELS)])
    assert intervals.std() / intervals.mean() == pytest.approx(3**-0.5, rel=0.03)
    # The whole distribution, not its moments alone: Gamma(3, 1/3), read off in steps of 0.1 ms.
    jittered = (intervals + np.random.default_rng(0).uniform(-0.5, 0.5, len(intervals))) / STEPS_PER_S * 185
    assert stats.kstest(jittered[::10], stats.gamma(3, scale=1 / 3).cdf).pvalue > 1e-3


def test_rate_and_variation_when_the_rate_changes_every_100_ms() -> None:
    """In operational time, the integral of the rate, intervals are the same gamma renewals as at a constant rate."""
    low, high = np.full(N_CHANNELS, 70.0), np.full(N_CHANNELS, 300.0)
    events = draw(np.array([low, high]), 60, calls=600)
    assert len(events) / N_CHANNELS / 60 == pytest.approx(185, rel=0.01)
    rate_by_step = np.tile(np.repeat([70.0, 300.0], 1000), 300)
    operational = np.cumsum(rate_by_step) / STEPS_PER_S
    intervals = np.concatenate([np.diff(operational[events[events[:, 1] == c, 0]]) for c in range(N_CHANNELS)])
    assert intervals.mean() == pytest.approx(1.0, rel=0.01)
    assert intervals.std() == pytest.approx(3**-0.5, rel=0.03)


def test_calls_of_100_ms_at_one_rate_are_one_long_call() -> None:
    """Event for event, and the streams end in the same state."""
    rates = np.linspace(0.0, 4000.0, N_CHANNELS, dtype=np.float64)[None]
    assert (draw(rates, 3, calls=30) == draw(rates, 3, calls=1)).all()


def test_renewals_within_one_step_merge() -> None:
    """A nominal 3,063 Hz gives 2,985 within 1 %, for there is at most one spike per channel and step."""
    events = draw(np.full((1, N_CHANNELS), 3063.0), 20)
    assert len(events) / N_CHANNELS / 20 == pytest.approx(2985, rel=0.01)
    assert len(np.unique(events, axis=0)) == len(events)


def test_the_highest_rate_in_the_longest_steps_is_counted_to_the_end() -> None:
    """There a draw of 1,024 steps is more ticks than 64 bits count; and however it is cut, it is the same."""
    longest = PUBLISHED.replace(dt_ms=1.0)
    rates_hz = np.full(N_CHANNELS, inputs.MAX_RATE_HZ)
    at_once, cut = inputs.start_channels(longest, [5]), inputs.start_channels(longest, [5])
    events = inputs.draw_events(longest, at_once[0][0], at_once[1][0], rates_hz, 1100)
    assert len(events) == 1100 * N_CHANNELS
    for n_steps in (100, 1000):
        inputs.draw_events(longest, cut[0][0], cut[1][0], rates_hz, n_steps)
    assert (at_once[0] == cut[0]).all()
    assert (at_once[1] == cut[1]).all()


def test_a_silent_channel_keeps_its_time_left() -> None:
    """A rate of 0 in between only shifts what comes."""
    on, off = np.full(N_CHANNELS, 200.0), np.zeros(N_CHANNELS)
    with_pause = draw(np.array([on, off]), 2, calls=2)
    assert with_pause[:, 0].max() < STEPS_PER_S
    resumed = draw(np.array([on, off, on]), 3, calls=3)
    straight = draw(on[None], 2)
    later = resumed[resumed[:, 0] >= 2 * STEPS_PER_S] - np.array([STEPS_PER_S, 0])
    assert (later == straight[straight[:, 0] >= STEPS_PER_S]).all()


@pytest.mark.parametrize("rate", [185.0, 700.0, 9000.0])
def test_events_are_those_drawn_with_numpys_own_generator(rate: float) -> None:
    """The compiled stream is numpy's SFC64 bit for bit, and the renewal rule the plain one, written down anew."""
    events = draw(np.full((1, N_CHANNELS), rate), 0.5, seed=9)
    for channel in (0, 7, PUNISHMENT):
        assert events[events[:, 1] == channel, 0].tolist() == input_steps(9, channel, rate, PUBLISHED, 5000)


@pytest.mark.parametrize("ticks_per_step", [425517742853871, 1974886623534673, 11091884681942])
@pytest.mark.parametrize("past", [-1, 0, 1, 2])
def test_a_spike_is_in_its_step_to_the_tick(ticks_per_step: int, past: int) -> None:
    """Where time left ends with a step, or a tick beside it; doubles would be off by one or two steps."""
    streams, ticks_left = inputs.start_channels(PUBLISHED, [1])
    lost = np.zeros(N_CHANNELS, dtype=np.int64)
    for steps in range(1, inputs.DRAWN - 1):
        lost[3], ticks_left[0, 3] = ticks_per_step, steps * ticks_per_step + past
        due = np.empty(inputs.DRAWN, dtype=np.uint32)
        inputs.draw_stretch(streams[0], ticks_left[0], lost, 3, inputs.DRAWN, due)
        assert np.flatnonzero(due)[0] == steps - 1 + (past > 0)


def test_first_time_left_is_an_ordinary_draw() -> None:
    """Gamma(3, 1/3) over many larvae and channels."""
    _, ticks_left = inputs.start_channels(PUBLISHED, range(100))
    assert stats.kstest(ticks_left.ravel() / inputs.TICKS, stats.gamma(3, scale=1 / 3).cdf).pvalue > 1e-3


def test_drive_of_odor_and_reinforcement() -> None:
    """185 Hz + 500 Hz times the response, reward and punishment times 600 Hz; 155 and 450 Hz in `balanced`."""
    silent = inputs.drive(PUBLISHED)
    assert (silent[:REWARD] == 185.0).all()
    assert (silent[REWARD:] == 0.0).all()
    rates = inputs.drive(PUBLISHED, {"pentyl acetate": 1.0}, reward=0.5, punishment=2.0)
    assert rates[:REWARD] == pytest.approx(185 + 500 * response("pentyl acetate"))
    assert rates[REWARD:].tolist() == [300.0, 1200.0]
    assert inputs.drive(BALANCED, reward=1.0)[[0, REWARD]].tolist() == [155.0, 450.0]


def test_many_drives_at_once_are_each_alone() -> None:
    """To the last bit, whatever else is in the call: no odor, one, several, off the curve at either end."""
    given = [
        {"odors": odors, "reward": i / 50}
        for i, odors in enumerate([None, "anisole", {3: 1e-6, 31: 0.3, 7: 0.0}, {}, {0: 1e6}, *range(34)])
    ]
    together = inputs.drives(BALANCED, [inputs.stimulus(BALANCED, **own) for own in given])
    assert (together == [inputs.drive(BALANCED, **own) for own in given]).all()


@pytest.mark.parametrize("nonsense", [-0.1, np.nan, np.inf, "much", None])
def test_nonsense_strengths_are_refused(nonsense: float) -> None:
    """By name, where they enter."""
    with pytest.raises(InputError, match=r"^reward must be a finite number from 0 to 166\.667, got"):
        inputs.drive(PUBLISHED, reward=nonsense)
    with pytest.raises(InputError, match=r"^punishment must be a finite number from 0 to 166\.667, got"):
        inputs.drive(PUBLISHED, punishment=nonsense)


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        ([[0.0, 1.0]], "must be integers, got"),
        ([[0, 1], [2]], "must be integers, got"),
        ([["0", "1"]], "must be integers, got"),
        (np.array([[0, 1]], dtype="m8[ns]"), "must be integers, got timedelta64"),
        ([0, 1], "must be integers of shape"),
        ([[0, 23]], "must have each channel in 0..22, got 23"),
        ([[0, -1]], "must have each channel in 0..22, got -1"),
        ([[10, 0]], "must have each step in 0..9, got 10"),
        ([[-1, 0]], "must have each step in 0..9, got -1"),
        ([[3, 5], [1, 1], [3, 5]], "must hold one spike per channel and step, got two on channel 5 in step 3"),
    ],
)
def test_given_events_must_fit(events: object, sentence: str) -> None:
    """Each mistake has its own words."""
    with pytest.raises(InputError, match=sentence):
        inputs.check_events("events", events, 10)
