"""One experiment of the host with memories of ours, run."""

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kenyon.errors import InputError
from kenyon.larvaworld_plugin import host, inspection, memory_files, registration
from kenyon.larvaworld_plugin.beginning import Beginning
from kenyon.larvaworld_plugin.memories import options_of
from kenyon.larvaworld_plugin.observation import Observer
from kenyon.larvaworld_plugin.plan import Plan
from kenyon.memory import checkpoint
from kenyon.progress import progress
from kenyon.reservations import reserved
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray


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
            what the i-th memory there has learned; as it was registered if absent.
        every_s: Time between two samples, s.
        show_progress: Show a progress bar on standard error.

    Returns:
        The dataset, the memories and the host's run. In the dataset, with dimensions larva, time (s) and stimulus: the
        gain of each stimulus; x and y, m; heading, rad; on_food, whether the larva was on food; preference_index over
        time, the host's own, (left - right) / all, which says something where an odor is on one side alone
        (`stimulus_side`); and learned, what was learned in the end: for a mushroom body the preference index of its
        output neurons by a probe of 3 s, for Q-learning the best gain, nan where nothing was credited yet; learned_is
        says which. Its coordinates say all that made it, in every result the same ones: run_id, experiment, model,
        larvae, minutes, every_s, seed, memories (the file it began with) and what that held, memory (the class), each
        option as memory.NAME, such as memory.G, odors, larvaworld and versions. So results can be joined; see
        `kenyon.conditioning.origin`. Beside them stand arena_shape, arena_width_m, arena_height_m, and sources: what
        could be smelled or eaten, where, and from when to when, as JSON (`arena.SourceLog`).

    Raises:
        MissingDependencyError, MismatchError: Larvaworld is missing or of another version, or the memories of the file
            are of another model, of other odors, or not as many.
        InputError: experiment, model or an option is unknown or out of range, or the model has no memory.

    Randomness:
        The host's global generators, seeded for the time of the run, and every larva's own stream.
    """
    own = {} if memory is None else memory
    plan = Plan(experiment, model, larvae, minutes, seed, own, memories, every_s)  # type: ignore[arg-type]  # it looks
    return carry_out(plan, show_progress=show_progress)


def carry_out(plan: Plan, *, show_progress: bool = True) -> Outcome:
    """Carry out a plan; see `run`."""
    larvae, seed = plan.larvae, plan.seed
    with ExitStack() as stack:
        if registration.registered() is None:
            stack.enter_context(registration.register())
        model, minutes = checked(plan)
        begins_with = _begins_with(plan)
        contents = [host.contents("Exp", plan.experiment), host.contents("Model", plan.model)]
        stack.enter_context(host.untouched("Exp", plan.experiment))
        folder = stack.enter_context(reserved(tempfile.gettempdir()))
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
        begun.begins_with = begins_with
        begun.observer = observer = Observer(plan, every, done, contents)
        begun.simulate(**({"seed": seed} if host.seeds_itself() else {}))
        return Outcome(observer.dataset(begun, minutes), observer.memories, begun)


def checked(plan: Plan) -> tuple[Any, float]:
    """Return the configuration of a plan's larvae, and how many minutes it takes, if it can be carried out.

    Raises:
        MismatchError, InputError: it cannot; see `run`.
    """
    stored = host.stored("Exp", plan.experiment)
    model = _model(plan)
    if plan.memories is not None:
        memory_files.refuse_foreign(plan.memories, [plan.model] * plan.larvae)
    return model, float(stored.duration if plan.minutes is None else plan.minutes)


def save_memories(path: str | Path, outcome: Outcome, *, overwrite: bool = False) -> Path:
    """Write what the larvae of a run have learned to a file, for the `memories` of another run.

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    model = outcome.dataset.model.item()
    about = memory_files.about(outcome.host, {model: model})
    return checkpoint.save(path, outcome.memories, about=about, overwrite=overwrite)


def _begins_with(plan: Plan) -> Beginning:
    """Return what the larvae of a plan begin with: what it says goes before what was registered."""
    usual = registration.registered()
    begins_with = Beginning() if usual is None else usual.begins_with
    return replace(begins_with, memories=begins_with.memories if plan.memories is None else plan.memories, require=True)


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
