"""What the warp of a GPU can do at once and numba's own words leave open, and how numba's simulator does it.

A warp is 32 threads, here called lanes, that go through a program together.

`product` is a product that stays one, `fused` one that is rounded with the sum it goes into: of `a * b + c` the
compiler of a GPU would make either as it likes, and so give other bits than the kernel on a processor.
"""

import threading
from typing import Any

from numba import cuda
from numba.core.config import ENABLE_CUDASIM

from kenyon.compiled import compiled
from kenyon.mushroom_body import vectors

LANES = 32
ALL_LANES = 0xFFFFFFFF

_REGISTERS = 168
"""Of a lane: as many as let 12 warps share a multiprocessor, three for each of its schedulers."""

device: Any = cuda.jit(device=True)

if ENABLE_CUDASIM:
    entry: Any = cuda.jit

    def ballot(predicate: Any) -> int:
        """Return the lanes for which something is true, as a mask of 32 bits."""
        lane: Any = threading.current_thread()
        votes = lane._manager.block_state  # noqa: SLF001  # where the simulator itself counts votes
        votes[lane.threadIdx.x, 0, 0] = predicate
        lane.syncthreads()
        mask = sum(1 << int(voter) for voter in votes[:, 0, 0].nonzero()[0])
        lane.syncthreads()
        return mask

    def sync() -> None:
        """Let every lane see what the others have written into shared memory until here."""
        lane: Any = threading.current_thread()
        lane.syncthreads()

    _one_at_a_time = threading.Lock()

    def as_on_processor(function: Any) -> Any:
        """Return a function that is compiled for the processor as one that the device can call."""

        def call(*given: Any) -> Any:
            with _one_at_a_time:  # The first of 32 threads compiles it.
                return function(*(getattr(getattr(own, "_item", own), "_ary", own) for own in given))

        return call

    def product(a: float, b: float) -> float:
        """Return a * b, rounded by itself."""
        return a * b

    @compiled
    def _fused(a: float, b: float, c: float) -> Any:
        return vectors.fused(a, b, c)

    fused = as_on_processor(_fused)
    """Returns a * b + c, rounded once."""

else:
    from numba.cuda import libdevice

    entry: Any = cuda.jit(max_registers=_REGISTERS)

    @device
    def ballot(predicate: Any) -> Any:
        """Return the lanes for which something is true, as a mask of 32 bits."""
        return cuda.ballot_sync(ALL_LANES, predicate)

    @device
    def sync() -> None:
        """Let every lane see what the others have written into shared memory until here."""
        cuda.syncwarp()

    def as_on_processor(function: Any) -> Any:
        """Return a function that is compiled for the processor as one that the device can call."""
        return function  # numba compiles it once more, for the device

    @device
    def product(a: float, b: float) -> Any:
        """Return a * b, rounded by itself."""
        return libdevice.dmul_rn(a, b)

    @device
    def fused(a: float, b: float, c: float) -> Any:
        """Return a * b + c, rounded once."""
        return cuda.fma(a, b, c)
