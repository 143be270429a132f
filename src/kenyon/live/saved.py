"""A finished run of Larvaworld as one file that plays by itself: the page, with all that a live one would be told."""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.live.messages import (
    NO_CELLS_OF_TABLES,
    VERSION,
    Cells,
    cell_groups,
    cells,
    given,
    rounded,
    source_row,
    spelled,
)
from kenyon.live.page import page
from kenyon.live.stream import MOST_FRAMES
from kenyon.mushroom_body.circuit import layout_of
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

_TRACKS: Final = ("x", "y", "heading", "on_food", "gain", "arena_shape", "sources")

_RESOLUTIONS_MS: Final = (1, 2, 5, 10, 20, 50)
_MOST_RASTER_BYTES: Final = 2_400_000
"""Of all rasters, compressed: spikes are rounded to the finest of the resolutions at which they are no more."""

_SAMPLED: Final = 20
"""The size of a raster is guessed from every so-many-th second of it."""


def saved(result: "xarray.Dataset") -> str:
    """Return a finished run as HTML that plays without a server or network.

    Tracks, gains and rates of all larvae are within it, and the spikes of those of which the result has them, rounded
    as far as a screen shows them: so 30 larvae and 10 minutes take less than 5 MB. Of more than 2,000 samples some, at
    equal distances, are.

    Args:
        result: Of `kenyon.larvaworld_plugin.run` or a watched run; with `ActivityLog.beside` also rates and spikes.

    Raises:
        InputError: it is no such result, or has no tracks.
    """
    return page(told(result))


def told(result: "xarray.Dataset") -> list[Mapping[str, Any]]:
    """Return what a live page would have been told of a finished run.

    Args:
        result: As for `saved`.

    Raises:
        InputError: as for `saved`.
    """
    _require_tracks(result)
    spans = json.loads(str(result.sources.item()))
    return [_begun(result, spans), *_frames(result, spans), *_rasters(result), _ended(result)]


def _require_tracks(result: Any) -> None:
    import xarray

    checks.instance("result", result, xarray.Dataset, "pass one that `kenyon larvaworld run` gives")
    missing = [name for name in _TRACKS if name not in result.variables]
    if missing or result.sizes.get("time", 0) == 0:
        raise InputError(
            f"a result to show must have tracks of larvae in an arena, got one without {shown(', '.join(missing))}; "
            "`kenyon larvaworld run` writes one"
        )


