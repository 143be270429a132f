from pathlib import Path

import numpy as np
import pytest

from kenyon.errors import FileFormatError
from kenyon.mushroom_body import read_pn_to_kc
from kenyon.mushroom_body.odor_table import receptors
from kenyon.mushroom_body.parameters import BALANCED
from kenyon.mushroom_body.wiring import counted, draw_pn_to_kc


def test_what_numpy_writes_is_read(tmp_path: Path) -> None:
    """A wiring as `numpy.savetxt` writes it, with blanks and an empty line at its end."""
    wiring = draw_pn_to_kc(BALANCED, 3)
    path = tmp_path / "wiring.csv"
    np.savetxt(path, wiring, fmt="%d", delimiter=", ", footer="\n", comments="")
    assert (read_pn_to_kc(path) == wiring).all()


def test_receptors_may_be_named_in_any_order(tmp_path: Path) -> None:
    """Counts stay counts, and go to the receptors they are of."""
    path, order = tmp_path / "wiring.csv", np.random.default_rng(1).permutation(21)
    named = ",".join(receptors()[place].removeprefix("Or") for place in order)
    np.savetxt(path, counted("right")[:, order], fmt="%d", delimiter=",", header=named, comments="")
    read = read_pn_to_kc(path)
    assert read.dtype.kind == "i"
    assert (read == counted("right")).all()


def test_with_a_decimal_point_they_are_strengths(tmp_path: Path) -> None:
    """All of them, where one has one."""
    path = tmp_path / "wiring.csv"
    path.write_text("\n".join(["2," * 20 + "0.5"] + ["2," * 20 + "1"] * 71), "utf-8")
    read = read_pn_to_kc(path)
    assert (read.dtype.kind, read[0, 20], read[1, 0]) == ("f", 0.5, 2.0)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            ["0," * 20 + "1"] * 129,
            ": pn_to_kc must have shape (K, 21) or (1, K, 21) with 1 to 128 Kenyon cells, got (129, 21)",
        ),
        ([], ": pn_to_kc must have shape (K, 21) or (1, K, 21) with 1 to 128 Kenyon cells, got (0,)"),
        (["0," * 20 + "1"] * 3 + ["0,1"], ", line 4, must have 21 cells, one a PN, got 2"),
        (["0," * 20 + "1", "0," * 19 + "-5,1"], ", line 2, column 20, must be a number of 0 or more, got '-5'"),
        (
            [",".join([*receptors()[1:], "1a"])],
            ", line 1, must name each of the 21 receptors once, got none for 33b-47a",
        ),
        (
            [",".join((*receptors()[:19], "x"))],
            ", line 1, must name each of the 21 receptors once, got none for 74a, 94a-94b",
        ),
        (["0," * 20 + "yes"], ", line 1, column 21, must be a number of 0 or more, got 'yes'"),
    ],
)
def test_what_is_none_is_refused_with_its_place(lines: list[str], sentence: str, tmp_path: Path) -> None:
    """Line and column."""
    path = tmp_path / "wiring.csv"
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(FileFormatError) as refused:
        read_pn_to_kc(path)
    assert str(refused.value).removeprefix(str(path)).strip() == sentence
