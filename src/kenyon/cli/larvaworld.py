"""Subcommands that run Larvaworld with Kenyon's memories: experiments, tests of preference, models."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kenyon import checks
from kenyon.cli.inputs import ARRAYS, TABLE, WORD, read_word
from kenyon.cli.output import as_json, print_json, print_table, say
from kenyon.cli.watching import page, watched
from kenyon.conditioning.results import save
from kenyon.drawing import save_figure
from kenyon.errors import InputError
from kenyon.mushroom_body.odors import read_odors
from kenyon.reservations import reserved
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

Command = TypeVar("Command", bound=Callable[..., Any])

_GAINS = ("calibrated", "published")
_FEWEST_GROUPS = 4
"""By the test of Mann and Whitney, two-sided, three groups against three come to 0.1 at least, four to 0.03."""


@click.group()
def larvaworld() -> None:
    """Larvaworld with Kenyon's memories.

    Begin with `kenyon larvaworld run`: larvae with a mushroom body live through Larvaworld's training experiment. Then
    `kenyon larvaworld preference` asks, with controls, whether larvae prefer what they were trained with, and `kenyon
    larvaworld train` does the same with a design of your own.

    Needs Larvaworld 2.4.0 or 2.5.1, which runs on Python 3.10 to 3.12.
    """


def _common(command: Command) -> Command:
    """Add the options that every run has."""
    for option in reversed(
        [
            click.option("--seed", type=int, default=0, help="Same seed, same numbers, in any process."),
            click.option("--gain", type=click.Choice(_GAINS), default="calibrated", help="How the output neurons' "
                         "difference becomes a gain: as measured in Larvaworld, or 0.001 per Hz, as published."),
            click.option("--odors-file", type=TABLE, metavar="FILE", help="CSV of odors of your own, which --odor may "
                         "then name (docs/own_odors.md)."),
            click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Option of the memory, such as "
                         "probe_ms=500; may be given more than once."),
            click.option("--server", metavar="HOST[:PORT]", help="Let mushroom bodies live on a server; see `kenyon "
                         "serve`.  [default: in process]"),
            click.option("--token-file", type=WORD, metavar="FILE",
                         help="File with the word that the server asks for."),
            click.option("--out", type=click.Path(path_type=Path, file_okay=False),
                         default=Path("kenyon-results/larvaworld"), help="Folder for the results."),
            click.option("--overwrite", is_flag=True, help="Replace results that lie there."),
            as_json,
        ]
    ):  # fmt: skip
        command = option(command)
    return command


def _stands_for(command: Command) -> Command:
    """Add the options that say what things in the arena stand for, where no design says it."""
    for option in reversed(
        [
            click.option("--reinforcement", type=click.Choice(("reward", "punishment")), default="reward",
                         help="What contact with food means to a mushroom body."),
            click.option("--odor", "odors", multiple=True, metavar="NAME=ODOR", help="The measured odor that a name "
                         "in the arena stands for to a mushroom body, such as CS=3-octanol; may be given repeatedly."),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


def _of_groups(command: Command) -> Command:
    """Add the options of whatever tests groups of larvae."""
    for option in reversed(
        [
            click.option("--model", default="forager_MB", help="A stored model of Larvaworld with a memory."),
            click.option("--groups", type=int, default=8, help="Groups of larvae in each condition, the unit of the "
                         "statistics."),
            click.option("--larvae", type=int, default=15, help="Larvae in each group."),
            click.option("--test", "test_min", type=float, default=3.0, metavar="MIN", help="How long a test lasts."),
            click.option("--keep-in", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help="Keep "
                         "there what each group did, and take it from there where it is: a run that was cut short goes "
                         "on."),
            click.option("--jobs", type=int, default=1, help="Processes to use; the numbers are the same."),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


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
@_stands_for
@_common
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
    out: Path,
    overwrite: bool,
    as_json: bool,
    **how: Any,
) -> None:
    """Run EXPERIMENT with larvae of a model with a memory; keep what they did and learned.

    `kenyon larvaworld experiments` lists what there is.

    Writes run.nc (gains, tracks, rates of neurons, preference index over time), memories.npz (what each larva has
    learned, for --memories of another run) and run.png; with --store also larvaworld.nc, what Larvaworld has noted of
    each larva in each step (docs/larvaworld.md says how to join it to run.nc).

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

    options = {**_options(how), **({"frozen": True} if frozen else {})}
    plan = Plan(experiment, model, larvae, minutes, how["seed"], options, memories)
    films = [] if video is None else [Film(video, overwrite=overwrite)]
    names = ("run.nc", "memories.npz", "run.png", *(["larvaworld.nc"] if store else []))
    with page(watch=watch, watch_port=watch_port, browser=browser) as listeners:
        with _prepared(plan, how, out, names, overwrite=overwrite) as new:
            log = ActivityLog(raster)
            outcome = carry_out(plan, listeners=[*listeners, *films, log])
            save(log.beside(outcome.dataset), new / names[0])
            save_memories(new / names[1], outcome)
            save_figure(run_figure(outcome.dataset), new / names[2])
            if store:
                save(host_table(outcome.host), new / names[3])
        files = [out / name for name in names] + ([] if video is None else [video])
        _report(outcome.dataset, f"{larvae} {model} in {experiment}", files, as_json=as_json)
        if video is not None and not as_json:
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


