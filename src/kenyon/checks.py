"""Refuses bad values where they enter, in one sentence each.

Every check returns the value in the type the code behind it works with. Whatever reads a number from a caller reads it
here, so that the same things are numbers everywhere: those of Python and of numpy, and no others. A truth value, a
duration (numpy's are integers to Python), a text of digits, a masked entry and an array without axes are none.
"""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kenyon.errors import InputError
from kenyon.words import shown

_MOST_DIGITS = 600
"""Python itself may refuse more than 640."""

FloatArray = NDArray[np.float64]

Kind = TypeVar("Kind")

_NO_NUMBERS: tuple[type[object], ...] = (bool, np.bool_, np.timedelta64)
"""What Python would take for a number."""

_TEXTS = (str, bytes, bytearray, memoryview)
"""What Python would take apart into numbers or characters."""

MOST_LABEL = 200
"""Characters of a name that a figure has room for."""


def number(name: str, value: object, *, low: float = -math.inf, high: float = math.inf, unit: str = "") -> float:
    """Return `value` as a finite float within [low, high].

    Args:
        name: What the number is, as the message shall call it.
        value: What came.
        low: Smallest value allowed.
        high: Largest value allowed.
        unit: Unit of the number, for the message.

    Raises:
        InputError: `value` is no real number, not finite or out of range.

    Example:
        >>> number("rate", 600, low=0.0, unit="Hz")
        600.0
        >>> number("rate", float("nan"), low=0.0, unit="Hz")
        Traceback (most recent call last):
        ...
        kenyon.errors.InputError: rate must be a finite number of at least 0 Hz, got nan
    """
    # Asked first, for they are the most by far, and numpy's kinds of numbers take ten times as long to tell.
    plain = type(value) is float or type(value) is int
    if plain or (isinstance(value, Real) and not isinstance(value, _NO_NUMBERS)):
        try:
            result = float(value)  # type: ignore[arg-type]  # it is a number
        except OverflowError:
            result = math.inf
        if math.isfinite(result) and low <= result <= high:
            return result
    raise InputError(f"{name} must be a finite number{_range_words(low, high, unit)}, got {shown(value)}")


def positive(name: str, value: object, *, high: float = math.inf, unit: str = "") -> float:
    """Return `value` as a finite float above 0.

    Raises:
        InputError: `value` is no real number, not finite, not above 0 or above `high`.

    Example:
        >>> positive("duration", 0, unit="s")
        Traceback (most recent call last):
        ...
        kenyon.errors.InputError: duration must be above 0 s, got 0
    """
    result = number(name, value, low=0.0, high=high, unit=unit)
    if result == 0.0:
        raise InputError(f"{name} must be above 0{f' {unit}' if unit else ''}, got 0")
    return result


def boolean(name: str, value: object) -> bool:
    """Return `value` as a bool; 0, 1 and None are none.

    Raises:
        InputError: `value` is neither True nor False.

    Example:
        >>> boolean("cs", np.True_)
        True
    """
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise InputError(f"{name} must be True or False, got {shown(value)}")


def label(name: str, value: object) -> str:
    """Return `value` if it is a name that a figure, a table and a file can all show.

    Raises:
        InputError: `value` is no text, empty, longer than `MOST_LABEL` characters, or holds one that does not print.

    Example:
        >>> label("name of a paradigm", "my own, with a twist")
        'my own, with a twist'
    """
    if isinstance(value, str) and value.isprintable() and value.strip() and len(value) <= MOST_LABEL:
        return str(value)
    raise InputError(f"{name} must be text of 1 to {MOST_LABEL} characters that print, got {shown(value)}")


def integer(name: str, value: object, *, low: int, high: int | None = None) -> int:
    """Return `value` as an int within [low, high].

    Raises:
        InputError: `value` is no integer or out of range.

    Example:
        >>> integer("larvae", 30, low=1)
        30
    """
    # Plain ones first, as above.
    if type(value) is int or (isinstance(value, Integral) and not isinstance(value, _NO_NUMBERS)):
        result = int(value)
        if low <= result and (high is None or result <= high):
            return result
    upper = "" if high is None else f" and at most {high}"
    raise InputError(f"{name} must be an integer of at least {low}{upper}, got {shown(value)}")


