"""Which PNs each Kenyon cell listens to, and how strongly: drawn at random, as measured in a brain, or one's own.

A connection weighs a multiple of pn_kc_nS. One that is there or not weighs 1 or 0. Where synapses were counted, it
weighs their number, in a unit such that a cell of the mean number of synapses, over all cells of the wiring, is excited
by all of them together as strongly as a cell of random wiring by the mean number of its PNs: a synapse then has
pn_kc_nS times (kc_claws_min + kc_claws_max) / 2, over that mean number of synapses.

What was measured is one brain with two sides: n = 1. Reference: Winding et al. 2023, Science 379:eadd9330; Eichler et
al. 2017, Nature 548:175; see `data/README.md`.
"""

import csv
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.compiled import compiled
from kenyon.errors import InputError
from kenyon.mushroom_body.circuit import MOST_KCS, N_KCS, N_PNS
from kenyon.mushroom_body.parameters import Parameters, check_parameters
from kenyon.seed_sequence import sfc64_states
from kenyon.seeds import checked_seed
from kenyon.sfc64 import up_to
from kenyon.words import shown

FloatArray = NDArray[np.float64]

RANDOM: Final = "random"
WIRINGS: Final = (RANDOM, "left", "right", "left-shuffled", "right-shuffled")
"""Drawn from a larva's seed; as measured on a side of a brain; with each cell's counts dealt to other receptors."""

_SHUFFLED = "-shuffled"
_SIDES = {"left": "L", "right": "R"}
_MEASURED_BEFORE = 3
"""Columns of the table that stand before the receptors."""

MOST_STRENGTH: Final = 1e4
"""More than any count can weigh: where one cell of 128 has all synapses, and random cells all PNs, it is 2,688."""


def wirings(
    parameters: Parameters, seeds: Sequence[int], wiring: str = RANDOM, pn_to_kc: Any = None
) -> NDArray[np.float64]:
    """Return how strongly PNs excite the Kenyon cells of many larvae, in multiples of pn_kc_nS; the seeds were checked.

    Args:
        parameters: The set of constants.
        seeds: One a larva.
        wiring: One of `WIRINGS`.
        pn_to_kc: A wiring of one's own instead, as `check_pn_to_kc` takes it.

    Returns:
        [B, K, P] float64.

    Raises:
        InputError: the wiring is unknown or unusable, or both are given.

    Randomness:
        Each larva's own "wiring" stream, and its own "shuffle" stream.

    Example:
        >>> from kenyon.mushroom_body.parameters import BALANCED
        >>> right = wirings(BALANCED, [7], "right")
        >>> right.shape, round(float(right.sum(axis=2).mean()), 9)
        ((1, 72, 21), 4.0)
        >>> bool((wirings(BALANCED, [7], "right-shuffled").sum(axis=2).round(9) == right.sum(axis=2).round(9)).all())
        True
    """
    check_one(wiring, pn_to_kc)
    if pn_to_kc is not None:
        return strengths(parameters, check_pn_to_kc(pn_to_kc, len(seeds)))
    if wiring == RANDOM:
        return draw_wirings(parameters, seeds).astype(np.float64)
    counts = np.tile(counted(wiring.removesuffix(_SHUFFLED)), (len(seeds), 1, 1))
    if wiring.endswith(_SHUFFLED):
        _deal(sfc64_states(seeds, "shuffle"), counts)
    return strengths(parameters, counts)


def kcs_of(wiring: str, pn_to_kc: Any = None) -> int:
    """Return how many Kenyon cells larvae of a wiring have, which was checked.

    Example:
        >>> kcs_of("left"), kcs_of("random", np.zeros((5, 21)))
        (73, 5)
    """
    if pn_to_kc is not None:
        return int(np.shape(pn_to_kc)[-2])
    return N_KCS if wiring == RANDOM else len(counted(wiring.removesuffix(_SHUFFLED)))


def check_wiring(wiring: str) -> str:
    """Return the name of a wiring.

    Raises:
        InputError: there is none of that name.
    """
    return checks.one_of("wiring", wiring, WIRINGS)


def check_one(wiring: str, pn_to_kc: Any) -> None:
    """Refuse a wiring that is both named and given.

    Raises:
        InputError: it is, or there is none of that name.
    """
    if check_wiring(wiring) != RANDOM and pn_to_kc is not None:
        raise InputError(f"a wiring must be either named or given, got {shown(wiring)} and pn_to_kc; pass one of them")


@cache
def counted(side: str) -> NDArray[np.int64]:
    """Return how many synapses each Kenyon cell of a side has from the PN of each receptor: [K, P], read-only.

    Example:
        >>> counted("right").shape, int(counted("right").sum())
        ((72, 21), 1758)
    """
    file = resources.files("kenyon.mushroom_body") / "data" / "kc_inputs.csv"
    _, *rows = csv.reader(file.read_text("utf-8").splitlines())
    own = [[int(cell) for cell in row[_MEASURED_BEFORE:]] for row in rows if row[0] == _SIDES[side]]
    counts = np.array(own, dtype=np.int64)
    counts.flags.writeable = False
    return counts


