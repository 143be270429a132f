"""How functions are compiled: without the GIL, and kept between processes where there is a place to keep them."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from llvmlite import ir
from numba import njit, types
from numba.core import config
from numba.extending import intrinsic

from kenyon.errors import InputError

Function = TypeVar("Function", bound=Callable[..., Any])

_IS_FORBIDDEN: bool = config.DISABLE_JIT  # type: ignore[attr-defined]  # numba makes its names at run time


def compiled(function: Function, **options: Any) -> Function:
    """Compile a function with numba; where no cache can be written, compile it anew in each process.

    Where the user has told numba not to compile, it refuses to be called: what it computes would be other numbers, or
    none at all.

    Example:
        >>> twice = compiled(lambda x: x + x)
        >>> twice(2)
        4
    """
    if _IS_FORBIDDEN:
        return _refusing(function)
    try:
        return njit(nogil=True, cache=True, **options)(function)  # type: ignore[no-any-return]  # numba has no types
    except RuntimeError:  # Neither the package's folder nor the user's cache folder can be written to.
        return njit(nogil=True, **options)(function)  # type: ignore[no-any-return]  # as above


def hindrance() -> str | None:
    """Return why nothing can be compiled here; None where it can.

    Example:
        >>> hindrance() is None
        True
    """
    if not _IS_FORBIDDEN:
        return None
    return "NUMBA_DISABLE_JIT must be 0 or unset for Kenyon to compute, got 1; unset that environment variable"


def _refusing(function: Function) -> Function:
    @wraps(function)
    def refuse(*_args: Any, **_kwargs: Any) -> Any:
        raise InputError(str(hindrance()))

    return refuse  # type: ignore[return-value]  # it never returns


def cache_folder(function: Any) -> str:
    """Return where a compiled function is kept between processes."""
    if _IS_FORBIDDEN:
        return "nowhere"
    folder = function.stats.cache_path
    return str(folder) if folder else "nowhere; set NUMBA_CACHE_DIR to a folder that can be written to"


def compiled_within(function: Function) -> Function:
    """Mark a function to be compiled within its callers only, not once more by itself."""
    return compiled(function, inline="always")


def _take_next(_context: Any, counter: Any) -> Any:
    def one_more(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.atomic_rmw("add", place, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(counter), one_more


take_next: Any = intrinsic(_take_next)
"""Returns counter[0] of [1] int64 and lets it be one more, as one act that no other thread comes between; for compiled
code. Threads that share out rows so need nobody to hand them over, above all not the interpreter, which may be busy."""
