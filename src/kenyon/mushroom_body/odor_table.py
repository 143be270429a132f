"""Responses of receptors to odors as a CSV file has them: the published table, and tables of one's own.

A first line names the columns: the 21 receptors in any order, `odor`, `concentration` (1.0 is the dilution 1e-04) or
`dilution`, and `animals`. An empty cell is a receptor that was not measured there. A single line of 21 numbers, in the
order of the published table, needs no names.
"""

import csv
import io
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from kenyon import checks
from kenyon.errors import FileFormatError
from kenyon.mushroom_body.circuit import N_ORNS
from kenyon.words import shown

REFERENCE_DILUTION = 1e-4
"""The dilution (v/v) that a concentration of 1.0 stands for."""

_MOST_BYTES = 10_000_000
_MEASURED_BEFORE = 3
"""Columns of the published table that stand before the receptors."""


class Row(NamedTuple):
    """What a table says about one odor at one concentration.

    Attributes:
        place: Where it stands, for messages.
        odor: Its name, or "" where the table has no such column.
        concentration: 1.0 is the dilution 1e-04; nan where the table does not say it.
        responses: [21] by channel; nan where not measured.
        animals: How many were measured; 0 where the table does not say it.
    """

    place: str
    odor: str
    concentration: float
    responses: tuple[float, ...]
    animals: int


@cache
def published() -> dict[str, list[Row]]:
    """Return the rows of the published table by odor, in its order."""
    odors: dict[str, list[Row]] = {}
    for row in read("the published table", _published_text()):
        odors.setdefault(row.odor, []).append(row)
    return odors


@cache
def published_names() -> frozenset[str]:
    """Return the names of the measured odors, in small letters."""
    return frozenset(name.lower() for name in published())


@cache
def receptors() -> tuple[str, ...]:
    """Return the names of the 21 receptors, by channel."""
    return tuple(next(csv.reader([_published_text().partition("\n")[0]]))[_MEASURED_BEFORE:])


def text_of(path: str | os.PathLike[str]) -> str:
    """Return what a text file holds.

    Raises:
        FileFormatError: it cannot be read, is no text in UTF-8, or of more than 10 MB.
        FileNotFoundError: there is no such file.
    """
    file = checks.path("file", path)
    try:
        with file.open("rb") as stream:
            words = stream.read(_MOST_BYTES + 1)
        if len(words) > _MOST_BYTES:
            raise FileFormatError(f"{path} must be a table of at most {_MOST_BYTES / 1e6:g} MB, got more; split it")
        return words.decode("utf-8-sig")
    except FileNotFoundError:
        raise
    except OSError as reason:
        raise FileFormatError(f"{path} must be a file that can be read, got {reason.strerror}") from None
    except UnicodeDecodeError:
        raise FileFormatError(f"{path} must be a table as text in UTF-8, got other bytes; save it as CSV") from None


def read(source: str, text: str) -> list[Row]:
    """Return the rows of a table.

    Args:
        source: What the table is called in messages.
        text: As the file holds it.

    Raises:
        FileFormatError: it is no such table; the message names line and column.

    Example:
        >>> read("mine.csv", ",".join(["0.5"] * 21))[0].responses[:2]
        (0.5, 0.5)
        >>> read("mine.csv", ",".join(["0.5"] * 20 + ["much"]))
        Traceback (most recent call last):
        ...
        kenyon.errors.FileFormatError: mine.csv, line 1, column 21, must be a finite number, got 'much'
    """
    lines = _lines(source, text)
    try:
        first_line, first = next(lines)
    except StopIteration:
        raise FileFormatError(f"{source} must have a line of responses, got an empty file") from None
    if not any(cell.strip() in receptors() for cell in first):
        return _single(source, first_line, first, lines)
    columns = _columns(source, first_line, first)
    rows = [_row(source, line, cells, first, columns) for line, cells in lines]
    if not rows:
        raise FileFormatError(f"{source} must have a line of responses below the names of its columns, got none")
    return rows


def _published_text() -> str:
    table = resources.files("kenyon.mushroom_body") / "data" / "orn_responses.csv"
    return table.read_text(encoding="utf-8")


def _lines(source: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Give the number and the cells of each line that is not empty."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as reason:
        raise FileFormatError(
            f"{source}, line {reader.line_num}, must be of comma-separated values: {reason}"
        ) from None


def _single(source: str, line: int, cells: Sequence[str], more: Iterator[tuple[int, list[str]]]) -> list[Row]:
    """Return the one row of a table whose columns have no names."""
    if len(cells) != N_ORNS:
        raise FileFormatError(
            f"{source}, line {line}, must name the columns, among them the 21 receptors, or be 21 numbers, got "
            f"{len(cells)} cells; name them as {', '.join(receptors()[:2])} and so on"
        )
    responses = tuple(_number(f"{source}, line {line}, column {i}", cell) for i, cell in enumerate(cells, 1))
    for second, _ in more:
        raise FileFormatError(
            f"{source}, line {second}, must not be there without names of the columns; begin the file with a line "
            f"such as concentration,{receptors()[0]},{receptors()[1]} and so on"
        )
    return [Row(f"{source}, line {line}", "", math.nan, responses, 0)]


def _columns(source: str, line: int, names: Sequence[str]) -> Mapping[str, int]:
    """Return the place of each column by its name."""
    known = ("odor", "concentration", "dilution", "animals", *receptors())
    columns: dict[str, int] = {}
    for place, name in enumerate(map(str.strip, names)):
        where = f"{source}, line {line}, column {place + 1},"
        if name not in known:
            raise FileFormatError(f"{where} must be a known column, got {shown(name)}; {checks.nearest(name, known)}")
        if name in columns:
            raise FileFormatError(f"{where} must be a column that is not there yet, got {shown(name)} again")
        columns[name] = place
    missing = [name for name in receptors() if name not in columns]
    if missing:
        raise FileFormatError(f"{source}, line {line}, must name all 21 receptors, got none named {missing[0]}")
    if "concentration" in columns and "dilution" in columns:
        raise FileFormatError(f"{source}, line {line}, must name either concentration or dilution, got both")
    return columns


def _row(source: str, line: int, cells: Sequence[str], names: Sequence[str], columns: Mapping[str, int]) -> Row:
    place = f"{source}, line {line}"
    if len(cells) != len(names):
        raise FileFormatError(f"{place}, must have {len(names)} cells, as there are columns, got {len(cells)}")

    def number(name: str) -> float:
        return _number(f"{place}, column {columns[name] + 1} ({name})", cells[columns[name]])

    concentration = math.nan
    if "concentration" in columns:
        concentration = number("concentration")
    elif "dilution" in columns:
        concentration = float(f"{number('dilution') / REFERENCE_DILUTION:.6g}")
    animals = number("animals") if "animals" in columns else math.nan
    return Row(
        place,
        cells[columns["odor"]].strip() if "odor" in columns else "",
        concentration,
        tuple(number(receptor) for receptor in receptors()),
        0 if math.isnan(animals) else int(animals),
    )


def _number(where: str, cell: str) -> float:
    """Return the number in a cell; nan of an empty one."""
    if not cell.strip():
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise FileFormatError(f"{where}, must be a finite number, got {shown(cell.strip())}")
    return value
