import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from kenyon import netcdf
from kenyon.errors import InputError
from kenyon.live.saved import saved, told
from kenyon.mushroom_body.circuit import GROUPS
from tests.cli.running import run

N_KCS = 72


def _result(larvae: int, seconds: int, spikes_per_s: int, rasters: int = 1) -> xarray.Dataset:
    """Return a result as a run of the host with rates and rasters gives it, of larvae that crawl at random."""
    chance = np.random.default_rng(3)
    across, times = (larvae, seconds), np.arange(1.0, seconds + 1)
    spike_times = np.sort(chance.uniform(0, seconds, spikes_per_s * seconds))
    # Most of the spikes under an odor are of receptors, projection neurons and local neurons.
    neurons = np.where(chance.random(len(spike_times)) < 0.95, chance.integers(0, 63, len(spike_times)), 100)
    sources = [
        {"id": "CS_l", "kind": "odor", "stimulus": "CS", "x": -0.04, "y": 0.0, "radius_m": 0.003, "amount": 2.0,
         "from_s": 0.0, "until_s": seconds / 2},
        {"id": "food grid", "kind": "food", "stimulus": None, "x": 0.0, "y": 0.0, "radius_m": None, "amount": 51.0,
         "from_s": seconds / 2, "until_s": None},
    ]  # fmt: skip
    weights = chance.uniform(0, 80, (rasters, seconds, N_KCS)).cumsum(axis=1).astype(np.float32)
    return xarray.Dataset(
        {
            "gain": (("larva", "time", "stimulus"), chance.normal(0, 20, (*across, 2)).cumsum(axis=1)),
            "x": (("larva", "time"), chance.normal(0, 1e-3, across).cumsum(axis=1)),
            "y": (("larva", "time"), chance.normal(0, 1e-3, across).cumsum(axis=1)),
            "heading": (("larva", "time"), chance.uniform(0, 6.28, across)),
            "on_food": (("larva", "time"), chance.random(across) < 0.5),
            "learned": (("larva", "stimulus"), chance.uniform(-1, 1, (larvae, 2))),
            "rate_hz": (("larva", "time", "cell_group"), chance.uniform(0, 200, (*across, len(GROUPS)))),
            "spike_larva": ("spike", np.repeat(np.arange(rasters), len(spike_times))),
            "spike_time_s": ("spike", np.tile(spike_times, rasters)),
            "spike_neuron": ("spike", np.tile(neurons, rasters).astype(np.int16), {"neurons": 70 + N_KCS}),
            "raster_larva": ("raster", np.arange(rasters)),
            "w_kc_mbonp_nS": (("raster", "time", "kc"), weights),
            "w_kc_mbonn_nS": (("raster", "time", "kc"), weights),
        },
        coords={
            "larva": [f"larva_{i}" for i in range(larvae)], "time": times, "stimulus": ["CS", "UCS"],
            "cell_group": list(GROUPS), "arena_shape": "circular", "arena_width_m": 0.1, "arena_height_m": 0.1,
            "sources": json.dumps(sources), "experiment": "PItrain", "model": "forager_MB", "seed": "7",
            "memory": "MushroomBodyMemory",
        },
    )  # fmt: skip


def _within(html: str) -> list[dict[str, Any]]:
    """Return the messages within a page, as a browser unpacks them."""
    found = re.search(r'<script[^>]*id="messages"[^>]*>([^<]*)</script>', html)
    assert found is not None
    messages: list[dict[str, Any]] = json.loads(gzip.decompress(base64.b64decode(found[1])))
    return messages


def test_a_saved_page_holds_the_run() -> None:
    """Tracks, gains, rates of every sample; what could be smelled, from when to when; spikes at their second."""
    result = _result(4, 30, 200)
    messages = _within(saved(result))
    frames = [message for message in messages if message["kind"] == "frame"]
    assert [frame["t_s"] for frame in frames] == list(range(1, 31))
    for i, frame in enumerate(frames):
        assert np.allclose(frame["x"], result.x[:, i], atol=6e-5)
        assert np.allclose(frame["gain"]["UCS"], result.gain[:, i, 1], atol=6e-3)
        assert np.allclose(frame["rates"]["KC"], result.rate_hz.sel(cell_group="KC")[:, i], atol=0.06)
        assert frame["on_food"] == result.on_food[:, i].astype(int).values.tolist()
        food = i + 1 >= 15
        assert frame["given"] == {"odors": {} if food else {"CS": 2.0}, "reward": float(food), "punishment": 0.0}
    cells = [message for message in messages if message["kind"] == "cells"]
    assert [message["from_s"] for message in cells] == list(range(30))
    times_s, neurons = result.spike_time_s.values, result.spike_neuron.values
    for message in cells:
        here = (times_s >= message["from_s"]) & (times_s < message["t_s"])
        told_of = {(cell, ms) for cell, *times_ms in message["spikes"] for ms in times_ms}
        real = np.floor((times_s[here] - message["from_s"]) * 1e3).astype(int).tolist()
        assert told_of == set(zip(neurons[here].tolist(), real, strict=True))
    assert messages[0]["kind"] == "begun"
    assert messages[0]["no_cells"] is None
    assert messages[-1]["kind"] == "ended"
    assert np.allclose(messages[-1]["learned"]["CS"], result.learned[:, 0], atol=6e-4)


@pytest.mark.parametrize(
    ("larvae", "seconds", "spikes_per_s", "rasters"),
    [(5, 1, 300_000, 1), pytest.param(30, 600, 5000, 2, marks=pytest.mark.long)],
)
def test_a_saved_page_is_small_enough_to_be_sent(larvae: int, seconds: int, spikes_per_s: int, rasters: int) -> None:
    """Under 5 MB: spikes are rounded as far as it takes, but all who fired within a bin are there."""
    html = saved(_result(larvae, seconds, spikes_per_s, rasters))
    print(f"{len(html) / 1e6:.2f} MB")
    assert len(html) < 5_000_000


def test_a_long_run_is_told_at_equal_distances() -> None:
    """At most 2,000 of its samples."""
    result = _result(1, 9000, 0).drop_vars("spike_larva")
    times = [message["t_s"] for message in told(result) if message["kind"] == "frame"]
    assert len(times) == 1800
    assert set(np.diff(times)) == {5.0}


def test_a_result_without_tracks_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """In Python and at the command, and nothing is written."""
    result = _result(1, 3, 10).drop_vars(["x", "y"])
    with pytest.raises(InputError, match="a result to show must have tracks of larvae in an arena, got one without"):
        saved(result)
    netcdf.write(result, tmp_path / "none.nc")
    done = run(["show", str(tmp_path / "none.nc")], tmp_path)
    assert done.status == 2
    assert done.err.decode().startswith("Error: a result to show must have tracks of larvae in an arena, got one with")
    assert not (tmp_path / "none.html").exists()


def test_the_command_writes_the_page_beside_the_result(tmp_path: Path) -> None:
    """And does not replace one that is there."""
    netcdf.write(_result(2, 3, 10), tmp_path / "run.nc")
    done = run(["show", str(tmp_path / "run.nc")], tmp_path)
    assert done.status == 0, done.err
    assert len(_within((tmp_path / "run.html").read_text("utf-8"))) == 1 + 3 + 3 + 1
    assert run(["show", str(tmp_path / "run.nc")], tmp_path).status == 2
    assert run(["show", str(tmp_path / "run.nc"), "--overwrite"], tmp_path).status == 0
