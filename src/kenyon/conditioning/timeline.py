"""What a design does when, as lanes of bars and marks; drawn from the same data in a terminal and in a figure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from kenyon import checks, drawing
from kenyon.conditioning.designs import Design
from kenyon.conditioning.phases import REINFORCERS, Element, Group, Lived, Probe, Shuffle, name_of
from kenyon.conditioning.spelling import Speller, duration, number

if TYPE_CHECKING:  # matplotlib is slow to import
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_TESTS = 8
"""Lanes of tests that are shown one by one."""

_SIGNS = {"odor": "=", "reinforcement": "#", "manipulation": "~", "lived test": "=", "test": "?", "shuffle": "%"}
_COLORS = {
    "odor": drawing.GREEN,
    "reward": drawing.ORANGE,
    "punishment": drawing.PURPLE,
    "manipulation": drawing.GRAY,
    "lived test": drawing.BLUE,
    "test": drawing.BLUE,
    "shuffle": drawing.SKY,
}


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
    """Return a design as a figure: a panel for each group, all on one scale.

    Raises:
        InputError: `design` is none.

    Example:
        >>> len(draw_in_figure(Design.read("trained: A+ 60s, ?A; control: A 60s, + 60s, ?A")).axes)
        2
    """
    every = timelines(design)
    heights = [1.0 + len(timeline.lanes) for timeline in every]
    figure = drawing.new_figure(9, 0.9 + 0.27 * sum(heights))
    panels: Any = figure.subplots(len(every), 1, sharex=True, squeeze=False, height_ratios=heights)
    for axes, timeline in zip(panels[:, 0], every, strict=True):
        draw_timeline(axes, timeline)
    panels[-1, 0].set_xlabel("time of the larvae (s)")
    figure.suptitle(drawing.plain(letters(design), 200), fontsize=10)
    return figure


def draw_timeline(axes: "Axes", timeline: Timeline) -> None:
    """Draw one group on axes of one's own: bars for what lasts, marks for tests on copies.

    Raises:
        InputError: `axes` or `timeline` is something else.
    """
    from matplotlib.axes import Axes

    checks.instance("axes", axes, Axes, "pass those of a figure")
    checks.instance("timeline", timeline, Timeline, "pass one of timelines(design)")
    for row, lane in enumerate(timeline.lanes):
        color = _COLORS.get(lane.label.partition(" ")[0] if lane.kind == "reinforcement" else lane.kind)
        if lane.kind == "test":
            axes.plot([at for at, _ in lane.spans_s], [row] * len(lane.spans_s), "v", color=color, markersize=5)
        else:
            bars = [(start, end - start) for start, end in lane.spans_s]
            axes.broken_barh(bars, (row - 0.35, 0.7), color=color)
    axes.set_yticks(range(len(timeline.lanes)), [drawing.plain(lane.label) for lane in timeline.lanes], fontsize=8)
    axes.set_ylim(len(timeline.lanes) - 0.4, -0.6)
    axes.set_title(drawing.plain(timeline.group), loc="left", fontsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)


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
