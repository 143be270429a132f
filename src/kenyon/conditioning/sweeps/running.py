"""A sweep computed: what is not stored yet, by whatever is there, until all of it is stored or has failed."""

import math
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

from kenyon import checks
from kenyon.conditioning.sweeps import failures, tasks
from kenyon.conditioning.sweeps.cluster import Cluster
from kenyon.conditioning.sweeps.failures import Failure
from kenyon.conditioning.sweeps.folder import Heart, Planned, beating, mark_of, opened, status_of
from kenyon.conditioning.sweeps.grouping import Grouping
from kenyon.conditioning.sweeps.points import Point
from kenyon.conditioning.sweeps.status import Status
from kenyon.conditioning.sweeps.store import Store
from kenyon.conditioning.sweeps.sweep import Sweep
from kenyon.conditioning.sweeps.tasks import Outcome, Task
from kenyon.conditioning.sweeps.workers import Given, Workers
from kenyon.errors import InputError, KenyonError
from kenyon.jobs import MOST_JOBS, done
from kenyon.progress import progress
from kenyon.threads import available_cores
from kenyon.words import shown

MOST_DEATHS = 3
"""How often the process that computes a point may be killed before the point is taken for the reason."""


def run_sweep(
    sweep: Sweep,
    folder: str | os.PathLike[str],
    executor: Any = None,
    *,
    jobs: int | None = None,
    store: str | os.PathLike[str] | None = None,
    shard: str | tuple[int, int] | None = None,
    retry: bool = False,
    show_progress: bool = True,
) -> Status:
    """Compute the points of a sweep that are not stored yet, and store them.

    Whatever ends it, be it Ctrl-C, a signal, a full disk or a scheduler that is no more, the same call goes on with
    what is not stored; at most the tasks that were under way are computed again, half a minute each. A point that
    raises is kept with its error, and the others go on.

    Args:
        sweep: What to compute.
        folder: Where its plan, its results and its failures are kept; made if it is not there.
        executor: What computes: any executor of `concurrent.futures`, or a `Client` of dask.distributed, whose workers
            must see the folder by the same name. Processes on this machine if not given; a script must then come to
            this beneath `if __name__ == "__main__":`.
        jobs: How many cores of this machine to use, with a process each; all if not given. 1 computes in this process.
        store: The folder of a store that several sweeps share; one in `folder` if not given.
        shard: Compute only a part, such as "3/16" or (3, 16), the third of sixteen. Shards may run at the same time.
        retry: Compute points again that have failed.
        show_progress: Show on standard error how far it is.

    Returns:
        How far the whole sweep has come.

    Raises:
        InputError: an argument is unusable, or the folder is that of another store or another version.
        FileFormatError: the plan of the folder cannot be read.
        MismatchError: a worker has other versions than this process.
        StorageError: the disk is full, or workers do not see the folder.
        KenyonError: what computes is no more: processes are killed again and again, or a scheduler is lost.

    Warns:
        ChangedPlanWarning: the folder had another plan; says which points are new, and which orphaned.

    Randomness:
        Every larva's own streams; the numbers are those of `run`, whoever computes.

    Example:
        >>> import tempfile
        >>> sweep = Sweep.grid(design="A+ 1s, ?A 1s", larvae=1, seed=[1, 2, 3])
        >>> print(run_sweep(sweep, tempfile.mkdtemp(), jobs=1, show_progress=False))
        3 of 3 points done
    """
    sweep = checks.instance("sweep", sweep, Sweep, "make one with Sweep.grid")
    place = checks.path("folder", folder)
    of_store = None if store is None else checks.path("store", store)
    retry, part = checks.boolean("retry", retry), _part(shard)
    show_progress = checks.boolean("show_progress", show_progress)
    _workers(executor, jobs, len(sweep))  # Refuses what is none before anything is written.
    planned, new = opened(place, sweep, of_store)
    mine = list(sweep)[slice(None) if part is None else slice(part[0] - 1, None, part[1])]
    stored = Store(planned.store).ids()
    raised = set() if retry else set(failures.kept(planned.failed))
    left = [point for point in mine if point.id not in stored and point.id not in raised]
    workers = _workers(executor, jobs, len(left))
    if left:
        before = Status(len(mine), sum(point.id in stored for point in mine))
        _Run(planned, left, before, workers).carried_out(show_progress)
    return status_of(planned, new)


def _workers(executor: Any, cores: int | None, points: int) -> Workers:
    """Return what computes: an executor that is given, or the cores of this machine.

    Raises:
        InputError: the executor is none, or the cores are no integer from 1 to 1024.
    """
    cores = available_cores() if cores is None else checks.integer("jobs", cores, low=1, high=MOST_JOBS)
    if executor is None:
        return Workers(cores, points)
    if hasattr(executor, "get_executor"):
        return Cluster(executor)
    if isinstance(executor, Executor):
        return Given(executor, cores)
    raise InputError(
        f"executor must be one of concurrent.futures or a Client of dask.distributed, got {shown(executor)}; leave it "
        "out for the processes of this machine"
    )


