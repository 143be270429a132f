import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kenyon.errors import InputError, NoAnswerError, RefusedError, RemoteProtocolError
from kenyon.memory import MushroomBodyMemory, RemoteBrianModelMemory, remote, step_together
from kenyon.wire import Message, close_connections, exchange

from .peer import Peer
from .together import in_threads


@pytest.fixture
def peer() -> Iterator[Peer]:
    """Return a server that answers."""
    with Peer() as server:
        yield server
    close_connections()


def memory_of(server: Peer, **options: Any) -> RemoteBrianModelMemory:
    """Return a memory on a server."""
    given: dict[str, Any] = {"sim_id": "run", "model_id": 0, "timeout_s": 5.0, **options}
    return RemoteBrianModelMemory(server_host="127.0.0.1", server_port=server.address.port, **given)


def closed_port() -> int:
    """Return a port at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


SITUATIONS: dict[str, dict[str, Any]] = {
    "one odor": {"gain": {"Odor": 0.0}},
    "several odors": {"gain": {"CS": 0.0, "UCS": 0.0}},
    "mapped": {"gain": {"a": 0.0, "b": 0.0}, "odors": {"a": "3-octanol", "b": "pentyl acetate"}},
    "probing": {"gain": {"CS": 0.0, "UCS": 0.0}, "readout": "probe", "probe_ms": 300.0, "probe_every_s": 0.2},
    "smoothed": {"gain": {"Odor": 0.0}, "smoothing_s": 0.5, "G": 2.0, "innate_gain": 10.0},
    "winning": {
        "gain": {"Odor": 0.0},
        "approaches_unless_rewarded": True,
        "avoids_only_if_punished": True,
        "reward_strength": 0.5,
        "innate_gain": 3.0,
    },
    "punished": {"gain": {"Odor": 0.0}, "reinforcement": "punishment"},
    "scaled": {"gain": {"Odor": 0.0}, "concentration_scale": 0.1, "reward_strength": 0.5},
    "seeded": {"gain": {"Odor": 0.0}, "seed": 5},
    "longer ticks": {"gain": {"Odor": 0.0}, "dt": 0.57},
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_gains_are_those_of_the_circuit_in_process(peer: Peer, situation: str) -> None:
    """Number for number, step by step, for every option that both have."""
    options = {"dt": 0.5, **SITUATIONS[situation]}
    over_the_wire = memory_of(peer, **{**options, "gain": dict(options["gain"])})
    in_process = MushroomBodyMemory(sim_id="run", model_id=0, **{**options, "gain": dict(options["gain"])})
    seen: list[float] = []
    for step in range(30):
        dx = {odor: 0.7 if (step + i) % 3 else 0.0 for i, odor in enumerate(options["gain"])}
        there = over_the_wire.step(dx, reward=step > 3, t_warmup=50)
        assert there == in_process.step(dx, reward=step > 3, t_warmup=50)
        seen += there.values()
    assert len(set(seen)) > 2
    assert (over_the_wire.step_id, over_the_wire.total_ticks) == (30, 30)
    assert over_the_wire.rewardSum == in_process.rewardSum
    assert peer.connections == 1


def test_the_plain_step_is_the_message_that_larvaworld_sends(peer: Peer) -> None:
    """One odor named Odor: its number, and nothing that a server of Larvaworld's kind does not know."""
    memory_of(peer, gain={"Odor": 0.0}).step({"Odor": 0.25}, reward=True)
    assert list(peer.requests[0].kwargs.items()) == [
        ("odor_id", 0),
        ("odor_concentration", 0.25),
        ("T", 100),
        ("warmup", 0),
        ("step_id", 0),
        ("reward", 1),
    ]


def test_ids_come_from_the_brain(peer: Peer) -> None:
    """As in the host: the model's id and the agent's."""
    brain = SimpleNamespace(agent=SimpleNamespace(unique_id="Larva_3", model=SimpleNamespace(id="PItrain_1")))
    memory = memory_of(peer, brain=brain, sim_id=None, model_id=None)
    assert memory.sim_id == "PItrain_1"
    memory.step({"Odor": 0.1})
    assert (peer.requests[0].sim_id, peer.requests[0].model_id) == ("PItrain_1", "Larva_3")


def test_without_a_brain_the_ids_must_be_given(peer: Peer) -> None:
    """Two larvae without names would share one mushroom body."""
    with pytest.raises(InputError, match=r"^sim_id must be given where there is no brain"):
        memory_of(peer, sim_id=None).step({"Odor": 0.1})
    with pytest.raises(InputError, match=r"^model_id must be given where there is no brain"):
        memory_of(peer, model_id=None).step({"Odor": 0.1})


