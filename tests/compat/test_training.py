"""Designs of the laboratory in a dish of the host: larvae meet what is written, and their tests are what they say."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
from click.testing import CliRunner

from kenyon.cli import main
from kenyon.conditioning import Design
from kenyon.drawing import save_figure
from kenyon.errors import InputError
from kenyon.larvaworld_plugin import experiment, groups, unregister
from kenyon.larvaworld_plugin.comparing import compare_tests, conditions_of
from kenyon.larvaworld_plugin.conditions import design
from kenyon.larvaworld_plugin.dish import ODORS, in_dish
from kenyon.larvaworld_plugin.groups import Group
from kenyon.larvaworld_plugin.plan import Plan
from kenyon.larvaworld_plugin.preference import preference
from kenyon.larvaworld_plugin.training import train
from kenyon.larvaworld_plugin.training_figure import training_figure

TINY: dict[str, Any] = {"larvae": 2, "test_min": 0.1, "show_progress": False}


@pytest.fixture(autouse=True)
def nothing_stays_registered() -> Iterator[None]:
    """Every test begins and ends with the host's own classes."""
    unregister()
    yield
    unregister()


class Seen:
    """What larvae of every run met, noted beside whatever script the run has.

    Args:
        patch: Puts itself between groups and runs.
        every: Ticks between two looks.
    """

    def __init__(self, patch: pytest.MonkeyPatch, every: int) -> None:
        self.met: list[tuple[str, int, frozenset[str], bool]] = []
        self.runs: list[Any] = []
        carry_out = experiment.carry_out

        def carried_out(plan: Any, **how: Any) -> Any:
            def script(run: Any) -> Any:
                after_tick = None if plan.script is None else plan.script(run)

                def look() -> None:
                    if run.t % every == every // 2:
                        grid = run.food_grid
                        self.met.append((plan.experiment, run.t, sources_on(run), grid is not None and grid.grid.any()))
                    if after_tick is not None:
                        after_tick()

                return look

            done = carry_out(dataclasses.replace(plan, script=script), **how)
            self.runs.append(done.host)
            return done

        patch.setattr(experiment, "carry_out", carried_out)


def sources_on(run: Any) -> frozenset[str]:
    """Return the odors that are on, each with its side."""
    sides = [(source.odor.id, "left" if source.get_position()[0] < 0 else "right", source.odor.intensity)
             for source in run.sources]  # fmt: skip
    return frozenset(f"{odor} {side}" for odor, side, intensity in sides if intensity > 0)


def both(*odors: str) -> frozenset[str]:
    """Return odors that are on on both sides."""
    return frozenset(f"{odor} {side}" for odor in odors for side in ("left", "right"))


CHOICE, CS, UCS = frozenset({"CS left", "UCS right"}), frozenset({"CS left"}), frozenset({"UCS right"})


