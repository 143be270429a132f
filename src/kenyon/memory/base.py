"""What every memory has: a clock, a brain it belongs to, gains it adapts, and a larva it is of."""

import math
from collections.abc import Iterable, Mapping, MutableMapping
from itertools import chain
from typing import Any

from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.memory import sensing
from kenyon.memory.options import Choice, Identity, Integer, Switch, checked_identity
from kenyon.memory.timer import Timer
from kenyon.words import shown

Gains = MutableMapping[str, float]
Plain = tuple[dict[str, Any], dict[str, NDArray[Any]]]

_CLOCK = {"ticks": int, "total_ticks": int, "active": bool, "complete_iteration": bool, "rewardSum": float}


class Memory(Timer):
    """A memory that adapts the gain with which a larva follows each stimulus; this one does not learn.

    Args:
        brain: The brain whose sensor it serves, or None.
        gain: The gain of each stimulus. Kept and changed in place, for a host's sensor shares it; a new one if absent.
        **kwargs: The options below.

    Attributes:
        brain: As given.
        gain: As given; unit of the host's sensors, "per unit of relative change".
        rewardSum: Reward since it was last consumed, less 0.01 a tick.

    Raises:
        InputError: an option is out of range, or `gain` is no dictionary of finite numbers.

    Example:
        >>> memory = Memory(gain={"Odor": 100.0})
        >>> memory.step(reward=True, dx={"Odor": 0.3})
        {'Odor': 100.0}
        >>> memory.rewardSum
        0.99
    """

    mode = Choice(["RL", "MB"], doc="How it learns: Q-learning (RL) or a mushroom body (MB).")
    modality = Choice(["olfaction", "touch"], doc="The sense whose gains it adapts.")
    seed = Integer(
        0, low=0, constant=True, doc="Seed of every random draw; a larva's stream comes from (seed, its id)."
    )
    model_id = Identity(
        None,
        allow_None=True,
        constant=True,
        doc="Id of the larva, a text or a number; that of the brain's agent if absent.",
    )
    frozen = Switch(False, doc="Whether it follows what was learned, and learns no more.")
    only_sensed = Switch(
        False,
        constant=True,
        doc="In a host: learn about all stimuli of the larva's world, and leave out others, such as an odor that no "
        "source has.",
    )
    seeks_food = Switch(
        False,
        doc="Whether contact with food is a reward also to larvae without feeder and toucher, for which the host does "
        "not look for food.",
    )

    def __init__(self, brain: Any | None = None, gain: Gains | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.brain = brain
        self.gain: Gains = {} if gain is None else checked_gain(gain)
        self.rewardSum: float = 0
        self._levels_before: Mapping[str, float] = {}

    def step(self, reward: float = False, dx: Any = None, **kwargs: Any) -> Gains:  # the host's way
        """Count one tick, take in reward and the change of stimuli, and return the gains.

        Args:
            reward: Whether the larva is rewarded, or how much.
            dx: The change of each stimulus since the tick before.
            **kwargs: Whatever else `update_gain` takes.

        Returns:
            The gain of each stimulus: `self.gain` itself.

        Raises:
            InputError: `dx` or `reward` is not finite or of another type; nothing has changed then.
        """
        reward = self._on_food(reward)
        collected = (reward if reward is True or reward is False else self._reward(reward)) - 0.01
        dx = sensing.checked_change(dx) if self.brain is None else self._perceive(dx)
        before = self.ticks, self.total_ticks, self.rewardSum
        if self.active:
            self.count_time()
        self.rewardSum += collected
        try:
            self.update_gain(dx, **kwargs)
        except InputError:
            self.ticks, self.total_ticks, self.rewardSum = before
            raise
        return self.gain

    def update_gain(self, dx: Mapping[str, float] | None = None, **kwargs: Any) -> None:
        """Adapt the gains; here, leave them as they are."""

    @property
    def larva_id(self) -> str | int | None:
        """What names the larva: `model_id`, or its agent's `unique_id`; None where there is neither."""
        own: Any = self.model_id
        if own is not None:
            return checked_identity("model_id", own)
        unique_id: Any = getattr(getattr(self.brain, "agent", None), "unique_id", None)
        return None if unique_id is None else checked_identity("unique_id of the agent", unique_id)

    @property
    def stimuli(self) -> list[str]:
        """The stimuli it learns about: those of its gains, or, with `only_sensed`, those of the larva's world."""
        return self._stimuli(self.gain)

    def _plain(self) -> Plain:
        """Return all there is to keep: a header that JSON can say, and arrays by name."""
        clock = {name: getattr(self, name) for name in _CLOCK}
        checks.number("rewardSum of a memory to be saved", self.rewardSum)
        return {"gain": dict(checked_gain(self.gain)), "levels_before": dict(self._levels_before), "clock": clock}, {}

    def _from_plain(self, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:  # noqa: ARG002
        """Take over what `_plain` gave; the gains are written into the dictionary that is there, as it is shared."""
        gain = checked_gain(header["gain"])
        levels = sensing.checked_change(header["levels_before"])
        clock = {name: kind(header["clock"][name]) for name, kind in _CLOCK.items()}
        for name in ("ticks", "total_ticks"):
            checks.integer(name, clock[name], low=0, high=2**62)
        checks.number("rewardSum", clock["rewardSum"])
        self.gain.update(gain)
        self._levels_before = levels
        for name, value in clock.items():
            setattr(self, name, value)

    def _perceive(self, dx: Any) -> Mapping[str, float]:
        """Return the change of each stimulus: as given, or formed anew where the sensor is blind."""
        given = sensing.checked_change(dx)
        sensor = sensing.sensor_of(self.brain, self.modality)
        if sensor is None or not self._forms_change(sensor):
            return given
        now = sensing.levels(self.brain, self.modality)
        if now is None:
            return given
        change = self._change(sensor, now)
        self._levels_before = dict(now)
        return sensing.checked_change(change)

    def _on_food(self, reward: Any) -> Any:
        """Return the reward given, or whether the larva touches food where the host has not looked."""
        if self.brain is None or not self.seeks_food or sensing.host_seeks_food(self.brain):
            return reward
        return reward or sensing.touches_food(self.brain)

    def _stimuli(self, *given: Iterable[str]) -> list[str]:
        """Return the stimuli that count: those given, or, with `only_sensed`, all those of the larva's world."""
        world = sensing.world(self.brain, self.modality) if self.only_sensed and self.brain is not None else None
        return list(dict.fromkeys(chain(*given))) if world is None else world

    def _forms_change(self, sensor: Any) -> bool:
        return sensing.is_blind(sensor)

    def _change(self, sensor: Any, now: Mapping[str, float]) -> Mapping[str, float]:
        return sensing.relative_change(now, self._levels_before, getattr(sensor, "perception", "log"))

    def _reward(self, reward: Any) -> float:
        """Return a reward as a number."""
        try:
            if math.isfinite(reward):
                return float(reward)
        except (TypeError, OverflowError):
            pass
        raise InputError(f"reward must be True, False or a finite number, got {shown(reward)}")


def checked_gain(gain: Any) -> Gains:
    """Return gains as they were given, every one a finite number.

    Raises:
        InputError: it is no dictionary from texts to finite numbers.
    """
    if not isinstance(gain, MutableMapping) or not all(isinstance(stimulus, str) for stimulus in gain):
        raise InputError(
            f"gain must be a dictionary of the gain of each stimulus, got {shown(gain)}; pass {{'Odor': 0.0}}"
        )
    for stimulus, value in gain.items():
        checks.number(f"gain of {shown(stimulus)}", value)
    return gain
