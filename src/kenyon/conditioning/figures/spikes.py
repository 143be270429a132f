"""Rasters: every spike of a larva, in a call or in a phase of an experiment."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import checks, drawing
from kenyon.conditioning.figures import captions, marks
from kenyon.conditioning.figures.given import axes_of, result_of
from kenyon.conditioning.phases import REINFORCERS
from kenyon.errors import InputError, MismatchError
from kenyon.mushroom_body import Activity
from kenyon.mushroom_body.circuit import GROUPS, layout

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes

_LEAST_ROWS = 8
"""Room of a group of few cells, in rows, so that its name has a place."""


def raster(activity: Activity, *, larva: int = 0, ax: "Axes | None" = None) -> "Axes":
    """Draw every recorded spike of a larva, a row a neuron, by group.

    Args:
        activity: What larvae did in one call, with spikes: record=Record(spikes=True).
        larva: Its place in the call.
        ax: Where; axes of a figure of its own if not given.

    Returns:
        The axes.

    Raises:
        InputError: spikes were not recorded, there is no such larva, or `ax` are no axes.
    """
    checks.instance("activity", activity, Activity, "pass what advance or probe returned")
    if activity.spikes is None:
        raise InputError("spikes must be recorded for a raster, got none; pass record=Record(spikes=True)")
    larva = checks.integer("larva", larva, low=0, high=len(activity.counts) - 1)
    steps, neurons = activity.spikes[larva].T
    lasts_ms = float(activity.duration_ms[larva])
    axes = axes_of(ax, f"Spikes of n = 1 larva, number {larva} of its call, over {lasts_ms:g} ms.", 8, 6)
    _draw(axes, steps * activity.dt_ms, neurons, lasts_ms, activity.layout.groups)
    drawing.finish(axes, f"Spikes of larva {larva} (n = 1)", x="time (ms)", y="group (cells)")
    return axes


def phase_raster(
    result: Any, *, phase: int = 0, larva: int = 0, label: str | None = None, ax: "Axes | None" = None
) -> "Axes":
    """Draw every recorded spike of a larva in a phase, a row a neuron, by group.

    Args:
        result: What `run` returned for a group, with recordings=Record(spikes=True).
        phase: The phase, by its place.
        larva: The larva, by its place.
        label: What the group is called; as it calls itself if not given.
        ax: Where; axes of a figure of its own if not given.

    Returns:
        The axes.

    Raises:
        InputError: there is no such phase or larva, no result or several, or `ax` are no axes.
        MismatchError: spikes were not recorded in it, phases were selected, or larvae of several runs were joined.
    """
    one = result_of(result, tested=False)
    larva = checks.integer("larva", larva, low=0, high=one.sizes["larva"] - 1)
    if one.sizes["phase"] == 0:
        raise MismatchError("a result must have phases for a raster, got none; keep some when you select")
    phase = checks.integer("phase", phase, low=0, high=one.sizes["phase"] - 1)
    own = _recorded(one, larva, phase)
    words = f"Spikes of n = 1 larva. {captions.caption([one], ())}"
    axes = axes_of(ax, "" if ax is not None else words, 8, 6)
    lasts_ms = float(one.isel(larva=larva).phase_duration_s.values[phase]) * 1e3
    _draw(axes, one.spike_time_ms.values[own], one.spike_neuron.values[own], lasts_ms, _groups(one))
    called = drawing.plain(captions.labels([one])[0] if label is None else checks.label("label", label), 110)
    title = (
        f"Spikes of larva {larva} (n = 1)\n({called}, phase {phase}: {drawing.plain(_given(one, larva, phase), 110)})"
    )
    drawing.finish(axes, title, x="time in the phase (ms)", y="group (cells)")
    return axes


def _given(result: "xarray.Dataset", larva: int, phase: int) -> str:
    """Return what a larva was given in a phase, in words."""
    own = result.isel(larva=larva)
    felt = {name: float(own[f"phase_{name}"].values[phase]) for name in REINFORCERS}
    words = [str(own[f"phase_{name}"].values[phase]) for name in ("odors", "against", "manipulations")]
    words += [name if dose == 1.0 else f"{name} {dose:g}" for name, dose in felt.items() if dose > 0]
    return ", ".join(filter(None, words)) or "nothing given"


def _recorded(result: "xarray.Dataset", larva: int, phase: int) -> NDArray[np.bool_]:
    """Return which of the recorded spikes are of a larva in a phase, by their places; as many as its rates say."""
    if "spike_phase" not in result:
        raise MismatchError(
            "a result must have recorded spikes for a raster, got none; run with recordings=Record(spikes=True)"
        )
    if result.spike_larva.dims != ("spike",) or len(set(result.larva.values.tolist())) < result.sizes["larva"]:
        raise MismatchError("spikes must be of larvae of one run, got several; draw the result of each run alone")
    place = int(result.larva.values[larva])
    own: NDArray[np.bool_] = (result.spike_larva.values == place) & (result.spike_phase.values == phase)
    rates_hz = result.phase_rate_hz.isel(larva=larva, phase=phase).sel(group=list(GROUPS)).values
    lasted_s = float(result.isel(larva=larva).phase_duration_s.values[phase])
    cells = np.array([where.stop - where.start for where in _groups(result).values()])
    if own.sum() != round(float(rates_hz @ cells) * lasted_s):
        raise MismatchError(
            f"phase {phase} of a result must be one whose spikes were recorded, got another number of spikes than its "
            "rates say; draw it before you select phases, or record it"
        )
    return own


def _groups(result: "xarray.Dataset") -> Mapping[str, slice]:
    return layout(int(result.kenyon_cells)).groups


def _draw(
    axes: "Axes", times_ms: NDArray[Any], neurons: NDArray[Any], lasts_ms: float, groups: Mapping[str, slice]
) -> None:
    """Draw spikes, a row a neuron."""
    top, ticks = 0.0, []
    for name, where in groups.items():
        cells = where.stop - where.start
        rows = max(cells, _LEAST_ROWS)
        own = (neurons >= where.start) & (neurons < where.stop)
        places = top + (neurons[own] - where.start + 0.5) * rows / cells
        look: dict[str, Any] = {
            "color": marks.CELL_COLORS.get(name, drawing.GRAY),
            "markersize": 12.0 if cells == 1 else 2.2,
        }
        axes.plot(times_ms[own], places, "|", markeredgewidth=0.7, rasterized=True, **look)
        ticks.append((top + rows / 2, f"{name} ({cells})"))
        top += rows
        axes.axhline(top, color="black", linewidth=0.3)
    axes.set_yticks([at for at, _ in ticks], [words for _, words in ticks], fontsize=8)
    axes.set_ylim(top, 0.0)
    axes.set_xlim(0.0, lasts_ms)
    axes.tick_params(axis="y", length=0)
