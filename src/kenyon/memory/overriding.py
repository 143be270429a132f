"""Which methods and properties of the host's reference page a memory has of its own, and not as written here.

A step that is worked out at once calls none of them. So it is taken only where nothing is overridden: by the class, by
one it is mixed with, or in the memory itself. A class that is changed after its memory was made is not noticed.
"""

from typing import Any, TypeVar

import param

REFERENCE = frozenset(
    (
        *("dt", "ticks", "total_ticks", "active", "complete_iteration", "t", "total_t"),
        *("count_time", "reset", "start_effector", "stop_effector"),
        *("brain", "gain", "rewardSum", "step", "update_gain"),
        *("update_dt", "train_dur", "Delta", "alpha", "gamma", "epsilon"),
        *("state_spacePerSide", "state_specific_best", "gain_space"),
        *("Niters", "iterator", "state_space", "actions", "q_table", "lastAction", "lastState"),
        *("update_q_table", "state_collapse", "update_ext_gain", "condition"),
        *("best_actions", "best_gain", "learning_on", "first_odor_best_gain", "second_odor_best_gain"),
        *("server_host", "server_port", "sim_id", "G", "t_sim", "step_id", "runRemoteModel"),
    )
)
"""Every name on the page that decides what a memory does."""

METHODS = frozenset(("count_time", "step", "update_gain", "update_q_table", "state_collapse", "update_ext_gain", "condition", "runRemoteModel"))  # fmt: skip  # noqa: E501
"""Those that can be replaced in one memory, by setting an attribute of it."""

Kind = TypeVar("Kind", bound=type)

_written: dict[type, dict[str, Any]] = {}


def as_written(kind: Kind) -> Kind:
    """Note what the names mean in a class of this package."""
    _written[kind] = {name: _meaning(kind, name) for name in REFERENCE}
    return kind


def overridden(kind: type) -> frozenset[str]:
    """Return the names that mean something else in a class than in the class of this package that it derives from.

    Example:
        >>> from kenyon.memory import RLmemory
        >>> class Eager(RLmemory):
        ...     def condition(self, dx):
        ...         return True
        >>> overridden(RLmemory), overridden(Eager)
        (frozenset(), frozenset({'condition'}))
    """
    ours = next(_written[base] for base in kind.__mro__ if base in _written)
    return frozenset(name for name in REFERENCE if _meaning(kind, name) is not ours[name])


def _meaning(kind: type, name: str) -> Any:
    for base in kind.__mro__:
        if name in vars(base):
            meaning = vars(base)[name]
            return None if isinstance(meaning, param.Parameter) else meaning
    return None
