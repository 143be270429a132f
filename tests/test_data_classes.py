"""Immutable data of experiments checks itself when it is made."""

import dataclasses
import importlib
import math
import pkgutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kenyon.conditioning
import kenyon.conditioning.claims
import kenyon.larvaworld_plugin
from kenyon.conditioning import Design, Lived, Phase, Probe, Shuffle, Stage
from kenyon.conditioning import Group as LarvaGroup
from kenyon.conditioning.balance import Finding
from kenyon.conditioning.claims import Claim, Criterion
from kenyon.conditioning.entry import Entry
from kenyon.conditioning.setup import Kept
from kenyon.errors import InputError
from kenyon.larvaworld_plugin.dish import Schedule
from kenyon.larvaworld_plugin.groups import Group
from kenyon.larvaworld_plugin.plan import Plan
from kenyon.larvaworld_plugin.registration import Settings
from kenyon.mushroom_body import Record

LIVED = Phase(60, "anisole", 1.0, 0.5, ("silence DANp",), "cue")
STAGE = Stage((LIVED, Probe("anisole"), Shuffle((LIVED,))), "training")

MEASURE: Any = len

MADE_BY_USERS: list[Any] = [
    LIVED,
    Probe("anisole", 2.0, 1.0, 0.5, ("silence DANp",), "cue"),
    Lived("anisole", 40.0, "3-octanol", 1.0, 0.5, ("silence DANp",), "cue"),
    Shuffle((LIVED,)),
    Kept(recordings={"phases": Record(spikes=True)}),
    STAGE,
    LarvaGroup("trained", (STAGE,)),
    Design((LarvaGroup("trained", (STAGE,)),), {"A": "anisole"}, ("reward", 1.0)),
    Entry("brief", "Is a second enough?", "Nobody 2020", "a: A+ 1s", {}, "time", "5s", "b: {value}, ?A"),
    Criterion("index", MEASURE, 0.1, 0.9, 0.2, 0.8, 0.0, "share"),
    Claim("X1", "larva", "A second is enough.", "Nobody 2020", {"a": "A+ 1s, ?A"}, (Criterion("i", MEASURE),), "None."),
    Finding("reward", "preference", 0.5, 0.4, 0.6, 0.1, 0.9),
    Plan("PItrain", "forager_MB", 7, 8.0, 5, {"G": 0.5}, Path("a.npz"), 2.0, len),  # type: ignore[arg-type]  # any
    Group(Schedule("paired", ()), 4, "CS", 6, "forager_MB", 7, 1.5, {"G": 0.5}),
    Settings(remote=True, gain="published", touch_odors={"a": "anisole"}, options={"MB": {}}, other_versions="warn"),
]
"""One of each that a user may make, all of it right."""

GIVEN_TO_USERS = {
    *("GroupBegan", "PhaseBegan", "SliceLived", "PhaseEnded", "Answered", "GroupEnded"),
    *("RunBegan", "TickLived", "RunEnded", "PlannedGroup", "Ready", "Beginning", "Learners"),
    *("Arena", "Source", "Cast", "Heard"),
    *("Begin", "Live", "End", "Ask", "Now", "Setup", "Moments", "Variable", "Stopped"),
    "Bundle",
    "Collection",
    "Reproduction",
    "Effect",
    "Judgement",
    "Measured",
    "Stimulus",
    "Verdict",
    "Comparison",
    "Difference",
    "Mean",
    "Trend",
    "Fold",
    "Lane",
    "Timeline",
    "Written",
    "Outcome",
    "Answer",
    "MemoryModel",
    "StoredExperiment",
    "TryOut",
    "MemoryFinding",
    *("Given", "Choice", "Schedule", "InDish", "Tested", "HeadCast", "Casting"),
}
"""What experiments, tests, inspections and readers answer, made by our own code."""

ONE_TEXT = np.array(["reward"])
NONSENSE: list[Any] = [
    *(None, True, 2, -1, 0.0, math.nan, math.inf, 10**400, "", "Reward", "rewrad", "a\nb", "\x1b[31m", "\ud800"),
    *("x" * 201, b"reward", [], (), [None], ["training"], {}, {1: 2}, object(), np.timedelta64(1, "s"), float, 1j),
    *(np.array([1.0, 2.0]), ONE_TEXT, [[1, 2], [3]], range(3), Path("a.npz"), len),
]

