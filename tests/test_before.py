"""Files that were made before eligibility was graded and dopamine left a trace are read, and go on as they would have.

`before` was made with the commit before there were those rules, under `balanced`: a snapshot, a memory, an experiment
stopped in the middle, its result, and what a server kept. `next.json` says what that commit gave next.
"""

import json
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from kenyon.conditioning import Experiment, paradigm, results, run
from kenyon.conditioning.origin import parameters_of
from kenyon.memory import MushroomBodyMemory, checkpoint
from kenyon.mushroom_body import BALANCED, LARVAL, Population, Snapshot
from kenyon.mushroom_body.parameters import constants
from kenyon.mushroom_body.state import unpack
from kenyon.server.batching import Batch
from kenyon.server.computing import KernelComputer
from kenyon.server.journal import Journal
from kenyon.server.journal_reader import JournalReader
from kenyon.server.settings import Settings
from kenyon.server.timelines import step
from tests.server.kept import FILE, asked

BEFORE = Path(__file__).parent / "before"
NEXT = json.loads((BEFORE / "next.json").read_text("utf-8"))
SHORT = paradigm("paired", trials=1, stimulus_s=1, pause_s=0.5, test_s=0.5)


def test_a_snapshot_goes_on() -> None:
    """Spike for spike, and weights to the last bit; a cell that fired had an eligibility of 1, others none."""
    larva = Population.from_snapshot(Snapshot.load(BEFORE / "snapshot.npz"))
    state = larva.state
    assert larva.parameters == BALANCED
    assert set(np.unique(state.kc_eligibility)) == {0.0, 1.0}
    assert ((state.kc_eligibility == 1.0) == np.isfinite(state.kc_silent_steps)).all()
    assert (state.dan_trace == 0.0).all()
    assert np.isinf(state.dan_silent_steps).all()
    counts = []
    for odor, reward, punishment, duration_ms in (("3-octanol", 0.0, 1.0, 300), ("pentyl acetate", 1.0, 0.0, 400)):
        larva.stimulate(odor, reward=reward, punishment=punishment)
        counts.append(larva.advance(duration_ms).counts.tolist())
    assert counts == NEXT["snapshot"]["counts"]
    assert [larva.state.w_kc_mbonp_nS.tolist(), larva.state.w_kc_mbonn_nS.tolist()] == NEXT["snapshot"]["w"]


def test_a_larva_from_before_can_live_on_under_the_rules() -> None:
    """As any other larva, from its first spike on."""
    larva = Population.from_snapshot(Snapshot.load(BEFORE / "snapshot.npz").under(LARVAL))
    larva.stimulate("pentyl acetate", reward=3.0)
    larva.advance(1000)
    eligibility, trace = larva.state.kc_eligibility, larva.state.dan_trace
    assert ((eligibility > 0.0) & (eligibility < 1.0)).any()
    assert (trace > 1.0).any()


def test_a_memory_goes_on() -> None:
    """The gains of the next ten ticks, made anew or put into one that is there."""
    (made,) = checkpoint.load(BEFORE / "memory.npz")
    there = MushroomBodyMemory(gain={"Odor": 0.0}, odors={"Odor": "pentyl acetate"}, parameters="balanced", seed=9)
    checkpoint.restore(BEFORE / "memory.npz", there)
    for memory in (made, there):
        gains = [memory.step(dx={"Odor": 0.1}, reward=True)["Odor"] for _ in range(10)]
        assert gains == NEXT["memory"]


def test_an_experiment_is_resumed_and_its_result_read() -> None:
    """It ends with the result that it had, of the same id as a run of today."""
    kept, today = (
        results.load(BEFORE / "result.nc"),
        run(SHORT, larvae=1, seed=2, parameters=BALANCED, show_progress=False).one,
    )
    resumed = Experiment.resume(BEFORE / "experiment.npz").run(show_progress=False).one
    for result in (kept, today, resumed):
        assert result.run_id.item() == NEXT["result"]["run_id"]
        assert result.preference_index.values.tolist() == NEXT["result"]["index"]
        assert parameters_of(result) == BALANCED
        assert set(constants()) <= set(result.coords)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of what a server kept."""
    shutil.copy(BEFORE / FILE, tmp_path)
    return tmp_path


def test_a_server_goes_on_with_what_it_kept(folder: Path) -> None:
    """Under the settings of before, with the same replies; those who only look find the same."""
    with (
        closing(JournalReader(folder)) as reading,
        closing(Journal(folder, Settings(parameters=BALANCED).record(), adopt=True)) as journal,
    ):
        life, _ = journal.find(("run", 1))
        looked_at, _ = reading.find(("run", 1))
    assert life is not None
    assert life == looked_at
    assert life.larva is not None
    assert unpack([life.larva]).kc_eligibility.max() in (0.0, 1.0)
    computer, circuit = KernelComputer(BALANCED), life.larva
    replies: list[str] = []
    for number in range(life.next_step, life.next_step + len(NEXT["journal"])):
        batch: Batch[None] = Batch(computer)
        batch.add(None, step(BALANCED, "random", circuit, life.seed, life.replay if not replies else (), asked(number)))
        while not (over := batch.round()):
            pass
        circuit = over[0].result.larva
        replies.append(over[0].result.reply)
    assert replies == NEXT["journal"]
