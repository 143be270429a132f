"""Every constant of the circuit, declared once, with its unit, its meaning and the range it may take.

`PUBLISHED` is the model of Jürgensen et al. (2024), iScience 27:108640, to the last constant. `BALANCED` changes a
few of them so that the circuit passes the controls of a conditioning experiment; `LARVAL` adds rules with which it
learns, keeps and loses as larvae do. Each change has its reason beside it.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from kenyon import checks
from kenyon.errors import InputError
from kenyon.notebook import words_and_table
from kenyon.words import shown

PAPER = "Jürgensen et al. 2024, iScience 27:108640"

_POTENTIATION = "Yamada, Davidson & Hige 2024, J Physiol 602:2019; Aso et al. 2019, eLife 8:e49257"


@dataclass(frozen=True)
class Constant:
    """What is declared about one constant.

    Attributes:
        unit: Unit, "" for a pure number.
        meaning: What it does.
        low: Smallest value allowed.
        high: Largest value allowed.
        whole: Only whole numbers are allowed.
        optional: None is allowed and means "absent".
        source: Where the published value comes from.
        later: Files of before do not have it; what they hold was made with the published value, which switches it off.
    """

    unit: str
    meaning: str
    low: float = -math.inf
    high: float = math.inf
    whole: bool = False
    optional: bool = False
    source: str = PAPER
    later: bool = False

    def check(self, name: str, value: object) -> float | int | None:
        """Return `value` in its own type, or refuse it.

        Raises:
            InputError: `value` is not finite, of the wrong type or out of range.
        """
        if value is None and self.optional:
            return None
        if self.whole:
            return checks.integer(name, value, low=int(self.low), high=int(self.high))
        return checks.number(name, value, low=self.low, high=self.high, unit=self.unit)


def _constant(unit: str, meaning: str, low: float, high: float, default: Any = MISSING, **more: Any) -> Any:
    return field(default=default, metadata={"constant": Constant(unit, meaning, low, high, **more)})


@dataclass(frozen=True)
class Cell:
    """Constants of one cell type, a leaky integrate-and-fire point neuron with conductance synapses."""

    capacitance_pF: float = _constant("pF", "membrane capacitance", 1.0, 1e5)
    leak_nS: float = _constant("nS", "leak conductance", 1e-3, 1e4)
    rest_mV: float = _constant("mV", "leak reversal and reset potential", -150.0, 50.0)
    threshold_mV: float = _constant("mV", "a spike is fired above it", -150.0, 50.0)
    adaptation_nS: float = _constant("nS", "adaptation conductance added by each own spike", 0.0, 1e4)


_LARGE_CELL = Cell(100.0, 5.0, -60.0, -35.0, 0.1)


@dataclass(frozen=True)
class Parameters:
    """One complete, immutable set of constants; values are checked when the set is made.

    Change values with `replace`; names of cell constants are dotted, as in "kc.threshold_mV".

    Raises:
        InputError: a value is not finite, of the wrong type, out of range, or contradicts another.

    Example:
        >>> PUBLISHED.replace(learning_rate_nS=0.1).learning_rate_nS
        0.1
        >>> PUBLISHED.replace(learning_rate_nS=-1)
        Traceback (most recent call last):
        ...
        kenyon.errors.InputError: learning_rate_nS must be a finite number from 0 to 1000 nS, got -1
    """

    dt_ms: float = _constant("ms", "time step of the forward Euler method", 1e-3, 1.0, 0.1)

    orn: Cell = Cell(100.0, 5.0, -60.0, -35.0, 0.1)
    pn: Cell = Cell(30.0, 2.5, -59.0, -30.0, 0.0)
    ln: Cell = Cell(50.0, 2.5, -59.0, -30.0, 0.0)
    kc: Cell = Cell(30.0, 0.5, -55.0, -35.0, 0.02)
    mbon: Cell = _LARGE_CELL
    dan: Cell = _LARGE_CELL
    feedback_ln: Cell = _LARGE_CELL
    apl: Cell = Cell(200.0, 5.0, -60.0, -30.0, 0.0)

    excitatory_reversal_mV: float = _constant("mV", "reversal potential of excitation", -150.0, 150.0, 0.0)
    inhibitory_reversal_mV: float = _constant("mV", "reversal potential of inhibition", -150.0, 150.0, -75.0)
    adaptation_reversal_mV: float = _constant("mV", "reversal potential of adaptation", -150.0, 150.0, -90.0)
    excitatory_tau_ms: float = _constant("ms", "decay time of excitatory conductance", 1e-3, 1e6, 5.0)
    inhibitory_tau_ms: float = _constant("ms", "decay time of inhibitory conductance", 1e-3, 1e6, 10.0)
    adaptation_tau_ms: float = _constant("ms", "decay time of adaptation", 1e-3, 1e6, 1000.0)
    refractory_ms: float = _constant("ms", "v is held this long after a spike, a whole number of steps", 0.0, 1e3, 2.0)

    input_orn_nS: float = _constant("nS", "input channel to its ORN, excitatory", 0.0, 1e4, 3.0)
    orn_pn_nS: float = _constant("nS", "ORN to its PN, excitatory", 0.0, 1e4, 10.0)
    orn_ln_nS: float = _constant("nS", "ORN to its LN, excitatory", 0.0, 1e4, 4.0)
    ln_pn_nS: float = _constant("nS", "LN to every PN, inhibitory", 0.0, 1e4, 1.0)
    pn_kc_nS: float = _constant("nS", "PN to the KCs wired to it, excitatory", 0.0, 1e4, 1.0)
    kc_apl_nS: float = _constant("nS", "KC to APL, excitatory", 0.0, 1e4, 20.0)
    apl_kc_nS: float = _constant("nS", "APL to every KC, inhibitory", 0.0, 1e4, 50.0)
    kc_mbon_nS: float = _constant("nS", "KC to MBON, excitatory: where the plastic weights start", 0.0, 1e4, 80.0)
    mbon_feedback_ln_nS: float = _constant("nS", "MBONp to LNp and MBONn to LNn, excitatory", 0.0, 1e4, 35.0)
    mbon_dan_nS: float = _constant("nS", "MBONn to DANp and MBONp to DANn, excitatory feedback", 0.0, 1e4, 4.0)
    feedback_ln_dan_nS: float = _constant("nS", "LNp to DANp and LNn to DANn, inhibitory feedback", 0.0, 1e4, 70.0)
    reinforcement_dan_nS: float = _constant(
        "nS", "reward input to DANp and punishment input to DANn, excitatory", 0.0, 1e4, 2.5
    )
    kc_claws_min: int = _constant("", "fewest PNs wired to a KC", 1, 21, 2, whole=True)
    kc_claws_max: int = _constant("", "most PNs wired to a KC", 1, 21, 6, whole=True)

    learning_rate_nS: float = _constant("nS", "depression per DAN spike at an eligibility of 1", 0.0, 1e3, 0.3)
    eligibility_tau_ms: float = _constant("ms", "decay time of a KC's eligibility trace", 1e-3, 1e9, 5000.0)
    homeostasis: float = _constant("", "share of the way back to the start, per MBON spike", 0.0, 1.0, 1e-4)
    weight_floor_nS: float | None = _constant(
        "nS", "depression stops here; None is no floor, as published", -1e6, 1e4, None, optional=True
    )

    eligibility_step: float = _constant(
        "",
        "share of the way to 1, above 0, that a KC spike raises its eligibility; 1 is as published",
        0.0,
        1.0,
        1.0,
        source=f"{PAPER} (1); graded: our assumption",
        later=True,
    )
    recovery: float = _constant(
        "",
        "share of the way to the start, per MBON spike and eligibility, beside homeostasis; 0 is off, as published",
        0.0,
        1.0,
        0.0,
        source="Jiang & Litwin-Kumar 2021, PLoS Comput Biol 17:e1009205 (such a rule); size: our search",
        later=True,
    )
    potentiation: float = _constant(
        "",
        "share of the way to the ceiling, per KC spike and dopamine trace; 0 is off, as published",
        0.0,
        1.0,
        0.0,
        source=f"{_POTENTIATION} (opposite sign, slower); size: our search",
        later=True,
    )
    potentiation_tau_ms: float = _constant(
        "ms", "decay time of the trace of DAN spikes", 1e-3, 1e9, 15000.0, source="our search", later=True
    )
    potentiation_closing_ms: float = _constant(
        "ms",
        "for about so long after a DAN spike nothing is potentiated",
        1e-3,
        1e9,
        1000.0,
        source="our assumption",
        later=True,
    )
    weight_ceiling_nS: float | None = _constant(
        "nS",
        "where potentiation leads, at least kc_mbon_nS; None is twice kc_mbon_nS",
        0.0,
        1e4,
        None,
        optional=True,
        source="our search",
        later=True,
    )

    input_shape: int = _constant("", "shape of the gamma distributed input intervals", 1, 10, 3, whole=True)
    spontaneous_rate_hz: float = _constant("Hz", "input rate of an odor channel without odor", 0.0, 1e4, 185.0)
    odor_rate_hz: float = _constant("Hz", "input rate per unit of measured ORN response", 0.0, 1e4, 500.0)
    reinforcement_rate_hz: float = _constant(
        "Hz", "input rate at a reward or punishment of 1", 0.0, 1e4, 600.0, source="measured on the published model"
    )

    def __repr__(self) -> str:
        """Say which set it is, and what was changed on it."""
        return f"<parameters: {self.description}>"

    def _repr_html_(self) -> str:
        """Show every constant, beside that of the named set that is nearest, in a notebook."""
        name, _ = self._nearest()
        theirs = NAMED[name].values()
        rows = [
            {
                "constant": own,
                "value": str(value),
                f"in {name}": str(theirs[own]),
                "unit": declared.unit,
                "meaning": declared.meaning,
            }
            for (own, value), declared in zip(self.values().items(), constants().values(), strict=True)
        ]
        return words_and_table(repr(self), rows)

    def __post_init__(self) -> None:
        """Check every value alone, then what they say together."""
        for cell in CELL_TYPES:
            checks.instance(
                cell, getattr(self, cell), Cell, "pass a Cell, or change one of its constants with `replace`"
            )
        for (name, constant), value in zip(constants().items(), _values(self), strict=True):
            checked = constant.check(name, value)
            if checked is not value:
                object.__setattr__(*_holder(self, name), checked)
        self._check_relations()

    def __hash__(self) -> int:
        """Return what is the same for equal sets; every call of an engine looks something up by its constants."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        # Of numbers alone, for those have the same in the process that reads a pickle.
        return hash(tuple(-math.inf if value is None else value for value in _values(self)))

    def _check_relations(self) -> None:
        self.steps("refractory_ms", self.refractory_ms)
        for cell in CELL_TYPES:
            constants_of_cell: Cell = getattr(self, cell)
            fastest_pF = self.dt_ms * constants_of_cell.leak_nS
            if constants_of_cell.capacitance_pF < fastest_pF:  # Euler's method would overshoot the leak reversal
                raise InputError(
                    f"{cell}.capacitance_pF must be at least dt_ms times {cell}.leak_nS ({fastest_pF:g} pF), "
                    f"got {constants_of_cell.capacitance_pF:g} pF"
                )
            if constants_of_cell.threshold_mV <= constants_of_cell.rest_mV:
                raise InputError(
                    f"{cell}.threshold_mV must lie above {cell}.rest_mV ({constants_of_cell.rest_mV:g} mV), "
                    f"got {constants_of_cell.threshold_mV:g} mV"
                )
        for tau in ("excitatory_tau_ms", "inhibitory_tau_ms", "adaptation_tau_ms"):
            if getattr(self, tau) < self.dt_ms:  # Euler's method would make the conductance swing below 0
                raise InputError(f"{tau} must be at least dt_ms ({self.dt_ms:g} ms), got {getattr(self, tau):g} ms")
        if self.kc_claws_max < self.kc_claws_min:
            raise InputError(
                f"kc_claws_max must be at least kc_claws_min ({self.kc_claws_min}), got {self.kc_claws_max}"
            )
        if self.weight_floor_nS is not None and self.weight_floor_nS > self.kc_mbon_nS:
            raise InputError(
                f"weight_floor_nS must be at most kc_mbon_nS ({self.kc_mbon_nS:g} nS), got {self.weight_floor_nS:g} nS"
            )
        if self.eligibility_step == 0.0:  # as one may write it who wants the rule switched off
            raise InputError(
                "eligibility_step must be above 0, got 0, with which nothing is learned; take 1, as published, or "
                "learning_rate_nS=0"
            )
        if self.ceiling_nS < self.kc_mbon_nS:
            raise InputError(
                f"weight_ceiling_nS must be at least kc_mbon_nS ({self.kc_mbon_nS:g} nS), got {self.ceiling_nS:g} nS"
            )

    @property
    def ceiling_nS(self) -> float:
        """Where potentiation leads: weight_ceiling_nS, or twice kc_mbon_nS where that is None.

        Example:
            >>> PUBLISHED.ceiling_nS
            160.0
        """
        return 2.0 * self.kc_mbon_nS if self.weight_ceiling_nS is None else self.weight_ceiling_nS

    def steps(self, name: str, duration_ms: float) -> int:
        """Return how many time steps a duration takes.

        Args:
            name: What the duration is, for the message.
            duration_ms: A whole number of steps, in ms.

        Raises:
            InputError: the duration is negative, not finite or no whole number of steps.

        Example:
            >>> PUBLISHED.steps("duration", 100)
            1000
        """
        duration_ms = checks.number(name, duration_ms, low=0.0, high=1e12, unit="ms")
        steps = round(duration_ms / self.dt_ms)
        if abs(duration_ms / self.dt_ms - steps) > 1e-6 or (steps == 0 and duration_ms > 0.0):
            raise InputError(f"{name} must be a whole number of {self.dt_ms:g} ms steps, got {shown(duration_ms)} ms")
        return steps

    def nearest_ms(self, duration_ms: float) -> float:
        """Return the duration of whole steps that is nearest to one, at least one step: for durations nobody asked for.

        Raises:
            InputError: the duration is negative or not finite.

        Example:
            >>> PUBLISHED.replace(dt_ms=0.4).nearest_ms(5000.1)
            5000.0
        """
        duration_ms = checks.number("duration", duration_ms, low=0.0, high=1e12, unit="ms")
        return max(1, round(duration_ms / self.dt_ms)) * self.dt_ms

    def replace(self, changes: Mapping[str, float | None] | None = None, /, **more: float | None) -> "Parameters":
        """Return a set with some values changed; dotted names go into the mapping.

        Raises:
            InputError: a name is unknown or a value is refused.

        Example:
            >>> PUBLISHED.replace({"kc.threshold_mV": -34}).kc.threshold_mV
            -34.0
        """
        top: dict[str, Any] = {}
        if changes is not None:
            checks.instance("changes", changes, Mapping, "pass a dictionary of names and values")  # type: ignore[type-abstract]  # mypy wants a concrete class
        for name, value in {**(changes or {}), **more}.items():
            checks.one_of("parameter", name, list(constants()))
            if "." in name:
                cell, attribute = name.split(".")
                top[cell] = replace(top.get(cell, getattr(self, cell)), **{attribute: value})
            else:
                top[name] = value
        return replace(self, **top)

    def values(self) -> dict[str, float | int | None]:
        """Return every value by its (dotted) name, in the order of declaration."""
        return dict(zip(constants(), _values(self), strict=True))

    def stated(self) -> dict[str, float | int | None]:
        """Return what a file or an id says of the set: `values`, but of constants that came later only what is changed.

        So they say of a set of before what they said before.

        Example:
            >>> [name for name in LARVAL.stated() if name not in BALANCED.stated()]
            ['eligibility_step', 'recovery', 'potentiation', 'weight_ceiling_nS']
        """
        published = PUBLISHED.values()
        return {name: value for name, value in self.values().items() if name not in _LATER or value != published[name]}

    def differences(self, other: "Parameters") -> dict[str, tuple[Any, Any]]:
        """Return what differs, as name: (value here, value there).

        Raises:
            InputError: `other` is no set of constants.
        """
        check_parameters(other)
        mine, theirs = self.values(), other.values()
        return {name: (mine[name], theirs[name]) for name in mine if mine[name] != theirs[name]}

    @property
    def description(self) -> str:
        """Name of the set, with what was changed on it.

        Example:
            >>> PUBLISHED.replace(learning_rate_nS=0.1).description
            'published with learning_rate_nS=0.1'
        """
        name, changes = self._nearest()
        return name + "".join(
            f"{' with' if i == 0 else ','} {key}={value[0]}" for i, (key, value) in enumerate(changes.items())
        )

    def _nearest(self) -> tuple[str, dict[str, tuple[Any, Any]]]:
        """Return the named set from which the least is changed, and what."""
        return min(((name, self.differences(base)) for name, base in NAMED.items()), key=lambda pair: len(pair[1]))


