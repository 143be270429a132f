"""Random manipulations that a circuit takes without running away, and what they mean to the plain description."""

import random
from collections.abc import Callable, Iterable
from typing import Any

from kenyon.errors import InputError
from kenyon.mushroom_body import Manipulation, Parameters, cut, drive_current, scale, set_constant, silence
from kenyon.mushroom_body.circuit import CONNECTIONS, GROUPS
from kenyon.mushroom_body.manipulated import under

SETTABLE = (
    *("kc.threshold_mV", "pn.threshold_mV", "dan.threshold_mV", "kc.rest_mV", "mbon.leak_nS", "kc.adaptation_nS"),
    *("excitatory_tau_ms", "inhibitory_tau_ms", "input_orn_nS", "pn_kc_nS", "kc_mbon_nS", "feedback_ln_dan_nS"),
    *(
        "learning_rate_nS",
        "eligibility_tau_ms",
        "homeostasis",
        "recovery",
        "potentiation",
        "odor_rate_hz",
        "reinforcement_rate_hz",
    ),
)
"""Constants that can be a little other without anything running away."""


def any_target(rng: random.Random, groups: Iterable[str] = GROUPS) -> str:
    """Return a group of cells or one cell."""
    group = rng.choice(list(groups))
    return rng.choice([group, f"{group}[{rng.randrange(GROUPS[group].stop - GROUPS[group].start)}]"])


def any_connection(rng: random.Random) -> str:
    """Return a connection between groups, or from one cell."""
    source, _, target = rng.choice(list(CONNECTIONS)).partition(">")
    return f"{any_target(rng, [source])}>{target}"


def mild(rng: random.Random, parameters: Parameters) -> tuple[Manipulation, ...]:
    """Return up to five manipulations of any kind that go together."""
    made: tuple[Manipulation, ...] = ()
    for _ in range(rng.randrange(6)):
        name = rng.choice(SETTABLE)
        value = float(parameters.values()[name] or 0.0)
        factor = rng.uniform(0.95, 1.05) if name.endswith("mV") else rng.uniform(0.5, 1.5)
        own = rng.choice(
            [
                silence(any_target(rng)),
                drive_current(any_target(rng), rng.choice([-1, 1]) * rng.choice([5, 20, 150])),
                cut(any_connection(rng)),
                scale(any_connection(rng), rng.choice([0, 0.25, 1.5])),
                set_constant(name, value * factor),
            ]
        )
        try:
            under(parameters, (*made, own))
        except InputError:  # two of one kind on one cell
            continue
        made = (*made, own)
    return made


def plainly(manipulations: Iterable[Manipulation]) -> dict[str, Any]:
    """Return what `reference.simulate` needs to be told of them, worked out by reading their text."""
    first = {"ORN": 0, "PN": 21, "LN": 42, "KC": 63, "MBONp": 135, "MBONn": 136, "DANp": 137, "DANn": 138}
    first |= {"LNp": 139, "LNn": 140, "APL": 141}
    size = {"ORN": 21, "PN": 21, "LN": 21, "KC": 72}

    def cells(name: str) -> range:
        group, bracket, place = name.rstrip("]").partition("[")
        if bracket:
            return range(first[group] + int(place), first[group] + int(place) + 1)
        return range(first[group], first[group] + size.get(group, 1))

    silent: list[int] = []
    current: dict[int, float] = {}
    passing: dict[tuple[int, str], float] = {}
    for own in manipulations:
        kind, target, *value = own.text.split()
        if kind == "silence":
            silent += cells(target)
        elif kind == "drive":
            current |= dict.fromkeys(cells(target), float(value[0][:-2]))
        elif kind in ("cut", "scale"):
            source, there = target.split(">")
            for i in cells(source):
                factor = 0.0 if kind == "cut" else float(value[0])
                passing[i, there] = passing.get((i, there), 1.0) * factor
    passes: Callable[[int, str], float] = lambda i, there: passing.get((int(i), there), 1.0)  # noqa: E731
    return {"silent": tuple(silent), "current_pA": lambda i: current.get(i, 0.0), "passes": passes}
