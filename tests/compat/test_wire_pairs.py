"""The wire between our side and the wheel's: the same bytes, and every pair of client and server."""

import json
import socket
import struct
import time
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from larvaworld.lib.ipc import BrianInterfaceMessage, Client, ipc
from larvaworld.lib.model.modules import memory as theirs

from kenyon import memory as ours
from kenyon.wire import Message, decode, encode, exchange, frame
from kenyon.wire.messages import RESERVED
from tests.compat.servers import WAITS_ARE_SEEN, OurServer, StockServer, at_least_s, steady

# What one receive gives of a frame over loopback is at most a segment, 65483 bytes; half of it is well within.
SINGLE_READ = 32_000

integers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200) | integers
values = st.recursive(
    st.none() | st.booleans() | integers | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
kwargs_of_messages = st.dictionaries(texts.filter(lambda name: name not in RESERVED), values, max_size=6)
frames = st.lists(st.builds(Message, ids, ids, st.integers(0, 2**63 - 1), kwargs_of_messages), max_size=4)


def as_theirs(message: Message) -> Any:
    """Return a message as one of the wheel's class."""
    return BrianInterfaceMessage(*message.args, **message.kwargs)


def through_their_writer(messages: list[Message]) -> bytes:
    """Return the bytes that the wheel writes for messages."""
    sender, receiver = socket.socketpair()
    with sender, receiver:
        ipc._write_objects(sender, [as_theirs(message) for message in messages])
        sender.shutdown(socket.SHUT_WR)
        received = bytearray()
        while data := receiver.recv(65536):
            received += data
        return bytes(received)


@given(messages=frames)
def test_frames_are_the_wheels_byte_for_byte(messages: list[Message]) -> None:
    """Whatever messages they hold, and ours reads back what it wrote."""
    written = through_their_writer(messages)
    assert frame(encode(messages)) == written
    assert decode(written[4:]) == messages


@given(messages=frames)
def test_the_wheel_reads_our_frames(messages: list[Message]) -> None:
    """As the messages that they hold; none at all included."""
    sender, receiver = socket.socketpair()
    with sender, receiver:
        sender.sendall(frame(encode(messages)))
        read = ipc._read_objects(receiver)
    assert [(m.sim_id, m.model_id, m.step, m.params) for m in read] == [(*m.args, m.kwargs) for m in messages]


def ask_with_ours(server: Any, messages: list[Message]) -> list[Message]:
    """Return the replies to messages, through our client."""
    return exchange(server.address, messages)


def ask_with_theirs(server: Any, messages: list[Message]) -> list[Message]:
    """Return the replies to messages, through the wheel's client."""
    with Client(tuple(server.server_address)) as client:
        replies = client.send([as_theirs(message) for message in messages])
    return [Message(m.sim_id, m.model_id, m.step, m.params) for m in replies]


BOTH_CLIENTS = [ask_with_ours, ask_with_theirs]
BOTH_SERVERS = [StockServer, OurServer]


@pytest.mark.parametrize("size", [1, 1_000, SINGLE_READ])
@pytest.mark.parametrize("server", BOTH_SERVERS)
@pytest.mark.parametrize("ask", BOTH_CLIENTS)
def test_each_client_is_answered_by_each_server(ask: Any, server: Any, size: int, stack: ExitStack) -> None:
    """As far as the wheel's single read of a request and of a reply goes."""
    listening = stack.enter_context(server())
    for step in range(3):
        messages = [Message("run", 7, step, {"payload": "x" * size}), Message("run", "7", step)]
        assert ask(listening, messages) == messages
    assert listening.accepted == (1 if ask is ask_with_ours else 3)
    assert listening.errors == []


@pytest.mark.parametrize("size", [100_000, 1_000_000, 10_000_000])
def test_ours_answers_ours_at_any_size(size: int, stack: ExitStack) -> None:
    """Request and reply, over one connection."""
    server = stack.enter_context(OurServer())
    for step in range(3):
        messages = [Message("run", 7, step, {"payload": "x" * size})]
        assert exchange(server.address, messages) == messages
    assert (server.accepted, server.errors) == (1, [])


@pytest.mark.parametrize("size", [100_000, 1_000_000, 10_000_000])
def test_ours_reads_any_reply_of_the_wheels_server(size: int, stack: ExitStack) -> None:
    """Only what that server itself reads has to be small."""
    server = stack.enter_context(StockServer(lambda *_: {"payload": "x" * size}))
    request, reply = Message("run", 7, 0), Message("run", 7, 0, {"payload": "x" * size})
    assert exchange(server.address, [request]) == [reply]


@pytest.mark.parametrize("messages", [1000, pytest.param(10_000, marks=pytest.mark.long)])
def test_thousands_of_messages_over_one_connection(messages: int, stack: ExitStack) -> None:
    """Of ours to a server of our kind, each with its own reply."""
    server = stack.enter_context(OurServer())
    for step in range(messages):
        request = [Message("run", "larva", step, {"odor_concentration": step / 7})]
        assert exchange(server.address, request) == request
    assert server.accepted == 1


def test_two_hundred_messages_over_one_connection_to_the_wheels_server(stack: ExitStack) -> None:
    """It is kept there too; where the system can be asked to acknowledge at once, its two writes cost no wait."""
    server = stack.enter_context(StockServer())
    times = []
    for step in range(200):
        request = [Message("run", "larva", step, {"odor_concentration": step / 7})]
        started = time.perf_counter()
        assert exchange(server.address, request) == request
        times.append(time.perf_counter() - started)
    assert (server.accepted, server.asked) == (1, 200)
    assert at_least_s(times) < 0.02 or not WAITS_ARE_SEEN


def test_the_wheels_client_waits_for_nothing_at_our_kind_of_server(stack: ExitStack) -> None:
    """One write a reply and acknowledging at once spare an unmodified client its 88 ms."""
    server = stack.enter_context(OurServer())
    times = []
    with Client(tuple(server.server_address)) as client:
        for step in range(100):
            started = time.perf_counter()
            (reply,) = client.send([BrianInterfaceMessage("run", "larva", step, reward=1)])
            times.append(time.perf_counter() - started)
            assert (reply.step, reply.params) == (step, {"reward": 1})
    assert server.accepted == 1
    assert at_least_s(times) < 0.02 or not WAITS_ARE_SEEN


STEPS: list[dict[str, Any]] = [
    {"dx": {"Odor": 0.0}, "t_warmup": 300},
    {"dx": {"Odor": 0.25}, "reward": True},
    {"dx": {"Odor": -0.0013}, "reward": False},
    {"dx": {"Odor": 1e-9}, "reward": 1},
    {"dx": {"Odor": 3.0}},
]


@pytest.mark.parametrize(("sim_id", "model_id"), [("PItrain_1", "Larva_0"), ("süß", "larva 7"), ("run", 7)])
@pytest.mark.parametrize("dt", [0.1, 0.05, 1.0])
def test_our_memory_sends_the_frames_of_the_wheels(
    sim_id: str, model_id: str | int, dt: float, stack: ExitStack
) -> None:
    """For each step the same bytes, for one odor of the name the wheel knows."""
    for_wheel, for_mine = (stack.enter_context(OurServer(steady)) for _ in range(2))
    brain = SimpleNamespace(agent=SimpleNamespace(unique_id=model_id, model=SimpleNamespace(id=sim_id)))
    wheel = theirs.RemoteBrianModelMemory(
        brain=brain, gain={"Odor": 0.0}, dt=dt, server_host="127.0.0.1", server_port=for_wheel.address.port
    )
    mine = ours.RemoteBrianModelMemory(
        sim_id=sim_id,
        model_id=model_id,
        gain={"Odor": 0.0},
        dt=dt,
        drive="change",
        server_host="127.0.0.1",
        server_port=for_mine.address.port,
    )
    for number, step in enumerate(STEPS, start=1):
        gains = [memory.step(**step) for memory in (wheel, mine)]
        assert gains == [{"Odor": pytest.approx(0.02)}] * 2
        assert bytes(for_mine.received) == bytes(for_wheel.received)
        assert cut(bytes(for_mine.received)) == number


def cut(received: bytes) -> int:
    """Return how many whole frames of JSON bytes are."""
    count = 0
    while received:
        (length,) = struct.unpack("!i", received[:4])
        assert json.loads(received[4:length])[0]["class"] == "BrianInterfaceMessage"
        received, count = received[length:], count + 1
    return count