def test_a_lost_reply_is_asked_for_again_with_the_same_step(peer: Peer) -> None:
    """The very same request; a server knows it by its step. This one says that it had been done."""
    memory = memory_of(peer, gain={"Odor": 0.0}, on_failure="hold")
    memory.step({"Odor": 1.0})
    held = dict(memory.gain)
    peer.lose_replies = 1
    assert memory.step({"Odor": 0.5}) == held
    assert (memory.step_id, memory.failures, memory.total_ticks) == (1, 1, 2)
    first, again = peer.requests[1:3]
    assert first == again
    memory.step({"Odor": 0.2})
    assert [(r.step, r.kwargs["odor_concentration"]) for r in peer.requests[-2:]] == [(1, 0.2), (2, 0.2)]
    assert memory.step_id == 3


def test_a_server_that_forgot_the_larva_is_no_lost_reply(peer: Peer) -> None:
    """To go on with a newborn larva in silence would lose what was learned."""
    memory = memory_of(peer, gain={"Odor": 0.0})
    memory.step_id = 7
    with pytest.raises(RefusedError, match="refused step 7 of larva 0: the step must be 0, got 7") as refusal:
        memory.step({"Odor": 1.0})
    assert (refusal.value.code, refusal.value.expected_step) == ("step", 0)
    assert (memory.step_id, memory.total_ticks) == (7, 0)


def test_a_busy_server_is_asked_again(peer: Peer) -> None:
    """Until the deadline."""
    memory = memory_of(peer, gain={"Odor": 0.0})
    peer.busy = 2
    memory.step({"Odor": 1.0})
    assert (memory.step_id, len(peer.requests)) == (1, 3)
    memory.param.update(timeout_s=0.5)
    peer.busy = 100
    with pytest.raises(RefusedError, match="must have room"):
        memory.step({"Odor": 1.0})


def test_nobody_there_raises_an_error_that_says_how_to_start_a_server() -> None:
    """The default; clock, step and gains are as they were."""
    port = closed_port()
    memory = RemoteBrianModelMemory(
        server_host="127.0.0.1", server_port=port, sim_id=0, model_id=0, gain={"Odor": 4.0}, timeout_s=0.2
    )
    with pytest.raises(NoAnswerError, match=f"127.0.0.1:{port} must answer within 0.2 s.*`kenyon serve --port {port}`"):
        memory.step({"Odor": 1.0})
    assert (memory.gain, memory.step_id, memory.total_ticks, memory.failures) == ({"Odor": 4.0}, 0, 0, 1)
    with pytest.raises(NoAnswerError, match="kenyon serve"):
        memory.runRemoteModel(0, 0)


@pytest.mark.parametrize(("policy", "gain"), [("hold", 4.0), ("zero", 0.5)])
def test_nobody_there_may_hold_the_gains_or_set_them_to_nothing_learned(
    policy: str, gain: float, caplog: pytest.LogCaptureFixture
) -> None:
    """Counted in each step, said once, and the clock runs."""
    memory = RemoteBrianModelMemory(
        server_host="127.0.0.1",
        server_port=closed_port(),
        sim_id=0,
        model_id=0,
        gain={"Odor": 4.0},
        timeout_s=0.05,
        on_failure=policy,
        innate_gain=0.5,
    )
    with caplog.at_level(logging.WARNING, logger=remote.__name__):
        for _ in range(3):
            assert memory.step({"Odor": 1.0}) == {"Odor": gain}
    assert (memory.failures, memory.total_ticks, memory.step_id) == (3, 3, 0)
    assert len(caplog.records) == 1
    assert "this is said once" in caplog.text
    assert memory.runRemoteModel(0, 0) == 0.0


