"""What of a design a dish can have; that needs no Larvaworld."""

import pytest

from kenyon.conditioning import Design
from kenyon.errors import InputError
from kenyon.larvaworld_plugin.conditions import CONDITIONS, design
from kenyon.larvaworld_plugin.dish import Choice, Given, in_dish
from kenyon.mushroom_body import Odor

ONE_DOSE = Odor("mine", {1.0: [1.0] * 21})


def acts(text: str) -> tuple[Given | Choice, ...]:
    """Return what the only group of a design lives through."""
    (schedule,) = in_dish(Design.read(text, bindings={"B": "3-octanol"})).schedules
    return schedule.acts


def test_phases_become_odors_on_both_sides_and_food() -> None:
    """One odor, none, both, and with reinforcement or without."""
    text = "A+ 60s, 30s, + 10s, B 0.3s, AB 20s, ?A"
    assert acts(text)[:5] == (
        Given(60.0, (0,), True),
        Given(30.0, (), False),
        Given(10.0, (), True),
        Given(0.3, (1,), False),
        Given(20.0, (0, 1), False),
    )


@pytest.mark.parametrize(
    ("tests", "choices"),
    [
        ("?A", [Choice((0,), False)]),
        ("?A, ?B", [Choice((0, 1), False)]),
        ("?A | ?B", [Choice((0, 1), False)]),
        ("?B, ?A", [Choice((1, 0), False)]),
        ("?A, ?B, ?A", [Choice((0, 1), False), Choice((0,), False)]),
        ("?A, ?A", [Choice((0,), False)] * 2),
        ("?A+, ?B+", [Choice((0, 1), True)]),
        ("?A+, ?B", [Choice((0,), True), Choice((1,), False)]),
        ("?A, 10s, ?B", [Choice((0,), False), Choice((1,), False)]),
        ("live A/B 20s", [Choice((0, 1), False, 20.0)]),
        ("live B/A+ 20s", [Choice((1, 0), True, 20.0)]),
        ("?A, live B 20s, ?B", [Choice((0,), False), Choice((1,), False, 20.0), Choice((1,), False)]),
    ],
)
def test_tests_become_choices(tests: str, choices: list[Choice]) -> None:
    """Copies that are asked side by side choose between two odors; what larvae live through is as it is written."""
    made = acts(f"A 1s, B+ 1s, {tests}")
    assert [act for act in made if isinstance(act, Choice)] == choices


def test_a_group_mirrors_another() -> None:
    """With the odors exchanged, in training and in tests; nothing mirrors itself."""
    text = "first: A+ 60s, B 60s | ?A, ?B; second: mirror(A,B) of first; third: B 60s, A+ 60s | ?A, ?B"
    first, second, third = in_dish(Design.read(text, bindings={"B": "anisole"})).schedules
    assert first.mirrors(second)
    assert second.mirrors(first)
    assert not first.mirrors(first)
    assert not first.mirrors(third)


def test_the_five_conditions_are_designs() -> None:
    """Odor and food last equally long in every training; the test asks first about the odor that came with food."""
    made = {name: in_dish(design(name, 2, 0.5)).schedules[0] for name in CONDITIONS}
    for name, schedule in made.items():
        given = [act for act in schedule.acts if isinstance(act, Given)]
        assert schedule.seconds == (0.0 if name == "naive" else 120.0)
        assert sum(act.seconds for act in given if act.food) == schedule.seconds / 2
        assert [choice.odors for choice in schedule.choices] == [(1, 0) if name == "mirrored" else (0, 1)]
    assert made["paired"].acts[:2] == (Given(30.0, (0,), True), Given(30.0, (), False))
    assert made["unpaired"].acts[:2] == (Given(30.0, (0,), False), Given(30.0, (), True))
    assert made["differential"].acts[:2] == (Given(30.0, (0,), True), Given(30.0, (1,), False))
    assert made["mirrored"].acts[:2] == (Given(30.0, (0,), False), Given(30.0, (1,), True))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("A 60s, B 60s, C 60s | ?A", r"two odors at most, one for each side, got 3, 'pentyl acetate, .*anisole'"),
        ("one: 3x({silence KC: A+ 60s}) | ?A", r"nothing is done to single cells, got '{silence KC: A\+ 60s}' in one"),
        ("A@0.1+ 60s | ?A", r"a phase in the dish must be at dose 1, .*got 'A@0.1\+ 60s' in larvae"),
        ("A+ 60s | ?A@0.1", r"a test in the dish must be at dose 1, .*got '\?A@0.1' in larvae"),
        ("A+ 60s | live A/B@0.5 20s", r"a test in the dish must be at dose 1, .*got 'live A/B@0.5 20s'"),
        ("shuffle(A+ 60s, B 60s) | ?A", r"in one order for all, .*got 'shuffle\(A\+ 60s, B 60s\)' in larvae"),
        ("A+ 60s | ?A 5s", r"without a duration, .*--test \(test_min\) says, got '\?A 5s'"),
        ("A+ 60.05s | ?A", r"of whole ticks of Larvaworld, 0.1 s, got 'A\+ 60.05s'"),
        ("A+ 60s | ?AB", r"of one odor on a side: .*got '\?AB' in larvae"),
        ("A+ 60s | ?+", r"of one odor on a side: .*got '\?\+' in larvae"),
        ("A+ 60s | live A/A 20s", r"of one odor on a side: .*got 'live A/A 20s'"),
        ("A+ 60s, A[punishment 1] 60s | ?A", r"as the rest of the design, .*got 'A\[punishment 1\] 60s' in larvae"),
        ("A+ 60s | live A[reward 0.5] 20s", r"as the rest of the design, .*got 'live A\[reward 0.5\] 20s'"),
        ("A[reward 1, punishment 1] 60s | ?A", r"as the rest of the design, .*got 'A\[punishment 1, reward 1\] 60s'"),
        ("A[reward 2] 60s | ?A", r"by a strength of at most 1, .*got 'A\[reward 2\] 60s'"),
    ],
)
def test_what_a_dish_cannot_have_is_refused_with_the_phase_and_why(text: str, sentence: str) -> None:
    """In one sentence, which says where it can be had."""
    design = Design.read(text, bindings={"B": "3-octanol", "C": "anisole"})
    with pytest.raises(InputError, match=sentence) as refusal:
        in_dish(design)
    assert str(refusal.value).endswith("`kenyon train` runs it in the circuit")


def test_an_odor_of_one_dose_is_refused() -> None:
    """Larvae of a dish would meet it at doses of which nothing is known."""
    with pytest.raises(InputError, match=r"several concentrations, .*got mine at 1 alone"):
        in_dish(Design.read("A+ 60s, ?A", bindings={"A": ONE_DOSE}))