def strengths(parameters: Parameters, wired: NDArray[Any]) -> NDArray[np.float64]:
    """Return what connections weigh, in multiples of pn_kc_nS: [B, K, P].

    Args:
        parameters: The set of constants.
        wired: [B, K, P]; of whole numbers, one of them above 1, it holds counts of synapses. All else is as it is.
    """
    if wired.dtype.kind == "f":
        return wired
    mean = wired.sum(axis=2).mean(axis=1)
    is_counted = wired.max(axis=(1, 2), initial=0) > 1
    per_synapse = np.ones(len(wired))
    per_synapse[is_counted] = (parameters.kc_claws_min + parameters.kc_claws_max) / 2.0 / mean[is_counted]
    return np.asarray(wired * per_synapse[:, None, None], dtype=np.float64)


def draw_pn_to_kc(parameters: Parameters, seed: int) -> NDArray[np.uint8]:
    """Draw which PNs each Kenyon cell of a larva listens to, as `draw_wirings` does for many.

    Each Kenyon cell draws its number of PNs uniformly from kc_claws_min to kc_claws_max, then that many distinct PNs.

    Returns:
        [K, P] uint8, 1 where wired.

    Raises:
        InputError: `parameters` are none, or the seed is no whole number of at most 256 bits.

    Randomness:
        The larva's own "wiring" stream.

    Example:
        >>> from kenyon.mushroom_body.parameters import PUBLISHED
        >>> wiring = draw_pn_to_kc(PUBLISHED, seed=1)
        >>> wiring.shape, int(wiring.sum(axis=1).min()), int(wiring.sum(axis=1).max())
        ((72, 21), 2, 6)
    """
    check_parameters(parameters)
    wiring: NDArray[np.uint8] = draw_wirings(parameters, [checked_seed("seed", seed)])[0]
    return wiring


def draw_wirings(parameters: Parameters, seeds: Sequence[int]) -> NDArray[np.uint8]:
    """Draw which PNs the Kenyon cells of many larvae listen to; the seeds were checked: [B, K, P] uint8."""
    wiring = np.zeros((len(seeds), N_KCS, N_PNS), dtype=np.uint8)
    _draw(sfc64_states(seeds, "wiring"), parameters.kc_claws_min, parameters.kc_claws_max, wiring)
    return wiring


@compiled
def _draw(rng: NDArray[np.uint64], fewest: int, most: int, wiring: NDArray[np.uint8]) -> None:
    """Draw as numpy's Generator.integers and Generator.choice without replacement do, number by number.

    Reference:
        Floyd's algorithm: Bentley & Floyd 1987, Commun. ACM 30:754.
    """
    spare = np.empty(2, dtype=np.uint64)
    for larva in range(len(rng)):
        spare[1] = 0
        for kc in range(N_KCS):
            claws = fewest + up_to(rng[larva], spare, most - fewest)
            for last in range(N_PNS - claws, N_PNS):
                pn = up_to(rng[larva], spare, last)
                wiring[larva, kc, last if wiring[larva, kc, pn] else pn] = 1
            for last in range(claws - 1, 0, -1):  # numpy shuffles what it has chosen, which here has no order.
                up_to(rng[larva], spare, last)


@compiled
def _deal(rng: NDArray[np.uint64], counts: NDArray[np.int64]) -> None:
    """Deal the counts of each cell to other receptors, every order as likely.

    Reference:
        Fisher & Yates; Knuth, The Art of Computer Programming 2, 3.4.2, algorithm P.
    """
    spare = np.empty(2, dtype=np.uint64)
    for larva in range(len(rng)):
        spare[1] = 0
        for kc in range(counts.shape[1]):
            for last in range(N_PNS - 1, 0, -1):
                other = up_to(rng[larva], spare, last)
                dealt = counts[larva, kc, last]
                counts[larva, kc, last] = counts[larva, kc, other]
                counts[larva, kc, other] = dealt


def check_pn_to_kc(wired: Any, larvae: int) -> NDArray[Any]:
    """Return a given wiring as [B, K, P]; one [K, P] serves every larva.

    Args:
        wired: Who is wired to whom, as 0 and 1 or False and True; or whole numbers, counts of synapses; or else floats,
            strengths in multiples of pn_kc_nS.
        larvae: How many there are.

    Returns:
        Integers, or float64 where neither connections nor synapses were counted.

    Raises:
        InputError: the shape is another, or an entry is negative, not finite or beyond 10,000.
    """
    given = checks.numbers("pn_to_kc", wired, booleans=True)
    fits = given.ndim in (2, 3) and given.shape[-1] == N_PNS and given.shape[:-2] in ((), (larvae,))
    if not fits or not 1 <= given.shape[-2] <= MOST_KCS:
        raise InputError(
            f"pn_to_kc must have shape (K, {N_PNS}) or ({larvae}, K, {N_PNS}) with 1 to {MOST_KCS} Kenyon cells, got "
            f"{given.shape}"
        )
    shape = (larvae, given.shape[-2], N_PNS)
    plain = checks.array("pn_to_kc", given.astype(np.float64), given.shape, low=0.0, high=MOST_STRENGTH)
    is_whole = given.dtype.kind != "f" or bool(np.isin(plain, (0, 1)).all())
    return np.array(np.broadcast_to(plain, shape), dtype=np.int64 if is_whole else np.float64)
