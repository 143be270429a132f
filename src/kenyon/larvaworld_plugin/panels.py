"""Panels of one run of the host, each on axes of one's own; a larva has one color and one number in all of them."""

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon import drawing
from kenyon.conditioning import origin
from kenyon.conditioning.statistics import interval
from kenyon.larvaworld_plugin.arena import FOOD

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes

_LEAST = {"MBON preference index": 0.1, "best gain": 10.0}
"""What larvae have learned is drawn on a scale of at least so much, lest nothing look like something."""

_NUMBERED = 15
"""Of up to so many larvae each is told by its number too."""

_NAMED = 8
"""Of up to so many sources each has its name beside it."""


class Cast(NamedTuple):
    """Who is who in the panels of a run.

    Attributes:
        colors: Of each larva.
        order: Places of larvae, from the one that learned least of the first stimulus to the one that learned most.
        means: Which larvae a mean is of, and its color, by the name of their group; of one group, black.
        numbered: Whether larvae are told by their numbers too.
    """

    colors: list[Any]
    order: list[int]
    means: dict[str, tuple[NDArray[np.bool_], str]]
    numbered: bool


def cast(result: "xarray.Dataset") -> Cast:
    """Return who is who: of one group, larvae are colored from the one that learned least to the one that learned most.

    Of several, each larva has the color of its group.
    """
    larvae = result.sizes["larva"]
    learned = result.learned.values[:, 0].tolist() if result.sizes["stimulus"] else [0.0] * larvae
    groups = result.group.values.astype(str) if "group" in result.coords else np.full(larvae, "")
    names = list(dict.fromkeys(groups))
    order = sorted(range(larvae), key=lambda larva: (names.index(groups[larva]), _last(learned[larva]), larva))
    if len(names) > 1:
        of_group = {name: drawing.SERIES[place % len(drawing.SERIES)] for place, name in enumerate(names)}
        means = {str(name): (groups == name, color) for name, color in of_group.items()}
        return Cast([of_group[name] for name in groups], order, means, larvae <= _NUMBERED)
    colors: list[Any] = [None] * larvae
    for rank, larva in enumerate(order):
        colors[larva] = _shade(rank / max(larvae - 1, 1))
    return Cast(colors, order, {"mean": (np.ones(larvae, bool), "black")}, larvae <= _NUMBERED)


def spans(result: "xarray.Dataset") -> list[dict[str, Any]]:
    """Return what could be smelled or eaten from when to when; nothing, if a result does not say."""
    if "sources" not in result.coords:
        return []
    end_s = float(result.time[-1])
    return [
        {**span, "until_s": end_s if span["until_s"] is None else span["until_s"]}
        for span in json.loads(str(origin.only(result, "sources")))
    ]


def sides(result: "xarray.Dataset") -> dict[str, str]:
    """Return the odors that were on one side of the arena alone, with that side; empty where the index says nothing."""
    stated = zip(result.stimulus.values, result.stimulus_side.values, strict=True)
    return {str(name): str(side) for name, side in stated if side}


def found_patches(result: "xarray.Dataset") -> bool:
    """Return whether a larva was on food that it had to find, which was not everywhere."""
    known = spans(result)
    patches = [span for span in known if span["kind"] == "food" and span["radius_m"] is not None]
    return bool(result.on_food.any()) and (bool(patches) or not known)


def stay(result: "xarray.Dataset") -> bool:
    """Return whether no gain of any larva changed, as where memories are frozen."""
    gain = result.gain.values
    return bool(((gain == gain[:, :1]) | np.isnan(gain)).all())


