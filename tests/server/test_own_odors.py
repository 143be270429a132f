"""Odors of one's own on a server: the same numbers as in process, kept with the larvae, and never taken for others."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kenyon.errors import InputError, MismatchError, RefusedError
from kenyon.memory import MushroomBodyMemory, RemoteBrianModelMemory
from kenyon.mushroom_body import Odor, Population, Snapshot, odors
from kenyon.seeds import larva_seed
from kenyon.server import Settings
from kenyon.wire import Message
from tests.server.running import Here, Running, kenyon, step

MINE = Odor("mine", {0.01: [0.1] * 21, 1.0: [0.5 * (i % 7) for i in range(21)]})
LONELY = Odor("lonely", [2.0] * 10 + [0.0] * 11)
OWN = (MINE, LONELY)


@pytest.fixture(scope="module")
def server() -> Iterator[Here]:
    """Return a server that has two odors besides the measured ones."""
    with Here(own_odors=OWN, odors=("anisole", "lonely")) as own:
        yield own


def table(path: Path, *own: Odor) -> str:
    """Return a file that has odors."""
    rows = [
        ",".join(map(str, (odor.name, c, *row)))
        for odor in own
        for c, row in zip(odor.concentrations, odor.responses, strict=True)
    ]
    path.write_text("\n".join([",".join(["odor", "concentration", *odors.receptors()]), *rows]), "utf-8")
    return str(path)


def ask(number: int, **changes: Any) -> Message:
    """Return a step with an odor of one's own beside a measured one, and a probe of both."""
    both = {"mine": 0.1 + number % 3 / 3, "anisole": 0.2}
    return step("run", 0, number, odors=both, probe=["mine", "anisole"], probe_ms=20, **changes)


def test_a_step_and_a_probe_are_what_the_library_does(server: Here) -> None:
    """To the last bit; by name, and by its place in the server's list."""
    larva = Population(seeds=[larva_seed(0, "run", 0)])
    larva.advance(10)
    for number in range(4):
        larva.stimulate({MINE: 0.1 + number % 3 / 3, "anisole": 0.2}, reward=number % 2)
        rate_hz = larva.advance(20).rate_hz("KC")[0]
        reply = server.ask(ask(number))[0]
        assert reply["KC_rate"] == rate_hz
        assert reply["probes"]["mine"]["MBONp"] == larva.probe(MINE, 20).rate_hz("MBONp")[0]
    replies = server.ask(
        *(step("place", number, 0, odor_id=1, odor_concentration=1.0) for number in range(2)),
        *(step("place", number, 0, odors={"lonely": 1.0}) for number in range(2, 4)),
    )
    assert all("error" not in reply for reply in replies)


def test_a_remote_memory_is_the_one_in_process(server: Here) -> None:
    """Where it has the odors that the server has; its own name for an odor of other responses is refused."""
    options: dict[str, Any] = {"gain": {"a": 0.0}, "readout": "probe", "probe_every_s": 0.2, "probe_ms": 50, "seed": 3}
    where: dict[str, Any] = {"server_host": "127.0.0.1", "server_port": server.address.port, "sim_id": "twin"}
    given: dict[str, Any] = {"odors": {"a": MINE}, **options}
    here = MushroomBodyMemory(sim_id="twin", model_id=0, **{**given, "gain": {"a": 0.0}})
    there = RemoteBrianModelMemory(model_id=0, **where, **{**given, "gain": {"a": 0.0}})
    for number in range(6):
        gains = [dict(one.step(dx={"a": number / 6}, reward=True)) for one in (here, there)]
        assert gains[0] == gains[1]
    assert here.probe(probe_ms=50) == there.probe(probe_ms=50)
    other = RemoteBrianModelMemory(model_id=1, odors={"a": Odor("mine", [1.0] * 21)}, **where, **options)
    with pytest.raises(RefusedError, match="own odor 'mine' must be one that this server has") as refused:
        other.step(dx={"a": 1.0})
    assert refused.value.code == "odor"
    assert there.step(dx={"a": 1.0}) == here.step(dx={"a": 1.0})


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        ({"odors": {"lonely": 0.5}}, "field", "concentration of lonely must be 1, where alone it was measured"),
        ({"probe": ["lonely"], "probe_concentration": 2.0}, "field", "concentration of lonely must be 1"),
        ({"odors": {"minee": 0.5}}, "odor", "unknown odor 'minee'; did you mean 'mine'?"),
        ({"odors": {"Mine": 0.5}}, "odor", "unknown odor 'Mine'; did you mean 'mine'?"),
        ({"probe": ["mine", "mine"]}, "field", "probe must name each odor once, got mine, mine"),
        ({"own_odors": ["mine"]}, "field", "own_odors must be ids of odors by name"),
        ({"own_odors": {"yours": "0"}}, "odor", "own odor 'yours' must be one that this server has, none, got '0'"),
        ({"own_odors": {"mine": 5}}, "odor", f"own odor 'mine' must be one that this server has, {MINE.id}, got 5"),
        ({"odor_id": 2, "odor_concentration": 1.0}, "odor", "odor_id must be a place in the server's list (0 anis"),
    ],
)  # fmt: skip
def test_what_cannot_be_smelled_is_refused(server: Here, changes: dict[str, Any], code: str, sentence: str) -> None:
    """In one sentence with its code; the larva goes on."""
    (reply,) = server.ask(step("refused", "larva", 0, **changes))
    assert reply["error_code"] == code
    assert reply["error"].startswith(sentence)
    assert "MBONp" in server.ask(step("refused", "larva", 0))[0]


