import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from kenyon import __version__
from kenyon.conditioning import figures, load, paradigm, run, save, summary
from kenyon.conditioning.results import test_labels as labels_of
from kenyon.errors import FileFormatError, InputError
from kenyon.mushroom_body import BALANCED, PUBLISHED, Population
from kenyon.seeds import larva_seeds

SHORT: dict[str, Any] = {"trials": 2, "stimulus_s": 2.0, "pause_s": 1.0}


def short(name: str = "paired", larvae: int = 3, **options: Any) -> xarray.Dataset:
    """Run a paradigm of a few seconds."""
    return run(paradigm(name, **SHORT), larvae=larvae, test_s=0.5, show_progress=False, **options)


@pytest.fixture(scope="module")
def result() -> xarray.Dataset:
    """Return one short experiment."""
    return short("paired", test_odors=["anisole"], seed=5)


def test_a_result_says_by_itself_what_was_done(result: xarray.Dataset) -> None:
    """Id, seed, every parameter, versions, and the larvae's seeds."""
    assert result.attrs["paradigm_id"] == paradigm("paired", **SHORT).id
    assert result.attrs["seed"] == "5"
    assert PUBLISHED.replace(json.loads(result.attrs["parameter_values"])) == BALANCED
    assert json.loads(result.attrs["versions"])["kenyon"] == __version__
    assert result.larva_seed.values.tolist() == [str(seed) for seed in larva_seeds(5, 3)]
    assert labels_of(result) == ["before", "training 1", "training 2"]
    assert result.test_time_s.values.tolist() == [0, 3, 6]
    assert result.phase_start_s.values.tolist() == [0, 2, 3, 5]


def test_a_result_holds_what_the_population_does(result: xarray.Dataset) -> None:
    """The same steps by hand give the same numbers."""
    larvae = Population(BALANCED, larva_seeds(5, 3))
    for test in range(3):
        for odor in ("pentyl acetate", "anisole"):
            probe = larvae.probe(odor, 500)
            at = result.sel(test_odor=odor).isel(test=test)
            assert (at.test_mbonp_hz.values == probe.rate_hz("MBONp")).all()
            assert (at.preference_index.values == probe.preference_index).all()
        assert (result.w_kc_mbonn_nS.values[:, test] == larvae.state.w_kc_mbonn_nS).all()
        if test < 2:
            larvae.stimulate("pentyl acetate", reward=1.0)
            trial = larvae.advance(2000)
            assert result.phase_rate_hz.sel(group="DANp").values[:, 2 * test] == pytest.approx(trial.rate_hz("DANp"))
            larvae.stimulate()
            larvae.advance(1000)


def test_a_larva_is_the_same_in_a_larger_run(result: xarray.Dataset) -> None:
    """Its numbers do not depend on how many others there are."""
    larger = short("paired", larvae=5, test_odors=["anisole"], seed=5)
    assert larger.isel(larva=slice(3)).drop_vars("preference_interval").equals(result.drop_vars("preference_interval"))


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
    with pytest.raises(FileFormatError, match="must be a kenyon conditioning result of version 1, got None"):
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
        ({"test_odors": ["anisol"]}, "unknown odor 'anisol'; did you mean 'anisole'"),
        ({"test_s": 0.0}, "test duration must be above 0 s"),
        ({"test_s": math.nan}, "test duration must be a finite number"),
        ({"test_s": 0.00005}, "test duration must be a whole number of 0.1 ms steps"),
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


@pytest.mark.parametrize("names", [["paired"], ["extinction", "naive", "odor-alone"]])
def test_a_figure_is_drawn_and_kept(names: list[str], tmp_path: Path) -> None:
    """For one group or several, for many tests; the file is a picture, never overwritten silently."""
    figure = figures.learning_figure([short(name) for name in names])
    assert len(figure.axes) >= 4
    file = figures.save_figure(figure, tmp_path / "a.png")
    assert file.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="exists already"):
        figures.save_figure(figure, file)
    with pytest.raises(InputError, match="suffix"):
        figures.save_figure(figure, tmp_path / "a.doc")
    with pytest.raises(InputError, match="at least one experiment"):
        figures.learning_figure([])


def test_one_larva_can_be_drawn() -> None:
    """Without an interval, for there is none."""
    one = short("paired", larvae=1)
    assert np.isnan(one.preference_interval).all()
    assert "One virtual larva" in figures.learning_figure([one]).get_suptitle()


@pytest.mark.parametrize("dt_ms", [0.02, 0.07, 0.1, 0.13, 0.3, 0.7, 0.99, 1.0])
def test_a_phase_longer_than_5000_ms_at_any_time_step(dt_ms: float) -> None:
    """dt_ms=0.3, refractory_ms=1.8: durations that are inner constants are whole steps of whatever length."""
    parameters = BALANCED.replace(dt_ms=dt_ms, refractory_ms=6 * dt_ms)
    for steps in (10_000, 17_001):
        short = paradigm("paired", trials=1, stimulus_s=steps * dt_ms * 1e-3, pause_s=0.0)
        result = run(short, larvae=1, parameters=parameters, test_s=10 * dt_ms * 1e-3, show_progress=False)
        population = Population(parameters, larva_seeds(0, 1))
        population.stimulate("pentyl acetate", reward=1.0)
        population.advance(steps * dt_ms)
        assert (result.w_kc_mbonn_nS.values[:, 1] == population.state.w_kc_mbonn_nS).all()
        assert population.probe("anisole").duration_ms[0] == pytest.approx(3000, abs=dt_ms / 2)
