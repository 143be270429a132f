"""Memories that nothing tells apart: they draw the same numbers, as if they were one larva, and are told so.

They do not get distinct ids of their own, for then a larva's numbers would depend on how many memories the program had
made before, and a cell of a notebook that is run twice would give two results. In a host ids come from the brain.
"""

import gc
import warnings
import weakref
from typing import Any

from kenyon.errors import CloneWarning

_alive: dict[tuple[Any, ...], "weakref.WeakSet[Any]"] = {}


def begin(memory: Any, *identity: Any) -> None:
    """Note that a memory without an id begins to draw; warn if another that is alive draws the same.

    Args:
        memory: Which.
        *identity: What its stream comes from.
    """
    if memory._copied:
        return
    others = _alive.setdefault(identity, weakref.WeakSet())
    if any(other is not memory for other in others):
        gc.collect()  # Those that nobody holds any more are no larvae.
    if any(other is not memory for other in others):
        warnings.warn(
            "several memories without an id have the same seed, and so draw the same numbers, as if they were one "
            "larva; pass model_id= to each, another one for another larva, or the same where that is meant",
            CloneWarning,
            stacklevel=2,
        )
    others.add(memory)
