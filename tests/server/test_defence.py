"""Clients that are slow, silent, many, wrong or hostile hear why; others hear nothing of them."""

import base64
import io
import json
import random
import shlex
import socket
import struct
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from kenyon.cli import main
from kenyon.errors import InputError
from kenyon.mushroom_body import DEFAULT, PUBLISHED, Population
from kenyon.server import Limits, Settings
from kenyon.wire import FrameReader, Message, decode, encode, frame
from kenyon.wire.refusals import CODES
from tests.server.running import Connection, Here, Running, step, wait_until
from tests.server.test_survival import read


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server whose patience is short."""
    short = ("--read-timeout-s", "1", "--idle-timeout-s", "3", "--metrics-port", "0", "--max-frame-bytes", "20000")
    with Running(tmp_path_factory.mktemp("larvae"), *short) as running:
        yield running


def metric(server: Running, name: str) -> float:
    """Return one number of /metrics; 0 where nothing was counted yet."""
    lines = [
        line
        for line in read(f"http://127.0.0.1:{server.metrics_port}/metrics").splitlines()
        if line.startswith(f"{name} ")
    ]
    return float(lines[0].split()[-1]) if lines else 0.0


def errors(server: Running, code: str) -> float:
    """Return how many refusals of a code have been counted."""
    return metric(server, f'kenyon_errors_total{{code="{code}"}}')


def farewell(sock: socket.socket) -> list[Message]:
    """Return the one frame that comes before the end of a connection."""
    sock.settimeout(30)
    received = bytearray()
    while data := sock.recv(65536):
        received += data
    reader = FrameReader()
    reader.feed(bytes(received))
    body = reader.next_frame()
    assert body is not None
    assert reader.pending == 0
    return decode(body)


UNREADABLE = [b"[]", b'{"class": 1}', b"[1]", b"nonsense", b"\xff\xfe", b"[" * 5000, b'[{"class": "Other"}]', b"[NaN]"]


@pytest.mark.parametrize("body", UNREADABLE[1:])
def test_a_frame_that_is_no_message_gets_an_error_and_the_next_is_answered(server: Running, body: bytes) -> None:
    """One message with null ids; the connection stays."""
    before = errors(server, "message")
    with Connection(server.address) as connection:
        connection.socket.sendall(frame(body))
        (reply,) = connection.receive()
        assert reply.args == (None, None, None)
        assert reply.kwargs["error_code"] == "message"
        assert connection.ask(Message("x", 0, 0, {"op": "ping"}))[0].kwargs["engine"] == "kernel"
    assert errors(server, "message") == before + 1


@pytest.mark.parametrize("header", [-1, 0, 5, 20_001, 2**31 - 1])
def test_a_header_that_announces_no_frame_gets_one_error_frame_and_a_closed_connection(
    server: Running, header: int
) -> None:
    """Nothing is set aside for it."""
    with Connection(server.address) as connection:
        connection.socket.sendall(struct.pack("!i", header) + b"x" * 100_000)
        (reply,) = farewell(connection.socket)
        assert (reply.args, reply.kwargs["error_code"]) == ((None, None, None), "frame")


def test_a_truncated_frame_gets_an_error_frame(server: Running) -> None:
    """If the client still listens."""
    with Connection(server.address) as connection:
        connection.socket.sendall(frame(encode([step("cut", 0, 0)]))[:-1])
        connection.socket.shutdown(socket.SHUT_WR)
        (reply,) = farewell(connection.socket)
        assert "got the end of the stream" in reply.kwargs["error"]


def test_a_byte_a_second_is_too_slow(server: Running) -> None:
    """The frame must come whole within the time to read it, however alive its sender."""
    with Connection(server.address) as connection:
        for byte in frame(encode([step("slow", 0, 0)]))[:200]:
            try:
                connection.socket.sendall(bytes([byte]))
            except OSError:
                break
            time.sleep(0.05)
        else:
            pytest.fail("ten seconds were not too slow")


def test_a_silent_connection_is_closed_and_a_quiet_one_with_a_long_step_is_not(server: Running) -> None:
    """Silence is measured from the last byte, and does not count while the server itself works."""
    with Connection(server.address) as silent, Connection(server.address) as patient:
        patient.send(*(step("patient", larva, 0, T=60_000) for larva in range(8)))
        silent.socket.settimeout(30)
        assert silent.socket.recv(1) == b""
        assert len(patient.receive()) == 8


def test_a_client_that_never_reads_is_closed(server: Running) -> None:
    """Its replies do not pile up here: after the first that is not taken, nothing more is done for it."""
    begun = metric(server, "kenyon_frames_total")
    with Connection(server.address) as deaf:
        deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.socket.settimeout(1)
        request = frame(encode([Message("deaf", i, 0, {"op": "ping"}) for i in range(150)]))
        with pytest.raises(OSError):  # noqa: PT011  # a timeout or a reset, as the system has it
            deaf.socket.sendall(request * 2000)
        wait_until(lambda: metric(server, "kenyon_connections") <= 2)
    assert metric(server, "kenyon_frames_total") - begun < 500


def test_a_thousand_that_connect_and_hang_up(server: Running) -> None:
    """At once, with a reset, or in the middle of a frame: a client beside them keeps its numbers."""
    want = [server.ask(step("beside a", 0, number))[0] for number in range(20)]
    snapshot = []
    with Connection(server.address) as good:
        for number in range(1000):
            rude = socket.create_connection(("127.0.0.1", server.address.port))
            if number % 3 == 1:
                rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if number % 3 == 2:
                rude.sendall(frame(encode([step("rude", number, 0)]))[: 1 + number % 150])
            rude.close()
            if number % 50 == 0:
                snapshot.append(good.ask(step("beside b", 0, number // 50))[0].kwargs)
    assert len(snapshot) == len(want)
    assert [server.ask(step("beside b", 1, number))[0] for number in range(3)] != want[:3]
    assert server.process.poll() is None
    wait_until(lambda: metric(server, "kenyon_connections") <= 2)


def test_two_hundred_connections_at_once() -> None:
    """Each with a larva of its own, all answered as one alone would be."""
    with Here() as server:
        connections = [Connection(server.address) for _ in range(200)]
        for number in range(3):
            for i, connection in enumerate(connections):
                connection.send(step("many", i, number))
            replies = [connection.receive()[0].kwargs for connection in connections]
        for connection in connections:
            connection.socket.close()
        server.ask(*(Message("many", i, 0, {"op": "delete"}) for i in range(100)))
        alone = [[server.ask(step("many", i, number))[0] for number in range(3)][-1] for i in range(0, 100, 10)]
        assert alone == replies[:100:10]


def mutated(chance: random.Random) -> bytes:
    """Return a frame that is wrong somewhere, or only might be."""
    good = encode([step("fuzz", chance.randrange(5), chance.randrange(3)) for _ in range(chance.choice([1, 1, 1, 2]))])
    body = bytearray(good)
    for _ in range(chance.randint(1, 4)):
        kind, place = chance.randrange(4), chance.randrange(len(body))
        if kind == 0:
            body[place] = chance.randrange(256)
        elif kind == 1:
            del body[place : place + chance.randint(1, 5)]
        elif kind == 2:
            body[place:place] = chance.choice([b"NaN", b"-1", b"1e400", b'"', b"[", b"{}", b"null", b"true", b"9" * 50])
        else:
            part = body[place : place + 20]
            body[place:place] = part
        if not body:
            body = bytearray(b"[]")
    return struct.pack("!i", len(body) + 4) + bytes(body)


@pytest.mark.parametrize("hundreds", [40, pytest.param(1000, marks=pytest.mark.long)])
def test_fuzzed_frames(server: Running, hundreds: int) -> None:
    """Each gets one reply frame, with a code that is known where it is refused; no larva beside them notices."""
    chance = random.Random(5)
    beside: list[dict[str, Any]] = []
    go_on = threading.Event()
    go_on.set()

    def well_behaved() -> None:
        with Connection(server.address) as connection:
            while go_on.is_set():
                beside.append(connection.ask(step("beside", 0, len(beside)))[0].kwargs)

    good = threading.Thread(target=well_behaved)
    good.start()
    codes: dict[str, int] = {}
    try:
        with Connection(server.address) as connection:
            for _ in range(hundreds):
                connection.socket.sendall(b"".join(mutated(chance) for _ in range(100)))
                for _ in range(100):
                    for reply in connection.receive():
                        code = reply.kwargs.get("error_code", "answered")
                        codes[code] = codes.get(code, 0) + 1
    finally:
        go_on.clear()
        good.join()
    assert set(codes) <= {*CODES, "answered"}
    assert {"message", "field", "odor", "step", "answered"} <= set(codes)
    assert "internal" not in codes
    assert sum(codes.values()) >= 100 * hundreds
    server.ask(Message("beside", 0, 0, {"op": "delete"}))
    assert [server.ask(step("beside", 0, number))[0] for number in range(30)] == beside[:30]


def test_thousands_of_frames_in_one_write_are_answered_one_by_one(server: Running) -> None:
    """Empty ones, refused ones and good ones: none is lost, however many wait."""
    ping = frame(encode([Message("x", 0, 0, {"op": "ping"})]))
    with Connection(server.address) as connection:
        connection.socket.sendall((frame(b"[]") + frame(b"nonsense") + ping) * 3000)
        for _ in range(3000):
            assert connection.receive() == []
            assert connection.receive()[0].kwargs["error_code"] == "message"
            assert "kenyon" in connection.receive()[0].kwargs


def test_what_follows_a_good_frame_does_not_take_its_reply_away(server: Running) -> None:
    """The reply comes first, then the error frame, then the end."""
    with Connection(server.address) as connection:
        connection.send(step("followed", 0, 0, T=5000))
        time.sleep(0.02)
        connection.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert "MBONp" in connection.receive()[0].kwargs
        assert connection.receive()[0].kwargs["error_code"] == "frame"
        assert connection.socket.recv(1) == b""


def test_random_bytes_end_a_connection_and_nothing_else(server: Running) -> None:
    """With one error frame, or none if they could still become a frame."""
    chance = random.Random(6)
    for _ in range(300):
        with Connection(server.address) as connection:
            connection.socket.sendall(chance.randbytes(chance.randint(4, 400)))
            connection.socket.shutdown(socket.SHUT_WR)
            for reply in farewell(connection.socket):
                assert reply.kwargs["error_code"] in ("frame", "message")
    assert server.process.poll() is None


def test_snapshots_that_are_none_are_refused(server: Running) -> None:
    """Foreign, damaged, of other parameters, of several larvae, or announcing more than there is room for."""
    whole = Population(DEFAULT, [1]).snapshot().to_bytes()
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("header.npy", "v_mV.npy"):
            entry = io.BytesIO()
            np.save(entry, np.zeros(10_000_000, dtype=np.uint8))
            archive.writestr(name, entry.getvalue())
    refused = {
        "must be base64": "%%%",
        "must be a whole .npz": base64.b64encode(b"nothing").decode(),
        "must be a whole .npz archive": base64.b64encode(whole[: len(whole) // 2]).decode(),
        "must be of at most": base64.b64encode(bomb.getvalue()).decode()[:19_000],
        "must be of this server's parameters": base64.b64encode(
            Population(PUBLISHED, [1]).snapshot().to_bytes()
        ).decode(),
        "must be of one larva": base64.b64encode(Population(DEFAULT, [1, 2]).snapshot().to_bytes()).decode(),
    }
    for sentence, text in refused.items():
        (reply,) = server.ask(Message("load", 0, 3, {"op": "load", "snapshot": text}))
        assert reply["error_code"] == "snapshot", sentence
        assert sentence.split(" ", 2)[0] in reply["error"]
    assert server.ask(Message("load", 0, 0, {"op": "export"}))[0]["error_code"] == "unknown_larva"


def test_replies_too_large_for_a_frame_are_said_so() -> None:
    """One by one, and the server goes on."""
    with Here(limits=Limits(max_messages=2000)) as server:
        server.ask(step("large", 0, 0))
        asked = [Message("large", 0, 0, {"op": "export"})] * 2000
        with Connection(server.address) as connection:
            replies = connection.ask(*asked)
            assert len(replies) == len(asked)
            assert {reply.kwargs.get("error_code") for reply in replies} == {"limit"}
            assert "MBONp" in connection.ask(step("large", 0, 1))[0].kwargs


def test_each_error_is_logged_once_for_each_larva_and_code(server: Running) -> None:
    """A stock client shows its user only a TypeError; the sentence stands here."""
    for _ in range(5):
        server.ask(step("logged", "Larva_7", 5))
    wait_until(lambda: any("'Larva_7' of 'logged'" in line for line in server.lines))
    said = [line for line in server.lines if "'Larva_7' of 'logged'" in line]
    assert len(said) == 1
    assert "step must be 0 for a larva that is not known here, got 5" in said[0]


def test_limits_are_said() -> None:
    """Messages in a frame, larvae, connections, messages waiting: each with its code, and what is below it goes on."""
    limits = Limits(max_messages=4, max_larvae=3, max_connections=3, max_queue=6)
    with Here(limits=limits) as server, Connection(server.address) as connection:
        (reply,) = connection.ask(*(step("limit", i, 0) for i in range(5)))
        assert (reply.kwargs["error_code"], reply.args) == ("limit", (None, None, None))
        replies = connection.ask(*(step("limit", i, 0) for i in range(4)))
        assert [own.kwargs.get("error_code") for own in replies] == [None, None, None, "larvae"]
        assert "kenyon sessions delete" in replies[3].kwargs["error"]
        connection.ask(Message("limit", 0, 0, {"op": "delete"}))
        assert "error" not in connection.ask(step("limit", 3, 0))[0].kwargs
        with Connection(server.address) as other, Connection(server.address) as third:
            third.ask(Message("x", 0, 0, {"op": "ping"}))
            connection.send(*(step("limit", i, 1, T=60_000) for i in (1, 2, 3)))
            third.ask(Message("x", 0, 0, {"op": "ping"}))  # and so the steps were taken before
            other.send(*(step("limit", 1, 2 + i) for i in range(4)))
            busy = [own.kwargs for own in other.receive() if own.kwargs.get("error_code") == "busy"]
            assert busy
            assert busy[0]["retry_after_s"] > 0
            connection.receive()
            with Connection(server.address) as fourth:
                (reply,) = farewell(fourth.socket)
                assert reply.kwargs["error_code"] == "busy"
            assert third.ask(Message("x", 0, 0, {"op": "ping"}))[0].kwargs["larvae"] == 3


def test_beyond_this_machine_only_with_a_token_or_tls() -> None:
    """Every address that others can reach is refused without one."""
    for host in ("0.0.0.0", "", "::", "192.0.2.1"):  # that this is refused is what is tested
        with pytest.raises(InputError, match="give --token-file, or --tls-cert"):
            Settings(host=host)
        assert Settings(host=host, token="a secret word").host == host
    for host in ("localhost", "127.0.0.1", "::1", "127.1.2.3"):
        assert Settings(host=host).host == host
    with pytest.raises(InputError, match="host must be the name or address"):
        Settings(host="no such host anywhere")


NONSENSE: list[tuple[dict[str, Any], str]] = [
    ({"port": 70_000}, "port must be"),
    ({"metrics_port": -1}, "metrics_port must be"),
    ({"engine": "kernle"}, "unknown engine 'kernle'; did you mean 'kernel'"),
    ({"odors": ("banana",)}, "unknown odor 'banana'"),
    ({"odors": ()}, "odors must name one or more odors"),
    ({"odors": ("anisole", "Anisole")}, "each once"),
    ({"seed": -1}, "seed must be"),
    ({"concentration_scale": float("nan")}, "concentration_scale must be"),
    ({"token": "short"}, "at least 8 characters"),
    ({"tls_cert": Path("x")}, "tls_cert and tls_key must come together"),
    ({"unix_path": "x", "tls_cert": Path("x"), "tls_key": Path("y")}, "TLS must be off on a Unix socket"),
]


@pytest.mark.parametrize(("changes", "sentence"), NONSENSE)
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any], sentence: str) -> None:
    """Before anything is opened."""
    with pytest.raises(InputError, match=sentence):
        Settings(**changes)


@pytest.mark.parametrize("name", list(vars(Limits())))
def test_limits_that_cannot_be_are_refused(name: str) -> None:
    """Each within its range; none is nan."""
    nonsense: list[Any] = [-1, float("nan"), "many", 1e12]
    for value in nonsense:
        with pytest.raises(InputError, match=name):
            Limits(**{name: value})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of its own and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


def test_tls_and_a_token_on_every_address(
    tmp_path: Path, certificate: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    """With both, a client is answered; without the token, or without TLS, it is not; nothing shows the token."""
    cert, key = certificate
    word = tmp_path / "token"
    word.write_text("a secret word\n")
    caplog.set_level("DEBUG")
    with Here(host="0.0.0.0", tls_cert=cert, tls_key=key, token="a secret word") as server:
        (reply,) = server.ask(step("tls", 0, 0, token="a secret word"))
        assert "MBONp" in reply
        (reply,) = server.ask(step("tls", 0, 1, token="another word"))
        assert reply["error_code"] == "token"
        with socket.create_connection(("127.0.0.1", server.address.port)) as plain:
            plain.sendall(frame(encode([step("tls", 0, 1, token="a secret word")])))
            plain.settimeout(10)
            with suppress(OSError):
                assert b"MBONp" not in plain.recv(65536)
        there = ("--host", "localhost", "--port", str(server.address.port), "--tls-ca", str(cert))
        pinged = CliRunner().invoke(main, ["ping", *there, "--token-file", str(word)])
        assert pinged.exit_code == 0, pinged.output
        refused = CliRunner().invoke(main, ["ping", *there])
        assert refused.exit_code == 1
        assert "must bear this server's token" in refused.output
    assert "step of larva 0 of 'tls' at step 0" in caplog.text
    assert "secret" not in caplog.text


def test_the_ping_that_a_server_advises_is_answered(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    """With all that it was told of host, token and TLS, or on a Unix socket."""
    word = tmp_path / "the word"
    word.write_text("open sesame", encoding="utf-8")
    file, key = map(str, certificate)
    token, tls = ("--token-file", str(word)), ("--tls-cert", file, "--tls-key", key)
    for number, told in enumerate([(*token, *tls, "--host", "0.0.0.0"), ("--unix", str(tmp_path / "s"))]):
        with Running(tmp_path / str(number), *told) as server:
            (line,) = [line for line in server.lines if "Try it: " in line]
            advised = shlex.split(line.partition("Try it: ")[2].partition("    Stop")[0])
            done = CliRunner().invoke(main, [*advised[1:], "--count", "1"])
        assert done.exit_code == 0, (line, done.output)


def test_a_certificate_that_is_none_is_refused(tmp_path: Path) -> None:
    """With the names of the files."""
    (tmp_path / "x").write_text("no certificate")
    refused = pytest.raises(InputError, match="tls_cert and tls_key must be a certificate and its key")
    with refused, Here(tls_cert=tmp_path / "x", tls_key=tmp_path / "x"):
        pass


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")
def test_a_unix_socket_is_open_to_its_owner_only_and_taken_over_from_the_dead_alone(tmp_path: Path) -> None:
    """A killed server leaves one behind; a living one keeps it; a file that is none is left alone."""
    path = tmp_path / "kenyon.sock"
    with socket.socket(socket.AF_UNIX) as dead:  # what the system leaves of a server that was killed
        dead.bind(str(path))
    with Here(unix_path=str(path)) as server:
        assert path.stat().st_mode & 0o077 == 0
        assert "MBONp" in server.ask(step("unix", 0, 0))[0]
        assert CliRunner().invoke(main, ["ping", "--unix", str(path)]).exit_code == 0
        with pytest.raises(InputError, match="a server listens there"), Here(unix_path=str(path)):
            pass
        assert "MBONp" in server.ask(step("unix", 0, 1))[0]
    assert not path.exists()
    path.write_text("precious")
    with pytest.raises(InputError, match="got the file"), Here(unix_path=str(path)):
        pass
    assert path.read_text() == "precious"


def test_a_port_that_is_taken_is_said() -> None:
    """With what to do."""
    taken = pytest.raises(InputError, match="must be free to listen on, but: Address already in use")
    with Here() as server, taken, Here(port=server.address.port):
        pass


def test_ping_says_who_is_there_and_who_is_not(server: Running) -> None:
    """Version, engine, parameters, round trip; with 1 and a sentence where nobody answers."""
    port = str(server.address.port)
    assert "round trip" in CliRunner().invoke(main, ["ping", "--port", port]).output
    assert '"engine": "kernel"' in CliRunner().invoke(main, ["ping", "--port", port, "--json"]).output
    nobody = CliRunner().invoke(main, ["ping", "--port", "1", "--timeout", "0.2"])
    assert nobody.exit_code == 1
    assert "start the server there" in nobody.output


def test_health_is_shown(server: Running) -> None:
    """Alive, ready, and counted; other pages are not there."""
    url = f"http://127.0.0.1:{server.metrics_port}"
    assert read(f"{url}/healthz") == "alive\n"
    assert read(f"{url}/readyz") == "ready\n"
    text = read(f"{url}/metrics")
    for name in (
        "steps_total",
        "latency_seconds_bucket",
        "batch_larvae_count",
        "larvae_awake",
        "queue",
        "errors_total",
    ):
        assert f"kenyon_{name}" in text
    with pytest.raises(OSError, match="404"):
        read(f"{url}/elsewhere")


def test_logs_can_be_read_by_programs(tmp_path: Path) -> None:
    """One JSON object a line; one for each request at debug level only."""
    with Running(tmp_path, "--log-format", "json", "--log-level", "debug") as server:
        server.ask(step("log", 0, 0))
        server.ask(step("log", 0, 9))
        server.stop()
        lines = [json.loads(line) for line in server.lines if line.startswith("{")]
    assert any(line["level"] == "debug" and "step of larva 0 of 'log' at step 0" in line["message"] for line in lines)
    assert any(line["level"] == "warning" and line["code"] == "step" for line in lines)
