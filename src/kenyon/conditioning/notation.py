"""Reads what a design is written as: `3x(A+ 60s, 60s) | B 180s | ?A, ?B`; docs/reference/notation.md holds the grammar.

A reader goes through the text once, from left to right, with one function for each rule of the grammar, and makes the
data as it goes. So an error is always at a place, and a value is refused by the same check as in Python.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from kenyon.conditioning.cursor import Cursor
from kenyon.conditioning.elements import LETTER, Around, Bindings, ElementReader
from kenyon.conditioning.phases import MOST_ITEMS, Group, Item, Shuffle, Smelled, Stage, dose
from kenyon.mushroom_body import Manipulation, Odor, Parameters, manipulations
from kenyon.words import shown

ONLY_GROUP: Final = "larvae"
"""Name of a group that is the only one and has none."""
BARE_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 -]*[A-Za-z0-9])?")
"""A name of an odor that needs no quotes where a letter is bound to it."""
GROUP_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
"""A name of a group that needs no quotes."""

_BLANK = re.compile(r"[ \t\r\n]")
_BINDING = re.compile(r"(?:[A-Z]|\+)[ \t\r\n]*=")
_GROUP = re.compile(r'(?:"[^"\r\n]*"|[A-Za-z_][A-Za-z0-9_.-]*)[ \t\r\n]*:')
_OF = re.compile(r"[ \t\r\n]+of[ \t\r\n]+")
_TIMES = re.compile(r"[0-9]+x")
_MANIPULATION = re.compile(r"[A-Za-z0-9_.>\[\] \t\r\n-]*")

_MIRROR = "mirror must be of two letters and a group written before it, as in mirror(A,B) of first"


class Written(NamedTuple):
    """What a text says.

    Attributes:
        groups: In order.
        bindings: Odor and concentration that each letter stands for.
        reinforcer: What `+` stands for: its kind and strength.
    """

    groups: tuple[Group, ...]
    bindings: Bindings
    reinforcer: tuple[str, float]


class Reader:
    """Reads one text.

    Args:
        text: In the notation of docs/reference/notation.md.
        bindings: What letters stand for, whatever the text binds them to.
        reinforcer: What `+` stands for, whatever the text says.
        own: Odors of one's own that it may name.
        parameters: Whose time step every duration must be a multiple of; none is looked at if not given.
    """

    def __init__(
        self,
        text: str,
        bindings: Bindings,
        reinforcer: tuple[str, float] | None,
        own: Sequence[Odor],
        parameters: Parameters | None,
    ) -> None:
        self._in = Cursor(text)
        bound = [odor for odor, _ in bindings.values() if isinstance(odor, Odor)]
        self._read = ElementReader(self._in, [*own, *bound], parameters)
        self._bindings_before = bindings
        self._reinforcer_before = reinforcer
        self._items = 0
        self._bodies: dict[str, int] = {}
        """Where the body of each group begins that is written out."""

    def written(self) -> Written:
        """Return what the text says.

        Raises:
            NotationError: it cannot be read, or something in it cannot be done.
        """
        self._header()
        groups = self._groups()
        self._in.blanks()
        if self._in.at < len(self._in.text):
            self._in.fail(f"after an element must come , or | or ; or the end, got {self._in.next_words()}")
        return Written(tuple(groups), self._read.bindings, self._read.reinforcer)

    # Header

    def _header(self) -> None:
        self._in.blanks()
        seen: set[str] = set()
        more = self._in.sees(_BINDING)
        while more:
            self._binding(seen)
            more = not self._in.mark(":")
            if more:
                self._in.expect_mark(
                    ",", "after a binding must come a comma or a colon, and a name with such in quotes"
                )
                if not self._in.sees(_BINDING):
                    self._in.fail(
                        'a binding must read as A = NAME or + = reward 1, and a name with a comma as "4,5-..."'
                    )
        self._read.bindings.update(self._bindings_before)
        self._read.reinforcer = self._reinforcer_before or self._read.reinforcer

    def _binding(self, seen: set[str]) -> None:
        start, letter = self._in.at, self._in.text[self._in.at]
        if letter in seen:
            self._in.fail(f"{letter} must be bound once, got it again; take another letter", start)
        seen.add(letter)
        self._in.at += 1
        self._in.mark("=")
        if letter == "+":
            self._read.reinforcer = self._read.reinforcement(above_zero=True)
        else:
            self._read.bindings[letter] = self._bound()

    def _bound(self) -> tuple[Smelled, float]:
        start = self._in.at
        name = self._in.quoted() if self._in.sees('"') else self._in.match(BARE_NAME)
        if name is None:
            self._in.fail(f"a letter must be bound to the name of an odor, got {self._in.next_words()}")
        odor = self._read.named(name, start)
        place = self._in.at
        bound = self._read.concentration(1.0)
        if bound == 0.0:
            self._in.fail("a bound dose must be above 0, got 0; leave the letter out where there is no odor", place)
        with self._in.refusing(place):
            return odor, dose(odor, bound)

    # Groups

    def _groups(self) -> list[Group]:
        groups: list[Group] = []
        unnamed: list[int] = []
        while not groups or self._in.mark(";"):
            self._in.blanks()
            start = self._in.at
            if not self._in.sees(_GROUP):
                unnamed.append(start)
            if unnamed and groups:
                self._in.fail("each of several groups must have a name, got none; write trained: ...", unnamed[0])
            groups.append(self._group(ONLY_GROUP if unnamed else self._group_name(), start, groups))
        return groups

    def _group_name(self) -> str:
        name = self._in.quoted() if self._in.sees('"') else self._in.match(GROUP_WORD) or ""
        self._in.mark(":")
        return name

    def _group(self, name: str, start: int, others: Sequence[Group]) -> Group:
        if name.casefold() in {other.name.casefold() for other in others}:
            self._in.fail(f"each group must have a name of its own, got {shown(name)} again", start)
        if self._in.take("mirror("):
            stages = self._mirror()
        else:
            self._bodies[name] = self._in.at
            stages = self._stages()
        with self._in.refusing(start):
            return Group(name, stages)

    def _mirror(self) -> list[Stage]:
        """Read another group once more, with two letters exchanged."""
        first = self._mirrored_letter()
        self._in.expect_mark(",", _MIRROR)
        second = self._mirrored_letter()
        self._in.blanks()
        self._in.expect(")", _MIRROR)
        if self._in.match(_OF) is None:
            self._in.fail(f"{_MIRROR}, got {self._in.next_words()}")
        start = self._in.at
        name = self._in.quoted() if self._in.sees('"') else self._in.match(GROUP_WORD)
        if name not in self._bodies:
            self._in.fail(f"{_MIRROR}, got {self._in.next_words() if name is None else shown(name)}", start)
        after, bindings = self._in.at, self._read.bindings
        self._read.bindings = {**bindings, first: bindings[second], second: bindings[first]}
        self._in.at = self._bodies[name]
        stages = self._stages()
        self._in.at, self._read.bindings = after, bindings
        return stages

    def _mirrored_letter(self) -> str:
        self._in.blanks()
        start = self._in.at
        letter = self._in.match(LETTER)
        if letter is None:
            self._in.fail(f"{_MIRROR}, got {self._in.next_words()}")
        self._read.bound_to(letter, start)
        return letter

    # Stages and rows

    def _stages(self) -> list[Stage]:
        stages: list[tuple[str, list[Item]]] = [(self._stage_label(), [])]
        self._body(stages, ())
        return [Stage(items, label) for label, items in stages]

    def _stage_label(self) -> str:
        self._in.blanks()
        label = self._read.label()
        if label and not self._in.sees(_BLANK):
            self._in.fail(f"a blank must come after the label of a stage, got {self._in.next_words()}")
        return label

    def _body(self, stages: list[tuple[str, list[Item]]], around: Around) -> None:
        """Read what stands outside parentheses, where stages begin and end, within braces or not."""
        while True:
            self._in.blanks()
            if self._in.take("{"):
                with self._in.deeper():
                    self._body(stages, self._manipulated(around))
                self._in.expect_mark("}", "a brace must be closed by }")
            else:
                stages[-1][1].extend(_joined(self._item(around, shuffled=False)))
            if self._in.mark("|"):
                stages.append((self._stage_label(), []))
            elif not self._in.mark(","):
                return

    def _row(self, around: Around, *, shuffled: bool) -> list[list[Item]]:
        """Read what stands within parentheses, as the blocks that a shuffle keeps together."""
        blocks: list[list[Item]] = []
        while not blocks or self._in.mark(","):
            self._in.blanks()
            blocks += self._item(around, shuffled=shuffled)
        self._in.blanks()
        if self._in.sees("|"):
            self._in.fail("stages must be separated outside parentheses, got | within; write 2x(...) | 2x(...)")
        return blocks

    def _item(self, around: Around, *, shuffled: bool) -> list[list[Item]]:
        """Read an item, as blocks."""
        start = self._in.at
        if self._in.take("{"):
            with self._in.deeper():
                blocks = self._row(self._manipulated(around), shuffled=shuffled)
            self._in.expect("}", "a brace must be closed by }")
            return blocks
        if self._in.take("("):
            return [_joined(self._closed(around, shuffled=shuffled))]
        if self._in.take("shuffle("):
            if shuffled:
                self._in.fail("a shuffle must stand in no other shuffle, got one; put what it holds there", start)
            return [[Shuffle(self._closed(around, shuffled=True))]]
        if times := self._in.match(_TIMES):
            return self._repeated(times, start, around, shuffled=shuffled)
        elements = self._read.element(around)
        self._count(len(elements), start)
        return [elements]

    def _closed(self, around: Around, *, shuffled: bool) -> list[list[Item]]:
        with self._in.deeper():
            blocks = self._row(around, shuffled=shuffled)
        self._in.expect(")", "a parenthesis must be closed by )")
        return blocks

    def _repeated(self, times: str, start: int, around: Around, *, shuffled: bool) -> list[list[Item]]:
        self._in.expect("(", "what is repeated must stand in parentheses, as in 3x(A+ 60s, 60s)")
        before = self._items
        block = _joined(self._closed(around, shuffled=shuffled))
        many = int(times[:-1]) if len(times) < 10 else MOST_ITEMS + 1
        if many < 1:
            self._in.fail("a repeat must be of 1 or more times, got 0; leave it out", start)
        self._count((many - 1) * (self._items - before), start)
        return [block] * many

    def _count(self, more: int, start: int) -> None:
        self._items += more
        if self._items > MOST_ITEMS:
            self._in.fail(f"phases and tests of a design must be at most {MOST_ITEMS}, got more; repeat less", start)

    def _manipulated(self, around: Around) -> Around:
        """Read what a brace does, on top of what stands around it."""
        while True:
            self._in.blanks()
            start = self._in.at
            words = self._in.match(_MANIPULATION) or ""
            with self._in.refusing(start):
                around = manipulations.checked([*around, Manipulation.parse(words.strip())])
            if self._in.mark(":"):
                return around
            self._in.expect_mark(",", "after a manipulation must come a colon, or a comma and another one")


def _joined(blocks: Sequence[list[Item]]) -> list[Item]:
    return blocks[0] if len(blocks) == 1 else [item for block in blocks for item in block]
