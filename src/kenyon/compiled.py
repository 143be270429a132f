"""How functions are compiled: without the GIL, and kept between processes where there is a place to keep them."""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function, **options: Any) -> Function:
    """Compile a function with numba; where no cache can be written, compile it anew in each process.

    Example:
        >>> twice = compiled(lambda x: x + x)
        >>> twice(2)
        4
    """
    try:
        return njit(nogil=True, cache=True, **options)(function)  # type: ignore[no-any-return]  # numba has no types
    except RuntimeError:  # Neither the package's folder nor the user's cache folder can be written to.
        return njit(nogil=True, **options)(function)  # type: ignore[no-any-return]  # as above


def cache_folder(function: Any) -> str:
    """Return where a compiled function is kept between processes."""
    folder = function.stats.cache_path
    return str(folder) if folder else "nowhere; set NUMBA_CACHE_DIR to a folder that can be written to"


def compiled_within(function: Function) -> Function:
    """Mark a function to be compiled within its callers only, not once more by itself."""
    return compiled(function, inline="always")
