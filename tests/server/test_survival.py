"""A server that is killed, stopped, restarted, or loses its disk: nothing answered is lost, nothing is doubled."""

import base64
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest
from click.testing import CliRunner, Result

from kenyon.cli import main
from kenyon.errors import MismatchError, StorageError
from kenyon.mushroom_body import PUBLISHED, Snapshot
from kenyon.mushroom_body.parameters import DEFAULT_NAME
from kenyon.server import journal, journal_file
from kenyon.server.journal_file import FORMAT, open_file, read_about, write_about
from kenyon.server.journal_reader import JournalReader
from kenyon.server.life import RENEW_AFTER_STEPS
from kenyon.wire import Message
from tests.server.running import KENYON, Here, NotStartedError, Running, step, wait_until


def live(server: Running | Here, larva: int, steps: range) -> list[dict[str, Any]]:
    """Return the replies to a larva's steps; whoever asks tries again until there is one."""
    return [server.ask(step("run", larva, number))[0] for number in steps]


def sessions(*arguments: str) -> Result:
    """Return what `kenyon sessions` does, in this process."""
    return CliRunner().invoke(main, ["sessions", *arguments])


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.long)])
def test_kills_at_random_moments_lose_nothing_and_double_nothing(tmp_path: Path, kills: int) -> None:
    """Clients that ask again until they are answered get what they would have got from a server that never fell."""
    larvae, steps = range(6), 3 * kills
    with Here(tmp_path / "calm") as calm:
        want = {larva: live(calm, larva, range(steps)) for larva in larvae}
    chance = random.Random(1)
    got: dict[int, list[dict[str, Any]]] = {larva: [] for larva in larvae}
    failed: list[BaseException] = []
    with Running(tmp_path / "fallen") as server:
        kills_left = kills
        # An answer may take as long as all the starts together, however slow they are here.
        patience_s = 60 + 3 * kills * server.start_s

        def client(larva: int) -> None:
            try:
                for number in range(steps):
                    # Slow enough that every kill meets clients in mid-run.
                    while kills_left > kills * (1 - number / steps):
                        time.sleep(0.002)
                    got[larva].append(server.ask(step("run", larva, number), timeout_s=patience_s)[0])
            except BaseException as error:
                failed.append(error)
                raise

        threads = [threading.Thread(target=client, args=(larva,)) for larva in larvae]
        for thread in threads:
            thread.start()
        while kills_left:
            time.sleep(chance.uniform(0.0, server.start_s / 10))
            server.kill()
            kills_left -= 1
            server.start()
        for thread in threads:
            thread.join()
        assert not failed
        assert got == want
        # And the journal counts every step once.
        with closing(JournalReader(tmp_path / "fallen")) as reading:
            rows = reading.rows()
        assert sorted((row.model_id, row.steps) for row in rows) == [(larva, steps) for larva in larvae]


def test_a_step_asked_again_after_a_kill_has_the_same_reply(tmp_path: Path) -> None:
    """The last one too, whether a snapshot was just renewed or not; and step 0."""
    with Running(tmp_path) as server:
        lengths = (1, 2, RENEW_AFTER_STEPS - 1, RENEW_AFTER_STEPS, RENEW_AFTER_STEPS + 1)
        before = [live(server, larva, range(steps)) for larva, steps in enumerate(lengths)]
        server.kill()
        server.start()
        for larva, steps in enumerate(lengths):
            assert live(server, larva, range(steps - 1, steps)) == before[larva][-1:]
            assert server.ask(step("run", larva, steps - 1, reward=0.5))[0].get("error_code") in (
                {None} if steps == 1 else {"step"}
            )


def test_the_larva_put_aside_by_a_step_0_survives_a_kill(tmp_path: Path) -> None:
    """It goes on, until the new one has."""
    with Here(tmp_path / "calm") as calm:
        want = live(calm, 0, range(6))
    with Running(tmp_path / "fallen") as server:
        live(server, 0, range(5))
        server.ask(step("run", 0, 0, T=40))
        server.kill()
        server.start()
        assert live(server, 0, range(5, 6)) == want[5:]
        server.ask(step("run", 0, 0, T=40))
        server.ask(step("run", 0, 1, T=40))
        server.kill()
        server.start()
        assert server.ask(step("run", 0, 6))[0]["expected_step"] == 2


