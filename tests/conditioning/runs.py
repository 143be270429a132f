"""Runs that differ in one thing each, over all that can differ."""

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import xarray

from kenyon.conditioning import Results, paradigm, run
from kenyon.mushroom_body import BALANCED, Parameters, Record
from kenyon.mushroom_body.parameters import constants

TINY: dict[str, Any] = {"trials": 1, "stimulus_s": 0.02, "pause_s": 0.01, "test_s": 0.01}

DESIGNS: dict[str, Any] = {
    "name": "unpaired",
    "cs": "anisole",
    "concentration": 0.3,
    "us": "punishment",
    "strength": 0.4,
    "trials": 2,
    "stimulus_s": 0.03,
    "pause_s": 0.02,
    "test_odors": ("3-octanol",),
    "test_s": 0.02,
}
"""Another value for each argument of `paradigm`."""

ARGUMENTS: dict[str, Any] = {
    "larvae": 3,
    "seed": 7,
    "wiring": "right",
    "pn_to_kc": np.eye(72, 21, dtype=int),
    "weights": True,
    "codes": True,
    "per_second": True,
    "recordings": Record(spikes=True),
}
"""Another value for each argument of `run` that decides numbers, besides design and parameters."""


def tiny(changed: dict[str, Any] | None = None, parameters: Parameters = BALANCED, **arguments: Any) -> xarray.Dataset:
    """Return a run of some hundredths of a second of two larvae."""
    design = paradigm(**{**TINY, **(changed or {})})
    results = run(design, parameters=parameters, show_progress=False, **{"larvae": 2, **arguments})
    result: xarray.Dataset = results.one
    return result


def of(text: str, **arguments: Any) -> Results:
    """Return what a design of some hundredths of a second gives two larvae."""
    return run(text, show_progress=False, **{"larvae": 2, **arguments})


def other_parameters(name: str) -> Parameters:
    """Return the balanced set with another value of one constant."""
    value, constant = BALANCED.values()[name], constants()[name]
    if value is None:
        value = constant.high / 2
    for step in (1, -1) if constant.whole else (value * 0.5, 1.0, -value * 0.5):
        with suppress(ValueError):
            changed = BALANCED.replace({name: value + step})
            if changed != BALANCED:
                return changed
    raise AssertionError(name)


def varied(every: int = 1) -> Iterator[tuple[str, xarray.Dataset]]:
    """Yield a run and those that differ from it in one thing each, with the name of that; of constants each n-th."""
    yield "", tiny()
    for name, value in DESIGNS.items():
        yield name, tiny({name: value})
    for name, value in ARGUMENTS.items():
        yield name, tiny(**{name: value})
    for name in list(constants())[::every]:
        yield name, tiny(parameters=other_parameters(name))


def stated(result: xarray.Dataset) -> dict[str, Any]:
    """Return what a result says by its coordinates without dimensions."""
    return {str(name): coordinate.item() for name, coordinate in result.coords.items() if coordinate.ndim == 0}


def same(one: Any, other: Any) -> bool:
    """Return whether two values are one; nan is."""
    return bool(one == other) or (
        isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    )
