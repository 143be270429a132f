"""The job array and the script of dask-jobqueue of the guide, under a SLURM of one node: `make test-slurm`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import sweeps
from tests.cluster.guide import block
from tests.cluster.one_node_slurm import missing, slurm, wait_for_jobs

pytestmark = pytest.mark.slurm

POINTS = 60


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder with a plan in which one is, on a node of SLURM."""
    assert not missing(), f"not on this machine: {', '.join(missing())}; apt install slurm-wlm munge"
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    sweeps.written(tmp_path / "here", POINTS)
    with slurm(tmp_path / "slurm"):
        yield tmp_path / "here"


def test_a_job_array_of_shards(folder: Path) -> None:
    """Sixteen jobs write into one folder; submitted again they find all done."""
    (folder / "sweep.sh").write_text(block("slurm", "--array"), "utf-8")
    for _ in range(2):
        subprocess.run(["sbatch", "sweep.sh"], check=True)
        wait_for_jobs()
        parts = sorted(folder.glob("doses/store/*"))
    assert len(parts) >= 16
    sweeps.check(folder, POINTS)


def test_workers_by_dask_jobqueue(folder: Path) -> None:
    """The workers are jobs of SLURM, with a lifetime; the script is the scheduler."""
    (folder / "sweep.py").write_text(block("python", "SLURMCluster"), "utf-8")
    done = subprocess.run([sys.executable, "sweep.py"], check=False, capture_output=True, text=True, timeout=600)
    assert f"{POINTS} of {POINTS} points done" in done.stdout, done.stderr
    sweeps.check(folder, POINTS)
