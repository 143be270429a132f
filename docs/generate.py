"""Writes the reference pages from the code, or checks that they are current.

python docs/generate.py          # write docs/reference/*.md and CITATION.cff
python docs/generate.py --check  # exit with 1 if one is not what it would write
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from kenyon.citation import KENYON, WORKS, Work
from kenyon.cli import completion
from kenyon.cli import main as command
from kenyon.conditioning.entry import Entry
from kenyon.conditioning.library import entries
from kenyon.conditioning.timeline import draw_in_text
from kenyon.conditioning.variables import MEASURED, SECONDS, STATED, Variable
from kenyon.memory import Memory, MushroomBodyMemory, RemoteBrianModelMemory, RLmemory, Timer
from kenyon.memory.mushroom_body import MBmemory
from kenyon.mushroom_body.odors import odors
from kenyon.mushroom_body.parameters import BALANCED, LARVAL, PUBLISHED, constants
from kenyon.wire.refusals import CODES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py; change the code, then run `make docs`. -->\n\n"


def parameters_page() -> str:
    """Return the table of constants."""
    lines = ["# Every constant of the circuit", ""]
    lines += [
        "Names as in `Parameters.replace` and `kenyon train --set`. A dash: that set keeps the published value.",
        "",
        "The source is that of the published value. Values of [`balanced`](../explanation/balanced.md) and",
        "[`larval`](../explanation/sceptic.md) come from our searches. With a `potentiation` of 0 its times and",
        "its ceiling do nothing. [Which set to take](../explanation/the_model.md#three-sets-of-constants).",
        "",
    ]
    lines += ["| name | published | balanced | larval | unit | meaning | range | source |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    published, changed = PUBLISHED.values(), [own.differences(PUBLISHED) for own in (BALANCED, LARVAL)]
    for name, constant in constants().items():
        balanced, larval = (f"{own[name][0]:g}" if name in own else "-" for own in changed)
        value = "none" if published[name] is None else f"{published[name]:g}"
        limits = f"{constant.low:g} to {constant.high:g}" + (" or none" if constant.optional else "")
        cells = [f"`{name}`", value, balanced, larval, constant.unit, constant.meaning, limits, constant.source]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def paradigms_page() -> str:
    """Return the experiments of the library, one after the other."""
    lines = ["# Experiments of the library", ""]
    lines += ['`kenyon train ID` runs one, `run("ID")` in Python. Texts are in [the notation](notation.md); A, B and C']
    lines += ["can be bound to any odors, and + to either reinforcement, by `--odor`, `--us` and `as_design`.", ""]
    lines += ["| id | what it asks |", "|---|---|"]
    lines += [f"| [`{entry.id}`](#{entry.id}) | {entry.question} |" for entry in entries().values()]
    return "\n".join([*lines, "", *map(_entry, entries().values())])


def _entry(entry: Entry) -> str:
    """Return a section about one experiment, with its timeline."""
    design = entry.design()
    lines = [f"## {entry.id}", "", f"{entry.question} {entry.source}.", ""]
    if entry.varied:
        lines += [f"Varied is the {entry.varied}: `{entry.id}/{entry.values}` unless the id names other values.", ""]
    lines += [f"- Control `{name}`: {words}." for name, words in entry.controls.items()] + [""] * bool(entry.controls)
    return "\n".join([*lines, "```", design.text, "", draw_in_text(design), "```", ""])


_RESULT = """# What a result holds

`run(...)` gives a dataset (`xarray.Dataset`) for each group of larvae, and `load` reads one from its file.
Dimensions: `larva`; `test`, a moment at which larvae were tested; `test_odor`, what they were tested with; `phase`;
`group`, of neurons; `kc`, a Kenyon cell. What was not tested at a moment is nan.
"""

_CONSTANTS = """And every [constant of the circuit](parameters.md) by its name, such as `kc.threshold_mV`; nan is none.
"""

_JOINED = """## Selected and joined

Results stay true when they are selected and joined, for each larva keeps what made it. With what `make demo` has
written:

```python
import xarray
from kenyon.conditioning import load, summary

paired, unpaired = load("demo/paired.nc"), load("demo/unpaired.nc")
few = paired.isel(larva=slice(10)).sel(test_odor=["pentyl acetate"])  # a list, so that the axis stays
print(summary(few)[-1]["preference_index"])

both = xarray.concat([paired, unpaired], "larva", coords="different", compat="equals")
for _, larvae in both.groupby("run_id"):
    print(summary(larvae)[-1]["group"])
```
"""

_FILE = """## In the file

`GROUP.nc` is NetCDF 4 (HDF5), which any program of the field opens. To be small and quick it holds the same in fewer
variables:

- Rates are kept as counts of spikes (`test_spikes`, `phase_spikes`, `second_spikes`).
- All that is not of each larva is one text, `made` (JSON).
- What follows from the rest is left out.

