"""What a connection is doing, and what may follow: one value and one table."""

from collections.abc import Mapping
from enum import Enum


class ConnectionState(Enum):
    """What a connection is doing."""

    IDLE = "it waits for a frame to be whole"
    READING = "the messages of a frame are being read"
    ANSWERING = "they are being answered"
    STUCK = "the client does not take its reply"
    LEAVING = "nobody is there any more, or has been told to go; what was written is still sent"
    CLOSED = "it is over"

    __hash__ = object.__hash__
    """There is one of each, and a state is looked up three times a frame: Enum's own is written in Python."""


_END = frozenset({ConnectionState.LEAVING, ConnectionState.CLOSED})

NEXT: Mapping[ConnectionState, frozenset[ConnectionState]] = {
    ConnectionState.IDLE: _END | {ConnectionState.READING, ConnectionState.STUCK},
    ConnectionState.READING: _END | {ConnectionState.ANSWERING},
    ConnectionState.ANSWERING: _END | {ConnectionState.IDLE},
    ConnectionState.STUCK: _END | {ConnectionState.IDLE},
    ConnectionState.LEAVING: frozenset({ConnectionState.CLOSED}),
    ConnectionState.CLOSED: frozenset(),
}
"""What may follow a state."""
