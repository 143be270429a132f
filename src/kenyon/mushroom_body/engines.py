"""The engines: the compiled kernel, Brian2 as the reference, and a GPU. The numbers are the same."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.errors import InputError
from kenyon.mushroom_body import inputs, kernel, kernel_constants, layered
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.arguments import FloatArray, IntArray
from kenyon.mushroom_body.circuit import Layout
from kenyon.mushroom_body.engine import Engine, Events
from kenyon.mushroom_body.kernel import Recording
from kenyon.mushroom_body.parameters import Parameters
from kenyon.mushroom_body.state import State
from kenyon.threads import chosen, in_parallel
from kenyon.words import shown

ENGINES: Final = ("kernel", "brian2", "cuda")
"""Their names."""


@dataclass(frozen=True)
class Kernel(Engine):
    """The compiled kernel, on every core that it is given.

    It has two forms that give the same numbers, bit for bit: `layered` is several times as fast, `kernel` takes any
    larva, and those that do not fit the layered form.

    Attributes:
        layered: Whether larvae go through the layered form if they fit it; a switch for tests and `verify`.

    Raises:
        InputError: `layered` is neither True nor False.
    """

    name: ClassVar[str] = "kernel"
    layered: bool = True

    def __post_init__(self) -> None:
        """Check the switch."""
        checks.boolean("layered", self.layered)

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
        larvae, together = len(n_steps), _NO_EVENTS
        offsets = np.zeros(larvae + 1, dtype=np.int64)
        if events is None:
            per_step = inputs.ticks_per_step(parameters, np.asarray(rates_hz))
        else:
            per_step = np.empty((larvae, 0), dtype=np.int64)
            offsets[1:], together = np.cumsum([len(own) for own in events]), np.concatenate(events)
        whole = state if state.records.flags.c_contiguous else states.copy(state)
        given = states.in_bytes(whole), states.offsets(state.layout), per_step, together, offsets, first_step
        constants = _constants(parameters, state.layout, plastic=plastic)
        left_out = np.zeros(larvae, dtype=np.bool_)
        threads = 1 if larvae == 1 else min(chosen(threads), larvae)
        if self.layered:
            _share_out(threads, layered.advance_larvae, *given, n_steps, constants, recording, left_out)
        else:
            left_out[:] = True
        if np.count_nonzero(left_out):
            _share_out(threads, kernel.advance_larvae, *given, n_steps * left_out, constants, recording)
        if whole is not state:
            states.write(state, slice(None), whole)


def _share_out(threads: int, advance_larvae: Any, *given: Any) -> None:
    """Let threads take one larva after the other."""
    next_larva = np.zeros(1, dtype=np.int64)
    in_parallel(lambda: advance_larvae(next_larva, *given), threads)


_NO_EVENTS: NDArray[np.int32] = np.empty((0, 2), dtype=np.int32)


@lru_cache(maxsize=64)
def _constants(parameters: Parameters, which: Layout, *, plastic: bool) -> NDArray[np.void]:
    """Return `Constants` as an array of one record: compiled code is handed one pointer, not a hundred numbers.

    Of a record by itself numpy would make a buffer in each call, which takes longer than all other arguments.
    """
    values = kernel_constants.constants(parameters, which, plastic=plastic)._asdict()
    kinds = [(name, np.asarray(value).dtype, np.shape(value)) for name, value in values.items()]
    return np.array([tuple(values.values())], dtype=kinds)


def engine(given: str | Engine) -> Engine:
    """Return an engine by its name; one that is given already is that itself.

    Raises:
        InputError: the engine is unknown.
        MissingDependencyError: Brian2 is asked for and not installed, or has yet to be imported in the main thread; or
            a GPU is asked for, and there is none or nothing to drive it.

    Example:
        >>> engine("kernel")
        Kernel(layered=True)
    """
    if isinstance(given, Engine):
        return given
    if not isinstance(given, str):
        raise InputError(f"engine must be a name or an Engine, got {shown(given)}; pass 'kernel', 'brian2' or 'cuda'")
    name = checks.one_of("engine", given, ENGINES)
    if name == "kernel":
        return Kernel()
    if name == "brian2":
        from kenyon.mushroom_body.brian import Brian2

        return Brian2()
    from kenyon.mushroom_body.cuda import Cuda

    return Cuda()
