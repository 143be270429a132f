"""Groups of larvae trained and tested, over processes and over interruptions: what each did, as soon as it is known."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from kenyon import checks
from kenyon.errors import InputError, KenyonError
from kenyon.larvaworld_plugin import building, kept, registration
from kenyon.larvaworld_plugin.groups import TESTS, TRAINING, Answer, Group, answer
from kenyon.larvaworld_plugin.plan import Plan
from kenyon.progress import progress

_EXPERIMENTS = (TRAINING, *TESTS.values())


def answers(
    groups: Sequence[Group], *, keep_in: str | Path | None, jobs: int, show_progress: bool
) -> dict[tuple[str, int], Answer]:
    """Return what groups did, by the name of their schedule and their number.

    Registers Kenyon's memories for the time, unless they are registered already.

    Args:
        groups: All of them.
        keep_in: Folder to keep in what each did, and to take it from where it is there already.
        jobs: Processes to use; the numbers are the same.
        show_progress: Show a progress bar on standard error.

    Raises:
        MissingDependencyError, MismatchError, InputError: as for `experiment.run`.
        KenyonError: a process was killed.
    """
    folder = None if keep_in is None else checks.path("keep_in", keep_in)
    jobs = checks.integer("jobs", jobs, low=1, high=1024)
    found: dict[tuple[str, int], Answer] = {}
    with ExitStack() as stack:
        settings = asdict(registration.registered() or stack.enter_context(registration.register()).settings)
        if settings["memories"] is not None or settings["frozen"]:
            raise InputError(
                "larvae that are trained must begin naive and learn, but memories or frozen=True are registered; "
                "register without these"
            )
        one = groups[0]
        building.checked(Plan(TRAINING, one.model, one.larvae, one.test_min, one.seed, one.memory))
        words = f"{len(groups)} groups of {one.larvae} {one.model}"
        done = stack.enter_context(progress(words, sum(group.minutes for group in groups), show=show_progress))
        for known in _remembered(groups, jobs, settings, folder):
            if known is None:
                done(0.0)
                continue
            group, given = known
            found[_key(group)] = given
            done(group.minutes)
    return found


def _remembered(
    groups: Sequence[Group], jobs: int, settings: dict[str, Any], folder: Path | None
) -> Iterator[tuple[Group, Answer] | None]:
    """Yield what each group did, as `_answers` does; what is kept in a folder first, and what is not is kept there."""
    if folder is None:
        yield from _answers(groups, jobs, settings)
        return
    names = {_key(group): kept.name_of(_asked(group), settings, _EXPERIMENTS) for group in groups}
    left = []
    for group in groups:
        known = kept.found(folder, names[_key(group)])
        if known is None:
            left.append(group)
        else:
            yield group, Answer.from_plain(known)
    for found in _answers(left, jobs, settings):
        if found is not None:
            kept.keep(folder, names[_key(found[0])], found[1].to_plain())
        yield found


def _key(group: Group) -> tuple[str, int]:
    return group.schedule.name, group.number


def _asked(group: Group) -> dict[str, Any]:
    """Return all that is asked of a group, by name."""
    return {**vars(group), "name": group.schedule.name, "schedule": group.schedule.acts}


def _answers(groups: Sequence[Group], jobs: int, settings: dict[str, Any]) -> Iterator[tuple[Group, Answer] | None]:
    """Yield what each group did, as soon as it is known; in processes of their own where there are several.

    Yields None in between, so that whoever waits can say so.
    """
    if jobs == 1 or not groups:
        for group in groups:
            yield group, answer(group)
        return
    context = multiprocessing.get_context("spawn")
    line_end, line = context.Pipe(duplex=False)
    with line_end, line, ProcessPoolExecutor(min(jobs, len(groups)), context, _end_with, (line_end,)) as pool:
        try:
            waiting = {pool.submit(_elsewhere, settings, group): group for group in groups}
            left = set(waiting)
            while left:
                over, left = wait(left, timeout=1.0, return_when=FIRST_COMPLETED)
                for future in over:
                    yield waiting[future], future.result()
                yield None
        except BaseException as reason:
            line.close()  # What is under way is worth nothing any more, and would take minutes.
            pool.shutdown(wait=False, cancel_futures=True)
            if isinstance(reason, BrokenProcessPool):
                raise KenyonError(
                    "the processes that simulate groups must live until they are done, but one was killed, perhaps for "
                    "want of memory; take fewer --jobs"
                ) from None
            raise


def _end_with(line_end: Connection) -> None:
    """Let a worker process end when the other end of a line is closed: on purpose, or with the process that holds it.

    A line and not an event: to set one waits for everybody who waits for it, be it a process that is no more.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; whoever started this one ends it.

    def watch() -> None:
        with suppress(EOFError, OSError):
            line_end.recv_bytes()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _elsewhere(settings: dict[str, Any], group: Group) -> Answer:
    with registration.entered(settings):
        return answer(group)
