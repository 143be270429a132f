"""Sixteen defects of Larvaworld 2.5.1: each is shown on the wheel, and ours does right in the same situation."""

import importlib.resources
import itertools
import json
import logging
import random
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import larvaworld
import numpy as np
import pytest
from larvaworld.lib.ipc import BrianInterfaceMessage, Client, ipc
from larvaworld.lib.model.modules import memory as theirs

from kenyon import memory as ours
from kenyon.errors import InputError, NoAnswerError, RefusedError
from kenyon.memory import checkpoint
from kenyon.wire import Message, exchange
from tests.compat import host
from tests.compat.servers import WAITS_ARE_SEEN, Circuits, OurServer, StockServer, at_least_s, free_port, steady

PlugIn = Callable[[str, str, type], None]

# An update in every step, and no chance.
EACH_STEP = {"update_dt": 0.0, "epsilon": 0.0}


def wheel_remote(port: int, **options: Any) -> Any:
    """Return the wheel's remote memory of larva "larva" of "run"; it asks no more of a brain than its two ids."""
    brain = SimpleNamespace(agent=SimpleNamespace(unique_id="larva", model=SimpleNamespace(id="run")))
    return theirs.RemoteBrianModelMemory(brain=brain, server_host="127.0.0.1", server_port=port, **options)


def our_remote(port: int, **options: Any) -> ours.RemoteBrianModelMemory:
    """Return our remote memory of the same larva."""
    return ours.RemoteBrianModelMemory(
        server_host="127.0.0.1", server_port=port, sim_id="run", model_id="larva", **options
    )


def test_01_a_stimulus_that_appears_later() -> None:
    """The second update after CS and UCS came is beyond the wheel's actions; ours extends, and keeps what it knows."""
    wheel = theirs.RLOlfMemory(gain={"Odor": 0.0}, **EACH_STEP)
    mine = ours.RLOlfMemory(gain={"Odor": 0.0}, alpha=0.0, **EACH_STEP)
    mine.q_table[0] = [0.0, 3.0, 0.0, 0.0]
    for memory in (wheel, mine):
        memory.step(dx={"Odor": 0.1}, reward=True)
        memory.gain.update(CS=0.0, UCS=0.0)
    dx = {"Odor": 0.0, "CS": 0.2, "UCS": 0.1}
    with pytest.raises(IndexError, match="tuple index out of range"):
        wheel.step(dx=dx, reward=True)
    assert set(mine.step(dx=dx, reward=True)) == {"Odor", "CS", "UCS"}
    assert mine.q_table.shape == (1, 4**3)
    assert mine.best_gain["Odor"] == mine.gain["Odor"] == -50.0
    assert {mine.gain["CS"], mine.gain["UCS"]} <= set(mine.gain_space)


def test_02_the_state_of_two_odors() -> None:
    """The wheel takes the last odor's level for both; ours has one for each."""
    gain, dx = {"A": 0.0, "B": 0.0}, {"A": 1.0, "B": -1.0}
    wheel = theirs.RLOlfMemory(gain=dict(gain), state_spacePerSide=1)
    mine = ours.RLOlfMemory(gain=dict(gain), state_spacePerSide=1)
    assert wheel.state_space[wheel.state_collapse(dx)].tolist() == [0, 0]
    assert mine.state_space[mine.state_collapse(dx)].tolist() == [2, 0]


def test_03_learning_after_the_training() -> None:
    """Training ends after 0.6 s; the wheel's table goes on changing, ours does not."""
    changed = {}
    for source in (theirs, ours):
        memory = source.RLOlfMemory(gain={"Odor": 0.0}, train_dur=0.01, **EACH_STEP)
        tables = []
        for _ in range(3):
            for _ in range(7):
                memory.step(dx={"Odor": 0.0}, reward=True)
            tables.append(np.array(memory.q_table))
        assert tables[0].any()
        assert not memory.learning_on
        changed[source] = not np.array_equal(tables[1], tables[2])
    assert changed == {theirs: True, ours: False}


def test_04_reward_on_exploring_steps() -> None:
    """Where every step explores, the wheel drops every reward and stays in its first state; ours learns."""
    options = {"update_dt": 0.0, "epsilon": 1.0, "state_spacePerSide": 1}
    wheel, mine = (source.RLOlfMemory(gain={"Odor": 0.0}, **options) for source in (theirs, ours))
    for memory in (wheel, mine):
        for _ in range(50):
            memory.step(dx={"Odor": 1.0}, reward=True)
        assert memory.rewardSum == 0
    assert not wheel.q_table.any()
    assert (wheel.lastState, mine.lastState) == (0, 2)
    assert (mine.q_table[2] > 0).all()


