"""The state of B larvae: a record of fixed size for each, and every variable as an array over all of them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError, MismatchError
from kenyon.mushroom_body import inputs
from kenyon.mushroom_body.circuit import MOST_KCS, N_DANS, Layout, layout, per_neuron
from kenyon.mushroom_body.parameters import Parameters, check_parameters
from kenyon.mushroom_body.wiring import MOST_STRENGTH, RANDOM, wirings
from kenyon.seeds import checked_seed
from kenyon.whole import Change
from kenyon.whole import write as write_whole
from kenyon.words import shown

Scalar = TypeVar("Scalar", bound=np.generic)


class _Variable(Generic[Scalar]):
    """A variable of a larva: a field of its record, seen as an array over all larvae."""

    def __init__(self, scalar: type[Scalar], *axes: str | int) -> None:
        self.scalar, self.axes = scalar, axes

    def shape(self, cells: Layout) -> tuple[int, ...]:
        """Return its shape in a larva of a layout."""
        return tuple(axis if isinstance(axis, int) else cells.sizes[axis] for axis in self.axes)

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

    v_mV = _Variable(np.float64, "N")
    g_e_nS = _Variable(np.float64, "N")
    g_i_nS = _Variable(np.float64, "N")
    g_a_nS = _Variable(np.float64, "N")
    refractory_steps = _Variable(np.int32, "N")
    w_kc_mbonp_nS = _Variable(np.float64, "K")
    w_kc_mbonn_nS = _Variable(np.float64, "K")
    kc_silent_steps = _Variable(np.float64, "K")
    ticks_left = _Variable(np.int64, "C")
    rng = _Variable(np.uint64, "C", 4)
    step = _Variable(np.int64)
    pn_to_kc = _Variable(np.float64, "K", "P")
    kc_eligibility = _Variable(np.float64, "K")
    dan_trace = _Variable(np.float64, "D")
    dan_silent_steps = _Variable(np.float64, "D")

    def __init__(self, records: NDArray[np.void]) -> None:
        if not isinstance(records, np.ndarray) or records.ndim != 1 or not _is_record(records.dtype):
            raise InputError(f"records must be a row of larvae as `newborn` makes them, got {checks.got(records)}")
        self.records = records

    def __len__(self) -> int:
        """Return the number of larvae."""
        return len(self.records)

    def __repr__(self) -> str:
        """Say what this is."""
        return f"<state of {len(self)} larvae>"

    @property
    def layout(self) -> Layout:
        """Which of their neurons is which; the same for all of them."""
        return _layouts()[self.records.dtype.itemsize]

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


@lru_cache(maxsize=MOST_KCS)
def record(cells: Layout) -> np.dtype[np.void]:
    """Return the type of one larva of a layout: its variables one after the other, each on a multiple of 8 bytes."""
    formats = [np.dtype((own.scalar, own.shape(cells))) for own in VARIABLES.values()]
    ends = np.cumsum([-(-own.itemsize // _BYTES) * _BYTES for own in formats]).tolist()
    whole = {"names": list(VARIABLES), "formats": formats, "offsets": [0, *ends[:-1]], "itemsize": ends[-1]}
    made: np.dtype[np.void] = np.dtype(whole)  # type: ignore[call-overload]  # numpy's types know no dictionary
    return made


@lru_cache(maxsize=MOST_KCS)
def offsets(cells: Layout) -> NDArray[np.int64]:
    """Return where in a record each variable begins, in bytes."""
    fields: Mapping[str, Any] = record(cells).fields or {}
    return np.array([fields[name][1] for name in VARIABLES], dtype=np.int64)


@lru_cache(maxsize=MOST_KCS)
def packed(cells: Layout) -> np.dtype[np.void]:
    """Return the type of one larva as a record of fixed size, the same bytes on every machine."""
    own = record(cells)
    packed_like = own.newbyteorder("<")
    return own if packed_like == own else packed_like  # One type, where it is one, is compared at a glance.


_BYTES = 8


@cache
def _layouts() -> dict[int, Layout]:
    """Return the layout of each size of a record, in bytes."""
    several = [layout(n_kcs) for n_kcs in range(1, MOST_KCS + 1)]
    return {_size(cells): cells for cells in several}


def _size(cells: Layout) -> int:
    bytes_of = [np.dtype(own.scalar).itemsize * math.prod(own.shape(cells)) for own in VARIABLES.values()]
    return sum(-(-own // _BYTES) * _BYTES for own in bytes_of)


def _is_record(kind: np.dtype[Any]) -> bool:
    cells = _layouts().get(kind.itemsize)
    return cells is not None and kind == record(cells)


_LATER = ("kc_eligibility", "dan_trace", "dan_silent_steps")


@cache
def _before() -> np.dtype[np.void]:
    """Return the type of one larva as it was packed when eligibility was not graded, and a connection was 0 or 1."""
    fields = [
        (name, np.uint8 if name == "pn_to_kc" else own.scalar, own.shape(layout()))
        for name, own in VARIABLES.items()
        if name not in _LATER
    ]
    return np.dtype(fields).newbyteorder("<")


def _whole(records: NDArray[np.void]) -> NDArray[np.void]:
    """Return each larva in one piece: numpy copies a record field by field, which takes three times as long."""
    return records.view(_pieces(records.dtype.itemsize))


@cache
def _pieces(size: int) -> np.dtype[np.void]:
    return np.dtype((np.void, size))


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
    cells = layout(wired.shape[1])
    state = State(np.zeros(len(seeds), dtype=record(cells)))
    state.v_mV[:] = per_neuron(parameters, "rest_mV", cells)
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
    cells = layout(variables["kc_silent_steps"].shape[1])
    records = np.zeros(len(variables["step"]), dtype=record(cells))
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
    """Return the larvae one by one, each as the bytes of a `packed` record.

    Example:
        >>> from kenyon.mushroom_body.parameters import BALANCED
        >>> [len(larva) for larva in pack(newborn(BALANCED, [1, 2]))] == [packed(layout()).itemsize] * 2
        True
    """
    larvae: list[bytes] = _whole(state.records.astype(packed(state.layout), copy=False)).tolist()
    return larvae


def unpack(larvae: Sequence[bytes]) -> State:
    """Return what `pack` gave as rows of their own; of larvae of one size, one at least.

    Raises:
        ValueError: the bytes are not of whole records.

    Example:
        >>> from kenyon.mushroom_body.parameters import BALANCED
        >>> larva = newborn(BALANCED, [1])
        >>> bool((unpack(pack(larva)).rng == larva.rng).all())
        True
    """
    cells = layout_of_packed(larvae[0])
    return State(np.frombuffer(bytearray().join(larvae), dtype=packed(cells)).astype(record(cells), copy=False))


def layout_of_packed(larva: bytes) -> Layout:
    """Return which neuron is which in what `pack` gave.

    Raises:
        ValueError: the bytes are of no record.
    """
    cells = _layouts().get(len(larva))
    if cells is None:
        raise ValueError(f"a larva must be of the bytes of a record, got {len(larva)}")
    return cells


def as_now(larva: bytes) -> bytes:
    """Return a larva that `pack` gave, also one of before, as this version packs it."""
    if len(larva) != _before().itemsize:
        return larva
    before = np.frombuffer(larva, dtype=_before())
    return pack(gathered(renewed({name: before[name] for name in before.dtype.names or ()})))[0]


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
        now["dan_trace"] = np.zeros((len(silent), N_DANS))
        now["dan_silent_steps"] = np.full((len(silent), N_DANS), np.inf)
    return now


def select(state: State, larvae: Any) -> State:
    """Return copies of the named rows."""
    return State(state.records.take(np.asarray(larvae, dtype=np.int64)))  # Larva by larva, not field by field.


def copy(state: State) -> State:
    """Return copies of all rows."""
    return select(state, np.arange(len(state)))


def write(state: State, larvae: Any, rows: State) -> None:
    """Put rows in the place of the named ones."""
    _whole(state.records)[larvae] = _whole(rows.records)


def writing(state: State, larvae: Any, rows: State) -> Change:
    """Return the change that puts rows in the place of the named ones, for `kenyon.whole.at_once`."""
    return write_whole(_whole(state.records), larvae, _whole(rows.records))


def in_bytes(state: State) -> NDArray[np.uint8]:
    """Return the larvae as the bytes that they are in, [B, bytes]; they lie one behind the other, with no gap."""
    return state.records.view(np.uint8).reshape(len(state), state.records.dtype.itemsize)


def require_layout(state: State, other: State) -> None:
    """Refuse to bring larvae together with such of another number of Kenyon cells.

    Raises:
        MismatchError: they have more or fewer.
    """
    if other.layout is not state.layout:
        raise MismatchError(
            f"larvae must have {state.layout.n_kcs} Kenyon cells, as those beside them, got {other.layout.n_kcs}; keep "
            f"larvae of different circuits apart"
        )


def join(first: State, second: State) -> State:
    """Return the rows of both, first those of `first`; of one layout, unless `first` has none."""
    if len(first) == 0:
        return copy(second)
    return State(np.concatenate((_whole(first.records), _whole(second.records))).view(first.records.dtype))


def read_only(state: State) -> State:
    """Return the same rows as views that cannot be written to."""
    return State(_sealed(state.records.view()))


def sealed(state: State) -> State:
    """Return the rows as they are now, never to be written to: the same where they are that already, else copies."""
    records = state.records
    if records.flags.owndata and not records.flags.writeable:
        return state
    own = np.empty(len(records), dtype=records.dtype)
    _whole(own)[:] = _whole(records)  # Not `records.copy()`, which leaves anything between two variables.
    return State(_sealed(own))


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
