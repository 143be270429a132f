"""A larva's numbers depend on its seed, its wiring and its input alone."""

from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kenyon.mushroom_body import PUBLISHED, Activity, Population, Record
from kenyon.mushroom_body.odors import odors
from kenyon.mushroom_body.state import arrays

SEEDS = tuple(range(100, 164))
DURATION_MS = 300.0


def _stimulate(population: Population) -> None:
    """Give each larva a stimulus of its own, by its seed."""
    for place, seed in enumerate(population.seeds):
        odor = odors()[seed % 34].number
        population.stimulate({odor: 0.1 + seed % 3}, reward=seed % 2, punishment=seed % 5 / 2, larvae=[place])


@cache
def _batch_of_64() -> tuple[Population, Activity]:
    population = Population(PUBLISHED, SEEDS, threads=2)
    _stimulate(population)
    return population, population.advance(DURATION_MS, record=Record(spikes=True))


def _expect_same(population: Population, counts: NDArray[np.int64]) -> None:
    batch, activity = _batch_of_64()
    rows = [SEEDS.index(seed) for seed in population.seeds]
    assert (counts == activity.counts[rows]).all()
    for name, values in arrays(population.state).items():
        assert np.array_equal(values, getattr(batch.state, name)[rows]), name


@given(st.lists(st.sampled_from(SEEDS), min_size=1, max_size=9, unique=True), st.integers(1, 2))
@settings(max_examples=25)
def test_alone_in_any_batch_in_any_order_on_any_threads(seeds: list[int], threads: int) -> None:
    """Spikes and state are those of the batch of 64, bit for bit."""
    population = Population(PUBLISHED, seeds, threads=threads)
    _stimulate(population)
    _expect_same(population, population.advance(DURATION_MS).counts)


@given(st.lists(st.integers(1, 2999), max_size=6, unique=True))
@settings(max_examples=25)
def test_wherever_time_is_cut_in_pieces(cuts: list[int]) -> None:
    """Many short calls are one long call."""
    population = Population(PUBLISHED, SEEDS[:3])
    _stimulate(population)
    counts = np.zeros((3, 142), dtype=np.int64)
    ends = [*sorted(cuts), 3000]
    for first, last in zip([0, *ends[:-1]], ends, strict=True):
        counts += population.advance((last - first) / 10).counts
    _expect_same(population, counts)


@given(st.integers(0, 3000), st.sampled_from([0.0, 20.0]))
@settings(max_examples=15)
def test_across_snapshot_and_restore(at: int, probe_ms: float) -> None:
    """Stopped anywhere, kept, restored elsewhere, probed in between or not."""
    population = Population(PUBLISHED, SEEDS[5:7])
    _stimulate(population)
    before = population.advance(at / 10).counts
    population.probe("anisole", probe_ms)
    elsewhere = Population.from_snapshot(population.snapshot())
    _expect_same(elsewhere, before + elsewhere.advance((3000 - at) / 10).counts)


def test_joining_late_or_early_makes_no_difference() -> None:
    """A larva added to a running population begins as if it were alone."""
    population = Population(PUBLISHED, SEEDS[:2])
    population.advance(50)
    population.add(SEEDS[10:12])
    _stimulate(population)
    population.advance([0.0, 0.0, DURATION_MS, DURATION_MS])
    newcomers = population.select([2, 3])
    batch, _ = _batch_of_64()
    assert (newcomers.state.v_mV == batch.state.v_mV[10:12]).all()
    assert (newcomers.state.w_kc_mbonn_nS == batch.state.w_kc_mbonn_nS[10:12]).all()
