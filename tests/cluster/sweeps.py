"""Sweeps of short lives, where the guide has its example, and the plain loop over their points."""

from pathlib import Path

import xarray

from kenyon.conditioning import run
from kenyon.conditioning.sweeps import Store, Sweep, status

DESIGN = "A+ 1s | ?A 1s"

PLAN = f"""
design = "{DESIGN}"
larvae = 1

[grid]
seed = {{ from = 1, to = POINTS }}
"""


def written(folder: Path, points: int) -> None:
    """Write a plan by the name that the guide gives to its own."""
    path = folder / "examples/doses.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(PLAN.replace("POINTS", str(points)), "utf-8")


def loop(points: int) -> dict[str, xarray.Dataset]:
    """Return what the plain loop gives, by run id."""
    results = [run(DESIGN, larvae=1, seed=seed, show_progress=False).one for seed in range(1, points + 1)]
    return {str(result.run_id.values.flat[0]): result for result in results}


def check(folder: Path, points: int) -> None:
    """Assert that a folder has all points of its plan, bit-equal to the plain loop."""
    ids = [point.id for point in Sweep.load(folder / "examples/doses.toml")]
    store = Store(folder / "doses/store")
    expected = loop(points)
    assert status(folder / "doses").complete
    assert sorted(expected) == sorted(ids) == sorted(store.ids())
    for own in ids:
        assert store.get(own).identical(expected[own])
