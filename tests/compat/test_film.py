"""Films of runs, drawn by the host's own screen without a window."""

from pathlib import Path
from typing import Any

import imageio
import numpy as np
import pytest
from click.testing import CliRunner

from kenyon.cli import main
from kenyon.errors import InputError
from kenyon.larvaworld_plugin import run
from kenyon.larvaworld_plugin.film import Film

TINY: dict[str, Any] = {"model": "forager_RL", "larvae": 2, "minutes": 0.05, "every_s": 0.1, "show_progress": False}

BLUE, VERMILION = (0, 114, 178), (213, 94, 0)
"""Okabe and Ito's, as they publish them."""


def frames(path: Path) -> Any:
    """Return all frames of a film, [frames, height, width, 3], as another reader has them."""
    return np.stack([np.asarray(frame) for frame in imageio.get_reader(path)])


def like(frame: Any, color: tuple[int, int, int]) -> int:
    """Return how many pixels of the arena are nearly of a color; films do not keep colors exactly."""
    arena = frame[: frame.shape[1]].astype(int)
    return int((np.abs(arena - color).max(axis=-1) < 32).sum())


@pytest.mark.parametrize(("gain", "color", "other"), [(300.0, BLUE, VERMILION), (-300.0, VERMILION, BLUE)])
def test_larvae_are_colored_by_gain_and_live_as_without(
    gain: float, color: tuple[int, int, int], other: tuple[int, int, int], tmp_path: Path
) -> None:
    """A frame every half a second, ten times as fast as life; tracks are the same to the last bit."""
    how = {**TINY, "memory": {"gain_space": [gain]}}
    film = Film(tmp_path / "run.mp4")
    filmed, plain = run("PItest_off", listeners=[film], **how).dataset, run("PItest_off", **how).dataset
    assert filmed.equals(plain)
    seen = frames(tmp_path / "run.mp4")
    assert seen.shape == (6, 784, 720, 3)
    assert imageio.get_reader(tmp_path / "run.mp4").get_meta_data()["fps"] == 20
    assert like(seen[-1], color) > 50
    assert like(seen[-1], other) == 0


def test_the_command_makes_a_film_too(tmp_path: Path) -> None:
    """Under the name that is given, wherever the other results lie."""
    command = ["larvaworld", "run", "PItest_off", "--model", "forager_RL", "--larvae", "1", "--minutes", "0.02"]
    done = CliRunner().invoke(main, [*command, "--out", str(tmp_path / "out"), "--video", str(tmp_path / "run.mp4")])
    assert done.exit_code == 0, done.output
    assert len(frames(tmp_path / "run.mp4")) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "run.mp4"]


def test_a_film_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """In one sentence: of another kind, over a file, of a stimulus that nobody knows, of a second run."""
    with pytest.raises(InputError, match=r"must be \.mp4, got '.gif'"):
        Film(tmp_path / "run.gif")
    (tmp_path / "there.mp4").touch()
    with pytest.raises(InputError, match="must not exist yet"):
        Film(tmp_path / "there.mp4")
    with pytest.raises(InputError, match=r"unknown stimulus of a film .cheese.; known are CS, UCS"):
        run("PItest_off", listeners=[Film(tmp_path / "run.mp4", stimulus="cheese")], **TINY)
    assert not (tmp_path / "run.mp4").exists()
