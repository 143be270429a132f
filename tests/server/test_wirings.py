"""Measured wirings on a server: newborn larvae have the server's, loaded ones their own, and all are kept with it."""

import base64
from pathlib import Path

import numpy as np
import pytest

from kenyon.errors import InputError, MismatchError
from kenyon.mushroom_body import Population, Snapshot, drive
from kenyon.mushroom_body.parameters import DEFAULT
from kenyon.mushroom_body.state import pack
from kenyon.seeds import larva_seed
from kenyon.server import Limits, Settings
from kenyon.server.computing import KernelComputer
from kenyon.wire import Message
from tests.server.running import Here, Running, kenyon, step

WIRING = "left-shuffled"


def test_a_killed_server_goes_on_with_its_wiring(tmp_path: Path) -> None:
    """Step by step what the library does; also lived through again, exported without a server, and loaded."""
    larva = Population(seeds=[larva_seed(0, "run", 0)], wiring=WIRING)
    larva.advance(10)
    with Running(tmp_path, "--wiring", WIRING) as server:
        for number in range(6):
            larva.stimulate({"anisole": 0.5}, reward=1.0)
            rate_hz = larva.advance(20).rate_hz("KC")[0]
            assert server.ask(step("run", 0, number, odors={"anisole": 0.5}, reward=1.0))[0]["KC_rate"] == rate_hz
            if number == 3:
                server.kill()
                server.start()
        assert server.ask(Message("run", 0, 0, {"op": "ping"}))[0]["wiring"] == WIRING
        server.kill()
    told = kenyon("sessions", "export", "run", "0", "--state-dir", str(tmp_path), "--out", str(tmp_path / "larva.npz"))
    assert told.returncode == 0, told.stderr
    kept = Snapshot.load(tmp_path / "larva.npz")
    assert (kept.state.records == larva.state.records).all()
    with Here() as other:
        words = base64.b64encode(kept.to_bytes()).decode()
        other.ask(Message("run", 0, 6, {"op": "load", "snapshot": words}))
        rate_hz = larva.advance(20).rate_hz("KC")[0]
        assert other.ask(step("run", 0, 6, odors={"anisole": 0.5}, reward=1.0))[0]["KC_rate"] == rate_hz


def test_another_wiring_is_another_servers(tmp_path: Path) -> None:
    """Said in one sentence; without one the record is that of before there were any."""
    assert "wiring" not in Settings().record()
    with Here(tmp_path, wiring=WIRING) as server:
        server.ask(step("run", 0, 0))
    with pytest.raises(MismatchError, match=r'"left-shuffled", got None; start with --wiring left-shuffled'):
        Here(tmp_path).__enter__()
    with pytest.raises(InputError, match="unknown wiring 'rihgt'; did you mean 'right'"):
        Settings(wiring="rihgt")


def test_strengths_of_ones_own_come_as_a_snapshot() -> None:
    """The very larva; its strengths are longer than what a server reads at once unless it is told."""
    strengths = np.random.default_rng(1).random((72, 21))
    larva = Population(seeds=[3], pn_to_kc=strengths)
    with Here(limits=Limits(max_message_bytes=60_000)) as server:
        words = base64.b64encode(larva.snapshot().to_bytes()).decode()
        loaded = server.ask(Message("run", 0, 1, {"op": "load", "snapshot": words}))[0]
        assert "error" not in loaded, loaded
        larva.stimulate({"anisole": 0.5})
        rate_hz = larva.advance(20).rate_hz("KC")[0]
        assert server.ask(step("run", 0, 1, odors={"anisole": 0.5}))[0]["KC_rate"] == rate_hz


def test_larvae_of_several_sizes_are_advanced_at_once() -> None:
    """Each is what it is alone, in the kernel's batches and on a server whose newborn have another size."""
    larvae = [Population(seeds=[number], wiring=wiring) for number, wiring in enumerate(("left", "right", "left"))]
    packed = [pack(one.state)[0] for one in larvae]
    rates_hz = drive(DEFAULT, "anisole", reward=1.0)
    moved, spikes, _ = KernelComputer(DEFAULT).advance(
        packed, np.array([500, 700, 300]), np.tile(rates_hz, (3, 1)), plastic=True
    )
    for one, larva, fired, steps in zip(larvae, moved, spikes, (500, 700, 300), strict=True):
        activity = one.advance(steps * 0.1, rates_hz)
        assert pack(one.state)[0] == larva
        assert fired.tolist() == [activity.spikes_of(group)[0] for group in activity.layout.groups]
    with Here(wiring="left") as server:
        own = Population(seeds=[larva_seed(0, "run", 0)], wiring="left")
        own.advance(10)
        words = base64.b64encode(larvae[1].snapshot().to_bytes()).decode()
        server.ask(Message("run", 1, 1, {"op": "load", "snapshot": words}))
        replies = server.ask(*(step("run", place, place, odors={"anisole": 0.5}) for place in (0, 1)))
        for one, reply in zip((own, larvae[1]), replies, strict=True):
            one.stimulate({"anisole": 0.5})
            assert reply["KC_rate"] == one.advance(20).rate_hz("KC")[0]
