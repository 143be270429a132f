"""Head casts, held against a description of them by loops, and against larvae whose casts are known."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from kenyon.larvaworld_plugin.head_casts import HeadCast, casting, head_casts, rate_modulation

TICK_S = 0.1


def degrees_between(one: float, other: float) -> float:
    """Return by how much one angle in degrees is left of another, -180 to 180."""
    return math.degrees(math.remainder(math.radians(one - other), math.tau))


def described(front: list[float], rear: list[float]) -> list[tuple[int, int]]:
    """Return beginning and end of each head cast of tracks in degrees, tick by tick, as the definition reads."""
    count = len(front)
    raw = [degrees_between(front[t + 1], front[t]) / TICK_S for t in range(count - 1)]
    speed = {t: sum(raw[t - 2 : t + 3]) / 5 for t in range(2, count - 3)}
    angle = [degrees_between(front[t], rear[t]) for t in range(count)]
    bend = {t: sum(angle[t - 2 : t + 3]) / 5 for t in range(2, count - 2)}
    found, began = [], None
    for t in range(3, count - 3):
        fast = abs(speed[t]) > 35
        if fast and abs(speed[t - 1]) <= 35:
            began = t
        if not fast and began is not None:
            still = all(abs(degrees_between(rear[k + 1], rear[k])) / TICK_S < 45 for k in range(began, t))
            if still and abs(bend[t] - bend[began]) >= 20:
                found.append((began, t))
            began = None
    return found


@pytest.mark.parametrize("seed", range(5))
def test_they_are_those_of_the_definition(seed: int) -> None:
    """Of larvae that sweep the head to and fro ever differently, and turn by the rear now and then."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(600) * TICK_S
    sweep = rng.uniform(50, 90) * np.sin(2 * np.pi * rng.uniform(0.2, 0.4) * time_s + rng.uniform(0, 6))
    rear = np.cumsum(rng.normal(0, 2.0, 600) * (rng.uniform(size=600) < 0.3))
    front = rear + sweep * (0.5 + 0.5 * np.sin(time_s / 7)) + rng.normal(0, 1.0, 600)
    found = head_casts(np.radians(front) % math.tau, np.radians(rear) % math.tau, TICK_S)
    assert len(found) > 5
    assert [(cast.begins, cast.ends) for cast in found] == described(front.tolist(), rear.tolist())
    assert all(cast.begins <= cast.fastest < cast.ends for cast in found)


def cast_at(tick: int, degrees: float, ticks: int = 200) -> NDArray[np.float64]:
    """Return an orientation in rad that changes within a second, from 0."""
    turning = np.interp(np.arange(ticks), [tick, tick + 10], [0.0, np.radians(degrees)])
    return np.asarray(turning, dtype=np.float64)


def test_small_slow_and_whole_turns_are_none() -> None:
    """A bend of less than 20 degrees, a head slower than 35 degrees/s, a body that turns as a whole."""
    still = np.zeros(200)
    assert len(head_casts(cast_at(50, 60), still, TICK_S)) == 1
    assert head_casts(cast_at(50, 60) / 4, still, TICK_S) == []
    assert head_casts(np.radians(np.linspace(0, 400, 200)), still, TICK_S) == []
    assert head_casts(cast_at(50, 60), cast_at(50, 55), TICK_S) == []
    assert head_casts(still[:3], still[:3], TICK_S) == []


def test_a_cast_that_is_cut_off_is_not_counted() -> None:
    """Neither at the beginning of the time nor at its end."""
    whole = cast_at(50, 90)
    assert head_casts(whole[55:], np.zeros(145), TICK_S) == []
    assert head_casts(whole[:56], np.zeros(56), TICK_S) == []
    assert isinstance(head_casts(whole, np.zeros(200), TICK_S)[0], HeadCast)


def test_rate_and_direction_are_those_of_larvae_that_are_known() -> None:
    """One heads to the odor and casts once, to it; the other heads away and casts twice, away and back."""
    odor = (1.0, 0.0)
    to_it = np.radians(80) - cast_at(50, 80)  # from 80 degrees beside it to it
    away = np.pi + cast_at(50, 80) - cast_at(100, 80)
    front, rear = np.array([to_it, away]), np.array([np.full(200, np.radians(20)), np.full(200, np.pi)])
    found = casting(np.zeros((2, 200)), np.zeros((2, 200)), front, rear, odor, TICK_S)
    assert found.toward_hz == pytest.approx(1 / 20)
    assert found.away_hz == pytest.approx(2 / 20)
    assert float(rate_modulation(found.toward_hz, found.away_hz)) == pytest.approx(1 / 3)
    # On the whole only the first one comes nearer, for the other's two undo each other.
    assert found.reorientation_deg == pytest.approx(80 / 3, rel=0.1)


def test_the_odor_may_lie_anywhere() -> None:
    """Larvae and odor turned and moved together cast the same."""
    rng = np.random.default_rng(1)
    x, y = np.cumsum(rng.normal(0, 1e-4, (2, 3, 300)), axis=-1)
    rear = np.array([[0.0], [2.0], [4.0]]) + np.cumsum(rng.normal(0, 0.02, (3, 300)), axis=-1)
    front = rear + np.sin(np.arange(300) / 4 + rng.uniform(0, 6, (3, 1)))
    before = casting(x, y, front, rear, (0.04, 0.0), TICK_S)
    turn = 2.0
    turned = np.cos(turn) * x - np.sin(turn) * y + 0.3, np.sin(turn) * x + np.cos(turn) * y - 0.1
    odor = 0.04 * math.cos(turn) + 0.3, 0.04 * math.sin(turn) - 0.1
    after = casting(*turned, front + turn, rear + turn, odor, TICK_S)
    assert tuple(after) == pytest.approx(tuple(before))


def test_of_no_time_and_no_cast_nothing_is_known() -> None:
    """Absent is not zero."""
    still = np.zeros((1, 50))
    found = casting(still, still, still, still, (1.0, 0.0), TICK_S)
    assert found.toward_hz == 0.0
    assert math.isnan(found.away_hz)
    assert math.isnan(found.reorientation_deg)
    assert math.isnan(float(rate_modulation(0.0, 0.0)))
