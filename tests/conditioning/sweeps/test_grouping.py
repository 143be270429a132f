"""Points become tasks that are worth a file, and all workers end together."""

import heapq
from collections.abc import Sequence

import pytest

from kenyon.conditioning.sweeps import Sweep
from kenyon.conditioning.sweeps.grouping import AHEAD, LEAST_S, TASK_S, Grouping
from kenyon.conditioning.sweeps.points import Point


def shared_out(sweep: Sequence[Point], workers: int, larva_seconds_per_s: float) -> tuple[list[float], list[float]]:
    """Return how long each task takes, and when each worker ends, s, if all are as fast; each has one that waits.

    A second description of what a pool does, without one.
    """
    grouping = Grouping(sweep, lambda: workers)
    tasks, lasted = iter(grouping), []
    free = [(0.0, worker, 0.0) for worker in range(workers)]  # when, who, and how much it has just done
    waiting: list[Sequence[Point]] = []
    heapq.heapify(free)
    ends = []
    while free:
        now, worker, done = heapq.heappop(free)
        grouping.learned(done, done / larva_seconds_per_s)
        while len(waiting) < (AHEAD - 1) * workers + 1 and (task := next(tasks, None)) is not None:
            waiting.append(task)
        if not waiting:
            ends.append(now)
            continue
        cost = sum(point.larva_seconds for point in waiting.pop(0))
        lasted.append(cost / larva_seconds_per_s)
        heapq.heappush(free, (now + lasted[-1], worker, cost))
    return lasted, ends


@pytest.mark.parametrize("workers", [1, 2, 16])
@pytest.mark.parametrize("point_s", [0.05, 5.0])
def test_all_workers_end_together(workers: int, point_s: float) -> None:
    """Within what the least task takes; and tasks are few, for each is a file."""
    sweep = Sweep.grid(design="A+ 1s, ?A 1s", larvae=1, seed=list(range(3000)))
    rate = sweep[0].larva_seconds / point_s
    lasted, ends = shared_out(sweep, workers, rate)
    assert sum(lasted) == pytest.approx(3000 * point_s)
    assert max(ends) - min(ends) <= max(LEAST_S, point_s) + 1e-6
    assert max(lasted) <= TASK_S
    whole = 3000 * point_s / (workers * TASK_S)
    assert len(lasted) <= workers * (whole + 40)


def test_costly_points_come_first() -> None:
    """So that none is left for the end, when nobody else has anything to do."""
    sweep = Sweep.grid(design="A+ 1s, ?A 1s", larvae=[1, 100, 10], seed=[1, 2])
    given = [point.larva_seconds for task in Grouping(sweep, lambda: 2) for point in task]
    assert given == sorted(given, reverse=True)
    assert len(given) == len(sweep)


def test_a_long_point_is_a_task() -> None:
    """However long it takes."""
    sweep = Sweep.grid(design="A+ 1s, ?A 1s", larvae=100, seed=[1, 2, 3])
    grouping = Grouping(sweep, lambda: 1)
    grouping.learned(1.0, 3600.0)
    assert [len(task) for task in grouping] == [1, 1, 1]


def test_points_under_suspicion_are_alone() -> None:
    """Before all others."""
    sweep = Sweep.grid(design="A+ 1s, ?A 1s", larvae=1, seed=list(range(9)))
    grouping = Grouping(sweep, lambda: 1, alone=[sweep[4].id, sweep[7].id])
    grouping.learned(1000.0, 1.0)
    sizes = [len(task) for task in grouping]
    assert sizes[:2] == [1, 1]
    assert sum(sizes) == 9
