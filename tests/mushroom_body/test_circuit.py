import numpy as np
import pytest
from scipy import stats

from kenyon.errors import InputError
from kenyon.mushroom_body import circuit
from kenyon.mushroom_body.parameters import PUBLISHED
from kenyon.seeds import generator, larva_seeds


def test_the_cells_stand_in_the_published_order() -> None:
    """142 neurons, every index in one group."""
    sizes = {name: where.stop - where.start for name, where in circuit.GROUPS.items()}
    assert sizes == {"ORN": 21, "PN": 21, "LN": 21, "KC": 72} | dict.fromkeys(
        ("MBONp", "MBONn", "DANp", "DANn", "LNp", "LNn", "APL"), 1
    )
    assert [circuit.KC, circuit.MBON_P, circuit.APL, circuit.N_NEURONS] == [63, 135, 141, 142]


def test_each_kenyon_cell_draws_two_to_six_distinct_pns_uniformly() -> None:
    """Over many larvae each number of claws and each PN is as frequent as any other (chi-squared, p > 0.001)."""
    wiring = np.array([circuit.draw_pn_to_kc(PUBLISHED, seed) for seed in range(300)])
    claws = np.bincount(wiring.sum(axis=2).ravel(), minlength=7)
    assert claws[:2].sum() == 0
    assert stats.chisquare(claws[2:7]).pvalue > 1e-3
    assert stats.chisquare(wiring.sum(axis=(0, 1))).pvalue > 1e-3


@pytest.mark.parametrize("claws", [(2, 6), (1, 21), (1, 1), (21, 21), (7, 9)])
def test_wiring_is_what_numpys_own_choice_draws(claws: tuple[int, int]) -> None:
    """Bit for bit, from the number of claws to the last PN, for few claws and for all, of many larvae together."""
    parameters, seeds = PUBLISHED.replace(kc_claws_min=claws[0], kc_claws_max=claws[1]), larva_seeds(5, 20)
    wirings = circuit.draw_wirings(parameters, seeds)
    for seed, wiring in zip(seeds, wirings, strict=True):
        rng, expected = generator(seed, "wiring"), np.zeros((72, 21), dtype=np.uint8)
        for kc in range(72):
            expected[kc, rng.choice(21, size=rng.integers(*claws, endpoint=True), replace=False)] = 1
        assert (wiring == expected).all()
        assert (circuit.draw_pn_to_kc(parameters, seed) == expected).all()


def test_wiring_comes_from_the_seed() -> None:
    """The same for the same larva, another for another."""
    assert (circuit.draw_pn_to_kc(PUBLISHED, 1) == circuit.draw_pn_to_kc(PUBLISHED, 1)).all()
    assert (circuit.draw_pn_to_kc(PUBLISHED, 1) != circuit.draw_pn_to_kc(PUBLISHED, 2)).any()


@pytest.mark.parametrize("wiring", [np.zeros((72, 20)), np.zeros((3, 72, 21)), np.full((72, 21), 2), "PN", None])
def test_a_given_wiring_must_fit(wiring: object) -> None:
    """One for all or one for each, of 0 and 1."""
    with pytest.raises(InputError, match="pn_to_kc must"):
        circuit.check_pn_to_kc(wiring, larvae=2)
