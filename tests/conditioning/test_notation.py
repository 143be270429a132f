"""Designs as text: read, written, refused with the place."""

import pickle
import random
import re
from pathlib import Path

import pytest

from kenyon.conditioning import Design, Group, Lived, Phase, Probe, Shuffle, Stage
from kenyon.conditioning.cursor import below
from kenyon.errors import InputError, NotationError
from kenyon.mushroom_body import BALANCED, Odor
from kenyon.mushroom_body.odors import odors
from tests.conditioning.designs import OWN, a_design, damaged
from tests.conditioning.recognizer import Grammar

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "notation.md").read_text("utf-8")
GRAMMAR = Grammar(re.findall(r"```ebnf\n(.*?)```", PAGE, re.DOTALL)[0])

A, B = "pentyl acetate", "4,5-dimethylthiazole"
BOUND = f'B = "{B}": '


def items(text: str) -> list[object]:
    """Return what stands in the only stage of the only group, without the tests that were added."""
    design = Design.read(f"{BOUND}{text}, ?A")
    return list(design.groups[0].stages[0].items[:-1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A 60s", [Phase(60, A)]),
        ("A- 60s", [Phase(60, A)]),
        ("A+ 60s", [Phase(60, A, reward=1)]),
        ("AB 60s", [Phase(60, {A: 1, B: 1})]),
        ("A@0.01B+ 60s", [Phase(60, {A: 0.01, B: 1}, reward=1)]),
        ("A@0.01+ 60s", [Phase(60, {A: 0.01}, reward=1)]),
        ("A[punishment 0.5, reward 1] 60s", [Phase(60, A, 1, 0.5)]),
        ("+ 30s", [Phase(30, reward=1)]),
        ("[reward 0.5] 30s", [Phase(30, reward=0.5)]),
        ("60s", [Phase(60)]),
        ('"ethyl acetate"@2+ 1min', [Phase(60, {"ethyl acetate": 2}, reward=1)]),
        ("100ms, 1.5min, 2h", [Phase(0.1), Phase(90), Phase(7200)]),
        ("3x(A+ 60s, 2x(60s))", [Phase(60, A, reward=1), Phase(60), Phase(60)] * 3),
        ("(A 1s, (B 2s)), 3s", [Phase(1, A), Phase(2, B), Phase(3)]),
        ('A 60s #cue, 1s #"a pause"', [Phase(60, A, label="cue"), Phase(1, label="a pause")]),
        ("?A", [Probe(A)]),
        ("?A 5s, ?A@0.1, ?AB", [Probe(A, 5), Probe({A: 0.1}), Probe({A: 1, B: 1})]),
        ("?A+, ?A[reward 0.5] 1s, ?+", [Probe(A, reward=1), Probe(A, 1, reward=0.5), Probe((), reward=1)]),
        ("?all@0.1 5s", [Probe({odor.name: 0.1}, 5) for odor in odors()]),
        ("live A 180s", [Lived(A, 180)]),
        ("live A+ 180s", [Lived(A, 180, reward=1)]),
        ("live A/B 180s", [Lived(A, 180, B)]),
        ("live A/B@0.1+ 180s", [Lived(A, 180, {B: 0.1}, reward=1)]),
        ("shuffle(A 1s, (B 2s, 3s))", [Shuffle([Phase(1, A), [Phase(2, B), Phase(3)]])]),
        ("shuffle(2x(A 1s, 2s), B 3s)", [Shuffle([[Phase(1, A), Phase(2)]] * 2 + [[Phase(3, B)]])]),
        ("{silence DANp: A 1s, 2s}", [Phase(s, o, manipulations=["silence DANp"]) for s, o in ((1, A), (2, None))]),
        (
            "{drive KC 20pA: A 1s, {cut MBONn>DANp: 2x(B 2s)}, ?B}",
            [
                Phase(1, A, manipulations=["drive KC 20pA"]),
                *[Phase(2, B, manipulations=["drive KC 20pA", "cut MBONn>DANp"])] * 2,
                Probe(B, manipulations=["drive KC 20pA"]),
            ],
        ),
        ("2x({scale APL>KC 0.5, set kc.threshold_mV -34: 1s}, 2s)",
         [Phase(1, manipulations=["scale APL>KC 0.5", "set kc.threshold_mV -34"]), Phase(2)] * 2),
    ],
)  # fmt: skip
def test_a_text_means(text: str, expected: list[object]) -> None:
    """Each form of the page, against the data made by hand; and the grammar has it."""
    assert items(text) == expected
    assert GRAMMAR.has(f"{BOUND}{text}, ?A")


