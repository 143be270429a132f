"""What is done for a larva, each kind a class: what its circuit lives through, what is kept of it, what is answered.

A task has three parts. `timeline` and `keep` run in the worker's thread, on a larva that nothing else touches
meanwhile; `finish` runs in the event loop, once what was done has been kept. Before that the session is as it was, so a
task that fails or is lost has changed nothing.
"""

import base64
import binascii
from abc import abstractmethod
from typing import Any, NamedTuple

from kenyon.errors import DamagedError, FileFormatError, RefusedError
from kenyon.mushroom_body import Parameters, Snapshot
from kenyon.mushroom_body.state import pack
from kenyon.seeds import larva_seed
from kenyon.server import timelines
from kenyon.server.batching import Timeline
from kenyon.server.events import StepDone
from kenyon.server.journal import Journal
from kenyon.server.life import Ids, Life
from kenyon.server.receptors import Receptors
from kenyon.server.requests import Operation, Step
from kenyon.server.sessions import Client, Move, Session
from kenyon.wire.messages import spelling

_MOST_SNAPSHOT_BYTES = 2**20
"""A larva has 40 KB at most; what announces far more is none."""


class Context(NamedTuple):
    """What tasks are done with.

    Attributes:
        parameters: The circuit's constants.
        wiring: How newborn larvae are wired.
        journal: Where larvae are kept.
        receptors: How the rate of receptor neurons is translated; None leaves it as it is.
    """

    parameters: Parameters
    wiring: str
    journal: Journal
    receptors: Receptors | None = None


class Task:
    """Something to be done for a larva.

    Attributes:
        session: The larva.
        client: Who waits for it; None if nobody does.
        is_late: Whether others come first.
        writes: Whether anything is kept of it.
    """

    is_late = False
    writes = True
    client: Client | None = None

    def __init__(self, session: Session) -> None:
        self.session = session

    @abstractmethod
    def timeline(self, context: Context) -> Timeline:
        """Return what the circuit lives through; its result goes to `keep` and `finish`."""
        raise NotImplementedError

    def keep(self, journal: Journal, result: Any) -> None:
        """Write down what must outlive the server, within a transaction."""

    @abstractmethod
    def finish(self, result: Any) -> str:
        """Take over the result, and return the kwargs of the reply to it, as JSON says them."""
        raise NotImplementedError


class Wake(Task):
    """Read a larva from the journal."""

    writes = False

    def timeline(self, context: Context) -> Timeline:
        """As for `Task`."""
        yield []
        try:
            return *context.journal.find(self.session.ids), None
        except DamagedError as reason:
            return None, None, str(reason)

    def finish(self, result: Any) -> str:
        """As for `Task`; there is nobody to answer."""
        self.session.present, self.session.replaced, self.session.damage = result
        return ""


class Sleep(Task):
    """Keep a larva as it is, so that memory can forget it."""

    def timeline(self, context: Context) -> Timeline:  # noqa: ARG002  # nothing is computed
        """As for `Task`."""
        yield []

    def keep(self, journal: Journal, result: Any) -> None:  # noqa: ARG002  # as above
        """As for `Task`; a larva that was only read has nothing new."""
        life = self.session.present
        if life is None or life.larva is None or life.last is None or life.replay:
            return
        if life.unsaved_steps:
            journal.renew(_number(life), life.larva, *life.last)

    def finish(self, result: Any) -> str:  # noqa: ARG002  # as above
        """As for `Task`; there is nobody to answer."""
        life = self.session.present
        if life is not None and not life.replay:
            life.unsaved_ms, life.unsaved_steps = 0.0, 0
        return ""


class DoStep(Task):
    """Do a step.

    Args:
        session: The larva.
        asked: The step.
        move: What it does to the larva's lives.
        base_seed: Seed of a life that begins.
    """

    def __init__(self, session: Session, asked: Step, move: Move, base_seed: int) -> None:
        super().__init__(session)
        self.asked, self._move = asked, move
        life = None if move is Move.BEGIN else session.present if move is Move.GO_ON else session.replaced
        self._life = life or Life(None, larva_seed(base_seed, *session.ids), base_seed)
        self._before = None if self._life.replay else self._life.larva
        self._number = self._life.number
        self._renews = self._life.is_due(asked)

    def timeline(self, context: Context) -> Timeline:
        """As for `Task`."""
        life = self._life
        lived = timelines.step(context.parameters, context.wiring, life.larva, life.seed, life.replay, self.asked)
        return lived if context.receptors is None else self._translated(lived, context.receptors)

    def _translated(self, lived: Timeline, receptors: Receptors) -> Timeline:
        result = yield from lived
        before = None if self._life.last is None else self._life.last[1]
        return result._replace(reply=receptors.translated(result.reply, self.asked.duration_ms, before))

    def keep(self, journal: Journal, result: Any) -> None:
        """As for `Task`."""
        session, life = self.session, self._life
        if self._move is Move.GO_BACK:
            _end(journal, session.ids, session.present)
        elif self._move is Move.GO_ON:
            _end(journal, session.ids, session.replaced)
        else:
            if session.damage is not None:
                journal.forget(session.ids)
            if session.replaced is not None:  # The present life has not gone on: the one it replaced still may.
                _end(journal, session.ids, session.present)
            self._number = journal.begin(session.ids, life.seed, life.base_seed)
        if self._number is None:
            raise RuntimeError("a life goes on that is not in the journal")
        if self._renews:
            journal.renew(self._number, result.larva, self.asked, result.reply)
        else:
            journal.add_step(self._number, self.asked, result.reply)

    def finish(self, result: Any) -> str:
        """As for `Task`."""
        session, life = self.session, self._life
        life.number = self._number
        life.take(self.asked, result.reply, result.larva, renewed=self._renews)
        if self._move is Move.BEGIN:
            session.replaced = session.replaced or session.present
            session.damage = None
            if session.replaced is not None:
                session.contested, session.contested_at = session.replaced.next_step, session.stepped_at
        else:
            session.replaced = None
        session.present = life
        reply: str = result.reply
        return reply

    def told(self, result: Any) -> StepDone:
        """Return what has happened, for those who listen."""
        return StepDone(self.session.ids, self.asked, self._life.seed, self._before, result.larva, result.reply)


