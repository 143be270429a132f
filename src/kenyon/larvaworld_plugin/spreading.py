"""Groups of larvae trained and tested, over processes and over interruptions: what each did, as soon as it is known."""

from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from kenyon import checks
from kenyon import jobs as work
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
    jobs = checks.integer("jobs", jobs, low=1, high=work.MOST_JOBS)
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
    processes = min(jobs, len(groups))
    try:
        with work.processes(processes) as pool:
            for over in work.done(pool, partial(_elsewhere, settings), groups, at_once=lambda: processes + 1):
                yield None if over is None else (over[0], over[1].result())
    except BrokenProcessPool:
        raise KenyonError(
            "the processes that simulate groups must live until they are done, but one was killed, perhaps for want of "
            "memory; take fewer --jobs"
        ) from None


def _elsewhere(settings: dict[str, Any], group: Group) -> Answer:
    with registration.entered(settings):
        return answer(group)
