"""A figure never says what the result does not."""

import itertools
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
from matplotlib.figure import Figure, SubFigure
from matplotlib.text import Text

from kenyon.conditioning import Design, Group, Phase, Probe, Results, Stage, paradigm, run
from kenyon.conditioning.figures import compose, groups, learning_figure, odor_map
from kenyon.conditioning.figures.captions import labels
from kenyon.drawing import line_style, plain, save_figure
from kenyon.errors import DivergenceWarning, InputError, MismatchError
from kenyon.mushroom_body import BALANCED, PUBLISHED
from tests.conditioning.drawn import mean_lines, xs, ys
from tests.conditioning.runs import of, tiny, varied


def legend(axes: Any) -> list[str]:
    """Return the labels of a legend, each on one line."""
    return [text.get_text().replace("\n", " ") for text in axes.get_legend().get_texts()]


def lanes(axes: Any) -> list[str]:
    """Return what is written beside a timeline: the groups and what there is of each."""
    return [text.get_text().replace("\n", " ") for text in (*axes.texts, *axes.get_yticklabels())]


def words(figure: Figure) -> str:
    """Return all that is written above and below the panels."""
    return f"{figure.get_suptitle()} {figure.get_supxlabel()}".replace("\n", " ")


def texts(figure: Figure) -> Iterator[Text]:
    """Give every text that is seen."""
    yield from (text for text in figure.findobj(Text) if _seen(text) and not _of_axis(figure, text))
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            places = zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)
            yield from (text for at, text in places if low <= at <= high and _seen(text))


def _seen(text: Text) -> bool:
    return bool(text.get_text().strip()) and text.get_visible()


def _of_axis(figure: Figure, text: Text) -> bool:
    return any(text in axis.get_ticklabels(which="both") for axes in figure.axes for axis in (axes.xaxis, axes.yaxis))


def test_odor_and_reinforcement_are_those_of_each_result() -> None:
    """Finding 26: reward on one odor beside punishment on another are two things, in words and in colors."""
    figure = learning_figure([tiny(), tiny({"cs": "anisole", "us": "punishment"})])
    timeline, curves = figure.axes[:2]
    assert lanes(timeline) == [
        "paired, pentyl acetate and reward", "paired, anisole and punishment",
        "pentyl acetate", "reward", "test (on a copy)", "anisole", "punishment", "test (on a copy)",
    ]  # fmt: skip
    assert len({tuple(np.asarray(bar.get_facecolor())[0]) for bar in timeline.collections}) == 4
    assert [label.rpartition(": ")[2] for label in legend(curves)] == ["pentyl acetate", "anisole"]
    assert "Reward excites" in words(figure)
    assert "Punishment excites" in words(figure)


def test_the_wiring_of_each_result_is_named() -> None:
    """Beside others by what tells it apart; in the caption unless it is drawn; and no untrue number of cells."""
    drawn, right, own = tiny(), tiny(wiring="right"), tiny(pn_to_kc=np.eye(30, 21, dtype=int))
    assert labels([drawn, right, own]) == ["paired, wiring drawn", "paired, wiring right", "paired, wiring given"]
    assert "Wiring of Kenyon cells" not in words(learning_figure([drawn]))
    assert "Wiring of Kenyon cells: right." in words(learning_figure([right]))
    assert "Wiring of Kenyon cells: drawn, given." in words(learning_figure([drawn, own]))
    assert "72 Kenyon cells" not in words(learning_figure([own]))


@pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.long)])
def test_results_that_differ_are_never_called_alike(every: int) -> None:
    """The kind: each run that differs from another in anything has a label of its own beside it."""
    base, *others = (result for _, result in varied(every))
    for other in others:
        first, second = labels([base, other])
        assert first != second
    assert len(set(labels([base, *others]))) == 1 + len(others)
    three = [base, *others[:2]]
    assert lanes(learning_figure(three).axes[0])[:3] == labels(three)


DESIGNS = [
    "A+ 20ms, ?A 10ms",
    "A+ 20ms, ?A+ 10ms",
    "A+ 20ms, ?A@0.1 10ms",
    "A+ 20ms, ?A 20ms",
    "A+ 20ms, live A 10ms",
    "A+ 30ms, ?A 10ms",
    "A 20ms, ?A 10ms",
    "A@0.1+ 20ms, ?A 10ms",
    "A[reward 0.5] 20ms, ?A 10ms",
    "A[punishment 1] 20ms, ?A 10ms",
    "{silence DANp: A+ 20ms}, ?A 10ms",
    "A+ 20ms, {silence DANp: ?A 10ms}",
    "{scale APL>KC 0.5: A+ 20ms}, ?A 10ms",
    "A = anisole: A+ 20ms, ?A 10ms",
    "B = anisole: AB+ 20ms, ?A 10ms",
]


