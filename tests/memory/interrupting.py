"""Ctrl-C in the middle of a call: at every place of it in turn, or at random moments by a real signal."""

import dis
import gc
import json
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from itertools import count, pairwise
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np

import kenyon

_OURS = str(Path(kenyon.__file__).parent)


class _Pressed:
    """Traces a call, and raises KeyboardInterrupt before some of the instructions of our own code."""

    def __init__(self, *places: int, where: Callable[[FrameType], bool]) -> None:
        self._places, self._at, self._where = set(places), 0, where
        self.pressed = 0

    def __call__(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        if not _is_ours(frame.f_code):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._look

    def _look(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "opcode" and self._where(frame):
            self._at += 1
            if self._at in self._places:
                self.pressed += 1
                raise KeyboardInterrupt
        return self._look


def _is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith(_OURS)


def anywhere(_frame: FrameType) -> bool:
    """Return that Ctrl-C may come before any instruction: more often than Python lets it."""
    return True


def after_calls(frame: FrameType) -> bool:
    """Return whether a call has just ended, which is where Python looks for signals.

    Elsewhere an interrupt can come between taking a lock and the `with` that gives it back, which it cannot in truth.
    """
    return frame.f_lasti in _after_calls(frame.f_code)


@cache
def _after_calls(code: CodeType) -> frozenset[int]:
    own = [step for step in dis.get_instructions(code) if step.opname != "CACHE"]
    return frozenset(step.offset for before, step in pairwise(own) if before.opname.startswith("CALL"))


def press(call: Callable[[], Any], *places: int, where: Callable[[FrameType], bool] = anywhere) -> int:
    """Call, and press Ctrl-C before the named instructions, counted from 1; return how often it was pressed."""
    pressed = _Pressed(*places, where=where)
    before = sys.gettrace()
    sys.settrace(pressed)
    try:
        call()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return pressed.pressed


def at_every_place(
    make: Callable[[], Any],
    call: Callable[[Any], Any],
    state: Callable[[Any], Any],
    *,
    every: int = 1,
    again: int | None = None,
    where: Callable[[FrameType], bool] = anywhere,
) -> int:
    """Interrupt a call at every place of it; assert that it is done or not done each time, and goes on as if it were.

    Args:
        make: Makes what is called, always the same.
        call: The call.
        state: Everything that can be seen of it.
        every: Only at every so many places.
        again: So many instructions later, Ctrl-C is pressed once more.
        where: The instructions that count.

    Returns:
        At how many places.
    """
    one = make()
    before = state(one)
    call(one)
    done = state(one)
    call(one)
    done_twice = state(one)
    # Not the same places each time the code is changed, and in the end all of them.
    for place in count(1 + len(repr(done)) % every, every):
        one = make()
        assert state(one) == before
        if not press(lambda one=one: call(one), place, *([] if again is None else [place + again]), where=where):  # type: ignore[misc]  # a default holds it
            return place // every
        now = state(one)
        assert now in (before, done), f"half done at place {place}"
        call(one)
        assert state(one) == (done if now == before else done_twice), f"goes on otherwise after place {place}"
    raise AssertionError


_armed = False


def _ring(number: int, frame: Any) -> None:
    # Where other threads are, a signal can come to one of them, and so late.
    if _armed:
        signal.default_int_handler(number, frame)


@contextmanager
def alarm() -> Iterator[None]:
    """Let an alarm do what Ctrl-C does; it can be set to a millionth of a second."""
    before, collects = signal.signal(signal.SIGALRM, _ring), gc.isenabled()
    gc.disable()  # what Python runs while it collects, such as the callbacks of other libraries, swallows an interrupt
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if collects:
            gc.enable()
        signal.signal(signal.SIGALRM, signal.SIG_IGN if before is signal.SIG_DFL else before)  # one may yet come late


def at_random_moments(
    make: Callable[[], Any], call: Callable[[Any, int], Any], state: Callable[[Any], Any], *, interrupts: int
) -> None:
    """Interrupt calls by a real signal at random moments; assert that each is done or not done, never half.

    Args:
        make: Makes what is called, always the same.
        call: The call, told how many were done before.
        state: Everything that can be seen of it.
        interrupts: How many.
    """
    one, twin, chance = make(), make(), random.Random(interrupts)
    begun = time.perf_counter()
    for warm in range(5):
        call(one, warm)
        call(twin, warm)
    longest_s = max((time.perf_counter() - begun) / 5, 2e-6)
    hits, calls = 0, 5
    with alarm():
        while hits < interrupts:
            before = state(one)
            hits += interrupted(partial(call, one, calls), chance.uniform(1e-6, longest_s))
            if state(one) != before:
                call(twin, calls)
                calls += 1
                assert state(one) == state(twin), f"half done in call {calls}"


def interrupted(call: Callable[[], Any], after_s: float) -> bool:
    """Call, and press Ctrl-C after some time; return whether that was within the call."""
    global _armed  # noqa: PLW0603  # there is one alarm
    try:
        _armed = True
        signal.setitimer(signal.ITIMER_REAL, after_s)
        call()
        _armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        _armed = False
        return True
    return False


def everything(memory: Any) -> Any:
    """Return all there is to a memory or a population, as one value that can be compared."""
    header, arrays = memory._plain()
    header.pop("rng", None)
    gain = memory.gain.tolist() if isinstance(memory.gain, np.ndarray) else dict(memory.gain)
    rng = getattr(memory, "rng", None)
    chance = rng.getstate() if isinstance(rng, random.Random) else rng and repr(rng.bit_generator.state)
    kept = {name: (values.shape, values.tobytes()) for name, values in sorted(arrays.items())}
    return json.dumps(header, sort_keys=True, default=list), gain, kept, chance
