import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import larvaworld
import pytest
from larvaworld.lib import reg
from larvaworld.lib.model.modules import memory as own
from larvaworld.lib.model.modules.module_modes import BrainModuleDB, moduleDB
from larvaworld.lib.sim.batch_run import BatchRun
from larvaworld.lib.sim.subprocess_run import Exec

from kenyon.errors import InputError, MismatchError, MissingMemoryWarning
from kenyon.larvaworld_plugin import check, host, register, registered, unregister
from kenyon.larvaworld_plugin.memories import CALIBRATED_G
from kenyon.memory import MushroomBodyMemory, RemoteBrianModelMemory, RLOlfMemory, RLTouchMemory, checkpoint
from kenyon.mushroom_body.parameters import DEFAULT_NAME, NAMED
from tests.compat.host import begun, simulated

PLACES = (("RL", "olfaction"), ("RL", "touch"), ("MB", "olfaction"), ("MB", "touch"))


@pytest.fixture(autouse=True)
def nothing_stays_registered() -> Iterator[None]:
    """Every test begins and ends with the host's own classes."""
    unregister()
    yield
    unregister()


def classes() -> list[Any]:
    """Return what the host would build, by both of its tables."""
    tables = moduleDB.brainDB["memory"].dict, BrainModuleDB.BrainModuleModes.memory
    return [table[mode][modality] for table in tables for mode, modality in PLACES]


def test_registering_can_be_undone() -> None:
    """Both tables hold ours, with the modality fixed, and then again the very same as before."""
    before = classes()
    registration = register()
    kinds = RLOlfMemory, RLTouchMemory, MushroomBodyMemory, MushroomBodyMemory
    assert all(issubclass(kind, ours) for kind, ours in zip(classes(), kinds * 2, strict=True))
    assert [kind.param["modality"].default for kind in classes()[:4]] == [modality for _, modality in PLACES]
    assert registered() == registration.settings
    registration.undo()
    assert all(a is b for a, b in zip(classes(), before, strict=True))
    assert before[0] is own.RLOlfMemory
    assert registered() is None
    with register(remote=True):
        assert issubclass(classes()[2], RemoteBrianModelMemory)
        register(gain="published")  # in place of the one before
        assert classes()[2].param["G"].default == 0.001
    registration.undo()  # a second time means nothing
    unregister()
    assert all(a is b for a, b in zip(classes(), before, strict=True))
    assert "__reduce_ex__" not in BatchRun.__dict__


def test_a_gain_is_calibrated_for_the_set_of_constants() -> None:
    """Whichever a model or a registration names, unless it names a gain; of a server the default is expected."""
    assert set(CALIBRATED_G) == set(NAMED)
    usual = CALIBRATED_G[DEFAULT_NAME]
    for name, gain in CALIBRATED_G.items():
        with register(options={"MB": {"parameters": name}}):
            assert gain == classes()[2]().G
            assert classes()[2](G=5.0).G == 5.0
        with register():
            assert gain == classes()[2](parameters=name).G
            assert usual == classes()[2]().G
        with register(options={"MB": {"G": 7.0}}):
            assert classes()[2](parameters=name).G == 7.0
        with register(gain="published"):
            assert classes()[2](parameters=name).G == 0.001
    with register(remote=True):
        assert usual == classes()[2](sim_id=0, model_id=0).G


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"options": {"MB": {"parameters": ["larval"]}}}, "unknown parameters"),
        ({"gain": "loud"}, "unknown gain 'loud'; known are calibrated, published"),
        ({"options": {"MB": {"G": "much"}}}, "G must be a finite number"),
        ({"options": {"MB": {"probems": 1}}}, "must be one it has, got 'probems'; did you mean 'probe_ms'"),
        ({"options": {"XX": {}}}, "unknown mode of options 'XX'"),
        ({"other_versions": "ignore"}, "unknown other_versions 'ignore'"),
    ],
)
def test_nonsense_is_refused_and_nothing_is_changed(arguments: dict[str, Any], sentence: str) -> None:
    """Before anything is put anywhere; what was registered before stays."""
    with register(gain="published") as first:
        before = classes()
        with pytest.raises(InputError, match=sentence):
            register(**arguments)
        assert registered() == first.settings
        assert all(a is b for a, b in zip(classes(), before, strict=True))


