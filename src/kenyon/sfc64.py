"""numpy's SFC64 generator in compiled code, bit for bit: a stream is four words that move on with each draw.

`kenyon.seed_sequence.sfc64_states` gives the words to start from; numpy under the same seed draws the same numbers.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon.compiled import compiled

_SHIFT, _LEFT, _ROTATE, _BACK, _ONE, _HALF = (np.uint64(bits) for bits in (11, 3, 24, 40, 1, 32))
_LOW = np.uint64(2**32 - 1)


@compiled
def next_word(rng: NDArray[np.uint64]) -> Any:
    """Draw 64 bits.

    Args:
        rng: [4] uint64, moved on.
    """
    word = rng[0] + rng[1] + rng[3]
    rng[3] += _ONE
    rng[0] = rng[1] ^ (rng[1] >> _SHIFT)
    rng[1] = rng[2] + (rng[2] << _LEFT)
    rng[2] = ((rng[2] << _ROTATE) | (rng[2] >> _BACK)) + word
    return word


@compiled
def uniform(rng: NDArray[np.uint64]) -> float:
    """Draw a double from [0, 1), as numpy's Generator(SFC64).random() does.

    Args:
        rng: [4] uint64, moved on.

    Example:
        >>> from kenyon.seeds import generator, sfc64_state
        >>> uniform(sfc64_state(7, "input")) == generator(7, "input").random()
        True
    """
    return np.float64(next_word(rng) >> _SHIFT) * 2.0**-53


@compiled
def up_to(rng: NDArray[np.uint64], spare: NDArray[np.uint64], most: int) -> int:
    """Draw a whole number from 0 to most, as numpy's Generator(SFC64).integers does (Lemire's method).

    Args:
        rng: [4] uint64, moved on.
        spare: [2] uint64, changed: half a word is drawn at a time, and this is the other one, and whether there is one.
        most: At least 0, below 2**32 - 1.

    Reference:
        Lemire 2019, ACM Trans. Model. Comput. Simul. 29:3.

    Example:
        >>> from kenyon.seeds import generator, sfc64_state
        >>> rng, spare = sfc64_state(7, "wiring"), np.zeros(2, dtype=np.uint64)
        >>> [up_to(rng, spare, 20) for _ in range(3)] == generator(7, "wiring").integers(0, 21, 3).tolist()
        True
    """
    if most == 0:
        return 0
    count = np.uint64(most) + _ONE
    product = _next_half(rng, spare) * count
    if product & _LOW < count:
        too_low = (_LOW - np.uint64(most)) % count
        while product & _LOW < too_low:
            product = _next_half(rng, spare) * count
    return np.int64(product >> _HALF)  # type: ignore[return-value]  # an integer of numpy's, as compiled code makes them


@compiled
def _next_half(rng: NDArray[np.uint64], spare: NDArray[np.uint64]) -> Any:
    if spare[1] > 0:
        spare[1] = 0
        return spare[0]
    word = next_word(rng)
    spare[0], spare[1] = word >> _HALF, 1
    return word & _LOW


@compiled
def products(
    rng: NDArray[np.uint64], factors: int, n: int, drawn: NDArray[np.float64], states: NDArray[np.uint64]
) -> None:
    """Draw products of some factors from (0, 1], each factor 1 less what `uniform` gives; the stream stays as it is.

    Args:
        rng: [4] uint64.
        factors: How many factors each has.
        n: How many products.
        drawn: [n or more] float64, written.
        states: [n + 1 or more, 4] uint64, written: the stream before each product, and after the last.
    """
    a, b, c, d = rng[0], rng[1], rng[2], rng[3]
    for i in range(n):
        states[i, 0], states[i, 1], states[i, 2], states[i, 3] = a, b, c, d
        product = 1.0
        for _ in range(factors):
            word = a + b + d
            d += _ONE
            a = b ^ (b >> _SHIFT)
            b = c + (c << _LEFT)
            c = ((c << _ROTATE) | (c >> _BACK)) + word
            product *= 1.0 - np.float64(word >> _SHIFT) * 2.0**-53
        drawn[i] = product
    states[n, 0], states[n, 1], states[n, 2], states[n, 3] = a, b, c, d
