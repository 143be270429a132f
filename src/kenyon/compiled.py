"""How functions are compiled: without the GIL, and kept between processes where there is a place to keep them."""

import os
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar

from llvmlite import ir
from numba import njit, types
from numba.core import config
from numba.extending import intrinsic

from kenyon import code_cache
from kenyon.code_cache import CodeCache
from kenyon.errors import InputError
from kenyon.linking import PartCompiler, WholeCompiler

Function = TypeVar("Function", bound=Callable[..., Any])

_IS_FORBIDDEN: bool = config.DISABLE_JIT  # type: ignore[attr-defined]  # numba makes its names at run time

_CACHES: list[CodeCache] = []


def compiled(function: Function) -> Function:
    """Compile a function with numba; where no cache can be written, compile it anew in each process.

    A division by 0 gives what it gives in IEEE arithmetic, for without a branch for it loops become vector code.

    Where the user has told numba not to compile, it refuses to be called: what it computes would be other numbers, or
    none at all.

    Example:
        >>> twice = compiled(lambda x: x + x)
        >>> twice(2)
        4
    """
    if _IS_FORBIDDEN:
        return _refusing(function)
    dispatcher, part = _compiled(function, WholeCompiler), _compiled(function, PartCompiler)
    dispatcher.get_call_template, dispatcher.get_overload = part.get_call_template, part.get_overload
    # Neither the package's folder nor the user's cache folder may be one that can be written to.
    with suppress(RuntimeError, OSError):
        dispatcher._cache = cache = CodeCache(function)  # noqa: SLF001  # as numba does it itself for cache=True
        _CACHES.append(cache)
    return dispatcher  # type: ignore[no-any-return]  # numba has no types


def _compiled(function: Any, compiler: Any, **more: Any) -> Any:
    """Return a function as numba compiles it when called.

    Compiled callers share one form of it, where numba would make another for each constant given.
    """
    # Nothing written in C shall call it, and a part nothing written in Python, so nothing is made for that.
    options: Any = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, "pipeline_class": compiler}
    if compiler is PartCompiler:
        options["no_cpython_wrapper"] = True
    dispatcher: Any = njit(**options, **more)(function)
    resolve = dispatcher.get_call_template
    of_any: Any = types.unliteral

    def resolve_unliteral(args: Any, kws: Any) -> Any:
        return resolve(tuple(map(of_any, args)), {name: of_any(own) for name, own in kws.items()})

    dispatcher.get_call_template = resolve_unliteral
    return dispatcher


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


def cache_folder() -> str | None:
    """Return the folder under which compiled code is kept between processes; None if that can be nowhere."""
    return os.path.commonpath([cache.cache_path for cache in _CACHES]) if _CACHES else None


def cache_state() -> str:
    """Return in words how it is with the compiled code that is kept.

    Example:
        >>> cache_state()
        'whole'
    """
    if not _CACHES:
        return "compiled anew in each process; set NUMBA_CACHE_DIR to a folder that can be written to"
    damaged = [name for cache in _CACHES for name in cache.damaged()]
    if damaged:
        return f"{', '.join(damaged)} damaged; compiled anew when needed"
    reason = code_cache.hindrance(_CACHES[0].cache_path)
    return "whole" if reason is None else f"cannot be added to: {reason}; make room, or set NUMBA_CACHE_DIR"


def compiled_within(function: Function) -> Function:
    """Mark a function that compiled ones alone call, and that is kept with them.

    Neither Python nor what is compiled otherwise than here may call it: they would call nothing.
    """
    if _IS_FORBIDDEN:
        return _refusing(function)
    return _compiled(function, PartCompiler)  # type: ignore[no-any-return]  # numba has no types


def compiled_part(function: Function) -> Function:
    """Mark a function as `compiled_within`, which makes no arrays.

    Those that it is given are held by its callers, so it need not count who holds them.
    """
    if _IS_FORBIDDEN:
        return _refusing(function)
    return _compiled(function, PartCompiler, _nrt=False)  # type: ignore[no-any-return]  # numba has no types


def _take_next(_context: Any, counter: Any) -> Any:
    def one_more(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.atomic_rmw("add", place, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(counter), one_more


take_next: Any = intrinsic(_take_next)
"""Returns counter[0] of [1] int64 and lets it be one more, as one act that no other thread comes between; for compiled
code. Threads that share out rows so need nobody to hand them over, above all not the interpreter, which may be busy."""
