"""A natural logarithm of our own, for those of C libraries differ in the last bit, and input is drawn with it.

Every product that is added to something is fused with it, so nothing is left that a compiler could round another way.

Reference: the reduction and the polynomial are those of FreeBSD's e_log.c (Sun Microsystems 1993).
"""

import math
from typing import Final

import numpy as np

from kenyon.compiled import compiled
from kenyon.mushroom_body.vectors import fused

_ROOT: Final = 2.0 * math.sqrt(0.5)
_FRACTION_BITS, _FRACTION, _ONE, _TWO_TO_52 = (
    np.uint64(bits) for bits in (52, (1 << 52) - 1, 1023 << 52, (1023 + 52) << 52)
)
_LN_2: Final = math.log(2.0)


@compiled
def logarithm(x: float) -> float:
    """Return ln x of a normal number above 0, to two units in the last place.

    With x = 2^e (1 + f) and s = f / (2 + f): ln x = e ln 2 + f - s (f - s^2 P(s^2)).

    Example:
        >>> abs(logarithm(10.0) - math.log(10.0)) < 1e-15
        True
    """
    bits = np.float64(x).view(np.uint64)
    mantissa = np.uint64((bits & _FRACTION) | _ONE).view(np.float64)
    # A whole number below 2^52 beside the exponent of 2^52 is a double: so processors need not convert integers.
    exponent = np.uint64((bits >> _FRACTION_BITS) | _TWO_TO_52).view(np.float64) - (2.0**52 + 1023.0)
    is_large = mantissa >= _ROOT
    f = (0.5 * mantissa if is_large else mantissa) - 1.0
    exponent += 1.0 if is_large else 0.0
    s = f / (2.0 + f)
    z = s * s
    p = fused(z, 0.1479819860511658591, 0.1531383769920937332)
    p = fused(z, p, 0.1818357216161805012)
    p = fused(z, p, 0.2222219843214978396)
    p = fused(z, p, 0.2857142874366239149)
    p = fused(z, p, 0.3999999999940941908)
    p = fused(z, p, 0.6666666666666735130)
    return float(fused(exponent, _LN_2, fused(-s, fused(-z, p, f), f)))
