"""The 23 input channels of each larva: gamma renewal processes that stay exact while their rates change.

A channel keeps the operational time left to its next spike, in mean intervals. Each step takes rate * dt off it; at 0
or less there is one spike, and intervals are drawn until the time left is above 0, so renewals within one step merge.
Intervals are Gamma(shape, 1/shape), drawn from a stream that belongs to this larva and channel: `numpy.random.SFC64`,
bit for bit. Time left is counted in whole ticks, so that cutting a stretch of time in two cannot round it differently.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.compiled import compiled
from kenyon.errors import InputError
from kenyon.mushroom_body.circuit import N_CHANNELS, N_ORNS, REWARD
from kenyon.mushroom_body.logarithm import logarithm
from kenyon.mushroom_body.odors import Mixture, Odors, mixture, mixture_responses
from kenyon.mushroom_body.parameters import Parameters, check_parameters
from kenyon.seed_sequence import sfc64_states
from kenyon.sfc64 import products, uniform

FloatArray = NDArray[np.float64]

STRETCH = 128
"""Steps whose events are drawn at once; any number gives the same events."""

DRAWN = 1024
"""Steps whose input is drawn at once; any number gives the same. Of each draw an interval or two are put back."""

_AT_ONCE = 128
"""Intervals of a channel that are drawn at once."""

TICKS = 2.0**48
"""Ticks of operational time in one mean interval."""

_UNCOUNTED = 2.0**14
"""Mean intervals that 64 bits still have the ticks of; no `_AT_ONCE` intervals are ever as long."""

MAX_RATE_HZ = 1e5
"""Highest rate of a channel: a stretch at it, in steps of 1 ms, still counts its ticks within 64 bits."""


class Stimulus(NamedTuple):
    """What a larva is given to smell and to feel, checked; `stimulus` makes it.

    Attributes:
        odors: Each odor and its concentration.
        reward_hz: Rate of the reward channel.
        punishment_hz: Rate of the punishment channel.
    """

    odors: Mixture
    reward_hz: float
    punishment_hz: float


def drive(
    parameters: Parameters,
    odors: Odors = None,
    *,
    reward: float = 0.0,
    punishment: float = 0.0,
) -> FloatArray:
    """Return the rate of each input channel under a stimulus.

    odor channel i: spontaneous_rate_hz + odor_rate_hz * r_i; reward, punishment: strength * reinforcement_rate_hz.

    Args:
        parameters: The set of constants.
        odors: An odor (a measured one by name or number, or an `Odor` of one's own), or several with their
            concentrations; 1.0 is the dilution 1e-04, 0 or less no odor.
        reward: Strength of reward, 0 for none.
        punishment: Strength of punishment, 0 for none.

    Returns:
        [C] float64, Hz.

    Raises:
        InputError: an odor is unknown, a concentration not finite or one of which nothing is known, a strength negative
            or not finite, or what odors drive is too strong to be simulated.

    Reference:
        Jürgensen et al. 2024, iScience 27:108640; ORN responses of Si et al. 2019, Neuron 101:950.

    Example:
        >>> from kenyon.mushroom_body.parameters import PUBLISHED
        >>> float(drive(PUBLISHED, "pentyl acetate", reward=1.0)[REWARD])
        600.0
    """
    rates: FloatArray = drives(parameters, [stimulus(parameters, odors, reward=reward, punishment=punishment)])[0]
    return rates


def stimulus(parameters: Parameters, odors: Odors = None, *, reward: float = 0.0, punishment: float = 0.0) -> Stimulus:
    """Return a stimulus for `drives`, of which nothing can be wrong any more.

    Args:
        parameters: As for `drive`.
        odors: As for `drive`.
        reward: As for `drive`.
        punishment: As for `drive`.

    Raises:
        InputError: as for `drive`.
    """
    check_parameters(parameters)
    there = mixture(odors)
    if (
        parameters.spontaneous_rate_hz + parameters.odor_rate_hz * sum([odor.strongest for odor, _ in there])
        > MAX_RATE_HZ
    ):
        _refuse_too_strong(parameters, there)
    most = MAX_RATE_HZ / max(parameters.reinforcement_rate_hz, 1.0)
    return Stimulus(
        there,
        checks.number("reward", reward, low=0.0, high=most) * parameters.reinforcement_rate_hz,
        checks.number("punishment", punishment, low=0.0, high=most) * parameters.reinforcement_rate_hz,
    )


def _refuse_too_strong(parameters: Parameters, odors: Mixture) -> None:
    """Refuse a mixture that drives a channel at more than the kernel can count; asked only where it might."""
    strongest_hz = parameters.spontaneous_rate_hz + parameters.odor_rate_hz * float(mixture_responses([odors]).max())
    if strongest_hz > MAX_RATE_HZ:
        raise InputError(
            f"odors must drive each channel at {MAX_RATE_HZ:g} Hz at most, got {strongest_hz:.6g} Hz; give fewer or "
            f"weaker ones"
        )


def drives(parameters: Parameters, stimuli: Sequence[Stimulus]) -> FloatArray:
    """Return the rate of each input channel under each of several stimuli, as `drive` does: [stimuli, C] float64, Hz.

    All of them take hardly longer than one.

    Example:
        >>> from kenyon.mushroom_body.parameters import PUBLISHED
        >>> both = drives(PUBLISHED, [stimulus(PUBLISHED, "anisole"), stimulus(PUBLISHED, reward=1.0)])
        >>> bool((both[0] == drive(PUBLISHED, "anisole")).all())
        True
    """
    rates = np.empty((len(stimuli), N_CHANNELS))
    responses = mixture_responses([own.odors for own in stimuli])
    rates[:, :N_ORNS] = parameters.spontaneous_rate_hz + parameters.odor_rate_hz * responses
    rates[:, REWARD:] = [(own.reward_hz, own.punishment_hz) for own in stimuli]
    return rates


def start_channels(parameters: Parameters, seeds: Sequence[int]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return fresh input streams and the first time left of every channel, an ordinary draw each.

    Returns:
        rng [B, C, 4] uint64 and ticks_left [B, C] int64.
    """
    rng = sfc64_states(seeds, "input", N_CHANNELS)
    ticks_left = np.empty((len(seeds), N_CHANNELS), dtype=np.int64)
    _start(rng, parameters.input_shape, ticks_left)
    return rng, ticks_left


def ticks_per_step(parameters: Parameters, rates_hz: FloatArray) -> NDArray[np.int64]:
    """Return the operational time that each channel loses per step, in ticks, of the shape of `rates_hz`."""
    ticks: NDArray[np.int64] = np.rint(rates_hz * (parameters.dt_ms * 1e-3 * TICKS)).astype(np.int64)
    return ticks


def draw_events(
    parameters: Parameters,
    rng: NDArray[np.uint64],
    ticks_left: NDArray[np.int64],
    rates_hz: FloatArray,
    n_steps: int,
) -> NDArray[np.int32]:
    """Draw one larva's input spikes for some steps, moving its streams and times left on in place.

    Args:
        parameters: The set of constants.
        rng: [C, 4] uint64, changed.
        ticks_left: [C] int64, changed.
        rates_hz: [C] float64.
        n_steps: How many steps.

    Returns:
        [E, 2] int32, (step, channel), sorted.

    Raises:
        InputError: `rng` or `ticks_left` is read-only.

    Example:
        >>> from kenyon.mushroom_body.parameters import PUBLISHED
        >>> rng, ticks_left = start_channels(PUBLISHED, [1])
        >>> events = draw_events(PUBLISHED, rng[0], ticks_left[0], drive(PUBLISHED), 10_000)
        >>> round(len(events) / 21, 1)  # about 185, for one second at 185 Hz
        183.4
    """
    checks.writable("rng", rng)
    checks.writable("ticks_left", ticks_left)
    per_step = ticks_per_step(parameters, rates_hz)
    due = np.empty(DRAWN, dtype=np.uint32)
    parts: list[NDArray[np.int32]] = [np.empty((0, 2), dtype=np.int32)]
    for first in range(0, n_steps, DRAWN):
        stretch = min(DRAWN, n_steps - first)
        draw_stretch(rng, ticks_left, per_step, parameters.input_shape, stretch, due)
        step, channel = np.nonzero(due[:stretch, None] >> np.arange(N_CHANNELS, dtype=np.uint32) & 1)
        parts.append(np.column_stack((first + step, channel)).astype(np.int32))
    return np.concatenate(parts)


def check_events(name: str, events: Any, n_steps: int) -> NDArray[np.int32]:
    """Return given input events as [E, 2] int32 (step, channel), sorted.

    Raises:
        InputError: the shape or type is another, a step or channel lies outside, or a channel fires twice in a step.
    """
    given = checks.integers(name, events)
    if given.ndim != 2 or given.shape[1] != 2:
        raise InputError(f"{name} must be integers of shape (events, 2), got shape {given.shape}")
    for column, word, end in ((0, "step", n_steps), (1, "channel", N_CHANNELS)):
        outside = (given[:, column] < 0) | (given[:, column] >= end)
        if outside.any():
            raise InputError(f"{name} must have each {word} in 0..{end - 1}, got {given[outside][0, column]}")
    ordered: NDArray[np.int32] = given[np.lexsort((given[:, 1], given[:, 0]))].astype(np.int32)
    twice = (np.diff(ordered, axis=0) == 0).all(axis=1)
    if twice.any():
        step, channel = ordered[1:][twice][0]
        raise InputError(
            f"{name} must hold one spike per channel and step, got two on channel {channel} in step {step}"
        )
    return ordered


@compiled
def interval(rng: NDArray[np.uint64], shape: int) -> int:
    """Draw one interval from Gamma(shape, 1/shape), a sum of exponentials: mean 1, CV 1/sqrt(shape); in ticks."""
    product = 1.0
    for _ in range(shape):
        product *= 1.0 - uniform(rng)
    return int(max(1.0, -logarithm(product) * (TICKS / shape)))


@compiled
def _ticks(product: float, ticks_per_unit: float) -> float:
    return float(max(1.0, np.floor(-logarithm(product) * ticks_per_unit)))


@compiled
def _start(rng: NDArray[np.uint64], shape: int, ticks_left: NDArray[np.int64]) -> None:
    for larva in range(len(rng)):
        for channel in range(N_CHANNELS):
            ticks_left[larva, channel] = interval(rng[larva, channel], shape)


@compiled
def draw_stretch(
    rng: NDArray[np.uint64],
    ticks_left: NDArray[np.int64],
    per_step: NDArray[np.int64],
    shape: int,
    n_steps: int,
    due: NDArray[np.uint32],
) -> None:
    """Draw which channels of one larva fire in each of n_steps steps.

    Args:
        rng: [C, 4] uint64, changed.
        ticks_left: [C] int64, changed.
        per_step: [C] int64, ticks lost per step.
        shape: Shape of the intervals.
        n_steps: How many.
        due: [n_steps or more] uint32, written: bit c is set where channel c fires.
    """
    drawn, states = np.empty(_AT_ONCE), np.empty((_AT_ONCE + 1, 4), dtype=np.uint64)
    for step in range(n_steps):
        due[step] = 0
    for channel in range(N_CHANNELS):
        lost, left = per_step[channel], ticks_left[channel]
        to_go = n_steps
        while left <= _ticks_of(to_go, lost):
            # In phases: logarithms wait for nothing but their number, where a branch would wait for each of them.
            n = min(_AT_ONCE, 2 + int(to_go * (lost / TICKS)))
            products(rng[channel], shape, n, drawn, states)
            for i in range(n):
                drawn[i] = _ticks(drawn[i], TICKS / shape)
            left, to_go, used = _place_intervals(channel, lost, left, to_go, n_steps, n, drawn, due)
            for word in range(4):
                rng[channel, word] = states[used, word]
        ticks_left[channel] = left - to_go * lost


@compiled
def _place_intervals(
    channel: int,
    lost: int,
    left: int,
    to_go: int,
    n_steps: int,
    n: int,
    intervals: FloatArray,
    due: NDArray[np.uint32],
) -> tuple[int, int, int]:
    """Let a channel fire after each interval, until its n intervals or the steps are used up.

    Returns:
        Ticks left, 0 or less where another interval is due; steps to go; how many intervals were used.
    """
    steps_per_tick = 1.0 / lost if lost > 0 else 0.0
    bit, before, end = np.uint32(1 << channel), n_steps - to_go - 1, _ticks_of(to_go, lost)
    used, steps = 0, 0
    while left <= end:
        if left > 0:
            # Divided as doubles, which takes a fraction of the time: one or two too few, and never too many. Ticks
            # are counted from the first step on, not from the last spike: so no division waits for another.
            steps = int(left * steps_per_tick)
            while steps * lost < left:
                steps += 1
            due[before + steps] |= bit
        if used == n:
            return left - steps * lost, to_go - steps, used
        left += int(intervals[used])
        used += 1
    return left, to_go, used


@compiled
def _ticks_of(steps: int, lost: int) -> int:
    """Return the ticks that a channel loses in some steps; or where they are beyond counting, more than it ever has."""
    return steps * lost if steps * (lost / TICKS) < _UNCOUNTED else int(_UNCOUNTED * TICKS)


@compiled
def place_stretch(
    events: NDArray[np.int32],
    next_event: int,
    first_step: int,
    n_steps: int,
    due: NDArray[np.uint32],
) -> int:
    """Lay given events [E, 2] of steps first_step.. out as `draw_stretch` does; return the first event after them."""
    for step in range(n_steps):
        due[step] = 0
    while next_event < events.shape[0] and events[next_event, 0] < first_step + n_steps:
        due[events[next_event, 0] - first_step] |= np.uint32(1 << events[next_event, 1])
        next_event += 1
    return next_event
