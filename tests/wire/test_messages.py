import json
import math
from collections.abc import Callable
from enum import IntEnum
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kenyon.errors import LocalProtocolError, RemoteProtocolError
from kenyon.wire import Message, decode, encode
from kenyon.wire.decoding import _read_quickly, _read_strictly, decode_pieces
from kenyon.wire.messages import encode_replies, spelling

TEXTS = st.text(max_size=20)  # hypothesis leaves half characters out
IDS = TEXTS | st.integers(-(2**63), 2**63 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)
NAMES = TEXTS.filter(lambda name: name not in {"self", "sim_id", "model_id", "step"})
MESSAGES = st.builds(Message, IDS, IDS, st.integers(0, 2**63 - 1), st.dictionaries(NAMES, VALUES, max_size=5))


def body(args: str = '["a", 1, 0]', kwargs: str = "{}", name: str = '"BrianInterfaceMessage"') -> bytes:
    """Return the body of one message, its parts spelled out."""
    return f'[{{"class": {name}, "args": {args}, "kwargs": {kwargs}}}]'.encode()


def label(value: Any) -> str:
    """Return a short name of a test case, for some values cannot even be printed."""
    return ascii(value)[:30] if isinstance(value, (str, bytes)) else type(value).__name__


def types(value: Any) -> Any:
    """Return a value with the type of everything in it, so that 1, 1.0 and True differ."""
    if isinstance(value, dict):
        return {name: types(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [types(inner) for inner in value]
    return type(value), value


@given(st.lists(MESSAGES, max_size=4))
def test_what_was_said_comes_back(messages: list[Message]) -> None:
    """Every message, value and type; and the bytes are those of Larvaworld's own json.dumps."""
    said = encode(messages)
    back = decode(said)
    assert back == messages
    assert [types([*one.args, one.kwargs]) for one in back] == [types([*one.args, one.kwargs]) for one in messages]
    plain = [{"class": "BrianInterfaceMessage", "args": list(one.args), "kwargs": one.kwargs} for one in messages]
    assert said == json.dumps(plain).encode()


@given(st.lists(MESSAGES, max_size=4))
def test_replies_of_a_server_are_the_same_bytes(messages: list[Message]) -> None:
    """Those whose kwargs were spelled before; null ids included."""
    replies = [*messages, Message(None, None, None, {"error": "süß"})]
    assert encode_replies(replies, [spelling(one.kwargs) for one in replies]) == encode(replies)


SHORT = '[ ] { } , : " \\ null true 1e999 NaN - 0 "class" "args" "kwargs" "BrianInterfaceMessage" ["a",1,0] "\\ud800"'
FRAGMENTS = st.sampled_from([*SHORT.split(), " ", '"x":0,', "9" * 700, "[" * 100, '"\\ud83d\\ude00"'])


@given(st.binary(max_size=40) | st.lists(FRAGMENTS, max_size=20).map("".join).map(str.encode))
def test_any_body_gives_messages_that_can_be_sent_on_or_one_error(given_body: bytes) -> None:
    """Any bytes at all: messages, which can be encoded again to mean the same, or a RemoteProtocolError."""
    try:
        messages = decode(given_body)
    except RemoteProtocolError:
        return
    assert decode(encode(messages)) == messages


@given(IDS, IDS, VALUES, st.data())
def test_a_damaged_body_gives_messages_or_one_error(
    sim_id: str, model_id: str, value: Any, data: st.DataObject
) -> None:
    """So does a good body with one byte changed."""
    damaged = bytearray(encode([Message(sim_id, model_id, 0, {"x": value})]))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        messages = decode(bytes(damaged))
    except RemoteProtocolError:
        return
    assert decode(encode(messages)) == messages


@given(st.lists(FRAGMENTS, max_size=20).map("".join), st.lists(MESSAGES, max_size=2), st.data())
def test_reading_quickly_is_reading_strictly_or_nothing(text: str, good: list[Message], data: st.DataObject) -> None:
    """What is read without a look at each name and number is what the strict way reads, or is left to that."""
    said = encode(good).decode()
    place = data.draw(st.integers(0, len(said)))
    for given_text in (said, text, said[:place] + text + said[place:]):
        quick = _read_quickly(given_text.encode())
        if quick is not None:
            assert types(quick) == types(_read_strictly(given_text.encode()))
    assert _read_quickly(encode([Message("a", 1, 0, {"T": 100, "odor_concentration": 0.5})]))


def outcome(read: Callable[[], list[Message]]) -> Any:
    """Return what was read, with its types, or that it was refused."""
    try:
        return [types([*one.args, one.kwargs]) for one in read()]
    except RemoteProtocolError:
        return "refused"


BODIES = (
    st.lists(MESSAGES, max_size=6).map(encode)
    | st.lists(MESSAGES, max_size=6).map(
        lambda own: encode(own).replace(b"}, {", b"}\r\n ,\t{").replace(b"[{", b" [ {")
    )
    | st.lists(FRAGMENTS, max_size=20).map("".join).map(str.encode)
    | st.binary(max_size=40)
)


@given(BODIES, st.integers(0, 1000), st.sampled_from([b"", b"]", b",", b"}", b"1", b"NaN", b" ", b'\xff"']), st.data())
def test_pieces_are_the_whole(given_body: bytes, place: int, damage: bytes, data: st.DataObject) -> None:
    """However small the pieces, and whatever is wrong in whichever of them: the same messages, or refused likewise."""
    place = min(place, len(given_body))
    body = given_body[:place] + damage + given_body[place + data.draw(st.integers(0, 1)) :]
    piece = data.draw(st.integers(1, 200))

    def in_pieces() -> list[Message]:
        return list(chain.from_iterable(decode_pieces(body, most=10**6, piece=piece)))

    assert outcome(in_pieces) == outcome(lambda: decode(body))


def test_a_message_that_is_too_long_is_refused_before_it_is_read() -> None:
    """Of a list of 300,000 entries no more than is allowed is looked at, after those before it."""
    good = [Message("a", larva, 0, {"T": 100}) for larva in range(400)]
    bad = Message("a", 0, 0, {"probe": [0] * 300_000})
    read: list[Message] = []
    with pytest.raises(RemoteProtocolError, match="must be strict JSON of at most 30000 characters"):
        read.extend(chain.from_iterable(decode_pieces(encode([*good, bad]), most=30_000)))
    assert read == good


@pytest.mark.parametrize("separator", [b", ", b",", b" ,\n\t ", b"  ,"])
def test_a_piece_may_end_anywhere(separator: bytes) -> None:
    """Within a message, after it, before or after what separates it from the next, or within that."""
    messages = [Message("a", larva, 0, {"T": 100}) for larva in range(4)]
    body = encode(messages).replace(b"}, {", b"}" + separator + b"{").replace(b"}}]", b"}} ]  ")
    for piece in range(1, len(body) + 1):
        assert list(chain.from_iterable(decode_pieces(body, most=10**6, piece=piece))) == messages


@pytest.mark.parametrize("larvae", [1, 5, 200])
def test_how_long_a_message_may_be_does_not_depend_on_its_frame(larvae: int) -> None:
    """One of as many characters as are allowed is read, one of more is not, alone or among others."""
    fitting = Message("a", 0, 0, {"x": "y" * 1000})
    most = len(encode([fitting])) - 1  # without the bracket before it, with the one after it
    pieces = list(decode_pieces(encode([fitting] * larvae), most=most))
    assert list(chain.from_iterable(pieces)) == [fitting] * larvae
    with pytest.raises(RemoteProtocolError, match=f"of at most {most - 20} characters"):
        list(decode_pieces(encode([fitting] * larvae), most=most - 20))


def test_no_messages_are_a_list_too() -> None:
    """An empty frame's list is allowed both ways."""
    assert encode([]) == b"[]"
    assert decode(b"[]") == []


def test_ids_keep_their_type() -> None:
    """1 and "1" are two larvae; the widest integers and the longest text pass."""
    for sim_id in (1, "1", 0, "", -(2**63), 2**63 - 1, "x" * 200):
        (back,) = decode(encode([Message(sim_id, sim_id, 0)]))
        assert types(back.sim_id) == types(back.model_id) == types(sim_id)


@pytest.mark.parametrize("bad", [True, None, 1.0, 2**63, -(2**63) - 1, "x" * 201, [1], {"a": 1}, 10**640], ids=label)
def test_a_wrong_id_is_refused_both_ways(bad: Any) -> None:
    """Whichever of the two it is; `true` is no 1, and None stands only for all three at once."""
    for name, args in (("sim_id", [bad, "b", 0]), ("model_id", ["a", bad, 0])):
        with pytest.raises(LocalProtocolError, match=f"^{name} must be text of at most 200 characters"):
            encode([Message(*args)])
        with pytest.raises(RemoteProtocolError, match=rf"^({name} must be text|an integer must be)"):
            decode(body(json.dumps(args)))


@pytest.mark.parametrize("bad", [True, None, 0.0, -1, 2**63, "0", [0]])
def test_a_wrong_step_is_refused_both_ways(bad: Any) -> None:
    """A step is a whole number from 0 on."""
    with pytest.raises(LocalProtocolError, match=r"^step must be a whole number of at least 0"):
        encode([Message("a", "b", bad)])
    with pytest.raises(RemoteProtocolError, match=r"^step must be a whole number of at least 0"):
        decode(body(json.dumps(["a", "b", bad])))


def test_an_error_reply_may_have_no_ids() -> None:
    """All three are None together, as null on the wire."""
    message = Message(None, None, None, {"error": "args must be three, got none; send them"})
    assert b'"args": [null, null, null]' in encode([message])
    assert decode(encode([message])) == [message]


@pytest.mark.parametrize("name", ["self", "sim_id", "model_id", "step"])
def test_names_that_the_stock_class_cannot_take_are_refused(name: str) -> None:
    """In kwargs, both ways; deeper within a value they are as good as any."""
    with pytest.raises(LocalProtocolError, match=f"got '{name}', which Larvaworld's class cannot take"):
        encode([Message("a", 1, 0, {name: 1})])
    with pytest.raises(RemoteProtocolError, match=f"got '{name}'"):
        decode(body(kwargs=f'{{"{name}": 1}}'))
    inner = Message("a", 1, 0, {"x": {name: 1}})
    assert decode(encode([inner])) == [inner]


def nest(depth: int) -> list[Any]:
    """Return lists within lists."""
    result: list[Any] = []
    for _ in range(depth - 1):
        result = [result]
    return result


def endless() -> list[Any]:
    """Return a list that holds itself, twice."""
    result: list[Any] = []
    result += [result, result]
    return result


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (math.nan, "strict JSON"),
        (-math.inf, "strict JSON"),
        ([{"deep": math.inf}], "strict JSON"),
        ({1, 2}, "set is not JSON serializable"),
        (b"bytes", "bytes is not JSON serializable"),
        (np.float32(1.0), "float32 is not JSON serializable"),
        (np.arange(3), "ndarray is not JSON serializable"),
        (1j, "complex is not JSON serializable"),
        (endless(), "Circular"),
        ({"inner": {1: "a"}}, "must be text, got 1"),
        ({True: "a"}, "must be text, got True"),
        ([[{None: "a"}]], "must be text, got None"),
        ({(1, 2): "a"}, "keys must be str"),
        (10**640, "at most 640 digits"),
        (-(10**640), "at most 640 digits"),
        (10**5000, "at most 640 digits"),
        (nest(62), "at most 64 levels deep"),
        (nest(100_000), "at most 64 levels deep"),
        ("\ud800", "half '.ud800' of one"),
        ({"\udfff": 1}, "half '.udfff' of one"),
        (["\ud83d\ude00"], "half '.ud83d' of one"),
    ],
    ids=label,
)
def test_what_the_wire_cannot_carry_is_our_fault(value: Any, words: str) -> None:
    """One sentence that names it, and nothing is sent."""
    with pytest.raises(LocalProtocolError, match=words):
        encode([Message("a", 1, 0, {"x": value})])