def test_stages_groups_and_labels() -> None:
    """Braces span stages; the only group has a name if it is given none."""
    design = Design.read('#training {silence DANp: A+ 1s | #"a rest" 2s}, 3s | ?A')
    silent = {"manipulations": ["silence DANp"]}
    training = Stage([Phase(1, A, reward=1, **silent)], "training")  # type: ignore[arg-type]  # of one kind
    rest = Stage([Phase(2, **silent), Phase(3)], "a rest")  # type: ignore[arg-type]  # as above
    assert design == Design([Group("larvae", [training, rest, Stage([Probe(A)])])], {"A": A})
    two = Design.read("a: A 1s, ?A; b: 1s")
    assert [group.name for group in two.groups] == ["a", "b"]


def test_a_mirror_exchanges_bindings_with_their_doses() -> None:
    """A dose that is written stays, a bound one goes with its odor; odors by name are not exchanged."""
    text = f'B = "{B}"@0.1: one: A+ 1s, B@3 2s, "anisole" 3s, live A/B 20s; two: mirror(A,B) of one'
    one, two = Design.read(text).groups
    assert one.elements == (Phase(1, A, reward=1), Phase(2, {B: 3}), Phase(3, "anisole"), Lived(A, 20, {B: 0.1}))
    assert two.elements == (
        Phase(1, {B: 0.1}, reward=1),
        Phase(2, {A: 3}),
        Phase(3, "anisole"),
        Lived({B: 0.1}, 20, A),
    )


def test_without_any_test_every_odor_is_asked_about_before_and_after_each_stage() -> None:
    """In all groups, whichever smells it, at dose 1 whatever is bound; in Python as in text."""
    design = Design.read(f'A = anisole, B = "{B}"@0.1: one: A+ 1s | 2s; two: B 3s')
    tests = [Probe("anisole"), Probe(B)]
    one = Group("one", [Stage([*tests, Phase(1, "anisole", reward=1), *tests]), Stage([Phase(2), *tests])])
    assert design.groups == (one, Group("two", [Stage([*tests, Phase(3, {B: 0.1}), *tests])]))
    plain = Group("one", [Stage([Phase(1, "anisole", reward=1)])])
    assert Design([plain]).groups[0].elements == (tests[0], Phase(1, "anisole", reward=1), tests[0])
    assert Design.read("+ 1s").groups[0].elements == (Phase(1, reward=1),)


def test_what_is_asked_is_at_dose_1_and_what_is_lived_at_the_bound_dose() -> None:
    """Unless a dose is written."""
    design = Design.read(f'A = {A}@0.5: A 1s, ?A, ?A@0.5, live A 20s, ?"{A}", A@1 2s')
    assert [element.odors[0][1] for element in design.groups[0].elements] == [0.5, 1, 0.5, 0.5, 1, 1]


def test_options_go_before_what_the_text_says() -> None:
    """And what is bound by neither is refused."""
    text = "A = anisole, + = reward 0.5: A+ 1s, ?A"
    design = Design.read(text, bindings={"A": (B, 0.1)}, reinforcer=("punishment", 2))
    assert design.groups[0].elements[0] == Phase(1, {B: 0.1}, punishment=2)
    assert Design.read("A 1s, B 1s", bindings={"B": 3}).bindings == (("A", A, 1.0), ("B", "2-heptanone", 1.0))


