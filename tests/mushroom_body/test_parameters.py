import math

import pytest

from kenyon.errors import InputError
from kenyon.mushroom_body.parameters import BALANCED, LARVAL, NAMED, PUBLISHED, constants, named


def test_published_constants_are_those_of_the_paper() -> None:
    """Every figure of the tables of Jürgensen et al. 2024, iScience 27:108640."""
    cells = {
        "orn": (100, 5, -60, -35, 0.1),
        "pn": (30, 2.5, -59, -30, 0),
        "ln": (50, 2.5, -59, -30, 0),
        "kc": (30, 0.5, -55, -35, 0.02),
        "mbon": (100, 5, -60, -35, 0.1),
        "dan": (100, 5, -60, -35, 0.1),
        "feedback_ln": (100, 5, -60, -35, 0.1),
        "apl": (200, 5, -60, -30, 0),
    }
    names = ("capacitance_pF", "leak_nS", "rest_mV", "threshold_mV", "adaptation_nS")
    expected: dict[str, float | None] = {
        f"{cell}.{name}": value for cell, values in cells.items() for name, value in zip(names, values, strict=True)
    }
    expected |= {
        "dt_ms": 0.1,
        "excitatory_reversal_mV": 0,
        "inhibitory_reversal_mV": -75,
        "adaptation_reversal_mV": -90,
        "excitatory_tau_ms": 5,
        "inhibitory_tau_ms": 10,
        "adaptation_tau_ms": 1000,
        "refractory_ms": 2,
        "input_orn_nS": 3,
        "orn_pn_nS": 10,
        "orn_ln_nS": 4,
        "ln_pn_nS": 1,
        "pn_kc_nS": 1,
        "kc_apl_nS": 20,
        "apl_kc_nS": 50,
        "kc_mbon_nS": 80,
        "mbon_feedback_ln_nS": 35,
        "mbon_dan_nS": 4,
        "feedback_ln_dan_nS": 70,
        "reinforcement_dan_nS": 2.5,
        "kc_claws_min": 2,
        "kc_claws_max": 6,
        "learning_rate_nS": 0.3,
        "eligibility_tau_ms": 5000,
        "homeostasis": 1e-4,
        "weight_floor_nS": None,
        "eligibility_step": 1,
        "recovery": 0,
        "potentiation": 0,
        "potentiation_tau_ms": 15000,
        "potentiation_closing_ms": 1000,
        "weight_ceiling_nS": None,
        "input_shape": 3,
        "spontaneous_rate_hz": 185,
        "odor_rate_hz": 500,
        "reinforcement_rate_hz": 600,
    }
    assert PUBLISHED.values() == expected


def test_balanced_changes_five_constants() -> None:
    """And no other."""
    assert BALANCED.differences(PUBLISHED) == {
        "feedback_ln_dan_nS": (6.0, 70.0),
        "learning_rate_nS": (0.08, 0.3),
        "weight_floor_nS": (12.0, None),
        "spontaneous_rate_hz": (155.0, 185.0),
        "reinforcement_rate_hz": (450.0, 600.0),
    }


def test_larval_adds_rules_and_a_circuit_for_them_to_balanced() -> None:
    """And nothing else; the ceiling moves with the start where it is not set."""
    rules = {"homeostasis", "recovery", "eligibility_step", "learning_rate_nS", "weight_floor_nS", "potentiation"}
    of_the_circuit = {"ln_pn_nS", "kc_apl_nS", "mbon_dan_nS", "feedback_ln_dan_nS", "reinforcement_rate_hz"}
    assert set(LARVAL.differences(BALANCED)) == rules | {"weight_ceiling_nS"} | of_the_circuit
    assert LARVAL.ceiling_nS == BALANCED.ceiling_nS == 160.0
    assert BALANCED.replace(kc_mbon_nS=100.0).ceiling_nS == 200.0


@pytest.mark.parametrize("name", list(constants()))
@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -math.inf, "1", 1e300])
def test_every_constant_refuses_nonsense_by_name(name: str, nonsense: float) -> None:
    """Whatever constant, whatever nonsense: one sentence that begins with the constant's name."""
    with pytest.raises(InputError, match=rf"^{name.replace('.', '[.]')} must be "):
        PUBLISHED.replace({name: nonsense})


@pytest.mark.parametrize("name", list(constants()))
def test_every_constant_is_declared_in_full(name: str) -> None:
    """Meaning, source, a range that holds the published value."""
    constant = constants()[name]
    assert constant.meaning
    assert constant.source
    assert constant.low < constant.high
    assert PUBLISHED.replace({name: PUBLISHED.values()[name]}) == PUBLISHED


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kc.threshold_mV": -55.0}, "kc.threshold_mV must lie above kc.rest_mV"),
        ({"kc_claws_min": 7}, "kc_claws_max must be at least kc_claws_min"),
        ({"weight_floor_nS": 81.0}, "weight_floor_nS must be at most kc_mbon_nS"),
        ({"weight_ceiling_nS": 79.9}, "weight_ceiling_nS must be at least kc_mbon_nS (80 nS), got 79.9 nS"),
        ({"refractory_ms": 2.05}, "refractory_ms must be a whole number of 0.1 ms steps"),
        ({"excitatory_tau_ms": 0.05}, "excitatory_tau_ms must be at least dt_ms"),
        ({"eligibility_step": 0.0}, "eligibility_step must be above 0, got 0, with which nothing is learned; take 1"),
        ({"leraning_rate_nS": 1.0}, "unknown parameter 'leraning_rate_nS'; did you mean 'learning_rate_nS'"),
    ],
)
def test_constants_that_contradict_each_other_are_refused(changes: dict[str, float], sentence: str) -> None:
    """Each alone may be fine."""
    with pytest.raises(InputError) as refusal:
        PUBLISHED.replace(changes)
    assert str(refusal.value).startswith(sentence)


def test_a_set_is_immutable() -> None:
    """Also in its cells."""
    with pytest.raises(AttributeError):
        PUBLISHED.dt_ms = 1.0  # type: ignore[misc]  # that it cannot be is what is tested
    with pytest.raises(AttributeError):
        PUBLISHED.kc.leak_nS = 1.0  # type: ignore[misc]  # as above


def test_a_set_is_described_by_its_name_and_changes() -> None:
    """So that a result says what it was made with."""
    assert [parameters.description for parameters in NAMED.values()] == ["balanced", "larval", "published"]
    assert BALANCED.replace(learning_rate_nS=0.1).description == "balanced with learning_rate_nS=0.1"
    assert named("balanced") is BALANCED
    with pytest.raises(InputError, match="unknown parameter set 'blanced'; did you mean 'balanced'"):
        named("blanced")


@pytest.mark.parametrize("duration", [-0.1, math.nan, math.inf, 0.15, 100.00001, "100", None])
def test_a_duration_is_a_whole_number_of_steps(duration: float) -> None:
    """Nothing is rounded in silence."""
    with pytest.raises(InputError, match=r"^duration must be a "):
        PUBLISHED.steps("duration", duration)
    assert PUBLISHED.steps("duration", 0.57e3) == 5700
