"""Builds the source distribution and the wheel of the commit that is checked out, twice, and refuses what is not right.

make dist

A release is of a commit, not of what lies about: files are taken from git. Both builds must be the same to the byte,
the source distribution must hold every file of the commit, and a tag of the commit must be its version.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "dist"


def git(*arguments: str) -> str:
    """Return what git says."""
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def check_the_commit(version: str) -> None:
    """Refuse to build what is not committed, or what is tagged as another version."""
    if git("status", "--porcelain", "--untracked-files=no"):
        raise SystemExit("every change must be in a commit before a release is built; commit, or stash them")
    tags = [tag for tag in git("tag", "--points-at", "HEAD").split() if tag.startswith("v")]
    if any(tag != f"v{version}" for tag in tags):
        raise SystemExit(f"the tag must be v{version}, as pyproject.toml has it, got {', '.join(tags)}; change one")


def build(into: Path) -> dict[str, bytes]:
    """Return what a build gives, by its name: the source distribution, and the wheel that is made of it."""
    source, out = into / "source", into / "out"
    source.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(source)], input=archive, check=True)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": git("log", "-1", "--format=%ct")}
    command = [sys.executable, "-m", "build", "--outdir", str(out), str(source)]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return {file.name: file.read_bytes() for file in out.iterdir()}


def missing(source_distribution: Path) -> set[str]:
    """Return the files of the commit that a source distribution lacks."""
    with tarfile.open(source_distribution) as archive:
        held = {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}
    return set(git("ls-files").splitlines()) - held


def main() -> None:
    """Check, build, compare and keep."""
    check_the_commit(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])
    with tempfile.TemporaryDirectory() as folder:
        first, second = (build(Path(folder) / name) for name in ("first", "second"))
    if first != second:
        raise SystemExit("two builds of one commit must be the same to the byte, got others; look for times in them")
    FOLDER.mkdir(exist_ok=True)
    for file in FOLDER.glob("kenyon-*"):
        file.unlink()
    for name, held in first.items():
        (FOLDER / name).write_bytes(held)
    (source,) = FOLDER.glob("kenyon-*.tar.gz")
    if lacking := missing(source):
        raise SystemExit(f"the source distribution must hold every file of the commit, got none of {sorted(lacking)}")
    made = [str(FOLDER / name) for name in sorted(first)]
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *made], check=True)
    for name in made:
        print(f"{Path(name).relative_to(ROOT)}, {Path(name).stat().st_size / 1e6:.1f} MB, twice the same")


if __name__ == "__main__":
    main()
