"""Memories that learn by Q-learning which gain serves best.

The state is how strongly each stimulus changes, in 2k + 1 levels; an action is a gain for each stimulus. Reward is
collected while an action lasts, and credited to it when the next one is chosen.

Two sets of rules: `standard` are those of Q-learning, written here; those of Larvaworld are in `larvaworld_rules`.

A step is taken in one of two ways. The methods that the reference page names do it one after the other, each where the
host calls it, so that whoever overrides one is obeyed. Where nothing is overridden, the same is worked out first and
then written at once (`qlearning_step`), several times as fast.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.memory import clones, larvaworld_rules, qlearning_step, sensing
from kenyon.memory import qlearning_kernel as kernel
from kenyon.memory.base import Gains, Levels, Memory, Plain, checked_gain
from kenyon.memory.options import Choice, Integer, Number, Numbers, Switch
from kenyon.memory.overriding import as_written
from kenyon.memory.rng import plain_rng, rng_from_plain
from kenyon.memory.tables import Last, Tables, last_choice
from kenyon.seeds import larva_seed, sfc64_state
from kenyon.sfc64 import uniform
from kenyon.whole import Change, as_it_is, at_once, update
from kenyon.words import shown

FloatArray = NDArray[np.float64]

_HOT_OPTIONS = (
    "dt",
    "update_dt",
    "train_dur",
    "Delta",
    "alpha",
    "gamma",
    "epsilon",
    "state_specific_best",
    "max_table_mb",
    "frozen",
)
"""Read in every step, and so kept as plain attributes, which are ten times faster to read."""

_KEPT = {"Delta": "_delta", "alpha": "_alpha", "gamma": "_gamma", "epsilon": "_epsilon"}


@as_written
class RLmemory(Memory):
    """A memory that learns by Q-learning which gain serves best.

    Each `update_dt` minutes it credits the reward collected to the gains in force,

        q[s, a] = (1 - alpha) * q[s, a] + alpha * (reward + gamma * max q[state]),

    and chooses new ones: the best known in this state, or, with probability `epsilon`, any. After `train_dur` minutes
    it only follows what it has learned. A stimulus first met in `gain` or `dx` extends the table, and what was learned
    stays.

    Args:
        rng: Source of chance instead of the larva's own stream: a `numpy.random.Generator`, or, under the larvaworld
            rules, a `random.Random`.
        **kwargs: `brain`, `gain`, and the options below.

    Attributes:
        Niters: Ticks between two choices.
        iterator: Ticks since the last choice; starts at `Niters`, so that the first step chooses.
        lastState: State of the last choice: its place in the table, or one place a stimulus in a factored table.
        lastAction: The action chosen then, likewise.
        rng: As given; None where the larva draws from its own stream.

    Raises:
        InputError: an option is out of range, or the table would be over its limit.

    Randomness:
        The larva's own stream, from (seed, its id); the global `random` under the larvaworld rules. A `CloneWarning`
        says so where several without an id draw the same.

    Reference:
        Watkins & Dayan 1992, Machine Learning 8:279.

    Example:
        >>> memory = RLmemory(gain={"Odor": 0.0}, seed=1, epsilon=0.0, update_dt=0.01, alpha=0.5)
        >>> memory.step(reward=False, dx={"Odor": 0.1})
        {'Odor': -300.0}
        >>> for _ in range(12):
        ...     gain = memory.step(reward=memory.gain["Odor"] > 0, dx={"Odor": 0.1})
        >>> memory.best_gain
        {'Odor': 50.0}
    """

    mode = Choice(["RL"], readonly=True, doc="How it learns.")
    update_dt = Number(
        1.0, low=0.0, high=1e6, unit="min", label="gain-update timestep", doc="Time between two choices of gains."
    )
    train_dur = Number(
        30.0, low=0.0, high=1e9, unit="min", label="training duration", doc="After it, nothing more is learned."
    )
    Delta = Number(0.1, low=0.0, high=1e9, doc="Width of a level of change, in the unit of the sensor's `dX`.")
    alpha = Number(0.05, low=0.0, high=1.0, doc="Learning rate.")
    gamma = Number(0.6, low=0.0, high=1.0, doc="Discount: what the best value of the next state counts for.")
    epsilon = Number(0.15, low=0.0, high=1.0, doc="Probability of a random choice.")
    state_spacePerSide = Integer(
        0, low=0, high=1000, constant=True, doc="Levels of change on either side of 0; set when the memory is made."
    )
    state_specific_best = Switch(
        True,
        doc="After training, follow the best action of each state; else the best on average over states.",
    )
    gain_space = Numbers(
        default=[-300.0, -50.0, 50.0, 300.0],
        constant=True,
        doc="Gains to choose from, finite numbers in the unit of the sensor's gain; set when the memory is made.",
    )
    rules = Choice(
        ["standard", "larvaworld"], constant=True, doc="Rules of learning; larvaworld are those of its version 2.5.1."
    )
    table = Choice(
        ["joint", "factored"],
        constant=True,
        doc="One table over every combination of stimuli, or one for each stimulus, which grows linearly.",
    )
    max_table_mb = Number(64.0, low=0.0, high=1e6, unit="MB", doc="Largest size of the table.")

    def __init__(self, *, rng: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._old_rules = self.rules == "larvaworld"
        self._factored = self.table == "factored"
        if self._old_rules and self._factored:
            raise InputError("table must be 'joint' under rules='larvaworld', got 'factored'; use the standard rules")
        self.rng = rng
        self._words: NDArray[np.uint64] | None = None
        self._left_out: frozenset[str] = frozenset()
        self._chosen: dict[str, float] = {}
        self._read_options()
        self.param.watch(self._read_options, [name for name in _HOT_OPTIONS if name in self.param])
        values = [float(gain) for gain in self.gain_space]
        self._tables = Tables.empty(
            self.stimuli, values, self.state_spacePerSide, factored=self._factored, max_mb=self._max_mb
        )
        self._last = self._tables.first(acted=self._old_rules)  # Larvaworld learns before it has acted.
        self.iterator = self.Niters

    def _read_options(self, *_: Any) -> None:
        self._frozen, self._state_specific = self.frozen, self.state_specific_best
        self._dt, self._train_s = float(self.dt), -1.0 if self.frozen else float(self.train_dur * 60)
        self._delta, self._alpha, self._gamma = float(self.Delta), float(self.alpha), float(self.gamma)
        self._epsilon, self._max_mb = float(self.epsilon), float(self.max_table_mb)
        # A quotient such as 5.999999999999999 stands for 6; Larvaworld cuts it off.
        self.Niters = int(self.update_dt * 60 / self.dt * (1 if self._old_rules else 1 + 1e-12))

    # What the reference page names.

    def update_q_table(self, state: int, reward: float) -> None:
        """Credit a reward to the last state and action, and make `state` the last one.

        Args:
            state: The state that followed, as `state_collapse` gives it.
            reward: The reward collected since the last action.

        Raises:
            InputError: the state lies outside the table, or the reward is not finite.
        """
        states, last = self._tables.checked("state", state, 1), self._last
        reward, alpha, gamma = super()._reward(reward), self._option("alpha"), self._option("gamma")
        for table, (q, following) in enumerate(zip(self._each_q(), states, strict=True)):
            if last.acted[table] or not any(last.acted):  # A table that is new has no choice to credit.
                value = kernel.learned(q, last.state[table], last.action[table], reward, following, alpha, gamma)
                q[self._tables.entry(table, last)] = value
        self._last = Last(states, last.action, last.acted)

    def state_collapse(self, dx: Levels) -> Any:
        """Return the state that a change of stimuli stands for.

        Args:
            dx: Change of each stimulus; one that is missing counts as unchanged, one that is new extends the table.

        Returns:
            Its place in the joint table, or one place a stimulus in a factored one.

        Raises:
            InputError: a change is not finite, or the table would be over its limit.
        """
        dx = sensing.checked_change(dx)
        if self._old_rules:
            return larvaworld_rules.state_collapse(self, dx)
        self._meet(dx)
        levels = self._tables.levels_of(
            [dx.get(stimulus, 0.0) for stimulus in self._tables.stimuli], self._option("Delta")
        )
        return np.array(levels) if self._factored else self._place_of(levels)

    def update_ext_gain(
        self,
        gain: Gains | None = None,
        dx: Levels | None = None,
        randomize: bool = True,
    ) -> Gains:
        """Learn from the last choice while training lasts, choose anew, and write the choice into `gain`.

        Args:
            gain: The gain of each stimulus, changed in place.
            dx: The change of each stimulus.
            randomize: Whether the choice may be a random one.

        Returns:
            `gain` itself.

        Raises:
            InputError: a change is not finite, or the table would be over its limit.
        """
        gain = {} if gain is None else checked_gain(gain)
        if not isinstance(randomize, (bool, np.bool_)):
            raise InputError(f"randomize must be True or False, got {shown(randomize)}")
        dx = sensing.checked_change(dx)
        if self._old_rules:
            return larvaworld_rules.update_ext_gain(self, gain, dx, randomize=randomize)
        self._meet(gain, dx)
        state = self.state_collapse(dx)
        if any(self._last.acted) and self.learning_on:
            self.update_q_table(state, self.rewardSum)
        states = self._tables.checked("state", state, 1)
        actions = [kernel.best(q, place) for q, place in zip(self._each_q(), states, strict=True)]
        if randomize:
            actions = self._explored(actions)
        self._last = last_choice(states, actions)
        for stimulus, value in zip(self._tables.stimuli, self._gains_of(actions), strict=True):
            if stimulus in gain:
                gain[stimulus] = value
        return gain

    def update_gain(self, dx: Levels | None = None, **kwargs: Any) -> None:  # noqa: ARG002  # as the host calls it
        """Choose new gains when their time has come, and, after training, follow what was learned.

        Args:
            dx: The change of each stimulus.
            **kwargs: Not used.

        Raises:
            InputError: a change is not finite, or the table would be over its limit.
        """
        dx = sensing.checked_change(dx)
        if self._old_rules:
            larvaworld_rules.update_gain(self, dx)
            return
        self._meet(self.gain, dx)
        if self.learning_on:
            self.iterator += 1
            if self.condition(dx):
                self.gain = self.update_ext_gain(self.gain, dx=dx, randomize=True)
                chosen = dict(zip(self._tables.stimuli, self._gains_of(self._last.action), strict=True))
                self._chosen = {stimulus: self.gain.get(stimulus, value) for stimulus, value in chosen.items()}
                self.rewardSum = 0.0
                self.iterator = 0
            elif self.iterator == 1:
                # A sensor of the host sets the gain of a stimulus that it meets for the first time to 0.
                self.gain.update(self._chosen)
        elif self._frozen and not any(self._last.acted):
            pass  # It has learned nothing that it could follow.
        elif self.state_specific_best:
            self.gain = self.update_ext_gain(self.gain, dx=dx, randomize=False)
        else:
            best = self.best_gain
            self.gain.update({stimulus: value for stimulus, value in best.items() if stimulus in self.gain})

    def condition(self, dx: Levels) -> bool:  # noqa: ARG002  # others choose by what changes
        """Return whether it is time to choose."""
        return self.iterator >= self.Niters

    @property
    def q_table(self) -> FloatArray:
        """Value of each action in each state: [S, A] float64; [O, S, A] of a factored table. Write to it freely."""
        return self._tables.q if self._factored else self._tables.each[0]

    @q_table.setter
    def q_table(self, values: Any) -> None:
        given = checks.numbers("q_table", values)
        if given.shape != self.q_table.shape or not np.isfinite(given).all():
            raise InputError(f"q_table must be finite numbers of shape {self.q_table.shape}, got shape {given.shape}")
        self.q_table[...] = given

    @property
    def state_space(self) -> NDArray[np.int64]:
        """Level of each stimulus in each state: [S, O] int64; [S, 1] of a factored table."""
        stimuli, levels = 1 if self._factored else len(self._tables.stimuli), self._tables.levels
        grid = np.indices((levels,) * stimuli).reshape(stimuli, levels**stimuli)
        return np.ascontiguousarray(grid.T, dtype=np.int64)

    @property
    def actions(self) -> list[tuple[float, ...]]:
        """Gain of each stimulus in each action; of one stimulus in a factored table."""
        if self._factored:
            return [(value,) for value in self._tables.values]
        return [tuple(self._tables.gains([action])) for action in range(self._tables.q.shape[2])]

    @property
    def lastState(self) -> Any:
        """State of the last choice."""
        return self._public(self._last.state)

    @lastState.setter
    def lastState(self, state: Any) -> None:
        self._last = Last(self._tables.checked("lastState", state, 1), *self._last[1:])

    @property
    def lastAction(self) -> Any:
        """Action chosen last."""
        return self._public(self._last.action)

    @lastAction.setter
    def lastAction(self, action: Any) -> None:
        self._last = Last(self._last.state, self._tables.checked("lastAction", action, 2), *self._last[2:])

    @property
    def best_actions(self) -> tuple[float, ...]:
        """The gain of each stimulus that is best on average over states."""
        return tuple(self._gains_of([kernel.best_on_average(q) for q in self._each_q()]))

    @property
    def best_gain(self) -> dict[str, float]:
        """The gain that is best on average over states, by stimulus."""
        return dict(zip(self.gain if self._old_rules else self._tables.stimuli, self.best_actions, strict=False))

    @property
    def learning_on(self) -> bool:
        """Whether the training still lasts."""
        if not self.active or self._frozen:
            return False
        total_t = self.total_t if "total_t" in self._overridden else self.total_ticks * self._dt
        return total_t <= self._train_s

    # What those have in common.

    def _option(self, name: str) -> float:
        """Return an option as a number: as kept, or, where a class has made something else of it, as it says now."""
        return float(getattr(self, name if name in self._overridden else _KEPT[name]))

    def _each_q(self) -> Sequence[FloatArray]:
        """Return the tables, each [S, A]."""
        return list(self.q_table) if self._factored else [self.q_table]

    def _place_of(self, levels: Sequence[int]) -> int:
        """Return the place of a joint state in `state_space`."""
        if "state_space" not in self._overridden:
            return self._tables.joint(levels)
        places = np.flatnonzero((np.asarray(self.state_space) == levels).all(axis=1))
        if not len(places):
            raise InputError(f"state_space must hold every state that is met, got none of levels {list(levels)}")
        return int(places[0])

    def _gains_of(self, actions: Sequence[int]) -> Sequence[float]:
        """Return the gain of each stimulus in `actions`."""
        if "actions" not in self._overridden:
            return self._tables.gains(actions)
        own = self.actions
        return [own[action][0] for action in actions] if self._factored else own[actions[0]]

    def _explored(self, actions: Sequence[int]) -> list[int]:
        """Return the actions, each replaced by any with probability epsilon."""
        words = self._words
        n, epsilon = self._tables.q.shape[2], self._option("epsilon")
        if self.rng is None:
            own = words = self._stream()
            draw: Any = partial(uniform, own)
        else:
            bits = self.rng.bit_generator
            self._note(partial(setattr, bits, "state", bits.state))
            draw = self.rng.random
        explored = [kernel.random_action(draw(), n) if draw() < epsilon else action for action in actions]
        self._words = words
        return explored

    def _public(self, places: Sequence[int]) -> Any:
        return np.array(places) if self._factored else places[0]

    def _meet(self, *stimuli: Iterable[str]) -> None:
        """Extend tables and gains by each stimulus that is new."""
        given = dict.fromkeys(stimulus for each in stimuli for stimulus in each)
        known, left_out = self._tables.stimuli, self._left_out
        new = [stimulus for stimulus in given if stimulus not in known and stimulus not in left_out]
        if not new:
            return
        world = self._stimuli(new)
        here = [stimulus for stimulus in new if stimulus in world]
        tables, last = self._tables.extended(here, self._last, self._max_mb)
        after = {"_tables": tables, "_last": last, "_left_out": left_out.union(set(new).difference(here))}
        gains = {stimulus: 0.0 for stimulus in given if stimulus not in self.gain}
        at_once([update(self.__dict__, after), partial(self.gain.update, gains)])

    # How it is done.

    _live = qlearning_step.live

    def _due(self, dx: Levels, iterator: int, reward: float) -> float | None:  # noqa: ARG002  # as for `condition`
        """Return the reward to learn from if it is time to choose, or None."""
        return reward if iterator >= self.Niters else None

    def _stream(self) -> NDArray[np.uint64]:
        """Return a copy of the larva's own stream, [4] uint64; it begins at the first draw, when the id is known."""
        if self._words is not None:
            return self._words.copy()
        larva_id = self.larva_id
        identity = () if larva_id is None else (larva_id,)
        if larva_id is None and self._epsilon > 0.0:
            clones.begin(self, "choice", int(self.seed))
        return sfc64_state(larva_seed(int(self.seed), *identity), "choice")

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; a source of chance is checked."""
        if name == "rng":
            self._check_rng(value)
        super().__setattr__(name, value)

    def _must_call(self) -> bool:
        # What is drawn from a numpy generator can be noted only in a step that calls.
        return super()._must_call() or isinstance(self.__dict__.get("rng"), np.random.Generator)

    def _as_it_is(self) -> list[Change]:
        return [*super()._as_it_is(), as_it_is(self._tables.q)]

    def _note(self, change: Change) -> None:
        """Note what will make chance again what it is now, should the step that is being taken not be completed."""
        if self._undo:
            self._undo = (change, *self._undo)

    def _plain(self) -> Plain:
        if self._old_rules and self.rng is None:
            raise InputError(
                "rng must be the memory's own to be saved, got Python's global `random`, which other code draws from "
                "too; pass rng=random.Random(1)"
            )
        header, arrays = super()._plain()
        header |= {"iterator": self.iterator, "tables": self._tables.plain(self._last), "rng": plain_rng(self.rng)}
        if not np.isfinite(self._tables.q).all():
            raise InputError("q_table must be finite everywhere to be saved, got others; smaller rewards keep it so")
        arrays["q"] = self._tables.q
        if self._words is not None:
            arrays["stream"] = self._words
        return header, arrays

    def _from_plain(self, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> list[Change]:
        iterator = checks.integer("iterator", header["iterator"], low=-(2**62), high=2**62)
        rng = rng_from_plain(header["rng"])
        words = arrays.get("stream")
        if words is not None and (words.shape != (4,) or words.dtype != np.uint64):
            raise InputError(f"a stream must be uint64 of shape (4,), got {words.dtype} of {words.shape}")
        self._check_rng(rng)
        tables, last = self._tables.from_plain(header["tables"], arrays["q"], self._max_mb)
        own = {"iterator": iterator, "rng": rng, "_words": words, "_tables": tables, "_last": last}
        calls = super()._must_call() or isinstance(rng, np.random.Generator)
        return [*super()._from_plain(header, arrays), update(self.__dict__, {**own, "_calls": calls})]

    def _forms_change(self, sensor: Any) -> bool:
        return not self._old_rules and super()._forms_change(sensor)

    def _reward(self, reward: Any) -> float:
        number = super()._reward(reward)
        return int(number) if self._old_rules else number

    def _check_rng(self, rng: Any) -> None:
        kind: type[Any] = random.Random if self._old_rules else np.random.Generator
        words = "random.Random" if self._old_rules else "numpy.random.Generator"
        if rng is not None and not isinstance(rng, kind):
            raise InputError(f"rng must be a {words}, got {shown(rng)}; or pass seed instead")
