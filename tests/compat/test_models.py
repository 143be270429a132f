"""Stored models of the host, one of each family, tried out as `make larvaworld-models` tries out all of them."""

import importlib.util
import json

import pytest

from kenyon.errors import InputError
from kenyon.larvaworld_plugin import host, registered
from kenyon.larvaworld_plugin.models import memory_model, memory_models, try_out
from kenyon.memory import RLOlfMemory

SECONDS = 10.0

WORKING = [
    ("forager_RL", "single_odor_patch_x4", "RLOlfMemory"),
    ("forager_MB", "single_odor_patch_x4", "MushroomBodyMemory"),
    ("Levy_forager_x2_RL", "PItrain_mini", "RLOlfMemory"),
    ("RE_NEU_PHI_DEF_max_forager_x2_MB", "PItrain_mini", "MushroomBodyMemory"),
    ("RLnavigator", "single_odor_patch_x4", "RLOlfMemory"),
    ("RE_SIN_SQ_DEF_navigator_brute_MB", "single_odor_patch_x4", "MushroomBodyMemory"),
    ("NEU_Levy_continuous_navigator_x2_brute_RL", "PItrain_mini", "RLOlfMemory"),
    ("RLtoucher_2", "multi_tactile_detection", "RLTouchMemory"),
]


@pytest.mark.parametrize(("name", "experiment", "memory"), WORKING, ids=[row[0] for row in WORKING])
def test_the_memory_of_a_stored_model_works(name: str, experiment: str, memory: str) -> None:
    """In an experiment that suits it, its memory meets a stimulus that changes, and has soon changed itself."""
    trial = try_out(name, SECONDS)
    assert trial.works, trial.reason
    assert (trial.experiment, trial.memory) == (experiment, memory)
    assert trial.on_food
    assert registered() is None


@pytest.mark.parametrize("name", ["RLtoucher", "RLtoucher_brute"])
def test_a_toucher_without_touch_sensors_has_nothing_to_sense(name: str) -> None:
    """It is refused before the first tick; the reason is known beforehand, from its configuration."""
    trial = try_out(name, SECONDS)
    assert (trial.built, trial.memory) == (False, None)
    assert (trial.saw_change, trial.changed, trial.works) == (False, False, False)
    assert trial.reason == memory_model(name).hindrance
    assert "touch_sensors is empty" in trial.reason


@pytest.mark.skipif(importlib.util.find_spec("nengo") is not None, reason="says what is so without nengo")
def test_a_nengo_brain_has_no_memory() -> None:
    """It is not built, which is a reason and no error, and leaves nothing registered."""
    trial = try_out("nengo_forager_x2_MB", SECONDS)
    assert (trial.built, trial.memory, trial.works) == (False, None, False)
    assert trial.reason == memory_model("nengo_forager_x2_MB").hindrance
    assert "NengoBrain" in trial.reason
    assert registered() is None


def test_a_larva_that_meets_no_food_has_a_reason() -> None:
    """A mushroom body learns nothing where nothing reinforces it, and the trial says so."""
    trial = try_out("Levy_navigator_MB", SECONDS, experiment="chemorbit", larvae=1)
    assert (trial.built, trial.saw_change, trial.changed, trial.on_food) == (True, True, False, False)
    assert trial.reason == "its memory did not change"


def test_what_stops_a_run_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says when and what, and leaves nothing registered."""

    def give_up(memory: RLOlfMemory, *_: object, **__: object) -> None:
        if memory.total_ticks > 20:
            raise ZeroDivisionError("enough")

    monkeypatch.setattr(RLOlfMemory, "update_gain", give_up)
    trial = try_out("RLnavigator", SECONDS, larvae=1)
    assert (trial.built, trial.saw_change, trial.works) == (True, True, False)
    assert trial.reason == "stopped after 2 s: ZeroDivisionError: enough"
    assert registered() is None


def test_every_stored_model_with_a_memory_is_listed() -> None:
    """As its configuration says: those whose names say RL or MB, and no others."""
    host.require()
    models = {model.name: model for model in memory_models()}
    said = [name for name in host.names("Model") if name.endswith(("_RL", "_MB")) or name.startswith("RL")]
    assert list(models) == said
    assert models["forager_MB"]._replace(name="") == models["max_forager_MB"]._replace(name="")
    assert models["forager_MB"].stimuli == ("Odor",)
    assert models["Levy_navigator_x2_brute_RL"].stimuli == ("CS", "UCS")
    assert models["RLtoucher_2"].stimuli == ("touch_sensor_0", "touch_sensor_2")
    assert [models[name].feeder for name in ("forager_RL", "RLnavigator")] == [True, False]
    assert [models[name].blind for name in ("Levy_navigator_x2_brute_RL", "Levy_navigator_x2_RL")] == [True, False]
    assert {name for name, model in models.items() if model.hindrance} == {
        name for name in models if name.startswith("nengo_")
    } | {"RLtoucher", "RLtoucher_brute"}
    assert json.dumps(models["forager_MB"]._asdict())


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("forager_MD", {}, "forager_MB"),
        ("forager", {}, "model must be one with a memory, got 'forager'"),
        ("forager_MB", {"experiment": "PItrian"}, "PItrain"),
        ("forager_MB", {"seconds": 0.0}, "seconds must be"),
        ("forager_MB", {"larvae": 0}, "larvae must be"),
    ],
)
def test_what_cannot_be_tried_out_is_refused(name: str, options: dict[str, object], words: str) -> None:
    """A mistake of the caller is an error, not a reason."""
    with pytest.raises(InputError, match=words):
        try_out(name, **options)  # type: ignore[arg-type]  # that is the point
