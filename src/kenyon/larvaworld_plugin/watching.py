"""Any run of the host, watched: whatever starts it, what its larvae do and learn comes out as from a run of ours."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from kenyon import checks
from kenyon.errors import MismatchError
from kenyon.larvaworld_plugin import host, registration
from kenyon.larvaworld_plugin.attaching import attach, can_attach
from kenyon.larvaworld_plugin.events import Event, Listener, RunBegan, TickLived
from kenyon.larvaworld_plugin.observation import Record
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray


class Outcome(NamedTuple):
    """What a run gave.

    Attributes:
        dataset: What was measured; see `run`.
        memories: The memory of each larva as it is now, in the order of the dataset; None for one without.
        host: The host's own run.
    """

    dataset: "xarray.Dataset"
    memories: list[Any]
    host: Any


class Watch:
    """What is seen of a run of the host; `watch` makes one.

    Attributes:
        run: The host's run.
        every_s: Time between two samples, s.
        script: What is done to its larvae besides, by a name; None if nothing is.
        records: What was seen of each of its generations, one after the other; of any other run there is one.
    """

    def __init__(self, run: Any, every_s: float, script: str | None = None) -> None:
        self.run, self.every_s, self.script = run, every_s, script
        self.records: list[Record] = []

    def __repr__(self) -> str:
        """Say what is seen."""
        larvae = f"{len(self.records[-1].began.larvae)} larvae" if self.records else "not begun"
        return f"<watch of {shown(self.run.id)}: {larvae}>"

    @property
    def began(self) -> RunBegan:
        """The larvae that are seen, or were seen last.

        Raises:
            MismatchError: there were none yet.
        """
        return self._seen()[-1].began

    def outcome(self) -> Outcome:
        """Return what the run gave, or has given so far; of a genetic algorithm its last generation.

        Raises:
            MismatchError: nothing was seen yet.
        """
        return self._outcome(self._seen()[-1])

    def outcomes(self) -> list[Outcome]:
        """Return what each generation of a genetic algorithm gave; of any other run there is one outcome.

        Raises:
            MismatchError: nothing was seen yet.
        """
        return [self._outcome(record) for record in self._seen()]

    def hear(self, event: Event) -> None:
        """Take in an event of the run."""
        if isinstance(event, RunBegan):
            self.records.append(Record(event, self.every_s, self.script))
        elif isinstance(event, TickLived):
            self.records[-1].look(event)
        else:
            self.records[-1].end(complete=event.complete)

    def _seen(self) -> list[Record]:
        if not self.records:
            raise MismatchError(
                f"a watched run must have begun before it has an outcome, got {shown(self.run.id)}, which has not; "
                "call its simulate() first"
            )
        return self.records

    def _outcome(self, record: Record) -> Outcome:
        return Outcome(record.dataset(), list(record.began.memories), self.run)


def watch(run: Any, *, every_s: float = 1.0, listeners: Sequence[Listener] = ()) -> Watch:
    """Watch a run of Larvaworld that has not begun: the same larvae, ticks and tracks, and what they learn besides.

    Args:
        run: A run of one's own, `ExpRun` or `GAlauncher`, before its `simulate()`.
        every_s: Time between two samples, s.
        listeners: Functions that are told of every event besides; see `kenyon.larvaworld_plugin.events`.

    Returns:
        The watch: `outcome()` is what `kenyon.larvaworld_plugin.run` gives, when the run has ended.

    Raises:
        MissingDependencyError, MismatchError: Larvaworld is missing or of another version; or the run has begun or
            ended, or is watched already.
        InputError: it is no such run, every_s is out of range, or a listener is no function.
    """
    seen = Watch(run, _seconds(every_s))
    attach(run, [seen.hear, *checks.listeners(listeners)])
    return seen


@contextmanager
def watching(*, every_s: float = 1.0, listeners: Sequence[Listener] = ()) -> Iterator[list[Watch]]:
    """Watch every run of Larvaworld that begins in this process for the time of a `with` statement.

    So are runs watched that something else builds: a `BatchRun` with n_jobs=1, an `Exec` with run_externally=False, an
    evaluation. What they send to other processes is not seen. Runs that are watched already are left alone.

    Args:
        every_s: Time between two samples, s.
        listeners: As for `watch`.

    Yields:
        The watches, one for each run that has begun, in their order; it grows.

    Raises:
        MissingDependencyError, MismatchError: Larvaworld is missing or of another version.
        InputError: every_s is out of range, or a listener is no function.
    """
    every_s, listeners = _seconds(every_s), checks.listeners(listeners)
    if registration.registered() is None:
        host.require()
    from larvaworld.lib.sim.ABM_model import BasicABModel

    seen: list[Watch] = []
    begin = BasicABModel.sim_setup

    def sim_setup(run: Any, *args: Any, **kwargs: Any) -> None:
        if can_attach(run):
            seen.append(watch(run, every_s=every_s, listeners=listeners))
        begin(run, *args, **kwargs)

    BasicABModel.sim_setup = sim_setup
    try:
        yield seen
    finally:
        BasicABModel.sim_setup = begin


def _seconds(every_s: Any) -> float:
    return checks.number("every_s", every_s, low=0.1, high=3600.0, unit="s")
