import json
import os
import select
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from kenyon.errors import InputError, LocalProtocolError, NoAnswerError, RemoteProtocolError
from kenyon.wire import Address, FrameReader, Message, close_connections, decode, encode, exchange, frame
from kenyon.wire import client as wire_client

Answer = Callable[[list[Message]], "list[Message] | bytes | None"]

IN_TIME_S = 5.0
"""Sooner than at the deadline that stands where none is given, however busy the machine is."""


def echo(messages: list[Message]) -> list[Message]:
    """Answer each larva with what it asked."""
    return messages


class Server:
    """A small server with a thread per connection.

    Args:
        answer: Gives the replies, or the very bytes to send, or None to close the connection instead.
        address: Where to listen; port 0 takes a free one.
        unix_path: A Unix socket to listen on instead.
        tls: Speaks TLS with these certificates.
        exchanges: Closes a connection after so many replies.
        piece: Sends replies in pieces of so many bytes.
    """

    def __init__(
        self,
        answer: Answer = echo,
        *,
        port: int = 0,
        unix_path: Path | None = None,
        tls: ssl.SSLContext | None = None,
        exchanges: int | None = None,
        piece: int | None = None,
    ) -> None:
        self.answer, self.tls, self.exchanges, self.piece = answer, tls, exchanges, piece
        self.accepted, self.asked = 0, 0
        self.connections: list[socket.socket] = []
        if unix_path is not None:
            self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.listener.bind(str(unix_path))
        else:
            self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind(("127.0.0.1", port))
            port = self.listener.getsockname()[1]
        self.port = port
        self.address = Address("127.0.0.1", port) if unix_path is None else Address(unix_path=str(unix_path))
        self.listener.listen(64)
        self.listener.settimeout(0.05)
        self.closed = False
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def close(self) -> None:
        """Close everything, as a server that is killed does."""
        self.closed = True
        self.threads[0].join(10)
        self.listener.close()
        for sock in self.connections:
            with suppress(OSError):  # closed already
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive()

    def accept(self) -> None:
        """Take connections until the server is closed."""
        while not self.closed:
            try:
                sock, _ = self.listener.accept()
            except TimeoutError:
                continue
            sock.settimeout(None)
            self.accepted += 1
            self.connections.append(sock)
            thread = threading.Thread(target=self.serve, args=(sock,))
            self.threads.append(thread)
            thread.start()

    def serve(self, sock: socket.socket) -> None:
        """Answer frame by frame."""
        reader, answered = FrameReader(limit=2**25), 0
        try:
            if self.tls is not None:
                sock = self.tls.wrap_socket(sock, server_side=True)
                self.connections.append(sock)
            while self.exchanges is None or answered < self.exchanges:
                while (body := reader.next_frame()) is None:
                    data = sock.recv(65536)
                    if not data:
                        return
                    reader.feed(data)
                self.asked += 1
                answer = self.answer(decode(body))
                if answer is None:
                    return
                reply = answer if isinstance(answer, bytes) else frame(encode(answer), limit=2**25)
                piece = len(reply) if self.piece is None else self.piece
                for start in range(0, len(reply), piece):
                    sock.sendall(reply[start : start + piece])
                answered += 1
        except (OSError, RemoteProtocolError):
            return
        finally:
            sock.close()


@pytest.fixture(autouse=True)
def no_connection_stays() -> Iterator[None]:
    """Every test begins and ends without a kept connection."""
    close_connections()
    yield
    close_connections()


def larva(step: int = 0, model_id: str | int = "larva", **kwargs: object) -> Message:
    """Return a small message."""
    return Message("sim", model_id, step, kwargs)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def test_replies_come_back_over_one_connection() -> None:
    """Each in its order, and the connection is kept."""
    with closing(Server()) as server:
        for step in range(20):
            messages = [larva(step, 1, odor_id=0), larva(step, "1", reward=1.0)]
            assert exchange(server.address, messages) == messages
        assert exchange(server.address, []) == []
        assert server.accepted == 1


