"""The search behind the parameter set `larval`, as something anyone can rerun.

    python studies/larval_search.py                     # all candidates, the claims at risk; rewrites larval_search.csv
    python studies/larval_search.py --all larval        # one of them, every claim that was a target

What it looks for stands in `kenyon.conditioning.claims`, with the bounds that the judgement has, too. The judgement
(`larval_judgement.py`) takes other larvae, two other odors beside pentyl acetate, and punishment as well. A search
before this one found the rules and the two sets that this one starts from, S1 and S2. Rows are sorted by criteria met
by the mean of every odor, then by the smallest slack. Give `--keep FOLDER`, and what is stopped goes on from there.
"""

import argparse
import csv
import math
from pathlib import Path
from typing import Any

from kenyon.conditioning.claims import ADULTS, LARVAE, Claim, Measured, judge
from kenyon.mushroom_body import BALANCED, LARVAL, Parameters

TABLE = Path(__file__).with_suffix(".csv")

SEED = 1
ODORS = (
    ("pentyl acetate", "4,5-dimethylthiazole"),
    ("methyl phenyl sulfide", "isoamyl acetate"),
    ("hexyl acetate", "2-acetylpyridine"),
)
AT_RISK = ("L5", "L11", "L14")
"""Claims that S1 or S2 misses for one of these odors, or nearly misses."""

S1 = BALANCED.replace(
    homeostasis=0.0, recovery=2e-4, eligibility_step=0.01, learning_rate_nS=0.35, weight_floor_nS=0.0,
    potentiation=1.5e-5, potentiation_tau_ms=15000.0, potentiation_closing_ms=1000.0, weight_ceiling_nS=160.0,
)  # fmt: skip
S2 = S1.replace(ln_pn_nS=0.5, kc_apl_nS=40.0, mbon_dan_nS=6.0, feedback_ln_dan_nS=4.0, reinforcement_rate_hz=350.0)
SLOW = S2.replace(eligibility_tau_ms=10_000.0, learning_rate_nS=0.2, recovery=1.2e-4)
NEIGHBORS: tuple[dict[str, float | None], ...] = (
    {"recovery": 3e-4, "kc_apl_nS": 60.0},
    {"recovery": 3e-4},
    {"recovery": 2.5e-4},
    {"kc_apl_nS": 60.0},
    {"recovery": 3e-4, "kc_apl_nS": 80.0},
    {"recovery": 3e-4, "kc_apl_nS": 60.0, "potentiation": 2e-5},
    {"recovery": 3e-4, "ln_pn_nS": 0.25},
    {"recovery": 3e-4, "learning_rate_nS": 0.45},
    {"recovery": 3e-4, "reinforcement_rate_hz": 400.0},
)
"""What is changed on S2."""


def candidates() -> dict[str, Parameters]:
    """Return the sets to try, by what they are."""
    near = {", ".join(f"{name}={value:g}" for name, value in own.items()): S2.replace(own) for own in NEIGHBORS}
    slow = {
        "S2, eligibility of 10 s": SLOW,
        "the same, recovery=0.00018, kc_apl_nS=60": SLOW.replace(recovery=1.8e-4, kc_apl_nS=60.0),
    }
    return {"larval": LARVAL, "S1": S1, "S2": S2, **{f"S2 with {name}": own for name, own in near.items()}, **slow}


def targets() -> list[Claim]:
    """Return the claims that are looked for: those that say so."""
    return [claim for claim in (*LARVAE, *ADULTS) if "larval" in claim.fitted_in]


def slack(measured: Measured) -> float:
    """Return how far the mean of the worst odor lies inside its limits, negative outside."""
    own = measured.criterion
    return min(min(mean - own.mean_at_least, own.mean_at_most - mean) for mean in measured.odor_means)


def row(name: str, parameters: Parameters, claims: list[Claim], larvae: int, keep: Path | None) -> dict[str, Any]:
    """Return what became of a candidate, by the means of the worst odor."""
    judged = judge(
        claims, parameters, odors=ODORS, reinforcers=["reward"], larvae=larvae, seed=SEED, folder=keep,
        show_progress=False,
    )  # fmt: skip
    asked = [(verdict.claim.id, own) for verdict in judged.verdicts for own in verdict.measured]
    decisive = [slack(own) for _, own in asked if own.criterion.decides]
    return {
        "candidate": name,
        "larvae": larvae,
        "met": sum(own >= 0.0 for own in decisive),
        "of": len(decisive),
        "smallest slack": round(min(decisive), 3),
        **{f"{claim}: {own.criterion.statement}": _words(own) for claim, own in asked},
    }


def _words(measured: Measured) -> str:
    """Return the mean, and those of the odors."""
    odors = " ".join(f"{mean:.3f}" for mean in measured.odor_means)
    return f"{measured.mean:.3f} ({odors})" if math.isfinite(measured.mean) else ""


def search(larvae: int, keep: Path | None) -> None:
    """Try every candidate and write the table after each."""
    claims = [claim for claim in targets() if claim.id in AT_RISK]
    rows: list[dict[str, Any]] = []
    tried = candidates()
    for name, parameters in tried.items():
        rows.append(row(name, parameters, claims, larvae, keep))
        print(f"{len(rows)}/{len(tried)} {name}: {rows[-1]['met']} of {rows[-1]['of']}", flush=True)
        rows.sort(key=lambda own: (-own["met"], -own["smallest slack"]))
        with TABLE.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    print(f"wrote {TABLE.name}; best: {rows[0]['candidate']}")


def main() -> None:
    """Search, or look at one candidate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", choices=list(candidates()), metavar="CANDIDATE", help="every target, of one candidate")
    parser.add_argument("--larvae", type=int, default=4, help="larvae in each group")
    parser.add_argument("--keep", type=Path, help="a folder for what larvae gave")
    arguments = parser.parse_args()
    if arguments.all is None:
        search(arguments.larvae, arguments.keep)
        return
    found = row(arguments.all, candidates()[arguments.all], targets(), arguments.larvae, arguments.keep)
    print("\n".join(f"{name}: {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
