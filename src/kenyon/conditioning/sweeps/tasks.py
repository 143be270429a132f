"""A task of a sweep: points that one process computes one after the other and stores together, whole or not at all.

A task can be given to any process of any machine that sees the store, and given again: it computes what is not stored
by then, and returns ids and failures, never arrays.
"""

import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from kenyon import compiled
from kenyon.conditioning.sweeps import failures
from kenyon.conditioning.sweeps.failures import Failure, failure_of
from kenyon.conditioning.sweeps.points import Point
from kenyon.conditioning.sweeps.store import Store
from kenyon.errors import DivergenceWarning, KenyonError, MismatchError, StorageError
from kenyon.mushroom_body import Population
from kenyon.provenance import NUMBERS_VERSION, versions

DECISIVE = ("kenyon", "numpy", "numba")
"""The packages of which every process of a sweep must have the same version."""


@dataclass(frozen=True)
class Task:
    """What one call does.

    Attributes:
        points: What is computed.
        store: Folder of the store, as every machine sees it.
        mark: The name of a file in it, by which a machine knows that it is this one.
        failed: Folder for what is kept of points that raise.
        threads: How many larvae are advanced at once.
        numbers: Versions that decide the numbers, as whoever asks has them.
    """

    points: tuple[Point, ...]
    store: str
    mark: str
    failed: str
    threads: int
    numbers: Mapping[str, str]


class Outcome(NamedTuple):
    """What became of a task.

    Attributes:
        done: Ids of its points that are stored now, by it or before.
        diverged: How many of those that it computed have a larva that diverged.
        failures: Those that raised.
        larva_seconds: How much it has simulated, s of larvae.
        seconds: How long that took.
    """

    done: tuple[str, ...]
    diverged: int
    failures: tuple[Failure, ...]
    larva_seconds: float
    seconds: float


def numbers() -> dict[str, str]:
    """Return the versions that decide numbers, as they are in this process.

    Example:
        >>> sorted(numbers())
        ['kenyon', 'numba', 'numbers', 'numpy']
    """
    return {"numbers": str(NUMBERS_VERSION), **{name: versions()[name] for name in DECISIVE}}


def compute(task: Task) -> Outcome:
    """Compute the points of a task that are not stored yet, and store them.

    Raises:
        MismatchError: this process has other versions than the one that asks.
        StorageError: the store is not to be seen here, or its disk is full.
    """
    check_numbers(task.numbers)
    _compile_once()
    try:
        return _computed(task)
    except OSError as reason:
        if isinstance(reason, KenyonError):
            raise
        raise StorageError(
            f"{task.store} must be readable and writable, got {reason.strerror or reason}; all that is stored stays, "
            "so give the same call again"
        ) from reason


def _computed(task: Task) -> Outcome:
    """Compute the points of a task that are not stored yet, and store them."""
    if not (Path(task.store) / task.mark).is_file():
        raise StorageError(
            f"the store {task.store} must be a folder that every machine of a sweep sees, but there is none here, or "
            "another one of that name; give a folder of a file system that all share"
        )
    store = _store(task.store)
    stored = store.ids()
    left = [point for point in task.points if point.id not in stored]
    begun = time.perf_counter()
    results, raised = _results(left, task.threads)
    seconds = time.perf_counter() - begun
    if results:
        store.add(results)
    for failure in raised:
        failures.keep(Path(task.failed), failure)
    return Outcome(
        done=tuple(point.id for point in task.points if point.id in stored or point.id in results),
        diverged=sum(bool(result["diverged"].any()) for result in results.values()),
        failures=tuple(raised),
        larva_seconds=sum(point.larva_seconds for point in left),
        seconds=seconds,
    )


def check_numbers(asked: Mapping[str, str], where: str = "this worker") -> None:
    """Refuse to compute with other versions than those of whoever asks.

    Raises:
        MismatchError: there are some; the sentence says which.

    Example:
        >>> check_numbers(numbers())
    """
    differing(asked, {where: numbers()})


def differing(asked: Mapping[str, str], found: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse versions that differ among those who compute together.

    Args:
        asked: Those of whoever asks.
        found: Those of each worker, by its name.

    Raises:
        MismatchError: there are some; the sentence says which.
    """
    for where, own in found.items():
        other = [
            f"{name} {own.get(name, 'none')} instead of {asked[name]}" for name in asked if own.get(name) != asked[name]
        ]
        if other:
            raise MismatchError(
                f"all that compute a sweep must have the same versions, but {where} has {', '.join(other)}; install "
                "the same there, or the numbers may differ"
            )


def _results(points: list[Point], threads: int) -> tuple[dict[str, Any], list[Failure]]:
    """Return the results of points by their ids, and those that raised."""
    with _without_warnings():
        found = {point.id: _result(point, threads) for point in points}
    raised = [own for own in found.values() if isinstance(own, Failure)]
    return {name: own for name, own in found.items() if not isinstance(own, Failure)}, raised


def _result(point: Point, threads: int) -> Any:
    """Return the result of a point, or the failure that it is."""
    try:
        return point.compute(threads=threads)
    except Exception as reason:  # noqa: BLE001  # whatever it is, the others can be computed
        return failure_of(point, reason)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Let nobody warn that larvae diverge, for that is counted; only where no other thread would be meant as well."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergenceWarning)
        yield


def _store(folder: str) -> Store:
    """Return the store of a folder, which remembers the parts that this thread has looked at."""
    known: dict[str, Store] = vars(_own).setdefault("stores", {})
    return known.setdefault(folder, Store(folder))


_own = threading.local()
"""What each thread keeps: a dask worker may have several."""


@cache  # Once in a process.
def _compile_once() -> None:
    """Have the circuit's code ready: of all processes that keep it in one folder one compiles it, the others wait.

    Where it is there already the first has it at once, so nobody waits to speak of.
    """
    with suppress(OSError, NotImplementedError):  # Where there is no folder or no lock, each compiles for itself.
        lock = FileLock(_beside_code() / "kenyon-compiling.lock")
        try:
            with lock.acquire(blocking=False):
                _use_circuit()
        except Timeout:
            with lock.acquire(poll_interval=0.05):
                pass
    _use_circuit()


def _beside_code() -> Path:
    """Return a folder beside the code that is kept, in which nobody looks for anything else."""
    folder = Path(compiled.cache_folder() or tempfile.gettempdir()) / "__pycache__"
    folder.mkdir(exist_ok=True)
    return folder


def _use_circuit() -> None:
    Population(seeds=[1], threads=1).advance(0.1)
