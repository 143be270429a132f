"""Messages: what one frame's body says about which larvae.

Law of this file: a body goes in and messages come out, or the other way round. No socket, no frame, no default: what is
absent stays absent. Both directions obey one set of limits, so that whatever is read here can be sent on.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kenyon.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from kenyon.words import shown

WIRE_CLASS = "BrianInterfaceMessage"
MAX_ID_LENGTH = 200  # characters
# Python gives up somewhere between 300 and 10000 levels, by version; what is nested deeper is no message anyway.
MAX_DEPTH = 64
# Reading a longer integer takes time with the square of its length; 640 digits is the least that Python may be set to.
MAX_INTEGER_DIGITS = 640
# The stock class takes these as its own arguments, and what it is given twice it refuses.
RESERVED = ("self", "sim_id", "model_id", "step")

FIELDS = {"class", "args", "kwargs"}
_LOWEST_INTEGER, _HIGHEST_INTEGER = -(2**63), 2**63 - 1
TOO_LONG = 10**MAX_INTEGER_DIGITS

Id = str | int


@dataclass(frozen=True)
class Message:
    """One larva's request, or the reply to it.

    Attributes:
        sim_id: The simulation: text of at most 200 characters, or an integer within 64 bits.
        model_id: The larva within it, likewise; `1` and `"1"` are two larvae.
        step: 0, 1, 2, ... per larva.
        kwargs: What is asked or answered, by name: anything strict JSON can say.

    The three ids are None, all together, in the reply to a request whose ids could not be read.

    Example:
        >>> Message("PItrain_1", 0, 0, {"odor_id": 0}).args
        ('PItrain_1', 0, 0)
    """

    sim_id: Id | None
    model_id: Id | None
    step: int | None
    kwargs: dict[str, Any] = field(default_factory=dict)

    @property
    def args(self) -> tuple[Id | None, Id | None, int | None]:
        """What names the larva and its step, in the order of the wire."""
        return self.sim_id, self.model_id, self.step


def spelling(kwargs: Mapping[str, Any]) -> str:
    """Return what JSON says for kwargs.

    Raises:
        TypeError, ValueError: JSON cannot say them.

    Example:
        >>> spelling({"MBONp": 60.0})
        '{"MBONp": 60.0}'
    """
    return _ENCODER.encode(kwargs)


def encode(messages: Sequence[Message]) -> bytes:
    """Return the body that says these messages, byte for byte as Larvaworld writes it.

    Args:
        messages: Any number of messages, none included.

    Raises:
        LocalProtocolError: a message holds what the wire cannot carry.

    Example:
        >>> encode([Message("a", 1, 0, {"reward": 1.0})])
        b'[{"class": "BrianInterfaceMessage", "args": ["a", 1, 0], "kwargs": {"reward": 1.0}}]'
    """
    if not isinstance(messages, Sequence) or not all(isinstance(message, Message) for message in messages):
        raise LocalProtocolError(f"messages must be a sequence of Message, got {shown(messages)}; put them in a list")
    for message in messages:
        check(message.args, message.kwargs, LocalProtocolError)
    said = [{"class": WIRE_CLASS, "args": list(message.args), "kwargs": dict(message.kwargs)} for message in messages]
    try:
        text = _ENCODER.encode(said)
    except RecursionError:
        raise LocalProtocolError(TOO_DEEP) from None
    except (TypeError, ValueError) as reason:
        # Python's own words for it would advise to lift its limit.
        if "integer string conversion" in str(reason):
            raise LocalProtocolError(long_integer()) from None
        raise LocalProtocolError(
            f"a message must hold only what strict JSON can say, but {reason}; give finite numbers, texts, lists, and "
            "dictionaries by text"
        ) from None
    # Asked last, for the walk would never leave a list that holds itself.
    check_values(said, LocalProtocolError)
    check_text(said, text, LocalProtocolError)
    return text.encode("ascii")


def encode_replies(messages: Sequence[Message], replies: Sequence[str]) -> bytes:
    """Return the body that answers messages which were read here, each with the `spelling` of kwargs.

    They are said as `encode` would, with a tenth of the work, for nothing is wrong with them.

    Example:
        >>> encode_replies([Message("a", 1, 0, {"T": 100})], [spelling({"MBONp": 60.0})])
        b'[{"class": "BrianInterfaceMessage", "args": ["a", 1, 0], "kwargs": {"MBONp": 60.0}}]'
    """
    return join_replies([spell_reply(message, reply) for message, reply in zip(messages, replies, strict=True)])


def spell_reply(message: Message, reply: str) -> str:
    """Return what `encode_replies` says of one message."""
    return (
        f'{{"class": "{WIRE_CLASS}", "args": [{_spelled(message.sim_id)}, {_spelled(message.model_id)}, '
        f'{_spelled(message.step)}], "kwargs": {reply}}}'
    )


def join_replies(said: Sequence[str]) -> bytes:
    """Return the body of what `spell_reply` said of each message."""
    return f"[{', '.join(said)}]".encode("ascii")


def refuse_foreign(messages: Sequence[Message], replies: Sequence[Message]) -> None:
    """Refuse replies that are not, one by one, to these messages; None for all ids is a reply to any.

    Raises:
        RemoteProtocolError: there are more or fewer replies, or one names another larva or step.

    Example:
        >>> refuse_foreign([Message("a", 1, 0)], [Message("a", 1, 0, {"MBONp": 60.0})])
    """
    if len(replies) != len(messages):
        raise RemoteProtocolError(
            f"a reply must have as many messages as the request, {len(messages)}, got {len(replies)}; "
            "check what the server sends"
        )
    for message, reply in zip(messages, replies, strict=True):
        # Equal is the same here: on the wire ids are text or whole numbers, and no text equals a number.
        if reply.args not in (message.args, (None, None, None)):
            raise RemoteProtocolError(
                f"a reply must name the larva and step asked for, {shown(message.args)}, got {shown(reply.args)}; "
                "check what the server sends"
            )


def _spelled(part: Id | None) -> str:
    """Return what JSON says for a part of what names a larva."""
    # The encoder takes ten times as long for a number alone as for a text.
    return str(part) if type(part) is int else _ENCODER.encode(part)


def check(args: Sequence[object], kwargs: object, error: type[ProtocolError]) -> None:
    """Refuse ids, a step or kwargs that no message can have."""
    sim_id, model_id, step = args
    if not (sim_id is None and model_id is None and step is None):
        for name, value in (("sim_id", sim_id), ("model_id", model_id)):
            if not (isinstance(value, str) and len(value) <= MAX_ID_LENGTH) and not _is_integer(value):
                raise error(
                    f"{name} must be text of at most {MAX_ID_LENGTH} characters or an integer within 64 bits, "
                    f"got {shown(value)}; choose another"
                )
        if not _is_integer(step, low=0):
            raise error(
                f"step must be a whole number of at least 0 within 64 bits, got {shown(step)}; count steps from 0"
            )
    if not isinstance(kwargs, dict):
        raise error(f"the kwargs of a message must be values by name, got {shown(kwargs)}; pass at least {{}}")
    for name in RESERVED:
        if name in kwargs:
            raise error(
                f"kwargs must not be named {', '.join(RESERVED)}, got {shown(name)}, which Larvaworld's class cannot "
                "take; name it otherwise"
            )


def _is_integer(value: object, low: int = _LOWEST_INTEGER) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= _HIGHEST_INTEGER


def check_values(said: list[Any], error: type[ProtocolError]) -> None:
    """Refuse, level by level, names that are no text, integers that are too long, and too many levels."""
    level: list[Any] = [said]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                for key in value:
                    # Otherwise 1 would be sent as "1", and come back as another name.
                    if not isinstance(key, str):
                        raise error(f"a name within kwargs must be text, got {shown(key)}; write it as text")
                below.extend(value.values())
            elif isinstance(value, (list, tuple)):
                below.extend(value)
            elif isinstance(value, int) and not -TOO_LONG < value < TOO_LONG:
                raise error(long_integer())
        if not below:
            return
        level = below
    raise error(TOO_DEEP)


def check_text(said: list[Any], text: str, error: type[ProtocolError]) -> None:
    r"""Refuse halves of a character, which JSON can spell but UTF-8 cannot.

    Two halves that meet by chance would also come back as one character. They are always spelled `\uD...`.
    """
    if "\\u" not in text:
        return
    try:
        _PLAIN_ENCODER.encode(said).encode("utf-8")
    except UnicodeEncodeError as reason:
        half = reason.object[reason.start]
        raise error(f"text must be whole characters, got the half {half!a} of one; repair the text") from None


TOO_DEEP = f"messages must be nested at most {MAX_DEPTH} levels deep, got more; flatten what they hold"


def long_integer() -> str:
    """Return the words for an integer that is too long."""
    return f"an integer must be of at most {MAX_INTEGER_DIGITS} digits, got a longer one; send it as text"


# Made once: they cost more than a small message.
_ENCODER = json.JSONEncoder(allow_nan=False)
_PLAIN_ENCODER = json.JSONEncoder(ensure_ascii=False)
