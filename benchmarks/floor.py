"""The floor: what a step of every cell takes alone, with its state in vector registers, and no kernel can do without.

The multiply-adds of the Euler step, the decay of each conductance, a comparison with the threshold of each cell, and
the one bit a group and step that says whether any has fired: all of it with the kernel's own instructions for these
(`kenyon.mushroom_body.layers`), in loops that carry state from step to step. No input is drawn, no spike comes or goes,
nothing is learned, counted or kept. A stretch of steps begins and ends in memory, as in the kernel.

    python benchmarks/floor.py   # prints larva-seconds per second, and the instructions of a step
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numpy.typing import NDArray

from kenyon.mushroom_body import BALANCED, kernel, layered
from kenyon.mushroom_body.inputs import STRETCH
from kenyon.mushroom_body.layers import (
    G_A,
    G_E,
    G_I,
    KC_BLOCK,
    KCS,
    LNS,
    NUMBERS,
    ORNS,
    OUTPUTS,
    PNS,
    REST,
    REVERSAL_E,
    SPIKES,
    Group,
    V,
    _Cells,
)
from kenyon.mushroom_body.vectors import LANES, Vectors, vector_loop
from kenyon.threads import available_cores

_NOT_COUNTED = ("phi", "load", "store", "bitcast", "getelementptr", "br", "insertelement", "shufflevector", "add")


def _alone(group: Group, size: int, state: Sequence[int], *, inhibited_together: bool) -> Callable[..., Any]:
    """Return the writer of a loop over some cells of a group; `inhibited_together`: one g_I is that of all."""

    def write(v: Vectors, first_cell: Any, first: Any, last: Any) -> Any:
        cells = _Cells(v, group, first_cell, size, tuple(state))
        shared = [v.everywhere(REVERSAL_E + 6)] if inhibited_together else []

        def body(_: Any, values: list[Any]) -> tuple[list[Any], Any]:
            own, others = values[: len(values) - len(shared)], values[len(values) - len(shared) :]
            after: list[Any] = []
            fired = []
            for vector in range(len(cells.places)):
                x = cells.of(own, vector)
                fired.append(cells.integrate(x, vector, dict(zip([G_I], others, strict=False))))
                after += x.values()
            return after + [v.builder.fmul(g, cells.decays[G_I]) for g in others], v.any(fired)

        step, values = v.loop(first, last, [*cells.loaded(), *shared], body)
        cells.store(values[: len(values) - len(shared)])
        return step

    return write


_WRITERS = {
    "ORN": _alone(ORNS, ORNS.padded, (V, G_E, G_A), inhibited_together=False),
    "PN": _alone(PNS, PNS.padded, (V, G_E), inhibited_together=True),
    "LN": _alone(LNS, LNS.padded, (V, G_E), inhibited_together=False),
    "KC": _alone(KCS, KC_BLOCK, (V, G_E, G_A), inhibited_together=True),
    "outputs": _alone(OUTPUTS, OUTPUTS.padded, (V, G_E, G_I, G_A), inhibited_together=False),
}
_BLOCKS = {name: KCS.padded // KC_BLOCK if name == "KC" else 1 for name in _WRITERS}
_orns, _pns, _lns, _kcs, _outputs = map(vector_loop, _WRITERS.values())


@njit(nogil=True)
def _advance_alone(x: NDArray[np.float64], m: NDArray[np.uint32], n_steps: int) -> None:
    for first in range(0, n_steps, STRETCH):
        last = min(n_steps, first + STRETCH)
        _orns(x, m, 0, first, last)
        _pns(x, m, 0, first, last)
        _lns(x, m, 0, first, last)
        for block in range(0, KCS.padded, KC_BLOCK):
            _kcs(x, m, block, first, last)
        _outputs(x, m, 0, first, last)


def at_rest() -> NDArray[np.float64]:
    """Return the numbers of a larva at rest, as the kernel has them."""
    x = np.empty(NUMBERS)
    layered._prepare(x, kernel.constants(BALANCED))  # noqa: SLF001  # the kernel's own
    for group in (ORNS, PNS, LNS, KCS, OUTPUTS):
        rows = x[group.place :][: 11 * group.padded].reshape(11, group.padded)
        rows[V] = rows[REST]
    return x


def larva_seconds_per_second(larvae: int, seconds: float) -> float:
    """Time the steps of as many larvae for as long, on every core."""
    n_steps = round(seconds * 10_000)

    def advance(_: int) -> None:
        _advance_alone(at_rest(), np.zeros(SPIKES, dtype=np.uint32), n_steps)

    _advance_alone(at_rest(), np.zeros(SPIKES, dtype=np.uint32), 1)
    with ThreadPoolExecutor(available_cores()) as pool:
        begin = time.perf_counter()
        list(pool.map(advance, range(larvae)))
        return larvae * seconds / (time.perf_counter() - begin)


def instructions() -> Counter[str]:
    """Return how many vector instructions of each kind a step has, as they are written."""
    counted: Counter[str] = Counter()
    for name, write in _WRITERS.items():
        for instruction in _written(write):
            counted[instruction] += _BLOCKS[name]
    return counted


def _written(write: Callable[..., Any]) -> list[str]:
    """Return the instructions on numbers in the loop of a writer."""
    double, mask, step = ir.DoubleType().as_pointer(), ir.IntType(32).as_pointer(), ir.IntType(64)
    function = ir.Function(ir.Module(), ir.FunctionType(step, (double, mask, step, step, step)), "floor")
    builder = ir.IRBuilder(function.append_basic_block())
    numbers, masks, *whole = function.args
    write(Vectors(builder, numbers, masks, LANES), *whole)
    inside = function.blocks[1].instructions
    return [own.opname for own in inside if own.opname not in _NOT_COUNTED and isinstance(own.type, ir.VectorType)]


def main() -> None:
    """Print the speed of the floor and what it is made of."""
    speed = larva_seconds_per_second(64, 5.0)
    each_ns = 1e9 * available_cores() / speed / 10_000
    print(f"{speed:,.0f} larva-seconds per second on {available_cores()} cores; {each_ns:.1f} ns of a core for a step")
    words = ", ".join(f"{count} {name}" for name, count in sorted(instructions().items()))
    print(f"instructions on vectors of {LANES} doubles in a step of one larva: {words}")


if __name__ == "__main__":
    main()
