"""A memory whose mushroom body lives in the same process: no server, the same gains as over the wire."""

import math
import os
import threading
import weakref
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from kenyon.memory.base import Plain
from kenyon.memory.mushroom_body import Answer, MBmemory, Request
from kenyon.memory.options import Choice, Switch, Table
from kenyon.mushroom_body import Activity, Parameters, Population, Snapshot, drive, named
from kenyon.mushroom_body.engines import ENGINES
from kenyon.mushroom_body.inputs import Stimulus, drives, stimulus
from kenyon.seeds import larva_seed


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

    Reference:
        Jürgensen et al. 2024, iScience 27:108640.

    Example:
        >>> memory = MushroomBodyMemory(gain={"Odor": 0.0}, readout="probe", probe_every_s=30)
        >>> for _ in range(301):
        ...     gain = memory.step(dx={"Odor": 1.0}, reward=True)
        >>> gain["Odor"] > 0.01
        True
    """

    parameters = Choice(["balanced", "published"], constant=True, doc="Named set of the circuit's constants.")
    changes = Table({}, constant=True, doc="Constants to change in it, such as {'weight_floor_nS': 0.0}.")
    engine = Choice(list(ENGINES), constant=True, doc="What computes the circuit; the numbers are the same.")
    shared = Switch(True, constant=True, doc="Whether larvae of one simulation share a population.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._constants = named(self.parameters).replace(self.changes)
        self._home: _Home | None = None
        self._place = 0

    @property
    def population(self) -> Population:
        """The population the larva lives in."""
        home = self._settle()
        with home.lock:
            home.catch_up()
        return home.population

    @property
    def place(self) -> int:
        """The larva's place in it."""
        self._settle()
        return self._place

    @classmethod
    def _answers(cls, memories: Sequence["MushroomBodyMemory"], requests: Sequence[Request]) -> list[Answer]:
        # Whatever can be refused is refused before any circuit moves.
        visits = [memory._visit(request) for memory, request in zip(memories, requests, strict=True)]
        neighbors: dict[_Home, list[int]] = defaultdict(list)
        for i, memory in enumerate(memories):
            neighbors[memory._settle()].append(i)
        answers: dict[int, Answer] = {}
        for home, members in neighbors.items():
            with home.lock:
                own = home.live_through([visits[i] for i in members])
            answers.update(zip(members, own, strict=True))
            for i in members:
                memories[i].step_id += 1
        return [answers[i] for i in range(len(memories))]

    def _plain(self) -> Plain:
        header, arrays = super()._plain()
        home = self._settle()
        with home.lock:
            home.catch_up()
            circuit, own = home.population.snapshot([self._place]).plain()
        return {**header, "circuit": circuit}, {**arrays, **own}

    def _from_plain(self, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        snapshot = Snapshot.from_plain("the circuit", header["circuit"], arrays)
        home = self._settle()
        with home.lock:
            home.catch_up()
            home.population.restore(snapshot, [self._place])
        super()._from_plain(header, arrays)

    def __getstate__(self) -> dict[str, Any]:
        """Return all that a copy needs: the larva itself, not the population it lives in with others."""
        home = self._home
        state: dict[str, Any] = {**super().__getstate__(), "_home": None}
        if home is not None:
            with home.lock:
                home.catch_up()
                state["_snapshot"] = home.population.snapshot([self._place])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a copy, whose larva moves into a place of its own."""
        snapshot = state.pop("_snapshot", None)
        super().__setstate__(state)
        if snapshot is not None:
            home = self._settle()
            with home.lock:
                home.population.restore(snapshot, [self._place])

    def _probe(self, odors: Mapping[str, str], probe_ms: float) -> dict[str, tuple[float, float]]:
        home = self._settle()
        self._constants.steps("probe_ms", probe_ms)
        concentration = self._own.probe_concentration
        drives_hz = drives(
            self._constants, [stimulus(self._constants, {odor: concentration}) for odor in odors.values()]
        )
        with home.lock:
            home.catch_up()
            activity = home.population.probe(
                duration_ms=probe_ms, drive_hz=drives_hz, larvae=[self._place] * len(drives_hz)
            )
        rates = zip(activity.rate_hz("MBONp").tolist(), activity.rate_hz("MBONn").tolist(), strict=True)
        return dict(zip(odors, rates, strict=True))

    def _visit(self, request: Request) -> "_Visit":
        """Return a request in the terms of the population."""
        constants, odors = self._constants, self.measured_mixture(request.concentrations)
        constants.steps("dt", self.t_sim)
        if request.warmup_ms:
            constants.steps("t_warmup", request.warmup_ms)
        if request.probes:
            constants.steps("probe_ms", self._own.probe_ms)
        self._settle()
        probes = {
            name: stimulus(constants, {self.measured_odor(name): self._own.probe_concentration})
            for name in request.probes
        }
        return _Visit(
            self._place,
            self.t_sim,
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
        with _registry_lock:
            if self._home is None:
                sim_id, larva_id = (0 if i is None else i for i in (self._simulation(), self.larva_id))
                home = (
                    _home(sim_id, self._constants, self.engine) if self.shared else _Home(self._constants, self.engine)
                )
                self._place = home.take_in(larva_seed(int(self.seed), sim_id, larva_id))
                weakref.finalize(self, home.free.append, self._place)
                self._home = home  # Last, so that whoever sees a home finds the right place.
            return self._home


class _Home:
    """A population, and whose turn it is: larvae of one population may be stepped from several threads."""

    def __init__(self, constants: Parameters, engine: str) -> None:
        self.population = Population(constants, engine=engine)
        self.lock = threading.Lock()
        self.free: list[int] = []
        # By place: what a larva has yet to live through, in order. Of a place that is free it means nothing.
        self._put_off: dict[int, deque[_Visit]] = {}
        _homes.add(self)

    def take_in(self, seed: int) -> int:
        """Return the place of a newborn larva: one whose larva is gone, or a new one."""
        population = self.population
        with self.lock:
            if not self.free:
                return population.add([seed])[0]
            place = self.free.pop()
            self._put_off.pop(place, None)
            population.restore(Population(population.parameters, [seed]).snapshot(), [place])
            return place

    def live_through(self, visits: Sequence["_Visit"]) -> list[Answer]:
        """Advance some larvae by a step each, and ask them what they are to be asked: all of it or nothing.

        A step that nobody awaits is put off, and answered with nan.
        """
        if not any(visit.awaited for visit in visits):
            for visit in visits:
                self._put_off.setdefault(visit.place, deque()).append(visit)
            if len(self._put_off[visits[0].place]) >= _MOST_PUT_OFF:
                self.catch_up()
            return [_UNREAD] * len(visits)
        self.catch_up()
        places = [visit.place for visit in visits]
        if not any(visit.warmup_ms or visit.probes for visit in visits):
            return self._live_through(visits, places)
        before = self.population.snapshot(places)
        try:
            return self._live_through(visits, places)
        except BaseException:
            self.population.restore(before, places)
            raise

    def catch_up(self) -> None:
        """Let every larva live through what was put off, all of them together, a step each at a time."""
        for place in self.free:
            self._put_off.pop(place, None)
        while self._put_off:
            self._advance([steps[0] for steps in self._put_off.values()], list(self._put_off))
            for place in list(self._put_off):
                steps = self._put_off[place]
                steps.popleft()
                if not steps:
                    del self._put_off[place]

    def _advance(self, visits: Sequence["_Visit"], places: list[int]) -> Activity:
        population = self.population
        warmups_ms = [visit.warmup_ms for visit in visits]
        if any(warmups_ms):
            population.advance(warmups_ms, drive(population.parameters), larvae=places)
        drives_hz = drives(population.parameters, [visit.stimulus for visit in visits])
        durations_ms = {visit.duration_ms for visit in visits}
        duration_ms = durations_ms.pop() if len(durations_ms) == 1 else [visit.duration_ms for visit in visits]
        return population.advance(duration_ms, drives_hz, larvae=places)

    def _live_through(self, visits: Sequence["_Visit"], places: list[int]) -> list[Answer]:
        population = self.population
        activity = self._advance(visits, places)
        read: list[dict[str, float]] = [{} for _ in visits]
        asked = [(i, name) for i, visit in enumerate(visits) for name in visit.probes]
        if asked:
            probes = population.probe(
                duration_ms=[visits[i].probe_ms for i, _ in asked],
                drive_hz=drives(population.parameters, [visits[i].probes[name] for i, name in asked]),
                larvae=[places[i] for i, _ in asked],
            )
            for (i, name), difference_hz in zip(asked, _differences_hz(probes), strict=True):
                read[i][name] = difference_hz
        return [Answer(own, probed) for own, probed in zip(_differences_hz(activity), read, strict=True)]


class _Visit(NamedTuple):
    """What a larva at a place shall live through."""

    place: int
    duration_ms: float
    stimulus: Stimulus
    warmup_ms: float
    probe_ms: float
    probes: dict[str, Stimulus]
    awaited: bool


_UNREAD = Answer(math.nan)
"""The answer that is not looked at."""

_MOST_PUT_OFF = 256
"""Steps of a larva that are kept for later, 0.3 KB each."""


def _differences_hz(activity: Activity) -> list[float]:
    differences: list[float] = (activity.rate_hz("MBONp") - activity.rate_hz("MBONn")).tolist()
    return differences


_homes: "weakref.WeakSet[_Home]" = weakref.WeakSet()
_shared: "weakref.WeakValueDictionary[tuple[Any, ...], _Home]" = weakref.WeakValueDictionary()
_registry_lock = threading.RLock()


def _home(sim_id: str | int, constants: Parameters, engine: str) -> _Home:
    """Return the population that the larvae of a simulation share; it lives as long as one of their memories."""
    key = (type(sim_id), sim_id, engine, *constants.values().values())
    with _registry_lock:
        home = _shared.get(key)
        if home is None:
            home = _shared[key] = _Home(constants, engine)
        return home


def _take_fresh_locks() -> None:
    """In a forked child: another thread of the parent may hold the old ones."""
    global _registry_lock  # noqa: PLW0603  # there is one
    _registry_lock = threading.RLock()
    for home in _homes:
        home.lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_take_fresh_locks)
