"""What callers say about larvae, checked against how many there are: their places, durations and rates."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.mushroom_body.circuit import N_CHANNELS
from kenyon.mushroom_body.inputs import MAX_RATE_HZ
from kenyon.mushroom_body.parameters import Parameters

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def places(larvae: Sequence[int] | None, count: int) -> IntArray:
    """Return places among `count` larvae as an array, all of them if none are named.

    Raises:
        InputError: there are no larvae, none is named, or a place lies outside.

    Example:
        >>> places(None, 3), places([2, 0], 3)
        (array([0, 1, 2]), array([2, 0]))
    """
    if count == 0:
        raise InputError("the population must have at least one larva, got none; add larvae by seed first")
    if larvae is None:
        return np.arange(count, dtype=np.int64)
    named = [
        checks.integer("place of a larva", place, low=0, high=count - 1) for place in checks.several("larvae", larvae)
    ]
    if not named:
        raise InputError("larvae must name at least one place, got none")
    return np.array(named, dtype=np.int64)


def steps(parameters: Parameters, duration_ms: Any, larvae: int) -> IntArray:
    """Return durations, one for all or one for each larva, as whole steps: [B] int64.

    Raises:
        InputError: a duration is no whole number of steps, or there is not one for each.

    Example:
        >>> from kenyon.mushroom_body.parameters import BALANCED
        >>> steps(BALANCED, 100, 2), steps(BALANCED, [0.1, 0], 2)
        (array([1000, 1000]), array([1, 0]))
    """
    if not isinstance(duration_ms, Iterable):
        same = np.empty(larvae, dtype=np.int64)
        same.fill(parameters.steps("duration", duration_ms))
        return same
    durations_ms = checks.array("duration", duration_ms, (larvae,), low=0.0, unit="ms")
    return np.array([parameters.steps("duration", float(own)) for own in durations_ms], dtype=np.int64)


def rates(drive_hz: Any, larvae: int) -> FloatArray:
    """Return the rate of each input channel, the same for all larvae or a row for each: [B, C] float64, Hz.

    Raises:
        InputError: the shape is another, or a rate is negative, too high or not finite.

    Example:
        >>> rates(np.zeros(23), 2).shape
        (2, 23)
    """
    return checks.array("drive", drive_hz, (larvae, N_CHANNELS), low=0.0, high=MAX_RATE_HZ, unit="Hz")
