import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray

from kenyon import __version__
from kenyon.conditioning import Design, load, paradigm, run, save, summary
from kenyon.conditioning.file_format import packed, unpacked
from kenyon.conditioning.origin import parameters_of
from kenyon.conditioning.results import test_labels as labels_of
from kenyon.conditioning.variables import MEASURED
from kenyon.errors import FileFormatError, InputError
from kenyon.mushroom_body import BALANCED, DEFAULT, Population
from kenyon.mushroom_body.circuit import GROUPS
from kenyon.mushroom_body.parameters import constants
from kenyon.seeds import larva_seeds

SHORT: dict[str, Any] = {"trials": 2, "stimulus_s": 2.0, "pause_s": 1.0}


def short(name: str = "paired", larvae: int = 3, **options: Any) -> xarray.Dataset:
    """Run a paradigm of a few seconds."""
    tests = {"test_s": 0.5, "test_odors": options.pop("test_odors", ())}
    design = paradigm(name, **SHORT, **tests)
    result: xarray.Dataset = run(design, larvae=larvae, show_progress=False, weights=True, **options).one
    return result


@pytest.fixture(scope="module")
def result() -> xarray.Dataset:
    """Return one short experiment."""
    return short("paired", test_odors=["anisole"], seed=5)


def test_a_result_says_by_itself_what_was_done(result: xarray.Dataset) -> None:
    """Id, seed, every parameter, versions, and the larvae's seeds."""
    assert Design.read(result.design.item()) == paradigm("paired", **SHORT, test_odors=["anisole"], test_s=0.5)
    assert result.seed.item() == "5"
    assert result.test_s.values.tolist() == [0.5, 0.5]
    assert result.phase_odors.values.tolist() == ["pentyl acetate", "", "pentyl acetate", ""]
    assert result.phase_reward.values.tolist() == [1, 0, 1, 0]
    assert parameters_of(result) == DEFAULT
    assert json.loads(result.versions.item())["kenyon"] == __version__
    assert result.larva_seed.values.tolist() == [str(seed) for seed in larva_seeds(5, 3)]
    assert labels_of(result) == ["before", "training 1", "training 2"]
    assert result.test_time_s.values.tolist() == [0, 3, 6]
    assert result.phase_start_s.values.tolist() == [0, 2, 3, 5]


def test_a_result_holds_what_the_population_does(result: xarray.Dataset) -> None:
    """The same steps by hand give the same numbers."""
    larvae = Population(DEFAULT, larva_seeds(5, 3))
    for test in range(3):
        for odor in ("pentyl acetate", "anisole"):
            probe = larvae.probe(odor, 500)
            at = result.sel(test_odor=odor).isel(test=test)
            for group in GROUPS:
                assert (at.test_rate_hz.sel(group=group).values == probe.rate_hz(group)).all()
            assert (at.preference_index.values == probe.preference_index).all()
        assert (result.w_kc_mbonn_nS.values[:, test] == larvae.state.w_kc_mbonn_nS.astype(np.float32)).all()
        if test < 2:
            larvae.stimulate("pentyl acetate", reward=1.0)
            trial = larvae.advance(2000)
            assert result.phase_rate_hz.sel(group="DANp").values[:, 2 * test] == pytest.approx(trial.rate_hz("DANp"))
            larvae.stimulate()
            larvae.advance(1000)


def test_a_larva_is_the_same_in_a_larger_run(result: xarray.Dataset) -> None:
    """Its numbers do not depend on how many others there are; that they were more is said."""
    larger = short("paired", larvae=5, test_odors=["anisole"], seed=5).isel(larva=slice(3))
    about_all = ["larvae", "run_id", "larva_run_id"]
    assert larger.drop_vars(about_all).equals(result.drop_vars(about_all))
    assert (larger.larvae.item(), larger.run_id == result.run_id) == (5, False)


def test_a_result_survives_its_file(result: xarray.Dataset, tmp_path: Path) -> None:
    """Identical to the last bit, attributes included; never overwritten silently."""
    file = save(result, tmp_path / "a.nc")
    assert load(file).identical(result)
    with pytest.raises(InputError, match=r"a\.nc exists already"):
        save(result, file)
    save(result, file, overwrite=True)
    assert list(tmp_path.iterdir()) == [file]


