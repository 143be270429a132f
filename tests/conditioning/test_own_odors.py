"""Odors and wirings of one's own in experiments: contents count, names do not, and the result holds all of them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
from click.testing import CliRunner

from kenyon.cli import main
from kenyon.conditioning import Design, load, run, save
from kenyon.errors import InputError, NotationError
from kenyon.mushroom_body import BALANCED, Odor, Population, odors
from kenyon.mushroom_body.wiring import counted, draw_pn_to_kc, strengths
from kenyon.seeds import larva_seeds

MEASURED = odors.find("2-heptanone")
TEXT = "B@0.5 0.2s, A+ 0.4s, ?A 0.2s, ?AB 0.2s"


def lived(odor: str | Odor, **more: Any) -> xarray.Dataset:
    """Return the result of a short experiment with an odor, mixed with a measured one."""
    design = Design.read(TEXT, bindings={"A": odor, "B": "anisole"})
    return run(design, larvae=2, show_progress=False, **more).one


def test_equal_contents_give_equal_numbers_and_ids_whatever_they_are_called(tmp_path: Path) -> None:
    """The measured odor itself among them, which has receptors measured elsewhere than others."""
    own = [Odor(name, MEASURED.responses, MEASURED.concentrations) for name in ("mine", "yours")]
    results = [lived("2-heptanone"), *map(lived, own)]
    assert len({result.run_id.item() for result in results}) == 1
    for result in results[1:]:
        for name in ("preference_index", "phase_rate_hz", "test_rate_hz"):
            assert np.array_equal(result[name].values, results[0][name].values, equal_nan=True)
    rows = np.array(MEASURED.responses)
    rows[-1, 0] += 1e-9
    assert lived(Odor("mine", rows, MEASURED.concentrations)).run_id.item() != results[0].run_id.item()
    assert results[1].test_odor.values[0] == "mine"
    kept = load(save(results[1], tmp_path / "mine.nc"))
    said = json.loads(kept.own_odors.item())
    assert Odor("mine", *said["mine"][::-1]).id == own[0].id
    assert kept.run_id.item() == results[0].run_id.item()


def test_what_is_not_known_of_an_odor_is_said_with_its_place() -> None:
    """Before anything is simulated."""
    with pytest.raises(NotationError, match=r"concentration of mine must be 1, where alone it was measured, got 0\.5"):
        Design.read("A@0.5 1s", bindings={"A": Odor("mine", [1.0] * 21)})


def test_a_wiring_of_ones_own_counts_by_its_contents() -> None:
    """The one that would be drawn gives the drawn larvae; however it is written down it has one id, another another."""
    drawn = lived("3-octanol")
    wirings = np.array([draw_pn_to_kc(BALANCED, seed) for seed in larva_seeds(0, 2)])
    given, again = (lived("3-octanol", pn_to_kc=own) for own in (wirings, wirings.astype(bool).tolist()))
    assert np.array_equal(given.phase_rate_hz.values, drawn.phase_rate_hz.values)
    assert given.run_id.item() == again.run_id.item()
    other = lived("3-octanol", pn_to_kc=1 - wirings)
    assert other.run_id.item() != given.run_id.item()
    assert not np.array_equal(other.phase_rate_hz.values, drawn.phase_rate_hz.values)


def test_a_measured_wiring_is_named_in_the_result_and_its_id() -> None:
    """Given as its counts it is the same larvae, of which the result holds every strength."""
    named, given = lived("3-octanol", wiring="right"), lived("3-octanol", pn_to_kc=counted("right"))
    assert np.array_equal(named.phase_rate_hz.values, given.phase_rate_hz.values)
    assert named.wiring.item() == "right"
    held = np.frombuffer(bytes.fromhex(given.wiring.item())).reshape(72, 21)
    assert (held == strengths(BALANCED, counted("right")[None])[0]).all()
    others = [lived("3-octanol"), given, lived("3-octanol", wiring="right-shuffled")]
    assert len({result.run_id.item() for result in (named, *others)}) == 4
    larvae = Population(seeds=[1]).snapshot()
    with pytest.raises(InputError, match="larvae that are given have their wiring"):
        run(Design.read("A+ 1s | ?A 1s"), larvae=larvae, wiring="right")


@pytest.mark.parametrize("wiring", ["random", "right", "left-shuffled"])
def test_the_wiring_of_larvae_that_were_given_is_known_from_them(wiring: str) -> None:
    """By its name, as of newborn larvae; a wiring of one's own is held whole."""
    born = run("?A 10ms", larvae=2, wiring=wiring, show_progress=False).one
    seeds = [int(own) for own in born.larva_seed.values]
    given = run("?A 10ms", larvae=Population(seeds=seeds, wiring=wiring).snapshot(), show_progress=False).one
    assert given.wiring.item() == born.wiring.item()
    own = Population(seeds=seeds, pn_to_kc=counted("right")[::-1])
    held = run("?A 10ms", larvae=own.snapshot(), show_progress=False).one.wiring.item()
    assert (np.frombuffer(bytes.fromhex(held)).reshape(72, 21) == own.snapshot().state.pn_to_kc[0]).all()


def test_the_command_takes_both_from_files(tmp_path: Path) -> None:
    """The same run as in Python, by its id."""
    wiring = np.arange(72 * 21).reshape(72, 21) % 5 == 0
    np.savetxt(tmp_path / "wiring.csv", wiring, fmt="%d", delimiter=",")
    np.savetxt(tmp_path / "mine.csv", [np.arange(21) / 7], delimiter=",")
    files = ["--odors-file", str(tmp_path / "mine.csv"), "--pn-to-kc", str(tmp_path / "wiring.csv")]
    text = "A+ 0.4s, ?A 0.2s"
    done = CliRunner().invoke(
        main, ["train", text, "--odor", "mine", *files, "--larvae", "2", "--out", str(tmp_path / "out")]
    )
    assert done.exit_code == 0, done.output
    (file,) = (tmp_path / "out").glob("*.nc")
    design = Design.read(text, bindings={"A": Odor("yours", np.arange(21) / 7)})
    here = run(design, larvae=2, pn_to_kc=wiring, weights=True, show_progress=False).one
    assert load(file).run_id.item() == here.run_id.item()
