"""What advances circuits: the kernel on this process's threads, a GPU, or Brian2 in a process of its own."""

import contextlib
import multiprocessing
import signal
from abc import abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon.errors import KenyonError, MissingDependencyError, installed_by
from kenyon.mushroom_body import Parameters, drive
from kenyon.mushroom_body.circuit import GROUPS, MOST_KCS, Layout
from kenyon.mushroom_body.engines import engine as named_engine
from kenyon.mushroom_body.recording import beyond_bounds
from kenyon.mushroom_body.state import newborn, pack, unpack

Advanced = tuple[list[bytes], NDArray[np.int64], NDArray[np.bool_]]
"""Larvae moved on, spikes of each group of neurons [B, len(GROUPS)], and which have diverged [B]."""


class Computer:
    """Advances larvae that are given as records of bytes; the numbers are the same for all computers.

    Args:
        parameters: The constants the larvae live under.

    Attributes:
        slice_steps: Time steps worth computing at once.
        at_once: How many calls of it are worth having at once, each in a thread of its own.
    """

    slice_steps: int
    at_once = 1

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    @abstractmethod
    def advance(
        self, larvae: Sequence[bytes], n_steps: NDArray[np.int64], drive_hz: NDArray[np.float64], *, plastic: bool
    ) -> Advanced:
        """Return larvae moved on by their steps under their drives [B, C], Hz."""
        raise NotImplementedError

    def close(self) -> None:
        """Give back what it holds."""


class KernelComputer(Computer):
    """The compiled kernel, on every core, the calling thread among them.

    Args:
        parameters: The constants the larvae live under.
        engine: The engine, where it is another.
    """

    slice_steps = 1000
    # All cores work for each of them; with a third none is idle while results are kept and the next steps begin.
    at_once = 3

    def __init__(self, parameters: Parameters, engine: str = "kernel") -> None:
        super().__init__(parameters)
        self._engine = named_engine(engine)

    def advance(
        self, larvae: Sequence[bytes], n_steps: NDArray[np.int64], drive_hz: NDArray[np.float64], *, plastic: bool
    ) -> Advanced:
        """As for `Computer`."""
        sizes = list(map(len, larvae))
        if sizes.count(sizes[0]) == len(sizes):
            return self._of_one_size(larvae, n_steps, drive_hz, plastic=plastic)
        moved, spikes, diverged = (
            [b""] * len(larvae),
            np.empty((len(larvae), len(GROUPS)), np.int64),
            np.empty(len(larvae), np.bool_),
        )
        for size in set(sizes):
            own = [place for place, other in enumerate(sizes) if other == size]
            some, spikes[own], diverged[own] = self._of_one_size(
                [larvae[place] for place in own], n_steps[own], drive_hz[own], plastic=plastic
            )
            for place, larva in zip(own, some, strict=True):
                moved[place] = larva
        return moved, spikes, diverged

    def _of_one_size(
        self, larvae: Sequence[bytes], n_steps: NDArray[np.int64], drive_hz: NDArray[np.float64], *, plastic: bool
    ) -> Advanced:
        rows = unpack(larvae)
        counts = self._engine.count(self.parameters, rows, n_steps, drive_hz, plastic=plastic)
        return pack(rows), np.add.reduceat(counts, _first_cells(rows.layout), axis=1), beyond_bounds(rows.v_mV)


@lru_cache(maxsize=MOST_KCS)
def _first_cells(cells: Layout) -> NDArray[np.int64]:
    """Return which neuron is the first of each group."""
    return np.array([own.start for own in cells.groups.values()], dtype=np.int64)


class BrianComputer(Computer):
    """Brian2 in a process of its own, for two networks in two threads would abort the one that holds the larvae.

    The process holds nothing that is not also here: if it dies, a new one takes its place, once for each call.

    Args:
        parameters: The constants the larvae live under.

    Raises:
        MissingDependencyError: Brian2 is not installed.
    """

    # A run costs about 30 ms besides its steps, so longer ones are worth it.
    slice_steps = 10_000

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._process: Any = None
        self._pipe: Connection | None = None

    def start(self) -> None:
        """Start the process, which first compiles, if that has not been done on this machine.

        Raises:
            MissingDependencyError: Brian2 is not installed.
        """
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_compute, args=(theirs, self.parameters), daemon=True)
        self._process.start()
        theirs.close()

    def advance(
        self, larvae: Sequence[bytes], n_steps: NDArray[np.int64], drive_hz: NDArray[np.float64], *, plastic: bool
    ) -> Advanced:
        """As for `Computer`."""
        job = (list(larvae), n_steps, drive_hz, plastic)
        for last_try in (False, True):
            if self._pipe is None:
                self.start()
            try:
                answer = self._ask(job)
            except (EOFError, OSError):
                self.close()
                if last_try:
                    raise KenyonError(
                        "the process of Brian2 must answer, but it died or hung twice; see its messages"
                    ) from None
            else:
                if isinstance(answer, Exception):
                    raise answer
                return answer
        raise AssertionError  # Either of the two tries has returned or raised.

    def close(self) -> None:
        """End the process."""
        pipe, process = self._pipe, self._process
        self._pipe = self._process = None
        if pipe is not None:
            pipe.close()
            process.join(2.0)
            if process.is_alive():
                process.kill()
                process.join()

    def _ask(self, job: tuple[Any, ...]) -> Advanced | Exception:
        if self._pipe is None:
            raise EOFError
        self._pipe.send(job)
        # Three minutes for compiling, where that has never been done; then far more than any step takes.
        if not self._pipe.poll(180.0 + 0.001 * float(job[1].sum())):
            raise TimeoutError
        answer: Advanced | Exception = self._pipe.recv()
        return answer


def computer(engine: str, parameters: Parameters) -> Computer:
    """Return what computes with an engine, ready: compiled, or compiling in its own process.

    Raises:
        MissingDependencyError: the engine is not installed.

    Example:
        >>> from kenyon.mushroom_body import BALANCED
        >>> type(computer("kernel", BALANCED)).__name__
        'KernelComputer'
    """
    if engine != "brian2":
        own = KernelComputer(parameters, engine)
        own.advance(*_warm_up(parameters), plastic=True)
        return own
    from importlib.util import find_spec

    if find_spec("brian2") is None:
        raise MissingDependencyError(f"the engine brian2 must be installed, got none; {installed_by('brian')}")
    brian = BrianComputer(parameters)
    brian.start()
    return brian


def _warm_up(parameters: Parameters) -> tuple[list[bytes], NDArray[np.int64], NDArray[np.float64]]:
    larva = pack(newborn(parameters, [0]))
    return larva, np.array([1], dtype=np.int64), drive(parameters)[None]


def _compute(pipe: Connection, parameters: Parameters) -> None:
    """Answer job after job until the other side is gone: the life of the process of Brian2."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; whoever started this one ends it in order.
    brian = KernelComputer(parameters, "brian2")
    brian.advance(*_warm_up(parameters), plastic=True)
    with contextlib.suppress(EOFError, OSError):
        while True:
            *job, plastic = pipe.recv()
            try:
                answer: Any = brian.advance(*job, plastic=plastic)
            except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must hear of it
                answer = KenyonError(f"{type(error).__name__}: {error}")
            pipe.send(answer)
