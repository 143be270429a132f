"""Odors of one's own in the host: what a larva smells is their responses, whatever they are called."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from kenyon.cli import main
from kenyon.errors import InputError, MismatchError
from kenyon.larvaworld_plugin import register, run, unregister
from kenyon.larvaworld_plugin.experiment import save_memories
from kenyon.larvaworld_plugin.registration import Settings
from kenyon.mushroom_body import Odor, odors

SHORT: dict[str, Any] = {"larvae": 2, "minutes": 0.1, "show_progress": False}
ANISOLE = odors.find("anisole")
OWN = Odor("my anisole", ANISOLE.responses, ANISOLE.concentrations)


@pytest.fixture(autouse=True)
def nothing_stays_registered() -> Iterator[None]:
    """Every test begins and ends with the host's own classes."""
    unregister()
    yield
    unregister()


def test_a_run_is_that_of_the_measured_odor_with_its_contents(tmp_path: Path) -> None:
    """The same numbers and the same id; the result says all of the odor, and memories know which one they learned."""
    outcomes = [run("PItrain_mini", memory={"odors": {"CS": odor}}, **SHORT) for odor in ("anisole", OWN)]
    measured, own = (outcome.dataset for outcome in outcomes)
    for name in ("gain", "x", "y", "learned"):
        assert np.array_equal(measured[name].values, own[name].values, equal_nan=True)
    assert measured.run_id.item() == own.run_id.item()
    assert json.loads(own.odors.item())["CS"] == json.loads(own["memory.odors"].item())["CS"] == odors.plain(OWN)
    file = save_memories(tmp_path / "memories.npz", outcomes[1])
    again = run("PItrain_mini", memory={"odors": {"CS": OWN}}, memories=file, **SHORT)
    assert again.dataset.sizes["larva"] == 2
    other = Odor("my anisole", odors.find("3-octanol").responses, ANISOLE.concentrations)
    with pytest.raises(MismatchError, match=rf"learned, my anisole \({OWN.id}\), got my anisole \({other.id}\)"):
        run("PItrain_mini", memory={"odors": {"CS": other}}, memories=file, **SHORT)


def test_an_odor_at_one_concentration_is_refused_before_the_run() -> None:
    """For larvae meet all."""
    with pytest.raises(InputError, match="'CS' must stand for an odor measured at several concentrations"):
        run("PItrain_mini", memory={"odors": {"CS": Odor("lonely", [1.0] * 21)}}, **SHORT)


def test_what_is_registered_can_be_told_another_process() -> None:
    """As JSON, from which the same odor is made."""
    settings = Settings(touch_odors={"touch_sensor_0": OWN}, options={"MB": {"odors": {"CS": OWN}}})
    told = json.loads(json.dumps(vars(settings)))
    assert told["options"]["MB"]["odors"]["CS"] == odors.plain(OWN)
    with register(**{**told, "options": told["options"]}):
        outcome = run("PItrain_mini", **SHORT)
    assert json.loads(outcome.dataset.odors.item())["CS"] == odors.plain(OWN)


def test_the_command_takes_a_file_of_them(tmp_path: Path) -> None:
    """By the name in the file; what cannot be read is said with its place."""
    file = tmp_path / "odors.csv"
    header = ["odor", "concentration", *odors.receptors()]
    rows = [(OWN.name, c, *row) for c, row in zip(OWN.concentrations, OWN.responses, strict=True)]
    lines = [",".join(str(cell) for cell in row).replace("nan", "") for row in (header, *rows)]
    file.write_text("\n".join(lines), "utf-8")
    out = tmp_path / "out"
    command = ["larvaworld", "run", "PItrain_mini", "--larvae", "2", "--minutes", "0.1", "--odors-file", str(file)]
    done = CliRunner().invoke(main, [*command, "--odor", "CS=my anisole", "--out", str(out)])
    assert done.exit_code == 0, done.output
    file.write_text(lines[0] + "\n1,2", "utf-8")
    refused = CliRunner().invoke(main, [*command, "--odor", "CS=my anisole", "--out", str(out), "--overwrite"])
    assert refused.exit_code == 1
    assert "line 2, must have 23 cells, as there are columns, got 2" in refused.output
