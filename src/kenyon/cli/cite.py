"""The subcommand that says what to cite."""

from pathlib import Path

import click

from kenyon.citation import bibtex
from kenyon.cli.inputs import ARRAYS
from kenyon.cli.output import say


@click.command()
@click.argument("files", metavar="[RESULT.nc]...", nargs=-1, type=ARRAYS)
def cite(files: tuple[Path, ...]) -> None:
    """Print what to cite for results, as BibTeX: Kenyon in its version, the circuit, data and programs they used.

    Each RESULT.nc is of `kenyon train`, `sweep collect` or `larvaworld`. Without any, all that Kenyon stands on.

    \b
    Examples:
      kenyon cite demo/paired.nc demo/unpaired.nc > kenyon.bib
      kenyon cite
    """  # noqa: D301  # \b is click's sign that the lines after it stay as they are
    from kenyon import netcdf
    from kenyon.conditioning import file_format

    found = [(str(file), netcdf.read(file)) for file in files]
    ours = [
        file_format.unpacked(name, result) if result.attrs.get("format") == file_format.FORMAT else result
        for name, result in found
    ]
    for line in bibtex(*ours).splitlines():
        say(line)
