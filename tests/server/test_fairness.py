"""Every message costs its client, and nobody else: whatever a connection asks, others have their turn in between."""

import asyncio
import time
from contextlib import suppress
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kenyon.errors import RefusedError
from kenyon.mushroom_body import odors as measured
from kenyon.server import Limits, Settings
from kenyon.server.connection_state import NEXT, ConnectionState
from kenyon.server.metrics import Metrics
from kenyon.server.refusing import Refusals
from kenyon.server.requests import Reader
from kenyon.server.service import Service
from kenyon.server.turns import SHARE, Turns
from kenyon.wire import FrameReader, Message, decode, encode, frame
from tests.server.running import Connection, Here, step

PING = Message("x", 0, 0, {"op": "ping"})


async def connected(service: Service) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection to a server in this very event loop."""
    return await asyncio.open_connection("127.0.0.1", service.port)


async def reply_on(stream: asyncio.StreamReader) -> list[Message]:
    """Return the messages of the next frame."""
    reader = FrameReader()
    reader.feed(header := await stream.readexactly(4))
    reader.feed(await stream.readexactly(int.from_bytes(header, "big") - 4))
    body = reader.next_frame()
    assert body is not None
    return decode(body)


FRAMES: dict[str, bytes] = {
    "pings": encode([PING] * 1000),
    "unknown odors": encode([Message("x", i, 0, {"odors": {f"no {i}": 1.0}, "T": 10}) for i in range(1000)]),
    "unknown operations": encode([Message("x", i, 0, {"op": f"no {i}"}) for i in range(1000)]),
    "no larva": encode([Message(None, None, None, {"T": 10})] * 1000),
    "steps ahead of unknown larvae": encode([Message("x", i, 7, {"T": 10}) for i in range(1000)]),
    "steps": encode([Message("x", i, 0, {"T": 0.1}) for i in range(300)]),
    "half of them pings": encode([PING if i % 2 else Message("y", i, 0, {"T": 0.1}) for i in range(400)]),
    "strange in the last": encode([PING] * 999)[:-1] + b', {"class": 0}]',
}


@pytest.mark.parametrize(("kind", "new"), [*((kind, False) for kind in FRAMES), ("pings", True), ("steps", True)])
def test_a_frame_holds_up_nobody_whatever_it_is_made_of(kind: str, *, new: bool) -> None:
    """Finding 2: what is answered in the event loop has its share of it, and no more.

    Two connections ask the same again, or come with it; a third, that asks in the middle of it, is answered before.
    """

    async def compete() -> list[str]:
        limits = Limits(max_turn_ms=0.05)
        async with Service(Settings(port=0, host="127.0.0.1", limits=limits)) as service:
            streams = [await connected(service) for _ in range(3)]
            answered: list[str] = []

            async def ask(name: str, body: bytes, *, after: int = 0) -> None:
                stream, writer = streams[int(name)]
                for _ in range(after):
                    await asyncio.sleep(0)
                writer.write(frame(body))
                await reply_on(stream)
                answered.append(name)

            if not new:
                await asyncio.gather(ask("0", FRAMES[kind]), ask("1", FRAMES[kind]))
                answered.clear()
            # The event loop turns a few times, so that the frames are begun; they need dozens of turns.
            await asyncio.gather(ask("0", FRAMES[kind]), ask("1", FRAMES[kind]), ask("2", encode([PING]), after=3))
            for _, writer in streams:
                writer.close()
            return answered

    assert asyncio.run(compete())[0] == "2"


def test_a_turn_answers_a_few_messages_however_many_a_frame_has() -> None:
    """Between any two turns of it the event loop runs everything else that is ready."""

    async def turns_needed() -> int:
        async with Service(Settings(port=0, host="127.0.0.1", limits=Limits(max_turn_ms=0.01))) as service:
            stream, writer = await connected(service)
            writer.write(frame(encode([PING])))
            await reply_on(stream)
            writer.write(frame(FRAMES["pings"]))
            replied = asyncio.ensure_future(reply_on(stream))
            for turns in count():
                if replied.done():
                    writer.close()
                    return turns
                await asyncio.sleep(0)
        raise AssertionError

    assert asyncio.run(turns_needed()) >= 20


@given(st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=4), min_size=1, max_size=5))
def test_who_waits_is_served_in_turn(plans: list[list[int]]) -> None:
    """Nobody acts twice while another who waits has not acted once."""

    async def acted() -> list[int]:
        loop = asyncio.get_running_loop()
        turns, order, over = Turns(loop, 1e-9, lambda: False), [], asyncio.Event()
        left = {who: len(plan) for who, plan in enumerate(plans)}

        def act(who: int) -> None:
            order.append(who)
            left[who] -= 1
            if left[who]:
                turns.wait(lambda: act(who))
            elif not any(left.values()):
                over.set()

        for who in left:
            turns.wait(lambda who=who: act(who))  # type: ignore[misc]  # a default binds it now
        await over.wait()
        return order

    order = asyncio.run(acted())
    rounds = max(map(len, plans))
    expected = [who for number in range(rounds) for who, plan in enumerate(plans) if number < len(plan)]
    assert order == expected


def test_while_circuits_are_computed_turns_take_a_share_of_the_time() -> None:
    """Told by the event loop's own clock, which the turns advance."""

    async def share() -> float:
        loop, turn_s, used = asyncio.get_running_loop(), 0.001, 0.0
        turns = Turns(loop, turn_s, lambda: True)
        began, over = loop.time(), asyncio.Event()

        def act() -> None:
            nonlocal used
            until = time.monotonic() + turn_s
            while time.monotonic() < until:
                pass
            used += turn_s
            if used < 0.03:
                turns.wait(act)
            else:
                over.set()

        turns.wait(act)
        await over.wait()
        return used / (loop.time() - began)

    assert asyncio.run(share()) < SHARE * 1.1


