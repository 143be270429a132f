"""The words by which a server refuses a request: `error_code` in a reply, with one sentence in `error`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "frame": "no frame can be read; the connection is closed",
        "message": "the frame is no list of messages in strict JSON, or a message names no larva",
        "field": "a value of the request is missing, unknown, of another type or out of range",
        "odor": "an odor is unknown",
        "limit": "more than the server takes at once",
        "step": "a step ahead or behind, or the step just done with other content; `expected_step` says which is next",
        "two_clients": "another client is stepping this larva; give each simulation an id of its own",
        "unknown_larva": "there is no such larva here",
        "seed": "the larva has another seed",
        "snapshot": "the snapshot cannot be read, or is of other parameters",
        "token": "the token is missing or another",
        "busy": "too much is waiting, or the server is stopping; ask again after `retry_after_s`",
        "larvae": "the server keeps as many larvae as it may",
        "storage": "the state directory cannot be written to, or this larva in it is damaged; nothing was done",
        "internal": "a fault of the server; nothing was done, and its log says more",
    }
)
"""What each code means."""
