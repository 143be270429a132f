"""The result of an experiment as one dataset that says by itself what was done and with what it was made."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon.conditioning import origin
from kenyon.conditioning.file_format import FORMAT, FORMAT_VERSION
from kenyon.conditioning.paradigms import Paradigm
from kenyon.mushroom_body import Activity, Parameters
from kenyon.mushroom_body.circuit import GROUPS
from kenyon.mushroom_body.odors import find
from kenyon.provenance import run_id, versions

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

TEST_CONCENTRATION = 1.0
"""At which every odor is tested."""

ANSWERS = ("larva", "test", "test_odor")
"""Dimensions of what larvae answer at the tests."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Test:
    """What the larvae answered at one test.

    Attributes:
        answers: Activity under each test odor.
        w_kc_mbonp_nS: [B, K] float64, their weights at that time.
        w_kc_mbonn_nS: [B, K] float64.
    """

    answers: tuple[Activity, ...]
    w_kc_mbonp_nS: FloatArray
    w_kc_mbonn_nS: FloatArray


def together(slices: Sequence[Activity]) -> Activity:
    """Return the activity over successive stretches of time as one."""
    durations, counts = np.zeros_like(slices[0].duration_ms), np.zeros_like(slices[0].counts)
    for part in slices:
        durations, counts = durations + part.duration_ms, counts + part.counts
    return Activity(durations, counts, diverged=slices[-1].diverged)


def dataset(
    paradigm: Paradigm,
    parameters: Parameters,
    seed: int,
    seeds: Sequence[int],
    engine: str,
    odors: Sequence[str],
    test_s: float,
    tests: Sequence[Test],
    phases: Sequence[Activity],
) -> "xarray.Dataset":
    """Return what an experiment gave, with all that made it; see `experiment.run` for the variables."""
    import xarray

    def per_test(of: Any) -> FloatArray:
        return np.stack([np.stack([of(answer) for answer in test.answers], axis=-1) for test in tests], axis=1)

    identity = run_id(made_of(paradigm, parameters, seed, len(seeds), odors, test_s))
    weights = ("larva", "test", "kc")
    ends = np.cumsum([0.0, *(trial.duration_s for trial in paradigm.trials)])
    starts = np.cumsum([0.0, *(phase.duration_s for phase in paradigm.phases)])[:-1]
    return xarray.Dataset(
        {
            "test_mbonp_hz": (ANSWERS, per_test(lambda answer: answer.rate_hz("MBONp")), {"units": "Hz"}),
            "test_mbonn_hz": (ANSWERS, per_test(lambda answer: answer.rate_hz("MBONn")), {"units": "Hz"}),
            "preference_index": (
                ANSWERS,
                per_test(lambda answer: answer.preference_index),
                {"long_name": "(MBONp - MBONn) / (MBONp + MBONn)"},
            ),
            "w_kc_mbonp_nS": (weights, np.stack([test.w_kc_mbonp_nS for test in tests], axis=1), {"units": "nS"}),
            "w_kc_mbonn_nS": (weights, np.stack([test.w_kc_mbonn_nS for test in tests], axis=1), {"units": "nS"}),
            "diverged": (
                ("larva", "phase"),
                np.column_stack([phase.diverged for phase in phases]),
                {"long_name": "a membrane potential was beyond all bounds after the phase; that neuron is silent"},
            ),
            "phase_rate_hz": (
                ("larva", "phase", "group"),
                np.stack([np.column_stack(list(phase.rates_hz().values())) for phase in phases], axis=1),
                {"units": "Hz", "long_name": "mean firing rate of a cell of the group over the phase"},
            ),
            **origin.run_variable("larva", identity, len(seeds)),
        },
        coords={
            "larva": np.arange(len(seeds)),
            "larva_seed": ("larva", [str(own) for own in seeds]),
            "test": np.arange(len(tests)),
            "test_label": ("test", ["before", *(trial.label for trial in paradigm.trials)]),
            "test_time_s": ("test", ends, {"units": "s"}),
            "test_odor": list(odors),
            "group": list(GROUPS),
            "phase_start_s": ("phase", starts, {"units": "s"}),
            "phase_duration_s": ("phase", [phase.duration_s for phase in paradigm.phases], {"units": "s"}),
            "phase_cs": ("phase", [phase.cs for phase in paradigm.phases]),
            "phase_us": ("phase", [phase.us for phase in paradigm.phases]),
            "run_id": identity,
            "paradigm": paradigm.name,
            "paradigm_id": paradigm.id,
            "cs": paradigm.cs,
            "concentration": paradigm.concentration,
            "us": paradigm.us,
            "strength": paradigm.strength,
            "test_s": test_s,
            "test_concentration": TEST_CONCENTRATION,
            "larvae": len(seeds),
            "seed": str(seed),
            "parameters": parameters.description,
            **origin.parameter_coordinates(parameters),
            "engine": engine,
            "versions": json.dumps(versions()),
        },
        attrs={"format": FORMAT, "format_version": FORMAT_VERSION},
    )


def made_of(
    paradigm: Paradigm, parameters: Parameters, seed: int, larvae: int, odors: Sequence[str], test_s: float
) -> dict[str, Any]:
    """Return all that decides the numbers of an experiment, for `run_id`: contents, and no names given to them."""
    return {
        "kind": FORMAT,
        "design": [[[phase.cs, phase.us, phase.duration_s] for phase in trial.phases] for trial in paradigm.trials],
        "cs": [_contents(paradigm.cs), paradigm.concentration],
        "us": [paradigm.us, paradigm.strength],
        "parameters": parameters.values(),
        "wiring": "drawn by each larva's seed",
        "seed": str(seed),
        "larvae": larvae,
        "tests": [[_contents(odor), TEST_CONCENTRATION, test_s] for odor in odors],
        "recordings": [],
    }


def _contents(odor: str) -> list[Any]:
    known = find(odor)
    return [known.concentrations, known.responses]
