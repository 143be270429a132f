import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_the_example_of_the_readme_does_what_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Ten lines of Python: four larvae approach, then four avoid."""
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), flags=re.DOTALL)
    assert len([line for line in example.splitlines() if line]) <= 10
    exec(compile(example, "README.md", "exec"), {})
    approach, avoid = capsys.readouterr().out.strip().splitlines()
    assert len(approach.strip("[]").split()) == 4
    assert all(float(number) > 0 for number in approach.strip("[]").split())
    assert float(avoid) < 0


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/**/*.md")), ids=lambda page: page.name
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that is there."""
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target
