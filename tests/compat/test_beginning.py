"""What the larvae of a run of the host begin with, in runs that a user starts: memories from files, or a warning."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kenyon.errors import FileFormatError, InputError, KenyonError, MismatchError, MissingMemoryWarning
from kenyon.larvaworld_plugin import check, host, register, registered, run, save_memories, unregister
from kenyon.larvaworld_plugin.preference import preference
from kenyon.memory import checkpoint
from tests.compat.host import begun, simulate, simulated

LARVAE = 2


@pytest.fixture(autouse=True)
def nothing_stays_registered() -> Iterator[None]:
    """Every test begins and ends with the host's own classes."""
    unregister()
    yield
    unregister()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a file of what larvae of each kind have learned, by the name of their model."""
    folder, quick = tmp_path_factory.mktemp("trained"), {"forager_RL": {"update_dt": 0.02}, "forager_MB": {}}
    return {
        model: save_memories(
            folder / f"{model}.npz",
            run("PItrain_mini", model=model, larvae=LARVAE, minutes=0.3, memory=own, show_progress=False),
        )
        for model, own in quick.items()
    }


def memories(made: Any, group: str) -> list[Any]:
    """Return the memories of the larvae of a group."""
    return [agent.brain.modalities["olfaction"]["mem"] for agent in made.agents if agent.group == group]


def known(memory: Any) -> Any:
    """Return all that a memory has learned, as an array."""
    if hasattr(memory, "q_table"):
        return memory.q_table.copy()
    state = memory.population.state
    return np.concatenate([state.w_kc_mbonp_nS[memory.place], state.w_kc_mbonn_nS[memory.place]])


def is_known(made: Any, group: str, file: Path) -> bool:
    """Return whether each larva of a group knows what the one in its place in a file does."""
    held = checkpoint.load(file)
    own = memories(made, group)
    return len(own) == len(held) and all(np.array_equal(known(a), known(b)) for a, b in zip(own, held, strict=True))


@pytest.mark.parametrize("model", ["forager_RL", "forager_MB"])
def test_a_run_of_ones_own_begins_with_what_was_learned(
    model: str, trained: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen, as ever so many larvae of `run` with the same memories: the same tracks, to the last bit."""
    monkeypatch.chdir(trained[model].parent)
    file, options = Path(trained[model].name), {"frozen": True}
    given = run(
        "PItest_off", model=model, larvae=LARVAE, minutes=0.1, memories=file, memory=options, show_progress=False
    )
    with register(memories=file, frozen=True):
        monkeypatch.chdir(tmp_path)  # A path is of where it was given.
        said = run("PItest_off", model=model, larvae=LARVAE, minutes=0.1, show_progress=False)
        made = simulated(tmp_path, model, minutes=0.1, seed=0)
    assert [agent.trajectory for agent in made.agents] == [agent.trajectory for agent in given.host.agents]
    assert is_known(made, model, trained[model])
    assert said.dataset.identical(given.dataset.assign_coords(memories=str(trained[model])))


def test_learning_goes_on_unless_it_is_frozen(trained: dict[str, Path], tmp_path: Path) -> None:
    """`frozen` goes before what a model says."""
    model = "forager_MB"
    for frozen in (True, False):
        with register(memories=trained[model], frozen=frozen):
            made = begun(tmp_path / str(frozen), model, experiment="PItrain", minutes=0.05)
            changed = host.stored("Model", model)
            changed.brain.memory.frozen = False
            made.p.larva_groups[model].model = changed
            assert is_known(simulate(made), model, trained[model]) == frozen


def test_a_group_takes_its_own_file(trained: dict[str, Path], tmp_path: Path) -> None:
    """Groups without one begin naive; a file of all groups serves a run of the same ones."""
    models = ("forager_RL", "forager_MB", "forager")
    with register(memories={"forager_MB": trained["forager_MB"]}, frozen=True):
        made = simulated(tmp_path / "one", *models)
    assert is_known(made, "forager_MB", trained["forager_MB"])
    assert not any(known(memory).any() for memory in memories(made, "forager_RL"))
    with register(memories=trained, frozen=True):
        made = simulated(tmp_path / "each", *models)
    assert all(is_known(made, model, file) for model, file in trained.items())
    whole = save_memories(tmp_path / "all.npz", made)
    with register(memories=whole, frozen=True):
        made = simulated(tmp_path / "all", *models)
        assert all(is_known(made, model, file) for model, file in trained.items())
        with pytest.raises(MismatchError, match="must be of larvae of the model forager_MB, got those of forager_RL"):
            simulated(tmp_path / "turned", *reversed(models))


