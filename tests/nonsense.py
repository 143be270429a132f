"""What the public API is called with: valid arguments by name, nonsense, and what that means where it is none.

A new function is in the walk by itself; where it has an argument of a new name, `VALID` needs a row.
"""

import decimal
import itertools
import tempfile
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from kenyon import conditioning
from kenyon.conditioning import Design, Group, Phase, Stage, balance, figures
from kenyon.conditioning.claims import Claim
from kenyon.conditioning.setup import Kept
from kenyon.conditioning.sweeps import Point, Store, Sweep, Uniform, collect, plan, run_sweep, sobol_sample
from kenyon.conditioning.timeline import timelines
from kenyon.drawing import new_figure
from kenyon.memory import (
    Memory,
    MushroomBodyMemory,
    RemoteBrianModelMemory,
    RLmemory,
    RLOlfMemory,
    RLPopulation,
    RLTouchMemory,
    checkpoint,
)
from kenyon.mushroom_body import Manipulation, Odor, Population, Record, drive, verification
from kenyon.mushroom_body.parameters import DEFAULT, constants
from kenyon.mushroom_body.state import newborn
from tests.public_api import Call


@cache
def a_result() -> Any:
    """Return the result of a short experiment."""
    short = conditioning.paradigm("paired", trials=1, stimulus_s=0.1, pause_s=0.0, test_s=0.1)
    return conditioning.run(short, larvae=2, codes=True, show_progress=False).one


@cache
def a_collected_sweep() -> Any:
    """Return two doses, collected."""
    sweep = Sweep.grid(design="A@$dose+ 10ms, ?A 10ms", dose=[0.1, 1.0], larvae=1)
    store = Store(tempfile.mkdtemp())
    store.add({point.id: point.compute() for point in sweep})
    return collect(store, sweep)


@cache
def groups_to_judge() -> Any:
    """Return the results of the four groups that `balance` judges, of a few hundredths of a second."""
    return {
        name: conditioning.run(
            conditioning.paradigm(name, trials=3, stimulus_s=0.01, pause_s=0.01, test_s=0.01,
                                  test_odors=[balance.DISSIMILAR]),
            larvae=2,
            show_progress=False,
        ).one
        for name in balance.GROUPS
    }  # fmt: skip


@cache
def a_golden() -> verification.Golden:
    """Return a golden run of a few steps."""
    golden = verification.load(verification.own_files()[0])
    import dataclasses

    early = golden.input_events[golden.input_events[:, 0] < 20]
    return dataclasses.replace(golden, duration_ms=2.0, input_events=early)


def a_population() -> Population:
    """Return two larvae."""
    return Population(seeds=[1, 2], threads=1)


def _born(memory: MushroomBodyMemory) -> Any:
    """Return a memory whose larva has its place, which it else takes when it is first asked for something."""
    assert memory.place == 0
    return _smelled(memory)


def _smelled(memory: Any) -> Any:
    """Return a memory that has looked up what its odor is, which it keeps."""
    assert memory.measured_odor("Odor")
    return memory


def _table_of_an_odor(path: Path) -> Path:
    """Return a file with one odor."""
    path.write_text(",".join(["0.5"] * 21))
    return path


def _begun() -> conditioning.Experiment:
    """Return an experiment whose larvae are there."""
    experiment = conditioning.Experiment("A 1s, ?A", larvae=1)
    next(experiment.events())
    return experiment


@cache
def _a_run() -> Any:
    """Return the result of a short run, by its id."""
    result = a_result()
    return {result.run_id.item(): result}


def _a_sweep() -> Sweep:
    """Return a sweep of one point, that of the result."""
    return Sweep([Point(conditioning.paradigm("paired", trials=1, stimulus_s=0.1, pause_s=0.0, test_s=0.1), larvae=2,
                        kept=Kept(codes=True))])  # fmt: skip


def _a_plan(path: Path) -> Path:
    """Return a file with the plan of a sweep."""
    path.write_text('design = "?A 1s"')
    return path