def test_a_mixture_that_is_too_strong_is_refused() -> None:
    """Before it comes to the kernel, which could not count its ticks."""
    strong = [Odor(name, [150.0] * 21) for name in ("a", "b")]
    with Here(own_odors=strong) as server:
        (reply,) = server.ask(step("run", 0, 0, odors={"a": 1.0, "b": 1.0}))
        assert "must drive each channel at 100000 Hz at most" in reply["error"]


def test_a_killed_server_goes_on_with_them(tmp_path: Path) -> None:
    """Steps since the last snapshot are lived through again, also for an export while no server runs."""
    file = table(tmp_path / "odors.csv", *OWN)
    with Here(tmp_path / "calm", own_odors=OWN) as calm:
        want = [calm.ask(ask(number))[0] for number in range(6)]
        exported = calm.ask(Message("run", 0, 6, {"op": "export"}))[0]["snapshot"]
    with Running(tmp_path / "fallen", "--odors-file", file) as server:
        assert [server.ask(ask(number))[0] for number in range(3)] == want[:3]
        server.kill()
        server.start()
        assert server.ask(ask(2))[0] == want[2]
        assert [server.ask(ask(number))[0] for number in range(3, 6)] == want[3:]
        server.kill()
    folder = str(tmp_path / "fallen")
    told = kenyon("sessions", "export", "run", "0", "--state-dir", folder, "--out", str(tmp_path / "larva.npz"))
    assert told.returncode == 0, told.stderr
    expected = Snapshot.from_bytes("it", base64.b64decode(exported))
    assert (Snapshot.load(tmp_path / "larva.npz").state.records == expected.state.records).all()
    shown = kenyon("sessions", "show", "run", "0", "--state-dir", folder)
    assert '"mine": 0.' in shown.stdout


def test_a_server_started_with_others_refuses_and_names_them(tmp_path: Path) -> None:
    """None, other responses of the same name; the same in another order and file are the same."""
    with Here(tmp_path, own_odors=OWN) as server:
        server.ask(ask(0))
        assert server.ask(Message("run", 0, 0, {"op": "ping"}))[0]["own_odors"] == {
            "mine": MINE.id,
            "lonely": LONELY.id,
        }
    began = rf"own_odors = lonely \({LONELY.id}\), mine \({MINE.id}\)"
    for others, got in (((), "None"), ((Odor("mine", [1.0] * 21),), r"mine \(")):
        with pytest.raises(MismatchError, match=rf"{began}, got {got}.*start with --odors-file with lonely"):
            Here(tmp_path, own_odors=others).__enter__()
    with Here(tmp_path, own_odors=OWN[::-1]) as server:
        assert "MBONp" in server.ask(ask(1))[0]
    with Here(tmp_path / "plain") as server:
        assert "own_odors" not in server.ask(Message("run", 0, 0, {"op": "ping"}))[0]
    with pytest.raises(MismatchError, match=r"own_odors = None, got mine .*; start with no --odors-file"):
        Here(tmp_path / "plain", own_odors=(MINE,)).__enter__()


def test_settings_that_are_none_are_refused() -> None:
    """In one sentence."""
    with pytest.raises(InputError, match="own_odors must have a name each, got mine, mine"):
        Settings(own_odors=(MINE, Odor("mine", [1.0] * 21)))
    with pytest.raises(InputError, match="each of own_odors must be a Odor, got 'anisole'"):
        Settings(own_odors=("anisole",))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="unknown odor 'yours'"):
        Settings(own_odors=OWN, odors=("mine", "yours"))


def test_a_file_that_cannot_be_read_is_said_with_its_place(tmp_path: Path) -> None:
    """Before the server listens."""
    path = tmp_path / "odors.csv"
    path.write_text(table(path, MINE) and path.read_text("utf-8").replace("0.1", "much", 1), "utf-8")
    told = kenyon("serve", "--odors-file", str(path), "--state-dir", ":memory:")
    assert told.returncode == 1
    assert "line 2, column 3 (" in told.stderr
    assert "must be a finite number, got 'much'" in told.stderr


def test_ids_are_of_contents_alone() -> None:
    """Whatever an odor is called; every number counts."""
    assert MINE.id == Odor("yours", MINE.responses, MINE.concentrations).id
    assert (
        odors.find("anisole").id == Odor("x", odors.find("anisole").responses, odors.find("anisole").concentrations).id
    )
    rows = np.array(MINE.responses)
    rows[1, 20] += 1e-9
    assert Odor("mine", rows, MINE.concentrations).id != MINE.id