def test_another_version_of_the_host_is_refused_or_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a sentence that says which are known; only the number is not the real one here."""
    monkeypatch.setattr(host, "version", lambda: "3.0.0")
    before = classes()
    with pytest.raises(MismatchError, match=r"must be 2\.4\.0 or 2\.5\.1, got 3\.0\.0; install one of these, or pass"):
        register()
    assert all(a is b for a, b in zip(classes(), before, strict=True))
    with pytest.warns(UserWarning, match=r"got 3\.0\.0"), register(other_versions="warn"):
        assert registered() is not None


def test_larvae_without_memory_do_the_same_with_and_without_the_plug_in(tmp_path: Path) -> None:
    """To the last bit of their tracks."""
    tracks = []
    for number in range(3):
        if number == 1:
            register()
        else:
            unregister()
        run = simulated(tmp_path / str(number), "forager_x2", minutes=0.1)
        tracks.append([agent.trajectory for agent in run.agents])
    assert tracks[0] == tracks[1] == tracks[2]


def _content(folder: Path) -> dict[str, str]:
    # The host counts its own runs in SimIdx.txt.
    files = (p for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc" and p.name != "SimIdx.txt")
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_nothing_is_written_into_the_installation(tmp_path: Path) -> None:
    """Every file of Larvaworld is as it was, and so are its stored models in memory."""
    folder = Path(larvaworld.__file__).parent
    before, models = _content(folder), json.dumps(reg.conf.Model.dict, default=str, sort_keys=True)
    with register():
        simulated(tmp_path, "forager_MB")
    assert _content(folder) == before
    assert json.dumps(reg.conf.Model.dict, default=str, sort_keys=True) == models


def test_a_look_at_a_run_says_which_memory_is_really_active(tmp_path: Path) -> None:
    """Ours, the host's own, none asked for, or none for want of a sensor."""
    run = begun(tmp_path / "0", "forager_RL")
    with pytest.raises(MismatchError, match="must have larvae to be looked at, got none"):
        check(run)
    run = simulated(tmp_path / "1", "forager_RL")
    (first, _) = check(run)
    assert (first.larva, first.configured, first.ours) == ("forager_RL_0", "RL for olfaction", False)
    assert "host's own; call kenyon.larvaworld_plugin.register()" in first.reason
    with pytest.raises(
        MismatchError, match="got otherwise for forager_RL_0 and 1 more: RL for olfaction is one of the host"
    ):
        check(run, require=True)
    with register():
        run = simulated(tmp_path / "2", "forager_RL")
        assert [(f.memory, f.ours, f.reason) for f in check(run, require=True)] == [("RLOlfMemory", True, "")] * 2
        assert check(simulated(tmp_path / "3", "forager"))[0].configured is None
        blind = begun(tmp_path / "4", "forager_RL")
        model = host.stored("Model", "forager_RL")
        model.brain.olfactor = None
        blind.p.larva_groups["forager_RL"].model = model
        with pytest.warns(MissingMemoryWarning, match="forager_RL_0 and 1 more: RL for olfaction needs an olfactor"):
            blind.simulate()
        assert check(blind)[0].reason == "RL for olfaction needs an olfactor, and its model has none"


def test_a_table_holds_what_can_be_sensed_and_nothing_else(tmp_path: Path) -> None:
    """Not the odor of the model that no source has; one table for each odor there is."""
    with register():
        run = simulated(tmp_path, "forager_RL", experiment="PItrain_mini")
    memory = run.agents[0].brain.modalities["olfaction"]["mem"]
    assert set(memory.best_gain) == {"CS", "UCS"}
    assert memory.q_table.shape == (2, 1, 4)
    assert memory.gain is run.agents[0].brain.olfactor.gain
    assert memory.gain["CS"] == -300.0  # chosen at the first step, and not lost when the sensor meets the odor


def kept(path: Path, larvae: int) -> str:
    """Return a file of what so many larvae know that learn by Q-learning about the odors of PItrain."""
    known = [RLOlfMemory(gain={"CS": 0.0, "UCS": 0.0}, table="factored", only_sensed=True, model_id=i)
             for i in range(larvae)]  # fmt: skip
    return str(checkpoint.save(path, known))


