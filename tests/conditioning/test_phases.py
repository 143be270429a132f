"""Designs as data: checked when made, canonical, equal by value."""

import copy
import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest

from kenyon.conditioning import Design, Group, Lived, Phase, Probe, Shuffle, Stage
from kenyon.conditioning.phases import MOST_ITEMS
from kenyon.errors import InputError

ODOR, OTHER = "pentyl acetate", "3-octanol"
TRAINING = Stage([Phase(60, ODOR, reward=1, label="cue"), Phase(60), Probe(ODOR)], "training")
CHOICE = Stage([Shuffle([Phase(30, OTHER), [Phase(30, ODOR), Probe(OTHER)]]), Lived(ODOR, 180, against=OTHER)])
DESIGN = Design([Group("trained", [TRAINING, CHOICE]), Group("naive", [Stage([Phase(60)]), CHOICE])])


def test_a_mixture_has_one_spelling() -> None:
    """Whatever way odors are given, equal contents are equal data with one hash."""
    spelled: list[Any] = [
        {ODOR: 1.0, OTHER: 0.5},
        {OTHER.upper(): 0.5, ODOR: 1},
        [(ODOR, np.float64(1)), [OTHER, 0.5]],
        {31: 1.0, OTHER: 0.5, "anisole": 0.0},
    ]
    made = {Phase(np.float64(60), odors) for odors in spelled}
    assert len(made) == 1
    assert {phase.odors for phase in made} == {((OTHER, 0.5), (ODOR, 1.0))}
    assert Phase(1, manipulations=["scale APL>KC 0.5", "silence DANp"]) == Phase(
        1, manipulations=("silence DANp", "scale APL>KC 0.5")
    )
    assert Phase(1, None) == Phase(1, {}) == Phase(1) == Phase(1, {ODOR: 0.0})


def test_designs_are_values() -> None:
    """Copies and pickles are equal, hash alike, and nothing in them can be set."""
    for other in (pickle.loads(pickle.dumps(DESIGN)), copy.deepcopy(DESIGN), dataclasses.replace(DESIGN)):
        assert other == DESIGN
        assert hash(other) == hash(DESIGN)
    for part in (DESIGN, DESIGN.groups[0], TRAINING, TRAINING.items[0], CHOICE.items[0]):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, dataclasses.fields(part)[0].name, 1)


def test_durations_are_of_what_is_lived() -> None:
    """Probes are asked of copies: they cost time of the machine, and none of the larvae's."""
    assert TRAINING.duration_s == 120
    assert CHOICE.duration_s == 240
    assert DESIGN.duration_s == 360
    assert DESIGN.larva_seconds(10) == 10 * (360 + 300 + 3 * 3)


def test_letters_are_dealt_in_order_of_appearance_or_as_given() -> None:
    """Twenty-six of them; odors beyond have none. Bindings are kept by letter, with doses."""
    assert DESIGN.bindings == (("A", ODOR, 1.0), ("B", OTHER, 1.0))
    many = Design([Group("all", [Stage([Probe(odor) for odor in range(34)])])])
    assert [letter for letter, _, _ in many.bindings] == [chr(65 + i) for i in range(26)]
    given = dataclasses.replace(DESIGN, bindings={"X": (OTHER, 0.1), "B": "anisole"})
    assert given.bindings == (("B", "anisole", 1.0), ("X", OTHER, 0.1))


def test_designs_show_themselves() -> None:
    """In a line that gives them back; in a notebook group by group, nothing of it markup."""
    again = eval(repr(DESIGN), {"Design": Design})  # it is ours
    assert again == DESIGN
    table = Design.read("a: {cut MBONn>DANp: A 60s}, ?A")._repr_html_()
    assert "{cut MBONn&gt;DANp: A 60s}, ?A" in table
    assert table.startswith("<p>A = pentyl acetate, + = reward 1</p><table")


def test_groups_are_found_by_name() -> None:
    """And an unknown one is refused with those that are there."""
    assert DESIGN.group("naive") is DESIGN.groups[1]
    with pytest.raises(InputError, match=r"unknown group 'naiv'; did you mean 'naive'\?"):
        DESIGN.group("naiv")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Phase(0), "duration of a phase must be above 0 s, got 0"),
        (lambda: Phase(-1), "duration of a phase"),
        (lambda: Phase(1, "pentil acetate"), "unknown odor 'pentil acetate'; did you mean"),
        (lambda: Phase(1, {ODOR: -1}), "concentration of pentyl acetate"),
        (lambda: Phase(1, [(ODOR, 1), (31, 1)]), "each odor once, got 'pentyl acetate' twice"),
        (lambda: Phase(1, [ODOR, OTHER]), "must be a name, or concentrations by name"),
        (lambda: Phase(1, reward=-0.1), "reward of a phase"),
        (lambda: Phase(1, manipulations=["silence KC", "silence KC[7]"]), "for KC[7]"),
        (lambda: Phase(1, label='say "no"'), "without double quotes"),
        (lambda: Probe(None), "a test must be of an odor or a reinforcement"),
        (lambda: Probe({ODOR: 0.0}), "a test must be of an odor or a reinforcement"),
        (lambda: Lived((), 60, reward=0.0), "a test must be of an odor or a reinforcement"),
        (lambda: Lived(ODOR, 30, against=OTHER), "must be a multiple of 20 s, got 30 s"),
        (lambda: Lived((), 60, against=OTHER, reward=1), "must have an odor first"),
        (lambda: Shuffle([]), "blocks to shuffle must be 1 to 100000, got none"),
        (lambda: Shuffle([[]]), "a block to shuffle must be 1 to"),
        (lambda: Shuffle([Shuffle([Phase(1)])]), "a block to shuffle must be a sequence"),
        (lambda: Shuffle([[Shuffle([Phase(1)])]]), "each element of a block to shuffle must be a Phase or Probe or"),
        (lambda: Stage([]), "items of a stage must be 1 to"),
        (
            lambda: Stage([TRAINING]),  # type: ignore[list-item]  # on purpose
            "each item of a stage must be a Phase",
        ),
        (lambda: Group("a/b", [TRAINING]), "name of a group must be of at most 100 characters"),
        (lambda: Group(".a", [TRAINING]), "name of a group"),
        (
            lambda: Group("a", [Phase(1)]),  # type: ignore[list-item]  # on purpose
            "each stage of a group must be a Stage",
        ),
        (lambda: Design([]), "a design must have at least one group, got none"),
        (lambda: Design([Group("a", [TRAINING]), Group("A", [TRAINING])]), "each group must have a name of its own"),
        (lambda: Design(DESIGN.groups, {"AB": ODOR}), "letters must be single capitals"),
        (lambda: Design(DESIGN.groups, {"A": (ODOR, 0)}), "concentration of pentyl acetate must be above 0"),
        (lambda: Design(DESIGN.groups, reinforcer=("shock", 1)), "unknown reinforcement 'shock'"),
        (lambda: DESIGN.larva_seconds(0), "larvae must be an integer of at least 1"),
    ],
)
def test_what_is_wrong_is_said_where_it_enters(make: Any, words: str) -> None:
    """One sentence each."""
    with pytest.raises(InputError) as refusal:
        make()
    assert words in str(refusal.value)


def test_designs_are_bounded() -> None:
    """Over all groups, so that no text can ask for more than a machine holds."""
    half = Stage([Phase(1)] * (MOST_ITEMS // 2 + 1))
    with pytest.raises(InputError, match="phases and tests of a design must be at most 100000, got 100002"):
        Design([Group("a", [half]), Group("b", [half])])
