import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from kenyon.errors import InputError
from kenyon.mushroom_body import BALANCED, Population, wiring
from kenyon.mushroom_body.odor_table import receptors
from kenyon.mushroom_body.parameters import PUBLISHED
from kenyon.seed_sequence import sfc64_states
from kenyon.seeds import generator, larva_seeds

DATA = Path(wiring.__file__).parent / "data"


def test_each_kenyon_cell_draws_two_to_six_distinct_pns_uniformly() -> None:
    """Over many larvae each number of claws and each PN is as frequent as any other (chi-squared, p > 0.001)."""
    drawn = np.array([wiring.draw_pn_to_kc(PUBLISHED, seed) for seed in range(300)])
    claws = np.bincount(drawn.sum(axis=2).ravel(), minlength=7)
    assert claws[:2].sum() == 0
    assert stats.chisquare(claws[2:7]).pvalue > 1e-3
    assert stats.chisquare(drawn.sum(axis=(0, 1))).pvalue > 1e-3


@pytest.mark.parametrize("claws", [(2, 6), (1, 21), (1, 1), (21, 21), (7, 9)])
def test_wiring_is_what_numpys_own_choice_draws(claws: tuple[int, int]) -> None:
    """Bit for bit, from the number of claws to the last PN, for few claws and for all, of many larvae together."""
    parameters, seeds = PUBLISHED.replace(kc_claws_min=claws[0], kc_claws_max=claws[1]), larva_seeds(5, 20)
    wirings = wiring.draw_wirings(parameters, seeds)
    for seed, drawn in zip(seeds, wirings, strict=True):
        rng, expected = generator(seed, "wiring"), np.zeros((72, 21), dtype=np.uint8)
        for kc in range(72):
            expected[kc, rng.choice(21, size=rng.integers(*claws, endpoint=True), replace=False)] = 1
        assert (drawn == expected).all()
        assert (wiring.draw_pn_to_kc(parameters, seed) == expected).all()


def test_wiring_comes_from_the_seed() -> None:
    """The same for the same larva, another for another."""
    assert (wiring.draw_pn_to_kc(PUBLISHED, 1) == wiring.draw_pn_to_kc(PUBLISHED, 1)).all()
    assert (wiring.draw_pn_to_kc(PUBLISHED, 1) != wiring.draw_pn_to_kc(PUBLISHED, 2)).any()


def test_the_measured_counts_are_those_of_the_odor_datas_receptors() -> None:
    """And those that the table's source states: cells, synapses a cell, receptors a cell, cells of none and of one."""
    first, *_ = csv.reader((DATA / "kc_inputs.csv").read_text("utf-8").splitlines())
    assert tuple(f"Or{name}" for name in first[3:]) == receptors()
    for side, cells, synapses, claws, ones in (("left", 73, 25.3, 4.05, 15), ("right", 72, 24.4, 4.18, 14)):
        counts = wiring.counted(side)
        listens = (counts > 0).sum(axis=1)
        assert counts.shape == (cells, 21)
        assert round(float(counts.sum(axis=1).mean()), 1) == synapses
        assert round(float(listens.mean()), 2) == claws
        assert ((listens == 0).sum(), (listens == 1).sum()) == (4, ones)


def test_a_synapse_counts_so_that_a_mean_cell_is_driven_as_one_of_random_wiring() -> None:
    """1 nS times 4 PNs over the mean count, empty cells included; other numbers of claws, another unit."""
    counts = wiring.counted("right")
    state = Population(seeds=[3], wiring="right").state
    expected_nS = counts * (1.0 * 4.0 / (counts.sum() / 72))
    np.testing.assert_allclose(state.pn_to_kc[0] * BALANCED.pn_kc_nS, expected_nS, rtol=1e-14)
    few = BALANCED.replace(kc_claws_min=2, kc_claws_max=3)
    np.testing.assert_allclose(
        Population(few, [3], wiring="right").state.pn_to_kc, state.pn_to_kc * 2.5 / 4, rtol=1e-14
    )
    assert (Population(seeds=[3], pn_to_kc=counts).state.pn_to_kc == state.pn_to_kc).all()


def test_shuffling_deals_each_cells_counts_to_other_receptors() -> None:
    """By the larva's seed, in a stream of its own, as numpy's integers and Fisher and Yates do it."""
    counts, seeds = wiring.counted("right"), larva_seeds(4, 3)
    dealt = wiring.wirings(BALANCED, seeds, "right-shuffled")
    for seed, own in zip(seeds, dealt, strict=True):
        rng, expected = generator(seed, "shuffle"), counts.copy()
        for cell in expected:
            for last in range(20, 0, -1):
                other = rng.integers(0, last, endpoint=True)
                cell[[last, other]] = cell[[other, last]]
        assert (own == wiring.strengths(BALANCED, expected[None])[0]).all()
    assert (dealt[0] != dealt[1]).any()
    assert (wiring.wirings(BALANCED, seeds[1:2], "right-shuffled")[0] == dealt[1]).all()


def test_each_receptor_is_dealt_as_much_as_any_other() -> None:
    """Over many larvae (chi-squared of which receptor has a cell's largest count, p > 0.001)."""
    counts = np.zeros((72, 21), dtype=np.int64)
    counts[:, 0] = 2
    given = np.tile(counts, (200, 1, 1))
    wiring._deal(sfc64_states(range(200), "shuffle"), given)
    assert stats.chisquare((given == 2).sum(axis=(0, 1))).pvalue > 1e-3


@pytest.mark.parametrize("given", [np.zeros((72, 20)), np.zeros((3, 72, 21)), "PN", None, [[1, 2], [3]], np.zeros(21)])
def test_a_wiring_of_other_receptors_is_refused(given: object) -> None:
    """One for all or one for each, of 21 columns."""
    with pytest.raises(InputError, match="pn_to_kc must"):
        wiring.check_pn_to_kc(given, larvae=2)


@pytest.mark.parametrize("entry", [-1, -0.5, np.nan, np.inf, 10_001])
def test_counts_and_strengths_that_cannot_be_are_refused(entry: float) -> None:
    """With the place of the first."""
    given = np.zeros((72, 21), dtype=np.asarray(entry).dtype)
    given[3, 4] = entry
    with pytest.raises(InputError, match=r"pn_to_kc must be finite from 0 to 10000 everywhere, got .* index \(3, 4\)"):
        wiring.check_pn_to_kc(given, larvae=1)


def test_what_is_no_count_stays_as_it_is() -> None:
    """0 and 1 however they are written; floats, which are strengths, whole ones among them."""
    drawn = wiring.draw_pn_to_kc(BALANCED, 3)
    for given in (drawn, drawn.astype(bool), drawn.astype(float), drawn.tolist()):
        assert (Population(seeds=[3], pn_to_kc=given).state.pn_to_kc[0] == drawn).all()
    for factor in (0.3, 2.0):
        assert (Population(seeds=[3], pn_to_kc=factor * drawn).state.pn_to_kc[0] == factor * drawn).all()


def test_a_wiring_is_either_named_or_given() -> None:
    """And its name is known."""
    with pytest.raises(InputError, match="a wiring must be either named or given, got 'right' and pn_to_kc"):
        Population(seeds=[1], wiring="right", pn_to_kc=np.ones((72, 21)))
    with pytest.raises(InputError, match="unknown wiring 'rihgt'; did you mean 'right'"):
        Population(seeds=[1], wiring="rihgt")
    with pytest.raises(InputError, match="seeds must name at least one larva"):
        Population(wiring="right")
