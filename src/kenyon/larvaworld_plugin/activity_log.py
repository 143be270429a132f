"""What neurons of larvae did in a run, kept beside what the larvae did: rates of all, every spike of some."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kenyon import checks
from kenyon.errors import MismatchError
from kenyon.larvaworld_plugin.events import Event, RunBegan, RunEnded, TickLived
from kenyon.larvaworld_plugin.hearing import Heard, Hearing, hearings, rates_hz
from kenyon.mushroom_body.circuit import GROUPS
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray


class ActivityLog:
    """A listener that keeps the rates of each group of cells, of every larva, and every spike of some larvae.

    Of larvae without a circuit in this process, or whose circuit stands still, there is nothing to keep. Of a genetic
    algorithm it keeps the last generation.

    Args:
        raster: Ids of larvae, or their places, of which every spike is kept; at some 5,000 a second under strong odors.
        every_s: Time between two samples, s; that of the run.

    Raises:
        InputError: `raster` is no sequence of ids and places, or `every_s` out of range.
        MismatchError: when the run begins: it has no such larva.

    Example:
        >>> ActivityLog(raster=[0])
        <log of the rates of all larvae and of the spikes of 1>
    """

    def __init__(self, raster: Sequence[str | int] = (), *, every_s: float = 1.0) -> None:
        self._raster = [_larva(given) for given in checks.several("raster", raster)]
        self._every_s = checks.number("every_s", every_s, low=0.1, high=3600.0, unit="s")
        self._hearings: list[Hearing | None] = []
        self._every = self._ticks = 0
        self._begin(())

    def __repr__(self) -> str:
        """Say what it keeps."""
        return f"<log of the rates of all larvae and of the spikes of {len(self._raster)}>"

    def __call__(self, event: Event) -> None:
        """Hear of an event."""
        if isinstance(event, RunBegan):
            self._every, self._ticks = max(1, round(self._every_s / event.dt_s)), 0
            places = [_place(own, event.larvae) for own in self._raster]
            self._begin(hearings(event.memories), event.memories)
            for place in places:
                if (hearing := self._hearings[place]) is not None:
                    hearing.look(spikes=True)
                    self._weights[place] = []
        elif isinstance(event, TickLived):
            self._ticks = event.tick
            if event.tick % self._every == 0:
                self._take()
        elif isinstance(event, RunEnded):
            if event.complete and self._ticks % (self._every or 1):
                self._take()
            for hearing in self._hearings:
                if hearing is not None:
                    hearing.end()

    def beside(self, result: "xarray.Dataset") -> "xarray.Dataset":
        """Return the dataset of the run with what is kept: the same where there was nothing to keep.

        Args:
            result: Of the run that was listened to.

        Returns:
            With rate_hz [larva, time, cell_group] float32, the mean rate of a cell since the sample before; and, of
            larvae that were named, spike_larva (place), spike_time_s and spike_neuron [spike], and w_kc_mbonp_nS and
            w_kc_mbonn_nS [raster, time, kc], of the larvae whose places are raster_larva [raster].

        Raises:
            MismatchError: it is of another run: its larvae or times are not as many.
        """
        if not any(hearing is not None for hearing in self._hearings):
            return result
        shape = tuple(result.sizes.get(name) for name in ("larva", "time"))
        if shape != (len(self._hearings), len(self._rates)):
            raise MismatchError(
                f"a result must be of the run that was listened to, of {len(self._hearings)} larvae at "
                f"{len(self._rates)} times, got one of {shape[0]} at {shape[1]}; pass the log to that run as a listener"
            )
        rates = np.stack(self._rates, axis=1).astype(np.float32)
        kept: dict[str, Any] = {
            "rate_hz": (
                ("larva", "time", "cell_group"),
                rates,
                {"units": "Hz", "long_name": "mean rate of a cell since the sample before"},
            )
        }
        if self._raster:
            kept |= self._spikes()
        return result.assign(kept).assign_coords(cell_group=list(GROUPS))

    def _begin(self, found: Sequence[Hearing | None], memories: Sequence[Any] = ()) -> None:
        self._hearings = list(found)
        self._neurons = max((own.layout.n_neurons for own in found if own is not None), default=0)
        self._rates: list[Any] = []
        self._heard: list[tuple[int, Heard]] = []
        self._memories = memories
        self._weights: dict[int, list[Any]] = {}

    def _take(self) -> None:
        taken = [None if hearing is None else hearing.take() for hearing in self._hearings]
        self._rates.append(rates_hz(taken))
        self._heard += [(i, own) for i, own in enumerate(taken) if own is not None and own.spikes is not None]
        for place, weights in self._weights.items():
            memory = self._memories[place]
            state, here = memory.population.state, memory.place
            weights.append((state.w_kc_mbonp_nS[here].copy(), state.w_kc_mbonn_nS[here].copy()))

    def _spikes(self) -> dict[str, Any]:
        """Return every spike of the larvae that were named, in the order of time."""
        larva: list[Any] = [np.empty(0, dtype=np.int32)]
        times_s: list[Any] = [np.empty(0)]
        neuron: list[Any] = [np.empty(0, dtype=np.int16)]
        for place, own in self._heard:
            steps, cells = (np.empty((0, 2)) if own.spikes is None else own.spikes).T
            larva.append(np.full(len(steps), place, dtype=np.int32))
            times_s.append(np.round(own.from_s + steps * (own.dt_ms * 1e-3), 7))
            neuron.append(cells.astype(np.int16))
        return {
            "spike_larva": ("spike", np.concatenate(larva), {"long_name": "place of the larva"}),
            "spike_time_s": ("spike", np.concatenate(times_s), {"units": "s"}),
            "spike_neuron": ("spike", np.concatenate(neuron), {"neurons": self._neurons}),
            **self._kept_weights(),
        }

    def _kept_weights(self) -> dict[str, Any]:
        """Return the weights of the larvae that were named, at every sample."""
        if not self._weights:
            return {}
        weights = np.array(list(self._weights.values()), dtype=np.float32)  # [larva, time, output, K]
        across = ("raster", "time", "kc")
        return {
            "raster_larva": ("raster", list(self._weights), {"long_name": "place of the larva"}),
            "w_kc_mbonp_nS": (across, weights[:, :, 0], {"units": "nS"}),
            "w_kc_mbonn_nS": (across, weights[:, :, 1], {"units": "nS"}),
        }


def _larva(given: Any) -> str | int:
    if isinstance(given, str):
        return checks.label("larva of the raster", given)
    return checks.integer("larva of the raster, its id or its place,", given, low=0)


def _place(larva: str | int, ids: Sequence[str]) -> int:
    """Return the place of a larva; a number is one, unless it is an id."""
    if str(larva) in ids:
        return ids.index(str(larva))
    place = larva if isinstance(larva, int) else checks.spelled_integer(larva)
    if place is None or place >= len(ids):
        raise MismatchError(
            f"a larva of the raster must be one of the run, by its id or by its place from 0 to {len(ids) - 1}, got "
            f"{shown(larva)}; {checks.nearest(str(larva), ids)}"
        )
    return place
