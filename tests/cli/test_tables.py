import csv
import io
from pathlib import Path

import numpy as np
import pytest

from kenyon.conditioning import load
from kenyon.mushroom_body.circuit import GROUPS

from .test_cli import QUICK, here


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two results."""
    out = tmp_path_factory.mktemp("results")
    assert here("train", "paired", "unpaired", *QUICK, "--out", out).returncode == 0
    return out


def rows(*arguments: str | Path) -> list[dict[str, str]]:
    """Return the rows that the command prints, read as any program reads them."""
    done = here("table", *arguments)
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_a_row_for_each_answer(results: Path) -> None:
    """Each number is the one of the result, found by larva, test and odor; two files follow one another."""
    files = results / "paired.nc", results / "unpaired.nc"
    table = rows(*files)
    assert {row["larva_group"] for row in table} == {"paired", "unpaired"}
    for name, part in zip(("paired", "unpaired"), files, strict=True):
        result = load(part)
        own = [row for row in table if row["larva_group"] == name]
        assert len(own) == int(result.preference_index.notnull().sum())
        for row in own:
            at = {"larva": int(row["larva"]), "test": int(row["test"]), "test_odor": row["test_odor"]}
            np.testing.assert_allclose(float(row["preference_index"]), result.preference_index.sel(at))
            np.testing.assert_allclose(float(row["KC_hz"]), result.test_rate_hz.sel(at).sel(group="KC"), rtol=1e-6)
            assert row["larva_seed"] == str(result.larva_seed.sel(larva=at["larva"]).item())
            assert row["run_id"] == result.run_id.item()
            assert {f"{group}_hz" for group in GROUPS} <= row.keys()


def test_a_row_for_each_phase(results: Path) -> None:
    """Of each larva, with what was given in the phase."""
    result = load(results / "paired.nc")
    table = rows("--phases", results / "paired.nc")
    assert len(table) == result.sizes["larva"] * result.sizes["phase"]
    rewarded = [row for row in table if float(row["phase_reward"]) > 0]
    assert {row["phase_odors"] for row in rewarded} == {"pentyl acetate"}
    assert min(float(row["DANp_hz"]) for row in rewarded) > 0


def test_what_is_no_result_is_refused(results: Path, tmp_path: Path) -> None:
    """In one sentence, and nothing is printed."""
    (tmp_path / "other.nc").write_bytes(b"no result")
    done = here("table", results / "paired.nc", tmp_path / "other.nc")
    assert done.returncode != 0
    assert done.stdout == ""
    assert "other.nc" in done.stderr
    assert here("table").returncode == 2
