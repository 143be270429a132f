import math

import numpy as np

from kenyon.mushroom_body.exponential import exponential


def test_it_is_that_of_the_c_library_to_the_last_bit_but_one() -> None:
    """Over all of its range, near 0 above all; and there it is exact."""
    rng = np.random.default_rng(1)
    below = np.concatenate((-rng.uniform(0.0, 707.0, 3000), -(10.0 ** rng.uniform(-20.0, 2.0, 3000))))
    for z in [*below.tolist(), *rng.uniform(0.0, 700.0, 1000).tolist()]:
        assert abs(exponential(z) - math.exp(z)) <= math.ulp(math.exp(z)), z
    assert exponential(0.0) == exponential(-0.0) == exponential(-1e-300) == 1.0


def test_what_is_longest_past_is_gone() -> None:
    """Beyond the range of normal doubles it is 0, as a cell that never fired has no eligibility."""
    assert exponential(-707.9) > 0.0
    assert exponential(-709.0) == exponential(-1e300) == exponential(-math.inf) == 0.0
