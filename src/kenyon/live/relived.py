"""What the cells of one larva did, found out afterward: a copy of it lives through the same once more, and is recorded.

A larva's spikes depend on its state and its input alone, so the copy's are the larva's own, and it changes nothing.
"""

from collections.abc import Iterable
from typing import Any

from kenyon.live.messages import Cells, cells
from kenyon.mushroom_body import Activity, Manipulation, Population, Record, Snapshot
from kenyon.mushroom_body import state as states


def alone(larvae: Snapshot, place: int) -> Snapshot:
    """Return one larva of a snapshot."""
    state = states.select(larvae.state, [place])
    return Snapshot.taken(larvae.parameters, (larvae.seeds[place],), larvae.drive_hz[[place]].copy(), state)


def relived(
    larva: Snapshot, drive_hz: Any, duration_ms: float, manipulations: Iterable[Manipulation | str] = ()
) -> tuple[Activity, Snapshot]:
    """Return what a larva did under a drive, every spike recorded, and the larva after it.

    Args:
        larva: One larva, as it was before.
        drive_hz: [C] float64, Hz.
        duration_ms: For how long.
        manipulations: What was done to its circuit meanwhile.
    """
    population = Population.from_snapshot(larva, threads=1)
    population.manipulate(*manipulations)
    activity = population.advance(duration_ms, drive_hz, record=Record(spikes=True))
    return activity, population.snapshot()


def relived_cells(larva: int, from_s: float, activity: Activity, after: Snapshot) -> Cells:
    """Return the message of what the cells of a larva did.

    Args:
        larva: Its place among all.
        from_s: When that began.
        activity: What it did, alone, with spikes.
        after: The larva after it.
    """
    spikes = None if activity.spikes is None else activity.spikes[0]
    weights = after.state.w_kc_mbonp_nS[0], after.state.w_kc_mbonn_nS[0]
    lived_s = float(activity.duration_ms[0]) * 1e-3
    return cells(larva, from_s, lived_s, activity.counts[0], spikes, activity.dt_ms, weights)
