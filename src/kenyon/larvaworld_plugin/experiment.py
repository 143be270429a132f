"""One experiment of the host with memories of ours: run, watched, and kept as a dataset that says how it was made."""

import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kenyon import checks
from kenyon.claims import claimed
from kenyon.errors import InputError, MismatchError
from kenyon.larvaworld_plugin import host, inspection, registration
from kenyon.larvaworld_plugin.memories import options_of
from kenyon.memory import RLmemory, RLOlfMemory, checkpoint, sensing
from kenyon.memory.mushroom_body import MBmemory
from kenyon.progress import progress
from kenyon.provenance import versions
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

FORMAT = "kenyon larvaworld run"
FORMAT_VERSION = 1

_ASKED_MS = 3000.0
"""How long larvae with a mushroom body are asked, in the end, what they have learned."""

_SIGN_EVERY = 10
"""Ticks between two signs of progress."""


class Outcome(NamedTuple):
    """What a run gave.

    Attributes:
        dataset: What was measured; see `run`.
        memories: The memory of each larva as it is now, in the order of the dataset.
        host: The host's own run.
    """

    dataset: "xarray.Dataset"
    memories: list[Any]
    host: Any


class Plan(NamedTuple):
    """What a run is to be.

    Attributes:
        experiment: Name of a stored experiment of the host.
        model: Name of a stored model.
        larvae: How many.
        minutes: How long; None for as long as the experiment is.
        seed: Of the host's chance and of the memories'.
        memory: Options of the memory, which go before the model's.
        memories: File of memories to begin with; None for naive larvae.
        every_s: Time between two samples, s.
        script: Called with the run before its first tick; may return what is called after each.
    """

    experiment: str
    model: str
    larvae: int
    minutes: float | None = None
    seed: int = 0
    memory: Mapping[str, Any] = {}  # never changed
    memories: Path | None = None
    every_s: float = 1.0
    script: Callable[[Any], Callable[[], None] | None] | None = None


def run(
    experiment: str = "PItrain",
    *,
    model: str = "forager_MB",
    larvae: int = 30,
    minutes: float | None = None,
    seed: int = 0,
    memory: Mapping[str, Any] | None = None,
    memories: str | Path | None = None,
    every_s: float = 1.0,
    show_progress: bool = True,
) -> Outcome:
    """Run one of Larvaworld's experiments with larvae that have one of Kenyon's memories.

    Registers Kenyon's memories for the time of the run, unless they are registered already.

    Args:
        experiment: Name of one of the host's stored experiments.
        model: Name of one of its stored models, with a memory.
        larvae: How many.
        minutes: How long; as long as the experiment is, if absent.
        seed: The same seed gives the same run, in any process.
        memory: Options of the memory, such as {"frozen": True}; they go before those of the model.
        memories: A file that `save_memories`, `checkpoint.save` or `kenyon larvaworld run` wrote: larva i begins with
            what the i-th memory there has learned.
        every_s: Time between two samples, s.
        show_progress: Show a progress bar on standard error.

    Returns:
        The dataset, the memories and the host's run. In the dataset, with dimensions larva, time (s) and stimulus: the
        gain of each stimulus; x and y, m; on_food, whether the larva was on food; preference_index over time, the
        host's own, (left - right) / all; and learned, what was learned in the end: for a mushroom body the preference
        index of its output neurons by a probe of 3 s, for Q-learning the best gain, nan where nothing was credited yet.
        Its attributes carry seed, options, the file of memories it began with, and versions.

    Raises:
        MissingDependencyError, MismatchError: Larvaworld is missing or of another version, or the memories of the file
            are of another model, of other odors, or not as many.
        InputError: experiment, model or an option is unknown or out of range, or the model has no memory.

    Randomness:
        The host's global generators, seeded for the time of the run, and every larva's own stream.
    """
    path = None if memories is None else Path(memories)
    plan = Plan(experiment, model, larvae, minutes, seed, dict(memory or {}), path, every_s)
    return carry_out(plan, show_progress=show_progress)