def test_half_characters_in_ids_are_refused() -> None:
    """As anywhere else, for they would come back as another id or not at all."""
    with pytest.raises(LocalProtocolError, match="half"):
        encode([Message("\ud83d\ude00", 1, 0)])
    assert decode(encode([Message("\U0001f600\\ud800", 1, 0)]))[0].sim_id == "\U0001f600\\ud800"


def test_values_that_json_knows_by_another_name_are_carried() -> None:
    """Tuples as lists, numpy's float64 and enumerations as the numbers they are."""
    color = IntEnum("color", ["RED"])
    message = Message("a", color.RED, 0, {"x": (1, np.float64(0.5), color.RED), "deep": nest(61), "n": 10**640 - 1})
    (back,) = decode(encode([message]))
    assert types([back.model_id, back.kwargs["x"]]) == types([1, [1, 0.5, 1]])
    assert back.kwargs["deep"] == nest(61)
    assert back.kwargs["n"] == 10**640 - 1


@pytest.mark.parametrize("bad", [Message("a", 1, 0), None, "text", [{"class": "x"}], [None], 3])
def test_only_a_sequence_of_messages_is_encoded(bad: Any) -> None:
    """A message alone, or what only looks like messages, is refused."""
    with pytest.raises(LocalProtocolError, match="messages must be a sequence of Message"):
        encode(bad)


