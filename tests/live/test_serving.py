import socket
import time
from collections.abc import Iterator

import pytest

from kenyon.errors import InputError
from kenyon.live.serving import MOST_BROWSERS, Serving
from kenyon.live.stream import Stream
from tests.live.reading import Browser, answered, asked


@pytest.fixture
def served() -> Iterator[tuple[Stream, Serving]]:
    """Serve a page of a few words."""
    stream = Stream()
    serving = Serving(stream, "<!doctype html>larvae")
    yield stream, serving
    serving.close()


def test_whoever_has_the_address_sees_the_page(served: tuple[Stream, Serving]) -> None:
    """Also through a forwarded port, whose number is another."""
    _, serving = served
    assert answered(serving.address, "GET", "") == (200, b"<!doctype html>larvae")
    assert answered(serving.address, "GET", "", host="localhost:9999")[0] == 200
    assert answered(serving.address, "GET", "", host="[::1]:80")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "host"),
    [
        ("GET", "/", None),
        ("GET", "/events", None),
        ("GET", "/wrong/", None),
        ("GET", "/wrong/events", None),
        ("POST", "/wrong/larva", None),
        ("GET", "else", None),
        ("POST", "events", None),
        ("GET", "", "evil.example"),
        ("GET", "", "127.0.0.1.evil.example:80"),
        ("GET", "events", "evil.example:80"),
    ],
)
def test_nobody_else_learns_anything(served: tuple[Stream, Serving], method: str, path: str, host: str | None) -> None:
    """A wrong token, another path, or a name that another site has given to this machine: one sentence."""
    stream, serving = served
    stream.say({"kind": "begun", "title": "secret"})
    status, said = answered(serving.address, method, path, b"3" if method == "POST" else b"", host)
    assert status == 404
    assert said == b"nothing is here; open the address that was printed, all of it\n"
    assert stream.chosen == frozenset()


def test_two_browsers_see_the_same_whenever_they_come(served: tuple[Stream, Serving]) -> None:
    """The second one comes in mid-run, and gets what was before."""
    stream, serving = served
    first = Browser(serving.address)
    stream.say({"kind": "begun", "title": "run"})
    for t in range(50):
        stream.say({"kind": "frame", "t_s": t})
    first.wait_for("frame")
    second = Browser(serving.address)
    stream.say({"kind": "ended", "t_s": 50})
    for browser in (first, second):
        browser.wait_for("ended")
    stream.close()
    assert first.end() == second.end()
    assert [message["kind"] for message in first.messages] == ["begun", *["frame"] * 50, "ended"]


def test_a_browser_chooses_a_larva(served: tuple[Stream, Serving]) -> None:
    """By its place; what is no place is refused in one sentence."""
    stream, serving = served
    assert answered(serving.address, "POST", "larva", b"3") == (204, b"")
    assert stream.chosen == {3}
    for nonsense in (b"", b"-1", b"3.5", b'{"larva": 3}', b"9" * 20, b"\xff\xfe"):
        status, said = answered(serving.address, "POST", "larva", nonsense)
        assert (status, said) == (400, b"the body must be the place of a larva, such as 3\n")
    assert answered(serving.address, "POST", "larva", b"9" * 2000)[0] == 404
    assert stream.chosen == {3}


def test_a_browser_that_does_not_read_holds_nobody_up(served: tuple[Stream, Serving]) -> None:
    """Neither the run nor another browser; nor does one that leaves in the middle."""
    stream, serving = served
    stream.say({"kind": "begun"})
    asleep = asked(serving.address, "GET", "events", room=4096)
    leaving = Browser(serving.address)
    leaving.wait_for("begun")
    awake = Browser(serving.address)
    said_s = 0.0
    for t in range(150):
        began = time.perf_counter()
        stream.say({"kind": "frame", "t_s": t, "x": [0.123] * 10_000})
        said_s += time.perf_counter() - began
        if t == 75:
            leaving.leave()
    stream.say({"kind": "ended", "t_s": 150})
    awake.wait_for("ended")
    # 9 MB, of which the system takes a part in for who does not read; to wait for it would have been for ever.
    assert [message["kind"] for message in awake.messages].count("frame") == 150
    print(f"{said_s / 150 * 1e3:.2f} ms to say a frame of 60 KB")
    asleep.close()
    awake.leave()


def test_a_page_closes_although_a_browser_does_not_read() -> None:
    """Its connection is cut, and the port is free again."""
    stream = Stream()
    serving = Serving(stream, "")
    port = int(serving.address.split(":")[2].split("/")[0])
    for t in range(30):
        stream.say({"kind": "frame", "t_s": t, "x": [0.123] * 50_000})
    asleep = asked(serving.address, "GET", "events", room=4096)
    while serving.browsers == 0:
        time.sleep(0.01)
    serving.close()
    asleep.close()
    again = Serving(Stream(), "", port)
    again.close()


def test_a_port_in_use_is_refused_in_one_sentence() -> None:
    """And so is what is no port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port of a page must be free to listen on, got {port}: .*; choose"):
            Serving(Stream(), "", port)
    with pytest.raises(InputError, match="port of a page must be an integer of at least 0 and at most 65535, got -1"):
        Serving(Stream(), "", -1)


def test_too_many_browsers_are_told_so(served: tuple[Stream, Serving]) -> None:
    """Others go on."""
    stream, serving = served
    stream.say({"kind": "begun"})
    browsers = [Browser(serving.address) for _ in range(MOST_BROWSERS)]
    for browser in browsers:
        browser.wait_for("begun")
    assert answered(serving.address, "GET", "events") == (503, b"too many browsers look at this page; close one\n")
    for browser in browsers:
        browser.leave()


def test_what_is_no_request_gets_a_sentence(served: tuple[Stream, Serving]) -> None:
    """And none of its words back."""
    _, serving = served
    assert answered(serving.address, "BREW", "<script>")[1] == b"this is no request that a page answers\n"
