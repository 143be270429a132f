"""How values look in a notebook: a line of words, and below it a table."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from kenyon.words import clean


def words_and_table(words: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return HTML of a line and a table, of which every row has the same columns; all of it text, nothing a markup.

    Example:
        >>> words_and_table("<two larvae>", [{"larva": 0, "seed": 7}]).partition("<table")[0]
        '<p>&lt;two larvae&gt;</p>'
    """
    import pandas as pd  # slow to import

    table: str = pd.DataFrame(list(rows)).to_html(index=False, float_format=lambda number: f"{number:.4g}")
    return f"<p>{html.escape(clean(words))}</p>{table}"
