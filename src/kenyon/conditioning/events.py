"""What happens in an experiment, as data: whoever wants to know of it is told, one event after the other.

`Experiment.events` yields them, `run` passes them on to listeners. An element is a phase or a test, `number` its place
in the group as it is written, from 0. Where an order is drawn for each larva, larvae are in several elements at a time,
so every event names the larvae that it is about, by their places.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kenyon.conditioning.phases import Element
from kenyon.mushroom_body import Activity

Places: TypeAlias = NDArray[np.int64]
"""[B] int64, places of larvae in their group."""


@dataclass(frozen=True, eq=False)
class GroupBegan:
    """The larvae of a group are there.

    Attributes:
        group: Its name.
        larvae: [B] int64, their places.
        work_s: How long each of them will live and be asked, s.
    """

    group: str
    larvae: Places
    work_s: float


@dataclass(frozen=True, eq=False)
class PhaseBegan:
    """Larvae enter a phase or a test that they live through.

    Attributes:
        group: The name of their group.
        larvae: [B] int64, their places.
        number: Place of the phase in the group.
        element: The phase or test.
    """

    group: str
    larvae: Places
    number: int
    element: Element


@dataclass(frozen=True, eq=False)
class SliceLived:
    """Larvae have lived through a part of their phases.

    Attributes:
        group: The name of their group.
        larvae: [B] int64, their places.
        numbers: [B] int64, the phase that each is in.
        place: Which slice of its phase it is, from 0.
        against: [B] bool, whether each is given the second odor of a choice.
        activity: What they did meanwhile.
    """

    group: str
    larvae: Places
    numbers: Places
    place: int
    against: NDArray[np.bool_]
    activity: Activity


@dataclass(frozen=True, eq=False)
class PhaseEnded:
    """Larvae have come to the end of a phase, or of a test that they lived through.

    Attributes:
        group: The name of their group.
        larvae: [B] int64, their places.
        number: Place of the phase in the group.
        element: The phase or test.
        activity: What they did over all of it; of a choice under its first odor.
        against: What they did under the second odor of a choice, or None.
    """

    group: str
    larvae: Places
    number: int
    element: Element
    activity: Activity
    against: Activity | None


@dataclass(frozen=True, eq=False)
class Answered:
    """Larvae have answered a test.

    Attributes:
        group: The name of their group.
        larvae: [B] int64, their places.
        number: Place of the test in the group.
        element: The test.
        activity: What they did; of a choice under its first odor.
        against: What they did under the second odor of a choice, or None.
        w_kc_mbonp_nS: [B, K] float64, their weights at that time.
        w_kc_mbonn_nS: [B, K] float64.
    """

    group: str
    larvae: Places
    number: int
    element: Element
    activity: Activity
    against: Activity | None
    w_kc_mbonp_nS: NDArray[np.float64]
    w_kc_mbonn_nS: NDArray[np.float64]

    @property
    def preference_index(self) -> NDArray[np.float64]:
        """MBON preference index of each larva: [B] float64; of a choice the first odor's less the second's."""
        index = self.activity.preference_index
        return index if self.against is None else index - self.against.preference_index


@dataclass(frozen=True, eq=False)
class GroupEnded:
    """All larvae of a group have come to its end.

    Attributes:
        group: Its name.
        larvae: [B] int64, their places.
    """

    group: str
    larvae: Places


Event: TypeAlias = GroupBegan | PhaseBegan | SliceLived | PhaseEnded | Answered | GroupEnded
Listener: TypeAlias = Callable[[Event], object]
"""Is told of every event; what it returns is not looked at, and what it raises ends the run."""
