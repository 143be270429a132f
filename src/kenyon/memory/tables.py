"""The tables of one Q-learner: the value of each action in each state, and the choice that is being tried.

A joint table has an entry for every combination of stimuli: as many states as levels to the power of stimuli, and as
many actions as gains to that power. Factored tables are one for each stimulus, and grow linearly. Both are kept as
q [M, S, A], where M is 1 or the number of stimuli; a state and an action are one place in each of the M tables.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.memory import qlearning_kernel as kernel
from kenyon.words import shown

FloatArray = NDArray[np.float64]


def table_shape(stimuli: int, levels: int, gains: int, *, factored: bool, max_mb: float) -> tuple[int, int, int]:
    """Return M, S and A, or refuse their size before anything is made.

    Raises:
        InputError: the tables would be larger than max_mb.

    Example:
        >>> table_shape(2, 3, 4, factored=False, max_mb=1.0)
        (1, 9, 16)
        >>> table_shape(8, 5, 4, factored=False, max_mb=64.0)
        Traceback (most recent call last):
        ...
        kenyon.errors.InputError: the table must be at most 64 MB, got 2.05e+05 MB for 8 stimuli with 5 levels and 4
        gains each; use table='factored', or set max_table_mb
    """
    shape = (stimuli, levels, gains) if factored else (1, levels**stimuli, gains**stimuli)
    n_bytes = 8 * shape[0] * shape[1] * shape[2]
    if n_bytes <= max_mb * 1e6:
        return shape
    size_mb = min(n_bytes, 10**300) * 1e-6
    remedy = "set max_table_mb" if factored else "use table='factored', or set max_table_mb"
    raise InputError(
        f"the table must be at most {max_mb:g} MB, got {size_mb:.3g} MB for {stimuli} stimuli with {levels} levels "
        f"and {gains} gains each; {remedy}"
    )


class Tables:
    """The tables of one learner, and its last choice.

    Args:
        stimuli: Their names.
        values: Gains to choose from.
        k: Levels of change on either side of 0.
        factored: One table a stimulus.
        max_mb: Largest size.
        acted: Whether the entry at place 0 counts as chosen before anything was.

    Attributes:
        q: [M, S, A] float64.
        each: Its M tables, as views [S, A].
        state: State of the last choice, one place in each table.
        action: The action chosen, likewise.
        acted: Whether there was a choice in each table.
        block: How many states and actions the last choice has become, where stimuli were added since; else None.
        delta: Width of a level of change.
        alpha: Learning rate.
        gamma: Discount.
        epsilon: Probability of any action instead of the best.
    """

    delta: float
    alpha: float
    gamma: float
    epsilon: float

    def __init__(
        self, stimuli: Iterable[str], values: Sequence[float], k: int, *, factored: bool, max_mb: float, acted: bool
    ) -> None:
        self.stimuli = dict.fromkeys(stimuli)  # A set that keeps its order.
        self.values = tuple(values)
        self.k, self.levels = k, 2 * k + 1
        self.factored, self.max_mb = factored, max_mb
        self.hold(np.zeros(self._shape(len(self.stimuli))))
        self.state = [0] * len(self.each)
        self.action = [0] * len(self.each)
        self.acted = [acted] * len(self.each)
        self.block: tuple[int, int] | None = None

    def hold(self, q: FloatArray) -> None:
        """Take over tables [M, S, A]."""
        self.q = q
        self.each: list[FloatArray] = list(q)

    def meet(self, stimuli: Iterable[str]) -> None:
        """Extend the tables by each stimulus that is new; what was learned stays.

        In a joint table every entry is repeated for each level and gain of the new stimulus. The last choice chose no
        gain for it, so the whole block that its entry has become is credited with what follows.

        Raises:
            InputError: the tables would be over their limit; they are as they were then.
        """
        new = [stimulus for stimulus in stimuli if stimulus not in self.stimuli]
        for stimulus in new:
            checks.instance("stimulus", stimulus, str, "name it by a text, such as 'Odor'")
        self._shape(len(self.stimuli) + len(new))
        for stimulus in new:
            q = np.zeros(self._shape(len(self.stimuli) + 1))
            if self.factored:
                q[:-1] = self.q
                self.state.append(self.k)
                self.action.append(0)
                self.acted.append(False)
            else:
                levels, gains = self.levels, len(self.values)
                q[0] = self.q[0].repeat(levels, axis=0).repeat(gains, axis=1)
                states, actions = self.block or (1, 1)
                self.block = states * levels, actions * gains
                self.state, self.action = [self.state[0] * levels], [self.action[0] * gains]
            self.hold(q)
            self.stimuli[stimulus] = None

    def states(self, dx: Mapping[str, float]) -> list[int]:
        """Return the state in each table; a stimulus that is missing counts as unchanged."""
        if self.levels == 1:
            return [0] * len(self.each)
        levels = [self.level(dx.get(stimulus, 0.0)) for stimulus in self.stimuli]
        return levels if self.factored else [self.joint(levels)]

    def level(self, change: float) -> int:
        """Return the level of one change."""
        return int(kernel.level(float(change), self.delta, self.k))

    def joint(self, levels: Iterable[int]) -> int:
        """Return the place of a joint state, in the order of `itertools.product`."""
        index = 0
        for level in levels:
            index = index * self.levels + level
        return index

    def choose(
        self, table: int, state: int, reward: float, learn: bool, words: NDArray[np.uint64] | None = None
    ) -> int:
        """Learn from the last choice in one table, where there was one, and return the next; it is the last one now.

        Args:
            table: Which table.
            state: The state that followed the last choice.
            reward: The reward collected since.
            learn: Whether to learn.
            words: [4] uint64, the stream that decides, with probability epsilon, for any action; None for the best.
        """
        s_tm1, a_tm1 = self.state[table], self.action[table]
        learn = learn and self.acted[table]
        if self.block is not None:
            if learn:
                self.learn(table, state, reward)
            learn, self.block = False, None
        q, alpha, gamma = self.each[table], self.alpha, self.gamma
        if words is None:
            action = kernel.act(q, s_tm1, a_tm1, reward, state, alpha, gamma, learn)
        else:
            action = kernel.explore(q, s_tm1, a_tm1, reward, state, alpha, gamma, learn, self.epsilon, words)
        self.state[table], self.action[table], self.acted[table] = state, action, True
        return action

    def learn(self, table: int, state: int, reward: float) -> None:
        """Credit a reward to the last choice in one table: to its entry, or to the block that it has become."""
        q, s_tm1, a_tm1 = self.each[table], self.state[table], self.action[table]
        states, actions = self.block or (1, 1)
        value = kernel.updated(float(q[s_tm1, a_tm1]), float(reward), float(q[state].max()), self.alpha, self.gamma)
        q[s_tm1 : s_tm1 + states, a_tm1 : a_tm1 + actions] = value

    def best(self) -> list[int]:
        """Return the action that is best on average over states, in each table."""
        return [int(kernel.best_on_average(q)) for q in self.each]

    def gains(self, actions: Sequence[int]) -> list[float]:
        """Return the gain of each stimulus that an action in each table stands for."""
        if len(actions) == len(self.stimuli):  # One table a stimulus, or one stimulus alone.
            return [self.values[action] for action in actions]
        action, digits = actions[0], []
        for _ in self.stimuli:
            action, digit = divmod(int(action), len(self.values))
            digits.append(self.values[digit])
        return digits[::-1]

    def checked(self, name: str, value: Any, axis: int) -> list[int]:
        """Return a state (axis 1) or an action (axis 2) as one place in each table.

        Raises:
            InputError: it lies outside, or is not one place in each table.
        """
        end = self.q.shape[axis]
        places = checks.several(name, value) if self.factored else [value]
        if len(places) != len(self.each):
            raise InputError(f"{name} must be one number for each of {len(self.each)} stimuli, got {shown(value)}")
        return [checks.integer(name, place, low=0, high=end - 1) for place in places]

    def plain(self) -> dict[str, Any]:
        """Return all but the tables themselves, as JSON can say it."""
        return {name: getattr(self, name) for name in ("state", "action", "acted", "block")} | {
            "stimuli": list(self.stimuli)
        }

    def from_plain(self, header: Mapping[str, Any], q: NDArray[Any]) -> None:
        """Take over what `plain` gave, with its tables.

        Raises:
            InputError: the tables are of another shape than these options make, or hold what is no number.
        """
        stimuli = [str(stimulus) for stimulus in checks.several("stimuli", header["stimuli"])]
        if q.shape != self._shape(len(stimuli)) or q.dtype != np.float64 or not np.isfinite(q).all():
            raise InputError(
                f"tables must be finite numbers of shape {self._shape(len(stimuli))}, got {q.dtype} of {q.shape}"
            )
        each = len(q)
        places = {
            name: [checks.integer(f"each {name}", place, low=0, high=q.shape[axis] - 1) for place in header[name]]
            for name, axis in (("state", 1), ("action", 2))
        }
        acted, block = [bool(own) for own in header["acted"]], header["block"]
        if not each == len(places["state"]) == len(places["action"]) == len(acted):
            raise InputError(f"a last choice must be one place in each of {each} tables, got {places}")
        if block is not None:
            _, states, actions = q.shape
            block = (
                checks.integer("states of a block", block[0], low=1, high=states - places["state"][0]),
                checks.integer("actions of a block", block[1], low=1, high=actions - places["action"][0]),
            )
        self.block = block
        self.stimuli, self.state, self.action, self.acted = dict.fromkeys(stimuli), *places.values(), acted
        self.hold(np.ascontiguousarray(q))

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the views, for a copy's must be of its own tables."""
        return {name: value for name, value in self.__dict__.items() if name != "each"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a copy."""
        self.__dict__.update(state)
        self.hold(self.q)

    def _shape(self, stimuli: int) -> tuple[int, int, int]:
        return table_shape(stimuli, self.levels, len(self.values), factored=self.factored, max_mb=self.max_mb)
