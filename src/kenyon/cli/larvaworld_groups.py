"""Subcommands that train groups of larvae in Larvaworld, and test what they prefer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kenyon.cli.larvaworld_options import common, options_of, prepared, stands_for
from kenyon.cli.output import print_json, print_table, say
from kenyon.conditioning.results import save
from kenyon.drawing import save_figure
from kenyon.mushroom_body.odors import read_odors

if TYPE_CHECKING:  # both are slow to import
    import xarray
    from matplotlib.figure import Figure

Command = TypeVar("Command", bound=Callable[..., Any])
Row = Mapping[str, Any]

_FEWEST_GROUPS = 4
"""By the test of Mann and Whitney, two-sided, three groups against three come to 0.1 at least, four to 0.03."""


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


@dataclass(frozen=True)
class _Asked:
    """What is asked of groups of larvae, and how the answer looks.

    Attributes:
        name: Of its files.
        ask: Gives the result, called with the options of groups.
        draw: Gives the figure of a result.
        compare: Gives the rows of its table.
        rows: What they are called as JSON.
        columns: What stands in each column, by its name.
        of: What the table is of.
        remarks: What is said below it.
    """

    name: str
    ask: "Callable[..., xarray.Dataset]"
    draw: "Callable[[xarray.Dataset], Figure]"
    compare: "Callable[[xarray.Dataset], Sequence[Row]]"
    rows: str
    columns: Mapping[str, Callable[[Row], str]]
    of: str
    remarks: Sequence[str]


def _carry_out(asked: _Asked, how: Mapping[str, Any]) -> None:
    """Ask it, as the options say; write the result and its figure, and say what came of it."""
    from kenyon.larvaworld_plugin.plan import Plan

    model, groups, larvae, seed = (how[name] for name in ("model", "groups", "larvae", "seed"))
    memory, names = options_of(how), (f"{asked.name}.nc", f"{asked.name}.png")
    plan = Plan("PItest_off", model, larvae, how["test_min"], seed, memory)
    with prepared(plan, how, names) as new:
        result = asked.ask(
            model=model, groups=groups, larvae=larvae, test_min=how["test_min"], seed=seed, memory=memory,
            keep_in=how["keep_in"], jobs=how["jobs"],
        )  # fmt: skip
        save(result, new / names[0])
        save_figure(asked.draw(result), new / names[1])
    rows, run_id, files = asked.compare(result), result.run_id.item(), [str(how["out"] / name) for name in names]
    if how["as_json"]:
        print_json({asked.rows: rows, "run_id": run_id, "files": files})
        return
    cells = [[cell(row) for cell in asked.columns.values()] for row in rows]
    print_table(list(asked.columns), cells, title=f"groups: {groups}, each of {larvae} {model}; {asked.of}")
    for remark in asked.remarks:
        say(remark)
    say(f"Run {run_id}. Look at {files[1]}; the results are in {files[0]}.")


@click.command(short_help="Do larvae prefer what they were trained with?")
@click.option("--condition", "conditions", multiple=True, help="naive, paired, unpaired, differential or mirrored; may "
              "be given more than once.  [default: all five]")  # fmt: skip
@click.option("--trials", type=int, default=3, help="Training trials, of two phases each.")
@click.option("--phase", "phase_min", type=float, default=1.0, metavar="MIN", help="How long a phase lasts.")
@_of_groups
@stands_for
@common
def preference(conditions: tuple[str, ...], trials: int, phase_min: float, **how: Any) -> None:
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
    """  # noqa: D301  # \b is click's sign that the lines after it stay as they are
    from kenyon.larvaworld_plugin.comparing import compare
    from kenyon.larvaworld_plugin.conditions import CONDITIONS
    from kenyon.larvaworld_plugin.figures import preference_figure
    from kenyon.larvaworld_plugin.preference import preference as ask

    too_few = f"Too few groups for p: with fewer than {_FEWEST_GROUPS} a condition it cannot come below 0.05."
    asked = _Asked(
        name="preference",
        ask=partial(ask, conditions=conditions or tuple(CONDITIONS), trials=trials, phase_min=phase_min),
        draw=preference_figure,
        compare=compare,
        rows="conditions",
        columns={
            "condition": lambda row: row["condition"],
            "preference (95 % interval)": lambda row: _around(row["preference"], row["interval"]),
            "above naive": lambda row: "" if row["above_naive"] is None else f"{row['above_naive']:+.2f}",
            "learned: trained, other": lambda row: "{:+.2f}, {:+.2f}".format(*row["learned"]),
            "gain: trained, other": lambda row: "{:+.0f}, {:+.0f}".format(*row["gain"]),
            "p against paired": lambda row: "" if row["p"] is None else f"{row['p']:.2g}",
        },
        of="for the trained odor over the other",
        remarks=(too_few,) if how["groups"] < _FEWEST_GROUPS else (),
    )
    _carry_out(asked, how)


