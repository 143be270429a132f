"""What is written by one call of C is written as a whole."""

import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from kenyon.mushroom_body import BALANCED
from kenyon.mushroom_body.state import newborn
from kenyon.whole import Change, as_it_is, at_once, gains_as_they_are, update, write

from .memory.interrupting import alarm, interrupted

LARVAE, ONE = newborn(BALANCED, [1, 2]).records, newborn(BALANCED, [3]).records
TABLE: Any = np.zeros((20, 3))

CHANGES: dict[str, Callable[[], Change]] = {
    "records at listed places": lambda: write(LARVAE, [0], ONE),
    "records at places": lambda: write(LARVAE, np.array([1]), ONE),
    "rows of a table": lambda: write(TABLE, [1, 2], np.ones((2, 3))),
    "a row given as a list": lambda: write(TABLE, 1, [1.0, 2.0, 3.0]),
    "an entry": lambda: write(TABLE, (1, 2), 5.0),
    "a whole table": lambda: as_it_is(TABLE),
    "an entry of a list": lambda: write([1, 2, 3], 0, 5),
    "words": lambda: update({"a": 1}, {"a": 2, "b": 3}),
    "gains": lambda: gains_as_they_are({"CS": 1.0})[1],
}


@pytest.mark.parametrize("name", CHANGES)
def test_ctrl_c_comes_before_or_after_changes_made_at_once(name: str) -> None:
    """Whatever is changed: of tens of thousands of changes, all are made or none, for signals wait for the end."""
    change, left = CHANGES[name](), 30_000

    def many() -> Iterator[Change]:
        return iter([change] * left)

    with alarm():
        for after_s in (1e-4, 1e-3, 4e-3):
            changes = many()
            interrupted(lambda changes=changes: at_once(changes), after_s)  # type: ignore[misc]  # a default holds it
            assert sum(1 for _ in changes) in (0, left)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0.0