class Export(Task):
    """Return a larva's circuit as text."""

    writes = False

    def timeline(self, context: Context) -> Timeline:
        """As for `Task`."""
        life = self.session.check_known()
        circuit = yield from timelines.awake(context.parameters, context.wiring, life.larva, life.seed, life.replay)
        snapshot = timelines.as_snapshot(context.parameters, life.seed, circuit).to_bytes()
        return circuit, base64.b64encode(snapshot).decode("ascii")

    def finish(self, result: Any) -> str:
        """As for `Task`."""
        life = self.session.check_known()
        life.larva, text = result
        life.replay = ()
        return spelling({"snapshot": text, "expected_step": life.next_step})


class Probe(Task):
    """Ask a larva about odors; it stays untouched.

    Args:
        session: The larva.
        asked: The odors, for how long, and how strong.
    """

    writes = False

    def __init__(self, session: Session, asked: Operation) -> None:
        super().__init__(session)
        self._asked = asked

    def timeline(self, context: Context) -> Timeline:
        """As for `Task`."""
        life = self.session.check_known()
        answered = yield from timelines.probe(
            context.parameters, context.wiring, life.larva, life.seed, life.replay, self._asked
        )
        return answered

    def finish(self, result: Any) -> str:
        """As for `Task`."""
        life = self.session.check_known()
        life.larva, probes = result
        life.replay = ()
        return spelling({"probes": probes, "expected_step": life.next_step})


class Load(Task):
    """Let a larva be what an export gave.

    Args:
        session: The larva.
        asked: The snapshot, and the step that it shall wait for.
    """

    def __init__(self, session: Session, asked: Operation) -> None:
        super().__init__(session)
        self._asked = asked
        self._number = 0

    def timeline(self, context: Context) -> Timeline:
        """As for `Task`."""
        yield []
        try:
            words = base64.b64decode(self._asked.snapshot, validate=True)
            snapshot = Snapshot.from_bytes("the snapshot", words, limit_bytes=_MOST_SNAPSHOT_BYTES)
        except (binascii.Error, ValueError) as reason:
            words_of = str(reason) if isinstance(reason, FileFormatError) else f"the snapshot must be base64: {reason}"
            raise RefusedError(f"{words_of}; pass what export gave, unchanged", "snapshot") from None
        for name, (here, there) in context.parameters.differences(snapshot.parameters).items():
            raise RefusedError(
                f"the snapshot must be of this server's parameters, got {name}={there} instead of {here}; load it on a "
                "server that was started with its own",
                "snapshot",
            )
        if len(snapshot.seeds) != 1:
            raise RefusedError(
                f"the snapshot must be of one larva, got {len(snapshot.seeds)}; send them apart", "snapshot"
            )
        if snapshot.seeds[0] >= 2**256:
            raise RefusedError("the seed of the snapshot must be within 256 bits, got more", "snapshot")
        return snapshot.seeds[0], pack(snapshot.state)[0]

    def keep(self, journal: Journal, result: Any) -> None:
        """As for `Task`."""
        journal.forget(self.session.ids)
        seed, larva = result
        self._number = journal.begin(self.session.ids, seed, None, larva, self._asked.step)

    def finish(self, result: Any) -> str:
        """As for `Task`."""
        seed, larva = result
        self.session.present = Life(self._number, seed, None, larva, self._asked.step)
        self.session.replaced = self.session.damage = None
        return spelling({"expected_step": self._asked.step})


class Delete(Task):
    """Forget a larva; one that is not there is none more."""

    def timeline(self, context: Context) -> Timeline:  # noqa: ARG002  # nothing is computed
        """As for `Task`."""
        yield []

    def keep(self, journal: Journal, result: Any) -> None:  # noqa: ARG002  # as above
        """As for `Task`."""
        journal.forget(self.session.ids)

    def finish(self, result: Any) -> str:  # noqa: ARG002  # as above
        """As for `Task`."""
        deleted = int(self.session.is_kept)
        self.session.present = self.session.replaced = self.session.damage = None
        return spelling({"deleted": deleted})


def _number(life: Life) -> int:
    if life.number is None:
        raise RuntimeError("a life that was finished is in the journal")
    return life.number


def _end(journal: Journal, ids: Ids, life: Life | None) -> None:
    if life is not None:
        journal.end(ids, _number(life))
