import dataclasses
import math
import re
from typing import Any

import numpy as np
import pytest

from kenyon.conditioning import DESCRIPTIONS, Paradigm, paradigm
from kenyon.conditioning.paradigms import Trial, TrialPhase
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
        ({"concentration": 0.0}, "concentration must be above 0, got 0"),
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


def test_a_paradigm_made_by_hand_checks_itself() -> None:
    """Finding 18: `us="Reward"` trained with punishment; -1 was no odor; no phases ended in numpy."""
    trial = Trial("training", (TrialPhase(cs=True, us=False, duration_s=60),))
    own = Paradigm("own", "anisole", 1.0, "reward", 1.0, (trial,))
    cases: list[tuple[str, Any, str]] = [
        ("us", "Reward", "unknown reinforcement 'Reward'; did you mean 'reward'?"),
        ("concentration", -1, "concentration must be a finite number of at least 0, got -1"),
        ("trials", (), "trials of a paradigm must be 1 to 30000, got none"),
        ("cs", "anisol", "unknown odor 'anisol'; did you mean 'anisole'"),
    ]
    for field, value, sentence in cases:
        with pytest.raises(InputError, match=re.escape(sentence)):
            dataclasses.replace(own, **{field: value})
    with pytest.raises(InputError, match="phases of a trial must be 1 to 30000, got none"):
        dataclasses.replace(trial, phases=())


def test_what_is_given_as_a_list_is_kept_as_a_tuple() -> None:
    """So that nobody changes it afterward; numbers become those that the circuit works with."""
    phases = [TrialPhase(cs=np.bool_(True), us=False, duration_s=np.int64(3))]  # type: ignore[arg-type]  # of numpy
    trial = Trial("training", phases)  # type: ignore[arg-type]  # a list is taken
    phases.clear()
    assert trial.phases == (TrialPhase(cs=True, us=False, duration_s=3.0),)
    assert (type(trial.phases[0].cs), type(trial.phases[0].duration_s)) == (bool, float)
    assert Paradigm("own", "Anisole", 1, "reward", 1, [trial]).cs == "anisole"  # type: ignore[arg-type]  # as above
