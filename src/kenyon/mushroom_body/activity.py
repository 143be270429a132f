"""What larvae did during one call: spike counts, rates and, if asked for, every spike and the state over time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.mushroom_body.circuit import GROUPS, Layout, layout_of
from kenyon.notebook import words_and_table
from kenyon.words import shown

if TYPE_CHECKING:  # slow to import
    import pandas as pd
    import xarray

FloatArray = NDArray[np.float64]

SAMPLED = {"v_mV": "N", "w_kc_mbonp_nS": "K", "w_kc_mbonn_nS": "K", "eligibility": "K"}
"""Variables that can be sampled, and of what each has a value: of each neuron, or of each Kenyon cell."""


@dataclass(frozen=True)
class Record:
    """What to keep besides spike counts.

    Attributes:
        spikes: Keep every spike.
        variables: State to sample: "v_mV", "w_kc_mbonp_nS", "w_kc_mbonn_nS", "eligibility" (of each Kenyon cell, from 0
            to 1: the share of the learning rate that a DAN spike in that time step would have taken off its weight).
        every_ms: Interval of the samples; the first is taken one interval after the start.

    Raises:
        InputError: a variable is unknown, or is asked for without an interval above 0.

    Example:
        >>> Record(spikes=True).every_ms
    """

    spikes: bool = False
    variables: tuple[str, ...] = ()
    every_ms: float | None = None

    def __post_init__(self) -> None:
        """Check that the variables can be sampled."""
        checks.boolean("spikes", self.spikes)
        variables = tuple(checks.several("variables", self.variables))
        for variable in variables:
            checks.one_of("variable", variable, list(SAMPLED))
        object.__setattr__(self, "variables", variables)
        if bool(self.variables) != (self.every_ms is not None):
            raise InputError(
                f"variables and every_ms must come together, got variables={shown(self.variables)} and "
                f"every_ms={shown(self.every_ms)}"
            )
        if self.every_ms is not None and checks.number("every_ms", self.every_ms, low=0.0, unit="ms") == 0.0:
            raise InputError("every_ms must be above 0 ms, got 0")


@dataclass(frozen=True, repr=False)
class Activity:
    """What B larvae did during one call.

    Attributes:
        duration_ms: [B] float64, how long each larva was advanced.
        counts: [B, N] int64, spikes of each neuron.
        spikes: One [S, 2] int64 array a larva, (step, neuron) sorted, steps from the start of the call; or None.
        samples: Sampled state by name, [B, samples, N or K] float64; nan beyond the end of a larva's own duration.
        sample_ms: [samples] float64, when the samples were taken, from the start of the call.
        diverged: [B] bool, larvae that ended with a membrane potential beyond all bounds; see `population`.
        dt_ms: Length of a time step, in which spikes are counted; nan where they were not recorded.

    Example:
        >>> from kenyon.mushroom_body import Population
        >>> larvae = Population(seeds=[1, 2])
        >>> activity = larvae.advance(100, record=Record(spikes=True, variables=("v_mV",), every_ms=10))
        >>> activity
        <activity of 2 larvae over 100 ms, with spikes and samples of v_mV>
        >>> list(activity.to_dataframe().columns)
        ['larva', 'time_ms', 'neuron', 'group', 'cell']
        >>> dict(activity.to_dataset().v_mV.sizes)
        {'larva': 2, 'time_ms': 10, 'neuron': 142}
    """

    duration_ms: FloatArray
    counts: NDArray[np.int64]
    spikes: tuple[NDArray[np.int64], ...] | None = None
    samples: Mapping[str, FloatArray] = field(default_factory=dict)
    sample_ms: FloatArray = field(default_factory=lambda: np.empty(0))
    diverged: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=np.bool_))
    dt_ms: float = math.nan

    def __repr__(self) -> str:
        """Say whose it is, and what was kept."""
        least, most = self.duration_ms.min(), self.duration_ms.max()
        kept = ["spikes"] if self.spikes is not None else []
        kept += [f"samples of {', '.join(self.samples)}"] if self.samples else []
        words = f"<activity of {len(self.counts)} larvae over {least:g}{'' if least == most else f' to {most:g}'} ms"
        return f"{words}{', with ' if kept else ''}{' and '.join(kept)}>"

    def _repr_html_(self) -> str:
        """Show the rates of all groups, in a notebook."""
        rows = [
            {"group": group, "mean (Hz)": own.mean(), "lowest larva (Hz)": own.min(), "highest larva (Hz)": own.max()}
            for group, own in self.rates_hz().items()
        ]
        return words_and_table(repr(self), rows)

    @property
    def layout(self) -> Layout:
        """Which neuron is which."""
        return layout_of(self.counts.shape[1])

    def _cells(self, group: str) -> slice:
        return self.layout.groups[checks.one_of("cell group", group, list(GROUPS))]

    def spikes_of(self, group: str) -> NDArray[np.int64]:
        """Return the spikes of a cell group, such as "KC" or "MBONp", summed over its cells: [B] int64.

        Raises:
            InputError: there is no such group.
        """
        summed: NDArray[np.int64] = self.counts[:, self._cells(group)].sum(axis=1)
        return summed

    def rate_hz(self, group: str) -> FloatArray:
        """Return the mean firing rate of a cell of the group: [B] float64, Hz; nan where the duration is 0.

        Raises:
            InputError: there is no such group.
        """
        counts = self.counts[:, self._cells(group)]
        rates: FloatArray = np.add.reduce(counts, axis=1) / counts.shape[1] / self._seconds
        return rates

    @cached_property
    def _seconds(self) -> FloatArray:
        """How long each larva was advanced, nan where it was not: rates of nothing are none."""
        seconds: FloatArray = self.duration_ms * 1e-3
        seconds[seconds == 0.0] = np.nan
        return seconds

    def rates_hz(self) -> dict[str, FloatArray]:
        """Return the mean firing rate of a cell of each group: [B] float64, Hz, by group."""
        return {group: self.rate_hz(group) for group in GROUPS}

    def to_dataframe(self) -> "pd.DataFrame":
        """Return the recorded spikes as a table of pandas, larva by larva in the order of time.

        Returns:
            Columns larva (its place in the call), time_ms (where its time step begins, from the start of the call),
            neuron (0 to 141, with 72 Kenyon cells), group (its name, such as "KC"), cell (its place in the group).

        Raises:
            InputError: spikes were not recorded.
        """
        import pandas as pd

        larva, steps, neurons = self._spikes()
        group, cell = _names(self.layout)
        return pd.DataFrame(
            {
                "larva": larva,
                "time_ms": steps * self.dt_ms,
                "neuron": neurons,
                "group": group[neurons],
                "cell": cell[neurons],
            }
        )

    def to_dataset(self) -> "xarray.Dataset":
        """Return all of it as one dataset.

        Returns:
            counts (larva, neuron); duration_ms and diverged (larva); where spikes were recorded spike_larva,
            spike_time_ms and spike_neuron (spike), as for `to_dataframe`; samples by their names, (larva, time_ms,
            neuron) or (larva, time_ms, kc). Of each neuron group and cell are coordinates.
        """
        import xarray

        variables: dict[str, Any] = {
            "counts": (("larva", "neuron"), self.counts),
            "duration_ms": ("larva", self.duration_ms, {"units": "ms"}),
            "diverged": ("larva", self.diverged),
        }
        if self.spikes is not None:
            larva, steps, neurons = self._spikes()
            variables["spike_larva"] = ("spike", larva)
            variables["spike_time_ms"] = ("spike", steps * self.dt_ms, {"units": "ms"})
            variables["spike_neuron"] = ("spike", neurons)
        group, cell = _names(self.layout)
        coordinates: dict[str, Any] = {
            "larva": np.arange(len(self.counts)),
            "neuron": np.arange(self.layout.n_neurons),
            "group": ("neuron", group),
            "cell": ("neuron", cell),
        }
        for name, values in self.samples.items():
            variables[name] = (("larva", "time_ms", "neuron" if SAMPLED[name] == "N" else "kc"), values)
            coordinates |= {"time_ms": self.sample_ms, "kc": np.arange(self.layout.n_kcs)}
        return xarray.Dataset(variables, coordinates)

    def _spikes(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the larva, step and neuron of each recorded spike."""
        if self.spikes is None:
            raise InputError("spikes must be recorded for a table of them, got none; pass record=Record(spikes=True)")
        larva = np.repeat(np.arange(len(self.spikes)), [len(own) for own in self.spikes])
        steps, neurons = np.concatenate(self.spikes).T
        return larva, steps, neurons

    @property
    def preference_index(self) -> FloatArray:
        """MBON preference index of each larva: [B] float64, see `preference_index`."""
        return preference_index(self.rate_hz("MBONp"), self.rate_hz("MBONn"))


