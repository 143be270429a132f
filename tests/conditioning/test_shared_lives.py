"""Groups that share their beginnings give what each gives by itself."""

import numpy as np
import pytest

from kenyon.conditioning import Design, run
from kenyon.conditioning.living import courses
from kenyon.conditioning.setup import Kept, prepared
from kenyon.conditioning.shared_lives import live_together, rounds, work_s
from kenyon.mushroom_body import BALANCED, PUBLISHED, Parameters

DESIGN = Design.read(
    "B = anisole: trained: A+ 7s, ?A 1s, ?B 1s | 6s | ?A 1s;"
    "again: A+ 7s, ?A 1s, 4s, A+ 7s, ?A 1s;"
    "longer: A+ 12s, ?A 1s, ?A@0.1 1s, live A 2s;"
    "silenced: {silence DANp: A+ 7s, ?A 1s} | ?A 1s, {silence MBONn: ?A 1s};"
    "choice: 7s, live A/B 20s, ?A 1s;"
    "nothing: ?A 1s"
)
KEPT = Kept(weights=True, codes=True)


@pytest.mark.parametrize("parameters", [BALANCED, PUBLISHED], ids=lambda own: own.description)
def test_shared_lives_give_the_numbers_of_lives_apart(parameters: Parameters) -> None:
    """Of every test and phase of every group, to the last bit."""
    setup = prepared([group.name for group in DESIGN.groups], 2, seed=3, parameters=parameters, wiring="random",
                     pn_to_kc=None, engine="kernel", threads=None, kept=KEPT)  # fmt: skip
    made = courses(DESIGN.groups, setup)
    live_together(setup.population(setup.starts["trained"]), made)
    apart = run(DESIGN, larvae=2, seed=3, parameters=parameters, weights=True, codes=True, show_progress=False)
    for course in made:
        result, lived = apart[course.group.name], course.collector.arrays
        for name in ("preference_index", "test_rate_hz", "test_kc_spikes", "w_kc_mbonp_nS", "w_kc_mbonn_nS"):
            np.testing.assert_array_equal(lived[name], result[name].values, err_msg=f"{course.group.name} {name}")
        phases = lived["phase_rate_hz"][:, ~np.isnan(lived["phase_rate_hz"]).all(axis=(0, 2))]
        np.testing.assert_array_equal(phases, result.phase_rate_hz.values)


def test_what_is_shared_is_lived_through_once_and_asked_once() -> None:
    """And is told as that much work."""
    setup = prepared([group.name for group in DESIGN.groups], 2, seed=0, parameters=BALANCED, wiring="random",
                     pn_to_kc=None, engine="kernel", threads=None, kept=Kept())  # fmt: skip
    made = courses(DESIGN.groups, setup)
    first, *_ = rounds(made)
    assert len(first[0].asked) == 1
    told: list[float] = []
    live_together(setup.population(setup.starts["trained"]), made, told.append)
    assert sum(told) == pytest.approx(2 * work_s(made))
    assert work_s(made) == pytest.approx((7 + 1 + 1 + 6 + 1) + (4 + 7 + 1) + (5 + 2 + 2 + 2) + (7 + 3) + (27 + 1) + 1)