@pytest.mark.parametrize("first", ODORS)
def test_larvae_are_given_what_a_design_says(first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Odors and food in every phase, and in tests each odor on its own side; whichever odor is the first."""
    text = "?B, A+ 1s, B 1s, + 1s, AB 1s, 1s, ?A, ?B, live B/A+ 20s | ?B+"
    (schedule,) = in_dish(Design.read(text, bindings={"B": "3-octanol"})).schedules
    seen = Seen(monkeypatch, 10)
    one = Group(schedule, 0, first, 1, "forager_RL", 1, 0.02, {})
    answer = groups.answer(one)
    b, a = one.called(0), one.called(1)  # in the order in which the design comes to them
    alone = {"CS": CS, "UCS": UCS}
    in_training = [(both(a), True), (both(b), False), (frozenset(), True), (both(a, b), False), (frozenset(), False)]
    found = [(smelled, food) for name, _, smelled, food in seen.met if name == "PItrain"]
    assert found == [*in_training, *[(CHOICE, True)] * 20]
    copies = {name: (smelled, food) for name, _, smelled, food in seen.met if name != "PItrain"}
    tests = [(name, smelled, food) for name, tick, smelled, food in seen.met if name != "PItrain" and tick == 5]
    assert copies
    assert tests == [
        ("PItest_off", alone[b], False),
        ("PItest_off", CHOICE, False),
        ("PItest_on", alone[b], True),
    ]
    assert len(answer.tested) == 4


def test_the_host_s_own_tracks_are_what_larvae_did() -> None:
    """Position and orientation of front and rear after every tick, and the bend between them, as the host has it."""
    did: list[list[tuple[float, ...]]] = []

    def script(run: Any) -> Any:
        def look() -> None:
            did.append([(*agent.pos, agent.front_orientation, agent.rear_orientation) for agent in run.agents])

        return look

    run = experiment.carry_out(Plan("PItest_off", "forager_RL", 3, 0.1, script=script), show_progress=False).host
    tracks = np.array(list(groups._tracks(run)))
    np.testing.assert_allclose(tracks, np.array(did).transpose(2, 1, 0), rtol=0, atol=1e-12)
    bend = run.datasets[0].step_data["bend"].unstack("AgentID").to_numpy(dtype=float).T[:, : run.t]
    np.testing.assert_allclose(np.sin(tracks[2] - tracks[3]), np.sin(bend), rtol=0, atol=1e-9)


def test_preference_is_one_of_them() -> None:
    """The first group of a condition is, number for number, that of its design: training, test and circuit."""
    how: dict[str, Any] = {"groups": 1, "memory": {"probe_every_s": 1.0}, **TINY}
    known = preference(conditions=["mirrored"], trials=1, phase_min=0.1, **how)
    same = train(design("mirrored", 1, 0.1), **how).isel(test=0)
    for name in ("preference_index", "preference_mean", "learned", "gain", "head_casts_hz", "reorientation_deg"):
        np.testing.assert_array_equal(known[name].values, same[name].values)
    assert same.test_odor.values.tolist() == [["4,5-dimethylthiazole", "pentyl acetate"]]
    assert known.odors.item() == same.odors.item()


MIRRORED = "first: ?A, ?B, A+ 12s, 4s | ?A, ?B; second: mirror(A,B) of first"


@pytest.fixture(scope="module")
def result() -> xarray.Dataset:
    """Return two groups of each of two that mirror each other, tested before training and after."""
    return train(Design.read(MIRRORED, bindings={"B": "3-octanol"}), groups=2, memory={"probe_every_s": 1.0}, **TINY)


def test_larvae_learn_what_the_design_says(result: xarray.Dataset) -> None:
    """Of the odor that came with food, on whichever side it is; naive copies have learned nothing."""
    assert result.sizes == {"condition": 2, "group": 2, "test": 2, "role": 2, "heading": 2}
    assert result.test_odor.values[:, 1].tolist() == [["pentyl acetate", "3-octanol"], ["3-octanol", "pentyl acetate"]]
    assert result.after_s.values.tolist() == [[0.0, 16.0]] * 2
    assert not result.learned.isel(test=0).any()
    after = result.learned.isel(test=1)
    assert (after.sel(role="first") > 0.02).all()
    assert (result.gain.isel(test=1).sel(role="first") > 0).all()
    assert json.loads(result.odors.item()) == {"CS": "pentyl acetate", "UCS": "3-octanol"}
    assert result.mirrors.values.tolist() == ["", "first"]


def test_two_that_mirror_each_other_have_a_mean(result: xarray.Dataset, tmp_path: Path) -> None:
    """In which a side and an odor that larvae prefer anyway cancel; naive larvae are the same in both."""
    rows = compare_tests(result)
    assert [(row["condition"], row["test"]) for row in rows] == [
        (name, test) for name in ("first", "second", "first and second") for test in (0, 1)
    ]
    mean = conditions_of(result)["first and second"]
    np.testing.assert_array_equal(mean.preference_mean.isel(test=0), 0.0)
    first, second, both = (row for row in rows if row["test"] == 1)
    assert both["preference"] == pytest.approx((first["preference"] + second["preference"]) / 2)
    assert first["since_before"] == pytest.approx(first["preference"] - rows[0]["preference"])
    assert rows[0]["since_before"] is None
    save_figure(training_figure(result), tmp_path / "training.png")
    assert (tmp_path / "training.png").stat().st_size > 10_000


def test_larvae_that_live_through_a_test_go_on_learning() -> None:
    """A test without food takes away what was learned; copies stay as they are. Punishment teaches the opposite."""
    text = "+ = punishment 1: A+ 12s, ?A, live A 40s, ?A"
    found = train(text, groups=1, memory={"probe_every_s": 1.0, "parameters": "balanced"}, **TINY)
    learned = found.learned.isel(condition=0, group=0).sel(role="first").values
    assert found.lived.values.tolist() == [[False, True, False]]
    assert (learned < 0).all()
    assert learned[1] == learned[2] > learned[0]
    assert found["memory.reinforcement"].item() == "punishment"
    assert np.isnan(found.learned.sel(role="other")).all()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"design": "A+ 60s, B 60s | ?AB", "bindings": True}, "a test in the dish must be of one odor on a side"),
        ({"design": "{silence DANp: A+ 60s} | ?A"}, "nothing is done to single cells"),
        ({"memory": {"odors": {"CS": "anisole"}}}, "memory must leave odors to the design"),
        ({"memory": {"reinforcement": "punishment"}}, "memory must leave reinforcement to the design"),
        ({"design": "+ = punishment 1: A+ 60s, ?A", "model": "forager_RL"}, "must be reward 1, got punishment 1"),
        ({"model": "forager"}, "model must be one with a memory"),
        ({"model": "nosuch"}, "model must be one that Larvaworld has stored"),
        ({"groups": 0}, "groups must be"),
        ({"larvae": 0}, "larvae must be"),
        ({"test_min": 0.0}, "test_min must be above 0"),
        ({"memory": 7}, "memory must be a mapping"),
        ({"memory": {"G": "much"}}, "G"),
        ({"jobs": 0}, "jobs must be"),
        ({"keep_in": 7}, "keep_in must be"),
        ({"design": 7}, "design must be"),
    ],
)
def test_nonsense_is_refused(arguments: dict[str, Any], sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is simulated."""
    monkeypatch.setattr(experiment, "carry_out", lambda *_, **__: pytest.fail("it began"))
    how = {"design": "A+ 60s, ?A", "groups": 1, **TINY, **arguments}
    if how.pop("bindings", False):
        how["design"] = Design.read(how["design"], bindings={"B": "anisole"})
    with pytest.raises(InputError, match=sentence):
        train(**how)


def test_the_command_writes_what_it_says(tmp_path: Path) -> None:
    """A table or JSON, a result and a figure; what a dish cannot have is refused before there is a folder."""
    asked = ["larvaworld", "train", "A+ 2s | ?A, ?B", "--odor", "B=3-octanol", "--model", "forager_RL", "--groups", "2"]
    asked += ["--larvae", "1", "--test", "0.05", "--keep-in", str(tmp_path / "kept"), "--out", str(tmp_path / "a")]
    done = CliRunner().invoke(main, [*asked, "--json"], catch_exceptions=False)
    (row,) = json.loads(done.stdout)["tests"]
    assert (row["odor"], row["other"], row["after_s"]) == ("pentyl acetate", "3-octanol", 2.0)
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"training.nc", "training.png"}
    table = CliRunner().invoke(main, [*asked, "--overwrite"], catch_exceptions=False).stdout
    assert f"{row['preference']:+.2f}" in table
    assert f"{row['head_casts_hz'][0]:.2f}, {row['head_casts_hz'][1]:.2f}" in table
    assert "for the first odor of each test" in table
    refused = CliRunner().invoke(main, ["larvaworld", "train", "A+ 2s | ?A 5s", "--out", str(tmp_path / "b")])
    assert refused.exit_code == 2
    assert "got '?A 5s' in larvae" in refused.output
    assert not (tmp_path / "b").exists()