def carry_out(plan: Plan, *, show_progress: bool = True) -> Outcome:
    """Carry out a plan; see `run`."""
    larvae, seed = plan.larvae, plan.seed
    with ExitStack() as stack:
        if registration.registered() is None:
            stack.enter_context(registration.register())
        model, minutes = checked(plan)
        stack.enter_context(host.untouched("Exp", plan.experiment))
        folder = stack.enter_context(claimed(tempfile.gettempdir()))
        stack.enter_context(host.quiet())
        stack.enter_context(host.repeatable(seed))
        begun = _observed_run()(
            experiment=plan.experiment,
            modelIDs=[plan.model],
            N=larvae,
            duration=minutes,
            screen_kws={"vis_mode": None},
            store_data=False,
            id=f"{plan.experiment}-{plan.model}-{seed}",
            dir=f"{folder}/run",
            **({"_record_manifest": False} if host.seeds_itself() else {}),  # The dataset says how it was made.
        )
        begun.p.enrichment = None  # An analysis of the tracks, which takes longer than the run.
        begun.p.larva_groups[plan.model].model = model
        every = max(1, round(plan.every_s / begun.dt))
        ticks = round(minutes * 60 / begun.dt)
        if ticks < 1:
            raise InputError(f"minutes must be at least a tick of Larvaworld, {begun.dt:g} s, got {minutes:g} min")
        done = stack.enter_context(progress(f"{plan.experiment}, {larvae} {plan.model}", ticks, show=show_progress))
        begun.observer = observer = _Observer(plan, every, done)
        begun.simulate(**({"seed": seed} if host.seeds_itself() else {}))
        return Outcome(observer.dataset(begun, minutes), observer.memories, begun)


def checked(plan: Plan) -> tuple[Any, float]:
    """Return the configuration of a plan's larvae, and how many minutes it takes, if it can be carried out.

    Raises:
        MismatchError, InputError: it cannot; see `run`.
    """
    larvae = checks.integer("larvae", plan.larvae, low=1, high=100_000)
    checks.integer("seed", plan.seed, low=0, high=2**63 - 1)
    checks.number("every_s", plan.every_s, low=0.1, high=3600.0, unit="s")
    if plan.minutes is not None and checks.number("minutes", plan.minutes, low=0.0, high=1e5, unit="min") == 0.0:
        raise InputError("minutes must be above 0, got 0")
    stored = host.stored("Exp", plan.experiment)
    model = _model(plan)
    if plan.memories is not None:
        _refuse_foreign(plan.memories, plan.model, larvae)
    return model, float(stored.duration if plan.minutes is None else plan.minutes)


def save_memories(path: str | Path, outcome: Outcome, *, overwrite: bool = False) -> Path:
    """Write what the larvae of a run have learned to a file, for the `memories` of another run.

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    # By these, memories of another model or of other odors are told apart.
    about = {name: outcome.dataset.attrs[name] for name in ("experiment", "model")}
    about["odors"] = _odors(outcome.memories)
    return checkpoint.save(path, outcome.memories, about=about, overwrite=overwrite)


def _refuse_foreign(path: Path, model: str, larvae: int) -> None:
    """Refuse a file of memories of another model, or of more or fewer larvae, before anything is run.

    Raises:
        MismatchError: it is one.
        FileFormatError: it holds no memories.
        InputError: there is no such file.
    """
    if not path.is_file():
        raise InputError(f"memories must be a file that is there, got {path}; a run writes one (memories.npz)")
    said = checkpoint.about(path)
    if said.get("model", model) != model:
        raise MismatchError(
            f"the memories of {path} must be of larvae of the model {model}, got those of {said['model']}; "
            f"run with that model"
        )
    kept = len(checkpoint.names(path))
    if kept != larvae:
        raise MismatchError(
            f"the memories of {path} must be of as many larvae as are run, {larvae}, but are of {kept}; run {kept}"
        )


def _model(plan: Plan) -> Any:
    """Return the configuration of a plan's larvae."""
    model = host.stored("Model", plan.model)
    if model.brain.memory is None:
        raise InputError(
            f"model must be one with a memory, got {shown(plan.model)}; `kenyon larvaworld models` lists "
            "those that have one"
        )
    if model.brain.get("nengo"):
        raise InputError(
            f"model must be one that Kenyon's memories can serve, got {shown(plan.model)}: {inspection.NENGO}"
        )
    mode, modality = model.brain.memory.mode, model.brain.memory.modality
    kind = host.memory_table()[0][mode][modality]
    options = {"seed": plan.seed, **plan.memory}
    known = options_of(kind, options)
    kind(**{**{name: value for name, value in model.brain.memory.items() if name in known}, **options})  # refuses
    model.brain.memory.update(options)
    return model