WORDS = ["Reward", "rewrad"]
ALLOWED: dict[str, list[Any]] = {
    "Phase.duration_s": [2],
    "Phase.odors": [None, 2, [], (), {}, {1: 2}],
    **{f"{kind}.{name}": [2, 0.0] for kind in ("Phase", "Probe", "Lived") for name in ("reward", "punishment")},
    **{f"{kind}.manipulations": [[], ()] for kind in ("Phase", "Probe", "Lived")},
    **{f"{kind}.label": ["", *WORDS] for kind in ("Phase", "Probe", "Lived", "Stage")},
    "Probe.odors": [None, 2, [], (), {}, {1: 2}],
    "Probe.duration_s": [2],
    "Lived.odors": [2, {1: 2}],
    "Lived.against": [None, 2, [], (), {}, {1: 2}],
    "LarvaGroup.name": WORDS,
    "Group.name": WORDS,
    **{f"Kept.{name}": [True] for name in ("weights", "codes", "per_second")},
    "Kept.recordings": [[], (), {}],
    "Design.bindings": [None, [], (), {}],
    "Entry.question": WORDS,
    "Entry.source": WORDS,
    "Entry.id": ["rewrad"],
    "Entry.text": [""],
    "Entry.controls": [{}],
    "Entry.varied": WORDS,
    "Criterion.statement": WORDS,
    "Criterion.measure": [float, len],
    **{f"Criterion.{name}": [None, -1, 0.0] for name in ("at_least", "mean_at_least")},
    **{f"Criterion.{name}": [None, 2, math.inf] for name in ("at_most", "mean_at_most")},
    "Criterion.null": [2, -1, 0.0],
    "Criterion.unit": [""],
    "Claim.statement": [*WORDS, "x" * 201],
    **{f"Claim.{name}": ["", *WORDS, "x" * 201] for name in ("source", "contradicted_by", "unknown")},
    "Claim.not_testable": [""],
    "Claim.controls": [{}],
    "Claim.fitted_in": [[], (), ["training"], ONE_TEXT],
    "Claim.codes": [True],
    "Finding.criterion": WORDS,
    **{f"Finding.{name}": [2, -1, 0.0, math.nan, math.inf] for name in ("mean", "low", "high", "at_least", "at_most")},
    "Plan.experiment": WORDS,
    "Plan.model": WORDS,
    "Plan.larvae": [2],
    "Plan.minutes": [None, 2],
    "Plan.seed": [2],
    "Plan.memory": [{}],
    "Plan.memories": [None, *WORDS, Path("a.npz"), "x" * 201, "a\nb", "\x1b[31m"],
    "Plan.every_s": [2],
    "Plan.script": [None, float, len],
    "Group.number": [2],
    "Group.seed": [2],
    "Group.model": WORDS,
    "Group.larvae": [2],
    "Group.test_min": [2],
    "Group.memory": [{}],
    "Settings.remote": [True],
    "Settings.memories": [None],
    "Settings.frozen": [True],
    "Settings.touch_odors": [None, {}],
    "Settings.options": [{}],
}
"""What of the nonsense is none for a field; options of a memory are looked at by the memory."""


def is_allowed(name: str, value: Any) -> bool:
    """Return whether the table says that a field takes a value."""
    return any(
        value is one or (type(value) is type(one) is not np.ndarray and bool(value == one))
        for one in ALLOWED.get(name, [])
    )


@pytest.mark.parametrize("made", MADE_BY_USERS, ids=lambda made: type(made).__name__)
def test_data_made_by_hand_checks_itself(made: Any) -> None:
    """Every field, with every nonsense: an error of ours in one line, or what the table allows."""
    assert made.__dataclass_params__.frozen
    for field in dataclasses.fields(made):
        name = f"{type(made).__name__}.{field.name}"
        for value in NONSENSE:
            if is_allowed(name, value):
                dataclasses.replace(made, **{field.name: value})
                continue
            with pytest.raises(InputError) as refusal:
                dataclasses.replace(made, **{field.name: value})
            assert "\n" not in str(refusal.value), name


def test_no_data_class_was_forgotten() -> None:
    """All that is public in these folders is either tried above, or made by our own code alone."""
    found = set()
    for package in (kenyon.conditioning, kenyon.conditioning.claims, kenyon.larvaworld_plugin):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if module.name.endswith(".external"):
                continue  # A program.
            for name, kind in vars(importlib.import_module(module.name)).items():
                own = isinstance(kind, type) and kind.__module__ == module.name and not name.startswith("_")
                if own and (dataclasses.is_dataclass(kind) or hasattr(kind, "_fields")):
                    found.add(name)
    assert found == {type(made).__name__ for made in MADE_BY_USERS} | GIVEN_TO_USERS


def test_options_are_copied() -> None:
    """Nobody changes a plan by changing the dictionary that it was made from."""
    options = {"G": 0.5}
    plan = Plan("PItrain", "forager_MB", 1, memory=options)
    options["G"] = 7.0
    assert plan.memory == {"G": 0.5}