`load` puts everything in its place. It reads files of formats 1 and 2 as well; what they do not say is nan or empty.
"""


def results_page() -> str:
    """Return every variable of a result."""
    measured, stated = _variables("What was measured", MEASURED), _variables("What made it", STATED)
    return "\n".join(
        [_RESULT, measured, stated, _CONSTANTS, _variables("With `per_second=True`", SECONDS), _JOINED, _FILE]
    )


def _variables(title: str, variables: Mapping[str, Variable]) -> str:
    """Return a section with a table of variables."""
    lines = [f"## {title}", "", "| variable | of | unit | meaning | kept |", "|---|---|---|---|---|"]
    for name, own in variables.items():
        dims = ", ".join(own.dims) or "the run"
        lines.append(f"| `{name}` | {dims} | {own.units} | {own.meaning} | {own.kept_by and f'`{own.kept_by}=`'} |")
    return "\n".join([*lines, ""])


_TITLES: dict[type, str] = {
    RLmemory: "RLmemory, RLOlfMemory, RLTouchMemory, RLPopulation",
    MBmemory: "MBmemory (both below)",
}


def memories_page() -> str:
    """Return the options of every memory class."""
    parts = ["# Options of the memories\n", "Each is a `param` of its class, checked when it is set.\n"]
    known: set[str] = {"name"}
    for kind in (Timer, Memory, RLmemory, MBmemory, MushroomBodyMemory, RemoteBrianModelMemory):
        options = [name for name in kind.param if name not in known or name in kind.__dict__]
        options = [name for name in options if name != "name" and not kind.param[name].readonly]
        known |= set(kind.param)
        lines = ["| option | default | what it is |", "|---|---|---|"]
        lines += [f"| `{name}` | `{kind.param[name].default!r}` | {kind.param[name].doc} |" for name in sorted(options)]
        bases = [base.__name__ for base in kind.__mro__[1:] if base.__module__.startswith("kenyon")]
        above = f"Besides those of {', '.join(f'`{base}`' for base in bases)}:\n\n" if bases else ""
        parts.append(f"## {_TITLES.get(kind, kind.__name__)}\n\n{above}" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def cli_page() -> str:
    """Return the help of every subcommand."""
    parts = ["# The kenyon command\n"]
    for title, sub in _commands("kenyon", command):
        context = click.Context(
            sub, info_name=title, **command.context_settings, terminal_width=100, max_content_width=100
        )
        parts.append(f"## {title}\n\n```\n{sub.get_help(context)}\n```\n")
    return "\n".join(parts)


def _commands(title: str, sub: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Return a command and everything below it, each with how it is called."""
    yield title, sub
    if isinstance(sub, click.Group):
        for name, own in sub.commands.items():
            yield from _commands(f"{title} {name}", own)


def refusals_page() -> str:
    """Return the table of the codes by which a server refuses."""
    lines = [
        "# Why a server refuses",
        "",
        "`error` in a reply is one sentence, `error_code` one of these words.",
        "",
    ]
    lines += ["| code | meaning |", "|---|---|", *(f"| `{code}` | {meaning} |" for code, meaning in CODES.items())]
    return "\n".join(lines) + "\n"


def citation_file() -> str:
    """Return CITATION.cff, in the Citation File Format 1.2.0."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    released = re.search(rf"^## {re.escape(project['version'])}, (\d{{4}}-\d\d-\d\d)$", changes, re.MULTILINE)
    about = {
        "cff-version": "1.2.0",
        "message": "Please cite Kenyon, and what it stands on that you have used: `kenyon cite RESULT.nc` prints it.",
        "type": "software",
        "title": KENYON.title,
        "abstract": project["description"],
        "authors": [{"name": name} for name in KENYON.authors],
        "version": project["version"],
        **({"date-released": released[1]} if released else {}),
        "license": project["license"],
        "keywords": project["keywords"],
        "references": [_reference(work) for work in WORKS.values()],
    }
    lines = ["# Written by docs/generate.py; change src/kenyon/citation.py, then run `make docs`."]
    for name, value in about.items():  # YAML of which each value is JSON, which YAML reads.
        several = isinstance(value, list)
        lines += [f"{name}:" if several else f"{name}: {json.dumps(value, ensure_ascii=False)}"]
        lines += [f"  - {json.dumps(own, ensure_ascii=False)}" for own in value] if several else []
    return "\n".join(lines) + "\n"


def _reference(work: Work) -> Mapping[str, object]:
    """Return a work in the words of the Citation File Format."""
    first, _, last = work.pages.partition("-")
    return {
        "type": "article",
        "authors": [dict(zip(("family-names", "given-names"), own.split(", "), strict=True)) for own in work.authors],
        "title": work.title,
        "journal": work.journal,
        "year": work.year,
        "volume": work.volume,
        "start": first,
        **({"end": last} if last else {}),
        "doi": work.doi,
        "notes": work.used_for,
    }


def completion_file() -> str:
    """Return what shells complete, as JSON: commands, and names."""
    names = {
        "odor": {odor.name: "" for odor in odors()},
        "experiment": {entry.id: entry.question for entry in entries().values()},
    }
    told = {"command": completion.outline(command), "names": names}
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write or check; return the exit status."""
    check = "--check" in sys.argv[1:]
    stale = []
    pages = {
        "parameters": parameters_page(),
        "paradigms": paradigms_page(),
        "memories": memories_page(),
        "cli": cli_page(),
        "refusals": refusals_page(),
        "results": results_page(),
    }
    files = {FOLDER / f"{name}.md": NOTE + page for name, page in pages.items()}
    files[ROOT / "CITATION.cff"] = citation_file()
    files[completion.FILE] = completion_file()
    for path, text in files.items():
        if check and (not path.exists() or path.read_text("utf-8") != text):
            stale.append(str(path.relative_to(ROOT)))
        elif not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
    if stale:
        print(f"not current: {', '.join(stale)}; run `make docs`")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
