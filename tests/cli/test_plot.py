"""`kenyon plot`: figures from result files alone."""

from pathlib import Path

import pytest

from kenyon.conditioning import save
from kenyon.conditioning.figures import PANELS
from tests.conditioning.runs import tiny

from .running import run


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Return two result files."""
    return [str(save(tiny({"name": name}), tmp_path / f"{name}.nc")) for name in ("paired", "unpaired")]


def test_a_figure_lies_beside_the_first_file(files: list[str], tmp_path: Path) -> None:
    """Called like it, and never overwritten silently."""
    done = run(["plot", *files], tmp_path)
    assert (done.status, done.out) == (0, f"Look at {tmp_path / 'paired.png'}\n".encode())
    before = (tmp_path / "paired.png").read_bytes()
    assert before.startswith(b"\x89PNG")
    refused = run(["plot", files[0]], tmp_path)
    assert refused.status == 2
    assert b"exists already" in refused.err
    assert (tmp_path / "paired.png").read_bytes() == before
    assert run(["plot", files[0], "--overwrite"], tmp_path).status == 0
    assert (tmp_path / "paired.png").read_bytes() != before


@pytest.mark.parametrize(("ending", "start"), [("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_the_ending_of_the_name_says_the_format(ending: str, start: bytes, files: list[str], tmp_path: Path) -> None:
    """Of some panels."""
    out = tmp_path / f"a.{ending}"
    done = run(["plot", *files, "--panel", "timeline", "--panel", "groups", "--out", str(out)], tmp_path)
    assert done.status == 0, done.err
    assert out.read_bytes().startswith(start)


def test_what_cannot_be_drawn_is_refused_in_a_sentence(files: list[str], tmp_path: Path) -> None:
    """A format or a panel that there is not, weights that were not kept, a file that is no result, none at all."""
    (tmp_path / "no.nc").write_bytes(b"nonsense")
    for arguments, sentence in (
        ([files[0], "--out", str(tmp_path / "a.doc")], b"suffix"),
        ([files[0], "--panel", "nonsense"], b"nonsense"),
        ([files[0], "--panel", "weights"], b"run with weights=True"),
        ([str(tmp_path / "no.nc")], b"no.nc"),
        ([], b"FILE..."),
    ):
        done = run(["plot", *arguments], tmp_path)
        assert done.status != 0
        assert sentence in done.err
        assert b"Traceback" not in done.err
    assert not list(tmp_path.glob("*.png"))


def test_help_names_every_panel(tmp_path: Path) -> None:
    """With what it shows."""
    told = run(["plot", "--help"], tmp_path).out.decode()
    for name in PANELS:
        assert f"  {name} " in told
