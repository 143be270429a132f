"""An exponential that gives the same bits on every processor, which those of C libraries do not."""

import math

import numpy as np

from kenyon.compiled import compiled
from kenyon.mushroom_body.vectors import fused

_MOST_NEGATIVE = -708.0
"""Below it, e to the power of z is smaller than any normal double."""

_PER_LN2 = 1.4426950408889634
_LN2, _LN2_REST = 0.6931471805599453, 2.3190468138462996e-17
"""The logarithm of 2 as the sum of two doubles."""

_SERIES = tuple(1.0 / math.factorial(n) for n in range(13, -1, -1))
_BIAS, _FRACTION_BITS = 1023, 52


@compiled
def exponential(z: float) -> float:
    """Return e to the power of z, for z of at most 700; right to the last bit but one.

    Powers of 2 are taken out, and what is left, at most half of ln 2 in size, goes into the series.

    Example:
        >>> exponential(0.0), exponential(-math.inf), round(exponential(-1.0), 6)
        (1.0, 0.0, 0.367879)
    """
    if not z >= _MOST_NEGATIVE:
        return 0.0
    power = math.floor(fused(z, _PER_LN2, 0.5))
    rest = fused(-power, _LN2_REST, fused(-power, _LN2, z))
    series = 0.0
    for term in _SERIES:
        series = fused(series, rest, term)
    return series * np.int64((int(power) + _BIAS) << _FRACTION_BITS).view(np.float64)
