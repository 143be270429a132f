"""One group of larvae in a dish of the host: trained as its schedule says, and tested; the unit of the statistics.

Larvae live through their schedule in the dish of the host's PItrain, in one run. A test on copies is a run of its own
in the host's PItest_off, or with food in PItest_on, which begins with what they had learned by then, memories frozen.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.larvaworld_plugin import experiment, head_casts, inspection, sampling
from kenyon.larvaworld_plugin.arena import all_sources
from kenyon.larvaworld_plugin.dish import ODORS, Act, Choice, Given, Schedule
from kenyon.larvaworld_plugin.plan import MOST_LARVAE, Plan, by_name
from kenyon.larvaworld_plugin.watching import Outcome
from kenyon.reservations import reserved
from kenyon.seeds import larva_seed

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

FloatArray = NDArray[np.float64]

MOST_GROUPS = 10_000
MEMORY_SAYS = ("memory", "odors", "learned_is", "larvaworld")

TRAINING = "PItrain"
"""The host's experiment in whose arena larvae are trained."""

TESTS = {False: "PItest_off", True: "PItest_on"}
"""Those of tests on copies, without food and with it."""

_PEAK = 2.0
"""Intensity of an odor that is on, as in the host's PItrain."""


@dataclass(frozen=True)
class Group:
    """One group of larvae, and all that decides what becomes of it; it checks itself.

    Attributes:
        schedule: What it lives through.
        number: Which of the groups with this schedule.
        first: What the host calls the schedule's first odor: one of `ODORS`, of which the first is on the left in a
            test. The schedule's second odor is the other one.
        seed: Its seed; groups of one number have the same larvae in every schedule.
        model: Name of a stored model of the host.
        larvae: How many.
        test_min: Duration of a test on copies, min.
        memory: Options of the memory.

    Raises:
        InputError: a value is unknown, of the wrong kind or out of range.
    """

    schedule: Schedule
    number: int
    first: str
    seed: int
    model: str
    larvae: int
    test_min: float
    memory: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Check each value alone."""
        fix = partial(object.__setattr__, self)
        fix("schedule", checks.instance("schedule", self.schedule, Schedule, "take one of in_dish(design)"))
        fix("number", checks.integer("number", self.number, low=0, high=MOST_GROUPS))
        fix("first", checks.one_of("first odor of a group", self.first, ODORS))
        fix("seed", checks.integer("seed", self.seed, low=0, high=2**63 - 1))
        fix("model", checks.label("model", self.model))
        fix("larvae", checks.integer("larvae", self.larvae, low=1, high=MOST_LARVAE))
        fix("test_min", checks.positive("test_min", self.test_min, high=1e4, unit="min"))
        fix("memory", by_name("memory", self.memory))

    @property
    def minutes(self) -> float:
        """How long its larvae and their copies live."""
        copies = sum(choice.seconds is None for choice in self.schedule.choices)
        return self.schedule.seconds / 60 + copies * self.test_min

    def called(self, place: int) -> str:
        """Return what the host calls an odor of the schedule."""
        return ODORS[ODORS.index(self.first) ^ place]


class Tested(NamedTuple):
    """What a group did in a test.

    Attributes:
        preference_index: The host's index at the end of the test, of the first odor over the other side.
        preference_mean: The same, averaged over the second half of the test.
        learned: What was learned, by the end of the test, of the first odor and of the other; mean over larvae, see
            `experiment.run`.
        gain: The gain of the first odor and of the other at the end of the test; mean over larvae.
        head_casts_hz: Head casts per second and larva while larvae head toward the first odor, and away.
        reorientation_deg: By how much a head cast turns the head toward the first odor, mean.
        distance_m: From larvae to the first odor's source, mean over the second half of the test.
    """

    preference_index: float
    preference_mean: float
    learned: tuple[float, float]
    gain: tuple[float, float]
    head_casts_hz: tuple[float, float]
    reorientation_deg: float
    distance_m: float


class Answer(NamedTuple):
    """What a group did.

    Attributes:
        tested: In each test, in order.
        stated: What the run of the last test says of its memories: class, options, odors.
    """

    tested: tuple[Tested, ...]
    stated: Mapping[str, Any]

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Answer":
        """Return what was kept as plain data, by `to_plain`."""
        return cls(tuple(Tested(**one) for one in plain["tested"]), plain["stated"])

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON says it."""
        return {"tested": [one._asdict() for one in self.tested], "stated": dict(self.stated)}


