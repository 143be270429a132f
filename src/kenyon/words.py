"""How a value from outside reads within a sentence: one line, of bounded length, nothing in it that a terminal obeys.

Law of this file: whatever is quoted in an error, a log or a terminal passes through here. Values as data (ids in a
reply, names in a file) do not: they stay what they are.
"""

from reprlib import Repr

MOST_SHOWN = 80
"""Characters of a value that a sentence has room for."""

MOST_SAID = 2000
"""Characters of a whole sentence, however many values it names."""

_CUT = "..."
_READER = Repr()
_READER.maxlevel = 3
_READER.maxtuple = _READER.maxlist = _READER.maxarray = _READER.maxdict = 24
_READER.maxset = _READER.maxfrozenset = _READER.maxdeque = 24
_READER.maxstring = _READER.maxother = 2 * MOST_SHOWN
_READER.maxlong = 60


def shown(value: object, most: int = MOST_SHOWN) -> str:
    r"""Return how a value reads in a sentence: as in Python, cut to `most` characters, on one line.

    Only the beginning of a long value is looked at, so that a large one costs no more than a small one.

    Example:
        >>> shown("a\nb")
        "'a\\nb'"
        >>> len(shown([0] * 349_000)) <= MOST_SHOWN
        True
    """
    if isinstance(value, (str, bytes, bytearray)):
        words = repr(value[: most + 1])
    else:
        try:
            words = _READER.repr(value)
        except ValueError:  # an integer of more digits than Python spells
            words = f"an {type(value).__name__} too large to print"
        except Exception:  # noqa: BLE001  # what cannot even say what it is must still be refused in a sentence
            words = f"an object of {type(value).__name__} that cannot be printed"
    words = _spelled(words[: most + 1])
    return words if len(words) <= most else f"{words[: max(0, most - len(_CUT))]}{_CUT}"


def clean(text: str, most: int = MOST_SAID) -> str:
    r"""Return text of at most `most` characters in which every character that does not print is spelled.

    What is too long loses its middle, for a sentence says at its end what to do. Line breaks become spaces where they
    only lay out (a break and the blanks after it), so that a sentence is one line.

    Example:
        >>> clean("red \x1b[31m, turned \u202e")
        'red \\x1b[31m, turned \\u202e'
        >>> clean("[[1]\n  [2]]")
        '[[1] [2]]'
        >>> clean("got " + 1000 * "a" + "; give fewer", 40)
        'got aaaaaaaaaaaaaa...aaaaaa; give fewer'
    """
    return _without_middle(_spelled(_without_middle(text, most)), most)


def _spelled(text: str) -> str:
    if text.isprintable():
        return text
    laid_out = " ".join(line.strip(" \t") if number else line for number, line in enumerate(text.split("\n")))
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in laid_out)


def _without_middle(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    half = max(0, most - len(_CUT)) // 2
    return f"{text[:half]}{_CUT}{text[len(text) - half :]}"
