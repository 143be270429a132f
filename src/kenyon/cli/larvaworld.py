"""Subcommands that run Larvaworld with Kenyon's memories: its experiments, and what there is to run."""

from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kenyon.cli.inputs import ARRAYS
from kenyon.cli.larvaworld_groups import preference, train
from kenyon.cli.larvaworld_options import common, options_of, prepared, stands_for
from kenyon.cli.output import as_json, print_json, print_table, say
from kenyon.cli.watching import page, watched
from kenyon.conditioning.results import save
from kenyon.drawing import save_figure
from kenyon.errors import InputError
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray


@click.group()
def larvaworld() -> None:
    """Larvaworld with Kenyon's memories.

    Begin with `kenyon larvaworld run`: larvae with a mushroom body live through Larvaworld's training experiment. Then
    `kenyon larvaworld preference` asks, with controls, whether larvae prefer what they were trained with, and `kenyon
    larvaworld train` does the same with a design of your own.

    Needs Larvaworld 2.4.0 or 2.5.1, which runs on Python 3.10 to 3.12.
    """


@larvaworld.command(short_help="Run an experiment of Larvaworld.")
@click.argument("experiment", default="PItrain")
@click.option("--model", default="forager_MB", help="A stored model of Larvaworld; see `kenyon larvaworld models`.")
@click.option("--larvae", type=int, default=30, help="How many.")
@click.option("--minutes", type=float, help="How long, in the time of the larvae.  [default: as the experiment is]")
@click.option("--memories", type=ARRAYS, metavar="FILE",
              help="Begin with what larvae have learned in another run: its memories.npz.")  # fmt: skip
@click.option("--frozen", is_flag=True, help="Follow what was learned, and learn no more.")
@click.option("--store", is_flag=True, help="Keep Larvaworld's own table of the run, too: larvaworld.nc.")
@click.option("--video", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.mp4", help="Make a film of it, "
              "too, ten times as fast as larvae are: each colored by the gain of the first odor.")  # fmt: skip
@click.option("--raster", multiple=True, metavar="LARVA", help="Keep every spike of a larva, named by its id or its "
              "place, for `kenyon show`; may be given more than once.")  # fmt: skip
@watched
@stands_for
@common
def run(
    experiment: str,
    model: str,
    larvae: int,
    minutes: float | None,
    memories: Path | None,
    *,
    frozen: bool,
    store: bool,
    video: Path | None,
    raster: tuple[str, ...],
    watch: bool,
    watch_port: int,
    browser: bool,
    **how: Any,
) -> None:
    """Run EXPERIMENT with larvae of a model with a memory; keep what they did and learned.

    `kenyon larvaworld experiments` lists what there is.

    Writes run.nc (gains, tracks, rates of neurons, preference index over time), memories.npz (what each larva has
    learned, for --memories of another run) and run.png; with --store also larvaworld.nc, what Larvaworld has noted of
    each larva in each step (docs/how_to/larvaworld.md says how to join it to run.nc).

    \b
    Examples:
      kenyon larvaworld run PItrain --larvae 10 --minutes 8 --out trained
      kenyon larvaworld run PItest_off --larvae 10 --memories trained/memories.npz --frozen --out tested
      kenyon larvaworld run PItrain --model forager_RL --out q-learning
      kenyon larvaworld run MB_patch_grid --model max_forager_MB --larvae 5 --minutes 5 --video patches.mp4
      kenyon larvaworld run PItrain --larvae 10 --minutes 8 --watch --raster 0 --out watched
    """  # noqa: D301  # \b is click's sign that the lines after it stay as they are
    from kenyon.larvaworld_plugin.activity_log import ActivityLog
    from kenyon.larvaworld_plugin.experiment import carry_out, save_memories
    from kenyon.larvaworld_plugin.figures import run_figure
    from kenyon.larvaworld_plugin.film import Film
    from kenyon.larvaworld_plugin.host_table import host_table
    from kenyon.larvaworld_plugin.plan import Plan

    options = {**options_of(how), **({"frozen": True} if frozen else {})}
    plan = Plan(experiment, model, larvae, minutes, how["seed"], options, memories)
    films = [] if video is None else [Film(video, overwrite=how["overwrite"])]
    names = ("run.nc", "memories.npz", "run.png", *(["larvaworld.nc"] if store else []))
    with page(watch=watch, watch_port=watch_port, browser=browser) as listeners:
        with prepared(plan, how, names) as new:
            log = ActivityLog(raster)
            outcome = carry_out(plan, listeners=[*listeners, *films, log])
            save(log.beside(outcome.dataset), new / names[0])
            save_memories(new / names[1], outcome)
            save_figure(run_figure(outcome.dataset), new / names[2])
            if store:
                save(host_table(outcome.host), new / names[3])
        files = [how["out"] / name for name in names] + ([] if video is None else [video])
        _report(outcome.dataset, f"{larvae} {model} in {experiment}", files, as_json=how["as_json"])
        if video is not None and not how["as_json"]:
            say(f"The film is {video}.")