def test_odors_of_ones_own_are_named_like_others() -> None:
    """By quotes and by letters, if they are given to the reader, and only at doses of which something is known."""
    banana = Odor("banana", [1.0] * 21)
    design = Design.read('B = banana: B+ 1s, "banana" 2s', odors=[banana])
    assert design.groups[0].elements[1:3] == (Phase(1, banana, reward=1), Phase(2, banana))
    assert Design.read(design.text, odors=[banana]) == design
    assert Design.read("B 1s", bindings={"B": banana}).bindings == (("B", banana, 1.0),)
    with pytest.raises(NotationError, match=r"concentration of banana must be 1.*here: B = banana: \^B@2 1s"):
        Design.read("B = banana: B@2 1s", odors=[banana])
    with pytest.raises(InputError, match="names of their own, got two called 'banana'"):
        Design([Group("a", [Stage([Phase(1, banana), Phase(1, Odor("banana", [2.0] * 21))])])])


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("A+ 60s, 60s, A+ 1min, 60s, ?A", "2x(A+ 60s, 60s), ?A"),
        ("?A, A+ 1s, ?A, A+ 1s, ?A", "?A, 2x(A+ 1s, ?A)"),
        ("2x(3x(A 1s), 2s), ?A", "2x(3x(A 1s), 2s), ?A"),
        ("#x A[reward 1] 1s, ?A", "#x A+ 1s, ?A"),
        ("A@1 1s | (?A@1 3s)", "A 1s | ?A"),
        ("A 600s, A 7200000ms, A 500ms, ?A", "A 10min, A 2h, A 500ms, ?A"),
        ("{silence DANp: A 1s} | {silence DANp: ?A}, 1s", "{silence DANp: A 1s | ?A}, 1s"),
        ("2x({silence DANp: A 1s}, 1s), ?A", "2x({silence DANp: A 1s}, 1s), ?A"),
        ("2x({silence DANp: A 1s}), ?A", "{silence DANp: 2x(A 1s)}, ?A"),
        ("shuffle(2x(A 1s), (A 1s, 2s)), ?A", "shuffle(2x(A 1s), (A 1s, 2s)), ?A"),
        ("shuffle(((A 1s, A 1s)), 2s), ?all", "shuffle((2x(A 1s)), 2s), ?all"),
        ("larvae: A 1s, ?A", "A 1s, ?A"),
    ],
)
def test_equal_designs_are_written_alike(text: str, canonical: str) -> None:
    """With the bindings first, always."""
    assert Design.read(text).text == f"A = pentyl acetate, + = reward 1: {canonical}"


