"""Says whether a written grammar has a text in it: by trying every rule at every place, and nothing but the grammar.

It knows nothing of designs, makes nothing of what it reads, and shares no line with the reader that it stands beside.
"""

import re
from collections.abc import Callable
from functools import cache

Ends = frozenset[int]
Rule = Callable[[int], Ends]
"""From a place in the text, every place where what the rule describes may end."""

_SIGN = re.compile(r'\s*("(?:[^"])*"|/(?:\\.|[^/\\])*/|[A-Za-z_]+|[()|*+?])')


class Grammar:
    """A grammar in the notation of docs/reference/notation.md."""

    def __init__(self, written: str) -> None:
        lines = re.sub(r"\n\s*(?=\|)|\n {4,}", " ", written).strip().splitlines()
        self._rules = {name: _SIGN.findall(right) for name, right in (line.split(":", 1) for line in lines if line)}

    def has(self, text: str) -> bool:
        """Return whether a text is described by the rule `start`."""
        return len(text) in _Recognition(self._rules, text).ends("start", 0)


class _Recognition:
    def __init__(self, rules: dict[str, list[str]], text: str) -> None:
        self._text = text
        self._rules: dict[str, Rule] = {name: cache(self._compiled(list(signs))) for name, signs in rules.items()}

    def ends(self, name: str, at: int) -> Ends:
        return self._rules[name](at)

    def _compiled(self, signs: list[str]) -> Rule:
        """Compile alternatives, up to the end or a closing parenthesis."""
        alternatives: list[list[Rule]] = []
        row: list[Rule] = []
        while signs and signs[0] != ")":
            if signs[0] == "|":
                signs.pop(0)
                alternatives.append(row)
                row = []
            else:
                row.append(self._factor(signs))
        alternatives.append(row)
        return lambda at: frozenset().union(*(_in_a_row(row, frozenset([at])) for row in alternatives))

    def _factor(self, signs: list[str]) -> Rule:
        sign = signs.pop(0)
        if sign == "(":
            rule = self._compiled(signs)
            signs.pop(0)
        elif sign[0] == '"':
            rule = self._literal(sign[1:-1])
        elif sign[0] == "/":
            rule = self._expression(re.compile(sign[1:-1]))
        else:
            rule = lambda at: self.ends(sign, at)  # noqa: E731
        how = signs.pop(0) if signs and signs[0] in "*+?" else ""
        return _repeated(rule, how)

    def _literal(self, literal: str) -> Rule:
        return lambda at: frozenset([at + len(literal)] if self._text.startswith(literal, at) else [])

    def _expression(self, pattern: re.Pattern[str]) -> Rule:
        def ends(at: int) -> Ends:
            longest = pattern.match(self._text, at)
            upto = range(at, longest.end() + 1) if longest else ()
            return frozenset(end for end in upto if pattern.fullmatch(self._text, at, end))

        return ends


def _in_a_row(rules: list[Rule], places: Ends) -> Ends:
    for rule in rules:
        places = frozenset().union(*map(rule, places))
    return places


def _repeated(rule: Rule, how: str) -> Rule:
    if how == "":
        return rule
    if how == "?":
        return lambda at: rule(at) | {at}

    def ends(at: int) -> Ends:
        found, new = frozenset[int](), frozenset([at])
        while new:
            new = frozenset().union(*map(rule, new)) - found
            found |= new
        return found | {at} if how == "*" else found

    return ends
