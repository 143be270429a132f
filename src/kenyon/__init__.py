"""Kenyon: learning and memory for virtual Drosophila larvae.

The rooms, from the top: `kenyon.cli` (the command), `kenyon.conditioning` (experiments), `kenyon.memory` (Larvaworld's
memory classes), `kenyon.mushroom_body` (the circuit and its two engines) and `kenyon.wire` (messages to a server).
Importing this package alone imports none of them.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """Return `__version__`, which takes as long to look up as a tenth of all that is imported to compute.

    Python also asks here for each part of the package, before it imports that.
    """
    if name == "__version__":
        from importlib.metadata import version

        return version("kenyon")

    from kenyon.words import shown

    raise AttributeError(f"module 'kenyon' has no attribute {shown(name)}")
