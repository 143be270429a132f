import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kenyon import archive
from kenyon.errors import InputError, MismatchError
from kenyon.memory import MushroomBodyMemory, RLOlfMemory, checkpoint
from kenyon.memory.options import plain_value
from kenyon.mushroom_body import Odor, Population, odors
from kenyon.mushroom_body.parameters import DEFAULT
from kenyon.mushroom_body.wiring import counted, draw_pn_to_kc

MINE = Odor("mine", {0.01: [0.1] * 21, 1.0: [0.5 * (i % 7) for i in range(20)] + [float("nan")]})
THIN = (np.arange(72)[:, None] + np.arange(21)) % 21 < 2
"""A wiring in which every Kenyon cell has two PNs."""


def lived(steps: int = 4, **options: Any) -> tuple[MushroomBodyMemory, list[dict[str, float]]]:
    """Return a memory and its gains after each of some steps."""
    memory = MushroomBodyMemory(gain={"CS": 0.0}, G=1.0, dt=1.0, sim_id="own", model_id=1, **options)
    return memory, [dict(memory.step(dx={"CS": 0.5 + i / 8}, reward=True)) for i in range(steps)]


def test_with_the_contents_of_a_measured_odor_it_is_that_odor() -> None:
    """Step by step, read from steps and from probes."""
    anisole = odors.find("anisole")
    own = Odor("own", anisole.responses, anisole.concentrations)
    for readout in ("step", "probe"):
        assert lived(odors={"CS": own}, readout=readout)[1] == lived(odors={"CS": "anisole"}, readout=readout)[1]


def test_stimuli_of_one_odor_add_and_two_of_one_name_are_refused() -> None:
    """By value: it does not matter which of two equal ones is meant."""
    memory = MushroomBodyMemory(odors={"a": MINE, "b": Odor("mine", MINE.responses, MINE.concentrations)})
    assert memory.measured_mixture({"a": 0.25, "b": 0.5, "CS": 1.0}) == {"mine": 0.75, "pentyl acetate": 1.0}
    other = MushroomBodyMemory(gain={"a": 0.0, "b": 0.0}, odors={"a": MINE, "b": Odor("mine", [1.0] * 21)})
    with pytest.raises(InputError, match="odors must name each odor once, got 'mine' twice"):
        other.step(dx={"a": 1.0, "b": 1.0})
    with pytest.raises(InputError, match="odors of one's own must have a name each, got mine, mine"):
        other.measured_mixture({"a": 1.0, "b": 1.0})


def test_a_checkpoint_has_all_of_it(tmp_path: Path) -> None:
    """Made anew from the file alone, the larva goes on as the one that never stopped, absent responses too."""
    memory, _ = lived(odors={"CS": MINE, "UCS": "anisole"}, pn_to_kc=THIN)
    file = checkpoint.save(tmp_path / "larva.npz", memory)
    (again,) = checkpoint.load(file)
    assert again.odors == {"CS": plain_value(MINE), "UCS": "anisole"}
    assert again.odor_of("CS") == MINE
    assert [again.step(dx={"CS": 0.3}) for _ in range(3)] == [memory.step(dx={"CS": 0.3}) for _ in range(3)]
    checkpoint.restore(file, MushroomBodyMemory(gain={"CS": 0.0}, odors={"CS": MINE}, pn_to_kc=THIN.tolist()))
    with pytest.raises(MismatchError, match=r"memory 0 of .* must have pn_to_kc=None, got"):
        checkpoint.restore(file, MushroomBodyMemory(gain={"CS": 0.0}, odors={"CS": MINE}))


def test_a_memory_takes_what_json_says_of_an_odor() -> None:
    """As a process of its own is given it."""
    told = json.loads(json.dumps(plain_value({"CS": MINE})))
    assert lived(odors=told)[1] == lived(odors={"CS": MINE})[1]


