"""The subcommand that gives results as plain tables."""

from pathlib import Path

import click

from kenyon.cli.inputs import ARRAYS
from kenyon.cli.output import print_csv


@click.command()
@click.argument("files", nargs=-1, required=True, type=ARRAYS)
@click.option("--phases", is_flag=True, help="A row for each phase of each larva, instead of each test.")
def table(files: tuple[Path, ...], *, phases: bool) -> None:
    """Print the results in FILES as comma-separated values: a row for each larva, test and odor asked about.

    Columns are the preference index, the mean rate of each group of neurons in Hz, and all that sets larvae, tests and
    runs apart. With several FILES their rows follow one another.

    \b
    Examples:
      kenyon table paired.nc
      kenyon table paired.nc unpaired.nc > both.csv
      kenyon table --phases paired.nc
    """  # noqa: D301  # \b is click's sign that the lines after it stay as they are
    import pandas as pd

    from kenyon.conditioning import load, tables

    rows_of = tables.phases if phases else tables.answers
    print_csv(pd.concat([rows_of(load(file)) for file in files], ignore_index=True))
