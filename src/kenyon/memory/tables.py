"""The tables of one Q-learner: the value of each action in each state, and the last choice in them.

A joint table has an entry for every combination of stimuli: as many states as levels to the power of stimuli, and as
many actions as gains to that power. Factored tables are one for each stimulus, and grow linearly. Both are kept as
q [M, S, A], where M is 1 or the number of stimuli; a state and an action are one place in each of the M tables.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

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


class Last(NamedTuple):
    """The last choice.

    Attributes:
        state: The state it was made in, one place in each table.
        action: The action chosen, likewise.
        acted: Whether there was a choice in each table.
        block: How many states and actions the choice has become, where stimuli were added since; else None.
    """

    state: tuple[int, ...]
    action: tuple[int, ...]
    acted: tuple[bool, ...]
    block: tuple[int, int] | None = None


def last_choice(states: Sequence[int], actions: Sequence[int]) -> Last:
    """Return that these actions were chosen last, one in each table."""
    return tuple.__new__(Last, (tuple(states), tuple(actions), (True,) * len(actions), None))


class Tables:
    """The tables of one learner. What they hold changes; another stimulus makes other tables.

    Args:
        stimuli: Their names.
        values: Gains to choose from.
        k: Levels of change on either side of 0.
        factored: One table a stimulus.
        q: [M, S, A] float64.

    Attributes:
        q: As given.
        each: Its M tables, as views [S, A].
        stimuli: Their names, as the keys of a dictionary.
    """

    def __init__(
        self, stimuli: Iterable[str], values: Sequence[float], k: int, *, factored: bool, q: FloatArray
    ) -> None:
        self.stimuli = dict.fromkeys(stimuli)  # A set that keeps its order.
        self.values = tuple(values)
        self.k, self.levels = k, 2 * k + 1
        self.factored, self.q = factored, q
        self.each: list[FloatArray] = list(q)

    @classmethod
    def empty(
        cls, stimuli: Sequence[str], values: Sequence[float], k: int, *, factored: bool, max_mb: float
    ) -> "Tables":
        """Return tables of zeros.

        Raises:
            InputError: they would be over their limit.
        """
        shape = table_shape(len(stimuli), 2 * k + 1, len(values), factored=factored, max_mb=max_mb)
        return cls(stimuli, values, k, factored=factored, q=np.zeros(shape))

    def first(self, *, acted: bool) -> Last:
        """Return what stands for the last choice before there was one; it counts as one where `acted`."""
        each = len(self.each)
        return Last((0,) * each, (0,) * each, (acted,) * each)

    def extended(self, stimuli: Iterable[str], last: Last, max_mb: float) -> "tuple[Tables, Last]":
        """Return tables with further stimuli, in which what was learned stays, and the last choice in them.

        In a joint table every entry is repeated for each level and gain of the new stimulus. The last choice chose no
        gain for it, so the whole block that its entry has become is credited with what follows.

        Raises:
            InputError: the tables would be over their limit.
        """
        new = list(stimuli)
        for stimulus in new:
            checks.instance("stimulus", stimulus, str, "name it by a text, such as 'Odor'")
        names = [*self.stimuli, *new]
        shape = table_shape(len(names), self.levels, len(self.values), factored=self.factored, max_mb=max_mb)
        if self.factored:
            q: FloatArray = np.zeros(shape)
            q[: len(self.q)] = self.q
            more = (0,) * len(new)
            last = Last(
                last.state + (self.k,) * len(new), last.action + more, last.acted + (False,) * len(new), last.block
            )
        else:
            levels, gains = self.levels ** len(new), len(self.values) ** len(new)
            q = self.q.repeat(levels, axis=1).repeat(gains, axis=2)
            states, actions = last.block or (1, 1)
            block = (states * levels, actions * gains) if new else last.block
            last = Last((last.state[0] * levels,), (last.action[0] * gains,), last.acted, block)
        return Tables(names, self.values, self.k, factored=self.factored, q=q), last

    def states(self, dx: Mapping[str, float], delta: float) -> tuple[int, ...]:
        """Return the state in each table; a stimulus that is missing counts as unchanged."""
        if self.levels == 1:
            return (0,) * len(self.each)
        levels = self.levels_of([dx.get(stimulus, 0.0) for stimulus in self.stimuli], delta)
        return tuple(levels) if self.factored else (self.joint(levels),)

    def levels_of(self, changes: Iterable[float], delta: float) -> list[int]:
        """Return the level of each change."""
        return [int(kernel.level(float(change), delta, self.k)) for change in changes]

    def joint(self, levels: Iterable[int]) -> int:
        """Return the place of a joint state, in the order of `itertools.product`."""
        index = 0
        for level in levels:
            index = index * self.levels + level
        return index

    def entry(self, table: int, last: Last) -> tuple[Any, Any]:
        """Return the place of the last choice in one table: its entry, or the block that it has become."""
        state, action = last.state[table], last.action[table]
        if last.block is None:
            return state, action
        states, actions = last.block
        return slice(state, state + states), slice(action, action + actions)

    def gains(self, actions: Sequence[int]) -> list[float]:
        """Return the gain of each stimulus that an action in each table stands for."""
        if len(actions) == len(self.stimuli):  # One table a stimulus, or one stimulus alone.
            return [self.values[action] for action in actions]
        action, digits = actions[0], []
        for _ in self.stimuli:
            action, digit = divmod(int(action), len(self.values))
            digits.append(self.values[digit])
        return digits[::-1]

    def checked(self, name: str, value: Any, axis: int) -> tuple[int, ...]:
        """Return a state (axis 1) or an action (axis 2) as one place in each table.

        Raises:
            InputError: it lies outside, or is not one place in each table.
        """
        end = self.q.shape[axis]
        places = checks.several(name, value) if self.factored else [value]
        if len(places) != len(self.each):
            raise InputError(f"{name} must be one number for each of {len(self.each)} stimuli, got {shown(value)}")
        return tuple(checks.integer(name, place, low=0, high=end - 1) for place in places)

    def plain(self, last: Last) -> dict[str, Any]:
        """Return all but the tables themselves, as JSON can say it."""
        return {**last._asdict(), "stimuli": list(self.stimuli)}

    def from_plain(self, header: Mapping[str, Any], q: NDArray[Any], max_mb: float) -> "tuple[Tables, Last]":
        """Return what `plain` gave, with its tables, made like these.

        Raises:
            InputError: the tables are of another shape than these options make, or hold what is no number.
        """
        stimuli = [str(stimulus) for stimulus in checks.several("stimuli", header["stimuli"])]
        shape = table_shape(len(stimuli), self.levels, len(self.values), factored=self.factored, max_mb=max_mb)
        if q.shape != shape or q.dtype != np.float64 or not np.isfinite(q).all():
            raise InputError(f"tables must be finite numbers of shape {shape}, got {q.dtype} of {q.shape}")
        each = len(q)
        state, action = (
            tuple(checks.integer(f"each {name}", place, low=0, high=q.shape[axis] - 1) for place in header[name])
            for name, axis in (("state", 1), ("action", 2))
        )
        acted, block = tuple(bool(own) for own in header["acted"]), header["block"]
        if not each == len(state) == len(action) == len(acted):
            raise InputError(f"a last choice must be one place in each of {each} tables, got {shown((state, action))}")
        if block is not None:
            _, states, actions = q.shape
            block = (
                checks.integer("states of a block", block[0], low=1, high=states - state[0]),
                checks.integer("actions of a block", block[1], low=1, high=actions - action[0]),
            )
        tables = Tables(stimuli, self.values, self.k, factored=self.factored, q=np.array(q))
        return tables, Last(state, action, acted, block)

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the views, for a copy's must be of its own tables."""
        return {name: value for name, value in self.__dict__.items() if name != "each"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a copy."""
        self.__dict__.update(state)
        self.each = list(self.q)
