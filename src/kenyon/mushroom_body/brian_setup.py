"""Brian2 as a guest of this process: imported, and used under settings of ours; those of the user stay as they are."""

import gc
import itertools
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from kenyon.errors import MissingDependencyError, installed_by

GCC_VECTORS = "--param=vect-max-version-for-alias-checks=100"
"""Without, GCC makes no vectors of as many arrays as the equations have."""


@cache
def import_brian2() -> Any:
    """Import Brian2, without its warnings and without its hook that blames it for every uncaught exception.

    Raises:
        MissingDependencyError: Brian2 is not installed, or has yet to be imported in the main thread.
    """
    if "brian2" not in sys.modules and threading.current_thread() is not threading.main_thread():
        raise MissingDependencyError("Brian2 must first be imported in the main thread; import brian2 at the start")
    hook = sys.excepthook
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import brian2
    except (ImportError, AttributeError) as reason:  # The latter: Brian2 before 2.10 beside a NumPy it cannot use.
        message = f"Brian2 must be installed and fit NumPy, got {reason}; {installed_by('brian')}"
        raise MissingDependencyError(message) from None
    finally:
        sys.excepthook = hook
    return brian2


@cache
def codegen_target() -> str:
    """Return how Brian2 runs here: "cython", or the slower "numpy" if no C++ compiler works or a preference says so.

    Raises:
        MissingDependencyError: as for `import_brian2`.

    Example:
        >>> codegen_target() in ("cython", "numpy")
        True
    """
    wanted = import_brian2().prefs["codegen.target"]
    from brian2.codegen.runtime.cython_rt import CythonCodeObject

    with settings("numpy"):
        return "cython" if wanted != "numpy" and CythonCodeObject.is_available() else "numpy"


_runs = itertools.count()


@contextmanager
def settings(target: str) -> Iterator[None]:
    """Set what a network of ours is built or run under, without Brian2's remarks, and put back what was there."""
    prefs = import_brian2().prefs
    from brian2.utils.logger import catch_logs

    ours = {
        "codegen.target": target,
        "core.default_float_dtype": np.float64,
        "codegen.cpp.extra_compile_args_gcc": [*prefs["codegen.cpp.extra_compile_args_gcc"], GCC_VECTORS],
    }
    before = {name: prefs[name] for name in ours}
    # Brian2 begins each run with a search of everything in the process for garbage, three times as long as the rest
    # of its preparations: once in a while is enough. Whoever has frozen much has done this already.
    freeze = next(_runs) % 64 > 0 and gc.get_freeze_count() < 10_000
    with catch_logs(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Brian2 calls what later versions of its dependencies deprecate.
        try:
            prefs.update(ours)
            if freeze:
                gc.freeze()
            yield
        finally:
            prefs.update(before)
            if freeze:
                gc.unfreeze()
