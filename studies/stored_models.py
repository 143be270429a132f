"""Does the memory of every stored model of Larvaworld work? Each is run for 30 s in an experiment that suits it.

Works means: its larvae are built with a memory of Kenyon's, that met a stimulus that changed, and has changed itself.

    make larvaworld-models                         # on two cores; writes docs/reference/larvaworld_models.md
    python studies/stored_models.py --only x2_MB   # those whose names contain x2_MB; writes nothing

Ends with 1 if a model does not work and nothing in its configuration says why.
"""

import argparse
import multiprocessing
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from kenyon.larvaworld_plugin import host
from kenyon.larvaworld_plugin.models import MemoryModel, TryOut, memory_models, try_out
from kenyon.provenance import versions

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "larvaworld_models.md"

# Larvaworld makes most of its models by joining a locomotor to a kind: RE_NEU_PHI_DEF and forager_MB.
JOINED = re.compile(r"(?:(?P<locomotor>.+?)_)??(?P<kind>(?:max_)?(?:forager|navigator)\w*)")

HEAD = """\
<!-- Written by studies/stored_models.py; run `make larvaworld-models`. -->

# Larvaworld's stored models with a memory

Each of the {all} was run with a memory of Kenyon's: five larvae for {seconds} s, seed 0, in a stored experiment that
suits it. **{work} work**: a memory met a stimulus that changed, and has changed itself, which is a Q-table that is no
longer all zeros, or weights from Kenyon cells that differ from a newborn's. **{cannot} cannot**, for reasons that lie
in Larvaworld.

Made with `make larvaworld-models` ({made}).

- Q-learning models choose once a minute as stored; here they chose five times in the run, so that they could learn. No
  other option of a model was changed.
- Models in one row differ in their locomotor alone; each was run, and they did alike. *Met food* counts those of which
  a larva was on food at any time.
- Larvaworld looks for food only for larvae with a feeder or a toucher; Kenyon's memories look for the others
  (`seeks_food`).
- *Blind*: the sensor is `brute_force` and reports no change; Kenyon's memories form it from what is sensed.
- No stored model has a mushroom body for touch.

A model is named by locomotor, `_` and kind, or, where the locomotor is none, by the kind alone. Sets of locomotors:
"""


class Result(NamedTuple):
    """A model and how it did."""

    model: MemoryModel
    trial: TryOut

    @property
    def failed(self) -> bool:
        """Whether it does not work, and nothing says why."""
        return not self.trial.works and not self.model.hindrance

    @property
    def locomotor(self) -> str:
        """The part of its name that says how it moves; empty where there is none."""
        joined = JOINED.fullmatch(self.model.name)
        return joined["locomotor"] or "" if joined else ""

    @property
    def kind(self) -> str:
        """The rest of its name."""
        joined = JOINED.fullmatch(self.model.name)
        return joined["kind"] if joined else self.model.name


def results(models: Sequence[MemoryModel], seconds: float, jobs: int) -> Iterator[Result]:
    """Yield how each model did, as soon as it is known."""
    by_name = {model.name: model for model in models}
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(try_out, model.name, seconds) for model in models]):
            trial = future.result()
            yield Result(by_name[trial.name], trial)


def page(found: Sequence[Result], seconds: float) -> str:
    """Return the page: one row for all models that differ in nothing but how they move, and did alike."""
    work = _rows([result for result in found if result.trial.works])
    cannot: dict[str, list[Result]] = {}
    for result in sorted(found):
        if not result.trial.works:
            cannot.setdefault(result.trial.reason, []).append(result)
    made = ", ".join(f"{name} {number}" for name, number in {**versions(), "larvaworld": host.version()}.items())
    count = sum(map(len, work.values()))
    lines = [HEAD.format(made=made, all=len(found), work=count, cannot=len(found) - count, seconds=f"{seconds:g}")]
    letters = _letters(work)
    lines += [f"- **{letter}** ({len(names)}): {_listed(names)}" for names, letter in letters.items()]
    lines += ["", f"## Work: {count}", "", *_table(work, letters), "", f"## Cannot: {len(found) - count}"]
    for reason, hindered in cannot.items():
        built = sum(result.trial.built for result in hindered)
        names = _listed([result.model.name for result in hindered])
        lines += ["", f"**{len(hindered)}**, of which {built} were built and run: {reason}.", "", f"{names}."]
    return "\n".join(lines) + "\n"


def _rows(found: Sequence[Result]) -> dict[tuple[str, ...], list[Result]]:
    """Return the models by what they share: their kind, and all that came of it."""
    rows: dict[tuple[str, ...], list[Result]] = {}
    for result in sorted(found, key=lambda result: (result.kind, result.locomotor)):
        model, trial = result
        shared = (_listed(model.stimuli), _yes(model.feeder), _yes(model.blind), trial.experiment, str(trial.memory))
        rows.setdefault((result.kind, *shared), []).append(result)
    return rows


def _letters(rows: Mapping[tuple[str, ...], Sequence[Result]]) -> dict[tuple[str, ...], str]:
    """Return a letter for each set of locomotors that shares a row."""
    sets = dict.fromkeys(tuple(one.locomotor for one in row) for row in rows.values())
    sets.pop(("",), None)
    return {names: chr(ord("A") + place) for place, names in enumerate(sets)}


def _table(rows: Mapping[tuple[str, ...], Sequence[Result]], letters: Mapping[tuple[str, ...], str]) -> list[str]:
    head = ["kind", "locomotors", "models", "stimuli", "feeder", "blind", "experiment", "memory", "met food"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for (kind, *shared), row in rows.items():
        moving = letters.get(tuple(result.locomotor for result in row), "none")
        fed = sum(result.trial.on_food for result in row)
        lines.append("| " + " | ".join([f"`{kind}`", moving, f"{len(row)}", *shared, f"{fed}"]) + " |")
    return lines


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" if name else "none" for name in names) or "none"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all, write the page, and return 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", metavar="TEXT", default="", help="try out models whose names contain it; write nothing"
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="time of the larvae [default: 30]")
    parser.add_argument("--jobs", type=int, default=2, help="processes [default: 2]")
    asked = parser.parse_args(arguments)
    models = [model for model in memory_models() if asked.only in model.name]
    if not models:
        parser.error(f"--only must be part of the name of a model with a memory, got {asked.only!r}")
    began, found = time.monotonic(), list[Result]()
    for result in results(models, asked.seconds, asked.jobs):
        found.append(result)
        words = "works" if result.trial.works else ("FAILED: " if result.failed else "cannot: ") + result.trial.reason
        print(f"{len(found)}/{len(models)} {time.monotonic() - began:.0f} s {result.model.name} {words}", flush=True)
    failed = [result.model.name for result in found if result.failed]
    works = sum(result.trial.works for result in found)
    print(f"{works} work, {len(found) - works - len(failed)} cannot, {len(failed)} failed")
    if failed:
        print("Failed: " + ", ".join(sorted(failed)), file=sys.stderr)
    elif not asked.only:
        PAGE.write_text(page(found, asked.seconds), encoding="utf-8")
        print(f"Wrote {PAGE.name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