def _report(result: "xarray.Dataset", title: str, files: Sequence[Path], *, as_json: bool) -> None:
    """Say what a run gave."""
    from kenyon.larvaworld_plugin.panels import sides

    learned = result.learned.mean("larva")  # Of the larvae that have learned anything of it.
    rows: list[dict[str, Any]] = [
        {
            "stimulus": str(name),
            "gain": float(result.gain.isel(time=-1).sel(stimulus=name).mean()),
            "learned": float(learned.sel(stimulus=name)),
        }
        for name in result.stimulus.values
    ]
    one_side = sides(result)  # In any other arena the index says nothing.
    index, on_food = float(result.preference_index[-1]) if one_side else None, float(result.on_food.mean())
    run_id = result.run_id.item()
    if as_json:
        said = {"stimuli": rows, "preference_index": index, "on_food": on_food, "run_id": run_id}
        print_json({**said, "files": [str(file) for file in files]})
        return
    print_table(
        ["stimulus", "gain (mean)", "learned (mean)"],
        [
            [row["stimulus"], f"{row['gain']:+.1f}", "nothing" if isnan(row["learned"]) else f"{row['learned']:+.2f}"]
            for row in rows
        ],
        title=title,
    )
    say(f"Learned: {result.learned_is.item()}.")
    if index is not None:
        where = ", ".join(f"{name} is {side}" for name, side in one_side.items())
        say(f"Larvaworld's preference index in the end, (left - right) / all, where {where}: {index:+.2f}.")
    say(f"On food {on_food:.0%} of the time. Run {run_id}.")
    say(f"Look at {files[2]}; the results are in {files[0]}, what was learned in {files[1]}.")


larvaworld.add_command(preference)
larvaworld.add_command(train)


@larvaworld.command(short_help="List Larvaworld's models with a memory.")
@click.argument("words", default="")
@as_json
def models(words: str, *, as_json: bool) -> None:
    """List the stored models of Larvaworld that have a memory; those whose names contain WORDS.

    \b
    Examples:
      kenyon larvaworld models forager
      kenyon larvaworld models _x2_MB
    """  # noqa: D301  # as above
    from kenyon.larvaworld_plugin.models import memory_models

    found = _named(memory_models(), words, "a model with a memory")
    if as_json:
        print_json([model._asdict() for model in found])
        return
    rows = [
        [
            *(model.name, model.mode, model.modality, ", ".join(model.stimuli) or "none"),
            *("yes" if model.feeder else "no", model.experiment, "cannot learn" if model.hindrance else ""),
        ]
        for model in found
    ]
    columns = ["model", "mode", "modality", "stimuli", "feeder", "an experiment that suits it", ""]
    print_table(columns, rows, title=f"{len(found)} stored models with a memory")


@larvaworld.command(short_help="List Larvaworld's experiments.")
@click.argument("words", default="")
@as_json
def experiments(words: str, *, as_json: bool) -> None:
    """List the stored experiments of Larvaworld; those whose names contain WORDS.

    Memories for odors need one with an odor; a mushroom body learns where there is food, too.

    \b
    Examples:
      kenyon larvaworld experiments
      kenyon larvaworld experiments PI
    """  # noqa: D301  # as above
    from kenyon.larvaworld_plugin.models import stored_experiments

    found = _named(stored_experiments(), words, "an experiment")
    if as_json:
        print_json([experiment._asdict() for experiment in found])
        return
    rows = [[one.name, f"{one.minutes:g}", ", ".join(one.odors) or "none", one.food] for one in found]
    print_table(["experiment", "minutes", "odors", "food"], rows, title=f"{len(found)} stored experiments")


def _named(stored: Sequence[Any], words: str, what: str) -> list[Any]:
    """Return what has words in its name."""
    found = [one for one in stored if words in one.name]
    if not found:
        raise InputError(f"{what} must have {shown(words)} in its name, got none; leave it out to see all")
    return found
