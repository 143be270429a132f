import math

import numpy as np
import pytest

from kenyon import checks
from kenyon.errors import InputError


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -1, "600", None, True, np.bool_(True), 1j, [1]])
def test_number_refuses_what_is_no_finite_number_in_range(nonsense: object) -> None:
    """The message names the thing, the range, the unit and what came."""
    with pytest.raises(InputError, match=r"^rate must be a finite number of at least 0 Hz, got ") as refusal:
        checks.number("rate", nonsense, low=0.0, unit="Hz")
    assert repr(nonsense) in str(refusal.value)


@pytest.mark.parametrize("number", [3, np.int32(3), np.float32(3), 3.0])
def test_number_takes_every_real_number(number: object) -> None:
    """Numbers of numpy and of Python are the same to it."""
    assert checks.number("rate", number) == 3.0


@pytest.mark.parametrize("nonsense", [0, 1.0, True, "1", None, math.nan])
def test_integer_refuses_what_is_no_integer_in_range(nonsense: object) -> None:
    """A float is refused even if it is whole: it usually is a mistake."""
    with pytest.raises(InputError, match=r"^larvae must be an integer of at least 1, got "):
        checks.integer("larvae", nonsense, low=1)


def test_nearest_names_what_was_probably_meant() -> None:
    """A typing error is answered with the word, something foreign with the whole list."""
    assert checks.nearest("Pared", ["paired", "naive"]) == "did you mean 'paired'?"
    assert checks.nearest("zzz", ["paired", "naive"]) == "known are paired, naive"


@pytest.mark.parametrize("nonsense", [[1.0, math.nan], [1.0, -1.0], [1.0, 2.0, 3.0], "abc", [[1], [2, 3]]])
def test_array_refuses_what_does_not_fit(nonsense: object) -> None:
    """Shape, type, sign and finiteness are checked before anything else happens."""
    with pytest.raises(InputError, match=r"^drive must be "):
        checks.array("drive", nonsense, (2,), low=0.0)


def test_array_is_a_copy() -> None:
    """What the caller does to his array afterward changes nothing."""
    given = np.ones(2)
    taken = checks.array("drive", given, (2,))
    given[:] = 7.0
    assert taken.tolist() == [1.0, 1.0]
