"""A natural logarithm of our own, for those of C libraries differ in the last bit, and input is drawn with it.

Every product that is added to something is fused with it, so nothing is left that a compiler could round another way.

Reference: the reduction and the polynomial are those of FreeBSD's e_log.c (Sun Microsystems 1993).
"""

import math
from typing import Final

from kenyon.compiled import compiled
from kenyon.mushroom_body.vectors import fused

_ROOT: Final = math.sqrt(0.5)
_LN_2: Final = math.log(2.0)


@compiled
def logarithm(x: float) -> float:
    """Return ln x of a number above 0, to two units in the last place.

    With x = 2^e (1 + f) and s = f / (2 + f): ln x = e ln 2 + f - s (f - s^2 P(s^2)).

    Example:
        >>> abs(logarithm(10.0) - math.log(10.0)) < 1e-15
        True
    """
    mantissa, exponent = math.frexp(x)
    if mantissa < _ROOT:
        mantissa, exponent = 2.0 * mantissa, exponent - 1
    f = mantissa - 1.0
    s = f / (2.0 + f)
    z = s * s
    p = fused(z, 0.1479819860511658591, 0.1531383769920937332)
    p = fused(z, p, 0.1818357216161805012)
    p = fused(z, p, 0.2222219843214978396)
    p = fused(z, p, 0.2857142874366239149)
    p = fused(z, p, 0.3999999999940941908)
    p = fused(z, p, 0.6666666666666735130)
    return float(fused(float(exponent), _LN_2, fused(-s, fused(-z, p, f), f)))