def test_a_wiring_of_ones_own_is_that_of_the_population() -> None:
    """The one that would be drawn gives the same larva; another gives another, in a shared population and alone."""
    as_drawn, gains = lived(odors={"CS": MINE})
    drawn = as_drawn.population.state.pn_to_kc[as_drawn.place].copy()
    assert (draw_pn_to_kc(DEFAULT, as_drawn.population.seeds[as_drawn.place]) == drawn).all()
    assert lived(odors={"CS": MINE}, pn_to_kc=drawn)[1] == gains
    for shared in (True, False):
        thin, thin_gains = lived(odors={"CS": MINE}, pn_to_kc=THIN, shared=shared)
        assert (thin.population.state.pn_to_kc[thin.place] == THIN).all()
        twin = Population(seeds=[thin.population.seeds[thin.place]], pn_to_kc=THIN)
        for number in range(4):
            twin.stimulate({MINE: 0.5 + number / 8}, reward=1.0)
            answered = twin.advance(1000)
            difference_hz = float(answered.rate_hz("MBONp")[0] - answered.rate_hz("MBONn")[0])
            assert thin_gains[number]["CS"] == difference_hz
    assert thin_gains != gains


def test_a_measured_wiring_is_that_of_the_population(tmp_path: Path) -> None:
    """Named or given as counts, in a shared population and alone; a checkpoint of before there were any is random."""
    counts = counted("right")
    gains = lived(wiring="right")[1]
    beside = lived(wiring="left")[0]  # in the same simulation, but not in the same population
    assert (beside.population.n_kcs, lived()[0].population.n_kcs) == (73, 72)
    beside = lived(wiring="left")[0]  # in the same simulation, but not in the same population
    assert (beside.population.n_kcs, lived()[0].population.n_kcs) == (73, 72)
    memory, same = lived(pn_to_kc=counts.tolist(), shared=False)
    assert gains == same != lived()[1]
    twin = Population(seeds=[memory.population.seeds[0]], wiring="right")
    assert (memory.population.state.pn_to_kc == twin.state.pn_to_kc).all()
    file = checkpoint.save(tmp_path / "larva.npz", lived(wiring="right-shuffled")[0])
    (again,) = checkpoint.load(file)
    assert again.wiring == "right-shuffled"
    with pytest.raises(MismatchError, match="must have wiring='random', got 'right-shuffled'"):
        checkpoint.restore(file, MushroomBodyMemory())
    drawn = checkpoint.save(tmp_path / "drawn.npz", lived()[0])
    header, arrays = archive.load(drawn, checkpoint.KIND)
    del header["memories"][0]["options"]["wiring"]
    archive.save(drawn, checkpoint.KIND, header, arrays, overwrite=True)
    checkpoint.restore(drawn, MushroomBodyMemory(gain={"CS": 0.0}))
    with pytest.raises(MismatchError, match="must have wiring='right', got 'random'"):
        checkpoint.restore(drawn, MushroomBodyMemory(gain={"CS": 0.0}, wiring="right"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"odors": {"CS": 3}}, "odors['CS'] must be an odor, got 3; name one"),
        ({"odors": {"CS": {"name": "x"}}}, "stimulus 'CS' must stand for a measured odor or one of one's own"),
        ({"pn_to_kc": np.ones((21, 72))}, "pn_to_kc must have shape (K, 21) or (1, K, 21) with 1 to 128 Kenyon cells"),
        ({"pn_to_kc": np.full((72, 21), -2)}, "pn_to_kc must be finite from 0 to 10000 everywhere, got -2"),
        ({"pn_to_kc": THIN, "wiring": "right"}, "a wiring must be either named or given, got 'right' and pn_to_kc"),
        ({"wiring": "wrong"}, "unknown wiring 'wrong'"),
    ],
)  # fmt: skip
def test_nonsense_is_refused(options: dict[str, Any], sentence: str) -> None:
    """When the memory is made."""
    with pytest.raises(InputError) as refused:
        MushroomBodyMemory(gain={"CS": 0.0}, **options)
    assert str(refused.value).startswith(sentence)


def test_a_host_needs_an_odor_at_several_concentrations() -> None:
    """For its larvae meet all of them; one that is told what it smells may have one row."""
    lonely = Odor("lonely", [1.0] * 21)
    assert lived(1, odors={"UCS": lonely})[1]
    brain = SimpleNamespace(agent=None)
    with pytest.raises(InputError, match="'CS' must stand for an odor measured at several concentrations"):
        MushroomBodyMemory(brain=brain, gain={"CS": 0.0}, odors={"CS": lonely})
    assert RLOlfMemory(brain=brain, gain={"CS": 0.0})
