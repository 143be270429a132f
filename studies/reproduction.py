"""What larvae and flies do, and what the circuit does with each set of constants: docs/explanation/larvae.md.

    python studies/reproduction.py                          # 20 larvae, as the page has it: some 40 minutes
    python studies/reproduction.py --larvae 2 --out trial   # to see that it works; the page and its figures in a folder

Every claim of every collection, reward and punishment, one pair of odors. It is `kenyon reproduce` three times; what
larvae gave is kept in a folder meanwhile, so that it goes on where it was stopped.
"""

import argparse
import warnings
from pathlib import Path

import pandas as pd

from kenyon.conditioning.claims import COLLECTIONS, Claim, Reproduction, reproduce
from kenyon.conditioning.claims.figures import claim_figure
from kenyon.conditioning.claims.report import MEANINGS
from kenyon.drawing import save_figure
from kenyon.errors import DivergenceWarning

ROOT = Path(__file__).parent.parent
TABLE = Path(__file__).with_suffix(".csv")
PAGE, FIGURES = Path("explanation/larvae.md"), Path("images/larvae")

HEAD = """# What larvae do, and what the circuit does

Written by `make reproduce`. [How claims are asked, and how to read this](../how_to/claims.md).

{larvae} larvae in each group, the same with every set; reward and punishment; A is {odors[0]}, B {odors[1]};
seed {seed}, wiring {wiring}. Below each claim stands the figure that matters most to it. Below each verdict stands what
that figure is, with its 95 % interval over larvae. Preference indices are given as shares of what three trials teach.
All figures are in `studies/reproduction.csv`.

{meanings}
"""


def page(found: list[Reproduction]) -> str:
    """Return the page of some collections."""
    first = found[0].judgements[0]
    meanings = "\n".join(f"- **{word}**: {meaning}." for word, meaning in MEANINGS.items())
    head = HEAD.format(
        larvae=first.larvae, odors=first.odors[0], seed=first.seed, wiring=first.wiring, meanings=meanings
    )
    runs = ", ".join(f"`{own.run_id}` ({each.name}, {own.set})" for each in found for own in each.judgements)
    made = ", ".join(f"{name} {number}" for name, number in first.versions.items())
    parts = [head, *(part for each in found for part in collection(each)), f"\nRuns: {runs}. Made with {made}.\n"]
    return "".join(parts)


def collection(found: Reproduction) -> list[str]:
    """Return the table of a collection, and its claims."""
    sets = [own.set for own in found.judgements]
    rows = [
        [f"[{claim.id}](#{claim.id.lower()})", _statement(claim), *(_cell(found, claim, at) for at in sets)]
        for claim in found.claims
    ]
    table = [f"| {' | '.join(row)} |" for row in (["", "claim", *sets], ["---"] * (2 + len(sets)), *rows)]
    return [f"\n## {found.title}\n\n", "\n".join(table), "\n", *(_claim(claim) for claim in found.claims)]


def _statement(claim: Claim) -> str:
    return claim.statement + ("" if claim.headline is None else f"<br>*{claim.headline.statement}*")


def _cell(found: Reproduction, claim: Claim, name: str) -> str:
    verdict = next(own for own in found.judgements if own.set == name)[claim.id]
    return verdict.words + ("" if verdict.effect is None else f"<br>{verdict.effect.words}")


def _claim(claim: Claim) -> str:
    said = {
        "Source": claim.source,
        "Would contradict it": claim.contradicted_by,
        "Cannot be tested": claim.not_testable,
        "Unknown": claim.unknown,
    }
    lines = [f"\n### {claim.id}\n\n{claim.statement}\n", *(f"- {name}: {text}" for name, text in said.items() if text)]
    figure = f"![What the circuit did, asked for {claim.id}](../{FIGURES}/{claim.id}.png)"
    return "\n".join([*lines, *([f"\n{figure}"] if claim.groups else [])]) + "\n"


def main() -> None:
    """Read the options, ask, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--larvae", type=int, default=20)
    parser.add_argument("--out", type=Path, help="another folder than docs; the table goes there, too")
    parser.add_argument("--lives", type=Path, default=ROOT / "reproduction", help="where what larvae gave is kept")
    options = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergenceWarning)  # Those of `published` diverge.
        found = [reproduce(name, larvae=options.larvae, folder=options.lives) for name in COLLECTIONS]
    folder = ROOT / "docs" if options.out is None else options.out
    for own in (PAGE.parent, FIGURES):
        (folder / own).mkdir(parents=True, exist_ok=True)
    for each in found:
        for claim in each.claims:
            if claim.groups:
                save_figure(claim_figure(claim, each.judgements), folder / FIGURES / f"{claim.id}.png", overwrite=True)
    (folder / PAGE).write_text(page(found), "utf-8")
    table = pd.concat([each.to_dataframe().assign(collection=each.name) for each in found], ignore_index=True)
    table.to_csv(TABLE if options.out is None else options.out / TABLE.name, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
