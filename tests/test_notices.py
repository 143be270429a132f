"""What others measured comes with their licences, and a page says of every file where it is from."""

import re
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

hatchling = pytest.importorskip("hatchling.build", reason="only where Kenyon is built: in `make test`")

ROOT = Path(__file__).parent.parent
DATA = ROOT / "src/kenyon/mushroom_body/data"
PAGE = (ROOT / "docs/reference/data.md").read_text("utf-8")

HOLDERS = {
    "LICENSE": "2026 The Kenyon developers",
    "LICENSES/Larval-ORN.txt": "2018 Samuel Lab at Harvard University",
    "LICENSES/bilateral-connectome.txt": "2021 NeuroData Lab at Johns Hopkins University, Benjamin D. Pedigo",
}
"""Every notice, and whose it is."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[ZipFile, tarfile.TarFile]:
    """Return a wheel and an sdist, built as any installer builds them."""
    folder = tmp_path_factory.mktemp("dist")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        wheel, sdist = hatchling.build_wheel(str(folder)), hatchling.build_sdist(str(folder))
    return ZipFile(folder / wheel), tarfile.open(folder / sdist)


@pytest.mark.parametrize("notice", HOLDERS)
def test_a_notice_is_whole_and_travels(notice: str, built: tuple[ZipFile, tarfile.TarFile]) -> None:
    """Word for word in the wheel, where installers look for it, and in the sdist."""
    text = (ROOT / notice).read_text("utf-8")
    assert f"Copyright (c) {HOLDERS[notice]}\n" in text
    assert "this permission notice shall be included in all" in text
    wheel, sdist = built
    (folder,) = {name.split("/")[0] for name in wheel.namelist() if name.endswith("/METADATA")}
    assert wheel.read(f"{folder}/licenses/{notice}").decode() == text
    assert f"License-File: {notice}\n" in wheel.read(f"{folder}/METADATA").decode()
    packed = sdist.extractfile(f"{folder.removesuffix('.dist-info')}/{notice}")
    assert packed is not None
    assert packed.read().decode() == text


def test_there_is_no_other_notice() -> None:
    """A new one has to be written down above, with its holder."""
    assert {f"LICENSES/{path.name}" for path in (ROOT / "LICENSES").iterdir()} == set(HOLDERS) - {"LICENSE"}
    assert all(f"copyright {holder}" in PAGE for name, holder in HOLDERS.items() if name != "LICENSE")


def test_the_data_of_the_package_travel_too(built: tuple[ZipFile, tarfile.TarFile]) -> None:
    """Else there would be nothing to give notice of."""
    travelling = {path.relative_to(ROOT / "src").as_posix() for path in DATA.rglob("*") if path.is_file()}
    assert len(travelling) >= 10
    assert travelling <= set(built[0].namelist())


def test_the_page_tells_of_every_data_file() -> None:
    """Of each file of the package and of each that a study has written; and of none that is not there."""
    kept = [
        *DATA.rglob("*.csv"),
        *DATA.rglob("*.npz"),
        *(ROOT / "studies").glob("*.csv"),
        *(ROOT / "studies").glob("*.nc"),
    ]
    told = set(re.findall(r"`([\w-]+\.(?:csv|npz|nc))`", PAGE)) | set(
        re.findall(r"^### (\S+\.csv)$", PAGE, re.MULTILINE)
    )
    assert told - {"meta_data.csv"} == {path.name for path in kept}


def test_the_page_tells_of_golden_files_what_they_hold() -> None:
    """How long each is, and how many spikes it has."""
    from kenyon.mushroom_body import verification

    for path in verification.own_files():
        golden = verification.load(path)
        (row,) = re.findall(rf"^\| `{path.name}` \|.*$", PAGE, re.MULTILINE)
        assert f"| {golden.duration_ms / 1e3:g} s | {len(golden.spikes):,} |" in row
