"""A sweep: many points, of things that are varied together, all at once or at random."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np

from kenyon import checks
from kenyon.conditioning.setup import Kept
from kenyon.conditioning.sweeps import plan_file, samples, tables
from kenyon.conditioning.sweeps.axes import Axes, check_value
from kenyon.conditioning.sweeps.points import Point
from kenyon.conditioning.sweeps.samples import Integers, LogUniform, Uniform
from kenyon.errors import InputError
from kenyon.mushroom_body import Odor
from kenyon.notebook import words_and_table
from kenyon.words import shown

if TYPE_CHECKING:  # pandas is slow to import
    import pandas as pd

MOST_POINTS: Final = 1_000_000
"""More than this is refused unless it is said to be meant: by then it is more often a slip than a plan."""

_NO_AXES: Final[Mapping[str, Any]] = {}
_RANGES = (Uniform, LogUniform, Integers)


class Sweep(Sequence[Point]):
    """Points, in an order; it cannot be changed.

    Make one with `grid`, `zip`, `random`, `latin_hypercube` or `table`, or read a plan with `load`; two are joined by
    `+`. What they take alike:

    - axes, as keyword arguments, or in a mapping where a name is none that Python takes: `design`, `larvae`, `seed`,
      `parameters` (the name of a set, or a set), `wiring`, each constant of the circuit by its dotted name, and each
      `$name` that stands in the design's text. A list, a tuple, a range or an array varies; all else is the same at
      each point. Absent ones are as for `run`.
    - `bindings`, `reinforcer` and `odors`, as for `Design.read`.
    - `weights`, `codes`, `per_second`: what is kept besides preference and rates, as for `run`.
    - `yes`: more than a million points are meant.

    A design of several groups makes a point of each; `larva_group` tells them apart. All points of one seed have the
    same larvae, so they can be compared in pairs.

    Args:
        points: All of them.

    Raises:
        InputError: there is none, or one is none.

    Example:
        >>> dose = Sweep.grid(design="?A, 3x(A@$dose+ 60s, 60s), ?A", dose=[0.1, 1], seed=range(3), larvae=10)
        >>> dose
        <sweep of 6 points over dose, seed>
        >>> dose[1].varied["dose"], dose[1].seed, dose[1].larva_seconds
        (0.1, 1, 3660.0)
    """

    def __init__(self, points: Iterable[Point]) -> None:
        self._points = tuple(checks.several("points of a sweep", points))
        if not self._points:
            raise InputError("a sweep must have a point, got none")
        for point in self._points:
            checks.instance("each point of a sweep", point, Point, "make Points, or use Sweep.grid")

    @classmethod
    def grid(cls, axes: Mapping[str, Any] = _NO_AXES, /, **more: Any) -> "Sweep":
        """Return each value of each axis with each of all others; the last axis varies fastest.

        Args:
            axes: As for the class, by name.
            **more: The same, and options.

        Raises:
            NotationError: a design cannot be read.
            InputError: an axis or an option is unusable; or there are more points than are said to be meant.

        Example:
            >>> rates = Sweep.grid({"kc.threshold_mV": [-36, -35]}, design="paired", learning_rate_nS=[0.1, 0.2, 0.4])
            >>> len(rates), [dict(point.varied) for point in rates[:2]]
            (6, [{'kc.threshold_mV': -36, 'learning_rate_nS': 0.1}, {'kc.threshold_mV': -36, 'learning_rate_nS': 0.2}])
        """
        asked = _Asked(axes, more)
        asked.refuse_ranges("grid")
        asked.refuse_too_many(prod(len(values) for values in asked.varied.values()))
        return asked.sweep(cls, product(*asked.varied.values()))

    @classmethod
    def zip(cls, axes: Mapping[str, Any] = _NO_AXES, /, **more: Any) -> "Sweep":
        """Return the first value of each axis with the first of all others, and so on.

        Args:
            axes: As for the class, by name.
            **more: The same, and options.

        Raises:
            NotationError: a design cannot be read.
            InputError: an axis or an option is unusable, or axes are not of one length.

        Example:
            >>> [dict(point.varied) for point in Sweep.zip(design="A+ $long, ?A", long=["30s", "1min"], seed=[3, 4])]
            [{'long': '30s', 'seed': 3}, {'long': '1min', 'seed': 4}]
        """
        asked = _Asked(axes, more)
        asked.refuse_ranges("zip")
        lengths = {name: len(values) for name, values in asked.varied.items()}
        if len(set(lengths.values())) > 1:
            raise InputError(f"axes that go together must be of one length, got {shown(lengths)}")
        asked.refuse_too_many(max(lengths.values(), default=1))
        return asked.sweep(cls, zip(*asked.varied.values(), strict=True) if lengths else [()])

    @classmethod
    def random(
        cls, points: int, axes: Mapping[str, Any] = _NO_AXES, /, *, sample_seed: int = 0, **more: Any
    ) -> "Sweep":
        """Return points at random.

        Args:
            points: How many; of a design of several groups, as many of each.
            axes: As for the class, by name; `Uniform`, `LogUniform` and `Integers` are ranges to draw from. Of a list
                each value is as likely as the others.
            sample_seed: The same gives the same points; more points begin with those of fewer.
            **more: As `axes`, and options.

        Randomness:
            The stream "sample" under `sample_seed`.

        Raises:
            NotationError: a design cannot be read.
            InputError: an axis or an option is unusable; or there are more points than are said to be meant.

        Example:
            >>> rates = Sweep.random(100, design="paired", learning_rate_nS=LogUniform(0.01, 1), seed=range(5))
            >>> rates[7] == Sweep.random(8, design="paired", learning_rate_nS=LogUniform(0.01, 1), seed=range(5))[7]
            True
        """
        return cls._sampled(points, axes, more, sample_seed, latin=False)

    @classmethod
    def latin_hypercube(
        cls, points: int, axes: Mapping[str, Any] = _NO_AXES, /, *, sample_seed: int = 0, **more: Any
    ) -> "Sweep":
        """Return points at random that are spread evenly: each axis is cut into as many parts, with a point in each.

        Args:
            points: As for `random`.
            axes: As for `random`.
            sample_seed: The same gives the same points.
            **more: As `axes`, and options.

        Randomness:
            The stream "sample" under `sample_seed`.

        Raises:
            NotationError: a design cannot be read.
            InputError: an axis or an option is unusable; or there are more points than are said to be meant.

        Reference:
            McKay, Beckman and Conover 1979, Technometrics 21:239.

        Example:
            >>> spread = Sweep.latin_hypercube(4, design="?A@$dose", dose=Uniform(0, 1), larvae=2)
            >>> sorted(int(point.varied["dose"] * 4) for point in spread)
            [0, 1, 2, 3]
        """
        return cls._sampled(points, axes, more, sample_seed, latin=True)

    @classmethod
    def _sampled(
        cls, points: int, axes: Mapping[str, Any], more: Mapping[str, Any], sample_seed: int, *, latin: bool
    ) -> "Sweep":
        asked = _Asked(axes, more)
        asked.refuse_too_many(checks.integer("points", points, low=1, high=10**9))
        if not asked.varied:
            raise InputError("a sample must have an axis that varies, got none; pass a range such as Uniform(0, 1)")
        rows = samples.drawn(asked.varied, points, sample_seed, latin=latin)
        return asked.sweep(cls, (row.values() for row in rows))

    @classmethod
    def table(cls, rows: Any, /, **more: Any) -> "Sweep":
        """Return a point for each row of a table.

        Args:
            rows: A mapping of axes to values for each point, a `pandas.DataFrame`, or the path of a CSV file; the same
                axes for all.
            **more: What is the same at each point, and options, as for the class.

        Raises:
            NotationError: a design cannot be read.
            InputError: an axis, a value or an option is unusable; or there are more points than are said to be meant.
            FileNotFoundError: there is no such file.

        Example:
            >>> sweep = Sweep.table([{"seed": 1, "dose": 0.1}, {"seed": 4, "dose": 1}], design="A@$dose+ 60s, ?A")
            >>> [point.seed for point in sweep]
            [1, 4]
        """
        columns = tables.columns(rows)
        asked = _Asked(columns, more)
        for name in columns:
            if name in more:
                raise InputError(f"{shown(name)} must stand in the table or beside it, got both")
        lengths = [len(values) for values in columns.values()]
        asked.refuse_too_many(lengths[0])
        beside = [name for name in asked.varied if name not in columns]
        if beside:
            raise InputError(
                f"what stands beside a table must be the same at each point, got {shown(beside[0])} varied"
            )
        return asked.sweep(cls, zip(*asked.varied.values(), strict=True))

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, yes: bool = False) -> "Sweep":
        """Read a plan: TOML, as docs/reference/sweep_plans.md has it.

        Args:
            path: The file.
            yes: More than a million points are meant.

        Raises:
            NotationError: a design cannot be read.
            InputError: the file holds something else, or an axis or an option is unusable.
            FileNotFoundError: there is no such file.
        """
        way, arguments, options = plan_file.read(path)
        sweep: Sweep = getattr(cls, way)(*arguments, **options, yes=yes)
        return sweep

    @overload
    def __getitem__(self, place: int) -> Point: ...

    @overload
    def __getitem__(self, place: slice) -> "Sweep": ...

    def __getitem__(self, place: int | slice) -> "Point | Sweep":
        """Return a point, or a sweep of some."""
        if isinstance(place, slice):
            return Sweep(self._points[place])
        point: Point = self._points[place]
        return point

    def __len__(self) -> int:
        """Return how many points there are."""
        return len(self._points)

    def __iter__(self) -> Iterator[Point]:
        """Give the points, in order."""
        return iter(self._points)

    def __add__(self, other: "Sweep") -> "Sweep":
        """Return the points of both, each run once.

        Example:
            >>> both = Sweep.grid(design="A+ 60s", seed=range(3)) + Sweep.grid(design="A+ 60s", seed=range(5))
            >>> len(both)
            5
        """
        if not isinstance(other, Sweep):
            return NotImplemented
        points: dict[str, Point] = {}
        for point in (*self, *other):
            points.setdefault(point.id, point)
        return Sweep(points.values())

    def __eq__(self, other: object) -> bool:
        """Return whether another one has the same points in the same order."""
        return isinstance(other, Sweep) and self._points == other._points

    def __hash__(self) -> int:
        """Return a hash that equal ones share."""
        return hash(tuple(point.id for point in self))

    def __repr__(self) -> str:
        """Say how many points there are, and what differs among them."""
        over = f" over {', '.join(self.axes)}" if self.axes else ""
        return f"<sweep of {len(self):,} point{'s' * (len(self) != 1)}{over}>"

    def _repr_html_(self) -> str:
        """Show the first points, in a notebook."""
        return words_and_table(repr(self), [{**point.varied, "id": point.id} for point in self[:20]])

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of all that is varied, in order."""
        return tuple(dict.fromkeys(name for point in self for name in point.varied))

    @property
    def larva_seconds(self) -> float:
        """How much time of larvae is simulated if nothing is stored yet, s."""
        return sum({point.id: point.larva_seconds for point in self}.values())

    def to_dataframe(self) -> "pd.DataFrame":
        """Return a row for each point: its id, and its place on each axis."""
        import pandas as pd

        return pd.DataFrame([{"id": point.id, **point.varied} for point in self])


