"""`kenyon reproduce`: a table and a report, gone on with when given again, and refusals in a sentence."""

import json
from pathlib import Path

import pytest

from .running import run

ASKED = "reproduce larvae --claims L14,L15 --parameters balanced --larvae 2 --us reward"


def test_claims_are_reproduced_to_a_table_and_a_report_and_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain lines where there is no terminal; what lies there is not replaced unasked, and what was done is kept."""
    monkeypatch.chdir(tmp_path)
    done = run(ASKED.split(), tmp_path)
    assert done.status == 0
    assert all(line.startswith(b"balanced, 2 claims, 2 larvae: ") for line in done.err.splitlines())
    lines = done.out.decode().splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["claim", "L14", "L15"]
    assert "not testable" in lines[3]
    assert "Read kenyon-larvae/report.html" in lines[-1]
    table = (tmp_path / "kenyon-larvae" / "table.csv").read_text()
    refused = run(ASKED.split(), tmp_path)
    assert refused.status == 2
    assert b"exists already; give another name, or --overwrite" in refused.err
    (lives,) = (tmp_path / "kenyon-larvae" / "lives").iterdir()
    before = lives.stat().st_mtime_ns
    again = json.loads(run([*ASKED.split(), "--overwrite", "--json"], tmp_path).out)
    assert (tmp_path / "kenyon-larvae" / "table.csv").read_text() == table
    assert lives.stat().st_mtime_ns == before
    assert [row["claim"] for row in again["table"]] == ["L14", "L15"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--claims L99", "unknown claim 'L99'; there are"),
        ("--claims L6 --odors pentil-acetate anisole", "unknown odor 'pentil-acetate'"),
        ("--claims L6 --larvae 1", "larvae must be an integer of at least 2, got 1"),
        ("--parameters balancde", "'balancde' is not one of"),
        ("--wiring straight", "'straight' is not one of"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(options: str, sentence: str, tmp_path: Path) -> None:
    """And nothing is written."""
    done = run(["reproduce", "larvae", *options.split(), "--out", str(tmp_path / "folder")], tmp_path)
    assert done.status == 2
    assert sentence in done.err.decode()
    assert not (tmp_path / "folder").exists()