def test_05_the_default_gain() -> None:
    """All memories of the wheel that are given none share one dict; each of ours has its own."""
    assert theirs.Memory().gain is theirs.RLOlfMemory().gain
    assert ours.Memory().gain is not ours.Memory().gain
    assert ours.RLOlfMemory().gain is not ours.RLOlfMemory().gain


def test_06_the_source_of_chance() -> None:
    """Two larvae of the wheel draw from one global stream; each of ours from its own, and from no global one."""

    def draws(*larvae: Any, steps: int = 40) -> list[list[float]]:
        """Return the gains of each larva, stepped in turn."""
        drawn = [[larva.step(dx={"Odor": 0.0})["Odor"] for larva in larvae] for _ in range(steps)]
        return [list(gains) for gains in zip(*drawn, strict=True)]

    options = {"update_dt": 0.0, "epsilon": 1.0}

    def wheel() -> Any:
        return theirs.RLOlfMemory(gain={"Odor": 0.0}, **options)

    def mine(model_id: str, seed: int = 1) -> ours.RLOlfMemory:
        return ours.RLOlfMemory(gain={"Odor": 0.0}, model_id=model_id, seed=seed, **options)

    random.seed(1)
    alone = draws(wheel())[0]
    random.seed(1)
    beside_another = draws(wheel(), wheel())[0]
    assert alone != beside_another

    before, before_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002  # the one not to touch
    first, second = draws(mine("a"), mine("b"))
    assert random.getstate() == before
    for old, new in zip(before_numpy, np.random.get_state(), strict=True):  # noqa: NPY002
        assert np.array_equal(old, new)
    assert draws(mine("a")) == [first]
    assert first != second
    assert draws(mine("a", seed=2)) != [first]


def test_07_values_that_cannot_be() -> None:
    """The wheel fails elsewhere, refuses whole numbers, and takes any rate; ours names what is wrong and the range."""
    nan = {"Odor": float("nan")}
    with pytest.raises(ValueError, match="cannot convert float NaN to integer"):
        theirs.RLOlfMemory(gain={"Odor": 0.0}, **EACH_STEP).step(dx=nan)
    with pytest.raises(InputError, match=r"dx must be finite for every stimulus, got \{'Odor': nan\}"):
        ours.RLOlfMemory(gain={"Odor": 0.0}, **EACH_STEP).step(dx=nan)

    none = theirs.RLOlfMemory(gain={"Odor": 0.0}, gain_space=[], update_dt=0.0, epsilon=1.0)
    with pytest.raises(ValueError, match="empty range for randrange"):
        none.step(dx={"Odor": 0.0})
    with pytest.raises(InputError, match=r"gain_space must be a list of at least one number, got \[\]"):
        ours.RLOlfMemory(gain={"Odor": 0.0}, gain_space=[])

    with pytest.raises(TypeError, match="items must be instances"):
        theirs.RLOlfMemory(gain={"Odor": 0.0}, gain_space=[-300, 300])
    whole = ours.RLOlfMemory(gain={"Odor": 0.0}, gain_space=[-300, 300], **EACH_STEP)
    assert whole.step(dx={"Odor": 0.0}) == {"Odor": -300.0}

    for name in ("alpha", "gamma", "epsilon"):
        assert getattr(theirs.RLOlfMemory(**{name: 5.0}), name) == 5.0
        for value in (5.0, -0.1, float("nan")):
            with pytest.raises(InputError, match=f"{name} must be a finite number from 0 to 1, got {value}"):
                ours.RLOlfMemory(**{name: value})


def test_08_the_size_of_the_table() -> None:
    """The wheel takes 8 * 20^n bytes for n stimuli at k = 2; ours refuses, and has one that grows by n."""
    stimuli = [f"odor{i}" for i in range(8)]

    def gains(n: int) -> dict[str, float]:
        return dict.fromkeys(stimuli[:n], 0.0)

    for n in range(1, 6):
        assert theirs.RLmemory(gain=gains(n), state_spacePerSide=2).q_table.nbytes == 8 * 20**n
    assert (8 * 20**6, 8 * 20**8) == (512_000_000, 204_800_000_000)

    refusal = "at most 64 MB, got 512 MB for 6 stimuli with 5 levels and 4 gains each; use table='factored'"
    with pytest.raises(InputError, match=refusal):
        ours.RLmemory(gain=gains(6), state_spacePerSide=2)
    for n in (1, 2, 4, 8):
        factored = ours.RLmemory(gain=gains(n), state_spacePerSide=2, table="factored", **EACH_STEP)
        assert factored.q_table.nbytes == 8 * 20 * n
        for _ in range(3):
            gain = factored.step(dx=dict.fromkeys(gains(n), 0.3), reward=True)
        assert set(gain.values()) <= set(factored.gain_space)
        assert factored.q_table.any()


