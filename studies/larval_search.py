"""The search behind the parameter set `larval`, as something anyone can rerun.

    python studies/larval_search.py                     # all candidates; rewrites larval_search.csv
    python studies/larval_search.py --only "S2" "h3"    # some of them
    python studies/larval_search.py --engine cuda       # a minute on a GPU; most of an hour on two cores
    python studies/larval_search.py --collected FILE.nc # judges a sweep; writes nothing

What it looks for stands in `kenyon.conditioning.claims`, with the bounds that the judgement has, too. The judgement
(`larval_judgement.py`) takes other larvae, two other odors beside pentyl acetate, and punishment as well. A search
before this one found the rules and the two sets that this one starts from, S1 and S2; the names of others say what is
changed on S2. Rows are sorted by criteria met, then by the smallest slack of the mean of an odor. Give `--keep FOLDER`,
and what is stopped goes on from there.

Larvae of all groups live together as long as they live through the same, which saves 30 % and no sweep can do; and the
texts of all groups stand in the claims. So `larval_search.toml` says a part: the neighbors of S2, and two claims. What
`--collected` judges is that sweep, collected, or one of your own whose groups have the names and texts of those of
claims about odor A alone, with an axis `odor` that is A.
"""

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np
import xarray

from kenyon.conditioning import load
from kenyon.conditioning.claims import ADULTS, LARVAE, Claim, Measured, judge
from kenyon.conditioning.claims.answers import Answers
from kenyon.mushroom_body import BALANCED, Parameters

TABLE = Path(__file__).with_suffix(".csv")

SEED = 1
ODORS = (
    ("pentyl acetate", "4,5-dimethylthiazole"),
    ("methyl phenyl sulfide", "isoamyl acetate"),
    ("hexyl acetate", "2-acetylpyridine"),
)
UNASKED = ("L3", "L12")
"""Targets that no candidate could miss here: one is of both reinforcers, and nothing is lost in silence."""

S2 = BALANCED.replace(
    homeostasis=0.0, recovery=2e-4, eligibility_step=0.01, learning_rate_nS=0.35, weight_floor_nS=0.0,
    potentiation=1.5e-5, potentiation_tau_ms=15000.0, potentiation_closing_ms=1000.0, weight_ceiling_nS=160.0,
    ln_pn_nS=0.5, kc_apl_nS=40.0, mbon_dan_nS=6.0, feedback_ln_dan_nS=4.0, reinforcement_rate_hz=350.0,
)  # fmt: skip
"""Where this search begins."""

H3: dict[str, float | None] = {"recovery": 3e-4}
AS_S1: dict[str, float | None] = {
    "ln_pn_nS": 1.0, "kc_apl_nS": 20.0, "mbon_dan_nS": 4.0, "feedback_ln_dan_nS": 6.0, "reinforcement_rate_hz": 450.0,
}  # fmt: skip
SLOW: dict[str, float | None] = {"eligibility_tau_ms": 10_000.0, "learning_rate_nS": 0.2}

CHANGES: dict[str, dict[str, float | None]] = {
    "S2": {},
    "h2.5": {"recovery": 2.5e-4},
    "h3": H3,
    "h3 apl60": {**H3, "kc_apl_nS": 60.0},
    "slow h1.2": {**SLOW, "recovery": 1.2e-4},
    "slow h1.8": {**SLOW, "recovery": 1.8e-4},
    "h2.5 apl60": {"recovery": 2.5e-4, "kc_apl_nS": 60.0},
    "S1": AS_S1,
}
"""What is changed on S2, by what a candidate is called."""


def candidates() -> dict[str, Parameters]:
    """Return the sets to try."""
    return {name: S2.replace(own) for name, own in CHANGES.items()}


def targets() -> list[Claim]:
    """Return the claims that are looked for: those that say so."""
    return [claim for claim in (*LARVAE, *ADULTS) if "larval" in claim.fitted_in and claim.id not in UNASKED]


