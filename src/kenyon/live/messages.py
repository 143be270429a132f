"""What a page is told of larvae that learn: plain values, one JSON object a message, in the order of time.

Times are in s, and run on over groups that live one after the other. Numbers are rounded to what a screen shows;
what is not there is None. A list over larvae has one entry for each, in the order of `Begun.larvae`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

import numpy as np

from kenyon.mushroom_body.circuit import Layout, layout_of

VERSION: Final = 1

NO_CELLS_OF_TABLES: Final = "These larvae learn by Q-learning, which has a table and no cells."

Numbers = list[float | None]
"""Over larvae."""


class Begun(TypedDict):
    """A run begins; whatever was before is over.

    Attributes:
        kind: "begun".
        version: Of these messages.
        world: "arena", "circuit" or "server".
        title: What is run.
        run: What made it, to show, such as its seed.
        larvae: Their names.
        groups: The group of each.
        spans: When each group lives, by its name: beginning and end, s; empty where all live at the same time.
        stimuli: What can be smelled, or touched.
        memory: What they learn with.
        colour: What larvae are coloured by: {by: "gain" or "preference index", stimulus, low, high}.
        arena: {shape: "circular" or "rectangular", width_m, height_m}, or None.
        sources: See `Frame`.
        cells: {name, long, first, count, odor_side} for each group of cells, or None.
        no_cells: Why there are none; None where there are.
        timeline: {start_s, end_s, odors, reward, punishment, kind, label, group} for each phase and test; a test on
            a copy ends where it begins.
        duration_s: How long all of it takes; None if nobody knows.
        dt_s: Time step of the world; None where it has none.
    """

    kind: str
    version: int
    world: str
    title: str
    run: dict[str, str]
    larvae: list[str]
    groups: list[str]
    spans: dict[str, list[float]]
    stimuli: list[str]
    memory: str
    colour: dict[str, Any]
    arena: dict[str, Any] | None
    sources: list[dict[str, Any]]
    cells: list[dict[str, Any]] | None
    no_cells: str | None
    timeline: list[dict[str, Any]]
    duration_s: float | None
    dt_s: float | None


class Frame(TypedDict, total=False):
    """All larvae at one moment.

    Attributes:
        kind: "frame".
        t_s: When.
        x: m; None where there is no arena, as for y and heading.
        y: m.
        heading: rad.
        on_food: 0 or 1 each; None where there is no arena.
        gain: By stimulus.
        preference: By stimulus, the preference index that a larva answered last; or None.
        rates: By group of cells, mean rate of a cell since the last frame, Hz; or None.
        given: {odors: {name: concentration}, reward, punishment}; None where larvae meet what they come to.
        sources: {id, kind: "odor" or "food", stimulus, x, y, radius_m, amount} each; only where they have changed.
    """

    kind: str
    t_s: float
    x: Numbers | None
    y: Numbers | None
    heading: Numbers | None
    on_food: list[int] | None
    gain: dict[str, Numbers]
    preference: dict[str, Numbers] | None
    rates: dict[str, Numbers] | None
    given: dict[str, Any] | None
    sources: list[dict[str, Any]]


class Cells(TypedDict):
    """What the cells of one larva did.

    Attributes:
        kind: "cells".
        larva: Its place among all.
        from_s: Since when.
        t_s: Until when.
        spikes: A row for each cell that fired: its number, then when it did, ms since `from_s`.
        rates: Mean rate of a cell of each group, Hz.
        w_kc_mbonp_nS: Weight of each Kenyon cell onto the output neuron for approach.
        w_kc_mbonn_nS: The same for avoidance.
    """

    kind: str
    larva: int
    from_s: float
    t_s: float
    spikes: list[list[int]]
    rates: dict[str, float | None]
    w_kc_mbonp_nS: Numbers
    w_kc_mbonn_nS: Numbers


class Table(TypedDict):
    """What a larva that learns by Q-learning knows.

    Attributes:
        kind: "table".
        larva: Its place among all.
        t_s: When.
        states: Their names.
        actions: Their names.
        q: A row for each state, a column for each action.
    """

    kind: str
    larva: int
    t_s: float
    states: list[str]
    actions: list[str]
    q: list[Numbers]


class Answer(TypedDict):
    """Larvae answered a test.

    Attributes:
        kind: "answer".
        t_s: When.
        group: Whose larvae they are.
        label: What the test is for.
        odor: What they were asked about.
        preference: The preference index of each; None for larvae that were not asked.
    """

    kind: str
    t_s: float
    group: str
    label: str
    odor: str
    preference: Numbers


class Joined(TypedDict):
    """Larvae have come; they stand behind those that were there.

    Attributes:
        kind: "joined".
        larvae: Their names.
        groups: The group of each.
    """

    kind: str
    larvae: list[str]
    groups: list[str]


class Ended(TypedDict):
    """The run is over.

    Attributes:
        kind: "ended".
        t_s: When.
        complete: Whether it came to its end.
        learned: By stimulus, what each larva has learned in the end, or None.
    """

    kind: str
    t_s: float
    complete: bool
    learned: dict[str, Numbers] | None


_LONG: Mapping[str, str] = {
    "ORN": "olfactory receptor neurons",
    "PN": "projection neurons",
    "LN": "local neurons, which inhibit projection neurons",
    "KC": "Kenyon cells",
    "MBONp": "output neuron for approach",
    "MBONn": "output neuron for avoidance",
    "DANp": "dopamine neuron excited by reward",
    "DANn": "dopamine neuron excited by punishment",
    "LNp": "local neuron from MBONp back to the dopamine neurons",
    "LNn": "local neuron from MBONn back to the dopamine neurons",
    "APL": "neuron that all Kenyon cells excite, and that inhibits them",
}


def cell_groups(layout: Layout) -> list[dict[str, Any]]:
    """Return the groups of cells of a circuit, for `Begun.cells`."""
    return [
        {"name": name, "long": _LONG[name], "first": where.start, "count": where.stop - where.start, "odor_side": None}
        for name, where in layout.groups.items()
    ]


def source_row(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return a source, by the fields of `larvaworld_plugin.arena.Source`, as `Frame` has it.

    Example:
        >>> grid = {"id": "food grid", "kind": "food", "stimulus": None, "x": 0, "y": 0, "radius_m": None, "amount": 51}
        >>> source_row(grid)["x"] is None, source_row(grid)["amount"]  # It has no place, for it is everywhere.
        (True, 1.0)
    """
    radius_m = source["radius_m"]
    everywhere = radius_m is None
    return {
        **{name: source[name] for name in ("id", "kind", "stimulus")},
        "x": None if everywhere else round(source["x"], 4),
        "y": None if everywhere else round(source["y"], 4),
        "radius_m": None if everywhere else round(radius_m, 4),
        "amount": 1.0 if everywhere else round(source["amount"], 2),
    }


