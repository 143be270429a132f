"""How result files of earlier versions are read.

Versions 1 and 2 knew one odor and one reinforcement, there or not; of version 1, seed, parameters and the like were
attributes. What such a file does not say is absent, nan or "", and nothing is made up for it.
"""

import json
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kenyon.conditioning import origin
from kenyon.conditioning.moments import mixture_words
from kenyon.conditioning.paradigms import DESCRIPTIONS, of_id
from kenyon.conditioning.setup import DRAWN, NEWBORN
from kenyon.conditioning.variables import MEASURED
from kenyon.mushroom_body import PUBLISHED
from kenyon.mushroom_body.circuit import GROUPS, N_KCS
from kenyon.mushroom_body.parameters import constants

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

_NAMES, _VALUES = "parameter", "parameter_value"
_WORDS: Final = ("paradigm", "paradigm_id", "cs", "us", "seed", "engine")
_KEPT: Final = ("preference_index", "w_kc_mbonp_nS", "w_kc_mbonn_nS", "diverged", "phase_rate_hz", "larva_run_id")
_STATED: Final = ("larva", "larva_seed", "test", "test_label", "test_time_s", "test_odor", "group", "phase_start_s",
                  "phase_duration_s", "run_id", "larvae", "seed", "parameters", "engine", "versions")  # fmt: skip


def renewed(file: "xarray.Dataset", version: int) -> "xarray.Dataset":
    """Return the result of a file of version 1 or 2 as one of today.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: something is missing, of another type, or says what cannot be.
    """
    import xarray

    old = _of_version_1(file) if version == 1 else _spread(file)
    if not _of_run(old):
        return _today(old)
    # Joined from several runs: each larva says its own, so each is renewed by itself.
    larvae = [_alone(old.isel(larva=[place])) for place in range(old.sizes["larva"])]
    return xarray.concat(list(map(_today, larvae)), "larva", coords="different", compat="equals")


def _alone(one: "xarray.Dataset") -> "xarray.Dataset":
    """Return the result of one larva with whatever runs differed in as of all of it."""
    return one.assign_coords({name: one[name].isel(larva=0, drop=True) for name in _of_run(one)})


def _of_run(result: "xarray.Dataset") -> list[Any]:
    """Return what larvae differ in that is of their run and not their own."""
    return [name for name, own in result.coords.items() if "larva" in own.dims and name not in ("larva", "larva_seed")]


def _today(old: "xarray.Dataset") -> "xarray.Dataset":
    """Return a result of one run of version 2 with the variables of today."""
    cs, us = old.cs.item(), old.us.item()
    dose, strength = float(old.concentration), float(old.strength)
    at = float(old.test_concentration)
    tested, given = old.test_odor.values.tolist(), old.phase_us.values.astype(float) * strength
    nothing = np.zeros(len(given))
    smelled = mixture_words(((cs, dose),))
    rates = np.full((*old.preference_index.shape, len(GROUPS)), np.nan)
    for name in ("MBONp", "MBONn"):
        rates[..., list(GROUPS).index(name)] = old[f"test_{name.lower()}_hz"].values
    of_tests: dict[str, Any] = {
        "test_smelled": ["" if np.isnan(at) else mixture_words(((odor, at),)) for odor in tested],
        "test_s": np.full(len(tested), float(old.test_s)),
        "test_lived": np.zeros(len(tested), dtype=np.bool_),
        "test_reward": np.zeros(len(tested)),
        "test_punishment": np.zeros(len(tested)),
        **dict.fromkeys(("test_against", "test_manipulations"), [""] * len(tested)),
    }
    of_phases: dict[str, Any] = {
        "phase_odors": [smelled if there else "" for there in old.phase_cs.values.tolist()],
        "phase_reward": given if us == "reward" else nothing,
        "phase_punishment": given if us == "punishment" else nothing,
        **dict.fromkeys(("phase_label", "phase_against", "phase_manipulations"), [""] * len(given)),
    }
    stated = old[[*_KEPT, *_STATED]].drop_vars([name for name in old.coords if name not in (*_STATED, *constants())])
    stated.attrs = {**old.attrs, "format_version": 3}
    coordinates: dict[str, Any] = dict(
        larva_group=old.paradigm.item(),
        began_as=NEWBORN,
        kept="weights",
        wiring=DRAWN,
        kenyon_cells=N_KCS,
        own_odors="",
        design=_design(old),
        **{name: ("test_odor", values) for name, values in of_tests.items()},
        **{name: ("phase", values) for name, values in of_phases.items()},
    )
    return stated.assign(test_rate_hz=(MEASURED["test_rate_hz"].dims, rates)).assign_coords(coordinates)


def _design(old: "xarray.Dataset") -> str:
    """Return the design of a paradigm that its id still says; how long tests were is absent in version 1."""
    name, identity = old.paradigm.item(), old.paradigm_id.item()
    if name not in DESCRIPTIONS or np.isnan(float(old.test_s)):
        return ""
    return of_id(identity, test_odors=old.test_odor.values.tolist(), test_s=float(old.test_s)).text


def _spread(file: "xarray.Dataset") -> "xarray.Dataset":
    """Return a result of version 2 with each constant of the circuit as a coordinate of its own."""
    if _NAMES not in file:
        return file
    names, values = file[_NAMES].values.tolist(), file[_VALUES].values
    whole = {name: int if constants()[name].whole else float for name in names}
    return file.drop_vars((_NAMES, _VALUES)).assign_coords(
        {name: whole[name](value) for name, value in zip(names, values, strict=True)}
    )


def _of_version_1(old: "xarray.Dataset") -> "xarray.Dataset":
    """Return a result of version 1 with the coordinates and variables of version 2."""
    said = {name: _text(old.attrs, name) for name in _WORDS}
    concentration, strength = _doses(said)
    parameters = PUBLISHED.replace(json.loads(_text(old.attrs, "parameter_values")))
    new = old.drop_vars(("preference_interval", "bound"), errors="ignore")
    new.attrs = {name: old.attrs[name] for name in ("format", "format_version")}
    stated = {
        "run_id": "",
        **said,
        "concentration": concentration,
        "strength": strength,
        **dict.fromkeys(("test_s", "test_concentration", "larvae"), float("nan")),
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
