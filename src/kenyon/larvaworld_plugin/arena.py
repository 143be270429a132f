"""What there is around larvae: the arena, and what can be smelled or eaten in it, from when to when."""

import json
from typing import Any, NamedTuple

FOOD = "#F6E3B4"
"""Color of ground on which there is food: a light orange, on which tracks and larvae are seen."""

FOOD_EVERYWHERE = "food grid"
"""Id of food that lies on the ground of the whole arena."""


class Arena(NamedTuple):
    """The ground that larvae crawl on; its middle is at 0, 0.

    Attributes:
        shape: "circular" or "rectangular".
        width_m: From left to right, m.
        height_m: From bottom to top, m.
    """

    shape: str
    width_m: float
    height_m: float


class Source(NamedTuple):
    """Something that can be smelled or eaten now.

    Attributes:
        id: Its name in the host.
        kind: "food", or "odor" for what can only be smelled.
        stimulus: What it smells of; None for food without a smell.
        x: Of its middle, m.
        y: As x, upward.
        radius_m: How far it reaches, m; None for food that is everywhere.
        amount: Of food, or the intensity of an odor, in the host's own units.
    """

    id: str
    kind: str
    stimulus: str | None
    x: float
    y: float
    radius_m: float | None
    amount: float


def arena_of(run: Any) -> Arena:
    """Return the arena of a run of the host."""
    width_m, height_m = run.space.dims
    return Arena(str(run.space.geometry), float(width_m), float(height_m))


def all_sources(run: Any) -> list[Any]:
    """Return the host's own sources, also those that it has struck off its list: they are eaten, and go on to smell.

    A larva that feeds where there is an odor without food eats that up, too, and does so in the host's tests.
    """
    smelled = (source for layer in run.odor_layers.values() for source in layer.sources)
    return list({id(source): source for source in (*run.sources, *smelled)}.values())


def sources_of(run: Any) -> tuple[Source, ...]:
    """Return what can be smelled or eaten at this moment of a run of the host; an odor that is off is not among it."""
    everywhere = () if run.food_grid is None or not run.food_grid.grid.any() else (_food_grid(run.food_grid),)
    there = {id(source) for source in run.sources}
    found = (_source(source, eaten=id(source) not in there) for source in all_sources(run))
    return (*everywhere, *filter(None, found))


def _food_grid(grid: Any) -> Source:
    return Source(FOOD_EVERYWHERE, "food", None, 0.0, 0.0, None, float(grid.grid.sum()))


def _source(source: Any, *, eaten: bool) -> Source | None:
    """Return what a source of the host is to larvae, None if nothing."""
    amount, intensity = 0.0 if eaten else float(getattr(source, "amount", 0.0)), float(source.odor.intensity or 0.0)
    if amount <= 0.0 and intensity <= 0.0:
        return None
    x, y = map(float, source.get_position())
    stimulus = source.odor.id if intensity > 0.0 else None
    kind = "food" if amount > 0.0 else "odor"
    return Source(str(source.unique_id), kind, stimulus, x, y, float(source.radius), amount or intensity)


class SourceLog:
    """Notes what can be smelled or eaten in a run, from when to when, look by look.

    Attributes:
        spans: A dictionary for each source and each time that it was there: the fields of `Source` as they were first,
            from_s, and until_s, None while it is there. One that moves by a millimeter begins another.
    """

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        self._open: dict[tuple[Any, ...], dict[str, Any]] = {}

    def look(self, run: Any, time_s: float) -> None:
        """Note what is there now."""
        here = {_identity(source): source for source in sources_of(run)}
        for gone in self._open.keys() - here.keys():
            self._open.pop(gone)["until_s"] = time_s
        for identity, source in here.items():
            if identity not in self._open:
                self._open[identity] = {**source._asdict(), "from_s": time_s, "until_s": None}
                self.spans.append(self._open[identity])

    def coordinates(self, run: Any) -> dict[str, Any]:
        """Return all of it as coordinates of a dataset, without dimensions: the arena's, and `sources` as JSON."""
        arena = {f"arena_{name}": value for name, value in arena_of(run)._asdict().items()}
        return {**arena, "sources": json.dumps(self.spans)}


def _identity(source: Source) -> tuple[Any, ...]:
    """Return what must stay the same for a source to be the same one."""
    return source.id, source.kind, source.stimulus, round(source.x, 3), round(source.y, 3)
