"""Random protocols: what larvae are given to smell and to feel, for how long, and when they are asked."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kenyon.mushroom_body import Parameters, Record, drive
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.activity import Activity
from kenyon.mushroom_body.engine import Engine
from kenyon.mushroom_body.odors import odors
from kenyon.mushroom_body.state import State


@dataclass(frozen=True)
class Act:
    """What happens to larvae side by side, to each its own: they live under a drive, then some are asked.

    Attributes:
        rates_hz: [B, C], the drive.
        n_steps: [B], for how long.
        asked: Places of those that are asked afterward, with plasticity off.
        asked_hz: [asked, C], about what.
        asked_steps: [asked], for how long.
    """

    rates_hz: NDArray[np.float64]
    n_steps: NDArray[np.int64]
    asked: list[int]
    asked_hz: NDArray[np.float64]
    asked_steps: NDArray[np.int64]


def random_protocols(parameters: Parameters, larvae: int, n_steps: int, rng: np.random.Generator) -> list[Act]:
    """Draw a protocol for each larva, of some steps besides those in which it is asked, cut where it comes."""
    acts = max(4, n_steps // 60_000)
    ends = np.cumsum(rng.uniform(0.7, 1.3, (acts, larvae)), axis=0)
    steps = np.diff(np.rint(ends / ends[-1] * n_steps).astype(np.int64), axis=0, prepend=0)
    protocols = []
    for own in steps:
        asked = np.flatnonzero(rng.random(larvae) < 0.4).tolist()
        rates_hz = np.array([_any_drive(parameters, rng) for _ in range(larvae)])
        asked_hz = np.array([_any_drive(parameters, rng) for _ in asked])
        protocols.append(Act(rates_hz, own, asked, asked_hz, rng.integers(1, n_steps // 40, len(asked))))
    return protocols


def _any_drive(parameters: Parameters, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw none, one or two of the odors at any dose, and each reinforcer at any strength or not."""
    names = [odor.name for odor in odors()]
    there = {str(name): 10.0 ** rng.uniform(-2, 0.7) for name in rng.choice(names, rng.choice([0, 1, 1, 1, 2]))}
    reward, punishment = rng.uniform(0.3, 2.0, 2) * (rng.random(2) < 0.4)
    return drive(parameters, there, reward=float(reward), punishment=float(punishment))


def lived(
    engine: Engine, parameters: Parameters, state: State, act: Act, record: Record
) -> Iterator[tuple[Activity, State]]:
    """Let larvae go through an act, in place: what they do and their state, then that of those who are asked."""
    yield engine.run(parameters, state, act.n_steps, rates_hz=act.rates_hz, record=record), state
    if act.asked:
        rows = states.select(state, act.asked)
        answer = engine.run(parameters, rows, act.asked_steps, rates_hz=act.asked_hz, plastic=False, record=record)
        yield answer, rows
