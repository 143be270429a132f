"""A figure never says what the result does not."""

import itertools
import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
from matplotlib.figure import Figure

from kenyon.conditioning import Design, Group, Phase, Probe, Stage, paradigm, run
from kenyon.conditioning.captions import labels
from kenyon.conditioning.figures import learning_figure
from kenyon.drawing import line_style, plain, save_figure
from kenyon.errors import DivergenceWarning, InputError, MismatchError
from kenyon.mushroom_body import BALANCED, PUBLISHED
from tests.conditioning.runs import tiny, varied

SECONDS: dict[str, Any] = {"trials": 2, "stimulus_s": 2.0, "pause_s": 1.0}


def panels(figure: Figure) -> list[Any]:
    """Return the axes of a figure: what was given, preference, rates, weights."""
    return list(figure.axes)


def legend(axes: Any) -> list[str]:
    """Return the labels of a legend, each on one line."""
    return [text.get_text().replace("\n", " ") for text in axes.get_legend().get_texts()]


def rows(figure: Figure) -> list[str]:
    """Return how the results are called in the panel that shows what they were given."""
    return [text.get_text().replace("\n", " ") for text in panels(figure)[0].get_yticklabels()]


def words(figure: Figure) -> str:
    """Return all that is written above and below the panels."""
    return f"{figure.get_suptitle()} {figure.get_supxlabel()}".replace("\n", " ")


def test_odor_and_reinforcement_are_those_of_each_result(tmp_path: Path) -> None:
    """Finding 26: reward on one odor beside punishment on another are two things, in words and in colors."""
    reward = tiny()
    punished = tiny({"cs": "anisole", "us": "punishment"})
    figure = learning_figure([reward, punished])
    assert rows(figure) == ["paired, pentyl acetate and reward", "paired, anisole and punishment"]
    assert legend(panels(figure)[0])[:4] == ["pentyl acetate", "reward", "anisole", "punishment"]
    assert len({tuple(bar.get_facecolor()[0]) for bar in panels(figure)[0].collections}) == 4
    assert [label.rpartition(": ")[2] for label in legend(panels(figure)[1])] == ["pentyl acetate", "anisole"]
    assert "Reward excites" in words(figure)
    assert "Punishment excites" in words(figure)
    save_figure(figure, tmp_path / "both.png")


def test_results_that_differ_are_never_called_alike() -> None:
    """The kind: each run that differs from another in anything has a label of its own beside it."""
    base, *others = (result for _, result in varied())
    for other in others:
        first, second = labels([base, other])
        assert first != second
    assert len(set(labels([base, *others]))) == 1 + len(others)
    three = [base, *others[:2]]
    assert rows(learning_figure(three)) == labels(three)


def test_what_was_never_given_is_not_shown() -> None:
    """No reward in the legend or the words of larvae that had none, though their paradigm has a word for it."""
    naive, odor = tiny({"name": "naive"}), tiny({"name": "odor-alone"})
    assert legend(panels(learning_figure([naive]))[0]) == ["test: on a copy, takes no time"]
    assert "eward" not in words(learning_figure([naive]))
    assert legend(panels(learning_figure([odor]))[0]) == ["pentyl acetate", "test: on a copy, takes no time"]
    assert "eward" not in words(learning_figure([odor]))
    assert "reward at 0.4" in words(learning_figure([tiny({"strength": 0.4})]))


def test_two_test_odors_look_different() -> None:
    """Finding 26, and for as many as there are: no two lines of a panel have one color, dashes and marker."""
    others = ["anisole", "3-octanol", "4,5-dimethylthiazole", "1-pentanol", "2-heptanone", "menthol"]
    figure = learning_figure([tiny({"test_odors": others}), *(tiny({"cs": odor}) for odor in others)])
    axes = panels(figure)[1]
    lines = [container.lines[0] for container in axes.containers]
    looks = {(line.get_color(), line.get_linestyle(), str(line.get_marker())) for line in lines}
    assert len(looks) == len(lines) == 1 + 2 * len(others)
    assert len({str(line_style(number)) for number in range(34)}) == 34