def test_many_threads_take_turns_on_one_connection() -> None:
    """Every thread gets its own replies, and the server sees one connection."""
    wrong: list[object] = []

    def ask(name: int) -> None:
        for step in range(50):
            message = larva(step, name, n=name * 1000 + step)
            reply = exchange(server.address, [message])
            if reply != [message]:
                wrong.append(reply)

    with closing(Server()) as server:
        threads = [threading.Thread(target=ask, args=(name,)) for name in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert wrong == []
        assert (server.accepted, server.asked) == (1, 600)


def test_another_address_is_another_connection() -> None:
    """Two servers do not see each other's larvae."""
    with closing(Server()) as one, closing(Server()) as other:
        for server in (one, other, one):
            exchange(server.address, [larva()])
        assert (one.accepted, one.asked, other.accepted, other.asked) == (1, 2, 1, 1)


def test_closed_connections_are_opened_again() -> None:
    """By the next exchange, as if nothing had been."""
    with closing(Server()) as server:
        exchange(server.address, [larva()])
        close_connections()
        close_connections()
        exchange(server.address, [larva()])
        assert server.accepted == 2


def test_a_server_that_closes_after_each_reply_costs_no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Larvaworld's own clients allow; the replacement is opened at once."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    with closing(Server(exchanges=1)) as server:
        for step in range(100):
            assert exchange(server.address, [larva(step)]) == [larva(step)]
        assert server.accepted >= 100
    assert pauses == []


def test_a_kept_connection_that_fails_is_replaced_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may close it at the very moment of the next request."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    asked = iter(range(10))
    with closing(Server(lambda messages: None if next(asked) == 1 else messages)) as server:
        for step in range(3):
            assert exchange(server.address, [larva(step)]) == [larva(step)]
        assert (server.accepted, server.asked, pauses) == (2, 4, [])


def test_a_kept_connection_reset_while_idle_is_replaced() -> None:
    """A server that was started anew forgets its connections; the exchange does not notice."""
    with closing(Server()) as server:
        exchange(server.address, [larva()])
    with closing(Server(port=server.port)) as anew:
        assert exchange(anew.address, [larva(1)]) == [larva(1)]
        assert anew.accepted == 1


def test_what_comes_unasked_is_never_taken_for_a_reply() -> None:
    """A second reply that comes late is thrown away with its connection."""
    with closing(Server()) as server:
        assert exchange(server.address, [larva(n=0)]) == [larva(n=0)]
        server.connections[0].sendall(frame(encode([larva(n=0)])))
        kept = wire_client._registry.connection(server.address)._socket
        assert kept is not None
        assert select.select([kept], [], [], 10)[0]
        assert exchange(server.address, [larva(n=1)]) == [larva(n=1)]
        assert server.accepted == 2


def test_a_server_killed_and_started_again_answers_in_the_end() -> None:
    """The frame is sent again until somebody answers it."""
    asked = threading.Event()
    first = Server(lambda _: asked.set())
    anew: list[Server] = []

    def restart() -> None:
        asked.wait(10)
        first.close()
        time.sleep(0.3)  # while it is asked for in vain
        anew.append(Server(port=first.port))

    thread = threading.Thread(target=restart)
    thread.start()
    try:
        assert exchange(first.address, [larva(7)]) == [larva(7)]
    finally:
        thread.join(10)
        anew[0].close()
    assert first.asked >= 1
    assert anew[0].asked == 1


def test_a_reply_broken_off_is_asked_for_again() -> None:
    """Half a reply is a connection that was lost, and no fault of the reply."""
    halves = [frame(encode([larva(1)]))[:20]]

    def answer(messages: list[Message]) -> list[Message] | bytes:
        return halves.pop() if halves else messages

    with closing(Server(answer, exchanges=1)) as server:
        assert exchange(server.address, [larva(1)]) == [larva(1)]
        assert server.asked == 2


def test_nobody_there_is_said_in_one_sentence() -> None:
    """With the address, the time, the attempts and the last reason; and in time."""
    port = free_port()
    started = time.monotonic()
    with pytest.raises(
        NoAnswerError,
        match=rf"server at 127\.0\.0\.1:{port} must answer within 0\.5 s, got no reply in \d\.\d+ s and \d+ attempts "
        r"\(Connection refused\); start the server",
    ) as caught:
        exchange(Address("127.0.0.1", port), [larva()], timeout_s=0.5)
    assert 0.4 < time.monotonic() - started < IN_TIME_S
    assert isinstance(caught.value, ConnectionError)


def test_a_socket_that_got_the_port_it_asks_for_does_not_answer_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may give a free port to the socket that connects to it; its own request is no reply."""
    given: list[tuple[str, int]] = []

    class Unlucky(socket.socket):
        def connect(self, target: tuple[str, int]) -> None:  # type: ignore[override]
            if not given:
                self.bind(target)
                given.append(target)
            super().connect(target)

    address = Address("127.0.0.1", free_port())
    monkeypatch.setattr(socket, "socket", Unlucky)
    with pytest.raises(NoAnswerError, match=r"attempts? \(Connection refused\)"):
        exchange(address, [larva()], timeout_s=0.2)
    assert given


def test_small_frames_are_sent_at_once() -> None:
    """The system does not hold them back to send more together."""
    with closing(Server()) as server:
        exchange(server.address, [larva()])
        kept = wire_client._registry.connection(server.address)._socket
        assert kept is not None
        assert kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_server_that_never_answers_is_left_at_the_deadline() -> None:
    """One attempt has all the time there is, and the connection does not outlive it."""
    released = threading.Event()

    def silent(_: list[Message]) -> None:
        released.wait(10)

    with closing(Server(silent)) as server:
        started = time.monotonic()
        with pytest.raises(NoAnswerError, match="and 1 attempt "):
            exchange(server.address, [larva()], timeout_s=0.3)
        assert 0.25 < time.monotonic() - started < IN_TIME_S
        released.set()


def test_a_slow_reply_may_take_all_the_time() -> None:
    """The deadline is not cut into slices."""

    def slow(messages: list[Message]) -> list[Message]:
        time.sleep(0.7)
        return messages

    with closing(Server(slow)) as server:
        assert exchange(server.address, [larva()], timeout_s=5.0) == [larva()]
        assert (server.accepted, server.asked) == (1, 1)


def test_a_reply_that_comes_too_late_is_not_taken_for_the_next() -> None:
    """The same larva and step asked again gets the reply to what it asks now."""
    given_up, late = threading.Event(), threading.Event()

    def slow_at_first(messages: list[Message]) -> list[Message]:
        if messages[0].kwargs["n"] == 0:
            given_up.wait(10)
            late.set()
        return messages

    with closing(Server(slow_at_first)) as server:
        exchange(server.address, [larva(n=1)])
        with pytest.raises(NoAnswerError):
            exchange(server.address, [larva(n=0)], timeout_s=0.2)
        given_up.set()
        assert late.wait(10)
        assert exchange(server.address, [larva(n=1)]) == [larva(n=1)]
        assert server.accepted == 2


@pytest.mark.parametrize("twice", [False, True])
def test_an_interrupted_exchange_takes_its_connection_with_it(monkeypatch: pytest.MonkeyPatch, *, twice: bool) -> None:
    """Ctrl-C between request and reply leaves nothing for the next exchange to read, also if pressed again."""
    with closing(Server()) as server:
        exchange(server.address, [larva(n=0)])
        with monkeypatch.context() as patch:

            def interrupted(_: bytes) -> list[Message]:
                raise KeyboardInterrupt

            patch.setattr(wire_client, "decode", interrupted)
            if twice:
                patch.setattr(wire_client._Connection, "close", interrupted)
            with pytest.raises(KeyboardInterrupt):
                exchange(server.address, [larva(n=1)])
        assert exchange(server.address, [larva(n=2)]) == [larva(n=2)]
        assert server.accepted == 2


def test_the_turn_is_waited_for_no_longer_than_the_deadline() -> None:
    """A thread behind a slow exchange says that it got no turn."""
    begun, given_up = threading.Event(), threading.Event()

    def slow(messages: list[Message]) -> list[Message]:
        begun.set()
        given_up.wait(10)
        return messages

    with closing(Server(slow)) as server:
        thread = threading.Thread(target=exchange, args=(server.address, [larva()]))
        thread.start()
        assert begun.wait(10)
        with pytest.raises(NoAnswerError, match="got no turn on the connection"):
            exchange(server.address, [larva()], timeout_s=0.1)
        given_up.set()
        thread.join(10)
        assert server.asked == 1


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "must announce 6 to"),
        (struct.pack("!i", -1), "must announce 6 to"),
        (struct.pack("!i", 2**30), "must announce 6 to"),
        (frame(b"\xff\xff"), "strict JSON"),
        (frame(b"{}"), "must hold a list of messages"),
        (frame(b"[NaN]"), "must be finite"),
        (frame(encode([])), "as many messages as the request, 1, got 0"),
        (frame(encode([larva(), larva()])), "as many messages as the request, 1, got 2"),
        (frame(encode([larva(model_id="other")])), r"asked for, \('sim', 'larva', 0\), got \('sim', 'other', 0\)"),
        (frame(encode([larva(step=1)])), "must name the larva and step asked for"),
        (frame(encode([larva()])) * 2, "must get one frame in reply"),
        (frame(encode([larva()])) + b"x", "must get one frame in reply, got 1 bytes more"),
    ],
)
def test_a_reply_that_is_none_is_refused_at_once(reply: bytes, words: str) -> None:
    """It is the peer's fault, is not asked for again, and the connection is not used again."""
    replies = [reply]
    with closing(Server(lambda messages: replies.pop() if replies else messages)) as server:
        with pytest.raises(RemoteProtocolError, match=words):
            exchange(server.address, [larva()])
        assert server.asked == 1
        assert exchange(server.address, [larva()]) == [larva()]
        assert server.accepted == 2


def test_ids_are_compared_with_their_type() -> None:
    """1 and "1" are two larvae."""
    with (
        closing(Server(lambda _: [larva(model_id="1")])) as server,
        pytest.raises(RemoteProtocolError, match="must name"),
    ):
        exchange(server.address, [larva(model_id=1)])


def test_an_error_reply_without_ids_is_a_reply() -> None:
    """It stands where the server could read none."""
    error = Message(None, None, None, {"error": "step must be 0, got 1; send it", "error_code": "step"})
    with closing(Server(lambda messages: [messages[0], error])) as server:
        assert exchange(server.address, [larva(), larva(1)]) == [larva(), error]


def test_what_cannot_be_sent_is_not() -> None:
    """No connection is even opened."""
    with closing(Server()) as server:
        with pytest.raises(LocalProtocolError, match="strict JSON"):
            exchange(server.address, [larva(x=float("nan"))])
        with pytest.raises(LocalProtocolError, match="must be of 6 to 100 bytes"):
            exchange(server.address, [larva(x="x" * 100)], limit=100)
        assert server.accepted == 0


def test_the_limit_holds_for_the_reply() -> None:
    """Whatever length the server announces."""
    with (
        closing(Server(lambda _: [larva(x="x" * 1000)])) as server,
        pytest.raises(RemoteProtocolError, match="6 to 200 bytes"),
    ):
        exchange(server.address, [larva()], limit=200)


@pytest.mark.parametrize("piece", [1, 3])
def test_a_reply_may_come_in_single_bytes(piece: int) -> None:
    """What one receive gives is no frame."""
    with closing(Server(piece=piece)) as server:
        for step in range(3):
            assert exchange(server.address, [larva(step, odor_id=0)]) == [larva(step, odor_id=0)]
        assert server.accepted == 1


def test_ten_megabytes_pass_both_ways() -> None:
    """In one frame each, within the limit that stands unless another is given."""
    message = larva(snapshot="kenyon" * 1_700_000)
    with closing(Server()) as server:
        assert exchange(server.address, [message]) == [message]


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")
def test_a_unix_socket_is_as_good(tmp_path: Path) -> None:
    """The same exchanges, and the same sentence where there is none."""
    path = tmp_path / "s"
    with closing(Server(unix_path=path)) as server:
        for step in range(5):
            assert exchange(server.address, [larva(step)]) == [larva(step)]
        assert server.accepted == 1
    path.unlink()
    with pytest.raises(NoAnswerError, match="No such file or directory"):
        exchange(server.address, [larva()], timeout_s=0.1)


def test_localhost_is_tried_under_all_its_addresses() -> None:
    """A server that listens on one of them is found."""
    with closing(Server()) as server:
        assert exchange(Address("localhost", server.port), [larva()]) == [larva()]


CHILD = """
import json, os, sys, threading, time
from kenyon.wire import Address, Message, exchange
address = Address("127.0.0.1", int(sys.argv[1]))
ask = lambda who, n: exchange(address, [Message("sim", who, 0, {"n": n})])[0].kwargs["n"] == n
first = ask("parent", 0)
busy = threading.Thread(target=ask, args=("slow", 1))
if sys.argv[2] == "busy":
    busy.start()
    time.sleep(0.2)
child = os.fork()
if child == 0:
    os._exit(0 if all(ask("child", n) for n in range(20)) else 1)
good = all(ask("parent", n) for n in range(20))
_, status = os.waitpid(child, 0)
print(json.dumps([first, good, status]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("state", ["idle", "busy"])
def test_a_forked_child_opens_its_own_connection(state: str) -> None:
    """And the parent's goes on, also if a thread of it was within an exchange and held the locks."""

    def answer(messages: list[Message]) -> list[Message]:
        if messages[0].model_id == "slow":
            time.sleep(0.6)
        return messages

    with closing(Server(answer)) as server:
        # In a process of its own, for forking a process that has threads, as this one may, is warned of.
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(server.port), state], capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        assert json.loads(done.stdout) == [True, True, 0]
        assert server.accepted == 2


