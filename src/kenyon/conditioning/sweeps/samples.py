"""Ranges of values, and samples of them: at random, or as a Latin hypercube."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.seeds import generator


@dataclass(frozen=True)
class Uniform:
    """Numbers from low to high, each as likely as the others.

    Raises:
        InputError: one is no finite number, `low` is not below `high`, or no number says how far apart
            they are.

    Example:
        >>> Uniform(1, 3).at(0.25)
        1.5
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        """Check both."""
        _check_ends(self, partial(checks.number))

    def at(self, share: float) -> float:
        """Return the number below which a share of all lies, from 0 to 1."""
        return self.low + share * (self.high - self.low)


@dataclass(frozen=True)
class LogUniform:
    """Numbers from low to high, each power of ten as likely as the others; for rates and doses.

    Raises:
        InputError: one is no number above 0, `low` is not below `high`, or no number says how far apart
            they are.

    Example:
        >>> round(LogUniform(0.01, 1).at(0.5), 12)
        0.1
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        """Check both."""
        _check_ends(self, checks.positive, apart=operator.truediv)

    def at(self, share: float) -> float:
        """Return the number below which a share of all lies, from 0 to 1."""
        return min(self.high, max(self.low, self.low * math.exp(share * math.log(self.high / self.low))))


@dataclass(frozen=True)
class Integers:
    """Whole numbers from low to high, both among them.

    Raises:
        InputError: one is no integer, or `low` is not below `high`.

    Example:
        >>> [Integers(1, 3).at(share) for share in (0.0, 0.5, 1.0)]
        [1, 2, 3]
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        """Check both."""
        _check_ends(self, partial(checks.integer, low=-(2**53), high=2**53))

    def at(self, share: float) -> int:
        """Return the number below which a share of all lies, from 0 to 1."""
        return min(self.high, self.low + int(share * (self.high - self.low + 1)))


Range: TypeAlias = Uniform | LogUniform | Integers


def _check_ends(own: Any, check: Any, apart: Callable[[Any, Any], float] = operator.sub) -> None:
    for name in ("low", "high"):
        object.__setattr__(own, name, check(f"{name} of a range", getattr(own, name)))
    if not own.low < own.high:
        raise InputError(f"low of a range must be below high, got {own.low} and {own.high}")
    if not math.isfinite(apart(own.high, own.low)):
        raise InputError(f"low and high of a range must be nearer to each other, got {own.low} and {own.high}")


def shares(points: int, axes: int, sample_seed: int, *, latin: bool) -> NDArray[np.float64]:
    """Return where points lie on each axis: [points, axes] float64, from 0 to 1.

    Args:
        points: How many.
        axes: How many.
        sample_seed: What is drawn by.
        latin: Whether each axis, cut into as many parts as there are points, has one of them in each part.

    Randomness:
        The stream "sample" under the seed.

    Reference:
        McKay, Beckman and Conover 1979, Technometrics 21:239.
    """
    rng = generator(sample_seed, "sample")
    if not latin:
        return rng.random((points, axes))
    from scipy.stats import qmc  # slow to import

    drawn: NDArray[np.float64] = qmc.LatinHypercube(axes, seed=rng).random(points)
    return drawn


def chosen(among: Range | Sequence[Any], share: float) -> Any:
    """Return the value at a share of a range, or of a list."""
    if isinstance(among, Sequence):
        return among[Integers(0, len(among) - 1).at(share)] if len(among) > 1 else among[0]
    return among.at(share)


def drawn(
    axes: Mapping[str, Range | Sequence[Any]], points: int, sample_seed: int, *, latin: bool
) -> list[dict[str, Any]]:
    """Return the value of each point on each axis."""
    where = shares(points, len(axes), sample_seed, latin=latin)
    return [
        {name: chosen(among, share) for (name, among), share in zip(axes.items(), row, strict=True)}
        for row in where.tolist()
    ]