@cache
def _observed_run() -> Any:
    """Return the host's class of single runs, watched."""
    from larvaworld.lib.sim import ExpRun

    class ObservedRun(ExpRun):  # type: ignore[misc]  # untyped
        observer: Any = None

        def setup(self) -> None:
            """Build the larvae, and look at them before the first tick."""
            super().setup()
            self.observer.begin(self)

        def sim_step(self) -> None:
            """Do one tick, and look at what it did."""
            super().sim_step()
            self.observer.look(self)

    return ObservedRun


class _Observer:
    """Sees a run from its first tick to its last.

    Args:
        plan: What it is to be.
        every: Ticks between two samples.
        done: Called with how many ticks more have been done.
    """

    def __init__(self, plan: Plan, every: int, done: Callable[[float], None]) -> None:
        self._plan, self._every, self._done = plan, every, done
        self._after_tick: Callable[[], None] | None = None
        self._samples: list[tuple[float, list[tuple[float, float, bool, dict[str, float]]]]] = []
        self.memories: list[Any] = []

    def begin(self, run: Any) -> None:
        """Look at larvae that have just been built, and give them what they are to begin with."""
        inspection.check(run, require=True)
        self.memories = inspection.memories(run)
        if self._plan.memories is not None:
            checkpoint.restore(self._plan.memories, self.memories)
            _refuse_other_odors(self._plan.memories, self.memories)
            for memory in self.memories:
                if isinstance(memory, RLOlfMemory):
                    memory.iterator = memory.Niters  # It follows what it knows from the first tick on.
        if self._plan.script is not None:
            self._after_tick = self._plan.script(run)

    def look(self, run: Any) -> None:
        """Take a sample, if it is time."""
        if self._after_tick is not None:
            self._after_tick()
        if run.t % self._every == 0 or not run.running:
            sampled = zip(run.agents, self.memories, strict=True)
            self._samples.append((run.t * run.dt, [_sample(agent, memory) for agent, memory in sampled]))
        if run.t % _SIGN_EVERY == 0:
            self._done(_SIGN_EVERY)

    def dataset(self, run: Any, minutes: float) -> "xarray.Dataset":
        """Return what was seen."""
        import xarray
        from larvaworld.lib import util

        times, samples = zip(*self._samples, strict=True)
        stimuli = list(dict.fromkeys(stimulus for own in samples[-1] for stimulus in own[3]))
        gain = np.array([[[own[3].get(name, np.nan) for name in stimuli] for own in rows] for rows in samples])
        x, y, on_food = (np.array([[own[i] for own in rows] for rows in samples]).T for i in range(3))
        width_m = run.space.dims[0]
        index = [float(util.comp_PI(arena_xdim=width_m, xs=column)) for column in x.T]
        kind = self.memories[0]
        options = {name: value for name, value in kind.param.values().items() if name not in ("name", "token")}
        return xarray.Dataset(
            {
                "gain": (("larva", "time", "stimulus"), gain.transpose(1, 0, 2)),
                "x": (("larva", "time"), x, {"units": "m"}),
                "y": (("larva", "time"), y, {"units": "m"}),
                "on_food": (("larva", "time"), on_food.astype(bool)),
                "preference_index": (
                    "time",
                    index,
                    {"long_name": "(larvae in the left part - in the right part) / all, Larvaworld's own"},
                ),
                "learned": (("larva", "stimulus"), _learned(self.memories, stimuli), {"long_name": _meaning(kind)}),
            },
            coords={
                "larva": [str(agent.unique_id) for agent in run.agents],
                "time": ("time", np.array(times), {"units": "s"}),
                "stimulus": stimuli,
            },
            attrs={
                "format": FORMAT,
                "format_version": FORMAT_VERSION,
                "experiment": self._plan.experiment,
                "model": self._plan.model,
                "seed": str(self._plan.seed),
                "minutes": minutes,
                "memories": "" if self._plan.memories is None else str(self._plan.memories),
                "memory": type(kind).__name__,
                "options": json.dumps(options, default=str),
                "odors": json.dumps(_odors(self.memories)),
                "versions": json.dumps({**versions(), "larvaworld": host.version()}),
            },
        )


