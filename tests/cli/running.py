"""The command in this process, on real streams: what it prints is read back from files."""

import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from kenyon.cli import main


class Done(NamedTuple):
    """What a command has done.

    Attributes:
        status: Its exit status.
        out: What it printed, as bytes.
        err: What it said on standard error, as bytes.
    """

    status: int
    out: bytes
    err: bytes


def run(arguments: Sequence[str], folder: Path, *, encoding: str = "utf-8", out: str | None = None) -> Done:
    """Run the command with standard output and error in files of an encoding that refuses what it does not have.

    Args:
        arguments: Of the command.
        folder: Where those files may lie.
        encoding: Of both streams.
        out: Another file for standard output.
    """
    names = out or str(folder / "out"), str(folder / "err")
    with (
        pytest.MonkeyPatch.context() as patch,
        Path(names[0]).open("w", encoding=encoding) as printed,
        Path(names[1]).open("w", encoding=encoding) as said,
    ):
        # Brian2's log keeps the first standard error that it sees, which then is closed.
        patch.setattr(logging, "raiseExceptions", False)
        patch.setattr(logging.getLogger(), "handlers", [])  # `serve` has its own
        patch.setattr(logging.getLogger(), "level", logging.getLogger().level)
        patch.setattr(sys, "stdout", printed)
        patch.setattr(sys, "stderr", said)
        try:
            main(list(arguments), prog_name="kenyon")
            status: object = 0
        except SystemExit as end:
            status = end.code
        logging.captureWarnings(capture=False)
    assert isinstance(status, int)
    return Done(status, b"" if out is not None else (folder / "out").read_bytes(), (folder / "err").read_bytes())


def commands(group: click.Group = main, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Return every command that does something, with the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))
        else:
            yield (*above, name), command


ENOUGH: dict[tuple[str, ...], tuple[str, ...]] = {
    ("train",): ("--larvae", "1", "--trials", "1", "--stimulus", "0.1", "--pause", "0.1", "--overwrite"),
    ("reproduce",): ("--claims", "L99"),
    ("plot",): ("nowhere.nc",),
    ("show",): ("nowhere.nc",),
    ("table",): ("nowhere.nc",),
    ("cite",): ("nowhere.nc",),
    ("circuit",): ("nowhere/circuit.png",),
    ("paradigms",): (),
    ("odors",): (),
    ("verify",): (),
    ("doctor",): (),
    ("completion",): ("bash",),
    ("serve",): ("--state-dir", ":memory:", "--port", "99999"),
    ("ping",): ("--port", "1", "--timeout", "0.01", "--count", "1"),
    ("sessions", "list"): ("--state-dir", "nowhere"),
    ("sessions", "check"): ("--state-dir", "nowhere"),
    ("sessions", "show"): ("run", "0", "--state-dir", "nowhere"),
    ("sessions", "export"): ("run", "0", "--state-dir", "nowhere", "--out", "larva.npz"),
    ("sessions", "delete"): ("run", "0", "--state-dir", "nowhere", "--yes"),
    ("sweep", "run"): ("nowhere.toml", "--out", "nowhere"),
    ("sweep", "status"): ("nowhere",),
    ("sweep", "collect"): ("nowhere",),
    ("larvaworld", "run"): ("--larvae", "1", "--minutes", "0.01"),
    ("larvaworld", "preference"): (
        *("--condition", "paired", "--groups", "1", "--larvae", "1", "--trials", "1"),
        *("--phase", "0.01", "--test", "0.01"),
    ),
    ("larvaworld", "train"): ("A+ 1s | ?A", "--groups", "1", "--larvae", "1", "--test", "0.01"),
    ("larvaworld", "models"): (),
    ("larvaworld", "experiments"): (),
}
"""Arguments with which each command is over at once, whatever else it is told."""
