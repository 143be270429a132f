from pathlib import Path

import numpy as np
import pytest

from kenyon.errors import FileFormatError
from kenyon.mushroom_body import read_pn_to_kc
from kenyon.mushroom_body.circuit import draw_pn_to_kc
from kenyon.mushroom_body.parameters import BALANCED


def test_what_numpy_writes_is_read(tmp_path: Path) -> None:
    """A wiring as `numpy.savetxt` writes it, with blanks and an empty line at its end."""
    wiring = draw_pn_to_kc(BALANCED, 3)
    path = tmp_path / "wiring.csv"
    np.savetxt(path, wiring, fmt="%d", delimiter=", ", footer="\n", comments="")
    assert (read_pn_to_kc(path) == wiring).all()


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["0," * 20 + "1"] * 71, "must have 72 lines, one a Kenyon cell, got 71"),
        ([], "must have 72 lines, one a Kenyon cell, got 0"),
        (["0," * 20 + "1"] * 3 + ["0,1"], ", line 4, must have 21 cells, one a PN, got 2"),
        (["0," * 20 + "1", "0," * 19 + "0.5,1"], ", line 2, column 20, must be 0 or 1, got '0.5'"),
        (["0," * 20 + "yes"], ", line 1, column 21, must be 0 or 1, got 'yes'"),
    ],
)
def test_what_is_none_is_refused_with_its_place(lines: list[str], sentence: str, tmp_path: Path) -> None:
    """Line and column."""
    path = tmp_path / "wiring.csv"
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(FileFormatError) as refused:
        read_pn_to_kc(path)
    assert str(refused.value).removeprefix(str(path)).strip() == sentence
