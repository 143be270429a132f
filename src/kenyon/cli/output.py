"""How subcommands answer: a table for people, plain columns where the output is no terminal, JSON for programs.

Law of this file: every line that a subcommand prints passes through here, so that none holds what a terminal obeys.
"""

import json
import math
import shutil
import sys
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kenyon.words import clean

if TYPE_CHECKING:  # slow to import
    import pandas as pd

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs instead of a table.")

_GAP = "  "


def say(line: str) -> None:
    r"""Print one line, in which whatever does not print is spelled.

    Example:
        >>> say("larva \x1b[2J of\nfirst")
        larva \x1b[2J of first
    """
    _echo(clean(line))


def hint(line: str) -> None:
    """Print one line on standard error, beside what programs read."""
    click.echo(clean(line), err=True)
    with suppress(OSError, AttributeError):
        sys.stderr.flush()


def _echo(text: str = "") -> None:
    click.echo(text, file=sys.stdout)  # Named, for otherwise click would not keep to an encoding that is plain ASCII.


def print_json(value: Any) -> None:
    """Print a value as strict JSON: what is not finite becomes null, what does not print is escaped."""
    _echo(json_text(_strict(value), indent=2))


def json_text(value: Any, indent: int | None = None) -> str:
    r"""Return a value as JSON that any terminal and any encoding can show; to a program it is the same value.

    Example:
        >>> json_text("\x1b \x7f \u202e Δ")
        '"\\u001b \\u007f \\u202e \\u0394"'
    """
    text = json.dumps(value, indent=indent, ensure_ascii=True, allow_nan=False)
    return text.replace("\x7f", "\\u007f")  # The one character of ASCII that JSON lets stand, and that does not print.


def print_csv(table: "pd.DataFrame") -> None:
    """Print a table as comma-separated values, below the names of its columns; what is not there is left empty."""
    texts = table.select_dtypes(exclude=["number", "bool"]).columns
    cleaned = table.assign(**{name: table[name].map(clean, na_action="ignore") for name in texts})
    _echo(cleaned.to_csv(index=False, lineterminator="\n").rstrip("\n"))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str | None = None) -> None:
    """Print rows below their column names; on a terminal too narrow for that, each row as a few lines."""
    lines = [[clean(cell) for cell in row] for row in rows]
    width, height = shutil.get_terminal_size()
    console = Console(highlight=False, width=width, height=height)  # both, or rich takes a plain terminal's for 80
    widths = _widths(columns, lines)
    if title is not None:
        title = clean(title)
        _echo("\n".join(textwrap.wrap(title, width)) if console.is_terminal else title)
    if not console.is_terminal:
        _print_plain(columns, lines, widths)
    elif (narrowed := _narrowed(columns, lines, widths, width)) is not None:
        _print_columns(console, columns, lines, narrowed)
    else:
        _print_records(columns, lines, width)


def _print_plain(columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    for row in (columns, *rows):
        cells = zip(columns, row, widths, strict=True)
        line = _GAP.join(
            " " * (width - cell_len(cell)) + cell if _is_number(name) else set_cell_size(cell, width)
            for name, cell, width in cells
        )
        _echo(line.rstrip())


def _print_columns(
    console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]
) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name, width in zip(columns, widths, strict=True):
        table.add_column(Text(name), width=width, justify="right" if _is_number(name) else "left")
    for row in rows:
        table.add_row(*map(Text, row))  # as text, for brackets are no markup here
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        _echo(line.rstrip())


def _print_records(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> None:
    for row in rows:
        for name, cell in zip(columns, row, strict=True):
            if cell:
                _echo(
                    "\n".join(
                        textwrap.wrap(
                            f"{name}: {cell}" if name else cell,
                            width,
                            subsequent_indent=_GAP,
                            break_long_words=False,
                            break_on_hyphens=False,
                        )
                    )
                )
        _echo()


def _is_number(column: str) -> bool:
    """Return whether a column holds numbers: its name ends in their unit."""
    return column.endswith(")")


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, cells)) for cells in zip(columns, *rows, strict=True)]


def _narrowed(
    columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], room: int
) -> list[int] | None:
    """Return widths with which a table fits and no word is broken; None if there are none."""
    longest_words = [
        max((cell_len(word) for cell in cells for word in cell.split()), default=0)
        for cells in zip(columns, *rows, strict=True)
    ]
    narrowed = list(widths)
    while sum(narrowed) + 3 * len(narrowed) > room:  # two blanks and a divider between columns
        spare = [width - least for width, least in zip(narrowed, longest_words, strict=True)]
        if max(spare) <= 0:
            return None
        widest = max(range(len(narrowed)), key=lambda i: (spare[i] > 0, narrowed[i]))
        narrowed[widest] -= 1
    return narrowed


def _strict(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _strict(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(entry) for entry in value]
    return value
