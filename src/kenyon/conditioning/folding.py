"""Finds what comes several times in a row, so that a design of a thousand trials is a short text."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_LONGEST_PERIOD = 64
"""Entries of the longest sequence whose repetition is looked for."""


class Fold(NamedTuple):
    """Entries that come several times in a row.

    Attributes:
        start: Place of the first.
        period: How many entries are repeated.
        times: How often they come.
    """

    start: int
    period: int
    times: int


def folds(entries: Sequence[Hashable], leading: Sequence[bool]) -> list[Fold]:
    """Return a sequence as folds, from left to right; what is not repeated is a fold of one entry, once.

    Args:
        entries: What is repeated if equal.
        leading: Which entries rather stand before a repetition than begin it, where both can be: tests, so that
            `?A, 3x(A+ 60s, ?A)` comes of it, and not `3x(?A, A+ 60s), ?A`.

    Example:
        >>> folds("xaaabaaab", [False] * 9)
        [Fold(start=0, period=1, times=1), Fold(start=1, period=4, times=2)]
        >>> folds("tatatat", [letter == "t" for letter in "tatatat"])
        [Fold(start=0, period=1, times=1), Fold(start=1, period=2, times=3)]
    """
    periods, alike = _longest(entries)
    found, at = [], 0
    while at < len(entries):
        period, equal = int(periods[at]), int(alike[at])
        if period == 0 or (leading[at] and equal % period):
            found.append(Fold(at, 1, 1))
        else:
            found.append(Fold(at, period, equal // period + 1))
        at += found[-1].period * found[-1].times
    return found


def _longest(entries: Sequence[Hashable]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each place the period whose repetition covers most, 0 for none, and how many entries it holds for."""
    numbers: dict[Hashable, int] = {}
    ids = np.array([numbers.setdefault(entry, len(numbers)) for entry in entries])
    periods, alike, covered = (np.zeros(len(ids), dtype=np.int64) for _ in range(3))
    for period in range(1, min(_LONGEST_PERIOD, len(ids) // 2) + 1):
        equal = _run_lengths(ids[:-period] == ids[period:])
        covers = np.where(equal >= period, (equal // period + 1) * period, 0)
        better = np.flatnonzero(covers > covered[:-period])
        periods[better], alike[better], covered[better] = period, equal[better], covers[better]
    return periods, alike


def _run_lengths(true: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how many entries in a row are true, from each on."""
    places = np.arange(len(true))
    ends = np.where(true, len(true), places)
    lengths: NDArray[np.int64] = np.minimum.accumulate(ends[::-1])[::-1] - places
    return lengths
