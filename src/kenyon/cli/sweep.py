"""Subcommands for sweeps: compute the points of a plan, say how far that is, collect what is there."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kenyon.cli.inputs import InputFile
from kenyon.cli.output import as_json, print_json, print_table, say
from kenyon.errors import InputError

if TYPE_CHECKING:  # xarray is slow to import
    from kenyon.conditioning.sweeps import Status

_MOST_FAILURES = 20
"""Failures of which a table says something; all are in the JSON, and in the folder."""

_PLAN = InputFile(most_mb=100)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def sweep() -> None:
    """Thousands of questions at once: on this machine, on a cluster, today and tomorrow.

    Begin with `kenyon sweep run examples/doses.toml --out doses`, and stop it whenever you like: the same command goes
    on. How to do that on a cluster: docs/how_to/sweeps.md.
    """


@sweep.command(short_help="Compute what is not stored yet.")
@click.argument("plan", metavar="PLAN.toml", type=_PLAN)
@click.option("--out", type=_FOLDER, required=True, help="Folder of the sweep: its plan, its results, its failures.")
@click.option("--jobs", type=int, metavar="N", help="Processes on this machine.  [default: one a core]")
@click.option("--scheduler", metavar="ADDRESS", help="Let the workers of this dask scheduler compute, such as "
              "tcp://node1:8786 or the scheduler.json that it has written.")  # fmt: skip
@click.option("--shard", metavar="I/N", help="Compute only the I-th of N parts, such as 3/16; others may run beside.")
@click.option("--store", type=_FOLDER, metavar="FOLDER", help="Keep results here, where several sweeps share what they "
              "have in common.  [default: in --out]")  # fmt: skip
@click.option("--retry", is_flag=True, help="Compute points again that have failed.")
@click.option("--yes", is_flag=True, help="A sweep may have more than a million points.")
@as_json
def run(
    plan: Path,
    *,
    out: Path,
    jobs: int | None,
    scheduler: str | None,
    shard: str | None,
    store: Path | None,
    retry: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Compute the points of a PLAN that are not stored yet.

    However it ends, be it Ctrl-C, a kill, a walltime, a full disk or a lost scheduler: the same command goes on, and
    computes nothing again that is stored. A point that fails is kept with its error and the others go on; then the exit
    status is 1.

    \b
    Examples:
      kenyon sweep run examples/doses.toml --out doses
      kenyon sweep run examples/doses.toml --out doses --scheduler tcp://node1:8786
      kenyon sweep run examples/doses.toml --out doses --jobs 1 --shard 3/16
    """  # noqa: D301  # \b is click's sign that the lines after it stay as they are
    if scheduler is not None and jobs is not None:
        raise InputError("--jobs must be left out with --scheduler, whose workers compute; leave out one of both")
    from kenyon.conditioning.sweeps import Sweep, run_sweep
    from kenyon.conditioning.sweeps.cluster import connected

    planned = Sweep.load(plan, yes=yes)
    with nullcontext() if scheduler is None else connected(scheduler) as client:
        status = run_sweep(planned, out, client, jobs=jobs, store=store, shard=shard, retry=retry)
    _say(status, as_json=as_json)
    if not as_json and status.done:
        say(f"Collect what is there: kenyon sweep collect {out}")
    if status.failed:
        click.get_current_context().exit(1)


@sweep.command("status", short_help="Say how far it is.")
@click.argument("folder", type=_FOLDER)
@as_json
def status_(folder: Path, *, as_json: bool) -> None:
    """Say how far the sweep in FOLDER is, and which of its points have failed; also while it runs, from any machine."""
    from kenyon.conditioning.sweeps import status

    _say(status(folder), as_json=as_json)


@sweep.command("collect", short_help="Put all results into one file.")
@click.argument("folder", type=_FOLDER)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.nc", help="Where to.  "
              "[default: FOLDER.nc]")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace a file that lies there.")
@as_json
def collect_(folder: Path, out: Path | None, *, overwrite: bool, as_json: bool) -> None:
    """Put what is stored of the sweep in FOLDER into one file, with a dimension for each thing that it varies.

    What is not there is nan, and its `done` is false.

    \b
    Examples:
      kenyon sweep collect doses
      kenyon sweep collect doses --out figure3/doses.nc --overwrite
    """  # noqa: D301  # as above
    from kenyon.conditioning.results import save
    from kenyon.conditioning.sweeps import collect

    result = collect(folder)
    place = folder.absolute()
    target = place.with_name(f"{place.name}.nc") if out is None else out
    save(result, target, overwrite=overwrite)
    points, done = result["done"].size, int(result["done"].sum())
    sizes = {str(name): result.sizes[name] for name in result.sizes}
    if as_json:
        print_json({"file": str(target), "points": points, "done": done, "sizes": sizes})
        return
    say(f"{done} of {points} points, {', '.join(f'{size} {name}' for name, size in sizes.items())}, are in {target}.")


def _say(status: "Status", *, as_json: bool) -> None:
    if as_json:
        print_json(_plain(status))
        return
    say(f"{status}.")
    if status.failures:
        few = status.failures[:_MOST_FAILURES]
        print_table(["failed", "with", "why"], [[own.id, own.where, own.sentence] for own in few])
        if len(few) < status.failed:
            say(f"... and {status.failed - len(few)} more; --json says all.")
        say("Try them again: the same `kenyon sweep run`, with --retry.")


def _plain(status: "Status") -> dict[str, Any]:
    """Return how far a sweep has come as JSON can say it."""
    counts = ("points", "done", "failed", "diverged", "left", "running", "rate_hz", "left_s", "new", "orphaned")
    failures = [vars(failure) | {"varied": dict(failure.varied)} for failure in status.failures]
    return {**{name: getattr(status, name) for name in counts}, "failures": failures}
