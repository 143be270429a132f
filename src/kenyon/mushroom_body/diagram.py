"""The circuit drawn: all 142 cells and every connection, with the wiring that one larva has."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon.drawing import BLUE, GRAY, GREEN, ORANGE, PURPLE, VERMILION, explain, new_figure
from kenyon.mushroom_body.circuit import GROUPS
from kenyon.mushroom_body.parameters import BALANCED
from kenyon.mushroom_body.wiring import draw_pn_to_kc

if TYPE_CHECKING:  # matplotlib is slow to import
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Points = NDArray[np.float64]

_HEIGHT = 10.0
_KC_ROWS = 24
_CAPTION = (
    "Every dot is a neuron, every line a connection. Blue excites; orange-red inhibits, and APL hears every Kenyon "
    "cell and inhibits them all; green excites and is learned. Purple is dopamine: a spike of DANp weakens the weights "
    "to MBONn from Kenyon cells that fired lately, one of DANn those to MBONp. Which PNs a Kenyon cell listens to is "
    "drawn by lot, from the seed of each larva; here of seed {seed}. After Jürgensen et al. 2024, iScience 27:108640."
)


def draw_circuit(seed: int = 1) -> "Figure":
    """Draw the circuit of a larva.

    Args:
        seed: Of the larva, which decides how its PNs are wired to its Kenyon cells.

    Raises:
        InputError: the seed is no whole number of at most 256 bits.

    Randomness:
        The larva's own "wiring" stream.

    Example:
        >>> figure = draw_circuit(seed=1)
        >>> len(figure.axes[0].collections[-1].get_offsets())  # dots
        142
    """
    wiring = draw_pn_to_kc(BALANCED, seed)
    cells = _places()
    figure = new_figure(13, 8)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_xlim(-1.6, 15.4)
    axes.set_ylim(-0.9, 12.4)
    for begin, end, color, strength in _bundles(cells, wiring):
        _lines(axes, begin, end, color, strength)
    for source, target, color in _FEEDBACK:
        _arrow(axes, cells[source][0], cells[target][0], color)
    _teach(axes, cells)
    _input(axes, cells)
    _dots(axes, cells)
    explain(figure, "The mushroom body of a larva: 142 neurons", _CAPTION.format(seed=seed), 165)
    return figure


_FEEDBACK = (
    ("MBONp", "LNp", BLUE),
    ("MBONn", "LNn", BLUE),
    ("LNp", "DANp", VERMILION),
    ("LNn", "DANn", VERMILION),
    ("MBONn", "DANp", BLUE),
    ("MBONp", "DANn", BLUE),
)

_COLORS = {"MBONp": GREEN, "MBONn": GREEN, "DANp": PURPLE, "DANn": PURPLE, "LN": VERMILION, "LNp": VERMILION,
           "LNn": VERMILION, "APL": VERMILION}  # fmt: skip
"""Of dots; those of which nothing else is said excite."""


def _places() -> Mapping[str, Points]:
    """Return where the cells of each group are: [cells, 2]."""
    rows = np.linspace(_HEIGHT, 0, 21)
    kcs = np.arange(72)
    kc_places = np.column_stack((5.6 + 0.55 * (kcs // _KC_ROWS), _HEIGHT * (1 - kcs % _KC_ROWS / (_KC_ROWS - 1))))
    single = {
        "APL": (6.15, 11.5),
        "MBONp": (9.6, 6.9),
        "MBONn": (9.6, 3.1),
        "LNp": (11.4, 8.4),
        "LNn": (11.4, 1.6),
        "DANp": (13.2, 6.9),
        "DANn": (13.2, 3.1),
    }
    return {
        "ORN": np.column_stack((np.zeros(21), rows)),
        "LN": np.column_stack((np.full(21, 1.5), rows - 0.25)),
        "PN": np.column_stack((np.full(21, 3.0), rows)),
        "KC": kc_places,
        **{group: np.array([place]) for group, place in single.items()},
    }


def _bundles(cells: Mapping[str, Points], wiring: NDArray[np.uint8]) -> Iterator[tuple[Points, Points, str, float]]:
    """Give the connections of groups of many cells: both ends of each line, their color, how opaque they are."""
    kc, pn = np.nonzero(wiring)
    yield cells["ORN"], cells["PN"], BLUE, 0.5
    yield cells["ORN"], cells["LN"], BLUE, 0.5
    yield np.repeat(cells["LN"], 21, axis=0), np.tile(cells["PN"], (21, 1)), VERMILION, 0.07
    yield cells["PN"][pn], cells["KC"][kc], BLUE, 0.22
    yield cells["KC"], np.repeat(cells["APL"], 72, axis=0), VERMILION, 0.1
    yield cells["KC"], np.repeat(cells["MBONp"], 72, axis=0), GREEN, 0.3
    yield cells["KC"], np.repeat(cells["MBONn"], 72, axis=0), GREEN, 0.3


def _lines(axes: "Axes", source: Points, target: Points, color: str, strength: float) -> None:
    from matplotlib.collections import LineCollection

    pairs = np.stack((source, target), axis=1)
    axes.add_collection(LineCollection(list(pairs), colors=color, alpha=strength, linewidths=0.9, zorder=1))


def _arrow(axes: "Axes", begin: Any, end: Any, color: str, bend: float = 0.0, *, dashed: bool = False) -> None:
    """Draw one connection: a point at its end if it excites, a bar if it inhibits."""
    style = "-[,widthB=0.35,lengthB=0" if color == VERMILION else "-|>,head_width=0.25,head_length=0.5"
    options: dict[str, Any] = {
        "arrowstyle": style,
        "color": color,
        "linewidth": 1.8,
        "linestyle": "--" if dashed else "-",
        "connectionstyle": f"arc3,rad={bend}",
        "shrinkA": 8,
        "shrinkB": 9,
    }
    axes.annotate("", xy=tuple(end), xytext=tuple(begin), arrowprops=options, zorder=2)


def _teach(axes: "Axes", cells: Mapping[str, Points]) -> None:
    """Draw what dopamine does: each DAN reaches the synapses of the other side's output neuron."""
    for dan, mbon, bend in (("DANp", "MBONn", 0.28), ("DANn", "MBONp", -0.28)):
        synapses = cells[mbon][0] + np.array([-1.0, 0.25 if mbon == "MBONn" else -0.25])
        _arrow(axes, cells[dan][0], synapses, PURPLE, bend, dashed=True)