def _swept() -> Path:
    """Return the folder of a sweep that is done."""
    folder = _folder()
    run_sweep(_a_sweep(), folder, jobs=1, show_progress=False)
    return folder


@cache
def _place_of_a_store() -> Path:
    """Return where it is: one folder, made before there is a test, and not where the tests are."""
    return Path(tempfile.mkdtemp()) / "store"


def _a_store() -> Store:
    """Return a store with one result."""
    store = Store(_place_of_a_store())
    store.add(_a_run())
    return store


def _folder() -> Path:
    """Return a folder in which nothing is, in that of the test."""
    folder = Path(f"folder-{next(_numbers)}")
    folder.mkdir()
    return folder


def _saved(save: Callable[[Path], Path]) -> Path:
    """Return a file that is there, in the folder of the test."""
    path = Path("there")
    path.unlink(missing_ok=True)
    return save(path)


OWNERS: dict[str, Callable[[], Any]] = {
    "Activity": lambda: a_population().probe(duration_ms=1),
    "Kernel": lambda: a_population().engine,
    "Manipulation": lambda: Manipulation("silence", "KC"),
    "Odor": lambda: Odor("mine", [0.5] * 21),
    "Parameters": lambda: DEFAULT,
    "Experiment": _begun,
    "Results": lambda: conditioning.Results({"paired": a_result().copy(deep=True)}),
    "Store": _a_store,
    "Sweep": _a_sweep,
    "Design": lambda: Design([Group("trained", [Stage([Phase(1.0)])])]),
    "Constant": lambda: constants()["dt_ms"],
    "Population": a_population,
    "Snapshot": lambda: a_population().snapshot(),
    "State": lambda: newborn(DEFAULT, [1, 2]),
    "Memory": lambda: Memory(gain={"Odor": 0.0}, model_id=1),
    "RLmemory": lambda: RLmemory(gain={"Odor": 0.0}, model_id=1),
    "RLOlfMemory": lambda: RLOlfMemory(gain={"Odor": 0.0}, model_id=1),
    "RLTouchMemory": lambda: RLTouchMemory(gain={"Odor": 0.0}, model_id=1),
    "MushroomBodyMemory": lambda: _born(MushroomBodyMemory(gain={"Odor": 0.0}, model_id=1, shared=False, probe_ms=1.0)),
    "RemoteBrianModelMemory": lambda: _smelled(
        RemoteBrianModelMemory(gain={"Odor": 0.0}, server_port=1, timeout_s=0.1, sim_id=1, model_id=1)
    ),
    "RLPopulation": lambda: RLPopulation(2, ["Odor"]),
}
"""An object of each class that has methods."""

_numbers = itertools.count()

