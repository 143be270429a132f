"""A design of the laboratory in a dish of the host: groups of larvae live through it, and choose where they go.

What of a design can be had there is `dish`'s to say. Beside what the circuit has learned stands what larvae do: the
host's own preference index, and how often and whereto they cast their heads.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kenyon import checks
from kenyon.conditioning import origin
from kenyon.conditioning.designs import Design
from kenyon.conditioning.library import as_design
from kenyon.conditioning.phases import name_of
from kenyon.errors import InputError
from kenyon.larvaworld_plugin import host
from kenyon.larvaworld_plugin.dish import ODORS, Choice, InDish, Schedule, in_dish
from kenyon.larvaworld_plugin.dish_results import LONG_NAMES, attributes, stated
from kenyon.larvaworld_plugin.groups import MOST_GROUPS, TESTS, TRAINING, Answer, Group, group_seed
from kenyon.larvaworld_plugin.plan import by_name
from kenyon.larvaworld_plugin.spreading import answers
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

FORMAT = "kenyon larvaworld training"
FORMAT_VERSION = 1

_OF_DESIGN = ("odors", "reinforcement", "reward_strength", "punishment_strength")
"""Options of the memory that a design says."""


def train(
    design: Design | str,
    *,
    model: str = "forager_MB",
    groups: int = 8,
    larvae: int = 15,
    test_min: float = 3.0,
    seed: int = 0,
    memory: Mapping[str, Any] | None = None,
    keep_in: str | Path | None = None,
    jobs: int = 1,
    show_progress: bool = True,
) -> "xarray.Dataset":
    """Let groups of larvae live through a design in Larvaworld, and see where they go in its tests.

    In every second group the design's first odor is on the right in tests, so that a preference for a side cancels. A
    preference for an odor cancels in the mean of two groups of a design that mirror each other.

    Args:
        design: A design, its text, or the id of one in the library: with two odors at most, food everywhere or nowhere,
            and tests of which `dish.in_dish` says what they are in a dish.
        model: Name of one of the host's stored models, with a memory.
        groups: How many groups of larvae for each group of the design; those of one number have the same larvae.
        larvae: How many in each.
        test_min: Duration of a test on copies, min; what larvae live through lasts as long as the design says.
        seed: Same seed, same numbers, in however many processes.
        memory: Options of the memory; not what the design says, which is odors and reinforcement.
        keep_in: Folder to keep in what each group did, and to take it from where it is there already.
        jobs: Processes to use.
        show_progress: Show a progress bar on standard error.

    Returns:
        A dataset with dimensions condition (the groups of the design), group (of larvae, the unit) and test:
        preference_index, of the first odor of the test over the other side at its end, by the host's own formula;
        preference_mean, the same over its second half; by role (first, other) learned and gain, means over larvae;
        distance_m; and, see `head_casts`, head_casts_hz, by heading (toward the first odor, away), and
        reorientation_deg. What a condition has no test for is nan. Coordinates: test_odor, by role; after_s, how long
        larvae had lived by then; lived, whether they went on learning; and all that made it: run_id, design, model,
        seed, groups, larvae, test_min, options, memory and each of its options as memory.NAME, odors (of the groups
        with even numbers), larvaworld and versions. `comparing.compare_tests` says how sure the means are.

    Raises:
        InputError: the dish cannot have the design, and the sentence says which phase and why; or a value is unusable.
        MissingDependencyError, MismatchError: as for `experiment.run`.
    """
    design = as_design(design)
    made = in_dish(design)
    if not any(schedule.choices for schedule in made.schedules):
        raise InputError("a design in the dish must have a test of an odor, got none; write ?A or live A/B 180s")
    host.require()
    groups = checks.integer("groups", groups, low=1, high=MOST_GROUPS)
    seed = checks.integer("seed", seed, low=0)
    own = by_name("memory", {} if memory is None else memory)
    options = [_options(made, model, first, own) for first in ODORS]
    wanted = [
        Group(schedule, number, ODORS[number % 2], group_seed(seed, number), model, larvae, test_min,
              options[number % 2])
        for number in range(groups) for schedule in made.schedules
    ]  # fmt: skip
    numbers = {
        "design": design.text,
        "model": model,
        "seed": str(seed),
        "groups": groups,
        "larvae": larvae,
        "test_min": test_min,
    }
    found = answers(wanted, keep_in=keep_in, jobs=jobs, show_progress=show_progress)
    return _dataset(made, wanted, found, numbers)


def _options(made: InDish, model: str, first: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the memory, with what the design says of odors and reinforcement.

    Raises:
        InputError: one that was given is the design's to say, or the model's memory cannot have what it says.
    """
    for name in _OF_DESIGN:
        if name in own:
            raise InputError(
                f"memory must leave {name} to the design, got {shown(own[name])}; write 'A = anisole, + = punishment' "
                "at its beginning"
            )
    memory = host.stored("Model", model).brain.memory
    kind, strength = made.reinforcer
    if memory is None or memory.mode != "MB":
        if made.reinforcer != ("reward", 1.0):
            raise InputError(
                f"reinforcement of {model}, which has no mushroom body, must be reward 1, got {kind} {strength:g}; "
                "take a model such as forager_MB"
            )
        return dict(own)
    called = {ODORS[ODORS.index(first) ^ place]: odor for place, odor in enumerate(made.odors)}
    return {**own, "odors": called, "reinforcement": kind, f"{kind}_strength": strength}


