"""What the pages say one does with a sweep, done as it stands there: in short, and behind `long` with all points."""

import re
from pathlib import Path
from typing import Any

import pytest

from kenyon.conditioning.sweeps import collect, sobol_indices

HOW_TOS = Path(__file__).parent.parent / "docs/how_to"


def text_of(page: str, heading: str = "") -> str:
    """Return the text of a page, or of what stands under one heading."""
    text = (HOW_TOS / page).read_text("utf-8")
    return re.split(r"^#+ ", text.split(heading, 1)[1], maxsplit=1, flags=re.MULTILINE)[0] if heading else text


def done(text: str, changed: dict[str, str]) -> dict[str, Any]:
    """Run all Python of a text, one block after the other, with some words changed; return what it has made."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL))
    for before, after in changed.items():
        assert before in code
        code = code.replace(before, after)
    made: dict[str, Any] = {}
    exec(compile(code, "a page", "exec"), made)
    return made


def shown(text: str) -> list[str]:
    """Return the lines that a text shows as what is printed."""
    return lines("".join(re.findall(r"```text\n(.*?)```", text, flags=re.DOTALL)))


def lines(text: str) -> list[str]:
    """Return the lines of a text, without blanks at their ends, which an editor takes away."""
    return [line.rstrip() for line in text.splitlines()]


HERE = {"show_progress=False)\n": "show_progress=False, jobs=1)\n", "10s": "5s"}
"""No further processes, and shorter lives."""

SHORT_INFERENCE = {**HERE, "latin_hypercube(400": "latin_hypercube(32", "larvae=8": "larvae=1", "// 10": "// 4"}
SHORT_INDICES = {**HERE, "sobol_sample(32": "sobol_sample(2", "larvae=4": "larvae=1"}


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_rate_is_inferred(
    whole: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is within the interval, which is much narrower than the prior; whole, it prints what the page shows."""
    monkeypatch.chdir(tmp_path)
    text = text_of("inference.md")
    made = done(text, {} if whole else SHORT_INFERENCE)
    printed = capsys.readouterr().out
    assert Path("inference.png").read_bytes().startswith(b"\x89PNG")
    assert made["low"] < 0.5 < made["high"]
    assert made["high"] / made["low"] < (1.3 if whole else 8)
    if whole:
        assert lines(printed) == shown(text)


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)])
def test_which_of_them_matter(
    whole: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Indices of what has been run and collected are those of the same points computed one by one."""
    pytest.importorskip("SALib", reason="needs SALib, which comes with the extra sweep")
    monkeypatch.chdir(tmp_path)
    text = text_of("sweeps.md", "### Which of them matter")
    made = done(text, {} if whole else SHORT_INDICES)
    sample, printed = made["sample"], capsys.readouterr().out
    if whole:
        assert lines(printed) == shown(text)
    else:
        plain = [float(point.compute().preference_index.mean()) for point in sample]
        assert sobol_indices(sample, plain).identical(made["indices"])
    assert collect("which/store", sample).done.all()
