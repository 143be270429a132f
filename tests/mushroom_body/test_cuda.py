import os
import subprocess
import sys

import numpy as np
import pytest

from kenyon.errors import InputError, MissingDependencyError
from kenyon.mushroom_body import verification
from kenyon.mushroom_body.activity import Record
from kenyon.mushroom_body.cuda import import_cuda
from kenyon.mushroom_body.parameters import BALANCED, LARVAL, PUBLISHED, Parameters
from kenyon.mushroom_body.population import Population
from tests.mushroom_body.reference import EAGER

EVERYTHING = Record(spikes=True, variables=("v_mV", "w_kc_mbonp_nS", "w_kc_mbonn_nS", "eligibility"), every_ms=0.7)


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=False
    )


IN_THE_SIMULATOR = """
import warnings
warnings.simplefilter("error", RuntimeWarning)

import numpy as np

from kenyon.mushroom_body import BALANCED, drive
from kenyon.mushroom_body import cuda
from kenyon.mushroom_body.activity import Record
from kenyon.mushroom_body.circuit import GROUPS, per_neuron
from kenyon.mushroom_body.engines import engine
from kenyon.mushroom_body.manipulated import under
from kenyon.mushroom_body.state import copy, newborn, pack

cuda._FEWEST_BLOCKS = 1  # The simulator takes as long over a block without a larva as over ten steps.
record = Record(spikes=True, variables=("v_mV", "w_kc_mbonp_nS", "w_kc_mbonn_nS", "eligibility"), every_ms=0.3)
off = BALANCED.replace({"ln.adaptation_nS": 0.1}, refractory_ms=0.5, eligibility_tau_ms=2.0)
parameters = off.replace(
    eligibility_step=0.3, recovery=0.1, potentiation=0.2, potentiation_tau_ms=3.0, potentiation_closing_ms=0.2
)
rng = np.random.default_rng(1)

def both(larvae, **more):
    theirs, answers = copy(larvae), []
    for name, rows in (("cuda", larvae), ("kernel", theirs)):
        answers.append(engine(name).run(parameters, rows, n_steps, record=record, **more))
    ours, others = answers
    assert pack(larvae) == pack(theirs)
    assert (ours.counts == others.counts).all() and (ours.duration_ms == others.duration_ms).all()
    for one, other in zip(ours.spikes, others.spikes):
        assert np.array_equal(one, other)
    for name, samples in ours.samples.items():
        assert np.array_equal(samples, others.samples[name], equal_nan=True)
    return ours

# Every cell begins up to 3 mV from its threshold, so that many fire at once, of each kind.
larvae = newborn(parameters, [1, 2])
larvae.v_mV[:] = per_neuron(parameters, "threshold_mV") + rng.uniform(-3.0, 0.6, larvae.v_mV.shape)
larvae.v_mV[0, GROUPS["MBONp"].start :] = per_neuron(parameters, "threshold_mV")[GROUPS["MBONp"].start :] + 0.5
larvae.g_e_nS[:] = rng.uniform(0.0, 5.0, larvae.g_e_nS.shape)
larvae.g_i_nS[:] = 1e-99
larvae.refractory_steps[0, :100:7] = 3
larvae.v_mV[0, :100:7] = per_neuron(parameters, "rest_mV")[:100:7]
larvae.step[:] = 1020, 126
larvae.kc_silent_steps[0], larvae.kc_eligibility[0] = 3.0, rng.random(72)
larvae.dan_silent_steps[:], larvae.dan_trace[:] = 5.0, 2.0
n_steps = np.array([6, 3])
activity = both(larvae, rates_hz=np.tile(drive(parameters, "anisole", reward=3.0, punishment=2.0), (2, 1)))
assert all(activity.counts[:, cells].any() for cells in GROUPS.values())
for w in (larvae.w_kc_mbonp_nS, larvae.w_kc_mbonn_nS):
    assert (w < parameters.kc_mbon_nS).any() and (w > parameters.kc_mbon_nS).any()

parameters = off
n_steps = np.array([0, 3])
both(larvae, events=[np.empty((0, 2), dtype=np.int32), np.argwhere(rng.random((3, 23)) < 0.3).astype(np.int32)])
n_steps = np.array([3, 1])
done = ["silence ORN[2]", "drive KC[7] 200pA", "scale KC[7]>MBONp 0.5", "scale KC[5]>APL 3", "scale PN[3]>KC 2"]
parameters = under(parameters, [*done, "cut LN[4]>PN", "cut APL>KC", "scale ORN[1]>PN 4", "cut ORN[1]>LN"])
larvae.v_mV[:] = per_neuron(parameters, "threshold_mV") + rng.uniform(-0.5, 0.6, larvae.v_mV.shape)
larvae.g_i_nS[:] = 0.0
larvae.refractory_steps[:] = 0
both(larvae, rates_hz=np.zeros((2, 23)), plastic=False)
print("same")
"""


