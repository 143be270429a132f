"""Replays golden files: fixed input to the circuit, and every spike that the published network answered with."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.archive import read_npz
from kenyon.errors import FileFormatError, InputError, KenyonError
from kenyon.mushroom_body import circuit, inputs
from kenyon.mushroom_body.activity import Record
from kenyon.mushroom_body.engine import Engine
from kenyon.mushroom_body.parameters import Parameters, named
from kenyon.mushroom_body.population import Population
from kenyon.mushroom_body.wiring import check_pn_to_kc

WEIGHT_TOLERANCE_nS = 1e-9


@dataclass(frozen=True)
class Golden:
    """One recorded run of the circuit.

    Attributes:
        name: Of the file.
        parameters: The set it ran under.
        duration_ms: How long it ran.
        input_events: [E, 2] int32, (step, channel).
        pn_to_kc: [K, P] wiring, or counts of synapses.
        spikes: [S, 2] int64, (step, neuron), sorted.
        w_kc_mbonp_nS: [K] float64, weights at the end.
        w_kc_mbonn_nS: [K] float64.
    """

    name: str
    parameters: Parameters
    duration_ms: float
    input_events: NDArray[np.int32]
    pn_to_kc: NDArray[Any]
    spikes: NDArray[np.int64]
    w_kc_mbonp_nS: NDArray[np.float64]
    w_kc_mbonn_nS: NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """How a replay compares with its golden file.

    Attributes:
        name: Of the file.
        spikes: How many spikes the file holds.
        missing: How many of them the replay did not give.
        surplus: How many it gave besides.
        first_difference: (step, neuron) of the first spike that only one of them has; None if there is none.
        weight_error_nS: Largest absolute difference of a weight at the end.
    """

    name: str
    spikes: int
    missing: int
    surplus: int
    first_difference: tuple[int, int] | None
    weight_error_nS: float

    @property
    def identical(self) -> bool:
        """Every spike is the same, and every weight to 1e-9 nS."""
        return self.missing == self.surplus == 0 and self.weight_error_nS <= WEIGHT_TOLERANCE_nS


def own_files() -> list[Path]:
    """Return the golden files that come with the package.

    Example:
        >>> [path.stem for path in own_files()]
        ['balanced', 'larval', 'larval_bounds', 'left', 'mixed', 'punishment', 'reward']
    """
    folder = resources.files("kenyon.mushroom_body") / "data" / "golden"
    return sorted(Path(str(entry)) for entry in folder.iterdir())


def load(path: str | os.PathLike[str]) -> Golden:
    """Read a golden file.

    One whose set of parameters is none that has a name says what it changes on one that has: a JSON object
    `parameter_changes`. It is replayed by those values, whatever a named set becomes.

    Raises:
        FileFormatError: the file is truncated or foreign, an array is missing or unusable.
        FileNotFoundError: there is no such file.
    """
    path = checks.path("file", path)
    arrays = read_npz(path)
    try:
        parameters = named(str(arrays["parameters"])).replace(_changes(arrays))
        dt_ms, duration_ms = float(arrays["dt_ms"]), float(arrays["duration_s"]) * 1e3
        if dt_ms != parameters.dt_ms:
            raise InputError(f"dt_ms must be {parameters.dt_ms:g}, got {dt_ms:g}")
        n_steps = parameters.steps("duration", duration_ms)
        pn_to_kc = check_pn_to_kc(arrays["pn_to_kc"], 1)[0]
        cells = circuit.layout(len(pn_to_kc))
        return Golden(
            name=Path(path).name,
            parameters=parameters,
            duration_ms=duration_ms,
            input_events=inputs.check_events("input_events", arrays["input_events"], n_steps),
            pn_to_kc=pn_to_kc,
            spikes=_spikes(arrays["spikes"], n_steps, cells),
            w_kc_mbonp_nS=_weights("w_kc_mbonp_nS", arrays["w_kc_mbonp_nS"], cells),
            w_kc_mbonn_nS=_weights("w_kc_mbonn_nS", arrays["w_kc_mbonn_nS"], cells),
        )
    except KeyError as missing:
        raise FileFormatError(f"{path} must be a golden file, but it has no array {missing}") from None
    except (KenyonError, TypeError, ValueError) as reason:
        raise FileFormatError(f"{path} must be a golden file: {reason}") from None


def replay(golden: Golden, engine: str | Engine = "kernel") -> Verdict:
    """Run a golden file's input through an engine, as experiments run it, and compare every spike and weight.

    Raises:
        InputError: the engine is unknown.
        MissingDependencyError: it is not installed.
    """
    checks.instance("golden", golden, Golden, "pass what verification.load gave")
    larva = Population(golden.parameters, [0], pn_to_kc=golden.pn_to_kc, engine=engine)
    activity = larva.advance_events([golden.input_events], golden.duration_ms, record=Record(spikes=True))
    given = (activity.spikes or ())[0]
    theirs, ours = ({(int(step), int(neuron)) for step, neuron in spikes} for spikes in (golden.spikes, given))
    differing = theirs ^ ours
    errors = (
        np.abs(larva.state.w_kc_mbonp_nS[0] - golden.w_kc_mbonp_nS),
        np.abs(larva.state.w_kc_mbonn_nS[0] - golden.w_kc_mbonn_nS),
    )
    return Verdict(
        name=golden.name,
        spikes=len(golden.spikes),
        missing=len(theirs - ours),
        surplus=len(ours - theirs),
        first_difference=min(differing) if differing else None,
        weight_error_nS=float(np.max(errors)),
    )


def _changes(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    if "parameter_changes" not in arrays:
        return {}
    changes = json.loads(str(arrays["parameter_changes"]))
    return checks.instance("parameter_changes", changes, dict, "write a JSON object of values by name")


def _spikes(given: NDArray[Any], n_steps: int, cells: circuit.Layout) -> NDArray[np.int64]:
    if given.ndim != 2 or given.shape[1] != 2 or given.dtype.kind not in "iu":
        raise InputError(f"spikes must be integers of shape (spikes, 2), got {given.dtype} of shape {given.shape}")
    if given.size and (given.min() < 0 or given[:, 0].max() >= n_steps or given[:, 1].max() >= cells.n_neurons):
        raise InputError(f"spikes must lie in steps 0..{n_steps - 1} and neurons 0..{cells.n_neurons - 1}")
    return given.astype(np.int64)


def _weights(name: str, given: NDArray[Any], cells: circuit.Layout) -> NDArray[np.float64]:
    if given.shape != (cells.n_kcs,) or given.dtype.kind != "f" or not np.isfinite(given).all():
        raise InputError(f"{name} must be finite floats of shape ({cells.n_kcs},), got {given.dtype} {given.shape}")
    return given.astype(np.float64)
