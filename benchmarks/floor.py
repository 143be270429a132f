"""The floor: what a step of every cell takes alone, with its state in vector registers, and no kernel can do without.

The multiply-adds of the Euler step, the decay of each conductance, a comparison with the threshold of each cell, and
the one bit a group and step that says whether any has fired: all of it with the kernel's own instructions for these
(`kenyon.mushroom_body.layers`), in loops that carry state from step to step. No input is drawn, no spike comes or goes,
nothing is learned, counted or kept. A stretch of steps begins and ends in memory, as in the kernel.

    python benchmarks/floor.py   # prints larva-seconds per second, and the instructions of a step
"""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numpy.typing import NDArray

from kenyon.compiled import compiled
from kenyon.mushroom_body import BALANCED, kernel_constants, layered_larva
from kenyon.mushroom_body.circuit import N_KCS
from kenyon.mushroom_body.inputs import STRETCH
from kenyon.mushroom_body.layers import (
    AFTER,
    G_A,
    G_E,
    G_I,
    KC_INHIBITION,
    KCS,
    LEAK,
    LNS,
    NUMBERS,
    ORNS,
    OUTPUTS,
    PN_INHIBITION,
    PNS,
    PULL,
    ROW,
    SCALE,
    SPIKES,
    VECTORS,
    WITH_LEAK,
    Group,
    V,
    _Cells,
    _inhibited,
)
from kenyon.mushroom_body.vectors import LANES, Vectors, vector_loop
from kenyon.threads import available_cores

_NOT_COUNTED = ("phi", "load", "store", "bitcast", "getelementptr", "br", "insertelement", "shufflevector", "add")


def _alone(
    group: Group, state: tuple[int, ...], at_once: int = VECTORS, inhibition: int | None = None
) -> Callable[..., Any]:
    """Return the writer of the loops over the cells of a group, as many cells in each as the kernel has.

    Args:
        group: The cells.
        state: The rows that change.
        at_once: Vectors of cells in a loop.
        inhibition: Where the inhibition that reaches all of them alike lies for each step.
    """

    def write(v: Vectors, steps: Any) -> Any:
        size = at_once * v.lanes
        for begin in range(0, group.padded, size):
            write_part(v, _Cells(v, group, begin, min(size, group.padded - begin), state), steps)
        return steps

    def write_part(v: Vectors, cells: Any, steps: Any) -> None:
        def body(step: Any, values: list[Any]) -> tuple[list[Any], Any]:
            leak, current = (cells.same(LEAK), None) if inhibition is None else _inhibited(v, inhibition, step)

            def integrate(x: dict[int, Any], vector: int) -> None:
                if G_I in x:
                    own_leak = v.builder.fadd(cells.load(LEAK, vector), x[G_I])
                    own_current = v.builder.fmul(x[G_I], cells.reversals[G_I])
                    cells.integrate(x, vector, own_leak, cells.load(SCALE, vector), own_current)
                else:
                    cells.integrate(x, vector, leak, cells.same(SCALE), current)

            values = cells.each(values, integrate)
            return values, cells.any_above(values)

        _, values = v.loop(v.builder.sub(steps, steps), steps, cells.loaded(), body)
        cells.store(values)

    return write


_WRITERS = {
    "ORN": _alone(ORNS, (V, G_E, G_A)),
    "PN": _alone(PNS, (V, G_E), 2 * VECTORS, PN_INHIBITION),
    "LN": _alone(LNS, (V, G_E), 2 * VECTORS),
    "KC": _alone(KCS._replace(padded=N_KCS), (V, G_E, G_A), inhibition=KC_INHIBITION),
    "outputs": _alone(OUTPUTS, (V, G_E, G_I, G_A)),
}
_orns, _pns, _lns, _kcs, _outputs = map(vector_loop, _WRITERS.values())


@njit(nogil=True)
def _advance_alone(x: NDArray[np.float64], m: NDArray[np.uint32], n_steps: int) -> None:
    for first in range(0, n_steps, STRETCH):
        steps = min(STRETCH, n_steps - first)
        _orns(x, m, steps)
        _pns(x, m, steps)
        _lns(x, m, steps)
        _kcs(x, m, steps)
        _outputs(x, m, steps)


@compiled
def _prepare(x: NDArray[np.float64], k: kernel_constants.Constants) -> None:
    layered_larva.prepare(x, k)  # which compiled code alone can call


def at_rest() -> NDArray[np.float64]:
    """Return the numbers of a larva at rest, as the kernel has them."""
    x = np.zeros(NUMBERS)
    _prepare(x, kernel_constants.constants(BALANCED))
    rows = x[:AFTER].reshape(-1, ROW)
    rows[V] = np.divide(rows[PULL], rows[LEAK], out=np.zeros(ROW), where=rows[LEAK] > 0.0)
    for group, inhibition in ((PNS, PN_INHIBITION), (KCS, KC_INHIBITION)):
        x[inhibition + WITH_LEAK :][:STRETCH] = rows[LEAK, group.place]
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
    """Return how many instructions on vectors a step has, by their kind, as they are written."""
    return sum((Counter(_written(write)) for write in _WRITERS.values()), Counter())


def _written(write: Callable[..., Any]) -> list[str]:
    """Return the instructions on vectors in the loops of a writer."""
    double, mask, step = ir.DoubleType().as_pointer(), ir.IntType(32).as_pointer(), ir.IntType(64)
    function = ir.Function(ir.Module(), ir.FunctionType(step, (double, mask, step)), "floor")
    builder = ir.IRBuilder(function.append_basic_block())
    numbers, masks, steps = function.args
    write(Vectors(builder, numbers, masks, LANES), steps)
    inside = [own for block in function.blocks if block.name.startswith("step") for own in block.instructions]
    named = {"call": "fma"}
    return [
        named.get(own.opname, own.opname)
        for own in inside
        if own.opname not in _NOT_COUNTED and isinstance(own.type, ir.VectorType)
    ]


def main() -> None:
    """Print the speed of the floor and what it is made of."""
    speed = larva_seconds_per_second(64, 5.0)
    each_ns = 1e9 * available_cores() / speed / 10_000
    print(f"{speed:,.0f} larva-seconds per second on {available_cores()} cores; {each_ns:.1f} ns of a core for a step")
    words = ", ".join(f"{count} {name}" for name, count in sorted(instructions().items()))
    print(f"instructions on vectors of {LANES} doubles in a step of one larva: {words}")


if __name__ == "__main__":
    main()
