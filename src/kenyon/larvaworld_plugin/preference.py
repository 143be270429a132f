"""Do larvae of the host prefer what they were trained with? Groups of larvae, trained, then tested without food.

Training is one of the schedules of `conditions`. The test is the host's PItest_off: one odor on each side, no food,
memories frozen, and the host's own preference index.
"""

import json
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from functools import partial
from itertools import accumulate
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kenyon import checks
from kenyon.conditioning import origin
from kenyon.conditioning.phases import Phase
from kenyon.errors import InputError, KenyonError
from kenyon.larvaworld_plugin import experiment, host, kept, registration
from kenyon.larvaworld_plugin.conditions import CONDITIONS, ODORS, other, phases, trained
from kenyon.larvaworld_plugin.memories import spelled
from kenyon.larvaworld_plugin.memory_files import odor_contents
from kenyon.larvaworld_plugin.observation import CHANGES_NO_NUMBER
from kenyon.larvaworld_plugin.plan import MOST_LARVAE, Plan, by_name
from kenyon.memory.mushroom_body import HOST_ODORS
from kenyon.progress import progress
from kenyon.provenance import run_id, versions
from kenyon.reservations import reserved
from kenyon.seeds import larva_seed

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

FORMAT = "kenyon larvaworld preference"
FORMAT_VERSION = 2

MOST_GROUPS = 10_000
MEMORY_SAYS = ("memory", "odors", "learned_is", "larvaworld")

_TRAINING, _TEST = "PItrain", "PItest_off"
"""The host's experiments whose arenas these are."""

_PEAK = 2.0
"""Intensity of an odor that is on, as in the host's PItrain."""


