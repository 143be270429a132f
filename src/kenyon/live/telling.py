"""Where sources of messages say them, and whom the browsers look at."""

from collections.abc import Mapping
from typing import Any, Protocol


class Telling(Protocol):
    """What a source tells its messages; `stream.Stream` is one."""

    def say(self, message: Mapping[str, Any]) -> None:
        """Tell one message more."""

    @property
    def chosen(self) -> frozenset[int]:
        """The places of larvae whose cells somebody looks at."""
