"""What claims measure: one number a larva, from what it answered.

Groups are named as the claims name them; indices are signed so that learning is positive.
"""

from typing import Final

import numpy as np

from kenyon.conditioning.claims.answers import Answers, FloatArray

UNLIKE: Final = 0.1
"""Two odors are unlike where the cosine of their codes lies below this."""

MIXTURES: Final = ((1.0, 0.0), (0.9, 0.1), (0.7, 0.3), (0.5, 0.5), (0.3, 0.7), (0.1, 0.9), (0.0, 1.0))
"""Doses of A and of B in the mixtures of two trained odors."""


def last(answers: Answers, group: str, test: str = "A") -> FloatArray:
    """Return the index at the last test of a group: [B]."""
    return answers.last(group, test)


def less(answers: Answers, first: str, second: str, test: str = "A") -> FloatArray:
    """Return the index of one group less that of another, at their last test: [B]."""
    return last(answers, first, test) - last(answers, second, test)


def after(answers: Answers, trials: int, group: str = "paired") -> FloatArray:
    """Return the index after so many trials, of a group tested before the first and after each: [B]."""
    return answers.index(group)[:, trials]


def third_gain(answers: Answers) -> FloatArray:
    """Return the gain of the third trial as a share of the largest gain: [B]."""
    gains = np.diff(answers.index("paired"), axis=1)[:, :8]
    share: FloatArray = gains[:, 2] / gains.max(axis=1)
    return share


def left(answers: Answers, group: str) -> FloatArray:
    """Return the index of the last test as a share of the one before: [B]."""
    index = answers.index(group)
    share: FloatArray = index[:, -1] / index[:, -2]
    return share


def difference(answers: Answers, group: str, first: str = "A", second: str = "B") -> FloatArray:
    """Return the index of one odor less that of another, at the last test: [B]."""
    return answers.last(group, first) - answers.last(group, second)


def reciprocal(answers: Answers, group: str, mirrored: str, first: str = "A", second: str = "B") -> FloatArray:
    """Return half of what two groups differ in, one trained with an odor and one with the other: [B].

    Reference:
        Gerber & Stocker 2007, Chem. Senses 32:65.
    """
    return (difference(answers, group, first, second) - difference(answers, mirrored, first, second)) / 2.0


def imbalance(answers: Answers) -> FloatArray:
    """Return what reward and punishment do in three trials, added up, as a share of what reward does: [B]."""
    rewarded, punished = (answers.index(group)[:, 1:4].sum(axis=1) for group in ("rewarded", "punished"))
    share: FloatArray = (rewarded + punished) / rewarded
    return share


def kept_beside_unlike(answers: Answers) -> FloatArray:
    """Return the share kept through a minute of another odor: [B], nan in larvae that code both odors alike."""
    kept: FloatArray = np.where(answers.overlap("naive") < UNLIKE, left(answers, "met another"), np.nan)
    return kept


def mixed(answers: Answers) -> FloatArray:
    """Return how near the index of each mixture lies to that of A, 1, or of B, 0: [B, mixtures]."""
    index = np.column_stack([answers.last("differential", mixture(*doses)) for doses in MIXTURES])
    way: FloatArray = (index - index[:, -1:]) / (index[:, :1] - index[:, -1:])
    return way


def fall(answers: Answers, place: int) -> FloatArray:
    """Return how much nearer to A a mixture lies than the next one of `MIXTURES`: [B]; see `mixed`."""
    ways = mixed(answers)
    further: FloatArray = ways[:, place] - ways[:, place + 1]
    return further


def mixture(a: float, b: float) -> str:
    """Return a mixture of A and B as the notation writes it.

    Example:
        >>> mixture(0.9, 0.1), mixture(1.0, 0.0)
        ('A@0.9B@0.1', 'A')
    """
    return "".join(f"{odor}@{dose:g}" if dose < 1.0 else odor for odor, dose in (("A", a), ("B", b)) if dose)


def dopamine_kept(answers: Answers, group: str) -> FloatArray:
    """Return what the dopamine neuron fires at odor and reinforcer after training, as a share of before: [B]."""
    rates = answers.dan_hz(group, "A+")
    share: FloatArray = rates[:, -1] / rates[:, 0]
    return share
