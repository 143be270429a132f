"""The state of B larvae: a record of fixed size for each, and every variable as an array over all of them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon.mushroom_body import circuit, inputs
from kenyon.mushroom_body.parameters import Parameters

FloatArray = NDArray[np.float64]


class State(NamedTuple):
    """Everything that decides what B larvae do next: views of one array of records, so that a larva lies in one piece.

    Attributes:
        v_mV: [B, N] float64, membrane potential.
        g_e_nS: [B, N] float64, excitatory conductance.
        g_i_nS: [B, N] float64, inhibitory conductance.
        g_a_nS: [B, N] float64, adaptation conductance.
        refractory_steps: [B, N] int32, steps for which v is still held.
        w_kc_mbonp_nS: [B, K] float64, weights from Kenyon cells to MBONp.
        w_kc_mbonn_nS: [B, K] float64, weights from Kenyon cells to MBONn.
        kc_silent_steps: [B, K] float64, steps since the Kenyon cell's last spike, inf if it never fired.
        ticks_left: [B, C] int64, operational time to each input channel's next spike (see `inputs`).
        rng: [B, C, 4] uint64, the stream of each of the larva's input channels (SFC64).
        step: [B] int64, steps done since the larva began.
        pn_to_kc: [B, K, P] uint8, wiring; never changes.
        records: [B] of all these, larva by larva.
    """

    v_mV: FloatArray
    g_e_nS: FloatArray
    g_i_nS: FloatArray
    g_a_nS: FloatArray
    refractory_steps: NDArray[np.int32]
    w_kc_mbonp_nS: FloatArray
    w_kc_mbonn_nS: FloatArray
    kc_silent_steps: FloatArray
    ticks_left: NDArray[np.int64]
    rng: NDArray[np.uint64]
    step: NDArray[np.int64]
    pn_to_kc: NDArray[np.uint8]
    records: NDArray[np.void]


_RECORD = np.dtype(
    [
        ("v_mV", np.float64, circuit.N_NEURONS),
        ("g_e_nS", np.float64, circuit.N_NEURONS),
        ("g_i_nS", np.float64, circuit.N_NEURONS),
        ("g_a_nS", np.float64, circuit.N_NEURONS),
        ("refractory_steps", np.int32, circuit.N_NEURONS),
        ("w_kc_mbonp_nS", np.float64, circuit.N_KCS),
        ("w_kc_mbonn_nS", np.float64, circuit.N_KCS),
        ("kc_silent_steps", np.float64, circuit.N_KCS),
        ("ticks_left", np.int64, circuit.N_CHANNELS),
        ("rng", np.uint64, (circuit.N_CHANNELS, 4)),
        ("step", np.int64),
        ("pn_to_kc", np.uint8, (circuit.N_KCS, circuit.N_PNS)),
    ]
)

PACKED = _RECORD.newbyteorder("<")
"""One larva as a record of fixed size, the same bytes on every machine."""


def _variables(records: NDArray[np.void]) -> dict[str, NDArray[Any]]:
    return {name: records[name] for name in _RECORD.names or ()}


def _state(records: NDArray[np.void]) -> State:
    return State(**_variables(records), records=records)


def newborn(parameters: Parameters, seeds: Sequence[int], pn_to_kc: NDArray[np.uint8] | None = None) -> State:
    """Return larvae at rest: every conductance 0, weights at their start, input streams fresh.

    Args:
        parameters: The set of constants.
        seeds: One seed a larva.
        pn_to_kc: [B, K, P] uint8; drawn from each larva's seed where not given.
    """
    state = _state(np.zeros(len(seeds), dtype=_RECORD))
    state.v_mV[:] = circuit.per_neuron(parameters, "rest_mV")
    state.w_kc_mbonp_nS[:] = state.w_kc_mbonn_nS[:] = parameters.kc_mbon_nS
    state.kc_silent_steps[:] = np.inf
    state.rng[:], state.ticks_left[:] = inputs.start_channels(parameters, seeds)
    for larva, seed in enumerate(seeds):
        state.pn_to_kc[larva] = circuit.draw_pn_to_kc(parameters, seed) if pn_to_kc is None else pn_to_kc[larva]
    return state


def gathered(variables: Mapping[str, NDArray[Any]]) -> State:
    """Return the state of which `arrays` gives these: every variable, of the shape and type that it has there."""
    records = np.empty(len(variables["step"]), dtype=_RECORD)
    for name, values in variables.items():
        records[name] = values
    return _state(records)


def arrays(state: State) -> dict[str, NDArray[Any]]:
    """Return every variable by its name.

    Example:
        >>> from kenyon.mushroom_body.parameters import BALANCED
        >>> larvae = newborn(BALANCED, [1, 2])
        >>> bool((gathered(arrays(larvae)).records == larvae.records).all())
        True
    """
    return _variables(state.records)


def pack(state: State) -> list[bytes]:
    """Return the larvae one by one, each as the bytes of a `PACKED` record.

    Example:
        >>> from kenyon.mushroom_body.parameters import BALANCED
        >>> [len(larva) for larva in pack(newborn(BALANCED, [1, 2]))] == [PACKED.itemsize] * 2
        True
    """
    return [record.tobytes() for record in state.records.astype(PACKED, copy=False)]


def unpack(larvae: Sequence[bytes]) -> State:
    """Return what `pack` gave as rows of their own.

    Raises:
        ValueError: the bytes are not of whole records.

    Example:
        >>> from kenyon.mushroom_body.parameters import BALANCED
        >>> larva = newborn(BALANCED, [1])
        >>> bool((unpack(pack(larva)).rng == larva.rng).all())
        True
    """
    return _state(np.frombuffer(bytearray().join(larvae), dtype=PACKED).astype(_RECORD, copy=False))


def select(state: State, larvae: Any) -> State:
    """Return copies of the named rows."""
    return _state(state.records[np.asarray(larvae, dtype=np.int64)])  # Places select copies, a slice would not.


def copy(state: State) -> State:
    """Return copies of all rows."""
    return _state(state.records.copy())


def write(state: State, larvae: Any, rows: State) -> None:
    """Put rows in the place of the named ones."""
    state.records[larvae] = rows.records


def join(first: State, second: State) -> State:
    """Return the rows of both, first those of `first`."""
    return _state(np.concatenate((first.records, second.records)))


def read_only(state: State) -> State:
    """Return the same rows as views that cannot be written to."""
    records = state.records.view()
    records.flags.writeable = False
    return _state(records)