VALID: dict[str, Callable[[], Any]] = {
    "activity": lambda: a_population().advance(1, record=Record(spikes=True)),
    "alpha": lambda: 0.1,
    "judged.groups": groups_to_judge,
    "response_figure.result": a_collected_sweep,
    "sobol_indices.sample": lambda: sobol_sample(
        2, {"dose": Uniform(0.1, 1), "learning_rate_nS": Uniform(0.1, 1)}, design="?A@$dose 1s", larvae=1
    ),
    "sobol_indices.values": lambda: [float(place) for place in range(8)],
    "dose_response.results": lambda: conditioning.run("?A@0.1 10ms, ?A 10ms", larvae=2, show_progress=False),
    "panels": lambda: ["groups"],
    "phase_raster.result": lambda: conditioning.run(
        "?A 10ms, 10ms", larvae=2, recordings=Record(spikes=True), show_progress=False
    ),
    "prediction_error.results": lambda: conditioning.run("?A+ 10ms", larvae=2, show_progress=False),
    "weights.result": lambda: conditioning.run("?A 10ms", larvae=2, weights=True, show_progress=False),
    "cells": lambda: "KC",
    "connection": lambda: "APL>KC",
    "factor": lambda: 0.5,
    "kind": lambda: "silence",
    "manipulations": lambda: ["silence DANp"],
    "pA": lambda: 20.0,
    "Manipulation.target": lambda: "KC",
    "Manipulation.parse.text": lambda: "silence DANp",
    "set_constant.name": lambda: "homeostasis",
    "arrays": lambda: a_population().snapshot().plain()[1],
    "a_tm1": lambda: [0, 1],
    "concentrations": lambda: {"Odor": 1.0},
    "cs": lambda: "anisole",
    "concentration": lambda: 1.0,
    "delta": lambda: 0.1,
    "drive_hz": lambda: drive(DEFAULT),
    "Snapshot.drive_hz": lambda: np.zeros((2, 23)),
    "duration_ms": lambda: 1.0,
    "dx": lambda: {"Odor": 0.1},
    "qlearning.level.dx": lambda: [0.1],
    "RemoteBrianModelMemory.load.snapshot": lambda: "as `export` gave it",
    "RLPopulation.step.dx": lambda: [[0.1], [0.2]],
    "step_together.dx": lambda: [{"Odor": 0.1}],
    "epsilon": lambda: 0.1,
    "events": lambda: [[[0, 1]], [[1, 2]]],
    "Point.design": lambda: Design.read("?A 1s"),
    "Point.larvae": lambda: 2,
    "Point.kept": Kept,
    "varied": dict,
    "low": lambda: 1,
    "high": lambda: 2,
    "sweep.Sweep.points": lambda: list(_a_sweep()),
    **dict.fromkeys(
        ("Sweep.grid.axes", "Sweep.zip.axes"), lambda: {"design": "?A 1s", "larvae": [1, 2], "seed": [1, 2]}
    ),
    **dict.fromkeys(
        ("Sweep.random.axes", "Sweep.latin_hypercube.axes"),
        lambda: {"design": "?A 1s", "learning_rate_nS": Uniform(0, 1)},
    ),
    "Parameters.replace.changes": dict,
    "points": lambda: 2,
    "rows": lambda: [{"design": "?A 1s", "seed": 1}, {"design": "?A 1s", "seed": 2}],
    "Sweep.load.path": lambda: _saved(_a_plan),
    "base": lambda: 2,
    "sobol_sample.axes": lambda: {"design": "?A@$dose 1s", "dose": Uniform(0.1, 1), "learning_rate_nS": Uniform(0, 1)},
    "plan.from_plain.said": lambda: plan.to_plain(_a_sweep()),
    "figure": lambda: figures.learning_figure([a_result()]),
    "first": lambda: "anisole",
    "gain": lambda: {"Odor": 0.0},
    "gamma": lambda: 0.5,
    "given": lambda: "kernel",
    "golden": a_golden,
    "group": lambda: "KC",
    "compare.groups": lambda: {"a": a_result(), "b": a_result()},
    "header": lambda: a_population().snapshot().plain()[0],
    "identity": lambda: 1,
    "k": lambda: 1,
    "larvae": lambda: [0, 1],
    "brian_network.larvae": a_population,
    "larva_seeds.larvae": lambda: 2,
    "Experiment.larvae": lambda: 2,
    "run.larvae": lambda: 2,
    "RLPopulation.larvae": lambda: 2,
    "levels": lambda: [[0, 1]],
    "mbonn_hz": lambda: [1.0],
    "mbonp_hz": lambda: [1.0],
    "memories": lambda: [MushroomBodyMemory(gain={"Odor": 0.0}, model_id=1, shared=False)],
    "n_kcs": lambda: 72,
    "n_steps": lambda: [1, 2],
    "name": lambda: "paired",
    "Constant.check.name": lambda: "dt_ms",
    "Parameters.steps.name": lambda: "duration",
    "checked_identity.name": lambda: "id",
    "checked_seed.name": lambda: "seed",
    "named.name": lambda: "balanced",
    "Odor.name": lambda: "mine",
    "Odor.read.path": lambda: _saved(_table_of_an_odor),
    "read_odors.path": lambda: _saved(_table_of_an_odor),
    "responses": lambda: [0.5] * 21,
    "odor": lambda: "anisole",
    "odors": lambda: "anisole",
    "other": a_population,
    "Parameters.differences.other": lambda: DEFAULT,
    "Snapshot.join.other": lambda: a_population().snapshot(),
    "parameters": lambda: DEFAULT,
    "path": lambda: f"file-{next(_numbers)}",
    "Snapshot.load.path": lambda: _saved(a_population().snapshot().save),
    "results.load.path": lambda: _saved(partial(conditioning.save, a_result())),
    "restated.values": DEFAULT.stated,
    "verification.load.path": lambda: verification.own_files()[0],
    **dict.fromkeys(
        (f"checkpoint.{reading}.path" for reading in ("about", "names", "load", "restore")),
        lambda: _saved(lambda path: checkpoint.save(path, [Memory(gain={"Odor": 0.0}, model_id=1)])),
    ),
    "checkpoint.restore.memories": lambda: [Memory(gain={"Odor": 0.0}, model_id=1)],
    "model_id": lambda: 1,
    "sim_id": lambda: 1,
    "step_id": lambda: 1,
    "us": lambda: "reward",
    "duration_s": lambda: 1.0,
    "against": lambda: "3-octanol",
    "Lived.duration_s": lambda: 20.0,
    "blocks": lambda: [Phase(1.0)],
    "items": lambda: [Phase(1.0)],
    "stages": lambda: [Stage([Phase(1.0)])],
    "groups": lambda: [Group("trained", [Stage([Phase(1.0)])])],
    "larva_seconds.larvae": lambda: 2,
    "group.name": lambda: "trained",
    "Store.folder": lambda: "store",
    "folder.status.folder": _swept,
    "collect.store": _swept,
    "Store.add.results": _a_run,
    "Store.get.run_id": lambda: next(iter(_a_run())),
    "ids": lambda: list(_a_run()),
    "text": lambda: "A+ 1s",
    "Entry.text": lambda: "brief: A+ 1s",
    "find_entry.text": lambda: "trace/5s",
    "id": lambda: "brief",
    "question": lambda: "Is a second enough?",
    "Entry.source": lambda: "Nobody 2020",
    "Claim.source": lambda: "Nobody 2020",
    "Claim.id": lambda: "X1",
    "claims": lambda: [Claim("X1", "larva", "Some of them learn.", "Nobody 2020")],
    "reproduce.claims": lambda: [Claim("X1", "larva", "Some of them learn.", "Nobody 2020")],
    "reproduce.parameters": lambda: ["balanced"],
    "measure": lambda: len,
    "species": lambda: "larva",
    "statement": lambda: "Some of them learn.",
    "as_design.given": lambda: "A+ 1s",
    "design": lambda: Design([Group("trained", [Stage([Phase(1.0)])])]),
    "bound.bindings": lambda: {"A": "anisole"},
    "from_plain.said": lambda: "anisole",
    "Lane.kind": lambda: "odor",
    "spans_s": list,
    "every": lambda: timelines(Design([Group("trained", [Stage([Phase(1.0)])])])),
    "axes": lambda: new_figure(1, 1).subplots(),
    "label": lambda: "training",
    "labels": lambda: ["a", "b"],
    "strength": lambda: 1.0,
    "of_groups": lambda: {"paired": a_result()},
    "Results.load.folder": lambda: _saved(lambda _: conditioning.save(a_result(), _folder() / "a.nc")).parent,
    "of_id.text": lambda: conditioning.paradigms.paradigm_id(trials=1),
    "Experiment.resume.path": lambda: _saved(_begun().checkpoint),
    "branch.design": lambda: "A 1s, ?A",
    "made_of.group": lambda: "larvae",
    "larvae.group": lambda: "larvae",
    "Results.save.folder": _folder,
    "listeners": list,
    "purpose": lambda: "input",
    "q_t": lambda: [[0.0, 1.0]],
    "q_tm1": lambda: [[[0.0, 1.0]], [[1.0, 0.0]]],
    "r_t": lambda: [1.0, 0.0],
    "records": lambda: newborn(DEFAULT, [1]).records,
    "result": a_result,
    "results": lambda: [a_result()],
    "reward": lambda: 0.5,
    "witness": lambda: print,
    "step_together.reward": lambda: [0.5],
    "RLPopulation.step.reward": lambda: [0.5, 0.0],
    "rng": lambda: np.random.default_rng(1),
    "draw_events.rng": lambda: newborn(DEFAULT, [1]).rng[0],
    "s_t": lambda: [0, 0],
    "s_tm1": lambda: [0, 0],
    "second": lambda: "anisole",
    **dict.fromkeys(("overlap.first", "overlap.second"), lambda: "pentyl acetate"),
    "seed": lambda: 1,
    "seeds": lambda: [1, 2],
    "snapshot": lambda: a_population().snapshot(),
    "source": lambda: "it",
    "state": lambda: newborn(DEFAULT, [1, 2]),
    "stimuli": lambda: ["Odor"],
    "stimulus": lambda: "Odor",
    "ticks_left": lambda: newborn(DEFAULT, [1]).ticks_left[0],
    "value": lambda: 0.1,
    "values": lambda: np.arange(4.0),
    "words": lambda: a_population().snapshot().to_bytes(),
    "record": lambda: Record(spikes=True),
}
"""A valid argument by name, or by callable and name."""


