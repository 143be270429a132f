"""Sweeps computed by the workers of dask: processes of their own, one of which is killed, or has another version."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kenyon.conditioning.sweeps import Store, run_sweep
from kenyon.conditioning.sweeps import tasks as tasks_module
from kenyon.conditioning.sweeps.cluster import connected
from kenyon.errors import InputError, MismatchError, NoAnswerError
from kenyon.provenance import NUMBERS_VERSION
from tests.conditioning.sweeps.asked import asked, assert_same, plain_loop

distributed = pytest.importorskip("distributed", reason="needs dask.distributed, which comes with the extra sweep")

# Its event loops and sockets go when Python finds time for that.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """A client of two workers on this machine, each a process with one thread."""
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        connected(cluster.scheduler_address) as client,
    ):
        yield client


def test_workers_give_the_numbers_of_a_plain_loop(client: Any, tmp_path: Path) -> None:
    """Bit by bit, also where one of them is killed meanwhile."""
    killer = threading.Thread(target=_kill, args=[tmp_path / "store", client.run(os.getpid)])
    killer.start()
    found = run_sweep(asked(), tmp_path, client, show_progress=False)
    killer.join()
    assert found.complete
    assert_same(tmp_path / "store", plain_loop())


def test_workers_of_another_version_are_refused(client: Any, tmp_path: Path) -> None:
    """Before anything is computed; the sentence says what is other, and where."""
    try:
        client.run(_pretend, 99)
        with pytest.raises(MismatchError, match=r"but tcp://\S+ has numbers 99 instead of"):
            run_sweep(asked(), tmp_path, client, show_progress=False)
    finally:
        client.run(_pretend, NUMBERS_VERSION)


def test_a_scheduler_is_found_by_its_file(client: Any, tmp_path: Path) -> None:
    """Which may come a moment later, where scheduler and sweep are started at once."""
    file = tmp_path / "scheduler.json"
    writing = threading.Timer(0.3, client.write_scheduler_file, [str(file)])
    writing.start()
    with connected(str(file)) as found:
        assert found.scheduler_info()["address"] == client.scheduler_info()["address"]
    writing.join()


def test_a_scheduler_that_does_not_answer_is_said() -> None:
    """In a sentence, soon."""
    with (
        pytest.raises(NoAnswerError, match=r"a scheduler must answer at tcp://127\.0\.0\.1:9"),
        connected("tcp://127.0.0.1:9", timeout_s=0.5),
    ):
        pass


@pytest.mark.parametrize("address", ["", 7, "nowhere", "tcp://", "no/such/file.json"])
def test_what_is_no_address_is_refused(address: object) -> None:
    """In a sentence."""
    with pytest.raises((InputError, NoAnswerError)), connected(address, timeout_s=0.5):  # type: ignore[arg-type]
        pass


def _pretend(version: int) -> None:
    vars(tasks_module)["NUMBERS_VERSION"] = version


def _kill(store: Path, workers: dict[str, int]) -> None:
    """Kill one of the workers once something is stored."""
    until = time.monotonic() + 300
    while time.monotonic() < until and not Store(store).ids():
        time.sleep(0.01)
    os.kill(next(iter(workers.values())), signal.SIGKILL)