def test_larvae_that_diverged_are_named_in_the_picture() -> None:
    """Finding 26: in the headline, in the label, and crossed out from the test on at which they had."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergenceWarning)
        wild = PUBLISHED.replace(learning_rate_nS=3.0)
        design = paradigm(trials=2, stimulus_s=40, pause_s=5, test_s=0.5)
        result = run(design, larvae=3, parameters=wild, show_progress=False, weights=True).one
    diverged = result.diverged.values
    assert diverged.any()
    figure = learning_figure([result])
    count = int(diverged.any(axis=1).sum())
    assert f"{count} of 3 diverged" in figure.get_suptitle().replace("\n", " ")
    assert f"({count} of 3 diverged, see crosses)" in legend(panels(figure)[1])[0]
    assert "what they show is no memory" in words(figure)
    for axes in panels(figure)[1:]:
        crosses = sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() == "x" and line.get_linewidth())
        assert crosses >= count
    assert "diverged" not in words(learning_figure([tiny()]))


def test_tests_after_different_things_are_only_numbered() -> None:
    """The names of the longest result are not those of the others."""
    training, extinction = tiny({"trials": 3}), tiny({"name": "extinction", "trials": 1})
    ticks = [text.get_text() for text in panels(learning_figure([training, extinction]))[1].get_xticklabels()]
    assert ticks == ["test\n1", "test\n2", "test\n3", "test\n4"]
    ticks = [text.get_text() for text in panels(learning_figure([training, tiny()]))[1].get_xticklabels()]
    assert ticks == ["before", "training\n1", "training\n2", "training\n3"]


@pytest.mark.parametrize("trials", [1, 5, 12, 40])
def test_names_of_tests_do_not_lie_on_each_other(trials: int) -> None:
    """However many trials there were: seen by the boxes that matplotlib draws them in."""
    figure = learning_figure([tiny({"trials": trials})])
    figure.draw_without_rendering()
    for axes in panels(figure)[1:]:
        boxes = [text.get_window_extent() for text in axes.get_xticklabels() if text.get_text()]
        assert len(boxes) > 1
        assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))


@pytest.mark.parametrize("name", ["paired", "unpaired", "unpaired-reversed", "extinction", "naive"])
@pytest.mark.parametrize("cs", ["anisole", "pentyl acetate", "4,5-dimethylthiazole"])
def test_the_headline_keeps_a_mean_and_its_interval_on_one_line(name: str, cs: str) -> None:
    """Wherever it is wrapped."""
    lines = learning_figure([tiny({"name": name, "cs": cs})]).get_suptitle().split("\n")
    assert re.search(r"[+-]\d\.\d\d\s\[-?\d\.\d\d,\s-?\d\.\d\d\]$", lines[-1]), lines


NAMES = ["_hidden", "$x^^$ costs $5 frac", "a" * 100, "100 % {us} {0} <b> naïve ∀ β"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_one_s_own_can_be_drawn(name: str, tmp_path: Path) -> None:
    """Finding 18: as it is spelled, in the label, in the headline and as the name of a trial."""
    items = (Phase(0.01, {"anisole": 0.5}, punishment=2), Phase(0.02, punishment=2), Probe("anisole", 0.01))
    own = Design([Group(name, (Stage(items, name), Stage(items, name)))])
    result = run(own, larvae=2, show_progress=False, weights=True).one
    figure = learning_figure([result, tiny()])
    assert save_figure(figure, tmp_path / "own.png").read_bytes().startswith(b"\x89PNG")
    assert name[:30] in rows(figure)[0].replace(r"\$", "$")
    assert any(name[:30] in label.replace(r"\$", "$") for label in legend(panels(figure)[1]))
    assert plain(name).replace(r"\$", "$").strip()[:20] == name[:20]


def test_what_cannot_be_drawn_is_refused_in_a_sentence() -> None:
    """No results, no list of them, no dataset, one without a test, larvae to which different things were done."""
    result = tiny({"test_odors": ["anisole"]})
    for wrong, sentence in (([], "at least one experiment, got none"), (result, "pass \\[result\\]"),
                            ([3], "each of the results must be a Dataset")):  # fmt: skip
        with pytest.raises(InputError, match=sentence):
            learning_figure(wrong)  # type: ignore[arg-type]  # that is what is tested
    with pytest.raises(MismatchError, match="at least one test to be drawn"):
        learning_figure([result.isel(test_odor=[])])
    joined = xarray.concat(
        [result, tiny({"concentration": 0.1, "test_odors": ["anisole"]})], "larva", coords="different", compat="equals"
    )
    with pytest.raises(MismatchError, match="one design each"):
        learning_figure([joined])


def test_one_larva_can_be_drawn() -> None:
    """Without an interval, for there is none."""
    figure = learning_figure([tiny(larvae=1)])
    assert "One virtual larva" in figure.get_suptitle()
    assert "there is no interval" in words(figure)


def test_runs_joined_along_larvae_are_drawn_as_one_group() -> None:
    """Replicates of a paradigm under several seeds, all of which are named."""
    joined = xarray.concat([tiny(seed=1), tiny(seed=2)], "larva", coords="different", compat="equals")
    figure = learning_figure([joined])
    assert "Seeds 1, 2." in words(figure)
    assert "4 virtual larvae" in words(figure)


BACKENDS = ["module://nonsense", "module://matplotlib_inline.backend_inline", "nonsense", "tkagg"]

SCRIPT = """
import json, sys, os
from kenyon.drawing import new_figure, save_figure
figure = new_figure(3, 2)
figure.add_subplot().plot([1, 2])
save_figure(figure, sys.argv[1])
print(json.dumps(os.environ["MPLBACKEND"]))
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_figure_needs_no_backend(backend: str, tmp_path: Path) -> None:
    """Finding 22: whatever `MPLBACKEND` says, which it still says afterward."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "a.png")],
        env={**os.environ, "MPLBACKEND": backend}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert json.loads(done.stdout) == backend
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("names", [["paired"], ["extinction", "naive", "odor-alone"]])
def test_a_figure_is_drawn_and_kept(names: list[str], tmp_path: Path) -> None:
    """For one group or several, for many tests; the file is a picture, never overwritten silently."""
    figure = learning_figure([tiny({"name": name}, parameters=BALANCED) for name in names])
    assert len(figure.axes) == 3
    assert len(learning_figure([tiny(weights=True)]).axes) == 4
    file = save_figure(figure, tmp_path / "a.png")
    assert file.read_bytes().startswith(b"\x89PNG")
    for suffix, start in (("pdf", b"%PDF"), ("svg", b"<?xml")):
        assert save_figure(figure, tmp_path / f"a.{suffix}").read_bytes().startswith(start)
    with pytest.raises(InputError, match="exists already"):
        save_figure(figure, file)
    with pytest.raises(InputError, match="suffix"):
        save_figure(figure, tmp_path / "a.doc")


def test_the_mean_is_of_those_that_have_a_value() -> None:
    """Larvae of which a test is absent are left out, in silence; and a line goes over moments without such a test."""
    result = run("B = anisole: ?A, ?B, A 10ms, ?A, A 10ms, ?A 3s, ?B", larvae=3, show_progress=False).one
    result.preference_index.values[1, 0] = np.nan
    lines = [container.lines[0] for container in panels(learning_figure([result]))[1].containers]
    assert [len(line.get_xdata()) for line in lines] == [3, 2]
    assert all(np.isfinite(line.get_ydata()).all() for line in lines)
