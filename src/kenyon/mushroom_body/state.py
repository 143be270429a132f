"""The state of B larvae: a record of fixed size for each, and every variable as an array over all of them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.mushroom_body import circuit, inputs
from kenyon.mushroom_body.parameters import Parameters, check_parameters
from kenyon.mushroom_body.wiring import MOST_STRENGTH, RANDOM, wirings
from kenyon.seeds import checked_seed
from kenyon.whole import Change
from kenyon.whole import write as write_whole
from kenyon.words import shown

Scalar = TypeVar("Scalar", bound=np.generic)


class _Variable(Generic[Scalar]):
    """A variable of a larva: a field of its record, seen as an array over all larvae."""

    def __init__(self, scalar: type[Scalar], *shape: int) -> None:
        self.scalar, self.shape = scalar, shape

    def __set_name__(self, _: type, name: str) -> None:
        self.name = name

    def __get__(self, state: Any, _: type | None = None) -> NDArray[Scalar]:
        if state is None:
            return self  # type: ignore[return-value]  # asked of the class
        view: NDArray[Scalar] = state.records[self.name]
        return view

    def __set__(self, state: Any, _: object) -> None:
        raise AttributeError(f"{self.name} is a view of the records; write into it, or make a State with `replace`")


class State:
    """Everything that decides what B larvae do next: one array of records, so that a larva lies in one piece.

    All else are views of the records, made when asked for: so a state stays one thing however it is copied, pickled or
    sent, and no variable can come apart from the others.

    Args:
        records: [B] of all variables, larva by larva; kept, not copied.

    Attributes:
        records: As given.
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
        pn_to_kc: [B, K, P] float64, strength of each connection, in multiples of pn_kc_nS; never changes.
        kc_eligibility: [B, K] float64, eligibility at the Kenyon cell's last spike, 0 if it never fired.
        dan_trace: [B, D] float64, dopamine trace at the last spike of DANp and of DANn, 0 if it never fired.
        dan_silent_steps: [B, D] float64, steps since that spike, inf if it never fired.

    Raises:
        InputError: `records` is no array of larvae.

    Example:
        >>> from kenyon.mushroom_body import Population
        >>> state = Population(seeds=[1, 2]).state
        >>> len(state), state.v_mV.shape
        (2, (2, 142))
    """

    __slots__ = ("records",)

    v_mV = _Variable(np.float64, circuit.N_NEURONS)
    g_e_nS = _Variable(np.float64, circuit.N_NEURONS)
    g_i_nS = _Variable(np.float64, circuit.N_NEURONS)
    g_a_nS = _Variable(np.float64, circuit.N_NEURONS)
    refractory_steps = _Variable(np.int32, circuit.N_NEURONS)
    w_kc_mbonp_nS = _Variable(np.float64, circuit.N_KCS)
    w_kc_mbonn_nS = _Variable(np.float64, circuit.N_KCS)
    kc_silent_steps = _Variable(np.float64, circuit.N_KCS)
    ticks_left = _Variable(np.int64, circuit.N_CHANNELS)
    rng = _Variable(np.uint64, circuit.N_CHANNELS, 4)
    step = _Variable(np.int64)
    pn_to_kc = _Variable(np.float64, circuit.N_KCS, circuit.N_PNS)
    kc_eligibility = _Variable(np.float64, circuit.N_KCS)
    dan_trace = _Variable(np.float64, circuit.N_DANS)
    dan_silent_steps = _Variable(np.float64, circuit.N_DANS)

    def __init__(self, records: NDArray[np.void]) -> None:
        if not isinstance(records, np.ndarray) or records.dtype != RECORD or records.ndim != 1:
            raise InputError(f"records must be a row of larvae as `newborn` makes them, got {checks.got(records)}")
        self.records = records

    def __len__(self) -> int:
        """Return the number of larvae."""
        return len(self.records)

    def __repr__(self) -> str:
        """Say what this is."""
        return f"<state of {len(self)} larvae>"

    def replace(self, **variables: Any) -> "State":
        """Return copies of the larvae in which some variables are others: arrays of their shape, or of one larva's.

        Raises:
            InputError: a variable is unknown, or its values do not fit.

        Example:
            >>> from kenyon.mushroom_body import BALANCED
            >>> float(newborn(BALANCED, [1]).replace(w_kc_mbonp_nS=np.full(72, 40.0)).w_kc_mbonp_nS.max())
            40.0
        """
        other = copy(self)
        for name, values in variables.items():
            own = other.records[checks.one_of("variable", name, list(VARIABLES))]
            given = checks.numbers(name, values, booleans=True)
            if given.shape not in (own.shape, own.shape[1:]) or not np.can_cast(given.dtype, own.dtype, "same_kind"):
                raise InputError(f"{name} must be {own.dtype} of shape {own.shape}, got {checks.got(given)}")
            own[...] = given
        return other


VARIABLES: Mapping[str, _Variable[Any]] = {k: own for k, own in vars(State).items() if isinstance(own, _Variable)}
"""The variables of a larva, in the order of its record."""

RECORD = np.dtype([(name, own.scalar, own.shape) for name, own in VARIABLES.items()])
"""One larva."""

PACKED = RECORD.newbyteorder("<")
"""One larva as a record of fixed size, the same bytes on every machine."""

_LATER = ("kc_eligibility", "dan_trace", "dan_silent_steps")

_BEFORE = np.dtype(
    [
        (name, np.uint8 if name == "pn_to_kc" else own.scalar, own.shape)
        for name, own in VARIABLES.items()
        if name not in _LATER
    ]
).newbyteorder("<")
"""One larva as it was packed when a connection was there or not, a 0 or 1, and eligibility was not graded."""

_WHOLE = np.dtype((np.void, RECORD.itemsize))
"""One larva in one piece: numpy copies a record field by field, which takes three times as long."""


def newborn(parameters: Parameters, seeds: Iterable[int], pn_to_kc: Any = None, wiring: str = RANDOM) -> State:
    """Return larvae at rest: every conductance 0, weights at their start, input streams fresh.

    Args:
        parameters: The set of constants.
        seeds: One seed a larva, an integer of 0 or more.
        pn_to_kc: PN to KC wiring of one's own, [K, P] for all or [B, K, P], as `wiring.check_pn_to_kc` takes it.
        wiring: One of `wiring.WIRINGS`, where none is given.

    Raises:
        InputError: an argument is unusable.

    Randomness:
        Each larva's own "wiring", "shuffle" and "input" streams.
    """
    check_parameters(parameters)
    seeds = [checked_seed("seed of a larva", seed) for seed in checks.several("seeds", seeds)]
    wired = wirings(parameters, seeds, wiring, pn_to_kc)
    state = State(np.zeros(len(seeds), dtype=RECORD))
    state.v_mV[:] = circuit.per_neuron(parameters, "rest_mV")
    state.w_kc_mbonp_nS[:] = state.w_kc_mbonn_nS[:] = parameters.kc_mbon_nS
    state.kc_silent_steps[:] = state.dan_silent_steps[:] = np.inf
    state.rng[:], state.ticks_left[:] = inputs.start_channels(parameters, seeds)
    state.pn_to_kc[:] = wired
    return state


def rows(state: State, seeds: Sequence[int], dt_ms: float) -> list[dict[str, Any]]:
    """Return a table of the first larvae: seed, age and what their plastic weights have become."""
    return [
        {
            "larva": larva,
            "seed": shown(seed, 24),
            "age (s)": state.step[larva] * dt_ms * 1e-3,
            "mean weight to MBONp (nS)": state.w_kc_mbonp_nS[larva].mean(),
            "mean weight to MBONn (nS)": state.w_kc_mbonn_nS[larva].mean(),
        }
        for larva, seed in enumerate(seeds[:_ROWS])
    ]


_ROWS = 20
"""Larvae that a table in a notebook has room for."""


def gathered(variables: Mapping[str, NDArray[Any]]) -> State:
    """Return the state of which `arrays` gives these: every variable, of the shape and type that it has there."""
    records = np.empty(len(variables["step"]), dtype=RECORD)
    for name, values in variables.items():
        records[name] = values
    return State(records)


def arrays(state: State) -> dict[str, NDArray[Any]]:
    """Return every variable by its name.

    Example:
        >>> from kenyon.mushroom_body.parameters import BALANCED
        >>> larvae = newborn(BALANCED, [1, 2])
        >>> bool((gathered(arrays(larvae)).records == larvae.records).all())
        True
    """
    return {name: state.records[name] for name in VARIABLES}


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
    return State(np.frombuffer(bytearray().join(larvae), dtype=PACKED).astype(RECORD, copy=False))


def as_now(larva: bytes) -> bytes:
    """Return a larva that `pack` gave, also one of before, as this version packs it."""
    if len(larva) != _BEFORE.itemsize:
        return larva
    before = np.frombuffer(larva, dtype=_BEFORE)
    return pack(gathered(renewed({name: before[name] for name in _BEFORE.names or ()})))[0]


def renewed(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables of larvae by name, also of a file of before, as this version has them.

    Of before are a 0 or 1 for each connection; an eligibility that each spike of a Kenyon cell set to 1; and no traces
    of dopamine neurons. Whatever else is amiss stays so.
    """
    now = dict(variables)
    wired, silent = now.get("pn_to_kc"), now.get("kc_silent_steps")
    if isinstance(wired, np.ndarray) and wired.dtype == np.uint8:
        now["pn_to_kc"] = wired.astype(np.float64)
    if isinstance(silent, np.ndarray) and silent.ndim == 2 and silent.dtype.kind == "f" and not set(_LATER) & set(now):
        now["kc_eligibility"] = np.isfinite(silent).astype(np.float64)
        now["dan_trace"] = np.zeros((len(silent), circuit.N_DANS))
        now["dan_silent_steps"] = np.full((len(silent), circuit.N_DANS), np.inf)
    return now


