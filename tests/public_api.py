"""The public API as it is found: every public function, class and method of every module, and each of its arguments."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import kenyon

INNER = {
    "kenyon.cli*": "click reads what comes from a command line; tests/cli",
    "kenyon.larvaworld_plugin*": "needs Larvaworld; tests/compat",
    "kenyon.server*": "hears messages alone, which are fuzzed; tests/server",
    "kenyon.wire*": "hears bytes alone, which are fuzzed; tests/wire",
    **dict.fromkeys(
        [
            f"kenyon.{tool}*"
            for tool in (
                "archive",
                "checks",
                "code_cache",
                "compiled",
                "drawing",
                "errors",
                "jobs",
                "linking",
                "netcdf",
                "notebook",
                "progress",
                "provenance",
                "reservations",
                "seed_sequence",
                "sfc64",
                "threads",
                "words",
            )
        ],
        "tools of ours, called with what has been checked",
    ),
    **dict.fromkeys(
        [
            f"kenyon.conditioning.sweeps.{inner}*"
            for inner in (
                "failures",
                "grouping",
                "status",
                "tasks",
                "workers",
                "writing",
                "folder.[!s]",
                "folder.status_",
            )
        ],
        "called by run_sweep, with what it has checked",
    ),
    **dict.fromkeys(
        [f"kenyon.conditioning.sweeps.{inner}*" for inner in ("axes", "samples.[cdsR]", "tables", "plan.to_plain")],
        "called by Sweep, with what it has checked",
    ),
    "kenyon.conditioning.sweeps.plan_file*": "reads plans; tests/conditioning/sweeps/test_plans",
    "kenyon.conditioning.sweeps.running*": "computes where it is told; tests/conditioning/sweeps/test_running",
    "kenyon.conditioning.sweeps.cluster*": "speaks with a scheduler; tests/conditioning/sweeps/test_cluster",
    "kenyon.mushroom_body.arguments*": "reads the arguments of Population, which are walked there",
    "kenyon.mushroom_body.brian": "has the arguments of Engine",
    "kenyon.mushroom_body.brian_[cs]*": "called by the engine and by brian_network",
    "kenyon.mushroom_body.cuda*": "has the arguments of Engine, or is called by it",
    "kenyon.mushroom_body.kernel*": "called by Engine",
    "kenyon.mushroom_body.plasticity*": "called by the kernel",
    "kenyon.mushroom_body.la*": "larva, layers, layered…: called by the kernel's engine",
    "kenyon.mushroom_body.vectors*": "asked by numba while it compiles the layers",
    "kenyon.mushroom_body.manipulated.[!u]*": "called by Engine",
    "kenyon.mushroom_body.manipulated.unmanipulated": "reads the parameters of Population",
    "kenyon.mushroom_body.recording*": "called by Engine",
    "kenyon.mushroom_body.odor_table*": "reads files; tests/mushroom_body/test_own_odors",
    "kenyon.mushroom_body.wiring_file*": "as above; tests/mushroom_body/test_wiring_file",
    "kenyon.mushroom_body.parameters.Cell": "checked by Parameters, under its dotted names",
    "kenyon.mushroom_body.inputs.[dst]*s": "arrays of what `stimulus` has checked",
    "kenyon.mushroom_body.inputs.ticks_per_step": "called by Engine",
    "kenyon.mushroom_body.inputs.check_events": "reads the events of Population",
    "kenyon.mushroom_body.odors.mixture_responses": "of what `mixture` has checked",
    "kenyon.mushroom_body.circuit.per_neuron": "called with names of ours",
    "kenyon.mushroom_body.wiring.[cksw]*": "of what was checked, or reads the wiring of Population",
    "kenyon.mushroom_body.wiring.draw_wirings": "of seeds that were checked",
    "kenyon.mushroom_body.circuit.layout*": "called with numbers that `Layout` or a state has checked",
    "kenyon.mushroom_body.manipulations.fitting": "of what `checked` gave",
    "kenyon.mushroom_body.snapshot.check_values": "of arrays of the right shapes",
    "kenyon.mushroom_body.snapshot.Snapshot.taken": "of a population's own arrays",
    "kenyon.mushroom_body.state.[acgijloprsuw]*": "rows of states that are there",
    "*.run": "Engine.run: of what `advance` has checked",
    "*.count": "as above",
    "*.compute": "as above",
    **dict.fromkeys(
        (f"kenyon.memory.*.{way}" for way in ("condition", "state_collapse", "update_*", "runRemoteModel")),
        "the host's ways within `step`, which has checked; tests/memory/test_overriding",
    ),
    "kenyon.whole*": "called by memories and populations",
    "kenyon.memory.base.[ftw]*": "called by memories",
    "kenyon.memory.clones*": "as above",
    "kenyon.memory.larvaworld_rules*": "as above",
    "kenyon.memory.overriding*": "as above",
    "kenyon.memory.qlearning_step*": "as above",
    "kenyon.memory.embedded.holding": "as above",
    "kenyon.memory.mushroom_body.Outcome": "as above",
    "kenyon.mushroom_body.population.Population.restoring": "as Population.restore, for memories",
    **dict.fromkeys(
        (f"kenyon.conditioning.{part}*" for part in ("cursor", "elements", "notation", "folding", "spelling")),
        "reads and spells for Design, whose texts are fuzzed; tests/conditioning/test_notation",
    ),
    "kenyon.conditioning.phases.checked_label": "as above",
    "kenyon.conditioning.phases.name_of": "of odors that are known",
    "kenyon.conditioning.phases.dose": "as above",
    "kenyon.conditioning.results.numbered": "of labels of ours",
    "kenyon.conditioning.statistics.[dehmt]*": "of numbers that `compare` has checked",
    "kenyon.memory.options*": "param's own interface; tests/memory/test_options",
    "kenyon.memory.qlearning_kernel*": "called by classes that have checked",
    "kenyon.memory.rng*": "as above",
    "kenyon.memory.sensing*": "hears the host; tests/compat",
    "kenyon.memory.tables*": "called by classes that have checked",
    "kenyon.memory.timer*": "what Memory inherits",
    "kenyon.memory.mushroom_body.MBmemory*": "abstract",
    "kenyon.conditioning.balance.assess": "an hour of `run`, with its arguments",
    "kenyon.mushroom_body.population.Population.advanced": "rows that were taken from it",
    "kenyon.mushroom_body.population.Population.replacing": "as above",
    **dict.fromkeys(
        (
            f"kenyon.conditioning.{part}*"
            for part in (
                "checkpoint",
                "collecting",
                "dataset",
                "living",
                "moments",
                "origin",
                "recorded",
                "schedule",
                "setup",
                "shared_lives",
                "variables",
                "claims.asking",
                "claims.answers.Answers",
                "claims.figures",
                "claims.adults",
                "claims.jurgensen2024",
                "claims.larvae",
                "claims.measures",
                "claims.known.Collection",
                "claims.judging.said",
                "claims.report",
                "claims.reproducing.file_names",
                "claims.reproducing.Reproduction",
            )
        ),
        "of what an experiment has checked or made",
    ),
    **dict.fromkeys(
        (
            f"kenyon.conditioning.figures.{part}"
            for part in (
                "captions*",
                "marks*",
                "given*",
                "doses*",
                "over_time.timelines_of",
                "over_tests.has_weights",
                "surprise.reinforced",
                "composing.Panel",
            )
        ),
        "of results that panels have checked",
    ),
    "kenyon.conditioning.timeline.inches": "as above",
    "kenyon.live.saved.saved": "of a result of a run of Larvaworld; tests/live",
    **dict.fromkeys(
        (
            f"kenyon.live.{part}*"
            for part in (
                *("aside", "arena", "circuit", "messages", "relived", "served", "serving", "stream", "telling"),
                "saved.told",
            )
        ),
        "of what a page has checked, or a run has told; tests/live",
    ),
    "kenyon.conditioning.old_formats*": "as file_format",
    "kenyon.conditioning.sweeps.parts*": "of what `Store` is called with; damaged ones are tried in tests of it",
    "kenyon.conditioning.file_format*": "reads files, of which damaged ones are tried in tests/test_archive",
}
"""What is called by Kenyon alone, or walked elsewhere, by pattern, with the reason."""

OUTPUTS = (
    "Activity",
    "Answer",
    "Answered",
    "Comparison",
    "Constant",
    "Difference",
    "Effect",
    "Engine",
    "Finding",
    "Golden",
    "GroupBegan",
    "GroupEnded",
    "Judgement",
    "Lane",
    "Mean",
    "Measured",
    "MeasuredOdor",
    "Page",
    "PhaseBegan",
    "PhaseEnded",
    "Request",
    "SliceLived",
    "Stimulus",
    "Test",
    "Timeline",
    "Trend",
    "Verdict",
    "Work",
)
"""Classes that Kenyon makes and callers read."""


class Call(NamedTuple):
    """One argument of one public callable.

    Attributes:
        name: Of the callable, with its module.
        made: The function or class; None for a method.
        owner: What makes the object whose method it is; None for a function or class.
        argument: Its name.
        required: Names of all arguments that must be given.
        by_place: Names of those that are given by their place, in order.
        may_be_none: Whether None is what it is when it is left out.
    """

    name: str
    made: Any
    owner: Callable[[], Any] | None
    argument: str
    required: tuple[str, ...]
    by_place: tuple[str, ...]
    may_be_none: bool

    def __str__(self) -> str:
        """Return what it is called."""
        return f"{self.name.removeprefix('kenyon.')}({self.argument})"

    def of(self, owner: Any) -> Any:
        """Return what is called: of that object, where it is a method."""
        return self.made if self.owner is None else getattr(owner, self.name.rpartition(".")[2])


def calls(owners: Mapping[str, Callable[[], Any]]) -> list[Call]:
    """Return every argument of every public callable; of methods, those of classes of which there is an object."""
    return [call for name, made, owner in _callables(owners) for call in _arguments(name, made, owner)]


def _callables(owners: Mapping[str, Callable[[], Any]]) -> Iterator[tuple[str, Any, Callable[[], Any] | None]]:
    """Give each one's name, itself, and what makes the object that it is a method of."""
    for info in pkgutil.walk_packages(kenyon.__path__, "kenyon."):
        if _is_inner(info.name):
            continue
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            full = f"{info.name}.{name}"
            if name.startswith("_") or getattr(value, "__module__", None) != info.name or _is_inner(full):
                continue
            if not inspect.isclass(value):
                if callable(value) and not hasattr(value, "py_func"):  # compiled code is called by ours
                    yield full, value, None
                continue
            if name not in OUTPUTS and not inspect.isabstract(value):
                yield full, value, None
            for method in dir(value) if name in owners else ():
                own = getattr(value, method)
                ours = str(getattr(own, "__module__", "")).startswith("kenyon.")
                if ours and callable(own) and not method.startswith("_") and not _is_inner(f"{full}.{method}"):
                    yield f"{full}.{method}", getattr(owners[name](), method), owners[name]


def _arguments(name: str, made: Any, owner: Callable[[], Any] | None) -> Iterator[Call]:
    parameters = inspect.signature(made).parameters.values()
    many = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    any_number = any(one.kind is one.VAR_POSITIONAL for one in parameters)
    by_place = tuple(
        one.name
        for one in parameters
        if one.kind in (one.POSITIONAL_ONLY, one.VAR_POSITIONAL)
        or (any_number and one.kind is one.POSITIONAL_OR_KEYWORD)
    )
    required = tuple(
        one.name
        for one in parameters
        if one.kind is one.POSITIONAL_ONLY or (one.default is one.empty and one.kind not in many)
    )
    for one in parameters:
        if one.kind is one.VAR_KEYWORD:
            options = made.param.objects("existing") if hasattr(made, "param") else {}
            for option, declared in options.items():
                if option != "name":
                    yield Call(name, made, owner, option, required, by_place, may_be_none=bool(declared.allow_None))
        else:
            yield Call(name, made, owner, one.name, required, by_place, may_be_none=one.default is None)


def _is_inner(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in INNER)