@pytest.mark.parametrize("word", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_server_finishes_what_is_running_and_keeps_every_larva(tmp_path: Path, word: int) -> None:
    """The step under way is answered; afterward every larva stands in one file at its last step, nothing to replay."""
    with Running(tmp_path, "--metrics-port", "0") as server:
        metrics = f"http://127.0.0.1:{server.metrics_port}/metrics"
        live(server, 0, range(3))
        replies: list[dict[str, Any]] = []
        asking = threading.Thread(target=lambda: replies.extend(server.ask(step("run", 0, 3, T=60_000))))
        asking.start()
        wait_until(lambda: "kenyon_queue 1.0" in read(metrics) or replies)
        assert server.stop(word) == 0
        asking.join(60)
        assert "MBONp" in replies[0]
        assert server.lines[-1] == "Stopped after 4 steps."
        assert not (tmp_path / "larvae.sqlite-wal").exists()
        with closing(JournalReader(tmp_path)) as reading:
            kept, _ = reading.find(("run", 0))
        assert kept is not None
        assert (kept.next_step, kept.replay) == (4, ())
        server.start()
        assert server.ask(step("run", 0, 3, T=60_000)) == replies


def test_idle_larvae_leave_memory_and_come_back(tmp_path: Path) -> None:
    """On demand, as they were; meanwhile memory holds none of them."""
    with Here(tmp_path / "awake") as calm:
        want = live(calm, 0, range(4))
    with Running(tmp_path / "asleep", "--larva-idle-s", "0.1", "--metrics-port", "0") as server:
        metrics = f"http://127.0.0.1:{server.metrics_port}/metrics"
        got = []
        for number in range(4):
            got += live(server, 0, range(number, number + 1))
            wait_until(lambda: "kenyon_larvae_awake 0.0" in read(metrics))
        assert got == want
        assert "kenyon_larvae 1.0" in read(metrics)


def read(url: str) -> str:
    """Return a page."""
    with urlopen(url, timeout=10) as page:
        text: str = page.read().decode()
    return text


def test_what_larvae_take_on_disk_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many steps they do: snapshots, the inputs since, and as many again that wait to be deleted."""
    monkeypatch.setattr(journal, "_TIDY_AFTER", 1000)  # a tenth of what it is, so that a tenth of the steps will do
    with Here(tmp_path) as server:
        for number in range(0, 300, 100):
            for larva in range(10):
                server.ask(*(step("run", larva, own, T=0.1) for own in range(number, number + 100)))
    with closing(sqlite3.connect(tmp_path / "larvae.sqlite")) as db:
        assert db.execute("SELECT count(*) FROM lives").fetchone() == (10,)
        assert db.execute("SELECT count(*) FROM inputs").fetchone()[0] <= 1000 + 2 * 10 * RENEW_AFTER_STEPS


def test_a_server_started_with_others_refuses_and_names_the_difference(tmp_path: Path) -> None:
    """Parameters, odors, scale, seed, version; the engine may change."""
    with Here(tmp_path) as server:
        live(server, 0, range(1))
    others: list[tuple[dict[str, Any], str]] = [
        ({"parameters": PUBLISHED}, f'parameters = "{DEFAULT_NAME}", got "published"'),
        ({"odors": ("anisole",)}, "odors = "),
        ({"concentration_scale": 300.0}, "concentration_scale = 1.0, got 300.0"),
    ]
    for changes, name in others:
        with (
            pytest.raises(MismatchError, match="must go on under what they began with") as refused,
            Here(tmp_path, **changes),
        ):
            pass
        assert name in str(refused.value)
    with pytest.raises(NotStartedError, match="seed = 0, got 1; start with --seed 0") as caught:
        Running(tmp_path, "--seed", "1")
    assert caught.value.status == 1
    with closing(open_file(str(tmp_path / "larvae.sqlite"))) as db:
        write_about(db, {**read_about(db, FORMAT), "kenyon": '"0.0.1"'})
    with pytest.raises(MismatchError, match=r'kenyon = "0\.0\.1", got'), Here(tmp_path):
        pass
    with Here(tmp_path, adopt=True) as server:
        assert "MBONp" in live(server, 0, range(1, 2))[0]
    with Here(tmp_path):
        pass


def test_a_folder_belongs_to_one_server(tmp_path: Path) -> None:
    """Until that is gone, killed or not, and whatever somebody deletes meanwhile: finding 10, `server.lock`."""
    with Running(tmp_path) as server:
        (tmp_path / "server.lock").unlink()
        with pytest.raises(StorageError, match="must belong to one server at a time"), Here(tmp_path):
            pass
        delete = ["sessions", "delete", "run", "--yes", "--state-dir", str(tmp_path)]
        assert CliRunner().invoke(main, delete).exit_code == 2
        live(server, 0, range(1))
        assert "one server at a time" in CliRunner().invoke(main, delete).output
        server.kill()
        with Here(tmp_path):
            pass


def test_nothing_is_kept_in_memory_alone() -> None:
    """By choice."""
    with Here(":memory:") as server:
        live(server, 0, range(60))
        assert "MBONp" in live(server, 0, range(60, 61))[0]
    with Here(":memory:") as server:
        assert server.ask(step("run", 0, 60))[0]["expected_step"] == 0
    assert not Path(":memory:").exists()


def test_only_the_owner_can_read_what_is_kept(tmp_path: Path) -> None:
    """Also where the folder was open before."""
    folder = tmp_path / "new" / "larvae"
    with Here(folder) as server:
        live(server, 0, range(2))
        assert folder.stat().st_mode & 0o077 == 0
        assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}


LIMITED = shutil.which("sh") is not None and hasattr(os, "fork")


@pytest.mark.skipif(not LIMITED, reason="this system cannot limit the size of a process's files")
def test_a_full_disk_is_refused_with_a_reason_and_damages_nothing(tmp_path: Path) -> None:
    """A real limit of the system: what was kept before is whole, and goes on once there is room."""
    # In units of 512 bytes: room for some steps, as every file of the process is held to it.
    limited = ("sh", "-c", 'ulimit -f 400 && exec "$@"', "sh")
    with Running(tmp_path / "larvae", prefix=limited) as server:
        done = 0
        while "error" not in (reply := server.ask(*(step("run", larva, done) for larva in range(40)))[-1]):
            done += 1
            assert done < 100
        assert reply["error_code"] == "storage"
        assert "must be writable and whole" in reply["error"]
        assert "nothing was done" in reply["error"]
        again = server.ask(*(step("run", larva, done) for larva in range(40)))
        assert {own.get("error_code") for own in again} <= {"storage", None}
        server.kill()
    with Here(tmp_path / "roomy") as calm:
        want = [
            calm.ask(*(step("run", larva, number) for larva in range(40))) for number in range(done + 2)
        ]  # the same larvae, undisturbed
    with Here(tmp_path / "larvae") as server:
        for number in range(done - 1, done + 2):
            for larva in range(40):
                (reply,) = server.ask(step("run", larva, number))
                if reply.get("error_code") == "step":  # it had got further before the disk was full
                    assert reply["expected_step"] > number
                else:
                    assert reply == want[number][larva]
        with closing(sqlite3.connect(tmp_path / "larvae" / "larvae.sqlite")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv, for root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    """With a reason, at the start and while it runs."""
    folder = tmp_path / "larvae"
    mortal = ("setpriv", "--inh-caps=-dac_override", "--bounding-set=-dac_override") if os.getuid() == 0 else ()
    with Here(folder) as server:
        live(server, 0, range(2))
    kept = (folder / "larvae.sqlite").read_bytes()
    folder.chmod(0o500)
    for path in folder.iterdir():
        path.chmod(0o400)
    try:
        with pytest.raises(NotStartedError, match=r"must be writable and whole, but: Permission denied") as caught:
            Running(folder, prefix=mortal)
        assert caught.value.status == 1
        assert "Traceback" not in str(caught.value)
    finally:
        folder.chmod(0o700)
        for path in folder.iterdir():
            path.chmod(0o600)
    assert (folder / "larvae.sqlite").read_bytes() == kept
    with Here(folder) as server:
        assert "MBONp" in live(server, 0, range(2, 3))[0]


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    """In one sentence, and left as it is."""
    (tmp_path / "larvae.sqlite").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StorageError, match="must be writable and whole, but: file is not a database"), Here(tmp_path):
        pass
    assert (tmp_path / "larvae.sqlite").read_bytes().startswith(b"something else")


def test_a_file_that_another_program_holds_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All who wait are told to ask again, and nothing is lost."""
    monkeypatch.setattr(journal_file, "_BUSY_MS", 200)  # a tenth of what it is
    with Here(tmp_path) as server:
        live(server, 0, range(2))
        with closing(sqlite3.connect(tmp_path / "larvae.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            replies = server.ask(*(step("run", larva, 0) for larva in range(1, 9)), step("run", 0, 2))
            assert {reply.get("error_code") for reply in replies} == {"busy"}
            assert all(reply["retry_after_s"] > 0 for reply in replies)
            other.execute("ROLLBACK")
        assert "MBONp" in live(server, 0, range(2, 3))[0]


def test_damaged_larvae_are_said_so_can_be_got_rid_of_and_the_others_live(tmp_path: Path) -> None:
    """By the server for each request, and by those who look; a step 0, a load and a delete go ahead."""
    where = ("--state-dir", str(tmp_path))
    with Running(tmp_path) as server:
        before = [live(server, larva, range(3)) for larva in range(5)]
        (exported,) = server.ask(Message("run", 4, 0, {"op": "export"}))
        server.kill()
        journal.Journal(tmp_path, None).close()  # From then on what it has left is there twice.
        with closing(sqlite3.connect(tmp_path / "larvae.sqlite")) as db, db:
            db.execute("DELETE FROM inputs WHERE id IN (SELECT max(id) FROM inputs GROUP BY life) AND life <= 3")
            db.execute("UPDATE lives SET seed = seed || '1' WHERE id = 4")
        server.start()
        for _ in range(2):
            for larva, words in enumerate(("a step is missing",) * 3 + ("its record has another checksum",)):
                for ask in (step("run", larva, 3), step("run", larva, 2), Message("run", larva, 0, {"op": "export"})):
                    (reply,) = server.ask(ask)
                    assert reply["error_code"] == "storage"
                    assert f"is damaged: {words}; begin it anew at step 0" in reply["error"]
        assert "MBONp" in live(server, 4, range(3, 4))[0]
        listed = sessions("list", *where)
        assert (listed.exit_code, listed.output.count(" damaged")) == (0, 4)
        checked = sessions("check", *where)
        assert checked.exit_code == 1
        assert "5 larvae, 4 damaged" in checked.output
        assert checked.output.count("is damaged: ") == 4
        for command in (("show", "run", "0"), ("export", "run", "0", "--out", str(tmp_path / "larva.npz"))):
            refused = sessions(*command, *where)
            assert refused.exit_code == 1
            assert refused.output.startswith("Error: larva 0 of 'run' must be as it was kept in")
            assert refused.output.count("\n") == 1
        assert live(server, 0, range(1)) == before[0][:1]
        assert server.ask(Message("run", 1, 9, {"op": "load", "snapshot": exported["snapshot"]})) == [
            {"expected_step": 9}
        ]
        assert server.ask(Message("run", 2, 0, {"op": "delete"})) == [{"deleted": 1}]
        assert server.ask(Message("run", 2, 0, {"op": "delete"})) == [{"deleted": 0}]
        assert server.stop() == 0
    assert sessions("delete", "run", "3", "--yes", *where).output == "Forgot 1 larva\n"
    checked = sessions("check", *where)
    assert (checked.exit_code, checked.output) == (0, "3 larvae, 0 damaged\n")


def test_sessions_can_be_looked_at_while_the_server_runs_and_deleted_after(tmp_path: Path) -> None:
    """`list`, `show`, `export`, `delete`."""
    where = ("--state-dir", str(tmp_path))

    with Here(tmp_path) as server:
        live(server, 0, range(3))
        server.ask(step("7", "Larva_0", 0))
        listed = sessions("list", *where)
        assert listed.exit_code == 0, listed.output
        assert "2 larvae" in listed.output
        assert '"7"' in listed.output
        shown = sessions("show", "run", "0", *where)
        assert "next step" in shown.output
        assert "None" not in shown.output
        asked = CliRunner().invoke(main, ["sessions", "delete", "run", *where], input="y\n")
        assert "must belong to one server at a time" in asked.output
        assert "for good?" not in asked.output  # for it could not be done
        file = tmp_path / "larva.npz"
        assert sessions("export", "run", "0", "--out", str(file), *where).exit_code == 0
        (over_the_wire,) = server.ask(Message("run", 0, 0, {"op": "load", "snapshot": encoded(file)}))
        assert over_the_wire == {"expected_step": 0}
        assert sessions("show", "run", "1", *where).exit_code == 2
    assert "Error: nobody must name a larva" in sessions("delete", "nobody", "--yes", *where).output
    assert sessions("delete", '"7"', "--yes", *where).output == "Forgot 1 larva\n"
    assert sessions("list", "--json", *where).output.count("sim_id") == 1
    assert "got no larvae.sqlite in it" in sessions("list", "--state-dir", str(tmp_path / "none")).output
    assert np.isfinite(Snapshot.load(file).state.w_kc_mbonn_nS).all()


def encoded(file: Path) -> str:
    """Return a file as text."""
    return base64.b64encode(file.read_bytes()).decode()


def test_a_larva_that_diverges_is_said_so_in_every_reply(tmp_path: Path) -> None:
    """Under the published set, which has no floor for weights; the others are not touched."""
    with Running(tmp_path, "--parameters", "published") as server:
        strong = {"T": 60_000, "reward": 1, "odors": {"pentyl acetate": 1.0}}
        for number in range(12):
            (reply,) = server.ask(step("strong", 0, number, **strong))
            if "diverged" in reply:
                break
        else:
            pytest.fail("no divergence: the sequence that the published set is known for has changed")
        server.kill()
        server.start()
        assert server.ask(step("strong", 0, number, **strong)) == [reply]
        (later,) = server.ask(step("strong", 0, number + 1))
        assert later["diverged"] is True
        assert "diverged" not in server.ask(step("calm", 0, 0))[0]


def test_a_server_whose_output_nobody_reads_stops_in_order(tmp_path: Path) -> None:
    """As when the terminal or the program that started it is gone."""
    command = [*KENYON, "serve", "--port", "0", "--state-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert "listens on" in process.stdout.readline()
        assert "Try it" in process.stdout.readline()
        process.stdout.close()
        process.terminate()
        assert process.wait(60) == 0
    assert not (tmp_path / "larvae.sqlite-wal").exists()
