"""How a run of the host comes to tell what happens in it: methods of that one object are wrapped, no class is changed.

Law of this room: a wrapped method does what it did, with the same arguments, and nothing is drawn or changed beside it.
"""

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from types import MappingProxyType
from typing import Any

from kenyon.errors import InputError, MismatchError
from kenyon.larvaworld_plugin import host, inspection, registration
from kenyon.larvaworld_plugin.events import Event, Listener, RunBegan, RunEnded, TickLived
from kenyon.memory.base import Memory
from kenyon.words import shown

_attached: "weakref.WeakSet[Any]" = weakref.WeakSet()
_NONE: Mapping[str, str] = MappingProxyType({})


def attach(run: Any, listeners: Sequence[Listener], *, models: Mapping[str, str] = _NONE) -> None:
    """Let a run tell listeners what happens in it, one after the other, from when its larvae are there.

    Args:
        run: A run of the host, `ExpRun` or `GAlauncher`, that has not begun.
        listeners: Each is called with every event.
        models: What the model of a group is called, by the group's name, where the run has it by value.

    Raises:
        MissingDependencyError, MismatchError: Larvaworld is missing or of another version; or the run has begun or
            ended, or is watched already.
        InputError: it is no such run.
    """
    if registration.registered() is None:
        host.require()
    _refuse(run)
    _attached.add(run)
    telling = _Telling(run, listeners, models)
    if _evolves(run):
        telling.of_generations()
    else:
        telling.of_single_run()


def can_attach(run: Any) -> bool:
    """Return whether a run can tell listeners: one that builds larvae with brains, has not begun, and tells nobody."""
    return _builds_larvae(run) and run not in _attached and not _has_begun(run)


def _builds_larvae(run: Any) -> bool:
    from larvaworld.lib.sim import ExpRun

    return isinstance(run, ExpRun) or _evolves(run)


def _has_begun(run: Any) -> bool:
    return bool(run.running or run._partly_run)  # noqa: SLF001  # the host says it nowhere else


def _evolves(run: Any) -> bool:
    from larvaworld.lib.sim import GAlauncher

    return isinstance(run, GAlauncher)


def _refuse_others(run: Any) -> None:
    if not _builds_larvae(run):
        raise InputError(
            f"run must be one of Larvaworld's, ExpRun or GAlauncher, got {shown(run)}; runs that a BatchRun or an Exec "
            "starts are watched by `with watching() as runs:` around it"
        )


def _refuse(run: Any) -> None:
    _refuse_others(run)
    if run in _attached:
        raise MismatchError(
            f"a run must be watched once, got {shown(run.id)}, which is watched already; give all listeners to that "
            "watch"
        )
    if _has_begun(run):
        state = "which is under way" if run.running else "which has ended"
        raise MismatchError(f"a run must be watched before it begins, got {shown(run.id)}, {state}; make a new one")


class _Telling:
    """Tells listeners what happens in a run.

    Args:
        run: The host's run.
        listeners: Whom to tell.
        models: As for `attach`.
    """

    def __init__(self, run: Any, listeners: Sequence[Listener], models: Mapping[str, str]) -> None:
        self._run, self._listeners, self._models = run, tuple(listeners), models
        self._under_way = False

    def of_single_run(self) -> None:
        """Wrap what a single run does: its larvae are there after `setup`, a tick is over after `sim_step`."""
        run = self._run

        def setup(do: Callable[[], Any]) -> None:
            with self._ended_by_errors():
                do()
                self._begin()

        def sim_step(do: Callable[[], Any]) -> None:
            with self._ended_by_errors():
                before = run.t
                do()
                if run.t > before:  # While its screen is paused there is none.
                    self._tick()
                if not run.running:
                    self._end(complete=not getattr(run, "aborted", False))

        _wrap(run, setup=setup, sim_step=sim_step)

    def of_generations(self) -> None:
        """Wrap what a genetic algorithm does: each of its generations is told of as a run."""
        run = self._run

        def build_generation(do: Callable[[], Any]) -> None:
            with self._ended_by_errors():
                do()
                self._begin()

        def update(do: Callable[[], Any]) -> None:
            do()
            if run.t > 0:  # It is called once before the first tick.
                self._tick()

        def end(do: Callable[[], Any]) -> None:
            self._end(complete=True)  # Then it evaluates its larvae, and deletes them.
            do()

        def sim_step(do: Callable[[], Any]) -> None:
            with self._ended_by_errors():
                do()

        _wrap(run, build_generation=build_generation, update=update, end=end, sim_step=sim_step)

    def _begin(self) -> None:
        self._under_way = True
        self._tell(larvae_of(self._run, self._models))

    def _tick(self) -> None:
        run = self._run
        self._tell(TickLived(run, run.t, run.t * run.dt))

    def _end(self, *, complete: bool) -> None:
        if self._under_way:
            self._under_way = False
            self._tell(RunEnded(self._run, complete))

    @contextmanager
    def _ended_by_errors(self) -> Iterator[None]:
        """Tell of the end also where an error, or Ctrl-C, is it."""
        try:
            yield
        except BaseException:
            self._end(complete=False)
            raise

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)


def _wrap(run: Any, **around: Callable[[Callable[[], Any]], None]) -> None:
    """Put something around methods of a run: each is given what does as before."""
    for name, wrapper in around.items():
        setattr(run, name, _wrapped(getattr(run, name), wrapper))


def _wrapped(method: Callable[..., Any], wrapper: Callable[[Callable[[], Any]], None]) -> Callable[..., None]:
    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> None:
        wrapper(partial(method, *args, **kwargs))

    return call


def larvae_of(run: Any, models: Mapping[str, str] = _NONE) -> RunBegan:
    """Return what a run tells when its larvae are there.

    Args:
        run: A run of the host whose larvae are there.
        models: As for `attach`.

    Raises:
        InputError: it is no such run.
        MismatchError: there are no larvae, not yet or no more.
    """
    _refuse_others(run)
    agents = tuple(run.agents)
    if not agents:
        raise MismatchError(
            f"a run must have larvae, got none in {shown(run.id)}; they are built when it begins, and gone when a "
            "genetic algorithm has ended"
        )
    generation = getattr(run, "generation_num", None)
    groups = tuple(_group_of(run, agent) for agent in agents)
    seed, steps = run.reporters.get("seed"), run.p.get("steps")
    return RunBegan(
        run,
        agents,
        tuple(str(agent.unique_id) for agent in agents),
        groups,
        tuple(models.get(group, _model_of(run, group)) for group in groups),
        tuple(memory if isinstance(memory, Memory) else None for memory in inspection.memories(run)),
        run.dt,
        None if steps is None else steps * run.dt,
        int(seed) if host.seeds_itself() and seed is not None else None,
        str(run.experiment),
        generation,
    )


def _group_of(run: Any, agent: Any) -> str:
    """Return the group of a larva; in a genetic algorithm, which has none, its stored model."""
    return str(run.selector.base_model) if _evolves(run) else str(agent.group)


def _model_of(run: Any, group: str) -> str:
    """Return the stored model of a group; where the run has it by value, the name of the group."""
    known = run.p.get("larva_groups", {}).get(group)
    return known.model if known is not None and isinstance(known.model, str) else group
