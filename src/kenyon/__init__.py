"""Kenyon: learning and memory for virtual Drosophila larvae.

The rooms, from the top: `kenyon.cli` (the command), `kenyon.conditioning` (experiments), `kenyon.memory` (Larvaworld's
memory classes), `kenyon.mushroom_body` (the circuit and its two engines) and `kenyon.wire` (messages to a server).
Importing this package alone imports none of them.
"""

from importlib.metadata import version as _version

__version__ = _version("kenyon")
