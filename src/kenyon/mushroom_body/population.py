"""Any number of larvae, each with a mushroom body of its own, advanced together in compiled code.

A weight below zero makes a conductance negative, and a large one makes the membrane potential of an MBON run away until
it is no number any more; the neuron is silent from then on. This belongs to the published model, which has no floor for
weights. `Activity.diverged` says which larvae it happened to, and a `DivergenceWarning` counts them.

A larva's numbers depend on its seed, its wiring and its input alone: not on its neighbors, its place, the number of
threads, or where a stretch of time is cut in two.
"""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import DivergenceWarning, InputError, MismatchError
from kenyon.mushroom_body import arguments, circuit, engines, inputs
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.activity import Activity, Record
from kenyon.mushroom_body.engine import Engine
from kenyon.mushroom_body.manipulated import under, unmanipulated
from kenyon.mushroom_body.manipulations import Manipulation, checked, fitting
from kenyon.mushroom_body.odors import Odors
from kenyon.mushroom_body.parameters import DEFAULT, Parameters
from kenyon.mushroom_body.recording import beyond_bounds
from kenyon.mushroom_body.snapshot import Snapshot
from kenyon.mushroom_body.state import State
from kenyon.mushroom_body.wiring import RANDOM, check_wiring
from kenyon.notebook import words_and_table
from kenyon.seeds import checked_seed
from kenyon.threads import OwnLock, chosen
from kenyon.whole import Change, at_once, write

FloatArray = NDArray[np.float64]

AnyPopulation = TypeVar("AnyPopulation", bound="Population")