def test_09_no_answer_or_an_error(
    stack: ExitStack,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The wheel turns an absent server into a gain of 0, and dies of a refusal; ours says what to do, or holds."""
    monkeypatch.setattr(larvaworld, "VERBOSE", 2)  # As it comes.
    port = free_port()
    assert wheel_remote(port, gain={"Odor": 5.0}).step(dx={"Odor": 0.5}) == {"Odor": 0.0}
    assert capsys.readouterr().out == ""  # Its warning is below what it prints.

    with pytest.raises(NoAnswerError, match=f"`kenyon serve --port {port}` starts one"):
        our_remote(port, gain={"Odor": 5.0}, timeout_s=0.1).step(dx={"Odor": 0.5})
    for on_failure, expected in (("hold", 5.0), ("zero", 0.0)):
        mine = our_remote(port, gain={"Odor": 5.0}, timeout_s=0.1, on_failure=on_failure)
        with caplog.at_level(logging.WARNING):
            assert mine.step(dx={"Odor": 0.5}) == {"Odor": expected}
        assert mine.failures == 1
    assert "must answer within 0.1 s" in caplog.text

    refusing = stack.enter_context(StockServer(lambda *_: {"error": "step must be 7, got 0", "error_code": "step"}))
    port = refusing.address.port
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for -: 'NoneType' and 'NoneType'"):
        wheel_remote(port, gain={"Odor": 5.0}).step(dx={"Odor": 0.5})
    with pytest.raises(RefusedError, match="step must be 7, got 0"):
        our_remote(port, gain={"Odor": 5.0}).step(dx={"Odor": 0.5})
    held = our_remote(port, gain={"Odor": 5.0}, on_failure="hold")
    assert held.step(dx={"Odor": 0.5}) == {"Odor": 5.0}


def test_09_a_connection_that_is_lost(stack: ExitStack) -> None:
    """It ends the wheel's run; ours asks again, for the same step."""

    def dying() -> Callable[..., dict[str, float]]:
        """Return an answer that fails the first time."""
        times = itertools.count()

        def answer(*_: object) -> dict[str, float]:
            if next(times) == 0:
                raise ConnectionAbortedError
            return {"MBONp": 60.0, "MBONn": 40.0}

        return answer

    for_wheel, for_mine = (stack.enter_context(StockServer(dying())) for _ in range(2))
    with pytest.raises(ipc.ConnectionClosed):
        wheel_remote(for_wheel.address.port, gain={"Odor": 5.0}).step(dx={"Odor": 0.5})
    assert our_remote(for_mine.address.port).step(dx={"Odor": 0.5}) == {"Odor": pytest.approx(0.02)}
    assert for_mine.accepted == 2


def test_10_other_names_and_several_odors(stack: ExitStack) -> None:
    """The wheel knows no odor but "Odor"; ours asks for whatever smells, together and apart."""
    server = stack.enter_context(OurServer(Circuits()))
    gain, dx = {"CS": 0.0, "UCS": 0.0}, {"CS": 1.0, "UCS": 0.5}
    with pytest.raises(KeyError, match="'Odor'"):
        wheel_remote(server.address.port, gain=dict(gain)).step(dx=dx)
    mine = our_remote(server.address.port, gain=dict(gain), dt=1.0)
    in_process = ours.MushroomBodyMemory(sim_id="run", model_id="larva", gain=dict(gain), dt=1.0)
    for _ in range(10):
        assert mine.step(dx=dx, reward=True) == in_process.step(dx=dx, reward=True)
    assert set(mine.gain) == {"CS", "UCS"}
    assert mine.gain["CS"] > 0.0


def test_11_the_clock_of_a_remote_memory(stack: ExitStack) -> None:
    """The wheel's stands still; ours runs."""
    port = stack.enter_context(OurServer(steady)).address.port
    wheel, mine = wheel_remote(port, gain={"Odor": 0.0}), our_remote(port)
    for memory in (wheel, mine):
        for _ in range(5):
            memory.step(dx={"Odor": 0.5})
        assert memory.step_id == 5
    assert (wheel.total_ticks, wheel.total_t) == (0, 0.0)
    assert (mine.total_ticks, mine.total_t) == (5, 0.5)


def seconds_per_message(ask: Callable[[int], object], messages: int) -> float:
    """Return what an exchange takes at least, without the first ones of a connection, which wait less."""
    times = []
    for step in range(messages):
        started = time.perf_counter()
        ask(step)
        times.append(time.perf_counter() - started)
    return at_least_s(times[3:])


def test_12_one_connection_for_each_step(stack: ExitStack) -> None:
    """The wheel's memory opens one for every step; ours keeps one."""
    for_wheel, for_mine = (stack.enter_context(OurServer(steady)) for _ in range(2))
    for memory in (wheel_remote(for_wheel.address.port, gain={}), our_remote(for_mine.address.port)):
        for _ in range(10):
            memory.step(dx={"Odor": 0.5})
    assert (for_wheel.accepted, for_mine.accepted) == (10, 1)


@pytest.mark.skipif(not WAITS_ARE_SEEN, reason="the waits are those of Linux, which this system is not")
def test_12_what_a_kept_connection_waits(stack: ExitStack) -> None:
    """Its client and server wait for two delayed acknowledgements a message; ours for none, even with its server."""
    server = stack.enter_context(StockServer())
    with Client(tuple(server.server_address)) as client:
        theirs_s = seconds_per_message(lambda step: client.send([BrianInterfaceMessage("run", "larva", step)]), 12)
    ours_s = seconds_per_message(lambda step: exchange(server.address, [Message("run", "larva", step)]), 12)
    assert theirs_s > 0.02
    assert ours_s < theirs_s / 4


def test_12_a_frame_of_a_megabyte(stack: ExitStack) -> None:
    """The wheel's single read gets a part of it, which is no JSON: as client, and as server; ours gets it whole."""
    large = {"snapshot": "x" * 1_000_000}
    stock, mine = stack.enter_context(StockServer(lambda *_: large)), stack.enter_context(OurServer(lambda *_: large))
    for server in (stock, mine):
        with Client(tuple(server.server_address)) as client, pytest.raises(json.JSONDecodeError):
            client.send([BrianInterfaceMessage("run", "larva", 0)])
        assert exchange(server.address, [Message("run", "larva", 0)]) == [Message("run", "larva", 0, large)]

    with (
        Client(tuple(stock.server_address)) as client,
        pytest.raises((ipc.ConnectionClosed, ConnectionError)),
    ):
        client.send([BrianInterfaceMessage("run", "larva", 0, **large)])
    assert any(isinstance(error, json.JSONDecodeError) for error in stock.errors)
    request = [Message("run", "larva", 0, large)]
    assert exchange(mine.address, request) == request
    assert mine.accepted == 2


def test_13_a_server_that_answers(stack: ExitStack) -> None:
    """Nothing in the wheel but the client names MBONp; a mushroom body behind its own Server answers both classes."""
    package = importlib.resources.files("larvaworld")
    sources = [path for path in Path(str(package)).rglob("*.py") if "MBONp" in path.read_text(encoding="utf-8")]
    assert [path.name for path in sources] == ["memory.py"]
    assert "mbon_p = response.param" in sources[0].read_text(encoding="utf-8")

    for_wheel, for_mine = (stack.enter_context(StockServer(Circuits(seed=0))) for _ in range(2))
    wheel = wheel_remote(for_wheel.address.port, gain={"Odor": 0.0}, dt=1.0)
    mine = our_remote(for_mine.address.port, dt=1.0)
    in_process = ours.MushroomBodyMemory(sim_id="run", model_id="larva", seed=0, dt=1.0)
    gains = set()
    for step in range(40):
        given: dict[str, Any] = {"dx": {"Odor": (0.0, 1.0, -0.5, 2.0)[step % 4]}, "reward": step > 20, "t_warmup": 200}
        from_wheel, from_mine, from_process = (memory.step(**given) for memory in (wheel, mine, in_process))
        assert from_wheel == from_mine == from_process
        gains.add(from_wheel["Odor"])
    assert len(gains) > 5


KEEPING = re.compile(r"(?:^|_)(?:save|load|store|restore|export|dump|checkpoint)", re.IGNORECASE)


def test_14_the_wheel_keeps_nothing_that_was_learned() -> None:
    """No public name of its memories says so."""
    for name in theirs.__all__:
        assert not [word for word in dir(getattr(theirs, name)) if KEEPING.search(word) and not word.startswith("_")]


def kept_memory(name: str, model_id: str) -> ours.Memory:
    """Return a naive memory whose next 30 steps are full of chance and learning."""
    kind: Any = getattr(ours, name)
    gain = {"Odor": 0.0, "CS": 0.0}
    if name == "MushroomBodyMemory":
        return kind(gain=gain, sim_id="run", model_id=model_id, seed=4)  # type: ignore[no-any-return]
    options = {"update_dt": 0.005, "epsilon": 0.5, "state_spacePerSide": 1}
    return kind(gain=gain, model_id=model_id, seed=4, **options)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ["RLOlfMemory", "RLTouchMemory", "MushroomBodyMemory"])
