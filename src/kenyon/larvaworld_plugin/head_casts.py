"""Head casts of larvae, and what of them an odor changes: how often, and whereto.

Larvae show what they learned in both (Thane et al. 2019, PLoS ONE 14:e0224154; Schleyer et al. 2015, Learn. Mem.
22:267). Defined as in the analysis program of the first of these authors, IMBA (github.com/mthane/IMBA,
`calculate_HC_variables`, after Paisios et al. 2017): a head cast lasts as long as the head turns by more than 35
degrees/s, the rear by less than 45 degrees/s all the time; it counts if the body's bend changes by 20 degrees or more
from its beginning to its end. Speed of the head and bend are running means over 0.45 s, or the next odd number of
ticks. Head and rear are the front and the rear segment of the host's larvae; other than there, angles to the odor are
taken from the middle of the body, for that is what the host records.

Law of this file: arrays in, numbers out.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

HEAD_DEG_PER_S = 35.0
REAR_DEG_PER_S = 45.0
LEAST_BEND_DEG = 20.0
SMOOTHED_S = 0.45


class HeadCast(NamedTuple):
    """One head cast.

    Attributes:
        begins: Tick at which it begins.
        fastest: Tick at which the head turns fastest.
        ends: Tick at which it is over.
    """

    begins: int
    fastest: int
    ends: int


class Casting(NamedTuple):
    """Head casts of a group of larvae under an odor.

    Attributes:
        toward_hz: Head casts per second and larva while larvae head toward the odor, the rear within 90 degrees of it.
        away_hz: The same while they head away. Both are nan of no time.
        reorientation_deg: By how much a head cast turns the head toward the odor, mean over casts; nan of none.
    """

    toward_hz: float
    away_hz: float
    reorientation_deg: float


def head_casts(front: FloatArray, rear: FloatArray, tick_s: float) -> list[HeadCast]:
    """Return the head casts of a larva.

    Args:
        front: [T] float64, rad, whereto the front of its body points in each tick.
        rear: [T] float64, rad, the same of its rear.
        tick_s: Duration of a tick, s.

    Returns:
        Those that begin and end within the time, in order.

    Example:
        >>> quiet, cast = np.zeros(20), np.radians(np.linspace(0, 60, 11))
        >>> front = np.concatenate([quiet, cast, np.full(20, cast[-1])])
        >>> head_casts(front, np.zeros(51), 0.1)
        [HeadCast(begins=20, fastest=23, ends=30)]
    """
    head, bend = _smoothed(_speed(front, tick_s), tick_s), _smoothed(np.degrees(_wrapped(front - rear)), tick_s)
    rear_speed = np.abs(_speed(rear, tick_s))
    fast = np.abs(head) > HEAD_DEG_PER_S
    edges = np.diff(fast.astype(np.int8))
    begins, ends = np.flatnonzero(edges == 1) + 1, np.flatnonzero(edges == -1) + 1
    ends = ends[np.searchsorted(ends, begins[0], "right") :] if len(begins) else ends[:0]
    known = ~np.isnan(head)
    return [
        HeadCast(int(a), int(a + np.argmax(np.abs(head[a:b]))), int(b))
        for a, b in zip(begins, ends, strict=False)
        if known[a - 1] and known[b] and rear_speed[a:b].max() < REAR_DEG_PER_S
        and abs(bend[b] - bend[a]) >= LEAST_BEND_DEG
    ]  # fmt: skip


def casting(
    x: FloatArray, y: FloatArray, front: FloatArray, rear: FloatArray, odor: tuple[float, float], tick_s: float
) -> Casting:
    """Return how often a group of larvae casts the head while it heads toward an odor and away, and whereto.

    Args:
        x: [B, T] float64, m, where the middle of each larva's body is.
        y: [B, T] float64, m.
        front: [B, T] float64, rad, whereto its front points.
        rear: [B, T] float64, rad, whereto its rear points.
        odor: Where the odor's source is, m.
        tick_s: Duration of a tick, s.
    """
    direction = np.arctan2(odor[1] - y, odor[0] - x)
    heading = np.degrees(np.abs(_wrapped(front - direction)))
    toward = np.abs(_wrapped(rear - direction)) <= np.pi / 2
    casts = [(larva, cast) for larva in range(len(x)) for cast in head_casts(front[larva], rear[larva], tick_s)]
    while_toward = sum(bool(toward[larva, cast.fastest]) for larva, cast in casts)
    turned = [heading[larva, cast.begins] - heading[larva, cast.ends] for larva, cast in casts]
    return Casting(
        _per_second(while_toward, int(toward.sum()), tick_s),
        _per_second(len(casts) - while_toward, int((~toward).sum()), tick_s),
        float(np.mean(turned)) if turned else float("nan"),
    )


def rate_modulation(toward_hz: Any, away_hz: Any) -> Any:
    """Return (away - toward) / (away + toward): above 0 larvae cast the head less often while they head to the odor.

    Args:
        toward_hz: As `Casting` has it, one or an array.
        away_hz: The same.

    Returns:
        From -1 to 1; nan where there was no head cast.

    Example:
        >>> float(rate_modulation(0.25, 0.75))
        0.5
    """
    both = np.asarray(toward_hz) + np.asarray(away_hz)
    return (np.asarray(away_hz) - np.asarray(toward_hz)) / np.where(both == 0, np.nan, both)


def _per_second(casts: int, ticks: int, tick_s: float) -> float:
    return casts / (ticks * tick_s) if ticks else float("nan")


def _speed(orientation: FloatArray, tick_s: float) -> FloatArray:
    """Return [T] by how much an orientation changes in each tick, degrees/s; in the last by nothing that is known."""
    speed: FloatArray = np.append(np.degrees(_wrapped(np.diff(orientation))) / tick_s, np.nan)
    return speed


def _smoothed(values: FloatArray, tick_s: float) -> FloatArray:
    """Return a running mean, nan where it would need what is not known."""
    width = 2 * round((SMOOTHED_S / tick_s - 1) / 2) + 1
    if len(values) < width or width <= 1:
        return values if width <= 1 else np.full(len(values), np.nan)
    edge = np.full(width // 2, np.nan)
    return np.concatenate([edge, np.convolve(values, np.full(width, 1 / width), "valid"), edge])


def _wrapped(angle: FloatArray) -> FloatArray:
    """Return angles from -pi to pi."""
    wrapped: FloatArray = (angle + np.pi) % (2 * np.pi) - np.pi
    return wrapped
