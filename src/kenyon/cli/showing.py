"""The subcommand that makes one file of a finished run, which plays by itself."""

from pathlib import Path

import click

from kenyon import archive
from kenyon.cli.inputs import ARRAYS
from kenyon.cli.output import say


@click.command()
@click.argument("file", metavar="RESULT", type=ARRAYS)
@click.option("--html", "target", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Where to.  "
              "[default: as RESULT, with .html]", show_default=False)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace a file that lies there.")
def show(file: Path, target: Path | None, *, overwrite: bool) -> None:
    """Make one HTML file of RESULT, which `kenyon larvaworld run` wrote: larvae move and learn in it as in the run.

    It needs neither a server nor a network: send it to anybody. The cells of larvae are in it that --raster of that
    run has named.

    \b
    Examples:
      kenyon larvaworld run PItrain --larvae 10 --minutes 8 --raster 0 --out trained
      kenyon show trained/run.nc --html trained.html
    """  # noqa: D301  # \b is click's sign that the lines after it stay as they are
    from kenyon import netcdf
    from kenyon.live.saved import saved

    html = saved(netcdf.read(file))
    target = file.with_suffix(".html") if target is None else target
    with archive.replacing(target, overwrite=overwrite) as temporary:
        Path(temporary).write_text(html, encoding="utf-8")
    say(f"Open {target} in any browser: {len(html.encode()) / 1e6:.1f} MB.")
