"""The set `larval` judged on larvae and odors that its search has not seen; rewrites larval_judgement.csv.

    python studies/larval_judgement.py                     # 30 larvae, three trained odors, both reinforcers
    python studies/larval_judgement.py --larvae 4          # a look

The odors were chosen before anything was judged with them: pentyl acetate, as everywhere; a pair that shares no
receptor; and benzaldehyde, which the field trains with, beside an odor that is coded unlike it. Give `--keep FOLDER`,
and what is stopped goes on from there.
"""

import argparse
from pathlib import Path

from kenyon.conditioning.claims import ADULTS, LARVAE, Judgement, judge
from kenyon.mushroom_body import named

TABLE = Path(__file__).with_suffix(".csv")

SEED = 1000
ODORS = (
    ("pentyl acetate", "4,5-dimethylthiazole"),
    ("4-methyl-5-vinylthiazole", "6-methyl-5-hepten-2-ol"),
    ("benzaldehyde", "butyl acetate"),
)
CLAIMS = (*(claim for claim in LARVAE if not claim.unknown), ADULTS[0])
COUNTED = tuple(f"L{number}" for number in range(1, 17) if number not in (13, 15))
NEEDED = ("L6", "L7", "L8", "L9", "L10", "L12")
"""Claims that must hold, whatever the others do."""


def show(judged: Judgement) -> bool:
    """Print what was found; return whether twelve of the fourteen hold, the needed ones among them."""
    for verdict in judged.verdicts:
        print(f"{verdict.claim.id}: {verdict.found or verdict.word}: {verdict.claim.statement}")
        for own in verdict.measured:
            odors = " ".join(f"{mean:+.3f}" for mean in own.odor_means)
            words = f"{own.criterion.asks}: {'met' if own.met else 'NOT MET'}" if own.criterion.decides else ""
            print(
                f"  {own.us:<10}  {own.criterion.statement:<56}  {own.mean:+.3f} [{own.low:+.3f}, {own.high:+.3f}]  "
                f"{odors}  n={own.n}  {words}"
            )
    holding = [claim for claim in COUNTED if judged[claim].found == "holds"]
    print(f"{len(holding)} of {len(COUNTED)} hold: {', '.join(holding)}")
    return len(holding) >= 12 and set(NEEDED) <= set(holding) and judged["A1"].found == "holds"


def main() -> None:
    """Judge, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parameters", default="larval", help="the named set")
    parser.add_argument("--larvae", type=int, default=30, help="larvae in each group")
    parser.add_argument("--keep", type=Path, help="a folder for what larvae gave")
    arguments = parser.parse_args()
    judged = judge(
        CLAIMS, named(arguments.parameters), odors=ODORS, larvae=arguments.larvae, seed=SEED, folder=arguments.keep
    )
    judged.to_dataframe().round(4).to_csv(TABLE, index=False, lineterminator="\n")
    raise SystemExit(0 if show(judged) else 1)


if __name__ == "__main__":
    main()
