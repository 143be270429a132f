"""Whatever larvae live through, all engines give the same spikes."""

import numpy as np
import pytest

from kenyon.mushroom_body import BALANCED, PUBLISHED, Parameters, Population, Record
from kenyon.mushroom_body.circuit import PUNISHMENT, REWARD
from kenyon.mushroom_body.engines import Kernel
from tests.mushroom_body.protocols import lived, random_protocols
from tests.mushroom_body.same import assert_same_activity, assert_same_state

pytest.importorskip("brian2")

RECORD = Record(spikes=True, variables=("w_kc_mbonp_nS", "w_kc_mbonn_nS", "eligibility"), every_ms=500.0)


@pytest.mark.parametrize(
    ("parameters", "larvae", "duration_s"),
    [
        (BALANCED, 2, 1.0),
        pytest.param(BALANCED, 50, 60.0, marks=pytest.mark.long),
        pytest.param(PUBLISHED, 50, 60.0, marks=pytest.mark.long),
    ],
)
def test_every_spike_of_random_protocols(parameters: Parameters, larvae: int, duration_s: float) -> None:
    """Odors, reward, punishment and probes, each larva its own: both forms of the kernel beside Brian2.

    The forms are equal bit for bit; Brian2 has their spikes, and their weights and all else to 1e-9.
    """
    protocols = random_protocols(parameters, larvae, duration_s, np.random.default_rng(larvae))
    engines = (Kernel(), Kernel(layered=False), "brian2")
    populations = [Population(parameters, range(larvae), engine=engine) for engine in engines]
    spikes = 0
    for act in protocols:
        for mine, plain, theirs in zip(*(lived(own, act, RECORD) for own in populations), strict=True):
            assert_same_activity(mine, theirs)
            assert_same_activity(mine, plain)
            spikes += int(mine.counts.sum())
        layered, plainly, brian2 = (own.state for own in populations)
        assert layered.records.tobytes() == plainly.records.tobytes()
        assert_same_state(layered, brian2)
    assert (layered.step == round(duration_s * 1e4)).all()
    assert spikes > 500 * larvae * duration_s
    rates_hz = np.array([act.rates_hz for act in protocols])
    for channel, weights_nS in ((REWARD, layered.w_kc_mbonn_nS), (PUNISHMENT, layered.w_kc_mbonp_nS)):
        given = (rates_hz[:, :, channel] > 0).any(axis=0)
        assert (np.abs(weights_nS - parameters.kc_mbon_nS).max(axis=1)[given] > 0).all()
        print(channel, given.sum(), weights_nS.min(axis=1).round(1), weights_nS.max(axis=1).round(1))
    print(spikes, "spikes;", sum(len(act.asked) for act in protocols), "probes")
