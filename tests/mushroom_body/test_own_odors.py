import copy
import csv
import dataclasses
import io
import itertools
import math
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kenyon.errors import FileFormatError, InputError
from kenyon.mushroom_body import BALANCED, Odor, Population, odors, read_odors
from kenyon.mushroom_body.inputs import drive

RECEPTORS = odors.receptors()
SINGLE = [0.1 * i for i in range(21)]


def written(path: Path, header: Sequence[str], *rows: Sequence[Any]) -> Path:
    """Return a CSV file."""
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    path.write_text(text.getvalue(), "utf-8")
    return path


def the_same(odor: odors.Named, name: str = "mine") -> Odor:
    """Return an odor of one's own with the contents of another."""
    measured = odors.find(odor)
    return Odor(name, measured.responses, measured.concentrations)


@pytest.mark.parametrize("odor", ["pentyl acetate", "2-heptanone", "methyl salicylate"])
def test_with_the_contents_of_a_measured_odor_it_is_that_odor(odor: str) -> None:
    """At every concentration, receptors measured elsewhere than others among them; and so its larvae spike alike."""
    for concentration in [0.0, *np.geomspace(1e-6, 1e4, 60)]:
        assert (odors.response(the_same(odor), concentration) == odors.response(odor, concentration)).all()
    counts = []
    for named in (odor, the_same(odor)):
        larvae = Population(seeds=[1, 2])
        larvae.stimulate({named: 0.3}, reward=1.0)
        larvae.advance(300)
        counts.append(larvae.probe(named, 300).counts)
    assert (counts[0] == counts[1]).all()


def test_one_row_serves_at_its_concentration_alone() -> None:
    """Nothing is known about others; 0 is no odor."""
    mine = Odor("mine", SINGLE)
    assert odors.response(mine) == pytest.approx(SINGLE)
    assert not odors.response(mine, 0.0).any()
    with pytest.raises(InputError, match=r"concentration of mine must be 1, where alone it was measured, got 0\.5"):
        odors.response(mine, 0.5)
    with pytest.raises(InputError, match=r"must be 0.1, where alone"):
        Population(seeds=[1]).probe(Odor("mine", {0.1: SINGLE}), 1)


def test_mixtures_add_also_of_own_and_measured_ones() -> None:
    """By `numpy.interp`, which knows nothing of our curves; many mixtures at once, and two odors of one name in two."""
    own = Odor("mine", {1.0: SINGLE, 0.01: [0.0] * 20 + [3.0]})
    other = Odor("mine", [1.0] * 21)
    expected = [np.interp(-1.0, [-2.0, 0.0], ends) for ends in zip([0.0] * 20 + [3.0], SINGLE, strict=True)]
    assert odors.mixture_response({own: 0.1, "anisole": 0.5}) == pytest.approx(
        np.array(expected) + odors.response("anisole", 0.5)
    )
    several = [odors.mixture(one) for one in ({own: 0.1}, "anisole", other, {7: 2.0}, None)]
    singly = [odors.mixture_responses([one])[0] for one in several]
    assert (odors.mixture_responses(several) == singly).all()
    assert (singly[2] == 1.0).all()
    with pytest.raises(InputError, match="odors must name each odor once, got 'mine' twice"):
        odors.mixture({own: 1.0, other: 1.0})


def test_a_mixture_does_not_depend_on_order_or_names() -> None:
    """To the last bit, in every order of four odors, though sums of floating-point numbers do."""
    rng = np.random.default_rng(1)
    four = [(rng.random(21) * 3, c) for c in (0.7, 1.0, 0.3, 0.9)]
    given = []
    for names in ("abcd", "dbca", "badc"):
        odors_there = [(Odor(name, {c: row}), c) for name, (row, c) in zip(names, four, strict=True)]
        given += [odors.mixture_response(dict(order)) for order in itertools.permutations(odors_there)]
    assert len({own.tobytes() for own in given}) == 1


def test_negative_responses_count_as_none() -> None:
    """As with the measured ones."""
    assert not odors.response(Odor("mine", [-1.0] * 21)).any()