@click.command(short_help="Train larvae in a dish of Larvaworld by a design.")
@click.argument("design")
@click.option("--odor", "letters", multiple=True, metavar="[LETTER=]NAME", help="The odor that a letter of the design "
              "stands for, A if no letter is given; may be given repeatedly.")  # fmt: skip
@click.option("--us", type=click.Choice(("reward", "punishment")), help="What + stands for.  [default: as the design "
              "says, or reward]")  # fmt: skip
@_of_groups
@common
def train(design: str, letters: tuple[str, ...], us: str | None, **how: Any) -> None:
    """Let groups of larvae live through DESIGN in Larvaworld, and see where they go in its tests.

    DESIGN is what `kenyon train` takes: text in single quotes (docs/reference/notation.md), or the id of an experiment
    of the library. A dish has two odors at most, on both sides in training, and food everywhere or nowhere; what it
    cannot have is refused before anything runs. ?A tests copies of the larvae, which learn no more: A on one side,
    nothing on the other; ?A, ?B: A on one side, B on the other. `live A/B 180s` tests the larvae themselves. In every
    second group A is on the other side. Writes training.nc and training.png.

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
    from kenyon.larvaworld_plugin.training import train as live_through
    from kenyon.larvaworld_plugin.training_figure import training_figure

    own = [] if how["odors_file"] is None else read_odors(how["odors_file"])
    plus = None if us is None else (us, 1.0)
    written = as_design(design, bindings=bindings(letters, own), reinforcer=plus, odors=own)
    in_dish(written)
    asked = _Asked(
        name="training",
        ask=partial(live_through, written),
        draw=training_figure,
        compare=compare_tests,
        rows="tests",
        columns={
            "condition": lambda row: row["condition"],
            "test": words_of,
            "preference (95 % interval)": lambda row: _around(row["preference"], row["preference_interval"]),
            "since before": lambda row: (
                "" if row["since_before"] is None else _around(row["since_before"], row["since_before_interval"])
            ),
            "learned": lambda row: ", ".join(f"{value:+.2f}" for value in row["learned"] if not isnan(value)),
            "head casts toward, away (1/s)": lambda row: "{:.2f}, {:.2f}".format(*row["head_casts_hz"]),
            "rate modulation": lambda row: _around(row["rate_modulation"], row["rate_modulation_interval"]),
            "reorientation (degrees)": lambda row: _around(row["reorientation_deg"], row["reorientation_deg_interval"]),
        },
        of="for the first odor of each test",
        remarks=(
            "Preference: Larvaworld's index, second half of the test.",
            "Learned: what the circuit says when it is asked.",
        ),
    )
    _carry_out(asked, {**how, "odors": (), "reinforcement": "reward"})  # These are the design's to say.


def _around(mean: float, interval: Sequence[float]) -> str:
    """Return a mean with its interval, if there is one."""
    return f"{mean:+.2f}" + ("" if isnan(interval[0]) else f" ({interval[0]:+.2f} to {interval[1]:+.2f})")
