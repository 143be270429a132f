"""The commands of the guide "From a laptop to a cluster", typed as they stand there."""

from pathlib import Path
from typing import Any

import pytest

from kenyon.conditioning import load
from kenyon.conditioning.sweeps import Sweep
from tests.cluster import sweeps
from tests.cluster.guide import REPOSITORY, block, command, commands
from tests.cluster.processes import Typed, typed

POINTS = 40


def test_a_scheduler_and_two_workers_as_processes_of_their_own(tmp_path: Path) -> None:
    """What they compute is what the plain loop gives, to the last bit; the guide counts and collects it, too."""
    sweeps.written(tmp_path, POINTS)
    worker = command("dask worker")
    with Typed(command("dask scheduler"), tmp_path), Typed(worker, tmp_path), Typed(worker, tmp_path):
        status, said = typed(command("sweep run", "--scheduler"), tmp_path)
    assert status == 0, said
    sweeps.check(tmp_path, POINTS)
    status, said = typed(command("sweep status"), tmp_path)
    assert status == 0, said
    assert f"{POINTS} of {POINTS} points done" in said
    status, said = typed(command("sweep collect"), tmp_path)
    assert status == 0, said
    collected = load(tmp_path / "doses.nc")
    assert collected.sizes["seed"] == POINTS
    assert collected["done"].all()


def test_the_plan_of_the_guide_is_the_example() -> None:
    """The file says what the page says, and so does Python."""
    plan = Sweep.load(REPOSITORY / "examples/doses.toml")
    assert block("toml", "dose") in (REPOSITORY / "examples/doses.toml").read_text("utf-8")
    lines = block("python", "Sweep.grid").splitlines()
    said: dict[str, Any] = {}
    exec("\n".join(["made = (", *lines[2:], ")"]), {"Sweep": Sweep}, said)
    assert said["made"] == plan
    assert len(plan) == 240


@pytest.mark.long
def test_on_a_laptop_and_with_a_cluster_of_dask_on_it(tmp_path: Path) -> None:
    """The first command of the guide, and the script beside it, which finds half of the points done."""
    sweeps.written(tmp_path, POINTS // 2)
    status, said = typed(commands()[0], tmp_path)
    assert status == 0, said
    sweeps.written(tmp_path, POINTS)
    (tmp_path / "sweep.py").write_text(block("python", "LocalCluster"), "utf-8")
    status, said = typed("python sweep.py", tmp_path)
    assert status == 0, said
    assert f"{POINTS} of {POINTS} points done" in said
    sweeps.check(tmp_path, POINTS)
