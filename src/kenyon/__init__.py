"""Kenyon: learning and memory for virtual Drosophila larvae.

The rooms, from the top: `kenyon.cli` (the command), `kenyon.conditioning` (experiments), `kenyon.mushroom_body`
(the circuit and its two engines). Importing this package alone imports none of them.
"""

from importlib.metadata import version as _version

__version__ = _version("kenyon")
