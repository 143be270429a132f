"""Scripts of a user's own, as the page on Larvaworld has them, typed and run beside the wheel."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from larvaworld.lib import reg

from kenyon.larvaworld_plugin import host, unregister

PAGE = (Path(__file__).parents[2] / "docs/how_to/larvaworld.md").read_text("utf-8")
_, _SECTION = PAGE.split("## In your own scripts\n")
SCRIPTS = dict(re.findall(r"\*\*([^*]+?)\.?\*\*[^*]*?```python\n(.*?)```", _SECTION.split("\n## ")[0], flags=re.DOTALL))
"""The scripts by the bold words before them."""

OURS = "  # Kenyon"

pytestmark = pytest.mark.skipif(not host.seeds_itself(), reason="runs of Larvaworld 2.4.0 take no seed")


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Every script runs in a new folder, and nothing is left registered or stored, as a genetic algorithm would."""
    monkeypatch.chdir(tmp_path)
    stored = dict(reg.conf.Model.dict)
    token = reg.config._REGISTRY_PERSISTENCE_SUSPENDED.set(True)
    yield
    reg.config._REGISTRY_PERSISTENCE_SUSPENDED.reset(token)
    for name in set(reg.conf.Model.dict) - set(stored):
        del reg.conf.Model.dict[name]
    unregister()


def typed(script: str, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str]:
    """Run a script; return its names, and what its last line has printed."""
    names: dict[str, Any] = {}
    exec(compile(script, "docs/how_to/larvaworld.md", "exec"), names)
    return names, capsys.readouterr().out


@pytest.mark.parametrize("title", SCRIPTS)
def test_kenyon_takes_four_lines_at_most(title: str) -> None:
    """And what is left without them is a script of Larvaworld's own, that knows nothing of ours."""
    lines = SCRIPTS[title].splitlines()
    assert 1 <= sum(line.endswith(OURS) for line in lines) <= 4
    without = [re.sub("with .*:", "if True:", line) if line.startswith("with") else line for line in lines]
    rest = ast.parse("\n".join(line for line in without if not line.endswith(OURS) or line.startswith("if True")))
    known = {name.id for name in ast.walk(rest) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}
    known |= {alias.name for node in ast.walk(rest) if isinstance(node, ast.ImportFrom) for alias in node.names}
    used = {name.id for name in ast.walk(rest) if isinstance(name, ast.Name)}
    assert "kenyon" not in ast.unparse(rest)
    assert used <= known | {"print"} | {"larva"}


def test_a_changed_model(capsys: pytest.CaptureFixture[str]) -> None:
    """Its larvae are those of the changed model, and have chosen gains."""
    names, said = typed(SCRIPTS["A changed model"], capsys)
    assert names["slow"].agents[0].brain.olfactor.decay_coef == 0.5
    assert reg.conf.Model.getID("forager_RL").brain.olfactor.decay_coef != 0.5
    assert "-300." in said
    assert names["seen"].outcome().dataset.larva.values.tolist() == [f"forager_RL_{number}" for number in range(3)]


def test_two_groups(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its own memory; the means by group are what is printed."""
    names, said = typed(SCRIPTS["Two groups"], capsys)
    dataset = names["seen"].outcome().dataset
    assert dataset.group.values.tolist() == ["RL"] * 2 + ["MB"] * 3
    assert dataset.memory.values.tolist() == ["RLOlfMemory"] * 2 + ["MushroomBodyMemory"] * 3
    assert "group" in said


def test_a_batch(capsys: pytest.CaptureFixture[str]) -> None:
    """A value at a time; and of several, where Larvaworld's own batch ends in an error, the first run is kept."""
    script = SCRIPTS["A batch"]
    names, said = typed(script, capsys)
    runs = names["runs"]
    sources = [seen.run.p.env_params.food_params.source_units for seen in runs]
    assert [source.CS_l.odor.intensity for source in sources] == [1.0, 4.0]
    assert len({seen.outcome().dataset.run_id.item() for seen in runs}) == 2
    assert len(ast.literal_eval(said.strip().splitlines()[-1])) == 2
    together = (
        script.replace("(1.0, 4.0)", "[(1.0, 4.0)]").replace("[strength]", "strength").replace("batch {", "more {")
    )
    known: dict[str, Any] = {}
    with pytest.raises(AssertionError):
        exec(compile(together, "docs/how_to/larvaworld.md", "exec"), known)
    (kept,) = known["runs"]
    assert kept.outcome().dataset.complete.item()
    assert kept.outcome().dataset.sizes["time"] == 6


def test_from_training_into_a_test(capsys: pytest.CaptureFixture[str]) -> None:
    """What was learned is followed, and stays as it was."""
    names, said = typed(SCRIPTS["From training into a test"], capsys)
    trained, tested = ([larva.brain.modalities["olfaction"]["mem"] for larva in names[run].agents]
                       for run in ("training", "test"))  # fmt: skip
    assert [memory.probe() for memory in tested] == [memory.probe(memory.stimuli) for memory in trained]
    assert all(memory.frozen for memory in tested)
    assert "CS" in said


def test_a_genetic_algorithm(capsys: pytest.CaptureFixture[str]) -> None:
    """Two generations of larvae that differ in their turners, each seen from its first tick to its last."""
    names, _ = typed(SCRIPTS["A genetic algorithm"], capsys)
    outcomes = names["seen"].outcomes()
    assert [outcome.dataset.sizes["larva"] for outcome in outcomes] == [6, 6]
    assert [float(outcome.dataset.time[-1]) for outcome in outcomes] == [6.0, 6.0]
    assert outcomes[0].dataset.run_id.item() != outcomes[1].dataset.run_id.item()
    assert all(outcome.dataset.memory.item() == "RLOlfMemory" for outcome in outcomes)
    assert all((outcome.dataset.gain.isel(time=-1) != 0).all() for outcome in outcomes)
