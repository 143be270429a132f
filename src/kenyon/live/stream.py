"""What was said so far, for readers who come when they like and read as fast as they can.

Law of this file: whoever says something never waits for a reader. There is one log; a reader has a place in it and no
queue of its own. A long log is thinned, so who is slow, or comes late, is given less and not later.
"""

import bisect
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from kenyon.live.messages import spelled

MOST_FRAMES: Final = 2000
"""Frames that are kept of twice as many: some over all the time, and the last ones."""

MOST_BYTES: Final = 64 * 2**20
"""Bytes of frames, of which half are kept likewise."""

_LAST: Final = 100

MOST_CELLS: Final = 120
"""Messages of the cells of larvae that are kept, the last ones."""

MOST_CHOSEN: Final = 4
"""Larvae that are looked at; of more, those that were chosen last."""

_AT_ONCE: Final = 256 * 2**10


class _Said(NamedTuple):
    """A message: its number, its kind, what it says, and how many frames of the run were told before it."""

    number: int
    kind: str
    text: bytes
    frame: int


class Stream:
    """Messages in order, from a run to all who read.

    Example:
        >>> stream = Stream()
        >>> stream.say({"kind": "frame", "t_s": 0.0})
        >>> stream.after(0, wait_s=0.0)
        ([b'{"kind":"frame","t_s":0.0}'], 1)
        >>> stream.after(1, wait_s=0.0)
        ([], 1)
    """

    def __init__(self) -> None:
        self._something = threading.Condition()
        self._last = 0
        self._begin()
        self._chosen: deque[int] = deque(maxlen=MOST_CHOSEN)
        self._chosen_now: frozenset[int] = frozenset()
        self._over = False

    def say(self, message: Mapping[str, Any]) -> None:
        """Say one thing more; that a run begins forgets all before it."""
        kind, text = str(message["kind"]), spelled(message)
        with self._something:
            self._last += 1
            if kind == "begun":
                self._begin()
            self._log.append(_Said(self._last, kind, text, self._told))
            if kind == "frame":
                self._told += 1
                self._frames += 1
                self._frame_bytes += len(text)
                if self._frames > 2 * MOST_FRAMES or self._frame_bytes > MOST_BYTES:
                    self._thin()
            elif kind == "cells":
                self._cells += 1
                if self._cells > 2 * MOST_CELLS:
                    self._forget_cells()
            self._something.notify_all()

    def after(self, number: int, wait_s: float) -> tuple[list[bytes], int]:
        """Return what was said after some number, and the number to ask with next.

        Args:
            number: 0 for all that is kept, or what the last call returned.
            wait_s: How long to wait where there is nothing, s.

        Returns:
            Messages, at most some 256 KB of them; none where nothing came in time, or nothing will.
        """
        with self._something:
            if self._last <= number and not self._over:
                self._something.wait(wait_s)
            first = bisect.bisect_right(self._log, number, key=lambda said: said.number)
            texts: list[bytes] = []
            size = 0
            for said in self._log[first:]:
                texts.append(said.text)
                number, size = said.number, size + len(said.text)
                if size > _AT_ONCE:
                    break
            return texts, number

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._something:
            self._over = True
            self._something.notify_all()

    def ended(self, number: int) -> bool:
        """Return whether nothing will come after some number."""
        with self._something:
            return self._over and self._last <= number

    @property
    def chosen(self) -> frozenset[int]:
        """The places of larvae that somebody looks at."""
        return self._chosen_now

    def choose(self, place: int) -> None:
        """Look at one larva more; of too many the one that was chosen first is left."""
        with self._something:
            if place in self._chosen:
                self._chosen.remove(place)
            self._chosen.append(place)
            self._chosen_now = frozenset(self._chosen)

    def _begin(self) -> None:
        """Forget everything."""
        self._log: list[_Said] = []
        self._told = self._frames = self._frame_bytes = self._cells = 0
        self._stride = 1

    def _thin(self) -> None:
        """Forget frames, until few enough are left: ever more of those that are not among the last."""
        while True:
            spared = self._told - _LAST
            self._log = [
                said
                for said in self._log
                if said.kind != "frame" or said.frame % self._stride == 0 or said.frame >= spared
            ]
            sizes = [len(said.text) for said in self._log if said.kind == "frame"]
            self._frames, self._frame_bytes = len(sizes), sum(sizes)
            few = self._frames <= MOST_FRAMES and self._frame_bytes <= MOST_BYTES // 2
            if few or self._stride > self._told:
                return
            self._stride *= 2

    def _forget_cells(self) -> None:
        """Forget what cells did but in the last messages."""
        spare = self._cells - MOST_CELLS
        kept = []
        for said in self._log:
            if said.kind == "cells" and spare > 0:
                spare -= 1
                continue
            kept.append(said)
        self._log, self._cells = kept, MOST_CELLS