def _endless() -> list[Any]:
    endless: list[Any] = []
    endless.append(endless)
    return endless


NONSENSE: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "a truth value": lambda: True,
    "a text": lambda: "nonsense",
    "no text": lambda: "",
    "a long text": lambda: "x" * 1_000_000,
    "lines and escapes": lambda: "a\n\x1b[31mb\0\ud800",
    "bytes": lambda: b"1",
    "a bytearray": lambda: bytearray(2),
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "a huge number": lambda: 1e300,
    "a huge integer": lambda: 10**400,
    "beyond spelling": lambda: 10**5000,
    "negative": lambda: -1,
    "negative and broken": lambda: -0.5,
    "complex": lambda: 1j,
    "numpy.timedelta64": lambda: np.timedelta64(100_000, "ns"),
    "numpy.datetime64": lambda: np.datetime64("2020-01-01"),
    "a decimal": lambda: decimal.Decimal(1),
    "a class": lambda: int,
    "a function": lambda: len,
    "an object": object,
    "no list": list,
    "ragged": lambda: [1, [2]],
    "texts": lambda: ["a", "b"],
    "a list that holds itself": _endless,
    "a dictionary": dict,
    "a dictionary of nonsense": lambda: {"Odor": object(), 1: None},
    "a dictionary of durations": lambda: {"Odor": np.timedelta64(1, "s")},
    "a set": lambda: {1},
    "an array without axes": lambda: np.array(1.0),
    "no array": lambda: np.empty(0),
    "an array of two axes": lambda: np.ones((2, 2)),
    "an array of four axes": lambda: np.zeros((1, 1, 1, 5)),
    "an array of nan": lambda: np.full(2, np.nan),
    "an array of texts": lambda: np.array(["a", "b"]),
    "an array of objects": lambda: np.array([object(), None]),
    "an array of durations": lambda: np.array([1, 2], dtype="m8[ns]"),
    "an array of truth values": lambda: np.array([True, False]),
    "records": lambda: np.zeros(2, dtype=[("a", float)]),
    "a masked array": lambda: np.ma.masked_greater(np.array([1.0, 2.0]), 1.0),  # type: ignore[no-untyped-call]  # numpy has no types for it
}


