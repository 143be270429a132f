import math
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from kenyon.mushroom_body.logarithm import logarithm

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    "numbers",
    [
        1.0 - RANDOM.random(2000),
        RANDOM.random((2000, 3)).prod(axis=1),
        1.0 - RANDOM.integers(0, 2000, 500) * 2.0**-53,
        2.0 ** np.arange(-1000, 1000, dtype=np.float64),
        1.0 + RANDOM.normal(0, 1e-6, 2000),
    ],
    ids=["uniform", "products of three", "next to 1", "powers of 2", "around 1"],
)
def test_it_is_the_logarithm(numbers: NDArray[np.float64]) -> None:
    """To two units in the last place of the C library's, over all that intervals are drawn from, and beyond."""
    for x in numbers:
        expected = math.log(x)
        assert abs(logarithm(float(x)) - expected) <= 2 * math.ulp(expected)


def test_its_bits_are_those_of_exact_arithmetic() -> None:
    """Worked out once more in fractions, each step rounded once: so no compiler and no processor has a say."""

    def rounded(exact: Fraction) -> Fraction:
        return Fraction(float(exact))

    def fused(a: Fraction, b: Fraction, c: Fraction) -> Fraction:
        return rounded(a * b + c)

    constants = [
        0.1531383769920937332,
        0.1818357216161805012,
        0.2222219843214978396,
        0.2857142874366239149,
        0.3999999999940941908,
        0.6666666666666735130,
    ]
    for x in RANDOM.random((300, 3)).prod(axis=1):
        mantissa, exponent = math.frexp(x)
        if mantissa < math.sqrt(0.5):
            mantissa, exponent = 2 * mantissa, exponent - 1
        f = Fraction(mantissa) - 1
        s = rounded(f / rounded(2 + f))
        z, p = rounded(s * s), Fraction(0.1479819860511658591)
        for constant in constants:
            p = fused(z, p, Fraction(constant))
        expected = fused(Fraction(exponent), Fraction(math.log(2.0)), fused(-s, fused(-z, p, f), f))
        assert logarithm(float(x)) == float(expected)
