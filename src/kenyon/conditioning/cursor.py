"""A text and how far it is read; whatever is wrong with it is said with its place."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import NoReturn

from kenyon.errors import InputError, NotationError
from kenyon.words import clean, shown

MOST_TEXT = 10_000_000
"""Characters of a text."""

_DEEPEST = 50
"""Parentheses and braces within one another."""
_AROUND = 30
"""Characters of the text that an error shows on each side."""

_BLANKS = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"[0-9]{1,400}(?:\.[0-9]{1,400})?(?![0-9.])")
_QUOTED = re.compile(r'"([^"\r\n]*)"')


class Cursor:
    """Reads a text from left to right.

    Attributes:
        text: All of it.
        at: The place, in characters from the beginning.

    Example:
        >>> cursor = Cursor("60s")
        >>> cursor.number("a duration"), cursor.at
        (60.0, 2)
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._depth = 0
        if len(text) > MOST_TEXT:
            self.fail(f"a text must be of at most {MOST_TEXT} characters, got {len(text)}", MOST_TEXT)

    def fail(self, sentence: str, place: int | None = None) -> NoReturn:
        """Refuse the text at a place, or where it is being read.

        Raises:
            NotationError: always.
        """
        place = self.at if place is None else place
        link = " Here:" if sentence.endswith("?") else ", here:"
        raise NotationError(f"{sentence}{link} {pointed(self.text, place)}", self.text, place)

    @contextmanager
    def refusing(self, place: int) -> Iterator[None]:
        """Let what is refused by other checks be refused at a place."""
        try:
            yield
        except NotationError:
            raise
        except InputError as error:
            self.fail(str(error), place)

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Go into a parenthesis or a brace."""
        self._depth += 1
        if self._depth > _DEEPEST:
            self.fail(f"parentheses and braces must be at most {_DEEPEST} within one another")
        yield
        self._depth -= 1

    def sees(self, what: str | re.Pattern[str]) -> bool:
        """Return whether something stands here."""
        return self.text.startswith(what, self.at) if isinstance(what, str) else bool(what.match(self.text, self.at))

    def take(self, literal: str) -> bool:
        """Go beyond a literal, if it stands here."""
        found = self.text.startswith(literal, self.at)
        self.at += len(literal) if found else 0
        return found

    def match(self, pattern: re.Pattern[str]) -> str | None:
        """Go beyond what a pattern matches here, and return it."""
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found.group()

    def expect(self, literal: str, sentence: str) -> None:
        """Go beyond a literal that must stand here; the sentence says what must be."""
        if not self.take(literal):
            self.fail(f"{sentence}, got {self.next_words()}")

    def blanks(self) -> None:
        """Go beyond blanks and line breaks, if there are any."""
        self.match(_BLANKS)

    def mark(self, sign: str) -> bool:
        """Go beyond a sign, if it stands here, with blanks or without on both sides."""
        place = self.at
        self.blanks()
        if self.take(sign):
            self.blanks()
            return True
        self.at = place
        return False

    def expect_mark(self, sign: str, sentence: str) -> None:
        """Go beyond a sign that must stand here, with blanks or without on both sides."""
        if not self.mark(sign):
            self.blanks()
            self.fail(f"{sentence}, got {self.next_words()}")

    def number(self, what: str) -> float:
        """Return a decimal number of 0 or more, and go beyond it."""
        return float(self.fraction(what))

    def fraction(self, what: str) -> Fraction:
        """Return a decimal number of 0 or more, exactly, and go beyond it."""
        start = self.at
        digits = self.match(_NUMBER)
        if digits is None:
            self.fail(f"{what} must be a decimal number such as 60 or 0.5, got {self.next_words()}")
        value = Fraction(digits)
        try:
            float(value)
        except OverflowError:
            self.fail(f"{what} must be a number that can be computed with, got one of {len(digits)} digits", start)
        return value

    def quoted(self) -> str:
        """Return the text between double quotes, and go beyond it."""
        words = self.match(_QUOTED)
        if words is None:
            self.fail('a name in double quotes must end with one, on the same line, got no other "')
        return words[1:-1]

    def next_words(self) -> str:
        """Return how what stands here reads in a sentence."""
        rest = self.text[self.at : self.at + 12]
        return shown(rest.split("\n")[0] or "\n", 20) if rest else "the end"


def pointed(text: str, place: int) -> str:
    """Return the neighborhood of a place in a text, on one line, with `^` before the place.

    Example:
        >>> pointed("3x(A+ 60s)", 3)
        '3x(^A+ 60s)'
    """
    before, after = _around(text, place)
    return f"{before}^{after}"


def below(text: str, place: int) -> str:
    """Return the neighborhood of a place in a text, and on a second line `^` below the place.

    Example:
        >>> print(below("3x(A+ 60s)", 3))
        3x(A+ 60s)
           ^
    """
    before, after = _around(text, place)
    return f"{before}{after}\n{' ' * len(before)}^"


def _around(text: str, place: int) -> tuple[str, str]:
    left = "..." if place > _AROUND else ""
    right = "..." if place + _AROUND < len(text) else ""
    before, after = text[max(0, place - _AROUND) : place], text[place : place + _AROUND]
    return left + clean(before), clean(after) + right