def _names(cells: Layout) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Return of each neuron its group, and its place in it."""
    sizes = [where.stop - where.start for where in cells.groups.values()]
    return np.repeat(list(cells.groups), sizes), np.concatenate([np.arange(size) for size in sizes])


def preference_index(mbonp_hz: Any, mbonn_hz: Any) -> FloatArray:
    """Return (MBONp - MBONn) / (MBONp + MBONn), 0 where both are silent.

    Args:
        mbonp_hz: Rates of the approach output, Hz; nan where there is none.
        mbonn_hz: Rates of the avoidance output, Hz, as many or one for all.

    Returns:
        float64 from -1 (avoidance only) to 1 (approach only), of the shape of the rates; nan where a rate is.

    Raises:
        InputError: a rate is negative, infinite or no number, or there are not as many of both.

    Reference:
        Jürgensen et al. 2024, iScience 27:108640.

    Example:
        >>> preference_index([30.0, 0.0], [10.0, 0.0])
        array([0.5, 0. ])
    """
    p, n = _rates("mbonp_hz", mbonp_hz), _rates("mbonn_hz", mbonn_hz)
    try:
        total = p + n
    except ValueError:
        raise InputError(f"mbonp_hz and mbonn_hz must be as many, got shapes {p.shape} and {n.shape}") from None
    index: FloatArray = np.divide(p - n, total, out=np.where(np.isnan(total), np.nan, 0.0), where=total > 0)
    return index


def _rates(name: str, given: Any) -> FloatArray:
    rates = checks.numbers(name, given).astype(np.float64)
    if (rates < 0.0).any() or np.isinf(rates).any():
        raise InputError(
            f"{name} must be finite rates of at least 0 Hz, or nan where there is none, got {shown(given)}"
        )
    return rates
