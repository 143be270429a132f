"""Points grouped into tasks as tasks are needed: long enough to be worth a file, short enough that all end together."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from kenyon.conditioning.sweeps.points import Point

TASK_S = 30.0
"""How long a task shall take where there is much to do: little is lost with it, and its parts are few."""

LEAST_S = 1.0
"""How long one shall take at the end, so that no worker waits long for another one."""

MOST_POINTS = 2000
"""Points of a task, however short they are: their results lie in memory until all are stored."""

AHEAD = 2
"""Tasks that a worker has at a time, one under way and one that waits."""

_FORGETTING = 0.8
"""What a rate that was measured still weighs when the next one is."""


class Grouping:
    """Forms tasks out of points, the costly ones first, by how fast earlier ones were.

    As long as nothing is known each task is one point.

    Args:
        points: What there is to do.
        workers: How many tasks are computed at once; asked for each task.
        alone: Ids of points that shall be a task each, before all others.

    Example:
        >>> from kenyon.conditioning.sweeps import Sweep
        >>> sweep = Sweep.grid(design="A+ 1s, ?A 1s", larvae=2, seed=range(9))
        >>> grouping = Grouping(sweep, workers=lambda: 1)
        >>> tasks = iter(grouping)
        >>> len(next(tasks))
        1
        >>> grouping.learned(larva_seconds=4.0, seconds=2.0)
        >>> len(next(tasks))
        4
    """

    def __init__(self, points: Iterable[Point], workers: Callable[[], int], alone: Iterable[str] = ()) -> None:
        first = set(alone)
        costly = sorted(((-point.larva_seconds, place, point) for place, point in enumerate(points)))
        self._alone = deque(point for _, _, point in costly if first and point.id in first)
        self._left = deque((-cost, point) for cost, _, point in costly if not first or point.id not in first)
        self._left_larva_s = sum(cost for cost, _ in self._left)
        self._workers = workers
        self._larva_s = self._seconds = 0.0

    def learned(self, larva_seconds: float, seconds: float) -> None:
        """Learn how long something took, somewhere."""
        if larva_seconds > 0.0 and seconds > 0.0:
            self._larva_s = _FORGETTING * self._larva_s + larva_seconds
            self._seconds = _FORGETTING * self._seconds + seconds

    def __iter__(self) -> Iterator[Sequence[Point]]:
        """Give one task after the other."""
        while self._alone:
            yield (self._alone.popleft(),)
        while self._left:
            yield self._task()

    def _task(self) -> tuple[Point, ...]:
        """Return as much as takes the time of a task, and not more than a share of what is left."""
        cost, first = self._left.popleft()
        points = [first]
        if self._seconds:
            rate = self._larva_s / self._seconds
            share_s = self._left_larva_s / rate / (AHEAD * self._workers())
            most = rate * min(TASK_S, max(LEAST_S, share_s))
            while self._left and cost + self._left[0][0] <= most and len(points) < MOST_POINTS:
                more, point = self._left.popleft()
                points.append(point)
                cost += more
        self._left_larva_s -= cost
        return tuple(points)
