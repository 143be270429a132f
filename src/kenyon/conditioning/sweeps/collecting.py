"""The results of all points of a sweep as one dataset, with a dimension for each thing varied.

Nothing is said of a point that its own result does not say. What all points have in common stays as it is; what differs
has just the dimensions along which it differs. Where some points have fewer tests, phases or larvae than others, the
rest is absent, as all is of a point that is not done.
"""

import os
from collections.abc import Iterable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kenyon import checks
from kenyon.conditioning import file_format
from kenyon.conditioning.origin import LARVA_RUN_ID
from kenyon.conditioning.sweeps import plan
from kenyon.conditioning.sweeps.folder import planned
from kenyon.conditioning.sweeps.parts import Batch, Column
from kenyon.conditioning.sweeps.points import Point
from kenyon.conditioning.sweeps.store import Store
from kenyon.conditioning.sweeps.sweep import Sweep
from kenyon.conditioning.variables import MEASURED
from kenyon.errors import InputError
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

RUN: Final = "run"
"""The dimension of points that are no grid."""

SAID_OTHERWISE: Final = ("design", "parameters", "wiring")
"""Axes of which a result says more by the same name, as a design with all put into its text; given is NAME_given."""

Places = NDArray[np.intp]


Axes: TypeAlias = dict[str, tuple[tuple[str, ...], NDArray[Any]]]


class _Layout(NamedTuple):
    """Where points lie in a collected dataset.

    Attributes:
        sizes: Its dimensions.
        axes: The coordinates that the sweep gives: what they are along, and their values.
        places: Of each point of the sweep, its place among all that the dimensions have.
    """

    sizes: dict[str, int]
    axes: Axes
    places: Places


class _Piece(NamedTuple):
    """Points that are done, with the batch that holds them.

    Attributes:
        at: Where they lie among all points.
        of: Where they lie in the batch.
    """

    batch: Batch
    at: Places
    of: Places


def collect(store: Store | str | os.PathLike[str], sweep: Sweep | None = None) -> "xarray.Dataset":
    """Return the results of all points of a sweep that are there, as one dataset.

    Args:
        store: Where they are: a store, or its folder; or the folder in which `run_sweep` computes.
        sweep: The points; those of the plan in the folder of a sweep if not given.

    Returns:
        What `run` returns, with a dimension for each axis where the points are a grid (each value of each axis with
        each of the others, once), or else the dimension `run` with each axis as a coordinate along it. A dimension has
        the name of its axis; those of designs, sets of parameters and wirings are called `design_given`,
        `parameters_given` and `wiring_given`, for a result says more by these names. Seeds are text, as in all results.
        `done` says which points are there; the numbers of others are nan. Select one point, as
        `isel(dose=0, seed=3)` does, and it is a result as any other.

    Warns:
        DamagedPartWarning: a part of the store cannot be read; its points are not done.

    Raises:
        InputError: no point of the sweep is there, `sweep` is none, or none is given and none lies in the folder.
        FileFormatError: the plan in the folder cannot be read.
        MismatchError: two parts of the store hold other numbers of one point.
        StorageError: the store cannot be read.

    Example:
        >>> import tempfile
        >>> sweep = Sweep.grid(design="A+ $long, ?A 1s", long=["1s", "2s"], seed=[1, 2], larvae=2)
        >>> store = Store(tempfile.mkdtemp())
        >>> store.add({point.id: point.compute() for point in sweep[:3]})
        >>> result = collect(store, sweep)
        >>> dict(result.preference_index.sizes)
        {'long': 2, 'seed': 2, 'larva': 2, 'test': 1, 'test_odor': 1}
        >>> result.done.values.tolist()
        [[True, True], [True, False]]
    """
    import xarray

    of, sweep = _asked(store, sweep)
    layout = _layout(sweep)
    ids = np.full(len(sweep), "", dtype="U16")
    ids[layout.places] = [point.id for point in sweep]
    pieces = _pieces(of, ids)
    if not pieces:
        raise InputError(f"{shown(str(of.folder))} must hold a point of the sweep, got none; run the sweep first")
    done = np.zeros(len(ids), dtype=np.bool_)
    for piece in pieces:
        done[piece.at] = True
    measured: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    for name in dict.fromkeys(name for piece in pieces for name in piece.batch.columns):
        if name in MEASURED:
            measured[name] = _measured(name, pieces, layout)
        elif name not in layout.axes:
            coordinates[name] = _coordinate(name, pieces, layout)
    dims, shape = tuple(layout.sizes), tuple(layout.sizes.values())
    of_larvae = _run_ids(ids, pieces)
    measured[LARVA_RUN_ID] = (*dims, "larva"), of_larvae.reshape(*shape, -1)
    coordinates |= {"run_id": (dims, ids.reshape(shape)), "done": (dims, done.reshape(shape)), **_axes(layout, pieces)}
    result = xarray.Dataset(measured, coords=coordinates, attrs=dict(pieces[0].batch.attributes))
    return file_format.described(result)


