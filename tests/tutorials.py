"""Tutorials as their files have them: text notebooks, with code between the words."""

import re
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent.parent / "docs/tutorials"

SHORT = {
    "a_larva_learns": {"larvae=8": "larvae=2", "20s": "1s", "59_000": "500"},
    "your_own_experiment": {"larvae=8": "larvae=2", "30s": "1s", "10s": "1s"},
    "from_a_question_to_a_sweep": {"larvae = 3": "larvae = 1", "20s": "1s", "jobs=2": "jobs=1"},
    "learning_in_larvaworld": {
        "larvae=4": "larvae=2",
        "duration=0.5": "duration=0.1",
        "minutes=1.0": "minutes=0.2",
        "phase_min=0.5": "phase_min=0.1",
        "test_min=0.5": "test_min=0.1",
        "jobs=2": "jobs=1",
    },
}
"""What is written in its place for fewer larvae and shorter times, by tutorial."""


class Tutorial(NamedTuple):
    """A text notebook.

    Attributes:
        head: What stands between the lines of dashes at its beginning.
        body: All below.
    """

    head: str
    body: str

    @property
    def cells(self) -> list[str]:
        """The code of each cell."""
        return re.findall(r"^```\{code-cell\} ipython3\n(.*?)^```$", self.body, flags=re.DOTALL | re.MULTILINE)

    def shortened(self, name: str) -> "Tutorial":
        """Return it with fewer larvae and shorter times.

        Raises:
            AssertionError: a piece that is to be replaced stands nowhere.
        """
        body = self.body
        for words, others in SHORT[name].items():
            assert words in body
            body = body.replace(words, others)
        return Tutorial(self.head, body)


def tutorial(name: str) -> Tutorial:
    """Return a tutorial by its name."""
    _, head, body = (FOLDER / f"{name}.md").read_text("utf-8").split("---\n", 2)
    return Tutorial(head, body)


def python(cell: str) -> str:
    """Return a cell without the lines that are Jupyter's."""
    return re.sub(r"^%.*\n", "", cell, flags=re.MULTILINE)