@pytest.mark.parametrize("bad", [None, [], [("a", 1)], "a", 1])
def test_kwargs_are_a_dictionary(bad: Any) -> None:
    """Both ways; what looks like one is none."""
    with pytest.raises(LocalProtocolError, match="kwargs of a message must be values by name"):
        encode([Message("a", 1, 0, bad)])
    with pytest.raises(RemoteProtocolError, match="kwargs of a message must be values by name"):
        decode(body(kwargs=json.dumps(bad)))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b"", "Expecting value"),
        (b"\xff\xfe", "utf-8"),
        (b'["\xed\xa0\x80"]', "utf-8"),
        (b"\xef\xbb\xbf[]", "strict JSON"),
        (b"[", "strict JSON"),
        (b"[] []", "Extra data"),
        (b"[\x00]", "strict JSON"),
        (b"\x80\x04]\x94.", "utf-8"),
        (b"{}", "must hold a list of messages, got {}"),
        (b"null", "must hold a list of messages, got None"),
        (b'"text"', "must hold a list of messages"),
        (b"[1]", "must be an object of class, args and kwargs, got 1"),
        (b"[{}]", "must be an object of class, args and kwargs"),
        (b'[{"class": "BrianInterfaceMessage", "args": ["a", 1, 0]}]', "must be an object of class, args and kwargs"),
        (body(kwargs='{}, "more": 1'), "must be an object of class, args and kwargs"),
        (body(name='"Message"'), "must be BrianInterfaceMessage, got 'Message'"),
        (body(name="[]"), r"must be BrianInterfaceMessage, got \[\]"),
        (body(name='"brianinterfacemessage"'), "must be BrianInterfaceMessage"),
        (body(args="[]"), r"must be \[sim_id, model_id, step\], got \[\]"),
        (body(args='["a", 1]'), r"must be \[sim_id, model_id, step\]"),
        (body(args='["a", 1, 0, 0]'), r"must be \[sim_id, model_id, step\]"),
        (body(args='{"0": "a", "1": 1, "2": 0}'), r"must be \[sim_id, model_id, step\]"),
        (body(args='"abc"'), r"must be \[sim_id, model_id, step\]"),
        (body(args="[null, null, 0]"), "sim_id must be text"),
        (body(kwargs='{"x": NaN}'), "must be finite, got NaN"),
        (body(kwargs='{"x": [-Infinity]}'), "must be finite, got -Infinity"),
        (body(kwargs='{"x": 1e999}'), "must be finite, got '1e999'"),
        (body(kwargs='{"x": -1e999}'), "must be finite, got '-1e999'"),
        (body(kwargs='{"x": 1, "y": 2, "x": 1}'), "say each name once, got 'x' more than once"),
        (body(kwargs='{"x": {"y": 1, "y": 2}}'), "say each name once, got 'y'"),
        (body(kwargs='{}, "kwargs": {}'), "say each name once, got 'kwargs'"),
        (body(kwargs='{"x": %s}' % ("9" * 641)), "at most 640 digits"),
        (body(kwargs='{"x": -%s}' % ("9" * 10_000_000)), "at most 640 digits"),
        (body(kwargs='{"x": %s}' % ("[" * 100 + "]" * 100)), "at most 64 levels deep"),
        (b"[" * 1_000_000, "at most 64 levels deep"),
        (b'{"a":' * 1_000_000, "at most 64 levels deep"),
        (body(args=r'["\ud800", 1, 0]'), "half '.ud800' of one"),
        (body(kwargs=r'{"x": ["\uDFFF"]}'), "half '.udfff' of one"),
        (body(kwargs='{"x": "\n"}'), "control character"),
    ],
    ids=label,
)
def test_what_is_no_message_is_the_peers_fault(bad: bytes, words: str) -> None:
    """One sentence that names it."""
    with pytest.raises(RemoteProtocolError, match=words) as caught:
        decode(bad)
    assert len(str(caught.value)) < 400


def test_an_object_of_many_names_is_refused_in_no_time() -> None:
    """A name said twice is found among half a million without comparing each with each."""
    names = ", ".join(f'"{number}": 0' for number in range(500_000))
    with pytest.raises(RemoteProtocolError, match="got 'last' more than once"):
        decode(body(kwargs=f'{{"last": 0, {names}, "last": 0}}'))


def test_a_message_reads_like_what_it_is() -> None:
    """Equal contents are equal messages, and nobody changes one on the way."""
    message = Message("a", 1, 0, {"reward": 1.0})
    assert message == Message("a", 1, 0, {"reward": 1.0})
    assert message.args == ("a", 1, 0)
    with pytest.raises(AttributeError):
        message.step = 1  # type: ignore[misc]
