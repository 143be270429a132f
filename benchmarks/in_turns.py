"""Runs of Larvaworld side by side: of several processes only one works at a time, a slice of its run after another's.

A machine that others use is faster and slower from minute to minute. What takes turns within a second or two has that
in common, and the ratio of two such runs is worth more than that of one run after the other.
"""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from typing import NamedTuple

from kenyon.larvaworld_plugin.events import Event, RunBegan, RunEnded, TickLived


class Took(NamedTuple):
    """What a slice of a run took, s.

    Attributes:
        wall_s: By the clock on the wall.
        cpu_s: Of the processor, in all threads of the process.
    """

    wall_s: float
    cpu_s: float


class Turns:
    """A listener that holds its run up, slice by slice, until it is its turn again.

    Args:
        line: Where it says what a slice took, and hears that it may go on.
        ticks: How long a slice is.
    """

    def __init__(self, line: Connection, ticks: int) -> None:
        self._line, self._ticks = line, ticks

    def __call__(self, event: Event) -> None:
        """Hear of an event."""
        if isinstance(event, TickLived) and event.tick % self._ticks == 0:
            self._line.send(Took(time.perf_counter() - self._began.wall_s, time.process_time() - self._began.cpu_s))
            self._wait()
        elif isinstance(event, RunBegan):
            self._wait()
        elif isinstance(event, RunEnded):
            self._line.send(None)

    def _wait(self) -> None:
        self._line.recv()
        self._began = Took(time.perf_counter(), time.process_time())


def side_by_side(ways: Mapping[str, Callable[[Turns], None]], ticks: int) -> dict[str, list[Took]]:
    """Return what each slice of some runs took.

    Args:
        ways: Functions that can be pickled, by name; each runs the same number of ticks with a listener more.
        ticks: How long a slice is.
    """
    context = multiprocessing.get_context("spawn")
    lines, processes = {}, []
    for name, run in ways.items():
        lines[name], end = context.Pipe()
        processes.append(context.Process(target=_child, args=(run, end, ticks), daemon=True))
        processes[-1].start()
        end.close()
    took: dict[str, list[Took]] = {name: [] for name in ways}
    names = list(ways)
    while names:
        for name in list(names):
            lines[name].send(None)
            heard = lines[name].recv()
            if heard is None:
                names.remove(name)
            else:
                took[name].append(heard)
        names.reverse()
    for process in processes:
        process.join()
    return took


def _child(run: Callable[[Turns], None], line: Connection, ticks: int) -> None:
    run(Turns(line, ticks))


def ratios(took: Sequence[Took], alone: Sequence[Took], parts: int = 10) -> tuple[list[float], list[float]]:
    """Return how many times as long each part of a run took as that of another, by the wall and of the processor."""
    size = max(1, len(alone) // parts)
    wall, cpu = [], []
    for begin in range(0, size * parts, size):
        own, other = took[begin : begin + size], alone[begin : begin + size]
        if own and other:
            wall.append(sum(one.wall_s for one in own) / sum(one.wall_s for one in other))
            cpu.append(sum(one.cpu_s for one in own) / sum(one.cpu_s for one in other))
    return wall, cpu


def words(parts: Sequence[float]) -> str:
    """Return in words by how much more something took: the median over parts of a run, and the least and the most."""
    return f"{statistics.median(parts) - 1:+.1%} ({min(parts) - 1:+.1%} to {max(parts) - 1:+.1%})"