def group_seed(seed: int, number: int) -> int:
    """Return the seed of the groups of a number, whatever they live through."""
    return larva_seed(seed, "group", number) % 2**31


def answer(group: Group) -> Answer:
    """Train and test one group."""
    with reserved(tempfile.gettempdir()) as folder:
        training = _Training(group, folder)
        run = training.carried_out() if group.schedule.seconds else None
        tested, stated = [], {} if run is None else _stated(run.dataset)
        for place, act in enumerate(group.schedule.acts):
            if isinstance(act, Choice) and act.seconds is None:
                copies = _copies(group, act, training.kept.get(place))
                stated = _stated(copies.dataset)
                at_end = copies.dataset.isel(time=-1).sel(stimulus=list(ODORS))
                known = _Known(at_end.learned.to_numpy(), at_end.gain.to_numpy())
                tested.append(_tested(group, act, copies.host, slice(0, None), known))
            elif isinstance(act, Choice) and run is not None:
                tested.append(_tested(group, act, run.host, training.lived[place], training.known[place]))
    return Answer(tuple(tested), stated)


class _Known(NamedTuple):
    """What larvae know of the host's odors, [B, 2] each, in the order of `ODORS`.

    Attributes:
        learned: What they have learned.
        gain: The gain that they have now.
    """

    learned: FloatArray
    gain: FloatArray


def _known(memories: Sequence[Any]) -> _Known:
    return _Known(sampling.learned(memories, ODORS), sampling.gains(memories, ODORS))


class _Training:
    """A run in which a group lives through its schedule; it keeps what its larvae know whenever they are tested.

    Args:
        group: The group.
        folder: Where files of memories may lie.
    """

    def __init__(self, group: Group, folder: Path) -> None:
        self._group, self._folder = group, folder
        self._under_way: int | None = None
        self.kept: dict[int, Path] = {}
        """By place of a test on copies: what larvae had learned by then; of naive ones nothing."""
        self.lived: dict[int, slice] = {}
        """By place of a test that larvae live through: its ticks."""
        self.known: dict[int, _Known] = {}
        """The same: what larvae knew when it was over."""

    def carried_out(self) -> Outcome:
        """Run it."""
        group = self._group
        plan = Plan(
            TRAINING, group.model, group.larvae, group.schedule.seconds / 60, group.seed, group.memory,
            script=self._begun,
        )  # fmt: skip
        return experiment.carry_out(plan, show_progress=False)

    def _begun(self, run: Any) -> Callable[[], None]:
        """Give larvae that were just built what comes first; return what is to be called after each tick."""
        run.exp_condition = None  # The host's own schedule.
        lasting = [round((act.seconds or 0.0) / run.dt) for act in self._group.schedule.acts]
        due: dict[int, list[int]] = {}
        for place, tick in enumerate(accumulate(lasting[:-1], initial=0)):
            due.setdefault(tick, []).append(place)

        def after_tick() -> None:
            if run.t in due or run.t == sum(lasting):
                self._end(run)
                for place in due.get(run.t, ()):
                    self._come_to(run, place, lasting[place])

        for place in due[0]:
            self._come_to(run, place, lasting[place])
        return after_tick

    def _end(self, run: Any) -> None:
        """Note what larvae know, if it is a test that is over."""
        if self._under_way in self.lived:
            self.known[self._under_way] = _known(inspection.memories(run))
        self._under_way = None

    def _come_to(self, run: Any, place: int, ticks: int) -> None:
        """Begin an act; for a test of copies, keep what larvae have learned."""
        act = self._group.schedule.acts[place]
        if isinstance(act, Choice) and act.seconds is None:
            if run.t:
                self.kept[place] = experiment.save_memories(self._folder / f"{place}.npz", run)
            return
        self._under_way = place
        if run.t:
            for agent in run.agents:  # as the host's training does
                agent.reset_larva_pose()
        if isinstance(act, Choice):
            self.lived[place] = slice(run.t, run.t + ticks)
        _set(run, self._group, act)


