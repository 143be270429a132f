"""How a result says where its numbers come from, so that it stays true when results are selected, joined and merged.

Every number and word that can differ between two runs is a coordinate of every result, whether it was changed or not:
without dimensions as long as the result is of one run. Join results of several runs, and xarray spreads what differs
along the joined dimension, or refuses; an attribute it would take from the first, in silence. Beside them lies a
variable with the id of the run that each larva is of. By it a join that was told to take coordinates from the first,
`compat="override"`, is found out.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from kenyon.conditioning.variables import STATED, TIMED
from kenyon.errors import MismatchError
from kenyon.mushroom_body import PUBLISHED, Parameters
from kenyon.mushroom_body.parameters import NAMED, constants
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

LARVA_RUN_ID = "larva_run_id"
"""Name of the variable that says which run each larva is of; of results about groups it is group_run_id."""


def parameter_coordinates(parameters: Parameters) -> dict[str, float | int]:
    """Return every constant of the circuit by its (dotted) name; nan is "none", as for `weight_floor_nS`.

    Example:
        >>> parameter_coordinates(PUBLISHED)["kc.threshold_mV"]
        -35.0
    """
    return {name: float("nan") if value is None else value for name, value in parameters.values().items()}


def with_later_constants(result: "xarray.Dataset") -> "xarray.Dataset":
    """Return a result that states every constant, also one from before there were some: it was made without them."""
    absent = parameter_coordinates(PUBLISHED)
    later = [name for name, own in constants().items() if own.later and name not in result.variables]
    return result.assign_coords({name: absent[name] for name in later})


def parameters_of(result: "xarray.Dataset") -> Parameters:
    """Return the constants of the circuit that a result was made with.

    Raises:
        MismatchError: it is of runs with several.
    """
    values = {name: only(result, name) for name in PUBLISHED.values()}
    return PUBLISHED.replace({name: None if np.isnan(value) else value for name, value in values.items()})


def run_variable(unit: str, run_id: str, length: int) -> dict[str, Any]:
    """Return the variable that says which run each larva, or each group, is of."""
    return {f"{unit}_run_id": (unit, [run_id] * length, {"long_name": f"id of the run that each {unit} is of"})}


def distinct(result: "xarray.Dataset", name: str) -> list[Any]:
    """Return what a result says by a coordinate, each value once, in their order: one value unless runs were joined.

    Example:
        >>> import xarray
        >>> one, other = (xarray.Dataset(coords={"larva": [0], "seed": seed}) for seed in ("5", "7"))
        >>> distinct(xarray.concat([one, other], "larva", coords="different", compat="equals"), "seed")
        ['5', '7']
    """
    values = result[name].values.ravel().tolist()
    # nan, which is "absent", differs from itself.
    return list({"nan" if value != value else value: value for value in values}.values())  # noqa: PLR0124


def only(result: "xarray.Dataset", name: str) -> Any:
    """Return the one value that all of a result has.

    Raises:
        MismatchError: it is of runs that differ in it, or does not state it.
    """
    if name not in result:
        raise MismatchError(
            f"a result must state its {name}, got none, as the sum or difference of two results does; pass each alone"
        )
    values = distinct(result, name)
    if len(values) != 1:
        raise MismatchError(
            f"results must be of runs with one {name} each, got one with {shown(values)}; select the larvae of each, "
            f'such as with result.groupby("run_id")'
        )
    return values[0]


def check_alike(result: "xarray.Dataset") -> None:
    """Refuse a result of larvae to which different things were done: there is no mean over them.

    Seeds, numbers of larvae, engines and versions may differ.

    Raises:
        MismatchError: it is of several groups, tests or circuits.
    """
    for name in ("larva_group", "design", "began_as", "wiring", "own_odors", *PUBLISHED.values()):
        only(result, name)
    for name in _ALIKE:
        if name in result and "larva" in result[name].dims and not _same(result[name]):
            raise MismatchError(
                f"results must be of larvae of one {name} each, got several; select the larvae of each, such as with "
                f'result.groupby("run_id")'
            )


_ALIKE = tuple(name for name, own in STATED.items() if own.dims in (("phase",), ("test_odor",)) and name not in TIMED)


def _same(of_larvae: "xarray.DataArray") -> bool:
    """Return whether all larvae have the same, as far as they have it at all."""
    for values in of_larvae.transpose("larva", ...).values.reshape(of_larvae.sizes["larva"], -1).T.tolist():
        if len({value for value in values if value == value}) > 1:  # noqa: PLR0124  # nan, absent, differs from itself
            return False
    return True


def check(result: "xarray.Dataset", dims: Mapping[str, tuple[str, ...]], unit: str = "larva") -> "xarray.Dataset":
    """Return a result whose numbers are those of the runs that it states.

    Args:
        result: A result, selected or joined in whatever way.
        dims: Dimensions that a variable must have, in this order.
        unit: What the numbers are of, "larva" or "group".

    Raises:
        MismatchError: a variable is missing or has other dimensions, no larva is left, or larvae are of other runs than
            is stated.
    """
    for name, expected in dims.items():
        found = tuple(map(str, result[name].dims)) if name in result else None
        if found != expected:
            lost = next((name for name in expected if name not in (found or ())), unit)
            got = "nothing of the kind" if found is None else f"({', '.join(found)})"
            raise MismatchError(
                f"{name} of a result must have the dimensions ({', '.join(expected)}), got {got}; keep them when you "
                f"select, as isel({lost}=[0]) does, and join results along {unit}"
            )
    if result.sizes[unit] == 0:
        raise MismatchError(f"a result must be of at least one {unit}, got none; keep some when you select")
    of_unit = f"{unit}_run_id"
    if of_unit in result and "run_id" in result.coords:
        known = np.array([isinstance(own, str) and own != "" for own in result[of_unit].values.ravel()])  # "" in files.
        other = (result[of_unit].variable != result.run_id.variable).transpose(*result[of_unit].dims, ...).values
        if other.reshape(len(known), -1)[known].any():
            raise MismatchError(
                f"every {unit} must be of the run that the result states, got others; join results with "
                'xarray.concat(..., coords="different", compat="equals")'
            )
    _check_none(result)
    return result


def _check_none(result: "xarray.Dataset") -> None:
    """Refuse results joined such that a run without a constant is given that of another.

    Where xarray joins by "no_conflicts", as `combine_nested` does, nan gives way to numbers; but nan is none here. What
    was changed on a named set stands in words beside it, and words do not give way.
    """
    if "parameters" not in result.coords or len(distinct(result, "parameters")) == 1:
        return
    import xarray

    for name in (name for name, own in constants().items() if own.optional and name in result.coords):
        words, stated = xarray.broadcast(
            result["parameters"].reset_coords(drop=True), result[name].reset_coords(drop=True)
        )
        for text, value in set(zip(words.values.ravel().tolist(), stated.values.ravel().tolist(), strict=True)):
            if isinstance(text, str) and text and np.isnan(value) != _is_none(name, text):
                raise MismatchError(
                    f"{name} of larvae with {shown(text)} must be what these words say, got {value:g}; join results "
                    'with xarray.concat(..., coords="different", compat="equals")'
                )


def _is_none(name: str, words: str) -> bool:
    """Return whether a set of constants, as `Parameters.description` puts it into words, is without this constant."""
    base, _, changes = words.partition(" with ")
    changed = dict(change.split("=", 1) for change in changes.split(", ") if "=" in change)
    return changed[name] == "None" if name in changed else base in NAMED and NAMED[base].values()[name] is None
