"""numpy's SFC64 generator in compiled code, bit for bit: a stream is four words that move on with each draw.

`kenyon.seeds.sfc64_state` gives the words to start from; numpy under the same seed draws the same numbers.
"""

import numpy as np
from numpy.typing import NDArray

from kenyon.compiled import compiled

_SHIFT, _LEFT, _ROTATE, _BACK, _ONE = (np.uint64(bits) for bits in (11, 3, 24, 40, 1))


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
    word = rng[0] + rng[1] + rng[3]
    rng[3] += _ONE
    rng[0] = rng[1] ^ (rng[1] >> _SHIFT)
    rng[1] = rng[2] + (rng[2] << _LEFT)
    rng[2] = ((rng[2] << _ROTATE) | (rng[2] >> _BACK)) + word
    return np.float64(word >> _SHIFT) * 2.0**-53
