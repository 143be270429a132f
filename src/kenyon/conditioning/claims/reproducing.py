"""A collection of claims held against several sets of constants: one table, and files that say how it was made."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kenyon import checks, netcdf
from kenyon.conditioning.claims.claim import Claim
from kenyon.conditioning.claims.figures import claim_figure
from kenyon.conditioning.claims.judging import ODORS, Judgement, judge
from kenyon.conditioning.claims.known import collection
from kenyon.conditioning.claims.report import page
from kenyon.conditioning.phases import REINFORCERS
from kenyon.drawing import save_figure
from kenyon.errors import InputError
from kenyon.mushroom_body.engine import Engine
from kenyon.mushroom_body.parameters import NAMED, Parameters, check_parameters, named
from kenyon.mushroom_body.wiring import RANDOM
from kenyon.reservations import reserved

if TYPE_CHECKING:  # slow to import
    import pandas as pd
    import xarray

REPORT: Final = "report.html"
LIVES: Final = "lives"
"""Folder of what larvae gave, by which a run that was killed goes on."""


@dataclass(frozen=True, eq=False)
class Reproduction:
    """What became of a collection of claims with each of several sets of constants.

    Attributes:
        name: Of the collection.
        title: What it is about.
        judgements: One for each set.
    """

    name: str
    title: str
    judgements: tuple[Judgement, ...]

    def __repr__(self) -> str:
        """Say of what it is."""
        sets = ", ".join(own.set for own in self.judgements)
        return f"<{self.name}: {len(self.claims)} claims with {sets}>"

    def _repr_html_(self) -> str:
        """Show the table, in a notebook."""
        shown_here: str = self.table().to_html(index=False)
        return shown_here

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims, in their order."""
        return tuple(verdict.claim for verdict in self.judgements[0].verdicts)

    def table(self) -> "pd.DataFrame":
        """Return a table of pandas: a row for each claim, a column with the verdict and one with the effect each set.

        The effect is what the figure is that a claim is about before all, over all odors and reinforcers, with its 95 %
        interval; a preference index is given as a share of what three trials teach.
        """
        import pandas as pd

        rows = []
        for claim in self.claims:
            figure = "" if claim.headline is None else claim.headline.statement
            row = {"claim": claim.id, "statement": claim.statement, "figure": figure}
            for own in self.judgements:
                effect = own[claim.id].effect
                row |= {own.set: own[claim.id].words, f"{own.set}, effect": "" if effect is None else effect.words}
            rows.append(row)
        return pd.DataFrame(rows)

    def to_dataframe(self) -> "pd.DataFrame":
        """Return every figure as a table of pandas, with all that made it; see `Judgement.to_dataframe`."""
        import pandas as pd

        parts = []
        for own in self.judgements:
            made = {"seed": own.seed, "wiring": own.wiring, "run_id": own.run_id, "kenyon": own.versions["kenyon"]}
            parts.append(own.to_dataframe().assign(**made))
        return pd.concat(parts, ignore_index=True)

    def to_dataset(self) -> "xarray.Dataset":
        """Return the figure of every larva, and all that made it.

        Returns:
            value (set, figure, odors, larva) float64, where a figure is a criterion of a claim with a reinforcer; mean,
            low and high (set, figure); training (set, odors, larva). Every constant is a coordinate of the sets.
        """
        import xarray

        first = self.judgements[0]
        figures = [(verdict.claim.id, own) for verdict in first.verdicts for own in verdict.measured]
        by_set = [[own for verdict in each.verdicts for own in verdict.measured] for each in self.judgements]
        larvae, pairs = np.arange(first.larvae), [" and ".join(own) for own in first.odors]
        values = [[own.values for own in each] for each in by_set]
        shape = (len(by_set), len(figures), len(pairs), first.larvae)
        constants = [own.parameters.values() for own in self.judgements]
        return xarray.Dataset(
            {
                "value": (("set", "figure", "odors", "larva"), np.reshape(values, shape)),
                **{
                    name: (("set", "figure"), np.reshape([[getattr(own, name) for own in each] for each in by_set],
                                                         shape[:2]))
                    for name in ("mean", "low", "high")
                },
                "training": (("set", "odors", "larva"), np.array([own.training for own in self.judgements])),
            },
            coords={
                "set": [own.set for own in self.judgements],
                "run_id": ("set", [own.run_id for own in self.judgements]),
                "claim": ("figure", np.array([claim for claim, _ in figures], dtype=str)),
                "criterion": ("figure", np.array([own.criterion.statement for _, own in figures], dtype=str)),
                "us": ("figure", np.array([own.us for _, own in figures], dtype=str)),
                "odors": pairs,
                "larva": larvae,
                **{
                    name: ("set", [np.nan if own[name] is None else own[name] for own in constants])
                    for name in constants[0]
                },
            },
            attrs={"seed": str(first.seed), "wiring": first.wiring, "versions": json.dumps(first.versions)},
        )  # fmt: skip

    @property
    def files(self) -> list[str]:
        """The names of the files that `save` writes."""
        return file_names(self.claims)

    def save(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> list[Path]:
        """Write the report, the tables, all numbers and a figure for each claim: all files or none.

        Args:
            folder: Where to; it is made if it is not there.
            overwrite: Replace files that lie there.

        Raises:
            InputError: a file exists and `overwrite` is False, or the folder cannot be written to.
            LockedError: somebody else is writing one of them.
            StorageError: the disk is full.
        """
        target = checks.path("folder", folder)
        with reserved(target, *self.files, overwrite=checks.boolean("overwrite", overwrite), make=True) as new:
            self.write(new)
        return [target / file for file in self.files]

    def write(self, folder: Path) -> None:
        """Write the same into a folder in which nothing is, such as one that was reserved."""
        drawn = {claim.id: claim_figure(claim, self.judgements) for claim in self.claims if claim.groups}
        for claim, figure in drawn.items():
            save_figure(figure, folder / f"{claim}.svg")
        (folder / REPORT).write_text(page(self.title, self.judgements, drawn), "utf-8")
        self.table().to_csv(folder / "table.csv", index=False)
        self.to_dataframe().to_csv(folder / "figures.csv", index=False)
        netcdf.write(self.to_dataset(), folder / "figures.nc")


def file_names(claims: Sequence[Claim]) -> list[str]:
    """Return the names of the files in which a reproduction of claims is kept."""
    return [REPORT, "table.csv", "figures.csv", "figures.nc", *(f"{own.id}.svg" for own in claims if own.groups)]


def reproduce(
    claims: str | Sequence[Claim],
    parameters: Sequence[str | Parameters] = tuple(NAMED),
    *,
    ids: Sequence[str] = (),
    odors: Sequence[Sequence[Any]] = ODORS,
    reinforcers: Sequence[str] = REINFORCERS,
    larvae: int = 20,
    seed: int = 0,
    wiring: str = RANDOM,
    pn_to_kc: Any = None,
    engine: str | Engine = "kernel",
    threads: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    show_progress: bool = True,
) -> Reproduction:
    """Hold a collection of claims against several sets of constants.

    Args:
        claims: "larvae", "adults" or "jurgensen2024", or claims of one's own.
        parameters: Sets of constants, by name or as they are.
        ids: Which of the claims, such as "L6"; all if none is named.
        odors: As for `judge`.
        reinforcers: As for `judge`.
        larvae: How many in each group, 2 or more.
        seed: As for `judge`.
        wiring: As for `judge`.
        pn_to_kc: As for `judge`.
        engine: As for `judge`.
        threads: As for `judge`.
        folder: As for `judge`.
        show_progress: Show a progress bar on standard error for each set.

    Raises:
        InputError: an argument is unusable; nothing has been simulated then.
        MissingDependencyError: as for `Population`.

    Randomness:
        As for `judge`: the same larvae with each set.

    Example:
        >>> from kenyon.conditioning.claims import Claim, Criterion
        >>> index = Criterion("index after 10 s", lambda answers: answers.last("trained"), at_least=0.01)
        >>> claim = Claim("X1", "larva", "Ten seconds are enough.", "Nobody 2020", {"trained": "A+ 10s | ?A 2s"},
        ...     [index], "None is learned.")
        >>> short = reproduce([claim], ["balanced"], larvae=2, reinforcers=["reward"], show_progress=False)
        >>> short.table()[["claim", "balanced"]].values.tolist()
        [['X1', 'holds']]
    """
    name, known = collection(claims, ids)
    sets = [_set(own) for own in checks.several("parameters", parameters)]
    if not sets or len({own.description for own in sets}) < len(sets):
        raise InputError("parameters must be one or more different sets of constants; name each once")
    return Reproduction(
        name,
        known.title,
        tuple(
            judge(
                known.claims, own, odors=odors, reinforcers=reinforcers, larvae=larvae, seed=seed, wiring=wiring,
                pn_to_kc=pn_to_kc, engine=engine, threads=threads, folder=folder, show_progress=show_progress,
            )
            for own in sets
        ),
    )  # fmt: skip


def _set(given: Any) -> Parameters:
    return named(given) if isinstance(given, str) else check_parameters(given)
