"""The subcommand that trains larvae and shows what they learned."""

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kenyon.checks import spelled_integer
from kenyon.cli import experiments, plan
from kenyon.cli.experiments import Asked
from kenyon.cli.inputs import EXPERIMENT, ODOR, TABLE
from kenyon.cli.output import as_json, print_json, print_table, say
from kenyon.cli.watching import page, watched
from kenyon.conditioning import Experiment
from kenyon.conditioning.figures.captions import odors as smelled
from kenyon.conditioning.figures.captions import reinforcers
from kenyon.conditioning.figures.captions import wiring as wired
from kenyon.conditioning.origin import only
from kenyon.conditioning.phases import REINFORCERS
from kenyon.conditioning.results import save, summary
from kenyon.errors import DivergenceWarning, InputError
from kenyon.mushroom_body import read_pn_to_kc
from kenyon.mushroom_body.engines import ENGINES
from kenyon.mushroom_body.parameters import DEFAULT_NAME, NAMED, Parameters, named
from kenyon.mushroom_body.wiring import RANDOM, WIRINGS
from kenyon.reservations import reserved
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

_FIGURE = "learning.png"
_RATES = ", ".join(f"{parameters.reinforcement_rate_hz:g} {name}" for name, parameters in NAMED.items())


@click.command(cls=experiments.FromFiles)
@click.argument("asked", metavar="[EXPERIMENT]...", nargs=-1, type=EXPERIMENT)
@click.option("--odor", "odors", multiple=True, type=ODOR, metavar="[LETTER=]ODOR[@DOSE]", help="Odor to "
              "train with, by name or number, see `kenyon odors`; or what another letter stands for; may be given more "
              "than once.  [default: pentyl acetate]")  # fmt: skip
@click.option("--odors-file", type=TABLE, metavar="FILE", help="CSV of odors of your own, which --odor, --test-odor "
              "and designs may name.")  # fmt: skip
@click.option("--concentration", type=float, default=1.0, help="Of the odor; 1 is the dilution 1e-04.")
@click.option("--us", type=click.Choice(REINFORCERS), default="reward", help="What comes with the odor.")
@click.option("--us-rate", type=float, metavar="HZ", help="Strength of reward or punishment as an input rate.  "
              f"[default: that of the parameters, {_RATES}]")  # fmt: skip
@click.option("--larvae", type=int, default=30, help="How many in each group.")
@click.option("--trials", type=int, default=3, help="Training trials, where the experiment has trials of one odor.")
@click.option("--stimulus", type=float, default=60.0, metavar="S", help="How long a stimulus lasts, as above.")
@click.option("--pause", type=float, default=60.0, metavar="S", help="How long the pause after it lasts, as above.")
@click.option("--test-odor", "test_odors", multiple=True, type=ODOR, help="Another odor to test, as above; may be "
              "given more than once.  [default: a dissimilar one]")  # fmt: skip
@click.option("--parameters", type=click.Choice(list(NAMED)), default=DEFAULT_NAME, help="Constants of the circuit.")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change one constant, such as "
              "learning_rate_nS=0.1; may be given more than once.")  # fmt: skip
@click.option(
    "--wiring",
    type=click.Choice(WIRINGS),
    default=RANDOM,
    help="Which PNs each Kenyon cell listens to: drawn "
    "for each larva; as measured on a side of a brain; or with each cell's synapses dealt to other receptors.",
)
@click.option("--pn-to-kc", type=TABLE, metavar="FILE", help="CSV of a wiring of your own: 1 to 128 lines of 21 "
              "numbers, 0 and 1, or counts of synapses, or strengths with a decimal point.")  # fmt: skip
@click.option("--seed", type=int, default=0, help="Same seed, same larvae, same numbers.")
@click.option(
    "--engine", type=click.Choice(ENGINES), default="kernel", help="Same numbers; brian2 is far slower, cuda is a GPU."
)
@click.option("--twin", is_flag=True, help="Run the unmanipulated group beside each group that is manipulated.")
@click.option("--dry-run", is_flag=True, help="Draw what would happen when, say how long it lasts, and run nothing.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("kenyon-results"),
              help="Folder for the results and the figure.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace results that lie there.")
