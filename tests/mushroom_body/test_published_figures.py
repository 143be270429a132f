"""The firing rates and the learning known of the published model, from runs of 16 larvae on pentyl acetate.

Each figure is that of the published network (Jürgensen et al. 2024, iScience 27:108640), run elsewhere; it must lie
within the sampling error of both runs.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from kenyon.conditioning import paradigm, run
from kenyon.mushroom_body import PUBLISHED, Activity, Population, drive
from kenyon.mushroom_body.circuit import GROUPS, PUNISHMENT, REWARD
from kenyon.seeds import larva_seeds

LARVAE = 16
ODOR = "pentyl acetate"


def larvae() -> Population:
    """Return naive larvae."""
    return Population(PUBLISHED, larva_seeds(0, LARVAE))


def agrees(values: NDArray[np.float64], mean: float, deviation: float | None = None) -> bool:
    """Whether two samples of 16 larvae may have the same mean: within three standard errors of the difference."""
    spread = values.std(ddof=1) if deviation is None else max(values.std(ddof=1), deviation)
    return bool(abs(values.mean() - mean) <= 3 * spread * np.sqrt(2 / LARVAE))


@pytest.fixture(scope="module")
def spontaneous() -> Activity:
    """Return what larvae do without odor from 10 to 60 s."""
    population = larvae()
    population.advance(10_000)
    return population.advance(50_000)


@pytest.fixture(scope="module")
def smelling() -> Activity:
    """Return what naive larvae do from 2 to 10 s of odor."""
    population = larvae()
    population.stimulate(ODOR)
    population.advance(2000)
    return population.advance(8000)


@pytest.mark.parametrize(
    ("group", "low", "high"),
    [("ORN", 3.2, 3.6), ("PN", 3.2, 3.6), ("LN", 0, 0.05), ("KC", 0.05, 0.15), ("MBONp", 14, 15.5), ("APL", 1, 7)],
)
def test_rates_without_odor(spontaneous: Activity, group: str, low: float, high: float) -> None:
    """Means over larvae; MBONp and MBONn are the same neuron as long as nothing is learned."""
    assert low <= spontaneous.rate_hz(group).mean() <= high
    assert (spontaneous.rate_hz("MBONp") == spontaneous.rate_hz("MBONn")).all()


def test_the_first_second_runs_higher() -> None:
    """ORN 4.8 Hz and MBON 30 Hz, for all neurons start from rest at once."""
    first = larvae().advance(1000)
    assert first.rate_hz("ORN").mean() == pytest.approx(4.8, abs=0.3)
    assert agrees(first.rate_hz("MBONp"), 30.0)


@pytest.mark.parametrize(
    ("group", "low", "high"),
    [
        ("ORN", 62, 64),
        ("PN", 40, 42),
        ("LN", 14, 15),
        ("KC", 1.0, 1.3),
        ("MBONp", 99, 108),
        ("MBONn", 99, 108),
        ("APL", 26, 35),
    ],
)
def test_rates_with_odor(smelling: Activity, group: str, low: float, high: float) -> None:
    """Means over larvae."""
    assert low <= smelling.rate_hz(group).mean() <= high


def test_a_quarter_of_the_kenyon_cells_answers_an_odor() -> None:
    """27 % are active within 3 s, 19 to 38 % in a larva, for wiring differs."""
    population = larvae()
    population.stimulate(ODOR)
    active = (population.advance(3000).counts[:, GROUPS["KC"]] > 0).mean(axis=1)
    assert agrees(active, 0.27, deviation=0.19 / 4)


def test_strong_reward_silences_mbonn() -> None:
    """Spikes per 5 s window under 1000 Hz reward."""
    population = larvae()
    population.set_drive(drive(PUBLISHED.replace(reinforcement_rate_hz=1000.0), ODOR, reward=1.0))
    windows = [population.advance(5000) for _ in range(7)]
    for window, expected in zip(windows, (506, 400, 300, 170, 40, 3), strict=False):
        assert agrees(window.spikes_of("MBONn").astype(float), expected)
    assert agrees(windows[0].spikes_of("MBONp").astype(float), 531)
    assert 430 < windows[6].spikes_of("MBONp").mean() < 531
    assert (windows[6].spikes_of("MBONn") <= 20).all()


def test_reward_without_odor_drives_danp_in_the_reported_range() -> None:
    """33 to 39 Hz at 700 Hz."""
    population = larvae()
    population.set_drive(drive(PUBLISHED.replace(reinforcement_rate_hz=700.0), reward=1.0))
    assert 32.5 <= population.advance(10_000).rate_hz("DANp").mean() <= 39.5


def test_below_300_hz_nothing_is_learned_while_an_odor_is_on() -> None:
    """The inhibitory feedback holds DANp silent."""
    population = larvae()
    rates = drive(PUBLISHED, ODOR)
    rates[REWARD] = 250.0
    assert population.advance(20_000, rates).rate_hz("DANp").mean() < 0.2
    rates[REWARD] = 600.0
    assert population.advance(20_000, rates).rate_hz("DANp").mean() > 2.0


@pytest.fixture(scope="module")
def trained() -> dict[str, NDArray[np.float64]]:
    """Return the index during and after each of three 60 s trials at 600 Hz with 60 s pauses."""
    result = run(paradigm("paired"), larvae=LARVAE, parameters=PUBLISHED, show_progress=False).one
    p, n = (result.phase_rate_hz.sel(group=group).values[:, ::2] for group in ("MBONp", "MBONn"))
    return {"trial": (p - n) / (p + n), "probe": result.preference_index.sel(test_odor=ODOR).values[:, 1:]}


pytestmark = pytest.mark.filterwarnings("ignore::kenyon.errors.DivergenceWarning")  # see test_divergence.py


@pytest.mark.parametrize(("trial", "mean"), [(0, 0.12), (1, 0.44), (2, 0.80)])
def test_preference_during_training(trained: dict[str, NDArray[np.float64]], trial: int, mean: float) -> None:
    """Over each whole trial, reward on."""
    assert agrees(trained["trial"][:, trial], mean)


@pytest.mark.parametrize(("trial", "mean", "deviation"), [(0, 0.25, 0.05), (1, 0.72, 0.23), (2, 0.95, 0.12)])
def test_preference_after_training(
    trained: dict[str, NDArray[np.float64]], trial: int, mean: float, deviation: float
) -> None:
    """By probe after each pause."""
    assert agrees(trained["probe"][:, trial], mean, deviation)


def test_punishment_is_the_mirror_image_of_reward() -> None:
    """The circuit is symmetric: exchanging the two inputs exchanges the two outputs."""
    rewarded, punished = larvae(), larvae()
    rewarded.set_drive(drive(PUBLISHED, ODOR, reward=1.0))
    punished.set_drive(drive(PUBLISHED, ODOR, punishment=1.0))
    weakened = rewarded.advance(10_000).rate_hz("MBONn")
    mirrored = punished.advance(10_000).rate_hz("MBONp")
    assert PUNISHMENT == REWARD + 1
    assert abs(weakened - mirrored).max() < 5.0
    assert (rewarded.state.w_kc_mbonp_nS == 80.0).all()
    assert (punished.state.w_kc_mbonn_nS == 80.0).all()
