"""Changes that are made together: Ctrl-C finds all of them made, or none.

Python looks for signals between its own instructions, and a function written in C looks for none, unless it calls for
Python's own work: numpy does when it makes an array of a list. So whatever a step changes is worked out first, as
arrays, without changing anything, and then written by one call of C.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import setitem
from typing import Any

import numpy as np
from numpy.typing import NDArray

Change = Callable[[], Any]
"""A `partial` of a function written in C that returns None."""

_make: Any = partial.__call__


def at_once(changes: Iterable[Change]) -> None:
    """Make changes, none of which can fail, by one call that nothing comes between.

    Example:
        >>> clock, table = {"ticks": 1}, np.zeros(2)
        >>> at_once([update(clock, {"ticks": 2}), write(table, 0, 5.0)])
        >>> clock, table
        ({'ticks': 2}, array([5., 0.]))
    """
    any(map(_make, changes))  # Each returns None, so none ends it.


def update(words: Any, new: Mapping[Any, Any]) -> Change:
    """Return the change that updates a dictionary."""
    return partial(dict.update, words, new)


def write(array: NDArray[Any] | list[Any], place: Any, values: Any) -> Change:
    """Return the change that writes values into an array or a list."""
    if isinstance(array, np.ndarray):
        # numpy looks for signals while it makes an array of a list, so that is done now.
        place = np.array(place) if isinstance(place, list) else place
        values = np.asarray(values)
    return partial(setitem, array, place, values)


def as_it_is(array: NDArray[Any]) -> Change:
    """Return the change that makes an array again what it is now."""
    return write(array, Ellipsis, np.array(array))


def gains_as_they_are(gain: Any) -> list[Change]:
    """Return the changes that make a dictionary again what it is now, also one that is not written in C."""
    if is_plain(gain):
        return [partial(dict.clear, gain), partial(dict.update, gain, dict(gain))]
    return [partial(gain.clear), partial(gain.update, dict(gain))]


def is_plain(words: Any) -> bool:
    """Return whether a dictionary is written to by C alone, and not by methods of its own."""
    kind = type(words)
    return kind is dict or (
        issubclass(kind, dict) and kind.update is dict.update and kind.__setitem__ is dict.__setitem__
    )