@larvaworld.command(short_help="Do larvae prefer what they were trained with?")
@click.option("--condition", "conditions", multiple=True, help="naive, paired, unpaired, differential or mirrored; may "
              "be given more than once.  [default: all five]")  # fmt: skip
@click.option("--trials", type=int, default=3, help="Training trials, of two phases each.")
@click.option("--phase", "phase_min", type=float, default=1.0, metavar="MIN", help="How long a phase lasts.")
@_of_groups
@_stands_for
@_common
def preference(
    model: str,
    conditions: tuple[str, ...],
    *,
    out: Path,
    overwrite: bool,
    as_json: bool,
    groups: int,
    larvae: int,
    trials: int,
    phase_min: float,
    test_min: float,
    keep_in: Path | None,
    jobs: int,
    **how: Any,
) -> None:
    """Train groups of larvae in Larvaworld, with controls, and test what they prefer.

    Paired: odor and food together, then neither. Unpaired: odor without food, then food without odor. Naive: no
    training. Differential: an odor with food, then the other one without; mirrored: the first without, then the other
    with. Then a test without food, memories frozen, one odor on each side; every second group is trained with the other
    odor. Writes preference.nc and preference.png. At the defaults, an hour and a quarter on one core.

    \b
    Examples:
      kenyon larvaworld preference --jobs 2
      kenyon larvaworld preference --condition differential --condition mirrored --condition naive
      kenyon larvaworld preference --reinforcement punishment --out punished --jobs 2
      kenyon larvaworld preference --groups 2 --larvae 8 --trials 2 --test 2
    """  # noqa: D301  # as above
    from kenyon.larvaworld_plugin.comparing import compare
    from kenyon.larvaworld_plugin.conditions import CONDITIONS
    from kenyon.larvaworld_plugin.figures import preference_figure
    from kenyon.larvaworld_plugin.plan import Plan
    from kenyon.larvaworld_plugin.preference import preference as ask

    options, names = _options(how), ("preference.nc", "preference.png")
    plan = Plan("PItest_off", model, larvae, test_min, how["seed"], options)
    with _prepared(plan, how, out, names, overwrite=overwrite) as new:
        result = ask(
            model=model, conditions=conditions or tuple(CONDITIONS), groups=groups, larvae=larvae, trials=trials,
            phase_min=phase_min, test_min=test_min, seed=how["seed"], memory=options, keep_in=keep_in, jobs=jobs,
        )  # fmt: skip
        save(result, new / names[0])
        save_figure(preference_figure(result), new / names[1])
    files = [out / name for name in names]
    rows = compare(result)
    if as_json:
        print_json({"conditions": rows, "run_id": result.run_id.item(), "files": [str(file) for file in files]})
        return
    print_table(
        [
            "condition",
            "preference (95 % interval)",
            "above naive",
            "learned: trained, other",
            "gain: trained, other",
            "p against paired",
        ],
        [
            [
                row["condition"],
                _around(row["preference"], row["interval"]),
                "" if row["above_naive"] is None else f"{row['above_naive']:+.2f}",
                f"{row['learned'][0]:+.2f}, {row['learned'][1]:+.2f}",
                f"{row['gain'][0]:+.0f}, {row['gain'][1]:+.0f}",
                "" if row["p"] is None else f"{row['p']:.2g}",
            ]
            for row in rows
        ],
        title=f"groups: {groups}, each of {larvae} {model}; for the trained odor over the other",
    )
    if groups < _FEWEST_GROUPS:
        say(f"Too few groups for p: with fewer than {_FEWEST_GROUPS} a condition it cannot come below 0.05.")
    say(f"Look at {files[1]}; the results are in {files[0]}.")


