"""Runs of the host on a page, and what is kept of neurons beside them: watched or not, the same run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kenyon import netcdf
from kenyon.errors import InputError, MismatchError
from kenyon.larvaworld_plugin import host, register, run
from kenyon.larvaworld_plugin.activity_log import ActivityLog
from kenyon.live import watch
from kenyon.live.arena import ArenaSource
from kenyon.live.saved import saved
from tests.cli.running import run as command
from tests.compat.host import begun
from tests.live.reading import Browser, Tape, answered
from tests.live.test_saved import _within

SHORT: dict[str, Any] = {"larvae": 3, "minutes": 0.06, "seed": 4, "show_progress": False}


@pytest.mark.parametrize("model", ["forager_MB", "forager_RL"])
def test_a_run_that_is_watched_is_the_same_to_the_last_bit(model: str) -> None:
    """Tracks, gains and what was learned, with a page that looks at larvae and a log of every spike of another."""
    plain = run("PItrain", model=model, **SHORT).dataset
    tape, log = Tape(0, 2), ActivityLog([1])
    watched = run("PItrain", model=model, listeners=[ArenaSource(tape), log], **SHORT).dataset
    assert watched.identical(plain)
    frames = tape.of("frame")
    times = [0.0, *plain.time.values.round(3).tolist()]
    assert [frame["t_s"] for frame in frames] == times
    for i, frame in enumerate(frames[1:]):
        assert np.allclose(frame["x"], plain.x[:, i], atol=6e-6)
        assert np.allclose(frame["y"], plain.y[:, i], atol=6e-6)
        for name in plain.stimulus.values.tolist():
            assert np.allclose(frame["gain"][name], plain.gain.sel(stimulus=name)[:, i], atol=6e-3)
    assert tape.of("begun")[0]["arena"] == {"shape": "circular", "width_m": 0.1, "height_m": 0.1}
    assert tape.messages[-1] == {"kind": "ended", "t_s": times[-1], "complete": True, "learned": None}
    if model == "forager_RL":
        assert tape.of("begun")[0]["no_cells"] == "These larvae learn by Q-learning, which has a table and no cells."
        assert {table["larva"] for table in tape.of("table")} == {0, 2}
        assert log.beside(watched) is watched
    else:
        assert {cells["larva"] for cells in tape.of("cells")} == {0, 2}
        assert not tape.of("table")


def test_spikes_that_are_kept_are_those_that_a_page_is_told(tmp_path: Path) -> None:
    """Of the larva that was named, by id or place; the rates of all are counted from the same ones."""
    tape, log = Tape(1), ActivityLog(["forager_MB_1", 1])
    outcome = run("PItrain", listeners=[ArenaSource(tape), log], **SHORT)
    result = log.beside(outcome.dataset)
    told = np.zeros(142, dtype=int)
    for message in tape.of("cells"):
        for cell, *times_ms in message["spikes"]:
            told[cell] += len(times_ms)
    late = result.spike_time_s.values >= tape.of("cells")[0]["from_s"]
    assert np.bincount(result.spike_neuron.values[late], minlength=142).tolist() == told.tolist()
    assert told.sum() > 1000
    assert set(result.spike_larva.values.tolist()) == {1}
    first_s = (result.spike_time_s.values < 1.0) & (result.spike_neuron.values < 21)
    assert result.rate_hz.sel(cell_group="ORN").values[1, 0] == pytest.approx(first_s.sum() / 21, rel=1e-5)
    memory = outcome.memories[1]
    weights = memory.population.state.w_kc_mbonp_nS[memory.place]
    assert np.allclose(result.w_kc_mbonp_nS.values[0, -1], weights, rtol=1e-6)
    netcdf.write(result, tmp_path / "run.nc")
    messages = _within(saved(netcdf.read(tmp_path / "run.nc")))
    assert [message["kind"] for message in messages].count("frame") == result.sizes["time"]
    assert {message["larva"] for message in messages if message["kind"] == "cells"} == {1}


def test_a_run_of_ones_own_is_watched_by_a_browser(tmp_path: Path) -> None:
    """Attached before it begins; a second page, or one for a run that is over, is refused in one sentence."""
    with register(), host.quiet():
        mine = begun(tmp_path, "forager_MB", experiment="PItrain", minutes=0.06)
        with watch(mine) as page:
            browser = Browser(page.address)
            assert answered(page.address, "POST", "larva", b"1")[0] == 204
            with pytest.raises(MismatchError, match="must be watched once"):
                watch(mine)
            mine.simulate()
        with pytest.raises(MismatchError):
            watch(mine)
    messages = browser.end()
    assert messages[0]["world"] == "arena"
    assert {message["larva"] for message in messages if message["kind"] == "cells"} == {1}
    assert messages[-1]["complete"]


def test_a_larva_that_is_not_there_is_refused_before_the_first_tick() -> None:
    """By an unknown id, or a place beyond the last; and so is what names none."""
    for raster in (["nobody"], [3], ["3"]):
        with pytest.raises(
            MismatchError, match="a larva of the raster must be one of the run, by its id or by its pla"
        ):
            run("PItrain", listeners=[ActivityLog(raster)], **SHORT)
    for nonsense in (5, "forager_MB_1", [None], [-1], [1.5]):
        with pytest.raises(InputError, match="raster"):
            ActivityLog(nonsense)  # type: ignore[arg-type]  # that is what it is about
    log, short = ActivityLog(), {**SHORT, "minutes": 0.02}
    of_three = run("PItrain", listeners=[log], **short).dataset
    with pytest.raises(MismatchError, match="a result must be of the run that was listened to"):
        log.beside(of_three.isel(larva=[0, 1]))


def test_the_command_keeps_what_a_page_needs(tmp_path: Path) -> None:
    """`--watch` says where the page is first; `kenyon show` makes a page of the result."""
    out = tmp_path / "results"
    options = ["--larvae", "2", "--minutes", "0.05", "--raster", "0", "--watch", "--json", "--out", str(out)]
    done = command(["larvaworld", "run", "PItrain", *options], tmp_path)
    assert done.status == 0, done.err
    assert done.err.startswith(b"Watch it: http://127.0.0.1:")
    assert json.loads(done.out)["run_id"]
    assert command(["show", str(out / "run.nc")], tmp_path).status == 0
    messages = _within((out / "run.html").read_text("utf-8"))
    assert {message["larva"] for message in messages if message["kind"] == "cells"} == {0}
    assert messages[0]["run"]["experiment"] == "PItrain"
