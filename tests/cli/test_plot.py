"""`kenyon plot`: figures from result files alone."""

from pathlib import Path

import pytest

from kenyon.conditioning import save
from kenyon.conditioning.figures import PANELS
from kenyon.conditioning.sweeps import Store, Sweep, collect
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


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the file of a collected sweep of three doses, three durations in words and two seeds."""
    folder = tmp_path_factory.mktemp("swept")
    sweep = Sweep.grid(
        design="A@$dose+ $long, ?A 10ms, ?B 10ms", dose=[0.01, 0.1, 1], learning_rate_nS=[0.5, 1, 2],
        long=["10ms", "20ms"], bindings={"B": "anisole"}, larvae=1,
    )  # fmt: skip
    store = Store(folder / "store")
    store.add({point.id: point.compute() for point in sweep})
    return str(save(collect(store, sweep), folder / "swept.nc"))


@pytest.mark.parametrize(
    ("options", "surfaces", "odor"),
    [
        ([], 2, "pentyl acetate"),
        (["--at", "long=20ms"], 1, "pentyl acetate"),
        (["--at", "learning_rate_nS=1", "--odor", "anisole"], 0, "anisole"),
        (["--at", "long=20ms", "--at", "learning_rate_nS=5e-1"], 0, "pentyl acetate"),
    ],
)
def test_a_collected_sweep_is_drawn(options: list[str], surfaces: int, odor: str, swept: str, tmp_path: Path) -> None:
    """Small multiples, a surface, lines, a curve; of the odor that was asked for."""
    done = run(["plot", swept, "--out", str(tmp_path / "a.svg"), *options], tmp_path)
    assert done.status == 0, done.err
    drawn = (tmp_path / "a.svg").read_text("utf-8")
    assert f"Preference for {odor} at the last test" in drawn
    assert drawn.count('id="QuadMesh_') == surfaces


def test_a_point_of_a_sweep_is_a_result(swept: str, tmp_path: Path) -> None:
    """With panels as any other."""
    point = ["--at", "long=10ms", "--at", "dose=1", "--at", "learning_rate_nS=2"]
    done = run(["plot", swept, *point, "--panel", "groups", "--out", str(tmp_path / "a.pdf")], tmp_path)
    assert done.status == 0, done.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--panel", "groups"], b"a collected sweep must be drawn alone"),
        (["--at", "dozes=1"], b"unknown --at 'dozes'; did you mean 'dose'"),
        (["--at", "dose=7"], b"unknown --at dose '7.0'"),
        (["--at", "dose"], b"unknown --at dose ''"),
        (["--odor", "3-octanol"], b"unknown odor '3-octanol'"),
    ],
)
def test_what_a_sweep_does_not_have_is_refused(options: list[str], sentence: bytes, swept: str, tmp_path: Path) -> None:
    """In a sentence."""
    done = run(["plot", swept, *options, "--out", str(tmp_path / "a.svg")], tmp_path)
    assert done.status != 0
    assert sentence in done.err
    assert not list(tmp_path.glob("*.svg"))


def test_options_of_sweeps_are_refused_for_other_results(files: list[str], tmp_path: Path) -> None:
    """In a sentence."""
    for options, sentence in ((["--at", "seed=1"], b"--at must be of"), (["--odor", "A"], b"--odor must be left out")):
        done = run(["plot", files[0], *options], tmp_path)
        assert done.status == 2
        assert sentence in done.err