def spelled_integer(text: str) -> int | None:
    """Return the whole number that plain digits spell; None where they spell none, or more than any number here.

    Example:
        >>> spelled_integer("12"), spelled_integer("1e3"), spelled_integer("9" * 5000)
        (12, None, None)
    """
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def one_of(name: str, value: str, known: Sequence[str]) -> str:
    """Return `value` if it is among `known`; otherwise name the nearest ones.

    Raises:
        InputError: `value` is not known.

    Example:
        >>> one_of("paradigm", "pairde", ["paired", "naive"])
        Traceback (most recent call last):
        ...
        kenyon.errors.InputError: unknown paradigm 'pairde'; did you mean 'paired'?
    """
    if isinstance(value, str) and value in known:
        return value
    raise InputError(f"unknown {name} {shown(value)}; {nearest(value, known)}")


def instance(name: str, value: Any, kind: type[Kind], remedy: str) -> Kind:
    """Return `value` if it is of a class; otherwise say what to pass.

    Raises:
        InputError: `value` is something else.

    Example:
        >>> instance("seed", 1, int, "pass a whole number")
        1
    """
    if isinstance(value, kind):
        return value
    raise InputError(f"{name} must be a {kind.__name__}, got {shown(value)}; {remedy}")


def several(name: str, values: Any) -> list[Any]:
    """Return the entries of what has several, in an order: no single value, no text, no set, no dictionary.

    Raises:
        InputError: `values` is something else.

    Example:
        >>> several("seeds", range(3))
        [0, 1, 2]
    """
    single = np.ndim(values) == 0 if isinstance(values, (np.ndarray, np.generic)) else not isinstance(values, Iterable)
    if single or isinstance(values, (*_TEXTS, set, frozenset, Mapping)):
        raise InputError(f"{name} must be a sequence, got {shown(values)}")
    return list(values)


def listeners(values: Any) -> list[Any]:
    """Return functions that are to be told of events.

    Raises:
        InputError: one of them cannot be called, or there is no sequence of them.

    Example:
        >>> listeners([print]) == [print]
        True
    """
    functions = several("listeners", values)
    for function in functions:
        if not callable(function):
            raise InputError(f"each listener must be a function of an event, got {shown(function)}")
    return functions


def path(name: str, value: Any) -> Path:
    """Return what names a file or a folder.

    Raises:
        InputError: `value` is no text that can name one, and no path.

    Example:
        >>> path("file", "larvae.npz").suffix
        '.npz'
    """
    if isinstance(value, (str, os.PathLike)):
        with suppress(TypeError, ValueError):  # a path in bytes, or characters that no file system knows
            named = os.fsencode(value)
            if 0 < len(named) <= 4096 and b"\0" not in named and max(map(len, named.split(b"/"))) <= 255:
                return Path(value)
    raise InputError(f"{name} must be the path of a file, got {shown(value)}")


def nearest(value: object, known: Iterable[str]) -> str:
    """Return a half-sentence that names the known words nearest to `value`."""
    by_lowercase = {word.lower(): word for word in known}
    # Comparing takes time with the length of the word, and nothing so long is near to any.
    text = value[:100].lower() if isinstance(value, str) else ""
    # What was only begun, or is one word of a name, comes before what is spelled alike.
    begun = sorted((word for word in by_lowercase if len(text) > 2 and text in word), key=len)
    # Of hardly any letters, as L99 is, nothing is misspelled: all others with as many are alike.
    alike = get_close_matches(text, by_lowercase, n=3, cutoff=0.6 if sum(map(str.isalpha, text)) > 2 else 1.0)
    close = [by_lowercase[word] for word in dict.fromkeys((*begun, *alike))][:3]
    if close:
        return "did you mean " + " or ".join(repr(word) for word in close) + "?"
    words = list(by_lowercase.values())
    if len(words) > 12:
        return f"there are {len(words)}, such as " + ", ".join(words[:3])
    return "known are " + ", ".join(words)


def numbers(name: str, value: Any, *, booleans: bool = False) -> NDArray[Any]:
    """Return `value` as an array of integers or floats as they are, of whatever shape; nan and inf are among them.

    Args:
        name: What they are, as the message shall call them.
        value: What came; it is not copied if it is an array.
        booleans: Whether True and False may stand for 1 and 0.

    Raises:
        InputError: `value` is ragged, or holds anything that is no number.

    Example:
        >>> numbers("rates", [1, 2.5])
        array([1. , 2.5])
        >>> numbers("rates", [1, [2]])
        Traceback (most recent call last):
        ...
        kenyon.errors.InputError: rates must be numbers, got [1, [2]]
    """
    given = _numbers(value, "iufb" if booleans else "iuf")
    if given is None:
        raise InputError(f"{name} must be numbers, got {got(value)}")
    return given


