"""A wiring of PNs to Kenyon cells as a CSV file has it: a line for each Kenyon cell, a number for each PN."""

import csv
import io
import os
from typing import Any

from numpy.typing import NDArray

from kenyon.errors import FileFormatError, InputError
from kenyon.mushroom_body.circuit import N_PNS
from kenyon.mushroom_body.odor_table import receptors, text_of
from kenyon.mushroom_body.wiring import check_pn_to_kc
from kenyon.words import shown

_OR = "Or"
"""What names of receptors may begin with."""

Line = tuple[int, list[str]]
"""Its number in the file, and its cells."""


def read_pn_to_kc(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Return the wiring in a file, as `Population` takes it: [K, P].

    Its numbers are 0 and 1, or counts of synapses, or, where one has a decimal point, strengths in multiples of
    pn_kc_nS. A first line may name the 21 receptors of the odor data, in any order: as there, or without "Or".

    Raises:
        FileFormatError: it holds something else; the message names line and column.
        FileNotFoundError: there is no such file.
    """
    lines = _lines(path, text_of(path))
    order = None
    if lines and any(cell.removeprefix(_OR) in _named() for cell in lines[0][1]):
        order = _order(path, *lines.pop(0))
    try:
        wired = check_pn_to_kc([_row(path, *line) for line in lines], 1)[0]
    except InputError as reason:
        raise FileFormatError(f"{path}: {reason}") from None
    own: NDArray[Any] = wired if order is None else wired[:, order]
    return own


def _lines(path: str | os.PathLike[str], text: str) -> list[Line]:
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        return [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as reason:
        raise FileFormatError(f"{path}, line {reader.line_num}, must be of comma-separated values: {reason}") from None


def _order(path: str | os.PathLike[str], line: int, names: list[str]) -> list[int]:
    """Return, of each PN, the column that its receptor has."""
    bare = [name.removeprefix(_OR) for name in names]
    if sorted(bare) != sorted(_named()):
        absent = ", ".join(name for name in _named() if name not in bare)
        raise FileFormatError(f"{path}, line {line}, must name each of the 21 receptors once, got none for {absent}")
    return [bare.index(name) for name in _named()]


def _named() -> list[str]:
    """Return the names of the receptors, by PN, without what all begin with."""
    return [name.removeprefix(_OR) for name in receptors()]


def _row(path: str | os.PathLike[str], line: int, cells: list[str]) -> list[float]:
    if len(cells) != N_PNS:
        raise FileFormatError(f"{path}, line {line}, must have {N_PNS} cells, one a PN, got {len(cells)}")
    row = [_number(cell) for cell in cells]
    for column, (cell, number) in enumerate(zip(cells, row, strict=True), 1):
        if number is None or not number >= 0:
            raise FileFormatError(
                f"{path}, line {line}, column {column}, must be a number of 0 or more, got {shown(cell)}"
            )
    return row  # type: ignore[return-value]  # none is None


def _number(cell: str) -> float | None:
    try:
        return float(cell) if any(sign in cell for sign in ".eEn") else int(cell)
    except ValueError:
        return None
