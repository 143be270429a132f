"""Larvae of the mushroom body memory learn what they were taught, and their controls do not."""

from typing import Any

import numpy as np
import pytest

from kenyon.conditioning.statistics import interval
from kenyon.memory import MushroomBodyMemory, step_together


def gains_after(training: str, us: str, larvae: int) -> dict[str, Any]:
    """Train larvae on pentyl acetate for three minutes; return the gain of each of two odors, [larvae]."""
    memories = [
        MushroomBodyMemory(
            sim_id=f"{training} {us}",
            model_id=i,
            gain={"CS": 0.0, "UCS": 0.0},
            dt=5.0,
            readout="probe",
            probe_ms=3000.0,
        )
        for i in range(larvae)
    ]
    reinforcement: dict[str, list[bool]] = {"reward": [False] * larvae, "punishment": [False] * larvae}
    for trial in range(3):
        for phase in ("odor", "pause", "other", "pause"):
            smelling = phase == "odor"
            reinforced = smelling if training == "paired" else phase == "other"
            given = {**reinforcement, us: [reinforced] * larvae}
            for memory in memories:
                # Probed at the very end, and nowhere before.
                memory.param.update(probe_every_s=5.0 if (trial, phase) == (2, "pause") else 1000.0)
            for _ in range(6):
                step_together(
                    memories, [{"CS": float(smelling), "UCS": 0.0}] * larvae, given["reward"], given["punishment"]
                )
    return {odor: np.array([memory.gain[odor] for memory in memories]) for odor in ("CS", "UCS")}


@pytest.mark.parametrize("larvae", [4, pytest.param(20, marks=pytest.mark.long)])
@pytest.mark.parametrize(("us", "sign"), [("reward", 1.0), ("punishment", -1.0)])
def test_trained_larvae_follow_the_odor_and_only_that_and_controls_do_not(us: str, sign: float, larvae: int) -> None:
    """Positive with reward, negative with punishment, by the whole 95 % interval.

    A dissimilar odor, and training with odor and reinforcement apart, end below a quarter of it: in the mean of few
    larvae, and by the whole interval of twenty.
    """
    paired, unpaired = gains_after("paired", us, larvae), gains_after("unpaired", us, larvae)
    learned = sign * paired["CS"]
    low, high = interval(learned)
    controls = {"dissimilar": sign * paired["UCS"], "unpaired": sign * unpaired["CS"]}
    print(f"{us}: gain {learned.mean():.4f} [{low:.4f}, {high:.4f}]", {k: v.mean() for k, v in controls.items()})
    assert low > 0.0
    for name, gains in controls.items():
        furthest = np.abs(interval(gains)).max() if larvae == 20 else abs(gains.mean())
        assert furthest < learned.mean() / 4, name
