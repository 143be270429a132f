"""The page on the model says of claims what the study found."""

import csv
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs/explanation/the_model.md"
STUDY = ROOT / "studies/reproduction.csv"

ABOUT = {"larvae": "larvae", "adults": "adult flies", "jurgensen2024": "the paper's circuit"}


def rows() -> list[str]:
    """Return the rows of a table: of each collection and set which claims hold, in part and not at all."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for row in csv.DictReader(STUDY.read_text("utf-8").splitlines()):
        words = found.setdefault((row["collection"], row["parameters"]), {"holds": [], "partly": [], "fails": []})
        shown = f"*{row['claim']}*" if row["verdict"] == "fitted" else row["claim"]
        if row["found"] and shown not in words[row["found"]]:
            words[row["found"]].append(shown)
    return [
        f"| {ABOUT[collection]} | `{own}` | {' | '.join(', '.join(ids) or '-' for ids in words.values())} |"
        for (collection, own), words in found.items()
    ]


def test_what_holds_and_what_fails_is_what_the_study_found() -> None:
    """Claim by claim, with each set, and nothing else stands in the table."""
    lines = PAGE.read_text("utf-8").splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("| claims about |")) + 2
    table = [line for line in lines[start : start + 20] if line.startswith("|")]
    assert table == rows()
