"""The result of an experiment: one dataset that says by itself what was done and with what it was made."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import archive, netcdf
from kenyon.conditioning.paradigms import Paradigm
from kenyon.conditioning.preference import interval
from kenyon.errors import FileFormatError
from kenyon.mushroom_body import Activity, Parameters
from kenyon.mushroom_body.circuit import GROUPS
from kenyon.provenance import versions
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

FORMAT = "kenyon conditioning result"
FORMAT_VERSION = 1

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
    tests: Sequence[Test],
    phases: Sequence[Activity],
) -> "xarray.Dataset":
    """Return what an experiment gave, with its identity; see `experiment.run` for the variables."""
    import xarray

    def per_test(of: Any) -> FloatArray:
        return np.stack([np.stack([of(answer) for answer in test.answers], axis=-1) for test in tests], axis=1)

    index = per_test(lambda answer: answer.preference_index)
    answers, weights = ("larva", "test", "test_odor"), ("larva", "test", "kc")
    ends = np.cumsum([0.0, *(trial.duration_s for trial in paradigm.trials)])
    starts = np.cumsum([0.0, *(phase.duration_s for phase in paradigm.phases)])[:-1]
    return xarray.Dataset(
        {
            "test_mbonp_hz": (answers, per_test(lambda answer: answer.rate_hz("MBONp")), {"units": "Hz"}),
            "test_mbonn_hz": (answers, per_test(lambda answer: answer.rate_hz("MBONn")), {"units": "Hz"}),
            "preference_index": (answers, index, {"long_name": "(MBONp - MBONn) / (MBONp + MBONn)"}),
            "preference_interval": (
                (*answers[1:], "bound"),
                interval(index, seed=seed),
                {"long_name": "95 % bootstrap interval of the mean preference index over larvae"},
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
        },
        coords={
            "larva": np.arange(len(seeds)),
            "larva_seed": ("larva", [str(own) for own in seeds]),
            "test": np.arange(len(tests)),
            "test_label": ("test", ["before", *(trial.label for trial in paradigm.trials)]),
            "test_time_s": ("test", ends, {"units": "s"}),
            "test_odor": list(odors),
            "bound": ["lower", "upper"],
            "group": list(GROUPS),
            "phase_start_s": ("phase", starts, {"units": "s"}),
            "phase_duration_s": ("phase", [phase.duration_s for phase in paradigm.phases], {"units": "s"}),
            "phase_cs": ("phase", [phase.cs for phase in paradigm.phases]),
            "phase_us": ("phase", [phase.us for phase in paradigm.phases]),
        },
        attrs={
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "paradigm": paradigm.name,
            "paradigm_id": paradigm.id,
            "cs": paradigm.cs,
            "us": paradigm.us,
            "seed": str(seed),
            "engine": engine,
            "parameters": parameters.description,
            "parameter_values": json.dumps(parameters.values()),
            "versions": json.dumps(versions()),
        },
    )


def save(result: "xarray.Dataset", path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a result to a NetCDF file, whole or not at all.

    Raises:
        InputError: the file exists and `overwrite` is False, or its folder does not.
        LockedError: somebody else is writing it.
        StorageError: the disk is full.
    """
    with archive.replacing(path, overwrite=overwrite) as temporary:
        netcdf.write(result, temporary)
    return Path(path)


def load(path: str | os.PathLike[str], *, limit_bytes: int = archive.LIMIT_BYTES) -> "xarray.Dataset":
    """Read a result that `save` wrote, of variables of at most `limit_bytes`.

    Raises:
        FileFormatError: the file is truncated, foreign or of another version.
        FileNotFoundError: there is no such file.
    """
    result = netcdf.read(path, limit_bytes=limit_bytes)
    found = result.attrs.get("format"), result.attrs.get("format_version")
    if found != (FORMAT, FORMAT_VERSION) or "preference_index" not in result:
        raise FileFormatError(
            f"{path} must be a {FORMAT} of version {FORMAT_VERSION}, got {shown(found[0])}, {shown(found[1])}"
        )
    return result


def summary(result: "xarray.Dataset") -> list[dict[str, Any]]:
    """Return one row for each test and test odor: means over larvae, with the interval of the preference index.

    Example:
        >>> from kenyon.conditioning import experiment, paradigms
        >>> short = paradigms.paradigm("naive", trials=1, stimulus_s=1, pause_s=0)
        >>> result = experiment.run(short, larvae=2, test_s=0.5, show_progress=False)
        >>> summary(result)[0]["after"]
        'before'
    """
    rows = []
    labels = test_labels(result)
    for odor in result.test_odor.values:
        for test in range(result.sizes["test"]):
            at = result.sel(test_odor=odor).isel(test=test)
            rows.append(
                {
                    "paradigm": result.attrs["paradigm"],
                    "test_odor": str(odor),
                    "after": labels[test],
                    "mbonp_hz": float(at.test_mbonp_hz.mean()),
                    "mbonn_hz": float(at.test_mbonn_hz.mean()),
                    "preference_index": float(at.preference_index.mean()),
                    "interval": [float(bound) for bound in at.preference_interval],
                }
            )
    return rows


def test_labels(result: "xarray.Dataset") -> list[str]:
    """Return what each test came after, such as "training 2".

    Example:
        >>> import xarray
        >>> test_labels(xarray.Dataset(coords={"test_label": ("test", ["before", "training", "training"])}))
        ['before', 'training 1', 'training 2']
    """
    labels: list[str] = [str(label) for label in result.test_label.values]
    numbered = [f"{label} {labels[: i + 1].count(label)}" for i, label in enumerate(labels)]
    return [label if labels.count(label) == 1 else numbered[i] for i, label in enumerate(labels)]
