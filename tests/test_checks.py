import datetime as dt
import decimal
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kenyon import checks
from kenyon.errors import InputError
from kenyon.mushroom_body.odors import odors


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
    numbered = [f"L{number}" for number in range(1, 24)]
    assert checks.nearest("L99", numbered) == "there are 23, such as L1, L2, L3"
    assert checks.nearest("l9", numbered) == "did you mean 'L9'?"


def test_nearest_names_first_what_was_only_begun() -> None:
    """Whoever types `pentyl` means pentyl acetate, and not menthol, which is spelled more alike: so with every odor."""
    names = [odor.name for odor in odors()]
    for name in names:
        for word in {part for part in name.split() if len(part) > 2} - {name}:
            named = checks.nearest(word.title(), names)
            assert named.split("'")[1].lower().find(word.lower()) >= 0, f"{word}: {named}"
    assert checks.nearest("pentyl", names).startswith("did you mean 'pentyl acetate'")


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


NO_NUMBERS: dict[str, object] = {
    "numpy.timedelta64": np.timedelta64(100_000, "ns"),
    "numpy.datetime64": np.datetime64("2020-01-01"),
    "datetime.timedelta": dt.timedelta(seconds=1),
    "a truth value": True,
    "a truth value of numpy": np.bool_(True),
    "a text of digits": "1",
    "a text of numpy": np.str_("1"),
    "bytes": b"1",
    "an array without axes": np.array(1),
    "a decimal": decimal.Decimal(1),
    "a complex number": 1 + 0j,
    "a class": float,
    "None": None,
}


@pytest.mark.parametrize("what", NO_NUMBERS)
def test_numpy_timedelta64_counts_as_no_number_anywhere(what: str) -> None:
    """Nor does anything else that only looks like one: not alone, not in a list, not in an array."""
    value = NO_NUMBERS[what]
    asked: list[Callable[[], object]] = [
        lambda: checks.number("it", value),
        lambda: checks.integer("it", value, low=0),
    ]
    if not isinstance(value, np.ndarray):  # of which numpy makes an array of one more axis
        asked += [
            lambda: checks.array("it", [value], (1,)),
            lambda: checks.numbers("it", [value, value]),
            lambda: checks.integers("it", np.array([value])),
        ]
    for ask in asked:
        with pytest.raises(InputError, match=r"^it must be ") as refusal:
            ask()
        assert "\n" not in str(refusal.value)


RAGGED: dict[str, Any] = {
    "a ragged list": [1, [2]],
    "ragged deeper down": [[1.0, 2.0], [3.0]],
    "texts": ["a", "b"],
    "a text for a number": [1, "2"],
    "objects": [object(), object()],
    "nothing in it": [None, 1.0],
    "an array of texts": np.array(["1", "2"]),
    "an array of objects": np.array([1, None], dtype=object),
    "an array of durations": np.array([1, 2], dtype="m8[ns]"),
    "complex numbers": [1j, 2j],
    "records": np.zeros(2, dtype=[("a", float)]),
    "masked entries": np.ma.masked_greater(np.array([1.0, 2.0]), 1.0),  # type: ignore[no-untyped-call]  # numpy has no types for it
    "bytes": bytearray(2),
    "a generator": (number for number in (1, 2)),
    "a set": {1, 2},
    "a dictionary": {0: 1, 1: 2},
    "a class": list,
}


@pytest.mark.parametrize("what", RAGGED)
def test_ragged_lists_texts_and_objects_are_no_arrays_in_one_line(what: str) -> None:
    """Whatever numpy would say of them, and in however many lines it prints them."""
    value = RAGGED[what]
    for ask in (
        lambda: checks.array("it", value, (2,)),
        lambda: checks.numbers("it", value),
        lambda: checks.integers("it", value),
    ):
        with pytest.raises(InputError, match=r"^it must be ") as refusal:
            ask()
        assert "\n" not in str(refusal.value)


def test_a_list_that_holds_itself_is_refused() -> None:
    """And does not end in a recursion."""
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InputError, match="it must be numbers"):
        checks.numbers("it", endless)


@pytest.mark.parametrize("value", [1, 1.0, None, "12", b"12", {1, 2}, {1: 2}, np.array(1), np.float64(1), list])
def test_what_is_single_or_has_no_order_is_no_sequence(value: object) -> None:
    """Nor is a text, which would be taken apart into letters."""
    with pytest.raises(InputError, match=r"^seeds must be a sequence, got "):
        checks.several("seeds", value)


def test_a_number_too_long_for_a_double_is_refused() -> None:
    """Where numpy has longer ones, they would become infinite."""
    with pytest.raises(InputError, match="it must be finite"):
        checks.array("it", np.array([np.longdouble("1e4000")]), (1,))


@pytest.mark.parametrize("value", [None, 3, b"larvae.npz", "", "a\0b", ["a"], Path])
def test_what_names_no_file_is_refused(value: object) -> None:
    """Before the system is asked."""
    with pytest.raises(InputError, match=r"^file must be the path of a file, got "):
        checks.path("file", value)
