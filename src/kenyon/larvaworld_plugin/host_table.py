"""Larvaworld's own table of a run, in the form in which results of ours can be joined to it: by larva and step."""

from typing import TYPE_CHECKING, Any

from kenyon.errors import MismatchError
from kenyon.words import shown

if TYPE_CHECKING:  # slow to import
    import pandas as pd
    import xarray


def host_table(run: Any) -> "xarray.Dataset":
    """Return what the host itself has noted of each larva in each step.

    Its step is the `step` of a dataset of ours, so `host_table(run).assign(gain=dataset.swap_dims(time="step").gain)`
    has the gains beside what the host says, nan in steps that were not sampled.

    Args:
        run: A run of the host that has ended, as it is in an outcome.

    Returns:
        A dataset with dimensions larva and step, and the host's own names.

    Raises:
        MismatchError: the run has no table, as one that has not ended.
    """
    import pandas as pd

    datasets = getattr(run, "datasets", None)
    if not datasets:
        raise MismatchError(f"a run must have ended before it has a table, got {shown(run)} without one; run it first")
    table = pd.concat([_plain(dataset.step_data) for dataset in datasets]).rename_axis(["step", "larva"])
    result: xarray.Dataset = table.to_xarray().transpose("larva", "step")
    # Slashes would make groups of a NetCDF file.
    named = result.rename({name: str(name).replace("/", " per ") for name in result.data_vars})
    order = [str(agent.unique_id) for agent in run.agents]
    for variable in named.variables.values():
        variable.encoding = {"zlib": True}
    return named.reindex(larva=[larva for larva in order if larva in named.larva.values])


def _plain(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table without columns of objects: truth values and texts are what they hold."""
    mixed = table.select_dtypes("object")
    return table.assign(
        **{
            name: column.astype(bool) if column.map(lambda value: isinstance(value, bool)).all() else column.astype(str)
            for name, column in mixed.items()
        }
    )