def gains(axes: "Axes", result: "xarray.Dataset", stimulus: str, who: Cast, *, called: str = "") -> None:
    """Draw the gain of a stimulus over time, of each larva and their mean, with when there was odor and food.

    Args:
        axes: Where.
        result: The dataset of a run.
        stimulus: Whose gain.
        who: The larvae.
        called: What the stimulus stands for, if anything.
    """
    minutes, values = result.time.values / 60, result.gain.sel(stimulus=stimulus).values
    alpha = max(0.12, min(0.8, 3.0 / len(values)))
    for larva, own in enumerate(values):
        axes.plot(minutes, own, color=who.colors[larva], alpha=alpha, linewidth=0.8)
    for name, (members, color) in who.means.items():
        mean = drawing.mean(values[members])
        axes.plot(minutes, mean, color=color, linewidth=2.2, label=drawing.plain(name))
    axes.axhline(0.0, color="black", linewidth=0.6)
    name = drawing.plain(str(stimulus))
    drawing.finish(axes, f"Gain of {name}{f' ({drawing.plain(called)})' if called else ''}", y="gain")
    _show_given(axes, result, stimulus)


def on_food(axes: "Axes", result: "xarray.Dataset", who: Cast) -> None:
    """Draw when each larva was on food, a row a larva, the one that learned most on top."""
    minutes = result.time.values / 60
    lasts = float(np.median(np.diff(minutes))) if len(minutes) > 1 else 1.0
    for row, larva in enumerate(who.order):
        times = [(at - lasts, lasts) for at in minutes[result.on_food.values[larva]]]
        axes.broken_barh(times, (row - 0.4, 0.8), color=who.colors[larva], linewidth=0)
    axes.set_ylim(-0.6, len(who.order) - 0.4)
    axes.set_xlim(0.0, minutes[-1])
    rows = [str(larva) for larva in who.order] if who.numbered else []
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    drawing.finish(axes, "When each larva was on food", y="larva")


def index(axes: "Axes", result: "xarray.Dataset") -> None:
    """Draw the host's own preference index over time: which side larvae are on."""
    where = ", ".join(f"{drawing.plain(name)} is {side}" for name, side in sides(result).items())
    axes.plot(result.time.values / 60, result.preference_index.values, color="black", linewidth=1.6)
    axes.axhline(0.0, color="black", linewidth=0.6)
    axes.set_ylim(-1.05, 1.05)
    drawing.finish(axes, f"Larvaworld's preference index, (left - right) / all: {where}", y="index")


def across(axes: "Axes", result: "xarray.Dataset", who: Cast) -> None:
    """Draw how far left or right each larva was over time, with the middle that the host's index leaves out."""
    minutes, x = result.time.values / 60, result.x.values * 1e3
    alpha = max(0.2, min(0.85, 5.0 / len(x)))
    for larva, own in enumerate(x):
        axes.plot(minutes, own, color=who.colors[larva], alpha=alpha, linewidth=1.0)
        if who.numbered:
            axes.annotate(str(larva), (minutes[-1], own[-1]), (3, 0), textcoords="offset points", va="center",
                          fontsize=7.5, color=who.colors[larva], annotation_clip=False)  # fmt: skip
    axes.set_xlim(0.0, minutes[-1])
    if "arena_width_m" in result.coords:
        width = float(origin.only(result, "arena_width_m")) * 1e3
        axes.axhspan(-0.1 * width, 0.1 * width, color="#EEEEEE", linewidth=0, zorder=0)
        axes.set_ylim(-0.55 * width, 0.55 * width)
    names = " and ".join(f"{drawing.plain(name)} {side}" for name, side in sides(result).items())
    drawing.finish(axes, f"How far left or right each larva is ({names})", y="x (mm)")


def tracks(axes: "Axes", result: "xarray.Dataset", who: Cast) -> None:
    """Draw where larvae went: the arena, what could be smelled and eaten, both sides if they mean something, tracks."""
    _draw_arena(axes, result)
    x, y = result.x.values * 1e3, result.y.values * 1e3
    alpha = max(0.25, min(0.75, 5.0 / len(x)))
    for larva in range(len(x)):
        axes.plot(x[larva], y[larva], color=who.colors[larva], alpha=alpha, linewidth=0.7)
    for larva in range(len(x)):
        _draw_end(axes, (x[larva, -1], y[larva, -1]), larva, who)
    axes.set_aspect("equal", "box" if "arena_shape" in result.coords else "datalim")
    drawing.finish(axes, "Tracks; dots: where larvae are in the end", x="x (mm)", y="y (mm)")


