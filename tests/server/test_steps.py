"""Steps of a real server: the numbers are those of one larva alone, whoever asks, in whatever order."""

import base64
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kenyon.memory import MushroomBodyMemory, RemoteBrianModelMemory, checkpoint, step_together
from kenyon.mushroom_body import DEFAULT, Population, Snapshot, drive
from kenyon.seeds import larva_seed
from kenyon.wire import Message
from tests.server.running import Connection, Here, step

STEPS = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """A server that several tests share, each with a simulation of its own."""
    with Here(tmp_path_factory.mktemp("larvae")) as running:
        yield running


def alone(server: Here, sim_id: Any, model_id: Any, steps: int = STEPS) -> list[dict[str, Any]]:
    """Return the replies to a larva's steps, one by one."""
    return [server.ask(step(sim_id, model_id, number, probe=[1], probe_ms=10))[0] for number in range(steps)]


def in_the_library(seed: int, steps: int = STEPS) -> list[dict[str, Any]]:
    """Return what a larva of the library itself does, whose wiring and streams are those of the ids ("it", 0)."""
    larva = Population(DEFAULT, [larva_seed(seed, "it", 0)])
    larva.advance(10)
    odors = ("pentyl acetate", "4,5-dimethylthiazole", "3-octanol")
    replies = []
    for number in range(steps):
        rates = drive(DEFAULT, {odors[number % 3]: 0.1 + number % 7 / 5}, reward=number % 2)
        activity = larva.advance(20, rates)
        probed = larva.probe("4,5-dimethylthiazole", 10)
        replies.append({"activity": activity, "probed": probed})
    return replies


def test_a_step_is_what_the_library_does(server: Here) -> None:
    """Every rate of every step and probe, to the last bit: `OSN_rate` too, which the receptor class reads."""
    for mine, theirs in zip(alone(server, "it", 0), in_the_library(0), strict=True):
        activity, probed = theirs["activity"], theirs["probed"]
        cells = {"OSN_rate": "ORN", "KC_rate": "KC", **{name: name for name in ("MBONp", "MBONn", "DANp", "DANn")}}
        for name, group in cells.items():
            assert mine[name] == activity.rate_hz(group)[0]
        assert mine["preference_index"] == activity.preference_index[0]
        probes = mine["probes"]["4,5-dimethylthiazole"]
        assert [probes["MBONp"], probes["MBONn"]] == [probed.rate_hz("MBONp")[0], probed.rate_hz("MBONn")[0]]
        assert not {"self", "sim_id", "model_id", "step"} & set(mine)


def test_a_remote_memory_is_the_one_in_process(server: Here) -> None:
    """Gains of larvae stepped together and alone, read from the step or from probes."""
    for readout in ("step", "probe"):
        options: dict[str, Any] = {"readout": readout, "probe_every_s": 0.3, "probe_ms": 50, "G": 1.0, "seed": 5}
        where: dict[str, Any] = {"server_host": "127.0.0.1", "server_port": server.address.port}
        both: list[list[Any]] = [
            [MushroomBodyMemory(sim_id=readout, model_id=i, **options) for i in range(3)],
            [RemoteBrianModelMemory(sim_id=readout, model_id=i, **options, **where) for i in range(3)],
        ]
        seen: list[list[Any]] = [[], []]
        for memories, gains in zip(both, seen, strict=True):
            for number in range(8):
                dx = [{"CS": 0.1 * i + number / 7, "UCS": 0.2} for i in range(3)]
                step_together(memories, dx, [number % 2 == 0] * 3, t_warmup=100)
                memories[0].step(dx={"CS": 1.0}, punishment=0.5)
                gains.append([dict(memory.gain) for memory in memories])
        assert seen[0] == seen[1]


def test_a_checkpoint_of_remote_memories_goes_on(server: Here, tmp_path: Path) -> None:
    """The circuit comes from the server and goes back to it, as another larva there."""
    where: dict[str, Any] = {"server_host": "127.0.0.1", "server_port": server.address.port, "G": 1.0}
    memory = RemoteBrianModelMemory(sim_id="checkpoint", model_id=0, **where)
    for _ in range(5):
        memory.step(dx={"CS": 1.0}, reward=True)
    checkpoint.save(tmp_path / "larva.npz", [memory])
    other = RemoteBrianModelMemory(sim_id="checkpoint", model_id="other", **where)
    checkpoint.restore(tmp_path / "larva.npz", [other])
    for _ in range(5):
        assert memory.step(dx={"CS": 1.0}) == other.step(dx={"CS": 1.0})


