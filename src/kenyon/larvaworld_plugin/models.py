"""What the host has stored: its experiments, and its models with a memory, tried out to see whether that works."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kenyon import checks
from kenyon.errors import InputError
from kenyon.larvaworld_plugin import experiment as experiments
from kenyon.larvaworld_plugin import host, inspection
from kenyon.larvaworld_plugin.plan import Plan
from kenyon.larvaworld_plugin.watching import Outcome
from kenyon.memory import MushroomBodyMemory, sensing
from kenyon.memory.mushroom_body import MBmemory
from kenyon.words import shown

_TWO_ODORS = "PItrain_mini"
"""Odors CS and UCS and food everywhere, on and off in turn, every 7.5 s."""

_ONE_ODOR = "single_odor_patch_x4"
"""One patch of food that smells of Odor. Larvae start upon it: of those that start beside it, as in the other stored
experiments with Odor and food, few have found food after 30 s, and without food a mushroom body learns nothing."""

_TOUCH = "multi_tactile_detection"
"""Eight pieces of food around larvae in a small dish, which they touch within seconds."""

_CHOICES = 5
"""How often a larva that learns by Q-learning chooses gains while it is tried out; stored models choose once a minute,
and learn for the first time at the second choice."""

_NO_TOUCH_SENSOR = "its toucher has no touch sensor (touch_sensors is empty), so there is nothing that it could sense"


class MemoryModel(NamedTuple):
    """A stored model with a memory.

    Attributes:
        name: Its name in the host.
        mode: How its memory learns, "RL" or "MB".
        modality: The sense whose gains that adapts, "olfaction" or "touch".
        stimuli: What it is made for: the odors that its sensor has a gain for, or its touch sensors.
        feeder: Whether it can eat. The host looks for food only for larvae that can, or that have a toucher; Kenyon's
            memories look for the others (their option `seeks_food`).
        blind: Whether its sensor is of the kind `brute_force`, which reports no change; Kenyon's memories then form it.
        experiment: A stored experiment that suits it.
        hindrance: Why its memory cannot work, whichever it is; empty where nothing is in its way.
    """

    name: str
    mode: str
    modality: str
    stimuli: tuple[str, ...]
    feeder: bool
    blind: bool
    experiment: str
    hindrance: str


class StoredExperiment(NamedTuple):
    """A stored experiment.

    Attributes:
        name: Its name in the host.
        minutes: How long it is.
        odors: The odors of its arena.
        food: Where there is food at the start: "everywhere", "in places", or "nowhere".
    """

    name: str
    minutes: float
    odors: tuple[str, ...]
    food: str


class TryOut(NamedTuple):
    """How a stored model did when it was tried out.

    Attributes:
        name: Its name in the host.
        experiment: Where.
        seconds: For how long, in the time of the larvae.
        built: Whether its larvae were built, with a memory of Kenyon's.
        memory: The class of that; None where there is none.
        saw_change: Whether the memory of a larva met a stimulus whose strength changed.
        changed: Whether what the memory of a larva knows has changed: for Q-learning a table that is no longer all
            zeros, for a mushroom body weights from Kenyon cells that differ from a newborn's.
        on_food: Whether a larva was on food at any time.
        reason: Why it did not work; empty where it did.

    Example:
        >>> TryOut("forager_MB", "PItrain_mini", 30.0, True, "MushroomBodyMemory", True, True, True, "").works
        True
    """

    name: str
    experiment: str
    seconds: float
    built: bool
    memory: str | None
    saw_change: bool
    changed: bool
    on_food: bool
    reason: str

    @property
    def works(self) -> bool:
        """Whether its memory saw something change, and changed itself."""
        return self.built and self.saw_change and self.changed and not self.reason


def stored_experiments() -> list[StoredExperiment]:
    """Return every stored experiment of the host, by name.

    Raises:
        MissingDependencyError, MismatchError: Larvaworld is missing or of another version.
    """
    host.require()
    found = []
    for name in host.names("Exp"):
        stored = host.stored("Exp", name)
        given = stored.env_params.food_params
        sources = [*given.source_units.values(), *given.source_groups.values()]
        odors = tuple(sorted({source.odor.id for source in sources if source.odor.id}))
        in_places = any(source.amount > 0.0 for source in sources)
        food = "everywhere" if given.food_grid is not None else "in places" if in_places else "nowhere"
        found.append(StoredExperiment(name, float(stored.duration), odors, food))
    return found


def memory_models() -> list[MemoryModel]:
    """Return every stored model of the host that has a memory, by name.

    Raises:
        MissingDependencyError, MismatchError: Larvaworld is missing or of another version.
    """
    host.require()
    found = ((name, host.stored("Model", name).brain) for name in host.names("Model"))
    return [_described(name, brain) for name, brain in found if brain.memory is not None]


def memory_model(name: str) -> MemoryModel:
    """Return one stored model of the host that has a memory.

    Raises:
        MissingDependencyError, MismatchError: Larvaworld is missing or of another version.
        InputError: there is no model of that name, or it has no memory.
    """
    host.require()
    brain = host.stored("Model", name).brain
    if brain.memory is None:
        raise InputError(
            f"model must be one with a memory, got {shown(name)}; memory_models() lists those that have one"
        )
    return _described(name, brain)


def try_out(
    name: str, seconds: float = 30.0, *, experiment: str | None = None, larvae: int = 5, seed: int = 0
) -> TryOut:
    """Run a stored model with a memory of Kenyon's, and say whether that memory works.

    Q-learning chooses new gains five times in that time, instead of once a minute; nothing else of a model is changed.

    Args:
        name: Name of a stored model with a memory.
        seconds: How long, in the time of the larvae.
        experiment: Name of a stored experiment; the one that suits the model if absent.
        larvae: How many; the memory of one of them must work. Some leave a patch of food within a tick or two, which is
            too short for a mushroom body to learn.
        seed: The same seed gives the same run.

    Returns:
        How it did. What the host raises is no error here but a reason.

    Raises:
        MissingDependencyError, MismatchError: Larvaworld is missing or of another version.
        InputError: name or experiment is unknown, the model has no memory, or a number is out of range.

    Randomness:
        As for `experiment.run`.
    """
    model = memory_model(name)
    place = model.experiment if experiment is None else experiment
    host.stored("Exp", place)  # refuses
    seconds = checks.number("seconds", seconds, low=1.0, high=1e5, unit="s")
    larvae = checks.integer("larvae", larvae, low=1, high=100_000)
    seed = checks.integer("seed", seed, low=0, high=2**63 - 1)
    # A memory for touch chooses at every contact gained or lost.
    options = {"update_dt": seconds / 60 / _CHOICES} if (model.mode, model.modality) == ("RL", "olfaction") else {}
    watch = _Watch(model.modality)
    plan = Plan(place, name, larvae, seconds / 60, seed, options, every_s=0.1, script=watch.begin)
    changed = on_food = False
    reason = ""
    try:
        outcome = experiments.carry_out(plan, show_progress=False)
    except Exception as failure:  # noqa: BLE001  # whatever the host raises is what is to be found out
        when = f"stopped after {watch.elapsed_s:g} s" if watch.memories else "could not be built"
        reason = f"{when}: {type(failure).__name__}: {failure}"
    else:
        changed, on_food = _has_changed(outcome), bool(outcome.dataset.on_food.any())
        lacking = [words for words, done in (("nothing it senses changed", watch.saw_change),
                                             ("its memory did not change", changed)) if not done]  # fmt: skip
        reason = " and ".join(lacking)
    return TryOut(
        name,
        place,
        seconds,
        built=bool(watch.memories),
        memory=type(watch.memories[0]).__name__ if watch.memories else None,
        saw_change=watch.saw_change,
        changed=changed,
        on_food=on_food,
        reason=reason and (model.hindrance or reason),
    )


def _described(name: str, brain: Any) -> MemoryModel:
    mode, modality = brain.memory.mode, brain.memory.modality
    hindrance = ""
    if modality == "touch":
        sensor, place = brain.toucher, _TOUCH
        stimuli = tuple(f"touch_sensor_{number}" for number in sensor.touch_sensors)
        if not stimuli:
            hindrance = _NO_TOUCH_SENSOR
    else:
        sensor = brain.olfactor
        stimuli = tuple(sensor.gain_dict or ())
        place = _ONE_ODOR if stimuli == ("Odor",) else _TWO_ODORS
    if brain.get("nengo"):
        hindrance = inspection.NENGO
    return MemoryModel(
        name, mode, modality, stimuli, brain.feeder is not None, bool(sensor.brute_force), place, hindrance
    )


class _Watch:
    """Sees what the memories of a run are given.

    Args:
        modality: Their sense.
    """

    def __init__(self, modality: str) -> None:
        self._modality = modality
        self._levels_before: list[dict[str, float]] = []
        self.memories: list[Any] = []
        self.elapsed_s = 0.0
        self.saw_change = False

    def begin(self, run: Any) -> Callable[[], None]:
        """Take in the larvae of a run; return what looks at them after each tick."""
        self.memories = inspection.memories(run)
        self._levels_before = [self._levels(memory) for memory in self.memories]

        def look() -> None:
            self.elapsed_s = round(run.t * run.dt, 3)
            self._look()

        return look

    def _look(self) -> None:
        now = [self._levels(memory) for memory in self.memories]
        for levels, before in zip(now, self._levels_before, strict=True):
            # One that is new has been met, but has not changed.
            self.saw_change |= any(level != before.get(stimulus, level) for stimulus, level in levels.items())
        self._levels_before = now

    def _levels(self, memory: Any) -> dict[str, float]:
        """Return what a memory senses of the stimuli that it learns about, by its own way of asking."""
        sensed = sensing.levels(memory.brain, self._modality) or {}
        known = memory.stimuli
        return {stimulus: level for stimulus, level in sensed.items() if stimulus in known}


def _has_changed(outcome: Outcome) -> bool:
    """Return whether a memory knows something that a naive one does not."""
    first = outcome.memories[0]
    if isinstance(first, MushroomBodyMemory):
        return any(_weights_changed(memory) for memory in outcome.memories)
    if isinstance(first, MBmemory):  # Its weights are on a server; the output neurons of a naive larva do not differ.
        return bool((outcome.dataset.learned != 0.0).any())
    return any(bool(np.any(memory.q_table != 0.0)) for memory in outcome.memories)


def _weights_changed(memory: MushroomBodyMemory) -> bool:
    population, place = memory.population, memory.place
    state, newborn_nS = population.state, population.parameters.kc_mbon_nS
    return bool((state.w_kc_mbonp_nS[place] != newborn_nS).any() or (state.w_kc_mbonn_nS[place] != newborn_nS).any())
