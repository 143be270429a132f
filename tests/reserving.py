"""Processes that reserve names, race for them and are killed.

`python -m tests.reserving WHAT COUNT FOLDER` prints JSON. A program of its own, so that it can fork: it has one thread
and imports nothing but what reserves.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from kenyon.errors import KenyonError
from kenyon.reservations import reserved

NAMES = "a.txt", "b.txt"


class Child:
    """A process that does something with a line to say what it did and one to be told to go on."""

    def __init__(self, work: Callable[["Child"], None]) -> None:
        self._said, self._say = os.pipe()
        self._told, self._tell = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                work(self)
            finally:
                os._exit(0)
        os.close(self._say)
        os.close(self._told)

    def say(self, word: str) -> None:
        """Say something, in the child."""
        os.write(self._say, f"{word}\n".encode())

    def wait(self) -> None:
        """Wait in the child until told to go on."""
        os.read(self._told, 1)

    def go_on(self) -> None:
        """Tell the child to go on."""
        os.write(self._tell, b".")

    def hear(self) -> str:
        """Return the next word of the child, "" at its end."""
        word = b""
        while not word.endswith(b"\n"):
            letter = os.read(self._said, 1)
            if not letter:
                break
            word += letter
        return word.decode().strip()

    def end(self) -> str:
        """Wait for the end of the child; return all that it said since."""
        words = []
        while word := self.hear():
            words.append(word)
        os.waitpid(self.pid, 0)
        os.close(self._said)
        os.close(self._tell)
        return " ".join(words)


def write(folder: Path, number: int) -> None:
    """Replace two files together."""
    with reserved(folder, *NAMES, overwrite=True) as new:
        for name in NAMES:
            (new / name).write_text(str(number))


def race(count: int, folder: Path) -> dict[str, Any]:
    """Let two reserve the same names at once, each second time those of a process that was killed."""
    faults = []
    for turn in range(count):
        if turn % 2:
            dead = Child(lambda child: _reserve(child, folder, -1))
            dead.go_on()
            dead.hear()
            os.kill(dead.pid, signal.SIGKILL)
            dead.end()
        both = [Child(lambda child, number=2 * turn + i: _reserve(child, folder, number)) for i in range(2)]  # type: ignore[misc]
        for one in both:
            one.go_on()
        words = [one.hear() for one in both]
        if sorted(words) != ["refused", "works"]:
            faults.append([turn, words])
        for one, word in zip(both, words, strict=True):
            if word == "works":
                one.go_on()
            one.end()
        winner = str(2 * turn + words.index("works")) if "works" in words else None
        faults += [[turn, found] for found in [_found(folder)] if found != dict.fromkeys(NAMES, winner)]
        for name in NAMES:
            (folder / name).unlink(missing_ok=True)
    return {"faults": faults}


def _reserve(child: Child, folder: Path, number: int) -> None:
    child.wait()
    try:
        with reserved(folder, *NAMES) as new:
            child.say("works")
            child.wait()
            for name in NAMES:
                (new / name).write_text(str(number))
    except KenyonError:
        child.say("refused")


def kill(count: int, folder: Path) -> dict[str, Any]:
    """Kill somebody who replaces two files together, again and again, at any moment; look at what the next finds."""
    chance, faults, number = random.Random(0), [], 0
    write(folder, 0)
    for turn in range(count):

        def work(child: Child, first: int = number + 1) -> None:
            for own in range(first, first + 10_000):
                write(folder, own)
                child.say(str(own))

        child = Child(work)
        child.hear()  # It is under way.
        time.sleep(chance.uniform(0.0, 0.01))
        os.kill(child.pid, signal.SIGKILL)
        last = int((child.end() or "0").split()[-1])
        faults += _fault(folder, turn, last)
        number = int((folder / NAMES[0]).read_text())
    return {"faults": faults}


def steps(_: int, folder: Path) -> dict[str, Any]:
    """Kill it before each single act on the file system, and then whoever ends what it had done, likewise."""
    faults = []
    write(folder, 0)
    act, done = 0, False
    while not done:
        act += 1
        done = killed_at(act, partial(write, folder, act))
        faults += _fault(folder, act, 0)
    ending, done = 0, False
    while not done:
        ending += 1
        killed_at(1, partial(write, folder, act + ending), after="whole")
        done = killed_at(ending, partial(_reserve_beside, folder))
        faults += _fault(folder, ending, act + ending)
    return {"faults": faults, "acts": [act, ending]}


def killed_at(act: int, work: Callable[[], None], after: str = "") -> bool:
    """Do something in a child that is killed before its n-th act on the file system; return whether it came to an end.

    Args:
        act: The n-th.
        work: What it does.
        after: Count only once something has been given a name that ends so.
    """

    def until_then(child: Child) -> None:
        left, counting = act, not after

        def count(event: str, arguments: Any) -> None:
            nonlocal left, counting
            if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.listdir", "os.scandir"):
                left -= counting
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                counting = counting or (event == "os.rename" and str(arguments[1]).endswith(after))

        sys.addaudithook(count)
        work()
        child.say("done")

    return Child(until_then).end() == "done"


def _reserve_beside(folder: Path) -> None:
    with reserved(folder, "c.txt"):
        pass


def _fault(folder: Path, turn: int, at_least: int) -> list[list[Any]]:
    """Return what is wrong after somebody was killed, and after the next one has reserved a third name beside."""
    _reserve_beside(folder)
    found = _found(folder)
    whole = set(found) == set(NAMES) and len(set(found.values())) == 1 and int(found[NAMES[0]]) >= at_least
    return [] if whole else [[turn, found, at_least]]


def _found(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() if path.is_file() else "a folder" for path in folder.iterdir()}


if __name__ == "__main__":
    what, count, folder = sys.argv[1:]
    print(json.dumps({"race": race, "kill": kill, "steps": steps}[what](int(count), Path(folder))))