def test_it_is_immutable_and_equal_by_value() -> None:
    """However it was given, and after copying and pickling, where some was not measured too."""
    rows = {1.0: SINGLE, 0.5: [math.nan, *SINGLE[1:]]}
    mine = Odor("mine", rows)
    again = [
        Odor("mine", [[float("nan"), *SINGLE[1:]], SINGLE], [0.5, 1]),
        Odor("mine", np.array(list(rows.values())), np.array([1.0, 0.5])),
        copy.deepcopy(mine),
        pickle.loads(pickle.dumps(mine)),
        dataclasses.replace(mine, name="mine"),
    ]
    for one in again:
        assert one == mine
        assert hash(one) == hash(mine)
    assert mine != Odor("mine", SINGLE) != Odor("yours", SINGLE) != Odor("yours", [0.0] * 21)
    with pytest.raises(dataclasses.FrozenInstanceError):
        mine.name = "another"  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(odors.find(3))) == odors.find(3)


@pytest.mark.parametrize(
    ("name", "responses", "sentence"),
    [
        ("Pentyl Acetate", SINGLE, "name of an odor must be none of the 34 measured ones, got 'Pentyl Acetate'"),
        ("7", SINGLE, "name of an odor must be no number"),
        (" mine", SINGLE, "name of an odor must be no number, with no blank at its ends"),
        ('a "b"', SINGLE, "name of an odor must be no number, with no blank at its ends and no double quote"),
        ("", SINGLE, "name of an odor must be text of 1 to 200 characters"),
        ("mine", [1.0] * 20, "responses to mine must be 21 numbers for each of 1 to 100 concentrations, got"),
        ("mine", {}, "responses to mine must be 21 numbers"),
        ("mine", {0.0: SINGLE}, "each concentration of mine must be above 0"),
        ("mine", {1.0: SINGLE, "a": SINGLE}, "each concentration of mine must be a finite number"),
        ("mine", {1.0: SINGLE, 0.1: SINGLE[:20]}, "responses to mine must be numbers"),
        ("mine", [math.inf, *SINGLE[1:]], "responses to mine must be within 1000 of 0, got inf"),
        ("mine", [-2e3, *SINGLE[1:]], "responses to mine must be within 1000 of 0, got -2000.0"),
        ("mine", [math.nan, *SINGLE[1:]], "responses to mine must have at least one number for each receptor"),
        ("mine", "much", "responses to mine must be numbers"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused(name: Any, responses: Any, sentence: str) -> None:
    """In one sentence."""
    with pytest.raises(InputError) as refusal:
        Odor(name, responses)
    assert str(refusal.value).startswith(sentence)


def test_concentrations_given_twice_are_refused() -> None:
    """For no curve has two heights."""
    with pytest.raises(InputError, match="concentrations of mine must differ"):
        Odor("mine", [SINGLE, SINGLE], [1.0, 1])


def test_a_channel_is_never_driven_beyond_what_the_kernel_counts() -> None:
    """Whatever an odor of one's own says; what is strong alone may be given where it is not too strong."""
    strong = Odor("strong", [150.0] * 21)
    assert drive(BALANCED, strong).max() == pytest.approx(75155.0)
    with pytest.raises(InputError, match="odors must drive each channel at 100000 Hz at most, got 150155 Hz"):
        drive(BALANCED, {strong: 1.0, Odor("too", strong.responses): 1.0})
    halves = [Odor("left", [150.0] * 10 + [0.0] * 11), Odor("right", [0.0] * 10 + [150.0] * 11)]
    assert drive(BALANCED, dict.fromkeys(halves, 1.0)).max() == pytest.approx(75155.0)


def test_the_published_table_is_read_as_if_it_were_ones_own(tmp_path: Path) -> None:
    """Its columns in another order, names changed: the same responses, line for line."""
    measured = [odors.find("3-octanol"), odors.find("anisole")]
    shuffled = list(reversed(RECEPTORS))
    rows = [
        [*("" if math.isnan(r) else r for r in reversed(row)), f"my {odor.name}", concentration]
        for odor in measured
        for concentration, row in zip(odor.concentrations, odor.responses, strict=True)
    ]
    path = written(tmp_path / "own.csv", [*shuffled, "odor", "concentration"], *reversed(rows))
    assert read_odors(path) == tuple(the_same(odor, f"my {odor.name}") for odor in reversed(measured))
    with pytest.raises(InputError, match="must hold one odor, got 2; read them with read_odors"):
        Odor.read(path)


def test_a_file_of_one_odor(tmp_path: Path) -> None:
    """A line of numbers, a line with names, dilutions; called as the file is where nothing else is said."""
    bare = tmp_path / "banana.csv"
    bare.write_bytes("\ufeff".encode() + ",".join(map(str, SINGLE)).encode() + b"\r\n\r\n")
    assert Odor.read(bare) == Odor("banana", SINGLE)
    assert Odor.read(bare, "mine") == Odor("mine", SINGLE)
    named = written(tmp_path / "cherry.csv", ["dilution", *RECEPTORS], [1e-6, *SINGLE], [1e-4, *SINGLE])
    assert Odor.read(named) == Odor("cherry", {0.01: SINGLE, 1.0: SINGLE})


LAST = RECEPTORS[-1]
ONES = ",".join(["1"] * 21)
UNREADABLE: list[tuple[str, str]] = [
    ("", "must have a line of responses, got an empty file"),
    ("1,2,3", "line 1, must name the columns, among them the 21 receptors, or be 21 numbers, got 3 cells"),
    (",".join(["1"] * 20 + ["x"]), "line 1, column 21, must be a finite number, got 'x'"),
    (",".join(["1"] * 20 + ["inf"]), "line 1, column 21, must be a finite number, got 'inf'"),
    (",".join(["1"] * 20 + [""]), "line 1: responses to t must have at least one number for each receptor"),
    ("\n".join([ONES] * 2), "line 2, must not be there without names of the columns"),
    (",".join(RECEPTORS), "must have a line of responses below the names of its columns, got none"),
    (",".join(RECEPTORS[:-1]), f"line 1, must name all 21 receptors, got none named {LAST}"),
    (",".join([*RECEPTORS, "Or45"]), "line 1, column 22, must be a known column, got 'Or45'; did you mean"),
    (",".join([*RECEPTORS, LAST]), f"line 1, column 22, must be a column that is not there yet, got '{LAST}' again"),
    (",".join([*RECEPTORS, "concentration", "dilution"]), "line 1, must name either concentration or dilution"),
    (",".join(RECEPTORS) + "\n\n1,2", "line 3, must have 21 cells, as there are columns, got 2"),
    (",".join(RECEPTORS) + "\n" + ",".join(["1"] * 20 + ["?"]), f"line 2, column 21 ({LAST}), must be a finite number"),
    ("\n".join([",".join(RECEPTORS), *[ONES] * 2]), "line 2, must say its concentration"),
    ("concentration," + ",".join(RECEPTORS) + "\n0," + ONES, "line 2: each concentration of t must be above 0"),
    ("odor," + ",".join(RECEPTORS) + "\nanisole," + ONES, "line 2: name of an odor must be none of the 34"),
    ('"' + ",".join(RECEPTORS), "line 1, must be of comma-separated values: "),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_with_its_place(text: str, sentence: str, tmp_path: Path) -> None:
    """Line and column, in one sentence."""
    path = tmp_path / "t.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(FileFormatError) as refusal:
        read_odors(path)
    said = str(refusal.value)
    assert said.startswith(str(path))
    assert said.removeprefix(str(path)).lstrip(", ").startswith(sentence)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    """Other bytes, a folder, too much; a file that is not there is said as Python says it."""
    (tmp_path / "a").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "b").write_bytes(b"1," * 5_000_001)
    for name, sentence in (("a", "text in UTF-8"), ("b", "of at most 10 MB"), (".", "a file that can be read")):
        with pytest.raises(FileFormatError, match=sentence):
            read_odors(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_odors(tmp_path / "absent.csv")