def unit_of(learned_is: str) -> str:
    """Return in a few words what is meant by what was learned, from what a result says of it."""
    return "MBON preference index" if learned_is.startswith("preference") else "best gain"


def units(result: "xarray.Dataset") -> dict[str, NDArray[np.bool_]]:
    """Return in what it is measured what larvae have learned, and of which larvae: of several groups it may differ."""
    meant = np.broadcast_to(result.learned_is.values.astype(str), result.sizes["larva"])
    own = np.array([unit_of(words) if words else "" for words in meant])  # Without a memory nothing is learned.
    return {str(unit): own == unit for unit in dict.fromkeys(own) if unit}


def learned(axes: "Axes", result: "xarray.Dataset", who: Cast, unit: str, members: NDArray[np.bool_]) -> None:
    """Draw what each larva has learned of each stimulus, and their mean with its interval.

    Larvae stand in one order above each stimulus: from the one that learned least of the first to the one that learned
    most, group by group.

    Args:
        axes: Where.
        result: The dataset of a run.
        who: The larvae.
        unit: In what it is measured.
        members: Which larvae it is measured of in that unit, [B] bool.
    """
    values, larvae = np.where(members[:, None], result.learned.values, np.nan), result.sizes["larva"]
    place = np.empty(larvae)
    place[who.order] = (np.arange(larvae) + 0.5) / larvae * 0.76 - 0.38
    for column, own in enumerate(values.T):
        for group, color in who.means.values():
            _draw_mean(axes, column + place[group], own[group], color)
        for larva in range(larvae):
            if not np.isnan(own[larva]):
                _draw_end(axes, (column + place[larva], own[larva]), larva, who)
    if np.isnan(values).all():
        axes.text(0.5, 0.5, "nothing yet", transform=axes.transAxes, ha="center")
        axes.set_yticks([])
    axes.axhline(0.0, color="black", linewidth=0.6)
    axes.set_xlim(-0.5, values.shape[1] - 0.5)
    axes.set_xticks(range(values.shape[1]), [drawing.plain(str(name)) for name in result.stimulus.values])
    axes.margins(y=0.15)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -_LEAST[unit]), max(high, _LEAST[unit]))
    axes.tick_params(axis="x", length=0, pad=8)
    drawing.finish(axes, "What each larva has learned", y=unit)


def _last(value: float) -> float:
    """Return a number to sort by, which puts what there is not at the end."""
    return np.inf if np.isnan(value) else float(value)


def _shade(share: float) -> Any:
    """Return a color between dark violet and light green, seen on white, safe for color-blind readers."""
    from matplotlib import colormaps

    return colormaps["viridis"](0.88 * share)


def _show_given(axes: "Axes", result: "xarray.Dataset", stimulus: str) -> None:
    """Shade when there was food everywhere, and draw a bar above for when an odor was there, if it was not always."""
    end_s, known = float(result.time[-1]), spans(result)
    food = _times([span for span in known if span["kind"] == "food" and span["radius_m"] is None])
    for from_s, until_s in food:
        axes.axvspan(from_s / 60, until_s / 60, color=FOOD, linewidth=0, zorder=0)
    odor = _times([span for span in known if span["stimulus"] == stimulus])
    if odor != [(0.0, end_s)]:
        for from_s, until_s in odor:
            axes.axvspan(from_s / 60, until_s / 60, 0.96, 1.0, color=drawing.GRAY, linewidth=0)
    axes.set_xlim(0.0, end_s / 60)


