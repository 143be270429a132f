"""`kenyon serve` as Larvaworld meets it: real runs of the wheel against a real server in a process of its own."""

import contextlib
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from larvaworld.lib import reg
from larvaworld.lib.ipc import BrianInterfaceMessage, Client
from larvaworld.lib.model.modules import memory as theirs
from larvaworld.lib.model.modules import sensor as their_sensors
from larvaworld.lib.model.modules.module_modes import moduleDB
from larvaworld.lib.model.modules.remote_brian_interface import RemoteBrianModelInterface
from larvaworld.lib.sim import ExpRun

from kenyon import memory as ours
from kenyon.larvaworld_plugin.host import no_analysis, repeatable
from kenyon.server.journal_reader import JournalReader, Row
from kenyon.wire import Message
from tests.compat import host
from tests.compat.servers import WAITS_ARE_SEEN, at_least_s
from tests.server.running import Running

LARVAE = 2
STEPS = 80
"""One every 0.1 s."""

PATCH = (0.02, 0.02)
"""Where MB_patch_grid has one of its patches of food."""

# On its patch a larva sends changes of some 5e-6, half of them rises: times this, it smells every rise, and of the 160
# steps some ten count another number of spikes on one output neuron.
SCALE = ("--concentration-scale", "1000000")
PROBE = {"op": "probe", "probe": ["pentyl acetate"], "probe_ms": 1000}


class Note(NamedTuple):
    """What is taken down of one step of one larva."""

    larva: str
    steps: int
    gain: dict[str, float]
    place: tuple[float, ...]
    reward: bool


def live(
    folder: Path, experiment: str, model: str, module: str, options: Mapping[str, Any], *, steps: int = STEPS
) -> Any:
    """Return a finished run whose larvae start on one spot, with options of one module of their brains changed.

    Whatever was drawn before in this process, or in another, they do the same.
    """
    begun = ExpRun(
        experiment=experiment,
        modelIDs=[model],
        N=LARVAE,
        duration=steps / 600,
        screen_kws={"vis_mode": None},
        store_data=False,
        id=f"kenyon_{experiment}",
        dir=tempfile.mkdtemp(dir=folder),  # A new one, for the host never writes over a run.
        **host.UNRECORDED,
    )
    changed = reg.conf.Model.getID(model).get_copy()
    changed.brain[module].update(options)
    begun.p.larva_groups[model].model = changed
    if experiment == "MB_patch_grid":
        begun.p.larva_groups[model].distribution.loc = PATCH
    begun.p.enrichment = no_analysis()  # Of the tracks; it takes longer than the run.
    with repeatable(1):
        begun.simulate(seed=1)
    return begun


def noted(monkeypatch: pytest.MonkeyPatch, kind: Any) -> list[Note]:
    """Return a list that takes down each step of a memory class, which itself stays as it is."""
    notes: list[Note] = []
    step = kind.step

    def noting(self: Any, *args: Any, **kwargs: Any) -> Any:
        gain = step(self, *args, **kwargs)
        agent = self.brain.agent
        notes.append(Note(agent.unique_id, self.step_id, dict(gain), tuple(agent.pos), kwargs["reward"]))
        return gain

    monkeypatch.setattr(kind, "step", noting)
    return notes


def kept(folder: Path) -> list[Row]:
    """Return the larvae that a state directory keeps, by name, and see that no last reply is an error."""
    with contextlib.closing(JournalReader(folder)) as reading:
        rows = reading.rows()
        for row in rows:
            life, _ = reading.find((row.sim_id, row.model_id))
            assert life is not None
            assert life.last is not None
            assert "MBONp" in life.last[1]
    return sorted(rows)


def end(server: Running, steps: int) -> None:
    """Stop a server, which must have answered every step, have refused none, and end in order."""
    assert server.stop() == 0
    assert server.lines[-1] == f"Stopped after {steps} steps."
    assert not [line for line in server.lines if "WARNING" in line or "ERROR" in line]


# That both give a server the same numbers is shown without the host, tests/server/test_brian_engine.py.
on_either_engine = pytest.mark.parametrize(
    "engines", [["kernel"], pytest.param(["kernel", "brian2"], marks=pytest.mark.long)], ids="-".join
)


@on_either_engine
def test_the_stock_memory_lives_on_either_engine(
    engines: list[str], monkeypatch: pytest.MonkeyPatch, stack: ExitStack, tmp_path: Path
) -> None:
    """Unmodified, in MB_patch_grid: all steps are answered; gains, tracks and what was learned are equal."""
    assert moduleDB.brainDB["memory"].dict["MB"]["olfaction"] is theirs.RemoteBrianModelMemory
    notes = noted(monkeypatch, theirs.RemoteBrianModelMemory)
    lives = []
    for engine in engines:
        notes.clear()
        server = stack.enter_context(Running(tmp_path / engine, "--engine", engine, *SCALE))
        options = {"server_port": server.address.port, "G": 1.0}
        finished = live(tmp_path, "MB_patch_grid", "max_forager_MB", "memory", options)
        ids = sorted(agent.unique_id for agent in finished.agents)
        learned = server.ask(*(Message(finished.id, larva, 0, PROBE) for larva in ids))
        end(server, LARVAE * STEPS)
        for memory, _ in host.memories(finished):
            assert type(memory) is theirs.RemoteBrianModelMemory
            assert memory.step_id == STEPS
        assert [row[:3] for row in kept(tmp_path / engine)] == [(finished.id, larva, STEPS) for larva in ids]
        lives.append((list(notes), learned))
    assert len(notes) == LARVAE * STEPS
    assert any(note.reward for note in notes)
    assert len({note.gain["Odor"] for note in notes}) > 1
    assert all(reply["probes"]["pentyl acetate"]["MBONp"] > 0 for reply in learned)
    assert all(life == lives[0] for life in lives)