def _input(axes: "Axes", cells: Mapping[str, Points]) -> None:
    """Draw what comes from outside."""
    from_left = cells["ORN"] - np.array([0.7, 0.0])
    _lines(axes, from_left, cells["ORN"], GRAY, 0.9)
    axes.text(-0.85, _HEIGHT / 2, "odor", ha="right", va="center", rotation=90, fontsize=11, color=GRAY)
    for dan, word in (("DANp", "reward"), ("DANn", "punishment")):
        place = cells[dan][0]
        _arrow(axes, place + np.array([1.5, 0.0]), place, ORANGE)
        axes.text(place[0] + 1.5, place[1] + 0.3, word, ha="center", va="bottom", fontsize=10, color=GRAY)


def _dots(axes: "Axes", cells: Mapping[str, Points]) -> None:
    """Draw the cells above their connections, and the name of each group above its first one."""
    for group, places in cells.items():
        top, many = places[:, 1].max(), len(places) > 1
        name = f"{len(places)} {group}" if many else group
        place = (places[:, 0].min() if group == "KC" else places[:, 0].mean(), top + (0.6 if group == "LN" else 0.35))
        side = "right" if group == "KC" else "center"
        axes.text(*place, name, ha=side, va="bottom", fontsize=11, fontweight="bold")
    together = np.concatenate([cells[group] for group in GROUPS])
    colors = [_COLORS.get(group, BLUE) for group in GROUPS for _ in cells[group]]
    sizes = [30 if len(cells[group]) > 1 else 160 for group in GROUPS for _ in cells[group]]
    axes.scatter(together[:, 0], together[:, 1], s=sizes, c=colors, zorder=3, edgecolors="white", linewidths=0.6)
