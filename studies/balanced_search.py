"""The search behind the parameter set `balanced`, as something anyone can rerun.

    python studies/balanced_search.py            # ablations and grid, few larvae; rewrites balanced_search.csv
    python studies/balanced_search.py --confirm  # every criterion for `balanced` with 30 larvae

What it looks for stands in `kenyon.conditioning.balance`. First the published set and `balanced` less each of its
changes, to show what each is for; then a grid around it. Rows are sorted by criteria met, then by the smallest slack.
"""

import argparse
import csv
import itertools
from pathlib import Path
from typing import Any

from kenyon.conditioning.balance import Finding, assess
from kenyon.mushroom_body import BALANCED, PUBLISHED, Parameters

TABLE = Path(__file__).with_suffix(".csv")

GRID = {
    "feedback_ln_dan_nS": (6.0, 8.0),
    "learning_rate_nS": (0.06, 0.08, 0.10),
    "weight_floor_nS": (8.0, 12.0, 16.0),
    "reinforcement_rate_hz": (400.0, 450.0, 500.0),
}


def candidates() -> dict[str, Parameters]:
    """Return the sets to try, by what they are."""
    tried = {"published": PUBLISHED}
    for name, (_, published) in BALANCED.differences(PUBLISHED).items():
        tried[f"balanced but {name}={published}"] = BALANCED.replace({name: published})
    for values in itertools.product(*GRID.values()):
        changes = dict(zip(GRID, values, strict=True))
        tried[", ".join(f"{name}={value:g}" for name, value in changes.items())] = BALANCED.replace(changes)
    return tried


def slack(finding: Finding) -> float:
    """Return how far the mean lies inside its limits, negative outside."""
    return min(finding.mean - finding.at_least, finding.at_most - finding.mean)


def search(larvae: int) -> None:
    """Try every candidate with reward and write the table."""
    rows = []
    tried = candidates()
    for number, (name, parameters) in enumerate(tried.items()):
        findings = assess(parameters, larvae=larvae, reinforcers=["reward"], show_progress=False)
        row: dict[str, Any] = {"candidate": name, "met": sum(slack(one) >= 0 for one in findings), "of": len(findings)}
        row |= {"smallest slack": round(min(map(slack, findings)), 3)}
        row |= {one.criterion: round(one.mean, 3) for one in findings}
        rows.append(row)
        print(f"{number + 1}/{len(tried)} {name}: {row['met']} of {row['of']}", flush=True)
    rows.sort(key=lambda row: (-row["met"], -row["smallest slack"]))
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"wrote {TABLE.name}; best: {rows[0]['candidate']}")


def confirm(larvae: int) -> bool:
    """Print every criterion for `balanced`; return whether all are met."""
    findings = assess(BALANCED, larvae=larvae)
    for one in findings:
        limits = " and ".join(
            words
            for words, limit in ((f">= {one.at_least:.2f}", one.at_least), (f"<= {one.at_most:.2f}", one.at_most))
            if abs(limit) < float("inf")
        )
        verdict = "met" if one.met else "NOT MET"
        print(
            f"{one.us:<10}  {one.criterion:<50}  {one.mean:+.3f} [{one.low:+.3f}, {one.high:+.3f}]  {limits}: {verdict}"
        )
    return all(one.met for one in findings)


def main() -> None:
    """Search, or confirm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--confirm", action="store_true", help="hold `balanced` against every criterion")
    parser.add_argument("--larvae", type=int, help="larvae in each experiment (search 4, confirm 30)")
    arguments = parser.parse_args()
    if arguments.confirm:
        raise SystemExit(0 if confirm(arguments.larvae or 30) else 1)
    search(arguments.larvae or 4)


if __name__ == "__main__":
    main()
