"""Subcommands about the circuit itself: how it looks, its odors, and whether it still gives every golden spike."""

from pathlib import Path
from typing import Any

import click

from kenyon.cli.inputs import ARRAYS, ODOR
from kenyon.cli.output import as_json, print_json, print_table, say
from kenyon.mushroom_body import odors as measured
from kenyon.mushroom_body import verification
from kenyon.mushroom_body.engines import ENGINES, Kernel


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--seed", type=int, default=1, help="Of the larva, which decides how its PNs and KCs are wired.")
@click.option("--overwrite", is_flag=True, help="Replace a file that lies there.")
def circuit(file: Path, seed: int, *, overwrite: bool) -> None:
    """Draw the 142 neurons of a larva and all their connections into FILE, whose suffix says how: .png, .svg, .pdf.

    \b
    Examples:
      kenyon circuit circuit.png
      kenyon circuit --seed 7 seventh.svg
    """  # noqa: D301  # \b is click's sign that the lines after it stay as they are
    from kenyon.drawing import save_figure
    from kenyon.mushroom_body.diagram import draw_circuit

    say(f"{save_figure(draw_circuit(seed), file, overwrite=overwrite)}")


@click.command()
@click.argument("name", required=False, type=ODOR)
@as_json
def odors(name: str | None, *, as_json: bool) -> None:
    """List the 34 measured odors, or how alike they are to one.

    NAME is an odor or its number: they are then sorted by how similarly the receptors answer (cosine at
    concentration 1, the dilution 1e-04). Odors that are alike are learned alike; to discriminate take dissimilar ones.

    \b
    Examples:
      kenyon odors
      kenyon odors "pentyl acetate"
    """  # noqa: D301  # as above
    rows: list[dict[str, Any]] = [
        {
            "number": odor.number,
            "name": odor.name,
            "dilutions": list(odor.dilutions),
            "strength": float(measured.response(odor).sum()),
        }
        for odor in measured.odors()
    ]
    if name is not None:
        reference = measured.find(name)
        for row in rows:
            row["similarity"] = measured.similarity(reference, row["number"])
        rows.sort(key=lambda row: -row["similarity"])
    if as_json:
        print_json({"source": measured.CITATION, "odors": rows})
        return
    columns = ["number", "odor", "measured at dilutions", "summed response (ΔF/F)"]
    lines = [
        [
            str(row["number"]),
            row["name"],
            f"{row['dilutions'][0]:.0e} to {row['dilutions'][-1]:.0e}",
            f"{row['strength']:.1f}",
            *([f"{row['similarity']:.2f}"] if "similarity" in row else []),
        ]
        for row in rows
    ]
    if name is not None:
        columns.append(f"similarity to {reference.name} (cosine)")
    print_table(columns, lines, title=f"Odors measured by {measured.CITATION}; responses at dilution 1e-04")


@click.command()
@click.argument("files", nargs=-1, type=ARRAYS)
@click.option("--engine", type=click.Choice(ENGINES), default="kernel", help="Which engine replays them.")
@click.option("--plain", is_flag=True, help="The kernel's plain form, which is slower, instead of the layered one.")
@as_json
@click.pass_context
def verify(context: click.Context, files: tuple[Path, ...], engine: str, *, plain: bool, as_json: bool) -> None:
    """Replay golden FILES and compare every spike and weight; exit with 1 on any difference.

    Without FILES it replays those that come with the package: three runs of the published network on fixed input, one
    of the balanced set, two of the rules of the larval set, and one with Kenyon cells wired as measured. Weights must
    agree to 1e-9 nS.

    \b
    Examples:
      kenyon verify
      kenyon verify --plain
      kenyon verify --engine brian2
      kenyon verify my_run.npz
    """  # noqa: D301  # as above
    golden = [verification.load(path) for path in files or verification.own_files()]
    if plain and engine != "kernel":
        raise click.UsageError(f"--plain must go with the kernel, got --engine {engine}; leave one of the two out")
    verdicts = [verification.replay(one, Kernel(layered=False) if plain else engine) for one in golden]
    if as_json:
        print_json({"engine": engine, "files": [{**vars(one), "identical": one.identical} for one in verdicts]})
    else:
        columns = ["file", "verdict", "spikes (compared)", "missing (spikes)", "surplus (spikes)"]
        print_table(
            [*columns, "first difference", "weight error (nS)"],
            [
                [
                    one.name,
                    "identical" if one.identical else "DIFFERENT",
                    str(one.spikes),
                    str(one.missing),
                    str(one.surplus),
                    "none" if one.first_difference is None else "step {}, neuron {}".format(*one.first_difference),
                    f"{one.weight_error_nS:.1e}",
                ]
                for one in verdicts
            ],
            title=f"Golden files on the {engine} engine{', plain form' if plain else ''}",
        )
    context.exit(0 if all(one.identical for one in verdicts) else 1)
