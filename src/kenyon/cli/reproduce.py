"""The subcommand that holds claims against the circuit."""

import warnings
from pathlib import Path

import click

from kenyon.cli.inputs import ODOR
from kenyon.cli.output import as_json, print_json, print_table, say
from kenyon.conditioning.claims import COLLECTIONS, Reproduction, reproduce
from kenyon.conditioning.claims.judging import ODORS
from kenyon.conditioning.claims.known import collection
from kenyon.conditioning.claims.reproducing import LIVES, REPORT, file_names
from kenyon.conditioning.entry import UNLIKE
from kenyon.conditioning.phases import REINFORCERS
from kenyon.errors import DivergenceWarning
from kenyon.mushroom_body.engines import ENGINES
from kenyon.mushroom_body.parameters import NAMED
from kenyon.mushroom_body.wiring import RANDOM, WIRINGS
from kenyon.reservations import reserved


@click.command("reproduce")
@click.argument("claims", type=click.Choice(list(COLLECTIONS)), metavar="[COLLECTION]", default="larvae")
@click.option("--claims", "ids", metavar="ID,ID", help="Only these, such as L6,L7.  [default: all]")
@click.option("--parameters", "sets", multiple=True, type=click.Choice(list(NAMED)), help="Set of constants; may be "
              "given more than once.  [default: every set]")  # fmt: skip
@click.option("--larvae", type=int, default=20, help="How many in each group, 2 or more.")
@click.option("--odors", "pairs", multiple=True, nargs=2, type=ODOR, metavar="A B", help="The trained odor and one "
              "unlike it, by name or number; with several pairs each claim must hold for each.  "
              f"[default: '{UNLIKE[0]}' '{UNLIKE[1]}']")  # fmt: skip
@click.option("--us", "reinforcers", multiple=True, type=click.Choice(REINFORCERS), help="What comes with the odor; "
              "may be given more than once.  [default: both]")  # fmt: skip
@click.option("--wiring", type=click.Choice(WIRINGS), default=RANDOM, help="Which PNs each Kenyon cell listens to, as "
              "for `kenyon train`.")  # fmt: skip
@click.option("--seed", type=int, default=0, help="Same seed, same larvae, same table.")
@click.option("--engine", type=click.Choice(ENGINES), default="kernel", help="Same numbers; cuda is a GPU.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for the report and all numbers.  "
              "[default: kenyon-COLLECTION]")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace a report that lies there.")
@as_json
def reproduce_(
    *,
    claims: str,
    ids: str | None,
    sets: tuple[str, ...],
    larvae: int,
    pairs: tuple[tuple[str, str], ...],
    reinforcers: tuple[str, ...],
    wiring: str,
    seed: int,
    engine: str,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Ask the circuit what science claims of larvae, and say which of it holds: a table, and a report to be read.

    A COLLECTION is one of claims: what was found, by whom, how a circuit is asked for it, and what would contradict it.
    There are `larvae`; `adults`, of flies, the same questions asked of another animal; and `jurgensen2024`, of the
    circuit itself. All groups of all claims are the same larvae, so what they begin with is lived through once.

    A claim holds if each of its bounds is met with each reinforcer: by the whole 95 % interval of the mean over odors,
    and by the mean of each odor. It holds in part if the whole interval is on the right side of no effect, and fails
    otherwise. It is fitted where the constants were searched for so that it holds, which is no evidence; unknown where
    nobody has asked the animal; and some cannot be tested.

    The report is one HTML file: the table, then for each claim how it was asked and what the circuit did. Beside it lie
    all numbers, as CSV and NetCDF. What larvae gave is kept in the folder `lives` there, block by block: so a command
    that was stopped goes on when it is given again. Each set takes some minutes on two cores. More in
    docs/how_to/claims.md.

    \b
    Examples:
      kenyon reproduce larvae
      kenyon reproduce larvae --claims L6,L7 --parameters balanced --larvae 10
      kenyon reproduce larvae --odors anisole 3-octanol --us reward --seed 7 --out anisole
    """  # noqa: D301  # \b is click's sign that the lines after it stay as they are
    chosen = ids.split(",") if ids is not None else []
    _, known = collection(claims, chosen)
    target = Path(f"kenyon-{claims}") if out is None else out
    files = file_names(known.claims)
    with (
        reserved(target, *files, overwrite=overwrite, make=True) as new,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", DivergenceWarning)
        found = reproduce(
            claims, sets or tuple(NAMED), ids=chosen, reinforcers=reinforcers or REINFORCERS, larvae=larvae, seed=seed,
            wiring=wiring, engine=engine, folder=target / LIVES,
            odors=pairs or ODORS,
        )  # fmt: skip
        found.write(new)
    _report(found, [target / file for file in files], as_json=as_json)


def _report(found: Reproduction, files: list[Path], *, as_json: bool) -> None:
    table, first = found.table(), found.judgements[0]
    runs = {own.set: own.run_id for own in found.judgements}
    if as_json:
        print_json({"table": table.to_dict("records"), "runs": runs, "files": [str(file) for file in files]})
        return
    sets = [own.set for own in found.judgements]
    print_table(
        ["claim", "", *sets],
        [
            [row["claim"], row["statement"], *(_cell(row[name], row[f"{name}, effect"]) for name in sets)]
            for row in table.to_dict("records")
        ],
        title=f"{found.title}: {first.larvae} larvae, wiring {first.wiring}, seed {first.seed}",
    )
    say("Effects with their 95 % intervals; indices of preference as shares of what three trials teach.")
    say(f"Runs: {', '.join(f'{name} {run}' for name, run in runs.items())}; the same id, the same numbers.")
    (report,) = [file for file in files if file.name == REPORT]
    say(f"Read {report}; all numbers lie beside it.")


def _cell(verdict: str, effect: str) -> str:
    return f"{verdict}, {effect}" if effect else verdict
