"""The wire: Larvaworld's messages between a simulation and a server, spoken exactly.

`framing` (bytes to frames), `messages` and `decoding` (bodies to messages and back) and `address` touch no socket;
`client` holds the only ones. What goes wrong is ours (`LocalProtocolError`), the peer's (`RemoteProtocolError`), or
that nobody answers (`NoAnswerError`).
"""

from kenyon.wire.address import Address
from kenyon.wire.client import close_connections, exchange
from kenyon.wire.decoding import decode
from kenyon.wire.framing import MAX_FRAME_BYTES, FrameReader, frame
from kenyon.wire.messages import Message, encode

__all__ = [
    "MAX_FRAME_BYTES",
    "Address",
    "FrameReader",
    "Message",
    "close_connections",
    "decode",
    "encode",
    "exchange",
    "frame",
]
