"""Any number of larvae, each with a mushroom body of its own, advanced together in compiled code.

A weight below zero makes a conductance negative, and a large one makes the membrane potential of an MBON run away until
it is no number any more; the neuron is silent from then on. This belongs to the published model, which has no floor for
weights. `Activity.diverged` says which larvae it happened to, and a `DivergenceWarning` counts them.

A larva's numbers depend on its seed, its wiring and its input alone: not on its neighbors, its place, the number of
threads, or where a stretch of time is cut in two.
"""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import DivergenceWarning, InputError, MismatchError
from kenyon.mushroom_body import circuit, inputs, kernel
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.activity import Activity, Record
from kenyon.mushroom_body.odors import Odors
from kenyon.mushroom_body.parameters import BALANCED, Parameters, check_parameters
from kenyon.mushroom_body.recording import Recorder, beyond_bounds
from kenyon.mushroom_body.snapshot import Snapshot
from kenyon.mushroom_body.state import State
from kenyon.seeds import checked_seed
from kenyon.threads import available_cores, in_parallel
from kenyon.words import shown

FloatArray = NDArray[np.float64]

AnyPopulation = TypeVar("AnyPopulation", bound="Population")


class Population:
    """B larvae with the compiled kernel as their engine.

    Args:
        parameters: The constants they live under.
        seeds: One seed a larva, an integer of 0 or more; `kenyon.seeds.larva_seeds` makes them from one.
        pn_to_kc: PN to KC wiring, [K, P] for all or [B, K, P], of 0 and 1; drawn from each larva's seed if not given.
        threads: How many larvae are advanced at once; every core if not given. Never changes a number.

    Raises:
        InputError: a seed is no integer of 0 or more, a wiring or a number of threads is unusable.

    Example:
        >>> from kenyon.seeds import larva_seeds
        >>> larvae = Population(seeds=larva_seeds(1, 4))
        >>> larvae.stimulate("pentyl acetate", reward=1.0)
        >>> activity = larvae.advance(1000)
        >>> activity.rate_hz("MBONp").shape
        (4,)
    """

    engine: ClassVar[str] = "kernel"

    def __init__(
        self,
        parameters: Parameters = BALANCED,
        seeds: Iterable[int] = (),
        *,
        pn_to_kc: Any = None,
        threads: int | None = None,
    ) -> None:
        self._parameters = check_parameters(parameters)
        self.threads = available_cores() if threads is None else checks.integer("threads", threads, low=1)
        self._constants = {plastic: kernel.constants(parameters, plastic=plastic) for plastic in (True, False)}
        self._seeds: tuple[int, ...] = ()
        self._state = states.newborn(parameters, ())
        self._drive_hz: FloatArray = np.empty((0, circuit.N_CHANNELS))
        seeds = checks.several("seeds", seeds)
        if seeds:
            self.add(seeds, pn_to_kc=pn_to_kc)

    def __len__(self) -> int:
        """Return the number of larvae."""
        return len(self._seeds)

    def __repr__(self) -> str:
        """Say what this is."""
        return f"<{type(self).__name__} of {len(self)} larvae, {self.parameters.description}>"

    @property
    def parameters(self) -> Parameters:
        """The constants the larvae live under."""
        return self._parameters

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seed of each larva."""
        return self._seeds

    @property
    def state(self) -> State:
        """State of the larvae at this moment, B rows, as views that cannot be written to; copy what shall last."""
        return states.read_only(self._state)

    @property
    def drive_hz(self) -> FloatArray:
        """Rate of each input channel that is set, [B, C] float64, Hz."""
        return self._drive_hz.copy()

    def add(self, seeds: Iterable[int], *, pn_to_kc: Any = None) -> range:
        """Add newborn larvae without odor; return their places.

        Args:
            seeds: One seed a larva.
            pn_to_kc: As for the class.

        Raises:
            InputError: there is no seed, one is no integer of 0 or more, or the wiring is unusable.
        """
        new = tuple(checked_seed("seed of a larva", seed) for seed in checks.several("seeds", seeds))
        if not new:
            raise InputError("seeds must name at least one larva, got none")
        wiring = None if pn_to_kc is None else circuit.check_pn_to_kc(pn_to_kc, len(new))
        added = states.newborn(self.parameters, new, wiring)
        first = len(self)
        self._state = states.join(self._state, added)
        self._drive_hz = np.concatenate((self._drive_hz, np.tile(inputs.drive(self.parameters), (len(new), 1))))
        self._seeds += new
        return range(first, first + len(new))

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
        self.set_drive(inputs.drive(self.parameters, odors, reward=reward, punishment=punishment), larvae)

    def set_drive(self, drive_hz: Any, larvae: Sequence[int] | None = None) -> None:
        """Set the rate of each input channel, [C] or one row a larva, Hz; see `inputs.drive`.

        Raises:
            InputError: the shape is another, a rate is negative or not finite, or a place outside.
        """
        places = self._places(larvae)
        self._drive_hz[places] = self._check_drive(drive_hz, len(places))

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
        places = self._places(larvae)
        everyone = len(places) == len(self) and bool((places[1:] > places[:-1]).all())
        if not everyone and len(set(places.tolist())) < len(places):
            raise InputError(f"larvae must name each larva to advance once, got {list(places)}")
        n_steps = self._steps(duration_ms, len(places))
        rates = self._drive_hz[places] if drive_hz is None else self._check_drive(drive_hz, len(places))
        rows = states.copy(self._state) if everyone else states.select(self._state, places)
        run = self._run(rows, n_steps, rates, None, record, plastic=True)
        return self._commit(*run, None if everyone else places)

    def advance_events(self, events: Any, duration_ms: Any, *, record: Record | None = None) -> Activity:
        """Advance every larva under given input spikes; its own input streams stay where they are.

        Args:
            events: One [E, 2] integer array a larva, (step, channel), steps from the start of the call.
            duration_ms: As for `advance`.
            record: What to keep besides spike counts.

        Raises:
            InputError: there are no larvae, or a duration or an event is unusable. Nothing has changed then.
        """
        n_steps = self._steps(duration_ms)
        events = checks.several("events", events)
        if len(events) != len(self):
            raise InputError(f"events must be one array for each of {len(self)} larvae, got {len(events)}")
        given = [inputs.check_events(f"events of larva {i}", own, int(n_steps[i])) for i, own in enumerate(events)]
        return self._commit(*self._run(states.copy(self._state), n_steps, None, given, record, plastic=True))

    def advance_state(self, state: State, n_steps: Any, drive_hz: Any, *, plastic: bool = True) -> Activity:
        """Advance larvae that are kept elsewhere, in place; the population's own have no part in it.

        Args:
            state: B rows, changed; after an error they are worth nothing.
            n_steps: [B] whole time steps, for each larva.
            drive_hz: [C] or [B, C], Hz.
            plastic: Whether they learn; without, it is a probe.

        Raises:
            InputError: a number of steps or a drive is unusable; nothing has changed then.

        Example:
            >>> from kenyon.mushroom_body.inputs import drive
            >>> from kenyon.mushroom_body.state import newborn
            >>> larva = newborn(BALANCED, [1])
            >>> activity = Population().advance_state(larva, [1000], drive(BALANCED, "pentyl acetate"))
            >>> int(larva.step[0]), activity.duration_ms
            (1000, array([100.]))
        """
        larvae = len(state.step)
        try:
            steps = np.asarray(n_steps)
        except ValueError:  # rows of unequal lengths
            steps = np.empty(())
        if steps.shape != (larvae,) or steps.dtype.kind != "i" or larvae == 0 or int(steps.min()) < 0:
            raise InputError(
                f"n_steps must be a whole number of at least 0 for each of {larvae} larvae, got {shown(n_steps)}"
            )
        steps = steps.astype(np.int64)
        return self._run(state, steps, self._check_drive(drive_hz, larvae), None, None, plastic=plastic)[1]

    def probe(
        self,
        odors: Odors = None,
        duration_ms: Any = 3000.0,
        *,
        drive_hz: Any = None,
        larvae: Sequence[int] | None = None,
    ) -> Activity:
        """Return what larvae would answer now, on a copy, with plasticity off; the larvae stay untouched.

        Args:
            odors: What to smell, as for `stimulate`.
            duration_ms: For how long, for all or [B]; rates are over all of it.
            drive_hz: A drive [C] or [B, C] in Hz instead of odors.
            larvae: Places of the larvae to ask, which then are the B of this call; a place may be named several times,
                to ask about several drives at once. All if not given.

        Raises:
            InputError: there are no larvae, or an argument is unusable.

        Example:
            >>> larvae = Population(seeds=[1, 2])
            >>> larvae.probe("pentyl acetate").preference_index.round() + 0.0
            array([0., 0.])
        """
        if odors is not None and drive_hz is not None:
            raise InputError("a probe must have either odors or a drive, got both")
        places = self._places(larvae)
        n_steps = self._steps(duration_ms, len(places))
        rates = self._check_drive(inputs.drive(self.parameters, odors) if drive_hz is None else drive_hz, len(places))
        return self._run(states.select(self._state, places), n_steps, rates, None, None, plastic=False)[1]

    def snapshot(self, larvae: Sequence[int] | None = None) -> Snapshot:
        """Return everything about larvae at this moment: all, or those at some places, in that order.

        Raises:
            InputError: there are no larvae, or a place lies outside.
        """
        places = self._places(larvae)
        seeds = tuple(self._seeds[place] for place in places)
        return Snapshot(self.parameters, seeds, self._drive_hz[places], states.select(self._state, places))

    def restore(self, snapshot: Snapshot, larvae: Sequence[int] | None = None) -> None:
        """Put the larvae of a snapshot in the place of all here, or of those at some places.

        Raises:
            MismatchError: the snapshot was taken under other parameters, or is not of as many larvae as are named.
            InputError: a place lies outside.
        """
        checks.instance("snapshot", snapshot, Snapshot, "pass what Population.snapshot or Snapshot.load gave")
        self._require_same_parameters(snapshot)
        if larvae is None:
            self._state = states.copy(snapshot.state)
            self._drive_hz = snapshot.drive_hz.copy()
            self._seeds = snapshot.seeds
            return
        places = self._places(larvae)
        if len(places) != len(snapshot.seeds):
            raise MismatchError(f"a snapshot must be of {len(places)} larvae, as are named, got {len(snapshot.seeds)}")
        states.write(self._state, places, snapshot.state)
        self._drive_hz[places] = snapshot.drive_hz
        seeds = dict(zip(places.tolist(), snapshot.seeds, strict=True))
        self._seeds = tuple(seeds.get(place, seed) for place, seed in enumerate(self._seeds))

    @classmethod
    def from_snapshot(cls: type[AnyPopulation], snapshot: Snapshot, *, threads: int | None = None) -> AnyPopulation:
        """Return a population of the larvae of a snapshot, under its parameters.

        Raises:
            InputError: `snapshot` is none.
        """
        checks.instance("snapshot", snapshot, Snapshot, "pass what Population.snapshot or Snapshot.load gave")
        population = cls(snapshot.parameters, threads=threads)
        population.restore(snapshot)
        return population

    def select(self: AnyPopulation, larvae: Sequence[int]) -> AnyPopulation:
        """Return a population of copies of some larvae; a place may be named more than once.

        Raises:
            InputError: no larva is named, or a place lies outside.
        """
        return self.from_snapshot(self.snapshot(larvae), threads=self.threads)

    def join(self: AnyPopulation, other: "Population") -> AnyPopulation:
        """Return a population of copies of the larvae of both, first those of this one.

        Raises:
            MismatchError: the parameters differ.
            InputError: one of them has no larvae.
        """
        checks.instance("other", other, Population, "pass the population to join with")
        mine, theirs = self.snapshot(), other.snapshot()
        self._require_same_parameters(theirs)
        drive_hz = np.concatenate((mine.drive_hz, theirs.drive_hz))
        state = states.join(mine.state, theirs.state)
        both = Snapshot(self.parameters, mine.seeds + theirs.seeds, drive_hz, state)
        return self.from_snapshot(both, threads=self.threads)

    def _run(
        self,
        rows: State,
        n_steps: NDArray[np.int64],
        rates_hz: FloatArray | None,
        events: list[NDArray[np.int32]] | None,
        record: Record | None,
        *,
        plastic: bool,
    ) -> tuple[State, Activity]:
        """Simulate `rows` in place; they are copies, so a call that fails or is interrupted changes no larva."""
        record = Record() if record is None else checks.instance("record", record, Record, "pass Record(spikes=True)")
        recorder = Recorder(self.parameters, n_steps, record)
        for first, now, recording in recorder.stretches():
            part = None if events is None else [_cut(own, first, first + int(now.max())) for own in events]
            self._simulate(rows, now, rates_hz, part, first, recording, plastic=plastic)
        return rows, recorder.activity(rows.v_mV)

    def _commit(self, after: State, activity: Activity, places: NDArray[np.int64] | None = None) -> Activity:
        """Take over what a call has led to; nothing before this has changed the larvae."""
        diverged = int(activity.diverged.sum())
        before_mV = self._state.v_mV if places is None or not diverged else self._state.v_mV[places]
        already = int(beyond_bounds(before_mV).sum()) if diverged else 0
        if places is None:
            self._state = after
        else:
            states.write(self._state, places, after)
        if diverged > already:
            warnings.warn(
                f"the membrane potential of {diverged} of {len(self)} larvae has left all bounds, and the neuron is "
                f"silent from now on; weights must not fall far below 0 nS: set weight_floor_nS",
                DivergenceWarning,
                stacklevel=3,
            )
        return activity

    def _simulate(
        self,
        state: State,
        n_steps: NDArray[np.int64],
        rates_hz: FloatArray | None,
        events: list[NDArray[np.int32]] | None,
        first_step: int,
        recording: kernel.Recording,
        *,
        plastic: bool,
    ) -> None:
        """Advance `state` in place, under rates or under given events, writing to `recording`: what an engine is."""
        offsets: NDArray[np.int64] = np.zeros(len(n_steps) + 1, dtype=np.int64)
        together: NDArray[np.int32] = np.empty((0, 2), dtype=np.int32)
        if events is None:
            per_step = inputs.ticks_per_step(self.parameters, np.asarray(rates_hz))
        else:
            per_step = np.empty((len(n_steps), 0), dtype=np.int64)
            offsets[1:], together = np.cumsum([len(own) for own in events]), np.concatenate(events)
        k = self._constants[plastic]

        next_larva: NDArray[np.int64] = np.zeros(1, dtype=np.int64)

        def advance() -> None:
            kernel.advance_larvae(
                next_larva, state.records, per_step, together, offsets, first_step, n_steps, k, recording
            )

        in_parallel(advance, min(self.threads, len(n_steps)))

    def _steps(self, duration_ms: Any, larvae: int | None = None) -> NDArray[np.int64]:
        self._require_larvae()
        larvae = len(self) if larvae is None else larvae
        if not isinstance(duration_ms, Iterable):
            return np.full(larvae, self.parameters.steps("duration", duration_ms), dtype=np.int64)
        durations = checks.array("duration", duration_ms, (larvae,), low=0.0, unit="ms")
        return np.array([self.parameters.steps("duration", float(own)) for own in durations], dtype=np.int64)

    def _check_drive(self, drive_hz: Any, larvae: int | None = None) -> FloatArray:
        shape = (len(self) if larvae is None else larvae, circuit.N_CHANNELS)
        return checks.array("drive", drive_hz, shape, low=0.0, high=inputs.MAX_RATE_HZ, unit="Hz")

    def _places(self, larvae: Sequence[int] | None) -> NDArray[np.int64]:
        """Return places as an array, all if none are named."""
        self._require_larvae()
        if larvae is None:
            return np.arange(len(self), dtype=np.int64)
        places = [
            checks.integer("place of a larva", place, low=0, high=len(self) - 1)
            for place in checks.several("larvae", larvae)
        ]
        if not places:
            raise InputError("larvae must name at least one place, got none")
        return np.array(places, dtype=np.int64)

    def _require_same_parameters(self, snapshot: Snapshot) -> None:
        for name, (mine, theirs) in self.parameters.differences(snapshot.parameters).items():
            raise MismatchError(
                f"a snapshot must be of the same parameters, got {name}={theirs} instead of {mine}; "
                f"Population.from_snapshot takes over its parameters"
            )

    def _require_larvae(self) -> None:
        if not self._seeds:
            raise InputError("the population must have at least one larva, got none; add larvae by seed first")


def _cut(events: NDArray[np.int32], first: int, last: int) -> NDArray[np.int32]:
    begin, end = np.searchsorted(events[:, 0], (first, last))
    part = events[begin:end].copy()
    part[:, 0] -= first
    return part
