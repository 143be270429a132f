"""One id of a whole run."""

import math
import subprocess
import sys
from typing import Any

import pytest

from kenyon import provenance
from kenyon.conditioning import Design, Experiment, Group, Stage, paradigm
from kenyon.mushroom_body import BALANCED
from kenyon.provenance import run_id
from tests.conditioning.runs import tiny


def made_of(design: Design | None = None) -> dict[str, Any]:
    """Return all that decides the numbers of a run under the balanced set."""
    return Experiment(design or paradigm(), larvae=3, parameters=BALANCED).made_of("paired")


GOLDEN = "50a07d9c474205ff"


def test_the_id_of_a_run_is_the_same_everywhere() -> None:
    """In this process and in others, today and later: as long as `NUMBERS_VERSION` is not raised."""
    assert provenance.NUMBERS_VERSION == 2
    assert run_id(made_of()) == GOLDEN
    script = (
        "from kenyon.conditioning import Experiment, paradigm; from kenyon.mushroom_body import BALANCED; "
        "from kenyon.provenance import run_id; "
        "print(run_id(Experiment(paradigm(), larvae=3, parameters=BALANCED).made_of('paired')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == GOLDEN


def test_names_given_to_things_do_not_change_the_id() -> None:
    """Of groups and stages, and letters; what is done under these names does."""
    (stage,) = paradigm().groups[0].stages
    renamed = Design([Group("my own", [Stage(stage.items[:4], "first"), Stage(stage.items[4:], "then")])], {"X": 3})
    assert run_id(Experiment(renamed, larvae=3, parameters=BALANCED).made_of("my own")) == GOLDEN
    assert run_id(made_of(Design([Group("paired", [Stage(stage.items[:-1])])]))) != GOLDEN


@pytest.mark.long  # Brian2 compiles for half a minute.
def test_engine_and_threads_do_not_change_the_id() -> None:
    """For they change no number: the other engine gives the same id with the same numbers."""
    one, other = tiny(), tiny(engine="brian2")
    assert one.run_id.item() == other.run_id.item()
    assert one.engine.item() != other.engine.item()
    assert one.drop_vars(("engine", "versions")).equals(other.drop_vars(("engine", "versions")))
    assert not {"engine", "threads", "versions"} & set(made_of())


def test_numbers_that_change_change_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the number that is raised then."""
    monkeypatch.setattr(provenance, "NUMBERS_VERSION", 1)
    assert run_id(made_of()) != GOLDEN


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 3}, {"a": 3.0}, True),
        ({"a": 0.0}, {"a": -0.0}, True),
        ({"a": (1, 2)}, {"a": [1, 2]}, True),
        ({"a": math.nan}, {"a": None}, True),
        ({"a": True}, {"a": 1}, False),
        ({"a": "1"}, {"a": 1}, False),
        ({"a": 1.0}, {"a": math.nextafter(1.0, 2.0)}, False),
        ({"a": [[1], 2]}, {"a": [1, [2]]}, False),
    ],
)
def test_what_is_the_same_has_the_same_id(one: dict[str, Any], other: dict[str, Any], alike: bool) -> None:
    """However it is written down."""
    assert (run_id(one) == run_id(other)) is alike


def test_what_json_cannot_say_has_no_id() -> None:
    """Rather an error than the name of an object, which is another in every process."""
    with pytest.raises(TypeError):
        run_id({"a": object()})
