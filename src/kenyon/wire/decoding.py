"""Decoding: from a body to its messages, all at once, or a piece at a time for those who have other things to do.

Law of this file: a body goes in and messages come out, under the limits of `messages`. No socket, no frame, no clock.
"""

import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from kenyon.errors import RemoteProtocolError
from kenyon.wire.messages import (
    FIELDS,
    MAX_DEPTH,
    MAX_INTEGER_DIGITS,
    TOO_DEEP,
    TOO_LONG,
    WIRE_CLASS,
    Message,
    check,
    check_text,
    check_values,
    long_integer,
)
from kenyon.words import shown

PIECE_CHARACTERS = 4096
"""As much as is read at once: 25 steps, which takes about 0.15 ms."""

_BLANKS = re.compile(r"[ \t\n\r]*")


def decode(body: bytes) -> list[Message]:
    """Return the messages that a body says.

    Raises:
        RemoteProtocolError: the body is anything but a list of messages in strict JSON.

    Example:
        >>> decode(b'[{"class": "BrianInterfaceMessage", "args": ["a", 1, 0], "kwargs": {"reward": 1.0}}]')
        [Message(sim_id='a', model_id=1, step=0, kwargs={'reward': 1.0})]
    """
    said = _read_quickly(body)
    return [_message(entry) for entry in (_read_strictly(body) if said is None else said)]


def decode_pieces(body: bytes, *, most: int, piece: int = PIECE_CHARACTERS) -> Iterator[list[Message]]:
    """Yield the messages of a body a piece at a time, so that no single one of them takes long.

    What `decode` refuses is refused here too, when its piece is reached.

    Args:
        body: The body.
        most: Most characters of a message.
        piece: Characters read at once, unless a message has more.

    Raises:
        RemoteProtocolError: the body is anything but a list of messages in strict JSON, or one of them is too long.

    Example:
        >>> from kenyon.wire.messages import encode
        >>> body = encode([Message("a", larva, 0) for larva in range(5)])
        >>> [len(messages) for messages in decode_pieces(body, most=1000, piece=150)]
        [2, 2, 1]
    """
    piece = min(piece, most)
    if len(body) <= piece:
        yield decode(body)
        return
    try:
        text = body.decode("utf-8")
    except ValueError as reason:
        raise _not_strict(reason) from None
    place = _after_blanks(text, 0)
    if text[place : place + 1] != "[":
        raise RemoteProtocolError(f"a frame must hold a list of messages, got {shown(text)}; check what the peer sends")
    place, size, is_over = _after_blanks(text, place + 1), piece, False
    if text[place : place + 1] == "]":
        place, is_over = place + 1, True
    while not is_over:
        window = text[place : place + size]
        said, end, is_over = _front(_QUICK_DECODER, window)
        if said:
            if not _is_strict(said, window[:end]):
                said = _strictly(window[:end], is_over=is_over)
            yield [_message(entry) for entry in said]
            place, size = _after_blanks(text, place + end), piece
        elif size < min(most, len(text) - place):
            size = most
        elif place + size < len(text):
            raise RemoteProtocolError(
                f"a message must be strict JSON of at most {most} characters, got none within as many; ask for less at "
                "once"
            )
        else:
            raise _unreadable(window)
    if _after_blanks(text, place) < len(text):
        raise _not_strict(json.JSONDecodeError("Extra data", text[:place], place))


def _front(decoder: json.JSONDecoder, text: str) -> tuple[list[Any], int, bool]:
    """Return the whole entries at the front of a list's text, where the rest begins, and whether the list is over."""
    said: list[Any] = []
    place = 0
    while True:
        try:
            entry, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError, RemoteProtocolError):
            return said, place, False  # Cut off, or wrong: which, the next piece shows.
        end = _after_blanks(text, end)
        if text[end : end + 1] not in (",", "]"):
            return said, place, False  # As above.
        said.append(entry)
        place = end + 1
        if text[end] == "]":
            return said, place, True
        place = _after_blanks(text, place)


def _strictly(text: str, *, is_over: bool) -> list[Any]:
    """Return the entries of a piece that was read quickly, or say what is wrong with them."""
    return _read_strictly(f"[{text}" if is_over else f"[{text.rstrip()[:-1]}]")


