"""What a file with the results of many points holds: what points have in common once, and numbers as places in a list.

Results whose variables have the same shapes are a batch. Of each variable it has the values that there are, each once,
and which of them each point has. What is not of larvae lies in the header, as JSON. Of what is of larvae only few
numbers are different, for rates are counts over a time: where that is so, the file has these once, and their places.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kenyon import archive, checks
from kenyon.archive import Arrays
from kenyon.conditioning import file_format, results
from kenyon.conditioning.file_format import FORMAT
from kenyon.conditioning.origin import LARVA_RUN_ID, run_variable
from kenyon.conditioning.variables import MEASURED
from kenyon.errors import FileFormatError, InputError
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

KIND: Final = "part of the results of points"

_FROM_THE_ID: Final = ("run_id", LARVA_RUN_ID)
_MOST_PLACES: Final = 2**16
_DIGEST_BYTES: Final = 8


@dataclass(frozen=True, eq=False)
class Column:
    """One variable of the results of P points.

    Attributes:
        dims: What it is of, for each point.
        coordinate: Whether it is a coordinate.
        kept: The values that there are, each once, `[U, ...]`; or their places among `numbers`.
        numbers: The numbers that there are, where `kept` are places among them.
        of: Which of the values each point has, `[P]`.
    """

    dims: tuple[str, ...]
    coordinate: bool
    kept: NDArray[Any]
    numbers: NDArray[Any] | None
    of: NDArray[np.intp]

    @cached_property
    def values(self) -> NDArray[Any]:
        """The values that there are, each once, `[U, ...]`."""
        return self.kept if self.numbers is None else np.take(self.numbers, self.kept)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of what each point has."""
        return self.kept.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The kind of its values."""
        return self.kept.dtype if self.numbers is None else self.numbers.dtype

    def write(self, of: NDArray[np.intp], to: NDArray[Any], at: NDArray[np.intp]) -> None:
        """Write what some points have into an array of more points, whose values may be of a larger shape.

        Args:
            of: The places of the points here.
            to: Where to, `[more than P, ...]`.
            at: The place of each there.
        """
        place, some = _as_slice(at), self.kept[_as_slice(self.of[of])]
        corner: Any = (place, *map(slice, self.shape))
        if self.numbers is None:
            to[corner] = some
        elif isinstance(place, slice) and (to.shape[1:], to.dtype) == (self.shape, self.dtype):
            np.take(self.numbers, some, out=to[place], mode="clip")  # With "raise" they would go through a copy.
        else:
            to[corner] = np.take(self.numbers, some)


def _as_slice(places: NDArray[np.intp]) -> Any:
    """Return places as a slice, which spares a copy, where each follows the one before."""
    first, last = int(places[0]), int(places[-1])
    follow = last - first == len(places) - 1 and bool((np.diff(places) == 1).all())
    return slice(first, last + 1) if follow else places


@dataclass(frozen=True, eq=False)
class Batch:
    """Results of P points whose variables have the same shapes.

    Attributes:
        ids: The id of each.
        columns: Each variable by its name, but for ids of runs.
        attributes: What is said of each whole result.
    """

    ids: tuple[str, ...]
    columns: Mapping[str, Column]
    attributes: Mapping[str, Any]

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each point by its id."""
        return {own: place for place, own in enumerate(self.ids)}

    def result(self, run_id: str) -> "xarray.Dataset":
        """Return the result of one point, as `run` gave it."""
        import xarray

        place = self.places[run_id]
        own = {name: (of.dims, of.values[of.of[place]]) for name, of in self.columns.items()}
        coordinates = {name: value for name, value in own.items() if self.columns[name].coordinate}
        larvae = len(own["larva_seed"][1])
        result = xarray.Dataset(
            {name: value for name, value in own.items() if name not in coordinates}
            | run_variable("larva", run_id, larvae),
            coords={**coordinates, "run_id": run_id},
            attrs=dict(self.attributes),
        )
        return file_format.described(result)