@watched
@as_json
@click.pass_context
def train(
    ctx: click.Context,
    /,
    *,
    asked: list[Asked],
    parameters: str,
    changes: tuple[str, ...],
    us_rate: float | None,
    larvae: int,
    wiring: str,
    pn_to_kc: Path | None,
    seed: int,
    engine: str,
    twin: bool,
    dry_run: bool,
    out: Path,
    overwrite: bool,
    as_json: bool,
    watch: bool,
    watch_port: int,
    browser: bool,
    **how: Any,
) -> None:
    """Train larvae and show what they learned: a table, a figure, and a result file for each group of larvae.

    An EXPERIMENT is the id of one of the library, see `kenyon paradigms`; a design of your own in single quotes; or
    @FILE, TOML with designs, groups and options. Without any, larvae are trained "paired": odor and reward together.
    All groups have the same larvae; all are drawn in one figure, the first in full.

    A design is written as `3x(A+ 60s, 60s) | ?A`: three times odor A with the reinforcer for 60 s and a pause of 60 s,
    then a test. A is --odor, + is --us; A- is A without the reinforcer, for minus is not punishment. More in
    docs/reference/notation.md.

    The preference index is (MBONp - MBONn) / (MBONp + MBONn) of the two output neurons' rates: above 0 the odor
    attracts, below 0 it repels.

    \b
    Examples:
      kenyon train
      kenyon train paired unpaired reinforcement-alone --seed 7
      kenyon train --us punishment --odor 3-octanol --trials 5 --out octanol
      kenyon train trace/5s,30s --dry-run
      kenyon train '3x(A+ 60s, B 60s) | ?A, ?B' --odor B=anisole@0.1
      kenyon train 'silent: {silence DANp: 3x(A+ 60s, 60s)} | ?A' --twin
      kenyon train paired unpaired --watch
    """  # noqa: D301  # \b is click's sign that the lines after it stay as they are
    chosen = _parameters(parameters, changes, us_rate)
    asked = asked or [Asked("paired", "paired")]
    designs = experiments.designs(asked, chosen, ctx.meta["given"], **how)
    own_wiring = None if pn_to_kc is None else read_pn_to_kc(pn_to_kc)
    if twin:
        designs = experiments.with_twins(designs)
    if dry_run:
        plan.show(asked, designs, larvae, as_json=as_json)
        return
    groups = experiments.group_names(asked, designs)
    files = [*(f"{name}.nc" for names in groups for name in names), _FIGURE]
    runs = [
        Experiment(
            design, larvae=larvae, seed=seed, parameters=chosen, wiring=wiring, pn_to_kc=own_wiring, engine=engine,
            weights=True,
        )
        for design in designs
    ]  # fmt: skip
    with page(*runs, watch=watch, watch_port=watch_port, browser=browser) as listeners:
        with reserved(out, *files, overwrite=overwrite, make=True) as new, warnings.catch_warnings():
            # Counted in the dataset and said in the report, once for all.
            warnings.simplefilter("ignore", DivergenceWarning)
            results: dict[str, xarray.Dataset] = {}
            for run, names in zip(runs, groups, strict=True):
                for name, result in zip(names, run.run(listeners).values(), strict=True):
                    save(result, new / f"{name}.nc")
                    results[name] = result
            from kenyon.conditioning.figures import learning_figure
            from kenyon.drawing import save_figure

            save_figure(learning_figure(list(results.values())), new / _FIGURE)
        _report(results, [out / file for file in files], as_json=as_json)


def _parameters(name: str, changes: tuple[str, ...], us_rate: float | None) -> Parameters:
    values: dict[str, float | None] = {}
    for change in changes:
        key, _, value = change.partition("=")
        try:
            whole = spelled_integer(value)
            values[key] = None if value == "none" else float(value) if whole is None else whole
        except ValueError:
            raise InputError(f"--set must be NAME=VALUE with a number or none, got {shown(change)}") from None
    if us_rate is not None:
        values["reinforcement_rate_hz"] = us_rate
    return named(name).replace(values)


def _report(results: "dict[str, xarray.Dataset]", files: list[Path], *, as_json: bool) -> None:
    rows = [{**row, "group": name} for name, result in results.items() for row in summary(result)]
    diverged = {name: _diverged(result) for name, result in results.items()}
    runs = {name: only(result, "run_id") for name, result in results.items()}
    one = next(iter(results.values()))
    if as_json:
        print_json({"results": rows, "diverged": diverged, "runs": runs, "files": [str(file) for file in files]})
        return
    first = {name: only(one, name) for name in ("parameters", "seed")}
    given = " and ".join([*smelled(one), *reinforcers(one).values()])
    wiring = "" if wired(one) == "drawn" else f"wiring {wired(one)}, "
    print_table(
        ["group", "tested with", "test", "MBONp (Hz)", "MBONn (Hz)", "preference index (95 % interval)"],
        [
            [
                row["group"],
                row["test_odor"],
                row["after"] if row["after"] == "before" else f"after {row['after']}",
                f"{row['mbonp_hz']:.0f}",
                f"{row['mbonn_hz']:.0f}",
                _index_words(row["preference_index"], *row["interval"]),
            ]
            for row in rows
        ],
        title=f"{one.sizes['larva']} larvae{f', {given}' * bool(given)}, "
        f"parameters {first['parameters']}, {wiring}seed {first['seed']}",
    )
    for name, larvae in diverged.items():
        if larvae > 0:
            say(
                f"Careful: in {larvae} of {one.sizes['larva']} larvae of {name} an output "
                f"neuron's potential has left all bounds, for its weights fell far below 0 nS; it is silent now. "
                f"This belongs to the published model; --set weight_floor_nS=0 prevents it."
            )
    say("Above 0 the odor attracts, below 0 it repels.")
    say(f"Runs: {', '.join(f'{name} {run}' for name, run in runs.items())}; the same id, the same numbers.")
    say(f"Look at {files[-1]}; the results are in {', '.join(str(file) for file in files[:-1])}.")


def _diverged(result: "xarray.Dataset") -> int:
    return int(result.diverged.isel(phase=-1).sum()) if result.sizes["phase"] else 0


def _index_words(mean: float, low: float, high: float) -> str:
    interval = "one larva, no interval" if math.isnan(low) else f"{low:+.2f} to {high:+.2f}"
    return f"{mean:+.2f} ({interval})"