@larvaworld.command(short_help="Train larvae in a dish of Larvaworld by a design.")
@click.argument("design")
@click.option("--odor", "letters", multiple=True, metavar="[LETTER=]NAME", help="The odor that a letter of the design "
              "stands for, A if no letter is given; may be given repeatedly.")  # fmt: skip
@click.option("--us", type=click.Choice(("reward", "punishment")), help="What + stands for.  [default: as the design "
              "says, or reward]")  # fmt: skip
@_of_groups
@_common
def train(
    design: str,
    letters: tuple[str, ...],
    us: str | None,
    model: str,
    *,
    out: Path,
    overwrite: bool,
    as_json: bool,
    groups: int,
    larvae: int,
    test_min: float,
    keep_in: Path | None,
    jobs: int,
    **how: Any,
) -> None:
    """Let groups of larvae live through DESIGN in Larvaworld, and see where they go in its tests.

    DESIGN is what `kenyon train` takes: text in single quotes (docs/notation.md), or the id of an experiment of the
    library. A dish has two odors at most, on both sides in training, and food everywhere or nowhere; what it cannot
    have is refused before anything runs. ?A tests copies of the larvae, which learn no more: A on one side, nothing on
    the other; ?A, ?B: A on one side, B on the other. `live A/B 180s` tests the larvae themselves. In every second group
    A is on the other side. Writes training.nc and training.png.

    \b
    Examples:
      kenyon larvaworld train '?A, ?B, 3x(A+ 60s, 60s) | ?A, ?B' --groups 4 --jobs 2
      kenyon larvaworld train reciprocal --odor B=3-octanol --jobs 2
      kenyon larvaworld train '3x(A+ 60s, 60s) | live A 180s' --us punishment --groups 2 --larvae 8
    """  # noqa: D301  # as above
    from kenyon.cli.experiments import bindings
    from kenyon.conditioning.library import as_design
    from kenyon.larvaworld_plugin.comparing import compare_tests, words_of
    from kenyon.larvaworld_plugin.dish import in_dish
    from kenyon.larvaworld_plugin.plan import Plan
    from kenyon.larvaworld_plugin.training import train as live_through
    from kenyon.larvaworld_plugin.training_figure import training_figure

    own = [] if how["odors_file"] is None else read_odors(how["odors_file"])
    plus = None if us is None else (us, 1.0)
    asked = as_design(design, bindings=bindings(letters, own), reinforcer=plus, odors=own)
    in_dish(asked)
    how |= {"odors": (), "reinforcement": "reward"}  # They are the design's to say.
    options, names = _options(how), ("training.nc", "training.png")
    plan = Plan("PItest_off", model, larvae, test_min, how["seed"], options)
    with _prepared(plan, how, out, names, overwrite=overwrite) as new:
        result = live_through(
            asked, model=model, groups=groups, larvae=larvae, test_min=test_min, seed=how["seed"], memory=options,
            keep_in=keep_in, jobs=jobs,
        )  # fmt: skip
        save(result, new / names[0])
        save_figure(training_figure(result), new / names[1])
    files = [out / name for name in names]
    rows = compare_tests(result)
    if as_json:
        print_json({"tests": rows, "run_id": result.run_id.item(), "files": [str(file) for file in files]})
        return
    print_table(
        ["condition", "test", "preference (95 % interval)", "since before", "learned", "head casts toward, away (1/s)",
         "rate modulation", "reorientation (degrees)"],
        [
            [
                row["condition"],
                words_of(row),
                _around(row["preference"], row["preference_interval"]),
                "" if row["since_before"] is None else _around(row["since_before"], row["since_before_interval"]),
                ", ".join(f"{value:+.2f}" for value in row["learned"] if not isnan(value)),
                "{:.2f}, {:.2f}".format(*row["head_casts_hz"]),
                _around(row["rate_modulation"], row["rate_modulation_interval"]),
                _around(row["reorientation_deg"], row["reorientation_deg_interval"]),
            ]
            for row in rows
        ],
        title=f"groups: {groups}, each of {larvae} {model}; for the first odor of each test",
    )  # fmt: skip
    say("Preference: Larvaworld's index, second half of the test. Learned: what the circuit says when it is asked.")
    say(f"Run {result.run_id.item()}. Look at {files[1]}; the results are in {files[0]}.")


