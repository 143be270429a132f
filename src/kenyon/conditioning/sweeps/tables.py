"""Tables of points: rows, a DataFrame, or a CSV file."""

import csv
import os
from collections.abc import Mapping, Sequence
from typing import Any

from kenyon import checks
from kenyon.errors import InputError
from kenyon.words import shown


def columns(rows: Any) -> dict[str, list[Any]]:
    """Return the values of each column of a table, by its name.

    Args:
        rows: As for `Sweep.table`.

    Raises:
        InputError: it is no table, has no rows, or rows differ in their columns.
        FileNotFoundError: there is no such file.

    Example:
        >>> columns([{"seed": 1, "dose": 0.1}, {"seed": 2, "dose": 1.0}])
        {'seed': [1, 2], 'dose': [0.1, 1.0]}
    """
    if isinstance(rows, (str, os.PathLike)):
        found = _read(rows)
    elif hasattr(rows, "to_dict") and hasattr(rows, "columns"):
        found = rows.to_dict("records")
    else:
        found = list(rows) if isinstance(rows, Sequence) else rows
    if not isinstance(found, list) or not found or not all(isinstance(row, Mapping) for row in found):
        raise InputError(
            f"a table must be a list of mappings, a DataFrame or the path of a CSV file, got {shown(rows)}"
        )
    names = list(found[0])
    for row in found:
        if list(row) != names:
            raise InputError(f"all rows of a table must have the same axes, {shown(names)}, got {shown(list(row))}")
    return {name: [row[name] for row in found] for name in names}


def _read(path: Any) -> list[dict[str, Any]]:
    file = checks.path("table", path)
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream, restkey="", restval=None))
    except (UnicodeDecodeError, csv.Error) as reason:
        raise InputError(f"a table must be CSV in UTF-8, got {shown(str(file))}: {reason}") from None
    for number, row in enumerate(rows, 2):
        if "" in row or None in row.values():
            raise InputError(f"each line of {file.name} must have as many fields as the first, got line {number}")
    return [{name: _value(text) for name, text in row.items()} for row in rows]


def _value(text: str) -> Any:
    """Return what a field says: a number where it is one."""
    whole = checks.spelled_integer(text)
    if whole is not None:
        return whole
    try:
        return float(text)
    except ValueError:
        return text
