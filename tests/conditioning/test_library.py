"""The experiments of the library, and how they are drawn."""

import pickle
import re

import pytest

from kenyon.conditioning import DESCRIPTIONS, Design, Lived, Probe, paradigm
from kenyon.conditioning.entry import UNLIKE, Entry
from kenyon.conditioning.library import as_design, entries, find_entry
from kenyon.conditioning.paradigms import paradigm_id
from kenyon.conditioning.timeline import draw_in_figure, draw_in_text, letters, timelines
from kenyon.errors import InputError, NotationError
from kenyon.mushroom_body import BALANCED, Odor, drive
from kenyon.mushroom_body.odors import similarity

EVERY = list(entries().values())
NEEDED = [
    *("absolute", "differential", "reciprocal", "one-trial", "paired", "unpaired", "unpaired-reversed", "naive"),
    *("reinforcement-alone", "odor-alone", "extinction", "extinction-other-odor", "reversal-of-valence"),
    *("reversal-of-odors", "reacquisition", "trace", "backward", "dose", "strength", "generalisation", "blocking"),
    *("overshadowing", "second-order", "latent-inhibition", "retention", "reinforcer-preexposure"),
    "test-with-reinforcer",
]


def test_the_library_has_what_the_field_asks() -> None:
    """Each experiment of a list made before the library, and more."""
    assert set(NEEDED) <= set(entries())
    assert len(EVERY) >= 25


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.id)
def test_an_entry_is_whole(entry: Entry) -> None:
    """It asks, cites a year, can be read back from its text, tests all of its groups, and names controls among them."""
    assert entry.question.endswith("?")
    assert re.search(r" (19|20)\d\d, ", entry.source)
    design = entry.design(parameters=BALANCED)
    assert Design.read(design.text) == design
    for group in design.groups:
        assert any(isinstance(element, (Probe, Lived)) for element in group.elements)
    assert len(design.groups) == 1 or entry.controls
    assert set(entry.controls) < {group.name for group in design.groups} or not entry.controls
    assert bool(entry.varied) == bool(entry.values) == bool(entry.each)
    assert pickle.loads(pickle.dumps(entry)).design() == entry.design()


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.id)
def test_an_entry_can_be_run_with_either_reinforcer_and_another_odor(entry: Entry) -> None:
    """Nothing in it is too strong for the circuit; letters that are not bound stand for odors unlike those that are."""
    design = entry.design(bindings={"A": UNLIKE[1]}, reinforcer=("punishment", 0.5), parameters=BALANCED)
    bound = [odor for _, odor, _ in design.bindings]
    assert bound[0] == UNLIKE[1]
    assert len(set(bound)) == len(bound)
    for group in design.groups:
        for element in group.elements:
            drive(BALANCED, dict(element.odors), reward=element.reward, punishment=element.punishment)


def test_the_odors_of_the_library_are_unlike_each_other() -> None:
    """So that what is learned of one says nothing of another."""
    assert all(similarity(one, other) < 0.08 for one in UNLIKE for other in UNLIKE if one != other)


def test_no_two_entries_are_drawn_alike() -> None:
    """A drawing tells one experiment from another."""
    drawings = {draw_in_text(entry.design()) for entry in EVERY}
    assert len(drawings) == len(EVERY)


def test_values_are_varied_by_the_id() -> None:
    """One group for each; nonsense is refused with what it should be."""
    assert [group.name for group in as_design("trace/5s,1min").groups][:2] == ["gap 5s", "gap 1min"]
    assert as_design("dose/0.5").groups[0].elements[0] == Probe({"pentyl acetate": 0.5})
    assert find_entry("trace") == (entries()["trace"], None)
    for wrong, words in {
        "trace/5": "values of trace must be 1 to 20 different durations such as 5s,15s,60s, got '5'",
        "trace/5s,5s": "1 to 20 different durations",
        "dose/5s": "different numbers of 0 or more such as 0.01,0.1,0.3,1, got '5s'",
        "dose/": "got ''",
        "absolute/3": "absolute must be named alone, for nothing is varied in it, got /3",
        "Blocking": "unknown experiment 'Blocking'; did you mean 'blocking'?",
        "tracee": "unknown experiment 'tracee'; did you mean 'trace'?",
        "trace/0s": "must be above 0",
    }.items():
        with pytest.raises(InputError) as refusal:
            as_design(wrong)
        assert words in str(refusal.value)


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_the_oldest_entries_are_the_paradigms_of_their_names(name: str) -> None:
    """To the last test, and so to the last number; their ids of earlier versions are read, too."""
    assert as_design(name).groups == paradigm(name, test_odors=[UNLIKE[1]]).groups
    assert as_design(paradigm_id(name, cs="anisole", trials=2)) == paradigm(name, cs="anisole", trials=2)


def test_a_design_is_given_as_itself_as_an_id_or_as_text() -> None:
    """With the options of `Design.read`; anything else is refused."""
    design = as_design("A+ 1s, ?A", bindings={"A": "anisole"})
    assert as_design(design) is design
    assert design == Design.read("A = anisole: A+ 1s, ?A")
    banana = Odor("banana", [1.0] * 21)
    assert as_design("blocking", bindings={"A": banana}).bindings[0] == ("A", banana, 1.0)
    with pytest.raises(InputError, match="odors must be none beside a Design"):
        as_design(design, odors=[banana])
    with pytest.raises(NotationError):
        as_design("A+ 1, ?A")
    with pytest.raises(InputError, match="design must be a str, got 3"):
        as_design(3)  # type: ignore[arg-type]  # on purpose


DESIGN = Design.read(
    'B = 3-octanol@0.5: "a group": {silence DANp: A+ 60s, B 60s}, AB@0.1[punishment 0.5] 60s, ?A, ?B | live A/B+ 60s; '
    "other: shuffle(A 60s, 60s), ?all"
)


def test_a_timeline_says_what_is_there_when() -> None:
    """Every odor, dose, strength, manipulation and test has a lane; neighbors are one bar."""
    first, second = timelines(DESIGN)
    assert [(lane.label, lane.spans_s) for lane in first.lanes] == [
        ("A", ((0, 60), (120, 180))),
        ("B@0.1", ((120, 180),)),
        ("B@0.5", ((60, 120),)),
        ("reward 1", ((0, 60),)),
        ("punishment 0.5", ((120, 180),)),
        ("silence DANp", ((0, 120),)),
        ("live A/B@0.5+", ((180, 240),)),
        ("?A", ((180, 180),)),
        ("?B", ((180, 180),)),
    ]
    assert [lane.label for lane in second.lanes] == ["A", "? of 34", "shuffled"]
    assert letters(DESIGN) == "A is pentyl acetate, B is 3-octanol@0.5, + is reward 1"


def test_figure_and_text_are_drawn_from_the_same_lanes() -> None:
    """A name for each group, a label and a bar or marks for each lane; a line of text for each."""
    [axes] = draw_in_figure(DESIGN).axes
    text, every = draw_in_text(DESIGN), timelines(DESIGN)
    lanes = [lane for timeline in every for lane in timeline.lanes]
    assert [label.get_text() for label in axes.get_yticklabels()] == [lane.label for lane in lanes]
    assert [name.get_text() for name in axes.texts] == [timeline.group for timeline in every]
    assert len(axes.lines) + len(axes.collections) == len(lanes)
    assert all(f"  {lane.label} " in text for lane in lanes)
    assert text.splitlines()[2] == "a group, 240s"
    assert draw_in_text(Design.read("1ms")).splitlines()[-1] == "larvae, 1ms"
