import ast
import re
from pathlib import Path

import numpy as np
import pytest

from kenyon.conditioning import save
from kenyon.errors import installed_by
from tests.conditioning.runs import tiny

ROOT = Path(__file__).parent.parent


def examples(page: str) -> list[str]:
    """Return the Python examples of a page."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), flags=re.DOTALL)


def run(page: str, number: int, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Run one example, which must have at most ten lines; return what it printed."""
    example = examples(page)[number]
    assert len([line for line in example.splitlines() if line]) <= 10
    exec(compile(example, page, "exec"), {})
    return capsys.readouterr().out.strip().splitlines()


def test_the_circuit_of_the_readme_does_what_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Four larvae approach, then four avoid."""
    approach, avoid = run("README.md", 0, capsys)
    assert len(approach.strip("[]").split()) == 4
    assert all(float(number) > 0 for number in approach.strip("[]").split())
    assert float(avoid) < 0


def test_results_are_selected_and_joined_as_their_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With shorter runs than those of the demonstration; whatever xarray warns of is an error here."""
    (tmp_path / "demo").mkdir()
    for name in ("paired", "unpaired"):
        save(tiny({"name": name}), tmp_path / "demo" / f"{name}.nc")
    monkeypatch.chdir(tmp_path)
    index, *names = run("docs/reference/results.md", 0, capsys)
    assert np.isfinite(float(index))
    assert sorted(names) == ["paired", "unpaired"]


def test_both_kinds_of_memory_do_what_their_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Q-learning finds the gain that pays; the mushroom body follows the odor that was rewarded."""
    assert run("docs/how_to/memories.md", 0, capsys) == ["{'Odor': 50.0}"]
    gains = ast.literal_eval(run("docs/how_to/memories.md", 1, capsys)[0])
    assert gains["CS"] > 4 * abs(gains["UCS"])


@pytest.mark.parametrize(
    ("page", "extra"), [("docs/how_to/extend_in_brian2.md", "brian"), ("docs/how_to/server.md", "metrics")]
)
def test_what_is_missing_is_installed_as_the_pages_say(page: str, extra: str) -> None:
    """And not by a name from an index, where another package may have it."""
    assert installed_by(extra) in (ROOT / page).read_text("utf-8").replace("`", "")


def test_the_files_of_the_page_on_files_take_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing else is left in the folder."""
    assert run("docs/reference/files.md", 0, capsys) == ["['a.csv', 'b.csv']"]


def test_the_checkpoint_of_the_guide_goes_on_as_if_never_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    """Saved, loaded, restored."""
    assert run("docs/how_to/memories.md", 2, capsys) == ["True"]
    assert len(examples("docs/how_to/memories.md")) == 3
    assert len(examples("README.md")) == 1


def test_odors_of_ones_own_are_made_and_read_as_their_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By hand, and from a file that the page writes."""
    monkeypatch.chdir(tmp_path)
    assert run("docs/how_to/own_odors.md", 0, capsys) == ["('Or33b-47a', 'Or45a', 'Or83a')"]
    assert run("docs/how_to/own_odors.md", 1, capsys) == ["(1e-06, 0.0001)", "['banana']"]
    assert len(examples("docs/how_to/own_odors.md")) == 2


def test_a_figure_of_ones_own_is_drawn_as_its_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two panels side by side, and the caption below them."""
    monkeypatch.chdir(tmp_path)
    assert run("docs/how_to/figures.md", 0, capsys) == [
        "Bold: mean with its interval; faint: single larvae. n = 4 larvae in eac"
    ]
    assert (tmp_path / "figure1.pdf").read_bytes().startswith(b"%PDF")


def test_the_server_of_the_guide_answers(capsys: pytest.CaptureFixture[str]) -> None:
    """Started, asked and stopped in ten lines."""
    assert run("docs/how_to/server.md", 0, capsys) == ["True"]
    assert len(examples("docs/how_to/server.md")) == 1


PAGES = [page for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if "_build" not in page.parts]


def outside_code(page: Path) -> str:
    """Return the text of a page without its code, in which what looks like a link or a heading is none."""
    return re.sub(r"^( *)```.*?^\1```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> list[str]:
    """Return where links into a page may lead: its headings, spelled as code hosts spell them."""
    headings = re.findall(r"^#+ (.*)$", outside_code(page), flags=re.MULTILINE)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return [re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-") for heading in plain]


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Those within the repository to a file, and a heading of it; others have the form of an address that is public."""
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", outside_code(page))):
        address, _, anchor = target.partition("#")
        if "://" in address:
            assert re.fullmatch(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+(/[\w.~%+@:-]*)*", address), target
            continue
        leads_to = (page.parent / address).resolve() if address else page
        assert leads_to.exists(), target
        assert not anchor or anchor in anchors(leads_to), target


def test_claims_are_judged_as_their_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    """One of those that are known, and one of one's own."""
    verdict, *rows = run("docs/how_to/claims.md", 0, capsys)
    assert verdict.split()[0] in ("holds", "partly", "fails", "fitted")
    assert "mean" in rows[0]
    header, row = run("docs/how_to/claims.md", 1, capsys)
    assert header.split()[0] == "claim"
    assert row.split()[0] == "X1"