@dataclass(frozen=True)
class Group:
    """One group of larvae, the unit of the statistics, and all that decides what becomes of it; it checks itself.

    Attributes:
        condition: One of `CONDITIONS`.
        number: Which of the groups of its condition.
        odor: The odor it is given, where it is given two the first.
        seed: Its seed; groups of one number have the same larvae in every condition.
        model: Name of a stored model of the host.
        larvae: How many.
        trials: Trials of two phases each.
        phase_min: Duration of a phase, min.
        test_min: Duration of the test, min.
        memory: Options of the memory.

    Raises:
        InputError: a value is unknown, of the wrong kind or out of range.
    """

    condition: str
    number: int
    odor: str
    seed: int
    model: str
    larvae: int
    trials: int
    phase_min: float
    test_min: float
    memory: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Check each value alone."""
        fix = partial(object.__setattr__, self)
        fix("condition", checks.one_of("condition", self.condition, list(CONDITIONS)))
        fix("number", checks.integer("number", self.number, low=0, high=MOST_GROUPS))
        fix("odor", checks.one_of("odor of a group", self.odor, ODORS))
        fix("seed", checks.integer("seed", self.seed, low=0, high=2**63 - 1))
        fix("model", checks.label("model", self.model))
        fix("larvae", checks.integer("larvae", self.larvae, low=1, high=MOST_LARVAE))
        fix("trials", checks.integer("trials", self.trials, low=1, high=1000))
        fix("phase_min", checks.positive("phase_min", self.phase_min, high=1e4, unit="min"))
        fix("test_min", checks.positive("test_min", self.test_min, high=1e4, unit="min"))
        fix("memory", by_name("memory", self.memory))


class Answer(NamedTuple):
    """What a group did.

    Attributes:
        preference_index: The host's index at the end of the test, of the trained odor over the other.
        preference_mean: The same, averaged over the second half of the test.
        learned: What was learned of the trained odor and of the other, mean over larvae; see `experiment.run`.
        gain: The gain of the trained odor and of the other in the test, mean over larvae.
        stated: What the run of the test says of its memories: class, options, odors.
    """

    preference_index: float
    preference_mean: float
    learned: tuple[float, float]
    gain: tuple[float, float]
    stated: Mapping[str, Any]


def preference(
    *,
    model: str = "forager_MB",
    conditions: Sequence[str] = tuple(CONDITIONS),
    groups: int = 8,
    larvae: int = 15,
    trials: int = 3,
    phase_min: float = 1.0,
    test_min: float = 3.0,
    seed: int = 0,
    memory: Mapping[str, Any] | None = None,
    keep_in: str | Path | None = None,
    jobs: int = 1,
    show_progress: bool = True,
) -> "xarray.Dataset":
    """Train groups of larvae in Larvaworld, and test what they prefer.

    Every second group is trained with the other odor, so that a preference for an odor, or for a side, cancels.

    Args:
        model: Name of one of the host's stored models, with a memory.
        conditions: Which of `CONDITIONS`.
        groups: How many groups in each.
        larvae: How many in each group.
        trials: Trials of two phases each.
        phase_min: Duration of a phase, min.
        test_min: Duration of the test, min.
        seed: Same seed, same numbers, in however many processes.
        memory: Options of the memory, such as {"reinforcement": "punishment"}.
        keep_in: Folder to keep in what each group did, and to take it from where it is there already: so a run that
            was cut short goes on.
        jobs: Processes to use.
        show_progress: Show a progress bar on standard error.

    Returns:
        A dataset with dimensions condition, group and role (trained, other): preference_index, of the trained odor over
        the other at the end of the test, by the host's own formula; preference_mean, the same over the second half of
        the test; learned and gain, means over larvae. The trained odor is the one that came with food; of larvae to
        whom none did, the one that they were given, and of naive ones the one that the paired of their number had. Its
        coordinates say all that made it: run_id, model, seed, groups, larvae (in each), trials, phase_min, test_min,
        options (those asked for), memory and each of its options as memory.NAME, odors, larvaworld and versions.
        `comparing.compare` says how sure the means are.

    Raises:
        MissingDependencyError, MismatchError, InputError: as for `experiment.run`.
    """
    names = [checks.one_of("condition", name, list(CONDITIONS)) for name in checks.several("conditions", conditions)]
    if not names or len(set(names)) < len(names):
        raise InputError(f"conditions must be one or more, each named once, got {names}")
    groups = checks.integer("groups", groups, low=1, high=MOST_GROUPS)
    seed = checks.integer("seed", seed, low=0)
    own = {} if memory is None else memory
    wanted = [
        Group(name, number, ODORS[number % 2], larva_seed(seed, "group", number) % 2**31, model, larvae, trials,
              phase_min, test_min, own)
        for number in range(groups) for name in names
    ]  # fmt: skip
    folder = None if keep_in is None else checks.path("keep_in", keep_in)
    jobs = checks.integer("jobs", jobs, low=1, high=1024)
    with ExitStack() as stack:
        settings = asdict(registration.registered() or stack.enter_context(registration.register()).settings)
        if settings["memories"] is not None or settings["frozen"]:
            raise InputError(
                "larvae of a test of preference must begin naive and learn, but memories or frozen=True are "
                "registered; register without these"
            )
        words = f"{len(wanted)} groups of {larvae} {model}"
        done = stack.enter_context(progress(words, sum(map(_minutes, wanted)), show=show_progress))
        answers: dict[tuple[str, int], Answer] = {}
        for found in _remembered(wanted, jobs, settings, folder):
            if found is None:
                done(0.0)
                continue
            group, answer = found
            answers[group.condition, group.number] = answer
            done(_minutes(group))
    return _dataset(names, groups, answers, wanted[0], seed)


def _minutes(group: Group) -> float:
    """Return how long a group lives."""
    return sum(phase.duration_s for phase in _schedule(group)) / 60 + group.test_min


def _schedule(group: Group) -> list[Phase]:
    return phases(group.condition, group.odor, group.trials, group.phase_min)


def answer(group: Group) -> Answer:
    """Train and test one group."""
    schedule = _schedule(group)
    with reserved(tempfile.gettempdir()) as folder:
        memories = None
        if schedule:
            training = Plan(
                _TRAINING, group.model, group.larvae, len(schedule) * group.phase_min, group.seed, group.memory,
                script=lambda run: _follow(run, schedule),
            )  # fmt: skip
            outcome = experiment.carry_out(training, show_progress=False)
            memories = experiment.save_memories(folder / "memories.npz", outcome)
        frozen = {**group.memory, "frozen": True}
        test = Plan(_TEST, group.model, group.larvae, group.test_min, group.seed, frozen, memories)
        tested = experiment.carry_out(test, show_progress=False).dataset
    preferred = trained(group.condition, group.odor)
    index = tested.preference_index.values * (1.0 if preferred == ODORS[0] else -1.0)
    roles = [preferred, other(preferred)]
    at_end = tested.isel(time=-1)
    learned = [float(tested.learned.sel(stimulus=odor).mean()) for odor in roles]
    gain = [float(at_end.gain.sel(stimulus=odor).mean()) for odor in roles]
    half = tested.sizes["time"] // 2
    return Answer(
        *(float(index[-1]), float(index[half:].mean()), (learned[0], learned[1]), (gain[0], gain[1])),
        stated={
            str(name): value.item()
            for name, value in tested.coords.items()
            if name in MEMORY_SAYS or str(name).startswith("memory.")
        },
    )


def _remembered(
    groups: Sequence[Group], jobs: int, settings: dict[str, Any], folder: Path | None
) -> Iterator[tuple[Group, Answer] | None]:
    """Yield what each group did, as `_answers` does; what is kept in a folder first, and what is not is kept there."""
    if folder is None:
        yield from _answers(groups, jobs, settings)
        return
    names = {
        (group.condition, group.number): kept.name_of(asdict(group), settings, (_TRAINING, _TEST)) for group in groups
    }
    asked = []
    for group in groups:
        known = kept.found(folder, names[group.condition, group.number])
        if known is None:
            asked.append(group)
        else:
            yield group, Answer(**known)
    for found in _answers(asked, jobs, settings):
        if found is not None:
            kept.keep(folder, names[found[0].condition, found[0].number], found[1]._asdict())
        yield found


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


def _follow(run: Any, schedule: Sequence[Phase]) -> Callable[[], None]:
    """Set the first phase of a schedule; return what sets the next ones when their time has come."""
    run.exp_condition = None  # The host's own schedule.
    lasting = [round(phase.duration_s / run.dt) for phase in schedule]
    beginning = dict(zip(accumulate(lasting[:-1], initial=0), schedule, strict=True))

    def enter(phase: Phase) -> None:
        smelled = dict(phase.odors)
        for source in run.sources:
            source.odor.intensity = _PEAK if HOST_ODORS.get(source.odor.id) in smelled else 0.0
        if phase.reward:
            run.food_grid.reset()
        else:
            run.food_grid.empty_grid()

    def after_tick() -> None:
        if run.t in beginning:
            for agent in run.agents:  # as the host's training does
                agent.reset_larva_pose()
            enter(beginning[run.t])

    enter(schedule[0])
    return after_tick


def _dataset(
    conditions: Sequence[str], groups: int, answers: Mapping[tuple[str, int], Answer], one: Group, seed: int
) -> "xarray.Dataset":
    import xarray

    def values(field: str) -> Any:
        return np.array([[getattr(answers[name, number], field) for number in range(groups)] for name in conditions])

    across, roles = ("condition", "group"), ("condition", "group", "role")
    long_name = "of the trained odor over the other; Larvaworld's own formula"
    stated = _stated(conditions, groups, answers[one.condition, one.number], one, seed)
    return xarray.Dataset(
        {
            "preference_index": (
                across,
                values("preference_index"),
                {"long_name": f"at the end of the test, {long_name}"},
            ),
            "preference_mean": (
                across,
                values("preference_mean"),
                {"long_name": f"over the second half of the test, {long_name}"},
            ),
            "learned": (roles, values("learned")),
            "gain": (roles, values("gain")),
            **origin.run_variable("group", stated["run_id"], groups),
        },
        coords={
            "condition": list(conditions),
            "group": np.arange(groups),
            "role": ["trained", "other"],
            **stated,
        },
        attrs={"format": FORMAT, "format_version": FORMAT_VERSION},
    )


def _stated(conditions: Sequence[str], groups: int, answer: Answer, one: Group, seed: int) -> dict[str, Any]:
    """Return all that made a result, each without dimensions, and first the id of all of it."""
    numbers = {
        "model": one.model,
        "seed": str(seed),
        "groups": groups,
        "larvae": one.larvae,
        "trials": one.trials,
        "phase_min": one.phase_min,
        "test_min": one.test_min,
        **answer.stated,
    }
    odors = json.loads(str(answer.stated["odors"]))
    identity = {
        "kind": FORMAT,
        **{name: value for name, value in numbers.items() if name not in (*CHANGES_NO_NUMBER, "memory", "odors")},
        "odors": odor_contents(odors),
        "conditions": sorted(conditions),
        "asked": {
            name: spelled(value) for name, value in one.memory.items() if f"memory.{name}" not in CHANGES_NO_NUMBER
        },
        "stored": [host.contents("Exp", name) for name in (_TRAINING, _TEST)] + [host.contents("Model", one.model)],
    }
    return {
        "run_id": run_id(identity),
        **numbers,
        "options": spelled(dict(one.memory)),
        "versions": json.dumps({**versions(), "larvaworld": host.version()}),
    }
