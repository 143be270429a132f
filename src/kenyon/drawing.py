"""How figures look, and how they come into files: the one place for colors, means with their individuals, and saving.

Law of this room: no pyplot and no backend. A figure is drawn by Agg whatever `MPLBACKEND` names, for a command that is
run in a notebook, on a server or by a batch system has no say in it. Matplotlib is imported when a figure is made.
"""

import io
import os
import re
import sys
import textwrap
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import archive
from kenyon.errors import InputError
from kenyon.words import clean

if TYPE_CHECKING:  # matplotlib is slow to import
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito's palette, safe for color-blind readers.
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, GRAY = "#E69F00", "#56B4E9", "#555555"
SERIES = (BLUE, VERMILION, GRAY, PURPLE, ORANGE, SKY, GREEN)
"""Colors of things that lie side by side, in this order."""

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
_DASHES: tuple[Any, ...] = ("-", "--", ":", "-.")

FloatArray = NDArray[np.float64]


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure, in inches, that lays itself out and needs no backend.

    Example:
        >>> new_figure(6, 4).canvas.__class__.__name__
        'FigureCanvasAgg'
    """
    import_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    made = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08))
    FigureCanvasAgg(made)
    return made


def import_matplotlib() -> None:
    """Import matplotlib although MPLBACKEND may hold a word that it refuses; one that it knows it still hears of."""
    if "matplotlib" in sys.modules:
        return
    wanted = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib as mpl
    finally:
        if wanted is not None:
            os.environ["MPLBACKEND"] = wanted
    if wanted:
        with suppress(ValueError):
            mpl.rcParams["backend"] = wanted


def save_figure(figure: "Figure", path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a figure to a file of the format its suffix names, whole or not at all.

    Raises:
        InputError: the file exists and `overwrite` is False, its folder does not, or the suffix is unknown.
        LockedError: somebody else is writing it.
        StorageError: the disk is full.
    """
    known = sorted(figure.canvas.get_supported_filetypes())
    if Path(path).suffix[1:] not in known:
        raise InputError(f"the suffix of {path} must be one of {', '.join(known)}")
    with archive.replacing(path, overwrite=overwrite) as temporary:
        figure.savefig(temporary, dpi=150)
    return Path(path)


def inline_svg(figure: "Figure") -> str:
    """Return a figure as a part of an HTML page, whose colors it takes; the same figure is the same text.

    What is black is of the color of the text around it, and each of `SERIES` is the CSS variable `--series-1` and so
    on, where the page has one. Words stay words, and are black unless the page says `svg text {fill: currentColor}`.
    """
    import matplotlib as mpl

    stream = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "kenyon"}):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = text.replace("#000000", "currentColor")
    for number, color in enumerate(SERIES, 1):
        text = text.replace(color.lower(), f"var(--series-{number}, {color})")
    return text


def plain(text: str, most: int = 60) -> str:
    r"""Return text that a figure shows letter by letter: of bounded length, a dollar no mathematics.

    Example:
        >>> plain("_costs $5")
        ' _costs \\$5'
    """
    text = clean(text, most).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text  # Legends leave out what begins with an underscore.


def line_style(number: int, marker: int | None = None) -> dict[str, Any]:
    """Return dashes and marker of one of several lines of a color; up to 36 of them are all different.

    Args:
        number: Of the line.
        marker: Of the marker, if that is another.

    Example:
        >>> len({tuple(line_style(number).items()) for number in range(36)})
        36
    """
    return {
        "linestyle": _DASHES[number % len(_DASHES)],
        "marker": _MARKERS[(number if marker is None else marker) % len(_MARKERS)],
    }


