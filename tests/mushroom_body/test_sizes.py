"""Circuits of any number of Kenyon cells: the same code, records of their own size, and never two sizes together."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kenyon.errors import InputError, MismatchError
from kenyon.mushroom_body import Population, Record, Snapshot
from kenyon.mushroom_body.activity import SAMPLED
from kenyon.mushroom_body.engines import Kernel
from kenyon.mushroom_body.state import pack, unpack

EVERYTHING = Record(spikes=True, variables=tuple(SAMPLED), every_ms=7.0)


def counts(n_kcs: int) -> NDArray[np.int64]:
    """Return synapses of so many Kenyon cells, of which the first has some for sure."""
    rng = np.random.default_rng(n_kcs)
    synapses = rng.integers(0, 12, (n_kcs, 21)) * (rng.random((n_kcs, 21)) < 0.3)
    synapses[0, :3] = 13
    return synapses


@pytest.mark.parametrize("n_kcs", [1, 23, 25, 73, 97, 128])
def test_both_forms_of_the_kernel_agree_to_the_last_bit(n_kcs: int) -> None:
    """Kenyon cells in blocks that are full or not; and a larva that is cut in two is the one that is not."""
    larvae, plain, cut = (
        Population(seeds=[5, 6], pn_to_kc=counts(n_kcs), engine=Kernel(layered=layered), threads=1)
        for layered in (True, False, True)
    )
    for one in (larvae, plain, cut):
        one.stimulate("pentyl acetate", reward=1.0)
    seen = [one.advance(300, record=EVERYTHING) for one in (larvae, plain)]
    assert (seen[0].spikes_of("KC") > 0).all()
    assert (seen[0].spikes_of("APL") > 0).all() or n_kcs == 1
    assert seen[0].counts.shape == (2, 70 + n_kcs)
    assert seen[0].counts.tobytes() == seen[1].counts.tobytes()
    for name in SAMPLED:
        assert seen[0].samples[name].tobytes() == seen[1].samples[name].tobytes()
    for ours, theirs in zip(seen[0].spikes or (), seen[1].spikes or (), strict=True):
        assert (ours == theirs).all()
    cut.advance(123.4)
    cut = Population.from_snapshot(Snapshot.from_bytes("it", cut.snapshot().to_bytes()), threads=1)
    cut.advance(300 - 123.4)
    assert larvae.state.records.tobytes() == plain.state.records.tobytes() == cut.state.records.tobytes()


def test_a_larva_takes_as_much_room_as_it_has_cells(tmp_path: Path) -> None:
    """In memory, packed and in a file, which are read again bit for bit."""
    for n_kcs in (1, 73, 128):
        larvae = Population(seeds=[1, 2], pn_to_kc=counts(n_kcs))
        larvae.advance(10)
        assert larvae.n_kcs == n_kcs
        assert larvae.state.w_kc_mbonp_nS.shape == (2, n_kcs)
        packed = pack(larvae.state)
        assert len(packed[0]) < 2500 + 8 * (70 + n_kcs) * 5 + 8 * n_kcs * 26
        assert unpack(packed).records.tobytes() == larvae.state.records.tobytes()
        kept = Snapshot.load(larvae.snapshot().save(tmp_path / f"{n_kcs}.npz"))
        assert kept == larvae.snapshot()
        assert kept.state.pn_to_kc.shape == (2, n_kcs, 21)


def test_groups_are_found_behind_the_kenyon_cells() -> None:
    """In rates, in the table of spikes and in the dataset."""
    larva = Population(seeds=[1], wiring="left")
    larva.stimulate("pentyl acetate", reward=1.0)
    activity = larva.advance(200, record=Record(spikes=True, variables=("w_kc_mbonp_nS",), every_ms=50))
    table = activity.to_dataframe()
    for group, where in activity.layout.groups.items():
        assert (table[table.group == group].neuron.between(where.start, where.stop - 1)).all()
        assert (table.group == group).sum() == activity.spikes_of(group)[0]
    assert dict(activity.to_dataset().sizes) | {"spike": 0} == {
        "larva": 1, "neuron": 143, "time_ms": 4, "kc": 73, "spike": 0,
    }  # fmt: skip


def test_larvae_of_different_sizes_keep_apart() -> None:
    """Wherever they would come together: one sentence, and nothing has changed."""
    left, right = Population(seeds=[1, 2], wiring="left"), Population(seeds=[3], wiring="right")
    before = left.snapshot()
    for together in (
        lambda: left.add([4]),
        lambda: left.join(right),
        lambda: left.restore(right.snapshot(), [0]),
        lambda: before.join(right.snapshot()),
    ):
        with pytest.raises(MismatchError, match="larvae must have 73 Kenyon cells, as those beside them, got 72; keep"):
            together()
    assert left.snapshot() == before
    left.restore(right.snapshot())
    assert left.n_kcs == 72
    nobody = Population()
    nobody.add([1], wiring="left")
    assert nobody.n_kcs == 73


def test_a_kenyon_cell_that_is_not_there_cannot_be_manipulated() -> None:
    """By whatever way it comes; the last one there is can."""
    left, right = Population(seeds=[1], wiring="left"), Population(seeds=[1], wiring="right")
    left.manipulate("drive KC[72] 200pA")
    assert left.probe(duration_ms=100).counts[0, 63 + 72] > 0
    assert left.probe(duration_ms=100, manipulations=["silence KC[72]", "scale KC[72]>APL 2"]).counts[0, 63 + 72] == 0
    sentence = r"a Kenyon cell of this circuit must be from KC\[0\] to KC\[71\], got '.* KC\[72\]"
    with pytest.raises(InputError, match=sentence):
        right.manipulate("silence KC[72]")
    with pytest.raises(InputError, match=sentence):
        right.probe(manipulations=["cut KC[72]>MBONp"])
    with pytest.raises(InputError, match=sentence):
        left.restore(right.snapshot())
    assert left.n_kcs == 73