def _times(known: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """Return from when to when any of some sources was there, as times that do not overlap."""
    times: list[tuple[float, float]] = []
    for from_s, until_s in sorted((span["from_s"], span["until_s"]) for span in known):
        if times and from_s <= times[-1][1]:
            times[-1] = (times[-1][0], max(times[-1][1], until_s))
        else:
            times.append((from_s, until_s))
    return times


def _draw_arena(axes: "Axes", result: "xarray.Dataset") -> None:
    """Draw the ground, what lies on it, and the sides between which the host's index compares."""
    from matplotlib.patches import Circle, Rectangle

    if "arena_shape" not in result.coords:
        return
    shape, width, height = (origin.only(result, f"arena_{name}") for name in ("shape", "width_m", "height_m"))
    width, height, known = float(width) * 1e3, float(height) * 1e3, spans(result)
    fed = any(span["kind"] == "food" and span["radius_m"] is None for span in known)
    look: dict[str, Any] = {
        "facecolor": FOOD if fed else "#F7F7F7",
        "edgecolor": "#999999",
        "linewidth": 1.0,
        "zorder": 0,
    }
    ground = Circle((0, 0), width / 2, **look) if shape == "circular" else Rectangle(
        (-width / 2, -height / 2), width, height, **look
    )  # fmt: skip
    axes.add_patch(ground)
    if sides(result):
        for x, side in ((-0.1 * width, "left"), (0.1 * width, "right")):
            axes.plot([x, x], [-height / 2, height / 2], color="#999999", linewidth=0.8, linestyle=(0, (4, 3)))
            axes.text(x * 2.0, height * 0.53, side, ha="center", color=drawing.GRAY, fontsize=8.5)
    axes.set_xlim(-0.55 * width, 0.55 * width)
    axes.set_ylim(-0.55 * height, 0.57 * height)
    for source in _draw_sources(
        axes, list({span["id"]: span for span in known if span["radius_m"] is not None}.values())
    ):
        source.set_clip_path(ground)  # Some of the host's arenas have sources beyond their edge.


def _draw_sources(axes: "Axes", sources: list[dict[str, Any]]) -> list[Any]:
    """Draw patches of food and sources of odors where they were last; of those at one place the names together."""
    from matplotlib.patches import Circle

    names: dict[tuple[float, float], list[str]] = {}
    drawn: list[Any] = []
    for source in sources:
        at, fed = (source["x"] * 1e3, source["y"] * 1e3), source["kind"] == "food"
        radius = max(source["radius_m"] * 1e3, 1.0)
        color = drawing.ORANGE if fed else "white"
        drawn.append(Circle(at, radius, facecolor=color, edgecolor="black", linewidth=1.0, alpha=0.75, zorder=1.5))
        axes.add_patch(drawn[-1])
        said = filter(None, (drawing.plain(source["stimulus"] or ""), "food" if fed else ""))
        names.setdefault((at[0], at[1] - radius), []).extend(said)
    for below, words in names.items() if len(names) <= _NAMED else ():
        axes.annotate(", ".join(dict.fromkeys(words)), below, (0, -3), textcoords="offset points", ha="center",
                      va="top", fontsize=9, fontweight="bold", zorder=5, bbox=_ON_TRACKS)  # fmt: skip
    return drawn


_ON_TRACKS: dict[str, Any] = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}


def _draw_end(axes: "Axes", at: tuple[float, float], larva: int, who: Cast) -> None:
    """Draw the dot of a larva, with its number where larvae have one."""
    if not who.numbered:
        axes.plot(*at, "o", color=who.colors[larva], markersize=4.5, markeredgecolor="white", markeredgewidth=0.4)
        return
    look: dict[str, Any] = {"markersize": 12, "markeredgecolor": "white", "markeredgewidth": 0.7, "zorder": 4}
    axes.plot(*at, "o", color=who.colors[larva], **look)
    axes.annotate(str(larva), at, ha="center", va="center_baseline", fontsize=7, color=_on(who.colors[larva]), zorder=6)


def _on(color: Any) -> str:
    """Return what is read on a color: black or white."""
    from matplotlib.colors import to_rgb

    return "black" if np.dot(to_rgb(color), (0.299, 0.587, 0.114)) > 0.55 else "white"  # ITU-R BT.601


def _draw_mean(axes: "Axes", places: NDArray[np.float64], values: NDArray[np.float64], color: str) -> None:
    """Draw the mean of larvae as a line through where they stand, in a band for its interval."""
    there = values[~np.isnan(values)]
    if len(there) == 0:
        return
    ends, (low, high) = [places.min() - 0.03, places.max() + 0.03], interval(there)
    axes.plot(ends, [there.mean()] * 2, color=color, linewidth=2.0, zorder=2)
    axes.fill_between(ends, low, high, color=color, alpha=0.13, linewidth=0, zorder=1)