def both_ways() -> Any:
    """Return the colors of what goes below 0 and above: vermilion, white, blue; safe for color-blind readers."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("both ways", [VERMILION, "white", BLUE]).with_extremes(bad="#DDDDDD")


def mean_with_individuals(
    axes: "Axes",
    x: NDArray[Any],
    values: FloatArray,
    color: str,
    *,
    label: str,
    bounds: FloatArray | None = None,
    style: dict[str, Any] | None = None,
    dots: bool = False,
) -> None:
    """Draw every individual faint and their mean bold.

    Args:
        axes: Where.
        x: [T], where on the horizontal axis.
        values: [B, T] float64, a row an individual; nan where it has no value.
        color: Of all of it.
        label: Of the mean, for a legend.
        bounds: [T, 2] float64, an interval to draw about each mean; none if absent.
        style: Options of the lines, such as those of `line_style`.
        dots: Whether individuals are dots, not lines: for columns of which each has its own.
    """
    style = style or {}
    faint = max(0.06, min(0.3, 0.7 / np.sqrt(len(values))))
    look: dict[str, Any] = {"linestyle": style.get("linestyle", "-"), "linewidth": 0.8, "alpha": faint}
    if dots:
        look = {"linestyle": "", "marker": ".", "markeredgewidth": 0, "alpha": min(1.0, 2 * faint)}
    axes.plot(x, values.T, color=color, **look)
    mean_of = mean(values)
    if bounds is None:
        axes.plot(x, mean_of, color=color, label=label, linewidth=2.2, **style)
        return
    below_above = np.abs(bounds - mean_of[:, None]).T
    axes.errorbar(x, mean_of, yerr=below_above, color=color, label=label, linewidth=2, capsize=3, markersize=5, **style)


def dots(
    axes: "Axes", place: float, values: FloatArray, color: str, bounds: FloatArray, *, sideways: bool = False
) -> None:
    """Draw individuals as dots side by side, and beside them their mean with an interval.

    Args:
        axes: Where.
        place: Where on the horizontal axis.
        values: [B] float64, those that there are; none draws nothing.
        color: Of all of it.
        bounds: [2] float64, the interval; nan draws none.
        sideways: Whether values are along the horizontal axis, and the place is on the upright one.
    """
    if len(values) == 0:
        return
    spread = place + (np.arange(len(values)) % 5 - 2) * 0.05
    mean, beside = float(np.mean(values)), place + 0.27
    below_above = np.abs(bounds - mean).reshape(2, 1)
    individuals = (values, spread) if sideways else (spread, values)
    axes.plot(*individuals, "o", color=color, alpha=0.45, markersize=5, markeredgewidth=0)
    look: dict[str, Any] = {"color": color, "marker": "s", "capsize": 4, "linewidth": 2}
    if sideways:
        axes.errorbar(mean, beside, xerr=below_above, **look)
    else:
        axes.errorbar(beside, mean, yerr=below_above, **look)


def finish(axes: "Axes", title: str, *, x: str = "", y: str = "") -> None:
    """Give axes their words, and take away the frame."""
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)


def legend_above(axes: "Axes", *, columns: int, letters: int) -> None:
    """Put a legend above all that is drawn, in room made for it, each label wrapped after so many letters."""
    handles, labels = axes.get_legend_handles_labels()
    labels = [wrapped(label, letters) for label in labels]
    needed = 10 + 15 * sum(label.count("\n") + 1 for label in labels) / columns
    points = axes.get_window_extent().height / axes.figure.dpi * 72
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + (high - low) * min(0.6, needed / max(points - needed, 1.0)))
    legend = axes.legend(handles, labels, loc="upper left", ncols=columns, frameon=False, fontsize=8.5,
                         handlelength=3.2)  # fmt: skip
    legend.set_in_layout(False)


def wrapped(text: str, letters: int) -> str:
    """Return text in lines of at most so many letters."""
    return "\n".join(_lines(text, letters))


def explain(figure: "Figure", headline: str, text: str, letters: int) -> None:
    """Write a headline above a figure and a text of any layout below it, wrapped after so many letters.

    No line of the headline is wrapped; it is as large as lets it fit.
    """
    longest = max(map(len, headline.split("\n")))
    size = min(14.0, 14.0 * 0.58 * letters / max(longest, 1))
    figure.suptitle(headline, x=0.012, ha="left", fontsize=size, fontweight="bold")
    words = wrapped(" ".join(text.split()), letters)
    # As a label of the whole figure, so that the layout leaves as much room as it takes.
    figure.supxlabel(words, x=0.012, ha="left", fontsize=9.2, linespacing=1.35)


def mean(values: FloatArray) -> FloatArray:
    """Return the mean over individuals, [B, T] to [T]; nan where none has a value, in silence.

    Example:
        >>> mean(np.array([[1.0, np.nan], [2.0, np.nan]]))
        array([1.5, nan])
    """
    there = ~np.isnan(values)
    counts = there.sum(axis=0)
    means: FloatArray = np.divide(
        np.where(there, values, 0.0).sum(axis=0), counts, out=np.full(values.shape[1:], np.nan), where=counts > 0
    )
    return means


def _lines(text: str, letters: int) -> list[str]:
    return [line for part in text.split("\n") for line in textwrap.wrap(part, letters)]
