"""An experiment as a stream of events, which can be stopped after any of them and goes on exactly there.

What an experiment has come to is one value, replaced by one assignment after each act. So whatever interrupts it finds
it before an act or after it, and going on gives the numbers of an experiment that was never stopped.
"""

import copy
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kenyon import archive, checks
from kenyon.conditioning import checkpoint
from kenyon.conditioning.checkpoint import Stopped
from kenyon.conditioning.dataset import dataset, made_of
from kenyon.conditioning.designs import Design
from kenyon.conditioning.events import Answered, Event, Listener, SliceLived
from kenyon.conditioning.library import as_design
from kenyon.conditioning.living import Living, Now, courses
from kenyon.conditioning.outcome import Results
from kenyon.conditioning.phases import Probe
from kenyon.conditioning.setup import Kept, prepared
from kenyon.errors import InputError
from kenyon.mushroom_body import DEFAULT, Odor, Parameters, Snapshot
from kenyon.mushroom_body.engine import Engine
from kenyon.mushroom_body.wiring import RANDOM
from kenyon.progress import progress
from kenyon.provenance import run_id
from kenyon.words import shown


class Experiment:
    """Larvae that live through a design, group by group; the same larvae in every group.

    Args:
        design: What is done to them: a design, its text, or the id of one of the library.
        odors: Odors of one's own that its text may name.
        larvae: How many in each group; or the larvae themselves, as `Population.snapshot` gives them, which live on
            under their own constants.
        seed: Larva i has the seed `larva_seed(seed, i)`: the same larvae in every design.
        parameters: The constants of the circuit.
        wiring: How the larvae are wired, as for `Population`.
        pn_to_kc: A wiring of one's own instead, as for `Population`.
        engine: "kernel", "brian2", "cuda" or an `Engine`; the numbers are the same.
        threads: How many larvae are advanced at once, as for `Population`; it changes no number.
        weights: Keep the weights of every larva at every test.
        codes: Keep how often each Kenyon cell fired at every test.
        per_second: Keep the rates of every second.
        recordings: Record spikes, potentials, weights or eligibility: a `Record` for all phases and tests, or several,
            by "phases", "tests", the label of phases or of a stage, or a test odor.

    Attributes:
        design: As given.

    Raises:
        InputError: an argument is unusable; nothing has been simulated then.
        MissingDependencyError: the engine is brian2, and Brian2 is not installed.

    Randomness:
        Every larva's own streams.

    Example:
        >>> from kenyon.conditioning import Group, Phase, Probe, Stage
        >>> short = Stage([Phase(2, "anisole", reward=1), Probe("anisole", 0.5)])
        >>> experiment = Experiment(Design([Group("trained", [short])]), larvae=2)
        >>> for event in experiment.events():
        ...     print(type(event).__name__)
        GroupBegan
        PhaseBegan
        SliceLived
        PhaseEnded
        Answered
        GroupEnded
        >>> experiment.results()
        <results of trained: 2 larvae, 1 test>
    """

    def __init__(
        self,
        design: Design | str,
        *,
        odors: Sequence[Odor] = (),
        larvae: int | Snapshot = 30,
        seed: int = 0,
        parameters: Parameters = DEFAULT,
        wiring: str = RANDOM,
        pn_to_kc: Any = None,
        engine: str | Engine = "kernel",
        threads: int | None = None,
        weights: bool = False,
        codes: bool = False,
        per_second: bool = False,
        recordings: Any = (),
    ) -> None:
        design = as_design(design, odors=odors)
        setup = prepared(
            [group.name for group in design.groups], larvae, seed=seed, parameters=parameters, wiring=wiring,
            pn_to_kc=pn_to_kc, engine=engine, threads=threads, kept=Kept(weights, codes, per_second, recordings),
        )  # fmt: skip
        self._make(Stopped(design, setup, Now(), courses(design.groups, setup)))

    @classmethod
    def resume(
        cls,
        path: str | os.PathLike[str],
        *,
        engine: str | Engine | None = None,
        threads: int | None = None,
        limit_bytes: int = archive.LIMIT_BYTES,
    ) -> "Experiment":
        """Return the experiment of a file that `checkpoint` wrote, to go on from there.

        Args:
            path: The file.
            engine: Goes on with another engine, which gives the same numbers.
            threads: As for the class.
            limit_bytes: Most bytes that its arrays may have.

        Raises:
            FileFormatError: the file is truncated, foreign, inconsistent or too much.
            FileNotFoundError: there is no such file.
        """
        experiment = cls.__new__(cls)
        experiment._make(checkpoint.load(path, engine, threads, limit_bytes))
        return experiment

    def _make(self, stopped: Stopped) -> None:
        self.design, self._setup, self._now, self._courses = stopped
        self._living: Living | None = None

    def __repr__(self) -> str:
        """Say what this is, and how far it has come."""
        return f"<experiment of {len(self._courses)} groups, {len(self._now.ended)} of them through>"

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made of: it goes on from where this one is, by itself."""
        return {**vars(self), "_courses": copy.deepcopy(self._courses), "_living": None}

    @property
    def ended(self) -> bool:
        """Whether all groups are through."""
        return len(self._now.ended) == len(self._courses)

    @property
    def work_s(self) -> float:
        """How long a larva of each group lives and is asked, all groups together, s."""
        return sum(group.duration_s + group.probes_s for group in self.design.groups)

    def events(self) -> Iterator[Event]:
        """Go on, and tell of one event after the other; stop at any time, and ask again to go on from there.

        Yields:
            What happens, see `kenyon.conditioning.events`.
        """
        while (event := self._next()) is not None:
            yield event

    def run(self, listeners: Sequence[Listener] = (), *, show_progress: bool = True) -> Results:
        """Go on to the end, and return what was measured.

        Args:
            listeners: Functions that are told of every event, as it comes.
            show_progress: Show a progress bar on standard error.

        Raises:
            InputError: a listener cannot be called.
        """
        told = checks.listeners(listeners)
        names = [group.name for group in self.design.groups]
        larvae = len(self._setup.seeds(names[0]))
        with progress(f"{', '.join(names)}, {larvae} larvae", larvae * self.work_s, show=show_progress) as done:
            for event in self.events():
                if (lived_s := _work_s(event)) > 0.0:
                    done(lived_s)
                for listener in told:
                    listener(event)
        return self.results()

    def results(self) -> Results:
        """Return what was measured, of each group that is through.

        Raises:
            InputError: no group is through yet.
        """
        through = [course for course in self._courses if course.group.name in self._now.ended]
        if not through:
            raise InputError("an experiment must have a group that is through, got none; go through its events first")
        of_group = partial(Design, bindings=self.design.bindings, reinforcer=self.design.reinforcer)
        return Results({own.group.name: dataset(of_group((own.group,)), own, self._setup) for own in through})

    def checkpoint(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write all of it to a file, from which `resume` goes on exactly.

        Raises:
            InputError: the file exists and `overwrite` is False, or its folder does not.
            LockedError: somebody else is writing it.
            StorageError: the disk is full.
        """
        checkpoint.save(path, Stopped(self.design, self._setup, self._now, self._courses), overwrite=overwrite)
        return Path(path)

    def branch(
        self,
        design: Design | str,
        *,
        engine: str | Engine | None = None,
        threads: int | None = None,
        weights: bool = False,
        codes: bool = False,
        per_second: bool = False,
        recordings: Any = (),
    ) -> "Experiment":
        """Return an experiment that takes the larvae as they are now into another design; these stay as they are.

        Groups of the same names continue those; where there is one group here, all continue that; a design of one group
        is done to every group here that has begun, each by its own name.

        Args:
            design: As for the class.
            engine: As for the class; the same if not given.
            threads: As for the class; the same if not given.
            weights: As for the class.
            codes: As for the class.
            per_second: As for the class.
            recordings: As for the class.

        Raises:
            InputError: the groups of the design are others than those here, or one has not begun.

        Example:
            >>> trained = Experiment("A+ 2s, ?A 1s", larvae=2)
            >>> _ = trained.run(show_progress=False)
            >>> forgetting = trained.branch("60s, ?A 1s").run(show_progress=False)
            >>> dose = trained.branch("?A@0.01 1s, ?A@0.1 1s").run(show_progress=False)
            >>> dose.one.test_odor.values.tolist()
            ['pentyl acetate@0.01', 'pentyl acetate@0.1']
        """
        here = [group.name for group in self.design.groups[: self._now.group + (self._now.larvae is not None)]]
        design, before = _continued(as_design(design), here)
        setup = self._setup.branched(
            {name: (self.larvae(group), run_id(self.made_of(group))) for name, group in before.items()},
            engine, threads, Kept(weights, codes, per_second, recordings),
        )  # fmt: skip
        branch = Experiment.__new__(Experiment)
        branch._make(Stopped(design, setup, Now(), courses(design.groups, setup)))
        return branch

    def made_of(self, group: str) -> dict[str, Any]:
        """Return all that decides the numbers of a group, of which `provenance.run_id` makes the id of its run.

        Raises:
            InputError: there is no such group.
        """
        return made_of(self.design.group(group), self._setup)

    def larvae(self, group: str) -> Snapshot:
        """Return the larvae of a group as they are now: at its end, or where it was stopped.

        Raises:
            InputError: there is no such group, or it has not begun.
        """
        now, name = self._now, self.design.group(group).name
        if name in now.ended:
            return now.ended[name]
        if now.larvae is None or self.design.groups[now.group].name != name:
            raise InputError(f"group {shown(name)} must have begun to have larvae; go through its events first")
        return now.larvae

    def _next(self) -> Event | None:
        """Do the next act; what it has led to is there by one assignment, or not at all."""
        now = self._now
        living, self._living = self._living or Living(now, self._courses, self._setup), None  # given up if interrupted
        done = living.act()
        if done is None:
            return None
        event, after = done
        self._courses[now.group].collector(event)
        living.now = self._now = after
        self._living = living
        return event


def _continued(design: Design, here: Sequence[str]) -> tuple[Design, dict[str, str]]:
    """Return a design, and which group here each group of it continues."""
    names = [group.name for group in design.groups]
    if here and set(names) <= set(here):
        return design, {name: name for name in names}
    if len(here) == 1:
        return design, dict.fromkeys(names, here[0])
    if len(names) != 1 or not here:
        raise InputError(
            f"groups of a branch must be one for all, or have the names of those that have begun, {shown(list(here))}, "
            f"got {shown(names)}"
        )
    groups = [replace(design.groups[0], name=name) for name in here]
    return replace(design, groups=groups), {name: name for name in here}


def _work_s(event: Event) -> float:
    """Return how much of larvae's time was simulated before an event, that of all of them together, s."""
    if isinstance(event, SliceLived) or (isinstance(event, Answered) and isinstance(event.element, Probe)):
        return float(event.activity.duration_ms.sum()) * 1e-3
    return 0.0
