"""The subcommand that draws results."""

from pathlib import Path

import click

from kenyon.cli.inputs import ARRAYS
from kenyon.cli.output import say
from kenyon.conditioning.figures import PANELS, compose, learning_figure
from kenyon.conditioning.results import load
from kenyon.drawing import save_figure

_PANELS = "\n".join(f"  {name:<17} {panel.shows}" for name, panel in PANELS.items())

_HELP = f"""Draw a figure from result FILEs alone, such as `kenyon train` writes, the first in full.

Without --panel it is chosen by what the results hold: what larvae were given, what they preferred, how their neurons
answered. With it these panels are drawn, in that order; those of one group for each FILE.

\b
Panels:
{_PANELS}

\b
Examples:
  kenyon plot kenyon-results/paired.nc
  kenyon plot demo/*.nc --out figure1.pdf
  kenyon plot demo/paired.nc demo/unpaired.nc --panel groups --panel rates --out figure2.svg
"""


@click.command(help=_HELP)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=ARRAYS)
@click.option("--panel", "panels", multiple=True, type=click.Choice(list(PANELS)), help="A panel; may be given more "
              "than once.  [default: those that suit]")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to; the ending says how: .png, "
              ".pdf, .svg.  [default: as the first FILE, with .png]")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace a figure that lies there.")
def plot(files: tuple[Path, ...], panels: tuple[str, ...], out: Path | None, *, overwrite: bool) -> None:  # noqa: D103  # its help is text made above
    results = [load(file) for file in files]
    figure = compose(results, panels) if panels else learning_figure(results)
    target = files[0].with_suffix(".png") if out is None else out
    say(f"Look at {save_figure(figure, target, overwrite=overwrite)}")
