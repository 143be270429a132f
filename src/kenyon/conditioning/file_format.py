"""What a result file holds.

A variable of a NetCDF file costs 2 ms to read, so whatever is not of each larva lies in one of them, as JSON. Rates lie
there as counts of spikes, and what follows from others is left out, wherever that gives the same to the last bit.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kenyon.conditioning import old_formats, origin
from kenyon.conditioning.origin import LARVA_RUN_ID, run_variable
from kenyon.conditioning.variables import MEASURED, SECONDS, STATED, Variable
from kenyon.errors import FileFormatError
from kenyon.mushroom_body import preference_index
from kenyon.mushroom_body.circuit import N_KCS, layout
from kenyon.mushroom_body.parameters import constants
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

FORMAT: Final = "kenyon conditioning result"
FORMAT_VERSION: Final = 3

FloatArray: TypeAlias = NDArray[np.float64]

_MADE: Final = "made"
_SIZE: Final = "kenyon_cells"
"""Absent in files of before, when all circuits had 72."""

_PLACES: Final = ("larva", "test")
_COUNTED: Final = {
    "test_rate_hz": ("test_spikes", "test_s"),
    "phase_rate_hz": ("phase_spikes", "phase_duration_s"),
    "rate_hz": ("second_spikes", "second_duration_s"),
}
"""Rates: what their counts are called in the file, and how long was counted."""

_TYPES: Final = {"i": np.int64, "u": np.int64, "b": np.bool_, "f": np.float64}
_SPELLED: Final[Mapping[str, type | tuple[type, ...]]] = {"i": int, "u": int, "b": bool, "f": (int, float)}
_KINDS: Final = {"number": "fiu", "switch": "b"}


def packed(result: "xarray.Dataset") -> "xarray.Dataset":
    """Return a result as it lies in a file; one of another kind, as a run of Larvaworld is, lies there as it is."""
    if result.attrs.get("format") != FORMAT:
        return result
    file = result.copy()
    for name, (counts, lasted) in _COUNTED.items():
        if name in file and (spikes := _counts(file, name, lasted)) is not None:
            file = file.drop_vars(name).assign({counts: (result[name].dims, spikes)})
    if "preference_index" in file and _follows(result):
        file = file.drop_vars("preference_index")
    made = {
        str(name): {"dims": list(map(str, own.dims)), "kind": own.dtype.kind, "values": plain(own.values)}
        for name, own in result.coords.items()
        if "larva" not in own.dims and name not in result.dims
    }
    # Whose numbers are their places, and the run of larvae that are all of one, follow too.
    follow = [name for name in _PLACES if _is_place(file, name)]
    if _of_one_run(result):
        follow.append(LARVA_RUN_ID)
    file = file.drop_vars([*made, *follow]).assign({_MADE: json.dumps({"coordinates": made, "follow": follow})})
    for own in file.variables.values():
        if own.dtype.kind in "iu" and own.ndim > 1:
            own.encoding = {"zlib": True, "complevel": 1, "shuffle": True}
    return file


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
    if not isinstance(kind, str) or kind != FORMAT or not whole or version not in (1, 2, FORMAT_VERSION):
        raise FileFormatError(
            f"{source} must be a {FORMAT} of version {FORMAT_VERSION}, 2 or 1, got {shown(kind)}, {shown(version)}"
        )
    try:
        result = _spread(file) if version == FORMAT_VERSION else old_formats.renewed(file, int(version))
        return _whole(described(result))
    except (AttributeError, KeyError, TypeError, ValueError) as reason:
        raise FileFormatError(f"{source} must be a whole {FORMAT}: {reason}") from None


def _spread(file: "xarray.Dataset") -> "xarray.Dataset":
    """Return a result with every coordinate in its place, and all that follows from what the file holds."""
    said = json.loads(file[_MADE].item())
    coordinates = {name: (own["dims"], array(own["values"], own["kind"])) for name, own in said["coordinates"].items()}
    places = {name: np.arange(file.sizes[name]) for name in _PLACES if name in said["follow"]}
    result = file.drop_vars(_MADE).assign_coords({_SIZE: N_KCS, **places, **coordinates})
    if LARVA_RUN_ID in said["follow"]:
        result = result.assign(run_variable("larva", result.run_id.item(), result.sizes["larva"]))
    for name, (counts, lasted) in _COUNTED.items():
        if counts in result:
            rates = _rates(result[counts].values, _seconds(result, lasted), _cells(result))
            result = result.drop_vars(counts).assign({name: (MEASURED[name].dims, rates)})
    if "preference_index" not in result:
        index = preference_index(*(result.test_rate_hz.sel(group=own).values for own in ("MBONp", "MBONn")))
        result = result.assign(preference_index=(MEASURED["preference_index"].dims, index))
    return result


def described(result: "xarray.Dataset") -> "xarray.Dataset":
    """Return a result each variable of which says what it is, in which unit."""
    for name, variable in ({**MEASURED, **STATED, **SECONDS}).items():
        if name in result.variables:
            result.variables[name].attrs = variable.attributes
    return result


def _is_place(file: "xarray.Dataset", name: str) -> bool:
    """Return whether a coordinate numbers its dimension from 0."""
    return name in file.coords and np.array_equal(file[name].values, np.arange(file.sizes[name]))


def _of_one_run(result: "xarray.Dataset") -> bool:
    """Return whether each larva is of the one run that the result states."""
    if LARVA_RUN_ID not in result or result[LARVA_RUN_ID].dims != ("larva",) or result.coords["run_id"].ndim:
        return False
    return bool((result[LARVA_RUN_ID].values == result.run_id.item()).all())


def _counts(result: "xarray.Dataset", name: str, lasted: str) -> NDArray[np.int32] | None:
    """Return rates as counts of spikes, -1 where absent; None where the rates do not follow from them."""
    if (
        result[lasted].ndim != 1
        or result.coords["dt_ms"].ndim
        or result.coords[_SIZE].ndim
        or result[name].dims != MEASURED[name].dims
    ):
        return None
    rates, seconds = result[name].values, _seconds(result, lasted)
    cells = _cells(result)
    spikes = np.rint(rates * seconds[:, None] * cells)
    counts: NDArray[np.int32] = np.where(np.isnan(spikes), -1, spikes).astype(np.int32)
    return counts if np.array_equal(_rates(counts, seconds, cells), rates, equal_nan=True) else None


def _rates(counts: NDArray[np.int32], seconds: FloatArray, cells: NDArray[np.int64]) -> FloatArray:
    rates: FloatArray = np.where(counts < 0, np.nan, counts / cells / seconds[:, None])
    return rates


def _cells(result: "xarray.Dataset") -> NDArray[np.int64]:
    """Return how many cells each group of neurons has."""
    groups = layout(int(result.coords[_SIZE])).groups
    return np.array([own.stop - own.start for own in groups.values()])


def _seconds(result: "xarray.Dataset", lasted: str) -> FloatArray:
    """Return how long was counted, as activity says it: in whole time steps."""
    dt_ms = float(result.dt_ms)
    seconds: FloatArray = np.rint(result[lasted].values * 1e3 / dt_ms) * dt_ms * 1e-3
    return seconds


def _follows(result: "xarray.Dataset") -> bool:
    """Return whether the preference index is that of the rates."""
    rates = result.test_rate_hz
    index = preference_index(*(rates.sel(group=own).values for own in ("MBONp", "MBONn")))
    return rates.dims == MEASURED["test_rate_hz"].dims and np.array_equal(
        index, result.preference_index.values, equal_nan=True
    )


def plain(values: NDArray[Any]) -> Any:
    """Return values as JSON says them; nan, which is absent, as null."""
    said = values.astype(object)
    said[values != values] = None  # noqa: PLR0124  # nan differs from itself
    return said.tolist()


def array(said: Any, kind: str) -> NDArray[Any]:
    """Return what `plain` gave, of the kind that it had."""
    values = np.array(said, dtype=object)
    entries = values.ravel().tolist()
    if not all(own is None or isinstance(own, _SPELLED.get(kind, str)) for own in entries):
        raise ValueError(f"its values must be of their kind, got {shown(entries)}")
    if kind in _TYPES:
        return np.array(said, dtype=_TYPES[kind])  # None becomes nan.
    if None in entries:
        return np.array([np.nan if own is None else own for own in entries], dtype=object).reshape(values.shape)
    return values.astype(str)


def _whole(result: "xarray.Dataset") -> "xarray.Dataset":
    """Return a result if all that belongs to it is there and of its kind.

    Raises:
        ValueError: something is missing, or numbers, words and switches stand where others belong.
    """
    result = origin.with_later_constants(result)
    of_circuit = {name: Variable((), "number", "") for name in constants()}
    seconds = SECONDS if "rate_hz" in result else {}
    for name, variable in {**MEASURED, **STATED, **seconds, **of_circuit}.items():
        if name in result.variables:
            if not set(variable.dims) <= set(result.variables[name].dims):
                raise ValueError(f"its {name} must be of {shown(variable.dims)}")
            _check_kind(name, variable, result.variables[name].values)
        elif not variable.kept_by:
            raise ValueError(f"it has no {name}")
    return result


def _check_kind(name: str, variable: Variable, values: NDArray[Any]) -> None:
    if variable.kind != "text":
        good = values.dtype.kind in _KINDS[variable.kind]
    else:  # What was joined of results of which some lack it is nan there.
        good = values.dtype.kind == "U" or all(isinstance(own, str) or own != own for own in values.ravel().tolist())  # noqa: PLR0124
    if not good:
        raise ValueError(f"its {name} must be {variable.kind}, got {values.dtype}")