def test_designs_that_differ_in_one_thing_are_never_drawn_alike() -> None:
    """Odors, doses, reinforcers, tests, manipulations and durations, all of groups of one name."""
    results = [of(text).one for text in DESIGNS]
    assert len(set(labels(results))) == len(results)
    for one, other in itertools.combinations(results, 2):
        assert len(set(labels([one, other]))) == 2


def test_what_was_never_given_is_not_shown() -> None:
    """No reward in the lanes or the words of larvae that had none, though their paradigm has a word for it."""
    naive, odor = tiny({"name": "naive"}), tiny({"name": "odor-alone"})
    assert lanes(learning_figure([naive]).axes[0]) == ["naive", "test (on a copy)"]
    assert "eward" not in words(learning_figure([naive]))
    assert lanes(learning_figure([odor]).axes[0]) == ["odor alone", "pentyl acetate", "test (on a copy)"]
    assert "eward" not in words(learning_figure([odor]))
    assert "reward 0.4" in lanes(learning_figure([tiny({"strength": 0.4})]).axes[0])


def test_two_test_odors_look_different() -> None:
    """Finding 26, and for as many as there are: no two lines of a panel have one color, dashes and marker."""
    others = ["anisole", "3-octanol", "4,5-dimethylthiazole", "1-pentanol", "2-heptanone", "menthol"]
    figure = learning_figure([tiny({"test_odors": others}), *(tiny({"cs": odor}) for odor in others)])
    lines = mean_lines(figure.axes[1])
    looks = {(line.get_color(), line.get_linestyle(), str(line.get_marker())) for line in lines}
    assert len(looks) == len(lines) == 1 + 2 * len(others)
    assert len({str(line_style(number)) for number in range(34)}) == 34


def test_lines_that_are_not_drawn_are_counted() -> None:
    """Of several groups only the first is drawn with all that it was tested with, and it is said how many more are."""
    both = [tiny({"test_odors": ["anisole"]}), tiny({"cs": "anisole", "test_odors": ["3-octanol", "menthol"]})]
    axes = learning_figure(both).axes[1]
    assert len(axes.containers) == 3
    assert "2 more lines are not drawn" in axes.get_xlabel()
    assert "not drawn" not in learning_figure(both[:1]).axes[1].get_xlabel()


