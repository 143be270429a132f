"""What `kenyon train` is asked for, in whatever form."""

import json
import re
from pathlib import Path

import pytest

from kenyon.cli.experiments import Asked, asked, bindings, design, read_file
from kenyon.conditioning import Design, Phase, load
from kenyon.conditioning.library import as_design
from kenyon.errors import InputError, NotationError
from kenyon.mushroom_body import Odor

from .running import Done, run


def test_texts_ids_and_files_are_experiments(tmp_path: Path) -> None:
    """In their order, with names that a file can have."""
    file = tmp_path / "mine.toml"
    file.write_text(
        "designs = ['A+ 1s, ?A', 'one-trial']\n[groups]\nfirst = 'A+ 1s, ?A'\n\"2nd\" = 'mirror(A,B) of first'"
    )
    experiments, files = asked(["trace/5s", "B = anisole: A+ 1s", f"@{file}"])
    assert [one.name for one in experiments] == ["trace 5s", "design 2", "mine 1", "mine 2", "mine"]
    assert len(files) == 1
    both = design(experiments[-1], bindings={"B": "anisole"})
    assert [group.name for group in both.groups] == ["first", "2nd"]
    assert both.groups[1].elements[0] == Phase(1, "anisole", reward=1)
    assert design(experiments[0]) == as_design("trace/5s")


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ("designs = 3", "designs of own.toml must be a list of texts, got 3"),
        ("designs = [3]", "designs of own.toml must be a list of texts, got [3]"),
        ("design = ['A 1s']", "must hold designs, groups, odors, options, got 'design'; did you mean 'designs'?"),
        ("groups = 'A 1s'", "groups of own.toml must be a table, got 'A 1s'; write [groups]"),
        ("[groups]\na = 3", "a in own.toml must be a text, got 3"),
        ("", "own.toml must hold designs or groups, got none"),
        ("designs = ['A 1s", "a file of designs must be TOML"),
        ("\x00", "a file of designs must be TOML"),
    ],
)
def test_a_file_that_is_wrong_is_refused(held: str, words: str, tmp_path: Path) -> None:
    """In one sentence."""
    file = tmp_path / "own.toml"
    file.write_text(held)
    with pytest.raises(InputError) as refusal:
        read_file(str(file))
    assert words in str(refusal.value)


def test_letters_are_bound_by_options() -> None:
    """A alone needs no letter; a dose comes behind `@`; names of odors of one's own may have any sign."""
    own = Odor("mix@2", [1.0] * 21)
    given = bindings(["3-octanol@0.5", "B=anisole", "C=mix@2", "D=x=y@3"], [own])
    assert given == {"A": ("3-octanol", 0.5), "B": ("anisole", 1.0), "C": (own, 1.0), "D": ("x=y", 3.0)}
    assert bindings(["anisole", "A=3-octanol"], []) == {"A": ("3-octanol", 1.0)}


def test_a_split_argument_is_answered_with_the_quoted_form() -> None:
    """Even where a letter of the text is not bound; several whole experiments are none."""
    parts = [Asked(f"design {i}", text) for i, text in enumerate(["A+", "60s,", "B", "60s", "|", "?A"])]
    with pytest.raises(InputError) as refusal:
        design(parts[0], parts)
    assert str(refusal.value).endswith("got 6; quote it: kenyon train 'A+ 60s, B 60s | ?A'")
    whole = [Asked("design 1", "A+ 60s"), Asked("design 2", "B 60s")]
    assert design(whole[0], whole) == Design.read("A+ 60s")
    with pytest.raises(NotationError, match="letter B must be bound"):
        design(whole[1], whole)
    with pytest.raises(InputError, match="unknown experiment 'pared'; did you mean 'paired'"):
        design(Asked("pared", "pared"), [Asked("pared", "pared")])


