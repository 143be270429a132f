"""A larva as a network of Brian2 with named parts, which others extend."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kenyon.errors import InputError, MismatchError
from kenyon.mushroom_body import BALANCED, Population, Record, brian_network
from kenyon.mushroom_body.brian_setup import settings
from kenyon.mushroom_body.circuit import CONNECTIONS, GROUPS

brian2 = pytest.importorskip("brian2")

PAGE = (Path(__file__).parents[2] / "docs/how_to/extend_in_brian2.md").read_text("utf-8")


@pytest.fixture(autouse=True)
def uncompiled() -> Iterator[None]:
    """Let networks of some hundred steps run in numpy, for to compile them would take longer."""
    with settings("numpy"):
        yield


def events(monitor: object, dt_ms: float) -> NDArray[np.int64]:
    """Return what a monitor has seen as `Activity` says it: (step, neuron), sorted."""
    steps = np.rint(monitor.t / brian2.ms / dt_ms).astype(np.int64)  # type: ignore[attr-defined]
    seen: NDArray[np.int64] = np.column_stack((steps, monitor.i))  # type: ignore[attr-defined]
    in_order: NDArray[np.int64] = seen[np.lexsort((seen[:, 1], seen[:, 0]))]
    return in_order


@pytest.mark.parametrize(
    ("wiring", "manipulations"), [("random", ()), ("left", ("cut APL>KC", "scale LN>PN 0.5", "drive DANn 100pA"))]
)
def test_it_goes_on_as_the_kernel_does(wiring: str, manipulations: tuple[str, ...]) -> None:
    """Every spike and weight of a larva in training, with a stimulus that changes, beside another larva."""
    larvae = Population(BALANCED, [4, 5], wiring=wiring)
    larvae.manipulate(*manipulations)
    larvae.stimulate("pentyl acetate", reward=2.0)
    larvae.advance(1500)
    network = brian_network(larvae, 1)
    monitor = brian2.SpikeMonitor(network["kenyon_neurons"])
    network.add(monitor)
    expected = []
    for begins, lasts_ms, odor, punishment in ((0, 53.1, "pentyl acetate", 0.0), (531, 40.0, "3-octanol", 2.0)):
        larvae.stimulate(odor, reward=1.0, punishment=punishment)
        network["input"].stimulate(odor, reward=1.0, punishment=punishment)
        spikes = larvae.advance(lasts_ms, record=Record(spikes=True)).spikes
        network.run(lasts_ms * brian2.ms)
        assert spikes is not None
        expected.append(spikes[1] + [begins, 0])
    assert len(np.concatenate(expected)) > 200
    np.testing.assert_array_equal(events(monitor, BALANCED.dt_ms), np.concatenate(expected))
    for name in ("w_kc_mbonp_nS", "w_kc_mbonn_nS"):
        ours = np.array(getattr(network["KC"], name)[:])
        assert (ours != BALANCED.kc_mbon_nS).any()
        np.testing.assert_allclose(ours, getattr(larvae.state, name)[1], rtol=0, atol=1e-9)


def test_each_part_has_its_name() -> None:
    """Every group with its cells, every connection with its synapses, and of wiring only what is there."""
    larvae = Population(seeds=[1])
    network = brian_network(larvae)
    for name, own in GROUPS.items():
        assert len(network[name]) == own.stop - own.start
    made = {own.name for own in network.objects}
    assert {name.replace(">", "_") for name in CONNECTIONS} < made
    wired = np.argwhere(larvae.state.pn_to_kc[0].T)
    np.testing.assert_array_equal(np.column_stack((network["PN_KC"].i, network["PN_KC"].j)), wired)
    larvae.manipulate("cut APL>KC")
    assert made - {own.name for own in brian_network(larvae).objects} == {"APL_KC"}


def test_neurons_of_ones_own_hear_and_are_heard() -> None:
    """One counts every spike of the Kenyon cells; one lets MBONp fire when it should be silent."""
    larvae = Population(BALANCED, [3])
    larvae.stimulate("pentyl acetate")
    larvae.advance(200)
    network = brian_network(larvae)
    clock = network["kenyon_neurons"].clock
    counter = brian2.NeuronGroup(1, "heard : 1", clock=clock, name="counter")
    hearing = brian2.Synapses(network["KC"], counter, on_pre="heard_post += 1", name="hearing")
    hearing.connect()
    monitor = brian2.StateMonitor(network["MBONp"], "v_mV", record=True)
    network.add(counter, hearing, monitor)
    network.run(60 * brian2.ms)
    activity = larvae.advance(60, record=Record(spikes=True, variables=("v_mV",), every_ms=0.1))
    assert activity.spikes_of("KC")[0] == counter.heard[0] > 0
    assert activity.samples is not None
    ours, theirs = monitor.v_mV[0, 1:], activity.samples["v_mV"][0, :-1, GROUPS["MBONp"]].ravel()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)

    pacemaker = brian2.SpikeGeneratorGroup(1, [0], [62 * brian2.ms], clock=clock, name="pacemaker")
    kicking = brian2.Synapses(pacemaker, network["MBONp"], on_pre="g_e_nS_post += 2000", name="kicking")
    kicking.connect()
    fired = brian2.SpikeMonitor(network["MBONp"], name="fired")
    network.add(pacemaker, kicking, fired)
    network["MBONp"].g_e_nS = 0.0
    network["input"].stimulate(None)
    network.run(4 * brian2.ms)
    assert ((fired.t > 62 * brian2.ms) & (fired.t < 63 * brian2.ms)).any()


def test_the_larva_of_the_population_stays_as_it_is() -> None:
    """Its streams, too."""
    larvae = Population(seeds=[1])
    before = larvae.snapshot()
    brian_network(larvae).run(2 * brian2.ms)
    assert larvae.snapshot() == before


def test_what_cannot_be_is_refused() -> None:
    """A larva that is not there, a stimulus that is none, and to go back in time, for the input does not."""
    with pytest.raises(InputError, match="larvae must be"):
        brian_network("larva")  # type: ignore[arg-type]  # refused
    with pytest.raises(InputError, match=r"got .*7"):
        brian_network(Population(seeds=[1]), 7)
    network = brian_network(Population(seeds=[1]))
    with pytest.raises(InputError, match="odor"):
        network["input"].stimulate("pentil acetate")
    network.store()
    network.run(1 * brian2.ms)
    network.restore()
    with pytest.raises(MismatchError, match="must go on with step 10, got 0"):
        network.run(1 * brian2.ms)


def test_the_page_does_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Typed from top to bottom."""
    known: dict[str, object] = {}
    said = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(said) == PAGE.count("```python") == 2
    for block, output in said:
        exec(compile(block, "docs/how_to/extend_in_brian2.md", "exec"), known)
        assert capsys.readouterr().out == output