ITSELF, NOTHING, LEFT_OUT = object(), object(), object()
"""Of a value: it is a good one and means what it says; it means nothing; it means as much as no argument."""

MEANS: dict[tuple[str, str], Any] = {
    ("memory.*.odors", "a dictionary"): LEFT_OUT,
    ("memory.*.approaches_unless_rewarded", "a truth value"): ITSELF,
    ("memory.*.avoids_only_if_punished", "a truth value"): ITSELF,
    ("*_circuit.witness", "a class"): ITSELF,
    ("*_circuit.witness", "a function"): ITSELF,
    ("watch_circuit.spikes", "a truth value"): ITSELF,
    ("Point.varied", "a dictionary*"): ITSELF,  # words about a point, which change no number
    ("Uniform.low", "negative*"): ITSELF,
    ("Integers.low", "negative"): ITSELF,
    ("*Uniform.high", "a huge number"): ITSELF,
    ("Experiment.odors", "a dictionary"): NOTHING,
    **{
        (argument, nonsense): ()
        for argument in ("Experiment.odors", "page.messages")
        for nonsense in ("no list", "no array")
    },
    ("RemoteBrianModelMemory.load.snapshot", "*text"): ITSELF,  # the server looks at it
    **{
        (f"{of}.{kept}", "a truth value"): ITSELF
        for of in ("Experiment", "Experiment.branch")
        for kept in ("weights", "codes", "per_second")
    },
    **{
        (f"{of}.recordings", nonsense): LEFT_OUT
        for of in ("Experiment", "Experiment.branch")
        for nonsense in ("no list", "a dictionary")
    },
    ("yes", "a truth value"): ITSELF,
    ("Store.folder", "a text"): ITSELF,
    ("Store.add.results", "a dictionary"): ITSELF,
    **{
        (f"Store.{reading}.ids", nonsense): ITSELF
        for reading in ("read", "batches", "diverged")
        for nonsense in ("no list", "no array", "*texts", "a dictionary", "a dictionary of durations")
    },
    ("sparseness.treves_rolls", "a truth value"): ITSELF,
    ("paradigms.*.test_odors", "no [al]*"): LEFT_OUT,
    ("phases.*.label", "a text"): ITSELF,
    ("figures.*.label", "a text"): ITSELF,
    ("answers.spelled.text", "*text"): ITSELF,
    ("answers.spelled.text", "lines and escapes"): ITSELF,
    ("Criterion.statement", "a text"): ITSELF,
    ("Criterion.measure", "a class"): ITSELF,
    ("Criterion.measure", "a function"): ITSELF,
    ("Criterion.*at_least", "negative*"): ITSELF,
    ("Criterion.*at_least", "a huge number"): ITSELF,
    ("Criterion.*at_most", "negative*"): ITSELF,
    ("Criterion.*at_most", "a huge number"): ITSELF,
    ("Criterion.*at_most", "inf"): ITSELF,
    ("Criterion.null", "negative*"): ITSELF,
    ("Criterion.null", "a huge number"): ITSELF,
    ("Criterion.at_*", "None"): LEFT_OUT,
    ("Criterion.unit", "no text"): ITSELF,
    ("Claim.statement", "a *text"): ITSELF,
    **{(f"Claim.{name}", "*text"): ITSELF for name in ("source", "contradicted_by", "not_testable", "unknown")},
    **{(f"Claim.{name}", "a dictionary"): LEFT_OUT for name in ("groups", "controls")},
    **{(f"Claim.{name}", "no [al]*"): LEFT_OUT for name in ("criteria", "fitted_in")},
    ("Claim.fitted_in", "texts"): ITSELF,
    ("Claim.fitted_in", "an array of texts"): ITSELF,
    ("Claim.codes", "a truth value"): ITSELF,
    ("judge.odors", "a dictionary"): NOTHING,
    ("judge.folder", "a text"): ITSELF,
    ("reproduce.odors", "a dictionary"): NOTHING,
    ("reproduce.folder", "a text"): ITSELF,
    ("reproduce.ids", "no [al]*"): LEFT_OUT,
    ("collection.ids", "no [al]*"): LEFT_OUT,
    ("Entry.id", "a text"): ITSELF,
    ("Entry.question", "a text"): ITSELF,
    ("Entry.controls", "a dictionary"): ITSELF,
    ("Entry.varied", "no text"): LEFT_OUT,
    ("Entry.values", "no text"): LEFT_OUT,
    ("Entry.each", "no text"): LEFT_OUT,
    ("Entry.source", "a text"): ITSELF,
    ("Entry.source", "*"): NOTHING,
    ("phases.*.label", "no text"): ITSELF,
    ("Probe.odors", "None"): NOTHING,
    ("Lived.odors", "None"): NOTHING,
    ("Probe.odors", "a dictionary"): NOTHING,
    ("Lived.odors", "a dictionary"): NOTHING,
    ("phases.mixture.odors", "no [al]*"): None,
    ("Phase.odors", "no [al]*"): None,
    ("Phase.odors", "None"): LEFT_OUT,
    ("Lived.against", "no [al]*"): LEFT_OUT,
    ("Lived.against", "None"): LEFT_OUT,
    ("Lived.against", "a dictionary"): LEFT_OUT,
    ("phases.*.manipulations", "no [al]*"): LEFT_OUT,
    ("phases.*.reward", "a huge number"): ITSELF,
    ("phases.*.punishment", "a huge number"): ITSELF,
    ("Design.bindings", "no [al]*"): {},
    ("Design.bindings", "a dictionary"): ITSELF,
    ("designs.bound.bindings", "no [al]*"): {},
    ("designs.bound.bindings", "a dictionary"): {},
    ("Design.read.bindings", "no [al]*"): {},
    ("Design.read.bindings", "a dictionary"): {},
    ("Design.read.odors", "no [al]*"): (),
    ("Design.read.odors", "a dictionary"): NOTHING,
    ("strength", "a huge number"): ITSELF,
    ("Parameters.replace.changes", "a dictionary"): LEFT_OUT,
    ("select.larvae", "None"): [0, 1],
    ("checkpoint.save.about", "a dictionary"): LEFT_OUT,
    ("memory.*.server_host", "a text"): ITSELF,
    ("memory.*.unix_path", "a text"): ITSELF,
    ("memory.*.token", "*text"): ITSELF,
    ("memory.*.token", "lines and escapes"): ITSELF,
    ("RLPopulation.stimuli", "no *"): ITSELF,
    ("RLPopulation.stimuli", "*texts"): ITSELF,
    ("RLPopulation.model_ids", "*texts"): ITSELF,
    ("RLPopulation.step.reward", "negative*"): ITSELF,
    ("RLPopulation.step.reward", "a huge number"): ITSELF,
    ("RLPopulation.step.reward", "an array without axes"): ITSELF,  # one for all
    ("Group.name", "a text"): ITSELF,
    ("Group.name", "*"): NOTHING,
    ("Design.group.name", "*"): NOTHING,
    ("name", "*"): ITSELF,  # a word for the message
    ("source", "*"): ITSELF,
    ("path", "a text"): ITSELF,
    ("Kernel.layered", "a truth value"): ITSELF,
    ("overwrite", "a truth value"): ITSELF,
    ("show_progress", "a truth value"): ITSELF,
    ("odors", "a dictionary"): None,
    ("Odor.name", "*text*"): ITSELF,
    ("Odor.read.name", "a text"): ITSELF,
    ("Odor.at.concentration", "negative*"): ITSELF,
    ("mixture*.odors", "None"): {},
    ("concentration", "a huge number"): ITSELF,
    ("odors.response.concentration", "negative*"): 0.0,
    ("odors.similarity.concentration", "negative*"): 0.0,
    ("larva_seed.identity", "*text*"): ITSELF,
    ("larva_seed.identity", "lines and escapes"): ITSELF,
    ("larva_seed.identity", "negative"): ITSELF,
    ("Parameters.*_reversal_mV", "negative*"): ITSELF,
    ("Parameters.weight_floor_nS", "negative*"): ITSELF,
    ("preference_index.*", "*"): ITSELF,
    ("Population.seeds", "no list"): (),
    ("Population.seeds", "no array"): (),
    ("newborn.seeds", "no list"): (),
    ("newborn.seeds", "no array"): (),
    ("pA", "negative*"): ITSELF,
    ("manipulations", "no list"): (),
    ("manipulations", "no array"): (),
    ("Record.variables", "no list"): (),
    ("Record.variables", "no array"): (),
    ("Record.spikes", "a truth value"): ITSELF,
    ("advance.plastic", "a truth value"): ITSELF,
    ("memory.*.brain", "*"): ITSELF,  # of the host; what has no sensors is none
    ("checked_gain.gain", "a dictionary"): ITSELF,
    ("memory.*.gain", "a dictionary"): LEFT_OUT,
    ("memory.*_id", "*text*"): ITSELF,
    ("memory.*_id", "lines and escapes"): ITSELF,
    ("memory.*_id", "negative"): ITSELF,
    **{
        (f"memory.*.{switch}", "a truth value"): ITSELF
        for switch in ("frozen", "only_sensed", "seeks_food", "shared", "state_specific_best", "unix", "tls")
    },
    ("memory.*.G", "negative*"): ITSELF,
    ("memory.*.innate_gain", "negative*"): ITSELF,
    ("memory.*.changes", "a dictionary"): LEFT_OUT,
    ("memory.*Memory.step.dx", "a dictionary"): LEFT_OUT,
    ("memory.*RLmemory.step.dx", "a dictionary"): LEFT_OUT,
    ("memory.*.step.reward", "a truth value"): ITSELF,
    ("memory.*.step.punishment", "a truth value"): ITSELF,
    ("RL*Memory.step.reward", "negative*"): ITSELF,
    ("RL*Memory.step.reward", "a huge number"): ITSELF,
    ("RLmemory.step.reward", "negative*"): ITSELF,
    ("RLmemory.step.reward", "a huge number"): ITSELF,
    ("Memory.step.reward", "negative*"): ITSELF,
    ("Memory.step.reward", "a huge number"): ITSELF,
    ("measured_mixture.concentrations", "a dictionary"): ITSELF,
    ("probe.stimuli", "no *"): ITSELF,
    ("step_together.memories", "no *"): ITSELF,
    ("RLPopulation.step.reward", "an array of truth values"): ITSELF,
    ("memory.*.tls_ca", "*text"): ITSELF,
    ("limit_bytes", "a huge integer"): ITSELF,
    ("limit_bytes", "beyond spelling"): ITSELF,
    ("qlearning.*", "*"): ITSELF,  # numbers in arrays of any shape
    ("statistics.interval.values", "*"): ITSELF,
    ("comparing.compare.test", "negative"): ITSELF,
    ("comparing.compare.paired", "a truth value"): ITSELF,
    ("comparing.compare.margin", "a huge number"): ITSELF,
}
"""What nonsense means that is none to an argument: another value that means the same, or ITSELF.

By pattern of callable and argument, and of the nonsense. None for an argument that may be left out is that.
"""


def valid(call: Call, argument: str) -> Any:
    """Return a valid argument."""
    short = call.name.split(".")
    for key in (f"{short[-2]}.{short[-1]}.{argument}", f"{short[-1]}.{argument}", argument):
        if key in VALID:
            return VALID[key]()
    raise LookupError(f"VALID needs a row for {argument!r}, as for {call.name}")


def meaning(call: Call, nonsense: str) -> Any:
    """Return what nonsense means to an argument; NOTHING where it is to be refused."""
    full = f"{call.name}.{call.argument}"
    for (where, what), means in MEANS.items():
        if fnmatchcase(full, f"*.{where}") and fnmatchcase(nonsense, what):
            return means
    return LEFT_OUT if nonsense == "None" and call.may_be_none else NOTHING
