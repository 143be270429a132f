"""Refuses bad values where they enter, in one sentence each.

Every check returns the value in the type the code behind it works with.
"""

import math
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kenyon.errors import InputError
from kenyon.words import shown

FloatArray = NDArray[np.float64]

Kind = TypeVar("Kind")


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
    if plain or (not isinstance(value, (bool, np.bool_)) and isinstance(value, Real)):
        try:
            result = float(value)  # type: ignore[arg-type]  # it is a number
        except OverflowError:
            result = math.inf
        if math.isfinite(result) and low <= result <= high:
            return result
    raise InputError(f"{name} must be a finite number{_range_words(low, high, unit)}, got {shown(value)}")


def integer(name: str, value: object, *, low: int, high: int | None = None) -> int:
    """Return `value` as an int within [low, high].

    Raises:
        InputError: `value` is no integer or out of range.

    Example:
        >>> integer("larvae", 30, low=1)
        30
    """
    # Plain ones first, as above.
    if type(value) is int or (not isinstance(value, bool) and isinstance(value, Integral)):
        result = int(value)
        if low <= result and (high is None or result <= high):
            return result
    upper = "" if high is None else f" and at most {high}"
    raise InputError(f"{name} must be an integer of at least {low}{upper}, got {shown(value)}")


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
    """Return the entries of a sequence, which no single number or text is.

    Raises:
        InputError: `values` is no sequence.

    Example:
        >>> several("seeds", range(3))
        [0, 1, 2]
    """
    if isinstance(values, Iterable) and not isinstance(values, (str, bytes)):
        return list(values)
    raise InputError(f"{name} must be a sequence, got {shown(values)}")


def nearest(value: object, known: Iterable[str]) -> str:
    """Return a half-sentence that names the known words nearest to `value`."""
    by_lowercase = {word.lower(): word for word in known}
    # Comparing takes time with the length of the word, and nothing so long is near to any.
    close = [by_lowercase[word] for word in get_close_matches(str(value)[:100].lower(), by_lowercase, n=3)]
    if close:
        return "did you mean " + " or ".join(repr(word) for word in close) + "?"
    words = list(by_lowercase.values())
    if len(words) > 12:
        return f"there are {len(words)}, such as " + ", ".join(words[:3])
    return "known are " + ", ".join(words)


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
    try:
        given = np.asarray(value)
        if given.dtype.kind not in "iuf" or given.shape[-1:] != shape[-1:]:
            raise ValueError  # noqa: TRY301  # answered below, as what numpy itself refuses
        result = np.array(np.broadcast_to(given, shape), dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        got = f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else shown(value)
        raise InputError(f"{name} must be numbers that fit shape {shape}, got {got}") from None
    good = np.isfinite(result) & (result >= low) & (result <= high)
    if not good.all():
        where = tuple(int(i) for i in np.argwhere(~good)[0])
        raise InputError(
            f"{name} must be finite{_range_words(low, high, unit)} everywhere, got {result[where]} at index {where}"
        )
    return result


def _range_words(low: float, high: float, unit: str) -> str:
    unit = f" {unit}" if unit else ""
    if math.isfinite(low) and math.isfinite(high):
        return f" from {low:g} to {high:g}{unit}"
    if math.isfinite(low):
        return f" of at least {low:g}{unit}"
    if math.isfinite(high):
        return f" of at most {high:g}{unit}"
    return f" in{unit}" if unit else ""
