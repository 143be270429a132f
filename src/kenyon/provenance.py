"""What made a result: the versions of the code and of what computes beneath it."""

import platform
from importlib import metadata

NUMERICAL_PACKAGES = ("kenyon", "numpy", "numba", "brian2")


def versions() -> dict[str, str]:
    """Return the version of Python and of each installed package that computes results.

    Example:
        >>> sorted(versions())[-1]
        'python'
    """
    found = {"python": platform.python_version()}
    for package in NUMERICAL_PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