def _around(mean: float, interval: Sequence[float]) -> str:
    """Return a mean with its interval, if there is one."""
    return f"{mean:+.2f}" + ("" if isnan(interval[0]) else f" ({interval[0]:+.2f} to {interval[1]:+.2f})")


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


@contextmanager
def _prepared(
    plan: Any, how: Mapping[str, Any], out: Path, names: tuple[str, ...], *, overwrite: bool
) -> Iterator[Path]:
    """Register as the options say, refuse a plan that cannot be carried out, and give a folder to make results in."""
    from kenyon.larvaworld_plugin.building import checked

    with _registered(how):
        _refuse_unused(plan.model, how)
        checked(plan)
        with reserved(out, *names, overwrite=overwrite, make=True) as new:
            yield new


def _refuse_unused(model: str, how: Mapping[str, Any]) -> None:
    """Refuse options that mean nothing to larvae of a model."""
    from kenyon.larvaworld_plugin import host

    memory = host.stored("Model", model).brain.memory
    if memory is None or memory.mode == "MB":
        return
    given = {"--server": how["server"], "--gain": how["gain"] != _GAINS[0], "--odor": how["odors"]}
    for option, is_given in given.items():
        if is_given:
            raise InputError(
                f"{option} must be given for a model with a mushroom body, got it for {model}, which learns by "
                f"Q-learning; leave it out, or give --model forager_MB"
            )


def _registered(how: Mapping[str, Any]) -> Any:
    """Register as the options say, for the time of a `with` statement."""
    from kenyon.larvaworld_plugin import register

    remote: dict[str, Any] = {}
    if how["server"] is not None:
        name, _, port = how["server"].rpartition(":") if ":" in how["server"] else (how["server"], "", "5795")
        if checks.spelled_integer(port) is None:
            raise InputError(f"--server must be HOST or HOST:PORT, got {shown(how['server'])}")
        remote = {"server_host": name, "server_port": int(port)}
    if how["token_file"] is not None:
        remote["token"] = read_word(how["token_file"])
    return register(remote=how["server"] is not None, gain=how["gain"], options={"MB": remote} if remote else {})


def _options(how: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the memory that were asked for."""
    options: dict[str, Any] = {}
    if how["odors"]:
        own = {} if how["odors_file"] is None else {odor.name: odor for odor in read_odors(how["odors_file"])}
        named = (_halves("--odor", "NAME=ODOR", odor) for odor in how["odors"])
        options["odors"] = {stimulus: own.get(odor, odor) for stimulus, odor in named}
    if how["reinforcement"] != "reward":
        options["reinforcement"] = how["reinforcement"]
    for change in how["changes"]:
        name, words = _halves("--set", "NAME=VALUE", change)
        options[name] = _value(words)
    return options


def _halves(option: str, form: str, words: str) -> tuple[str, str]:
    name, equals, value = words.partition("=")
    if not equals:
        raise InputError(f"{option} must be {form}, got {shown(words)}")
    return name, value


def _value(words: str) -> Any:
    if words in ("true", "false"):
        return words == "true"
    if words == "none":
        return None
    with suppress(ValueError):
        return int(words)
    with suppress(ValueError):
        return float(words)
    return words
