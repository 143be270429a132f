"""How compiled functions are put together: a part becomes machine code only as a piece of the whole that calls it.

numba optimises each function by itself and makes machine code of it, and then does so again with the copy that each of
its callers holds. Here a part is no more than written down, so that all of it happens once.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba._dynfunc import make_function
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler


class _Whole(JITCodeLibrary):
    """Code of a function that Python calls, and of all parts that it is made of."""

    def add_linking_library(self, library: Any) -> None:
        super().add_linking_library(library)
        if isinstance(library, _Part):
            for own in library.calls:
                if own not in self._linking_libraries:
                    self.add_linking_library(own)


class _Part(_Whole):
    """Code of a function that is made machine code of elsewhere."""

    @property
    def calls(self) -> list[Any]:
        """Code of what it calls."""
        return self._linking_libraries

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout  # noqa: SLF001  # as what it overrides does

    def finalize(self) -> None:
        self._finalized = True


@contextmanager
def _no_collection() -> Iterator[None]:
    """Let Python collect no garbage: what compiles makes a million objects that stay, and looks at them cost."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class WholeCompiler(Compiler):
    """Compiles a function that Python calls."""

    library: Any = _Whole

    def compile_extra(self, function: Any) -> Any:
        """Compile it, as numba's own does."""
        self.state.library = self.library(self.state.targetctx.codegen(), function.__qualname__)
        self.state.library.enable_object_caching()
        with _no_collection():
            return super().compile_extra(function)


class PartCompiler(WholeCompiler):
    """Compiles a function that other compiled ones call."""

    library = _Part

    def compile_extra(self, function: Any) -> Any:
        """Write it down, and say to callers where."""
        self.state.flags.no_compile = True
        done = super().compile_extra(function)
        # What numba knows a compiled function by; this one has no address to be called at.
        known_by = make_function(
            done.fndesc.lookup_module(), function.__name__, "", 0, done.environment, (done.library,)
        )
        self.state.targetctx.insert_user_function(known_by, done.fndesc, [done.library])
        return done._replace(entry_point=known_by)