def test_a_server_without_a_mushroom_body_is_named_as_such(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Larvaworld's example server, which models one receptor neuron."""
    monkeypatch.setattr(peer, "_step", lambda _: {"OSN_rate": 5.0})
    with pytest.raises(RemoteProtocolError, match=r"must answer rates in Hz: MBONp and MBONn, got {'OSN_rate': 5.0}"):
        memory_of(peer).step({"Odor": 1.0})


def test_larvae_are_stepped_together_in_one_message(peer: Peer) -> None:
    """The numbers are those of one by one, and one refused larva does not stop the others."""
    together = [memory_of(peer, model_id=i, gain={"Odor": 0.0}) for i in range(4)]
    alone = [MushroomBodyMemory(sim_id="run", model_id=i, gain={"Odor": 0.0}) for i in range(4)]
    for _ in range(3):
        gains = step_together(together, [{"Odor": 1.0}] * 4, [True] * 4)
        assert gains == [memory.step({"Odor": 1.0}, True) for memory in alone]
    together[2].step_id = 9
    with pytest.raises(RefusedError, match="step must be 3, got 9"):
        step_together(together, [{"Odor": 1.0}] * 4, [True] * 4)
    assert [memory.total_ticks for memory in together] == [4, 4, 3, 4]
    assert [memory.step_id for memory in together] == [4, 4, 9, 4]


def test_threads_share_one_connection(peer: Peer) -> None:
    """And each larva gets its own answers."""
    memories = [memory_of(peer, model_id=i, gain={"Odor": 0.0}) for i in range(8)]

    def live(memory: Any) -> None:
        for _ in range(5):
            memory.step({"Odor": 1.0}, True)

    in_threads(live, memories)
    for i, memory in enumerate(memories):
        alone = MushroomBodyMemory(sim_id="run", model_id=i, gain={"Odor": 0.0})
        live(alone)
        assert memory.gain == alone.gain
    assert peer.connections == 1


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")
def test_a_unix_socket_serves_as_well(tmp_path: Path) -> None:
    """Instead of host and port."""
    path = str(tmp_path / "socket")
    with Peer(unix_path=path):
        memory = RemoteBrianModelMemory(unix_path=path, sim_id=1, model_id=2, gain={"Odor": 0.0})
        memory.step({"Odor": 1.0}, True)
    assert memory.gain == MushroomBodyMemory(sim_id=1, model_id=2, gain={"Odor": 0.0}).step({"Odor": 1.0}, True)
    close_connections()


def test_the_token_goes_with_every_message_and_is_shown_nowhere(peer: Peer) -> None:
    """Neither in how a memory reads nor in an error."""
    memory = memory_of(peer, token="secret-word")  # a word for the test
    memory.step({"Odor": 1.0})
    assert peer.requests[0].kwargs["token"] == "secret-word"  # as above
    assert "secret-word" not in repr(memory)


NO_RATES: dict[str, dict[str, Any]] = {
    "text": {"MBONp": "60", "MBONn": 1.0},
    "a truth": {"MBONp": True, "MBONn": 1.0},
    "negative": {"MBONp": -1e6, "MBONn": 1.0},
    "beyond every neuron": {"MBONp": 1e308, "MBONn": 1.0},
    "a huge integer": {"MBONp": 10**400, "MBONn": 1},
    "no probes": {"MBONp": 1.0, "MBONn": 1.0},
    "probes of another odor": {"MBONp": 1.0, "MBONn": 1.0, "probes": {"anisole": {"MBONp": 1.0, "MBONn": 1.0}}},
    "probes that are none": {"MBONp": 1.0, "MBONn": 1.0, "probes": {"pentyl acetate": 5}},
}


@pytest.mark.parametrize("reply", NO_RATES)
@pytest.mark.parametrize("policy", ["raise", "hold"])
def test_what_cannot_be_a_rate_is_never_taken_for_one(
    peer: Peer, reply: str, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, or held gains; the step is not done."""
    monkeypatch.setattr(peer, "_step", lambda _: NO_RATES[reply])
    memory = memory_of(peer, gain={"CS": 3.0}, readout="probe", on_failure=policy)
    if policy == "raise":
        with pytest.raises(RemoteProtocolError, match="must answer rates in Hz: MBONp and MBONn and probes of pentyl"):
            memory.step({"CS": 1.0})
    else:
        assert memory.step({"CS": 1.0}) == {"CS": 3.0}
    assert (memory.step_id, memory.failures) == (0, 1)


def test_rates_of_nobody_are_refused(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply without ids may say an error, and nothing else."""
    nobody = Message(None, None, None, {"MBONp": 1.0, "MBONn": 0.0})
    monkeypatch.setattr(peer, "_reply", lambda _: nobody)
    with pytest.raises(RemoteProtocolError, match="must answer rates in Hz"):
        memory_of(peer).step({"Odor": 1.0})


def test_what_a_server_says_is_shown_in_one_line_of_a_sensible_length(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without control characters, and without the token, even if it echoes it."""
    words = "bad token secret-word\n\x1b[31m" + "x" * 100_000
    monkeypatch.setattr(peer, "_step", lambda _: {"error": words, "error_code": "token"})
    with pytest.raises(RefusedError) as refusal:
        memory_of(peer, token="secret-word").step({"Odor": 1.0})  # a word for the test
    assert "bad token ...  [31mxxx" in str(refusal.value)
    assert len(str(refusal.value)) < 500
    with pytest.raises(InputError) as refused:
        RemoteBrianModelMemory(token=b"secret-word")
    assert "secret-word" not in str(refused.value)


def test_the_deadline_holds_for_a_larva_in_doubt_as_well(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its second question has what is left of the first one's time."""
    memory = memory_of(peer, gain={"Odor": 0.0})
    memory._in_doubt = True
    allowed_s: list[float] = []

    def noting(*args: Any, timeout_s: float) -> list[Message]:
        allowed_s.append(timeout_s)
        return exchange(*args, timeout_s=timeout_s)

    def slow(_: Message) -> dict[str, Any]:
        time.sleep(0.2)
        return {"error": "the step must be 1", "error_code": "step", "expected_step": 1}

    monkeypatch.setattr(remote, "exchange", noting)
    monkeypatch.setattr(peer, "_step", slow)
    with pytest.raises(RefusedError):
        memory.step({"Odor": 1.0})
    first_s, second_s = allowed_s
    assert second_s < first_s - 0.15


def test_an_address_that_cannot_be_is_refused_at_once() -> None:
    """Not at the first step of a long run."""
    wrong: list[dict[str, Any]] = [{"server_host": ""}, {"unix_path": "a", "tls_ca": "b"}]
    for options in wrong:
        with pytest.raises(InputError):
            RemoteBrianModelMemory(**options)
