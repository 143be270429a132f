"""The one rule by which seeds become random streams.

A larva has one seed; each purpose it needs chance for has a stream of its own under that seed, so that
drawing more for one purpose never moves another, and no larva ever touches the stream of its neighbor.
"""

import hashlib
import json

import numpy as np
from numpy.typing import NDArray

from kenyon.checks import integer, one_of
from kenyon.errors import InputError
from kenyon.words import shown

MOST_LARVAE = 1_000_000
"""As many as fit in the memory of a large machine, at 10 KiB each."""

MOST_BITS = 256
"""Of a seed: as many as `larva_seed` makes."""

_STREAMS = {"wiring": 0, "input": 1, "bootstrap": 2, "choice": 3, "host": 4, "order": 5, "shuffle": 6, "sample": 7}


def checked_seed(name: str, seed: object) -> int:
    """Return a seed: a whole number of at most 256 bits.

    Raises:
        InputError: `seed` is something else.

    Example:
        >>> checked_seed("seed", 7)
        7
    """
    return _whole(name, seed, 0)


def larva_seed(*identity: str | int) -> int:
    """Return the seed that belongs to an identity: SHA-256 of its canonical JSON, as an integer.

    Args:
        *identity: What names the larva, such as (seed, index) or (seed, sim_id, model_id).

    Returns:
        An integer of up to 256 bits.

    Raises:
        InputError: a part is neither a text nor an integer.

    Randomness:
        None: the same identity gives the same seed everywhere.

    Example:
        >>> larva_seed(1, "run", 0) == larva_seed(1, "run", 0) != larva_seed(1, "run", "0")
        True
    """
    parts = [part if isinstance(part, str) else _whole("what names a larva", part, -(2**63)) for part in identity]
    canonical = json.dumps(parts, separators=(",", ":"), ensure_ascii=True)
    return int.from_bytes(hashlib.sha256(canonical.encode()).digest(), "big")


def larva_seeds(seed: int, larvae: int) -> list[int]:
    """Return the seeds of the larvae of a run: larva i has `larva_seed(seed, i)`.

    The first n larvae of a larger run are the larvae of a smaller one.

    Raises:
        InputError: `seed` is no integer from 0 to 2**256 - 1, or `larvae` none from 1 to a million.

    Example:
        >>> larva_seeds(7, 3)[:2] == larva_seeds(7, 2)
        True
    """
    seed = checked_seed("seed", seed)
    return [larva_seed(seed, i) for i in range(integer("larvae", larvae, low=1, high=MOST_LARVAE))]


def stream_of(purpose: str) -> int:
    """Return the number of a purpose, by which its streams are spawned.

    Raises:
        InputError: the purpose is unknown.

    Example:
        >>> stream_of("input")
        1
    """
    return _STREAMS[one_of("purpose", purpose, list(_STREAMS))]


def sequence(seed: int, purpose: str, *part: int) -> np.random.SeedSequence:
    """Return the numpy seed sequence of one purpose, such as "wiring" or "choice", or of a part of it, under a seed.

    Raises:
        InputError: the seed is unusable, the purpose unknown, or a part is no integer of 32 bits.
    """
    parts = [integer("part of a purpose", own, low=0, high=2**32 - 1) for own in part]
    return np.random.SeedSequence(checked_seed("seed", seed), spawn_key=(stream_of(purpose), *parts))


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return the generator of one purpose under a seed.

    Example:
        >>> bool(generator(7, "wiring").random() == generator(7, "wiring").random())
        True
    """
    return np.random.Generator(np.random.SFC64(sequence(seed, purpose)))


def sfc64_state(seed: int, purpose: str, *part: int) -> NDArray[np.uint64]:
    """Return the starting state of that stream as plain data, for compiled code.

    Returns:
        [4] uint64, the state of numpy's SFC64 after seeding.
    """
    state = np.random.SFC64(sequence(seed, purpose, *part)).state
    return np.array(state["state"]["state"], dtype=np.uint64)


def _whole(name: str, value: object, low: int) -> int:
    whole = integer(name, value, low=low)
    if whole.bit_length() > MOST_BITS:
        raise InputError(f"{name} must be an integer of at most {MOST_BITS} bits, got {shown(value)}")
    return whole
