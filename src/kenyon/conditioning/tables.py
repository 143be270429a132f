"""Results as plain tables, a row for each thing that was measured of each larva: for pandas, R and spreadsheets."""

from typing import TYPE_CHECKING

from kenyon.conditioning import results

if TYPE_CHECKING:  # slow to import
    import pandas as pd
    import xarray

_OF_THE_RUN = ("run_id", "larva_group")
"""What a table says of a whole run, besides what differs between larvae."""


def answers(result: "xarray.Dataset") -> "pd.DataFrame":
    """Return what each larva answered at each test: a row for each larva, test and test odor.

    Args:
        result: As `results.load` gives it; larvae may have been selected, or joined from runs.

    Returns:
        The preference index and the mean rate of a cell of each group, in columns such as MBONp_hz, and all that the
        result says of that larva, test and test odor. What was not asked has no row.

    Raises:
        MismatchError: larvae are of other runs than the result states, or it is joined along something else.
        InputError: `result` is none.

    Example:
        >>> from kenyon.conditioning import paradigm, run
        >>> short = paradigm("naive", trials=1, stimulus_s=1, pause_s=0, test_s=0.5)
        >>> table = answers(run(short, larvae=2, show_progress=False).one)
        >>> len(table), bool(table["preference_index"].between(-1, 1).all())
        (4, True)
    """
    table = _table(result, ("larva", "test", "test_odor"), "preference_index", "test_rate_hz")
    return table.dropna(subset=["preference_index"]).reset_index(drop=True)


def phases(result: "xarray.Dataset") -> "pd.DataFrame":
    """Return what each larva lived through, and how it fired meanwhile: a row for each larva and phase.

    Args:
        result: As for `answers`.

    Returns:
        Whether the larva had diverged by the end, the mean rate of a cell of each group, in columns such as KC_hz, and
        all that the result says of that larva and phase.

    Raises:
        MismatchError: as for `answers`.
        InputError: `result` is none.

    Example:
        >>> from kenyon.conditioning import paradigm, run
        >>> short = paradigm("paired", trials=1, stimulus_s=1, pause_s=1, test_s=0.5)
        >>> table = phases(run(short, larvae=2, show_progress=False).one)
        >>> rewarded, after = table.groupby("phase")["DANp_hz"].mean()
        >>> bool(rewarded > after)
        True
    """
    return _table(result, ("larva", "phase"), "diverged", "phase_rate_hz")


def _table(result: "xarray.Dataset", dims: tuple[str, ...], measured: str, rates: str) -> "pd.DataFrame":
    """Return a row for each combination of dimensions, with one variable and a column for the rate of each group."""
    own = results.check(result)[[measured, rates]]
    other = [name for name, of in own.coords.items() if not of.dims and name not in _OF_THE_RUN]
    by_group = {f"{group}_hz": own[rates].sel(group=group).reset_coords(drop=True) for group in own["group"].values}
    return own.drop_vars([*other, rates, "group"]).assign(by_group).to_dataframe(dim_order=list(dims)).reset_index()