def test_requests_are_answered_alike_however_they_come(server: Here) -> None:
    """Through one connection or fifty, alone or in frames of many, in any order between larvae."""
    larvae = range(10)
    want = {i: alone(server, f"one {i}", "x", 6) for i in larvae}
    # The seed depends on the ids, so each way has its own larvae, brought to the same circuits by `load`.
    chance = random.Random(0)
    newborn = {i: server.ask(Message(f"one {i}", "x", 0, {"op": "export"}))[0]["snapshot"] for i in larvae}
    assert len(set(newborn.values())) == len(newborn)

    def replay(way: Any) -> None:
        server.ask(*(Message(f"one {i}", "x", 0, {"op": "delete"}) for i in larvae))
        got: dict[int, list[dict[str, Any]]] = {i: [] for i in larvae}
        way(got)
        assert got == want

    def asked(i: int, number: int) -> Message:
        return step(f"one {i}", "x", number, probe=[1], probe_ms=10)

    def in_frames(got: dict[int, list[dict[str, Any]]]) -> None:
        for number in range(6):
            order = chance.sample(larvae, len(larvae))
            for i, reply in zip(order, server.ask(*(asked(i, number) for i in order)), strict=True):
                got[i].append(reply)

    def all_steps_of_a_larva_in_one_frame(got: dict[int, list[dict[str, Any]]]) -> None:
        for i in larvae:
            got[i] = server.ask(*(asked(i, number) for number in range(6)))

    def through_fifty_connections(got: dict[int, list[dict[str, Any]]]) -> None:
        connections = [Connection(server.address) for _ in range(50)]
        turn = iter(range(1000))
        line = {i: list(range(6)) for i in larvae}
        while any(line.values()):
            chosen = chance.sample([i for i in larvae if line[i]], chance.randint(1, sum(map(bool, line.values()))))
            under_way = [(i, connections[next(turn) % 50]) for i in chosen]
            for i, connection in under_way:
                connection.send(asked(i, line[i].pop(0)))
            for i, connection in chance.sample(under_way, len(under_way)):
                got[i].append(connection.receive()[0].kwargs)
        for connection in connections:
            connection.socket.close()

    def a_thread_a_larva(got: dict[int, list[dict[str, Any]]]) -> None:
        def live(i: int) -> None:
            with Connection(server.address) as connection:
                for number in range(6):
                    got[i].append(connection.ask(asked(i, number))[0].kwargs)

        threads = [threading.Thread(target=live, args=(i,)) for i in larvae]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def pipelined(got: dict[int, list[dict[str, Any]]]) -> None:
        with Connection(server.address) as connection:
            for number in range(6):
                for i in larvae:
                    connection.send(asked(i, number))
            for _ in range(6):
                for i in larvae:
                    got[i].append(connection.receive()[0].kwargs)

    for way in (in_frames, all_steps_of_a_larva_in_one_frame, through_fifty_connections, a_thread_a_larva, pipelined):
        replay(way)


def test_frames_that_wait_behind_one_are_done_in_order(server: Here) -> None:
    """Sent before the first is answered, some with several steps of the same larva."""
    want = alone(server, "behind", 0, 9)
    server.ask(Message("behind", 0, 0, {"op": "delete"}))
    asked = [step("behind", 0, number, probe=[1], probe_ms=10) for number in range(9)]
    with Connection(server.address) as connection:
        for first, last in ((0, 1), (1, 3), (3, 4), (4, 8), (8, 9)):
            connection.send(*asked[first:last])
        got = [reply.kwargs for _ in range(5) for reply in connection.receive()]
    assert got == want


def test_a_long_step_does_not_hold_up_a_short_one(server: Here) -> None:
    """The short one is answered first, though the long one was asked first."""
    with Connection(server.address) as patient, Connection(server.address) as quick:
        patient.send(*(step("long", larva, 0, T=60_000) for larva in range(4)))
        quick.ask(step("short", 0, 0))
        patient.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            patient.socket.recv(1)
        patient.socket.settimeout(60)
        assert patient.receive()[0].kwargs["MBONp"] > 0


def test_ids_keep_their_type(server: Here) -> None:
    """`1` and "1" are two larvae; what comes back is what was sent."""
    one, text = (server.ask(*(step(1, model_id, number) for number in range(4))) for model_id in (1, "1"))
    assert one != text
    with Connection(server.address) as connection:
        (reply,) = connection.ask(step(2**63 - 1, "süß 🪰", 0))
    assert reply.args == (2**63 - 1, "süß 🪰", 0)