def make_certificate(folder: Path) -> Path:
    """Return the file of a new certificate for localhost that vouches for itself; its key lies beside it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("this system has no openssl to make a certificate with")
    key, file = folder / "key.pem", folder / "certificate.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    name = ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([openssl, *made.split(), *name, "-keyout", key, "-out", file], check=True, capture_output=True)
    return file


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the certificate of the servers."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


def tls_server(certificate: Path) -> ssl.SSLContext:
    """Return what a server needs to speak TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context


def test_tls_speaks_over_one_kept_connection(certificate: Path) -> None:
    """To a server whose certificate is vouched for, small and large frames."""
    with closing(Server(tls=tls_server(certificate))) as server:
        address = Address("localhost", server.port, tls_ca=str(certificate))
        for message in (larva(0), larva(1), larva(2, snapshot="kenyon" * 1_700_000), larva(3)):
            assert exchange(address, [message]) == [message]
        assert server.accepted == 1


def test_tls_connections_closed_while_idle_are_replaced(certificate: Path) -> None:
    """As without TLS."""
    with closing(Server(tls=tls_server(certificate), exchanges=1)) as server:
        address = Address("localhost", server.port, tls_ca=str(certificate))
        for step in range(5):
            assert exchange(address, [larva(step)]) == [larva(step)]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(certificate: Path, tmp_path: Path, host: str) -> None:
    """Another's certificate, or another's name, without a second attempt."""
    trusted = make_certificate(tmp_path) if host == "localhost" else certificate
    with closing(Server(tls=tls_server(certificate))) as server:
        address = Address(host, server.port, tls_ca=str(trusted))
        with pytest.raises(
            NoAnswerError, match=r"must show a certificate that .* vouches for, got one refused \(.*[^.]\);"
        ):
            exchange(address, [larva()])
        assert (server.accepted, server.asked) == (1, 0)


