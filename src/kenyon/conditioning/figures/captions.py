"""What figures say in words: what larvae were given, what tells results apart, what one reads out of them."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kenyon import checks, drawing
from kenyon.conditioning import origin
from kenyon.conditioning.results import diverged_at_tests
from kenyon.conditioning.setup import DRAWN, NEWBORN
from kenyon.conditioning.statistics import interval
from kenyon.mushroom_body.wiring import WIRINGS
from kenyon.words import clean

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

HOW_TO_READ = (
    "How to read this. An odor makes a few of a larva's Kenyon cells fire. They drive two output neurons: MBONp says "
    "“approach”, MBONn says “avoid”, and in a naive larva the two balance."
)
_DIVERGED = "larvae whose equations have left all bounds, so that a neuron of theirs is silent; this is no memory."
_MEANING = {
    "reward": "Reward excites a dopamine neuron (DANp), and that weakens the synapses of just active Kenyon cells onto "
    "MBONn: avoidance fades and the odor attracts, but only for odors that share these cells.",
    "punishment": "Punishment excites a dopamine neuron (DANn), and that weakens the synapses of just active Kenyon "
    "cells onto MBONp: approach fades and the odor repels, but only for odors that share these cells.",
}
_TITLES = {"unpaired-reversed": "unpaired, reversed", "odor-alone": "odor alone"}
_LAST_RESORTS = {"seed": "seed {}", "larvae": "of {} larvae", "began_as": "{}", "run_id": "run {}"}
_MOST = 6
"""Seeds and runs that are named one by one."""


def said(result: "xarray.Dataset", name: str) -> str:
    """Return in words what a result says by a coordinate; several where it was joined from several runs."""
    values = [_word(value) for value in origin.distinct(result, name)]
    return ", ".join(values[:4]) + (", ..." if len(values) > 4 else "")


def odors(result: "xarray.Dataset") -> list[str]:
    """Return what larvae smelled in phases, each mixture once, in order of appearance."""
    return _words(result, "phase_odors", "phase_against")


def reinforcers(result: "xarray.Dataset") -> dict[str, str]:
    """Return reward and punishment, as far as larvae were given them, with their doses where these are not 1."""
    given = {}
    for name in _MEANING:
        doses = [f"{dose:g}" for dose in origin.distinct(result, f"phase_{name}") if dose > 0]
        if doses:
            given[name] = name if doses == ["1"] else f"{name} at {', '.join(doses)}"
    return given


def manipulations(result: "xarray.Dataset") -> list[str]:
    """Return what was done to circuits in phases and tests."""
    return _words(result, "phase_manipulations", "test_manipulations")


def wiring(result: "xarray.Dataset") -> str:
    """Return how the Kenyon cells of a result are wired: "drawn", the name of a wiring, or "given"; all there are."""
    names = {DRAWN: "drawn"} | {name: name for name in WIRINGS}
    return " and ".join(_each(names.get(own, "given") for own in origin.distinct(result, "wiring")))


def title(result: "xarray.Dataset") -> str:
    """Return what the larvae of a result are called."""
    name = said(result, "larva_group")
    if name == "reinforcement-alone":
        return f"{' and '.join(reinforcers(result).values())} alone"
    return _TITLES.get(name, name)


def labels(results: Sequence["xarray.Dataset"]) -> list[str]:
    """Return a label for each result: what was done, and what sets it apart from the others."""
    parts = [[title(result)] for result in results]

    def tell_apart(values: Sequence[str], form: str = "{}") -> None:
        if len(set(values)) > 1:
            for own, value in zip(parts, values, strict=True):
                own += [form.format(value)] if value else []

    given = [_given(result) for result in results]
    # Odor alone and reinforcement alone are told apart by their names; what differs in an odor or a dose is not.
    if len({word for words in given for word in words}) > max(map(len, given)):
        common = set.intersection(*map(set, given))
        tell_apart([" and ".join(word for word in words if word not in common) for words in given])
    tell_apart([", ".join(manipulations(result)) for result in results])
    tell_apart([said(result, "parameters") for result in results])
    tell_apart([wiring(result) for result in results], "wiring {}")
    if len({*map(tuple, parts)}) < len(results):
        tell_apart([_tests(result) for result in results], "tested with {}")
    for name, form in _LAST_RESORTS.items():
        if len({*map(tuple, parts)}) < len(results):
            tell_apart([said(result, name) for result in results], form)
    words = [clean(", ".join(own), 110) for own in parts]
    return [label if words.count(label) == 1 else f"{label} [{i + 1}]" for i, label in enumerate(words)]


def counted(result: "xarray.Dataset", label: str, how: str = ": crosses") -> str:
    """Return a label with how many larvae it is about, and how many of them have diverged, which is shown somehow."""
    diverged = _diverged(result)
    return f"{drawing.plain(label, 110)}, n = {result.sizes['larva']}" + (
        f", {diverged} diverged{how}" if diverged else ""
    )


def called(result: "xarray.Dataset", label: str | None, how: str = ": crosses") -> str:
    """Return what a panel of one result alone calls it, as it was told or as it calls itself; see `counted`.

    Raises:
        InputError: the label is no text that prints.
    """
    return counted(result, labels([result])[0] if label is None else checks.label("label", label), how)


def headline(results: Sequence["xarray.Dataset"]) -> str:
    """Return what the first of some results has shown for an odor of the training, in a sentence of one line."""
    result, trained = results[0], {odor for result in results for odor in odors(result)}
    larvae, columns = result.sizes["larva"], list(map(str, result.test_odor.values))
    who = f"{larvae} virtual larvae" if larvae > 1 else "One virtual larva"
    warning = f"; {_diverged(result)} of {larvae} diverged" if _diverged(result) else ""
    tested = next((own for own in columns if own in trained), "".join(columns[:1]))
    there = result.preference_index.sel(test_odor=tested).dropna("test", how="all") if columns else None
    if there is None or not there.sizes["test"]:
        return f"{who}, {drawing.plain(title(result), 40)}{warning}"
    index = there.isel(test=-1).dropna("larva").values
    low, high = interval(index)
    ends = f"{index.mean():+.2f}" + (f" [{low:.2f}, {high:.2f}]" if np.isfinite(low) else "")
    named = f"{drawing.plain(title(result), 40)}: preference for {drawing.plain(tested, 70)}"
    return f"{who}, {named} ends at {ends}{warning}"


def meanings(results: Sequence["xarray.Dataset"]) -> list[str]:
    """Return how to read what larvae learned from what they were given, for who has never seen a mushroom body."""
    given = dict.fromkeys(name for result in results for name in reinforcers(result))
    return [HOW_TO_READ, *(_MEANING[name] for name in given)]


def caption(results: Sequence["xarray.Dataset"], marks: Sequence[str] = ("lines",)) -> str:
    """Return what stands below a figure: unit, number and interval, and with what all of it was made.

    Args:
        results: What is drawn.
        marks: How, each of "lines", "dots", "dotted", "bands" and "numbers".
    """
    return " ".join([*_unit(results, marks), *_made_with(results)])


_MARKS = {
    "lines": "Bold: mean with its interval; faint: single larvae.",
    "dots": "Squares: mean with its interval; dots: single larvae.",
    "dotted": "Bold: mean with its interval; dots: single larvae.",
    "bands": "Lines: mean; bands: its interval.",
    "numbers": "Numbers: means.",
}


def _unit(results: Sequence["xarray.Dataset"], marks: Sequence[str]) -> list[str]:
    """Return what counts once, how many there are, and what is drawn of them."""
    larvae = _listed(str(result.sizes["larva"]) for result in results)
    if not marks:
        return []
    drawn = _each(_MARKS[own] for own in marks)
    each = " in each group" * (len(results) > 1)
    spoken = [*drawn, f"n = {larvae} {'larva' if larvae == '1' else 'larvae'}{each}; the unit is the larva."]
    if larvae == "1":
        spoken = [f"n = 1 larva{each}, so there is no interval."]
    elif any(own != "numbers" for own in marks):
        spoken += ["Intervals: 95 %, bootstrap (10,000 resamples, seed 0)."]
    crossed = set(marks) - {"bands", "numbers"}
    name = "Crosses" if crossed else "Diverged"
    return spoken + ([f"{name}: {_DIVERGED}"] if any(_diverged(result) for result in results) else [])


def _made_with(results: Sequence["xarray.Dataset"]) -> list[str]:
    circuit = "” and “".join(_each(said(result, "parameters") for result in results))
    done = _each(own for result in results for own in manipulations(result))
    own_odors = _each(name for result in results for name in own_odor_names(result))
    began = _each(str(own) for result in results for own in origin.distinct(result, "began_as") if own != NEWBORN)
    wired = _each(wiring(result) for result in results)
    seeds = _each(str(seed) for result in results for seed in origin.distinct(result, "seed") if seed)
    runs = _each(str(run) for result in results for run in origin.distinct(result, "run_id") if run)
    return [
        f"Circuit: Jürgensen et al. 2024, parameters “{drawing.plain(circuit, 200)}”.",
        *([f"Manipulated: {drawing.plain('; '.join(done), 200)}."] if done else []),
        *([f"Wiring of Kenyon cells: {', '.join(wired)}."] if wired != ["drawn"] else []),
        *([f"Larvae began as {drawing.plain(', '.join(began), 120)}."] if began else []),
        "Odor responses: Si et al. 2019"
        + (f"; of one's own: {drawing.plain(', '.join(own_odors), 120)}." if own_odors else "."),
        *([f"Seed{'s' * (len(seeds) > 1)} {_listed(seeds)}."] if seeds else []),
        *([f"Run{'s' * (len(runs) > 1)} {_listed(runs)}."] if runs else []),
    ]


def own_odor_names(result: "xarray.Dataset") -> list[str]:
    """Return the names of the odors of one's own that a result knows."""
    return [name for own in origin.distinct(result, "own_odors") if own for name in json.loads(own)]


def _given(result: "xarray.Dataset") -> list[str]:
    return [*odors(result), *reinforcers(result).values()]


def _words(result: "xarray.Dataset", *names: str) -> list[str]:
    """Return the words that a result says by some coordinates, each once; absent and nothing are none."""
    return _each(own for name in names for own in origin.distinct(result, name) if isinstance(own, str) and own)


def _tests(result: "xarray.Dataset") -> str:
    lasted_s = result.isel(larva=0).test_s.values
    return ", ".join(f"{odor} {s:g}s" for odor, s in zip(result.test_odor.values, lasted_s, strict=True))


def _diverged(result: "xarray.Dataset") -> int:
    """Return how many larvae have diverged by one of the tests."""
    return int(diverged_at_tests(result).any(axis=1).sum())


def _each(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _listed(words: Iterable[str]) -> str:
    """Return words, each once, the first of them if there are many."""
    each = _each(words)
    return ", ".join(each[:_MOST]) + (f" and {len(each) - _MOST} more" if len(each) > _MOST else "")


def _word(value: Any) -> str:
    if isinstance(value, float):
        return "not stated" if np.isnan(value) else f"{value:g}"
    return str(value) or "not stated"
