"""The result of a group of larvae as one dataset that says by itself what was done and with what it was made."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from kenyon.conditioning import origin
from kenyon.conditioning.designs import Design
from kenyon.conditioning.file_format import FORMAT, FORMAT_VERSION, described
from kenyon.conditioning.living import Course
from kenyon.conditioning.moments import mixture_words
from kenyon.conditioning.phases import Element, Group, Lived, Mixture, Probe, Shuffle
from kenyon.conditioning.recorded import recorded
from kenyon.conditioning.setup import Setup
from kenyon.conditioning.variables import MEASURED
from kenyon.mushroom_body.circuit import GROUPS
from kenyon.mushroom_body.odors import find
from kenyon.provenance import run_id, versions

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

Coordinates: TypeAlias = dict[str, Any]


def dataset(design: Design, course: Course, setup: Setup) -> "xarray.Dataset":
    """Return what the larvae of a group gave, with all that made it; see `variables` for what it holds.

    Args:
        design: Of this group alone.
        course: The group, and what was kept of it.
        setup: What it was made with.
    """
    import xarray

    group, seeds = course.group, setup.seeds(course.group.name)
    lived = [number for number, element in enumerate(group.elements) if not isinstance(element, Probe)]
    arrays = dict(course.collector.arrays)
    for name in ("phase_rate_hz", "diverged"):
        arrays[name] = arrays[name][:, lived]
    arrays |= recorded(course, setup.parameters.dt_ms)
    identity = run_id(made_of(group, setup))
    result = xarray.Dataset(
        {
            **{name: (own.dims, arrays[name]) for name, own in MEASURED.items() if name in arrays},
            **origin.run_variable("larva", identity, len(seeds)),
        },
        coords={
            "larva": np.arange(len(seeds)),
            "larva_seed": ("larva", [str(own) for own in seeds]),
            "group": list(GROUPS),
            **_tests(course),
            **_phases(course, lived),
            **(_seconds(course, lived) if "rate_hz" in arrays else {}),
            "run_id": identity,
            "larva_group": group.name,
            "design": design.text,
            "larvae": len(seeds),
            "seed": setup.seed,
            "began_as": setup.began_as[group.name],
            "kept": ", ".join([*setup.kept.names, *["recordings"] * bool(setup.kept.recordings)]),
            "wiring": setup.wiring,
            "kenyon_cells": course.n_kcs,
            "own_odors": _own_odors(design),
            "parameters": setup.parameters.description,
            **origin.parameter_coordinates(setup.parameters),
            "engine": setup.engine.name,
            "versions": json.dumps(versions()),
        },
        attrs={"format": FORMAT, "format_version": FORMAT_VERSION},
    )
    return described(result)


def _tests(course: Course) -> Coordinates:
    grid = course.moments
    times_s, dims = _times(course, list(grid.firsts), "test")
    return {
        "test": np.arange(len(grid.labels)),
        "test_label": ("test", _words(grid.labels)),
        "test_time_s": (dims, times_s),
        "test_odor": _words(grid.names),
        "test_smelled": ("test_odor", _words([mixture_words(test.odors) for test in grid.columns])),
        "test_s": ("test_odor", _numbers([test.duration_s for test in grid.columns])),
        "test_lived": ("test_odor", np.array([isinstance(test, Lived) for test in grid.columns], dtype=np.bool_)),
        **_about("test", "test_odor", grid.columns),
    }


def _phases(course: Course, lived: list[int]) -> Coordinates:
    starts_s, dims = _times(course, lived, "phase")
    elements = [course.group.elements[number] for number in lived]
    stages = [stage.label for stage in course.group.stages for _ in stage.elements]
    labels = [element.label or stages[number] for number, element in zip(lived, elements, strict=True)]
    return {
        "phase_label": ("phase", _words(labels)),
        "phase_start_s": (dims, starts_s),
        "phase_duration_s": ("phase", _numbers([element.duration_s for element in elements])),
        "phase_odors": ("phase", _words([mixture_words(element.odors) for element in elements])),
        **_about("phase", "phase", elements),
    }


def _about(of: str, dim: str, elements: Sequence[Element]) -> Coordinates:
    """Return what phases and tests have in common, besides odors and time."""
    against = [mixture_words(own.against) if isinstance(own, Lived) else "" for own in elements]
    return {
        f"{of}_against": (dim, _words(against)),
        f"{of}_reward": (dim, _numbers([own.reward for own in elements])),
        f"{of}_punishment": (dim, _numbers([own.punishment for own in elements])),
        f"{of}_manipulations": (dim, _words([", ".join(m.text for m in own.manipulations) for own in elements])),
    }


def _seconds(course: Course, lived: list[int]) -> Coordinates:
    phases = {number: place for place, number in enumerate(lived)}
    slices = list(course.schedule.slices())
    return {
        "second_phase": ("second", np.array([phases[number] for number, _, _ in slices], dtype=np.int64)),
        "second_start_s": ("second", _numbers([begin for _, begin, _ in slices])),
        "second_duration_s": ("second", _numbers([end - begin for _, begin, end in slices])),
    }


def _own_odors(design: Design) -> str:
    """Return every odor that is no measured one, as JSON; "" where there is none."""
    own = {name: odor.contents for name, odor in design.own_odors.items()}
    return json.dumps(own, sort_keys=True) if own else ""


def _times(course: Course, numbers: list[int], dim: str) -> tuple[Any, Any]:
    """Return when larvae come to some elements, s: for all of them, or of each where an order was drawn for each."""
    times = course.schedule.starts_s()[:, numbers]
    if any(isinstance(item, Shuffle) for stage in course.group.stages for item in stage.items):
        return times, ("larva", dim)
    return times[0], (dim,)


def _words(words: Sequence[str]) -> Any:
    return np.array(words, dtype=np.dtypes.StrDType if not len(words) else None)


def _numbers(values: Sequence[float]) -> Any:
    return np.array(values, dtype=np.float64)


def made_of(group: Group, setup: Setup) -> dict[str, Any]:
    """Return all that decides the numbers of a group, for `run_id`: contents, and no names given to them."""
    return {
        **made_by(
            done_to(group),
            setup.parameters.stated(),
            began_as=setup.began_as[group.name],
            wiring=setup.wiring,
            seed=setup.seed,
            larvae=len(setup.seeds(group.name)),
            kept=setup.kept.names,
        ),
        "recordings": [[name, *vars(record).values()] for name, record in setup.kept.recordings],
    }


def made_by(
    design: Any,
    parameters: Any,
    *,
    began_as: str,
    wiring: str,
    seed: str,
    larvae: int,
    kept: Sequence[str],
) -> dict[str, Any]:
    """Return the same of larvae that need not be there, where nothing is recorded.

    Args:
        design: What `done_to` gave of their group.
        parameters: What `Parameters.stated` gave.
        began_as: As in `Setup`, like all else.
        wiring: As above.
        seed: As above.
        larvae: How many.
        kept: Names of what is kept.
    """
    return {
        "kind": FORMAT,
        "design": design,
        "parameters": parameters,
        "began_as": began_as,
        "wiring": wiring,
        "seed": seed,
        "larvae": larvae,
        "kept": list(kept),
        "recordings": [],
    }


def done_to(group: Group) -> list[Any]:
    """Return all that is done to a group, as its id says it."""
    return [_item(item) for stage in group.stages for item in stage.items]


def _item(item: Element | Shuffle) -> list[Any]:
    if isinstance(item, Shuffle):
        return ["shuffle", [[_item(element) for element in block] for block in item.blocks]]
    return [
        type(item).__name__.lower(),
        item.duration_s,
        _contents(item.odors),
        _contents(item.against if isinstance(item, Lived) else ()),
        item.reward,
        item.punishment,
        [manipulation.text for manipulation in item.manipulations],
    ]


def _contents(odors: Mixture) -> list[Any]:
    # In an order of contents, for that of a mixture goes by names.
    known = sorted(((find(odor), concentration) for odor, concentration in odors), key=lambda own: (own[0].id, own[1]))
    return [[odor.contents, concentration] for odor, concentration in known]
