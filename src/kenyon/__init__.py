"""Kenyon: learning and memory for virtual Drosophila larvae.

The rooms, from the top: `kenyon.cli` (the command), `kenyon.conditioning` (experiments), `kenyon.memory` (Larvaworld's
memory classes), `kenyon.mushroom_body` (the circuit and its two engines) and `kenyon.wire` (messages to a server).
Importing this package alone imports none of them.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """Return `__version__`, which takes as long to look up as a tenth of all that is imported to compute."""
    from importlib.metadata import version

    from kenyon.words import shown

    if name != "__version__":
        raise AttributeError(f"module 'kenyon' has no attribute {shown(name)}")

    return version("kenyon")
