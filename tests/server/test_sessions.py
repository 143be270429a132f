"""The step rules, decided without a circuit, a disk or a socket."""

from typing import Any

import pytest

from kenyon.errors import RefusedError
from kenyon.server.life import RENEW_AFTER_STEPS, Life
from kenyon.server.requests import Step
from kenyon.server.sessions import Move, Session

NOW, LIVE_S = 1000.0, 60.0


class Client:
    """A client that is connected until it is closed."""

    closed = False
    in_debt = False


def asked(number: int, **changes: Any) -> Step:
    """Return a step."""
    return Step(number, {"anisole": 1.0}, 100.0)._replace(**changes)


def session_at(next_step: int, client: Client | None = None) -> Session:
    """Return a larva that has done some steps, the last one just now."""
    last = asked(next_step - 1)
    life = Life(1, 7, 0, b"", next_step, (), (last, f"reply {next_step - 1}"))
    return Session(("run", 0), life, client=client, stepped_at=NOW)


def refusal(session: Session, step: Step, client: Client) -> RefusedError:
    """Return why a step is refused."""
    with pytest.raises(RefusedError) as caught:
        session.decide(step, client, NOW, LIVE_S)
    return caught.value


def test_steps_go_on_in_order() -> None:
    """The next one is done; the one just done is a retry and has its reply already, from whichever connection."""
    session = session_at(5)
    assert session.decide(asked(5), Client(), NOW, LIVE_S) is Move.GO_ON
    assert session.decide(asked(4), Client(), NOW, LIVE_S) == "reply 4"


@pytest.mark.parametrize("number", [1, 3, 6, 100])
def test_a_step_ahead_or_behind_names_the_one_expected(number: int) -> None:
    """And says what to do."""
    error = refusal(session_at(5), asked(number), Client())
    assert (error.code, error.expected_step) == ("step", 5)
    assert f"step must be 5 for this larva, got {number}; begin anew at step 0" in str(error)


def test_the_step_just_done_with_other_content_is_refused() -> None:
    """Whatever differs."""
    changes: list[dict[str, Any]] = [{"reward": 1.0}, {"duration_ms": 50.0}, {"odors": {}}, {"probe": ("anisole",)}]
    for change in changes:
        error = refusal(session_at(5), asked(4, **change), Client())
        assert (error.code, error.expected_step) == ("step", 5)
        assert "with other content than the step just done" in str(error)


def test_the_content_is_the_same_in_any_order_and_any_kind_of_number() -> None:
    """Odors named in another order, whole numbers for fractions."""
    life = Life(1, 7, 0, b"", 1, (), (asked(0, odors={"a": 1.0, "b": 2.0}), "reply"))
    session = Session(("run", 0), life)
    assert session.decide(asked(0, odors={"b": 2, "a": 1}, duration_ms=100), Client(), NOW, LIVE_S) == "reply"


def test_step_0_begins_anew() -> None:
    """For a larva that is not known, and for one that is, once its client has gone."""
    assert Session(("run", 0)).decide(asked(0), Client(), NOW, LIVE_S) is Move.BEGIN
    gone = Client()
    gone.closed = True
    assert session_at(5, gone).decide(asked(0), Client(), NOW, LIVE_S) is Move.BEGIN
    same = Client()
    assert session_at(5, same).decide(asked(0), same, NOW, LIVE_S) is Move.BEGIN


def test_a_larva_that_is_not_known_begins_at_step_0() -> None:
    """Any other step says so."""
    error = refusal(Session(("run", 0)), asked(3), Client())
    assert (error.code, error.expected_step) == ("step", 0)


def test_two_live_clients_are_told_so() -> None:
    """A step 0 or a step out of order, while the other is connected and has stepped the larva not long ago."""
    owner, other = Client(), Client()
    for step in (asked(0), asked(9), asked(4, reward=1.0)):
        error = refusal(session_at(5, owner), step, other)
        assert error.code == "two_clients"
        assert "give ExpRun an id" in str(error)
    assert session_at(5, owner).decide(asked(0), other, NOW + LIVE_S, LIVE_S) is Move.BEGIN


def test_in_order_steps_may_come_through_any_connection() -> None:
    """A client may have a pool of them."""
    assert session_at(5, Client()).decide(asked(5), Client(), NOW, LIVE_S) is Move.GO_ON


def test_the_larva_that_a_step_0_replaces_can_go_on() -> None:
    """As long as the new one has not."""
    session = session_at(1)
    session.replaced = session_at(9).present
    assert session.decide(asked(9), Client(), NOW, LIVE_S) is Move.GO_BACK
    assert session.decide(asked(8), Client(), NOW, LIVE_S) == "reply 8"
    assert session.decide(asked(1), Client(), NOW, LIVE_S) is Move.GO_ON
    assert refusal(session, asked(7), Client()).expected_step == 1


def test_who_comes_back_to_a_larva_replaced_for_good_is_told_of_two_clients() -> None:
    """Clients that connect anew for each step cannot be told apart otherwise."""
    session = session_at(3)
    session.contested, session.contested_at = 9, NOW - 1
    assert refusal(session, asked(9), Client()).code == "two_clients"
    session.contested_at = NOW - LIVE_S
    assert refusal(session, asked(9), Client()).code == "step"


def test_a_larva_has_one_seed() -> None:
    """Another one in a later step is refused; the same one, or none, is not; a loaded larva takes any."""
    session = session_at(5)
    assert refusal(session, asked(5, seed=1), Client()).code == "seed"
    assert session.decide(asked(5, seed=0), Client(), NOW, LIVE_S) is Move.GO_ON
    assert session.present is not None
    session.present.base_seed = None
    assert session.decide(asked(5, seed=1), Client(), NOW, LIVE_S) is Move.GO_ON


def test_a_snapshot_is_renewed_before_going_on_from_it_takes_long() -> None:
    """By time lived through, or by number of steps."""
    life = Life(1, 7, 0)
    for number in range(RENEW_AFTER_STEPS):
        tiny = asked(number, duration_ms=1.0)
        assert life.is_due(tiny) is (number == RENEW_AFTER_STEPS - 1)
        life.take(tiny, "reply", b"", renewed=False)
    assert Life(1, 7, 0).is_due(asked(0, warmup_ms=4900.0))
    assert not Life(1, 7, 0).is_due(asked(1, warmup_ms=4900.0))
