"""What is to be cited for what: BibTeX by results, and CITATION.cff from the same words."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray
import yaml

from kenyon.citation import WORKS, bibtex
from kenyon.conditioning import load, run, save
from kenyon.conditioning.sweeps import Store, Sweep, collect
from kenyon.errors import InputError
from kenyon.provenance import versions
from tests.cli import running
from tests.conditioning.runs import tiny

ROOT = Path(__file__).parent.parent
CIRCUIT, WIRING = {"Jurgensen2024", "Si2019"}, {"Winding2023", "Eichler2017"}


def entries(text: str) -> dict[str, dict[str, str]]:
    """Return the fields of each entry of a BibTeX file, by its key."""
    found = re.findall(r"^@\w+\{(\w+),\n(.*?)\n\}$", text, re.MULTILINE | re.DOTALL)
    return {key: dict(re.findall(r"^  (\w+) = \{(.*)\},?$", body, re.MULTILINE)) for key, body in found}


def cited(*results: Any) -> set[str]:
    """Return the keys of what results have used, besides Kenyon."""
    first, *others = entries(bibtex(*results))
    assert first == "Kenyon"
    return set(others)


def test_the_citation_file_says_the_same() -> None:
    """Each work with its DOI, authors, title, journal and year, as BibTeX has it; and the version of the project."""
    file = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    said = entries(bibtex())
    assert file["cff-version"] == "1.2.0"
    assert file["authors"] == [{"name": "The Kenyon developers"}]
    kenyon = said.pop("Kenyon")
    assert kenyon["title"] == f"{{{file['title']}}}"
    assert f"## {file['version']}, {file['date-released']}\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert kenyon["year"] == str(file["date-released"])[:4]
    assert f'\nversion = "{file["version"]}"\n' in (ROOT / "pyproject.toml").read_text("utf-8")
    assert len(file["references"]) == len(said) == len(WORKS)
    for work, fields in zip(file["references"], said.values(), strict=True):
        authors = " and ".join(f"{own['family-names']}, {own['given-names']}" for own in work["authors"])
        assert fields["author"] == authors.replace("ü", '{\\"u}')
        assert fields["title"] == f"{{{work['title']}}}"
        assert fields["pages"] == "--".join([work["start"], *([work["end"]] if "end" in work else [])])
        for ours, theirs in (("doi", "doi"), ("journal", "journal"), ("volume", "volume")):
            assert fields[ours] == work[theirs]
        assert fields["year"] == str(work["year"])
        assert re.fullmatch(r"10\.\d{4}/[\w.]+", work["doi"])
    assert bibtex().isascii()


@pytest.mark.parametrize(("wiring", "also"), [("random", set()), ("left", WIRING), ("right-shuffled", WIRING)])
def test_a_run_cites_what_it_has_used(wiring: str, also: set[str]) -> None:
    """The circuit and its odors always; the wiring where it was measured; Kenyon in its version."""
    said = entries(bibtex(tiny(wiring=wiring)))
    assert set(said) == {"Kenyon"} | CIRCUIT | also
    assert said["Kenyon"]["note"] == f"Version {versions()['kenyon']}"


def test_brian2_is_cited_where_it_computed() -> None:
    """With its version; not where it was only installed."""
    result = tiny()
    said = entries(bibtex(result.assign_coords(engine="brian2")))
    assert set(said) == {"Kenyon", "Stimberg2019"} | CIRCUIT
    assert said["Stimberg2019"]["note"] == f"Version {versions()['brian2']}"
    assert "brian2" in result.versions.item()
    assert cited(result) == CIRCUIT


def test_several_results_are_cited_once() -> None:
    """Given one by one, as `run` returns them, or joined; in whatever was selected from them."""
    drawn, left = tiny(), tiny(wiring="right")
    joined = xarray.concat([drawn, left], "larva", coords="different", compat="equals")
    assert cited(drawn, left) == cited(joined) == CIRCUIT | WIRING
    assert cited(joined.isel(larva=slice(2))) == CIRCUIT
    assert cited(run("A+ 20ms, ?A 10ms | A 20ms, ?A 10ms", larvae=2, show_progress=False)) == CIRCUIT


def test_a_sweep_cites_what_its_points_have_used(tmp_path: Path) -> None:
    """One file of many runs, of which some have a measured wiring."""
    sweep = Sweep.grid(design="?A 10ms", wiring=["random", "right"], larvae=2)
    store = Store(tmp_path / "store")
    store.add({point.id: point.compute() for point in sweep})
    result = collect(store, sweep)
    assert cited(result) == CIRCUIT | WIRING
    assert cited(result.sel(wiring_given="random")) == CIRCUIT


def test_larvae_of_larvaworld_cite_it() -> None:
    """With the version that they lived in; the circuit only if they had one."""
    file = ROOT / "studies/larvaworld_preference.nc"
    with xarray.open_dataset(file, engine="h5netcdf") as opened:
        result = opened.load()
    said = entries(bibtex(result))
    assert set(said) == {"Kenyon", "Sakagiannis2025"} | CIRCUIT
    assert said["Sakagiannis2025"]["note"] == f"Version {result.larvaworld.item()}"
    assert cited(result.assign_coords(memory="RLOlfMemory")) == {"Sakagiannis2025"}


def test_results_of_before_are_cited_as_far_as_they_say() -> None:
    """Files of formats 1 and 2."""
    for name in ("format_1", "format_2", "format_2_joined"):
        assert cited(load(ROOT / f"tests/conditioning/data/{name}.nc")) >= CIRCUIT


def test_the_command(tmp_path: Path) -> None:
    """For files of either kind, and for none: what `bibtex` says."""
    result = tiny(wiring="left")
    save(result, tmp_path / "a.nc")
    study = str(ROOT / "studies/larvaworld_preference.nc")
    for files, keys in (
        ([], {"Kenyon", *WORKS}),
        ([str(tmp_path / "a.nc")], {"Kenyon"} | CIRCUIT | WIRING),
        ([str(tmp_path / "a.nc"), study], {"Kenyon", "Sakagiannis2025"} | CIRCUIT | WIRING),
    ):
        done = running.run(["cite", *files], tmp_path)
        assert (done.status, done.err) == (0, b"")
        assert set(entries(done.out.decode())) == keys
    (tmp_path / "b.nc").write_text("no result")
    assert running.run(["cite", str(tmp_path / "b.nc")], tmp_path).status == 1


def test_the_page_does_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Its example, and a row for each work."""
    page = (ROOT / "docs/how_to/cite.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    exec(compile(example, "docs/how_to/cite.md", "exec"), {})
    assert capsys.readouterr().out == "@misc{Kenyon,\n"
    for work in WORKS.values():
        assert re.search(rf"{work.authors[0].split(',')[0]} et al. {work.year}", page)


@pytest.mark.parametrize(
    ("spoiled", "words"),
    [
        (lambda result: result.drop_vars("run_id"), "must say what made it"),
        (lambda result: result.preference_index.to_dataset().reset_coords(drop=True), "must say what made it"),
        (lambda result: result.assign_coords(versions="[1]"), "must be a JSON object"),
        (lambda result: result.assign_coords(versions="none"), "must be a JSON object"),
        (lambda _: {}, "must be a Dataset"),
    ],
)
def test_what_says_nothing_is_refused(spoiled: Callable[[Any], Any], words: str) -> None:
    """Rather than cited wrongly."""
    result = spoiled(tiny())
    with pytest.raises(InputError, match=words):
        bibtex(result)
