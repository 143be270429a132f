"""What the host builds in place of its own classes: Kenyon's, with defaults that serve larvae in its arenas.

A class made here changes nothing but defaults, so that a model which says nothing else gets them, and says which class
it stands for, as which its memories are kept in files.
"""

import json
from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any

import param

from kenyon import checks
from kenyon.errors import InputError
from kenyon.memory import MushroomBodyMemory, RemoteBrianModelMemory, RLOlfMemory, RLTouchMemory
from kenyon.memory.base import Memory
from kenyon.memory.options import plain_value
from kenyon.mushroom_body.parameters import DEFAULT_NAME
from kenyon.words import shown

CALIBRATED_G: Mapping[str, float] = {"balanced": 0.6, "larval": 1.2, "published": 0.6}
"""Gain per Hz of MBONp - MBONn with which larvae of the host behave nearly as their output neurons say, by the set of
constants of their circuit, for the same index stands for other rates in each (docs/how_to/larvaworld.md,
studies/calibration.py). For `published` it was not measured."""

GAINS: Mapping[str, Mapping[str, float | None]] = {
    "calibrated": {"G": CALIBRATED_G[DEFAULT_NAME], "innate_gain": None},
    "published": {"G": 0.001, "innate_gain": 0.0},
}
"""How MBONp - MBONn becomes a gain. `published` is that of Larvaworld's class; `calibrated` is measured in the host,
here with the default set."""

_IN_HOST: Mapping[str, Mapping[str, Any]] = {
    "RL": {"only_sensed": True, "seeks_food": True, "table": "factored"},
    "MB": {"only_sensed": True, "seeks_food": True, "readout": "probe"},
}

_NONE: Mapping[str, float] = {}

Classes = dict[str, dict[str, type[Memory]]]
Options = Mapping[str, Mapping[str, Any]]


def classes(
    *, remote: bool = False, gain: str = "calibrated", touch_odors: Mapping[str, Any] | None = None, options: Options
) -> Classes:
    """Return the class of each mode and modality of the host.

    Args:
        remote: Whether the mushroom body lives on a server.
        gain: One of `GAINS`.
        touch_odors: For a mushroom body for touch, the odor that each touch sensor stands for.
        options: Defaults of further options, by mode.

    Raises:
        InputError: an option is unknown or its value out of range.

    Example:
        >>> made = classes(options={"MB": {"probe_ms": 500.0}})
        >>> made["MB"]["olfaction"].probe_ms, made["RL"]["olfaction"].table
        (500.0, 'factored')
        >>> made["MB"]["olfaction"](parameters="balanced").G
        0.6
    """
    checks.one_of("gain", gain, list(GAINS))
    for mode in options:
        checks.one_of("mode of options", mode, list(_IN_HOST))
    body: type[Memory] = RemoteBrianModelMemory if remote else MushroomBodyMemory
    rl = {**_IN_HOST["RL"], **options.get("RL", {})}
    own = options.get("MB", {})
    by_set = CALIBRATED_G if gain == "calibrated" and "G" not in own else _NONE
    mb = {**_IN_HOST["MB"], **GAINS[gain], **_of_set(by_set, own), **own}
    touch = {**mb, "modality": "touch"} | ({} if touch_odors is None else {"odors": dict(touch_odors)})
    return {
        "RL": {"olfaction": _with_defaults(RLOlfMemory, rl), "touch": _with_defaults(RLTouchMemory, rl)},
        "MB": {"olfaction": _with_defaults(body, mb, by_set), "touch": _with_defaults(body, touch, by_set)},
    }


def options_of(kind: type[Memory], asked: Iterable[str] = ()) -> list[str]:
    """Return the options that a class of memories takes.

    Raises:
        InputError: one that was asked for is none of them; the nearest ones are named.
    """
    known = [name for name in kind.param if name != "name" and not kind.param[name].readonly]
    for name in asked:
        if name not in known:
            raise InputError(f"an option of {kind.__name__} must be one it has, got {shown(name)}; "
                             f"{checks.nearest(name, known)}")  # fmt: skip
    return known


_KINDS: tuple[type[Memory], ...] = (RLOlfMemory, RLTouchMemory, MushroomBodyMemory, RemoteBrianModelMemory)
_GIVEN = ("brain", "gain", "name", "rng")
"""What a memory may be given besides its options."""

_OF_ONE_LARVA = ("name", "token", "model_id", "sim_id")


def option_coordinates(memory: Memory | None) -> dict[str, float | str]:
    """Return every option that any memory has, as memory.NAME, with the value it has in this one.

    Numbers are floats, nan where it has none or is without that option; all else is text, tables and lists as JSON, and
    "" where it is without; a larva without a memory is without any.

    Example:
        >>> stated = option_coordinates(MushroomBodyMemory(gain={"Odor": 0.0}, G=0.5))
        >>> stated["memory.G"], stated["memory.alpha"], stated["memory.readout"], stated["memory.table"]
        (0.5, nan, 'step', '')
    """
    known = {name: kind.param[name] for kind in _KINDS for name in kind.param if name not in _OF_ONE_LARVA}
    return {f"memory.{name}": _stated(memory, name, parameter) for name, parameter in known.items()}


def _stated(memory: Memory | None, name: str, parameter: Any) -> float | str:
    value = getattr(memory, name) if memory is not None and name in memory.param else None
    if isinstance(parameter, param.Number) and name != "seed":
        return float("nan") if value is None else float(value)
    if value is None or isinstance(value, str):
        return value or ""
    return spelled(value)


def spelled(value: Any) -> str:
    """Return an option's value as text that says all of it, odors of one's own with their responses.

    Example:
        >>> spelled({"CS": "anisole"})
        '{"CS": "anisole"}'
    """
    return json.dumps(plain_value(value), sort_keys=True, default=str)


def _of_set(g_by_set: Mapping[str, float], options: Mapping[str, Any]) -> dict[str, float]:
    """Return the `G` of the set of constants that is among some options, if one is."""
    named = options.get("parameters")
    return {"G": g_by_set[named]} if isinstance(named, str) and named in g_by_set else {}


def _with_defaults(
    kind: type[Memory], defaults: Mapping[str, Any], g_by_set: Mapping[str, float] = _NONE
) -> type[Memory]:
    """Return a class with other defaults; that of `G` may depend on which set of constants a memory is given."""
    options_of(kind, defaults)
    doc = f"`{kind.__name__}` with defaults for larvae of Larvaworld."

    def begin(memory: Any, **options: Any) -> None:
        options_of(kind, [name for name in options if name not in _GIVEN])
        # Said anew, for arguments that may be given by place have defaults of their own.
        declared = {name: type(memory).param[name].default for name in defaults}
        kind.__init__(memory, **{**declared, **_of_set(g_by_set, options), **options})

    kind(**defaults)  # refuses a value that is out of range
    # Copies in the class itself: a default set afterward is not always seen by param, which keeps what it looked up.
    parameters = {name: copy(kind.param[name]) for name in defaults}
    for name, parameter in parameters.items():
        parameter.default = defaults[name]
    metaclass: Any = type(kind)
    own = {"__doc__": doc, "__init__": begin, "stands_for": kind, **parameters}
    made: type[Memory] = metaclass(kind.__name__, (kind,), own)
    return made
