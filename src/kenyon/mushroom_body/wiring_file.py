"""A wiring of PNs to Kenyon cells as a CSV file has it: a line for each Kenyon cell, a 0 or 1 for each PN."""

import csv
import io
import os

import numpy as np
from numpy.typing import NDArray

from kenyon.errors import FileFormatError
from kenyon.mushroom_body.circuit import N_KCS, N_PNS
from kenyon.mushroom_body.odor_table import text_of
from kenyon.words import shown


def read_pn_to_kc(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Return the wiring in a file, as `Population` takes it: [K, P] uint8.

    Raises:
        FileFormatError: it holds something else; the message names line and column.
        FileNotFoundError: there is no such file.
    """
    text = text_of(path)
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        rows = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as reason:
        raise FileFormatError(f"{path}, line {reader.line_num}, must be of comma-separated values: {reason}") from None
    for line, cells in rows:
        if len(cells) != N_PNS:
            raise FileFormatError(f"{path}, line {line}, must have {N_PNS} cells, one a PN, got {len(cells)}")
        for column, cell in enumerate(cells, 1):
            if cell.strip() not in ("0", "1"):
                raise FileFormatError(
                    f"{path}, line {line}, column {column}, must be 0 or 1, got {shown(cell.strip())}"
                )
    if len(rows) != N_KCS:
        raise FileFormatError(f"{path} must have {N_KCS} lines, one a Kenyon cell, got {len(rows)}")
    return np.array([[int(cell) for cell in cells] for _, cells in rows], dtype=np.uint8)
