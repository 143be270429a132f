import ast
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kenyon
from kenyon.errors import InputError, KenyonError, NoAnswerError, RefusedError
from kenyon.words import MOST_SAID, MOST_SHOWN, clean, shown

_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(_ANYTHING)
def test_whatever_a_value_is_it_reads_as_one_short_line_that_prints(value: object) -> None:
    """Nothing that a terminal obeys comes through, nor more than a sentence has room for."""
    assert len(shown(value)) <= MOST_SHOWN
    assert shown(value).isprintable()


@given(st.text(st.characters(codec=None), max_size=4000))
def test_every_sentence_of_ours_is_one_line_that_prints(text: str) -> None:
    """An error is clean however it was put together, and cleaning once more changes nothing."""
    for error in (KenyonError(text), InputError(text), NoAnswerError(text), RefusedError(text)):
        assert str(error).isprintable()
        assert len(str(error)) <= MOST_SAID
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    "value",
    [[0] * 1_000_000, "a" * 10_000_000, b"a" * 10_000_000, {i: i for i in range(100_000)}, 10**5000],
    ids=["list", "text", "bytes", "dict", "integer"],
)
def test_a_large_value_is_shown_by_its_beginning(value: Any) -> None:
    """What is long is cut, of every kind."""
    assert len(shown(value)) <= MOST_SHOWN


def test_an_array_of_two_dimensions_reads_as_one_line() -> None:
    """Where numpy breaks lines, a sentence does not."""
    assert shown(np.ones((2, 2))) == "array([[1., 1.], [1., 1.]])"


class _Broken:
    def __repr__(self) -> str:
        raise RuntimeError


def test_what_cannot_say_what_it_is_is_named_by_its_type() -> None:
    """Refusing a value never depends on the value."""
    assert "_Broken" in shown(_Broken())


def test_errors_survive_pickling() -> None:
    """Work in other processes fails with the same sentence and the same details."""
    error = pickle.loads(pickle.dumps(RefusedError("ask again", "busy", None, 0.5)))
    assert str(error) == "ask again"
    again = pickle.loads(pickle.dumps(InputError("two\nlines")))
    assert str(again) == "two lines"


def test_what_to_do_is_never_cut_away_because_a_value_was_long() -> None:
    """It stands at the end of a sentence, which a value of any length leaves where it is."""
    for value in ("a" * 5_000_000, "\n" * 5_000_000, [0] * 349_000):
        assert str(InputError(f"rate must be a number, got {value}; give one")).endswith("; give one")
        assert str(InputError(f"rate must be a number, got {shown(value)}; give one")).endswith("; give one")


def test_no_error_quotes_a_value_but_through_shown() -> None:
    """A repr within a sentence has no bound: none stands in what is raised."""
    for path in Path(kenyon.__file__).parent.rglob("*.py"):
        for raised in (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Raise)):
            reprs = [n for n in ast.walk(raised) if isinstance(n, ast.FormattedValue) and n.conversion == ord("r")]
            assert not reprs, f"{path}:{raised.lineno}"