def test_files_that_are_no_results_are_refused(result: xarray.Dataset, tmp_path: Path) -> None:
    """Truncated, foreign, or of another version: one sentence."""
    file = save(result, tmp_path / "a.nc")
    whole = file.read_bytes()
    for broken in (b"", whole[:100], whole[: len(whole) // 2], b"CDF nothing of the kind"):
        file.write_bytes(broken)
        with pytest.raises(FileFormatError, match=r"a\.nc must be"):
            load(file)
    xarray.Dataset({"x": 1}).to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    with pytest.raises(FileFormatError, match="must be a kenyon conditioning result of version 3, 2 or 1, got None"):
        load(tmp_path / "foreign.nc")
    with pytest.raises(FileNotFoundError, match=r"none\.nc"):
        load(tmp_path / "none.nc")


def test_summary_has_a_row_for_each_test_and_odor(result: xarray.Dataset) -> None:
    """Means and intervals of the dataset."""
    rows = summary(result)
    assert [(row["test_odor"], row["after"]) for row in rows][:4] == [
        ("pentyl acetate", "before"),
        ("pentyl acetate", "training 1"),
        ("pentyl acetate", "training 2"),
        ("anisole", "before"),
    ]
    assert rows[2]["preference_index"] == pytest.approx(float(result.preference_index[:, 2, 0].mean()))
    low, high = rows[2]["interval"]
    assert low <= rows[2]["preference_index"] <= high


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"larvae": 0}, "larvae must be an integer of at least 1 and at most 1000000, got 0"),
        ({"seed": -1}, "seed must be an integer of at least 0, got -1"),
        ({"threads": 0}, "threads must be an integer of at least 1"),
        ({"weights": 1}, "weights must be True or False"),
        ({"pn_to_kc": np.ones((3, 3))}, "pn_to_kc must have shape (K, 21) or"),
        ({"listeners": [3]}, "each listener must be a function of an event, got 3"),
        ({"engine": "brain2"}, "unknown engine 'brain2'; did you mean 'brian2'"),
    ],
)
def test_nonsense_is_refused(options: dict[str, Any], sentence: str) -> None:
    """Before anything is simulated."""
    with pytest.raises(InputError) as refusal:
        run(paradigm(), show_progress=False, **options)
    assert str(refusal.value).startswith(sentence)


def test_a_stimulus_of_no_whole_number_of_steps_is_refused() -> None:
    """Not rounded."""
    with pytest.raises(InputError, match="duration of a phase must be a whole number"):
        run(paradigm(stimulus_s=1.00005), larvae=1, show_progress=False)


def test_a_reinforcement_beyond_all_rates_is_refused() -> None:
    """Before the first larva is made, not in the middle of the run."""
    with pytest.raises(InputError, match="reward must be a finite number from 0 to"):
        run(paradigm(strength=1e6), larvae=1, show_progress=False)


DATA = Path(__file__).parent / "data"
OLD = DATA / "format_1.nc"


def test_a_file_of_format_version_1_is_read() -> None:
    """Made by commit ce2c37a. What it says is said as today; what it does not say is absent."""
    old = load(OLD)
    assert old.seed.item() == "5"
    assert parameters_of(old) == BALANCED
    assert np.isnan([*old.test_s.values, old.larvae.item()]).all()
    assert (old.run_id.item(), old.design.item()) == ("", "")
    assert "preference_interval" not in old
    assert_is_of_today(
        old, as_of_old(5, "punishment"), ["larva_run_id", "run_id", "test_s", "test_smelled", "larvae", "design"]
    )


def test_a_file_of_format_version_2_is_read() -> None:
    """Made by commit c576fc6; one that was joined of two runs, too, each larva of which keeps its own."""
    old = load(DATA / "format_2.nc")
    assert_is_of_today(old, as_of_old(5, "punishment"), ["larva_run_id", "run_id"])
    assert len(old.run_id.item()) == 16
    joined = load(DATA / "format_2_joined.nc")
    for larvae, us, seed in ((slice(2), "punishment", 5), (slice(2, 4), "reward", 6)):
        one, new = joined.isel(larva=larvae), as_of_old(seed, us)
        for name in ("preference_index", "phase_rate_hz", "larva_seed"):
            assert (one[name].values == new[name].values).all(), name
        for name in ("phase_reward", "phase_punishment", "design", "seed"):
            assert (one[name].values[0] == new[name].values).all(), name
    assert len([summary(own) for _, own in joined.groupby("run_id")]) == 2


def as_of_old(seed: int, us: str) -> xarray.Dataset:
    """Return what the old files hold, run today."""
    design = paradigm("paired", cs="anisole", concentration=0.5, us=us, strength=0.8, trials=1, stimulus_s=1.0,
                      pause_s=0.5, test_odors=["3-octanol"], test_s=0.2)  # fmt: skip
    return run(design, larvae=2, seed=seed, parameters=BALANCED, show_progress=False, weights=True).one


def assert_is_of_today(old: xarray.Dataset, new: xarray.Dataset, absent: list[str]) -> None:
    """Hold an old result against the same of today, except for what it does not say."""
    assert set(old.variables) == set(new.variables)
    for name in set(map(str, new.variables)) - {*absent, "versions", "phase_label", "parameters"}:
        theirs, ours = old[name].values, new[name].values
        if name == "test_rate_hz":
            theirs, ours = (rates[..., list(GROUPS).index("MBONp")] for rates in (theirs, ours))
        assert np.array_equal(theirs.astype(ours.dtype), ours, equal_nan=ours.dtype.kind == "f"), name
    assert [row["after"] for row in summary(old)[:2]] == ["before", "training"]


def rewritten(path: Path, change: Any) -> Path:
    """Return a copy of a result file in which something was changed."""
    with h5py.File(path, "r+") as file:
        change(file)
    return path


