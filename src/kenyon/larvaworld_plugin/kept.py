"""What groups of larvae answered, kept in a folder: what was cut short goes on where it was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kenyon import archive
from kenyon.larvaworld_plugin import host
from kenyon.memory.options import plain_value
from kenyon.mushroom_body.parameters import NAMED
from kenyon.provenance import run_id
from kenyon.reservations import reserved

KIND = "answer of a group"


def name_of(group: Mapping[str, Any], settings: Mapping[str, Any], experiments: tuple[str, ...]) -> str:
    """Return the name of the file of a group: another one if anything that makes its numbers is another.

    Args:
        group: All that is asked of it, by name; `name` and `number` begin the name of the file.
        settings: What is registered.
        experiments: Names of the host's stored experiments that it lives through.
    """
    stored = host.stored("Model", group["model"]).brain.memory
    memory = host.memory_table()[0][stored.mode][stored.modality](**group["memory"])
    made_of = {
        "group": {name: plain_value(value) for name, value in group.items()},
        "settings": plain_value(dict(settings)),
        "options": {name: plain_value(value) for name, value in memory.param.values().items() if name != "name"},
        "constants": {name: constants.values() for name, constants in NAMED.items()},
        "stored": [host.contents("Exp", name) for name in experiments] + [host.contents("Model", group["model"])],
        "larvaworld": host.version(),
    }
    return f"{group['name']}-{group['number']}-{run_id(made_of)}.npz"


def found(folder: Path, name: str) -> dict[str, Any] | None:
    """Return an answer that is there; None if it is not.

    Raises:
        FileFormatError: the file is truncated or foreign.
    """
    if not (folder / name).exists():
        return None
    header, _ = archive.load(folder / name, KIND)
    answer: dict[str, Any] = header["answer"]
    return answer


def keep(folder: Path, name: str, answer: Mapping[str, Any]) -> None:
    """Write an answer into the folder, which is made if it is not there.

    Raises:
        InputError: the folder cannot be written to.
        LockedError: somebody else is writing it.
        StorageError: the disk is full.
    """
    with reserved(folder, name, overwrite=True, make=True) as new:
        archive.save(new / name, KIND, {"answer": dict(answer)}, {})
