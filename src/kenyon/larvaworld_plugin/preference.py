"""Do larvae of the host prefer what they were trained with? Groups of larvae, trained, then tested without food.

Training is one of the designs of `conditions`. The test is the host's PItest_off: one odor on each side, no food,
memories frozen, and the host's own preference index.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kenyon import checks
from kenyon.conditioning import origin
from kenyon.errors import InputError
from kenyon.larvaworld_plugin.conditions import CONDITIONS, design
from kenyon.larvaworld_plugin.dish import ODORS, in_dish
from kenyon.larvaworld_plugin.dish_results import LONG_NAMES, attributes, stated
from kenyon.larvaworld_plugin.groups import MOST_GROUPS, TESTS, TRAINING, Answer, Group, group_seed
from kenyon.larvaworld_plugin.spreading import answers

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

FORMAT = "kenyon larvaworld preference"
FORMAT_VERSION = 2


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
        the test; learned and gain, means over larvae; distance_m, to the trained odor; and, see `head_casts`,
        head_casts_hz, by heading (toward the trained odor, away), and reorientation_deg. The trained odor is the one
        that came with food; of larvae to whom none did, the one that they were given, and of naive ones the one that
        the paired of their number had. Its
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
    schedules = [in_dish(design(name, trials, phase_min)).schedules[0] for name in names]
    wanted = [
        Group(schedule, number, ODORS[number % 2], group_seed(seed, number), model, larvae, test_min, own)
        for number in range(groups) for schedule in schedules
    ]  # fmt: skip
    numbers = {
        "model": model,
        "seed": str(seed),
        "groups": groups,
        "larvae": larvae,
        "trials": trials,
        "phase_min": phase_min,
        "test_min": test_min,
    }
    found = answers(wanted, keep_in=keep_in, jobs=jobs, show_progress=show_progress)
    return _dataset(names, wanted, found, numbers)


def _dataset(
    conditions: Sequence[str],
    groups: Sequence[Group],
    answers: Mapping[tuple[str, int], Answer],
    numbers: Mapping[str, Any],
) -> "xarray.Dataset":
    import xarray

    places = range(len(groups) // len(conditions))
    across = ("condition", "group")
    dims = {"learned": (*across, "role"), "gain": (*across, "role"), "head_casts_hz": (*across, "heading")}
    made = stated(
        FORMAT, groups[0], answers[conditions[0], 0], numbers=numbers, identity={"conditions": sorted(conditions)},
        experiments=(TRAINING, TESTS[False]),
    )  # fmt: skip
    values = {
        name: [[getattr(answers[condition, place].tested[0], name) for place in places] for condition in conditions]
        for name in LONG_NAMES
    }
    return xarray.Dataset(
        {
            **{name: (dims.get(name, across), np.array(own), attributes(name)) for name, own in values.items()},
            **origin.run_variable("group", made["run_id"], len(places)),
        },
        coords={
            "condition": list(conditions),
            "group": np.arange(len(places)),
            "role": ["trained", "other"],
            "heading": ["toward", "away"],
            **made,
        },
        attrs={"format": FORMAT, "format_version": FORMAT_VERSION},
    )