def integers(name: str, value: Any, *, low: int = -(2**63), high: int = 2**63 - 1) -> NDArray[np.int64]:
    """Return `value` as int64 of whatever shape, every entry within [low, high].

    Raises:
        InputError: `value` is ragged, holds anything that is no integer, or an entry is out of range.

    Example:
        >>> integers("places", [[0, 2]], low=0, high=2)
        array([[0, 2]])
    """
    given = _numbers(value, "iu")
    if given is None:
        raise InputError(f"{name} must be integers, got {got(value)}")
    outside = (given < low) | (given > high)
    if outside.any():
        raise InputError(f"{name} must be integers from {low} to {high}, got {_first(given, outside)}")
    return given.astype(np.int64)


def array(
    name: str,
    value: Any,
    shape: tuple[int, ...],
    *,
    low: float = -math.inf,
    high: float = math.inf,
    unit: str = "",
) -> FloatArray:
    """Return `value` as a float64 array broadcast to `shape`, every entry finite and within [low, high].

    The last axis must be given in full, so that one number never stands for different things.

    Raises:
        InputError: `value` has another shape, is not numeric, not finite or out of range.

    Example:
        >>> array("rate", [1, 2, 3], (3,), low=0.0)
        array([1., 2., 3.])
    """
    given = _numbers(value, "iuf")
    if given is None or given.ndim > len(shape) or given.shape[-1:] != shape[-1:]:
        raise InputError(f"{name} must be numbers that fit shape {shape}, got {got(value)}")
    result = np.empty(shape)
    try:
        if given.dtype.itemsize <= result.itemsize:
            result[...] = given
        else:
            with np.errstate(over="ignore"):  # Longer floats than ours; what is too large becomes inf, and is refused.
                result[...] = given
    except ValueError:  # It cannot be broadcast.
        raise InputError(f"{name} must be numbers that fit shape {shape}, got {got(value)}") from None
    # Asked so that nan is outside as well.
    if result.size and not (
        max(low, -_MOST) <= np.minimum.reduce(result, axis=None)
        and np.maximum.reduce(result, axis=None) <= min(high, _MOST)
    ):
        good = np.isfinite(result) & (result >= low) & (result <= high)
        raise InputError(
            f"{name} must be finite{_range_words(low, high, unit)} everywhere, got {_first(result, ~good)}"
        )
    return result


def writable(name: str, value: NDArray[Any]) -> None:
    """Refuse an array that is to be changed in place and must not be: compiled code would not ask.

    Raises:
        InputError: it is read-only.

    Example:
        >>> writable("state", np.zeros(1))
    """
    if not value.flags.writeable:
        raise InputError(f"{name} must be an array that can be changed, got one that is read-only; pass a copy")


_MOST = float(np.finfo(np.float64).max)


def _numbers(value: Any, kinds: str) -> NDArray[Any] | None:
    """Return an array whose type is one of these kinds; None where `value` cannot be one."""
    if isinstance(value, _TEXTS) or (isinstance(value, np.ma.MaskedArray) and np.any(value.mask)):
        return None
    try:
        given = np.asarray(value)
    except Exception:  # noqa: BLE001  # ragged, too deep, or of a class that refuses in words of its own
        return None
    return given if given.dtype.kind in kinds else None


def got(value: Any) -> str:
    """Return how what came reads in a sentence: an array by its type and shape, all else as it is shown."""
    return f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else shown(value)


def _first(values: NDArray[Any], where: NDArray[np.bool_]) -> str:
    """Return the first entry of those marked, and its place where there are several."""
    place = tuple(int(i) for i in np.argwhere(where)[0])
    return f"{values[place]} at index {place}"


def _range_words(low: float, high: float, unit: str) -> str:
    unit = f" {unit}" if unit else ""
    if math.isfinite(low) and math.isfinite(high):
        return f" from {low:g} to {high:g}{unit}"
    if math.isfinite(low):
        return f" of at least {low:g}{unit}"
    if math.isfinite(high):
        return f" of at most {high:g}{unit}"
    return f" in{unit}" if unit else ""
