"""What a message may ask for, and every way in which it may be wrong."""

import json
import math
from typing import Any

import pytest

from kenyon.errors import RefusedError
from kenyon.server import Limits, Settings
from kenyon.server.requests import Operation, Reader, Step
from kenyon.wire import Message
from kenyon.wire.refusals import CODES

STEP = {"odor_id": 0, "odor_concentration": 0.5, "T": 100, "warmup": 0, "step_id": 3, "reward": 1}


def read(reader: Reader | None = None, /, *, without: tuple[str, ...] = (), **changes: Any) -> Any:
    """Read a step of which some fields are changed or left out."""
    kwargs = {name: value for name, value in {**STEP, **changes}.items() if name not in without}
    return (reader or Reader(Settings())).read(Message("run", 0, 3, kwargs))


def test_a_stock_memory_and_a_stock_receptor_are_understood() -> None:
    """The fields that Larvaworld's two clients send."""
    assert read() == Step(3, {"pentyl acetate": 0.5}, 100.0, reward=1.0)
    receptor = {"odor_id": 0, "concentration_mmol": 2.5, "concentration_change_mmol": -0.1, "T": 100, "warmup": 500}
    message = Message("run", "Larva_0", 7, receptor)
    assert Reader(Settings()).read(message) == Step(7, {"pentyl acetate": 2.5}, 100.0, 500.0)


def test_what_is_absent_has_its_default_and_zero_is_a_value() -> None:
    """No odor at all is no odor; a concentration of 0 is one of 0, not that of the receptor."""
    assert read(without=("odor_id", "odor_concentration", "reward")) == Step(3, {}, 100.0)
    assert read(odor_concentration=0, concentration_mmol=5.0).odors == {"pentyl acetate": 0.0}


def test_several_odors_by_name_or_place() -> None:
    """Names in any case, places in the server's list."""
    reader = Reader(Settings(odors=("anisole", "3-octanol")))
    mixed = read(reader, without=("odor_id", "odor_concentration"), odors={"1": 0.25, "Pentyl Acetate": 1, "0": 2})
    assert mixed.odors == {"3-octanol": 0.25, "pentyl acetate": 1.0, "anisole": 2.0}
    assert read(reader, odor_id=1).odors == {"3-octanol": 0.5}


def test_the_scale_multiplies_concentrations_of_a_step_and_not_of_a_probe() -> None:
    """However they are given."""
    reader = Reader(Settings(concentration_scale=300.0))
    assert read(reader, odor_concentration=0.01).odors == {"pentyl acetate": 3.0}
    none = ("odor_id", "odor_concentration")
    assert read(reader, without=none, odors={"anisole": 0.01}).odors == {"anisole": 3.0}
    assert read(reader, probe=["anisole"], probe_concentration=0.5).probe_concentration == 0.5


def test_a_step_can_be_kept_as_text() -> None:
    """And comes back as it was, with all that can be asked or with the least."""
    without = ("reward", "odor_id", "odor_concentration")
    for step in (read(probe=["anisole", 2], punishment=0.25, seed=7), read(seed=7), read(), read(without=without)):
        assert Step.from_json(step.to_json()) == step
        assert json.loads(step.to_json())[:6] == list(step[:6])
    assert "null" not in read().to_json()


def test_a_step_that_was_kept_in_full_is_read_too() -> None:
    """As journals have it that were begun by the first versions: all ten values."""
    step = read()
    assert Step.from_json(json.dumps(step)) == step


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"T": 0}, "field", "T must be above 0 ms"),
    ({"T": -100}, "field", "T must be"),
    ({"T": "100"}, "field", "T must be"),
    ({"T": True}, "field", "T must be"),
    ({"T": None}, "field", "T must be"),
    ({"T": 0.05}, "field", "T must be a whole number of 0.1 ms steps"),
    ({"T": 1e9}, "limit", "T must be at most 60000 ms"),
    ({"T": 10**600}, "limit", "T must be at most 60000 ms"),
    ({"warmup": -1}, "field", "warmup must be"),
    ({"warmup": 1e9}, "limit", "warmup must be at most"),
    ({"reward": 1.5}, "field", "reward must be a finite number from 0 to 1"),
    ({"reward": -1}, "field", "reward must be"),
    ({"reward": math.nan}, "field", "reward must be"),
    ({"reward": "yes"}, "field", "reward must be"),
    ({"punishment": [1]}, "field", "punishment must be"),
    ({"odor_id": 3}, "odor", "odor_id must be a place in the server's list (0 pentyl acetate, 1"),
    ({"odor_id": -1}, "odor", "odor_id must be a place"),
    ({"odor_id": 10**600}, "odor", "odor_id must be a place"),
    ({"odor_id": "0"}, "field", "odor_id must be a whole number"),
    ({"odor_id": False}, "field", "odor_id must be a whole number"),
    ({"odor_concentration": math.inf}, "field", "odor_concentration must be"),
    ({"odor_concentration": 1e300}, "field", "odor_concentration must be"),
    ({"odor_concentration": None}, "field", "odor_id and odor_concentration must come together"),
    ({"concentration_change_mmol": "much"}, "field", "concentration_change_mmol must be"),
    ({"odors": {"anisole": 1}}, "field", "either odors or odor_id"),
    ({"step_id": 4}, "field", "step_id must be the step of the message, 3, got 4"),
    ({"step_id": "3"}, "field", "step_id must be"),
    ({"seed": -1}, "field", "seed must be"),
    ({"seed": 1.5}, "field", "seed must be"),
    ({"seed": 2**63}, "field", "seed must be"),
    ({"probe": "anisole"}, "field", "probe must be a list"),
    ({"probe": 0}, "field", "probe must be a list"),
    ({"probe": ["banana"]}, "odor", "unknown odor 'banana'"),
    ({"probe": ["anisole", "ANISOLE"]}, "field", "probe must name each odor once"),
    ({"probe": [["anisole"]]}, "field", "an odor must be a name or a place"),
    ({"probe": ["anisole"], "probe_ms": 0}, "field", "probe_ms must be above 0"),
    ({"probe": ["anisole"], "probe_ms": 1e9}, "limit", "probe_ms must be at most"),
    ({"probe": ["anisole"], "probe_concentration": -1}, "field", "probe_concentration must be"),
    ({"punishement": 1}, "field", "no field 'punishement'; did you mean 'punishment'?"),
    ({"snapshot": "x"}, "field", "no field 'snapshot'"),
    ({"op": "stop"}, "field", "op must be one of step, ping, export, load, delete, probe, got 'stop'"),
    ({"op": ["step"]}, "field", "op must be one of"),
    ({"op": None}, "field", "op must be one of"),
]


