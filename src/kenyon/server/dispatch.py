"""Dispatch: each request to the queue of its larva, one after the other, and everything else to the worker.

Law of this file: it runs in the event loop's thread alone, and never waits. What is asked of a larva that is being
worked on waits in its queue; larvae do not wait for each other.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from kenyon.errors import RefusedError, StorageError
from kenyon.server.batching import DroppedError, Finished
from kenyon.server.events import Listener, StepDone
from kenyon.server.life import Ids
from kenyon.server.metrics import Metrics
from kenyon.server.requests import Operation, Request
from kenyon.server.sessions import Client, Session
from kenyon.server.settings import Settings
from kenyon.server.tasks import Delete, DoStep, Export, Load, Probe, Sleep, Task, Wake
from kenyon.wire.messages import Id

_logger = logging.getLogger(__name__)

_MOST_TO_SLEEP = 500
"""Larvae that go to sleep together, once a second: a step of one of them would have to wait for them all."""

_MOST_SAID = 10_000
"""Simulations remembered so as to be logged once; forgotten together beyond."""


class Respond(Protocol):
    """Takes a reply."""

    def __call__(self, reply: str | None, *, is_computed: bool = False) -> None:
        """Take the kwargs of a reply, as JSON says them, and whether the worker has done what was asked.

        None: the request was dropped.
        """


@dataclass(slots=True)
class _Pending:
    """One request in the queue of its larva."""

    request: Request
    client: Client
    answer: Respond


@dataclass(slots=True)
class _Queue:
    """One larva, and who waits for it.

    Attributes:
        session: The larva.
        waiting: Requests that have not begun.
        current: The one that is being done; None also where something is done for nobody.
        known: Whether the journal has been asked about it.
        busy: Whether something is being done.
        begins: Whether that makes one larva more.
        touched_at: When something was last asked of it, s.
    """

    session: Session
    waiting: deque[_Pending] = field(default_factory=deque)
    current: _Pending | None = None
    known: bool = False
    busy: bool = False
    begins: bool = False
    touched_at: float = 0.0


class Dispatcher:
    """Every larva that a server knows.

    Args:
        settings: Seed, limits.
        kept: How many larvae the journal has.
        submit: Hands tasks to the worker.
        clock: Gives the time, s.
        metrics: Where to count.
        refuse: Gives a refusal as the kwargs of a reply.
        listeners: Are told of every step that was answered.
    """

    def __init__(
        self,
        settings: Settings,
        kept: int,
        submit: Callable[[list[Task]], None],
        clock: Callable[[], float],
        metrics: Metrics,
        refuse: Callable[[Ids, RefusedError], str],
        listeners: Sequence[Listener] = (),
    ) -> None:
        self._settings = settings
        self._limits = settings.limits
        self._submit = submit
        self._clock = clock
        self._metrics = metrics
        self._refuse = refuse
        self._listeners = listeners
        self._queues: dict[tuple[Id, Id], _Queue] = {}
        self._ready: list[Task] = []
        self._simulations: set[Id] = set()
        self._coming = 0
        self.kept = kept
        self.waiting = 0
        self.stopping = False

    @property
    def awake(self) -> int:
        """How many larvae are in memory."""
        return len(self._queues)

    @property
    def at_work(self) -> bool:
        """Whether anything is being done, for a client or not."""
        return any(queue.busy for queue in self._queues.values())

    def ask(self, sim_id: Id, model_id: Id, request: Request, client: Client, answer: Respond) -> None:
        """Let a larva do what is asked, and answer when that is done; `send_off` lets the worker begin."""
        ids = (sim_id, model_id)
        if self.stopping or self.waiting >= self._limits.max_queue:
            answer(self._busy(ids))
            return
        queue = self._queues.get(ids)
        if queue is None:
            queue = self._queues[ids] = _Queue(Session(ids))
        self.waiting += 1
        queue.waiting.append(_Pending(request, client, answer))
        if not queue.busy:
            self._serve(queue)

    def send_off(self) -> None:
        """Hand over what has come together, all at once, so that it is computed together."""
        if self._ready:
            ready, self._ready = self._ready, []
            self._submit(ready)

    def deliver(self, done: Sequence[Finished[Task]], sizes: Sequence[int]) -> None:
        """Take what the worker has done."""
        for size in sizes:
            self._metrics.batch_larvae.add(size)
        for one in done:
            queue = self._queues[one.tag.session.ids]
            pending = queue.current
            try:
                self._take(queue, one)
            except Exception:  # the others must not wait for ever
                _logger.exception("what was done could not be taken over")
                queue.busy, queue.current, queue.known = False, None, False
                if pending is not None:
                    fault = RefusedError("the server must answer this, but failed; see its log", "internal")
                    self._answer(pending, self._refuse(queue.session.ids, fault))
        self.send_off()

    def send_idle_to_sleep(self, *, after_s: float | None = None) -> None:
        """Let memory forget larvae that nobody has asked for in a while: some of them now, or all that are told to."""
        limit, most = (self._limits.larva_idle_s, _MOST_TO_SLEEP) if after_s is None else (after_s, None)
        before = self._clock() - limit
        idle = (queue for queue in self._queues.values() if not queue.busy and queue.touched_at <= before)
        for queue in list(islice(idle, most)):
            if queue.known and queue.session.present is not None:
                self._begin(queue, Sleep(queue.session), None, None)
            else:
                del self._queues[queue.session.ids]
        self.send_off()

    def _serve(self, queue: _Queue) -> None:
        """Answer what can be answered at once, until something has to be done."""
        queue.touched_at = self._clock()
        while queue.waiting and not queue.busy:
            pending = queue.waiting[0]
            if pending.client.closed:
                queue.waiting.popleft()
                self._answer(pending, None)
                continue
            if not queue.known:
                self._begin(queue, Wake(queue.session), None, pending.client)
                return
            queue.waiting.popleft()
            try:
                task = self._task(queue.session, pending)
            except RefusedError as refusal:
                self._answer(pending, self._refuse(queue.session.ids, refusal))
                continue
            if isinstance(task, Task):
                self._begin(queue, task, pending, pending.client)
                return
            self._metrics.retries += 1
            self._answer(pending, task)
        if queue.known and not queue.busy and queue.session.present is None:
            del self._queues[queue.session.ids]  # Nothing is known about it that was worth remembering.

    def _task(self, session: Session, pending: _Pending) -> Task | str:
        """Return what is to be done for a request, or the reply that it has had already."""
        asked, client, now = pending.request, pending.client, self._clock()
        if isinstance(asked, Operation):
            if asked.op in ("load", "delete"):
                session.check_alone(client, now, self._limits.live_s)
                if asked.op == "delete":
                    return Delete(session)
                self._check_room(session)
                return Load(session, asked)
            session.check_known()
            return Export(session) if asked.op == "export" else Probe(session, asked)
        move = session.decide(asked, client, now, self._limits.live_s)
        if isinstance(move, str):
            return move
        self._check_room(session)
        return DoStep(session, asked, move, self._settings.seed if asked.seed is None else asked.seed)

    def _check_room(self, session: Session) -> None:
        if not session.is_kept and self.kept + self._coming >= self._limits.max_larvae:
            raise RefusedError(
                f"the server must have room for one more larva, but keeps {self.kept}, as many as it may; delete some "
                "(kenyon sessions delete) or raise --max-larvae",
                "larvae",
            )

    def _begin(self, queue: _Queue, task: Task, pending: _Pending | None, client: Client | None) -> None:
        queue.busy, queue.current = True, pending
        queue.begins = not queue.session.is_kept and isinstance(task, (DoStep, Load))
        self._coming += queue.begins
        task.client = client
        # What nobody waits for, or one who was last refused or answered at once, comes after the others.
        task.is_late = not self.stopping and (client is None or client.in_debt)
        self._ready.append(task)

    def _take(self, queue: _Queue, one: Finished[Task]) -> None:
        """Take over one task that is done, and go on with the queue of its larva."""
        session, task, pending = queue.session, one.tag, queue.current
        queue.busy, queue.current = False, None
        self._coming -= queue.begins
        reply: str | None = None
        if one.error is None:
            before = session.is_kept
            reply = task.finish(one.result)
            if isinstance(task, Wake):
                queue.known = True
            else:
                self.kept += session.is_kept - before
            if isinstance(task, DoStep) and pending is not None:
                session.client, session.stepped_at = pending.client, self._clock()
                self._metrics.steps += 1
                self._metrics.diverged += one.result.diverged
                self._greet(session.ids[0])
        elif isinstance(one.error, DroppedError):
            pass
        else:
            refusal = _as_refusal(one.error)
            reply = self._refuse(session.ids, refusal)
            if refusal.code == "storage":
                # Whether the disk has it or not: what it has counts, and is read again.
                queue.known, session.present, session.replaced, session.damage = False, None, None, None
            if isinstance(task, Wake):
                self._refuse_waiting(queue, reply)
        if pending is not None:
            self._answer(pending, reply, is_computed=one.error is None)
        if self._listeners and isinstance(task, DoStep) and one.error is None:
            self._tell(task.told(one.result))
        if isinstance(task, Sleep) and not queue.waiting:
            del self._queues[session.ids]
            return
        self._serve(queue)

    def _tell(self, event: StepDone) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:  # noqa: PERF203  # a fault of one is no reason not to tell the others
                _logger.exception("somebody who listens to this server has failed")

    def _greet(self, sim_id: Id) -> None:
        """Say once that a simulation has arrived: one that talks to nobody looks just the same at its own end."""
        if sim_id not in self._simulations:
            if len(self._simulations) >= _MOST_SAID:
                self._simulations.clear()
            self._simulations.add(sim_id)
            _logger.info("simulation %r is here: the first step of its first larva is done", sim_id)

    def _refuse_waiting(self, queue: _Queue, reply: str) -> None:
        """A larva that cannot be read is so for all who wait for it."""
        while queue.waiting:
            self._answer(queue.waiting.popleft(), reply)

    def _answer(self, pending: _Pending, reply: str | None, *, is_computed: bool = False) -> None:
        self.waiting -= 1
        if reply is None:
            self._metrics.dropped += 1
        pending.answer(reply, is_computed=is_computed)

    def _busy(self, ids: tuple[Id, Id]) -> str:
        if self.stopping:
            words, wait_s = "is stopping", 1.0
        else:
            words, wait_s = f"has {self.waiting} messages waiting", round(min(5.0, max(0.05, self.waiting * 0.0002)), 2)
        return self._refuse(
            ids,
            RefusedError(f"the server must have room, but {words}; ask again in {wait_s:g} s", "busy", None, wait_s),
        )


def _as_refusal(error: Exception) -> RefusedError:
    if isinstance(error, RefusedError):
        return error
    return RefusedError(str(error), "storage" if isinstance(error, StorageError) else "internal")