class Population:
    """B larvae, advanced by an engine.

    One population may be used by several threads: its calls then follow one another, so that none is lost; probes are
    computed side by side. A copy, and a population that was pickled, is one of its own.

    Args:
        parameters: The constants they live under.
        seeds: One seed a larva, an integer of 0 or more; `kenyon.seeds.larva_seeds` makes them from one.
        wiring: How PNs are wired to Kenyon cells: "random", drawn from each larva's seed; "right", as measured in a
            brain; "right-shuffled", with each cell's counts of synapses dealt to other receptors by the larva's seed.
        pn_to_kc: A wiring of one's own instead, [K, P] for all or [B, K, P]: 0 and 1, or counts of synapses, or floats
            in multiples of pn_kc_nS; see `kenyon.mushroom_body.wiring`.
        engine: "kernel", "brian2", "cuda" or an `Engine`; the numbers are the same.
        threads: How many larvae are advanced at once; as many as KENYON_THREADS says if not given, or every core. It
            never changes a number.

    Raises:
        InputError: a seed is no integer of 0 or more, the engine unknown, a wiring or a number of threads unusable, or
            a wiring both named and given.
        MissingDependencyError: the engine is "brian2", and Brian2 is not installed, or has yet to be imported in the
            main thread; or it is "cuda", and there is no GPU, or nothing to drive it.

    Example:
        >>> from kenyon.seeds import larva_seeds
        >>> larvae = Population(seeds=larva_seeds(1, 4))
        >>> larvae.stimulate("pentyl acetate", reward=1.0)
        >>> activity = larvae.advance(1000)
        >>> activity.rate_hz("MBONp").shape
        (4,)
    """

    def __init__(
        self,
        parameters: Parameters = DEFAULT,
        seeds: Iterable[int] = (),
        *,
        wiring: str = RANDOM,
        pn_to_kc: Any = None,
        engine: str | Engine = "kernel",
        threads: int | None = None,
    ) -> None:
        self._parameters = self._under = unmanipulated(parameters)
        self._manipulations: tuple[Manipulation, ...] = ()
        self._engine = engines.engine(engine)
        self._threads = chosen(threads)
        self._own = OwnLock()
        self._larvae = _Larvae([], np.empty((0, circuit.N_CHANNELS)), states.newborn(parameters, ()))
        seeds = checks.several("seeds", seeds)
        if seeds or pn_to_kc is not None or check_wiring(wiring) != RANDOM:
            self.add(seeds, wiring=wiring, pn_to_kc=pn_to_kc)

    def __len__(self) -> int:
        """Return the number of larvae."""
        return len(self._larvae.seeds)

    def __repr__(self) -> str:
        """Say what this is."""
        what = ", ".join([self.parameters.description, *(own.text for own in self._manipulations)])
        return f"<{type(self).__name__} of {len(self)} larvae, {what}>"

    def _repr_html_(self) -> str:
        """Show the first larvae, in a notebook."""
        seeds, _, state = self._larvae
        return words_and_table(repr(self), states.rows(state, seeds, self.parameters.dt_ms))

    @property
    def parameters(self) -> Parameters:
        """The constants the larvae live under."""
        return self._parameters

    @property
    def manipulations(self) -> tuple[Manipulation, ...]:
        """What is done to the circuits of the larvae."""
        return self._manipulations

    @property
    def lives_under(self) -> Parameters:
        """The constants the larvae live under now: `parameters`, with what is done to the circuits."""
        return self._under

    @property
    def engine(self) -> Engine:
        """What advances them."""
        return self._engine

    @property
    def threads(self) -> int:
        """How many larvae are advanced at once."""
        return self._threads

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seed of each larva."""
        return tuple(self._larvae.seeds)

    @property
    def n_kcs(self) -> int:
        """How many Kenyon cells each of the larvae has."""
        return self._larvae.state.layout.n_kcs

    @property
    def state(self) -> State:
        """State of the larvae at this moment, B rows, as views that cannot be written to; copy what shall last."""
        return states.read_only(self._larvae.state)

    @property
    def drive_hz(self) -> FloatArray:
        """Rate of each input channel that is set, [B, C] float64, Hz."""
        return self._larvae.drive_hz.copy()

    def add(self, seeds: Iterable[int], *, wiring: str = RANDOM, pn_to_kc: Any = None) -> range:
        """Add newborn larvae without odor; return their places.

        Args:
            seeds: One seed a larva.
            wiring: As for the class.
            pn_to_kc: As for the class.

        Raises:
            InputError: there is no seed, one is no integer of 0 or more, or the wiring is unusable.
            MismatchError: larvae that are there have another number of Kenyon cells.
        """
        new = tuple(checked_seed("seed of a larva", seed) for seed in checks.several("seeds", seeds))
        if not new:
            raise InputError("seeds must name at least one larva, got none")
        added = states.newborn(self.parameters, new, pn_to_kc, wiring)
        with self._own.lock:
            undriven = np.tile(inputs.drive(self._under), (len(new), 1))
            seeds_before, drive_hz, state = self._larvae
            if seeds_before:
                states.require_layout(state, added)
            fitting(self._manipulations, added.layout)
            drive_hz = np.concatenate((drive_hz, undriven))
            self._larvae = _Larvae([*seeds_before, *new], drive_hz, states.join(state, added))
            return range(len(seeds_before), len(self))

    def stimulate(
        self, odors: Odors = None, *, reward: float = 0.0, punishment: float = 0.0, larvae: Sequence[int] | None = None
    ) -> None:
        """Set what larvae smell and how they are reinforced, until it is set anew.

        Args:
            odors: An odor, or several with their concentrations (1.0 is the dilution 1e-04), or None.
            reward: Strength of reward.
            punishment: Strength of punishment.
            larvae: Places of the larvae; all if not given.

        Raises:
            InputError: an odor is unknown, a number not finite or negative, or a place outside.
        """
        self.set_drive(inputs.drive(self._under, odors, reward=reward, punishment=punishment), larvae)

    def set_drive(self, drive_hz: Any, larvae: Sequence[int] | None = None) -> None:
        """Set the rate of each input channel, [C] or one row a larva, Hz; see `inputs.drive`.

        Raises:
            InputError: the shape is another, a rate is negative or not finite, or a place outside.
        """
        with self._own.lock:
            places = arguments.places(larvae, len(self))
            self._larvae.drive_hz[places] = arguments.rates(drive_hz, len(places))

    def manipulate(self, *manipulations: Manipulation | str) -> None:
        """Set what is done to the circuits of all larvae, until it is set anew; nothing leaves them as they are.

        What is set belongs to the population: snapshots hold larvae without it, and what is restored goes on under it.
        A constant that makes rates of a stimulus, such as odor_rate_hz, is that of what is set with `stimulate` from
        now on.

        Args:
            *manipulations: Each as `silence`, `drive_current`, `cut`, `scale` or `set_constant` makes it, or as text.

        Raises:
            InputError: a manipulation is none or cannot be done, is of a Kenyon cell that is not there, or two are of
                one kind on one cell.

        Example:
            >>> larvae = Population(seeds=[1])
            >>> larvae.manipulate("silence KC", "drive DANp 200pA")
            >>> activity = larvae.advance(1000)
            >>> activity.spikes_of("KC"), bool(activity.spikes_of("DANp") > 0)
            (array([0]), True)
            >>> larvae.manipulate()
        """
        given = checked(manipulations)
        living_under = under(self.parameters, given)
        with self._own.lock:
            fitting(given, self._larvae.state.layout)
            self._manipulations, self._under = given, living_under

    def advance(
        self,
        duration_ms: Any,
        drive_hz: Any = None,
        *,
        larvae: Sequence[int] | None = None,
        record: Record | None = None,
    ) -> Activity:
        """Advance larvae under their drive.

        Args:
            duration_ms: For all, or [B], one for each larva; whole numbers of time steps, 0 to leave a larva as it is.
            drive_hz: [C] or [B, C] for this call only, Hz; what was set with `stimulate` if not given.
            larvae: Places of the larvae to advance, each once, which then are the B of this call; all if not given.
            record: What to keep besides spike counts.

        Returns:
            What they did.

        Raises:
            InputError: there are no larvae, or a duration or drive is unusable. Nothing has changed then.

        Randomness:
            Each input channel's own stream.
        """
        with self._own.lock:
            places = arguments.places(larvae, len(self))
            everyone = larvae is None or (len(places) == len(self) and bool((places[1:] > places[:-1]).all()))
            if not everyone and len(set(places.tolist())) < len(places):
                raise InputError(f"larvae must name each larva to advance once, got {list(places)}")
            n_steps = arguments.steps(self.parameters, duration_ms, len(places))
            _, own_hz, state = self._larvae
            own_hz, rows = (own_hz, states.copy(state)) if everyone else (own_hz[places], states.select(state, places))
            rates_hz = own_hz if drive_hz is None else arguments.rates(drive_hz, len(places))
            activity = self._run(rows, n_steps, rates_hz=rates_hz, record=record)
            return self._commit(rows, activity, None if everyone else places)

    def advance_events(self, events: Any, duration_ms: Any, *, record: Record | None = None) -> Activity:
        """Advance every larva under given input spikes; its own input streams stay where they are.

        Args:
            events: One [E, 2] integer array a larva, (step, channel), steps from the start of the call.
            duration_ms: As for `advance`.
            record: What to keep besides spike counts.

        Raises:
            InputError: there are no larvae, or a duration or an event is unusable. Nothing has changed then.
        """
        with self._own.lock:
            n_steps = arguments.steps(self.parameters, duration_ms, len(self))
            events = checks.several("events", events)
            if len(events) != len(self):
                raise InputError(f"events must be one array for each of {len(self)} larvae, got {len(events)}")
            given = [inputs.check_events(f"events of larva {i}", own, int(n_steps[i])) for i, own in enumerate(events)]
            rows = states.copy(self._larvae.state)
            return self._commit(rows, self._run(rows, n_steps, events=given, record=record))

    def probe(
        self,
        odors: Odors = None,
        duration_ms: Any = None,
        *,
        reward: float = 0.0,
        punishment: float = 0.0,
        drive_hz: Any = None,
        larvae: Sequence[int] | None = None,
        manipulations: Iterable[Manipulation | str] | None = None,
        record: Record | None = None,
    ) -> Activity:
        """Return what larvae would answer now, on a copy, with plasticity off; the larvae stay untouched.

        Args:
            odors: What to smell, as for `stimulate`.
            duration_ms: For how long, for all or [B]; rates are over all of it. 3 s, in whole steps, if not given.
            reward: Strength of reward meanwhile.
            punishment: Strength of punishment meanwhile.
            drive_hz: A drive [C] or [B, C] in Hz instead of odors and reinforcement.
            larvae: Places of the larvae to ask, which then are the B of this call; a place may be named several times,
                to ask about several drives at once. All if not given.
            manipulations: What is done to the circuits meanwhile, and nothing else; what `manipulate` has set if not
                given.
            record: What to keep besides spike counts.

        Raises:
            InputError: there are no larvae, or an argument is unusable.

        Example:
            >>> larvae = Population(seeds=[1, 2])
            >>> larvae.probe("pentyl acetate").preference_index.round() + 0.0
            array([0., 0.])
        """
        if drive_hz is not None and not (odors is None and reward == punishment == 0.0):
            raise InputError("a probe must have either a drive or odors and reinforcement, got both")
        asked_under = None if manipulations is None else under(self.parameters, manipulations)
        with self._own.lock:
            asked_under = self._under if asked_under is None else asked_under
            fitting(() if manipulations is None else checked(manipulations), self._larvae.state.layout)
            places = arguments.places(larvae, len(self))
            if duration_ms is None:
                duration_ms = self.parameters.nearest_ms(_PROBE_MS)
            n_steps = arguments.steps(self.parameters, duration_ms, len(places))
            if drive_hz is None:
                drive_hz = inputs.drive(asked_under, odors, reward=reward, punishment=punishment)
            rates_hz = arguments.rates(drive_hz, len(places))
            rows = states.select(self._larvae.state, places)
        return self._run(rows, n_steps, rates_hz=rates_hz, plastic=False, record=record, parameters=asked_under)

    def snapshot(self, larvae: Sequence[int] | None = None) -> Snapshot:
        """Return everything about larvae at this moment: all, or those at some places, in that order.

        Raises:
            InputError: there are no larvae, or a place lies outside.
        """
        with self._own.lock:
            places = arguments.places(larvae, len(self))
            seeds, drive_hz, state = self._larvae
            named = tuple(seeds[place] for place in places)
            return Snapshot.taken(self.parameters, named, drive_hz[places], states.select(state, places))

    def restore(self, snapshot: Snapshot, larvae: Sequence[int] | None = None) -> None:
        """Put the larvae of a snapshot in the place of all here, or of those at some places.

        Raises:
            MismatchError: the snapshot was taken under other parameters, or is not of as many larvae as are named, or
                these have another number of Kenyon cells.
            InputError: `snapshot` is none, or a place lies outside.
        """
        checks.instance("snapshot", snapshot, Snapshot, "pass what Population.snapshot or Snapshot.load gave")
        snapshot.require(self.parameters)
        with self._own.lock:
            if larvae is None:
                fitting(self._manipulations, snapshot.state.layout)
                self._larvae = _Larvae(list(snapshot.seeds), snapshot.drive_hz.copy(), states.copy(snapshot.state))
                return
            at_once(self.restoring(snapshot, larvae))

    def restoring(self, snapshot: Snapshot, larvae: Sequence[int]) -> list[Change]:
        """Return the changes that put the larvae of a snapshot in the place of others, for `kenyon.whole.at_once`.

        Raises:
            MismatchError: the snapshot was taken under other parameters, or is not of as many larvae as are named, or
                these have another number of Kenyon cells.
            InputError: a place lies outside.
        """
        snapshot.require(self.parameters)
        places = arguments.places(larvae, len(self))
        if len(places) != len(snapshot.seeds):
            raise MismatchError(f"a snapshot must be of {len(places)} larvae, as are named, got {len(snapshot.seeds)}")
        seeds, drive_hz, state = self._larvae
        states.require_layout(state, snapshot.state)
        return [
            states.writing(state, places, snapshot.state),
            write(drive_hz, places, snapshot.drive_hz),
            *(write(seeds, place, seed) for place, seed in zip(places.tolist(), snapshot.seeds, strict=True)),
        ]

    def advanced(
        self,
        rows: State,
        duration_ms: Any,
        rates_hz: FloatArray,
        *,
        plastic: bool = True,
        record: Record | None = None,
    ) -> Activity:
        """Advance copies of larvae in place, as the population would; its own stay as they are.

        Args:
            rows: B rows, such as `states.select` gives; after an interrupt they are worth nothing.
            duration_ms: For all, or [B].
            rates_hz: [B, C], as `inputs.drives` gives them; nothing is checked in them.
            plastic: Whether they learn; without, it is a probe.
            record: What to keep besides spike counts.

        Raises:
            InputError: a duration is unusable; nothing has changed then.
        """
        n_steps = arguments.steps(self.parameters, duration_ms, len(rows))
        before_mV = rows.v_mV.copy()
        activity = self._run(rows, n_steps, rates_hz=rates_hz, plastic=plastic, record=record)
        if plastic:
            self._warn(activity, before_mV)
        return activity

    def replacing(self, rows: State, larvae: Sequence[int]) -> Change:
        """Return the change that puts rows in the place of larvae, for `kenyon.whole.at_once`."""
        return states.writing(self._larvae.state, list(larvae), rows)

    @classmethod
    def from_snapshot(
        cls: type[AnyPopulation], snapshot: Snapshot, *, engine: str | Engine = "kernel", threads: int | None = None
    ) -> AnyPopulation:
        """Return a population of the larvae of a snapshot, under its parameters.

        Raises:
            InputError: `snapshot` is none, or the engine or the number of threads is unusable.
            MissingDependencyError: as for the class.
        """
        checks.instance("snapshot", snapshot, Snapshot, "pass what Population.snapshot or Snapshot.load gave")
        population = cls(snapshot.parameters, engine=engine, threads=threads)
        population.restore(snapshot)
        return population

    def select(self: AnyPopulation, larvae: Sequence[int]) -> AnyPopulation:
        """Return a population of copies of some larvae, manipulated alike; a place may be named more than once.

        Raises:
            InputError: no larva is named, or a place lies outside.
        """
        return self._of(self.snapshot(larvae))

    def join(self: AnyPopulation, other: "Population") -> AnyPopulation:
        """Return a population of copies of the larvae of both, first those of this one, manipulated alike.

        Raises:
            MismatchError: the parameters differ, or how many Kenyon cells there are, or what is done to the circuits.
            InputError: one of them has no larvae.
        """
        checks.instance("other", other, Population, "pass the population to join with")
        if other.manipulations != self.manipulations:
            ours, theirs = (", ".join(own.text for own in one.manipulations) or "nothing" for one in (self, other))
            raise MismatchError(f"populations to join must be manipulated alike, got {ours} and {theirs}")
        return self._of(self.snapshot().join(other.snapshot()))

    def _of(self: AnyPopulation, snapshot: Snapshot) -> AnyPopulation:
        """Return a population of other larvae that is like this one."""
        like_this = self.from_snapshot(snapshot, engine=self.engine, threads=self.threads)
        like_this.manipulate(*self.manipulations)
        return like_this

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made of, of one moment."""
        with self._own.lock:
            seeds, drive_hz, state = self._larvae
            return {
                **vars(self),
                "_own": OwnLock(),
                "_larvae": _Larvae(list(seeds), drive_hz.copy(), states.copy(state)),
            }

    def _run(
        self,
        rows: State,
        n_steps: NDArray[np.int64],
        *,
        record: Record | None = None,
        parameters: Parameters | None = None,
        **more: Any,
    ) -> Activity:
        """Advance `rows`, which are copies: a call that fails or is interrupted changes no larva."""
        if record is not None:
            checks.instance("record", record, Record, "pass Record(spikes=True)")
        parameters = self._under if parameters is None else parameters
        return self._engine.run(parameters, rows, n_steps, record=record, threads=self._threads, **more)

    def _commit(self, after: State, activity: Activity, places: NDArray[np.int64] | None = None) -> Activity:
        """Take over what a call has led to, by one assignment; nothing before this has changed the larvae."""
        seeds, drive_hz, state = self._larvae
        before_mV = state.v_mV if places is None else state.v_mV[places]
        if places is None:
            self._larvae = _Larvae(seeds, drive_hz, after)
        else:
            states.write(state, places, after)
        self._warn(activity, before_mV)
        return activity

    def _warn(self, activity: Activity, before_mV: FloatArray) -> None:
        """Say how many larvae have diverged, if more than had before."""
        diverged = np.count_nonzero(activity.diverged)
        if diverged and diverged > np.count_nonzero(beyond_bounds(before_mV)):
            warnings.warn(
                f"the membrane potential of {diverged} of {len(self)} larvae has left all bounds, and the neuron is "
                f"silent from now on; weights must not fall far below 0 nS: set weight_floor_nS",
                DivergenceWarning,
                stacklevel=4,
            )


_PROBE_MS = 3000.0
"""Long enough for rates of an output neuron to be told apart."""


class _Larvae(NamedTuple):
    """What a population is made of: one value, so that it changes as one.

    Attributes:
        seeds: One a larva.
        drive_hz: [B, C], what is set.
        state: B rows.
    """

    seeds: list[int]
    drive_hz: FloatArray
    state: State
