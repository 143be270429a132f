"""What every memory has: a clock, a brain it belongs to, gains it adapts, and a larva it is of."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.memory import sensing
from kenyon.memory.options import Choice, Identity, Seed, Switch, checked_identity
from kenyon.memory.overriding import METHODS, as_written, overridden
from kenyon.memory.timer import Timer
from kenyon.whole import Change, at_once, gains_as_they_are, is_plain, update
from kenyon.words import shown

Gains = MutableMapping[str, float]
Levels = Mapping[str, float]
Result = TypeVar("Result")
Plain = tuple[dict[str, Any], dict[str, NDArray[Any]]]

_DECISIVE = METHODS | {"gain", "rng", "_overridden"}
"""Attributes that decide how a step is taken."""

_CLOCK = {"ticks": int, "total_ticks": int, "active": bool, "complete_iteration": bool, "rewardSum": float}


@as_written
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
    seed = Seed(0, low=0, constant=True, doc="Seed of every random draw; a larva's stream comes from (seed, its id).")
    model_id = Identity(
        None,
        allow_None=True,
        constant=True,
        doc="Id of the larva, a text or a number; that of the brain's agent if absent. Memories without any draw the "
        "same numbers under the same seed, and warn of it.",
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
        self._overridden = overridden(type(self))
        self.brain = brain
        self.gain: Gains = {} if gain is None else gain
        self.rewardSum: float = 0
        self._levels_before: Levels = {}
        self._undo: tuple[Change, ...] = ()
        self._copied = False  # A copy is meant to be the same larva.

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; gains and clock are checked, and a method of the reference page is from now on called."""
        if name == "gain":
            if value is self.__dict__.get("gain"):
                return
            checked_gain(value)
        elif name in ("ticks", "total_ticks", "iterator"):
            checks.integer(name, value, low=-(2**62), high=2**62)
        elif name == "rewardSum":
            checks.number(name, value)
        super().__setattr__(name, value)
        if name in METHODS:
            self.__dict__["_overridden"] = self.__dict__.get("_overridden", frozenset()) | {name}
        if name in _DECISIVE:
            self.__dict__["_calls"] = self._must_call()

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
        if self.brain is None:
            dx, levels = sensing.checked_change(dx), self._levels_before
        else:
            dx, levels = self._perceive(dx)
        if self._calls or kwargs:
            self._call(collected, dx, levels, kwargs)
        else:
            self._live(collected, dx, levels)
        return self.gain

    def update_gain(self, dx: Levels | None = None, **kwargs: Any) -> None:
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

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a copy."""
        super().__setstate__(state)
        self._copied = True

    # How a step is taken.

    def _live(self, collected: float, dx: Levels, levels: Levels) -> None:  # noqa: ARG002  # others learn from it
        """Live through a tick as `_call` does, where nothing is overridden: worked out first, then written at once."""
        tick = 1 if self.active else 0
        self.__dict__.update(
            ticks=self.ticks + tick,
            total_ticks=self.total_ticks + tick,
            rewardSum=self.rewardSum + collected,
            _levels_before=levels,
        )

    def _call(self, collected: float, dx: Levels, levels: Levels, kwargs: Mapping[str, Any]) -> None:
        """Live through a tick by calling the methods of the reference page, each where the host calls it."""

        def call() -> None:
            self._levels_before = levels
            if self.active:
                self.count_time()
            self.rewardSum += collected
            self.update_gain(dx=dx, **kwargs)

        wholly([self], call)

    def _as_it_is(self) -> list[Change]:
        """Return the changes that make whatever a step changes, besides attributes, again what it is now."""
        return gains_as_they_are(self.gain)

    def _take_back(self) -> None:
        """Make everything again what it was before a step that was not completed."""
        at_once(self._undo)

    def _must_call(self) -> bool:
        """Return whether a step has to call the methods of the reference page."""
        return bool(self.__dict__.get("_overridden")) or not is_plain(self.__dict__.get("gain", {}))

    # How it is kept.

    def _plain(self) -> Plain:
        """Return all there is to keep: a header that JSON can say, and arrays by name."""
        clock = {name: getattr(self, name) for name in _CLOCK}
        checks.number("rewardSum of a memory to be saved", self.rewardSum)
        return {"gain": dict(checked_gain(self.gain)), "levels_before": dict(self._levels_before), "clock": clock}, {}

    def _from_plain(self, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> list[Change]:  # noqa: ARG002
        """Return the changes that take over what `_plain` gave.

        The gains are written into the dictionary that is there, as it is shared.
        """
        gain = checked_gain(header["gain"])
        clock = {name: kind(header["clock"][name]) for name, kind in _CLOCK.items()}
        for name in ("ticks", "total_ticks"):
            checks.integer(name, clock[name], low=0, high=2**62)
        checks.number("rewardSum", clock["rewardSum"])
        levels = sensing.checked_change(header["levels_before"])
        own = {**clock, "_levels_before": levels, "_undo": ()}
        return [update(self.__dict__, own), partial(self.gain.update, gain)]

    # What the larva senses.

    def _perceive(self, dx: Any) -> tuple[Levels, Levels]:
        """Return the change of each stimulus, as given or, where the sensor is blind, formed anew, and the levels."""
        given = sensing.checked_change(dx)
        sensor = None if self.brain is None else sensing.sensor_of(self.brain, self.modality)
        if sensor is None or not self._forms_change(sensor):
            return given, self._levels_before
        now = sensing.levels(self.brain, self.modality)
        if now is None:
            return given, self._levels_before
        return sensing.checked_change(self._change(sensor, now)), dict(now)

    def _on_food(self, reward: Any) -> Any:
        """Return the reward given, or whether the larva touches food where the host has not looked."""
        if self.brain is None or not self.seeks_food or sensing.host_seeks_food(self.brain):
            return reward
        return reward or sensing.touches_food(self.brain)

    def _stimuli(self, *given: Iterable[str]) -> list[str]:
        """Return the stimuli that count: those given, or, with `only_sensed`, all those of the larva's world."""
        world = sensing.world(self.brain, self.modality) if self.brain is not None and self.only_sensed else None
        return list(dict.fromkeys(chain(*given))) if world is None else world

    def _forms_change(self, sensor: Any) -> bool:
        return sensing.is_blind(sensor)

    def _change(self, sensor: Any, now: Levels) -> Levels:
        return sensing.relative_change(now, self._levels_before, getattr(sensor, "perception", "log"))

    @staticmethod
    def _refuse_swapped(name: str, value: Any) -> None:
        """Refuse `dx` in another's place: Larvaworld's two kinds of memory have their arguments in different orders."""
        if isinstance(value, Mapping):
            raise InputError(f"{name} must be a number, got {shown(value)}; name them, as in step(dx=..., reward=...)")

    def _reward(self, reward: Any) -> float:
        """Return a reward as a number."""
        if isinstance(reward, (bool, np.bool_)):
            return float(reward)
        self._refuse_swapped("reward", reward)
        try:
            return checks.number("reward", reward)
        except InputError:
            raise InputError(f"reward must be True, False or a finite number, got {shown(reward)}") from None


def wholly(memories: Sequence[Memory], do: Callable[[], Result]) -> Result:
    """Do something that changes memories by their own methods, all of it or nothing.

    What they were before is kept until all is done, and comes back if it is not; should Ctrl-C be pressed a third time
    while it does, then with the next step.
    """
    if not memories:
        return do()
    for memory in memories:
        memory._take_back()
    try:
        try:
            for memory in memories:
                memory._undo = (*memory._as_it_is(), update(vars(memory), {**vars(memory), "_undo": ()}))
            result = do()
            at_once([forgotten(memory) for memory in memories])
        except BaseException:
            take_back(memories)
            raise
    except BaseException:  # Ctrl-C once more, while it was taken back
        take_back(memories)
        raise
    return result


def take_back(memories: Iterable[Memory]) -> None:
    """Make memories again what they were before something that was not completed."""
    at_once([change for memory in memories for change in memory._undo])


def forgotten(memory: Memory) -> Change:
    """Return the change after which nothing of a memory can be taken back."""
    return update(vars(memory), {"_undo": ()})


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
