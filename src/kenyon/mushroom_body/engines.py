"""The engines by name: the compiled kernel, and Brian2 as the reference. The numbers are the same."""

from typing import Final

from kenyon import checks
from kenyon.mushroom_body.population import Population

ENGINES: Final = ("kernel", "brian2")


def engine_class(name: str) -> type[Population]:
    """Return the population class of an engine.

    Raises:
        InputError: the engine is unknown.

    Example:
        >>> engine_class("kernel").__name__
        'Population'
    """
    if checks.one_of("engine", name, ENGINES) == "kernel":
        return Population
    from kenyon.mushroom_body.brian import BrianPopulation

    return BrianPopulation
