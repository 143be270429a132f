"""What a process does before commands are forked off it: import all that a server needs, and load the compiled code."""

from kenyon import cli
from kenyon.mushroom_body import BALANCED
from kenyon.server import journal_reader, ready, service
from kenyon.server.computing import computer

__all__ = ["cli", "journal_reader", "ready", "service"]

computer("kernel", BALANCED)
