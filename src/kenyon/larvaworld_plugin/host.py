"""The way to Larvaworld: imported when it is first needed, of a version that was looked at, quiet, and repeatable.

Law of this room: nothing of Larvaworld is imported while Kenyon is, for it takes seconds and most have none.
"""

import contextlib
import io
import json
import os
import random
import warnings
from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from importlib import metadata
from typing import Any

import numpy as np

from kenyon import checks, drawing
from kenyon.errors import InputError, MismatchError, MissingDependencyError
from kenyon.seeds import generator
from kenyon.words import shown

VERSIONS = ("2.4.0", "2.5.1")
"""Those that Kenyon's tests run beside."""

OTHER_VERSIONS = ("refuse", "warn")


def version() -> str:
    """Return the version of Larvaworld that is installed.

    Raises:
        MissingDependencyError: none is.
    """
    try:
        return metadata.version("larvaworld")
    except metadata.PackageNotFoundError:
        raise MissingDependencyError(
            f"larvaworld must be installed, {' or '.join(VERSIONS)}, got none; in the clone: make "
            "larvaworld, on Python 3.10 to 3.12"
        ) from None


def require(other_versions: str = "refuse") -> None:
    """See to it that Larvaworld is there, and one that Kenyon knows.

    Args:
        other_versions: What to do about another version: "refuse" or "warn".

    Raises:
        MissingDependencyError: Larvaworld is not installed.
        MismatchError: it is of another version, which is to be refused.
    """
    checks.one_of("other_versions", other_versions, OTHER_VERSIONS)
    found = version()
    if found not in VERSIONS:
        words = f"larvaworld must be {' or '.join(VERSIONS)}, got {found}"
        if other_versions == "refuse":
            raise MismatchError(f"{words}; install one of these, or pass other_versions='warn' to try it")
        warnings.warn(f"{words}; its inner parts may have moved", stacklevel=3)
    # pygame, which it imports, looks for a screen otherwise.
    os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("LARVAWORLD_SHOW_PROGRESS", "0")
    drawing.import_matplotlib()
    with quiet():
        # The two in this order, for its parts import each other in a circle.
        import larvaworld.lib.reg
        import larvaworld.lib.sim  # noqa: F401


def seeds_itself() -> bool:
    """Return whether a run of the host takes a seed for all of its chance, and keeps a record of it; since 2.5."""
    return not version().startswith("2.4.")


def memory_table() -> tuple[dict[str, Any], ...]:
    """Return where the host looks memory classes up, by mode and modality: its module database and the class's own."""
    from larvaworld.lib.model.modules.module_modes import BrainModuleDB, moduleDB

    return moduleDB.brainDB["memory"].dict, BrainModuleDB.BrainModuleModes.memory


def names(kind: str) -> list[str]:
    """Return the names of all that the host has stored, in order: of experiments ("Exp") or models ("Model")."""
    from larvaworld.lib import reg

    return sorted(reg.conf[kind].confIDs)


def stored(kind: str, name: str) -> Any:
    """Return a copy of a stored configuration: of an experiment ("Exp") or a model ("Model").

    Raises:
        InputError: there is none of that name; the nearest ones are named.
    """
    from larvaworld.lib import reg

    known = reg.conf[kind]
    if name not in known.confIDs:
        word, listed = {"Exp": ("experiment", "all"), "Model": ("model", "those with a memory")}[kind]
        raise InputError(
            f"{word} must be one that Larvaworld has stored, got {shown(name)}; {checks.nearest(name, known.confIDs)} "
            f"(`kenyon larvaworld {word}s` lists {listed})"
        )
    return known.getID(name).get_copy()


def configuration(kind: str, given: str | Mapping[str, Any]) -> Any:
    """Return a copy of a configuration, in the host's own form: of one by value, or of the one stored under a name.

    Args:
        kind: As for `stored`.
        given: A name or a configuration.

    Raises:
        InputError: there is none of that name; the nearest ones are named.
    """
    if isinstance(given, str):
        return stored(kind, given)
    from larvaworld.lib.util import AttrDict

    return AttrDict(deepcopy(dict(given)))


def written_of(run: Any, learners: Collection[str]) -> str:
    """Return all that a run is configured with and that can change its numbers, as text; models as they are, not named.

    The phase at which every oscillator starts belongs to it: the host draws it when it is imported.

    Args:
        run: A run of the host.
        learners: Groups whose larvae have memories of ours, which say by themselves what they are.
    """
    from larvaworld.lib.model.modules.oscillator import Oscillator

    told = {name: value for name, value in run.p.items() if name not in _CHANGES_NO_NUMBER}
    groups = run.p.get("larva_groups", {}).items()
    models = {name: _written(group.get("model"), bare=name in learners) for name, group in groups}
    told["larva_groups"] = {name: {**group, "model": models[name]} for name, group in groups}
    searched = getattr(run, "selector", None)  # by a genetic algorithm
    if searched is not None:
        told["base_model"] = _written(searched.mConf0, bare=bool(learners))
    return json.dumps([told, Oscillator.param["phi"].default], default=str, sort_keys=True)


def _written(model: Any, *, bare: bool) -> Any:
    """Return all that a model says, of its memory only if it is not to be `bare`."""
    known = stored("Model", model) if isinstance(model, str) else model
    if not bare:
        return known
    return {**known, "brain": {name: value for name, value in known["brain"].items() if name != "memory"}}


_CHANGES_NO_NUMBER = ("dir", "agentpy_output_kws", "store_data", "parameters", "enrichment", "collectors")
"""What a run is configured with that says where its results go, or comes twice."""


def contents(kind: str, name: str) -> str:
    """Return all that is stored under a name, as text that is the same in every process."""
    return json.dumps(stored(kind, name), default=str, sort_keys=True)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let the host say nothing: neither its progress, nor its warnings, nor what it prints."""
    import larvaworld

    before = larvaworld.VERBOSE
    larvaworld.VERBOSE = 3
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            warnings.filterwarnings("always", module="kenyon")
            yield
    finally:
        larvaworld.VERBOSE = before


@contextlib.contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Let all that the host draws by chance follow a seed, in any process; afterward everything is as it was.

    The host seeds its global generators itself, from 2.5 on; but the phase at which every oscillator starts is a
    default that it draws when it is imported, before any seed can be given.
    """
    from larvaworld.lib.model.modules.oscillator import Oscillator

    phase = Oscillator.param["phi"]
    before = random.getstate(), np.random.get_state(), phase.default  # noqa: NPY002  # the host's
    chance = generator(seed, "host")
    random.seed(int(chance.integers(2**63)))
    np.random.seed(int(chance.integers(2**32)))  # noqa: NPY002  # as above
    phase.default = float(chance.uniform(0.0, 2.0 * np.pi))
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002  # as above
        phase.default = before[2]


def no_analysis() -> dict[str, Any] | None:
    """Return what asks a run for no analysis of its tracks: None, or an empty one where that alone is taken.

    What the first dataset of a process was made with decides what all later ones take.
    """
    from larvaworld.lib.process.dataset import DatasetConfig

    taken = DatasetConfig.param
    return {} if "enrichment" in taken and not taken["enrichment"].allow_None else None
