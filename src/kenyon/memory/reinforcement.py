"""Memories that learn by Q-learning which gain serves best: for odors, and for touch.

The state is how strongly each stimulus changes, in 2k + 1 levels; an action is a gain for each stimulus. Reward is
collected while an action lasts, and credited to it when the next one is chosen.

Two sets of rules. `standard` are those of Q-learning. `larvaworld` are those of Larvaworld 2.5.1, number for number, to
reproduce published runs: the state of every stimulus is that of the last one, an exploring step is not learned from,
learning goes on after the training, and chance comes from Python's global `random`.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError, MissingStimulusError
from kenyon.memory import qlearning_kernel as kernel
from kenyon.memory import sensing
from kenyon.memory.base import Gains, Memory, Plain
from kenyon.memory.options import Choice, Integer, Number, Numbers, Switch
from kenyon.memory.rng import plain_rng, rng_from_plain
from kenyon.memory.tables import Tables
from kenyon.seeds import larva_seed, sfc64_state
from kenyon.words import shown

FloatArray = NDArray[np.float64]
Levels = Mapping[str, float]


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
        The larva's own stream, from (seed, its id); the global `random` under the larvaworld rules.

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
        self.rng = rng
        self._words: NDArray[np.uint64] | None = None
        self._old_rules = self.rules == "larvaworld"
        self._factored = self.table == "factored"
        if self._old_rules and self._factored:
            raise InputError("table must be 'joint' under rules='larvaworld', got 'factored'; use the standard rules")
        self._check_rng(rng)
        self._left_out: set[str] = set()
        self._chosen: dict[str, float] = {}
        self._tables = Tables(
            self.stimuli,
            [float(gain) for gain in self.gain_space],
            self.state_spacePerSide,
            factored=self._factored,
            max_mb=self.max_table_mb,
            acted=self._old_rules,  # Larvaworld learns before it has acted.
        )
        self._read_options()
        self.param.watch(self._read_options, list(_HOT_OPTIONS))
        self.iterator = self.Niters

    def _read_options(self, *_: Any) -> None:
        """Keep the options that every step needs as plain attributes, which are ten times faster to read."""
        self._frozen, self._state_specific = self.frozen, self.state_specific_best
        self._dt, self._train_s = float(self.dt), -1.0 if self._frozen else float(self.train_dur * 60)
        tables = self._tables
        tables.delta, tables.alpha, tables.gamma = float(self.Delta), float(self.alpha), float(self.gamma)
        tables.epsilon, tables.max_mb = float(self.epsilon), float(self.max_table_mb)
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
        states = self._tables.checked("state", state, 1)
        reward = super()._reward(reward)
        for table, following in enumerate(states):
            self._tables.learn(table, following, reward)
        self._tables.state, self._tables.block = states, None

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
            return self._old_state(dx)
        self._meet(dx)
        return self._public(self._tables.states(dx))

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
        if gain is None:
            gain = {}
        dx = sensing.checked_change(dx)
        if self._old_rules:
            return self._old_update_ext_gain(gain, dx, randomize=randomize)
        self._meet(gain)
        self._meet(dx)
        return self._act(gain, dx, self.learning_on, randomize)

    def update_gain(self, dx: Levels | None = None, **kwargs: Any) -> None:  # noqa: ARG002  # as the host calls it
        """Choose new gains when their time has come, and, after training, follow what was learned.

        Args:
            dx: The change of each stimulus.
            **kwargs: Not used.

        Raises:
            InputError: the table would be over its limit. That changes are finite has been seen to by `step`.
        """
        if dx is None:
            dx = {}
        if self._old_rules:
            self._old_update_gain(dx)
            return
        known, left_out = self._tables.stimuli, self._left_out
        for stimuli in (self.gain, dx):
            for stimulus in stimuli:
                if stimulus not in known and stimulus not in left_out:
                    self._meet(stimuli)
        if self.active and self.total_ticks * self._dt <= self._train_s:  # learning_on, without the call
            self.iterator += 1
            if self.condition(dx):
                self._act(self.gain, dx, True, True)
                self._chosen = dict(zip(known, self._tables.gains(self._tables.action), strict=True))
                self.rewardSum = 0.0
                self.iterator = 0
            elif self.iterator == 1:
                # A sensor of the host sets the gain of a stimulus that it meets for the first time to 0.
                self.gain.update(self._chosen)
        elif self._frozen and not any(self._tables.acted):
            pass  # It has learned nothing that it could follow.
        elif self._state_specific:
            self._act(self.gain, dx, False, False)
        else:
            self._write(self.gain, self._tables.best())

    def condition(self, dx: Levels) -> bool:  # noqa: ARG002  # others choose by what changes
        """Return whether it is time to choose."""
        return self.iterator >= self.Niters

    @property
    def q_table(self) -> FloatArray:
        """Value of each action in each state: [S, A] float64; [O, S, A] of a factored table. Write to it freely."""
        return self._tables.q if self._factored else self._tables.each[0]

    @q_table.setter
    def q_table(self, values: Any) -> None:
        given = np.asarray(values, dtype=np.float64)
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
        return self._public(self._tables.state)

    @lastState.setter
    def lastState(self, state: Any) -> None:
        self._tables.state = self._tables.checked("lastState", state, 1)

    @property
    def lastAction(self) -> Any:
        """Action chosen last."""
        return self._public(self._tables.action)

    @lastAction.setter
    def lastAction(self, action: Any) -> None:
        self._tables.action = self._tables.checked("lastAction", action, 2)

    @property
    def best_actions(self) -> tuple[float, ...]:
        """The gain of each stimulus that is best on average over states."""
        return tuple(self._tables.gains(self._tables.best()))

    @property
    def best_gain(self) -> dict[str, float]:
        """The gain that is best on average over states, by stimulus."""
        if self._old_rules:
            return dict(zip(self.gain, self.best_actions, strict=False))
        return dict(zip(self._tables.stimuli, self.best_actions, strict=True))

    @property
    def learning_on(self) -> bool:
        """Whether the training still lasts."""
        return self.active and self.total_ticks * self._dt <= self._train_s

    # How it is done.

    def _plain(self) -> Plain:
        if self._old_rules and self.rng is None:
            raise InputError(
                "rng must be the memory's own to be saved, got Python's global `random`, which other code draws from "
                "too; pass rng=random.Random(1)"
            )
        header, arrays = super()._plain()
        header |= {"iterator": self.iterator, "tables": self._tables.plain(), "rng": plain_rng(self.rng)}
        if not np.isfinite(self._tables.q).all():
            raise InputError("q_table must be finite everywhere to be saved, got others; smaller rewards keep it so")
        arrays["q"] = self._tables.q
        if self._words is not None:
            arrays["stream"] = self._words
        return header, arrays

    def _from_plain(self, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        iterator = checks.integer("iterator", header["iterator"], low=-(2**62), high=2**62)
        rng = rng_from_plain(header["rng"])
        words = arrays.get("stream")
        if words is not None and (words.shape != (4,) or words.dtype != np.uint64):
            raise InputError(f"a stream must be uint64 of shape (4,), got {words.dtype} of {words.shape}")
        self._check_rng(rng)
        self._tables.from_plain(header["tables"], arrays["q"])
        super()._from_plain(header, arrays)
        self.iterator, self.rng, self._words = iterator, rng, words

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

    def _begin_stream(self) -> NDArray[np.uint64]:
        """Return the larva's own stream, [4] uint64; begun at its first draw, when its id is known."""
        larva_id = self.larva_id
        identity = () if larva_id is None else (larva_id,)
        self._words = sfc64_state(larva_seed(int(self.seed), *identity), "choice")
        return self._words

    def _act(self, gain: Gains, dx: Levels, learn: bool, randomize: bool) -> Gains:
        """Learn from the last choice, choose anew in each table, and write the gains."""
        states = self._tables.states(dx)
        if len(states) == 1:
            actions = [self._choose(0, states[0], learn, randomize)]
        else:
            actions = [self._choose(table, state, learn, randomize) for table, state in enumerate(states)]
        self._write(gain, actions)
        return gain

    def _choose(self, table: int, state: int, learn: bool, randomize: bool) -> int:
        """Learn and choose in one table, from the larva's own stream or from the given generator."""
        if randomize and self.rng is None:
            words = self._begin_stream() if self._words is None else self._words
            return self._tables.choose(table, state, self.rewardSum, learn, words)
        action = self._tables.choose(table, state, self.rewardSum, learn)
        if randomize and self.rng.random() < self._tables.epsilon:
            action = kernel.random_action(self.rng.random(), self._tables.q.shape[2])
            self._tables.action[table] = action
        return action

    def _write(self, gain: Gains, actions: Sequence[int]) -> None:
        """Write what was chosen into those of the gains that are there."""
        tables = self._tables
        if len(tables.stimuli) == 1:  # As most have, in every step.
            values: Sequence[float] = (tables.values[actions[0]],)
        else:
            values = tables.gains(actions)
        for stimulus, value in zip(tables.stimuli, values):  # noqa: B905  # of one length
            if stimulus in gain:
                gain[stimulus] = value

    def _meet(self, stimuli: Levels) -> None:
        """Extend tables and gains by each stimulus that is new."""
        new = [stimulus for stimulus in stimuli if stimulus not in self._tables.stimuli]
        world = self._stimuli(new)
        self._tables.meet([stimulus for stimulus in new if stimulus in world])
        self._left_out.update(stimulus for stimulus in new if stimulus not in world)
        for stimulus in stimuli:
            self.gain.setdefault(stimulus, 0.0)

    def _public(self, places: list[int]) -> Any:
        return np.array(places) if self._factored else places[0]

    # The rules of Larvaworld 2.5.1.

    def _old_update_gain(self, dx: Levels) -> None:
        """Choose when it does."""
        if self.learning_on:
            self.iterator += 1
            if self.condition(dx):
                self.gain = self._old_update_ext_gain(self.gain, dx, randomize=True)
                self.rewardSum = 0.0
                self.iterator = 0
        elif self._state_specific:
            self.gain = self._old_update_ext_gain(self.gain, dx, randomize=False)
        else:
            self.gain = self.best_gain

    def _old_update_ext_gain(self, gain: Gains, dx: Levels, *, randomize: bool) -> Gains:
        """Choose as it does: no learning on an exploring step, learning at any time, gains by position."""
        tables = self._tables
        tables.meet(gain)
        chance = random if self.rng is None else self.rng
        if randomize and chance.uniform(0, 1) < tables.epsilon:
            tables.action = [chance.randrange(tables.q.shape[2])]
        else:
            tables.choose(0, self._old_state(dx), self.rewardSum, learn=not self._frozen)
        gain.update(zip(list(gain), tables.gains(tables.action), strict=False))
        return gain

    def _old_state(self, dx: Levels) -> int:
        """Return the state: the last stimulus speaks for all."""
        levels = [self._tables.level(change) for change in list(dx.values())[-1:]]
        return self._tables.joint(levels * len(self._tables.stimuli))


# Read in every step, and so kept as plain attributes.
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
        changes = dx.values()
        if 1 in changes:
            self.rewardSum = 1 / max(self.iterator, 1)
            return True
        if -1 in changes:
            self.rewardSum = float(self.iterator)
            return True
        return False

    def _forms_change(self, sensor: Any) -> bool:  # noqa: ARG002  # whatever sensor
        return not self._old_rules

    def _change(self, sensor: Any, now: Levels) -> Levels:  # noqa: ARG002  # others need its perception
        return sensing.contact_change(now, self._levels_before)
