"""Thousands of Q-learners stepped together in compiled code; each row is what the single class would be."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.memory import qlearning_kernel as kernel
from kenyon.memory.base import Memory, Plain
from kenyon.memory.modalities import RLOlfMemory, RLTouchMemory
from kenyon.memory.options import checked_identity
from kenyon.memory.reinforcement import RLmemory
from kenyon.seeds import MOST_LARVAE, larva_seed, sfc64_state
from kenyon.whole import Change, write
from kenyon.words import shown

FloatArray = NDArray[np.float64]


class RLPopulation:
    """B larvae that learn by Q-learning, under the standard rules.

    Larva i is `kind(model_id=model_ids[i], gain=dict.fromkeys(stimuli, 0.0), **options)`, number for number.

    Args:
        larvae: How many.
        stimuli: Names of the O stimuli; all there will be.
        kind: The class of each: `RLOlfMemory` or `RLTouchMemory`.
        model_ids: Id of each larva; 0, 1, 2, ... if absent.
        **options: The options of that class, the same for all.

    Attributes:
        gain: [B, O] float64, the gain of each stimulus.
        q_table: [B, S, A] float64; [B, O, S, A] of factored tables.
        reward_sum: [B] float64, reward since the last choice, less 0.01 a tick.
        total_ticks: Ticks so far.

    Raises:
        InputError: an option is out of range, the rules are larvaworld's, or the tables would be over their limit.

    Randomness:
        Each larva's own stream, from (seed, its id).

    Example:
        >>> larvae = RLPopulation(1000, ["CS", "UCS"], table="factored", seed=1)
        >>> larvae.step(dx=np.full((1000, 2), 0.1), reward=np.zeros(1000)).shape
        (1000, 2)
    """

    def __init__(
        self,
        larvae: int,
        stimuli: Sequence[str],
        kind: type[RLmemory] = RLOlfMemory,
        *,
        model_ids: Sequence[str | int] | None = None,
        **options: Any,
    ) -> None:
        n = checks.integer("larvae", larvae, low=1, high=MOST_LARVAE)
        given = range(n) if model_ids is None else checks.several("model_ids", model_ids)
        ids = [checked_identity("each model_id", i) for i in given]
        if len(ids) != n or len(set(ids)) != n:
            raise InputError(f"model_ids must be {n} different ids, got {len(set(ids))} different of {len(ids)}")
        names = [
            checks.instance("each of stimuli", name, str, "name it by a text, such as 'Odor'")
            for name in checks.several("stimuli", stimuli)
        ]
        if not isinstance(kind, type) or kind not in (RLmemory, RLOlfMemory, RLTouchMemory):
            raise InputError(f"kind must be RLmemory, RLOlfMemory or RLTouchMemory, got {shown(kind)}")
        for word in ("brain", "gain", "rng", "model_id"):
            if word in options:
                raise InputError(f"{word} must be left out of a population, whose larvae have model_ids and seed")
        if len(set(names)) < len(names):
            raise InputError(f"stimuli must be different, got {shown(names)}")
        one = self._one = kind(gain=dict.fromkeys(names, 0.0), **options)
        if one.rules != "standard":
            raise InputError(
                "rules must be 'standard' for a population, got 'larvaworld'; step single memories instead"
            )
        if one.frozen:
            raise InputError("frozen must be False for a population, got True; step single memories instead")
        self.stimuli = tuple(names)
        self.model_ids = tuple(ids)
        shape = one._tables.q.shape
        self.gain: FloatArray = np.zeros((n, len(names)))
        self._q: FloatArray = np.zeros((n, *shape))
        self._last_state = np.zeros((n, shape[0]), dtype=np.int64)
        self._last_action = np.zeros((n, shape[0]), dtype=np.int64)
        self._acted = np.zeros(n, dtype=np.bool_)
        self._iterator = np.full(n, one.Niters, dtype=np.int64)
        self.reward_sum: FloatArray = np.zeros(n)
        self._rng = np.array([sfc64_state(larva_seed(one.seed, i), "choice") for i in self.model_ids])
        self._values = np.array(one._tables.values)
        self._clock = np.zeros(1, dtype=np.int64)

    def __repr__(self) -> str:
        """Say what this is."""
        return f"<{len(self)} larvae of {type(self._one).__name__}, {', '.join(self.stimuli)}, tick {self.total_ticks}>"

    def __len__(self) -> int:
        """Return the number of larvae."""
        return len(self.model_ids)

    @property
    def q_table(self) -> FloatArray:
        """The tables, as views."""
        return self._q if self._one.table == "factored" else self._q[:, 0]

    @property
    def total_ticks(self) -> int:
        """Ticks so far."""
        return int(self._clock[0])

    @property
    def learning_on(self) -> bool:
        """Whether the training still lasts."""
        return self._learning(self.total_ticks)

    def step(self, dx: Any, reward: Any = 0.0) -> FloatArray:
        """Step every larva by one tick; return the gains.

        Args:
            dx: [B, O] change of each stimulus.
            reward: [B], or one number for all.

        Returns:
            [B, O] float64: `self.gain` itself, which the next step changes.

        Raises:
            InputError: a shape is another, or a number is not finite; nothing has changed then.
        """
        n = len(self)
        change = checks.array("dx", dx, (n, len(self.stimuli)))
        rewards = checks.numbers("reward", reward, booleans=True)
        rewards = rewards.astype(np.float64) if rewards.dtype.kind == "b" else rewards
        given = checks.array("reward", np.broadcast_to(rewards, n) if rewards.ndim == 0 else rewards, (n,)) - 0.01
        one, learning = self._one, self._learning(self.total_ticks + 1)
        options = one.state_spacePerSide, float(one.Delta), float(one.alpha), float(one.gamma), float(one.epsilon)
        when = one.Niters, learning, one.state_specific_best, one.modality == "touch"
        own = self._q, self._last_state, self._last_action, self._acted, self.reward_sum, self._iterator, self._rng
        # One call, the clock among the rest, so that Ctrl-C finds all of it done or nothing.
        kernel.step_rows(change, given, self._clock, self.gain, *own, self._values, *options, *when)
        return self.gain

    def _learning(self, ticks: int) -> bool:
        return self._one.active and ticks * float(self._one.dt) <= float(self._one.train_dur * 60)

    def _plain(self) -> Plain:
        for name in ("gain", "_q", "reward_sum"):
            if not np.isfinite(getattr(self, name)).all():
                raise InputError(
                    f"{name.lstrip('_')} must be finite everywhere to be saved; smaller rewards keep it so"
                )
        header, _ = Memory._plain(self._one)
        header["clock"] |= dict.fromkeys(("ticks", "total_ticks"), self.total_ticks)
        header |= {"model_ids": list(self.model_ids), "stimuli": list(self.stimuli)}
        return header, {name.lstrip("_"): getattr(self, name) for name in _ARRAYS}

    def _from_plain(self, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> list[Change]:
        if list(header["model_ids"]) != list(self.model_ids) or list(header["stimuli"]) != list(self.stimuli):
            raise InputError("a population must be of the same larvae and stimuli")
        for name in _ARRAYS:
            own, given = getattr(self, name), arrays[name.lstrip("_")]
            if given.shape != own.shape or given.dtype != own.dtype:
                raise InputError(f"{name} must be {own.dtype} of shape {own.shape}, got {given.dtype} of {given.shape}")
        for name, end in (("last_state", self._q.shape[2]), ("last_action", self._q.shape[3]), ("iterator", 2**62)):
            if (arrays[name] < (-(2**62) if name == "iterator" else 0)).any() or (arrays[name] >= end).any():
                raise InputError(f"{name} must lie below {end} and not below 0 everywhere")
        for name in ("gain", "q", "reward_sum"):
            if not np.isfinite(arrays[name]).all():
                raise InputError(f"{name} must be finite everywhere")
        ticks = checks.integer("total_ticks", header["clock"]["total_ticks"], low=0, high=2**62)
        return [
            *Memory._from_plain(self._one, header, {}),
            write(self._clock, 0, ticks),
            *(write(getattr(self, name), Ellipsis, arrays[name.lstrip("_")]) for name in _ARRAYS),
        ]


_ARRAYS = ("gain", "_q", "_last_state", "_last_action", "_acted", "reward_sum", "_iterator", "_rng")