@dataclass(frozen=True)
class Contents:
    """What a part says of itself before its arrays are read.

    Attributes:
        numbers: For each point, by its id, digits that are the same where its numbers are.
        diverged: Those of which a larva diverged.
    """

    numbers: Mapping[str, str]
    diverged: frozenset[str]


def pack(of_points: Mapping[str, "xarray.Dataset"]) -> bytes:
    """Return the bytes of a part with the results of some points, by their ids.

    Raises:
        InputError: something is no result of a whole run, or that of another one.

    Example:
        >>> from kenyon.conditioning import paradigm, run
        >>> short = paradigm("naive", trials=1, stimulus_s=1, pause_s=0, test_s=0.5)
        >>> result = run(short, larvae=2, show_progress=False).one
        >>> (batch,) = unpack("it", pack({result.run_id.item(): result}))
        >>> batch.result(result.run_id.item()).identical(result)
        True
    """
    checked = {run_id: _whole_run(run_id, result) for run_id, result in of_points.items()}
    alike: dict[Any, dict[str, xarray.Dataset]] = {}
    for run_id, result in checked.items():
        alike.setdefault(_form(result), {})[run_id] = result
    arrays: Arrays = {}
    header = {
        "numbers": {run_id: _numbers(result) for run_id, result in checked.items()},
        "diverged": [run_id for run_id, result in checked.items() if result.variables["diverged"].values.any()],
        "batches": [_spelled(f"{number} ", own, arrays) for number, own in enumerate(alike.values())],
    }
    return archive.pack(KIND, header, arrays)


def contents(path: Any) -> Contents:
    """Return which points a part holds, without reading its arrays.

    Raises:
        FileFormatError: it is truncated, damaged or foreign.
        FileNotFoundError: there is no such file.
    """
    header = archive.load_header(path, KIND)
    try:
        numbers = {str(run_id): str(digits) for run_id, digits in header["numbers"].items()}
        return Contents(numbers, frozenset(map(str, header["diverged"])))
    except (AttributeError, KeyError, TypeError) as reason:
        raise FileFormatError(f"{path} must be a whole {KIND}: {shown(reason)}") from None


def unpack(source: str, words: bytes) -> list[Batch]:
    """Return the batches of a part.

    Args:
        source: Where it comes from, for the message.
        words: The bytes that `pack` gave.

    Raises:
        FileFormatError: they are truncated, damaged or foreign.
    """
    header, arrays = archive.unpack(source, words, KIND, limit_bytes=archive.LIMIT_BYTES)
    try:
        return [_batch(f"{number} ", said, arrays) for number, said in enumerate(header["batches"])]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as reason:
        raise FileFormatError(f"{source} must be a whole {KIND}: {shown(reason)}") from None


def _whole_run(run_id: str, result: Any) -> "xarray.Dataset":
    """Return a result, if it is all of the run of that id, and of no other."""
    known = results.check(result)
    stated = known.coords.get("run_id")
    if known.attrs.get("format") != FORMAT or stated is None or stated.ndim or stated.item() != run_id:
        raise InputError(
            f"a result must be kept by the run_id that it states, got {shown(run_id)}; pass what run returned by it"
        )
    larvae = known.coords.get("larvae")
    if larvae is None or larvae.ndim or larvae.item() != known.sizes["larva"]:
        raise InputError(f"the result of {shown(run_id)} must be of all its larvae, got some; pass what run returned")
    return known


def _form(result: "xarray.Dataset") -> Any:
    variables = tuple((name, own.dims, own.shape, _kind(own.dtype)) for name, own in result.variables.items())
    return variables, json.dumps(result.attrs, sort_keys=True, default=str)


def _kind(dtype: np.dtype[Any]) -> str:
    """Return what values are, texts of any length being one."""
    return "U" if dtype.kind == "U" else dtype.str


