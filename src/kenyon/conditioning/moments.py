"""The tests of a group as a grid: moments at which larvae were tested, and what they were tested with.

Tests in a row, with nothing lived through between them, are of one moment. What was not tested at a moment is absent.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from kenyon.conditioning.phases import Element, Group, Lived, Mixture, Probe, Shuffle, name_of

Test: TypeAlias = Probe | Lived


@dataclass(frozen=True)
class Moments:
    """The grid of the tests of a group.

    Attributes:
        columns: What was tested with: each different test once, in order of appearance.
        names: What each column is called.
        labels: What each moment came after.
        firsts: The number of the first test of each moment.
        cells: Moment and column of each test, by its number in the group.
    """

    columns: tuple[Test, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...]
    firsts: tuple[int, ...]
    cells: dict[int, tuple[int, int]]


def moments(group: Group) -> Moments:
    """Return the grid of the tests of a group.

    Example:
        >>> from kenyon.conditioning.phases import Phase, Stage
        >>> tests = [Probe("anisole"), Probe("3-octanol", reward=1)]
        >>> grid = moments(Group("short", [Stage([*tests, Phase(60), *tests], "training")]))
        >>> grid.labels, grid.names
        (('before', 'training'), ('anisole', '3-octanol, reward 1'))
        >>> grid.cells
        {0: (0, 0), 1: (0, 1), 3: (1, 0), 4: (1, 1)}
    """
    columns: dict[Test, int] = {}
    labels: list[str] = []
    firsts: list[int] = []
    cells: dict[int, tuple[int, int]] = {}
    there: set[int] | None = None  # The columns of the moment that goes on.
    lived_s, after = 0.0, ""
    for number, (element, stage, apart) in enumerate(_elements(group)):
        if isinstance(element, (Probe, Lived)):
            column = columns.setdefault(replace(element, label=""), len(columns))
            if there is None or apart or column in there or isinstance(element, Lived):
                there = set()
                firsts.append(number)
                labels.append(element.label or (after or f"{lived_s:g} s" if lived_s else "before"))
            there.add(column)
            cells[number] = (len(labels) - 1, column)
        if not isinstance(element, Probe):
            there, after = None, stage or element.label
            lived_s += element.duration_s
    return Moments(tuple(columns), tuple(names(list(columns))), tuple(labels), tuple(firsts), cells)


def _elements(group: Group) -> Iterator[tuple[Element, str, bool]]:
    """Give every element, the label of its stage, and whether larvae may come to it from another than the last one."""
    for stage in group.stages:
        shuffled = False
        for item in stage.items:
            if isinstance(item, Shuffle):
                for block in item.blocks:
                    yield from ((element, stage.label, not place) for place, element in enumerate(block))
            else:
                yield item, stage.label, shuffled
            shuffled = isinstance(item, Shuffle)


def names(tests: list[Test]) -> list[str]:
    """Return what tests are called: a usual test of one odor by that odor, any other by all that it is.

    Example:
        >>> names([Probe({"anisole": 0.1, "3-octanol": 1}), Lived("anisole", 20, against="3-octanol")])
        ['3-octanol + anisole@0.1', 'live anisole/3-octanol 20s']
        >>> names([Probe("anisole"), Probe("anisole", 5)])
        ['anisole 3s', 'anisole 5s']
    """
    short = [_name(test, lasts=isinstance(test, Lived)) for test in tests]
    alike = [short.count(name) > 1 for name in short]
    return [_name(test, lasts=True) if twice else name for test, name, twice in zip(tests, short, alike, strict=True)]


def mixture_words(odors: Mixture) -> str:
    """Return what is smelled, in words.

    Example:
        >>> mixture_words((("3-octanol", 0.1), ("anisole", 1.0)))
        '3-octanol@0.1 + anisole'
    """
    return " + ".join(name_of(odor) + (f"@{_exact(dose)}" if dose != 1.0 else "") for odor, dose in odors)


def _name(test: Test, *, lasts: bool) -> str:
    against = test.against if isinstance(test, Lived) else ()
    smelled = "/".join(mixture_words(odors) for odors in (test.odors, against) if odors)
    felt = [f"{name} {_exact(own)}" for name, own in (("reward", test.reward), ("punishment", test.punishment)) if own]
    done = [manipulation.text for manipulation in test.manipulations]
    words = ", ".join([*([smelled] if smelled else []), *felt, *done])
    return f"{'live ' * isinstance(test, Lived)}{words}{f' {_exact(test.duration_s)}s' * lasts}"


def _exact(value: float) -> str:
    return repr(value).removesuffix(".0")
