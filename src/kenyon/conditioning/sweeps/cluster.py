"""A sweep computed by the workers of a dask.distributed scheduler, wherever they are."""

import asyncio
import json
import logging
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kenyon import checks
from kenyon.conditioning.sweeps import tasks
from kenyon.conditioning.sweeps.workers import Workers
from kenyon.errors import InputError, MissingDependencyError, NoAnswerError, installed_by
from kenyon.words import shown

if TYPE_CHECKING:
    from distributed import Client

LOOK_EVERY_S = 5.0
"""How often the scheduler is asked who computes: workers come and go."""

AT_LEAST = 8
"""Tasks that are given to a scheduler that has no workers yet, so that whoever starts some sees what for."""


class Cluster(Workers):
    """The workers of a scheduler; each task advances one larva at a time, so a worker shall have a thread a core.

    Args:
        client: A client of the scheduler.

    Raises:
        InputError: the client is one for coroutines.
        MismatchError: workers have other versions than this process.
    """

    are_made_anew = False
    deaths = 2  # Or more: a scheduler gives a task to others first.
    threads = 1

    def __init__(self, client: "Client") -> None:
        import distributed

        if not isinstance(client, distributed.Client) or client.asynchronous:
            raise InputError(
                f"executor must be a Client of dask.distributed that waits for answers, got {shown(client)}; make it "
                "with asynchronous=False"
            )
        self.killed = (distributed.KilledWorker, BrokenExecutor)
        self.lost = (CancelledError, OSError, TimeoutError, asyncio.TimeoutError)  # Two before Python 3.11.
        self._client = client
        self._threads = 0
        self._look_at = 0.0
        self._known: set[str] = set()
        self.check()

    @contextmanager
    def pool(self) -> Iterator[Executor]:
        """Give the client as an executor."""
        yield self._client.get_executor(pure=False)

    def count(self) -> int:
        """Return how many tasks are computed at once, by the workers that are there now."""
        return max(1, self._threads)

    def ahead(self) -> int:
        """Return how many tasks shall be given at a time."""
        return max(AT_LEAST, 2 * self._threads)

    def check(self) -> None:
        """Look who computes now, and refuse those with other versions.

        Raises:
            KenyonError: the scheduler does not answer.
            MismatchError: a worker has other versions than this process.
        """
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_EVERY_S
        try:
            threads: dict[str, int] = self._client.nthreads()
            new = [worker for worker in threads if worker not in self._known]
            found = self._client.run(tasks.numbers, workers=new, on_error="return") if new else {}
        except self.lost:
            raise NoAnswerError(self.lost_words()) from None
        self._threads = sum(threads.values())
        tasks.differing(tasks.numbers(), {name: own for name, own in found.items() if isinstance(own, dict)})
        self._known |= set(threads)

    def lost_words(self) -> str:
        """Return in a sentence what to do without a scheduler."""
        return (
            "the scheduler must live until the sweep is done, but it does not answer any more; start it and its "
            "workers again, and give the same call, which goes on with what is not stored"
        )


@contextmanager
def connected(address: str, *, timeout_s: float = 30.0) -> Iterator["Client"]:
    """Give a client of a scheduler, to be passed to `run_sweep`.

    Args:
        address: Where the scheduler listens, such as "tcp://node1:8786", or the path of the file that it was started
            with (`--scheduler-file`).
        timeout_s: How long it may take to answer, s.

    Raises:
        InputError: there is no such address.
        MissingDependencyError: dask.distributed is not installed.
        NoAnswerError: nobody answers there.
    """
    address = checks.label("address of a scheduler", address)
    timeout_s = checks.positive("timeout_s", timeout_s, high=3600.0, unit="s")
    try:
        from distributed import Client
    except ImportError as reason:
        raise MissingDependencyError(
            f"a scheduler needs dask.distributed, which is not installed; {installed_by('sweep')}"
        ) from reason
    if address.endswith(".json"):
        address = _address_in(Path(address), timeout_s)
    try:
        client = Client(address, timeout=timeout_s, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as reason:
        raise NoAnswerError(
            f"a scheduler must answer at {address}, got {type(reason).__name__}; start one with dask scheduler, or "
            "give another address"
        ) from reason
    with _without_tracebacks(), client:
        yield client


@contextmanager
def _without_tracebacks() -> Iterator[None]:
    """Let dask not log how a connection was lost, for that is said in a sentence."""
    log = logging.getLogger("distributed.client")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _address_in(file: Path, timeout_s: float) -> str:
    """Return the address that a scheduler writes into a file when it is ready; wait for it so long.

    Raises:
        NoAnswerError: there is none by then.
    """
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        with suppress(OSError, ValueError, KeyError, TypeError):
            return str(json.loads(file.read_bytes())["address"])
        time.sleep(0.1)
    raise NoAnswerError(
        f"a scheduler must have written its address to {file}, but none has; start it with --scheduler-file {file}"
    )
