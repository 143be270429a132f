"""Claims are judged by what was measured, kept while it is measured, and told as it is."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kenyon import netcdf
from kenyon.conditioning import interval, run
from kenyon.conditioning.claims import Answers, Claim, Criterion, asking, judge, reproduce
from kenyon.conditioning.claims.judging import said
from kenyon.errors import InputError
from kenyon.mushroom_body import BALANCED, Population

GROUPS = {"trained": "?A 1s, A+ 3s, ?A 1s", "naive": "3s, ?A 1s"}
PAIRS = [("pentyl acetate", "anisole"), ("3-octanol", "anisole")]


def a_claim(*criteria: Criterion, **more: Any) -> Claim:
    """Return a claim that is asked in seconds."""
    claim = {"id": "X1", "species": "larva", "statement": "Some learn.", "source": "Nobody 2020", "groups": GROUPS}
    return Claim(**{**claim, "criteria": criteria, **more})


def given(values: Any) -> Callable[[Answers], Any]:
    """Return a measure that gives two odors these values of each larva, in turn."""
    odors = iter(np.array(values, dtype=float).reshape(2, -1))
    return lambda _: next(odors)


LEARNED = Criterion("index", lambda answers: answers.last("trained"), at_least=-1.0)


@pytest.fixture(autouse=True)
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what training does be what three seconds do, so that claims are judged in no time."""
    monkeypatch.setattr("kenyon.conditioning.claims.judging.TRAINING", a_claim(LEARNED, id="T0"))


SPREAD = np.array([[0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4]])


CASES: list[tuple[Any, dict[str, Any], str]] = [
    (SPREAD, {"at_least": 0.1}, "holds"),
    (SPREAD, {"at_least": 0.2}, "partly"),  # the mean is .25, the interval begins below
    (SPREAD, {"at_least": 0.15, "mean_at_least": 0.3}, "partly"),
    (SPREAD + np.array([[-0.2], [0.2]]), {"at_least": 0.1}, "partly"),  # one odor alone does not
    (SPREAD - 0.25, {"at_least": 0.1}, "fails"),
    (SPREAD, {"at_most": -0.02}, "fails"),
    (SPREAD, {"at_most": 0.5}, "holds"),
    (SPREAD, {"at_most": 0.2, "null": 1.0}, "partly"),
    (SPREAD, {"at_least": 0.1, "at_most": 0.4}, "holds"),
    (SPREAD, {"at_least": 0.2, "at_most": 0.3}, "partly"),
    (SPREAD * math.nan, {"at_least": 0.1}, "fails"),
    (SPREAD, {}, "unknown"),
]


def test_a_verdict_is_that_of_interval_mean_and_every_odor() -> None:
    """By hand: four larvae, two odors."""
    claims = [
        a_claim(Criterion("index", given(values), **limits), id=f"X{place}")
        for place, (values, limits, _) in enumerate(CASES)
    ]
    judged = judge(claims, BALANCED, odors=PAIRS, reinforcers=["reward"], larvae=4, show_progress=False)
    assert [verdict.words for verdict in judged.verdicts] == [verdict for _, _, verdict in CASES]


def test_a_claim_holds_if_all_that_decides_holds() -> None:
    """What has no limit does not; what was fitted, is unknown or cannot be asked is called so, whatever was found."""

    def good(sign: int = 1) -> Criterion:
        return Criterion("index", given(SPREAD * sign), at_least=0.0)

    claims = {
        "holds": a_claim(good(), Criterion("reported", given(-SPREAD)), id="X1"),
        "fails": a_claim(good(), good(-1), id="X2", fitted_in=["published"]),
        "fitted: holds": a_claim(good(), id="X3", fitted_in=["balanced"]),
        "unknown": a_claim(good(), id="X4", unknown="Nobody asked."),
        "not testable": a_claim(id="X5", groups={}, not_testable="It has no mouth."),
    }
    judged = judge(list(claims.values()), BALANCED, odors=PAIRS, reinforcers=["reward"], larvae=4, show_progress=False)
    assert [verdict.words for verdict in judged.verdicts] == list(claims)


def test_figures_are_those_of_run_with_the_interval_over_larvae() -> None:
    """Computed once more from the results of the experiment alone; punishment turns the sign."""
    judged = judge([a_claim(LEARNED)], BALANCED, larvae=4, seed=5, odors=PAIRS, show_progress=False)
    for own, sign in zip(judged["X1"].measured, (1, -1), strict=True):
        apart = [
            run(GROUPS["trained"], larvae=4, seed=5, parameters=BALANCED, show_progress=False).one
            if (own.us, odor) == ("reward", "pentyl acetate")
            else run(
                f"A = {odor}, + = {own.us} 1: {GROUPS['trained']}",
                larvae=4,
                seed=5,
                parameters=BALANCED,
                show_progress=False,
            ).one
            for odor, _ in PAIRS
        ]
        values = np.array([sign * result.preference_index.values[:, -1, 0] for result in apart])
        np.testing.assert_array_equal(own.values, values)
        np.testing.assert_allclose((own.low, own.high), interval(values.mean(axis=0), seed=5))
    effect = judged["X1"].effect
    assert effect is not None
    assert effect.mean == pytest.approx(1.0)  # the same as training does here


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"groups": {"a": "{silence MBONx: A+ 1s}, ?A"}}, "unknown cell group 'MBONx'"),
        ({"groups": {"a": "b: A+ 1s, ?A; c: A 1s, ?A"}}, "'a' must be of one group"),
        ({"groups": {"a": "shuffle(A 1s, B 1s), ?A"}}, "'a' must be in one order"),
        ({"controls": {"none": "nothing"}}, "unknown control of X1 'none'"),
        ({"id": "six"}, "id of a claim must be"),
        ({"criteria": ()}, "groups and criteria, or neither"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(wrong: Any, sentence: str) -> None:
    """When the claim is made."""
    with pytest.raises(InputError, match=sentence) as refusal:
        a_claim(**{"criteria": (LEARNED,), **wrong})
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("measure", "sentence"),
    [
        (lambda answers: answers.last("trained", "B"), "must have been tested with 'B'"),
        (lambda answers: answers.last("trainde"), "did you mean 'trained'"),
        (lambda _: 1.0, r"measure of X1 must be one number for each of 2 larvae, got \(\)"),
    ],
)
def test_a_measure_of_what_is_not_there_is_refused(measure: Any, sentence: str) -> None:
    """In a sentence that names it."""
    with pytest.raises(InputError, match=sentence):
        judge([a_claim(Criterion("index", measure))], larvae=2, reinforcers=["reward"], show_progress=False)


