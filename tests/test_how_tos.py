"""Every how-to of the page "Your own experiment", typed as it stands there, in a new folder."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from kenyon.mushroom_body import DEFAULT
from tests.cli import running

PAGE = (Path(__file__).parent.parent / "docs/how_to/your_own_experiment.md").read_text("utf-8")

_, *_PARTS = re.split(r"^## (.*)\n", PAGE, flags=re.MULTILINE)
HOW_TOS = dict(zip(_PARTS[::2], _PARTS[1::2], strict=True))
"""Their texts by their headings."""

Follow = Callable[[str], list[str]]


def blocks(how_to: str) -> list[tuple[str, str]]:
    """Return what is to be typed, and in which language."""
    return re.findall(r"```(python|bash)\n(.*?)```", HOW_TOS[how_to], flags=re.DOTALL)


@pytest.fixture
def follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Follow:
    """Return a function that types all of a how-to in a new folder, and gives what each block printed."""
    monkeypatch.chdir(tmp_path)

    def typed(language: str, block: str) -> str:
        if language == "python":
            exec(compile(block, "docs/how_to/your_own_experiment.md", "exec"), {})
            return capsys.readouterr().out.strip()
        program, *arguments = shlex.split(block)
        done = running.run(arguments, tmp_path)
        assert (program, done.status) == ("kenyon", 0), done.err
        return done.out.decode()

    return lambda how_to: [typed(*block) for block in blocks(how_to)]


def last_numbers(table: str) -> list[float]:
    """Return the last number of each line below the first."""
    return [float(line.split()[-1]) for line in table.splitlines()[1:]]


@pytest.mark.parametrize("how_to", HOW_TOS)
def test_a_how_to_is_three_lines_at_most_besides_its_imports(how_to: str) -> None:
    """Counted for each block; a command is one."""
    assert blocks(how_to)
    for language, block in blocks(how_to):
        lines = [line for line in block.splitlines() if line and not line.startswith(("from ", "import "))]
        assert len(lines) <= (3 if language == "python" else 1), block


def test_the_list_above_leads_to_all_ten() -> None:
    """In their order, by the anchors that they get from their headings."""
    listed = re.findall(r"^\d+\. \[(.*)\]\(#(.*)\)$", PAGE, flags=re.MULTILINE)
    assert listed == [(how_to, how_to.lower().replace(" ", "-")) for how_to in HOW_TOS]
    assert len(listed) == 10


def test_a_design(follow: Follow) -> None:
    """What came with the reward attracts more, said by the command and in Python alike."""
    said, table = follow("A design of your own")
    trained, other = last_numbers(table)
    assert trained > other
    assert f"{trained:+.2f}" in said
    assert Path("mine/larvae.nc").exists()
    assert Path("mine/learning.png").exists()


def test_groups(follow: Follow) -> None:
    """Each difference is a sentence, with its share of what training does."""
    (said,) = follow("Groups compared")
    first, paired, weak, *_ = said.splitlines()
    assert first.startswith("preference_index, the larva as the unit, the same larvae in all")
    assert paired.startswith("paired differs from unpaired: +")
    assert "100% (100% to 100%) of what training does" in paired
    assert weak.startswith("weak ")


def test_an_odor(follow: Follow) -> None:
    """It is tested by its own name, and was learned."""
    (table,) = follow("An odor of your own")
    assert [line.split()[1] for line in table.splitlines()[1:]] == ["banana", "anisole"]
    assert last_numbers(table)[0] > 0.0


def test_doses(follow: Follow) -> None:
    """More is learned from more."""
    (said,) = follow("A series of doses")
    assert "In the order given it rises (Page's L" in " ".join(said.splitlines())


def test_a_parameter(follow: Follow) -> None:
    """Slow learners learn less; the command names the constant that was changed."""
    said, compared = follow("A parameter of your own")
    assert DEFAULT.replace(learning_rate_nS=0.02).description in said
    assert "usual differs from slow: +" in compared


def test_a_manipulation(follow: Follow) -> None:
    """Without DANp nothing is learned from a reward; with it there is, in the twin and in the group written out."""
    said, compared = follow("A manipulation")
    silenced, twin = re.findall(r"^silenced.* ([+-]\d\.\d\d) \(", said, flags=re.MULTILINE)
    assert float(silenced) == 0.0 < float(twin)
    assert "silenced differs from usual: -" in compared


def test_a_wiring(follow: Follow) -> None:
    """It makes a difference, and larvae wired so learn, too."""
    (compared,) = follow("A wiring of your own")
    assert "drawn differs from dense" in compared
    assert float(compared.splitlines()[-1].split()[2]) > 0.0


def test_a_recording(follow: Follow) -> None:
    """A figure, and a row a spike."""
    (table,) = follow("A recording and its raster")
    head, _, *rows = table.splitlines()
    assert head.split() == ["spike_larva", "spike_neuron", "spike_time_ms"]
    assert len(rows) == 5
    assert Path("raster.pdf").read_bytes().startswith(b"%PDF")


def test_results_in_files_and_a_figure(follow: Follow) -> None:
    """Both groups are there again, with a row for each larva as CSV; the figure is of results at hand and of files."""
    table, csv = follow("Results saved and loaded")
    assert [line.split()[1] for line in table.splitlines()[1:]] == ["control", "trained"]
    assert len(csv.splitlines()) == 1 + 2 * 4
    follow("A figure for a paper")
    assert Path("figure1.pdf").read_bytes().startswith(b"%PDF")
    assert b"<svg" in Path("figure2.svg").read_bytes()[:2000]
