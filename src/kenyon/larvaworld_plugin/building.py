"""A plan becomes a run of the host: everything that can be refused is refused before anything is built."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from kenyon import checks
from kenyon.errors import InputError
from kenyon.larvaworld_plugin import host, inspection, memory_files, registration
from kenyon.larvaworld_plugin.beginning import Beginning
from kenyon.larvaworld_plugin.memories import options_of
from kenyon.larvaworld_plugin.plan import Plan, PlannedGroup
from kenyon.words import shown


class Ready(NamedTuple):
    """What a plan needs of the host.

    Attributes:
        experiment: The configuration of its experiment, a copy.
        models: That of the larvae of each group, by its name, with the options of their memory.
        minutes: How long it takes.
    """

    experiment: Any
    models: dict[str, Any]
    minutes: float


def checked(plan: Plan) -> Ready:
    """Return what a plan needs to be carried out, if it can be.

    Raises:
        MismatchError, InputError: it cannot; see `experiment.run`.
    """
    host.stored("Exp", plan.experiment_name)  # refuses
    experiment = host.configuration("Exp", plan.experiment)
    models = {group.name: _model(group, plan.seed, alone=len(plan.groups) == 1) for group in plan.groups}
    if all(model.brain.memory is None for model in models.values()):
        raise InputError(
            f"the model of a group must be one with a memory, got none in {', '.join(models)}; `kenyon larvaworld "
            "models` lists those that have one"
        )
    minutes = experiment.get("duration") if plan.minutes is None else plan.minutes
    if minutes is None:
        raise InputError("minutes must be given for an experiment without a duration of its own, got None; give some")
    _refuse_foreign(plan)
    return Ready(experiment, models, float(minutes))


def built(plan: Plan, ready: Ready, folder: Path) -> Any:
    """Return the host's run, which has not begun; what it may write goes into a folder.

    Raises:
        InputError: it would be over before it begins.
    """
    from larvaworld.lib.sim import ExpRun

    names = [group.name for group in plan.groups]
    any_model = host.names("Model")[0]  # In the place of models by value, which the host takes only afterward.
    begun = ExpRun(
        experiment=plan.experiment_name,
        parameters=ready.experiment,
        modelIDs=[group.model if isinstance(group.model, str) else any_model for group in plan.groups],
        groupIDs=names,
        N=[group.larvae for group in plan.groups],
        duration=ready.minutes,
        screen_kws={"vis_mode": None},
        store_data=False,
        id=f"{plan.experiment_name}-{'-'.join(names)}-{plan.seed}",
        dir=f"{folder}/run",
        **({"_record_manifest": False} if host.seeds_itself() else {}),  # The dataset says how it was made.
    )
    if round(ready.minutes * 60 / begun.dt) < 1:
        raise InputError(
            f"minutes must be at least a tick of Larvaworld, {begun.dt:g} s, got {ready.minutes:g} min; give more"
        )
    begun.p.enrichment = host.no_analysis()  # Of the tracks; it takes longer than the run.
    for name, model in ready.models.items():
        begun.p.larva_groups[name].model = model
    begun.begins_with = _begins_with(plan)
    return begun


def _begins_with(plan: Plan) -> Beginning:
    """Return what the larvae of a plan begin with: what it says goes before what was registered."""
    usual = registration.registered()
    begins_with = Beginning() if usual is None else usual.begins_with
    return replace(begins_with, memories=begins_with.memories if plan.memories is None else plan.memories, require=True)


def _refuse_foreign(plan: Plan) -> None:
    """Refuse a file of memories of other larvae than those of a plan."""
    if isinstance(plan.memories, Mapping):
        groups = {group.name: group for group in plan.groups}
        for name, file in plan.memories.items():
            memory_files.refuse_foreign(file, _models_of(groups[name]), f" in group {shown(name)}")
    elif plan.memories is not None and len(plan.groups) == 1:  # Of several, some may have no memory to fill.
        memory_files.refuse_foreign(plan.memories, _models_of(plan.groups[0]))


def _models_of(group: PlannedGroup) -> list[str | None]:
    """Return the stored model of each larva of a group; None where it is given by value."""
    return [group.model if isinstance(group.model, str) else None] * group.larvae


def _model(group: PlannedGroup, seed: int, *, alone: bool) -> Any:
    """Return the configuration of the larvae of a group, with the options of their memory.

    Raises:
        InputError: there is no such model, it has no memory although the group is alone, or a memory that ours cannot
            take the place of; or an option is unknown or out of range.
    """
    model = host.configuration("Model", group.model)
    memory = model.brain.get("memory")
    if memory is None:
        if alone:
            raise InputError(
                f"model must be one with a memory, got {shown(group.model)}; `kenyon larvaworld models` lists those "
                "that have one"
            )
        model.brain.memory = None
        return model
    if model.brain.get("nengo"):
        raise InputError(
            f"model must be one that Kenyon's memories can serve, got {shown(group.model)}: {inspection.NENGO}"
        )
    kind = _kind(memory)
    options = {"seed": seed, **group.memory}
    known = options_of(kind, options)
    kind(**{**{name: value for name, value in memory.items() if name in known}, **options})  # refuses
    memory.update(options)
    return model


def _kind(memory: Any) -> Any:
    """Return the class that the host builds for what a model says of its memory."""
    table: Any = host.memory_table()[0]
    mode = checks.one_of("mode of the model's memory", memory.get("mode"), list(table))
    return table[mode][checks.one_of("modality of the model's memory", memory.get("modality"), list(table[mode]))]
