"""A memory whose mushroom body lives in the same process: no server, the same gains as over the wire."""

import math
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import param
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.memory import clones
from kenyon.memory.base import Plain
from kenyon.memory.mushroom_body import Answer, Finish, MBmemory, Outcome, Request
from kenyon.memory.options import Choice, Switch, Table, Wiring, plain_value
from kenyon.memory.overriding import as_written
from kenyon.mushroom_body import Activity, Parameters, Population, Record, Snapshot, named
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.circuit import MBON_N, MBON_P
from kenyon.mushroom_body.engines import ENGINES
from kenyon.mushroom_body.inputs import Stimulus, drives, stimulus
from kenyon.mushroom_body.odors import Odor
from kenyon.mushroom_body.parameters import DEFAULT_NAME, NAMED
from kenyon.mushroom_body.state import State
from kenyon.mushroom_body.wiring import RANDOM, WIRINGS, check_one, check_pn_to_kc, kcs_of
from kenyon.seeds import larva_seed
from kenyon.threads import OwnLock
from kenyon.whole import Change, at_once, update
from kenyon.words import shown


@as_written
class MushroomBodyMemory(MBmemory):
    """A memory that learns with a mushroom body, the spiking circuit of Jürgensen et al. (2024), in process.

    The larvae of one simulation with the same circuit share one population, so that `step_together` advances them as a
    batch. A larva's numbers depend on (seed, sim_id, model_id) and its own input alone, and are those a server gives.
    With readout="probe", ticks whose answer nobody looks at are put off until the next that is, and all larvae of the
    simulation then live through theirs together: the numbers are those of one by one, on all cores.

    Args:
        **kwargs: `brain`, `gain`, and the options below.

    Raises:
        InputError: an option is out of range, or a stimulus stands for no measured odor.

    Randomness:
        The larva's own streams, from (seed, sim_id, model_id); both ids are 0 where neither they nor a brain are given.
        A `CloneWarning` says so where several without an id draw the same.

    Reference:
        Jürgensen et al. 2024, iScience 27:108640.

    Example:
        >>> memory = MushroomBodyMemory(gain={"Odor": 0.0}, readout="probe", probe_every_s=30)
        >>> for _ in range(301):
        ...     gain = memory.step(dx={"Odor": 1.0}, reward=True)
        >>> gain["Odor"] > 0.01
        True
    """

    parameters = Choice(list(NAMED), default=DEFAULT_NAME, constant=True, doc="Named set of the circuit's constants.")
    changes = Table({}, constant=True, doc="Constants to change in it, such as {'weight_floor_nS': 0.0}.")
    engine = Choice(list(ENGINES), constant=True, doc="What computes the circuit; the numbers are the same.")
    wiring = Choice(
        list(WIRINGS),
        constant=True,
        doc="Which PNs each Kenyon cell listens to: drawn from the seed; as measured on a side of a brain; or with "
        "each cell's synapses dealt to other receptors by the seed.",
    )
    pn_to_kc = Wiring(
        None,
        allow_None=True,
        constant=True,
        doc="A wiring of one's own instead: a row for each of its 1 to 128 Kenyon cells, of 21 entries: 0 and 1, or "
        "counts of synapses, or else floats in multiples of pn_kc_nS.",
    )
    shared = Switch(True, constant=True, doc="Whether larvae of one simulation share a population.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.pn_to_kc is not None:
            with param.edit_constant(self):  # As a file has it, and of no array that may be changed.
                self.pn_to_kc = plain_value(check_pn_to_kc(self.pn_to_kc, 1)[0])
            check_one(self.wiring, self.pn_to_kc)
        self._constants = named(self.parameters).replace(self.changes)
        self._home: _Home | None = None
        self._place = 0

    @property
    def population(self) -> Population:
        """The population the larva lives in."""
        home = self._settle()
        with home.turn.lock:
            home.catch_up()
        return home.population

    @property
    def place(self) -> int:
        """The larva's place in it."""
        self._settle()
        return self._place

    def watch_circuit(self, witness: "Witness", *, spikes: bool = False) -> None:
        """Have a function told of what the circuit does from now on, part by part; no number is another for it.

        A part that is lived through again, after an interrupt, is told again. Probes are not told of.

        Args:
            witness: Called with an `Activity` of this one larva.
            spikes: Whether it is told of every spike; named again, a witness is told otherwise from now on.

        Raises:
            InputError: the witness cannot be called, or `spikes` is neither True nor False.

        Example:
            >>> memory, heard = MushroomBodyMemory(gain={"Odor": 0.0}), []
            >>> memory.watch_circuit(heard.append, spikes=True)
            >>> gain = memory.step(dx={"Odor": 1.0})
            >>> heard[0].duration_ms, bool(len(heard[0].spikes[0]) == heard[0].counts.sum())
            (array([100.]), True)
        """
        self._witnessed(witness, [(witness, checks.boolean("spikes", spikes))])

    def leave_circuit(self, witness: "Witness") -> None:
        """Tell a function no more; one that was not told is left in peace.

        Raises:
            InputError: the witness cannot be called.

        Example:
            >>> memory = MushroomBodyMemory(gain={"Odor": 0.0})
            >>> memory.watch_circuit(print)
            >>> memory.leave_circuit(print)
        """
        self._witnessed(witness, [])

    def _witnessed(self, witness: "Witness", instead: "list[tuple[Witness, bool]]") -> None:
        if not callable(witness):
            raise InputError(f"witness must be a function of an activity, got {shown(witness)}; pass one")
        home = self._settle()
        with home.turn.lock:
            home.catch_up()
            others = [own for own in home.witnesses.pop(self._place, ()) if own[0] != witness]
            if others or instead:
                home.witnesses[self._place] = (*others, *instead)

    @classmethod
    def _live_through(
        cls, memories: Sequence["MushroomBodyMemory"], requests: Sequence[Request], finish: Finish
    ) -> None:
        # Whatever can be refused is refused before any circuit is computed.
        visits = [memory._visit(request) for memory, request in zip(memories, requests, strict=True)]
        neighbors: dict[_Home, list[int]] = defaultdict(list)
        for i, memory in enumerate(memories):
            neighbors[memory._settle()].append(i)

        def live() -> None:
            outcomes: dict[int, Outcome] = {}
            changes: list[Change] = []
            for home, members in neighbors.items():
                answers, change = home.live_through([visits[i] for i in members])
                changes.append(change)
                for i, answer in zip(members, answers, strict=True):
                    outcomes[i] = Outcome(answer, {"step_id": memories[i].step_id + 1})
            finish([outcomes[i] for i in range(len(memories))], changes)

        holding(neighbors, live)

    def _plain(self) -> Plain:
        header, arrays = super()._plain()
        home = self._settle()
        with home.turn.lock:
            home.catch_up()
            circuit, own = home.population.snapshot([self._place]).plain()
        return {**header, "circuit": circuit}, {**arrays, **own}

    def _from_plain(self, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> list[Change]:
        snapshot = Snapshot.from_plain("the circuit", header["circuit"], arrays)
        home = self._settle()
        with home.turn.lock:
            home.catch_up()
            circuit = home.population.restoring(snapshot, [self._place])
        return [*super()._from_plain(header, arrays), *circuit]

    def __getstate__(self) -> dict[str, Any]:
        """Return all that a copy needs: the larva itself, not the population it lives in with others."""
        home = self._home
        state: dict[str, Any] = {**super().__getstate__(), "_home": None}
        if home is not None:
            with home.turn.lock:
                home.catch_up()
                state["_snapshot"] = home.population.snapshot([self._place])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a copy, whose larva moves into a place of its own."""
        snapshot = state.pop("_snapshot", None)
        super().__setstate__(state)
        if snapshot is not None:
            home = self._settle()
            with home.turn.lock:
                home.population.restore(snapshot, [self._place])

    def _probe(self, odors: Mapping[str, Odor], probe_ms: float) -> dict[str, tuple[float, float]]:
        home = self._settle()
        self._constants.steps("probe_ms", probe_ms)
        concentration = self._own.probe_concentration
        now = home.population.lives_under
        drives_hz = drives(now, [stimulus(now, {odor: concentration}) for odor in odors.values()])
        with home.turn.lock:
            home.catch_up()
            activity = home.population.probe(
                duration_ms=probe_ms, drive_hz=drives_hz, larvae=[self._place] * len(drives_hz)
            )
        rates = zip(activity.rate_hz("MBONp").tolist(), activity.rate_hz("MBONn").tolist(), strict=True)
        return dict(zip(odors, rates, strict=True))

    def _visit(self, request: Request) -> "_Visit":
        """Return a request in the terms of the population."""
        odors, tick_ms = self._mixture(request.concentrations), self._constants.nearest_ms(self.t_sim)
        if request.warmup_ms:
            self._constants.steps("t_warmup", request.warmup_ms)
        if request.probes:
            self._constants.steps("probe_ms", self._own.probe_ms)
        constants = self._settle().population.lives_under
        probes = {
            name: stimulus(constants, {self.odor_of(name): self._own.probe_concentration}) for name in request.probes
        }
        return _Visit(
            self._place,
            tick_ms,
            stimulus(constants, odors, reward=request.reward, punishment=request.punishment),
            request.warmup_ms,
            self._own.probe_ms,
            probes,
            request.awaited,
        )

    def _settle(self) -> "_Home":
        """Return where the larva lives; it is born there when first asked for, when its ids are known."""
        if self._home is not None:
            return self._home
        with _registry.lock:
            if self._home is None:
                sim_id, larva_id = (0 if i is None else i for i in (self._simulation(), self.larva_id))
                if self.larva_id is None:
                    clones.begin(self, "circuit", int(self.seed), sim_id)
                home = (
                    _home(sim_id, self._constants, self.engine, kcs_of(self.wiring, self.pn_to_kc))
                    if self.shared
                    else _Home(self._constants, self.engine)
                )
                self._place = home.take_in(larva_seed(int(self.seed), sim_id, larva_id), self.wiring, self.pn_to_kc)
                weakref.finalize(self, home.free.append, self._place)
                self._home = home  # Last, so that whoever sees a home finds the right place.
            return self._home


class _Home:
    """A population, and whose turn it is: larvae of one population may be stepped from several threads."""

    def __init__(self, constants: Parameters, engine: str) -> None:
        self.population = Population(constants, engine=engine)
        self.turn = OwnLock()
        self.free: list[int] = []
        # By place: who are told what a larva does, and whether of every spike.
        self.witnesses: dict[int, tuple[tuple[Witness, bool], ...]] = {}
        # By place: what a larva has yet to live through, in order. Of a place that is free it means nothing.
        self._put_off: dict[int, tuple[_Visit, ...]] = {}

    def take_in(self, seed: int, wiring: str = RANDOM, pn_to_kc: Any = None) -> int:
        """Return the place of a newborn larva, wired as `Population` says: one whose larva is gone, or a new one."""
        population = self.population
        with self.turn.lock:
            if not self.free:
                return population.add([seed], wiring=wiring, pn_to_kc=pn_to_kc)[0]
            place = self.free.pop()
            self._put_off.pop(place, None)
            self.witnesses.pop(place, None)
            newborn = Population(population.parameters, [seed], wiring=wiring, pn_to_kc=pn_to_kc)
            population.restore(newborn.snapshot(), [place])
            return place

    def live_through(self, visits: Sequence["_Visit"]) -> tuple[list[Answer], Change]:
        """Compute a step of some larvae, and what they are to be asked; return the answers, and the change to make.

        A step that nobody awaits is put off, and answered with nan.
        """
        if not any(visit.awaited for visit in visits):
            if any(len(self._put_off.get(visit.place, ())) >= _MOST_PUT_OFF for visit in visits):
                self.catch_up()
            later = {visit.place: (*self._put_off.get(visit.place, ()), visit) for visit in visits}
            return [_UNREAD] * len(visits), update(self._put_off, later)
        self.catch_up()
        places = [visit.place for visit in visits]
        rows = states.select(self.population.state, places)
        activity = self._advance(rows, visits)
        read: list[dict[str, float]] = [{} for _ in visits]
        asked = [(i, name) for i, visit in enumerate(visits) for name in visit.probes]
        if asked:
            probes = self.population.advanced(
                states.select(rows, [i for i, _ in asked]),
                [visits[i].probe_ms for i, _ in asked],
                drives(self.population.lives_under, [visits[i].probes[name] for i, name in asked]),
                plastic=False,
            )
            for (i, name), difference_hz in zip(asked, _differences_hz(probes), strict=True):
                read[i][name] = difference_hz
        answers = [Answer(own, probed) for own, probed in zip(_differences_hz(activity), read, strict=True)]
        return answers, self.population.replacing(rows, places)

    def catch_up(self) -> None:
        """Let every larva live through what was put off, all of them together, a step each at a time."""
        waiting = {place: steps for place, steps in self._put_off.items() if place not in self.free}
        places = list(waiting)
        if places:
            rows = states.select(self.population.state, places)
            for number in range(max(map(len, waiting.values()))):
                now = [i for i, place in enumerate(places) if number < len(waiting[place])]
                some = states.select(rows, now)
                self._advance(some, [waiting[places[i]][number] for i in now])
                states.write(rows, now, some)
            at_once([self.population.replacing(rows, places), partial(self._put_off.clear)])

    def _advance(self, rows: State, visits: Sequence["_Visit"]) -> Activity:
        population = self.population
        warmups_ms = [visit.warmup_ms for visit in visits]
        if any(warmups_ms):
            nothing = [stimulus(population.lives_under)] * len(visits)
            population.advanced(rows, warmups_ms, drives(population.lives_under, nothing))
        drives_hz = drives(population.lives_under, [visit.stimulus for visit in visits])
        durations_ms = {visit.duration_ms for visit in visits}
        duration_ms = durations_ms.pop() if len(durations_ms) == 1 else [visit.duration_ms for visit in visits]
        watched = [(i, *own) for i, visit in enumerate(visits) for own in self.witnesses.get(visit.place, ())]
        record = Record(spikes=True) if any(spikes for *_, spikes in watched) else None
        activity = population.advanced(rows, duration_ms, drives_hz, record=record)
        for i, witness, spikes in watched:
            witness(_of_one(activity, i, spikes=spikes))
        return activity


def holding(homes: Iterable[_Home], do: Callable[[], None]) -> None:
    """Do something while it is the turn of nobody else in any of some populations."""
    # In one order everywhere, so that no two threads wait for each other.
    in_order = sorted(homes, key=id)
    if not in_order:
        do()
        return
    with in_order[0].turn.lock:
        holding(in_order[1:], do)


class _Visit(NamedTuple):
    """What a larva at a place shall live through."""

    place: int
    duration_ms: float
    stimulus: Stimulus
    warmup_ms: float
    probe_ms: float
    probes: dict[str, Stimulus]
    awaited: bool


Witness: TypeAlias = Callable[[Activity], object]
"""Is told what a circuit did, part by part; what it returns is not looked at, and what it raises ends the run."""

_UNREAD = Answer(math.nan)
"""The answer that is not looked at."""

_MOST_PUT_OFF = 256
"""Steps of a larva that are kept for later, 0.3 KB each."""


def _of_one(activity: Activity, i: int, *, spikes: bool) -> Activity:
    """Return what one larva did."""
    own = (activity.spikes[i],) if spikes and activity.spikes is not None else None
    here = slice(i, i + 1)
    return Activity(
        activity.duration_ms[here], activity.counts[here], own, diverged=activity.diverged[here], dt_ms=activity.dt_ms
    )


def _differences_hz(activity: Activity) -> list[float]:
    """Return MBONp - MBONn of each larva: as plain numbers, for of few larvae numpy takes several times as long."""
    mbonp, mbonn = activity.layout.outputs + MBON_P, activity.layout.outputs + MBON_N
    counts, durations_ms = activity.counts[:, [mbonp, mbonn]].tolist(), activity.duration_ms.tolist()
    return [p / (ms * 1e-3) - n / (ms * 1e-3) for (p, n), ms in zip(counts, durations_ms, strict=True)]


_shared: "weakref.WeakValueDictionary[tuple[Any, ...], _Home]" = weakref.WeakValueDictionary()
_registry = OwnLock()


def _home(sim_id: str | int, constants: Parameters, engine: str, n_kcs: int) -> _Home:
    """Return the population that the larvae of a simulation share; it lives as long as one of their memories."""
    key = (type(sim_id), sim_id, engine, n_kcs, *constants.values().values())
    with _registry.lock:
        home = _shared.get(key)
        if home is None:
            home = _shared[key] = _Home(constants, engine)
        return home