def test_a_server_without_tls_is_not_spoken_to_with_it(certificate: Path) -> None:
    """The exchange ends at the deadline, and nothing of the message was sent in the clear."""
    with closing(Server()) as server:
        address = Address("localhost", server.port, tls_ca=str(certificate))
        with pytest.raises(NoAnswerError, match="start the server there or give its right address"):
            exchange(address, [larva()], timeout_s=0.2)
        assert server.asked == 0


def test_a_file_that_holds_no_certificate_is_refused(tmp_path: Path) -> None:
    """Before anything is sent, with its name."""
    (tmp_path / "empty.pem").write_text("")
    for name in ("missing.pem", "empty.pem"):
        with pytest.raises(InputError, match=f"tls_ca must be a readable file of certificates .*{name}"):
            exchange(Address(tls_ca=str(tmp_path / name)), [larva()])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"host": ""}, "host must be the name"),
        ({"host": "a" * 64}, "host must be the name"),
        ({"host": "a\0b"}, "host must be the name"),
        ({"host": "my machine"}, "host must be the name"),
        ({"host": "[::1]"}, "host must be the name"),
        ({"host": None}, "host must be a str"),
        ({"port": 0}, "port must be an integer"),
        ({"port": 65536}, "port must be an integer"),
        ({"port": "5795"}, "port must be an integer"),
        ({"unix_path": 1}, "unix_path must be a str"),
        ({"tls_ca": 1}, "tls_ca must be a str"),
        ({"unix_path": "s", "tls_ca": "c"}, "tls_ca must be None on a Unix socket"),
    ],
)
def test_an_address_is_checked_when_it_is_written(given: dict[str, object], words: str) -> None:
    """In one sentence."""
    with pytest.raises(InputError, match=words):
        Address(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("timeout_s", [0, -1.0, float("nan"), float("inf"), "10"])
def test_a_deadline_is_a_number_of_seconds(timeout_s: float) -> None:
    """Neither none nor never."""
    with pytest.raises(InputError, match=r"timeout_s must be a finite number from 0\.001"):
        exchange(Address(), [larva()], timeout_s=timeout_s)