UNEXPECTED: list[Any] = [np.arange(3), 1.5, "3", b"\xff", True, 4, []]


@pytest.mark.parametrize(
    ("version", "value"), [*((3, value) for value in UNEXPECTED), (1, UNEXPECTED[0]), (1, UNEXPECTED[3])]
)
@pytest.mark.parametrize("name", ["format", "format_version"])
def test_attributes_of_an_unexpected_type_are_refused(
    version: int, name: str, value: Any, result: xarray.Dataset, tmp_path: Path
) -> None:
    """Finding 9: arrays, other numbers, text that is none: one sentence of ours."""
    file = save(result, tmp_path / "a.nc") if version == 3 else Path(shutil.copy(OLD, tmp_path / "a.nc"))
    rewritten(file, lambda inside: inside.attrs.__setitem__(name, value))
    with pytest.raises(FileFormatError) as refusal:
        load(file)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["seed", "parameter_values", "paradigm_id", "versions", "paradigm"])
@pytest.mark.parametrize("value", [None, np.arange(3), "{", '{"dt_ms": -1}'])
def test_nonsense_in_an_old_file_is_refused(name: str, value: Any, tmp_path: Path) -> None:
    """Or is text where any text will do."""
    file = Path(shutil.copy(OLD, tmp_path / "a.nc"))
    if value is None:
        rewritten(file, lambda inside: inside.attrs.__delitem__(name))
    else:
        rewritten(file, lambda inside: inside.attrs.__setitem__(name, value))
    if name in ("seed", "versions") and isinstance(value, str):
        assert load(file)[name].item() == value
        return
    with pytest.raises(FileFormatError, match=r"must be a whole (kenyon conditioning result|NetCDF file): "):
        load(file)


def test_a_file_in_which_anything_is_missing_or_of_another_kind_is_refused(result: xarray.Dataset) -> None:
    """Each variable of it, one after the other: left out, or filled with what does not belong there."""
    whole = packed(result)
    assert unpacked("whole.nc", whole).identical(result)
    broken = [*damaged(whole), *(whole.assign(made=json.dumps(made)) for made in damaged_json(whole.made.item()))]
    assert len(broken) > 200
    for file in broken:
        with pytest.raises(FileFormatError, match=r"whole\.nc must be a whole"):
            unpacked("whole.nc", file)


def damaged(whole: xarray.Dataset) -> Iterator[xarray.Dataset]:
    """Yield files in which a variable is missing or of another kind."""
    optional = {name for name, own in MEASURED.items() if own.kept_by}
    for name, variable in ((str(own), variable) for own, variable in whole.variables.items()):
        if name in whole.dims and variable.dtype.kind == "i":
            continue  # Positions, which xarray makes anew.
        wrong = "no" if variable.dtype.kind in "biuf" else 3.0
        if name not in optional:
            yield whole.drop_vars(name)
        if name not in whole.dims:
            yield whole.assign({name: (variable.dims, np.full(variable.shape, wrong))})


def damaged_json(words: str) -> Iterator[dict[str, Any]]:
    """Yield what a file says as JSON, with something missing or of another kind."""
    said = json.loads(words)
    made = said["coordinates"]
    for name, own in made.items():
        wrong: Any = "no" if own["kind"] in "biuf" else 3.0
        for _ in own["dims"]:
            wrong = [wrong] * len(own["values"])
        for broken in ({"values": wrong}, {"dims": ["nonsense"]}):
            yield {**said, "coordinates": {**made, name: {**own, **broken}}}
        if name != "kenyon_cells" and (
            name not in constants() or not constants()[name].later
        ):  # A file of before is without these.
            yield {**said, "coordinates": {other: value for other, value in made.items() if other != name}}
        yield {**said, "coordinates": {**made, name: 3}}


@pytest.mark.parametrize("dt_ms", [0.02, 0.07, 0.1, 0.13, 0.3, 0.7, 0.99, 1.0])
def test_a_phase_longer_than_5000_ms_at_any_time_step(dt_ms: float) -> None:
    """dt_ms=0.3, refractory_ms=1.8: durations that are inner constants are whole steps of whatever length."""
    parameters = BALANCED.replace(dt_ms=dt_ms, refractory_ms=6 * dt_ms)
    for steps in (10_000, 17_001):
        short = paradigm("paired", trials=1, stimulus_s=steps * dt_ms * 1e-3, pause_s=0.0, test_s=10 * dt_ms * 1e-3)
        result = run(short, larvae=1, parameters=parameters, show_progress=False, weights=True).one
        population = Population(parameters, larva_seeds(0, 1))
        population.stimulate("pentyl acetate", reward=1.0)
        population.advance(steps * dt_ms)
        assert (result.w_kc_mbonn_nS.values[:, 1] == population.state.w_kc_mbonn_nS.astype(np.float32)).all()
        assert population.probe("anisole").duration_ms[0] == pytest.approx(3000, abs=dt_ms / 2)
