"""A larva as compiled code sees it: its record of bytes taken apart into arrays, whatever their length.

So code is compiled once for circuits of all sizes, and a record has no room for cells that are not there.
"""

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array
from numpy.typing import NDArray

from kenyon.compiled import compiled_within
from kenyon.mushroom_body.circuit import N_CHANNELS, N_DANS, N_PNS
from kenyon.mushroom_body.kernel_constants import Constants

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Larva(NamedTuple):
    """The variables of one larva, as `State` has them, in place; `step` is [1]."""

    v_mV: FloatArray
    g_e_nS: FloatArray
    g_i_nS: FloatArray
    g_a_nS: FloatArray
    refractory_steps: NDArray[np.int32]
    w_kc_mbonp_nS: FloatArray
    w_kc_mbonn_nS: FloatArray
    kc_silent_steps: FloatArray
    ticks_left: IntArray
    rng: NDArray[np.uint64]
    step: IntArray
    pn_to_kc: FloatArray
    kc_eligibility: FloatArray
    dan_trace: FloatArray
    dan_silent_steps: FloatArray


def _array_at(_context: Any, own: Any, at: Any, scalar: Any, shape: Any) -> Any:
    kind = types.Array(scalar.instance_type, len(shape), "C")

    def put_together(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        first = builder.gep(context.make_array(signature.args[0])(context, builder, args[0]).data, [args[1]])
        sizes = cgutils.unpack_tuple(builder, args[3])  # type: ignore[no-untyped-call]  # numba has no types
        item = context.get_data_type(kind.dtype)
        strides = [ir.Constant(ir.IntType(64), context.get_abi_sizeof(item))]
        for size in reversed(sizes[1:]):
            strides.insert(0, builder.mul(strides[0], size))
        made = context.make_array(kind)(context, builder)
        data = builder.bitcast(first, item.as_pointer())
        populate_array(made, data, sizes, strides, strides[-1], meminfo=None)  # type: ignore[no-untyped-call]  # as above
        return made._getvalue()  # noqa: SLF001  # as numba's own code does it

    return kind(own, at, scalar, shape), put_together


_array: Any = intrinsic(_array_at)
"""Returns the array of a type and shape that begins at some byte of an array of bytes, which has to outlive it; numba's
own slices and views take five times as long to compile."""


@compiled_within
def larva_of(own: NDArray[np.uint8], at: IntArray, k: Constants) -> Any:
    """Return the larva whose bytes are given.

    Args:
        own: The bytes of a record.
        at: Where each variable begins, as `state.offsets` gives it.
        k: `Constants`, of its layout.
    """
    cells, kcs, dans = (k.n_neurons,), (k.n_kcs,), (N_DANS,)
    return Larva(
        _array(own, at[0], np.float64, cells),
        _array(own, at[1], np.float64, cells),
        _array(own, at[2], np.float64, cells),
        _array(own, at[3], np.float64, cells),
        _array(own, at[4], np.int32, cells),
        _array(own, at[5], np.float64, kcs),
        _array(own, at[6], np.float64, kcs),
        _array(own, at[7], np.float64, kcs),
        _array(own, at[8], np.int64, (N_CHANNELS,)),
        _array(own, at[9], np.uint64, (N_CHANNELS, 4)),
        _array(own, at[10], np.int64, (1,)),
        _array(own, at[11], np.float64, (k.n_kcs, N_PNS)),
        _array(own, at[12], np.float64, kcs),
        _array(own, at[13], np.float64, dans),
        _array(own, at[14], np.float64, dans),
    )
