"""Short runs of the host itself, with a memory of choice in its larvae."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from larvaworld.lib import reg
from larvaworld.lib.sim import ExpRun

from kenyon.larvaworld_plugin import host

UNRECORDED: dict[str, Any] = {"_record_manifest": False} if host.seeds_itself() else {}
"""Spares a run the account of how it was made, which takes twice as long as a short run; no test here is about it."""


def run(
    folder: Path,
    experiment: str,
    model: str,
    *,
    seconds: float = 3.0,
    larvae: int = 2,
    seed: int = 1,
    memory: Mapping[str, Any] | None = None,
    on_food: bool = False,
) -> Any:
    """Return a finished run of one of the host's experiments with one of its models.

    Args:
        folder: Where it may write.
        experiment: Its name in the host.
        model: Name of the larvae's model in the host.
        seconds: How long the larvae live.
        larvae: How many.
        seed: Of the host's global random generators, for the time of the run.
        memory: Options of the memory to change.
        on_food: Whether they start on the one piece of food, so small a one that they soon leave it.
    """
    begun = ExpRun(
        experiment=experiment,
        modelIDs=[model],
        N=larvae,
        duration=seconds / 60,
        screen_kws={"vis_mode": None},
        store_data=False,
        id=f"kenyon_{experiment}_{model}",
        dir=tempfile.mkdtemp(dir=folder),  # A new one, for the host never writes over a run.
        **UNRECORDED,
    )
    changed = reg.conf.Model.getID(model).get_copy()
    changed.brain.memory.update(memory or {})
    begun.p.larva_groups[model].model = changed
    if on_food:
        begun.p.larva_groups[model].distribution.scale = (0.002, 0.002)
        for food in begun.p.env_params.food_params.source_units.values():
            food.radius = 0.003
    begun.p.enrichment = host.no_analysis()  # Of the tracks; it takes longer than the run.
    with host.repeatable(seed):
        begun.simulate(seed=seed)
    return begun


SEED = 3
"""Of runs that are given none."""


def begun(
    folder: Path,
    *models: str,
    experiment: str = "PItest_off",
    minutes: float = 0.02,
    larvae: int = 2,
    name: str | None = None,
    **more: Any,
) -> Any:
    """Return a run of the host as a user makes it, which has not begun yet, with a group of larvae of each model."""
    made = ExpRun(
        experiment=experiment,
        modelIDs=list(models),
        N=larvae,
        duration=minutes,
        screen_kws={"vis_mode": None},
        store_data=False,
        id=f"{'-'.join(models)}-{experiment}" if name is None else name,
        dir=str(folder / "run"),
        **UNRECORDED,
        **more,
    )
    made.p.enrichment = host.no_analysis()
    return made


def simulate(made: Any, seed: int = SEED) -> Any:
    """Let a run go to its end, with its larvae where a seed leads them."""
    with host.repeatable(seed):
        made.simulate(**({"seed": seed} if host.seeds_itself() else {}))
    return made


def simulated(folder: Path, *models: str, seed: int = SEED, **more: Any) -> Any:
    """Return a run as `begun` makes it, finished."""
    return simulate(begun(folder, *models, **more), seed)


def memories(finished: Any, modality: str = "olfaction") -> Iterator[tuple[Any, Any]]:
    """Yield the memory of each larva with the sensor whose gains it adapts."""
    for agent in finished.agents:
        place = agent.brain.modalities[modality]
        yield place["mem"], place["sensor"]


def noting(kind: Any) -> Any:
    """Return a subclass of a memory class that notes every change of stimuli it is given, in `seen`."""

    class Noting(kind):  # type: ignore[misc]  # of any class
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.seen: list[dict[str, float]] = []
            self.smelled: list[dict[str, float]] = []

        def update_gain(self, dx: Mapping[str, float] | None = None, **kwargs: Any) -> None:
            self.seen.append(dict(dx or {}))
            self.smelled.append(dict(self.brain.sense_odors()))
            super().update_gain(dx=dx, **kwargs)

    return Noting
