"""Random protocols: what a larva is given to smell and to feel, for how long, and when it is asked."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kenyon.mushroom_body import Parameters, Population, Record, drive
from kenyon.mushroom_body.activity import Activity
from kenyon.mushroom_body.odors import odors


@dataclass(frozen=True)
class Act:
    """What happens to larvae side by side, to each its own: they live under a drive, then some are asked.

    Attributes:
        rates_hz: [B, C], the drive.
        duration_ms: [B].
        asked: Places of those that are asked afterward, with plasticity off.
        asked_hz: [asked, C], about what.
        asked_ms: [asked].
    """

    rates_hz: NDArray[np.float64]
    duration_ms: NDArray[np.float64]
    asked: list[int]
    asked_hz: NDArray[np.float64]
    asked_ms: NDArray[np.float64]


def random_protocols(parameters: Parameters, larvae: int, duration_s: float, rng: np.random.Generator) -> list[Act]:
    """Draw a protocol for each larva, of some seconds besides those in which it is asked, with phases of its own."""
    acts = max(4, round(duration_s / 6))
    end = round(duration_s * 1e3 / parameters.dt_ms)
    ends = np.cumsum(rng.uniform(0.4, 1.6, (acts, larvae)), axis=0)
    steps = np.diff(np.rint(ends / ends[-1] * end), axis=0, prepend=0)
    protocols = []
    for own in steps:
        asked = np.flatnonzero(rng.random(larvae) < 0.4).tolist()
        protocols.append(
            Act(
                np.array([_any_drive(parameters, rng) for _ in range(larvae)]),
                own * parameters.dt_ms,
                asked,
                np.array([_any_drive(parameters, rng) for _ in asked]),
                parameters.dt_ms * rng.integers(1, round(0.03 * end), len(asked)).astype(np.float64),
            )
        )
    return protocols


def _any_drive(parameters: Parameters, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw none, one or two of the odors at any dose, and each reinforcer at any strength or not."""
    names = [odor.name for odor in odors()]
    there = {str(name): 10.0 ** rng.uniform(-2, 0.7) for name in rng.choice(names, rng.choice([0, 1, 1, 1, 2]))}
    reward, punishment = rng.uniform(0.3, 2.0, 2) * (rng.random(2) < 0.4)
    return drive(parameters, there, reward=float(reward), punishment=float(punishment))


def lived(larvae: Population, act: Act, record: Record) -> Iterator[Activity]:
    """Let larvae go through an act; what they do, and what those who are asked do."""
    yield larvae.advance(act.duration_ms, act.rates_hz, record=record)
    if act.asked:
        yield larvae.probe(drive_hz=act.asked_hz, duration_ms=act.asked_ms, larvae=act.asked, record=record)