def select(state: State, larvae: Any) -> State:
    """Return copies of the named rows."""
    places = np.asarray(larvae, dtype=np.int64)  # Places select copies, a slice would not.
    return State(state.records.view(_WHOLE)[places].view(RECORD))


def copy(state: State) -> State:
    """Return copies of all rows."""
    return State(state.records.view(_WHOLE).copy().view(RECORD))


def write(state: State, larvae: Any, rows: State) -> None:
    """Put rows in the place of the named ones."""
    state.records.view(_WHOLE)[larvae] = rows.records.view(_WHOLE)


def writing(state: State, larvae: Any, rows: State) -> Change:
    """Return the change that puts rows in the place of the named ones, for `kenyon.whole.at_once`."""
    return write_whole(state.records.view(_WHOLE), larvae, rows.records.view(_WHOLE))


def join(first: State, second: State) -> State:
    """Return the rows of both, first those of `first`."""
    return State(np.concatenate((first.records, second.records)))


def read_only(state: State) -> State:
    """Return the same rows as views that cannot be written to."""
    return State(_sealed(state.records.view()))


def sealed(state: State) -> State:
    """Return the rows as they are now, never to be written to: the same where they are that already, else copies."""
    records = state.records
    return state if records.flags.owndata and not records.flags.writeable else State(_sealed(records.copy()))


