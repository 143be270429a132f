"""Q-learning for the two senses of a larva: for odors, and for touch."""

from typing import Any

from kenyon.errors import MissingStimulusError
from kenyon.memory import sensing
from kenyon.memory.base import Levels
from kenyon.memory.options import Choice
from kenyon.memory.overriding import as_written
from kenyon.memory.reinforcement import RLmemory


@as_written
class RLOlfMemory(RLmemory):
    """A Q-learning memory for odors.

    Example:
        >>> memory = RLOlfMemory(gain={"CS": 0.0, "UCS": 0.0}, gain_space=[-1, 1])
        >>> memory.q_table[0, 2] = 5.0
        >>> memory.actions[2], memory.first_odor_best_gain, memory.second_odor_best_gain
        ((1.0, -1.0), 1.0, -1.0)
    """

    modality = Choice(["olfaction"], readonly=True, doc="The sense whose gains it adapts.")

    @property
    def first_odor_best_gain(self) -> float:
        """The best gain of the first odor.

        Raises:
            MissingStimulusError: there is none.
        """
        return self._best_gain_of(0, "first")

    @property
    def second_odor_best_gain(self) -> float:
        """The best gain of the second odor.

        Raises:
            MissingStimulusError: there is none.
        """
        return self._best_gain_of(1, "second")

    def _best_gain_of(self, place: int, word: str) -> float:
        gains = list(self.best_gain.items())
        if len(gains) <= place:
            known = ", ".join(repr(odor) for odor, _ in gains) if gains else "none"
            raise MissingStimulusError(f"the memory must have a {word} odor, got {known}; name it in `gain`")
        return gains[place][1]


@as_written
class RLTouchMemory(RLmemory):
    """A Q-learning memory for touch: it chooses whenever a contact is gained or lost.

    Within a brain of the host, contact gained and lost are read from the contacts themselves, for the sensor's own `dX`
    leaves out those gained.

    Example:
        >>> memory = RLTouchMemory(gain={"head": 0.0}, seed=1)
        >>> memory.condition({"head": 0}), memory.condition({"head": 1})
        (False, True)
    """

    modality = Choice(["touch"], readonly=True, doc="The sense whose gains it adapts.")

    def condition(self, dx: Levels) -> bool:
        """Return whether a contact was gained or lost, and set the reward that it stands for.

        Gained: 1 / ticks since the last choice; lost: ticks since the last choice.
        """
        reward = self._due(sensing.checked_change(dx), self.iterator, self.rewardSum)
        if reward is None:
            return False
        self.rewardSum = reward
        return True

    def _due(self, dx: Levels, iterator: int, reward: float) -> float | None:  # noqa: ARG002  # as for `condition`
        changes = dx.values()
        if 1 in changes:
            return 1 / max(iterator, 1)
        return float(iterator) if -1 in changes else None

    def _forms_change(self, sensor: Any) -> bool:  # noqa: ARG002  # whatever sensor
        return not self._old_rules

    def _change(self, sensor: Any, now: Levels) -> Levels:  # noqa: ARG002  # others need its perception
        return sensing.contact_change(now, self._levels_before)
