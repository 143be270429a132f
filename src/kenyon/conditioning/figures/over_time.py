"""Panels over the time of the larvae: what they were given, and how neurons fired meanwhile."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import checks, drawing
from kenyon.conditioning.figures import captions, marks
from kenyon.conditioning.figures.given import new_axes, result_of, results_of
from kenyon.conditioning.phases import TURN_S
from kenyon.conditioning.statistics import interval
from kenyon.conditioning.timeline import Lane, Timeline, draw_timelines, inches
from kenyon.errors import InputError, MismatchError
from kenyon.mushroom_body.circuit import GROUPS

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.axes import Axes

NEURONS = ("MBONp", "MBONn", "DANp", "DANn")
"""Groups of neurons that are drawn unless others are named: those that learn and teach."""


def timeline(results: Any, *, ax: "Axes | None" = None) -> "Axes":
    """Draw what each group was given and when, and when it was tested; each thing in a lane of its own.

    Where larvae had phases in orders of their own, phases stand as those of the first larva did.

    Args:
        results: What `run` returned, or some of its datasets.
        ax: Where; axes of a figure of its own if not given.

    Returns:
        The axes.

    Raises:
        InputError: there is no result, or `ax` are no axes.
        MismatchError: in one of them larvae differ in what was done to them.
    """
    several = results_of(results, tested=False)
    every = timelines_of(several)
    axes = new_axes(ax, several, "", 9, 1.6 + inches(every))
    draw_timelines(axes, every)
    return axes


def timelines_of(results: Sequence["xarray.Dataset"]) -> list[Timeline]:
    """Return what each of some groups lived through, of its first larva, by what the results say of it."""
    return [_timeline(result, label) for result, label in zip(results, captions.labels(results), strict=True)]


def _timeline(result: "xarray.Dataset", label: str) -> Timeline:
    first = result.isel(larva=0)
    starts_s = first.phase_start_s.values
    ends_s = starts_s + first.phase_duration_s.values
    lanes: dict[tuple[str, str], list[tuple[float, float]]] = {}
    stated = zip(
        starts_s.tolist(), ends_s.tolist(),
        *(first[f"phase_{name}"].values.tolist() for name in
          ("odors", "against", "reward", "punishment", "manipulations")), strict=True,
    )  # fmt: skip
    for start_s, end_s, odors, against, reward, punishment, done in stated:
        for lane, span in _bars(start_s, end_s, odors, against):
            lanes.setdefault(lane, []).append(span)
        for name, dose in (("reward", reward), ("punishment", punishment)):
            if dose > 0:
                word = name if dose == 1 else f"{name} {dose:g}"
                lanes.setdefault(("reinforcement", word), []).append((start_s, end_s))
        if isinstance(done, str) and done:
            lanes.setdefault(("manipulation", done), []).append((start_s, end_s))
    if result.sizes["test"]:
        word = "test (lived)" if first.test_lived.all() else "test (on a copy)"
        word = "test" if first.test_lived.any() and not first.test_lived.all() else word
        lanes["test", word] = [(at, at) for at in first.test_time_s.values.tolist()]
    kinds = ("odor", "reinforcement", "manipulation", "test")
    ordered = sorted(lanes, key=lambda lane: kinds.index(lane[0]))
    last_s = max([*ends_s.tolist(), *first.test_time_s.values.tolist(), 0.0])
    own = " (in the order of the first larva; each has its own)" if _orders_differ(result) else ""
    return Timeline(
        f"{label}{own}", last_s, tuple(Lane(kind, word, tuple(lanes[kind, word])) for kind, word in ordered)
    )


def _bars(
    start_s: float, end_s: float, odors: Any, against: Any
) -> Iterator[tuple[tuple[str, str], tuple[float, float]]]:
    """Give lane and span of each time that there is an odor in a phase: of a choice two, in turn."""
    if isinstance(against, str) and against:
        for number, begun_s in enumerate(np.arange(start_s, end_s, TURN_S).tolist()):
            yield ("odor", against if number % 2 else odors), (begun_s, min(begun_s + TURN_S, end_s))
    elif isinstance(odors, str) and odors:
        yield ("odor", odors), (start_s, end_s)


def rates(
    result: Any, *, neurons: Sequence[str] = NEURONS, label: str | None = None, ax: "Axes | None" = None
) -> "Axes":
    """Draw how groups of neurons fired while larvae lived: in each second where that was kept, else in each phase.

    Bold is the mean over larvae, the band its 95 % bootstrap interval. Where larvae had phases in orders of their own,
    phases stand in the order in which they are written.

    Args:
        result: What `run` returned for a group.
        neurons: Groups of neurons, such as "KC".
        label: What the group is called; as it calls itself if not given.
        ax: Where; axes of a figure of its own if not given.

    Returns:
        The axes.

    Raises:
        InputError: there is no result or several, no such group of neurons, or `ax` are no axes.
        MismatchError: larvae differ in what was done to them, or they have no phases.
    """
    one = result_of(result, tested=False)
    chosen = [checks.one_of("neurons", own, list(GROUPS)) for own in checks.several("neurons", neurons)]
    if not chosen:
        raise InputError("neurons must be at least one group, got none; name some, such as MBONp")
    if one.sizes["phase"] == 0:
        raise MismatchError("a result must have phases for rates over time, got none; keep some when you select")
    words = captions.called(one, label, "")
    axes = new_axes(ax, [one], "bands", 8, 4.2)
    starts_s, ends_s, variable = _stretches(one)
    for number, name in enumerate(chosen):
        values = one[variable].sel(group=name).transpose("larva", ...).values
        color = marks.CELL_COLORS.get(name, drawing.GRAY)
        _steps(axes, starts_s, ends_s, values, color, drawing.plain(name), drawing.line_style(number)["linestyle"])
    each = "each second" if variable == "rate_hz" else "each phase"
    drawing.finish(
        axes,
        f"Rates in {each}\n({words})",
        x="time, phases as they are written (s)" if _orders_differ(one) else "time (s)",
        y="mean rate of a cell (Hz)",
    )
    axes.set_ylim(min(0.0, axes.get_ylim()[0]))
    drawing.legend_above(axes, columns=2, letters=20)
    return axes


def _orders_differ(result: "xarray.Dataset") -> bool:
    """Return whether larvae had phases in orders of their own."""
    starts_s = result.phase_start_s
    return "larva" in starts_s.dims and bool((starts_s != starts_s.isel(larva=0)).any())


def _stretches(result: "xarray.Dataset") -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    """Return when each stretch of time of which there are rates begins and ends, and which variable holds them."""
    first = result.isel(larva=0)
    lasts_s = first.phase_duration_s.values
    begins_s = first.phase_start_s.values
    if _orders_differ(result):  # As they are written, one after the other.
        begins_s = np.cumsum(lasts_s) - lasts_s
    if "rate_hz" not in result:
        return begins_s, begins_s + lasts_s, "phase_rate_hz"
    starts_s = begins_s[first.second_phase.values] + first.second_start_s.values
    return starts_s, starts_s + first.second_duration_s.values, "rate_hz"


def _steps(
    axes: "Axes", starts_s: NDArray[np.float64], ends_s: NDArray[np.float64], values: NDArray[np.float64], color: str,
    label: str, dashes: Any,
) -> None:  # fmt: skip
    """Draw [B, stretches] as steps: the mean, and its interval as a band."""
    corners_s = np.column_stack((starts_s, ends_s)).ravel()
    mean, bounds = (np.repeat(own, 2, axis=0) for own in (np.mean(values, axis=0), interval(values)))
    axes.plot(corners_s, mean, color=color, linewidth=1.8, linestyle=dashes, label=label)
    axes.fill_between(corners_s, bounds[:, 0], bounds[:, 1], color=color, alpha=0.25, linewidth=0)