def test_a_retry_is_answered_alike_and_simulates_nothing(server: Here) -> None:
    """Also while the first is still being worked on, and through another connection."""
    first = alone(server, "retry", 0, 3)
    assert server.ask(step("retry", 0, 2, probe=[1], probe_ms=10)) == [first[2]]
    before = server.ask(Message("retry", 0, 0, {"op": "export"}))
    with Connection(server.address) as one, Connection(server.address) as other:
        message = step("retry", 0, 3, T=5000)
        one.send(message)
        other.send(message)
        assert one.receive() == other.receive()
    after = server.ask(step("retry", 0, 4))[0]
    server.ask(Message("retry", 0, 3, {"op": "load", "snapshot": before[0]["snapshot"]}))
    server.ask(step("retry", 0, 3, T=5000))
    assert server.ask(step("retry", 0, 4))[0] == after


def test_out_of_order_steps_change_nothing(server: Here) -> None:
    """Ahead, behind, or once more with other content: an error that names the step expected."""
    want = alone(server, "order", 0, 3)
    server.ask(Message("order", 0, 0, {"op": "delete"}))
    for number in range(3):
        for wrong in (number + 1, number + 7, max(number - 2, 1) if number > 2 else number + 2):
            (reply,) = server.ask(step("order", 0, wrong))
            assert (reply["error_code"], reply["expected_step"]) == ("step", number)
        assert server.ask(step("order", 0, number, probe=[1], probe_ms=10)) == [want[number]]
        (reply,) = server.ask(step("order", 0, number, reward=0.123)) if number else ({"error_code": "step"},)
        assert reply["error_code"] == "step"


def test_step_0_begins_anew_and_the_old_larva_is_kept_until_step_1(server: Here) -> None:
    """A stray step 0 costs nothing; once the new larva goes on, the old one is gone."""
    want = alone(server, "anew", 0, 8)
    server.ask(Message("anew", 0, 0, {"op": "delete"}))
    for number in range(5):
        server.ask(step("anew", 0, number, probe=[1], probe_ms=10))
    stray = server.ask(step("anew", 0, 0, T=40))[0]
    assert "error" not in stray
    assert server.ask(step("anew", 0, 5, probe=[1], probe_ms=10)) == [want[5]]
    again = server.ask(step("anew", 0, 0, T=40))[0]
    assert again == stray
    assert "error" not in server.ask(step("anew", 0, 1))[0]
    assert server.ask(step("anew", 0, 6))[0]["expected_step"] == 2


def test_two_stray_step_0s_cost_nothing_either(server: Here) -> None:
    """The larva put aside is the one that has gone on."""
    want = alone(server, "strays", 0, 8)
    server.ask(Message("strays", 0, 0, {"op": "delete"}))
    for number in range(5):
        server.ask(step("strays", 0, number, probe=[1], probe_ms=10))
    for reward in (0.5, 0.7, 0.5):
        assert "error" not in server.ask(step("strays", 0, 0, reward=reward))[0]
    assert [server.ask(step("strays", 0, number, probe=[1], probe_ms=10))[0] for number in (5, 6)] == want[5:7]


def test_a_retry_a_next_step_and_another_clients_next_step_at_once(server: Here) -> None:
    """While a long one is under way: whichever comes first is done, once, and the others hear of it."""
    server.ask(step("race", 0, 0))
    with Connection(server.address) as one, Connection(server.address) as two, Connection(server.address) as three:
        one.send(step("race", 0, 1, T=20_000))
        two.send(step("race", 0, 1, T=20_000))
        two.send(step("race", 0, 2))
        three.send(step("race", 0, 2))
        assert one.receive() == two.receive()
        assert two.receive() == three.receive()
        assert server.ask(step("race", 0, 3))[0]["MBONp"] >= 0
        one.send(step("race", 1, 5))
        one.send(step("race", 1, 0))
        assert one.receive()[0].kwargs["expected_step"] == 0
        assert "MBONp" in one.receive()[0].kwargs