def _dataset(
    made: InDish, groups: Sequence[Group], answers: Mapping[tuple[str, int], Answer], numbers: Mapping[str, Any]
) -> "xarray.Dataset":
    import xarray

    schedules, count = made.schedules, len(groups) // len(made.schedules)
    tests = max(len(schedule.choices) for schedule in schedules)
    across = ("condition", "group", "test")
    dims = {"learned": (*across, "role"), "gain": (*across, "role"), "head_casts_hz": (*across, "heading")}
    said = stated(
        FORMAT, groups[0], answers[schedules[0].name, 0], numbers=numbers,
        identity={"schedules": [[schedule.name, schedule.acts] for schedule in schedules]},
        experiments=(TRAINING, *TESTS.values()),
    )  # fmt: skip
    values = {
        name: np.full((len(schedules), count, tests, *([2] if name in dims else [])), np.nan) for name in LONG_NAMES
    }
    for place, schedule in enumerate(schedules):
        for number in range(count):
            for test, tested in enumerate(answers[schedule.name, number].tested):
                for name, own in values.items():
                    own[place, number, test] = getattr(tested, name)
    if len(made.odors) < len(ODORS):  # The host's other odor stands for none of the design's.
        values["learned"][..., 1] = values["gain"][..., 1] = np.nan
    return xarray.Dataset(
        {
            **{name: (dims.get(name, across), own, attributes(name)) for name, own in values.items()},
            **origin.run_variable("group", said["run_id"], count),
        },
        coords={
            "condition": [schedule.name for schedule in schedules],
            "group": np.arange(count),
            "test": np.arange(tests),
            "role": ["first", "other"],
            "heading": ["toward", "away"],
            "test_odor": (("condition", "test", "role"), [_odors(made, schedule, tests) for schedule in schedules]),
            "after_s": (("condition", "test"), [_after(schedule, tests) for schedule in schedules], {"units": "s"}),
            "lived": (
                ("condition", "test"),
                [[test < len(own.choices) and own.choices[test].seconds is not None for test in range(tests)]
                 for own in schedules],
            ),
            "mirrors": ("condition", [_mirrored(schedule, schedules) for schedule in schedules]),
            **said,
        },
        attrs={"format": FORMAT, "format_version": FORMAT_VERSION},
    )  # fmt: skip


def _odors(made: InDish, schedule: Schedule, tests: int) -> list[list[str]]:
    """Return the names of both odors of each test, "" where there is none."""
    names = [[name_of(made.odors[place]) for place in choice.odors] for choice in schedule.choices]
    return [[*own, "", ""][:2] for own in [*names, *[[]] * (tests - len(names))]]


def _after(schedule: Schedule, tests: int) -> list[float]:
    """Return how long larvae have lived when each test begins, nan where there is none."""
    lived, after = 0.0, []
    for act in schedule.acts:
        after += [lived] if isinstance(act, Choice) else []
        lived += act.seconds or 0.0
    return after + [float("nan")] * (tests - len(after))


def _mirrored(schedule: Schedule, schedules: Sequence[Schedule]) -> str:
    """Return the name of the first schedule before this one that it mirrors; "" if it mirrors none."""
    before = schedules[: schedules.index(schedule)]
    return next((other.name for other in before if schedule.mirrors(other)), "")