@pytest.mark.parametrize(("changes", "code", "sentence"), WRONG, ids=[f"{change}"[:40] for change, _, _ in WRONG])
def test_nonsense_is_refused_with_a_code_and_a_sentence(changes: dict[str, Any], code: str, sentence: str) -> None:
    """For every field: another type, out of range, unknown."""
    with pytest.raises(RefusedError) as caught:
        read(**changes)
    assert caught.value.code == code
    assert code in CODES
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 500


MIXTURES: list[tuple[Any, str, str]] = [
    ([], "field", "odors must be concentrations by name"),
    ({"banana": 1}, "odor", "unknown odor 'banana'"),
    ({"9": 1}, "odor", "odor_id must be a place"),
    ({"9" * 100: 1}, "odor", "odor_id must be a place"),
    ({"9" * 3000: 1}, "odor", "a name of at most 200 characters"),
    ({"0": 1, "pentyl acetate": 1}, "field", "odors must name each odor once"),
    ({"anisole": "1"}, "field", "concentration of anisole must be"),
    ({"anisole": None}, "field", "concentration of anisole must be"),
]


@pytest.mark.parametrize(("odors", "code", "sentence"), MIXTURES)
def test_mixtures_that_are_none_are_refused(odors: Any, code: str, sentence: str) -> None:
    """As single odors are."""
    with pytest.raises(RefusedError) as caught:
        read(without=("odor_id", "odor_concentration"), odors=odors)
    assert (caught.value.code, sentence in str(caught.value)) == (code, True)


@pytest.mark.parametrize("missing", ["T", "odor_id", "odor_concentration"])
def test_what_is_needed_and_missing_is_named(missing: str) -> None:
    """Nothing is made up for it."""
    with pytest.raises(RefusedError, match=missing):
        read(without=(missing,))


def test_a_message_must_name_its_larva() -> None:
    """The ids of an unreadable request are none."""
    with pytest.raises(RefusedError, match="a request must name sim_id, model_id and step, got null"):
        Reader(Settings()).read(Message(None, None, None, {}))


def test_steps_that_cannot_be_counted_on_from_are_refused() -> None:
    """As the last one that 64 bits can say."""
    with pytest.raises(RefusedError, match="step must be at most 9007199254740992, got 9223372036854775807"):
        Reader(Settings()).read(Message("run", 0, 2**63 - 1, {"op": "load", "snapshot": "x"}))


def test_operations_have_their_own_fields() -> None:
    """And no others."""
    reader = Reader(Settings())
    assert reader.read(Message("r", 0, 4, {"op": "load", "snapshot": "x"})) == Operation("load", 4, "x")
    assert reader.read(Message("r", 0, 4, {"op": "probe", "probe": [0]})).probe == ("pentyl acetate",)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"op": "export", "T": 100}, "no field 'T'"),
        ({"op": "load"}, "snapshot must be a str"),
        ({"op": "load", "snapshot": 1}, "snapshot must be a str"),
        ({"op": "probe"}, "probe must name at least one odor"),
    ]
    for kwargs, sentence in wrong:
        with pytest.raises(RefusedError, match=sentence):
            reader.read(Message("r", 0, 4, kwargs))


def test_a_token_is_asked_of_every_request_first() -> None:
    """Also of one that is wrong otherwise; and no refusal shows it."""
    reader = Reader(Settings(token="secret word"))
    assert read(reader, token="secret word") == read()
    for given in ({}, {"token": "other"}, {"token": None}, {"token": 1}, {"token": "secret"}, {"token": "\ud800"}):
        for kwargs in (STEP, {"op": "ping"}, {"op": "nonsense"}):
            with pytest.raises(RefusedError) as caught:
                reader.read(Message("run", 0, 3, {**kwargs, **given}))
            assert caught.value.code == "token"
            assert "secret" not in str(caught.value)


def test_limits_are_settings() -> None:
    """A longer step is taken where it is allowed."""
    assert read(Reader(Settings(limits=Limits(max_step_ms=1e6))), T=100_000).duration_ms == 100_000