@pytest.mark.parametrize("count", [100, pytest.param(5000, marks=pytest.mark.long)])
def test_data_to_text_to_data_is_equal(count: int) -> None:
    """Of random designs, of all that there is; the written grammar has every text, and a second round changes none."""
    rng = random.Random(15)
    for _ in range(count):
        design = a_design(rng)
        again = Design.read(design.text, odors=[OWN])
        assert again == design, design.text
        assert again.text == design.text
    assert all(GRAMMAR.has(a_design(rng).text) for _ in range(max(5, count // 50)))


@pytest.mark.parametrize("count", [100, pytest.param(5000, marks=pytest.mark.long)])
def test_what_the_grammar_has_not_is_refused_with_its_place(count: int) -> None:
    """One error with a caret each, and never another; what the grammar has may be refused for what it says."""
    rng = random.Random(5)
    refused = 0
    while refused < count:
        whole = a_design(rng).text
        text = damaged(rng.choice(_SHORT) if len(whole) > 250 or rng.random() < 0.5 else whole, rng)
        refusal = _refusal(text)
        if refusal is None:
            assert GRAMMAR.has(text), text
            continue
        refused += not GRAMMAR.has(text)
        assert "^" in str(refusal)
        assert str(refusal).isprintable()
        assert 0 <= refusal.place <= len(text)


def _refusal(text: str) -> NotationError | None:
    try:
        Design.read(text, odors=[OWN])
    except NotationError as error:
        return error
    return None


_SHORT = [
    "3x(A+ 60s, 60s) | A 180s | ?A",
    'A = pentyl acetate, B = "4,5-dimethylthiazole"@0.1, + = reward 1: one: A+ 60s, B 5min; two: mirror(A,B) of one',
    "{silence DANp: A+ 60s | #x A 60s, {cut MBONn>DANp, set kc.threshold_mV -34: 60s}}, live A/A@2 40s, ?all@0.1 2s",
    'shuffle(A[punishment 0.5, reward 1] 1h #cue, (2x(A 1s), ?A 5s)), ?"anisole"+',
]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("3x(A+ 60, 60s)", "must have a unit (ms, s, min, h) right after it, got none, here: 3x(A+ 60^, 60s)"),
        ("A 1s, 3 x (A 60s)", "a repeat must be written with x and without blanks, as 3x(A+ 60s), here: A 1s, ^3 x (A"),
        ("3(A 60s)", "a repeat must be written with x"),
        ("A+60s", "one blank must stand between a stimulus and its duration, and none within a stimulus, got '60s'"),
        ("A  60s", "one blank must stand between"),
        ("A 1e3s", "got 'e3s', here: A 1^e3s"),
        ("A -5s", "must be a decimal number such as 60 or 0.5, got '-5s', here: A ^-5s"),
        ("A 0s", "must be above 0 and at most 1000000000 s, got 0.0, here: A ^0s"),
        ("B 60s", "letter B must be bound to an odor, got none; begin with B = NAME: or pass --odor B=NAME"),
        ("AA 60s", "each odor must stand once in a stimulus, got 'pentyl acetate' again, here: A^A 60s"),
        ("A@-1 60s", "a dose must be a decimal number"),
        ("- 60s", "- must stand after what is smelled"),
        ("?A@0", "a test must be of an odor or a reinforcement, got one of nothing"),
        ("?", "an element must be a phase"),
        ("live A", "one blank must stand between what is smelled and its duration, got the end"),
        ("live A+/A@2 20s", "a reinforcement in a choice must stand at its end"),
        ("live A/A@2 30s", "must be a multiple of 20 s, got 30 s"),
        ("3x(A 60s | A 5s)", "stages must be separated outside parentheses, got | within"),
        ("0x(A 60s)", "a repeat must be of 1 or more times, got 0"),
        ("99999x(99x(A 60s))", "phases and tests of a design must be at most 100000"),
        ("1000x(99x(A 60s)), 2000x(A 1s)", "must be at most 100000, got more; repeat less, here: 1000x(99x(A 60s)), ^"),
        ("shuffle(A 1s, (shuffle(A 2s)))", "a shuffle must stand in no other shuffle"),
        ("{silence DANq: A 1s}", "did you mean 'DANp' or 'DANn'? Here: {^silence DANq: A 1s}"),
        ("{cut KC>DANp: A 1s}", "unknown connection 'KC>DANp'; there are ORN>PN"),
        ("{silence KC: {silence KC[7]: A 1s}}", "for KC[7], here: {silence KC: {^silence KC[7]: A 1s}}"),
        ("A 1s; b: A 1s", "each of several groups must have a name, got none"),
        ("a: A 1s; A: A 1s", "each group must have a name of its own, got 'A' again"),
        ("a: A 1s; b: mirror(A,A) of c", "mirror must be of two letters and a group written before it"),
        ("B = 4,5-dimethylthiazole: A 1s", 'a name with a comma as "4,5-...", here: B = 4,^5-dim'),
        ("B = nonsense: A 1s", "unknown odor 'nonsense'"),
        ("A = anisole@0: A 1s", "a bound dose must be above 0"),
        ("+ = reward 0: A 1s", "strength of reward must be above 0"),
        ("A 1s\n,, A 1s", "got ', A 1s', here: A 1s ,^, A 1s"),
        ("A 1s \x1b[31m", r"got '\x1b[31m', here: A 1s ^\x1b[31m"),
        ("(" * 60 + "A 1s", "at most 50 within one another"),
        ("", "an element must be a phase (A+ 60s), a pause (60s)"),
    ],
)  # fmt: skip
def test_an_error_says_what_is_wrong_and_where(text: str, sentence: str) -> None:
    """In one sentence, which says what to do where that is not plain."""
    with pytest.raises(NotationError) as refusal:
        Design.read(text)
    assert sentence in str(refusal.value)
    assert pickle.loads(pickle.dumps(refusal.value)).place == refusal.value.place


def test_durations_are_whole_time_steps_of_given_parameters() -> None:
    """With the place, where the parameters are known; else `run` looks."""
    with pytest.raises(NotationError, match=r"whole number of 0.1 ms steps, got 0.25 ms, here: A \^0.25ms"):
        Design.read("A 0.25ms", parameters=BALANCED)
    assert Design.read("A 0.25ms").duration_s == 0.00025


def test_the_place_can_be_drawn_below_the_text() -> None:
    """For terminals, with the neighborhood of a long text."""
    text = "A 1s, " * 20 + "A 1x"
    with pytest.raises(NotationError) as refusal:
        Design.read(text)
    line, caret = below(text, refusal.value.place).split("\n")
    assert line[caret.index("^")] == "x"
    assert len(line) < 80


def test_the_page_is_true() -> None:
    """Every text of its tables is read, and its examples."""
    shown = re.findall(r"^\| (`.*?`(?:, `.*?`)*) \|", PAGE, re.MULTILINE)
    forms = [form for cell in shown for form in re.findall(r"`(.*?)`", cell)]
    assert len(forms) > 20
    for form in forms:
        manipulation = form.split()[0] in ("silence", "drive", "cut", "scale", "set")
        text = f"{BOUND}{{{form}: A 1s}}" if manipulation else f"{BOUND}{form}"
        assert Design.read(text).groups
        assert GRAMMAR.has(text)
    examples = re.findall(r"^(?:kenyon train ')?([A-Z] = .*; .*|A = .*: 3x.*)$", PAGE, re.MULTILINE)
    assert [len(Design.read(example.strip("'")).groups) for example in examples] == [2, 1]
