"""How groups that were tested in a dish of the host become a dataset, and how that says what made it."""

import json
from collections.abc import Mapping
from typing import Any

from kenyon.larvaworld_plugin import host
from kenyon.larvaworld_plugin.groups import Answer, Group
from kenyon.larvaworld_plugin.memories import spelled
from kenyon.larvaworld_plugin.memory_files import odor_contents
from kenyon.larvaworld_plugin.observation import CHANGES_NO_NUMBER
from kenyon.provenance import run_id, versions

LONG_NAMES: Mapping[str, str] = {
    "preference_index": "at the end of the test, of the first odor over the other side; Larvaworld's own formula",
    "preference_mean": "the same, averaged over the second half of the test",
    "learned": "what was learned by the end of the test, mean over larvae",
    "gain": "gain at the end of the test, mean over larvae",
    "head_casts_hz": "head casts per second and larva, while larvae head toward the first odor and away",
    "reorientation_deg": "by how much a head cast turns the head toward the first odor, mean over head casts",
    "distance_m": "from larvae to the first odor's source, mean over the second half of the test",
}
"""What a dataset holds of each test: fields of `groups.Tested`."""

UNITS: Mapping[str, str] = {"head_casts_hz": "1/s", "reorientation_deg": "degrees", "distance_m": "m"}


def attributes(name: str) -> dict[str, str]:
    """Return what a variable says of itself."""
    return {"long_name": LONG_NAMES[name]} | ({"units": UNITS[name]} if name in UNITS else {})


def stated(
    kind: str, group: Group, answer: Answer, *, numbers: Mapping[str, Any], identity: Mapping[str, Any],
    experiments: tuple[str, ...],
) -> dict[str, Any]:  # fmt: skip
    """Return all that made a result, each without dimensions, and first the id of all of it.

    Args:
        kind: Of the result.
        group: One of its groups.
        answer: What that did.
        numbers: What was asked of all groups, by name.
        identity: What else makes the numbers.
        experiments: Names of the host's stored experiments that were lived through.
    """
    said = {**numbers, **answer.stated}
    made_of = {
        "kind": kind,
        **{name: value for name, value in said.items() if name not in (*CHANGES_NO_NUMBER, "memory", "odors")},
        "odors": odor_contents(json.loads(str(answer.stated["odors"]))),
        **identity,
        "asked": {
            name: spelled(value) for name, value in group.memory.items() if f"memory.{name}" not in CHANGES_NO_NUMBER
        },
        "stored": [host.contents("Exp", name) for name in experiments] + [host.contents("Model", group.model)],
    }
    return {
        "run_id": run_id(made_of),
        **said,
        "options": spelled(dict(group.memory)),
        "versions": json.dumps({**versions(), "larvaworld": host.version()}),
    }
