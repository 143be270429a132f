"""Whatever larvae live through, all engines give the same spikes."""

import numpy as np
import pytest

from kenyon.mushroom_body import BALANCED, PUBLISHED, Parameters, Record
from kenyon.mushroom_body import state as states
from kenyon.mushroom_body.circuit import PUNISHMENT, REWARD
from kenyon.mushroom_body.engines import Kernel, engine
from tests.mushroom_body.protocols import lived, random_protocols
from tests.mushroom_body.same import assert_same_activity, assert_same_state

pytest.importorskip("brian2")

RECORD = Record(spikes=True, variables=("w_kc_mbonp_nS", "w_kc_mbonn_nS", "eligibility"), every_ms=500.0)


@pytest.mark.parametrize(
    ("parameters", "larvae", "n_steps"),
    [
        (BALANCED, 2, 6000),
        pytest.param(BALANCED, 50, 600_000, marks=pytest.mark.long),
        pytest.param(PUBLISHED, 50, 600_000, marks=pytest.mark.long),
    ],
)
def test_every_spike_of_random_protocols(parameters: Parameters, larvae: int, n_steps: int) -> None:
    """Odors, reward, punishment and probes, each larva its own: both forms of the kernel beside Brian2.

    The forms are equal bit for bit; Brian2 has their spikes, and their weights and all else to 1e-9.
    """
    protocols = random_protocols(parameters, larvae, n_steps, np.random.default_rng(larvae))
    engines = (Kernel(), Kernel(layered=False), engine("brian2"))
    population = [states.newborn(parameters, range(larvae)) for _ in engines]
    n_spikes = n_probes = 0
    for act in protocols:
        both = (lived(*one, act, RECORD) for one in zip(engines, [parameters] * 3, population, strict=True))
        for (mine, layered), (plain, plainly), (theirs, brian2) in zip(*both, strict=True):
            assert_same_activity(mine, theirs)
            assert_same_activity(mine, plain)
            assert layered.records.tobytes() == plainly.records.tobytes()
            assert_same_state(layered, brian2)
            n_spikes += int(mine.counts.sum())
        n_probes += len(act.asked)
    larva = population[0]
    assert (larva.step == n_steps).all()
    assert n_spikes > 500 * larvae * n_steps * parameters.dt_ms * 1e-3
    assert n_probes > larvae
    rates_hz = np.array([act.rates_hz for act in protocols])
    for channel, weights_nS in ((REWARD, larva.w_kc_mbonn_nS), (PUNISHMENT, larva.w_kc_mbonp_nS)):
        given = (rates_hz[:, :, channel] > 0).any(axis=0)
        assert (np.abs(weights_nS - parameters.kc_mbon_nS).max(axis=1)[given] > 0).all()
    print(n_spikes, "spikes,", n_probes, "probes,", f"{(larva.w_kc_mbonn_nS < 20).any(axis=1).sum()} strongly rewarded")
