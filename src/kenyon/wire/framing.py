"""Frames: where one body of bytes ends and the next begins.

Law of this file: bytes come in and bytes go out. No socket, no clock, no JSON; nothing is set aside on the word of an
announced length, only for bytes that have come.
"""

import struct

from kenyon.checks import integer
from kenyon.errors import LocalProtocolError, RemoteProtocolError

# A larva's snapshot or a frame of hundreds of larvae, 10 MB at most, must pass; what announces more is no peer of ours.
MAX_FRAME_BYTES = 16 * 2**20

_HEADER = struct.Struct("!i")
_LEAST = _HEADER.size + len("[]")  # The shortest list JSON can say.
_MOST = 2**31 - 1  # What a signed header can say.


def frame(body: bytes, *, limit: int = MAX_FRAME_BYTES) -> bytes:
    r"""Return a body with its header, ready to be sent in one write.

    Args:
        body: What the frame shall carry, at least 2 bytes.
        limit: Most bytes the frame may have, its header included.

    Returns:
        The header, 4 bytes that say how many bytes the frame has (theirs included), then the body.

    Raises:
        LocalProtocolError: `body` is too short or too long for a frame.
        InputError: `limit` is no size that a header can say.

    Example:
        >>> frame(b"[]")
        b'\x00\x00\x00\x06[]'
    """
    limit = integer("limit", limit, low=_LEAST, high=_MOST)
    length = _HEADER.size + len(body)
    if not _LEAST <= length <= limit:
        raise LocalProtocolError(
            f"a frame must be of {_LEAST} to {limit} bytes, got {length}; send fewer or smaller messages at once, "
            "or raise the limit on both sides"
        )
    return _HEADER.pack(length) + body


class FrameReader:
    r"""Cuts a stream of bytes into the bodies of its frames, however the stream is chopped up.

    A stream that was broken once stays broken: the same error comes from every later call.

    Args:
        limit: Most bytes a frame may have, its header included.

    Raises:
        InputError: `limit` is no size that a header can say.

    Example:
        >>> reader = FrameReader()
        >>> reader.feed(b"\x00\x00\x00\x06[")
        >>> reader.next_frame() is None
        True
        >>> reader.feed(b"]")
        >>> reader.next_frame()
        b'[]'
    """

    def __init__(self, *, limit: int = MAX_FRAME_BYTES) -> None:
        self._limit = integer("limit", limit, low=_LEAST, high=_MOST)
        # Bytes are appended at its end and deleted at its front, and Python does both without moving the rest.
        self._buffer = bytearray()
        self._fault: str | None = None
        self._ended = False

    @property
    def pending(self) -> int:
        """Bytes that were fed and belong to no frame yet taken."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream, any number of them.

        Raises:
            RemoteProtocolError: the frame they belong to announces an impossible length.
            LocalProtocolError: the stream has been said to have ended.
        """
        self._refuse_if_broken()
        if self._ended and data:
            raise LocalProtocolError(
                f"a stream must end once, got {len(data)} bytes after its end; start another reader"
            )
        self._buffer += data
        self._length()

    def next_frame(self) -> bytes | None:
        """Return the body of the next frame, or None if more bytes are needed for it.

        Raises:
            RemoteProtocolError: the frame announces an impossible length, or the stream ended within it.
        """
        self._refuse_if_broken()
        length = self._length()
        if length is None or len(self._buffer) < length:
            if self._ended and self._buffer:
                whole = "a header of 4 bytes" if length is None else f"{length} bytes"
                self._break(
                    f"a stream must end between frames, got its end {len(self._buffer)} bytes into {whole}; "
                    "see why the peer closed"
                )
            return None
        body = bytes(self._buffer[_HEADER.size : length])
        del self._buffer[:length]
        return body

    def end(self) -> None:
        """Take note that the peer closed; frames that are whole can still be taken.

        Raises:
            RemoteProtocolError: the stream ended within the frame that is next.
        """
        self._refuse_if_broken()
        self._ended = True
        length = self._length()
        if length is None or len(self._buffer) < length:
            self.next_frame()

    def _length(self) -> int | None:
        """Return the length that the frame at the front announces, if that has come."""
        if len(self._buffer) < _HEADER.size:
            return None
        length: int = _HEADER.unpack_from(self._buffer)[0]
        if not _LEAST <= length <= self._limit:
            self._break(
                f"a frame must announce {_LEAST} to {self._limit} bytes, got {length}; check that the peer speaks "
                "Larvaworld's protocol"
            )
        return length

    def _break(self, fault: str) -> None:
        self._fault = fault
        self._buffer = bytearray()
        self._refuse_if_broken()

    def _refuse_if_broken(self) -> None:
        if self._fault is not None:
            raise RemoteProtocolError(self._fault)
