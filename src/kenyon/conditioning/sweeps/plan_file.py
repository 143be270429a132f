"""A plan of a sweep as a file that people write: TOML, see docs/reference/sweep_plans.md."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from kenyon import checks
from kenyon.conditioning.sweeps.axes import ARGUMENTS
from kenyon.conditioning.sweeps.samples import Integers, LogUniform, Uniform
from kenyon.errors import InputError
from kenyon.mushroom_body import read_odors
from kenyon.mushroom_body.parameters import constants
from kenyon.words import shown

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_WAYS: Final = ("grid", "zip", "random", "latin-hypercube", "table")
_OPTIONS: Final = ("weights", "codes", "per_second")
_OF_DESIGNS: Final = ("bindings", "reinforcer", "odors_file")
_RANGE: Final = ({"low", "high"}, {"low", "high", "log"}, {"from", "to"})


class Plan(NamedTuple):
    """What a plan asks for: a call of `Sweep`.

    Attributes:
        way: How points are made: the name of a method of `Sweep`.
        arguments: Its arguments by place.
        options: Those by name.
    """

    way: str
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]


def read(path: str | os.PathLike[str]) -> Plan:
    """Return what a plan asks for.

    Raises:
        InputError: the file holds something else.
        FileNotFoundError: there is no such file.
    """
    file = checks.path("plan", path)
    if file.is_dir():
        raise InputError(f"a plan must be a file of TOML, got the folder {shown(str(file))}")
    try:
        held = tomllib.loads(file.read_text("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as reason:
        raise InputError(f"a plan must be TOML, got {shown(str(file))}: {reason}") from None
    ways = [name for name in _WAYS if name in held]
    if len(ways) > 1:
        raise InputError(f"{file.name} must vary in one way, got [{'] and ['.join(ways)}]; make two plans")
    fixed = _fixed(file, held)
    return _asked(file, ways[0], held[ways[0]], fixed) if ways else Plan("grid", (fixed,), {})


def _fixed(file: Path, held: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is the same at each point, and options."""
    known = [*ARGUMENTS, *constants(), *_OPTIONS, *_OF_DESIGNS]
    found = {name: own for name, own in held.items() if name not in _WAYS}
    for name, own in found.items():
        if name not in known and isinstance(own, Mapping):
            raise InputError(
                f"{file.name} must vary by [{'], ['.join(_WAYS)}], got [{name}]; {checks.nearest(name, _WAYS)}"
            )
        if isinstance(own, (list, Mapping)) and name not in _OF_DESIGNS:
            raise InputError(f"{name} of {file.name} must be one value, got {shown(own)}; what varies stands in [grid]")
    if (own_odors := found.pop("odors_file", None)) is not None:
        found["odors"] = read_odors(file.parent / checks.instance("odors_file", own_odors, str, "write a path"))
    return found


def _asked(file: Path, way: str, said: Any, fixed: Mapping[str, Any]) -> Plan:
    if way == "table":
        table = checks.instance(f"table of {file.name}", said, str, "write the path of a CSV file")
        return Plan("table", (file.parent / table,), fixed)
    section = dict(checks.instance(f"[{way}] of {file.name}", said, dict, "write a table of axes"))
    sampled = way in ("random", "latin-hypercube")
    drawn = {name: section.pop(name) for name in ("points", "sample_seed") if sampled and name in section}
    axes = {name: _axis(file, way, name, values) for name, values in section.items()}
    for name in axes:
        if name in fixed:
            raise InputError(f"{name} of {file.name} must be fixed or vary, got both; take one away")
    if not sampled:
        return Plan(way, ({**axes, **fixed},), {})
    if "points" not in drawn:
        raise InputError(f"[{way}] of {file.name} must say how many points there are, got none; write points = 100")
    return Plan(way.replace("-", "_"), (drawn.pop("points"), {**axes, **fixed}), drawn)


def _axis(file: Path, way: str, name: str, values: Any) -> Any:
    """Return the values of an axis: a list, from a number to another, or a range to draw from."""
    if isinstance(values, Mapping) and set(values) in _RANGE:
        if "from" in values:
            begin, end = (checks.integer(f"{name} {end}", values[end], low=0) for end in ("from", "to"))
            if way in ("random", "latin-hypercube"):
                return Integers(begin, end)
            checks.integer(f"{name} to", end, low=begin, high=begin + 10**7)
            return range(begin, end + 1)
        log = checks.boolean(f"log of {name}", values.get("log", False))
        return (LogUniform if log else Uniform)(values["low"], values["high"])
    if isinstance(values, Mapping):
        raise InputError(
            f"{name} in [{way}] of {file.name} must be a list, {{ from = 0, to = 9 }} or {{ low = 0.1, high = 1 }}, "
            f"got {shown(dict(values))}; a name with a dot must stand in quotes"
        )
    return values if isinstance(values, list) else [values]
