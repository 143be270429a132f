"""What a design does when, as lanes of bars and marks; drawn from the same data in a terminal and in a figure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from kenyon import checks, drawing
from kenyon.conditioning.designs import Design
from kenyon.conditioning.phases import REINFORCERS, Element, Group, Lived, Probe, Shuffle, name_of
from kenyon.conditioning.spelling import Speller, duration, number
from kenyon.errors import InputError

if TYPE_CHECKING:  # matplotlib is slow to import
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_TESTS = 8
"""Lanes of tests that are shown one by one."""

_SIGNS = {"odor": "=", "reinforcement": "#", "manipulation": "~", "lived test": "=", "test": "?", "shuffle": "%"}
_COLORS = {
    "reward": drawing.ORANGE,
    "punishment": drawing.PURPLE,
    "manipulation": drawing.GRAY,
    "lived test": drawing.BLUE,
    "test": drawing.BLUE,
    "shuffle": drawing.SKY,
}
_ODORS = (drawing.GREEN, drawing.SKY, drawing.GRAY, drawing.BLUE, drawing.VERMILION)
_HATCHES = ("", "///", "...", "xxx")
"""Odors that lie side by side look different, in this order."""

_GAP_ROWS = 1.2
"""Room for the name of a group, in lanes."""

_Look: TypeAlias = dict[str, Any]


class Lane(NamedTuple):
    """One kind of thing, and when it is there.

    Attributes:
        kind: "odor", "reinforcement", "manipulation", "lived test", "test" or "shuffle".
        label: What it is, such as "A@0.1" or "?B".
        spans_s: Beginning and end of each time that it is there, in seconds of the larvae's lives; a test on a copy
            ends where it begins.
    """

    kind: str
    label: str
    spans_s: tuple[tuple[float, float], ...]


class Timeline(NamedTuple):
    """What the larvae of a group meet.

    Attributes:
        group: Name of the group.
        duration_s: How long they live.
        lanes: Odors first, then reinforcement, manipulations, tests.
    """

    group: str
    duration_s: float
    lanes: tuple[Lane, ...]


def timelines(design: Design) -> list[Timeline]:
    """Return when there is what, for each group; what is shuffled stands in the order in which it is written.

    Raises:
        InputError: `design` is none.

    Example:
        >>> [timeline] = timelines(Design.read("2x(A+ 60s, 60s), ?A"))
        >>> [(lane.label, lane.spans_s) for lane in timeline.lanes]
        [('A', ((0.0, 60.0), (120.0, 180.0))), ('reward 1', ((0.0, 60.0), (120.0, 180.0))), ('?A', ((240.0, 240.0),))]
    """
    checks.instance("design", design, Design, "make one with Design.read(text)")
    speller = Speller({letter: (odor, 1.0) for letter, odor, _ in design.bindings}, design.reinforcer)
    return [_timeline(group, speller) for group in design.groups]


def draw_in_text(design: Design, width: int = 60) -> str:
    """Return a design as lines of text: what letters stand for, then each group with its lanes, on one scale.

    Args:
        design: What to draw.
        width: Characters of the longest group's time.

    Raises:
        InputError: `design` is none, or the width is no integer from 10 to 1000.

    Example:
        >>> print(draw_in_text(Design.read("trained: 2x(A+ 60s, 60s), ?A; control: 2x(A 60s, + 60s), ?A"), 40))
        A is pentyl acetate, + is reward 1
        <BLANKLINE>
        trained, 240s
          A         ==========          ==========
          reward 1  ##########          ##########
          ?A                                                ?
        <BLANKLINE>
        control, 240s
          A         ==========          ==========
          reward 1            ##########          ##########
          ?A                                                ?
    """
    width = checks.integer("width", width, low=10, high=1000)
    every = timelines(design)
    margin = max(len(lane.label) for timeline in every for lane in timeline.lanes) if any(t.lanes for t in every) else 0
    longest_s = design.duration_s or 1.0
    blocks = [letters(design)]
    for timeline in every:
        rows = [f"  {lane.label:<{margin}}  {_row(lane, longest_s, width)}".rstrip() for lane in timeline.lanes]
        blocks.append("\n".join([f"{timeline.group}, {duration(timeline.duration_s)}", *rows]))
    return "\n\n".join(blocks)


def draw_in_figure(design: Design) -> "Figure":
    """Return a design as a figure: all groups on one scale.

    Raises:
        InputError: `design` is none.

    Example:
        >>> len(draw_in_figure(Design.read("trained: A+ 60s, ?A; control: A 60s, + 60s, ?A")).axes)
        1
    """
    every = timelines(design)
    figure = drawing.new_figure(9, 0.9 + inches(every))
    draw_timelines(figure.add_subplot(), every)
    figure.suptitle(drawing.plain(letters(design), 200), fontsize=10)
    return figure


def draw_timelines(axes: "Axes", every: Sequence[Timeline]) -> None:
    """Draw groups on axes of one's own, one below the other: bars for what lasts, marks for tests on copies.

    Raises:
        InputError: `axes` are none, there is no timeline, or something that is none.
    """
    from matplotlib.axes import Axes

    checks.instance("axes", axes, Axes, "pass those of a figure")
    every = [checks.instance("each timeline", own, Timeline, "pass timelines(design)") for own in _several(every)]
    row, looks, ticks = 0.0, dict[str, _Look](), []
    for timeline in every:
        name = drawing.plain(timeline.group, 110)
        axes.annotate(name, (0, row), xycoords=("axes fraction", "data"), va="center", fontsize=9, fontweight="bold")
        for place, lane in enumerate(timeline.lanes, 1):
            _draw_lane(axes, row + place, lane, _look(lane, looks))
            ticks.append((row + place, drawing.plain(lane.label)))
        row += len(timeline.lanes) + _GAP_ROWS
    axes.set_yticks([at for at, _ in ticks], [words for _, words in ticks], fontsize=8)
    axes.set_ylim(row - 0.6, -0.6)
    longest_s = max(timeline.duration_s for timeline in every) or 1.0
    axes.set_xlim(-0.015 * longest_s, 1.015 * longest_s)
    drawing.finish(axes, "", x="time of the larvae (s)")
    axes.spines["left"].set_visible(False)
    axes.tick_params(left=False)


def inches(every: Sequence[Timeline]) -> float:
    """Return how high a drawing of timelines should be."""
    return 0.21 * sum(_GAP_ROWS + len(timeline.lanes) for timeline in every)


def _several(every: Any) -> list[Any]:
    several = checks.several("timelines", every)
    if not several:
        raise InputError("timelines must be at least one, got none; pass timelines(design)")
    return several


def _look(lane: Lane, looks: dict[str, _Look]) -> _Look:
    """Return how a lane looks; each odor as it did before, or as none did."""
    if lane.kind != "odor":
        return {"color": _COLORS[lane.label.partition(" ")[0] if lane.kind == "reinforcement" else lane.kind]}
    color, hatch = _ODORS[len(looks) % len(_ODORS)], _HATCHES[len(looks) // len(_ODORS) % len(_HATCHES)]
    return looks.setdefault(lane.label, {"facecolor": color, "edgecolor": "white", "linewidth": 0.0, "hatch": hatch})


def _draw_lane(axes: "Axes", row: float, lane: Lane, look: _Look) -> None:
    if lane.kind == "test":
        axes.plot([at for at, _ in lane.spans_s], [row] * len(lane.spans_s), "v", markersize=5, **look)
    else:
        axes.broken_barh([(start, end - start) for start, end in lane.spans_s], (row - 0.36, 0.72), **look)


def letters(design: Design) -> str:
    """Return what the letters of a design stand for, in words.

    Raises:
        InputError: `design` is none.

    Example:
        >>> letters(Design.read("B = anisole@0.1: AB+ 60s"))
        'A is pentyl acetate, B is anisole@0.1, + is reward 1'
    """
    checks.instance("design", design, Design, "make one with Design.read(text)")
    bound = [
        f"{letter} is {name_of(odor)}{'' if dose == 1.0 else f'@{number(dose)}'}"
        for letter, odor, dose in design.bindings
    ]
    kind, strength = design.reinforcer
    return ", ".join([*bound, f"+ is {kind} {number(strength)}"])


def _timeline(group: Group, speller: Speller) -> Timeline:
    spans: dict[tuple[str, str], list[tuple[float, float]]] = {}
    at_s = 0.0
    for stage in group.stages:
        for item in stage.items:
            begun_s = at_s
            for element in item.elements if isinstance(item, Shuffle) else (item,):
                ends_s = at_s if isinstance(element, Probe) else at_s + element.duration_s
                for lane in _lanes(element, speller):
                    spans.setdefault(lane, []).append((at_s, ends_s))
                at_s = ends_s
            if isinstance(item, Shuffle):
                spans.setdefault(("shuffle", "shuffled"), []).append((begun_s, at_s))
    order = sorted(spans, key=lambda lane: (list(_SIGNS).index(lane[0]), lane[0] == "odor" and lane[1]))
    lanes = [Lane(kind, label, _merged(spans[kind, label])) for kind, label in order]
    return Timeline(group.name, at_s, tuple(_few_tests(lanes)))


def _lanes(element: Element, speller: Speller) -> Iterator[tuple[str, str]]:
    """Give kind and label of each lane that an element is in."""
    if isinstance(element, Probe):
        yield "test", f"?{speller.stimulus(element)}"
    elif isinstance(element, Lived):
        yield "lived test", f"live {speller.stimulus(element)}"
    else:
        for odor in element.odors:
            yield "odor", speller.stimulus(replace(element, odors=(odor,), reward=0.0, punishment=0.0))
        for kind in REINFORCERS:
            if strength := getattr(element, kind):
                yield "reinforcement", f"{kind} {number(strength)}"
    for manipulation in element.manipulations:
        yield "manipulation", manipulation.text


def _merged(spans: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Return spans, those as one that follow one another without a gap."""
    merged: list[tuple[float, float]] = []
    for start, end in spans:
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return tuple(merged)


def _few_tests(lanes: Sequence[Lane]) -> list[Lane]:
    """Return lanes, of which many tests are one."""
    tests = [lane for lane in lanes if lane.kind == "test"]
    if len(tests) <= _MOST_TESTS:
        return list(lanes)
    together = Lane("test", f"? of {len(tests)}", tuple(sorted({span for lane in tests for span in lane.spans_s})))
    return [together if lane is tests[0] else lane for lane in lanes if lane not in tests[1:]]


def _row(lane: Lane, longest_s: float, width: int) -> str:
    row = [" "] * (width + 1)
    for start, end in lane.spans_s:
        first, last = round(start / longest_s * width), round(end / longest_s * width)
        for column in range(first, max(last, first + 1)):
            row[column] = _SIGNS[lane.kind]
    return "".join(row)