def test_more_odors_than_there_are_are_refused_before_they_are_looked_at() -> None:
    """However many are named, in a probe or a mixture."""
    reader, many = Reader(Settings()), len(measured.odors()) + 1
    for kwargs in ({"op": "probe", "probe": [object()] * many}, {"T": 10, "odors": dict.fromkeys(range(many))}):
        with pytest.raises(RefusedError, match="must name each of 34 odors at most once, got 35"):
            reader.read(Message("x", 0, 0, kwargs))


def test_a_message_of_300_000_entries_is_refused_and_the_next_frame_is_read() -> None:
    """By its length, before it is read."""
    with Here() as server, Connection(server.address) as connection:
        (reply,) = connection.ask(Message("x", 0, 0, {"op": "probe", "probe": [0] * 300_000}))
        assert reply.kwargs["error_code"] == "message"
        assert "strict JSON of at most 20000 characters" in reply.kwargs["error"]
        assert "kenyon" in connection.ask(PING)[0].kwargs


def test_only_an_accepted_request_makes_a_client_known() -> None:
    """Finding 3: connections that ping without the token hold no place against those who have it."""
    token, limits = "a secret word", Limits(max_connections=10)
    with Here(token=token, limits=limits) as server:
        strangers = [Connection(server.address) for _ in range(10)]
        for stranger in strangers:
            assert stranger.ask(PING)[0].kwargs["error_code"] == "token"
        friends = [Connection(server.address) for _ in range(10)]
        for number, friend in enumerate(friends):
            assert "MBONp" in friend.ask(step("friend", number, 0, token=token))[0].kwargs
        # Each stranger was told, and is gone; friends keep their places, also against a stranger that comes now.
        for stranger in strangers:
            assert stranger.receive()[0].kwargs["error_code"] == "busy"
            assert stranger.socket.recv(1) == b""
        with Connection(server.address) as late:
            assert late.receive()[0].kwargs["error_code"] == "busy"
        for number, friend in enumerate(friends):
            assert "MBONp" in friend.ask(step("friend", number, 1, token=token))[0].kwargs
        for connection in (*strangers, *friends):
            connection.socket.close()


@pytest.mark.parametrize("words", [encode([PING]), b"nonsense", b"[]"])
def test_a_client_of_whom_nothing_is_accepted_is_closed_however_much_it_says(words: bytes) -> None:
    """Its time is counted from its beginning, not from its last word."""
    limits = Limits(read_timeout_s=0.3)
    kept_for_ever = False
    with (
        Here(token="a secret word", limits=limits) as server,
        Connection(server.address) as stranger,
        suppress(OSError),
    ):
        for _ in range(600):
            stranger.socket.sendall(frame(words))
            stranger.receive()
            time.sleep(0.02)
        kept_for_ever = True
    assert not kept_for_ever


def test_refusals_cannot_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """So many lines, then one that counts the rest; and each is answered all the same."""
    refusals = Refusals(metrics := Metrics())
    for number in range(10_000):
        assert "no" in refusals.refuse(("x", number), RefusedError("no", "odor"))
    refusals.summarize()
    refusals.summarize()
    assert len(caplog.records) == 51
    assert "9950 more refusals" in caplog.text
    assert metrics.errors["odor"] == 10_000
    refusals.refuse(("y", 0), RefusedError("no", "odor"))
    assert "larva 0 of 'y'" in caplog.text


def test_a_connection_ends_from_every_state_and_goes_on_from_none_that_ended() -> None:
    """As its table says: every state but the first comes after another one, and leads to the end."""
    assert set(NEXT) == set(ConnectionState)
    assert set().union(*NEXT.values()) == set(ConnectionState)
    assert all(
        ConnectionState.CLOSED in following for state, following in NEXT.items() if state is not ConnectionState.CLOSED
    )
    assert NEXT[ConnectionState.CLOSED] == frozenset()
