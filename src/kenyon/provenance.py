"""What made a result: the versions of the code and of what computes beneath it."""

import platform
from functools import cache
from importlib import metadata

NUMERICAL_PACKAGES = ("kenyon", "numpy", "numba", "brian2")


def versions() -> dict[str, str]:
    """Return the version of Python and of each installed package that computes results.

    Example:
        >>> "numpy" in versions()
        True
    """
    installed = {package: _version(package) for package in NUMERICAL_PACKAGES}
    return {"python": platform.python_version(), **{name: number for name, number in installed.items() if number}}


@cache  # Looking it up takes six times as long as all else in writing a larva down, and what runs stays what it is.
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