@on_either_engine
def test_the_stock_receptors_live_on_either_engine(
    engines: list[str], monkeypatch: pytest.MonkeyPatch, stack: ExitStack, tmp_path: Path
) -> None:
    """`OSNOlfactor` of an OSNnavigator, unmodified, in chemorbit_OSN: all of it is answered, with equal rates."""
    ask = RemoteBrianModelInterface.executeRemoteModelStep
    rates: list[tuple[str, int, float]] = []

    def noting(*args: Any, **kwargs: Any) -> Any:
        reply = ask(*args, **kwargs)
        rates.append((reply.model_id, reply.step, reply.param("OSN_rate")))
        return reply

    monkeypatch.setattr(RemoteBrianModelInterface, "executeRemoteModelStep", noting)
    lives, steps = [], STEPS // 2
    for engine in engines:
        rates.clear()
        server = stack.enter_context(Running(tmp_path / engine, "--engine", engine))
        there = {"server_port": server.address.port}
        finished = live(tmp_path, "chemorbit_OSN", "OSNnavigator", "olfactor", there, steps=steps)
        end(server, LARVAE * steps)
        sensors = [agent.brain.modalities["olfaction"]["sensor"] for agent in finished.agents]
        assert {type(sensor) for sensor in sensors} == {their_sensors.OSNOlfactor}
        ids = sorted(agent.unique_id for agent in finished.agents)
        assert [row[:3] for row in kept(tmp_path / engine)] == [(finished.id, larva, steps) for larva in ids]
        ends = [(agent.pos, sensor.output) for agent, sensor in zip(finished.agents, sensors, strict=True)]
        lives.append((list(rates), ends))
    answered, _ = lives[0]
    assert sorted(rate[:2] for rate in answered) == [(larva, step) for larva in ids for step in range(steps)]
    assert len({rate for _, _, rate in answered}) > 3
    assert all(life == lives[0] for life in lives)


@pytest.mark.parametrize("smells", [True, False])
def test_the_stock_receptors_smell_where_the_server_is_told_their_range(
    monkeypatch: pytest.MonkeyPatch, stack: ExitStack, smells: bool
) -> None:
    """The output of `OSNOlfactor`, unmodified, moves far from 0 and 1 and back; without the option it stays at 0."""
    update = their_sensors.OSNOlfactor.update
    outputs: list[float] = []

    def noting(self: Any) -> None:
        update(self)
        outputs.append(float(self.output))

    monkeypatch.setattr(their_sensors.OSNOlfactor, "update", noting)
    told = ("--receptor-range", "22.5:27", "--receptor-smoothing-s", "0.3") if smells else ()
    server = stack.enter_context(Running(":memory:", "--concentration-scale", "0.01", *told))
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    live(folder, "chemorbit_OSN", "OSNnavigator", "olfactor", {"server_port": server.address.port})
    end(server, LARVAE * STEPS)
    later = outputs[LARVAE * 30 :]  # when receptors are used to the odor into which they were born
    if smells:
        assert min(later) < 0.35
        assert max(later) > 0.65
        assert sum(0.05 < output < 0.95 for output in later) > 0.9 * len(later)
    else:
        assert max(map(abs, later)) < 0.2  # what is left is the host's own reckoning of the change


def test_our_memory_on_the_server_is_the_one_in_process(
    plug_in: Callable[[str, str, type], None], monkeypatch: pytest.MonkeyPatch, stack: ExitStack, tmp_path: Path
) -> None:
    """In the host, with the same seed and ids: the same gains and tracks, tick for tick."""
    server = stack.enter_context(Running(tmp_path / "state", "--seed", "5"))
    on_server = {"server_host": "127.0.0.1", "server_port": server.address.port}
    lives = []
    for kind, where in ((ours.MushroomBodyMemory, {}), (ours.RemoteBrianModelMemory, on_server)):
        plug_in("MB", "olfaction", kind)
        with monkeypatch.context() as patched:
            notes = noted(patched, kind)
            options = {"G": 1.0, "concentration_scale": 0.25, "smoothing_s": 1.0, "seed": 7, **where}
            finished = live(tmp_path, "MB_patch_grid", "max_forager_MB", "memory", options)
        assert {type(memory) for memory, _ in host.memories(finished)} == {kind}
        lives.append(notes)
    end(server, LARVAE * STEPS)
    in_process, remote = lives
    assert len({note.gain["Odor"] for note in in_process}) > 20
    assert in_process == remote


def test_the_wheels_client_waits_for_nothing(stack: ExitStack) -> None:
    """On one kept connection, and on a new one for each step; and either way the numbers are the same."""
    server = stack.enter_context(Running(":memory:"))
    where = server.address.host, server.address.port

    def ask(client: Any, step: int) -> tuple[float, dict[str, Any]]:
        message = BrianInterfaceMessage(
            "run", "larva", step, odor_id=0, odor_concentration=1.0, T=100, warmup=0, step_id=step, reward=1
        )
        began = time.perf_counter()
        (reply,) = client.send([message])
        took_s = time.perf_counter() - began
        assert (reply.sim_id, reply.model_id, reply.step) == ("run", "larva", step)
        return took_s, reply.params

    with Client(where) as client:
        kept_open = [ask(client, step) for step in range(100)]
    anew = []
    for step in range(100):
        with Client(where) as client:
            anew.append(ask(client, step))
    end(server, 200)
    assert [reply for _, reply in kept_open] == [reply for _, reply in anew]
    assert kept_open[-1][1]["MBONp"] > 0
    for answers in (kept_open, anew):
        assert at_least_s([took_s for took_s, _ in answers]) < 0.02 or not WAITS_ARE_SEEN
