"""Figures of a collected sweep: with its numbers, and refused where they would say nothing."""

from pathlib import Path

import numpy as np
import pytest
import xarray

from kenyon.conditioning.figures import response_figure
from kenyon.conditioning.statistics import interval
from kenyon.conditioning.sweeps import Store, Sweep, collect
from kenyon.errors import InputError, MismatchError
from tests.conditioning.drawn import error_bars, mean_lines, ys


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> xarray.Dataset:
    """Return three doses, three rates and two seeds, of which the last point is not done."""
    sweep = Sweep.grid(
        design="?A 100ms, A@$dose+ 500ms, ?A 100ms", dose=[0.01, 0.1, 1], learning_rate_nS=[0.1, 0.5, 1.0], seed=[1, 2],
        larvae=2,
    )  # fmt: skip
    store = Store(Path(tmp_path_factory.mktemp("store")))
    store.add({point.id: point.compute() for point in sweep[:-1]})
    return collect(store, sweep)


def test_one_axis_is_a_curve(swept: xarray.Dataset) -> None:
    """Of all larvae of both seeds, at their last test."""
    [axes] = response_figure(swept.isel(learning_rate_nS=0)).axes
    larvae = swept.preference_index.isel(learning_rate_nS=0, test=1, test_odor=0).values.reshape(3, 4)
    [line] = mean_lines(axes)
    assert ys(line) == pytest.approx(larvae.mean(axis=1))
    ends = np.array([bar.get_segments() for bar in error_bars(axes)[0].lines[2]])[0, ..., 1]
    assert ends == pytest.approx(interval(larvae.T))
    assert axes.get_xscale() == "log"


def test_two_axes_are_a_surface(swept: xarray.Dataset) -> None:
    """Of means over the larvae that are there."""
    figure = response_figure(swept)
    mesh = figure.axes[0].collections[0]
    means = swept.preference_index.isel(test=1, test_odor=0).mean(["seed", "larva"])
    assert np.asarray(mesh.get_array()) == pytest.approx(means.transpose("learning_rate_nS", "dose").values)
    assert "n = 2 to 4 larvae" in figure.get_supxlabel().replace("\n", " ")


def test_a_third_axis_makes_small_multiples(swept: xarray.Dataset) -> None:
    """Each of its own values, with the colors of all."""
    two = xarray.concat([swept.isel(seed=own).drop_vars("seed") for own in (0, 1)], dim="day", coords="different",
                        compat="equals").assign_coords(day=[1, 2])  # fmt: skip
    panels = response_figure(two).axes
    assert [axes.get_title(loc="left") for axes in panels[:2]] == ["learning_rate_nS = 0.1", "learning_rate_nS = 0.5"]
    first, second = (axes.collections[0] for axes in panels[:2])
    assert first.get_clim() == second.get_clim()
    for place, mesh in enumerate((first, second)):
        means = two.preference_index.isel(test=1, test_odor=0, learning_rate_nS=place).mean("larva")
        shown = np.asarray(mesh.get_array())
        assert shown == pytest.approx(means.transpose("dose", "day").values, nan_ok=True)


def test_an_axis_of_words_makes_lines_or_multiples(swept: xarray.Dataset) -> None:
    """A line for each over one axis of numbers, with its own larvae; a surface for each over two."""
    two = xarray.concat([swept.isel(seed=own).drop_vars("seed") for own in (0, 1)], dim="day", coords="different",
                        compat="equals").assign_coords(day=["first", "second"])  # fmt: skip
    [axes] = response_figure(two.isel(learning_rate_nS=0)).axes
    larvae = two.preference_index.isel(learning_rate_nS=0, test=1, test_odor=0)
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["first", "second"]
    for line, day in zip(mean_lines(axes), ("first", "second"), strict=True):
        assert ys(line) == pytest.approx(larvae.sel(day=day).mean("larva").values)
    assert [axes.get_title(loc="left") for axes in response_figure(two).axes[:2]] == ["day = first", "day = second"]


def test_the_caption_names_the_set_once(swept: xarray.Dataset) -> None:
    """And not each value of the constants that are varied."""
    words = response_figure(swept).get_supxlabel().replace("\n", " ")
    assert "parameters “larval with what is varied”. Seed 1, 2." in words
    words = response_figure(swept.isel(learning_rate_nS=0)).get_supxlabel().replace("\n", " ")
    assert "parameters “larval with learning_rate_nS=0.1”" in words


def test_nonsense_is_refused(swept: xarray.Dataset) -> None:
    """In a sentence."""
    with pytest.raises(InputError, match="result must be"):
        response_figure(3)
    with pytest.raises(InputError, match="odor"):
        response_figure(swept, odor="nothing")
    with pytest.raises(MismatchError, match="of a grid to be drawn"):
        response_figure(swept.isel(dose=0, learning_rate_nS=0, seed=0))
    with pytest.raises(MismatchError, match="must hold preferences"):
        response_figure(swept.drop_vars("preference_index"))
