"""What a result file holds, and how files of earlier versions are read.

In the file the constants of the circuit lie together, for each variable of a NetCDF file costs 2 ms to read and they
are seventy; in memory each is a coordinate of its own. Of version 1, seed, parameters and the like were attributes;
what such a file does not say is absent, nan or "", and nothing is made up for it.
"""

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from kenyon.conditioning import origin
from kenyon.errors import FileFormatError
from kenyon.mushroom_body import PUBLISHED
from kenyon.mushroom_body.parameters import constants
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

FORMAT = "kenyon conditioning result"
FORMAT_VERSION = 2

_NAMES, _VALUES = "parameter", "parameter_value"

_NUMBERS = ("test_mbonp_hz", "test_mbonn_hz", "preference_index", "w_kc_mbonp_nS", "w_kc_mbonn_nS", "phase_rate_hz",
            "phase_start_s", "phase_duration_s", "test_time_s", "concentration", "strength", "test_s",
            "test_concentration", "larvae", *PUBLISHED.values())  # fmt: skip
_SWITCHES = ("diverged", "phase_cs", "phase_us")
_WORDS = ("larva_seed", "test_label", "test_odor", "group", "run_id", "paradigm", "paradigm_id", "cs", "us", "seed",
          "parameters", "engine", "versions", origin.LARVA_RUN_ID)  # fmt: skip


def packed(result: "xarray.Dataset") -> "xarray.Dataset":
    """Return a result as it lies in a file: the constants that all of it has in common in one variable."""
    common = [name for name in constants() if name in result.coords and result[name].ndim == 0]
    if not common:  # Of several runs that differ in all of them, or not of the circuit alone.
        return result
    values = np.array([float(result[name]) for name in common])
    return result.drop_vars(common).assign_coords({_NAMES: common, _VALUES: (_NAMES, values)})


def unpacked(source: str, file: "xarray.Dataset") -> "xarray.Dataset":
    """Return the result that a file holds.

    Args:
        source: Where it comes from, for the message.
        file: All that the file holds.

    Raises:
        FileFormatError: it is foreign, of a later version, or holds something else than it should.
    """
    kind, version = file.attrs.get("format"), file.attrs.get("format_version")
    whole = isinstance(version, (int, np.integer)) and not isinstance(version, bool)
    if not isinstance(kind, str) or kind != FORMAT or not whole or version not in (1, FORMAT_VERSION):
        raise FileFormatError(
            f"{source} must be a {FORMAT} of version {FORMAT_VERSION} or 1, got {shown(kind)}, {shown(version)}"
        )
    try:
        return _whole(_of_version_1(file) if version == 1 else _spread(file))
    except (KeyError, TypeError, ValueError) as reason:
        raise FileFormatError(f"{source} must be a whole {FORMAT}: {reason}") from None


def _spread(file: "xarray.Dataset") -> "xarray.Dataset":
    """Return a result with each constant of the circuit as a coordinate of its own."""
    if _NAMES not in file:
        return file
    names, values = file[_NAMES].values.tolist(), file[_VALUES].values
    whole = {name: int if constants()[name].whole else float for name in names}
    return file.drop_vars((_NAMES, _VALUES)).assign_coords(
        {name: whole[name](value) for name, value in zip(names, values, strict=True)}
    )


def _whole(result: "xarray.Dataset") -> "xarray.Dataset":
    """Return a result if all that belongs to it is there and of its kind.

    Raises:
        ValueError: something is missing, or numbers, words and switches stand where others belong.
    """
    for names, kinds, words in ((_NUMBERS, "fiu", "numbers"), (_SWITCHES, "b", "true or false"), (_WORDS, "", "text")):
        for name in names:
            if name not in result:
                raise ValueError(f"it has no {name}")
            values = result[name].values
            good = values.dtype.kind in kinds if kinds else all(isinstance(own, str) for own in values.ravel().tolist())
            if not good:
                raise ValueError(f"its {name} must be {words}, got {values.dtype}")
    return result


_ABSENT_NUMBERS = ("test_s", "test_concentration", "larvae")


def _of_version_1(old: "xarray.Dataset") -> "xarray.Dataset":
    """Return a result of format version 1 with the coordinates and variables of version 2.

    Raises:
        KeyError, TypeError, ValueError: an attribute is missing, of another type, or says what cannot be.
    """
    said = {name: _text(old.attrs, name) for name in ("paradigm", "paradigm_id", "cs", "us", "seed", "engine")}
    concentration, strength = _doses(said)
    parameters = PUBLISHED.replace(json.loads(_text(old.attrs, "parameter_values")))
    new = old.drop_vars(("preference_interval", "bound"), errors="ignore").assign_attrs(format_version=FORMAT_VERSION)
    new.attrs = {name: new.attrs[name] for name in ("format", "format_version")}
    stated = {
        "run_id": "",
        **said,
        "concentration": concentration,
        "strength": strength,
        **dict.fromkeys(_ABSENT_NUMBERS, float("nan")),
        "parameters": _text(old.attrs, "parameters"),
        **origin.parameter_coordinates(parameters),
        "versions": _text(old.attrs, "versions"),
    }
    return new.assign(origin.run_variable("larva", "", old.sizes["larva"])).assign_coords(stated)


def _text(attributes: dict[str, Any], name: str) -> str:
    value = attributes[name]
    if not isinstance(value, str):
        raise TypeError(f"its attribute {name} must be text")
    return value


def _doses(said: dict[str, str]) -> tuple[float, float]:
    """Return concentration and strength, which the id of the paradigm spells."""
    start = f"{said['paradigm']}/{said['cs']}@"
    spelled = re.match(rf"{re.escape(start)}([^/]+)/{re.escape(said['us'])}@([^/]+)/", said["paradigm_id"])
    if spelled is None:
        raise ValueError("its attribute paradigm_id must begin with paradigm, odor and reinforcement")
    return float(spelled[1]), float(spelled[2])
