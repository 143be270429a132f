"""One experiment of the host with memories of ours, run."""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from kenyon import checks
from kenyon.larvaworld_plugin import host, memory_files, registration
from kenyon.larvaworld_plugin.attaching import attach, larvae_of
from kenyon.larvaworld_plugin.building import built, checked
from kenyon.larvaworld_plugin.events import Event, Listener, RunBegan, TickLived
from kenyon.larvaworld_plugin.plan import Configuration, Model, Plan
from kenyon.larvaworld_plugin.watching import Outcome, Watch
from kenyon.memory import checkpoint
from kenyon.progress import progress
from kenyon.reservations import reserved

_SIGN_EVERY = 10
"""Ticks between two signs of progress."""


def run(
    experiment: str | Configuration = "PItrain",
    *,
    model: Model | Mapping[str, Model | tuple[Model, int]] = "forager_MB",
    larvae: int = 30,
    minutes: float | None = None,
    seed: int = 0,
    memory: Mapping[str, Any] | None = None,
    memories: str | Path | Mapping[str, str | Path] | None = None,
    every_s: float = 1.0,
    listeners: Sequence[Listener] = (),
    show_progress: bool = True,
) -> Outcome:
    """Run one of Larvaworld's experiments with larvae that have one of Kenyon's memories.

    Registers Kenyon's memories for the time of the run, unless they are registered already. An experiment or a model
    may be given by value, such as one of Larvaworld's with something changed; what is given stays as it is.

    Args:
        experiment: Name of one of the host's stored experiments, or an experiment by value.
        model: Name of one of its stored models, with a memory, or a model by value. Or several groups of larvae: for
            each, by a name of its own, a model, or a model and how many larvae, as in {"RL": "forager_RL", "MB":
            ("forager_MB", 5)}; larvae of one of them must have a memory.
        larvae: How many; of several groups, in each for which no number is given.
        minutes: How long; as long as the experiment is, if absent.
        seed: The same seed gives the same run, in any process.
        memory: Options of the memory, such as {"frozen": True}; they go before those of the model. Of several groups
            options of all, or, by its name, those of each.
        memories: A file that `save_memories`, `checkpoint.save` or `kenyon larvaworld run` wrote: larva i begins with
            what the i-th memory there has learned; or one for each of some groups. As it was registered if absent.
        every_s: Time between two samples, s.
        listeners: Functions that are told of every event; see `kenyon.larvaworld_plugin.events`.
        show_progress: Show a progress bar on standard error.

    Returns:
        The dataset, the memories and the host's run. In the dataset, with dimensions larva, time (s) and stimulus: the
        gain of each stimulus, nan for larvae without a memory of it; x and y, m; heading, rad; on_food, whether the
        larva was on food; preference_index over time, the host's own, (left - right) / all, which says something where
        an odor is on one side alone (`stimulus_side`); and learned, what was learned in the end: for a mushroom body
        the preference index of its output neurons by a probe of 3 s, for Q-learning the best gain, nan where nothing
        was credited yet; learned_is says which. `group` is the group of each larva, and `step` the Step of each sample
        in the host's own table. Its coordinates say all that made it, in every result the same ones: run_id,
        experiment, model, larvae, minutes, every_s, seed, complete (whether it came to its own end), memories (the file
        it began with) and what that held, memory (the class), each option as memory.NAME, such as memory.G, odors,
        larvaworld and versions. What larvae of several groups differ in is along them. So results can be joined; see
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
    return carry_out(plan, listeners=listeners, show_progress=show_progress)


def carry_out(plan: Plan, *, listeners: Sequence[Listener] = (), show_progress: bool = True) -> Outcome:
    """Carry out a plan; see `run`."""
    heard = [_aloud(listener) for listener in checks.listeners(listeners)]
    with ExitStack() as stack:
        if registration.registered() is None:
            stack.enter_context(registration.register())
        ready = checked(plan)
        folder = stack.enter_context(reserved(tempfile.gettempdir()))
        stack.enter_context(host.quiet())
        stack.enter_context(host.repeatable(plan.seed))
        begun = built(plan, ready, folder)
        done = stack.enter_context(progress(plan.title, round(ready.minutes * 60 / begun.dt), show=show_progress))
        script = [] if plan.script is None else [_following(plan.script)]
        seen = Watch(begun, plan.every_s, None if plan.script is None else _named(plan.script))
        stored = {group.name: group.model for group in plan.groups if isinstance(group.model, str)}
        attach(begun, [*script, seen.hear, _signs(done), *heard], models=stored)
        begun.simulate(**({"seed": plan.seed} if host.seeds_itself() else {}))
        return seen.outcome()


def save_memories(path: str | Path, of: Any, *, overwrite: bool = False) -> Path:
    """Write what the larvae of a run have learned to a file, for the `memories` of another run.

    Args:
        path: Where to.
        of: A run: its outcome, its watch, or a run of the host itself whose larvae are there, watched or not. Of a
            genetic algorithm, its last generation.
        overwrite: Replace a file that is there.

    Returns:
        The path.

    Raises:
        InputError: this is no run, no larva has a memory of Kenyon's, or the file exists and `overwrite` is False.
        MismatchError: there are no larvae yet.
    """
    experiment, larvae = _larvae_of(of)
    learners = [
        (group, model if model in host.names("Model") else None, own) for group, model, own in larvae if own is not None
    ]
    about = memory_files.about(experiment, learners)
    return checkpoint.save(path, [memory for _, _, memory in learners], about=about, overwrite=overwrite)


def _larvae_of(of: Any) -> tuple[str, list[tuple[str, str, Any]]]:
    """Return the experiment of a run, and the group, the model and the memory of each of its larvae."""
    if isinstance(of, Outcome):
        groups, models = of.dataset.group.values, of.dataset.model.values
        named = zip(groups.tolist(), np.broadcast_to(models, groups.shape).tolist(), of.memories, strict=True)
        return str(of.dataset.experiment.item()), list(named)
    began = of.began if isinstance(of, Watch) else larvae_of(of)
    return began.experiment, list(zip(began.groups, began.models, began.memories, strict=True))


def _following(script: Callable[[Any], Callable[[], None] | None]) -> Listener:
    """Return a listener that lets a script do what it does before the first tick, and after each."""
    after_tick: Callable[[], None] | None = None

    def follow(event: Event) -> None:
        nonlocal after_tick
        if isinstance(event, RunBegan):
            after_tick = script(event.run)
        elif isinstance(event, TickLived) and after_tick is not None:
            after_tick()

    return follow


def _named(script: Callable[[Any], Any]) -> str:
    return str(getattr(script, "__qualname__", type(script).__name__))


def _signs(done: Callable[[float], None]) -> Listener:
    """Return a listener that says now and then how many ticks more have been done."""

    def sign(event: Event) -> None:
        if isinstance(event, TickLived) and event.tick % _SIGN_EVERY == 0:
            done(_SIGN_EVERY)

    return sign


def _aloud(listener: Listener) -> Listener:
    """Return a listener that may print, while the host may not."""
    out = sys.stdout

    def tell(event: Event) -> None:
        with redirect_stdout(out):
            listener(event)

    return tell
