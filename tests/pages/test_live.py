"""The page while a run goes on: what it is told over HTTP, whom it asks for, who comes late, who does not read."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from kenyon.live.page import page
from kenyon.live.serving import Serving
from kenyon.live.stream import Stream
from tests.pages.conftest import Opened
from tests.pages.recordings import going_on, learning
from tests.pages.test_page import now, wait_until

pytestmark = pytest.mark.page

FRAMES = 1000


class Telling:
    """A run that goes on: it tells a stream its messages one after the other, some hundred a second."""

    def __init__(self) -> None:
        self.stream = Stream()
        self.serving = Serving(self.stream, page())
        self._messages = iter(going_on(learning(), FRAMES))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    def begin(self) -> "Telling":
        """Let it go on by itself."""
        self._thread.start()
        return self

    def tell(self, messages: int) -> None:
        """Tell so many messages at once."""
        for _, message in zip(range(messages), self._messages, strict=False):
            self.stream.say(message)

    def close(self) -> None:
        """Stop, and answer nobody any more."""
        self._stopping.set()
        if self._thread.ident:
            self._thread.join()
        self.serving.close()

    def _go_on(self) -> None:
        for message in self._messages:
            self.stream.say(message)
            if self._stopping.wait(0.005):
                return


@pytest.fixture
def run() -> Iterator[Telling]:
    """Return a run that has not begun to tell."""
    telling = Telling()
    yield telling
    telling.close()


def test_a_run_is_followed_while_it_goes_on(run: Telling, opened: Opened) -> None:
    """A thousand frames come one after the other, and the page follows the newest, without an error."""
    run.begin()
    tab = opened(run.serving.address)
    wait_until(tab, lambda t_s: t_s > 500.0)
    assert tab.locator("#status").inner_text() == "live"
    tab.keyboard.press("Home")
    wait_until(tab, lambda t_s: t_s < 100.0)
    tab.click("#newest")
    wait_until(tab, lambda t_s: t_s > 900.0)


def test_a_page_that_is_opened_before_the_run_begins_says_so(run: Telling, opened: Opened) -> None:
    """It shows nothing but that it waits, and everything once the run has begun."""
    tab = opened(run.serving.address, begun=False)
    tab.wait_for_selector("#status[data-state=live]")
    assert tab.locator("#status").inner_text() == "waiting for the run to begin"
    assert tab.locator("main").is_hidden()
    run.tell(20)
    tab.wait_for_selector("#place")
    assert tab.locator("#status").inner_text() == "live"


def test_the_larva_that_is_looked_at_is_asked_for(run: Telling, opened: Opened) -> None:
    """The page says at once whom it looks at, and says it again after a click."""
    run.tell(20)
    tab = opened(run.serving.address)
    _wait_for(lambda: run.stream.chosen == {0})
    tab.click("#next")
    _wait_for(lambda: 1 in run.stream.chosen)


def test_a_reload_in_mid_run_shows_all_of_it(run: Telling, opened: Opened) -> None:
    """A page that is loaded anew has what came before, and the larva that was chosen."""
    run.tell(101)
    tab = opened(run.serving.address)
    wait_until(tab, lambda t_s: t_s >= 49.0)
    tab.select_option("#larva", "3")
    before = int(tab.evaluate("document.body.dataset.frames"))
    tab.reload()
    tab.wait_for_selector(f'body[data-frames="{before}"]')
    assert tab.locator("#larva").input_value() == "3"
    run.tell(100)
    wait_until(tab, lambda t_s: t_s >= 99.0)


def test_two_browsers_see_the_same(run: Telling, opened: Opened) -> None:
    """One that comes later has the same frames, and shows the same gains at the same moment."""
    run.tell(101)
    first = opened(run.serving.address, reduced_motion="reduce")
    run.tell(60)
    second = opened(run.serving.address, reduced_motion="reduce")
    for tab in (first, second):
        wait_until(tab, lambda t_s: t_s == 79.0)
    seen = [tab.locator(name).inner_text() for tab in (first, second) for name in ("#larva-words", "#rates", "#clock")]
    assert seen[:3] == seen[3:]


def test_who_does_not_read_holds_nobody_up(run: Telling, opened: Opened) -> None:
    """Beside a browser that asks and never reads, the run tells all it has, and another browser sees it."""
    address = urlsplit(run.serving.address)
    with socket.create_connection((address.hostname or "", address.port or 0)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(f"GET {address.path}events HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        _wait_for(lambda: run.serving.browsers == 1)
        run.tell(2 * FRAMES)
        tab = opened(run.serving.address)
        wait_until(tab, lambda t_s: t_s > 900.0)
        assert now(tab) > 900.0


def test_a_run_that_is_gone_is_said_to_be(run: Telling, opened: Opened) -> None:
    """Where the run is killed the page says so, and keeps what it was told."""
    run.tell(101)
    tab = opened(run.serving.address, errors_allowed=True)
    wait_until(tab, lambda t_s: t_s >= 49.0)
    run.serving.close()
    tab.wait_for_selector('#status[data-state="lost"]')
    tab.keyboard.press(" ")  # Else it would play on at once.
    tab.keyboard.press("Home")
    wait_until(tab, lambda t_s: t_s < 1.0)


def _wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    for _ in range(200):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError
