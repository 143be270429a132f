import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from kenyon.cli import main

ROOT = Path(__file__).parent.parent


def unit_command() -> list[str]:
    """Return what the unit of systemd starts."""
    unit = (ROOT / "deploy/kenyon.service").read_text("utf-8")
    return shlex.split(unit.split("ExecStart=")[1].splitlines()[0])


def docker_commands() -> list[list[str]]:
    """Return what the container starts, and what asks for its health."""
    text = (ROOT / "deploy/Dockerfile").read_text("utf-8")
    return [json.loads(words) for words in re.findall(r"^(?:ENTRYPOINT|HEALTHCHECK CMD) (.*)", text, re.MULTILINE)]


@pytest.mark.parametrize("command", [unit_command(), *docker_commands()], ids=lambda command: command[1])
def test_what_is_deployed_is_a_command_with_options_that_it_has(command: list[str]) -> None:
    """Read as the command line reads it, which refuses what it does not know; nothing is started."""
    program, name, *options = command
    assert program == "/opt/kenyon/bin/kenyon"
    with main.commands[name].make_context(name, options) as context:
        assert {"state_dir", "count"} & {key for key, value in context.params.items() if value}


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make on this machine")
def test_make_says_what_can_be_made() -> None:
    """Bare `make` lists every target that a person calls, and CONTRIBUTING names none that is not there."""
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"^ +make ([a-z0-9.-]+) ", said, re.MULTILINE))
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert listed == set(phony.split())
    named = re.findall(r"^make ([a-z0-9.-]+)", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE)
    assert set(named) <= listed