def _part(shard: Any) -> tuple[int, int] | None:
    """Return which part of how many.

    Raises:
        InputError: it is none.
    """
    if shard is None:
        return None
    pair = shard.split("/") if isinstance(shard, str) else shard
    numbers = [checks.spelled_integer(own) if isinstance(own, str) else own for own in pair] if _is_pair(pair) else []
    if not numbers or any(own is None for own in numbers):
        raise InputError(f"shard must be such as 3/16, the third of sixteen, got {shown(shard)}")
    count = checks.integer("number of shards", numbers[1], low=1, high=10**6)
    return checks.integer("shard", numbers[0], low=1, high=count), count


def _is_pair(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and len(value) == 2


class _Run:
    """One call that computes points until none is left.

    Args:
        planned: The folder.
        points: What is left to do.
        before: How far those are that this call has to see to.
        workers: What computes.
    """

    def __init__(self, planned: Planned, points: Sequence[Point], before: Status, workers: Workers) -> None:
        self._planned, self._workers, self._before = planned, workers, before
        self._mark = mark_of(planned.store)
        self._left = {point.id: point for point in points}
        self._larva_s = sum(point.larva_seconds for point in points)
        self._done_larva_s = 0.0
        self._computed = self._diverged = 0
        self._failures: list[Failure] = []
        self._deaths: Counter[str] = Counter()
        self._under_way: dict[int, Task] = {}
        self._begun = time.monotonic()

    def carried_out(self, show_progress: bool) -> None:
        """Compute what is left; with another pool, where processes were killed."""
        with (
            beating(self._planned.folder) as heart,
            progress(lambda: str(self.status), self._larva_s, show=show_progress) as advance,
        ):
            heart.beat(math.nan, math.nan)
            while self._left:
                with self._workers.pool() as pool:
                    self._work(pool, heart, advance)

    @property
    def status(self) -> Status:
        """How far it is, as far as this call knows."""
        lasted = time.monotonic() - self._begun
        return replace(
            self._before,
            done=self._before.done + self._computed,
            diverged=self._diverged,
            failures=tuple(self._failures),
            rate_hz=self._computed / lasted if self._computed else math.nan,
            left_s=(self._larva_s / self._done_larva_s - 1.0) * lasted if self._done_larva_s else math.nan,
        )

    def _work(self, pool: Executor, heart: Heart, advance: Callable[[float], None]) -> None:
        """Compute with one pool, until all is done or the pool is no more.

        A point whose process was killed twice is computed while nothing else is: if it is again, that is why.
        """
        workers = self._workers
        suspects = [point for own, point in self._left.items() if self._deaths[own] >= MOST_DEATHS - 1]
        grouping = Grouping(suspects or self._left.values(), workers.count, alone=self._deaths)
        ahead = (lambda: 1) if suspects else workers.ahead
        self._under_way.clear()
        try:
            for over in done(pool, tasks.compute, map(self._task, grouping), at_once=ahead):
                workers.check()
                advance(0.0 if over is None else self._over(*over, grouping))
                now = self.status
                heart.beat(now.rate_hz, now.left_s)
        except workers.killed:
            if not workers.are_made_anew:
                raise KenyonError(workers.lost_words()) from None
            for task in list(self._under_way.values()):
                advance(self._killed(task))
        except workers.lost as reason:
            if isinstance(reason, KenyonError):
                raise
            raise KenyonError(workers.lost_words()) from reason

    def _task(self, points: Sequence[Point]) -> Task:
        planned = self._planned
        task = Task(
            tuple(points), str(planned.store), self._mark, str(planned.failed), self._workers.threads, tasks.numbers()
        )
        self._under_way[id(task)] = task
        return task

    def _over(self, task: Task, future: "Future[Outcome]", grouping: Grouping) -> float:
        """Take what became of a task; return how many larva-seconds are no longer to be done."""
        try:
            outcome = future.result()
        except self._workers.killed:
            if self._workers.are_made_anew:  # All that its pool had is lost, and nothing may be given to it any more.
                raise
            return self._killed(self._under_way.pop(id(task)))
        del self._under_way[id(task)]
        grouping.learned(outcome.larva_seconds, outcome.seconds)
        for own in outcome.done:
            failures.forget(self._planned.failed, own)
        self._computed += len(outcome.done)
        self._diverged += outcome.diverged
        self._failures += outcome.failures
        return self._taken([*outcome.done, *(failure.id for failure in outcome.failures)])

    def _killed(self, task: Task) -> float:
        """Count a death for each point of a task; those that have died too often have failed."""
        for point in task.points:
            self._deaths[point.id] += self._workers.deaths
        dead = [point for point in task.points if self._deaths[point.id] >= MOST_DEATHS]
        for point in dead:
            sentence = "the process that computed it was killed again and again, perhaps for want of memory"
            failure = Failure(point.id, dict(point.varied), sentence, "", "")
            failures.keep(self._planned.failed, failure)
            self._failures.append(failure)
        return self._taken([point.id for point in dead])

    def _taken(self, ids: Sequence[str]) -> float:
        larva_s = sum(self._left.pop(own).larva_seconds for own in ids if own in self._left)
        self._done_larva_s += larva_s
        return larva_s