def train(*arguments: str | Path, folder: Path) -> Done:
    """Run the command in a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return run(["train", *map(str, arguments)], folder)


FILE = """
designs = ['A@0.1+ 1s | ?A 1s', 'one: {silence DANp: A+ 1s}, ?B 1s; two: mirror(A,B) of one']
[groups]
third = 'shuffle(A+ 1s, 1s) | ?B 1s'
[odors]
B = '3-octanol'
[options]
larvae = 1
seed = 5
us = 'punishment'
out = 'there'
"""


def test_a_file_is_run_with_its_options(tmp_path: Path) -> None:
    """A result file for each group; the command line goes before the file, and the file before what is usual."""
    (tmp_path / "mine.toml").write_text(FILE)
    done = train("@mine.toml", "--seed", "6", "--twin", "--json", folder=tmp_path)
    assert done.status == 0, done.err
    files = sorted(path.name for path in (tmp_path / "there").iterdir())
    assert files == ["larvae.nc", "learning.png", "one-twin.nc", "one.nc", "third.nc", "two-twin.nc", "two.nc"]
    one = load(tmp_path / "there" / "one.nc")
    assert one.sizes["larva"] == 1
    assert one.seed.item() == "6"
    assert one.phase_punishment.values.tolist() == [1.0]
    assert set(json.loads(done.out)["runs"]) == {path[:-3] for path in files if path.endswith(".nc")}


def test_the_file_of_the_page_is_read(tmp_path: Path) -> None:
    """As docs/reference/notation.md has it."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "notation.md").read_text("utf-8")
    (tmp_path / "page.toml").write_text(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0])
    found = json.loads(train("@page.toml", "--dry-run", "--json", folder=tmp_path).out)
    assert [len(one["groups"]) for one in found] == [1, 2, 2]
    assert "B = 3-octanol@0.1, + = punishment 1" in found[0]["design"]


def test_a_dry_run_draws_and_counts_and_writes_nothing(tmp_path: Path) -> None:
    """With groups of one name in two experiments, too."""
    done = train("absolute", "one-trial", "3x(A+ 60s), ?A", "--larvae", "10", "--dry-run", folder=tmp_path)
    out = done.out.decode()
    assert done.status == 0
    assert "design 3: A = pentyl acetate, + = reward 1: 3x(A+ 60s), ?A" in out
    assert "1 group of 10 larvae; the longest lives 180s and is asked for 3s; 1,830 larva-seconds in all." in out
    assert "  reward 1  ###" in out
    found = json.loads(train("absolute", "one-trial", "--dry-run", "--json", folder=tmp_path).out)
    assert [one["experiment"] for one in found] == ["absolute", "one-trial"]
    assert found[1]["groups"][0] == {"name": "paired", "duration_s": 120.0, "tests_s": 6.0}
    assert not (tmp_path / "kenyon-results").exists()


def test_groups_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """By their experiments, in the names of their files."""
    done = train("one: A+ 1s, ?A 1s", "One: A 1s, ?A 1s", "--larvae", "1", "--out", "a", folder=tmp_path)
    assert done.status == 0, done.err
    found = {path.name for path in (tmp_path / "a").iterdir()}
    assert found == {"design 1, one.nc", "design 2, One.nc", "learning.png"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["3x(A+ 60s, B 60)", "--odor", "B=anisole"], "Error: a duration must have a unit.*\n.*\n               \\^\n"),
        (["A+", "60s"], "Error: an experiment must be one argument, got 2; quote it: kenyon train 'A\\+ 60s'\n"),
        (["A+ 0.05ms"], "Error: a duration must be a whole number of 0.1 ms steps.*\nA\\+ 0.05ms\n   \\^\n"),
        (["A+ 1s", "--trials", "3"], "Error: --trials must go with an experiment that has trials of one odor .*\n"),
        (["paired", "--twin"], "Error: --twin must go with a group that is manipulated, got none; write .*\n"),
        (["@nothing.toml"], "Error: a file must be a readable file .*\n"),
        (["@wrong.toml"], "Error: unknown option 'larvea'; did you mean 'larvae'\\?\n"),
        (["B 1s"], "Error: letter B must be bound to an odor.*\nB 1s\n\\^\n"),
    ],
)
def test_a_mistake_is_shown_with_its_place(arguments: list[str], said: str, tmp_path: Path) -> None:
    """The sentence, and where there is a text, the text with a caret below; nothing is left behind."""
    (tmp_path / "wrong.toml").write_text("designs = ['A+ 1s']\n[options]\nlarvea = 2")
    done = train(*arguments, folder=tmp_path)
    assert done.status == 2
    assert re.fullmatch(said, done.err.decode())
    assert not (tmp_path / "kenyon-results").exists()
