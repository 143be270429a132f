"""Learning rules, singly and together, in both engines and beside the same rules as they are told in words."""

import copy
from collections import Counter
from importlib.util import find_spec

import numpy as np
import pytest

from kenyon.mushroom_body import Parameters, Record, Snapshot
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.engines import Kernel, engine
from kenyon.mushroom_body.state import State
from tests.mushroom_body.learner import CORNERS, DANN, DANP, MBONN, MBONP, Learner
from tests.mushroom_body.protocols import Act, lived, random_protocols
from tests.mushroom_body.random_rules import COMBINED, LARVAE, random_set
from tests.mushroom_body.same import assert_same_activity, assert_same_state

SPIKES = Record(spikes=True)
EVERYTHING = Record(spikes=True, variables=("w_kc_mbonp_nS", "w_kc_mbonn_nS", "eligibility"), every_ms=700.0)
MINUTE = 600_000


def of_set(number: int, larvae: int, n_steps: int) -> tuple[Parameters, list[Act]]:
    """Return a set of constants with rules, and what larvae live through under it."""
    parameters = random_set(number)
    return parameters, random_protocols(parameters, larvae, n_steps, np.random.default_rng(100 + number))


def assert_learned(learner: Learner, state: State, larva: int) -> None:
    """Fail unless weights and traces are those of the words, to 1e-9."""
    for ours, theirs in (
        (learner.weights_nS[MBONP], state.w_kc_mbonp_nS[larva]),
        (learner.weights_nS[MBONN], state.w_kc_mbonn_nS[larva]),
        (learner.eligibility, state.kc_eligibility[larva]),
        (np.array([learner.trace[DANP], learner.trace[DANN]]), state.dan_trace[larva]),
    ):
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-9)


def corners(number: int, larvae: int, n_steps: int) -> list[set[str]]:
    """Let larvae live and hold them against the words after each act and probe; say what each has come to."""
    parameters, protocols = of_set(number, larvae, n_steps)
    state = states.newborn(parameters, range(larvae))
    learners = [Learner(parameters) for _ in range(larvae)]
    for act in protocols:
        born = state.step.copy()
        for activity, after in lived(Kernel(), parameters, state, act, SPIKES):
            assert activity.spikes is not None
            asked = after is not state
            own = [copy.deepcopy(learners[place]) for place in act.asked] if asked else learners
            begun = born[act.asked] + act.n_steps[act.asked] if asked else born
            for larva, learner in enumerate(own):
                learner.live(activity.spikes[larva], int(begun[larva]), plastic=not asked)
                assert_learned(learner, after, larva)
    return [learner.corners for learner in learners]


def test_rules_are_those_that_the_words_say() -> None:
    """Weights and traces worked out anew from the spikes, with all rules at once."""
    assert len(corners(14, 1, 20_000)[0]) > 3


@pytest.mark.long
def test_every_corner_is_reached() -> None:
    """By at least ten of the protocols that the engines agree on below; weights and traces are those of the words."""
    reached = [own for number in range(len(COMBINED)) for own in corners(number, LARVAE, MINUTE)]
    count = Counter(corner for own in reached for corner in own)
    print(len(reached), count)
    assert len(reached) >= 50
    for corner in CORNERS:
        assert count[corner] >= 10, corner


def moved(state: State, parameters: Parameters) -> State:
    """Return larvae that have gone through a snapshot's bytes."""
    seeds, drive_hz = tuple(range(len(state))), np.zeros((len(state), 23))
    kept = Snapshot(parameters, seeds, drive_hz, state).to_bytes()
    return states.copy(Snapshot.from_bytes("the other engine", kept).state)


@pytest.mark.skipif(find_spec("brian2") is None, reason="Brian2 is not installed")
@pytest.mark.parametrize(
    ("number", "larvae", "n_steps"),
    [
        (14, 1, 8000),
        *(pytest.param(number, LARVAE, MINUTE, marks=pytest.mark.long) for number in range(len(COMBINED))),
    ],
)
def test_every_spike_and_weight_in_both_engines(number: int, larvae: int, n_steps: int) -> None:
    """With the rules singly and together; at cuts that come anywhere, larvae go on in the other engine."""
    parameters, protocols = of_set(number, larvae, n_steps)
    ours, plainly, theirs = (states.newborn(parameters, range(larvae)) for _ in range(3))
    engines, n_moved = (Kernel(), Kernel(layered=False), engine("brian2")), 0
    for turn, act in enumerate(protocols):
        if turn % 2 == 1:
            ours, theirs = (moved(state, parameters) for state in (theirs, ours))
            plainly, n_moved = states.copy(ours), n_moved + 1
        both = (
            lived(*one, act, EVERYTHING) for one in zip(engines, [parameters] * 3, (ours, plainly, theirs), strict=True)
        )
        for (mine, layered), (_, plain), (other, brian2) in zip(*both, strict=True):
            assert_same_activity(mine, other)
            assert layered.records.tobytes() == plain.records.tobytes()
            assert_same_state(layered, brian2)
    assert n_moved >= 2
    assert (ours.step == n_steps).all()
