from pathlib import Path

from .test_cli import here


def test_the_circuit_is_drawn_into_a_file(tmp_path: Path) -> None:
    """Of the format that its suffix names; what lies there is not replaced unasked."""
    done = here("circuit", "--seed", "7", "circuit.svg", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "circuit.svg\n")
    assert (tmp_path / "circuit.svg").read_text("utf-8").startswith("<?xml")
    assert "exists already" in here("circuit", "circuit.svg", cwd=tmp_path).stderr
    assert "must be one of" in here("circuit", "circuit.xyz", cwd=tmp_path).stderr