def _unreadable(text: str) -> RemoteProtocolError:
    """Return why the message at the front of a list's text cannot be read."""
    try:
        _DECODER.raw_decode(text)
    except RemoteProtocolError as refused:
        return refused
    except RecursionError:
        return RemoteProtocolError(TOO_DEEP)
    except ValueError as reason:
        return _not_strict(reason)
    return _not_strict(json.JSONDecodeError("Expecting ',' delimiter", text, len(text)))


def _after_blanks(text: str, place: int) -> int:
    found = _BLANKS.match(text, place)
    return place if found is None else found.end()


def _read_quickly(body: bytes) -> list[Any] | None:
    """Return the list that a body says where that is strict beyond doubt; None where there is any doubt.

    Half the work of reading strictly, for Python's own reader is asked nothing in between.
    """
    try:
        text = body.decode("utf-8")
        said = _QUICK_DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, list) and _is_strict(said, text) else None


def _is_strict(said: list[Any], text: str) -> bool:
    r"""Return whether what was read quickly is strict beyond doubt.

    Python's reader lets pass what is looked for here: a name said twice (each is followed by a colon, so that there are
    fewer names than colons), numbers that are not finite or too long, too many levels, and halves of characters, always
    spelled `\uD...`.
    """
    if "\\u" in text:
        return False
    names = 0
    level: list[Any] = [said]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is int:
                if not -TOO_LONG < value < TOO_LONG:
                    return False
            elif kind is float:
                if not math.isfinite(value):
                    return False
            elif kind is list:
                below += value
            elif kind is dict:
                names += len(value)
                below += value.values()
        if not below:
            return names == text.count(":")
        level = below
    return False


def _read_strictly(body: bytes | str) -> list[Any]:
    """Return the list that a body says, or say what is wrong with it."""
    try:
        text = body if isinstance(body, str) else body.decode("utf-8")
        said = _DECODER.decode(text)
    except RecursionError:
        raise RemoteProtocolError(TOO_DEEP) from None
    except ValueError as reason:
        raise _not_strict(reason) from None
    if not isinstance(said, list):
        raise RemoteProtocolError(f"a frame must hold a list of messages, got {shown(said)}; check what the peer sends")
    check_values(said, RemoteProtocolError)
    check_text(said, text, RemoteProtocolError)
    return said


def _not_strict(reason: ValueError) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"the body of a frame must be strict JSON in UTF-8, but {reason}; check what the peer sends"
    )


def _message(said: object) -> Message:
    """Return the message that one entry of a frame's list says."""
    if not isinstance(said, dict) or said.keys() != FIELDS:
        raise RemoteProtocolError(
            f"a message must be an object of class, args and kwargs, got {shown(said)}; check what the peer sends"
        )
    if said["class"] != WIRE_CLASS:
        raise RemoteProtocolError(
            f"the class of a message must be {WIRE_CLASS}, got {shown(said['class'])}; check what the peer sends"
        )
    args = said["args"]
    if not isinstance(args, list) or len(args) != 3:
        raise RemoteProtocolError(
            f"the args of a message must be [sim_id, model_id, step], got {shown(args)}; check what the peer sends"
        )
    check(args, said["kwargs"], RemoteProtocolError)
    sim_id, model_id, step = args
    return Message(sim_id, model_id, step, said["kwargs"])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise RemoteProtocolError(
            f"an object must say each name once, got {shown(twice)} more than once; check what the peer sends"
        )
    return result


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise RemoteProtocolError(f"a number must be finite, got {shown(digits)}; check what the peer sends")
    return value


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_INTEGER_DIGITS:
        raise RemoteProtocolError(long_integer())
    return int(digits)


def _constant(name: str) -> float:
    raise RemoteProtocolError(f"a number must be finite, got {name}; check what the peer sends")


# Python itself refuses integers that would take long to read, unless it is an early 3.10 or was told not to.
_QUICK_DECODER = json.JSONDecoder(
    parse_int=None if 0 < getattr(sys, "get_int_max_str_digits", int)() <= 10_000 else _integer
)
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_int=_integer, parse_constant=_constant)