def _asked(store: Any, sweep: Sweep | None) -> tuple[Store, Sweep]:
    """Return the store and the points that are asked for."""
    if sweep is None:
        found = planned(checks.path("folder of a sweep", store))
        return Store(found.store), plan.from_plain(found.points)
    checks.instance("sweep", sweep, Sweep, "make one, such as with Sweep.grid")
    return store if isinstance(store, Store) else Store(store), sweep


def _layout(sweep: Sequence[Point]) -> _Layout:
    """Return the dimensions of a sweep: its axes, where it has each value of each with each of the others once."""
    names = list(dict.fromkeys(name for point in sweep for name in point.varied))
    values: dict[str, dict[Any, int]] = {name: {} for name in names}
    rows = [tuple(own.setdefault(point.varied.get(name), len(own)) for name, own in values.items()) for point in sweep]
    lengths = [len(own) for own in values.values()]
    if prod(lengths) == len(sweep) == len(set(rows)):
        sizes = dict(zip(map(_given, names), lengths, strict=True))
        axes: Axes = {_given(name): ((_given(name),), _values(name, own)) for name, own in values.items()}
        along = np.array(rows, dtype=np.intp).T
        places = np.ravel_multi_index(tuple(along), lengths) if names else np.zeros(1, dtype=np.intp)
        return _Layout(sizes, axes, places)
    axes = {_given(name): ((RUN,), _values(name, [own.varied.get(name) for own in sweep])) for name in names}
    return _Layout({RUN: len(sweep)}, axes, np.arange(len(sweep)))


def _given(axis: str) -> str:
    return f"{axis}_given" if axis in SAID_OTHERWISE else axis


def _values(axis: str, values: Iterable[Any]) -> NDArray[Any]:
    """Return the values of an axis as a result says them: nan, which is absent, where a point has none."""
    known = list(values)
    if axis == "seed" or any(isinstance(own, str) for own in known):
        said = [np.nan if own is None else str(own) for own in known]
        return np.array(said, dtype=object if None in known else None)
    return np.array([np.nan if own is None else own for own in known])


def _pieces(store: Store, ids: NDArray[np.str_]) -> list[_Piece]:
    """Return the points that are done; several may be one run."""
    at: dict[str, list[int]] = {}
    for place, run_id in enumerate(ids.tolist()):
        at.setdefault(run_id, []).append(place)
    pieces = []
    for batch, wanted in store.batches(at):
        there = [(place, batch.places[own]) for own in wanted for place in at.pop(own, ())]
        if there:
            pieces.append(_Piece(batch, *np.array(there, dtype=np.intp).T))
    return pieces


def _axes(layout: _Layout, pieces: Sequence[_Piece]) -> dict[str, Any]:
    """Return the coordinates that the sweep gives, numbers of the kind of which results have them."""
    columns = pieces[0].batch.columns
    return {
        name: (
            along,
            values.astype(columns[name].dtype) if name in columns and values.dtype.kind in "iu" else values,
        )
        for name, (along, values) in layout.axes.items()
    }


def _measured(name: str, pieces: Sequence[_Piece], layout: _Layout) -> tuple[tuple[str, ...], NDArray[Any]]:
    """Return what was measured, of each point."""
    own = [(piece, piece.batch.columns[name]) for piece in pieces if name in piece.batch.columns]
    dims, shape = own[0][1].dims, _most([column.shape for _, column in own])
    everywhere = sum(len(piece.at) for piece, _ in own) == len(layout.places)
    complete = everywhere and all(column.shape == shape for _, column in own)
    values = _empty((len(layout.places), *shape), [column.dtype for _, column in own], complete=complete)
    for piece, column in own:
        column.write(piece.of, values, piece.at)
    return (*layout.sizes, *dims), values.reshape(*layout.sizes.values(), *shape)