def _numbers(result: "xarray.Dataset") -> str:
    """Return digits that are the same where the numbers of a run are.

    They go in order of size: by which tests they are sorted is a matter of labels, of which the id of a run knows
    nothing, and so is what is absent.
    """
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for name in MEASURED:
        values = result.variables[name].values if name in result.variables else np.empty(0)
        if values.dtype.kind == "f":
            digest.update(np.sort(values[~np.isnan(values)]).tobytes())
    return digest.hexdigest()


def _spelled(prefix: str, alike: Mapping[str, "xarray.Dataset"], arrays: Arrays) -> dict[str, Any]:
    """Return what a header says of a batch, and add its arrays."""
    first = next(iter(alike.values()))
    columns = {}
    for name in map(str, first.variables):
        if name not in _FROM_THE_ID:
            values, of = _each_once([own.variables[name].values for own in alike.values()])
            dims = list(map(str, first.variables[name].dims))
            columns[name] = {"dims": dims, "coordinate": name in first.coords, "of": of, "kind": values.dtype.kind}
            if name in MEASURED or "larva" in dims:
                arrays |= _squeezed(prefix + name, values)
            else:
                columns[name]["values"] = file_format.plain(values)
    return {"ids": list(alike), "attributes": first.attrs, "columns": columns}


def _each_once(values: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], list[int] | None]:
    """Return each different value once, stacked, and which of them each point has; None where that is the first."""
    places: dict[Any, int] = {}
    firsts, of = [], []
    for own in values:
        known = len(places)
        place = places.setdefault(tuple(own.ravel().tolist()) if own.dtype.kind == "U" else own.tobytes(), known)
        if place == known:
            firsts.append(own)
        of.append(place)
    return np.stack(firsts), of if len(firsts) > 1 else None


def _squeezed(name: str, values: NDArray[Any]) -> Arrays:
    """Return values as a file has them: numbers that come again and again as places in a list of them."""
    if values.dtype.kind == "U" and values.size and all(map(str.isascii, values.ravel().tolist())):
        return {name: values.astype("S")}
    if values.dtype.kind != "f":
        return {name: values}
    bits, places = np.unique(values.view(f"u{values.itemsize}"), return_inverse=True)  # Bits, for -0 is not 0.
    if len(bits) > min(_MOST_PLACES, values.size // 4):
        return {name: values}
    small = np.uint8 if len(bits) <= 2**8 else np.uint16
    return {name: places.reshape(values.shape).astype(small), f"{name} values": bits.view(values.dtype)}


def _unsqueezed(name: str, arrays: Arrays, kind: str) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return values; or places, and the numbers that they are places of.

    Raises:
        ValueError: a place is none.
    """
    kept, numbers = arrays[name], arrays.get(f"{name} values")
    if numbers is None:
        return kept.astype("U") if kind == "U" and kept.dtype.kind == "S" else kept, None
    if kept.dtype.kind != "u" or numbers.ndim != 1 or (kept.size > 0 and kept.max() >= len(numbers)):
        raise ValueError(f"its {name} must be places among {numbers.size} numbers")
    return kept, numbers


def _batch(prefix: str, said: Mapping[str, Any], arrays: Arrays) -> Batch:
    ids = tuple(map(str, said["ids"]))
    columns = {}
    for name, own in said["columns"].items():
        if "values" in own:
            kept, numbers = file_format.array(own["values"], own["kind"]), None
        else:
            kept, numbers = _unsqueezed(prefix + name, arrays, own["kind"])
        of = np.zeros(len(ids), dtype=np.intp) if own["of"] is None else np.array(own["of"], dtype=np.intp)
        if kept.ndim != 1 + len(own["dims"]) or of.shape != (len(ids),) or not (0 <= of.min() <= of.max() < len(kept)):
            raise ValueError(f"its {name} must be of {len(ids)} points")
        coordinate = checks.boolean("coordinate", own["coordinate"])
        columns[name] = Column(tuple(own["dims"]), coordinate, kept, numbers, of)
    return Batch(ids, columns, dict(said["attributes"]))
