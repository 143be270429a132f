from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kenyon.live.served import ServedSource
from kenyon.mushroom_body import DEFAULT, Population, Record, drive
from kenyon.seeds import larva_seed
from kenyon.server import Settings
from kenyon.server.events import StepDone
from kenyon.server.serving import serving
from kenyon.wire import Message, close_connections, exchange
from tests.live.reading import Tape
from tests.server.running import wait_until

ODOR = "pentyl acetate"


def _step(larva: str, step: int, **more: Any) -> Message:
    return Message("run", larva, step, {"odors": {ODOR: 1.0}, "T": 100, "reward": step % 2, **more})


def test_larvae_that_are_served_are_shown_with_their_spikes() -> None:
    """They join as they come; the spikes of the one that is looked at are those of the same larva elsewhere."""
    settings = Settings(port=0, state_dir=":memory:")
    tape = Tape(1)
    source = ServedSource(settings, tape)
    with serving(settings, [source]) as address:
        for step in range(6):
            exchange(address, [_step(larva, step) for larva in ("Anna", "Bea", "Cleo")])
            if step == 2:
                wait_until(lambda: tape.of("frame"))
        exchange(address, [_step("Dora", 0, probe=[ODOR], probe_ms=300)])
        close_connections()
    source.end()
    joined = [name for message in tape.of("joined") for name in message["larvae"]]
    assert joined == ["Anna", "Bea", "Cleo", "Dora"]
    assert next(message["kind"] for message in tape.messages) == "begun"
    assert tape.messages[-1]["kind"] == "ended"
    assert set(tape.of("joined")[0]["groups"]) == {"run"}
    twin = Population(DEFAULT, [larva_seed(0, "run", "Bea")])
    expected: list[Counter[int]] = []
    for step in range(6):
        activity = twin.advance(100, drive(DEFAULT, ODOR, reward=step % 2), record=Record(spikes=True))
        assert activity.spikes is not None
        expected.append(Counter(activity.spikes[0][:, 1].tolist()))
    told = [{cell: len(times) for cell, *times in message["spikes"]} for message in tape.of("cells")]
    assert told == expected[1:]  # Of a newborn nobody knows what it was before.
    frame = tape.of("frame")[-1]
    assert len(frame["preference"][ODOR]) == 4
    assert frame["preference"][ODOR][3] is not None
    assert frame["rates"]["ORN"][3] > 0.0
    times = [frame["t_s"] for frame in tape.of("frame")]
    assert times == sorted(times)
    assert times[-1] >= 0.6


def test_a_listener_that_fails_costs_a_server_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Every step is answered, others hear of it, and the log says so."""
    heard: list[StepDone] = []

    def failing(_: StepDone) -> None:
        raise RuntimeError("no")

    with serving(Settings(port=0, state_dir=":memory:"), [failing, heard.append]) as address:
        replies = [exchange(address, [_step("Anna", step)])[0].kwargs for step in range(3)]
        close_connections()
    assert [event.asked.step for event in heard] == [0, 1, 2]
    assert [event.ids for event in heard] == [("run", "Anna")] * 3
    assert heard[0].before is None
    assert heard[1].before == heard[0].after
    assert all(reply["MBONp"] >= 0.0 for reply in replies)
    assert caplog.text.count("somebody who listens to this server has failed") == 3


def test_a_larva_that_was_kept_is_heard_of_from_where_it_is(tmp_path: Path) -> None:
    """After a restart its circuit has yet to be brought to where it was, and is not there before its first step."""
    settings = Settings(port=0, state_dir=str(tmp_path))
    for first in (0, 2):
        heard: list[StepDone] = []
        with serving(settings, [heard.append]) as address:
            for step in (first, first + 1):
                exchange(address, [_step("Anna", step)])
            close_connections()
        assert [event.asked.step for event in heard] == [first, first + 1]
        assert heard[1].before == heard[0].after
