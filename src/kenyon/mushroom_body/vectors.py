"""Loops over time steps whose cells stay in vector registers, written as LLVM IR, for numba itself has no vectors.

A loop is described by a plain Python function, the writer. It runs once, while numba compiles a function that calls the
loop, and each call that it makes to its `Vectors` writes instructions: `docs/explanation/vectors.md` shows one, and
what comes out.
"""

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import config
from numba.core.cgutils import get_or_insert_function
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

_DOUBLE, _STEP, _MASK, _BIT = ir.DoubleType(), ir.IntType(64), ir.IntType(32), ir.IntType(1)


def lanes_of(features: str) -> int:
    """Return how many doubles a vector register holds on a processor with these features, as LLVM names them.

    Example:
        >>> lanes_of("+sse2,+avx2,+fma"), lanes_of("+avx2,+avx512f"), lanes_of("")
        (4, 8, 2)
    """
    there = set(features.split(","))
    return 8 if "+avx512f" in there else 4 if there & {"+avx", "+avx2"} else 2


# The words that are part of the key under which numba keeps compiled code.
FEATURES: str = get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES  # type: ignore[attr-defined,no-untyped-call]

LANES = lanes_of(FEATURES)
"""Doubles in a vector, of the processor that code is compiled for."""


class Vectors:
    """Writes instructions on vectors of `lanes` cells, and on masks that hold a bit for each of up to 32 cells.

    Args:
        builder: Where numba is at in the function under compilation.
        numbers: Pointer to the doubles that a place counts in.
        masks: Pointer to the 32-bit masks that a place counts in.
        lanes: Cells in a vector.
    """

    def __init__(self, builder: Any, numbers: Any, masks: Any, lanes: int) -> None:
        self.builder, self.lanes = builder, lanes
        self._numbers, self._masks = numbers, masks
        self.type = ir.VectorType(_DOUBLE, lanes)
        self.held = ir.Constant(self.type, [math.nan] * lanes)
        self.no_bits = self.bits(0)

    def sum(self, *whole: Any) -> Any:
        """Return the sum of whole numbers and values of the loop."""
        known = sum(value for value in whole if isinstance(value, int))
        total = None
        for value in whole:
            if not isinstance(value, int):
                total = value if total is None else self.builder.add(total, value)
        if total is None:
            return known
        return self.builder.add(total, _whole(known)) if known else total

    def bits(self, mask: int) -> Any:
        """Return a mask that is known beforehand."""
        return ir.Constant(_MASK, mask)

    def load(self, place: Any) -> Any:
        """Return the vector of doubles that begins at a place."""
        return self.builder.load(self._vector_at(place), align=8)

    def store(self, vector: Any, place: Any) -> None:
        """Write a vector to a place."""
        self.builder.store(vector, self._vector_at(place), align=8)

    def everywhere(self, place: Any) -> Any:
        """Return a vector whose lanes all hold the double at a place."""
        return self._spread(self.builder.load(self.builder.gep(self._numbers, [_whole(place)])), self.type)

    def mask(self, place: Any) -> Any:
        """Return the mask at a place."""
        return self.builder.load(self.builder.gep(self._masks, [_whole(place)]))

    def store_mask(self, mask: Any, place: Any) -> None:
        """Write a mask to a place."""
        self.builder.store(mask, self.builder.gep(self._masks, [_whole(place)]))

    def choice(self, mask: Any) -> Callable[[int], Any]:
        """Return a function that gives, for the vector that begins with a cell, which lanes a mask names."""
        wide = ir.VectorType(_STEP, self.lanes)
        spread = self._spread(self.builder.zext(mask, _STEP), wide)

        def lanes(first: int) -> Any:
            own = ir.Constant(wide, [1 << (first + lane) for lane in range(self.lanes)])
            return self.builder.icmp_unsigned("!=", self.builder.and_(spread, own), ir.Constant(wide, None))

        return lanes

    def gathered(self, lanes: Sequence[Any]) -> Any:
        """Return the mask of several vectors of lanes, one after the other."""
        mask = ir.Constant(_MASK, 0)
        for place, own in enumerate(lanes):
            bits = self.builder.zext(self.builder.bitcast(own, ir.IntType(self.lanes)), _MASK)
            mask = self.builder.or_(mask, self.builder.shl(bits, ir.Constant(_MASK, place * self.lanes)))
        return mask

    def any(self, lanes: Sequence[Any]) -> Any:
        """Return whether any lane of several vectors is set."""
        together = lanes[0]
        for own in lanes[1:]:
            together = self.builder.or_(together, own)
        return self.is_set(self.builder.bitcast(together, ir.IntType(self.lanes)))

    def some_not(self, lanes: Sequence[Any]) -> Any:
        """Return whether any lane of several vectors is not set; with AVX-512 each comparison sees to it by itself."""
        together = lanes[0]
        for own in lanes[1:]:
            together = self.builder.and_(together, own)
        bits = self.builder.bitcast(together, ir.IntType(self.lanes))
        return self.builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, (1 << self.lanes) - 1))

    def is_set(self, mask: Any) -> Any:
        """Return whether a mask has any bit."""
        return self.builder.icmp_unsigned("!=", mask, ir.Constant(mask.type, 0))

    def fused(self, factor: Any, other: Any, term: Any) -> Any:
        """Return factor * other + term, rounded once."""
        kind = ir.FunctionType(self.type, [self.type] * 3)
        name = f"llvm.fma.v{self.lanes}f64"
        function = get_or_insert_function(self.builder.module, kind, name)  # type: ignore[no-untyped-call]  # numba's
        return self.builder.call(function, [factor, other, term])

    def seldom(self, condition: Any, values: Sequence[Any], change: Callable[[], Sequence[Any]]) -> list[Any]:
        """Write a branch that is seldom taken.

        Args:
            condition: When it is taken.
            values: Values where it is not.
            change: Writes the branch, and returns the values where it is taken.

        Returns:
            The values behind it.
        """
        builder, before = self.builder, self.builder.block
        taken, after = builder.append_basic_block("seldom"), builder.append_basic_block("mostly")
        builder.cbranch(condition, taken, after).set_weights([1, 30])
        builder.position_at_end(taken)
        changed, end = list(change()), builder.block
        builder.branch(after)
        builder.position_at_end(after)
        behind = [builder.phi(value.type) for value in values]
        for phi, value, own in zip(behind, values, changed, strict=True):
            phi.add_incoming(value, before)
            phi.add_incoming(own, end)
        return behind

    def loop(self, first: Any, last: Any, carried: Sequence[Any], body: Callable[..., Any]) -> tuple[Any, list[Any]]:
        """Write a loop over steps from `first` to before `last`, one at least.

        Args:
            first: First step.
            last: Step before which it ends.
            carried: Values of the first step.
            body: Given a step and the carried values, writes it; returns the values of the next step, and whether to
                stop before that, or None.

        Returns:
            The step at which it has stopped, and the values there.
        """
        builder, before = self.builder, self.builder.block
        inside, after = builder.append_basic_block("step"), builder.append_basic_block("stopped")
        builder.branch(inside)
        builder.position_at_end(inside)
        step = builder.phi(_STEP)
        held = [builder.phi(value.type) for value in carried]
        values, stop = body(step, held)
        following = builder.add(step, _whole(1))
        stops = builder.icmp_signed(">=", following, last)
        if stop is not None:
            stops = builder.or_(stops, stop)
        for phi, start, value in zip([step, *held], [first, *carried], [following, *values], strict=True):
            phi.add_incoming(start, before)
            phi.add_incoming(value, builder.block)
        builder.cbranch(stops, after, inside)
        builder.position_at_end(after)
        return following, values

    def _vector_at(self, place: Any) -> Any:
        start = self.builder.gep(self._numbers, [_whole(place)])
        return self.builder.bitcast(start, self.type.as_pointer())

    def _spread(self, value: Any, wide: Any) -> Any:
        nothing = ir.Constant(wide, ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(_MASK, 0))
        everywhere = ir.Constant(ir.VectorType(_MASK, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, nothing, everywhere)


def _whole(value: Any) -> Any:
    return ir.Constant(_STEP, value) if isinstance(value, int) else value


def vector_loop(write: Callable[..., Any]) -> Any:
    """Return a function for compiled code, whose instructions a writer writes.

    Args:
        write: Given `Vectors` and whole numbers, writes instructions and returns a whole number.

    Returns:
        A function of an array of doubles, an array of 32-bit masks, and the same whole numbers.
    """

    def typed(_context: Any, numbers: Any, masks: Any, *whole: Any) -> Any:
        def written(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            numbers, masks = (
                context.make_array(kind)(context, builder, array).data
                for kind, array in zip(signature.args[:2], args[:2], strict=True)
            )
            # What finds no register is kept on the stack: it shall not lie across two lines of the cache.
            builder.function.attributes.alignstack = 64
            builder.function.attributes.add("noinline")
            return write(Vectors(builder, numbers, masks, LANES), *args[2:])

        return types.int64(numbers, masks, *(types.int64 for _ in whole)), written

    # numba reads the number of arguments off the function.
    given = [own.name for own in inspect.signature(write).parameters.values() if own.kind is own.POSITIONAL_OR_KEYWORD]
    names = ["context", "numbers", "masks", *given[1:]]
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    typed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return intrinsic(typed)


def has_fused(features: str = FEATURES) -> bool:
    """Return whether a processor multiplies and adds in one instruction, with one rounding.

    Where it does not, a function of the C library gives the same bits, many times slower.

    Example:
        >>> has_fused("+avx2,+fma"), has_fused("+avx,-fma")
        (True, False)
    """
    return "x86" not in llvm.get_default_triple() or "+fma" in features.split(",")


def _fused(_context: Any, factor: Any, other: Any, term: Any) -> Any:  # noqa: ARG001  # numba passes them by name
    def once(_: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    return types.float64(types.float64, types.float64, types.float64), once


fused: Any = intrinsic(_fused)
"""Returns factor * other + term, rounded once; for compiled code. The same bits everywhere."""


def _lowest(_context: Any, mask: Any) -> Any:  # noqa: ARG001  # numba passes it by its name
    def count(_: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(_BIT, 0))

    return types.int64(types.int64), count


lowest: Any = intrinsic(_lowest)
"""Returns the place of the lowest bit of a mask, 64 if there is none; for compiled code."""
