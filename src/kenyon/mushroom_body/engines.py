"""The engines: the compiled kernel, and Brian2 as the reference. The numbers are the same."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.mushroom_body import inputs, kernel
from kenyon.mushroom_body.arguments import FloatArray, IntArray
from kenyon.mushroom_body.engine import Engine, Events
from kenyon.mushroom_body.kernel import Recording
from kenyon.mushroom_body.parameters import Parameters
from kenyon.mushroom_body.state import State
from kenyon.threads import chosen, in_parallel
from kenyon.words import shown

ENGINES: Final = ("kernel", "brian2")
"""Their names."""


@dataclass(frozen=True)
class Kernel(Engine):
    """The compiled kernel, on every core that it is given."""

    name: ClassVar[str] = "kernel"

    def compute(
        self,
        parameters: Parameters,
        state: State,
        n_steps: IntArray,
        rates_hz: FloatArray | None,
        events: Events | None,
        first_step: int,
        recording: Recording,
        *,
        plastic: bool,
        threads: int | None,
    ) -> None:
        """As for `Engine`."""
        offsets: NDArray[np.int64] = np.zeros(len(n_steps) + 1, dtype=np.int64)
        together: NDArray[np.int32] = np.empty((0, 2), dtype=np.int32)
        if events is None:
            per_step = inputs.ticks_per_step(parameters, np.asarray(rates_hz))
        else:
            per_step = np.empty((len(n_steps), 0), dtype=np.int64)
            offsets[1:], together = np.cumsum([len(own) for own in events]), np.concatenate(events)
        k, next_larva = _constants(parameters, plastic=plastic), np.zeros(1, dtype=np.int64)

        def advance() -> None:
            kernel.advance_larvae(
                next_larva, state.records, per_step, together, offsets, first_step, n_steps, k, recording
            )

        in_parallel(advance, min(chosen(threads), len(n_steps)))


_constants = lru_cache(maxsize=64)(kernel.constants)


def engine(given: str | Engine) -> Engine:
    """Return an engine by its name; one that is given already is that itself.

    Raises:
        InputError: the engine is unknown.
        MissingDependencyError: Brian2 is asked for and not installed, or has yet to be imported in the main thread.

    Example:
        >>> engine("kernel")
        Kernel()
    """
    if isinstance(given, Engine):
        return given
    if not isinstance(given, str):
        raise InputError(f"engine must be a name or an Engine, got {shown(given)}; pass 'kernel' or 'brian2'")
    if checks.one_of("engine", given, ENGINES) == "kernel":
        return Kernel()
    from kenyon.mushroom_body.brian import Brian2

    return Brian2()