def _begun(result: "xarray.Dataset", spans: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    says = {name: _alike(result, name) for name in ("experiment", "model", "minutes", "seed", "run_id")}
    options = {name: _alike(result, f"memory.{name}") for name in ("parameters", "wiring")}
    memory = _alike(result, "memory")
    larvae = [str(larva) for larva in result.larva.values]
    has_cells = "spike_larva" in result
    return {
        "kind": "begun",
        "version": VERSION,
        "world": "arena",
        "title": f"{says['experiment']}, {len(larvae)} {says['model']}",
        "run": {name: value for name, value in {**says, **options}.items() if value},
        "larvae": larvae,
        "groups": [str(group) for group in result.group.values] if "group" in result.coords else [""] * len(larvae),
        "spans": {},
        "stimuli": [str(name) for name in result.stimulus.values],
        "memory": "Q-learning" if memory.startswith("RL") else "mushroom body",
        "colour": _colour(result),
        "arena": {
            "shape": str(result.arena_shape.item()),
            "width_m": round(float(result.arena_width_m), 4),
            "height_m": round(float(result.arena_height_m), 4),
        },
        "sources": _sources_at(spans, float(result.time[0])),
        "cells": cell_groups(layout_of(int(result.spike_neuron.attrs["neurons"]))) if has_cells else None,
        "no_cells": None if has_cells else _no_cells(memory),
        "timeline": [],
        "duration_s": float(result.time[-1]),
        "dt_s": None,
    }  # fmt: skip


def _no_cells(memory: str) -> str:
    """Return why there are no cells to see."""
    if memory.startswith("RL"):
        return NO_CELLS_OF_TABLES
    return "Of no larva of this run was every spike kept; `kenyon larvaworld run --raster LARVA` keeps it."


def _colour(result: "xarray.Dataset") -> dict[str, Any]:
    """Return what larvae are coloured by: the gain that most of them have at most, to either side."""
    gains = np.abs(result.gain.values)
    highest = float(np.nanquantile(gains, 0.98)) if np.isfinite(gains).any() else 0.0
    bound = round(highest, 3) or 1.0
    stimuli = [str(name) for name in result.stimulus.values]
    return {"by": "gain", "stimulus": next(iter(stimuli), None), "low": -bound, "high": bound}


def _frames(result: "xarray.Dataset", spans: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    times_s, stimuli = result.time.values, [str(name) for name in result.stimulus.values]
    every = -(-len(times_s) // MOST_FRAMES)
    x, y, heading = (result[name].values for name in ("x", "y", "heading"))
    on_food, gain = result.on_food.values.astype(int), result.gain.transpose("larva", "time", "stimulus").values
    rates = result.rate_hz.values if "rate_hz" in result else None
    names = [] if rates is None else [str(name) for name in result.cell_group.values]
    before: list[dict[str, Any]] | None = None
    for i in range(0, len(times_s), every):
        now = _sources_at(spans, float(times_s[i]))
        frame: dict[str, Any] = {
            "kind": "frame",
            "t_s": round(float(times_s[i]), 3),
            "x": rounded(x[:, i], 4),
            "y": rounded(y[:, i], 4),
            "heading": rounded(heading[:, i], 2),
            "on_food": on_food[:, i].tolist(),
            "gain": {name: rounded(gain[:, i, k], 2) for k, name in enumerate(stimuli)},
            "preference": None,
            "rates": None if rates is None else {name: rounded(rates[:, i, k], 1) for k, name in enumerate(names)},
            "given": given(now),
        }
        if now != before:
            frame["sources"] = before = now
        yield frame


def _sources_at(spans: Sequence[Mapping[str, Any]], time_s: float) -> list[dict[str, Any]]:
    """Return what could be smelled or eaten at a time."""
    return [
        source_row(span)
        for span in spans
        if span["from_s"] <= time_s and (span["until_s"] is None or time_s < span["until_s"])
    ]


def _rasters(result: "xarray.Dataset") -> list[Cells]:
    """Return what the cells of larvae did, second by second, as finely as there is room for."""
    if "spike_larva" not in result:
        return []
    for resolution_ms in _RESOLUTIONS_MS:
        sample = list(_cells(result, resolution_ms, every=_SAMPLED))
        if _size(sample) * _SAMPLED <= _MOST_RASTER_BYTES:
            break
    return list(_cells(result, resolution_ms, every=1))


def _size(messages: Sequence[Mapping[str, Any]]) -> int:
    return len(gzip.compress(b"\n".join(map(spelled, messages))))


def _cells(result: "xarray.Dataset", resolution_ms: int, every: int) -> Iterator[Cells]:
    """Give the messages of each larva of which spikes were kept; of seconds every so-many-th."""
    n_neurons = int(result.spike_neuron.attrs["neurons"])
    larvae, times_s, neurons = (result[f"spike_{name}"].values for name in ("larva", "time_s", "neuron"))
    last_s = float(result.time[-1])
    for larva in np.unique(larvae).tolist():
        mine = larvae == larva
        order = np.argsort(times_s[mine], kind="stable")
        own_s, own = times_s[mine][order], neurons[mine][order].astype(np.int64)
        for begin_s in np.arange(0.0, last_s, float(every)).tolist():
            end_s = min(begin_s + 1.0, last_s)
            first, end = np.searchsorted(own_s, (begin_s - 1e-9, end_s - 1e-9))
            counts = np.bincount(own[first:end], minlength=n_neurons)
            spikes = _coarse(own_s[first:end] - begin_s, own[first:end], resolution_ms)
            weights = _weights(result, int(larva), end_s)
            yield cells(int(larva), begin_s, end_s - begin_s, counts, spikes, 1.0, weights)


def _weights(result: "xarray.Dataset", larva: int, time_s: float) -> tuple[Any, Any]:
    """Return the weights of a larva at the first sample from a time on."""
    row = result.raster_larva.values.tolist().index(larva)
    sample = min(int(np.searchsorted(result.time.values, time_s - 1e-9)), result.sizes["time"] - 1)
    return result.w_kc_mbonp_nS.values[row, sample], result.w_kc_mbonn_nS.values[row, sample]


def _coarse(times_s: NDArray[np.float64], neurons: NDArray[np.int64], resolution_ms: int) -> NDArray[np.int64]:
    """Return spikes (ms, neuron) whose times are whole multiples of a resolution; those that fall together are one."""
    steps = np.floor(times_s * (1e3 / resolution_ms) + 1e-6).astype(np.int64) * resolution_ms
    return np.unique(np.column_stack((steps, neurons)), axis=0)


def _ended(result: "xarray.Dataset") -> dict[str, Any]:
    learned = None
    if "learned" in result:
        values = result.learned.transpose("larva", "stimulus").values
        learned = {str(name): rounded(values[:, i], 3) for i, name in enumerate(result.stimulus.values)}
    complete = bool(result.complete.item()) if "complete" in result.coords else True
    return {"kind": "ended", "t_s": round(float(result.time[-1]), 3), "complete": complete, "learned": learned}


def _alike(result: "xarray.Dataset", name: str) -> str:
    """Return what a result says of itself; all of it where it says several things."""
    if name not in result.coords:
        return ""
    said = dict.fromkeys(str(value) for value in np.ravel(result[name].values))
    return ", ".join(said)
