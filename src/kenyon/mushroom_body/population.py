"""Any number of larvae, each with a mushroom body of its own, advanced together in compiled code.

A weight below zero makes a conductance negative, and a large one makes the membrane potential of an MBON run away until
it is no number any more; the neuron is silent from then on. This belongs to the published model, which has no floor for
weights. `Activity.diverged` says which larvae it happened to, and a `DivergenceWarning` counts them.

A larva's numbers depend on its seed, its wiring and its input alone: not on its neighbors, its place, the number of
threads, or where a stretch of time is cut in two.
"""

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from itertools import pairwise
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import DivergenceWarning, InputError, MismatchError
from kenyon.mushroom_body import circuit, inputs, kernel
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.activity import Activity, Record
from kenyon.mushroom_body.odors import Odors
from kenyon.mushroom_body.parameters import BALANCED, Parameters
from kenyon.mushroom_body.recording import Recorder
from kenyon.mushroom_body.snapshot import Snapshot
from kenyon.mushroom_body.state import State

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
        remedy = 'pass PUBLISHED, BALANCED, or named("balanced")'
        self._parameters = checks.instance("parameters", parameters, Parameters, remedy)
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
        """State of the larvae, B rows, as views that cannot be written to."""
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
        new = tuple(checks.integer("seed of a larva", seed, low=0) for seed in checks.several("seeds", seeds))
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
        places = self._places(range(len(self)) if larvae is None else larvae)
        self._drive_hz[places] = self._check_drive(drive_hz, len(places))

    def advance(self, duration_ms: Any, drive_hz: Any = None, *, record: Record | None = None) -> Activity:
        """Advance every larva under its drive.

        Args:
            duration_ms: For all, or [B], one for each larva; whole numbers of time steps, 0 to leave a larva as it is.
            drive_hz: [C] or [B, C] for this call only, Hz; what was set with `stimulate` if not given.
            record: What to keep besides spike counts.

        Returns:
            What they did.

        Raises:
            InputError: there are no larvae, or a duration or drive is unusable. Nothing has changed then.

        Randomness:
            Each input channel's own stream.
        """
        n_steps = self._steps(duration_ms)
        rates = self._drive_hz if drive_hz is None else self._check_drive(drive_hz)
        return self._commit(*self._run(self._state, n_steps, rates, None, record, plastic=True))

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
        return self._commit(*self._run(self._state, n_steps, None, given, record, plastic=True))

    def probe(self, odors: Odors = None, duration_ms: float = 3000.0, *, drive_hz: Any = None) -> Activity:
        """Return what every larva would answer now, on a copy, with plasticity off; the larvae stay untouched.

        Args:
            odors: What to smell, as for `stimulate`.
            duration_ms: For how long; rates are over all of it.
            drive_hz: A drive [C] or [B, C] in Hz instead of odors.

        Raises:
            InputError: there are no larvae, or an argument is unusable.

        Example:
            >>> larvae = Population(seeds=[1, 2])
            >>> larvae.probe("pentyl acetate").preference_index.round() + 0.0
            array([0., 0.])
        """
        if odors is not None and drive_hz is not None:
            raise InputError("a probe must have either odors or a drive, got both")
        n_steps = self._steps(duration_ms)
        rates = self._check_drive(inputs.drive(self.parameters, odors) if drive_hz is None else drive_hz)
        return self._run(self._state, n_steps, rates, None, None, plastic=False)[1]

    def snapshot(self) -> Snapshot:
        """Return everything about the larvae at this moment.

        Raises:
            InputError: there are no larvae.
        """
        self._require_larvae()
        everyone = range(len(self))
        return Snapshot(self.parameters, self._seeds, self.drive_hz, states.select(self._state, everyone))

    def restore(self, snapshot: Snapshot) -> None:
        """Put the larvae of a snapshot in the place of those here.

        Raises:
            MismatchError: the snapshot was taken under other parameters.
        """
        checks.instance("snapshot", snapshot, Snapshot, "pass what Population.snapshot or Snapshot.load gave")
        self._require_same_parameters(snapshot)
        self._state = states.select(snapshot.state, range(len(snapshot.seeds)))
        self._drive_hz = snapshot.drive_hz.copy()
        self._seeds = snapshot.seeds

    @classmethod
    def from_snapshot(cls: type[AnyPopulation], snapshot: Snapshot, *, threads: int | None = None) -> AnyPopulation:
        """Return a population of the larvae of a snapshot, under its parameters."""
        population = cls(snapshot.parameters, threads=threads)
        population.restore(snapshot)
        return population

    def select(self: AnyPopulation, larvae: Sequence[int]) -> AnyPopulation:
        """Return a population of copies of some larvae; a place may be named more than once.

        Raises:
            InputError: no larva is named, or a place lies outside.
        """
        places = self._places(larvae)
        whole = self.snapshot()
        seeds = tuple(self._seeds[place] for place in places)
        rows = Snapshot(self.parameters, seeds, whole.drive_hz[places], states.select(whole.state, places))
        return self.from_snapshot(rows, threads=self.threads)

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
        before: State,
        n_steps: NDArray[np.int64],
        rates_hz: FloatArray | None,
        events: list[NDArray[np.int32]] | None,
        record: Record | None,
        *,
        plastic: bool,
    ) -> tuple[State, Activity]:
        """Simulate on a copy, so that a call that fails or is interrupted leaves the larvae as they were."""
        record = Record() if record is None else checks.instance("record", record, Record, "pass Record(spikes=True)")
        recorder = Recorder(self.parameters, n_steps, record)
        after = states.copy(before)
        for first, now, recording in recorder.stretches():
            part = None if events is None else [_cut(own, first, first + int(now.max())) for own in events]
            self._simulate(after, now, rates_hz, part, first, recording, plastic=plastic)
        return after, recorder.activity(after.v_mV)

    def _commit(self, after: State, activity: Activity) -> Activity:
        """Take over what a call has led to; nothing before this has changed the larvae."""
        already = int((~np.isfinite(self._state.v_mV)).any(axis=1).sum())
        self._state = after
        diverged = int(activity.diverged.sum())
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
        if events is None:
            per_step = inputs.ticks_per_step(self.parameters, np.asarray(rates_hz))
            events = [np.empty((0, 2), dtype=np.int32)] * len(n_steps)
        else:
            per_step = np.empty((len(n_steps), 0), dtype=np.int64)
        offsets = np.cumsum([0, *(len(own) for own in events)])
        together = np.concatenate(events)
        k = self._constants[plastic]

        def advance(first: int, last: int) -> None:
            kernel.advance_larvae(first, last, state, per_step, together, offsets, first_step, n_steps, k, recording)

        _in_parallel(advance, len(n_steps), self.threads)

    def _steps(self, duration_ms: Any) -> NDArray[np.int64]:
        self._require_larvae()
        if np.ndim(duration_ms) == 0:
            return np.full(len(self), self.parameters.steps("duration", duration_ms), dtype=np.int64)
        durations = checks.array("duration", duration_ms, (len(self),), low=0.0, unit="ms")
        return np.array([self.parameters.steps("duration", float(own)) for own in durations], dtype=np.int64)

    def _check_drive(self, drive_hz: Any, larvae: int | None = None) -> FloatArray:
        shape = (len(self) if larvae is None else larvae, circuit.N_CHANNELS)
        return checks.array("drive", drive_hz, shape, low=0.0, high=inputs.MAX_RATE_HZ, unit="Hz")

    def _places(self, larvae: Sequence[int]) -> NDArray[np.int64]:
        self._require_larvae()
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


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _in_parallel(work: Callable[[int, int], None], larvae: int, threads: int) -> None:
    """Share the larvae out over threads; a few blocks a thread, for larvae may differ in duration."""
    blocks = min(larvae, 4 * threads)
    if threads == 1 or blocks == 1:
        work(0, larvae)
        return
    bounds = [larvae * block // blocks for block in range(blocks + 1)]
    futures = [_pool(threads).submit(work, *pair) for pair in pairwise(bounds)]
    try:
        for future in futures:
            future.result()
    finally:  # After Ctrl-C nothing may go on by itself.
        for future in futures:
            future.cancel()
        wait(futures)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="kenyon")


if hasattr(os, "register_at_fork"):
    # A forked child inherits the pool without its threads, and would wait for them forever.
    os.register_at_fork(after_in_child=_pool.cache_clear)


def _cut(events: NDArray[np.int32], first: int, last: int) -> NDArray[np.int32]:
    begin, end = np.searchsorted(events[:, 0], (first, last))
    part = events[begin:end].copy()
    part[:, 0] -= first
    return part