def given(sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return which odors are on anywhere in an arena, how strong, and whether there is food everywhere, a reward.

    Example:
        >>> given([{"stimulus": "CS", "radius_m": 0.003, "amount": 2.0}])
        {'odors': {'CS': 2.0}, 'reward': 0.0, 'punishment': 0.0}
    """
    odors: dict[str, float] = {}
    for source in sources:
        if source["stimulus"] is not None:
            odors[source["stimulus"]] = max(odors.get(source["stimulus"], 0.0), source["amount"])
    return {"odors": odors, "reward": float(any(source["radius_m"] is None for source in sources)), "punishment": 0.0}


def rounded(values: Any, digits: int) -> Numbers:
    """Return numbers as a message holds them; what is not finite is None.

    Example:
        >>> rounded([0.123, float("nan"), 2], 2)
        [0.12, None, 2.0]
    """
    array = np.round(np.asarray(values, dtype=np.float64), digits)
    if np.isfinite(array).all():
        return array.tolist()  # type: ignore[no-any-return]  # of floats
    return [value if np.isfinite(value) else None for value in array.tolist()]


def spike_rows(spikes: Any, dt_ms: float) -> list[list[int]]:
    """Return spikes as `Cells.spikes` has them.

    Args:
        spikes: [S, 2] int64, (step, neuron), in the order of time.
        dt_ms: Length of a step.

    Example:
        >>> spike_rows(np.array([[10, 3], [25, 0], [40, 3]]), 0.1)
        [[0, 2], [3, 1, 4]]
    """
    steps, neurons = np.asarray(spikes).reshape(-1, 2).T
    order = np.argsort(neurons, kind="stable")
    times_ms = np.floor(steps[order] * dt_ms + 1e-9).astype(np.int64)
    fired, firsts = np.unique(neurons[order], return_index=True)
    rows = np.split(times_ms, firsts[1:]) if len(fired) else []
    return [[cell, *row.tolist()] for cell, row in zip(fired.tolist(), rows, strict=True)]


def cells(
    larva: int, from_s: float, lived_s: float, counts: Any, spikes: Any, dt_ms: float, weights_nS: tuple[Any, Any]
) -> Cells:
    """Return the message of what the cells of a larva did for a while.

    Args:
        larva: Its place among all.
        from_s: Since when.
        lived_s: For how long.
        counts: [N], spikes of each neuron.
        spikes: [S, 2], (step, neuron), steps since then, in the order of time; None if nobody knows.
        dt_ms: Length of a step.
        weights_nS: [K] onto the output neuron for approach, and [K] onto that for avoidance.
    """
    groups = layout_of(len(counts)).groups
    rates = {
        name: round(float(counts[where].mean()) / lived_s, 2) if lived_s else None for name, where in groups.items()
    }
    return {
        "kind": "cells",
        "larva": larva,
        "from_s": round(from_s, 3),
        "t_s": round(from_s + lived_s, 3),
        "spikes": [] if spikes is None else spike_rows(spikes, dt_ms),
        "rates": rates,
        "w_kc_mbonp_nS": rounded(weights_nS[0], 3),
        "w_kc_mbonn_nS": rounded(weights_nS[1], 3),
    }


def spelled(message: Mapping[str, Any]) -> bytes:
    """Return a message as JSON on one line."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii")