CELL_TYPES = tuple(f.name for f in fields(Parameters) if is_dataclass(f.type))


def constants() -> Mapping[str, Constant]:
    """Return the declaration of every constant by its (dotted) name.

    Example:
        >>> constants()["weight_floor_nS"].unit
        'nS'
    """
    return _CONSTANTS


def restated(values: Mapping[str, Any]) -> Parameters:
    """Return the set of which a file states these values, also one from before there were some constants.

    Raises:
        InputError: a constant is missing or unknown, or a value is refused.

    Example:
        >>> restated(BALANCED.stated()) == BALANCED
        True
    """
    checks.instance("values", values, Mapping, "pass what Parameters.stated gave")  # type: ignore[type-abstract]  # mypy wants a concrete class
    for name, constant in constants().items():
        if name not in values and not constant.later:
            raise InputError(f"parameters must name every constant, got none named {name}")
    return PUBLISHED.replace(values)


def _declare() -> Iterator[tuple[str, Constant]]:
    for parameter in fields(Parameters):
        if parameter.name in CELL_TYPES:
            for constant in fields(Cell):
                yield f"{parameter.name}.{constant.name}", constant.metadata["constant"]
        else:
            yield parameter.name, parameter.metadata["constant"]


def _holder(parameters: Parameters, name: str) -> tuple[Any, str]:
    if "." not in name:
        return parameters, name
    cell, attribute = name.split(".")
    return getattr(parameters, cell), attribute