@pytest.mark.parametrize(
    ("models", "larvae", "experiment", "options", "sentence"),
    [
        (
            ["forager0_MB"],
            2,
            "PItest_off",
            {},
            "of the model forager0_MB, got those of forager_MB; run with that model",
        ),
        (["forager_RL"], 2, "PItest_off", {}, "of the model forager_RL, got those of forager_MB"),
        (["forager_MB"], 3, "PItest_off", {}, "as many larvae as are run with one, 3, but are of 2; run 2"),
        (["forager_MB", "forager_RL"], 2, "PItest_off", {}, "as many larvae as are run with one, 4, but are of 2"),
        (["forager"], 2, "PItest_off", {}, "as many larvae as are run with one, 0, but are of 2"),
        (["forager_MB"], 2, "patch_grid", {}, "must know a stimulus of this experiment, Odor, got CS, UCS"),
        (["forager_MB"], 2, "PItest_off", {"odors": {"CS": "3-octanol"}}, "CS must stand for what .* learned, pentyl"),
        (["forager_MB"], 2, "PItest_off", {"parameters": "published"}, "must have parameters='published', got"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_before_the_first_tick(
    models: list[str],
    larvae: int,
    experiment: str,
    options: dict[str, Any],
    sentence: str,
    trained: dict[str, Path],
    tmp_path: Path,
) -> None:
    """Of another model, of other odors, of another number of larvae, of another circuit."""
    with register(memories=trained["forager_MB"], options={"MB": options}):
        made = begun(tmp_path, *models, larvae=larvae, experiment=experiment)
        with pytest.raises(MismatchError, match=sentence):
            simulate(made)
        assert made.t == 0


def test_what_no_run_can_begin_with_is_refused_at_once(trained: dict[str, Path], tmp_path: Path) -> None:
    """No file, a file of something else, nonsense; what was registered stays."""
    foreign = tmp_path / "foreign.npz"
    np.savez(foreign, numbers=np.arange(3))
    refusals: list[tuple[dict[str, Any], type[KenyonError], str]] = [
        (
            {"memories": tmp_path / "none.npz"},
            InputError,
            r"memories must be a file that is there, got .*none\.npz; a run",
        ),
        ({"memories": foreign}, FileFormatError, "foreign"),
        ({"memories": {}}, InputError, "memories must be for at least one group"),
        (
            {"memories": {"forager_MB": "none"}},
            InputError,
            "memories of group 'forager_MB' must be a file that is there",
        ),
        ({"memories": {1: trained["forager_MB"]}}, InputError, "memories must be a mapping by name"),
        ({"memories": 3}, InputError, "memories must be the path of a file, got 3"),
        ({"frozen": "yes"}, InputError, "frozen must be True or False, got 'yes'"),
    ]
    with register(gain="published") as first:
        for arguments, error, sentence in refusals:
            with pytest.raises(error, match=sentence):
                register(**arguments)
        assert registered() == first.settings
    gone = tmp_path / "gone.npz"
    gone.write_bytes(trained["forager_MB"].read_bytes())
    with register(memories=gone):
        gone.unlink()
        with pytest.raises(InputError, match=r"memories must be a file that is there, got .*gone\.npz"):
            simulated(tmp_path / "gone", "forager_MB")
    with register(memories={"forager_BM": trained["forager_MB"]}):
        with pytest.raises(MismatchError, match="must be for groups of the run, 'forager_MB', got 'forager_BM'; name"):
            simulated(tmp_path / "named", "forager_MB")
        with pytest.raises(InputError, match="must begin naive and learn, but memories or frozen=True are registered"):
            preference(groups=1, larvae=1, show_progress=False)


def _asking(folder: Path, **memory: Any) -> Any:
    """Return a run of a group that asks for such a memory and has no toucher, beside a group with a good one."""
    made = begun(folder, "forager_RL", "forager_MB")
    changed = host.stored("Model", "forager_RL")
    changed.brain.memory = type(changed)(memory)
    made.p.larva_groups["forager_RL"].model = changed
    return made


@pytest.mark.parametrize(
    ("memory", "reason"),
    [
        (
            {"mode": "mb", "modality": "olfaction"},
            "no memory for mb for olfaction, and passes over it; did you mean 'MB'",
        ),
        ({"modality": "olfaction"}, "no memory for None for olfaction, and passes over it; known are"),
        (
            {"mode": "RL", "modality": "thermosensation"},
            "no memory for RL for thermosensation, and passes over it; known",
        ),
        ({"mode": "RL", "modality": "touch"}, "RL for touch needs a toucher, and its model has none"),
    ],
)
def test_who_lacks_the_memory_its_model_asks_for_is_named_at_once(
    memory: dict[str, str], reason: str, tmp_path: Path
) -> None:
    """In one warning when the run begins, although the host silences all warnings; and the run goes on."""
    with register(), warnings.catch_warnings():
        warnings.resetwarnings()
        warnings.simplefilter("ignore")  # as the host does
        with warnings.catch_warnings(record=True) as said:
            made = simulate(_asking(tmp_path, **memory))
    (warning,) = [one for one in said if one.category is MissingMemoryWarning]
    words = str(warning.message)
    assert words.startswith(
        "every larva whose model asks for a memory must have one that can learn, got otherwise for "
    )
    assert f"forager_RL_0 and 1 more: the host knows {reason}" in words or f"forager_RL_0 and 1 more: {reason}" in words
    assert [finding.reason == "" for finding in check(made)] == [False, False, True, True]


def test_an_unknown_option_is_refused_with_the_nearest_ones(tmp_path: Path) -> None:
    """Before the first tick."""
    with (
        register(),
        pytest.raises(InputError, match="an option of RLOlfMemory must be one it has, got 'alpa'; did you"),
    ):
        simulate(_asking(tmp_path, mode="RL", modality="olfaction", alpa=0.1))


def test_nobody_is_named_where_nobody_lacks_what_its_model_asks_for(tmp_path: Path) -> None:
    """Neither larvae that learn, nor those whose model asks for no memory."""
    with register(), warnings.catch_warnings():
        warnings.simplefilter("error", MissingMemoryWarning)
        simulated(tmp_path, "forager_MB", "forager")
