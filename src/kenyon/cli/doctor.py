"""The subcommand that looks at the machine: what is installed, what can run, where compiled code is kept."""

import importlib.util
from typing import Any

import click

from kenyon.cli.output import as_json, print_json, print_table
from kenyon.compiled import cache_folder, cache_state, hindrance
from kenyon.errors import MissingDependencyError, installed_by
from kenyon.larvaworld_plugin.installation import installation
from kenyon.memory import qlearning_kernel  # noqa: F401  # What it compiles is looked at, too.
from kenyon.mushroom_body.vectors import has_fused
from kenyon.provenance import versions
from kenyon.threads import available_cores, chosen


@click.command()
@as_json
def doctor(*, as_json: bool) -> None:
    """Say what is installed and what can run here: versions, cores, engines, compiled code, Larvaworld."""
    findings: dict[str, Any] = {
        "versions": versions(),
        "cores": available_cores(),
        "threads": chosen(),
        "fused multiply-add": "in hardware" if has_fused() else "by the C library: the kernel is right, but very slow",
        "engines": {
            "kernel": hindrance() or "ready",
            "brian2": hindrance() or _brian2(),
            "cuda": hindrance() or _cuda(),
        },
        "compiled code": cache_folder(),
        "compiled code there": cache_state(),
        "larvaworld": installation(),
    }
    if as_json:
        print_json(findings)
        return
    rows = [[f"{package} version", number] for package, number in findings["versions"].items()]
    rows += [[name, str(findings[name])] for name in ("cores", "threads", "fused multiply-add")]
    rows += [[f"engine {name}", state] for name, state in findings["engines"].items()]
    rows.append(["compiled code is kept in", findings["compiled code"] or "nowhere"])
    rows.append(["compiled code there", findings["compiled code there"]])
    rows += [[what if what == "larvaworld" else f"larvaworld: {what}", s] for what, s in findings["larvaworld"].items()]
    print_table(["what", "found"], rows)


def _brian2() -> str:
    if importlib.util.find_spec("brian2") is None:
        return f"not installed; {installed_by('brian')}"
    from kenyon.mushroom_body.brian_setup import codegen_target

    if codegen_target() == "cython":
        return "ready, compiled by Cython and a C++ compiler"
    return "ready, but on Brian2's slower numpy target, for there is no C++ compiler (same spikes)"


def _cuda() -> str:
    from kenyon.mushroom_body.cuda import import_cuda

    try:
        device = import_cuda().get_current_device()
    except MissingDependencyError as reason:
        return str(reason)
    return f"ready, on {device.name.decode() if isinstance(device.name, bytes) else device.name}"