def test_an_export_is_a_snapshot_of_the_library_and_can_be_loaded(server: Here) -> None:
    """Going on from it equals never having stopped, there and here."""
    alone(server, "export", 0, 4)
    (exported,) = server.ask(Message("export", 0, 0, {"op": "export"}))
    assert exported["expected_step"] == 4
    snapshot = Snapshot.from_bytes("the export", base64.b64decode(exported["snapshot"]))
    here = Population.from_snapshot(snapshot).advance(20, drive(DEFAULT, {"4,5-dimethylthiazole": 0.9}))
    assert server.ask(Message("export", "copy", 9, {"op": "load", "snapshot": exported["snapshot"]})) == [
        {"expected_step": 9}
    ]
    there = server.ask(step("export", "copy", 9, odors={"4,5-dimethylthiazole": 0.9}, reward=0))[0]
    assert there["MBONp"] == here.rate_hz("MBONp")[0]
    assert there["OSN_rate"] == here.rate_hz("ORN")[0]


def test_a_probe_by_itself_leaves_the_larva_untouched(server: Here) -> None:
    """It says what a probe with a step says, and the next step is what it would have been."""
    want = alone(server, "probe", 0, 3)
    server.ask(Message("probe", 0, 0, {"op": "delete"}))
    for number in range(2):
        server.ask(step("probe", 0, number, probe=[1], probe_ms=10))
    (probed,) = server.ask(Message("probe", 0, 0, {"op": "probe", "probe": [1], "probe_ms": 10}))
    assert probed == {"probes": want[1]["probes"], "expected_step": 2}
    assert server.ask(step("probe", 0, 2, probe=[1], probe_ms=10)) == [want[2]]


def test_a_larva_can_be_deleted_and_one_that_is_not_there_is_said_so(server: Here) -> None:
    """Deleting again is no error: a retry must not be one."""
    alone(server, "delete", 0, 2)
    assert [server.ask(Message("delete", 0, 0, {"op": "delete"}))[0] for _ in range(2)] == [
        {"deleted": 1},
        {"deleted": 0},
    ]
    for op in ("export", "probe"):
        more = {"probe": [0]} if op == "probe" else {}
        (reply,) = server.ask(Message("delete", 0, 0, {"op": op, **more}))
        assert reply["error_code"] == "unknown_larva"


def test_two_live_clients_of_a_larva_are_told_so(server: Here) -> None:
    """The second one's step 0 is refused while the first is connected, and taken when it has gone."""
    with Connection(server.address) as first, Connection(server.address) as second:
        for number in range(3):
            first.ask(step("PItrain_1", 0, number))
        (reply,) = second.ask(step("PItrain_1", 0, 0))
        assert reply.kwargs["error_code"] == "two_clients"
        assert "give ExpRun an id of its own" in reply.kwargs["error"]
        assert "MBONp" in first.ask(step("PItrain_1", 0, 3))[0].kwargs
        first.socket.close()
        for _ in range(100):
            (reply,) = second.ask(step("PItrain_1", 0, 0))
            if "error" not in reply.kwargs:
                break
        assert "MBONp" in reply.kwargs


def test_a_request_whose_connection_closed_before_work_began_is_dropped(server: Here) -> None:
    """The larva waits for the step as if it had never been sent."""
    with Connection(server.address) as busy:
        busy.send(step("dropped", 0, 0, T=60_000))
        with Connection(server.address) as gone:
            gone.send(step("dropped", 0, 1))
        busy.receive()
    assert "MBONp" in server.ask(step("dropped", 0, 1, T=40))[0]


def test_seeds_are_those_of_the_memory_in_process(server: Here) -> None:
    """A client's own seed counts, as long as the larva lives; another one later is refused."""
    with_seed = [server.ask(step("it", 0, number, seed=7, probe=[1], probe_ms=10))[0] for number in range(4)]
    want = in_the_library(7, 4)
    assert [reply["MBONp"] for reply in with_seed] == [one["activity"].rate_hz("MBONp")[0] for one in want]
    assert server.ask(step("it", 0, 4, seed=8))[0]["error_code"] == "seed"


def test_an_empty_frame_is_answered_with_an_empty_one(server: Here) -> None:
    """As many messages as were asked."""
    assert server.ask() == []


def test_a_large_frame_is_read_in_pieces_and_each_larva_is_as_alone(server: Here) -> None:
    """Of more larvae than are handed over at once, with ids that are read the slow way."""
    frames = [[step("süß: viele", larva, number) for larva in range(300)] for number in range(2)]
    together = [server.ask(*messages) for messages in frames]
    server.ask(*(Message("süß: viele", larva, 0, {"op": "delete"}) for larva in range(300)))
    alone = [[server.ask(messages[larva])[0] for larva in (0, 63, 64, 299)] for messages in frames]
    assert alone == [[replies[larva] for larva in (0, 63, 64, 299)] for replies in together]