def slack(measured: Measured) -> float:
    """Return how far the mean of the worst odor lies inside its limits, negative outside."""
    own = measured.criterion
    return float(min(min(mean - own.mean_at_least, own.mean_at_most - mean) for mean in measured.odor_means))


def row(name: str, parameters: Parameters, larvae: int, engine: str, keep: Path | None) -> dict[str, Any]:
    """Return what became of a candidate."""
    judged = judge(
        targets(), parameters, odors=ODORS, reinforcers=["reward"], larvae=larvae, seed=SEED, engine=engine,
        folder=keep, show_progress=False,
    )  # fmt: skip
    asked = [(f"{own.claim.id}: {each.criterion.statement}", each) for own in judged.verdicts for each in own.measured]
    decisive = [each for _, each in asked if each.criterion.decides]
    return {
        "candidate": name,
        "larvae": larvae,
        "met": sum(each.met for each in decisive),
        "of": len(decisive),
        "claims missed": " ".join(own.claim.id for own in judged.verdicts if own.found != "holds"),
        "smallest slack": round(min(map(slack, decisive)), 3),
        **{words: round(each.mean, 3) for words, each in asked},
    }


def of_sweep(collected: xarray.Dataset) -> list[dict[str, Any]]:
    """Return what a collected sweep says of the claims whose groups it has, a row for each set of constants."""
    points = collected.stack(point=collected.done.dims, create_index=False)
    found: dict[str, dict[str, dict[str, xarray.Dataset]]] = {}
    for place in range(points.sizes["point"]):
        own = points.isel(point=place)
        if not own.done:
            raise SystemExit("the sweep is not done; run it to its end, and collect it again")
        of_odors = found.setdefault(own.parameters.item(), {})
        of_odors.setdefault(own.odor.item(), {})[own.larva_group.item()] = own
    return [{"parameters": name, **figures(of_odors)} for name, of_odors in found.items()]


def figures(of_odors: dict[str, dict[str, xarray.Dataset]]) -> dict[str, float]:
    """Return the mean of each figure over odors and larvae, of the groups that larvae of each odor were in."""
    found = {}
    for claim in targets():
        if not all(set(claim.groups) <= set(groups) for groups in of_odors.values()):
            continue
        answers = [
            Answers(claim.designs("reward", [odor]), {name: groups[name] for name in claim.groups}, "reward")
            for odor, groups in of_odors.items()
        ]
        for own in claim.criteria:
            mean = float(np.mean([own.measure(each) for each in answers]))
            found[f"{claim.id}: {own.statement}"] = round(mean, 3)
    return found


def search(tried: dict[str, Parameters], larvae: int, engine: str, keep: Path | None) -> None:
    """Try candidates and write the table after each."""
    rows: list[dict[str, Any]] = []
    for name, parameters in tried.items():
        rows.append(row(name, parameters, larvae, engine, keep))
        print(f"{len(rows)}/{len(tried)} {name}: {rows[-1]['met']} of {rows[-1]['of']}", flush=True)
        rows.sort(key=lambda own: (-own["met"], -own["smallest slack"]))
        with TABLE.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    print(f"wrote {TABLE.name}; best: {rows[0]['candidate']}")


def main() -> None:
    """Search."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(CHANGES), metavar="CANDIDATE", help="which, all if not given")
    parser.add_argument("--larvae", type=int, default=16, help="larvae in each group")
    parser.add_argument("--engine", default="kernel", help="kernel, brian2 or cuda; the numbers are the same")
    parser.add_argument("--keep", type=Path, help="a folder for what larvae gave")
    parser.add_argument("--collected", metavar="FILE.nc", type=Path, help="what `kenyon sweep collect` wrote")
    arguments = parser.parse_args()
    if arguments.collected is not None:
        for own in of_sweep(load(arguments.collected)):
            print(own.pop("parameters"), *(f"  {words}: {figure:+.3f}" for words, figure in own.items()), sep="\n")
        return
    tried = {name: own for name, own in candidates().items() if name in (arguments.only or CHANGES)}
    search(tried, arguments.larvae, arguments.engine, arguments.keep)


if __name__ == "__main__":
    main()