def check(parameters: Parameters, variables: Mapping[str, NDArray[Any]]) -> None:
    """Refuse values that no larva could have had, which compiled code would not survive; only v may leave all bounds.

    Raises:
        InputError: a variable lies outside its range.

    Example:
        >>> from kenyon.mushroom_body.parameters import BALANCED
        >>> check(BALANCED, arrays(newborn(BALANCED, [1])))
    """
    held = max(0, parameters.steps("refractory_ms", parameters.refractory_ms) - 1)
    for name, (low, high) in {**_RANGES, "refractory_steps": (0, held)}.items():
        values = variables[name]
        # Asked so that nan is outside as well.
        if values.size and not (values.min() >= low and values.max() <= high):
            outside = values[~((values >= low) & (values <= high))]
            raise InputError(f"{name} must lie from {low:g} to {high:g}, got {outside[0]}")


_MOST = float(np.finfo(np.float64).max)
_RANGES: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("g_e_nS", "g_i_nS", "g_a_nS", "w_kc_mbonp_nS", "w_kc_mbonn_nS"), (-_MOST, _MOST)),
    "kc_silent_steps": (0, math.inf),
    "kc_eligibility": (0, 1),
    "dan_trace": (0, _MOST),
    "dan_silent_steps": (0, math.inf),
    "ticks_left": (1, 2**62),
    "step": (0, 2**62),
    "pn_to_kc": (0, MOST_STRENGTH),
}


def _sealed(records: NDArray[np.void]) -> NDArray[np.void]:
    records.flags.writeable = False
    return records