def test_14_what_was_learned_is_kept(name: str, tmp_path: Path) -> None:
    """Of ours, going on after saving and loading equals never having stopped, and differs from starting naive."""
    chance = random.Random(1)
    larvae = [kept_memory(name, model_id) for model_id in "ab"]

    def life(memory: Any, steps: list[tuple[dict[str, float], bool]]) -> list[dict[str, float]]:
        return [dict(memory.step(dx=dx, reward=reward)) for dx, reward in steps]

    levels = [-1.0, 0.0, 1.0]
    days = [
        [({"Odor": chance.choice(levels), "CS": chance.choice(levels)}, chance.random() < 0.3) for _ in range(30)]
        for _ in range(2)
    ]
    for larva in larvae:
        life(larva, days[0])
    path = checkpoint.save(tmp_path / "larvae.npz", larvae)
    loaded = checkpoint.load(path)
    assert [type(memory) for memory in loaded] == [type(larva) for larva in larvae]
    gone_on = [life(larva, days[1]) for larva in larvae]
    assert [life(memory, days[1]) for memory in loaded] == gone_on
    assert [life(kept_memory(name, model_id), days[1]) for model_id in "ab"] != gone_on


def test_15_sensors_that_never_report(plug_in: PlugIn, tmp_path: Path) -> None:
    """With `brute_force` the host's sensor says 0 for ever; ours forms the change from what the brain senses."""
    seen = {}
    for source in (theirs, ours):
        plug_in("RL", "olfaction", host.noting(source.RLOlfMemory))
        finished = host.run(tmp_path, "chemotaxis", "Levy_navigator_brute_RL", memory={"update_dt": 0.01})
        for memory, sensor in host.memories(finished):
            assert sensor.brute_force
            assert sensor.dX == sensor.X == {"Odor": 0.0}
            assert all(smelled["Odor"] > 0 for smelled in memory.smelled)
            seen[source] = memory.seen, memory.smelled
    changes, _ = seen[theirs]
    assert changes == [{"Odor": 0.0}] * 30
    changes, smelled = seen[ours]
    assert changes[0] == {"Odor": 0.0}
    for change, (before, now) in zip(changes[1:], itertools.pairwise(smelled), strict=True):
        assert change == {"Odor": pytest.approx(now["Odor"] / before["Odor"] - 1, abs=1e-12)}
    assert any(change["Odor"] != 0 for change in changes)


def test_16_contact_gained(plug_in: PlugIn, tmp_path: Path) -> None:
    """Under `log` perception the host's sensor never says +1, so only losses teach; ours sees both."""
    seen = {}
    for source in (theirs, ours):
        plug_in("RL", "touch", host.noting(source.RLTouchMemory))
        finished = host.run(tmp_path, "tactile_detection", "RLtoucher_2", larvae=1, seconds=0.5)
        (agent,), (food,), ((memory, sensor),) = finished.agents, finished.sources, host.memories(finished, "touch")
        assert sensor.perception == "log"
        before, place, touched = len(memory.seen), agent.touch_sensorIDs[0], []
        for pos in (agent.get_sensor_position(place), (0.09, 0.09)):
            food.pos = tuple(pos)
            for _ in range(3):
                touched.append(agent.brain.sense_food_multi()[place])
                agent.brain.sense()
        assert touched == [1, 1, 1, 0, 0, 0]
        seen[source] = [change[place] for change in memory.seen[before:]]
    # A memory is told in each tick what the sensor saw in the one before.
    assert seen == {theirs: [0, 0, 0, 0, -1, 0], ours: [0, 1, 0, 0, -1, 0]}
