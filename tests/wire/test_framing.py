import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kenyon.errors import InputError, LocalProtocolError, RemoteProtocolError
from kenyon.wire import MAX_FRAME_BYTES, FrameReader, Message, decode, encode, frame


def outcome(pieces: list[bytes]) -> tuple[list[list[Message]], str | None]:
    """Return the messages of each frame of a stream that comes in these pieces, and the error it ends with."""
    reader, messages = FrameReader(), []
    try:
        for piece in pieces:
            reader.feed(piece)
            while (body := reader.next_frame()) is not None:
                messages.append(decode(body))
        reader.end()
    except RemoteProtocolError as reason:
        return messages, str(reason)
    return messages, None


BODIES = st.one_of(
    st.binary(min_size=2, max_size=30),
    st.sampled_from([b"[]", b"{}", b"[1]", encode([Message("a", 1, 0, {"reward": 0.5})])]),
)
STREAMS = st.lists(
    st.one_of(
        BODIES.map(frame),
        st.binary(max_size=12),
        st.integers(-(2**31), 2**31 - 1).map(struct.Struct("!i").pack),
        BODIES.map(frame).flatmap(lambda whole: st.integers(0, len(whole)).map(lambda end: whole[:end])),
    ),
    max_size=6,
).map(b"".join)


@given(STREAMS, st.lists(st.integers(1, 40), max_size=20))
def test_any_bytes_give_messages_or_one_error_however_they_come(stream: bytes, sizes: list[int]) -> None:
    """Any bytes at all give the same messages, and the same RemoteProtocolError or none, in whatever chunks."""
    chunks, rest = [], stream
    for size in sizes:
        chunks.append(rest[:size])
        rest = rest[size:]
    whole = outcome([stream])
    assert outcome([bytes([byte]) for byte in stream]) == whole
    assert outcome([*chunks, rest]) == whole


def test_a_frame_counts_its_own_header() -> None:
    """The length is of 4 bytes, the highest first, and includes itself: Larvaworld's frame."""
    assert frame(b"[1]") == b"\x00\x00\x00\x07[1]"


@given(st.lists(st.binary(min_size=2, max_size=50), max_size=5))
def test_what_was_framed_comes_back(bodies: list[bytes]) -> None:
    """Any number of frames in one piece give their bodies, in order, and leave nothing."""
    reader = FrameReader()
    reader.feed(b"".join(map(frame, bodies)))
    assert [reader.next_frame() for _ in bodies] == bodies
    assert reader.next_frame() is None
    assert reader.pending == 0
    reader.end()


@pytest.mark.parametrize("length", [-(2**31), -1, 0, 4, 5, MAX_FRAME_BYTES + 1, 2**31 - 1])
def test_an_impossible_length_breaks_the_stream_for_good(length: int) -> None:
    """It is refused with the header alone, nothing is kept, and every later call says the same."""
    reader = FrameReader()
    with pytest.raises(RemoteProtocolError, match=f"must announce 6 to 16777216 bytes, got {length};") as first:
        reader.feed(struct.pack("!i", length))
    assert reader.pending == 0
    for call in (lambda: reader.feed(frame(b"[]")), reader.next_frame, reader.end):
        with pytest.raises(RemoteProtocolError) as later:
            call()
        assert str(later.value) == str(first.value)
    assert reader.pending == 0


def test_an_impossible_length_does_not_take_back_the_frame_before_it() -> None:
    """A whole frame is given out first, also if both came in one piece."""
    reader = FrameReader()
    reader.feed(frame(b"[]") + b"\xff\xff\xff\xff")
    assert reader.next_frame() == b"[]"
    with pytest.raises(RemoteProtocolError, match="got -1"):
        reader.next_frame()


@pytest.mark.parametrize("kept", range(1, 7))
def test_an_end_within_a_frame_is_refused(kept: int) -> None:
    """At whatever byte the peer closes; before the first byte it may."""
    reader = FrameReader()
    FrameReader().end()
    reader.feed(frame(b"[1]")[:kept])
    with pytest.raises(RemoteProtocolError, match=f"must end between frames, got its end {kept} bytes into"):
        reader.end()
    with pytest.raises(RemoteProtocolError, match="must end between frames"):
        reader.next_frame()


def test_whole_frames_can_be_taken_after_the_end() -> None:
    """The end is refused only where a part of a frame is what is left."""
    reader = FrameReader()
    reader.feed(frame(b"[1]") + frame(b"[2]")[:5])
    reader.end()
    assert reader.next_frame() == b"[1]"
    with pytest.raises(RemoteProtocolError, match="5 bytes into 7 bytes"):
        reader.next_frame()


def test_nothing_is_fed_after_the_end() -> None:
    """That is a mistake of ours, not of the peer."""
    reader = FrameReader()
    reader.end()
    with pytest.raises(LocalProtocolError, match="must end once, got 2 bytes after"):
        reader.feed(b"[]")


def test_sizes_at_the_limit() -> None:
    """The limit counts the header, is itself allowed, and holds on both sides."""
    body = b"x" * 16
    reader = FrameReader(limit=20)
    reader.feed(frame(body, limit=20))
    assert reader.next_frame() == body
    with pytest.raises(LocalProtocolError, match="must be of 6 to 20 bytes, got 21"):
        frame(body + b"x", limit=20)
    with pytest.raises(LocalProtocolError, match="got 5"):
        frame(b"x")
    with pytest.raises(RemoteProtocolError, match="got 21"):
        reader.feed(frame(body + b"x"))


@pytest.mark.parametrize("limit", [0, 5, 2**31, True, 8.0])
def test_a_limit_is_what_a_header_can_say(limit: int) -> None:
    """Anything else is refused before a byte is read."""
    with pytest.raises(InputError, match="limit must be an integer of at least 6"):
        FrameReader(limit=limit)
    with pytest.raises(InputError, match="limit must be an integer of at least 6"):
        frame(b"[]", limit=limit)


def test_a_large_frame_passes_in_small_pieces() -> None:
    """10 MB in pieces of 1 kB, of which none may move all that came before it."""
    body = bytes(range(256)) * 40_000
    stream, reader = frame(body), FrameReader()
    for start in range(0, len(stream), 1000):
        assert reader.next_frame() is None
        reader.feed(stream[start : start + 1000])
    assert reader.next_frame() == body


def test_many_small_frames_in_one_piece_pass() -> None:
    """Likewise 300 000 of them that came at once, each taken from the front."""
    reader = FrameReader()
    reader.feed(frame(b"[]") * 300_000)
    assert sum(reader.next_frame() == b"[]" for _ in range(300_000)) == 300_000
    assert reader.next_frame() is None


def test_memory_is_taken_for_what_came_not_for_what_was_announced() -> None:
    """A header that announces 16 MB costs a header."""
    reader = FrameReader()
    tracemalloc.start()
    try:
        reader.feed(struct.pack("!i", MAX_FRAME_BYTES))
        assert reader.next_frame() is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
