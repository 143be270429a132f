"""Subcommands about the larvae that a server keeps: list, check, show, export, delete."""

import contextlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kenyon import archive
from kenyon.cli.output import as_json, json_text, print_json, print_table, say
from kenyon.errors import InputError
from kenyon.words import clean

if TYPE_CHECKING:  # sqlite3 is slow to import
    from kenyon.server.journal_reader import JournalReader
    from kenyon.server.life import Ids

Command = Callable[..., Any]

state_dir_option = click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where the server keeps its larvae.  [default: kenyon in your state folder]",
)


@click.group()
def sessions() -> None:
    """List, check, show, export or delete the larvae that a server keeps in its state directory.

    Looking works while the server runs; to delete, stop it first. Say which folder after the subcommand, with the
    --state-dir that `kenyon serve` was started with.

    \b
    Examples:
      kenyon sessions list --state-dir run1
      kenyon sessions show first max_forager_MB_0 --state-dir run1
      kenyon sessions delete first --state-dir run1
    """  # noqa: D301  # \b is click's sign that the lines after it stay as they are


def _ids(command: Command) -> Command:
    command = click.argument("model_id")(command)
    return click.argument("sim_id")(command)


@sessions.command("list", short_help="List them.")
@state_dir_option
@as_json
def list_sessions(state_dir: Path | None, *, as_json: bool) -> None:
    """List every larva, the one stepped last first; before them those that are damaged, of which `check` says more."""
    with _reading(state_dir) as reading:
        rows = reading.rows()
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    lines = [
        [
            _spelled(row.sim_id),
            _spelled(row.model_id),
            "damaged" if row.steps is None else str(row.steps),
            _when(row.at),
        ]
        for row in rows
    ]
    print_table(["simulation", "larva", "steps (done)", "last"], lines)
    say(_count(rows))


@sessions.command(short_help="Look for damage.")
@state_dir_option
@as_json
@click.pass_context
def check(context: click.Context, state_dir: Path | None, *, as_json: bool) -> None:
    """Read everything that is kept, and say what is damaged; exit with 1 if anything is.

    Nothing is changed, and the server may run. A server refuses a damaged larva and goes on with all others.
    """
    with _reading(state_dir) as reading:
        rows, problems = reading.rows(), reading.problems()
    damaged = [row for row in rows if row.damage is not None]
    if as_json:
        print_json({"larvae": len(rows), "damaged": [row._asdict() for row in damaged], "file": problems})
    else:
        for row in damaged:
            say(str(row.damage))
        for problem in problems:
            say(f"the file as a whole: {problem}")
        say(f"{_count(rows)}, {len(damaged)} damaged")
    context.exit(1 if damaged or problems else 0)


@sessions.command(short_help="Show one.")
@_ids
@state_dir_option
@as_json
def show(sim_id: str, model_id: str, state_dir: Path | None, *, as_json: bool) -> None:
    """Show what is known about a larva: SIM_ID and MODEL_ID as `list` prints them."""
    with _reading(state_dir) as reading:
        ids = _find(reading.ids(), sim_id, model_id)
        kept, replaced = reading.find(ids)
        record = reading.record()
    if kept is None:  # It went since it was listed.
        raise InputError(f"larva {model_id} of {sim_id} must be there, got none")
    last = kept.last
    about = {
        "sim_id": ids[0],
        "model_id": ids[1],
        "next_step": kept.next_step,
        "last_step_at": _when(kept.at),
        "seed": kept.base_seed,
        "loaded": kept.base_seed is None,
        "steps_since_snapshot": len(kept.replay),
        "last_request": None if last is None else last[0].named(),
        "last_reply": None if last is None else json.loads(last[1]),
        "put_aside_at_step": None if replaced is None else replaced.next_step,
        "kenyon": record["kenyon"],
    }
    if as_json:
        print_json(about)
        return
    for name, value in about.items():
        if value is None:
            continue
        words = json_text(value) if isinstance(value, dict) else _spelled(value) if name.endswith("_id") else value
        say(f"{name.replace('_', ' ')}: {words}")


@sessions.command(short_help="Write one to a file.")
@_ids
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write, .npz.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@state_dir_option
def export(sim_id: str, model_id: str, out: Path, state_dir: Path | None, *, overwrite: bool) -> None:
    """Write a larva's circuit as it is after its last step; `Snapshot.load` and a server's `load` read it.

    \b
    Example:
      kenyon sessions export PItrain_1 Larva_0 --out larva.npz
    """  # noqa: D301  # as above
    from kenyon.server.journal_reader import stored_parameters, stored_wiring
    from kenyon.server.timelines import snapshot_of

    with archive.replacing(out, overwrite=overwrite) as new:
        with _reading(state_dir) as reading:
            kept, _ = reading.find(_find(reading.ids(), sim_id, model_id))
            about = reading.record()
            parameters, wiring = stored_parameters(about), stored_wiring(about)
        if kept is None:
            raise InputError(f"larva {model_id} of {sim_id} must be there, got none")
        snapshot_of(parameters, wiring, kept.larva, kept.seed, kept.replay).save(new)
    say(f"Wrote {out}: larva {model_id} of {sim_id}, next step {kept.next_step}")


@sessions.command(short_help="Forget some.")
@click.argument("sim_id")
@click.argument("model_id", required=False)
@state_dir_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(sim_id: str, model_id: str | None, state_dir: Path | None, *, yes: bool) -> None:
    """Forget a larva, or, without MODEL_ID, all of a simulation; no server may be running there."""
    from kenyon.server.journal import Journal
    from kenyon.server.journal_reader import default_state_dir

    folder = state_dir or default_state_dir()
    with _reading(folder) as reading:
        larvae = [ids for ids in reading.ids() if _spelled(ids[0]) == sim_id and model_id in (None, _spelled(ids[1]))]
    if not larvae:
        raise _unknown(sim_id, model_id)
    with contextlib.closing(Journal(folder, None)) as journal:  # Refused where a server runs, before anybody is asked.
        if not yes:
            click.confirm(clean(f"Forget {_count(larvae)} of {sim_id} for good?"), abort=True)
        with journal.transaction():
            for ids in larvae:
                journal.forget(ids)
    say(f"Forgot {_count(larvae)}")


def _reading(state_dir: Path | None) -> "contextlib.closing[JournalReader]":
    from kenyon.server.journal_reader import JournalReader, default_state_dir

    return contextlib.closing(JournalReader(state_dir or default_state_dir()))


def _find(larvae: "list[Ids]", sim_id: str, model_id: str) -> "Ids":
    for ids in larvae:
        if (_spelled(ids[0]), _spelled(ids[1])) == (sim_id, model_id):
            return ids
    raise _unknown(sim_id, model_id)


def _unknown(sim_id: str, model_id: str | None) -> InputError:
    who = sim_id if model_id is None else f"{sim_id} {model_id}"
    return InputError(f"{who} must name a larva that is kept, got none; see `kenyon sessions list`")


def _count(larvae: Sequence[object]) -> str:
    return f"{len(larvae)} larva{'' if len(larvae) == 1 else 'e'}"


def _spelled(identity: str | int) -> str:
    """Return an id as it is typed: a text that could be read as a number, or not be printed, in quotes."""
    if isinstance(identity, str):
        plain = identity.isprintable() and not identity.lstrip("-").isdecimal() and not identity.startswith('"')
        return identity if identity and plain else json_text(identity)
    return str(identity)


def _when(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at).astimezone().isoformat(timespec="seconds")