def test_in_the_simulator_every_bit_is_the_kernels() -> None:
    """The very program of the GPU, each of its threads run by numba's simulator, on cells that fire at once."""
    done = run_python(IN_THE_SIMULATOR, NUMBA_ENABLE_CUDASIM="1")
    assert (done.returncode, done.stdout) == (0, "same\n"), done.stderr


def test_without_a_device() -> None:
    """The module can be imported, without numba's CUDA; the engine says in a sentence what must be installed."""
    done = run_python("import sys, kenyon.mushroom_body.cuda; sys.exit('numba.cuda' in sys.modules)")
    assert done.returncode == 0
    script = "from kenyon.mushroom_body import Population; Population(seeds=[1], engine='cuda')"
    done = run_python(script, CUDA_VISIBLE_DEVICES="-1")
    assert done.returncode == 1
    sentence = done.stderr.splitlines()[-1]
    assert "MissingDependencyError: a GPU of NVIDIA, its driver and numba-cuda must be there, got" in sentence
    assert sentence.endswith("in the clone: .venv/bin/pip install -e '.[cuda]'")


@pytest.fixture
def device() -> None:
    """Let a test run where there is a GPU."""
    try:
        import_cuda()
    except MissingDependencyError:
        pytest.skip("there is no GPU")


@pytest.mark.usefixtures("device")
def test_golden_files() -> None:
    """Every spike of the published network, and every weight to 1e-9 nS."""
    for path in verification.own_files():
        if path.stem != "left":
            assert verification.replay(verification.load(path), "cuda").identical


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize(
    ("wiring", "got"), [("left", "72 Kenyon cells, got 73"), ("right", "one strength, got counts")]
)
def test_measured_wirings_are_refused(wiring: str, got: str) -> None:
    """In one sentence that says what to do; nothing has changed."""
    larva = Population(seeds=[1], wiring=wiring, engine="cuda")
    with pytest.raises(InputError, match=rf"larvae on a GPU must have .*{got}.*; pass engine='kernel'"):
        larva.advance(1)
    assert larva.state.step[0] == 0


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize(
    "parameters",
    [
        BALANCED,
        LARVAL,
        EAGER,
        PUBLISHED.replace(dt_ms=0.05, refractory_ms=0.0, weight_floor_nS=79.5),
        BALANCED.replace({"kc.threshold_mV": -45.0}, weight_floor_nS=20.0, learning_rate_nS=5.0, pn_kc_nS=2.0),
    ],
    ids=lambda parameters: parameters.description,
)
def test_agrees_with_the_kernel(parameters: Parameters) -> None:
    """Every spike and bit of larvae of any age, reinforcement and duration: learning, probed, under given input."""
    larvae = Population(parameters, range(20))
    larvae.stimulate("pentyl acetate", reward=1.5, punishment=0.5)
    larvae.stimulate("anisole", punishment=2.0, larvae=range(0, 20, 3))
    rng = np.random.default_rng(1)
    events = [np.argwhere(rng.random((500, 23)) < 0.05) for _ in range(20)]
    ours, theirs = (Population.from_snapshot(larvae.snapshot(), engine=name) for name in ("cuda", "kernel"))
    for population in (ours, theirs):
        population.advance(np.arange(20) * 40.0)
    for name in ("advance", "probe", "advance_events"):
        arguments = {"advance": (400.0,), "probe": ("pentyl acetate", 300.0), "advance_events": (events, 50.0)}[name]
        more = {} if name == "probe" else {"record": EVERYTHING}
        mine, other = (getattr(population, name)(*arguments, **more) for population in (ours, theirs))
        np.testing.assert_array_equal(mine.counts, other.counts)
        for spikes, those in zip(mine.spikes or (), other.spikes or (), strict=True):
            np.testing.assert_array_equal(spikes, those)
        for variable, samples in mine.samples.items():
            np.testing.assert_array_equal(samples, other.samples[variable])
    assert ours.snapshot() == theirs.snapshot()
