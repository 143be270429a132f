"""What can be drawn over doses: an odor that was tested at several, or groups that differ in one alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import drawing
from kenyon.conditioning import origin
from kenyon.conditioning.figures import captions, marks
from kenyon.conditioning.results import diverged_at_tests
from kenyon.mushroom_body.odors import odors

if TYPE_CHECKING:  # xarray is slow to import
    import xarray


@dataclass(frozen=True, eq=False)
class DoseSeries:
    """A line over doses.

    Attributes:
        label: What it is called.
        what: What the doses are of.
        doses: [D] float64, rising.
        values: [B, D] float64, the preference index of each larva; nan where it has none.
        diverged: [B, D] bool, whether its equations had left all bounds by the end of the tests.
    """

    label: str
    what: str
    doses: NDArray[np.float64]
    values: NDArray[np.float64]
    diverged: NDArray[np.bool_]


def dose_series(results: Sequence["xarray.Dataset"]) -> list[DoseSeries]:
    """Return lines over doses: of the tests, or else of what groups were given; none where there are no doses."""
    labels = captions.labels(results)
    tested = [own for result, label in zip(results, labels, strict=True) for own in _of_tests(result, label)]
    if tested and len({own.what for own in tested}) == 1:
        return tested
    return [] if tested else _of_groups(results)


def _of_tests(result: "xarray.Dataset", label: str) -> list[DoseSeries]:
    """Return a line for each odor that a result was tested with at several concentrations, all else being equal."""
    alike: dict[tuple[str, ...], dict[float, str]] = {}
    for place, column in enumerate(map(str, result.test_odor.values)):
        smelled = _alone(result, _one(result, "test_smelled", place))
        if smelled is not None:
            odor, dose = smelled
            rest = [_one(result, f"test_{own}", place) for own in ("against", "reward", "punishment", "manipulations")]
            alike.setdefault((odor, *rest, _one(result, "test_s", place)), {})[dose] = column
    return [
        DoseSeries(
            captions.counted(result, label),
            f"concentration of {drawing.plain(odor)} in the test (1 is the dilution 1e-04)",
            np.array(sorted(columns)),
            np.column_stack([marks.last(result, columns[dose]) for dose in sorted(columns)]),
            np.repeat(diverged_at_tests(result)[:, -1:], len(columns), axis=1),
        )
        for (odor, *_), columns in alike.items()
        if len(columns) > 1
    ]


def _of_groups(results: Sequence["xarray.Dataset"]) -> list[DoseSeries]:
    """Return one line for groups that differ in one dose alone, tested with the same; none if there is no such dose."""
    given, odor = [_doses(result) for result in results], str(results[0].test_odor.values[0])
    if len(results) < 2 or len({_all_but_doses(result) for result in results}) > 1 or None in given:
        return []
    doses = {name: [own[name] for own in given if own] for name in given[0] or {}}
    differ = [name for name, own in doses.items() if len(set(own)) > 1]
    if len(differ) != 1 or len(set(doses[differ[0]])) < len(results):
        return []
    order = np.argsort(doses[differ[0]])
    table, diverged = _beside(results, odor)
    larvae = "/".join(dict.fromkeys(str(result.sizes["larva"]) for result in results))
    wild = f", {diverged.sum()} diverged: crosses" if diverged.any() else ""
    label = f"{len(results)} groups, n = {larvae} each{wild}: {drawing.plain(odor)}"
    what = f"{drawing.plain(differ[0])} in the phases"
    return [DoseSeries(label, what, np.array(doses[differ[0]])[order], table[:, order], diverged[:, order])]


def _beside(results: Sequence["xarray.Dataset"], odor: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the preferences of groups side by side, [B, groups], and who has diverged; nan where there is no larva."""
    larvae = max(result.sizes["larva"] for result in results)
    table, diverged = np.full((larvae, len(results)), np.nan), np.zeros((larvae, len(results)), dtype=np.bool_)
    for place, result in enumerate(results):
        own = result.sizes["larva"]
        table[:own, place], diverged[:own, place] = marks.last(result, odor), diverged_at_tests(result)[:, -1]
    return table, diverged


def _all_but_doses(result: "xarray.Dataset") -> tuple[Any, ...]:
    """Return what groups must have in common besides doses: what there is when, the first test, constants."""
    when = [result[f"phase_{own}"].values.tobytes() for own in ("start_s", "duration_s")]
    there = [(result[f"phase_{own}"].values > 0).tobytes() for own in ("reward", "punishment")]
    smelled = [[_alone(result, part) for part in words.split(" + ")] for words in result.phase_odors.values.ravel()]
    odors = tuple(tuple(own and own[0] for own in parts) for parts in smelled)
    done = tuple(result.phase_manipulations.values.ravel().tolist())
    made = (origin.only(result, name) for name in ("began_as", "wiring"))
    return (*when, *there, odors, done, str(result.test_odor.values[0]), origin.parameters_of(result), *made)


def _doses(result: "xarray.Dataset") -> dict[str, float] | None:
    """Return the one dose of each odor and reinforcement in the phases; None where one has several."""
    found: dict[str, set[float]] = {}
    for words in captions.odors(result):
        for part in words.split(" + "):
            smelled = _alone(result, part)
            if smelled is None:
                return None
            found.setdefault(f"concentration of {smelled[0]}", set()).add(smelled[1])
    for name in ("reward", "punishment"):
        doses = {float(dose) for dose in result[f"phase_{name}"].values.ravel() if dose > 0}
        if doses:
            found[f"strength of {name}"] = doses
    if any(len(doses) > 1 for doses in found.values()):
        return None
    return {name: doses.pop() for name, doses in found.items()}


def _alone(result: "xarray.Dataset", words: str) -> tuple[str, float] | None:
    """Return odor and concentration where one odor is smelled alone, by names that are known; else None."""
    known = {*(odor.name for odor in odors()), *captions.own_odor_names(result)}
    if words in known:
        return words, 1.0
    spelled = re.fullmatch(r"(.+)@([0-9.e+-]+)", words)
    return (spelled[1], float(spelled[2])) if spelled and spelled[1] in known else None


def _one(result: "xarray.Dataset", name: str, place: int) -> str:
    return str(result[name].isel(larva=0, missing_dims="ignore").values[place])
