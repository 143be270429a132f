"""The subcommand about the library of experiments: list them, show one."""

from typing import Any

import click

from kenyon.cli.inputs import EXPERIMENT
from kenyon.cli.output import as_json, print_json, print_table, say
from kenyon.conditioning.entry import Entry
from kenyon.conditioning.library import entries, find_entry
from kenyon.conditioning.timeline import draw_in_text


@click.command()
@click.argument("experiment", metavar="[ID]", required=False, type=EXPERIMENT)
@as_json
def paradigms(experiment: str | None, *, as_json: bool) -> None:
    """List the experiments of the library; with ID show one: its question, groups, design and timeline.

    An ID is a name, or a name and the values that are varied, as in trace/5s,30s. `kenyon train ID` runs it.
    """
    if experiment is not None:
        _show(*find_entry(experiment), as_json=as_json)
    elif as_json:
        print_json([_facts(entry, None) for entry in entries().values()])
    else:
        rows = [(entry.id, entry.question, entry.values) for entry in entries().values()]
        print_table(["id", "what it asks", "varied"], rows, title="Experiments of the library")


def _show(entry: Entry, values: str | None, *, as_json: bool) -> None:
    facts = _facts(entry, values)
    if as_json:
        print_json(facts)
        return
    design = entry.design(values)
    say(f"{entry.id}: {entry.question}")
    say(f"Source: {entry.source}")
    if entry.varied:
        say(f"Varied: {entry.varied}; {entry.id}/{values or entry.values}")
    for name, words in entry.controls.items():
        say(f"Control {name}: {words}.")
    say(f"Design: {design.text}")
    for line in draw_in_text(design).splitlines():
        say(line)


def _facts(entry: Entry, values: str | None) -> dict[str, Any]:
    design = entry.design(values)
    return {
        "id": entry.id,
        "question": entry.question,
        "source": entry.source,
        "varied": entry.varied,
        "values": values or entry.values,
        "groups": [group.name for group in design.groups],
        "controls": dict(entry.controls),
        "duration_s": design.duration_s,
        "design": design.text,
    }
