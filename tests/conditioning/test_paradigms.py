import math
from typing import Any

import pytest

from kenyon.conditioning import DESCRIPTIONS, paradigm
from kenyon.errors import InputError


def words(name: str, **options: Any) -> list[str]:
    """Return the trials of a paradigm as its id spells them."""
    return paradigm(name, **options).id.split("/")[3:]


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


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_ids_are_stable_and_distinct(name: str) -> None:
    """The same experiment has the same id; whatever differs shows in it."""
    base = paradigm(name)
    variants = [
        paradigm(name, cs="anisole"),
        paradigm(name, concentration=0.1),
        paradigm(name, us="punishment"),
        paradigm(name, strength=0.5),
        paradigm(name, trials=2),
        paradigm(name, stimulus_s=60.00001),
    ]
    assert base == paradigm(name)
    assert len({base.id, *(variant.id for variant in variants)}) == 7
    assert base.id.startswith(f"{name}/pentyl acetate@1/reward@1/")


def test_paired_and_controls_have_equal_odor_and_reinforcement_time() -> None:
    """A control differs in contingency, not in amount."""
    for name in ("paired", "unpaired", "unpaired-reversed"):
        phases = paradigm(name).phases
        assert sum(phase.duration_s for phase in phases if phase.cs) == 180
        assert sum(phase.duration_s for phase in phases if phase.us) == 180
        assert paradigm(name).duration_s == 360


def test_a_pause_of_zero_is_no_phase() -> None:
    """Nothing lasts for no time."""
    assert words("paired", trials=1, pause_s=0) == ["training:CS+US 60s"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"name": "pairde"}, "unknown paradigm 'pairde'; did you mean 'paired'"),
        ({"cs": "pentyl"}, "unknown odor 'pentyl'"),
        ({"us": "rewrad"}, "unknown reinforcement 'rewrad'; did you mean 'reward'"),
        ({"trials": 0}, "trials must be an integer of at least 1 and at most 10000, got 0"),
        ({"trials": 1.5}, "trials must be an integer of at least 1 and at most 10000, got 1.5"),
        ({"concentration": 0.0}, "concentration and stimulus duration must be above 0"),
        ({"concentration": math.nan}, "concentration must be a finite number"),
        ({"stimulus_s": -1}, "stimulus duration must be a finite number of at least 0 s, got -1"),
        ({"pause_s": math.inf}, "pause must be a finite number of at least 0 s, got inf"),
        ({"strength": -0.5}, "strength must be a finite number of at least 0, got -0.5"),
    ],
)
def test_nonsense_is_refused(options: dict[str, Any], sentence: str) -> None:
    """Where it enters, in one sentence."""
    with pytest.raises(InputError) as refusal:
        paradigm(**options)
    assert str(refusal.value).startswith(sentence)


def test_a_paradigm_is_immutable() -> None:
    """It can be shared and compared."""
    with pytest.raises(AttributeError):
        paradigm().us = "punishment"  # type: ignore[misc]  # that it cannot be is what is tested
    assert hash(paradigm()) == hash(paradigm())
