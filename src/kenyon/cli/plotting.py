"""The subcommand that draws results."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kenyon.checks import one_of
from kenyon.cli.inputs import ARRAYS
from kenyon.cli.output import say
from kenyon.conditioning.figures import PANELS, compose, learning_figure, response_figure
from kenyon.conditioning.results import load
from kenyon.drawing import save_figure
from kenyon.errors import InputError
from kenyon.words import shown

if TYPE_CHECKING:  # matplotlib and xarray are slow to import
    import xarray
    from matplotlib.figure import Figure

_PANELS = "\n".join(f"  {name:<17} {panel.shows}" for name, panel in PANELS.items())

_HELP = f"""Draw a figure from result FILEs alone, such as `kenyon train` writes, the first in full.

Without --panel it is chosen by what the results hold: what larvae were given, what they preferred, how their neurons
answered. With it these panels are drawn, in that order; those of one group for each FILE.

What `kenyon sweep collect` wrote is drawn alone, as preference over what the sweep has varied: over one thing a curve,
over two a surface with contours, over three small multiples. --at keeps one value of a thing.

\b
Panels:
{_PANELS}

\b
Examples:
  kenyon plot kenyon-results/paired.nc
  kenyon plot demo/*.nc --out figure1.pdf
  kenyon plot demo/paired.nc demo/unpaired.nc --panel groups --panel rates --out figure2.svg
  kenyon plot doses.nc --at learning_rate_nS=0.4
"""


@click.command(help=_HELP)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=ARRAYS)
@click.option("--panel", "panels", multiple=True, type=click.Choice(list(PANELS)), help="A panel; may be given more "
              "than once.  [default: those that suit]")  # fmt: skip
@click.option("--at", "kept", multiple=True, metavar="NAME=VALUE", help="Of what a sweep has varied, keep this value, "
              "such as seed=3; may be given more than once.")  # fmt: skip
@click.option("--odor", help="Which of the things tested, of a collected sweep.  [default: the first]")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to; the ending says how: .png, "
              ".pdf, .svg.  [default: as the first FILE, with .png]")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace a figure that lies there.")
def plot(  # noqa: D103  # its help is text made above
    files: tuple[Path, ...],
    panels: tuple[str, ...],
    kept: tuple[str, ...],
    odor: str | None,
    out: Path | None,
    *,
    overwrite: bool,
) -> None:
    results = [_at(load(file), kept) for file in files]
    figure = _of_sweep(results, panels, odor) if any(map(_varied, results)) else _of_groups(results, panels, odor)
    target = files[0].with_suffix(".png") if out is None else out
    say(f"Look at {save_figure(figure, target, overwrite=overwrite)}")


def _varied(result: "xarray.Dataset") -> list[str]:
    """Return what a collected sweep has varied; nothing for any other result, or a point of one."""
    return [str(dim) for dim in result.done.dims] if "done" in result.coords else []


def _at(result: "xarray.Dataset", kept: Sequence[str]) -> "xarray.Dataset":
    """Return what a sweep has at some values of what it varies."""
    for own in kept:
        name, _, value = own.partition("=")
        varied = _varied(result)
        if not varied:
            raise InputError(f"--at must be of something that a sweep has varied, got {shown(own)}; leave it out")
        one_of("--at", name, varied)
        known = [str(each) for each in result[name].values.tolist()] if name in result.coords else []
        written = value if value in known else _as_written(value)
        one_of(f"--at {name}", written, known)
        result = result.isel({name: known.index(written)})
    return result


def _as_written(value: str) -> str:
    """Return a number as Python writes those of an axis, so that 1, 1.0 and 1e0 are one.

    Example:
        >>> _as_written("1e0"), _as_written("reward")
        ('1.0', 'reward')
    """
    try:
        return str(float(value))
    except ValueError:
        return value


def _of_sweep(results: "Sequence[xarray.Dataset]", panels: Sequence[str], odor: str | None) -> "Figure":
    if panels or len(results) > 1:
        raise InputError(
            "a collected sweep must be drawn alone and without --panel, for it has panels of its own; keep one point "
            "of it by --at to see these"
        )
    return response_figure(results[0], odor=odor)


def _of_groups(results: "Sequence[xarray.Dataset]", panels: Sequence[str], odor: str | None) -> "Figure":
    if odor is not None:
        raise InputError(f"--odor must be left out where no sweep is drawn, got {shown(odor)}; panels show all odors")
    return compose(results, panels) if panels else learning_figure(results)
