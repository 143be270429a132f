"""What Larvaworld's receptor class reads: translated where that was asked for, the same after a kill, in any batch."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kenyon.cli import main
from kenyon.errors import InputError, MismatchError
from kenyon.server import Settings
from kenyon.server.journal import Journal
from kenyon.wire import Message
from tests.server.running import Running, step

RANGE = ("--receptor-range", "45:85", "--receptor-smoothing-s", "0.1")
STEPS = 12


def output(rate_hz: float) -> float:
    """Return what `OSNOlfactor` of Larvaworld 2.5.1 makes of a rate: its `normalized_sigmoid(15, 8, rate)`."""
    return 1 / (1 + math.exp(8 * (rate_hz - 15)))


def smell(number: int, larva: Any = 0) -> Message:
    """Return a step of a larva that comes nearer to an odor and goes away again, as the receptor class sends it."""
    strength = 0.02 * (1 + number % 8)
    kwargs = {"odor_id": 0, "concentration_mmol": strength, "concentration_change_mmol": 0.0, "T": 50, "warmup": 300}
    return Message("run", larva, number, kwargs)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, Any]]]:
    """What one larva is answered by a server that nothing happens to."""
    with Running(tmp_path_factory.mktemp("alone"), *RANGE) as server:
        yield [server.ask(smell(number))[0] for number in range(STEPS)]


def test_the_stock_receptor_class_smells(alone: list[dict[str, Any]]) -> None:
    """Its output lies well between 0 and 1 and moves, where the rates themselves leave it at 0."""
    outputs = [output(reply["OSN_rate"]) for reply in alone]
    assert max(outputs) > 0.7
    assert min(outputs) < 0.3
    assert all(output(reply["ORN_rate"]) < 1e-3 for reply in alone)


def test_the_mean_over_past_steps_is_what_the_rates_say(alone: list[dict[str, Any]]) -> None:
    """Recomputed here from the rates, with steps of 50 ms and a time constant of 100 ms, then laid over the range."""
    mean = alone[0]["ORN_rate"]
    for reply in alone:
        mean += (reply["ORN_rate"] - mean) / 3
        assert reply["ORN_rate_mean"] == pytest.approx(mean, rel=1e-12)
        assert (output(reply["OSN_rate"]) > 0.9) == (mean < 45)
        assert (output(reply["OSN_rate"]) < 0.1) == (mean > 85)
        assert reply["OSN_rate"] == pytest.approx(15 + math.log(9) / 4 * ((mean - 45) / 40 - 0.5), abs=1e-12)


def test_nothing_else_in_a_reply_changes(alone: list[dict[str, Any]]) -> None:
    """A server without the setting answers the rate itself, and all the rest alike."""
    with Running(":memory:") as server:
        plain = [server.ask(smell(number))[0] for number in range(STEPS)]
    for with_range, without in zip(alone, plain, strict=True):
        assert with_range["ORN_rate"] == without["OSN_rate"]
        assert {**with_range, "OSN_rate": 0, "ORN_rate": 0, "ORN_rate_mean": 0} == {
            **without, "OSN_rate": 0, "ORN_rate": 0, "ORN_rate_mean": 0,
        }  # fmt: skip


def test_a_larva_smells_the_same_after_every_kill_in_any_batch_and_when_asked_again(
    alone: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Killed between all steps, beside others in its frame, each step asked twice: the same replies."""
    with Running(tmp_path, *RANGE) as server:
        for number in range(STEPS):
            others = [smell(number, larva) for larva in ("x", 7)]
            assert server.ask(others[0], smell(number), others[1])[1] == alone[number]
            assert server.ask(smell(number)) == [alone[number]]
            if number in (3, 8):
                server.kill()
                server.start()


def test_larvae_go_on_only_under_the_range_they_began_with(tmp_path: Path) -> None:
    """It decides replies; another, or none, is refused with the option to give."""
    ranged, plain = Settings(receptor_range_hz=(45, 85)), Settings()
    for began, other, remedy in (
        (ranged, plain, "start with --receptor-range 45.0:85.0"),
        (ranged, Settings(receptor_range_hz=(45, 85), receptor_smoothing_s=2), "--receptor-smoothing-s 1.0, or give"),
        (plain, ranged, "start with no --receptor-range"),
    ):
        folder = tmp_path / remedy[-4:]
        Journal(folder, began.record()).close()
        with pytest.raises(MismatchError, match=remedy):
            Journal(folder, other.record())
        Journal(folder, began.record()).close()


@pytest.mark.parametrize("wrong", ["", "1", "1:", "a:b", "5:5", "nan:1", "-1:5", "1:1e9", "1:2:3"])
def test_a_range_that_is_none_is_refused(wrong: str) -> None:
    """In one sentence."""
    refused = CliRunner().invoke(main, ["serve", "--receptor-range", wrong])
    assert refused.exit_code == 2
    assert re.fullmatch(r"Error: (--)?receptor.range(_hz)? must be .*\n", refused.output)


def test_a_range_in_python_is_checked_alike() -> None:
    """Two rates, apart, or none."""
    assert Settings(receptor_range_hz=(63, 1)).receptor_range_hz == (63.0, 1.0)
    for wrong in ((1.0,), 5, "12", (1.0, 1.0), (1.0, float("inf")), (1.0, True)):
        with pytest.raises(InputError, match="receptor_range_hz must be"):
            Settings(receptor_range_hz=wrong)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(InputError, match="receptor_smoothing_s must be"):
        Settings(receptor_smoothing_s=-1.0)


TUTORIAL = {
    "concentration_max_mmol": 440, "baseline_input_current": 100, "g_Ia": 0, "max_rate": 100, "min_rate": 40,
}  # fmt: skip
"""What `LocalOlfactor` of Larvaworld's tutorial sends besides."""


def test_the_tutorial_client_is_answered_as_if_it_had_not_said_its_five_fields() -> None:
    """Whatever they hold; that is logged once, and another unknown field is still an error."""
    with Running(":memory:") as server:
        for number in range(3):
            plain = smell(number)
            told = Message("run", "told", number, {**plain.kwargs, **TUTORIAL, "warmup": 15_000})
            assert "error" not in server.ask(told)[0]
        odd: dict[str, Any] = {**TUTORIAL, "max_rate": "\x1b[31m", "min_rate": None, "g_Ia": [[]]}
        told = Message("run", 0, 0, {**smell(0).kwargs, **odd})
        assert server.ask(told) == [server.ask(smell(0))[0]]
        (refused,) = server.ask(Message("run", 0, 1, {**smell(1).kwargs, **TUTORIAL, "tau_Ia": 300}))
        assert "must have no field 'tau_Ia'" in refused["error"]
        (refused,) = server.ask(Message("run", 0, 1, {"op": "export", "g_Ia": 0}))
        assert "must have no field 'g_Ia'" in refused["error"]
        server.stop()
    assert sum("tutorial client are ignored" in line for line in server.lines) == 1


def test_only_a_switch_named_for_its_risk_opens_a_server_to_others() -> None:
    """As inside a container, whose port is published on loopback alone; the refusal names switch and risk."""
    refused = CliRunner().invoke(main, ["serve", "--host", "0.0.0.0"])
    assert refused.exit_code == 2
    assert "--listen-unprotected: whoever reaches the port may then step, read and delete" in refused.output
    with Running(":memory:", "--host", "0.0.0.0", "--listen-unprotected") as server:
        assert "error" not in server.ask(step("run", 0, 0))[0]
        assert any("WARNING" in line and "whoever reaches this port" in line for line in server.lines)
    assert not Settings(unprotected=True).is_open  # On loopback there is nothing to warn of.
