import random
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from kenyon.conditioning import Design, Group, Lived, Phase, Probe, Shuffle, Stage, run
from kenyon.conditioning.events import Answered, PhaseEnded
from kenyon.mushroom_body import BALANCED
from tests.mushroom_body.manipulating import mild

pytestmark = pytest.mark.skipif(find_spec("brian2") is None, reason="Brian2 is not installed")

ODORS = ("pentyl acetate", "3-octanol", "benzaldehyde", "anisole")


def an_element(rng: random.Random) -> Phase | Probe | Lived:
    """Return a phase or test of up to 0.2 s, of any odors and reinforcers, often with manipulations."""
    duration_s = rng.randrange(1, 2000) * 1e-4
    smelled = {odor: rng.choice([1.0, 0.1]) for odor in rng.sample(ODORS, rng.choice([1, 1, 2]))}
    given: dict[str, Any] = {
        "reward": rng.choice([0.0, 1.0]),
        "punishment": rng.choice([0.0, 0.5]),
        "manipulations": mild(rng, BALANCED) if rng.random() < 0.7 else (),
    }
    kind = rng.random()
    if kind < 0.6:
        return Phase(duration_s, smelled if rng.random() < 0.8 else (), **given)
    return Probe(smelled, duration_s, **given) if kind < 0.85 else Lived(smelled, duration_s, **given)


def a_short_design(rng: random.Random) -> Design:
    """Return two groups of a few elements, some of them in an order that each larva draws."""
    groups = []
    for name in ("one", "other"):
        items: list[Any] = [an_element(rng) for _ in range(rng.randint(2, 4))]
        if rng.random() < 0.5:
            items.append(Shuffle([an_element(rng) for _ in range(3)]))
        groups.append(Group(name, [Stage(items)]))
    return Design(groups)


def told(design: Design, engine: str) -> list[Any]:
    """Return every event that says what larvae did."""
    events: list[Any] = []
    run(design, larvae=3, seed=1, engine=engine, listeners=[events.append], show_progress=False)
    return [event for event in events if isinstance(event, (PhaseEnded, Answered))]


@pytest.mark.filterwarnings("ignore::kenyon.errors.DivergenceWarning")  # where APL is scaled to nothing, both do
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 20))])
def test_both_engines_give_the_same_spikes_in_any_design(seed: int) -> None:
    """Of every neuron, in every phase and test, manipulated or not; weights at the tests to 1e-9 nS."""
    design = a_short_design(random.Random(seed))
    ours, theirs = told(design, "kernel"), told(design, "brian2")
    assert [(event.group, event.number, list(event.larvae)) for event in ours] == [
        (event.group, event.number, list(event.larvae)) for event in theirs
    ]
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine.activity.counts, other.activity.counts)
        if isinstance(mine, Answered):
            for name in ("w_kc_mbonp_nS", "w_kc_mbonn_nS"):
                np.testing.assert_allclose(getattr(mine, name), getattr(other, name), rtol=0, atol=1e-9)
    assert sum(int(event.activity.counts.sum()) for event in ours) > 1000
