"""What the guide "From a laptop to a cluster" says to type, taken out of it."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
GUIDE = (REPOSITORY / "docs/how_to/sweeps.md").read_text("utf-8")


def block(language: str, word: str) -> str:
    """Return the one block of a language in which a word stands."""
    found = [own for own in re.findall(rf"```{language}\n(.*?)```", GUIDE, flags=re.DOTALL) if word in own]
    assert len(found) == 1, f"{len(found)} blocks of {language} with {word!r}"
    return str(found[0])


def commands() -> list[str]:
    """Return every command that is to be typed."""
    return re.findall(r"```bash\n(.*?)\n```", GUIDE)


def command(*words: str) -> str:
    """Return the one command that holds all words."""
    found = [own for own in commands() if all(word in own for word in words)]
    assert len(found) == 1, f"{found} hold {words}"
    return found[0]