def _set(run: Any, group: Group, act: Act) -> None:
    """Let odors be on as an act says, in training on both sides, in a test each on its own; and food as it says."""
    on = {group.called(place) for place in act.odors}
    for source in all_sources(run):
        smelled = source.odor.id in on and (isinstance(act, Given) or _on_its_side(source))
        source.odor.intensity = _PEAK if smelled else 0.0
    if act.food:
        run.food_grid.reset()
    elif run.food_grid is not None:
        run.food_grid.empty_grid()


def _on_its_side(source: Any) -> bool:
    """Return whether a source lies where a test has its odor: the first of `ODORS` on the left."""
    return bool((source.get_position()[0] < 0) == (source.odor.id == ODORS[0]))


def _copies(group: Group, choice: Choice, began: Path | None) -> Outcome:
    """Test copies of larvae, which learn no more."""
    one_sided = len(choice.odors) < len(ODORS)
    plan = Plan(
        TESTS[choice.food], group.model, group.larvae, group.test_min, group.seed, {**group.memory, "frozen": True},
        began, script=(lambda run: _set(run, group, choice)) if one_sided else None,
    )  # fmt: skip
    return experiment.carry_out(plan, show_progress=False)


def _tested(group: Group, choice: Choice, run: Any, ticks: slice, known: _Known) -> Tested:
    """Return what a group did within some ticks of a run."""
    from larvaworld.lib import util

    x, y, front, rear = (values[:, ticks] for values in _tracks(run))
    first = group.called(choice.odors[0])
    (odor,) = (source.get_position() for source in all_sources(run) if source.odor.id == first and _on_its_side(source))
    left, every = 1.0 if first == ODORS[0] else -1.0, round(1.0 / run.dt)
    seen = [tick for tick in range(x.shape[1]) if (tick + 1) % every == 0 or tick == x.shape[1] - 1]
    index = left * np.array([util.comp_PI(arena_xdim=run.space.dims[0], xs=x[:, tick]) for tick in seen])
    half = slice(len(seen) // 2, None)
    casts = head_casts.casting(x, y, front, rear, (float(odor[0]), float(odor[1])), run.dt)
    roles = [ODORS.index(group.called(place)) for place in (choice.odors[0], 1 - choice.odors[0])]
    return Tested(
        float(index[-1]),
        float(index[half].mean()),
        _means(known.learned, roles),
        _means(known.gain, roles),
        head_casts_hz=(casts.toward_hz, casts.away_hz),
        reorientation_deg=casts.reorientation_deg,
        distance_m=float(np.hypot(x - odor[0], y - odor[1])[:, seen][:, half].mean()),
    )


def _means(values: FloatArray, roles: list[int]) -> tuple[float, float]:
    first, other = (float(values[:, role].mean()) for role in roles)
    return first, other


def _tracks(run: Any) -> Iterator[FloatArray]:
    """Yield x and y, m, and whereto front and rear point, rad, after each tick, as the host has it: [B, T] each."""
    table = run.datasets[0].step_data
    for name in ("x", "y", "front_orientation", "rear_orientation"):
        yield (
            table[name].unstack("AgentID").to_numpy(dtype=np.float64).T[:, : run.t]
        )  # One more row is of the end alone.


def _stated(result: "xarray.Dataset") -> dict[str, Any]:
    return {
        str(name): value.item()
        for name, value in result.coords.items()
        if name in MEMORY_SAYS or str(name).startswith("memory.")
    }
