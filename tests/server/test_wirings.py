"""Measured wirings on a server: newborn larvae have the server's, loaded ones their own, and all are kept with it."""

import base64
from pathlib import Path

import numpy as np
import pytest

from kenyon.errors import InputError, MismatchError
from kenyon.mushroom_body import Population, Snapshot
from kenyon.seeds import larva_seed
from kenyon.server import Limits, Settings
from kenyon.wire import Message
from tests.server.running import Here, Running, kenyon, step

WIRING = "right-shuffled"


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
    with pytest.raises(MismatchError, match=r'"right-shuffled", got None; start with --wiring right-shuffled'):
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
