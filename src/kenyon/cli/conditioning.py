"""Subcommands about conditioning: run a paradigm, list the paradigms."""

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kenyon.checks import spelled_integer
from kenyon.claims import claimed
from kenyon.cli.output import as_json, print_json, print_table, say
from kenyon.conditioning import DESCRIPTIONS, paradigm, run
from kenyon.conditioning.captions import odors, reinforcers
from kenyon.conditioning.origin import only
from kenyon.conditioning.paradigms import paradigm_id
from kenyon.conditioning.phases import REINFORCERS
from kenyon.conditioning.results import save, summary
from kenyon.errors import DivergenceWarning, InputError
from kenyon.mushroom_body.engines import ENGINES
from kenyon.mushroom_body.odors import find
from kenyon.mushroom_body.parameters import NAMED, Parameters, named
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

_DISSIMILAR = "4,5-dimethylthiazole", "pentyl acetate"
_FIGURE = "learning.png"


@click.command(short_help="Train larvae; show what they learned.")
@click.argument("names", metavar="[PARADIGM]...", nargs=-1)
@click.option("--odor", default="pentyl acetate", help="Odor to train with, by name or number; see `kenyon odors`.")
@click.option("--concentration", type=float, default=1.0, help="Of the odor; 1 is the dilution 1e-04.")
@click.option("--us", type=click.Choice(REINFORCERS), default="reward", help="What comes with the odor.")
@click.option("--us-rate", type=float, metavar="HZ", help="Strength of reward or punishment as an input rate.  "
              "[default: that of the parameters, 450 balanced, 600 published]")  # fmt: skip
@click.option("--larvae", type=int, default=30, help="How many.")
@click.option("--trials", type=int, default=3, help="Training trials.")
@click.option("--stimulus", type=float, default=60.0, metavar="S", help="How long a stimulus lasts.")
@click.option("--pause", type=float, default=60.0, metavar="S", help="How long the pause after it lasts.")
@click.option("--test-odor", "test_odors", multiple=True, help="Another odor to test; may be given more than once.  "
              "[default: a dissimilar one]")  # fmt: skip
@click.option("--parameters", type=click.Choice(list(NAMED)), default="balanced", help="Constants of the circuit.")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change one constant, such as "
              "learning_rate_nS=0.1; may be given more than once.")  # fmt: skip
@click.option("--seed", type=int, default=0, help="Same seed, same larvae, same numbers.")
@click.option(
    "--engine", type=click.Choice(ENGINES), default="kernel", help="Same numbers; brian2 is far slower, cuda is a GPU."
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("kenyon-results"),
              help="Folder for the results and the figure.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace results that lie there.")
@as_json
def train(
    names: tuple[str, ...],
    odor: str,
    concentration: float,
    us: str,
    us_rate: float | None,
    larvae: int,
    trials: int,
    stimulus: float,
    pause: float,
    test_odors: tuple[str, ...],
    parameters: str,
    changes: tuple[str, ...],
    seed: int,
    engine: str,
    out: Path,
    *,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Train larvae and show what they learned: a table, a figure and a result file for each PARADIGM.

    Without PARADIGM they are trained "paired": odor and reward together. Several paradigms are drawn in one figure, the
    first in full; all of them use the same larvae. See `kenyon paradigms` for the list.

    The preference index is (MBONp - MBONn) / (MBONp + MBONn) of the two output neurons' rates: above 0 the odor
    attracts, below 0 it repels.

    \b
    Examples:
      kenyon train
      kenyon train paired unpaired reinforcement-alone --seed 7
      kenyon train --us punishment --odor 3-octanol --trials 5 --out octanol
      kenyon train extinction --set learning_rate_nS=0.1
    """  # noqa: D301  # \b is click's sign that the lines after it stay as they are
    chosen = _parameters(parameters, changes, us_rate)
    names = names or ("paired",)
    tests = test_odors or (_DISSIMILAR[find(odor).name == _DISSIMILAR[0]],)
    designs = [
        paradigm(
            name, cs=odor, concentration=concentration, us=us, trials=trials, stimulus_s=stimulus, pause_s=pause,
            test_odors=tests,
        )
        for name in names
    ]  # fmt: skip
    files = _file_names(names)
    with claimed(out, *files, overwrite=overwrite, make=True) as new, warnings.catch_warnings():
        # Counted in the dataset and said in the report, once for all.
        warnings.simplefilter("ignore", DivergenceWarning)
        results = []
        for design, file in zip(designs, files, strict=False):
            result = run(design, larvae=larvae, seed=seed, parameters=chosen, engine=engine, weights=True).one
            save(result, new / file)
            results.append(result)
        from kenyon.conditioning.figures import learning_figure
        from kenyon.drawing import save_figure

        save_figure(learning_figure(results), new / _FIGURE)
    _report(results, [out / file for file in files], as_json=as_json)


@click.command(short_help="List the conditioning paradigms.")
@as_json
def paradigms(*, as_json: bool) -> None:
    """List the conditioning paradigms; with --json also the id that each has at its defaults."""
    rows = [(name, text, paradigm_id(name)) for name, text in DESCRIPTIONS.items()]
    if as_json:
        print_json([{"name": name, "description": text, "id": identity} for name, text, identity in rows])
    else:
        print_table(["paradigm", "what a trial is"], [row[:2] for row in rows], title="Conditioning paradigms")


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


def _file_names(names: tuple[str, ...]) -> list[str]:
    if len(set(names)) < len(names):
        raise InputError(f"each paradigm must be named once, got {shown(' '.join(names))}")
    return [*(f"{name}.nc" for name in names), _FIGURE]


def _report(results: "list[xarray.Dataset]", files: list[Path], *, as_json: bool) -> None:
    rows = [row for result in results for row in summary(result)]
    diverged = {only(result, "larva_group"): int(result.diverged.isel(phase=-1).sum()) for result in results}
    runs = {only(result, "larva_group"): only(result, "run_id") for result in results}
    if as_json:
        print_json({"results": rows, "diverged": diverged, "runs": runs, "files": [str(file) for file in files]})
        return
    first = {name: only(results[0], name) for name in ("parameters", "seed")}
    given = " and ".join([*odors(results[0]), *reinforcers(results[0]).values()])
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
        title=f"{results[0].sizes['larva']} larvae{f', {given}' * bool(given)}, "
        f"parameters {first['parameters']}, seed {first['seed']}",
    )
    for name, larvae in diverged.items():
        if larvae > 0:
            say(
                f"Careful: in {larvae} of {results[0].sizes['larva']} larvae of {name} an output "
                f"neuron's potential has left all bounds, for its weights fell far below 0 nS; it is silent now. "
                f"This belongs to the published model; --set weight_floor_nS=0 prevents it."
            )
    say("Above 0 the odor attracts, below 0 it repels.")
    say(f"Runs: {', '.join(f'{name} {run}' for name, run in runs.items())}; the same id, the same numbers.")
    say(f"Look at {files[-1]}; the results are in {', '.join(str(file) for file in files[:-1])}.")


def _index_words(mean: float, low: float, high: float) -> str:
    interval = "one larva, no interval" if math.isnan(low) else f"{low:+.2f} to {high:+.2f}"
    return f"{mean:+.2f} ({interval})"
