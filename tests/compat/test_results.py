"""What runs of the host say of themselves: all that made them, also when they are joined, and nothing else."""

import hashlib
import math
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from kenyon.drawing import save_figure
from kenyon.errors import MismatchError
from kenyon.larvaworld_plugin import run, save_memories, unregister
from kenyon.larvaworld_plugin.comparing import compare
from kenyon.larvaworld_plugin.figures import preference_figure, run_figure
from kenyon.larvaworld_plugin.panels import cast, sides
from kenyon.larvaworld_plugin.preference import preference

TINY: dict[str, Any] = {"model": "forager_RL", "larvae": 2, "minutes": 0.02, "every_s": 0.2, "show_progress": False}

OTHERWISE: dict[str, Any] = {
    "experiment": "PItest_off",
    "model": "forager_MB",
    "larvae": 3,
    "minutes": 0.03,
    "seed": 4,
    "every_s": 0.4,
    "memory": {"alpha": 0.3},
}
"""Another value for each argument of `run` that decides numbers."""


@pytest.fixture(autouse=True)
def nothing_stays_registered() -> Iterator[None]:
    """Every test begins and ends with the host's own classes."""
    unregister()
    yield
    unregister()


@pytest.fixture(scope="module")
def runs() -> dict[str, xarray.Dataset]:
    """Return a run, and others that differ from it in one thing each."""
    base = run("PItrain_mini", **TINY)
    varied = {"": base.dataset}
    for name, value in OTHERWISE.items():
        varied[name] = run(**{"experiment": "PItrain_mini", **TINY, name: value}).dataset
    varied["options"] = run("PItrain_mini", memory={"frozen": True}, **TINY).dataset
    return varied


def stated(result: xarray.Dataset) -> dict[str, Any]:
    """Return what a result says by its coordinates without dimensions."""
    return {str(name): value.item() for name, value in result.coords.items() if value.ndim == 0}


def same(one: Any, other: Any) -> bool:
    """Return whether two values are one; nan is."""
    return bool(one == other) or (isinstance(one, float) and isinstance(other, float) and math.isnan(one + other))


def test_every_run_says_the_same_things(runs: dict[str, xarray.Dataset]) -> None:
    """Whatever the memory is; what was varied is among them, and changes the id."""
    base = stated(runs[""])
    for name, result in runs.items():
        assert list(stated(result)) == list(base), name
        kinds = {own: type(value) for own, value in stated(result).items()}
        assert kinds == {own: type(value) for own, value in base.items()}, name
    for name, coordinate in {"memory": "memory.alpha", "options": "memory.frozen", "model": "learned_is"}.items():
        assert not same(stated(runs[name])[coordinate], base[coordinate])
    for name in ("experiment", "model", "larvae", "minutes", "seed", "every_s"):
        assert stated(runs[name])[name] != base[name]
    assert len({result.run_id.item() for result in runs.values()}) == len(runs)


