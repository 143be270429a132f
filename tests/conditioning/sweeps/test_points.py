"""Points and sweeps: ids that results have, products of axes, samples, tables, and plans as files."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray

from kenyon.conditioning import Design, run
from kenyon.conditioning.setup import Kept
from kenyon.conditioning.sweeps import Integers, LogUniform, Point, Sweep, Uniform, plan
from kenyon.errors import InputError, NotationError
from kenyon.mushroom_body import BALANCED, Odor, named

MINE = Odor("mine", [0.5] * 21)
SHORT = "?A 1s, A@$dose+ 1s, ?A 1s"


@pytest.mark.parametrize(
    "point",
    [
        Point(Design.read("A+ 1s, ?A 1s"), larvae=2),
        Point(Design.read("trained: A+ 1s, ?A 1s", reinforcer=("punishment", 0.5)), larvae=1, seed=2**200),
        Point(Design.read("B 1s, ?B", bindings={"B": MINE}, odors=[MINE]), larvae=1, parameters=BALANCED),
        Point(
            Design.read("A+ 1s, shuffle(A 1s, 1s), ?A 1s"),
            larvae=2,
            wiring="left",
            kept=Kept(weights=True, codes=True),
        ),
        Point(Design.read("{silence DANp: A+ 1s} | ?A 1s"), larvae=1, parameters=named("published"), seed=3),
    ],
)
def test_the_id_of_a_point_is_that_of_its_run(point: Point) -> None:
    """The id is known before anything is computed, survives pickling and JSON, and is what the result states."""
    [again] = plan.from_plain(json.loads(json.dumps(plan.to_plain([point]), allow_nan=False)))
    assert again == point
    assert again.id == point.id == pickle.loads(pickle.dumps(point)).id
    result = point.compute()
    assert result.run_id.item() == point.id
    alone = run(
        point.design, larvae=point.larvae, seed=point.seed, parameters=point.parameters, wiring=point.wiring,
        weights=point.kept.weights, codes=point.kept.codes, show_progress=False,
    ).one  # fmt: skip
    xarray.testing.assert_identical(result, alone)


def test_a_grid_has_each_value_with_each_other() -> None:
    """The product of all axes, the last one fastest; what is fixed is no axis."""
    sweep = Sweep.grid({"kc.threshold_mV": [-36, -35.0]}, design=SHORT, dose=[0.1, 1], seed=range(3), larvae=4)
    assert len(sweep) == len({point.id for point in sweep}) == 12
    assert sweep.axes == ("kc.threshold_mV", "dose", "seed")
    assert [point.seed for point in sweep[:4]] == [0, 1, 2, 0]
    assert {point.larvae for point in sweep} == {4}
    assert sweep[-1].parameters.kc.threshold_mV == -35.0
    assert "A@1" not in sweep[0].design.text
    assert sweep[0].design == Design.read("?A 1s, A@0.1+ 1s, ?A 1s")


def test_groups_of_a_design_are_points() -> None:
    """Each group of a design is a point, with the id that it has when all of them are run together."""
    sweep = Sweep.grid(design="one-trial", larvae=1, seed=[1, 2])
    assert sweep.axes == ("seed", "larva_group")
    assert len(sweep) == 4
    assert [point.varied["larva_group"] for point in sweep[:2]] == ["paired", "unpaired"]
    together = run("brief: A+ 1s, ?A 1s; never: 1s, ?A 1s", larvae=1, show_progress=False)
    own = Sweep.grid(design="brief: A+ 1s, ?A 1s; never: 1s, ?A 1s", larvae=1)
    assert [point.id for point in own] == [result.run_id.item() for result in together.values()]


def test_library_ids_have_open_places_too() -> None:
    """A name with $ may stand in an id of the library."""
    sweep = Sweep.grid(design="trace/$gap", gap=["5s", "30s"], larvae=1)
    assert {point.varied["gap"] for point in sweep} == {"5s", "30s"}


def test_samples_keep_to_their_ranges() -> None:
    """Numbers lie in their ranges, are the same for the same sample seed, and spread evenly in a hypercube."""
    axes = {"learning_rate_nS": LogUniform(0.001, 1), "n": Integers(1, 3), "seed": [4, 5]}
    drawn = Sweep.random(300, axes, design="${n}x(A+ 1s), ?A", larvae=1)
    rates = np.array([point.varied["learning_rate_nS"] for point in drawn])
    assert rates.min() >= 0.001
    assert rates.max() <= 1
    assert 0.4 < (rates < 0.0316).mean() < 0.6
    assert {point.varied["n"] for point in drawn} == {1, 2, 3}
    assert {point.seed for point in drawn} == {4, 5}
    assert drawn[:50] == Sweep.random(50, axes, design="${n}x(A+ 1s), ?A", larvae=1)
    even = Sweep.latin_hypercube(20, design=SHORT, dose=Uniform(0.1, 1), learning_rate_nS=Uniform(0, 1), larvae=1)
    for name, low, width in (("dose", 0.1, 0.9), ("learning_rate_nS", 0.0, 1.0)):
        parts = [int((float(point.varied[name]) - low) / width * 20) for point in even]
        assert sorted(parts) == list(range(20))


def test_tables_of_all_kinds_give_the_same_points(tmp_path: Path) -> None:
    """Rows, a DataFrame and a CSV file say the same."""
    rows = [{"dose": 0.1, "seed": 1, "parameters": "balanced"}, {"dose": 1.0, "seed": 2, "parameters": "larval"}]
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "points.csv", index=False)
    sweeps = [Sweep.table(own, design=SHORT, larvae=2) for own in (rows, frame, tmp_path / "points.csv")]
    assert sweeps[0] == sweeps[1] == sweeps[2]
    assert len(sweeps[0]) == 2
    assert sweeps[0][0].parameters is BALANCED


def test_a_plan_is_what_its_call_is(tmp_path: Path) -> None:
    """A plan in TOML gives the points that the call in Python gives, for each way to vary."""
    (tmp_path / "points.csv").write_text("dose,seed\n0.1,1\n1,2\n")
    begin = f'design = "{SHORT}"\nlarvae = 2\nweights = true\n'
    fixed: dict[str, Any] = {"design": SHORT, "larvae": 2, "weights": True}
    rates = {"dose": [0.1, 1], "seed": range(4)}
    log = LogUniform(0.01, 1)
    for text, sweep in [
        ("[grid]\ndose = [0.1, 1]\nseed = { from = 0, to = 3 }", Sweep.grid(rates, **fixed)),
        ("[zip]\ndose = [0.1, 1]\nseed = [4, 5]", Sweep.zip(dose=[0.1, 1], seed=[4, 5], **fixed)),
        ('table = "points.csv"', Sweep.table(tmp_path / "points.csv", **fixed)),
        (
            "[random]\npoints = 5\ndose = { low = 0.01, high = 1, log = true }\nseed = { from = 0, to = 9 }",
            Sweep.random(5, dose=log, seed=Integers(0, 9), **fixed),
        ),
        (
            "[latin-hypercube]\npoints = 5\nsample_seed = 3\ndose = { low = 0.01, high = 1, log = true }",
            Sweep.latin_hypercube(5, dose=log, sample_seed=3, **fixed),
        ),
    ]:
        place = tmp_path / "plan.toml"
        place.write_text(f"{text}\n{begin}" if text.startswith("table") else begin + text)
        assert Sweep.load(place) == sweep


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Sweep.grid(design=SHORT, dos=[1]), "\\$dose in a design must be an axis"),
        (lambda: Sweep.grid(design="A+ 1s", learning_rate=[1]), "did you mean 'learning_rate_nS'"),
        (lambda: Sweep.grid(design="pared", seed=[1]), "paired"),
        (lambda: Sweep.grid(design="A+ 1", seed=[1]), "unit"),
        (lambda: Sweep.grid(design="A+ 1s", seed=range(2000), larvae=range(1, 1000)), "1,998,000"),
        (lambda: Sweep.grid(design="A+ 1s", seed=[]), "none"),
        (lambda: Sweep.grid(seed=[1]), "must have a design"),
        (lambda: Sweep.grid(design="A+ 1s", learning_rate_nS=Uniform(0, 1)), "range"),
        (lambda: Sweep.zip(design=SHORT, dose=[1, 2], seed=[1]), "one length"),
        (lambda: Sweep.grid(design="A+ $ 1s", seed=[1]), "\\$ in a design"),
        (lambda: Sweep.grid(design="A+ $run", run=["1s", "2s"]), "no result has"),
        (lambda: Sweep.random(3, design="A+ 1s"), "varies"),
        (lambda: Uniform(2, 1), "below"),
        (lambda: Uniform(-1e308, 1e308), "nearer"),
        (lambda: LogUniform(1e-308, 1e308), "nearer"),
        (lambda: Sweep.grid(design="A+ 1s", learning_rate_nS=[1, True]), "numbers or texts, got True"),
        (lambda: Sweep.table([{"homeostasis": True}], design="A+ 1s"), "numbers or texts, got True"),
        (lambda: Sweep.grid(design="a: A+ 1s, ?A; b: A 1s"), "must have a test"),
        (lambda: Sweep.grid(design="A+ 1s", learning_rate_nS=[{}]), "numbers or texts"),
        (lambda: Sweep.grid(design={}, seed=[1]), "numbers or texts"),
        (lambda: Sweep.grid(design=SHORT, dose=[10**5000]), "finite"),
        (lambda: Sweep.grid(design="A+ 0.25ms, ?A", dt_ms=[0.05, 0.1]), "steps"),
        (lambda: Sweep.table([{"seed": 1}, {"dose": 2}], design="A+ 1s"), "same axes"),
    ],
)
def test_what_is_no_sweep_is_refused(call: object, words: str) -> None:
    """One sentence says what was expected, what came, and what to do."""
    with pytest.raises((InputError, NotationError), match=words):
        call()  # type: ignore[operator]


def test_as_many_points_as_are_meant() -> None:
    """More than a million points are refused before any is made, and allowed where they are meant."""
    with pytest.raises(InputError, match="1,000,001"):
        Sweep.grid(design="A+ 1s", seed=range(1_000_001))


def test_points_with_other_constants_have_the_ids_of_their_own() -> None:
    """However many points have been made before, each id is that of the same point made alone."""
    axes = {"learning_rate_nS": LogUniform(0.01, 1), "dt_ms": [0.1, 0.05], "dose": Uniform(0.1, 1)}
    for point in Sweep.random(40, axes, design=SHORT, larvae=1):
        said = {"dose": point.varied["dose"]}
        alone = Sweep.grid(design=SHORT, larvae=1, parameters=point.parameters, **said)[0]
        assert alone.id == point.id
        assert alone == point


def test_joined_sweeps_keep_their_order() -> None:
    """The points of the first, then those of the second that are new."""
    first, second = (Sweep.grid(design="A+ 1s", larvae=1, seed=seeds) for seeds in ([3, 1], [1, 2, 3, 0]))
    assert [point.seed for point in first + second] == [3, 1, 2, 0]
    assert len(first + first) == 2


def test_many_points_pickle_small() -> None:
    """What a task is sent: little more for a hundred points of one design than for one."""
    sweep = Sweep.grid(design="3x(A+ 60s, 60s) | ?A", seed=range(100))
    one, hundred = (len(pickle.dumps(list(sweep[:count]))) for count in (1, 100))
    assert hundred < one + 99 * 100
