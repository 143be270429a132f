"""What two engines have to have in common."""

import numpy as np

from kenyon.mushroom_body.activity import Activity
from kenyon.mushroom_body.state import State, arrays


def assert_same_state(ours: State, theirs: State) -> None:
    """Fail unless whole numbers are equal and all others agree to 1e-9."""
    for name, mine in arrays(ours).items():
        other = arrays(theirs)[name]
        if mine.dtype.kind == "f" and not name.endswith("silent_steps"):
            # Relative too: under the published constants a larva can diverge to 1e195 mV.
            np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-9, err_msg=name)
        else:
            np.testing.assert_array_equal(mine, other, err_msg=name)


def assert_same_activity(ours: Activity, theirs: Activity) -> None:
    """Fail unless every spike is the same, and samples agree to 1e-9."""
    np.testing.assert_array_equal(ours.counts, theirs.counts)
    np.testing.assert_array_equal(ours.duration_ms, theirs.duration_ms)
    for mine, other in zip(ours.spikes or (), theirs.spikes or (), strict=True):
        np.testing.assert_array_equal(mine, other)
    for name, samples in ours.samples.items():
        np.testing.assert_allclose(samples, theirs.samples[name], rtol=0, atol=1e-9, err_msg=name)