BATCH = """
import sys, tempfile, warnings
warnings.simplefilter("ignore")
from larvaworld.lib import reg
from larvaworld.lib.sim.batch_run import BatchRun
from kenyon.larvaworld_plugin import register, unregister

def batch():
    run = BatchRun(
        experiment="PItest_off", id="batch", dir=tempfile.mkdtemp(), store_data=False, exp="PItrain",
        exp_kws={"enrichment": None, "experiment": "PItrain"},
        space_search={"decay_coef": {"values": [0.2]}},  # of several the host itself fails to read what came out
        modelIDs=["forager_RL"], N=1, duration=1.1, screen_kws={"vis_mode": None},
    )
    return run.run(n_jobs=2, display=False)

for turn in sys.argv[1:]:
    unregister()
    if turn != "host's":
        register(memories=None if turn == "ours" else turn)
    try:
        print(turn, len(batch().info) > 0)
    except Exception as failure:
        print(turn, type(failure).__name__)
"""


@pytest.mark.skipif(
    not host.seeds_itself(), reason="Larvaworld 2.4.0 can build no batch run: it sets a name that param holds constant"
)
def test_a_parallel_batch_takes_the_registration_along_and_leaves_it_behind(tmp_path: Path) -> None:
    """The host's own class ends at the second update, for odors that came later; ours goes on.

    The memories that were registered go along, too: those of one larva serve, those of two are refused there. The
    worker processes of joblib are kept between batches, so the last batch shows that they forget.
    """
    script = tmp_path / "batch.py"
    script.write_text(BATCH)
    one, two = (kept(tmp_path / f"{larvae}.npz", larvae) for larvae in (1, 2))
    command = [sys.executable, str(script), "host's", "ours", one, two, "host's"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    said = [line for line in done.stdout.splitlines() if line.startswith(("ours", "host's", one, two))]
    expected = ["host's IndexError", "ours True", f"{one} True", f"{two} MismatchError", "host's IndexError"]
    assert said == expected, done.stdout + done.stderr


def test_a_run_in_a_process_of_its_own_registers_first(tmp_path: Path) -> None:
    """With the model for which the host's own class ends in an error; and it says so where it cannot."""
    conf = begun(tmp_path, "forager_RL", experiment="PItrain", minutes=1.1).p
    conf.update(store_data=False, dir=str(tmp_path / "external"))
    environment = {**os.environ, "SDL_VIDEODRIVER": "dummy"}
    for larvae, status in ((2, 0), (3, 1)):
        with register(memories=kept(tmp_path / f"{larvae}.npz", larvae)):
            execution = Exec("sim", conf, "PItrain", run_externally=True)
            execution.run(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
            out, errors = execution.process.communicate(timeout=300)
        assert execution.process.returncode == status, out + errors
    assert errors.strip().endswith("as many larvae as are run with one, 2, but are of 3; run 3")
    command = [sys.executable, "-m", "kenyon.larvaworld_plugin.external", '{"gain": "loud"}', "sim", str(tmp_path)]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    assert refused.stderr.strip() == "unknown gain 'loud'; known are calibrated, published"


def test_a_mushroom_body_for_touch_needs_to_be_told_what_touch_smells_of(tmp_path: Path) -> None:
    """Without a mapping it is refused in a sentence; with one it lives."""

    def run(number: int) -> Any:
        touching = begun(tmp_path / str(number), "RLtoucher_2", experiment="tactile_detection")
        model = host.stored("Model", "RLtoucher_2")
        model.brain.memory = type(model)({"mode": "MB", "modality": "touch"})
        touching.p.larva_groups["RLtoucher_2"].model = model
        touching.simulate()
        return touching

    with register(), pytest.raises(InputError, match="stimulus 'touch_sensor_0' must stand for a measured odor"):
        run(0)
    with register(touch_odors={"touch_sensor_0": "pentyl acetate", "touch_sensor_2": "3-octanol"}):
        memory = run(1).agents[0].brain.modalities["touch"]["mem"]
    assert memory.stimuli == ["touch_sensor_0", "touch_sensor_2"]
    assert memory.step_id > 0
