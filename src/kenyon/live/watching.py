"""A page about a run, which anybody with its address can open while the run goes on."""

import logging
import sys
import threading
import time
from collections.abc import Callable
from html import escape
from typing import Any, Final

from kenyon import checks
from kenyon.conditioning import Experiment
from kenyon.errors import InputError, KenyonError
from kenyon.live.circuit import CircuitSource
from kenyon.live.page import page
from kenyon.live.served import ServedSource
from kenyon.live.serving import Serving
from kenyon.live.stream import Stream
from kenyon.server.settings import Settings
from kenyon.words import shown

_logger = logging.getLogger(__name__)

_GOODBYE_S: Final = 3.0
"""How long browsers have to hear the end."""


class Page:
    """A page about a run, on loopback, until it is closed; `watch` makes it.

    It is a listener: whatever it is told of stands on it. Whoever opens it late is told all that was before; a browser
    that is slow, or leaves, holds nothing up.

    Args:
        source: Makes messages of events, once it is told where to.
        port: Port on loopback; 0 takes a free one.

    Attributes:
        stream: What was said so far.
        address: Where it is. Only who has all of it may look.

    Raises:
        InputError: the port is none, or taken.
    """

    def __init__(self, source: Callable[[Stream], Any], port: int = 0) -> None:
        self.stream = Stream()
        self._serving = Serving(self.stream, page(), port)
        self._source = source(self.stream)
        self.address = self._serving.address
        self._closed = threading.Event()

    def __call__(self, event: Any) -> None:
        """Hear of an event.

        Raises:
            MismatchError: it is of a run that the page was not told of. Any other fault is the page's own: it is
                logged, and the run goes on.
        """
        try:
            self._source(event)
        except KenyonError:
            raise
        except Exception:  # whatever it is
            _logger.exception("a page could not show something by a fault of Kenyon's; the run goes on")

    def __enter__(self) -> "Page":  # noqa: PYI034  # Self is not in typing before Python 3.11
        """Give the page itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Say where it is."""
        return f"<page at {self.address}>"

    def _repr_html_(self) -> str:
        """Show a link, in a notebook."""
        address = escape(self.address)
        return f'<a href="{address}" target="_blank" rel="noreferrer">{address}</a>'

    @property
    def browsers(self) -> int:
        """How many browsers are being told."""
        return self._serving.browsers

    def end(self) -> None:
        """Say that the run is over, if that was not said; the page stays."""
        self._source.end()

    def wait(self) -> None:
        """Wait until the page is closed by another thread, or for Ctrl-C."""
        while not self._closed.wait(1.0):  # A wait without end would not hear Ctrl-C on every system.
            pass

    def close(self) -> None:
        """Answer no more; what browsers have been told, they keep."""
        if self._closed.is_set():
            return
        self.end()
        self.stream.close()
        hurry = time.monotonic() + _GOODBYE_S
        while self.browsers and time.monotonic() < hurry:
            time.sleep(0.01)
        self._serving.close()
        self._closed.set()


def watch(*runs: Any, port: int = 0, every_s: float = 1.0) -> Page:
    """Return a page about a run, to be opened in any browser of this machine.

    Args:
        *runs: What the page is about: one or more `Experiment`s, to run one after the other; the `Settings` of a
            server; or a run of Larvaworld before its `simulate`, to which it is attached at once. Without any, a run of
            Larvaworld that is passed the page as one of its listeners.
        port: Port on loopback; 0 takes a free one.
        every_s: Time between two frames of a run of Larvaworld, in the larvae's own time, s.

    Returns:
        The page, a listener: pass it on as such, but where it is attached. At the end of a `with` statement it is
        closed.

    Raises:
        InputError: a run is none of these, the port is none, or it is taken.
        MismatchError: a run of Larvaworld has begun, or is of a version that Kenyon does not know.

    Example:
        >>> experiment = Experiment("A+ 2s, ?A 1s", larvae=2)
        >>> with watch(experiment) as page:
        ...     results = experiment.run([page], show_progress=False)
        >>> page
        <page at http://127.0.0.1:.../>
    """
    every_s = checks.positive("every_s", every_s, high=1e6, unit="s")
    if runs and all(isinstance(run, Experiment) for run in runs):
        return Page(lambda stream: CircuitSource(runs, stream), port)
    if len(runs) == 1 and isinstance(runs[0], Settings):
        return Page(lambda stream: ServedSource(runs[0], stream), port)
    if not runs or (len(runs) == 1 and _is_of_larvaworld(runs[0])):
        from kenyon.live.arena import ArenaSource

        made = Page(lambda stream: ArenaSource(stream, every_s), port)
        if runs:
            _attach(made, runs[0])
        return made
    raise InputError(
        f"a run to watch must be Experiments, the Settings of a server, or a run of Larvaworld, got {shown(runs)}"
    )


def _is_of_larvaworld(run: Any) -> bool:
    """Return whether something is a run of Larvaworld, which is imported where there is one."""
    base = getattr(sys.modules.get("larvaworld.lib.sim.base_run"), "BaseRun", None)
    return base is not None and isinstance(run, base)


def _attach(made: Page, run: Any) -> None:
    from kenyon.larvaworld_plugin.attaching import attach

    try:
        attach(run, [made])
    except BaseException:
        made.close()
        raise
