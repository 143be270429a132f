"""The state of B larvae as a plain structure of arrays, one row a larva."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kenyon.mushroom_body import circuit, inputs
from kenyon.mushroom_body.parameters import Parameters

FloatArray = NDArray[np.float64]


class State(NamedTuple):
    """Everything that decides what B larvae do next.

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


_WIDTHS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "v_mV": (np.float64, (circuit.N_NEURONS,)),
    "g_e_nS": (np.float64, (circuit.N_NEURONS,)),
    "g_i_nS": (np.float64, (circuit.N_NEURONS,)),
    "g_a_nS": (np.float64, (circuit.N_NEURONS,)),
    "refractory_steps": (np.int32, (circuit.N_NEURONS,)),
    "w_kc_mbonp_nS": (np.float64, (circuit.N_KCS,)),
    "w_kc_mbonn_nS": (np.float64, (circuit.N_KCS,)),
    "kc_silent_steps": (np.float64, (circuit.N_KCS,)),
    "ticks_left": (np.int64, (circuit.N_CHANNELS,)),
    "rng": (np.uint64, (circuit.N_CHANNELS, 4)),
    "step": (np.int64, ()),
    "pn_to_kc": (np.uint8, (circuit.N_KCS, circuit.N_PNS)),
}

PACKED = np.dtype([(name, np.dtype(kind).newbyteorder("<"), shape) for name, (kind, shape) in _WIDTHS.items()])
"""One larva as a record of fixed size, the same bytes on every machine."""


def newborn(parameters: Parameters, seeds: Sequence[int], pn_to_kc: NDArray[np.uint8] | None = None) -> State:
    """Return larvae at rest: every conductance 0, weights at their start, input streams fresh.

    Args:
        parameters: The set of constants.
        seeds: One seed a larva.
        pn_to_kc: [B, K, P] uint8; drawn from each larva's seed where not given.
    """
    larvae, neurons = len(seeds), (len(seeds), circuit.N_NEURONS)
    if pn_to_kc is None:
        drawn = [circuit.draw_pn_to_kc(parameters, seed) for seed in seeds]
        pn_to_kc = np.array(drawn, dtype=np.uint8).reshape(larvae, circuit.N_KCS, circuit.N_PNS)
    rng, ticks_left = inputs.start_channels(parameters, seeds)
    return State(
        v_mV=np.tile(circuit.per_neuron(parameters, "rest_mV"), (larvae, 1)),
        g_e_nS=np.zeros(neurons),
        g_i_nS=np.zeros(neurons),
        g_a_nS=np.zeros(neurons),
        refractory_steps=np.zeros(neurons, dtype=np.int32),
        w_kc_mbonp_nS=np.full((larvae, circuit.N_KCS), parameters.kc_mbon_nS),
        w_kc_mbonn_nS=np.full((larvae, circuit.N_KCS), parameters.kc_mbon_nS),
        kc_silent_steps=np.full((larvae, circuit.N_KCS), np.inf),
        ticks_left=ticks_left,
        rng=rng,
        step=np.zeros(larvae, dtype=np.int64),
        pn_to_kc=pn_to_kc,
    )


def pack(state: State) -> list[bytes]:
    """Return the larvae one by one, each as the bytes of a `PACKED` record.

    Example:
        >>> from kenyon.mushroom_body.parameters import BALANCED
        >>> [len(larva) for larva in pack(newborn(BALANCED, [1, 2]))] == [PACKED.itemsize] * 2
        True
    """
    records = np.empty(len(state.step), dtype=PACKED)
    for name, values in state._asdict().items():
        records[name] = values
    return [record.tobytes() for record in records]


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
    records = np.frombuffer(b"".join(larvae), dtype=PACKED)
    return State(**{name: np.array(records[name], dtype=kind, order="C") for name, (kind, _) in _WIDTHS.items()})


def select(state: State, larvae: Any) -> State:
    """Return copies of the named rows."""
    places = np.asarray(larvae, dtype=np.int64)  # An array of places selects copies, a slice would not.
    return State(**{name: values[places] for name, values in state._asdict().items()})


def copy(state: State) -> State:
    """Return copies of all rows."""
    return State(**{name: values.copy() for name, values in state._asdict().items()})


def write(state: State, larvae: Any, rows: State) -> None:
    """Put rows in the place of the named ones."""
    new = rows._asdict()
    for name, values in state._asdict().items():
        values[larvae] = new[name]


def join(first: State, second: State) -> State:
    """Return the rows of both, first those of `first`."""
    others = second._asdict()
    return State(**{name: np.concatenate((values, others[name])) for name, values in first._asdict().items()})


def read_only(state: State) -> State:
    """Return the same rows as views that cannot be written to."""
    seen = {name: values.view() for name, values in state._asdict().items()}
    for view in seen.values():
        view.flags.writeable = False
    return State(**seen)
