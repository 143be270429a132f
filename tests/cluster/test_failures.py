"""Killed workers, a restarted scheduler, a full disk: nothing lost or twice, nothing stored computed again.

Scheduler, workers and the command are processes of their own, started by the commands of the guide.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path

import pytest

from kenyon.conditioning.sweeps import Store
from tests.cluster import sweeps
from tests.cluster.guide import block, command
from tests.cluster.processes import Typed, typed, wait_until


class Folder:
    """A folder in which the guide is followed, with the parts of its store.

    Args:
        path: The folder.
        points: How many the sweep has.
    """

    def __init__(self, path: Path, points: int) -> None:
        self.path, self.points = path, points
        sweeps.written(path, points)

    def has(self, share: float) -> bool:
        """Whether at least a share of the points is stored."""
        return len(Store(self.path / "doses/store").ids()) >= share * self.points

    def stored(self) -> list[str]:
        """Return the points of all parts; one that was stored twice stands there twice."""
        return list(chain.from_iterable(self._parts()))

    def _parts(self) -> Iterator[set[str]]:
        for number, part in enumerate((self.path / "doses/store").glob("*.npz")):
            alone = self.path / "alone" / f"{number}-{part.stem}"
            alone.mkdir(parents=True, exist_ok=True)
            (alone / part.name).write_bytes(part.read_bytes())
            yield Store(alone).ids()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Give the folder of the sweep, on a small disk of its own."""
    place = tmp_path / "doses"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk: Path) -> Path:
    """Fill a disk to its last byte; return the file that does it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return filler


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small disk")
def test_a_killed_worker_a_restarted_scheduler_and_a_full_disk(tmp_path: Path, disk: Path) -> None:
    """Of 2,000 points over two workers each is computed and stored once, equal to the loop's to the last bit."""
    folder = Folder(tmp_path, 2000)
    run, worker = command("sweep run", "--scheduler"), command("dask worker")
    with ExitStack() as going:
        scheduler, one, other = (
            going.enter_context(Typed(said, tmp_path)) for said in (command("dask scheduler"), worker, worker)
        )
        first = going.enter_context(Typed(run, tmp_path))
        wait_until(lambda: folder.has(0.2))
        one.kill()
        going.enter_context(Typed(worker, tmp_path))
        wait_until(lambda: folder.has(0.5))
        scheduler.kill()
        assert first.status() == 1
        assert "the scheduler must live until the sweep is done" in first.said
        assert "Traceback" not in first.said
        wait_until(lambda: not other.runs, 120)  # Without a scheduler it has nothing to do.
        (tmp_path / "scheduler.json").unlink()
    assert not folder.has(1.0)
    filler = fill(disk)
    with ExitStack() as going:
        for said in (command("dask scheduler"), worker, worker):
            going.enter_context(Typed(said, tmp_path))
        status, said = typed(run, tmp_path)
        assert status == 1, said
        assert "make room" in said
        assert "Traceback" not in said
        filler.unlink()
        before = folder.stored()
        assert len(before) == len(set(before)) < folder.points
        status, said = typed(run, tmp_path)
        assert status == 0, said
    stored = folder.stored()
    assert len(stored) == len(set(stored)) == folder.points
    sweeps.check(tmp_path, folder.points)


@pytest.mark.long
def test_shards_of_which_one_is_killed(tmp_path: Path) -> None:
    """Each computes its own points; the killed one is begun again, and the array once more, which finds all done."""
    points = 2000
    folder = Folder(tmp_path, points)
    line = block("slurm", "--array").strip().splitlines()[-1].replace("$SLURM_CPUS_PER_TASK", "1")
    line = line.replace("$SLURM_ARRAY_TASK_COUNT", "2")
    shards = [line.replace("$SLURM_ARRAY_TASK_ID", number) for number in "12"]
    with Typed(shards[0], tmp_path) as one, Typed(shards[1], tmp_path) as other:
        wait_until(lambda: folder.has(0.1))
        one.kill()
        assert other.status() == 0, other.said
    before = folder.stored()
    assert len(before) == len(set(before))
    for shard in shards:
        status, said = typed(shard, tmp_path)
        assert status == 0, said
    stored = folder.stored()
    assert len(stored) == len(set(stored)) == points
    sweeps.check(tmp_path, points)
