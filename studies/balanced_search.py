"""What the sweeps behind the parameter set `balanced` have shown, held against every criterion.

    python studies/balanced_search.py kenyon-results/balanced_search.nc kenyon-results/balanced_undone.nc
    python studies/balanced_search.py --each kenyon-results/balanced_confirmed.nc

FILEs are collected sweeps, of `balanced_search.toml` and its neighbors or of a plan of your own with the same groups;
docs/explanation/balanced.md says how to compute them. Criteria stand in `kenyon.conditioning.balance`. The table,
balanced_search.csv unless said otherwise, is sorted by criteria met by the mean, then by the smallest slack. With
`--each` every criterion is printed with its interval instead, and the exit status says whether all are met.
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xarray

from kenyon.conditioning import load
from kenyon.conditioning.balance import Finding, judged

TABLE = Path(__file__).with_suffix(".csv")


def sets(collected: xarray.Dataset) -> dict[tuple[str, ...], dict[str, xarray.Dataset]]:
    """Return the results of the groups of each set of constants and reinforcer that a sweep has, all of it done."""
    points = collected.stack(point=collected.done.dims, create_index=False)
    told_apart = ["parameters", *(["us"] if "us" in points.coords else [])]
    found: dict[tuple[str, ...], dict[str, xarray.Dataset]] = {}
    for place in range(points.sizes["point"]):
        own = points.isel(point=place)
        if not own.done:
            raise SystemExit("the sweep is not done; run it to its end, and collect it again")
        found.setdefault(tuple(own[name].item() for name in told_apart), {})[own.larva_group.item()] = own
    return found


def slack(finding: Finding) -> float:
    """Return how far the mean lies inside its limits, negative outside."""
    return min(finding.mean - finding.at_least, finding.at_most - finding.mean)


def row(candidate: str, findings: list[Finding]) -> dict[str, Any]:
    """Return what became of a set."""
    return {
        "candidate": candidate,
        "met": sum(slack(one) >= 0 for one in findings),
        "of": len(findings),
        "smallest slack": round(min(map(slack, findings)), 3),
        **{one.criterion: round(one.mean, 3) for one in findings},
    }


def tabulate(collected: list[xarray.Dataset]) -> list[dict[str, Any]]:
    """Return a row for each set, the best first."""
    rows = [row(", ".join(name), judged(groups)) for own in collected for name, groups in sets(own).items()]
    return sorted(rows, key=lambda own: (-own["met"], -own["smallest slack"]))


def lines(findings: list[Finding]) -> Iterator[str]:
    """Give a line for each criterion."""
    for one in findings:
        limits = " and ".join(
            words
            for words, limit in ((f">= {one.at_least:.2f}", one.at_least), (f"<= {one.at_most:.2f}", one.at_most))
            if abs(limit) < float("inf")
        )
        verdict = "met" if one.met else "NOT MET"
        found = f"{one.mean:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"
        yield f"{one.us:<10}  {one.criterion:<50}  {found}  {limits}: {verdict}"


def main() -> None:
    """Judge, and write or print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", metavar="FILE.nc", nargs="+", type=Path, help="what `kenyon sweep collect` wrote")
    parser.add_argument("--out", type=Path, default=TABLE, help="the table")
    parser.add_argument("--each", action="store_true", help="print every criterion instead")
    arguments = parser.parse_args()
    collected = [load(file) for file in arguments.files]
    if arguments.each:
        findings = [one for own in collected for groups in sets(own).values() for one in judged(groups)]
        print(*lines(findings), sep="\n")
        raise SystemExit(0 if all(one.met for one in findings) else 1)
    rows = tabulate(collected)
    with arguments.out.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"wrote {arguments.out.name}; best: {rows[0]['candidate']}")


if __name__ == "__main__":
    main()
