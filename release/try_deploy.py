"""Tries what is in deploy/ on a machine that need not have docker: the unit of systemd, the steps of the Dockerfile.

python3.13 release/try_deploy.py dist/kenyon-0.2.0-py3-none-any.whl

Each RUN of the Dockerfile runs in a folder that stands for the image; then what the container starts answers what asks
for its health. Not tried is what only an image has: another user, and the network between container and machine.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from try_wheel import ROOT, served

DEPLOY = ROOT / "deploy"
ONLY_IN_AN_IMAGE = "RUN useradd"


def placed(words: str, image: Path) -> str:
    """Return a command with the folders of the image where they are here."""
    return re.sub(r"/(opt|var/lib|tmp)/kenyon", rf"{image}/\1/kenyon", words)


def try_dockerfile(wheel: Path, image: Path) -> str:
    """Return what the server of the Dockerfile says when it is asked for its health."""
    lines = (DEPLOY / "Dockerfile").read_text("utf-8").splitlines()
    (image / "tmp/kenyon").mkdir(parents=True)
    (image / "var/lib/kenyon").mkdir(parents=True)
    for file in (wheel, ROOT / "requirements.lock"):
        shutil.copy(file, image / "tmp/kenyon")
    for line in lines:
        if line.startswith("RUN ") and not line.startswith(ONLY_IN_AN_IMAGE):
            command = placed(line.removeprefix("RUN "), image).replace("python -m venv", f"{sys.executable} -m venv")
            subprocess.run(["sh", "-c", command], check=True, stdout=subprocess.DEVNULL)
    start, ask = (
        [placed(word, image) for word in json.loads(line[line.index("[") :])]
        for kind in ("ENTRYPOINT", "HEALTHCHECK")
        for line in lines
        if line.startswith(kind)
    )
    with served(start, image) as port:
        asked = subprocess.run([*ask, "--port", str(port)], check=True, stdout=subprocess.PIPE, text=True)
    return asked.stdout.splitlines()[0]


def check_unit(image: Path) -> str:
    """Return whether systemd can read the unit, with the command where it is here; refuse one that it cannot."""
    if (analyze := shutil.which("systemd-analyze")) is None:
        return "not read, for there is no systemd-analyze"
    unit = image / "kenyon.service"
    unit.write_text(placed((DEPLOY / "kenyon.service").read_text("utf-8"), image), "utf-8")
    said = subprocess.run([analyze, "verify", str(unit)], check=True, stderr=subprocess.PIPE, text=True).stderr
    if said:
        raise SystemExit(f"systemd must have nothing to say of the unit, got {said}")
    return "read by systemd"


def main() -> None:
    """Try both with the wheel that is named."""
    with tempfile.TemporaryDirectory() as name:
        image = Path(name)
        print(f"Dockerfile without a container: {try_dockerfile(Path(sys.argv[1]).resolve(), image)}")
        print(f"unit: {check_unit(image)}")


if __name__ == "__main__":
    main()