def _coordinate(name: str, pieces: Sequence[_Piece], layout: _Layout) -> tuple[tuple[str, ...], NDArray[Any]]:
    """Return what results say by a coordinate, along just the dimensions along which they differ."""
    dims, rows, codes = _each_once(name, pieces, len(layout.places))
    if dims == (name,) and (whole := _longest(rows)) is not None:
        return dims, whole
    if len(rows) == 1 and all(name in piece.batch.columns for piece in pieces):
        return dims, rows[0]
    codes = codes.reshape(tuple(layout.sizes.values()))
    along = []
    for place, dim in enumerate(layout.sizes):
        low, high = np.where(codes < 0, len(rows), codes).min(place, keepdims=True), codes.max(place, keepdims=True)
        if ((low == high) | (high < 0)).all():
            codes = high
        else:
            along.append(dim)
    codes = codes.reshape([layout.sizes[dim] for dim in along])
    return (*along, *dims), _stacked(rows, absent=bool(((codes < 0) | (codes == len(rows))).any()))[codes]


def _stacked(rows: Sequence[NDArray[Any]], *, absent: bool) -> NDArray[Any]:
    """Return rows of various lengths as one array, with one at the end for what is absent, if that is asked for."""
    shape = _most([row.shape for row in rows])
    complete = not absent and all(row.shape == shape for row in rows)
    table = _empty((len(rows) + absent, *shape), [row.dtype for row in rows], complete=complete)
    for place, row in enumerate(rows):
        corner: Any = (place, *map(slice, row.shape))
        table[corner] = row
    return table


def _each_once(name: str, pieces: Sequence[_Piece], points: int) -> tuple[tuple[str, ...], list[NDArray[Any]], Places]:
    """Return what a variable is of, its different values, and which of them each point has.

    A point that is not done has -1, one that lacks the variable the number after the last.
    """
    columns = [(piece, piece.batch.columns[name]) for piece in pieces if name in piece.batch.columns]
    dims = max((column.dims for _, column in columns), key=len)
    known: dict[Any, int] = {}
    rows: list[NDArray[Any]] = []
    codes = np.full(points, -1, dtype=np.intp)
    for piece, column in columns:
        of = column.of[piece.of]
        renamed = np.zeros(len(column.kept), dtype=np.intp)
        for place in [0] if len(column.kept) == 1 else np.unique(of).tolist():
            row = _spread(column, place, dims, piece.batch)
            renamed[place] = known.setdefault((row.shape, _key(row)), len(known))
            if renamed[place] == len(rows):
                rows.append(row)
        codes[piece.at] = renamed[of]
    for piece in pieces:
        if name not in piece.batch.columns:
            codes[piece.at] = len(rows)
    return dims, rows, codes


def _key(row: NDArray[Any]) -> Any:
    return tuple(row.ravel().tolist()) if row.dtype.kind == "U" else row.tobytes()


def _spread(column: Column, place: int, dims: tuple[str, ...], batch: Batch) -> NDArray[Any]:
    """Return one value of a column; of each larva, where it is of each larva at other points."""
    row: NDArray[Any] = column.values[place]
    if column.dims == dims:
        return row
    larvae = batch.columns["larva_seed"].shape[0]
    return np.broadcast_to(row, (larvae, *row.shape))


def _longest(rows: Sequence[NDArray[Any]]) -> NDArray[Any] | None:
    """Return the labels of a dimension, if those of each point are the first of them."""
    longest = max(rows, key=len)
    return longest if all(np.array_equal(row, longest[: len(row)]) for row in rows) else None


def _most(shapes: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(max(own) for own in zip(*shapes, strict=True))


def _empty(shape: tuple[int, ...], of: Iterable[np.dtype[Any]], *, complete: bool) -> NDArray[Any]:
    """Return an array for values of some kinds, filled with what is absent unless all of it will be written to.

    Absent is nan, but for counts of spikes, which say -1, and switches, which say False.
    """
    dtype = np.result_type(*set(of))
    if complete:
        return np.empty(shape, dtype=dtype)
    if dtype.kind == "b":
        return np.zeros(shape, dtype=dtype)
    if dtype == np.int32:
        return np.full(shape, -1, dtype=dtype)
    kind: Any = np.float64 if dtype.kind in "iu" else object
    return np.full(shape, np.nan, dtype=dtype if dtype.kind == "f" else kind)


def _run_ids(ids: NDArray[np.str_], pieces: Sequence[_Piece]) -> NDArray[Any]:
    """Return the run that each larva is of, where there is one."""
    counts = np.zeros(len(ids), dtype=np.intp)
    for piece in pieces:
        counts[piece.at] = piece.batch.columns["larva_seed"].shape[0]
    there = np.arange(counts.max()) < counts[:, None]
    of_larvae = np.repeat(ids, counts.max()).reshape(there.shape)
    return of_larvae if there.all() else np.where(there, of_larvae.astype(object), np.nan)
