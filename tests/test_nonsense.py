"""Every argument of everything public, replaced by nonsense: `public_api` has the walk, `nonsense` the tables."""

import pickle
import random
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from kenyon.errors import KenyonError, NoAnswerError
from tests.nonsense import ITSELF, LEFT_OUT, NONSENSE, NOTHING, OWNERS, meaning, valid
from tests.public_api import Call, calls

CALLS = calls(OWNERS)


@pytest.mark.parametrize("count", [400, pytest.param(None, marks=pytest.mark.long)])
def test_nonsense_is_refused_in_one_line_or_means_what_the_table_says(
    count: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of ours in one line and nothing changed; or what the table says that it means, with that result."""
    monkeypatch.chdir(tmp_path)
    every = [(call, nonsense) for call in CALLS for nonsense in NONSENSE]
    chosen = every if count is None else random.Random(14).sample(every, count)
    owners: dict[Any, tuple[Any, bytes]] = {}
    failures = []
    for call, nonsense in chosen:
        if call.owner is not None and call.owner not in owners:
            owner = call.owner()
            owners[call.owner] = owner, _bits(owner)
        owner, before = owners.get(call.owner, (None, _bits(None)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of numpy and xarray, where nonsense is what the table takes it for
            failure, refused = _outcome(call, nonsense, owner)
        if failure is None and refused and _bits(owner) != before:
            failure = "refused, but something has changed"
        if failure is not None:
            failures.append(f"{call} = {nonsense}: {failure}")
        if not refused or failure is not None:
            owners.pop(call.owner, None)
    print(f"{len(chosen)} of {len(every)} calls to {len({call.name for call in CALLS})} callables")
    assert not failures, "\n".join([f"{len(failures)} of {len(chosen)}", *failures[:200]])


def test_what_is_called_with_nonsense_works_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that an error can only come from the nonsense: with valid arguments nothing is refused."""
    monkeypatch.chdir(tmp_path)
    for call in {call.name: call for call in CALLS}.values():
        owner = None if call.owner is None else call.owner()
        with suppress(NoAnswerError):  # of a server that is not there
            _called(call, owner, LEFT_OUT, also=call.required)


def _outcome(call: Call, nonsense: str, owner: Any) -> tuple[str | None, bool]:
    """Call it; return what is wrong with what came of it, and whether it was refused."""
    means = meaning(call, nonsense)
    try:
        result = _called(call, owner, NONSENSE[nonsense]())
    except NoAnswerError:  # It was good enough to be sent to a server that is not there.
        return None if means is not NOTHING else "sent", False
    except KenyonError as refusal:
        sentence = str(refusal)
        good = sentence.isprintable() and sentence and (means is NOTHING or means is ITSELF)
        return None if good else f"{type(refusal).__name__}: {sentence!r}", True
    except FileNotFoundError as missing:
        return (None, True) if "FileNotFoundError:" in str(call.of(owner).__doc__) else (repr(missing), True)
    except Exception as raw:  # noqa: BLE001  # this is what is looked for
        return f"{type(raw).__name__}: {str(raw)[:100]}", False
    if means is NOTHING:
        return f"taken for something: {str(result)[:60]!r}", False
    if means is ITSELF:
        return None, False
    expected = []
    for _ in range(2):  # Objects that are numbered as they are made differ from one to the next; those are left out.
        twin = None if call.owner is None else call.owner()
        try:
            expected.append((_bits(_called(call, twin, means)), _bits(twin)))
        except Exception as refusal:  # noqa: BLE001  # whatever it is, the table is wrong
            return f"does not mean {means!r}, for that gives {refusal!r}", False
    same = expected[0] != expected[1] or (_bits(result), _bits(owner)) == expected[0]
    return None if same else f"other than {means!r}", False


def _called(call: Call, owner: Any, value: Any, also: tuple[str, ...] = ()) -> Any:
    given = {name: valid(call, name) for name in call.required if name in also or name != call.argument}
    if value is not LEFT_OUT:
        given[call.argument] = value
    placed = [given.pop(name) for name in call.by_place if name in given]
    return call.of(owner)(*placed, **given)


def _bits(value: Any) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception:  # noqa: BLE001  # what cannot be pickled, such as an iterator, has no state to compare
        return b""
