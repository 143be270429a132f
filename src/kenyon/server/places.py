"""The places for connections, and who holds them: a client's is its own, a stranger's is anybody's.

A stranger is a connection of whom nothing was accepted yet. Where all places are held, the oldest stranger that has had
its chance gives way to a newcomer; so nobody can keep those out who have the token.
"""

from kenyon.errors import RefusedError
from kenyon.server.connection import Connection

_MOST_LINGERING = 32
"""Connections that may take their time to read why they must go: fewer than the files that are spared for them."""


class Places:
    """Who is connected.

    Args:
        most: How many places there are.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        # In the order of their coming; of these, the strangers; and those who were told to go.
        self._held: dict[Connection, None] = {}
        self._strangers: dict[Connection, None] = {}
        self._going: set[Connection] = set()

    def __len__(self) -> int:
        """Return how many are held."""
        return len(self._held)

    def everybody(self) -> list[Connection]:
        """Return every connection, those included that were told to go."""
        return [*self._held, *self._going]

    def admit(self, connection: Connection, now: float) -> None:
        """Give a connection a place, or tell it to go, or another in its place."""
        going: Connection | None = None
        if len(self._held) >= self._most:
            stranger = next((one for one in self._strangers if one.can_give_way(now)), None)
            going = connection if stranger is None else stranger
            self.leave(going)
        if going is not connection:
            self._held[connection] = self._strangers[connection] = None
        if going is not None:
            self._going.add(going)
            refusal = RefusedError(
                f"the server must have at most {self._most} connections, got one more; ask later", "busy", None, 1.0
            )
            going.bid_farewell(refusal, at_once=len(self._going) > _MOST_LINGERING)

    def know(self, connection: Connection) -> None:
        """Take note that something was accepted of a connection: it is a client's."""
        self._strangers.pop(connection, None)

    def leave(self, connection: Connection) -> None:
        """Take note that a connection has ended."""
        self._held.pop(connection, None)
        self._strangers.pop(connection, None)
        self._going.discard(connection)
