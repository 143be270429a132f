"""The raster: every spike of a larva."""

from typing import TYPE_CHECKING

from kenyon import checks, drawing
from kenyon.conditioning.figures import marks
from kenyon.conditioning.figures.given import axes_of
from kenyon.errors import InputError
from kenyon.mushroom_body import Activity
from kenyon.mushroom_body.circuit import GROUPS

if TYPE_CHECKING:  # matplotlib is slow to import
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
    top, ticks = 0.0, []
    for name, where in GROUPS.items():
        cells = where.stop - where.start
        rows = max(cells, _LEAST_ROWS)
        own = (neurons >= where.start) & (neurons < where.stop)
        places = top + (neurons[own] - where.start + 0.5) * rows / cells
        color = marks.CELL_COLORS.get(name, drawing.GRAY)
        size = 72 / 6 if cells == 1 else 2.2
        times_ms = steps[own] * activity.dt_ms
        axes.plot(times_ms, places, "|", color=color, markersize=size, markeredgewidth=0.7, rasterized=True)
        ticks.append((top + rows / 2, f"{name} ({cells})"))
        top += rows
        axes.axhline(top, color="black", linewidth=0.3)
    axes.set_yticks([at for at, _ in ticks], [words for _, words in ticks], fontsize=8)
    axes.set_ylim(top, 0.0)
    axes.set_xlim(0.0, lasts_ms)
    drawing.finish(axes, f"Spikes of larva {larva} (n = 1)", x="time (ms)", y="group (cells)")
    axes.tick_params(axis="y", length=0)
    return axes
