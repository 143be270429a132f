"""Experiments with larvae of another number of Kenyon cells than the published circuit has."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kenyon.conditioning import Experiment, load, run, save
from kenyon.conditioning.figures import phase_raster
from kenyon.errors import InputError
from kenyon.mushroom_body import Record

TEXT = "A+ 0.4s, ?A 0.2s"


def test_a_result_has_their_number_and_is_read_again(tmp_path: Path) -> None:
    """With codes, weights and what was recorded, of each Kenyon cell; also when it is stopped and resumed."""
    more: dict[str, Any] = {"larvae": 2, "wiring": "left", "weights": True, "codes": True}
    recordings = Record(spikes=True, variables=("eligibility",), every_ms=100)
    result = run(TEXT, recordings=recordings, show_progress=False, **more).one
    assert (result.kenyon_cells.item(), result.wiring.item(), result.sizes["kc"]) == (73, "left", 73)
    assert result.recorded_eligibility.shape[-1] == 73
    kept = load(save(result, tmp_path / "left.nc"))
    assert kept.equals(result)
    assert "KC (73)" in [text.get_text() for text in phase_raster(kept).get_yticklabels()]
    experiment = Experiment(TEXT, recordings=recordings, **more)
    events = experiment.events()
    for _ in range(3):
        next(events)
    again = Experiment.resume(experiment.checkpoint(tmp_path / "stopped.npz"))
    again.run(show_progress=False)
    assert again.results().one.equals(result)


def test_a_cell_that_is_not_there_is_refused_before_anything_is_simulated() -> None:
    """Which the larvae of another side have."""
    text = "silent: {silence KC[72]: A+ 0.2s} | ?A 0.2s"
    with pytest.raises(InputError, match=r"a Kenyon cell of this circuit must be from KC\[0\] to KC\[71\]"):
        Experiment(text, larvae=1)
    result = run(text, larvae=1, wiring="left", show_progress=False).one
    assert np.isfinite(result.test_rate_hz.values).all()
