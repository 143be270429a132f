"""What figures say in words: what larvae were given, what tells results apart, what one reads out of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kenyon import drawing
from kenyon.conditioning import origin
from kenyon.conditioning.results import diverged_at_tests
from kenyon.conditioning.statistics import interval

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

_HOW_TO_READ = (
    "How to read this. An odor makes a few of a larva's 72 Kenyon cells fire. They drive two output neurons: MBONp "
    "says “approach”, MBONn says “avoid”, and in a naive larva the two balance."
)
_CROSSES = (
    "Crosses: larvae whose equations have left all bounds, so that a neuron of theirs is silent; what they show is no "
    "memory."
)
_MEANING = {
    "reward": "Reward excites a dopamine neuron (DANp), and that weakens the synapses of just active Kenyon cells onto "
    "MBONn: avoidance fades and the odor attracts, but only for odors that share these cells.",
    "punishment": "Punishment excites a dopamine neuron (DANn), and that weakens the synapses of just active Kenyon "
    "cells onto MBONp: approach fades and the odor repels, but only for odors that share these cells.",
}
_TITLES = {"unpaired-reversed": "unpaired, reversed", "odor-alone": "odor alone"}
_LAST_RESORTS = {"seed": "seed {}", "larvae": "of {} larvae", "began_as": "{}", "run_id": "run {}"}


def said(result: "xarray.Dataset", name: str) -> str:
    """Return in words what a result says by a coordinate; several where it was joined from several runs."""
    values = [_word(value) for value in origin.distinct(result, name)]
    return ", ".join(values[:4]) + (", ..." if len(values) > 4 else "")


def odors(result: "xarray.Dataset") -> list[str]:
    """Return what larvae smelled in phases, each mixture once, in order of appearance."""
    there = [*origin.distinct(result, "phase_odors"), *origin.distinct(result, "phase_against")]
    return list(dict.fromkeys(own for own in there if isinstance(own, str) and own))


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
    there = [*origin.distinct(result, "phase_manipulations"), *origin.distinct(result, "test_manipulations")]
    return list(dict.fromkeys(own for own in there if isinstance(own, str) and own))


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
        tell_apart([" and ".join(words) for words in given])
    tell_apart([", ".join(manipulations(result)) for result in results])
    tell_apart([said(result, "parameters") for result in results])
    if len({*map(tuple, parts)}) < len(results):
        tell_apart([_tests(result) for result in results], "tested with {}")
    for name, form in _LAST_RESORTS.items():
        if len({*map(tuple, parts)}) < len(results):
            tell_apart([said(result, name) for result in results], form)
    words = [drawing.plain(", ".join(own), 110) for own in parts]
    return [label if words.count(label) == 1 else f"{label} [{i + 1}]" for i, label in enumerate(words)]


def headline(result: "xarray.Dataset") -> str:
    """Return what one result has shown, in a sentence."""
    tested, larvae = str(result.test_odor.values[0]), result.sizes["larva"]
    there = result.preference_index.isel(test_odor=0).dropna("test", how="all")
    index = there.isel(test=-1).values if there.sizes["test"] else np.full(larvae, np.nan)
    who = f"{larvae} virtual larvae" if larvae > 1 else "One virtual larva"
    low, high = interval(index)
    # No line of the headline ends between a mean and its interval, or within that.
    bounds = f"\u00a0[{low:.2f},\u00a0{high:.2f}]" if np.isfinite(low) else ""
    given = " and ".join([*odors(result)[:3], *reinforcers(result).values()])
    diverged = int(diverged_at_tests(result).any(axis=1).sum())
    warning = f"; {diverged} of {larvae} diverged" if diverged else ""
    words = f"{who}, {title(result)}{f' ({given})' if given else ''}: preference for {tested} ends at"
    return f"{drawing.plain(words, 280)} {np.nanmean(index):+.2f}{bounds}{warning}"


def sentences(results: Sequence["xarray.Dataset"]) -> list[str]:
    """Return what is to be read below a figure."""
    larvae = "/".join(dict.fromkeys(str(result.sizes["larva"]) for result in results))
    parameters = list(dict.fromkeys(said(result, "parameters") for result in results))
    given = dict.fromkeys(name for result in results for name in reinforcers(result))
    seeds = list(dict.fromkeys(str(seed) for result in results for seed in origin.distinct(result, "seed")))
    runs = list(dict.fromkeys(str(run) for result in results for run in origin.distinct(result, "run_id") if run))
    circuit = "” and “".join(parameters)
    spoken = [_HOW_TO_READ, *(_MEANING[us] for us in given)]
    if larvae == "1":
        spoken += ["There is one larva, so there is no interval."]
    else:
        bold = f"Bold: mean of {larvae} with its 95 % bootstrap interval (10,000 resamples, seed 0)"
        spoken += [f"{bold}; faint: single larvae."]
    if any(diverged_at_tests(result).any() for result in results):
        spoken += [_CROSSES]
    spoken += [
        f"Circuit: Jürgensen et al. 2024, parameters “{drawing.plain(circuit, 200)}”.",
        "Odor responses: Si et al. 2019.",
        f"Seed{'s' * (len(seeds) > 1)} {', '.join(seeds[:6])}.",
    ]
    return [*spoken, f"Run{'s' * (len(runs) > 1)} {', '.join(runs[:6])}."] if runs else spoken


def _given(result: "xarray.Dataset") -> list[str]:
    return [*odors(result), *reinforcers(result).values()]


def _tests(result: "xarray.Dataset") -> str:
    lasted_s = result.isel(larva=0).test_s.values
    return ", ".join(f"{odor} {s:g}s" for odor, s in zip(result.test_odor.values, lasted_s, strict=True))


def _word(value: Any) -> str:
    if isinstance(value, float):
        return "not stated" if np.isnan(value) else f"{value:g}"
    return str(value) or "not stated"
