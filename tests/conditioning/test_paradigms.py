import math
from typing import Any

import pytest

from kenyon.conditioning import DESCRIPTIONS, Design, Phase, Probe, paradigm
from kenyon.conditioning.paradigms import of_id, paradigm_id
from kenyon.errors import InputError


def words(name: str, **options: Any) -> list[str]:
    """Return the trials of a paradigm as its id spells them."""
    return paradigm_id(name, **options).split("/")[3:]


def test_what_each_paradigm_does() -> None:
    """Odor and reinforcement, in their order."""
    once = {"trials": 1}
    assert words("paired", **once) == ["training:CS+US 60s,pause 60s"]
    assert words("unpaired", **once) == ["training:CS 60s,US 60s"]
    assert words("unpaired-reversed", **once) == ["training:US 60s,CS 60s"]
    assert words("reinforcement-alone", **once) == ["training:US 60s,pause 60s"]
    assert words("odor-alone", **once) == ["training:CS 60s,pause 60s"]
    assert words("naive", **once) == ["training:pause 60s,pause 60s"]
    assert words("extinction", trials=2) == [
        *["training:CS+US 60s,pause 60s"] * 2,
        "extinction:CS 120s",
        *["retraining:CS+US 60s,pause 60s"] * 2,
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("paired", "paired: #training ?A, 2x(A+ 60s, 30s, ?A)"),
        ("unpaired", "unpaired: #training ?A, 2x(A 60s, + 60s, ?A)"),
        ("unpaired-reversed", "unpaired-reversed: #training ?A, 2x(+ 60s, A 60s, ?A)"),
        ("reinforcement-alone", "reinforcement-alone: #training ?A, 2x(+ 60s, 30s, ?A)"),
        ("odor-alone", "odor-alone: #training ?A, 2x(A 60s, 30s, ?A)"),
        ("naive", "naive: #training ?A, 2x(60s, 30s, ?A)"),
        (
            "extinction",
            "extinction: #training ?A, 2x(A+ 60s, 30s, ?A) | #extinction A 120s, ?A | #retraining 2x(A+ 60s, 30s, ?A)",
        ),
    ],
)
def test_a_paradigm_is_a_design(name: str, text: str) -> None:
    """The same as its text, with its tests before and after each trial."""
    assert paradigm(name, trials=2, pause_s=30) == Design.read(text)


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_ids_are_stable_and_distinct(name: str) -> None:
    """The same experiment has the same id; whatever differs shows in it; and an id can be read again."""
    variants: list[dict[str, Any]] = [
        {},
        {"cs": "anisole"},
        {"concentration": 0.1},
        {"us": "punishment"},
        {"strength": 0.5},
        {"trials": 2},
        {"stimulus_s": 60.00001},
    ]
    ids = [paradigm_id(name, **variant) for variant in variants]
    assert len(set(ids)) == 7
    assert ids[0].startswith(f"{name}/pentyl acetate@1/reward@1/")
    tests: dict[str, Any] = {"test_odors": ["3-octanol"], "test_s": 2.0}
    for identity, variant in zip(ids, variants, strict=True):
        assert of_id(identity, **tests) == paradigm(name, **variant, **tests)


@pytest.mark.parametrize(
    "text",
    ["", "paired", "paired/pentyl acetate@1/reward@1", "paired/pentyl acetate@1/sugar@1/training:CS 60s",
     "paired/pentyl acetate@1/reward@1/training:CS", "paired/x@1/reward@1/training:CS 6s",
     "a/anisole@--/reward@1/b:US 1s",     "paired/pentyl acetate@1/reward@1/training:CS 60s,", 3],
)  # fmt: skip
def test_what_is_no_id_is_refused(text: Any) -> None:
    """In a sentence."""
    with pytest.raises(InputError):
        of_id(text)


def test_paired_and_controls_have_equal_odor_and_reinforcement_time() -> None:
    """A control differs in contingency, not in amount."""
    for name in ("paired", "unpaired", "unpaired-reversed"):
        design = paradigm(name)
        phases = [element for element in design.groups[0].elements if isinstance(element, Phase)]
        assert sum(phase.duration_s for phase in phases if phase.odors) == 180
        assert sum(phase.duration_s for phase in phases if phase.reward) == 180
        assert design.duration_s == 360


def test_a_pause_of_zero_is_no_phase() -> None:
    """Nothing lasts for no time."""
    assert words("paired", trials=1, pause_s=0) == ["training:CS+US 60s"]


def test_each_odor_is_tested_once() -> None:
    """The trained one first, at concentration 1 whatever it was trained at."""
    tests = paradigm(cs="anisole", concentration=0.1, trials=1, test_odors=["3-octanol", "anisole"]).groups[0].elements
    assert tests[:2] == (Probe("anisole"), Probe("3-octanol"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"name": "pairde"}, "unknown paradigm 'pairde'; did you mean 'paired'"),
        ({"cs": "pentyl"}, "unknown odor 'pentyl'"),
        ({"us": "rewrad"}, "unknown reinforcement 'rewrad'; did you mean 'reward'"),
        ({"trials": 0}, "trials must be an integer of at least 1 and at most 10000, got 0"),
        ({"trials": 1.5}, "trials must be an integer of at least 1 and at most 10000, got 1.5"),
        ({"concentration": 0.0}, "concentration must be above 0, got 0"),
        ({"concentration": math.nan}, "concentration must be a finite number"),
        ({"stimulus_s": -1}, "stimulus duration must be a finite number from 0 to 1e+09 s, got -1"),
        ({"pause_s": math.inf}, "pause must be a finite number from 0 to 1e+09 s, got inf"),
        ({"strength": -0.5}, "strength must be a finite number of at least 0, got -0.5"),
        ({"test_odors": ["anisol"]}, "unknown odor 'anisol'; did you mean 'anisole'"),
        ({"test_s": 0.0}, "test duration must be above 0 s"),
    ],
)
def test_nonsense_is_refused(options: dict[str, Any], sentence: str) -> None:
    """Where it enters, in one sentence."""
    with pytest.raises(InputError) as refusal:
        paradigm(**options)
    assert str(refusal.value).startswith(sentence)
