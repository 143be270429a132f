"""What made a result: one id of the whole run, and the versions of the code and of what computes beneath it."""

import hashlib
import json
import math
import platform
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

NUMERICAL_PACKAGES = ("kenyon", "numpy", "numba", "brian2", "numba-cuda")

NUMBERS_VERSION = 2
"""Raised by one whenever the same input gives other numbers than before, be it in the last bit: another order of sums,
another stream, another constant in the code. The golden files tell when: whoever changes one of them raises it."""

_ID_DIGITS = 16

_as_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


def run_id(made_of: Mapping[str, Any]) -> str:
    """Return the id of a whole run: the first 16 hex digits of a SHA-256 of canonical JSON of all that made it.

    Runs of the same id have the same numbers. What changes no number does not belong into it: labels, the engine, how
    many threads there were; `NUMBERS_VERSION` goes in by itself.

    Args:
        made_of: What JSON can say, by name, its mappings in any order. Whole floats and integers are one, so are 0 and
            -0; nan is "absent", which JSON calls null.

    Raises:
        TypeError: there is something that JSON cannot say.

    Example:
        >>> run_id({"seed": "5", "test_s": 3}) == run_id({"test_s": 3.0, "seed": "5"}) != run_id({"seed": "6"})
        True
    """
    everything = ",".join(f"{_as_json(name)}:{spelled(made_of[name])}" for name in sorted(made_of))
    whole = f'{{"made_of":{{{everything}}},"numbers_version":{NUMBERS_VERSION}}}'
    return hashlib.sha256(whole.encode()).hexdigest()[:_ID_DIGITS]


class Spelled(str):
    """A value in the one form in which an id says it."""

    __slots__ = ()


def spelled(value: Any) -> Spelled:
    """Return a value as `run_id` says it, which leaves it so: what many runs have in common is spelled once.

    Raises:
        TypeError: as for `run_id`.

    Example:
        >>> run_id({"seed": "5", "test_s": spelled(3)}) == run_id({"seed": "5", "test_s": 3})
        True
    """
    if isinstance(value, Spelled):
        return value
    return Spelled(_as_json(_canonical(value)))


def spelled_numbers(of: Mapping[str, float | None]) -> Spelled:
    """Return a mapping of numbers as `spelled` does, but each of them spelled once: most are those of the one before.

    Example:
        >>> spelled_numbers({"b": 2.0, "a": None}) == spelled({"a": None, "b": 2})
        True
    """
    return Spelled(f"{{{','.join(_spelled_entry(name, of[name]) for name in sorted(of))}}}")


@lru_cache(maxsize=4096)
def _spelled_entry(name: str, number: float | None) -> str:
    return f"{_as_json(name)}:{spelled(number)}"


def _canonical(value: Any) -> Any:
    """Return a value in the one form in which JSON shall say it."""
    if isinstance(value, float):  # Asked first, for they are the most by far.
        if not math.isfinite(value):
            return None if math.isnan(value) else str(float(value))
        return int(value) if value.is_integer() else float(value)
    if isinstance(value, (list, tuple)):
        return [_canonical(entry) for entry in value]
    if isinstance(value, Mapping):
        return {str(key): _canonical(entry) for key, entry in value.items()}
    return value


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
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
