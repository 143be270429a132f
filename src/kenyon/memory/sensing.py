"""What a larva of the host senses, read from its brain where the sensor's own account of change is blind.

The host's sensors report a perceived change `dX`. Sensors in `brute_force` mode never update it, and those with `log`
perception never report a contact gained. In both cases the change is formed here, from the levels that are sensed.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from kenyon import checks
from kenyon.errors import InputError
from kenyon.words import shown

Levels = Mapping[str, float]

_SAMPLERS = {"olfaction": "sense_odors", "touch": "sense_food_multi"}


def sensor_of(brain: Any, modality: str) -> Any | None:
    """Return the sensor of a modality of a brain, or None where there is no brain or no such sensor."""
    modalities = getattr(brain, "modalities", None)
    if modalities is None or modality not in modalities:
        return None
    return modalities[modality]["sensor"]


def levels(brain: Any, modality: str) -> Levels | None:
    """Return how strong each stimulus is that a larva senses; None where nothing can say.

    A sensor holds what it sensed in the tick before; in place of a blind one, the brain is asked for this moment.
    """
    sensor = sensor_of(brain, modality)
    if sensor is None:
        return None
    if is_blind(sensor) and hasattr(brain, _SAMPLERS[modality]):
        sampled: Levels = getattr(brain, _SAMPLERS[modality])()
        return sampled
    held: Levels = sensor.X
    return held


def world(brain: Any, modality: str) -> list[str] | None:
    """Return all stimuli that a larva can ever meet where it lives; None where nothing can say."""
    agent = getattr(brain, "agent", None)
    if modality == "touch":
        places = getattr(agent, "touch_sensorIDs", None)
        return None if places is None else list(places)
    layers = getattr(getattr(agent, "model", None), "odor_layers", None)
    return None if layers is None else list(layers)


def host_seeks_food(brain: Any) -> bool:
    """Return whether the host itself looks for food where this larva is: only for one that can eat or touch."""
    space = getattr(brain.agent.model, "space", None)
    return bool(brain.locomotor.feeder or brain.toucher or getattr(space, "accessible_sources", None))


def touches_food(brain: Any) -> bool:
    """Return whether a larva is on food, by the host's measure: a cell of the grid with some, or a source in its reach.

    That reach is the larva's radius; the host does not ask for the source's.
    """
    agent = brain.agent
    grid, here = agent.model.food_grid, agent.olfactor_pos
    if grid:
        return bool(grid.grid[grid.get_grid_cell(here)] > 0)
    return any(source.amount > 0 and math.dist(source.pos, here) <= agent.radius for source in agent.model.sources)


def is_blind(sensor: Any) -> bool:
    """Return whether a sensor never updates the levels and changes that it reports."""
    return bool(getattr(sensor, "brute_force", False))


def relative_change(now: Levels, before: Levels, perception: str) -> dict[str, float]:
    """Return the change of each stimulus as the host's sensors perceive it; 0 for a stimulus that is new.

    log: now / before - 1; linear: now - before; both 0 where it was 0 before. null: now.

    Example:
        >>> relative_change({"Odor": 3.0}, {"Odor": 2.0}, "log")
        {'Odor': 0.5}
    """
    if perception == "null":
        return {stimulus: level if stimulus in before else 0.0 for stimulus, level in now.items()}
    change = {}
    for stimulus, level in now.items():
        previous = before.get(stimulus, 0.0)
        if previous == 0.0:
            change[stimulus] = 0.0
        else:
            change[stimulus] = level / previous - 1 if perception == "log" else level - previous
    return change


def contact_change(now: Levels, before: Levels) -> dict[str, float]:
    """Return +1 for each contact gained, -1 for each lost, 0 for the others.

    Example:
        >>> contact_change({"head": 1, "tail": 0}, {"tail": 1})
        {'head': 1, 'tail': -1}
    """
    return {place: (level > 0) - (before.get(place, 0) > 0) for place, level in now.items()}


def checked_change(dx: Any) -> Levels:
    """Return a change given by a caller: finite numbers by stimulus; None is none at all.

    Raises:
        InputError: it is no dictionary from texts to finite numbers.
    """
    if dx is None:
        return {}
    try:
        for change in dx.values():
            # Plain ones first, for they are the most by far; a contact may be a truth value.
            kind = type(change)
            if kind is not float and kind is not int and not isinstance(change, (bool, np.bool_)):
                checks.number("change", change)
            if not math.isfinite(change):
                break
        else:
            return dx  # type: ignore[no-any-return]  # it was looked at just now
    except Exception:  # noqa: BLE001  # whatever an object of another kind may raise
        raise InputError(
            f"dx must be a dictionary of the change of each stimulus, got {shown(dx)}; pass dx={{'Odor': 0.1}}"
        ) from None
    raise InputError(f"dx must be finite for every stimulus, got {shown(dx)}")