def several() -> dict[str, Any]:
    """Return what a reproduction of two sets is asked for."""
    claims = [
        a_claim(LEARNED),
        a_claim(LEARNED, id="X2", statement="<b>Some</b> & more learn.", fitted_in=["balanced"]),
        a_claim(id="X3", groups={}, not_testable="It has no mouth."),
    ]
    return {"claims": claims, "parameters": ["balanced", "published"], "larvae": 4, "reinforcers": ["reward"],
            "odors": PAIRS, "show_progress": False}  # fmt: skip


class Tags(HTMLParser):
    """Reads a page; void elements apart, each that is opened must be closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.ids += [str(value) for name, value in attrs if name == "id"]
        assert not any(name in ("src", "onclick") for name, _ in attrs)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        assert self.open.pop() == tag


def test_a_reproduction_is_kept_in_files_that_say_how_it_was_made(tmp_path: Path) -> None:
    """A page without scripts and network in which the table is first; all numbers in CSV and NetCDF."""
    found = reproduce(**several())
    files = found.save(tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(file.name for file in files)
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    tags = Tags()
    tags.feed(page)
    assert not tags.open
    assert {"X1", "X2", "X3"} <= set(tags.ids)
    assert page.index("<table") < page.index('<section id="X1"')
    assert "&lt;b&gt;Some&lt;/b&gt; &amp; more learn." in page
    links = page.replace("http://www.w3.org/", "")
    assert not any(word in links for word in ("<script", "http:", "https:", "url(h", "@import", "<b>Some"))
    kept = netcdf.read(tmp_path / "out" / "figures.nc")
    measured = found.judgements[1]["X2"].measured[0]
    np.testing.assert_array_equal(kept.value.sel(set="published", figure=1), measured.values)
    assert kept.weight_floor_nS.sel(set="balanced") == BALANCED.weight_floor_nS
    table = pd.read_csv(tmp_path / "out" / "figures.csv")
    row = table[(table.claim == "X2") & (table.parameters == "published") & (table.odors == "all")]
    assert row["mean"].item() == pytest.approx(measured.mean)
    assert set(table.run_id) == {own.run_id for own in found.judgements}
    with pytest.raises(InputError, match="exists already"):
        found.save(tmp_path / "out")


PROGRAM = """
import sys
from kenyon.conditioning.claims import asking, judging, reproduce
from tests.conditioning import test_claims as tests
asking.BLOCK_S = 1.0
judging.TRAINING = tests.a_claim(tests.LEARNED, id="T0")
reproduce(**{**tests.several(), "parameters": ["balanced"]}, folder=sys.argv[1])
"""


def test_what_was_killed_goes_on_and_gives_the_same_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done is not done again; a damaged file is."""
    monkeypatch.setattr(asking, "BLOCK_S", 1.0)  # a larva a block
    lives, asked = tmp_path / "lives", {**several(), "parameters": ["balanced"]}
    going = subprocess.Popen([sys.executable, "-c", PROGRAM, str(lives)], env={**os.environ, "KENYON_THREADS": "1"})
    while going.poll() is None and len(list(lives.glob("*.npz"))) < 2:
        time.sleep(0.001)
    going.send_signal(signal.SIGKILL)
    going.wait()
    before = {path.name: path.stat().st_mtime_ns for path in lives.glob("*.npz")}
    assert 2 <= len(before) <= 4
    damaged = min(before)
    (lives / damaged).write_bytes((lives / damaged).read_bytes()[:-100])
    del before[damaged]
    went_on, apart = reproduce(**asked, folder=lives), reproduce(**asked)
    pd.testing.assert_frame_equal(went_on.to_dataframe(), apart.to_dataframe())
    pd.testing.assert_frame_equal(went_on.table(), apart.table())
    assert {name: (lives / name).stat().st_mtime_ns for name in before} == before
    assert len(list(lives.glob("*.npz"))) == 4

    def never(*_: object, **__: object) -> None:
        pytest.fail("it was computed again")

    monkeypatch.setattr(Population, "advance", never)
    pd.testing.assert_frame_equal(reproduce(**asked, folder=lives).table(), apart.table())


def test_means_are_said_in_the_unit_that_they_have() -> None:
    """Shares in percent; what is absent as such."""
    assert said(0.5, 0.25, 0.75, "share") == "50 % (25 to 75)"
    assert said(-0.02, -0.0301, 0.0, "index") == "-0.020 (-0.030 to +0.000)"
    assert said(-0.0002, -0.004, 0.0002, "share") == "0 % (0 to 0)"
    assert said(12.345, 12.0, 13.0, "") == "12.3 (12 to 13)"
    assert said(math.nan, math.nan, math.nan, "share") == "none"