def _sample(agent: Any, memory: Any) -> tuple[float, float, bool, dict[str, float]]:
    x, y = agent.pos
    found = agent.on_food or (not sensing.host_seeks_food(agent.brain) and sensing.touches_food(agent.brain))
    return float(x), float(y), bool(found), {name: memory.gain.get(name, 0.0) for name in memory.stimuli}


def _learned(memories: list[Any], stimuli: list[str]) -> Any:
    """Return what each memory has learned of each stimulus, [B, O]; nan where it knows nothing of it."""
    rows = []
    for memory in memories:
        if isinstance(memory, MBmemory):
            asked = memory.probe(stimuli, _ASKED_MS)
            known = {name: answer["preference_index"] for name, answer in asked.items()}
        elif isinstance(memory, RLmemory):
            known = memory.best_gain if memory.q_table.any() else {}  # Of equals the best would be the first.
        else:
            known = memory.gain
        rows.append([known.get(name, np.nan) for name in stimuli])
    return np.array(rows, dtype=float).reshape(len(memories), len(stimuli))


def _meaning(memory: Any) -> str:
    if isinstance(memory, MBmemory):
        return "preference index of the output neurons, (MBONp - MBONn) / (MBONp + MBONn), asked in the end"
    return "best gain on average over states"


def _odors(memories: list[Any]) -> dict[str, str]:
    """Return the measured odor that each stimulus stands for; empty for memories without a mushroom body."""
    first = memories[0]
    if not isinstance(first, MBmemory):
        return {}
    return {stimulus: first.measured_odor(stimulus) for stimulus in first.stimuli}


def _refuse_other_odors(path: Path, memories: list[Any]) -> None:
    """Refuse memories that have learned about nothing that is here, or about another odor of the same name."""
    learned, here = checkpoint.about(path).get("odors", {}), _odors(memories)
    for stimulus, odor in here.items():
        if learned.get(stimulus, odor) != odor:
            raise MismatchError(
                f"{stimulus} must stand for what the memories of {path} learned, {learned[stimulus]}, got {odor}; "
                f"run with memory={{'odors': {{{shown(stimulus)}: {shown(learned[stimulus])}}}}} (--odor '{stimulus}="
                f"{learned[stimulus]}')"
            )
    tables = {name for memory in memories if isinstance(memory, RLmemory) for name in memory.best_gain}
    known, world = set(learned) or tables, set(memories[0].stimuli)
    if known and world and not known & world:  # A file need not say what a mushroom body has smelled.
        raise MismatchError(
            f"the memories of {path} must know a stimulus of this experiment, {', '.join(sorted(world))}, got "
            f"{', '.join(sorted(known)) or 'none'}; run an experiment with the same odors"
        )
