"""The plans of the searches behind sets of parameters: they ask what was asked, and give the numbers that are kept."""

import csv
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from kenyon.conditioning import load, paradigm, save
from kenyon.conditioning.balance import GROUPS, judged
from kenyon.conditioning.sweeps import Point, Sweep, collect, run_sweep
from kenyon.errors import InputError, MismatchError
from kenyon.mushroom_body import BALANCED

STUDIES = Path(__file__).parent.parent / "studies"


def asked(point: Point) -> Point:
    """Return what a criterion of `balanced` asks of larvae, as the paradigm of the group's name puts it."""
    design = paradigm(
        str(point.varied["larva_group"]), cs="pentyl acetate", us=str(point.varied.get("us", "reward")), trials=3,
        test_odors=["4,5-dimethylthiazole"],
    )  # fmt: skip
    return Point(design, larvae=point.larvae, parameters=point.parameters)


def collected(sweep: Sweep, folder: Path) -> xarray.Dataset:
    """Return what a sweep gives, run and collected."""
    run_sweep(sweep, folder, show_progress=False, jobs=None if len(sweep) > 3 else 1)
    return collect(folder / "store", sweep)


def kept(search: str, candidate: str) -> dict[str, str]:
    """Return the row of the table of a search that is about one set."""
    with (STUDIES / f"{search}_search.csv").open(encoding="utf-8", newline="") as table:
        [row] = [each for each in csv.DictReader(table) if each["candidate"] == candidate]
    return row


@pytest.mark.parametrize(("plan", "sets"), [("search", 54), ("undone", 6), ("confirmed", 2)])
def test_plans_of_balanced_ask_for_the_paradigms(plan: str, sets: int) -> None:
    """Each point has the id of the run that the paradigm makes, so it is that run."""
    sweep = Sweep.load(STUDIES / f"balanced_{plan}.toml")
    assert [point.id for point in sweep] == [asked(point).id for point in sweep]
    assert len(sweep) == sets * len(GROUPS)


def test_each_change_of_balanced_is_undone_alone() -> None:
    """And all of them together, which is the published set; an absent floor is said by nan."""
    changes = BALANCED.differences(Sweep.grid(design="?A", parameters="published")[0].parameters)
    sets = [point.parameters for point in Sweep.load(STUDIES / "balanced_undone.toml")[:: len(GROUPS)]]
    assert [own.description for own in sets] == [
        *(f"balanced with {name}={published}" for name, (_, published) in sorted_as_planned(changes)),
        "published",
    ]


def sorted_as_planned(changes: dict[str, tuple[object, object]]) -> list[tuple[str, tuple[object, object]]]:
    """Return the changes in the order of the plan."""
    return sorted(changes.items(), key=lambda own: own[0] == "reinforcement_rate_hz")


@pytest.mark.filterwarnings("ignore::kenyon.errors.DivergenceWarning")  # see tests/mushroom_body/test_divergence.py
@pytest.mark.parametrize(
    ("plan", "candidate"),
    [
        ("search", "balanced"),
        *(
            pytest.param(plan, candidate, marks=pytest.mark.long)
            for plan, candidate in (
                ("search", "balanced with learning_rate_nS=0.1, weight_floor_nS=16.0, reinforcement_rate_hz=500.0"),
                ("undone", "balanced with weight_floor_nS=None"),
                ("undone", "published"),
            )
        ),
    ],
)  # fmt: skip
def test_the_plan_gives_the_row_that_is_kept(plan: str, candidate: str, tmp_path: Path) -> None:
    """Run, collected and judged as the page says, to the last digit that is kept."""
    sweep = Sweep.load(STUDIES / f"balanced_{plan}.toml")
    own = Sweep(point for point in sweep if point.parameters.description == candidate)
    file = save(collected(own, tmp_path / "sweep"), tmp_path / "sweep.nc")
    study = runpy.run_path(str(STUDIES / "balanced_search.py"))
    [row] = study["tabulate"]([load(file)])
    assert {name: str(value) for name, value in row.items()} == kept("balanced", candidate)


def test_the_plan_of_larval_asks_what_claims_ask() -> None:
    """Of the same larvae, with five of the sets that the search has tried, and one more that makes them a grid."""
    study = runpy.run_path(str(STUDIES / "larval_search.py"))
    groups = {name: claim for claim in study["targets"]() if claim.id in ("L8", "L14") for name in claim.groups}
    sweep = Sweep.load(STUDIES / "larval_search.toml")
    for point in sweep:
        name = str(point.varied["larva_group"])
        asked = groups[name].designs("reward", [point.varied["odor"]])[name]
        assert point.design.groups[0].stages == asked.groups[0].stages
        assert (point.larvae, point.seed) == (16, study["SEED"])
    assert list(dict.fromkeys(point.varied["odor"] for point in sweep)) == [odor for odor, _ in study["ODORS"]]
    planned = {point.parameters for point in sweep}
    tried = {name for name, own in study["candidates"]().items() if own in planned}
    assert (tried, len(planned)) == ({"S2", "h2.5", "h3", "h3 apl60", "h2.5 apl60"}, 6)


def test_claims_are_judged_from_a_sweep(tmp_path: Path) -> None:
    """Each figure that its groups allow, the mean over odors and larvae."""
    study = runpy.run_path(str(STUDIES / "larval_search.py"))
    design = "A = $odor: trained: 2x(A@0.1+ 2s, 100ms), ?A@0.01 300ms, ?A@0.1 300ms, ?A 300ms"
    odors = ["pentyl acetate", "hexyl acetate"]
    found = collected(Sweep.grid(design=design, odor=odors, larvae=2, learning_rate_nS=2.0), tmp_path)
    [row] = study["of_sweep"](found)
    index = found.preference_index.mean(["larva", "odor"]).values.squeeze()
    assert index.all()
    assert list(row.values())[1:] == [round(float(index[1] - 1.1 * index[other]), 3) for other in (0, 2)]
    assert all(name.startswith("L14: ") for name in list(row)[1:])


@pytest.mark.long
@pytest.mark.parametrize("name", ["S2", "h3 apl60"])
def test_the_plan_of_larval_gives_the_figures_that_are_kept(name: str, tmp_path: Path) -> None:
    """To the last digit that is kept."""
    study = runpy.run_path(str(STUDIES / "larval_search.py"))
    sweep = Sweep.load(STUDIES / "larval_search.toml")
    own = Sweep(point for point in sweep if point.parameters == study["candidates"]()[name])
    [row] = study["of_sweep"](collected(own, tmp_path))
    known = kept("larval", name)
    assert len(row) == 5
    assert {words: str(row[words]) for words in list(row)[1:]} == {words: known[words] for words in list(row)[1:]}


def test_what_cannot_be_judged_is_refused() -> None:
    """A group that is not there, one that was asked too little, something else."""
    short = Sweep.grid(design="A+ 1s, ?A 1s", larvae=1)[0].compute()
    nonsense: Any = np.zeros(3)
    with pytest.raises(InputError, match="groups must be extinction, unpaired"):
        judged({"extinction": short} | {"paired": short})
    with pytest.raises(MismatchError, match="extinction must be tested 8 times with pentyl acetate"):
        judged(dict.fromkeys(GROUPS, short))
    with pytest.raises(InputError, match="result of extinction must be"):
        judged(dict.fromkeys(GROUPS, nonsense))
