"""Points as plain data, as `sweep.json` keeps them: what many points share is said once."""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

from kenyon.conditioning.designs import Design
from kenyon.conditioning.setup import Kept
from kenyon.conditioning.sweeps.points import Point
from kenyon.conditioning.sweeps.sweep import Sweep
from kenyon.errors import FileFormatError
from kenyon.mushroom_body import PUBLISHED, Odor, Parameters
from kenyon.mushroom_body.odors import from_plain as odor_from_plain
from kenyon.mushroom_body.odors import plain as plain_odor


def to_plain(points: Iterable[Point]) -> dict[str, Any]:
    """Return points as JSON says them; see `from_plain`.

    Example:
        >>> sweep = Sweep.grid(design="A+ 60s, ?A", seed=range(3))
        >>> from_plain(to_plain(sweep)) == sweep
        True
    """
    designs, circuits = _Once(_plain_design), _Once(Parameters.stated)
    rows = [
        [
            designs.place(point.design),
            circuits.place(point.parameters),
            point.larvae,
            str(point.seed),  # Up to 256 bits, which not every reader of JSON takes.
            point.wiring,
            list(point.kept.names),
            {name: None if own != own else own for name, own in point.varied.items()},  # noqa: PLR0124  # nan, absent
        ]
        for point in points
    ]
    return {"designs": designs.plain, "parameters": circuits.plain, "points": rows}


def from_plain(said: Any) -> Sweep:
    """Return the points that `to_plain` has put into words.

    Raises:
        FileFormatError: it is something else.
    """
    try:
        designs = [_design(own) for own in said["designs"]]
        circuits = [PUBLISHED.replace(own) for own in said["parameters"]]
        return Sweep(
            Point(
                designs[design],
                larvae,
                int(seed),
                circuits[circuit],
                wiring,
                Kept(**dict.fromkeys(kept, True)),
                {name: math.nan if own is None else own for name, own in varied.items()},
            )
            for design, circuit, larvae, seed, wiring, kept, varied in said["points"]
        )
    except (KeyError, IndexError, TypeError, ValueError) as reason:  # What is refused is a ValueError, too.
        raise FileFormatError(
            f"points of a sweep must be those that were written, got something else: {reason}"
        ) from None


def _plain_design(design: Design) -> dict[str, Any]:
    return {"text": design.text, "odors": [plain_odor(odor) for odor in design.own_odors.values()]}


def _design(said: Mapping[str, Any]) -> Design:
    own: list[Odor] = [odor_from_plain(odor) for odor in said["odors"]]
    return Design.read(said["text"], odors=own)


class _Once(dict[Hashable, int]):
    """The place of each value among those that were seen.

    Attributes:
        plain: All of them, each once, as plain data.
    """

    def __init__(self, words: Callable[[Any], Any]) -> None:
        super().__init__()
        self._words = words
        self.plain: list[Any] = []

    def place(self, value: Hashable) -> int:
        if value not in self:
            self[value] = len(self.plain)
            self.plain.append(self._words(value))
        return self[value]