def test_joined_runs_say_each_larva_s_own(runs: dict[str, xarray.Dataset]) -> None:
    """Along the larvae, and along a dimension of runs; a join that takes the first one's is found out."""
    parts = [runs[""], runs["seed"], runs["memory"], runs["options"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        joined, stacked = xarray.concat(parts, dim="larva"), xarray.concat(parts, dim="run")
    for number, part in enumerate(parts):
        for name, value in stated(part).items():
            for whole, place in ((joined, {"larva": 2 * number + 1}), (stacked, {"run": number})):
                of = whole[name].variable
                assert same(of.values[tuple(place[str(dim)] for dim in of.dims)], value), name
    lie = xarray.concat(parts[:2], dim="larva", coords="minimal", compat="override")
    with pytest.raises(MismatchError, match="every larva must be of the run that the result states"):
        run_figure(lie)
    with pytest.raises(MismatchError, match="one seed each"):
        run_figure(joined)


SCRIPT = """
import hashlib
from kenyon.larvaworld_plugin import run
made = run("PItrain_mini", larvae=2, minutes=0.1, seed=5, show_progress=False).dataset
print("id", made.run_id.item(), hashlib.sha256(made.gain.values.tobytes() + made.x.values.tobytes()).hexdigest())
"""


def test_a_seed_gives_the_same_run_of_the_same_id_in_any_process() -> None:
    """Although the host draws the phase of its oscillators when it is imported.

    In new ones: runs of Larvaworld's own, which other tests start here, leave its stored experiment changed.
    """
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    ]
    one, other = (process.communicate()[0].splitlines()[-1] for process in both)
    assert one == other
    assert re.fullmatch("id [0-9a-f]{16} [0-9a-f]{64}", one)


def test_memories_count_by_what_they_hold(tmp_path: Path) -> None:
    """Not by the name of their file."""
    begun = run("PItrain_mini", **TINY)
    first = save_memories(tmp_path / "a.npz", begun)
    second = tmp_path / "b.npz"
    second.write_bytes(first.read_bytes())
    one, other = (run("PItrain_mini", memories=file, **TINY).dataset for file in (first, second))
    assert one.run_id.item() == other.run_id.item() != begun.dataset.run_id.item()
    assert one.memories.item() != other.memories.item()
    assert one.memories_sha256.item() == hashlib.sha256(first.read_bytes()).hexdigest()


def texts(figure: Any) -> list[str]:
    """Return the titles and legends of the panels."""
    legends = [axes.get_legend() for axes in figure.axes]
    labels = [text.get_text() for legend in legends if legend for text in legend.get_texts()]
    return [axes.get_title(loc="left") for axes in figure.axes] + labels


@pytest.mark.parametrize(
    ("experiment", "model", "where", "panels"),
    [
        ("PItest_off", "forager_RL", {"CS": "left", "UCS": "right"}, ["How far left", "Larvaworld's preference index"]),
        ("PItrain_mini", "forager_RL", {}, ["Gain of CS", "Gain of UCS"]),
        ("maze", "RLnavigator", {}, ["Gain of Odor"]),
        ("single_odor_patch", "forager0_RL", {}, ["Gain of Odor"]),
    ],
)
def test_a_figure_leaves_out_what_means_nothing(
    experiment: str, model: str, where: dict[str, str], panels: list[str], tmp_path: Path
) -> None:
    """Sides, where no odor is on one alone; food, where nobody had to find it or did; gains that never change."""
    result = run(experiment, **{**TINY, "model": model}).dataset
    assert sides(result) == where
    figure = run_figure(result)
    titles = texts(figure)
    assert [title[: len(start)] for title, start in zip(titles, panels, strict=False)] == panels
    assert [title.split(";")[0] for title in titles[len(panels) :]] == ["Tracks", "What each larva has learned"]
    assert any("CS is left, UCS is right" in title for title in titles) == bool(where)
    found = run_figure(result.assign(on_food=result.on_food | (result.time > 0.5)))
    assert any("on food" in title for title in texts(found)) == (experiment == "single_odor_patch")
    assert save_figure(figure, tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")


def test_a_larva_has_one_color_and_one_number_in_all_panels(runs: dict[str, xarray.Dataset]) -> None:
    """From the one that learned least to the one that learned most; of several groups, the color of its own."""
    result = runs["experiment"].assign(learned=(("larva", "stimulus"), [[0.4, 0.1], [0.2, np.nan]]))
    who = cast(result)
    assert who.order == [1, 0]
    across, _, tracks, learned = run_figure(result).axes
    for axes in (across, tracks, learned):
        drawn = {tuple(line.get_color()) for line in axes.get_lines()}
        assert {tuple(color) for color in who.colors} <= drawn
    ends: dict[str, Any] = {text.get_text(): vars(text)["xy"] for text in tracks.texts if text.get_text() in ("0", "1")}
    x, y = result.x.values[:, -1] * 1e3, result.y.values[:, -1] * 1e3
    assert ends == {"0": (x[0], y[0]), "1": (x[1], y[1])}
    assert [(text.get_text(), vars(text)["xy"][1]) for text in learned.texts] == [("0", 0.4), ("1", 0.2), ("0", 0.1)]


def test_groups_are_told_apart_and_each_has_learned_in_its_own_way(runs: dict[str, xarray.Dataset]) -> None:
    """Larvae have the color of their group; a gain and a preference index are on axes of their own."""
    result = runs["experiment"].assign_coords(
        group=("larva", ["one", "other"]),
        model=("larva", ["forager_RL", "forager_MB"]),
        learned_is=("larva", ["best gain on average over states", "preference index of the output neurons"]),
    )
    who = cast(result)
    assert [who.means[name][1] for name in ("one", "other")] == who.colors
    figure = run_figure(result)
    assert [axes.get_ylabel() for axes in figure.axes[-2:]] == ["best gain", "MBON preference index"]
    assert "2 forager_RL, forager_MB in PItest_off" in figure.get_suptitle()


def test_a_run_that_ends_early_is_said_to_be_as_long_as_it_was(runs: dict[str, xarray.Dataset]) -> None:
    """In the headline stands the time that was lived, not that which was planned."""
    short = runs[""].isel(time=[0, 1])
    assert f"{float(short.time[-1]) / 60:g} min" in run_figure(short).get_suptitle().replace("\n", " ")


def test_preferences_of_several_runs_can_be_joined() -> None:
    """Each group says its own; intervals are of the groups that are there."""
    how: dict[str, Any] = {"model": "forager_RL", "larvae": 1, "trials": 1, "phase_min": 0.01, "test_min": 0.02,
                           "conditions": ["paired"], "show_progress": False}  # fmt: skip
    one = preference(groups=3, **how)
    other = preference(groups=2, seed=9, **{**how, "test_min": 0.03})
    assert not any("interval" in str(name) for name in one.variables)
    assert list(stated(one)) == list(stated(other))
    joined = xarray.concat([one, other], "group", coords="different", compat="equals")
    assert joined.test_min.values.tolist() == [0.02] * 3 + [0.03] * 2
    assert joined.seed.values.tolist() == ["0"] * 3 + ["9"] * 2
    assert joined.group_run_id.values.tolist() == joined.run_id.values.tolist()
    (row,) = compare(joined)
    assert row["interval"][0] <= row["preference"] <= row["interval"][1]
    (alone,) = compare(one.isel(group=[1]))
    assert np.isnan(alone["interval"]).all()
    lie = xarray.concat([one, other], "group", coords="minimal", compat="override")
    with pytest.raises(MismatchError, match="every group must be of the run that the result states"):
        compare(lie)
    with pytest.raises(MismatchError, match=r"one (test_min|seed) each"):
        preference_figure(joined)
