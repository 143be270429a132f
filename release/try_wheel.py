"""Tries a wheel as one who has nothing else: in a clean environment of the Python that runs this, away from the clone.

python3.13 release/try_wheel.py dist/kenyon-0.2.0-py3-none-any.whl

Larvae are trained, recorded spikes verified, a server started, asked and stopped; and every notice must be in it.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATIENCE_S = 300


def installed(wheel: Path, folder: Path) -> Path:
    """Return the command of a wheel that is installed in a folder, with the versions of requirements.lock."""
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--constraint", str(ROOT / "requirements.lock"), str(wheel)], check=True)
    return folder / "bin/kenyon"


def check_notices(wheel: Path) -> int:
    """Refuse a wheel without one of the notices that lie in the clone; return how many there are."""
    notices = [ROOT / "LICENSE", *sorted((ROOT / "LICENSES").iterdir())]
    with zipfile.ZipFile(wheel) as held:
        texts = [held.read(name) for name in held.namelist() if "/licenses/" in name]
    lacking = [notice.name for notice in notices if notice.read_bytes() not in texts]
    if lacking:
        raise SystemExit(f"{wheel.name} must hold every notice, got none of {', '.join(lacking)}; see license-files")
    return len(notices)


@contextmanager
def served(command: list[str], folder: Path) -> Iterator[int]:
    """Start a server on a free port and give that; refuse one that does not end well when it is told to."""
    ready = folder / "ready.json"
    with subprocess.Popen([*command, "--port", "0", "--ready-file", str(ready)], stdout=subprocess.DEVNULL) as server:
        try:
            began = time.monotonic()
            while not ready.exists():
                if server.poll() is not None or time.monotonic() - began > PATIENCE_S:
                    raise SystemExit("the server must listen, got none; start `kenyon serve` and read what it says")
                time.sleep(0.1)
            yield int(json.loads(ready.read_text("utf-8"))["port"])
            server.send_signal(signal.SIGTERM)
            if server.wait(PATIENCE_S) != 0:
                raise SystemExit(f"the server must end with 0 when it is told to, got {server.returncode}")
        finally:
            server.kill()


def run(kenyon: Path, folder: Path, *arguments: str) -> str:
    """Return what the command prints."""
    command = [str(kenyon), *arguments]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    """Try the wheel that is named."""
    wheel = Path(sys.argv[1]).resolve()
    notices = check_notices(wheel)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kenyon = installed(wheel, folder / "environment")
        version = run(kenyon, folder, "--version").split()[-1]
        if version != wheel.name.split("-")[1]:
            raise SystemExit(f"kenyon --version must be that of {wheel.name}, got {version}")
        run(kenyon, folder, "train", "--larvae", "2", "--trials", "1", "--stimulus", "2", "--pause", "1")
        run(kenyon, folder, "verify")
        with served([str(kenyon), "serve", "--state-dir", str(folder / "state")], folder) as port:
            run(kenyon, folder, "ping", "--port", str(port))
    print(f"{wheel.name} on Python {sys.version.split()[0]}: train, verify, serve and ping; {notices} notices")


if __name__ == "__main__":
    main()
