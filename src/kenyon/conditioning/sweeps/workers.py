"""What a sweep is computed by: this process, processes of its own, or any executor that is given."""

from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor
from contextlib import contextmanager

from kenyon import jobs
from kenyon.conditioning.sweeps import tasks
from kenyon.errors import InputError, KenyonError

MOST_STARTS = 3
"""How often processes are started that end at once: one may be killed by then, but not always."""


class Workers:
    """Processes on this machine, one a core; where there are fewer points than cores, each with several threads.

    Args:
        cores: How many cores to use; 1 computes in this process.
        points: How many points there are to compute.

    Attributes:
        threads: How many larvae each advances at once.
        killed: What a task raises whose process was killed.
        deaths: How many times that has happened by then.
        lost: What a task raises where nobody is there any more who could compute it.
        are_made_anew: Whether `pool` gives others after these were killed.
    """

    killed: tuple[type[BaseException], ...] = (BrokenExecutor,)
    deaths = 1
    lost: tuple[type[BaseException], ...] = ()
    are_made_anew = True

    def __init__(self, cores: int, points: int) -> None:
        self._processes = max(1, min(cores, points))
        self.threads = cores // self._processes

    @contextmanager
    def pool(self) -> Iterator[Executor]:
        """Give an executor to compute with.

        Raises:
            KenyonError: no process can be started.
        """
        if self._processes == 1:
            yield jobs.Here()
            return
        for _ in range(MOST_STARTS):
            with jobs.processes(self._processes) as executor:
                try:
                    executor.submit(tasks.numbers).result()
                except BrokenExecutor:
                    continue
                yield executor
                return
        raise KenyonError(
            "processes that compute a sweep must be able to start, but they ended at once; a script must come to "
            'run_sweep beneath if __name__ == "__main__":, or take jobs=1'
        )

    def count(self) -> int:
        """Return how many tasks are computed at once."""
        return self._processes

    def ahead(self) -> int:
        """Return how many tasks shall be given at a time, so that nobody waits for the next."""
        return 1 if self._processes == 1 else 2 * self._processes

    def check(self) -> None:
        """Refuse to go on where what computes is no more, or computes other numbers."""

    def lost_words(self) -> str:
        """Return in a sentence what to do when everybody is lost."""
        return "what computes a sweep must live until it is done, but it is no more; give the same call again"


class Given(Workers):
    """Any executor of `concurrent.futures`; it is not shut down.

    Args:
        executor: The executor.
        at_once: How many tasks it computes at once, if it does not say it itself.
    """

    lost = (CancelledError,)
    are_made_anew = False
    threads = 1

    def __init__(self, executor: Executor, at_once: int) -> None:
        self._executor = executor
        self._at_once = int(getattr(executor, "_max_workers", at_once))

    @contextmanager
    def pool(self) -> Iterator[Executor]:
        """Give the executor.

        Raises:
            InputError: it takes no work.
            MismatchError: it computes with other versions than this process has.
        """
        try:
            tasks.check_numbers(self._executor.submit(tasks.numbers).result())
        except RuntimeError as reason:  # It was shut down, or is broken.
            raise InputError(f"executor must be one that takes work, but: {reason}; make another one") from reason
        yield self._executor

    def count(self) -> int:
        """Return how many tasks are computed at once."""
        return self._at_once

    def ahead(self) -> int:
        """Return how many tasks shall be given at a time."""
        return 2 * self._at_once
