"""Without a floor for weights, as published, strong reward ends in a potential beyond all bounds: it is always said."""

from pathlib import Path

import numpy as np
import pytest

from kenyon.errors import DivergenceWarning
from kenyon.mushroom_body import PUBLISHED, Parameters, Population, Snapshot, drive


def overtrained(parameters: Parameters) -> tuple[Population, bool]:
    """Return two larvae after strong reward, one after none, and whether the last call said that one diverged."""
    larvae = Population(parameters, [1, 2, 3])
    rates = np.array([drive(parameters, "pentyl acetate", reward=2.0 * (larva < 2)) for larva in range(3)])
    for _ in range(20):
        activity = larvae.advance(20_000, rates)
        if activity.diverged.any():
            break
    return larvae, bool(activity.diverged.any())


def test_it_is_said_and_counted_and_can_be_kept(tmp_path: Path) -> None:
    """A warning with the remedy, a flag per larva; a snapshot of it can be read back; the others are not touched."""
    with pytest.warns(DivergenceWarning, match=r"of 3 larvae has left all bounds.*set weight_floor_nS"):
        larvae, diverged = overtrained(PUBLISHED)
    assert diverged
    kept = Snapshot.load(larvae.snapshot().save(tmp_path / "larvae.npz"))
    assert np.array_equal(kept.state.v_mV, larvae.state.v_mV, equal_nan=True)
    assert np.isfinite(larvae.state.v_mV[2]).all()


def test_a_floor_prevents_it() -> None:
    """No weight below 0, no negative conductance, no divergence."""
    larvae, diverged = overtrained(PUBLISHED.replace(weight_floor_nS=0.0))
    assert not diverged
    assert np.isfinite(larvae.state.v_mV).all()