_CONSTANTS: Mapping[str, Constant] = MappingProxyType(dict(_declare()))

_LATER = frozenset(name for name, constant in _CONSTANTS.items() if constant.later)

_values: Callable[[Parameters], tuple[Any, ...]] = attrgetter(*_CONSTANTS)
"""Gives the value of every constant of a set, in the order of declaration."""

PUBLISHED = Parameters()

BALANCED = PUBLISHED.replace(
    # Kenyon cells fall silent without odor, so reward alone meets no eligible synapse and teaches nothing.
    spontaneous_rate_hz=155.0,
    # Excitatory and inhibitory feedback nearly cancel in a naive larva: DANp answers reward with or without odor.
    feedback_ln_dan_nS=6.0,
    # Slower than published, for DANp now fires more in the presence of odor: the asymptote comes at about trial three.
    learning_rate_nS=0.08,
    # MBONs never fall silent, so homeostasis can bring weights back and a memory can be extinguished.
    weight_floor_nS=12.0,
    # Strength at which three trials end between 0.4 and 0.9.
    reinforcement_rate_hz=450.0,
)

LARVAL = BALANCED.replace(
    # What was learned is kept until the same odor comes without its reinforcement: recovery needs eligible synapses.
    homeostasis=0.0,
    recovery=2e-4,
    # A cell that fires often is more eligible than one that fires once; the rate makes up for the small steps.
    eligibility_step=0.01,
    learning_rate_nS=0.35,
    # Each synapse may be silenced, so training goes on to protect against extinction.
    weight_floor_nS=0.0,
    # What is smelled after reinforcement is learned with the opposite sign.
    potentiation=1.5e-5,
    potentiation_tau_ms=15000.0,
    potentiation_closing_ms=1000.0,
    weight_ceiling_nS=160.0,
    # Less inhibition of PNs, more of Kenyon cells: what is learned grows with the dose of an odor.
    ln_pn_nS=0.5,
    kc_apl_nS=40.0,
    # Feedback that suits these, and the strength at which three trials end between 0.4 and 0.9.
    mbon_dan_nS=6.0,
    feedback_ln_dan_nS=4.0,
    reinforcement_rate_hz=350.0,
)

NAMED: Mapping[str, Parameters] = MappingProxyType({"balanced": BALANCED, "larval": LARVAL, "published": PUBLISHED})


def named(name: str) -> Parameters:
    """Return a named set.

    Raises:
        InputError: there is no set of that name.

    Example:
        >>> named("published") is PUBLISHED
        True
    """
    return NAMED[checks.one_of("parameter set", name, list(NAMED))]


DEFAULT_NAME = "larval"
"""The named set that is taken where none is said, wherever that is: in memories, on a server, in an experiment."""

DEFAULT = NAMED[DEFAULT_NAME]


def check_parameters(parameters: Any) -> Parameters:
    """Return `parameters` if it is a set of constants.

    Raises:
        InputError: it is something else.
    """
    return checks.instance("parameters", parameters, Parameters, 'pass BALANCED, LARVAL, or named("published")')
