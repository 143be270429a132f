"""A number that stands on several pages is the same on all: that of the code, or of the page where it was measured."""

import re
from pathlib import Path

import pytest

from kenyon.conditioning.library import entries
from kenyon.mushroom_body.circuit import MOST_KCS, N_KCS, N_NEURONS, N_ORNS, PLASTIC
from kenyon.mushroom_body.odors import odors

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *(page for page in ROOT.glob("docs/**/*.md") if "_build" not in page.parts)]
MEASURED_KCS = (73, 72)
"""On the left and on the right of a brain; tests/mushroom_body/test_wiring.py counts them."""

COUNTS = {
    r"(\d+) (?:point )?neurons\b": {N_NEURONS},
    r"(\d+) plastic synapses": {len(PLASTIC) * N_KCS},
    r"(\d+) Kenyon cells": {N_KCS, MOST_KCS, *MEASURED_KCS},
    r"(\d+) (?:measured )?odors\b": {len(odors())},
    r"(\d+) (?:olfactory )?receptors\b": {N_ORNS},
}


def said(pattern: str) -> dict[str, set[int]]:
    """Return which numbers a pattern finds on each page that says such a thing."""
    found = {str(page.relative_to(ROOT)): re.findall(pattern, page.read_text("utf-8")) for page in PAGES}
    return {page: {int(number) for number in numbers} for page, numbers in found.items() if numbers}


@pytest.mark.parametrize("pattern", COUNTS)
def test_what_is_counted_is_what_the_code_has(pattern: str) -> None:
    """On every page that says it."""
    pages = said(pattern)
    assert pages
    assert {page: numbers for page, numbers in pages.items() if not numbers <= COUNTS[pattern]} == {}


def test_the_library_has_as_many_experiments_as_pages_say() -> None:
    """In a word."""
    assert any("forty" in page.read_text("utf-8") for page in PAGES)
    assert len(entries()) == 40


def test_pages_on_stored_models_agree() -> None:
    """Those of Larvaworld that have a memory: the page that a run of all has written says how many."""
    measured = (ROOT / "docs/reference/larvaworld_models.md").read_text("utf-8")
    there = [
        re.findall(pattern, measured) for pattern in (r"Each of the (\d+)", r"\*\*(\d+) work", r"\*\*(\d+) cannot")
    ]
    guide = (ROOT / "docs/how_to/larvaworld.md").read_text("utf-8")
    in_guide = re.findall(r"each of the (\d+)\s+stored\s+models.*?\[(\d+) work, (\d+)\s+cannot", guide, flags=re.DOTALL)
    assert in_guide == [tuple(numbers[0] for numbers in there)]


def test_pages_on_what_a_memory_costs_agree() -> None:
    """A share of a tick, by the clock: the page on speed and the guide."""
    table = (ROOT / "docs/how_to/larvaworld.md").read_text("utf-8")
    speed = (ROOT / "docs/explanation/performance.md").read_text("utf-8")
    shares = re.findall(r"in process (\d+) % by the clock, (\d+) % in processor time", speed)
    assert len(shares) == 1
    row = next(line for line in table.splitlines() if line.startswith("|") and "in process" in line)
    assert re.findall(r"(\d+) %", row)[:2] == list(shares[0])
