"""What several tests ask of a sweep, and what a plain loop answers."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray

from kenyon.conditioning import Design, run
from kenyon.conditioning.sweeps import Sweep
from kenyon.conditioning.sweeps.points import Point
from kenyon.conditioning.sweeps.store import Store

DESIGNS = ("A+ 0.2s, ?A 0.1s", "A- 0.2s, ?A 0.1s", "0.2s, ?A 0.1s")
SEEDS = (1, 2, 3)


def asked() -> Sweep:
    """Return a sweep of nine points, each over in a moment."""
    return Sweep.grid(design=list(DESIGNS), seed=list(SEEDS), larvae=2)


def plain_loop() -> dict[str, xarray.Dataset]:
    """Return what the same gives that is asked one after the other, without any sweep, by id of the run."""
    results = [run(design, larvae=2, seed=seed, show_progress=False).one for design in DESIGNS for seed in SEEDS]
    return {str(result.run_id.item()): result for result in results}


def assert_same(folder: Path, expected: Mapping[str, xarray.Dataset]) -> None:
    """Check that a folder of a sweep holds all of some results, bit by bit, and nothing else."""
    store = Store(folder)
    assert store.ids() == set(expected)
    for point_id, result in expected.items():
        xarray.testing.assert_identical(store.get(point_id), result)


class Raising(Point):
    """A point that cannot be computed."""

    def compute(self, threads: int = 1) -> Any:  # noqa: ARG002  # as it is called
        """Raise."""
        message = "a point\nthat raises"
        raise ArithmeticError(message)


class Deadly(Point):
    """A point whose process is killed, as the system does it for want of memory."""

    def compute(self, threads: int = 1) -> Any:  # noqa: ARG002  # as it is called
        """Kill."""
        os.kill(os.getpid(), signal.SIGKILL)


def made(kind: type[Point], design: str) -> Point:
    """Return a point of a class, with a design and so an id of its own."""
    return kind(Design.read(design), larvae=2, seed=9)