class _Asked:
    """What a sweep is asked for: axes and options, told apart.

    Attributes:
        varied: The values of each axis that varies, by name.
    """

    def __init__(self, axes: Mapping[str, Any], more: Mapping[str, Any]) -> None:
        checks.instance("axes", axes, Mapping, "pass a dictionary of values by name")  # type: ignore[type-abstract]  # mypy wants a concrete class
        for name in axes:
            if name in more:
                raise InputError(f"axis {shown(name)} must be given once, got it in the mapping and beside it")
        options = {**axes, **more}
        self._yes = checks.boolean("yes", options.pop("yes", False))
        kept = Kept(**{name: options.pop(name) for name in ("weights", "codes", "per_second") if name in options})
        of_designs: dict[str, Any] = {name: options.pop(name) for name in ("bindings", "reinforcer") if name in options}
        of_designs["odors"] = [
            checks.instance("each odor", odor, Odor, "make Odors")
            for odor in checks.several("odors", options.pop("odors", ()))
        ]
        self.varied = {name: _several(name, own) for name, own in options.items() if _varies(own)}
        self._fixed = {name: own for name, own in options.items() if name not in self.varied}
        for name, own in self._fixed.items():
            check_value(name, own)
        self._axes = Axes(list(options), list(self.varied), of_designs, kept)

    def refuse_ranges(self, of: str) -> None:
        """Refuse what only samples can be drawn of."""
        for name, values in self.varied.items():
            if isinstance(values, _RANGES):
                raise InputError(f"{shown(name)} of a {of} must be values, got a range; draw with Sweep.random")

    def refuse_too_many(self, points: int) -> None:
        """Refuse more points than anybody means."""
        if points > MOST_POINTS and not self._yes:
            raise InputError(
                f"a sweep must have at most {MOST_POINTS:,} points unless more are meant, got {points:,}; vary less, "
                "or pass yes=True (--yes)"
            )

    def sweep(self, kind: type[Sweep], rows: Iterable[Iterable[Any]]) -> Sweep:
        """Return the sweep of some values on the axes that vary."""
        names = list(self.varied)
        points = [
            point for row in rows for point in self._axes.points({**self._fixed, **dict(zip(names, row, strict=True))})
        ]
        self._axes.check_all_used()
        return kind(points)


def _varies(values: Any) -> bool:
    """Return whether values are several; texts are one, and so are designs and sets of constants."""
    return isinstance(values, (list, tuple, range, np.ndarray, *_RANGES))


def _several(name: str, values: Any) -> Any:
    """Return the values of an axis as they are varied.

    Raises:
        InputError: there is none, or one is no value.
    """
    if isinstance(values, _RANGES):
        return values
    given = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if not given:
        raise InputError(f"axis {shown(name)} must have values, got none")
    for value in given:
        check_value(name, value)
    return given