def test_larvae_that_diverged_are_named_in_the_picture() -> None:
    """Finding 26: in the headline, in the label, and crossed out from the test on at which they had."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergenceWarning)
        wild = PUBLISHED.replace(learning_rate_nS=3.0)
        design = paradigm(trials=2, stimulus_s=40, pause_s=5, test_s=0.5)
        result = run(design, larvae=3, parameters=wild, weights=True, show_progress=False).one
    assert result.diverged.values.any()
    figure = learning_figure([result])
    count = int(result.diverged.values.any(axis=1).sum())
    assert f"{count} of 3 diverged" in figure.get_suptitle()
    assert f"n = 3, {count} diverged: crosses" in legend(figure.axes[1])[0]
    assert "this is no memory" in words(figure)
    for axes in (*figure.axes[1:], groups(result)):
        assert sum(len(xs(line)) for line in axes.lines if line.get_marker() == "x") >= count
    assert "diverged" not in words(learning_figure([tiny()]))


def test_tests_after_different_things_are_only_numbered() -> None:
    """The names of the longest result are not those of the others."""
    training, extinction = tiny({"trials": 3}), tiny({"name": "extinction", "trials": 1})
    ticks = [text.get_text() for text in learning_figure([training, extinction]).axes[1].get_xticklabels()]
    assert ticks == ["test 1", "test 2", "test 3", "test 4"]
    ticks = [text.get_text() for text in learning_figure([training, tiny()]).axes[1].get_xticklabels()]
    assert ticks == ["before", "training 1", "training 2", "training 3"]


LONG = "trans,trans-2,4-nonadienal"
CROWDED: dict[str, Callable[[], Figure | SubFigure]] = {
    "one trial": lambda: learning_figure([tiny({"trials": 1})]),
    "forty trials": lambda: learning_figure([tiny({"trials": 40}, weights=True)]),
    "all odors": lambda: learning_figure(of("trained: A+ 20ms | ?all; naive: 20ms | ?all")),
    "all odors alone": lambda: odor_map(of("trained: A+ 20ms | ?all")).figure,
    "groups": lambda: groups(of(f'A = "{LONG}", B = "4-methyl-5-vinylthiazole": ' + "; ".join(
        f"conditioned{n}: A+ {n}0ms | ?A 10ms, live A/B 20s" for n in "12"))).figure,
    "panels": lambda: compose([tiny(), tiny({"name": "unpaired"})], ["timeline", "learning_curves", "groups", "rates"]),
}  # fmt: skip


@pytest.mark.parametrize("crowd", CROWDED)
def test_labels_do_not_lie_on_each_other(crowd: str) -> None:
    """However many there are: seen by the boxes that matplotlib draws them in, none of which leaves the figure."""
    figure = CROWDED[crowd]()
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()
    boxes = {text: text.get_window_extent().padded(-1) for text in texts(figure)}
    assert len(boxes) > 5
    for one, other in itertools.combinations(boxes, 2):
        assert not boxes[one].overlaps(boxes[other]), (one.get_text(), other.get_text())
    for text, box in boxes.items():
        assert figure.bbox.x0 <= box.x0, text.get_text()
        assert box.x1 <= figure.bbox.x1, text.get_text()


@pytest.mark.parametrize("name", ["paired", "unpaired-reversed"])
@pytest.mark.parametrize("cs", ["anisole", LONG])
def test_the_headline_is_one_line(name: str, cs: str) -> None:
    """With a mean and its interval at its end, however long the names are; it stays within the figure."""
    figure = learning_figure([tiny({"name": name, "cs": cs, "test_odors": ["menthol"]})])
    assert re.search(r"[+-]\d\.\d\d \[-?\d\.\d\d, -?\d\.\d\d\]$", figure.get_suptitle())
    assert "\n" not in figure.get_suptitle()


NAMES = ["_hidden", "$x^^$ costs $5 %frac", "a" * 90, "100 % {us} {0} <b> naïve ∀ β"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_one_s_own_can_be_drawn(name: str, tmp_path: Path) -> None:
    """Finding 18: as it is spelled, in the label, in the headline and as what a test came after."""
    phases: list[Phase | Probe] = [
        Phase(0.01, {"anisole": 0.5}, punishment=2), Probe("anisole", 0.01), Phase(0.02), Probe("anisole", 0.01),
    ]  # fmt: skip
    own = run(Design([Group(name, [Stage(phases, name)])]), larvae=2, show_progress=False).one
    figure = learning_figure([own, tiny()])
    assert save_figure(figure, tmp_path / "own.png").read_bytes().startswith(b"\x89PNG")
    assert name[:30] in lanes(figure.axes[0])[0].replace(r"\$", "$")
    assert any(name[:30] in label.replace(r"\$", "$") for label in legend(figure.axes[1]))
    assert plain(name).replace(r"\$", "$").strip()[:20] == name[:20]


def test_what_cannot_be_drawn_is_refused_in_a_sentence() -> None:
    """No results, no dataset, one without tests, larvae to which different things were done."""
    result = tiny({"test_odors": ["anisole"]})
    for wrong, sentence in (([], "at least one experiment, got none"), ([3], "each of the results must be a Dataset")):
        with pytest.raises(InputError, match=sentence):
            learning_figure(wrong)
    with pytest.raises(MismatchError, match="at least one test to be drawn"):
        learning_figure([result.isel(test=[])])
    joined = xarray.concat(
        [result, tiny({"concentration": 0.1, "test_odors": ["anisole"]})], "larva", coords="different", compat="equals"
    )
    with pytest.raises(MismatchError, match="one design each"):
        learning_figure([joined])


def test_one_larva_can_be_drawn() -> None:
    """Without an interval, for there is none; a dataset stands for itself."""
    figure = learning_figure(tiny(larvae=1))
    assert "One virtual larva" in figure.get_suptitle()
    assert "n = 1 larva, so there is no interval" in words(figure)


def test_runs_joined_along_larvae_are_drawn_as_one_group() -> None:
    """Replicates of a paradigm under several seeds, all of which are named."""
    joined = xarray.concat([tiny(seed=1), tiny(seed=2)], "larva", coords="different", compat="equals")
    figure = learning_figure(Results({"both": joined}))
    assert "Seeds 1, 2." in words(figure)
    assert "4 virtual larvae" in words(figure)


BACKENDS = [
    "module://matplotlib_inline.backend_inline",
    "nonsense",
    *(pytest.param(name, marks=pytest.mark.long) for name in ("module://nonsense", "tkagg")),
]

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
    figure = learning_figure([tiny({"name": name}, parameters=BALANCED, weights=True) for name in names])
    assert len(figure.axes) == 4
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
    result = of("B = anisole: ?A, ?B, A 10ms, ?A, A 10ms, ?A 3s, ?B", larvae=3).one
    result.preference_index.values[1, 0] = np.nan
    lines = mean_lines(learning_figure([result]).axes[1])
    assert [len(xs(line)) for line in lines] == [3, 2]
    assert all(np.isfinite(ys(line)).all() for line in lines)
